"""Cutting one nucleus out of a panorama: centred, turned, and nothing but the nucleus.

A cell image has 256 x 256 px of 8 bits. Its nucleus is centred and turned so that its mask's minimum-area rectangle
lies with the long side across and the brighter half to the right; everything outside the mask is zero.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, NamedTuple

import numba
import numpy as np

from nnbook import published
from nnbook.errors import NnbookError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nnbook.images import Labels

CELL_PX: Final = published.CELL_IMAGE_PX
THUMBNAIL_PX: Final = 64
CENTRE: Final = (CELL_PX - 1) / 2
"""The frame's middle, in px from the centre of its first pixel."""


class Box(NamedTuple):
    """A nucleus's bounding box in px: see `nnbook.measure.measure_panorama`."""

    left: int
    top: int
    width: int
    height: int


class Cell(NamedTuple):
    """A cell image, and by how much its nucleus was turned.

    Attributes
    ----------
    image : numpy.ndarray
        Axes (y, x), (256, 256), uint8.
    orientation_deg : float
        Degrees from -180 to 180, anticlockwise as seen.
    """

    image: NDArray[np.uint8]
    orientation_deg: float


def cut_cell(image: NDArray[np.uint8], labels: Labels, roi: int, box: Box) -> Cell | None:
    """Cut one nucleus out of a panorama.

    Parameters
    ----------
    image : numpy.ndarray
        Axes (y, x), uint8: the panorama.
    labels : Labels
        Axes (y, x), the same shape: its mask.
    roi : int
        The nucleus's label.
    box : Box
        Its bounding box.

    Returns
    -------
    Cell or None
        None where the nucleus doesn't fit into the frame.

    Raises
    ------
    NnbookError
        Where this is not the box of the label's pixels.

    Notes
    -----
    The minimum-area rectangle is that of the centres of the mask's pixels. Turned about its middle, its long side lies
    across; where both sides are equal, the smaller turn is taken. Of the two ways to lie across, the nucleus takes the
    one with more of its brightness to the right of the rectangle's middle, so that the same nucleus gives the same
    image however it lay.

    A pixel of the cell image is inside where the panorama's pixel nearest to its place has the nucleus's label; it then
    has the panorama's grey level there, by linear interpolation between the four pixels around it. All others are 0.
    The middle is moved by up to half a pixel so that a nucleus that is not turned, or by quarter turns, is copied as it
    is.
    """
    import cv2

    inside = 0 <= box.left <= labels.shape[1] - box.width and 0 <= box.top <= labels.shape[0] - box.height
    points, grey = _outline(image, labels, roi, box if inside else Box(0, 0, 0, 0))
    if not len(points) or (*points.min(axis=0), *points.max(axis=0)) != (0, 0, box.width - 1, box.height - 1):
        raise NnbookError(f"nucleus {roi} of the mask is not where it was measured; run 'nnbook measure' again")
    corners = cv2.boxPoints(cv2.minAreaRect(points)).astype(np.float64)
    turn = _long_side(corners)
    middle = np.floor(np.round(corners.mean(axis=0), 2)) + 0.5
    across, down = np.array([math.cos(turn), math.sin(turn)]), np.array([-math.sin(turn), math.cos(turn)])
    if (grey[1:] - grey[0] * middle) @ across < 0:
        turn -= math.copysign(math.pi, turn)
        across, down = -across, -down
    offsets = points - middle
    reach = max(np.abs(offsets @ across).max(), np.abs(offsets @ down).max())
    if reach > CENTRE + 1e-3:
        return None
    cell = _turned(image, labels, roi, (box.left + middle[0], box.top + middle[1]), (across[0], across[1]))
    return Cell(cell, math.degrees(turn))


def _long_side(corners: NDArray[np.float64]) -> float:
    """Return the direction of a rectangle's long side in radians, from above -pi/2 to pi/2; clockwise, as y is down."""
    sides = np.array([corners[1] - corners[0], corners[2] - corners[1]])
    lengths = np.hypot(*sides.T)
    turns = [math.remainder(math.atan2(y, x), math.pi) for x, y in sides]
    if abs(lengths[0] - lengths[1]) < 1e-3:
        return 0.0 if lengths[0] < 1e-3 else min(turns, key=abs)
    return turns[int(lengths.argmax())]


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _outline(
    image: NDArray[np.uint8], labels: Labels, roi: int, box: Box
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Return the first and last pixel of each row of a nucleus as (x, y), and the sums of its grey, grey x and grey y.

    All from the corner of its box.
    """
    left, top, width, height = box
    points = np.empty((2 * height, 2), np.float32)
    grey = np.zeros(3, np.float64)
    count = 0
    for y in range(height):
        first, last = -1, -1
        for x in range(width):
            if labels[top + y, left + x] == roi:
                if first < 0:
                    first = x
                last = x
                value = np.float64(image[top + y, left + x])
                grey[0] += value
                grey[1] += value * x
                grey[2] += value * y
        if first >= 0:
            points[count, 0] = first
            points[count, 1] = y
            points[count + 1, 0] = last
            points[count + 1, 1] = y
            count += 2
    return points[:count], grey


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _turned(
    image: NDArray[np.uint8], labels: Labels, roi: int, middle: tuple[float, float], across: tuple[float, float]
) -> NDArray[np.uint8]:
    """Fill a frame whose middle lies at (x, y) of the panorama, and whose rows run in a direction (x, y)."""
    height, width = labels.shape
    cos, sin = across
    cell = np.zeros((CELL_PX, CELL_PX), np.uint8)
    for i in range(CELL_PX):
        for j in range(CELL_PX):
            at_x = middle[0] + (j - CENTRE) * cos - (i - CENTRE) * sin
            at_y = middle[1] + (j - CENTRE) * sin + (i - CENTRE) * cos
            near_x, near_y = math.floor(at_x + 0.5), math.floor(at_y + 0.5)
            if near_x < 0 or near_y < 0 or near_x >= width or near_y >= height or labels[near_y, near_x] != roi:
                continue
            x0, y0 = math.floor(at_x), math.floor(at_y)
            right, below = at_x - x0, at_y - y0
            x1, y1 = min(x0 + 1, width - 1), min(y0 + 1, height - 1)
            x0, y0 = max(x0, 0), max(y0, 0)
            upper = image[y0, x0] * (1 - right) + image[y0, x1] * right
            lower = image[y1, x0] * (1 - right) + image[y1, x1] * right
            cell[i, j] = np.uint8(upper * (1 - below) + lower * below + 0.5)
    return cell


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def thumbnail_of(cell: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the rounded means of squares of a cell image."""
    step = CELL_PX // THUMBNAIL_PX
    small = np.empty((THUMBNAIL_PX, THUMBNAIL_PX), np.uint8)
    for i in range(THUMBNAIL_PX):
        for j in range(THUMBNAIL_PX):
            total = 0
            for y in range(step):
                for x in range(step):
                    total += cell[i * step + y, j * step + x]
            small[i, j] = (total + step * step // 2) // (step * step)
    return small
