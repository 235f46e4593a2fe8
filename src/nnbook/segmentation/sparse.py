"""Nuclei that cover so little of an image that percentiles of its grey levels miss them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from nnbook.io.images import Image

LEAST_CONTRAST: Final = 4.0
"""Sparse nuclei exceed the background by at least this many times its own range, from its 1st to its 99th percentile
once smoothing has taken out the noise of single pixels. Less contrast than that the network takes as it is."""

NOISE_SDS: Final = 5.0
"""What exceeds the smoothed background by less than this many standard deviations is background."""

DIMMEST: Final = 1e-3
"""So is what exceeds it by less than this share of what the brightest component does."""

DISC_PX: Final = 5
"""Side of the median filter, and diameter of the disc that a component has room for."""

BLOCK_ROWS: Final = 256
SAMPLED_PX: Final = 500_000
FITTED_PX: Final = 30_000
"""The background is measured in about so many pixels on a regular grid, and uneven light is fitted to so many."""

FITS: Final = 5


class Shading(NamedTuple):
    """Uneven light: factors of 1, y, x, y squared, y x and x squared, where y and x go from 0 to 1 over the image."""

    constant: float
    by_y: float
    by_x: float
    by_y2: float
    by_yx: float
    by_x2: float

    def at(self, y: NDArray[np.float64], x: NDArray[np.float64]) -> NDArray[np.float32]:
        """Return the light at each of these rows and columns, axes (y, x)."""
        down = self.constant + self.by_y * y + self.by_y2 * y**2
        slope = self.by_x + self.by_yx * y
        across = (self.by_x2 * x**2).astype(np.float32)
        return down.astype(np.float32)[:, None] + np.outer(slope.astype(np.float32), x.astype(np.float32)) + across


def sparse_level(image: Image) -> float | None:
    """Return the grey level of nuclei that are far brighter than the 99th percentile of an image.

    The image is smoothed by a median filter, and uneven light, a quadratic function of the place, is subtracted. What
    then exceeds the background by `NOISE_SDS`, measured below the median where no nucleus counts, and by the noise of
    single pixels is foreground. Its components have a level each, their greatest; that of the typical component is
    the median weighted by diameters. It is returned if it exceeds the background by `LEAST_CONTRAST` times the range
    of the smoothed image, which it can't where a hundredth of the image is a fourth as bright: dim nuclei beside a few
    bright ones, noise, uneven light and a confluent image with mitoses have no sparse nuclei.

    Only components that have room for a disc of `DISC_PX` count. Hot pixels, alone or four together, tracks of cosmic
    rays and thin fibres have not.

    Parameters
    ----------
    image : Image
        Axes (y, x), any grey levels, not all the same.

    Returns
    -------
    float or None
        None where there are no sparse nuclei.
    """
    low, high = float(image.min()), float(image.max())
    step = max(1, math.isqrt(image.size // SAMPLED_PX))
    greys = _between(image[::step, ::step], low, high)
    smooth = _smoothed(greys)
    pixel_noise = float(np.percentile(greys - smooth, 99))
    shading = _fit_shading(smooth)
    light = shading.at(np.linspace(0, 1, smooth.shape[0]), np.linspace(0, 1, smooth.shape[1]))
    smooth -= light
    least, middle, most = (float(level) for level in np.percentile(smooth, [1, 50, 99]))
    needed = middle + LEAST_CONTRAST * (most - least)
    if not _exceeds(image, low + (high - low) * (needed + float(light.min()))):
        return None
    # The 1st percentile of a normal distribution is 2.33 standard deviations below its median.
    above = max(NOISE_SDS * (middle - least) / 2.33, pixel_noise, DIMMEST * (1 - middle))
    levels, diameters = _components(image, low, high, shading, middle + above)
    if not levels.size:
        return None
    typical = float(np.quantile(levels, 0.5, weights=diameters, method="inverted_cdf"))
    return low + (high - low) * (typical + float(np.mean(light))) if typical > needed else None


def _between(image: Image, low: float, high: float) -> NDArray[np.float32]:
    """Return grey levels with `low` at 0 and `high` at 1."""
    greys = image.astype(np.float64)
    greys -= low
    greys /= high - low
    return greys.astype(np.float32)


def _smoothed(greys: NDArray[np.float32]) -> NDArray[np.float32]:
    import cv2

    return np.asarray(cv2.medianBlur(greys, DISC_PX), dtype=np.float32)


def _blocks(image: Image) -> Iterator[tuple[slice, Image, slice]]:
    """Give blocks of rows with a margin for the median filter: which rows, the block, which of its rows those are."""
    margin = DISC_PX // 2
    for top in range(0, image.shape[0], BLOCK_ROWS):
        end = min(top + BLOCK_ROWS, image.shape[0])
        first = max(0, top - margin)
        yield slice(top, end), image[first : end + margin], slice(top - first, end - first)


def _exceeds(image: Image, level: float) -> bool:
    """Return whether the smoothed image exceeds a level anywhere."""
    import cv2

    # The median of pixels exceeds a level where most pixels do.
    masks = ((block > level).astype(np.uint8) for _, block, _ in _blocks(image))
    return any(mask.any() and cv2.medianBlur(mask, DISC_PX).any() for mask in masks)


def _fit_shading(smooth: NDArray[np.float32]) -> Shading:
    """Fit uneven light to an image, less and less to what is brighter than it."""
    step = max(1, math.isqrt(smooth.size // FITTED_PX))
    levels = smooth[::step, ::step].astype(np.float64)
    y, x = (place.ravel() for place in np.meshgrid(*(np.linspace(0, 1, side) for side in levels.shape), indexing="ij"))
    levels = levels.ravel()
    terms = np.stack([np.ones_like(y), y, x, y**2, y * x, x**2], axis=1)
    kept = levels <= np.percentile(levels, 95)
    factors = np.zeros(6)
    for _ in range(FITS):
        fitted = terms[kept]
        factors = np.linalg.lstsq(fitted.T @ fitted, fitted.T @ levels[kept])[0]
        rest = levels - terms @ factors
        centre = np.median(rest[kept])
        kept = np.abs(rest - centre) <= max(4 * 1.4826 * float(np.median(np.abs(rest[kept] - centre))), 1e-9)
    return Shading(*factors)


def _components(
    image: Image, low: float, high: float, shading: Shading, threshold: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return greatest level and diameter, of a circle of its area, of each component with room for a disc.

    One that two blocks share is two.
    """
    import cv2

    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (DISC_PX, DISC_PX))
    rows, columns = np.linspace(0, 1, image.shape[0]), np.linspace(0, 1, image.shape[1])
    levels, areas = [np.zeros(0)], [np.zeros(0)]
    for which, block, inner in _blocks(image):
        smooth = _smoothed(_between(block, low, high))[inner]
        smooth -= shading.at(rows[which], columns)
        foreground = cv2.morphologyEx((smooth > threshold).astype(np.uint8), cv2.MORPH_OPEN, disc)
        count, labels, stats, _ = cv2.connectedComponentsWithStats(foreground)
        greatest = np.full(count, -np.inf)
        inside = foreground > 0
        np.maximum.at(greatest, labels[inside].astype(np.int64), smooth[inside])
        levels.append(greatest[1:])
        areas.append(stats[1:, cv2.CC_STAT_AREA].astype(np.float64))
    return np.concatenate(levels), 2 * np.sqrt(np.concatenate(areas) / math.pi)
