"""Train the random forest on pixels that comes with nnbook: `python models/train_forest.py DATA models/forest.npz`.

From the images of `SETS` in DATA that are not held out, so many pixels of each. Takes a minute on one thread.
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np

from nnbook.io.images import read_image, read_mask
from nnbook.io.inputs import pair_files
from nnbook.methods.forest import pixel_features, train_forest, write_forest
from nnbook.segmentation.diameter import median_diameter
from nnbook.training.loop import TrainingSettings, held_out

SETS = ("dsb2018", "mnfinder_micronuclei", "bbbc039_u2os", "neubias_training")
PIXELS = 300
SEED = 1


def main(data: Path, out: Path) -> None:
    """Draw pixels, train and write."""
    rng = np.random.default_rng(SEED)
    share = TrainingSettings().validation_share
    features, inside = [], []
    for name in SETS:
        for stem, (image_path, mask_path) in pair_files(data / name / "images", data / name / "labels").items():
            labels = read_mask(mask_path)
            if held_out(stem, share) or not labels.any():
                continue
            made = pixel_features(read_image(image_path), median_diameter(labels))
            small = cv2.resize((labels > 0).astype(np.uint8), made.shape[1::-1], interpolation=cv2.INTER_NEAREST_EXACT)
            places = rng.integers(small.size, size=PIXELS)
            features.append(made.reshape(-1, made.shape[-1])[places])
            inside.append(small.ravel()[places] > 0)
    write_forest(out, train_forest(np.concatenate(features), np.concatenate(inside), SEED))


if __name__ == "__main__":
    main(*(Path(argument) for argument in sys.argv[1:3]))
