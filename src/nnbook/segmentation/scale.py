"""An image at the network's scale: grey levels between percentiles, antialiased resizing."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numba import prange

from nnbook.io.compiled import compiled_parallel
from nnbook.segmentation.sparse import sparse_level

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nnbook.io.images import Image

PERCENTILES: Final = (1.0, 99.0)
"""Grey levels that become 0 and 1, as in Cellpose."""

SAMPLED_PX: Final = 2_000_000
"""Percentiles are taken from about this many pixels on a regular grid: 1 in 75 of a full panorama."""

PLAIN_RANGE: Final = 2.0
"""An image whose brightest pixel is within so many times the percentiles' range has no nuclei far above it."""


def grey_range(image: Image) -> tuple[float, float]:
    """Return the grey levels that are to become 0 and 1: the 1st and the 99th percentile.

    Nuclei that cover less than about a hundredth of the image are far above the 99th percentile, which then is noise:
    the level that becomes 1 is theirs (`sparse_level`). Where the two percentiles are equal because all but a few
    pixels are, and those are no nuclei, it is the least and the greatest level.

    Parameters
    ----------
    image : Image
        Axes (y, x), any grey levels.

    Returns
    -------
    low, high : float
        Equal only for an image that is the same everywhere.
    """
    step = max(1, math.isqrt(image.size // SAMPLED_PX))
    low, high = (float(level) for level in np.percentile(image[::step, ::step], PERCENTILES))
    least, most = float(image.min()), float(image.max())
    if most - low > PLAIN_RANGE * (high - low) and (level := sparse_level(image)) is not None and level > high:
        return low, level
    return (low, high) if low < high else (least, most)


def rescale(image: Image, shape: tuple[int, int], low: float = 0.0, high: float = 1.0) -> NDArray[np.float32]:
    """Bring an image to another size, and its grey levels `low` and `high` to 0 and 1.

    Every new pixel is the mean of the old ones weighted by a triangle: two new pixels wide where the image shrinks (so
    noise averages out and nothing aliases), two old ones where it grows (linear interpolation). Pixels beyond the edge
    have no weight.

    Parameters
    ----------
    image : Image
        Axes (y, x), any grey levels.
    shape : (int, int)
        New height and width in px.
    low, high : float
        Grey levels that become 0 and 1.

    Returns
    -------
    float32, axes (y, x)
        Not clipped: pixels below `low` are negative.
    """
    rows, row_weights = _weights(image.shape[0], shape[0])
    columns, column_weights = _weights(image.shape[1], shape[1])
    out = np.empty(shape, dtype=np.float32)
    span = high - low if high > low else 1.0
    # Few types for numba to compile for, all in this machine's byte order.
    kind = image.dtype.newbyteorder("=")
    if kind not in (np.uint8, np.uint16, np.float32):
        kind = np.dtype(np.float64)
    image = np.ascontiguousarray(image, dtype=kind)
    _resample(image, rows, row_weights, columns, column_weights, low, 1 / span, out)
    return out


def _weights(old: int, new: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return for each new pixel the first old one that has weight, and the weights of that one and the next ones."""
    step = old / new
    half_width = max(step, 1.0)
    centres = (np.arange(new) + 0.5) * step - 0.5
    taps = min(old, 2 * math.ceil(half_width) + 1)
    first = np.clip(np.ceil(centres - half_width).astype(np.int64), 0, old - taps)
    places = first[:, None] + np.arange(taps)
    weights = np.maximum(0.0, 1 - np.abs(places - centres[:, None]) / half_width)
    weights /= weights.sum(axis=1, keepdims=True)
    return first, weights.astype(np.float32)


@compiled_parallel
def _resample(  # noqa: PLR0917 - numba takes no keyword-only arguments
    image: Any, rows: Any, row_weights: Any, columns: Any, column_weights: Any, low: float, gain: float, out: Any
) -> None:
    """Weight rows, then columns. Every new row is computed on its own, so the number of threads changes nothing."""
    for y in prange(out.shape[0]):
        line = np.zeros(image.shape[1], dtype=np.float32)
        for tap in range(row_weights.shape[1]):
            weight = row_weights[y, tap]
            if weight > 0:
                source = image[rows[y] + tap]
                for x in range(line.size):
                    line[x] += weight * np.float32(source[x] - low)
        for x in range(out.shape[1]):
            total = np.float32(0)
            for tap in range(column_weights.shape[1]):
                total += column_weights[x, tap] * line[columns[x] + tap]
            out[y, x] = total * np.float32(gain)
