"""Blind spots: pixels that are hidden from the network and that it has to predict from those around them.

Noise2Void (Krull et al. 2019, doi:10.1109/CVPR.2019.00223) hides single pixels of noisy patches. Where noise is
independent from pixel to pixel and has a mean of 0, what can be predicted of a hidden pixel is its signal. The values
that hide pixels are medians of their surroundings, as in N2V2 (Höck et al. 2022, doi:10.1007/978-3-031-25069-9_33).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

WINDOW_PX: Final = 2
"""The surroundings of a pixel reach so many px in each direction."""

CELL_PX: Final = 6
"""One pixel is hidden in each square of this side: 2.8 % of all."""

Places = tuple["NDArray[np.intp]", "NDArray[np.intp]", "NDArray[np.intp]"]
"""Patch, row and column of each hidden pixel."""


def draw_blind_spots(shape: tuple[int, int, int], rng: Generator) -> Places:
    """Draw which pixels are hidden: one a square of `CELL_PX`, so far apart that none is in another's surroundings.

    None is so near the edge that its surroundings would be cut off.

    Parameters
    ----------
    shape : (int, int, int)
        How many patches, their height and their width.
    rng : Generator
        The stream to draw from.

    Returns
    -------
    Places
        Patch, row and column of each, so that `patches[places]` are their values.
    """
    count, height, width = shape
    rows, columns = ((side - 2 * WINDOW_PX) // CELL_PX for side in (height, width))
    within = rng.integers(CELL_PX - WINDOW_PX, size=(2, count, rows, columns))
    row = within[0] + WINDOW_PX + CELL_PX * np.arange(rows)[:, np.newaxis]
    column = within[1] + WINDOW_PX + CELL_PX * np.arange(columns)
    patch = np.broadcast_to(np.arange(count)[:, np.newaxis, np.newaxis], row.shape)
    return patch.ravel().astype(np.intp), row.ravel().astype(np.intp), column.ravel().astype(np.intp)


def hide(patches: NDArray[np.float32], places: Places) -> NDArray[np.float32]:
    """Replace pixels by the median of their surroundings without themselves.

    Parameters
    ----------
    patches : float32, axes (patch, y, x)
        Noisy grey levels.
    places : Places
        Which pixels: see `draw_blind_spots`.

    Returns
    -------
    float32, axes (patch, y, x)
        A copy in which nothing depends on the values that were at these places.
    """
    side = 2 * WINDOW_PX + 1
    patch, row, column = places
    offset_y, offset_x = np.divmod(np.delete(np.arange(side * side), side * side // 2), side)
    offset_y, offset_x = offset_y - WINDOW_PX, offset_x - WINDOW_PX
    around = patches[patch[:, np.newaxis], row[:, np.newaxis] + offset_y, column[:, np.newaxis] + offset_x]
    hidden = patches.copy()
    hidden[places] = np.median(around, axis=1)
    return hidden


def draw_patches(images: list[NDArray[np.float32]], rng: Generator, count: int, side_px: int) -> NDArray[np.float32]:
    """Cut patches out of images anywhere, turned by quarters and mirrored; each image is drawn from by its area.

    Parameters
    ----------
    images : list of float32, axes (y, x)
        At least as large as a patch.
    rng : Generator
        The stream to draw from.
    count, side_px : int
        How many, and their side.

    Returns
    -------
    float32, axes (patch, y, x)
    """
    areas = np.array([image.size for image in images], dtype=np.float64)
    patches = np.empty((count, side_px, side_px), np.float32)
    for patch, number in zip(patches, rng.choice(len(images), count, p=areas / areas.sum()), strict=True):
        image = images[number]
        y, x = (int(rng.integers(side - side_px + 1)) for side in image.shape)
        turned = np.rot90(image[y : y + side_px, x : x + side_px], int(rng.integers(4)))
        patch[:] = turned[:, ::-1] if rng.random() < 0.5 else turned
    return patches
