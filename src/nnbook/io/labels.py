"""Label images: whether an array of whole numbers is one, or a picture that only looks like it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from nnbook.io.compiled import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

APART: Final = 3.0
"""Components of one label whose boxes are further apart than this many typical diameters are of different nuclei."""

ALIKE: Final = 0.25
"""A component of at least this share of the label's largest one is a nucleus of its own, or half of a dividing one."""

SPREAD: Final = 3.0
"""Only a label whose box is longer than this many typical diameters is looked at more closely."""

ROWS_AT_ONCE: Final = 512
"""Rows that are sorted at once, since that takes several times their memory."""

BINARY: Final = (1, 255, 65_535)
"""Values that binary masks have for nuclei."""


def label_problem(labels: NDArray[Any]) -> str | None:
    """Say why an array is no label image, in which every nucleus has a number of its own and background is 0.

    Parameters
    ----------
    labels : numpy.ndarray
        Axes (y, x), whole numbers from 0.

    Returns
    -------
    str or None
        What is wrong and what to do, such as for a binary mask; None where nothing is. Fragments of a nucleus, and
        the two halves of a dividing one, may share a label.
    """
    corner = int(labels[0, 0])
    corners = {int(labels[y, x]) for y in (0, -1) for x in (0, -1)}
    inside = np.count_nonzero(labels == corner) if corners == {corner} != {0} else 0
    if labels.size / 2 < inside < labels.size:  # one nucleus alone may fill an image
        return f"its background is label {corner:,}; background is 0 in a mask, so set it to 0"
    numbers, compact = compact_labels(labels)
    area, box = _boxes(compact, len(numbers))
    found = np.flatnonzero(area[1:]) + 1
    if not found.size:
        return None
    only = int(numbers[found[0]])
    sides = np.maximum(box[:, 1] - box[:, 0], box[:, 3] - box[:, 2]) + 1
    if found.size == 1 and only in BINARY and _components(compact, found[0], box[found[0]], most=3):
        return (
            f"is a binary mask: all its nuclei have the value {only:,}; give each a number of its own, in Fiji by "
            "Analyze Particles with Count Masks, in Python by skimage.measure.label"
        )
    diameters = np.sqrt(area[found] * 4 / math.pi)
    typical = float(np.median(diameters))
    suspects = found[sides[found] > SPREAD * np.maximum(typical, 1)]
    repeated = [label for label in suspects if _is_repeated(compact, int(label), box[label])]
    if not repeated:
        return None
    example = f"label {int(numbers[repeated[0]]):,}"
    others = f" and {len(repeated) - 1:,} more labels are" if len(repeated) > 1 else " is"
    wrapped = "; numbers above 255 do not fit into 8 bits" if int(numbers[-1]) <= 255 and found.size > 200 else ""
    return f"{example}{others} on nuclei far apart{wrapped}; give each nucleus a number of its own"


def compact_labels(labels: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Give labels other numbers where a table up to the highest would be larger than the image.

    Parameters
    ----------
    labels : numpy.ndarray
        Axes (y, x), whole numbers from 0.

    Returns
    -------
    labels, numbers : numpy.ndarray
        The label of each number, with 0 for background; and the image of numbers, axes (y, x), int32. Where labels are
        not sparse, both are as they were.
    """
    highest = int(labels.max(initial=0))
    if highest <= labels.size:
        return np.arange(highest + 1), labels
    distinct = np.zeros(1, labels.dtype)
    for top in range(0, labels.shape[0], ROWS_AT_ONCE):
        distinct = np.union1d(distinct, labels[top : top + ROWS_AT_ONCE])
    numbers = np.empty(labels.shape, np.int32)
    for top in range(0, labels.shape[0], ROWS_AT_ONCE):
        numbers[top : top + ROWS_AT_ONCE] = np.searchsorted(distinct, labels[top : top + ROWS_AT_ONCE])
    return distinct, numbers


@compiled
def _boxes(labels: NDArray[Any], count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return each label's pixels, and the first and last row and column of its box."""
    area = np.zeros(count, np.int64)
    box = np.zeros((count, 4), np.int64)
    for y in range(labels.shape[0]):
        for x in range(labels.shape[1]):
            label = labels[y, x]
            if label == 0:
                continue
            if area[label] == 0:
                box[label, 0] = y
                box[label, 2] = x
                box[label, 3] = x
            area[label] += 1
            box[label, 1] = y
            box[label, 2] = min(box[label, 2], x)
            box[label, 3] = max(box[label, 3], x)
    return area, box


def _stats(labels: NDArray[Any], label: int, box: NDArray[np.int64]) -> NDArray[np.int32]:
    """Return left, top, width, height and area of a label's large components."""
    import cv2

    part = (labels[box[0] : box[1] + 1, box[2] : box[3] + 1] == label).astype(np.uint8)
    stats = cv2.connectedComponentsWithStats(part, connectivity=8)[2][1:]
    large: NDArray[np.int32] = stats[stats[:, 4] >= ALIKE * stats[:, 4].max()]
    return large


def _components(labels: NDArray[Any], label: int, box: NDArray[np.int64], *, most: int) -> bool:
    """Return whether a label has so many large components that they are nuclei, or fewer that are apart."""
    return len(_stats(labels, label, box)) >= most or _is_repeated(labels, label, box)


def _is_repeated(labels: NDArray[Any], label: int, box: NDArray[np.int64]) -> bool:
    """Return whether two large components of a label are further apart than those of one nucleus are."""
    large = _stats(labels, label, box).astype(np.float64)
    if len(large) < 2:
        return False
    left, top, width, height, area = large.T
    diameter = math.sqrt(float(area.max()) * 4 / math.pi)
    gap_x = np.maximum(left[:, None] - (left + width)[None], left[None] - (left + width)[:, None])
    gap_y = np.maximum(top[:, None] - (top + height)[None], top[None] - (top + height)[:, None])
    gaps = np.hypot(np.maximum(gap_x, 0), np.maximum(gap_y, 0))
    return bool(gaps.max() > APART * diameter)
