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
    has the panorama's grey level there, by linear interpolation between the four pixels around it. All others are 0. A
    nucleus turned by quarter turns, or not at all, is moved by up to half a pixel so that it is copied as it is.
    """
    import cv2

    inside = 0 <= box.left <= labels.shape[1] - box.width and 0 <= box.top <= labels.shape[0] - box.height
    points, grey = _outline(image, labels, roi, box if inside else Box(0, 0, 0, 0))
    if not _fills(points, box):
        raise NnbookError(f"nucleus {roi} of the mask is not where it was measured; run 'nnbook measure' again")
    corners = cv2.boxPoints(cv2.minAreaRect(points)).tolist()
    turn = _long_side(corners)
    x, y = (sum(corner[axis] for corner in corners) / 4 for axis in (0, 1))
    cos, sin = math.cos(turn), math.sin(turn)
    if (grey[1] - grey[0] * x) * cos + (grey[2] - grey[0] * y) * sin < -1e-3 * grey[0]:
        turn -= math.copysign(math.pi, turn)
        cos, sin = -cos, -sin
    if abs(cos * sin) < 1e-6:
        x, y = (math.floor(round(at, 2)) + 0.5 for at in (x, y))
    reach = _reach(points, (x, y), (cos, sin))
    if max(reach) > CENTRE + 1e-3:
        return None
    return Cell(_turned(image, labels, roi, (box.left + x, box.top + y), (cos, sin), reach), math.degrees(turn))


def _long_side(corners: list[list[float]]) -> float:
    """Return the direction of a rectangle's long side in radians, from -pi/2 to pi/2; clockwise, as y is down."""
    sides = [(corners[1][0] - corners[0][0], corners[1][1] - corners[0][1])]
    sides.append((corners[2][0] - corners[1][0], corners[2][1] - corners[1][1]))
    lengths = [math.hypot(*side) for side in sides]
    turns = [math.remainder(math.atan2(y, x), math.pi) for x, y in sides]
    if max(lengths) < 1e-3:
        return 0.0
    if abs(lengths[0] - lengths[1]) < 1e-3:
        return min(turns, key=abs)
    return turns[lengths.index(max(lengths))]


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _outline(
    image: NDArray[np.uint8], labels: Labels, roi: int, box: Box
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Return the first and last pixel of each row of a nucleus as (x, y), and the sums of its grey, grey x and grey y.

    All from the corner of its box.
    """
    points = np.empty((2 * box.height, 2), np.float32)
    grey = np.zeros(3)
    count, label = 0, np.int32(roi)
    for y in range(box.height):
        row, levels = labels[box.top + y], image[box.top + y]
        # Unsigned places need no look at whether they are negative: a quarter of the time.
        first, end = np.uint64(box.left), np.uint64(box.left + box.width)
        while first < end and row[first] != label:
            first += np.uint64(1)
        if first == end:
            continue
        last = end - np.uint64(1)
        while row[last] != label:
            last -= np.uint64(1)
        total, moment, along = np.int64(0), np.int64(0), np.int64(0)
        for x in range(first, last + np.uint64(1)):
            level = np.int64(levels[x]) * np.int64(row[x] == label)
            total += level
            moment += level * along
            along += 1
        begin = np.int64(first) - box.left
        grey[0] += total
        grey[1] += moment + total * begin
        grey[2] += total * y
        points[count, 0], points[count, 1] = begin, y
        points[count + 1, 0], points[count + 1, 1] = np.int64(last) - box.left, y
        count += 2
    return points[:count], grey


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _fills(points: NDArray[np.float32], box: Box) -> bool:
    """Return whether an outline touches all four sides of its box."""
    if not len(points):
        return False
    left, right = points[:, 0].min(), points[:, 0].max()
    top, bottom = points[0, 1], points[-1, 1]
    return bool(left == 0 and top == 0 and right == box.width - 1 and bottom == box.height - 1)


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _reach(
    points: NDArray[np.float32], middle: tuple[float, float], across: tuple[float, float]
) -> tuple[float, float]:
    """Return how far points lie from a middle at most, along a direction and square to it."""
    along, aside = 0.0, 0.0
    for x, y in points:
        x_off, y_off = x - middle[0], y - middle[1]
        along = max(along, abs(x_off * across[0] + y_off * across[1]))
        aside = max(aside, abs(y_off * across[0] - x_off * across[1]))
    return along, aside


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _turned(  # noqa: PLR0917 - compiled functions take no keywords
    image: NDArray[np.uint8],
    labels: Labels,
    roi: int,
    middle: tuple[float, float],
    across: tuple[float, float],
    reach: tuple[float, float],
) -> NDArray[np.uint8]:
    """Fill a frame whose middle lies at (x, y) of the panorama, and whose rows run in a direction (x, y).

    All of the nucleus lies within `reach` of the middle, along rows and along columns. Places are whole numbers of
    2^-24 px and weights of 2^-15: faster than floating point, and the same on every machine.
    """
    label = labels.dtype.type(roi)
    height, width = labels.shape
    cell = np.zeros((CELL_PX, CELL_PX), np.uint8)
    columns, rows = min(CENTRE, math.floor(reach[0] + 1) + 0.5), min(CENTRE, math.floor(reach[1] + 1) + 0.5)
    step_x, step_y = round(across[0] * 2**24), round(across[1] * 2**24)
    for i in range(int(CENTRE - rows), int(CENTRE + rows) + 1):
        x = round((middle[0] - columns * across[0] - (i - CENTRE) * across[1]) * 2**24)
        y = round((middle[1] - columns * across[1] + (i - CENTRE) * across[0]) * 2**24)
        for j in range(int(CENTRE - columns), int(CENTRE + columns) + 1):
            # As unsigned numbers, places before the first pixel are far beyond the last.
            near_x, near_y = np.uint64((x + 2**23) >> 24), np.uint64((y + 2**23) >> 24)
            if near_x < np.uint64(width) and near_y < np.uint64(height) and labels[near_y, near_x] == label:
                left, top = max(x >> 24, 0), max(y >> 24, 0)
                x0, x1 = np.uint64(left), np.uint64(min(left + 1, width - 1))
                y0, y1 = np.uint64(top), np.uint64(min(top + 1, height - 1))
                right, below = (x >> 9) & 0x7FFF, (y >> 9) & 0x7FFF
                upper = (np.int64(image[y0, x0]) << 15) + right * (np.int64(image[y0, x1]) - np.int64(image[y0, x0]))
                lower = (np.int64(image[y1, x0]) << 15) + right * (np.int64(image[y1, x1]) - np.int64(image[y1, x0]))
                cell[i, j] = np.uint8(((upper << 15) + below * (lower - upper) + (1 << 29)) >> 30)
            x += step_x
            y += step_y
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
