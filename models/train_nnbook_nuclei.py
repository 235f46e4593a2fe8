"""How `models/nnbook_nuclei` is trained, on one GPU: `python models/train_nnbook_nuclei.py DATA WORK MODEL`.

DATA holds the folders of `SHARES`, each with `images` and `labels`. The twin's panoramas are simulated into WORK. A
second call goes on where the first was interrupted. What the training of the shipped weights differed in is said in
`models/README.md`.
"""

import sys
from itertools import product
from multiprocessing import get_context
from pathlib import Path

from nnbook.io.images import write_image, write_mask
from nnbook.io.manifest import panorama_name
from nnbook.simulation.panorama import simulate_panorama
from nnbook.training.loop import TrainingSettings, train

SHARES = {"dsb2018": 5, "mnfinder_micronuclei": 1, "bbbc039_u2os": 1, "neubias_training": 1}
TWIN_SHARE = 2
TWIN_SEED = 7  # the book's is 1: nothing it shows has been trained on
TWIN_PLACES = tuple(product(range(1, 81), (("TL", "top_left"), ("BR", "top_right"))))
TWIN_SIDE_PX = 4096
SETTINGS = TrainingSettings(steps=7328, batch=64, learning_rate=2e-3, validate_every=200, seed=11)


def main(data: Path, work: Path, model: Path) -> None:
    """Simulate, then train from random weights."""
    with get_context("spawn").Pool() as pool:
        pool.starmap(_simulate, ((work, run, *where) for run, where in TWIN_PLACES), chunksize=1)
    data_sets = [(work / "images", work / "labels")] * TWIN_SHARE
    for name, share in SHARES.items():
        data_sets += [(data / name / "images", data / name / "labels")] * share
    train(data_sets, model, SETTINGS)


def _simulate(folder: Path, run: int, quarter: str, crop: str) -> None:
    name = f"{panorama_name(run, quarter, crop)}.tif"
    if not (folder / "labels" / name).is_file():
        image, labels, _ = simulate_panorama(
            TWIN_SEED, run, quarter, crop, width_px=TWIN_SIDE_PX, height_px=TWIN_SIDE_PX
        )
        write_image(folder / "images" / name, image)
        write_mask(folder / "labels" / name, labels)


if __name__ == "__main__":
    main(*(Path(argument) for argument in sys.argv[1:4]))
