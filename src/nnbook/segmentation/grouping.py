"""Nuclei of several components: mitotic pairs, and micronuclei, which a network separates from their nucleus or misses.

NucleusNet counts the two chromosome masses of an anaphase or telophase as one nucleus, and a micronucleus with the
nucleus beside it. A network learns what one component looks like. Which components belong together is decided
afterwards, by the rules of this module, at the network's scale. All sizes are shares of the diameter, or of the area,
of a nucleus as the network expects it.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nnbook.io.images import Labels

PAIRED_AREA: Final = (0.03, 0.4)
"""Least and most area of a mask that may be half of a pair: smaller ones are specks, larger ones nuclei."""

PAIRED_DISTANCE: Final = 1.25
"""Most distance between the centres of two halves."""

LIKE_AREA: Final = 0.25
LIKE_GREY: Final = 0.6
"""The smaller and the dimmer half have at least these shares of the other's area, and of its grey over background: part
of one may be out of focus, as in the published telophase, whose halves differ by a factor of 3.5 in area."""

LEAST_IN_TWO: Final = 0.9
"""The two largest bright parts of a mask that covers both halves hold at least this share of what is bright in it."""

BRIGHTEST: Final = 95.0
"""Percentile of grey levels that is taken for the brightest: single pixels are noise."""

MICRONUCLEUS_AREA: Final = 1 / 9
"""Most area of a micronucleus: a third of the nucleus's diameter, as in the usual criteria (Fenech 2007,
doi:10.1038/nprot.2007.77)."""

MICRONUCLEUS_DISTANCE: Final = 0.3
"""Most distance from the edge of its nucleus to the peak of a micronucleus."""

MICRONUCLEUS_GREY: Final = (0.2, 1.2)
"""Least and most height of a micronucleus's peak over its surroundings, as a share of its nucleus's grey over
background. What is brighter is debris: a component so small is thin, and blurred by the optics, so its peak is barely
brighter than a nucleus is on average."""

MOST_COVERED: Final = 0.75
"""Most of a micronucleus that its nucleus's own mask may cover: more is a bulge of the nucleus."""

LEAST_SIGNAL: Final = 3.5
"""Least height of that peak in standard deviations of the background."""

NORMAL_DEVIATION: Final = 0.6744897501960817
"""The median absolute deviation of a normal distribution whose standard deviation is 1."""


def join_components(labels: Labels, grey: NDArray[np.float32], diameter_px: float) -> list[int]:
    """Give components of one nucleus one label, in place: `join_pairs`, then `join_micronuclei`.

    Parameters
    ----------
    labels : Labels
        Axes (y, x): masks of one component each.
    grey : float32, axes (y, x)
        The image, of the same size.
    diameter_px : float
        Diameter of a nucleus at this scale.

    Returns
    -------
    list of int
        The labels of pairs.
    """
    if not labels.any():
        return []
    pairs = join_pairs(labels, grey, diameter_px)
    join_micronuclei(labels, grey, diameter_px)
    return pairs


def join_pairs(labels: Labels, grey: NDArray[np.float32], diameter_px: float) -> list[int]:
    """Join the two halves of an anaphase or telophase, in place.

    Two small masks are halves of one nucleus where their centres are within `PAIRED_DISTANCE`, with no third mask
    between them, and what is bright in them, at least half as bright as the brightest, is alike in area and in grey and
    not longer along the line between them than across it: chromosomes are pulled apart as two plates that face each
    other. A mask with several such partners is joined to the nearest. The second half may also be a component beside
    the mask that has none of its own, or the mask covers both halves and what is dark between them, which it then
    loses. Masks at the image's edge are left as they are, since their shape isn't known.

    Parameters
    ----------
    labels, grey, diameter_px
        See `join_components`.

    Returns
    -------
    list of int
        The labels of pairs.
    """
    from scipy.ndimage import find_objects
    from scipy.spatial import KDTree

    areas = np.bincount(labels.ravel())
    areas[labels_at_edge(labels)] = 0
    nucleus = math.pi / 4 * diameter_px**2
    small = np.flatnonzero((areas >= PAIRED_AREA[0] * nucleus) & (areas <= 2 * PAIRED_AREA[1] * nucleus))
    if not len(small):
        return []
    joined: list[int] = []
    boxes = find_objects(labels)
    background = background_level(labels, grey)[0]
    for label in small:
        box = boxes[label - 1]
        parts = _two_parts(labels[box] == label, grey[box] - background)
        if parts is not None:
            labels[box][(labels[box] == label) & ~parts] = 0
            joined.append(int(label))
    single = np.setdiff1d(small[areas[small] <= PAIRED_AREA[1] * nucleus], joined)
    if not len(single):
        return joined
    centres = np.array([_centre(labels, label, boxes[label - 1]) for label in single])
    near = KDTree(centres).query_pairs(PAIRED_DISTANCE * diameter_px, output_type="ndarray")
    order = np.argsort(np.hypot(*(centres[near[:, 0]] - centres[near[:, 1]]).T), kind="stable")
    free = np.ones(len(single), np.bool_)
    for one, other in near[order]:
        if free[one] and free[other]:
            pair = int(single[one]), int(single[other])
            box = _around(boxes[pair[0] - 1], boxes[pair[1] - 1])
            if _are_halves(labels[box], grey[box] - background, pair):
                labels[box][labels[box] == pair[1]] = pair[0]
                free[[one, other]] = False
                joined.append(pair[0])
    reach = math.ceil(1.5 * PAIRED_DISTANCE * diameter_px)
    for label, (y, x) in zip(single[free].tolist(), centres[free], strict=True):
        box = np.s_[max(0, int(y) - reach) : int(y) + reach + 1, max(0, int(x) - reach) : int(x) + reach + 1]
        half = _unmasked_half(labels[box], grey[box] - background, label, diameter_px)
        if half is not None:
            labels[box][half] = label
            joined.append(label)
    return joined


def _two_parts(mask: NDArray[np.bool_], grey: NDArray[np.float32]) -> NDArray[np.bool_] | None:
    """Return what is bright in a mask that covers both halves of a pair; None for another mask."""
    import cv2

    bright = mask & (grey > np.percentile(grey[mask], BRIGHTEST) / 2)
    _, parts, stats, _ = cv2.connectedComponentsWithStats(bright.astype(np.uint8), connectivity=8)
    largest = 1 + np.argsort(-stats[1:, cv2.CC_STAT_AREA], kind="stable")[:2]
    if len(largest) < 2 or stats[largest, cv2.CC_STAT_AREA].sum() < LEAST_IN_TWO * bright.sum():
        return None
    halves = np.isin(parts, largest)
    pair = int(largest[0]), int(largest[1])
    return halves if _are_halves(np.where(halves, parts, 0), grey, pair) else None


def _unmasked_half(
    labels: Labels, grey: NDArray[np.float32], label: int, diameter_px: float
) -> NDArray[np.bool_] | None:
    """Return the component without a mask that is the other half of a mask; None where there is none."""
    import cv2

    mask = labels == label
    half_of_brightest = np.percentile(grey[mask], BRIGHTEST) / 2
    bright = (labels == 0) & (grey > half_of_brightest)
    count, parts, stats, centres = cv2.connectedComponentsWithStats(bright.astype(np.uint8), connectivity=4)
    height, width = labels.shape
    at = np.argwhere(mask).mean(axis=0)
    distances = np.hypot(*(centres[:, ::-1] - at).T)
    found: tuple[float, NDArray[np.bool_]] | None = None
    for part in range(1, count):
        left, top, across, down, area = stats[part]
        cut = left == 0 or top == 0 or left + across == width or top + down == height
        too_small = area < PAIRED_AREA[0] / 2 * math.pi / 4 * diameter_px**2
        if cut or too_small or distances[part] > PAIRED_DISTANCE * diameter_px:
            continue
        both = np.where(parts == part, label + 1, np.where(mask, label, np.where(labels > 0, label + 2, 0)))
        if _are_halves(both, grey, (label, label + 1)) and (found is None or distances[part] < found[0]):
            found = float(distances[part]), parts == part
    return None if found is None else found[1]


def join_micronuclei(labels: Labels, grey: NDArray[np.float32], diameter_px: float) -> None:
    """Give micronuclei the label of their nucleus, in place: small masks beside it, and components without a mask.

    A component is found as a peak outside the other masks, or just inside of one that covers a part of it. Its height
    over its surroundings is that of the image over the image's opening by a disk as wide as the largest micronucleus;
    its pixels are those of at least half that height.

    Parameters
    ----------
    labels, grey, diameter_px
        See `join_components`.
    """
    import cv2

    largest = MICRONUCLEUS_AREA * math.pi / 4 * diameter_px**2
    areas = np.bincount(labels.ravel())
    tiny = (areas <= largest) & (areas > 0)
    tiny[labels_at_edge(labels)] = False
    nuclei = np.where(tiny[labels], 0, labels)
    if not nuclei.any():
        return
    distance, nearest = _nearest_label(nuclei)
    background, noise = background_level(labels, grey)
    smooth = cv2.GaussianBlur(grey, (0, 0), 0.8)
    radius = math.ceil(math.sqrt(largest / math.pi)) + 2
    disk = (np.hypot(*np.mgrid[-radius : radius + 1, -radius : radius + 1]) <= radius).astype(np.uint8)
    base = cv2.morphologyEx(smooth, cv2.MORPH_OPEN, disk)
    height = smooth - base
    level = _means(nuclei, grey, len(areas)) - background
    share = height / np.maximum(level[nearest], np.float32(1e-6))
    around = np.ones((5, 5), np.uint8)
    peaks = (
        (smooth == cv2.dilate(smooth, around))
        & (cv2.dilate((nuclei == 0).astype(np.uint8), around) > 0)
        & (distance <= MICRONUCLEUS_DISTANCE * diameter_px)
        & (share >= MICRONUCLEUS_GREY[0])
        & (share <= MICRONUCLEUS_GREY[1])
        & (height >= LEAST_SIGNAL * noise)
    )
    half_side = 2 * radius
    numbers = np.arange(len(areas), dtype=labels.dtype)
    for y, x in np.argwhere(peaks):
        nucleus = nearest[y, x]
        box = np.s_[max(0, y - half_side) : y + half_side + 1, max(0, x - half_side) : x + half_side + 1]
        bright = smooth[box] >= base[y, x] + height[y, x] / 2
        if nuclei[y, x] == 0:
            bright &= nuclei[box] == 0
        _, components = cv2.connectedComponents(bright.astype(np.uint8), connectivity=4)
        component = components == components[y - box[0].start, x - box[1].start]
        area = np.count_nonzero(component)
        covered = np.count_nonzero(component & (nuclei[box] > 0))
        if area <= largest and covered <= MOST_COVERED * area:
            rim = cv2.dilate(component.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
            labels[box][rim & (labels[box] == 0)] = nucleus
            if tiny[labels[y, x]]:
                numbers[labels[y, x]] = nucleus  # where the component has a mask of its own
    labels[...] = numbers[labels]


def labels_at_edge(labels: Labels) -> NDArray[np.int32]:
    """Return the labels of the image's outermost pixels: the size and the shape of these nuclei aren't known."""
    return np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])


def _are_halves(labels: Labels, grey: NDArray[np.float32], pair: tuple[int, int]) -> bool:
    """Return whether what is bright in two masks is alike, faces each other, and has no third mask between."""
    masks = [labels == label for label in pair]
    half_of_brightest = np.percentile(grey[masks[0] | masks[1]], BRIGHTEST) / 2
    halves = [mask & (grey > half_of_brightest) for mask in masks]
    areas = sorted(int(half.sum()) for half in halves)
    if areas[0] < max(3, LIKE_AREA * areas[1]):
        return False
    greys = sorted(float(grey[half].mean()) for half in halves)
    if greys[0] < LIKE_GREY * greys[1]:
        return False
    places = [np.argwhere(half) for half in halves]
    centres = [place.mean(axis=0) for place in places]
    line = centres[1] - centres[0]
    along = line / np.hypot(*line)
    across = np.array([-along[1], along[0]])
    if any((place @ along).var() > (place @ across).var() for place in places):
        return False
    steps = np.rint(centres[0] + np.linspace(0, 1, 2 * math.ceil(np.hypot(*line)))[:, None] * line).astype(int)
    return bool(np.isin(labels[steps[:, 0], steps[:, 1]], (0, *pair)).all())


def _centre(labels: Labels, label: int, box: tuple[slice, slice]) -> tuple[float, float]:
    ys, xs = np.nonzero(labels[box] == label)
    return box[0].start + ys.mean(), box[1].start + xs.mean()


def _around(one: tuple[slice, slice], other: tuple[slice, slice]) -> tuple[slice, ...]:
    return tuple(slice(min(a.start, b.start), max(a.stop, b.stop)) for a, b in zip(one, other, strict=True))


def background_level(labels: Labels, grey: NDArray[np.float32]) -> tuple[np.float32, np.float32]:
    """Return the median of what no mask covers, and its standard deviation, from the median absolute deviation."""
    outside = grey[labels == 0]
    if not outside.size:
        return np.float32(0), np.float32(0)
    median = np.median(outside)
    return median, np.float32(np.median(np.abs(outside - median)) / NORMAL_DEVIATION)


def _nearest_label(labels: Labels) -> tuple[NDArray[np.float32], Labels]:
    """Return for each pixel the distance to the nearest mask in px, and its label."""
    import cv2

    inside = labels > 0
    distance, place = cv2.distanceTransformWithLabels(
        (~inside).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    label_of = np.zeros(int(place.max()) + 1, labels.dtype)
    label_of[place[inside]] = labels[inside]
    return np.asarray(distance, np.float32), label_of[place]


def _means(labels: Labels, grey: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    """Return the mean grey level of each label."""
    sums = np.bincount(labels.ravel(), grey.ravel(), minlength=count)
    return np.asarray(sums / np.maximum(np.bincount(labels.ravel(), minlength=count), 1), np.float32)
