"""From the network's output to masks: dynamics, quality control, and outlines at full resolution."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
from numba import prange

from nnbook.io.compiled import compiled, compiled_parallel
from nnbook.segmentation.dynamics import fill_holes, flow_errors, follow_flows
from nnbook.segmentation.grouping import background_grey, join_components, labels_at_edge

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from nnbook.io.images import Labels
    from nnbook.segmentation.network import Output

MIN_AREA_PX: Final = 15
"""Smaller masks are dropped, at full resolution, as in Cellpose."""

LEAST_CONFIDENCE: Final = 1.5
"""A mask's mean cell probability exceeds the threshold by at least this, as a logit: less is debris, blur or noise."""

LEAST_SHARE: Final = 0.35
"""It also exceeds it by at least this share of what the image's median mask does: where nuclei are bright and sharp, a
mask of low confidence is more likely wrong. Chosen on DSB2018 and the twin. Masks that the image's edge cuts are kept:
the rim is the least certain part of a nucleus, and a sliver is all rim. So are pairs; of condensed chromatin less is
asked, since the network is less certain of it than of interphase."""

CONDENSED_AREA: Final = 0.5
CONDENSED_GREY: Final = 0.6
CONDENSED_ERROR: Final = 0.2
CONDENSED_CONFIDENCE: Final = 1.0
"""Condensed chromatin has at most this share of the area of the image's median mask, at least this share of its grey
over background, flows that differ by at most this from those that follow from its shape (it is compact, and debris is
ragged), and a confidence above the last value. Of the masks that these spare from `LEAST_SHARE`, 9 of 11 are right in
the training part of DSB2018, and 5 of 5 on the twin."""

CONFIDENCE: Final = (1.92, 0.514, -9.84, 0.45)
"""The confidence of a mask is a logistic function of: 1, by how much its mean cell probability exceeds the threshold,
as a logit, its flow error, and the binary logarithm of its area over that of the image's median mask where it is
smaller. Fitted on 16,314 masks of DSB2018's training part and 1,327 of the twin (seed 11), to whether a true nucleus
has an intersection over union of more than 0.5 with it."""

BORDER_SD_PX: Final = 0.9
"""Borders between masks that touch are smoothed by a Gaussian of this standard deviation, in px of the network: they
come in steps of its pixels, five at full resolution."""

KERNEL_PX: Final = 2
MOST_LABELS: Final = 8
"""Half the side of the Gaussian, and how many labels it may cover."""

_OFFSETS: Final = np.exp(-(np.arange(-KERNEL_PX, KERNEL_PX + 1) ** 2) / (2 * BORDER_SD_PX**2))
KERNEL: Final = np.outer(_OFFSETS, _OFFSETS).astype(np.float32)

UNSURE_SD_PX: Final = 0.8
"""What the network does not see as a nucleus, micronuclei above all, is blurred by this to get an outline."""


class ConfidentMasks(NamedTuple):
    """Masks at full resolution, how likely each is right, and where it is.

    Attributes
    ----------
    labels : Labels
        Axes (y, x), 1..N by first pixel.
    confidence : float64, axis (label)
        Of labels 1..N: the probability that a true nucleus has an intersection over union of more than 0.5 with it.
    boxes : int64, axes (label, value)
        Of labels 1..N: area in px, left, top, width and height in px.
    """

    labels: Labels
    confidence: NDArray[np.float64]
    boxes: NDArray[np.int64]


def full_masks(
    output: Output,
    shape: tuple[int, int],
    *,
    flow_threshold: float,
    cellprob_threshold: float,
    narrow: bool = False,
) -> ConfidentMasks:
    """Turn the network's output into the masks of an image of this height and width: see `segment_image`.

    Components of one nucleus have one label (`nnbook.segmentation.grouping`), and masks of low confidence are dropped
    (`drop_low_confidence`). With `narrow` labels are uint16 where there are few enough, as `write_mask` stores them:
    half the memory.
    """
    cellprob = output.channels[2]
    labels, errors = compute_masks(
        output.channels, flow_threshold=flow_threshold, cellprob_threshold=cellprob_threshold
    )
    pairs = join_components(labels, output.grey, output.diameter_px)
    count = int(labels.max())
    # Pairs of which the network sees neither half have no flow that could differ.
    errors = np.pad(errors, (0, max(0, count + 1 - len(errors))))
    drop_low_confidence(labels, cellprob, cellprob_threshold, pairs, condensed(labels, output.grey, errors))
    confidence = estimate_confidence(labels, cellprob, cellprob_threshold, errors)
    full = enlarge(labels, cellprob, cellprob_threshold, shape, narrow=narrow and count <= np.iinfo(np.uint16).max)
    numbers, boxes = _renumber(full, count, MIN_AREA_PX)
    kept = np.flatnonzero(numbers)
    return ConfidentMasks(full, confidence[kept[np.argsort(numbers[kept])]], boxes)


def estimate_confidence(
    labels: Labels, cellprob: NDArray[np.float32], threshold: float, errors: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return how likely each mask is right: see `CONFIDENCE`.

    Parameters
    ----------
    labels : Labels
        Axes (y, x).
    cellprob : float32, axes (y, x)
        Logit of the cell probability.
    threshold : float
        Its threshold.
    errors : float64, axis (label)
        From `flow_errors`.

    Returns
    -------
    float64, axis (label)
        For labels 0 to the highest of `errors`; 0 for labels that no pixel has.
    """
    areas = np.bincount(labels.ravel(), minlength=len(errors))
    sums = np.bincount(labels.ravel(), cellprob.ravel(), minlength=len(errors))
    result = np.zeros(len(errors))
    masks = 1 + np.flatnonzero(areas[1:])
    if masks.size:
        margin = sums[masks] / areas[masks] - threshold
        smaller = np.minimum(np.log2(areas[masks] / np.median(areas[masks])), 0)
        constant, by_margin, by_error, by_area = CONFIDENCE
        logit = constant + by_margin * margin + by_error * errors[masks] + by_area * smaller
        result[masks] = 1 / (1 + np.exp(-logit))
    return result


def compute_masks(
    output: NDArray[np.float32], *, flow_threshold: float, cellprob_threshold: float
) -> tuple[Labels, NDArray[np.float64]]:
    """Turn the network's output into masks, by Cellpose's dynamics at the scale of the output.

    Parameters
    ----------
    output : float32, axes (channel, y, x)
        See `run_network`.
    flow_threshold, cellprob_threshold : float
        See `segment_image`.

    Returns
    -------
    labels : Labels
        Axes (y, x). Holes are filled. Masks over 40 % of the image are dropped, as in Cellpose.
    errors : float64, axis (label)
        From `flow_errors`, before holes are filled; 0 for labels that no pixel has.
    """
    flow = output[:2] / 5
    labels = follow_flows(flow, output[2] > cellprob_threshold)
    errors = flow_errors(labels, flow)
    if flow_threshold > 0:
        wrong = errors > flow_threshold
        labels[wrong[labels]] = 0
        errors[wrong] = 0
    fill_holes(labels)
    return labels, errors


def condensed(labels: Labels, grey: NDArray[np.float32], errors: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the labels of small, bright, compact masks: metaphases, of which the network is less certain.

    Parameters
    ----------
    labels : Labels
        Axes (y, x).
    grey : float32, axes (y, x)
        The image, of the same size.
    errors : float64, axis (label)
        From `flow_errors`.
    """
    areas = np.bincount(labels.ravel(), minlength=len(errors))
    masks = 1 + np.flatnonzero(areas[1:])
    if not masks.size:
        return masks
    greys = np.bincount(labels.ravel(), grey.ravel(), minlength=len(errors)) / np.maximum(areas, 1)
    greys -= background_grey(labels, grey)
    small = areas <= CONDENSED_AREA * np.median(areas[masks])
    bright = greys >= CONDENSED_GREY * np.median(greys[masks])
    found: NDArray[np.intp] = masks[(small & bright & (errors <= CONDENSED_ERROR))[masks]]
    return found


def drop_low_confidence(
    labels: Labels,
    cellprob: NDArray[np.float32],
    threshold: float,
    pairs: Sequence[int] = (),
    condensed: Sequence[int] | NDArray[np.intp] = (),
) -> None:
    """Drop masks of low confidence, in place: see `LEAST_CONFIDENCE` and `LEAST_SHARE`.

    Parameters
    ----------
    labels : Labels
        Axes (y, x).
    cellprob : float32, axes (y, x)
        Logit of the cell probability.
    threshold : float
        Its threshold.
    pairs : sequence of int, optional
        Labels of dividing nuclei, which are kept: the network misses some, and two bright halves that face each other
        are hardly debris.
    condensed : sequence of int, optional
        Labels of condensed chromatin, which only has to exceed `CONDENSED_CONFIDENCE`.
    """
    areas = np.bincount(labels.ravel())
    sums = np.bincount(labels.ravel(), cellprob.ravel())
    confidence = sums / np.maximum(areas, 1) - threshold
    masks = 1 + np.flatnonzero(areas[1:])
    if not masks.size:
        return
    least = np.full(len(areas), max(LEAST_CONFIDENCE, LEAST_SHARE * float(np.median(confidence[masks]))))
    least[list(condensed)] = CONDENSED_CONFIDENCE
    dropped = confidence < least
    dropped[list(pairs)] = False
    dropped[labels_at_edge(labels)] = False
    labels[dropped[labels]] = 0


def enlarge(
    labels: Labels, cellprob: NDArray[np.float32], threshold: float, shape: tuple[int, int], *, narrow: bool = False
) -> Labels:
    """Bring masks up to full resolution with smooth outlines.

    Parameters
    ----------
    labels : Labels
        Axes (y, x), at the network's scale.
    cellprob : float32, axes (y, x)
        Logit of the cell probability, at the same scale.
    threshold : float
        Where nuclei end against the background: where the logit, interpolated linearly between the four nearest
        pixels, falls below it. Where they end against each other, the label counts that has most weight there, by a
        Gaussian of `BORDER_SD_PX`.
    shape : (int, int)
        Height and width at full resolution.
    narrow : bool
        Whether the result is uint16 instead of int32.

    Returns
    -------
    Labels
        Axes (y, x).
    """
    out: Any = np.empty(shape, dtype=np.uint16 if narrow else np.int32)
    logit = _with_unsure_pixels(labels, cellprob, threshold)
    rows, row_parts = _neighbours(labels.shape[0], shape[0])
    columns, column_parts = _neighbours(labels.shape[1], shape[1])
    # Pixels above the threshold but in no mask count among the four as -1, which becomes background.
    counted = np.where((labels == 0) & (logit > threshold), np.int32(-1), labels)
    borders = _borders(counted)
    _enlarge(counted, borders, logit, np.float32(threshold), rows, row_parts, columns, column_parts, KERNEL, out)
    return out  # type: ignore[no-any-return]


def _with_unsure_pixels(labels: Labels, cellprob: NDArray[np.float32], threshold: float) -> NDArray[np.float32]:
    """Return the logit, changed at pixels of masks that are below the threshold: filled holes, and micronuclei.

    The network says nothing about where these end, so their outline is that of their pixels, blurred.
    """
    import cv2

    unsure = (labels > 0) & (cellprob <= threshold)
    if not unsure.any():
        return cellprob
    near = cv2.dilate(unsure.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    blurred = cv2.GaussianBlur((labels > 0).astype(np.float32), (5, 5), UNSURE_SD_PX)
    level = np.float32(threshold) + 4 * (blurred - np.float32(0.4))
    inside = np.maximum(level, np.float32(threshold + 0.2))
    outside = np.minimum(level, np.float32(threshold - 0.2))
    changed = np.where(unsure, inside, np.where(near & (labels == 0) & (cellprob <= threshold), outside, cellprob))
    return np.asarray(changed, np.float32)


@compiled
def _borders(labels: Any) -> Any:
    """Return which squares of four pixels have pixels of different masks within the kernel's range."""
    height, width = labels.shape
    borders = np.zeros((height, width), dtype=np.bool_)
    for y in range(height):
        for x in range(width):
            label = labels[y, x]
            if label == 0:
                continue
            for v, u in (
                (y, min(x + 1, width - 1)),
                (min(y + 1, height - 1), x),
                (min(y + 1, height - 1), min(x + 1, width - 1)),
                (min(y + 1, height - 1), max(x - 1, 0)),
            ):
                other = labels[v, u]
                if other != 0 and other != label:  # noqa: PLR1714 - numba compares no tuple of two types
                    for i in range(max(0, y - KERNEL_PX - 1), min(height, y + KERNEL_PX + 2)):
                        for j in range(max(0, x - KERNEL_PX - 1), min(width, x + KERNEL_PX + 2)):
                            borders[i, j] = True
    return borders


def _neighbours(small: int, large: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return for each pixel at full resolution the network's pixel before its centre, and how far it is to the next."""
    places = np.clip((np.arange(large) + 0.5) * (small / large) - 0.5, 0, small - 1)
    first = np.minimum(places.astype(np.int64), max(0, small - 2))
    return first, (places - first).astype(np.float32)


@compiled_parallel
def _enlarge(  # noqa: PLR0917 - numba takes no keyword-only arguments
    labels: Any,
    borders: Any,
    logit: Any,
    threshold: Any,
    rows: Any,
    row_parts: Any,
    columns: Any,
    column_parts: Any,
    kernel: Any,
    out: Any,
) -> None:
    below, beside = min(1, labels.shape[0] - 1), min(1, labels.shape[1] - 1)
    for y in prange(out.shape[0]):
        top, v = rows[y], row_parts[y]
        bottom = top + below
        end = 0
        present = np.zeros(MOST_LABELS, dtype=np.int32)
        weights = np.zeros((MOST_LABELS, 4), dtype=np.float32)
        while end < out.shape[1]:
            # All pixels between the same four of the network's.
            start, left = end, columns[end]
            right = left + beside
            while end < out.shape[1] and columns[end] == left:
                end += 1
            a, b = labels[top, left], labels[top, right]
            c, d = labels[bottom, left], labels[bottom, right]
            one = max(a, b, c, d)
            several = borders[top, left] and one != 0
            if a == b and a == c and a == d and not several:
                out[y, start:end] = max(a, 0)
                continue
            # Beside background there is one mask, or pixels of none.
            present[0] = min(a, b, c, d) if one == 0 else one
            count = _weigh(labels, (top, left, bottom, right), kernel, present, weights) if several else 1
            for x in range(start, end):
                u = column_parts[x]
                wa, wb, wc, wd = (1 - u) * (1 - v), u * (1 - v), (1 - u) * v, u * v
                level = (
                    logit[top, left] * wa
                    + logit[top, right] * wb
                    + logit[bottom, left] * wc
                    + logit[bottom, right] * wd
                )
                if level <= threshold:
                    out[y, x] = 0
                    continue
                best, best_weight = present[0], np.float32(-1)
                for k in range(count):
                    weight = weights[k, 0] * wa + weights[k, 1] * wb + weights[k, 2] * wc + weights[k, 3] * wd
                    if weight > best_weight or (weight == best_weight and present[k] < best):
                        best, best_weight = present[k], weight
                out[y, x] = max(best, 0)


@compiled
def _weigh(labels: Any, corners: Any, kernel: Any, present: Any, weights: Any) -> int:
    """Weigh the labels around four pixels at each of them; return how many labels there are."""
    top, left, bottom, right = corners
    count = 0
    weights[:] = 0
    for corner in range(4):
        row = top if corner < 2 else bottom
        column = left if corner % 2 == 0 else right
        for i in range(-KERNEL_PX, KERNEL_PX + 1):
            for j in range(-KERNEL_PX, KERNEL_PX + 1):
                label = labels[min(max(row + i, 0), labels.shape[0] - 1), min(max(column + j, 0), labels.shape[1] - 1)]
                if label == 0:
                    continue
                k = 0
                while k < count and present[k] != label:
                    k += 1
                if k == count:
                    if count == MOST_LABELS:
                        continue
                    present[k] = label
                    count += 1
                weights[k, corner] += kernel[i + KERNEL_PX, j + KERNEL_PX]
    return count


@compiled
def _renumber(labels: Any, count: int, min_area: int) -> Any:
    """Drop masks of few pixels and number the others by their first pixel, in place.

    Return each label's new number, 0 for none, and of each new number from 1 area, left, top, width and height.
    """
    areas = np.zeros(count + 1, dtype=np.int64)
    for y in range(labels.shape[0]):
        for x in range(labels.shape[1]):
            areas[labels[y, x]] += 1
    numbers = np.zeros(count + 1, dtype=np.int32)
    boxes = np.zeros((count, 5), dtype=np.int64)
    last = 0
    for y in range(labels.shape[0]):
        for x in range(labels.shape[1]):
            label = labels[y, x]
            if label == 0:
                continue
            if areas[label] < min_area:
                labels[y, x] = 0
                continue
            if numbers[label] == 0:
                last += 1
                numbers[label] = last
                boxes[last - 1] = areas[label], x, y, x, y
            labels[y, x] = numbers[label]
            box = boxes[numbers[label] - 1]
            box[1], box[3], box[4] = min(box[1], x), max(box[3], x), y
    boxes = boxes[:last]
    boxes[:, 3] += 1 - boxes[:, 1]
    boxes[:, 4] += 1 - boxes[:, 2]
    return numbers, boxes
