"""A panorama's frame, and coarse maps over it: what changes slowly is computed on a grid and interpolated."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

GRID_PX: Final = 32
"""Pitch of the finest coarse map, in px at `PX_PER_UM`."""


class Frame(NamedTuple):
    """A panorama's size in px, and its px a px at `PX_PER_UM`."""

    width: int
    height: int
    scale: float

    def grid_shape(self, pitch_px: float) -> tuple[int, int]:
        """Return the shape (y, x) of a coarse map of a pitch at `PX_PER_UM`, with a margin for interpolation."""
        pitch = pitch_px * self.scale
        return int(self.height / pitch) + 5, int(self.width / pitch) + 5


def smooth_noise(rng: Generator, frame: Frame, pitch_px: float, sigma: float) -> NDArray[np.float64]:
    """Return a coarse map of smooth noise of mean 0 and variance 1; `sigma`, its smoothness, is in pitches."""
    noise = rng.standard_normal(frame.grid_shape(pitch_px))
    return blur(noise, sigma, "reflect") * (2 * sigma * math.sqrt(math.pi))


def blur(grid: NDArray[np.float64], sigma: float, mode: str) -> NDArray[np.float64]:
    """Blur a coarse map with a Gaussian."""
    from skimage.filters import gaussian

    return np.asarray(gaussian(grid, sigma, mode=mode))
