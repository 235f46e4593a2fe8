"""Convolution, pooling and the receptive field: what the first figures of the primer show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from nnbook.primer.live import Live

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from nnbook.primer.crops import Crop

EDGES: Final = ((-1.0, 0.0, 1.0), (-2.0, 0.0, 2.0), (-1.0, 0.0, 1.0))
"""A kernel whose sum is high where grey levels rise from left to right (Sobel's)."""


def convolve(image: NDArray[np.generic], kernel: Sequence[Sequence[float]]) -> NDArray[np.float64]:
    """Convolve an image as networks do: the kernel is not turned.

    Parameters
    ----------
    image : numpy.ndarray
        Axes (y, x), any numbers.
    kernel : sequence of sequence of float
        Three rows of three weights.

    Returns
    -------
    numpy.ndarray
        Axes (y, x), of the image's shape: the weighted sum of the nine pixels around each. Beyond the edge everything
        counts as 0.
    """
    padded = np.pad(np.asarray(image, np.float64), 1)
    height, width = image.shape
    result = np.zeros(image.shape)
    for dy, weights in enumerate(kernel):
        for dx, weight in enumerate(weights):
            result += weight * padded[dy : dy + height, dx : dx + width]
    return result


def pool(image: NDArray[np.generic]) -> NDArray[np.generic]:
    """Return the brightest pixel of each block of 2 x 2, axes (y, x); a row or column left over is dropped."""
    height, width = (side - side % 2 for side in image.shape)
    return np.asarray(image[:height, :width].reshape(height // 2, 2, width // 2, 2).max(axis=(1, 3)))


def convolution(crop: Crop) -> Live:
    """Return what the figure of a convolution shows.

    Parameters
    ----------
    crop : Crop
        One nucleus.

    Returns
    -------
    Live
        `image`, axes (y, x), and the pixel at which the kernel is at first: `x` and `y`, on the left border of the
        nucleus in the middle.
    """
    return _live("convolution", crop)


def pooling(crop: Crop) -> Live:
    """Return what the figure of pooling shows: as that of a convolution, and `px_per_um`."""
    return _live("pooling", crop)


def _live(figure: str, crop: Crop) -> Live:
    height, width = crop.true.shape
    y = height // 2
    row = crop.true[y]
    x = int(np.flatnonzero(row == row[width // 2])[0])
    facts = {"panorama": crop.panorama, "px_per_um": crop.px_per_um, "x": x, "y": y}
    return Live(figure, {"image": crop.image}, facts)
