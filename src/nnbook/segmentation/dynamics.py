"""From flows to masks: Cellpose's dynamics, a nucleus at a time.

The method is that of Cellpose 3 (Stringer et al. 2021, doi:10.1038/s41592-020-01018-x; `cellpose.dynamics`): pixels
follow the flow, those that end together are a mask, and masks whose own flow differs from the network's are dropped.
Here every loop is compiled and works on one pixel or one mask, so that the time grows with the area of the nuclei and
no mask depends on those far from it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numba import prange

from nnbook.io.compiled import compiled, compiled_parallel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nnbook.io.images import Labels

ITERATIONS: Final = 200
"""Steps along the flow, as in Cellpose."""

LARGEST_SHARE: Final = 0.4
"""Masks over this share of the image are dropped, as in Cellpose."""

SEED_RADIUS_PX: Final = 2
SEED_PX: Final = 10
SINK_RADIUS_PX: Final = 5
SINK_PX: Final = 2
"""A pixel where more than 10 pixels end, and no fewer than anywhere within 2 px, is the seed of a mask. To the mask
belong those that end within 5 px of it, connected to it by pixels where more than 2 end. As in Cellpose."""


def follow_flows(flow: NDArray[np.float32], inside: NDArray[np.bool_]) -> Labels:
    """Give pixels that end together one label.

    Parameters
    ----------
    flow : float32, axes (component, y, x)
        Step in px, y and x.
    inside : bool, axes (y, x)
        Pixels of nuclei. Only they move, and only by the flow of pixels inside.

    Returns
    -------
    Labels
        Axes (y, x); numbered upwards by how many pixels end at the seed.
    """
    places = np.argwhere(inside).astype(np.int32)
    steps = np.ascontiguousarray(np.moveaxis(flow * inside, 0, 2))
    ends = _follow(steps, places, ITERATIONS)
    labels = np.zeros(inside.shape, dtype=np.int32)
    if not len(ends):
        return labels
    height, width = inside.shape
    counts = np.bincount(ends[:, 0].astype(np.int64) * width + ends[:, 1], minlength=height * width)
    counts = counts.reshape(inside.shape).astype(np.int32)
    seeds = _seeds(counts)
    # Where masks meet, the one with the most pixels at its seed gets them: it is drawn last.
    seeds = seeds[np.argsort(counts[seeds[:, 0], seeds[:, 1]], kind="stable")]
    sinks = _sinks(counts, seeds)
    labels[inside] = sinks[ends[:, 0], ends[:, 1]]
    areas = np.bincount(labels.ravel())
    areas[0] = 0
    if (large := areas > labels.size * LARGEST_SHARE).any():
        labels[large[labels]] = 0
    return labels


def flow_errors(labels: Labels, flow: NDArray[np.float32]) -> NDArray[np.float64]:
    """Compare the flow in each mask with the one that follows from its shape.

    Parameters
    ----------
    labels : Labels
        Axes (y, x).
    flow : float32, axes (component, y, x)
        Flow of unit length, y and x.

    Returns
    -------
    float64, axis (label)
        Mean squared difference of the vectors, for labels 0 to the highest; 0 for labels that no pixel has.
    """
    return np.asarray(_errors(labels, _boxes(labels, int(labels.max(initial=0))), masks_to_flows(labels), flow))


def masks_to_flows(labels: Labels) -> NDArray[np.float32]:
    """Return the flow that leads to the centre of each mask, which the network is to learn.

    It is the direction from which heat comes that spreads from the mask's centre, for twice as many steps as the mask
    is high and wide together.

    Parameters
    ----------
    labels : Labels
        Axes (y, x), each label in one component; one without the label's centre has no flow.

    Returns
    -------
    float32, axes (component, y, x)
        Unit vectors, y and x; 0 outside masks.
    """
    heat = np.zeros((labels.shape[0] + 2, labels.shape[1] + 2))
    _heat(labels, _boxes(labels, int(labels.max(initial=0))), heat)
    return np.asarray(_uphill(labels, heat))


def fill_holes(labels: Labels) -> None:
    """Give background that one mask encloses (by its pixels' sides and corners) to that mask, in place."""
    _fill_holes(labels, _boxes(labels, int(labels.max(initial=0))))


@compiled_parallel
def _follow(steps: Any, places: Any, iterations: int) -> Any:
    height, width = steps.shape[:2]
    ends = np.empty_like(places)
    for k in prange(len(places)):
        y, x = np.float32(places[k, 0]), np.float32(places[k, 1])
        for _ in range(iterations):
            top, left = int(y), int(x)
            v, u = y - np.float32(top), x - np.float32(left)
            bottom, right = min(height - 1, top + 1), min(width - 1, left + 1)
            one = np.float32(1)
            a, b, c, d = (one - v) * (one - u), (one - v) * u, v * (one - u), v * u
            to_y = y + (
                steps[top, left, 0] * a
                + steps[top, right, 0] * b
                + steps[bottom, left, 0] * c
                + steps[bottom, right, 0] * d
            )
            to_x = x + (
                steps[top, left, 1] * a
                + steps[top, right, 1] * b
                + steps[bottom, left, 1] * c
                + steps[bottom, right, 1] * d
            )
            to_y = min(np.float32(height - 1), max(np.float32(0), to_y))
            to_x = min(np.float32(width - 1), max(np.float32(0), to_x))
            if to_y == y and to_x == x:
                break
            y, x = to_y, to_x
        ends[k, 0], ends[k, 1] = int(y), int(x)
    return ends


@compiled
def _seeds(counts: Any) -> Any:
    height, width = counts.shape
    found = []
    for y in range(height):
        for x in range(width):
            count = counts[y, x]
            if count <= SEED_PX:
                continue
            near = counts[
                max(0, y - SEED_RADIUS_PX) : y + SEED_RADIUS_PX + 1, max(0, x - SEED_RADIUS_PX) : x + SEED_RADIUS_PX + 1
            ]
            if near.max() == count:
                found.append((y, x))
    seeds = np.empty((len(found), 2), dtype=np.int64)
    for k in range(len(found)):
        seeds[k, 0], seeds[k, 1] = found[k]
    return seeds


@compiled
def _sinks(counts: Any, seeds: Any) -> Any:
    """Label the pixels where those of each mask end."""
    height, width = counts.shape
    sinks = np.zeros((height, width), dtype=np.int32)
    side = 2 * SINK_RADIUS_PX + 1
    for k in range(len(seeds)):
        y, x = seeds[k]
        reached = np.zeros((side + 2, side + 2), dtype=np.bool_)
        reached[SINK_RADIUS_PX + 1, SINK_RADIUS_PX + 1] = True
        for _ in range(SINK_RADIUS_PX):
            before = reached.copy()
            for i in range(side):
                for j in range(side):
                    row, column = y + i - SINK_RADIUS_PX, x + j - SINK_RADIUS_PX
                    if 0 <= row < height and 0 <= column < width and counts[row, column] > SINK_PX:
                        reached[i + 1, j + 1] = before[i : i + 3, j : j + 3].any()
        for i in range(side):
            for j in range(side):
                if reached[i + 1, j + 1]:
                    sinks[y + i - SINK_RADIUS_PX, x + j - SINK_RADIUS_PX] = k + 1
    return sinks


@compiled
def _boxes(labels: Any, count: int) -> Any:
    """Return top, bottom, left and right of each label, bottom and right exclusive; bottom 0 for one without pixels."""
    boxes = np.zeros((count + 1, 4), dtype=np.int64)
    for y in range(labels.shape[0]):
        for x in range(labels.shape[1]):
            label = labels[y, x]
            if label > 0:
                box = boxes[label]
                if box[1] == 0:
                    box[0], box[2] = y, x
                box[1] = y + 1
                box[2], box[3] = min(box[2], x), max(box[3], x + 1)
    return boxes


@compiled_parallel
def _heat(labels: Any, boxes: Any, heat: Any) -> None:
    """Spread heat in each mask from the pixel nearest its centroid; `heat` has a margin of one pixel."""
    for label in prange(1, len(boxes)):
        top, bottom, left, right = boxes[label]
        if bottom == 0:
            continue
        inside = np.zeros((bottom - top + 2, right - left + 2), dtype=np.bool_)
        inside[1:-1, 1:-1] = labels[top:bottom, left:right] == label
        one = _spread(inside, 2 * (inside.shape[0] + inside.shape[1] - 2))
        for y in range(inside.shape[0]):
            for x in range(inside.shape[1]):
                if inside[y, x]:
                    heat[top + y, left + x] = one[y, x]


@compiled
def _spread(inside: Any, steps: int) -> Any:
    ys, xs = np.nonzero(inside)
    centre = np.argmin((xs - xs.mean()) ** 2 + (ys - ys.mean()) ** 2)
    share = inside / 9
    heat = np.zeros(inside.shape)
    across = np.zeros(inside.shape)
    for _ in range(steps):
        heat[ys[centre], xs[centre]] += 1
        for y in range(1, inside.shape[0] - 1):
            for x in range(1, inside.shape[1] - 1):
                across[y, x] = heat[y, x - 1] + heat[y, x] + heat[y, x + 1]
        for y in range(1, inside.shape[0] - 1):
            for x in range(1, inside.shape[1] - 1):
                heat[y, x] = (across[y - 1, x] + across[y, x] + across[y + 1, x]) * share[y, x]
    return heat


@compiled
def _uphill(labels: Any, heat: Any) -> Any:
    flow = np.zeros((2, *labels.shape), dtype=np.float32)
    for y in range(labels.shape[0]):
        for x in range(labels.shape[1]):
            if labels[y, x] > 0:
                down = heat[y + 2, x + 1] - heat[y, x + 1]
                across = heat[y + 1, x + 2] - heat[y + 1, x]
                length = 1e-60 + np.sqrt(down * down + across * across)
                flow[0, y, x], flow[1, y, x] = down / length, across / length
    return flow


@compiled_parallel
def _errors(labels: Any, boxes: Any, own: Any, flow: Any) -> Any:
    errors = np.zeros(len(boxes))
    for label in prange(1, len(boxes)):
        top, bottom, left, right = boxes[label]
        area, total = 0, 0.0
        for y in range(top, bottom):
            for x in range(left, right):
                if labels[y, x] == label:
                    total += (own[0, y, x] - flow[0, y, x]) ** 2 + (own[1, y, x] - flow[1, y, x]) ** 2
                    area += 1
        if area:
            errors[label] = total / area
    return errors


@compiled
def _fill_holes(labels: Any, boxes: Any) -> None:
    for label in range(1, len(boxes)):
        top, bottom, left, right = boxes[label]
        height, width = bottom - top, right - left
        if height < 3 or width < 3:
            continue
        # A flood fill of all that is not the mask, from a margin around the box; what it does not reach is enclosed.
        outside = np.zeros((height + 2, width + 2), dtype=np.bool_)
        stack = [(0, 0)]
        outside[0, 0] = True
        while stack:
            y, x = stack.pop()
            for v, u in ((y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)):
                if not (0 <= v < height + 2 and 0 <= u < width + 2) or outside[v, u]:
                    continue
                within = 1 <= v <= height and 1 <= u <= width
                if within and labels[top + v - 1, left + u - 1] == label:
                    continue
                outside[v, u] = True
                stack.append((v, u))
        for y in range(height):
            for x in range(width):
                if not outside[y + 1, x + 1] and labels[top + y, left + x] == 0:
                    labels[top + y, left + x] = label
