"""How `models/nnbook_nuclei` was trained: `python models/train_nnbook_nuclei.py DATA WORK MODEL`.

DATA holds the folders `dsb2018`, `mnfinder_micronuclei`, `bbbc039_u2os` and `neubias_training`, each with `images` and
`labels`. The twin's panoramas are simulated into WORK. A second call goes on where the first was interrupted.
"""

from __future__ import annotations

import sys
from itertools import product
from multiprocessing import get_context
from pathlib import Path

from nnbook.segmentation.model import load_model
from nnbook.training.loop import TrainingSettings, train, write_model

TWIN_SEED = 7  # the book's is 1: nothing it shows has been trained on
TWIN_SIDE_PX = 3072
TWIN_CROPS = (("TL", "top_left"), ("TR", "top_right"), ("BR", "top_right"))
TWIN_RUNS = 32

SHARES = {"dsb2018": 10, "mnfinder_micronuclei": 4, "bbbc039_u2os": 2, "neubias_training": 1, "twin": 5}
"""How often crops are drawn from each data set, in proportion."""

FIRST = TrainingSettings(steps=7300, batch=64, learning_rate=2e-3, validate_every=400, seed=11)
SECOND = TrainingSettings(steps=5000, batch=64, uses=2, learning_rate=1e-3, validate_every=400, seed=21)


def main(data: Path, work: Path, model: Path) -> None:
    """Simulate, train in two parts, and take the mean of the weights of both."""
    simulate_twin(work / "twin", TWIN_RUNS)
    folders = [(work if name == "twin" else data) / name for name, share in SHARES.items() for _ in range(share)]
    data_sets = [(folder / "images", folder / "labels") for folder in folders]
    first = work / "first"
    if not first.is_file():
        train(data_sets, first, FIRST)
    second = train(data_sets, work / "second", SECOND, from_model=first)
    states = [load_model(path, device="cpu").network.state_dict() for path in (first, second)]
    mean = {
        name: (value + states[0][name]) / 2 if value.is_floating_point() else value for name, value in states[1].items()
    }
    write_model(model, mean)


def simulate_twin(folder: Path, runs: int) -> None:
    """Simulate panoramas of the first runs into `images` and `labels`; those that are there already stay."""
    places = [(folder, run, *where) for run, where in product(range(1, runs + 1), TWIN_CROPS)]
    with get_context("spawn").Pool() as pool:
        pool.starmap(_simulate, places, chunksize=1)


def _simulate(folder: Path, run: int, quarter: str, crop: str) -> None:
    from nnbook.io.images import write_image, write_mask
    from nnbook.io.manifest import panorama_name
    from nnbook.simulation.panorama import simulate_panorama

    name = f"{panorama_name(run, quarter, crop)}.tif"
    if not (folder / "labels" / name).is_file():
        image, labels, _ = simulate_panorama(
            TWIN_SEED, run, quarter, crop, width_px=TWIN_SIDE_PX, height_px=TWIN_SIDE_PX
        )
        write_image(folder / "images" / name, image)
        write_mask(folder / "labels" / name, labels)


if __name__ == "__main__":
    main(*(Path(argument) for argument in sys.argv[1:4]))
