"""How `models/nnbook_nuclei` was trained: `python models/train_nnbook_nuclei.py DSB2018 WORK MODEL`.

DSB2018 is the folder of that data set with `images` and `labels` in it. The twin's panoramas are simulated into WORK.
A second call goes on where the first was interrupted. The model was trained by nnbook as it was on 21 November 2026;
since then crops, learning rate and averaging of `nnbook.training` are others.
"""

import sys
from itertools import product
from pathlib import Path

import torch

from nnbook.io.images import write_image, write_mask
from nnbook.io.manifest import panorama_name
from nnbook.simulation.panorama import simulate_panorama
from nnbook.training.loop import TrainingSettings, train

TWIN_SEED = 7  # the book's is 1: nothing it shows has been trained on
TWIN_PLACES = tuple(product(range(1, 41), (("TL", "top_left"), ("BR", "top_right"))))
TWIN_SIDE_PX = 4096
FIRST = TrainingSettings(steps=1800, validate_every=100, learning_rate=1.5e-3, seed=1)
SECOND = TrainingSettings(steps=1300, validate_every=100, learning_rate=1e-3, seed=3)


def main(dsb2018: Path, work: Path, model: Path) -> None:
    """Simulate, then train in two parts: two crops of three from real images, one from simulated ones."""
    images, masks = work / "images", work / "masks"
    for run, (quarter, crop) in TWIN_PLACES:
        name = panorama_name(run, quarter, crop)
        if (masks / f"{name}.tif").is_file():
            continue
        image, labels, _ = simulate_panorama(
            TWIN_SEED, run, quarter, crop, width_px=TWIN_SIDE_PX, height_px=TWIN_SIDE_PX
        )
        write_image(images / f"{name}.tif", image)
        write_mask(masks / f"{name}.tif", labels)
    real = (dsb2018 / "images", dsb2018 / "labels")
    data_sets = [real, real, (images, masks)]
    first = work / "first"
    if not first.is_file():
        train(data_sets, first, FIRST)
    train(data_sets, model, SECOND, from_model=first)


if __name__ == "__main__":
    torch.set_num_threads(2)
    main(*(Path(argument) for argument in sys.argv[1:4]))
