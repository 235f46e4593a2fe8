"""Discs with noise, and without."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import gaussian_filter

if TYPE_CHECKING:
    from numpy.typing import NDArray


def discs(side: int = 96, seed: int = 5, *, sd: float = 40.0) -> tuple[NDArray[np.float64], NDArray[np.uint16]]:
    """Return four bright discs on a dark ground, blurred as by a lens, without noise and with."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:side, :side]
    clean = np.full((side, side), 200.0)
    for cy, cx in ((0.25, 0.25), (0.25, 0.75), (0.75, 0.3), (0.7, 0.8)):
        clean[(y - cy * side) ** 2 + (x - cx * side) ** 2 < (0.15 * side) ** 2] = 500
    clean = gaussian_filter(clean, 2.0)
    return clean, np.rint(clean + rng.normal(0, sd, clean.shape)).astype(np.uint16)
