"""Cell images of the published form, drawn: a nucleus under a wide mask, brighter to the right, on a dim background."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import tifffile
from numpy.typing import NDArray

SIDE = 256
NAMES = (
    "Run2BL_bottom_left_ROI_9",
    "Run2BL_bottom_left_ROI_10",
    "Run2BL_bottom_left_ROI_268",
    "Run2TL_top_left_ROI_1",
    "Run2TL_top_left_ROI_3",
    "Run100BL_bottom_left_ROI_268",
)
"""In the order of a store."""


def published_cell(seed: int) -> NDArray[np.uint8]:
    """A nucleus of 70 x 50 px about its middle, under a mask that runs 18 px beyond it; some pixels in it are zero."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2
    mask, nucleus = (((x / a) ** 2 + (y / b) ** 2) <= 1 for a, b in ((88, 68), (70, 50)))
    levels = np.where(
        nucleus, 90 + 60 * random.random() + 0.2 * x + random.normal(0, 8, x.shape), random.poisson(4, x.shape)
    )
    return np.where(mask, levels.clip(0, 255), 0).astype(np.uint8)


def write_images(folder: Path, names: Sequence[str] = NAMES) -> Path:
    """Write such images under these names."""
    folder.mkdir()
    for seed, name in enumerate(names):
        tifffile.imwrite(folder / f"{name}.tif", published_cell(seed), metadata=None)
    return folder
