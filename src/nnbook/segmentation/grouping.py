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
    from collections.abc import Sequence

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

BRIGHT: Final = (0.5, 0.25)
"""Bright in a pair is at least this share of the brightest. The second share is for a mask of both halves, of which one
is out of focus."""

LEAST_IN_TWO: Final = 0.9
"""The two largest bright parts of a mask that covers both halves hold at least this share of what is bright in it."""

DRAWN: Final = 0.25
"""A pair is drawn as what is at least this share of the brightest. Among 0.15 to 0.5, it has the greatest intersection
over union with the truth on the twin (seeds 5 and 11)."""

GROWN_PX: Final = 3
"""A half without a mask is at most so much larger than what is bright of it."""

PAIR_GREY: Final = 0.6
"""Halves have at least this share of the grey over background of the image's median mask: chromatin is condensed."""

UNMASKED_GREY: Final = (0.75, 0.9)
UNMASKED_LENGTH: Final = 1.5
"""Where neither half has a mask, components above the first of these shares are looked at. A half without a mask has at
least the second share, and two of them are longer across the line between them than along it by the last factor, the
geometric mean of both. Debris is dimmer, or round."""

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
    between them, and what is bright in them, at least half as bright as the brightest, is condensed, alike in area and
    in grey, and not longer along the line between them than across it: chromosomes are pulled apart as two plates that
    face each other. A mask with several such partners is joined to the nearest. One mask may also cover both halves,
    the second half may be a component beside the mask that has none of its own, or neither half has a mask. Masks at
    the image's edge are left as they are, since their shape isn't known.

    A pair is drawn as what is at least `DRAWN` times as bright as the brightest. What its mask covers besides belongs
    to it unless it is between the halves.

    Parameters
    ----------
    labels, grey, diameter_px
        See `join_components`.

    Returns
    -------
    list of int
        The labels of pairs; pairs that had no mask get new ones, from the highest label upwards.
    """
    from scipy.ndimage import find_objects

    areas = np.bincount(labels.ravel())
    areas[labels_at_edge(labels)] = 0
    nucleus = math.pi / 4 * diameter_px**2
    small = np.flatnonzero((areas >= PAIRED_AREA[0] * nucleus) & (areas <= 2 * PAIRED_AREA[1] * nucleus))
    joined: list[int] = []
    boxes = find_objects(labels)
    background, level = background_grey(labels, grey), _median_grey(labels, grey)
    grey = (grey - background) / max(level - background, np.float32(1e-6))
    for label in small:
        box = boxes[label - 1]
        mask = labels[box] == label
        parts = _two_parts(mask, grey[box])
        if parts is not None:
            _draw_pair(labels[box], grey[box], int(label), mask, parts)
            joined.append(int(label))
    single = np.setdiff1d(small[areas[small] <= PAIRED_AREA[1] * nucleus], joined)
    if len(single):
        joined += _join_masks(labels, grey, single, boxes, diameter_px)
    joined += _unmasked_pairs(labels, grey, diameter_px)
    return joined


def _join_masks(
    labels: Labels,
    grey: NDArray[np.float32],
    single: NDArray[np.intp],
    boxes: Sequence[tuple[slice, slice]],
    diameter_px: float,
) -> list[int]:
    """Join small masks to one another, or to a component without a mask, in place; return the labels of pairs."""
    from scipy.spatial import KDTree

    joined: list[int] = []
    centres = np.array([_centre(labels, label, boxes[label - 1]) for label in single])
    near = KDTree(centres).query_pairs(PAIRED_DISTANCE * diameter_px, output_type="ndarray")
    order = np.argsort(np.hypot(*(centres[near[:, 0]] - centres[near[:, 1]]).T), kind="stable")
    free = np.ones(len(single), np.bool_)
    for one, other in near[order]:
        if free[one] and free[other]:
            pair = int(single[one]), int(single[other])
            box = _around(boxes[pair[0] - 1], boxes[pair[1] - 1])
            if _are_halves(labels[box], grey[box], pair):
                mask = np.isin(labels[box], pair)
                labels[box][mask] = pair[0]
                _draw_pair(labels[box], grey[box], pair[0], mask, mask)
                free[[one, other]] = False
                joined.append(pair[0])
    reach = math.ceil(1.5 * PAIRED_DISTANCE * diameter_px)
    for label, (y, x) in zip(single[free].tolist(), centres[free], strict=True):
        box = np.s_[max(0, int(y) - reach) : int(y) + reach + 1, max(0, int(x) - reach) : int(x) + reach + 1]
        half = _unmasked_half(labels[box], grey[box], label, diameter_px)
        if half is not None:
            mask = labels[box] == label
            _draw_pair(labels[box], grey[box], label, mask | half, mask | half)
            joined.append(label)
    return joined


def _two_parts(mask: NDArray[np.bool_], grey: NDArray[np.float32]) -> NDArray[np.bool_] | None:
    """Return what is bright in a mask that covers both halves of a pair; None for another mask."""
    import cv2

    for share in BRIGHT:
        bright = mask & (grey > share * np.percentile(grey[mask], BRIGHTEST))
        _, parts, stats, _ = cv2.connectedComponentsWithStats(bright.astype(np.uint8), connectivity=8)
        largest = 1 + np.argsort(-stats[1:, cv2.CC_STAT_AREA], kind="stable")[:2]
        if len(largest) < 2 or stats[largest, cv2.CC_STAT_AREA].sum() < LEAST_IN_TWO * bright.sum():
            continue
        halves = np.isin(parts, largest)
        pair = int(largest[0]), int(largest[1])
        if _are_halves(np.where(halves, parts, 0), grey, pair, share=share):
            return halves
    return None


def _draw_pair(
    labels: Labels, grey: NDArray[np.float32], label: int, near: NDArray[np.bool_], halves: NDArray[np.bool_]
) -> None:
    """Give a pair its pixels, in place: what is bright near its halves, and what isn't between them in its mask."""
    import cv2

    mask = labels == label
    bright = near & (grey > DRAWN * np.percentile(grey[halves], BRIGHTEST))
    between = np.zeros(mask.shape, np.uint8)
    cv2.fillConvexPoly(between, cv2.convexHull(np.argwhere(halves & bright)[:, ::-1].astype(np.int32)), 1)
    kept = bright | (mask & (between == 0))
    _, parts = cv2.connectedComponents(kept.astype(np.uint8), connectivity=4)
    labels[mask] = 0
    labels[kept & np.isin(parts, parts[halves & bright])] = label


def _unmasked_half(
    labels: Labels, grey: NDArray[np.float32], label: int, diameter_px: float
) -> NDArray[np.bool_] | None:
    """Return the component without a mask that is the other half of a mask, with what is near; None without one.

    The mask may extend into the gap, and up to the other half: only the largest of what is bright in it is a half.
    """
    import cv2

    mask = labels == label
    bright = ((labels == 0) | mask) & (grey > BRIGHT[0] * np.percentile(grey[mask], BRIGHTEST))
    _, parts, stats, centres = cv2.connectedComponentsWithStats(bright.astype(np.uint8), connectivity=4)
    if not (mask & bright).any():
        return None
    own = int(np.bincount(parts[mask & bright]).argmax())
    height, width = labels.shape
    distances = np.hypot(*(centres - centres[own]).T)
    others = np.where((labels > 0) & ~mask, -1, 0)
    for part in np.argsort(distances, kind="stable"):
        left, top, across, down, area = stats[part]
        cut = left == 0 or top == 0 or left + across == width or top + down == height
        too_small = area < PAIRED_AREA[0] / 2 * math.pi / 4 * diameter_px**2
        if part in (0, own) or cut or too_small or distances[part] > PAIRED_DISTANCE * diameter_px:
            continue
        both = np.where(np.isin(parts, (own, part)), parts, others)
        if _are_halves(both, grey, (own, int(part)), least_grey=UNMASKED_GREY[1]):
            return _grown(parts == part, labels == 0)
    return None


def _unmasked_pairs(labels: Labels, grey: NDArray[np.float32], diameter_px: float) -> list[int]:
    """Give pairs of which neither half has a mask a label, in place; return these labels."""
    import cv2
    from scipy.ndimage import find_objects
    from scipy.spatial import KDTree

    if not labels.any():
        return []
    masked = labels > 0
    bright = (~masked & (grey > UNMASKED_GREY[0])).astype(np.uint8)
    count, parts, stats, centres = cv2.connectedComponentsWithStats(bright, connectivity=4)
    areas = stats[:, cv2.CC_STAT_AREA]
    nucleus = math.pi / 4 * diameter_px**2
    fits = (areas >= PAIRED_AREA[0] / 2 * nucleus) & (areas <= PAIRED_AREA[1] * nucleus)
    beside_mask = cv2.dilate(masked.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    fits[parts[beside_mask]] = fits[labels_at_edge(np.asarray(parts, np.int32))] = fits[0] = False
    single = np.flatnonzero(fits)
    if len(single) < 2:
        return []
    near = KDTree(centres[single]).query_pairs(PAIRED_DISTANCE * diameter_px, output_type="ndarray")
    order = np.argsort(np.hypot(*(centres[single[near[:, 0]]] - centres[single[near[:, 1]]]).T), kind="stable")
    boxes = find_objects(parts)
    free = np.ones(count, np.bool_)
    highest = int(labels.max())
    joined: list[int] = []
    for one, other in single[near[order]].tolist():
        box = _around(boxes[one - 1], boxes[other - 1], margin=GROWN_PX)
        halves = np.isin(parts[box], (one, other))
        both = np.where(labels[box] > 0, -1, np.where(halves, parts[box], 0))
        alike = _are_halves(both, grey[box], (one, other), longer=UNMASKED_LENGTH, least_grey=UNMASKED_GREY[1])
        if free[one] and free[other] and alike:
            joined.append(highest + 1 + len(joined))
            _draw_pair(labels[box], grey[box], joined[-1], _grown(halves, labels[box] == 0), halves)
            free[[one, other]] = False
    return joined


def _grown(half: NDArray[np.bool_], free: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return a half and the pixels without a mask that are near it."""
    import cv2

    return half | (free & (cv2.dilate(half.astype(np.uint8), np.ones((3, 3), np.uint8), iterations=GROWN_PX) > 0))


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
    background = background_grey(labels, grey)
    noise = _noise(labels, grey, background)
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


def _are_halves(
    labels: Labels,
    grey: NDArray[np.float32],
    pair: tuple[int, int],
    *,
    share: float = BRIGHT[0],
    longer: float = 1.0,
    least_grey: float = PAIR_GREY,
) -> bool:
    """Return whether what is bright in two masks is alike, faces each other, and has no third mask between.

    Grey levels are over background, in units of the median mask's.
    """
    masks = [labels == label for label in pair]
    least = share * np.percentile(grey[masks[0] | masks[1]], BRIGHTEST)
    halves = [mask & (grey > least) for mask in masks]
    areas = sorted(int(half.sum()) for half in halves)
    if areas[0] < max(3, LIKE_AREA * areas[1]):
        return False
    greys = sorted(float(grey[half].mean()) for half in halves)
    if greys[0] < max(least_grey, LIKE_GREY * greys[1]):
        return False
    places = [np.argwhere(half) for half in halves]
    centres = [place.mean(axis=0) for place in places]
    line = centres[1] - centres[0]
    along = line / np.hypot(*line)
    across = np.array([-along[1], along[0]])
    lengths = [math.sqrt((place @ across).var() / max((place @ along).var(), 1e-6)) for place in places]
    if min(lengths) < 1 or math.sqrt(lengths[0] * lengths[1]) < longer:
        return False
    steps = np.rint(centres[0] + np.linspace(0, 1, 2 * math.ceil(np.hypot(*line)))[:, None] * line).astype(int)
    return bool(np.isin(labels[steps[:, 0], steps[:, 1]], (0, *pair)).all())


def _centre(labels: Labels, label: int, box: tuple[slice, slice]) -> tuple[float, float]:
    ys, xs = np.nonzero(labels[box] == label)
    return box[0].start + ys.mean(), box[1].start + xs.mean()


def _around(one: tuple[slice, slice], other: tuple[slice, slice], margin: int = 0) -> tuple[slice, ...]:
    return tuple(
        slice(max(0, min(a.start, b.start) - margin), max(a.stop, b.stop) + margin)
        for a, b in zip(one, other, strict=True)
    )


def background_grey(labels: Labels, grey: NDArray[np.float32]) -> np.float32:
    """Return the median of what no mask covers; 0 where masks cover all."""
    outside = grey[labels == 0]
    return np.float32(np.median(outside)) if outside.size else np.float32(0)


def _noise(labels: Labels, grey: NDArray[np.float32], background: np.float32) -> np.float32:
    """Return the standard deviation of what no mask covers, from the median absolute deviation."""
    outside = grey[labels == 0]
    return np.float32(np.median(np.abs(outside - background)) / NORMAL_DEVIATION) if outside.size else np.float32(0)


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


def _median_grey(labels: Labels, grey: NDArray[np.float32]) -> np.float32:
    """Return the median of the masks' mean grey levels."""
    areas = np.bincount(labels.ravel())
    return np.float32(np.median(_means(labels, grey, len(areas))[1:][areas[1:] > 0]))


def _means(labels: Labels, grey: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    """Return the mean grey level of each label."""
    sums = np.bincount(labels.ravel(), grey.ravel(), minlength=count)
    return np.asarray(sums / np.maximum(np.bincount(labels.ravel(), minlength=count), 1), np.float32)
