"""Cutting nuclei out of a panorama: each centred, turned, and nothing but the nucleus.

A cell image has 256 x 256 px of 8 bits. Its nucleus is centred and turned so that the minimum-area rectangle of its
outline has its long side across and its brighter half to the right; everything outside the mask is zero.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from nnbook.errors import NnbookError
from nnbook.io.compiled import compiled
from nnbook.values import published

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nnbook.io.images import Labels, NarrowLabels

CELL_PX: Final = published.CELL_IMAGE_PX
THUMBNAIL_PX: Final = 64
CENTRE: Final = (CELL_PX - 1) / 2
"""The centre of the frame, in px from that of its first pixel."""

MOST_SMOOTHING: Final = 1 / 5
"""Standard deviation of the smoothing of outlines as a share of the nucleus's radius, at most: it is the square root of
that radius in px. Rounding to whole px leaves straight runs, along rows and columns above all, whose length grows with
that root."""

BOXES: Final = np.array([1, 3, 6, 10, 15, 18, 19, 18, 15, 10, 6, 3, 1], np.float32)
"""A box of 5 three times over: nearly a normal distribution. Sums of whole numbers are the same on every machine."""

BOXES_SD: Final = math.sqrt(6)

LOST: Final = 0.2
"""Where less than this share of a nucleus's pixel is left by smoothing, it is of a part too small for it."""


class Cut(NamedTuple):
    """Cell images of some nuclei.

    Attributes
    ----------
    fits : numpy.ndarray
        A bool a nucleus: whether it fits into the frame. Only those that do have an image.
    images : numpy.ndarray
        Axes (cell, y, x), (n, 256, 256), uint8.
    orientations_deg : numpy.ndarray
        By how much each cell's nucleus was turned: degrees from -180 to 180, anticlockwise as seen.
    elongations : numpy.ndarray
        The long side of each one's minimum-area rectangle over the short one, at least 1.
    """

    fits: NDArray[np.bool_]
    images: NDArray[np.uint8]
    orientations_deg: NDArray[np.float64]
    elongations: NDArray[np.float64]


def extract_cells(
    image: NDArray[np.uint8],
    labels: Labels | NarrowLabels,
    rois: NDArray[np.int64],
    boxes: NDArray[np.int64],
    *,
    zoom: int = 1,
) -> Cut:
    """Cut nuclei out of a panorama.

    Parameters
    ----------
    image : numpy.ndarray
        Axes (y, x), uint8: the panorama.
    labels : Labels or NarrowLabels
        Axes (y, x), the same shape: its mask.
    rois : numpy.ndarray
        The nuclei's labels, int64.
    boxes : numpy.ndarray
        Axes (nucleus, side), int64: left, top, width and height in px of each one's bounding box, as
        `nnbook.measurement.rois.measure_panorama` gives them.
    zoom : int, optional
        How many times larger than in the panorama nuclei are in the images.

    Returns
    -------
    Cut

    Raises
    ------
    NnbookError
        Where a box is not that of the label's pixels.

    Notes
    -----
    The minimum-area rectangle is that of an outline between pixels: the contour at one half of the mask smoothed, see
    `MOST_SMOOTHING`. Parts too small for that, such as micronuclei and thin ends, count with the centres of their
    pixels. That of the mask's pixels themselves has one side in five exactly along rows or columns, where rounding to
    whole pixels makes any outline straight.

    Rotated about the rectangle's centre, its long side is across; where both sides are equal, the smaller rotation is
    taken. Of the two orientations with the long side across, the one with more brightness to the right of the
    rectangle's centre is taken, so that the same nucleus gives the same image whatever its orientation in the panorama.

    A pixel of the cell image is inside where the panorama's pixel nearest to its place has the nucleus's label; it then
    has the panorama's grey level there, by linear interpolation between the four pixels around it. All others are 0. A
    nucleus turned by quarter turns, or not at all, is moved by up to half a pixel so that it is copied as it is.
    """
    points, starts, sums = _outlines(image, labels, rois, boxes)
    if (misplaced := np.flatnonzero(~_fill_boxes(points, starts, boxes))).size:
        roi = rois[misplaced[0]]
        raise NnbookError(f"nucleus {roi} of the mask is not where it was measured; run 'nnbook measure' again")
    corners = np.empty((len(rois), 4, 2), np.float32)
    for nucleus, (first, end) in enumerate(pairwise(starts.tolist())):
        corners[nucleus] = _rectangle(labels, rois[nucleus], boxes[nucleus], points[first:end], sums[nucleus, 3])
    return Cut(
        *_rotated(image, labels, rois, boxes, points, starts, sums[:, :3], corners.astype(np.float64), float(zoom))
    )


def orientation_and_elongation(cell: NDArray[np.uint8], mask: NDArray[np.bool_]) -> tuple[float, float]:
    """Return by how much the nucleus of a cell image would be turned if it were cut out of it, and how long it is.

    Parameters
    ----------
    cell : numpy.ndarray
        Axes (y, x), uint8.
    mask : numpy.ndarray
        The same shape: what is the nucleus. At least one pixel is.

    Returns
    -------
    orientation_deg : float
        Degrees from -180 to 180, anticlockwise as seen: see `extract_cells`.
    elongation : float
        The long side of its minimum-area rectangle over the short one.
    """
    labels, roi = mask.astype(np.uint16), np.ones(1, np.int64)
    boxes = np.array([[0, 0, mask.shape[1], mask.shape[0]]], np.int64)
    points, _, sums = _outlines(cell, labels, roi, boxes)
    corners = _rectangle(labels, 1, boxes[0], points, sums[0, 3]).astype(np.float64)
    turn, _, _ = _turn(corners, sums[0, :3])
    return math.degrees(turn), _elongation(corners)


def _rectangle(
    labels: Labels | NarrowLabels, roi: int, box: NDArray[np.int64], points: NDArray[np.float32], area: float
) -> NDArray[np.float32]:
    """Return the corners (corner, axis) of a nucleus's minimum-area rectangle, from the corner of its box."""
    import cv2

    radius = math.sqrt(area / math.pi)
    block = max(1, round(min(math.sqrt(radius), MOST_SMOOTHING * radius) / BOXES_SD))
    outline = _smooth_outline(labels, roi, box, points, block)
    return np.asarray(cv2.boxPoints(cv2.minAreaRect(outline)), np.float32)


@compiled
def _outlines(
    image: NDArray[np.uint8], labels: Labels | NarrowLabels, rois: NDArray[np.int64], boxes: NDArray[np.int64]
) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.float64]]:
    """Return the first and last pixel of each row of nuclei as (x, y), one nucleus after the other; where each begins.

    Then the sums of each one's grey, grey x, grey y and pixels. All from the corner of its box.
    """
    points = np.empty((2 * boxes[:, 3].sum(), 2), np.float32)
    starts = np.zeros(len(rois) + 1, np.int64)
    sums = np.zeros((len(rois), 4))
    count = 0
    for nucleus in range(len(rois)):
        label = labels.dtype.type(rois[nucleus])
        left, top, width, height = boxes[nucleus]
        within = 0 <= left <= labels.shape[1] - width and 0 <= top <= labels.shape[0] - height
        for y in range(height if within else 0):
            row, levels = labels[top + y], image[top + y]
            # Unsigned indices are not checked for being negative: a quarter of the time.
            first, end = np.uint64(left), np.uint64(left + width)
            while first < end and row[first] != label:
                first += np.uint64(1)
            if first == end:
                continue
            last = end - np.uint64(1)
            while row[last] != label:
                last -= np.uint64(1)
            total, moment, along, area = np.int64(0), np.int64(0), np.int64(0), np.int64(0)
            for x in range(first, last + np.uint64(1)):
                inside = np.int64(row[x] == label)
                level = np.int64(levels[x]) * inside
                area += inside
                total += level
                moment += level * along
                along += 1
            begin = np.int64(first) - left
            sums[nucleus, 0] += total
            sums[nucleus, 1] += moment + total * begin
            sums[nucleus, 2] += total * y
            sums[nucleus, 3] += area
            points[count, 0], points[count, 1] = begin, y
            points[count + 1, 0], points[count + 1, 1] = np.int64(last) - left, y
            count += 2
        starts[nucleus + 1] = count
    return points[:count], starts, sums


@compiled
def _fill_boxes(points: NDArray[np.float32], starts: NDArray[np.int64], boxes: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return of each nucleus whether its outline touches all four sides of its box."""
    fill = np.zeros(len(boxes), np.bool_)
    for nucleus in range(len(boxes)):
        first, end = starts[nucleus], starts[nucleus + 1]
        if first < end:
            x, y = points[first:end, 0], points[first:end, 1]
            right, bottom = boxes[nucleus, 2] - 1, boxes[nucleus, 3] - 1
            fill[nucleus] = x.min() == 0 and x.max() == right and y[0] == 0 and y[-1] == bottom
    return fill


@compiled
def _smooth_outline(
    labels: Labels | NarrowLabels, roi: int, box: NDArray[np.int64], points: NDArray[np.float32], block: int
) -> NDArray[np.float32]:
    """Return points (x, y) from the corner of a nucleus's box that have its smoothed outline as their convex hull.

    The mask is counted in square blocks, and the counts are smoothed by `BOXES`. Points are where they fall below one
    half, by linear interpolation: the first and the last in each row and each column. Then `points`, the ends of the
    mask's rows, where smoothing left too little.
    """
    smooth = _smooth(_block_counts(labels, roi, box, block))
    margin = len(BOXES) // 2 + 1
    full = float(block * block * BOXES.sum() ** 2)
    height, width = smooth.shape
    outline = np.empty((2 * (height + width) + len(points), 2), np.float32)
    count = 0
    first = (block - 1) / 2 - margin * block
    for axis in range(2):
        across = smooth if axis == 0 else smooth.T
        for line in range(across.shape[0]):
            levels = across[line]
            begin, end = 1, levels.size - 2
            while begin <= end and 2 * levels[begin] < full:
                begin += 1
            if begin > end:
                continue
            while 2 * levels[end] < full:
                end -= 1
            for inner, outer in ((begin, begin - 1), (end, end + 1)):
                part = (levels[inner] - full / 2) / (levels[inner] - levels[outer])
                outline[count, axis] = first + block * (inner + (outer - inner) * part)
                outline[count, 1 - axis] = first + block * line
                count += 1
    for x, y in points:
        if smooth[int(y) // block + margin, int(x) // block + margin] < LOST * full:
            outline[count] = x, y
            count += 1
    return outline[:count]


@compiled
def _block_counts(labels: Labels | NarrowLabels, roi: int, box: NDArray[np.int64], block: int) -> NDArray[np.float32]:
    """Return how many pixels of a nucleus each block of its box has, with a margin of empty ones for the smoothing."""
    label = labels.dtype.type(roi)
    left, top, width, height = box
    margin = len(BOXES) // 2 + 1
    counts = np.zeros((-(-height // block) + 2 * margin, -(-width // block) + 2 * margin), np.float32)
    for row in range(-(-height // block)):
        for y in range(top + row * block, top + min(height, (row + 1) * block)):
            line = labels[y]
            for column in range(-(-width // block)):
                begin, end = np.uint64(left + column * block), np.uint64(left + min(width, (column + 1) * block))
                inside = 0
                for x in range(begin, end):
                    inside += line[x] == label
                counts[row + margin, column + margin] += inside
    return counts


@compiled
def _smooth(counts: NDArray[np.float32]) -> NDArray[np.float32]:
    """Smooth counts that have a margin by `BOXES`, along columns and along rows."""
    reach = len(BOXES) // 2
    for _ in range(2):
        out = np.zeros_like(counts)
        for y in range(len(counts)):
            line = out[y]
            for other in range(max(0, y - reach), min(len(counts), y + reach + 1)):
                weight, levels = BOXES[other - y + reach], counts[other]
                for x in range(line.size):
                    line[x] += weight * levels[x]
        counts = np.ascontiguousarray(out.T)
    return counts


@compiled
def _rotated(  # noqa: PLR0917 - compiled functions take no keywords
    image: NDArray[np.uint8],
    labels: Labels | NarrowLabels,
    rois: NDArray[np.int64],
    boxes: NDArray[np.int64],
    points: NDArray[np.float32],
    starts: NDArray[np.int64],
    grey: NDArray[np.float64],
    corners: NDArray[np.float64],
    zoom: float,
) -> tuple[NDArray[np.bool_], NDArray[np.uint8], NDArray[np.float64], NDArray[np.float64]]:
    """Return what `Cut` has, from outlines and from the corners of minimum-area rectangles (nucleus, corner, axis)."""
    fits = np.zeros(len(rois), np.bool_)
    images = np.zeros((len(rois), CELL_PX, CELL_PX), np.uint8)
    orientations, elongations = np.empty(len(rois)), np.empty(len(rois))
    count = 0
    for nucleus in range(len(rois)):
        turn, cos, sin = _turn(corners[nucleus], grey[nucleus])
        x, y = corners[nucleus, :, 0].sum() / 4, corners[nucleus, :, 1].sum() / 4
        if abs(cos * sin) < 1e-6:
            x, y = math.floor(round(x, 2)) + 0.5, math.floor(round(y, 2)) + 0.5
        along, sideways = _reach(points[starts[nucleus] : starts[nucleus + 1]], (x, y), (cos, sin))
        reach = (along * zoom, sideways * zoom)
        if max(reach) > CENTRE + 1e-3:
            continue
        centre = (boxes[nucleus, 0] + x, boxes[nucleus, 1] + y)
        _fill(images[count], image, labels, rois[nucleus], centre, (cos / zoom, sin / zoom), reach)
        orientations[count] = math.degrees(turn)
        elongations[count] = _elongation(corners[nucleus])
        fits[nucleus] = True
        count += 1
    return fits, images[:count], orientations[:count], elongations[:count]


@compiled
def _elongation(corners: NDArray[np.float64]) -> float:
    """Return the long side of a rectangle (corner, axis) over the short one, which counts as a pixel at least."""
    one = math.hypot(corners[1, 0] - corners[0, 0], corners[1, 1] - corners[0, 1])
    other = math.hypot(corners[2, 0] - corners[1, 0], corners[2, 1] - corners[1, 1])
    return max(one, other, 1.0) / max(min(one, other), 1.0)


@compiled
def _turn(corners: NDArray[np.float64], grey: NDArray[np.float64]) -> tuple[float, float, float]:
    """Return the direction along a long side that has more brightness ahead: in radians, its cosine and its sine."""
    turn = _long_side(corners)
    x, y = corners[:, 0].sum() / 4, corners[:, 1].sum() / 4
    cos, sin = math.cos(turn), math.sin(turn)
    total, along, down = grey
    if (along - total * x) * cos + (down - total * y) * sin < -1e-3 * total:
        turn -= math.copysign(math.pi, turn)
        cos, sin = -cos, -sin
    return turn, cos, sin


@compiled
def _long_side(corners: NDArray[np.float64]) -> float:
    """Return the direction of a rectangle's long side in radians, from -pi/2 to pi/2; clockwise, as y is down."""
    lengths, turns = np.empty(2), np.empty(2)
    for side in range(2):
        x, y = corners[side + 1] - corners[side]
        lengths[side] = math.hypot(x, y)
        turns[side] = math.atan2(y, x)
        if abs(turns[side]) > math.pi / 2:
            turns[side] -= math.copysign(math.pi, turns[side])
    if lengths.max() < 1e-3:
        return 0.0
    if abs(lengths[0] - lengths[1]) < 1e-3:
        return float(turns[np.argmin(np.abs(turns))])
    return float(turns[np.argmax(lengths)])


@compiled
def _reach(
    points: NDArray[np.float32], centre: tuple[float, float], across: tuple[float, float]
) -> tuple[float, float]:
    """Return how far points are from a centre at most, along a direction and perpendicular to it."""
    along, sideways = 0.0, 0.0
    for x, y in points:
        x_off, y_off = x - centre[0], y - centre[1]
        along = max(along, abs(x_off * across[0] + y_off * across[1]))
        sideways = max(sideways, abs(y_off * across[0] - x_off * across[1]))
    return along, sideways


@compiled
def _fill(  # noqa: PLR0917 - compiled functions take no keywords
    cell: NDArray[np.uint8],
    image: NDArray[np.uint8],
    labels: Labels | NarrowLabels,
    roi: int,
    centre: tuple[float, float],
    across: tuple[float, float],
    reach: tuple[float, float],
) -> None:
    """Fill a frame whose centre is at (x, y) of the panorama, and whose rows run by (x, y) from pixel to pixel.

    All of the nucleus is within `reach` of the centre, in px of the frame along rows and columns. Places are whole
    numbers of 2^-24 px and weights of 2^-15: faster than floating point, and the same on every machine.
    """
    label = labels.dtype.type(roi)
    height, width = labels.shape
    columns, rows = min(CENTRE, math.floor(reach[0] + 1) + 0.5), min(CENTRE, math.floor(reach[1] + 1) + 0.5)
    step_x, step_y = round(across[0] * 2**24), round(across[1] * 2**24)
    for i in range(int(CENTRE - rows), int(CENTRE + rows) + 1):
        x = round((centre[0] - columns * across[0] - (i - CENTRE) * across[1]) * 2**24)
        y = round((centre[1] - columns * across[1] + (i - CENTRE) * across[0]) * 2**24)
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


@compiled
def thumbnails_of(cells: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return thumbnails of cell images, axes (cell, y, x): the rounded means of squares of pixels."""
    step = CELL_PX // THUMBNAIL_PX
    small = np.empty((len(cells), THUMBNAIL_PX, THUMBNAIL_PX), np.uint8)
    for cell in range(len(cells)):
        for i in range(THUMBNAIL_PX):
            for j in range(THUMBNAIL_PX):
                total = 0
                for y in range(step):
                    for x in range(step):
                        total += cells[cell, i * step + y, j * step + x]
                small[cell, i, j] = (total + step * step // 2) // (step * step)
    return small
