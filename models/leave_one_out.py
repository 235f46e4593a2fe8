"""Which crops help on nuclei of other laboratories: `python models/leave_one_out.py DATA WORK OUT SECONDS`.

DATA holds the folders `dsb2018`, `mnfinder_micronuclei`, `bbbc039_u2os` and `neubias_training`, each with `images` and
`labels`. For each of `FOLDS`, networks are trained from random weights without the laboratories that it leaves out, one
with each of `RECIPES`, all at once on one GPU from one store of crops, for SECONDS. Then each network is scored on what
it has not seen. `isbi2009_u2os` takes no part.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import replace
from itertools import product
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

BATCH = 64
FOLDS = {
    "mnfinder and neubias": ("mnfinder_micronuclei", "neubias_training"),
    "bbbc039 and dsb2018 520 px": ("bbbc039_u2os", "dsb2018_520"),
    "dsb2018 256 and 360 px": ("dsb2018_256", "dsb2018_360"),
}
RECIPES = ("plain", "strong")
DIAMETER_PX = 30.0
SHARES = {
    "dsb2018_256": 5, "dsb2018_520": 2, "dsb2018_360": 2, "dsb2018_rest": 1, "mnfinder_micronuclei": 4,
    "bbbc039_u2os": 2, "neubias_training": 1, "twin": 5,
}  # fmt: skip
SCORED_IMAGES = 80
STORED = 40_000
FIRST = 3000
"""How many crops are kept, and how many there are before the first step."""

TWIN_SEED = 7  # the book's is 1: nothing it shows has been trained on
TWIN_SIDE_PX = 3072
TWIN_CROPS = (("TL", "top_left"), ("TR", "top_right"), ("BR", "top_right"))
TWIN_RUNS = 40


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


def group_dsb2018(folder: Path, out: Path) -> None:
    """Link the images of DSB2018 by their height, which tells their groups apart."""
    from nnbook.io.images import read_image
    from nnbook.io.inputs import pair_files

    for stem, (image, mask) in pair_files(folder / "images", folder / "labels").items():
        height = read_image(image).shape[0]
        group = out / f"dsb2018_{height if height in {256, 360, 520} else 'rest'}"
        for kind, path in (("images", image), ("labels", mask)):
            (group / kind).mkdir(parents=True, exist_ok=True)
            (group / kind / f"{stem}{path.suffix}").symlink_to(path.resolve())


_models: dict[str, Any] = {}


def score_image(model: str, image_path: Path, mask_path: Path) -> dict[str, Any]:
    """Count matches in one image."""
    from nnbook.evaluation.metrics import count_matches
    from nnbook.io.images import read_image, read_mask
    from nnbook.segmentation.diameter import median_diameter
    from nnbook.segmentation.model import load_model
    from nnbook.segmentation.workflow import segment_image

    if model not in _models:
        _models.clear()
        _models[model] = load_model(model)
    true = read_mask(mask_path)
    diameter = median_diameter(true) or 30.0
    return count_matches(segment_image(read_image(image_path), _models[model], diameter_px=diameter), true)


def main(data: Path, work: Path, out: Path, seconds: float) -> None:
    """Train every network and score it."""
    from nnbook.training.loop import TrainingSettings, _read
    from nnbook.training.supply import start_workers

    settings = TrainingSettings(steps=10**6, batch=BATCH, uses=2, learning_rate=2e-3)
    simulate_twin(work / "twin", TWIN_RUNS)
    group_dsb2018(data / "dsb2018", work)
    folders = {name: (work if name.startswith(("dsb2018_", "twin")) else data) / name for name in SHARES}
    pairs = {name: (folder / "images", folder / "labels") for name, folder in folders.items()}
    with start_workers(15) as workers:
        training, _ = _read(list(pairs.values()), settings, DIAMETER_PX, workers)
        paths = train_folds(dict(zip(pairs, training, strict=True)), workers, settings, work, seconds)
    rows = score_folds(paths, pairs)
    out.write_text(json.dumps(rows, indent=1), encoding="utf-8")


def train_folds(  # noqa: C901 - all networks step in turn
    training: dict[str, list[Any]], workers: Any, settings: Any, work: Path, seconds: float
) -> dict[tuple[str, str], Path]:
    """Train a network for each fold and recipe, and return where they are."""
    import torch

    from nnbook.segmentation.model import new_network
    from nnbook.training.crops import STRONG
    from nnbook.training.loop import TrainingState, write_model
    from nnbook.training.supply import Store, crop_jobs

    torch.backends.cudnn.benchmark = True
    names = [name for name in training for _ in range(SHARES[name])]
    store = Store(STORED, settings.crop_px, "cuda")
    drawn = workers.draw([training[name] for name in names], crop_jobs(1, 0, 32, settings.crop_px, DIAMETER_PX))
    networks = {}
    for fold, left_out in FOLDS.items():
        without = sum(1 << k for k, name in enumerate(names) if name in left_out)
        for recipe in RECIPES:
            torch.manual_seed(1)
            state = TrainingState(new_network(DIAMETER_PX), settings, "cuda")
            networks[fold, recipe] = state, without | (STRONG if recipe == "plain" else 0)
    while len(store) < FIRST:
        store.add(next(drawn))
    rng = np.random.default_rng(5)
    start, rounds = time.time(), 0
    while (past := (time.time() - start) / seconds) < 1:
        if rounds % 50 == 20:  # so many steps as there is time for
            for state, _ in networks.values():
                state.settings = replace(settings, steps=max(state.step + 1, round(state.step / past)))
        for (_, recipe), (state, excluded) in networks.items():
            places = np.flatnonzero((store.sources[: len(store)] & excluded) == 0)
            batch = store.batch(rng.choice(places, settings.batch), (1, rounds), greys=recipe != "plain")
            state.advance(*batch)
        for _ in range(8):
            if workers.is_ready():
                store.add(next(drawn))
        rounds += 1
    paths = {}
    for number, (key, (state, _)) in enumerate(networks.items()):
        paths[key] = work / f"model{number}"
        write_model(paths[key], {name: value.cpu() for name, value in state.average.state_dict().items()})
    return paths


def score_folds(paths: dict[tuple[str, str], Path], pairs: dict[str, tuple[Path, Path]]) -> list[dict[str, Any]]:
    """Score each network on what it has not seen."""
    from nnbook.evaluation.metrics import score_counts
    from nnbook.io.inputs import pair_files

    rows = []
    with get_context("spawn").Pool(15) as pool:
        for (fold, recipe), path in paths.items():
            for name in FOLDS[fold]:
                files = list(pair_files(*pairs[name]).values())
                kept = files[:: max(1, len(files) // SCORED_IMAGES)]
                counts = pool.starmap(score_image, [(str(path), *pair) for pair in kept], chunksize=4)
                total = score_counts(counts)
                by_image = [score_counts([one])["ap_0.50"] for one in counts]
                rows.append(
                    {
                        "left_out": name,
                        "recipe": recipe,
                        **{key: round(float(total[key]), 4) for key in ("f1_0.50", "ap_0.50", "mean_ap", "mean_iou")},
                        **{key: int(total[key]) for key in ("true_nuclei", "missed", "spurious", "splits", "merges")},
                        "ap_0.50_image_mean": round(float(np.nanmean(by_image)), 4),
                    }
                )
                print(rows[-1], flush=True)
    return rows


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), float(sys.argv[4]))
