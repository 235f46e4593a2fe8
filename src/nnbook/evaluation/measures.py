"""Measures of masks beside those of the field's contests: detections, pixels, outlines, and their intervals.

Detections and pixels are measured as the NuSeT paper does (Yang et al. 2020, doi:10.1371/journal.pcbi.1008193). What it
leaves to the works that it cites is taken from them: nuclei are linked, and errors told apart, as by Moen et al. (2019,
doi:10.1101/803205; `deepcell_toolbox.metrics.ObjectMetrics`). Where the paper does not say it, it is said here.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from nnbook.io.images import Labels, NarrowLabels

    Pairs = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]

LINKED: Final = 0.6
"""Nuclei are linked above this intersection over union: there a link costs less than two nuclei without one, in the
assignment of Moen et al. with their cut-off of 0.4. Above a half no nucleus has two such partners."""

RELATED: Final = 0.1
"""Nuclei without a link are related from this intersection over union, or where one has more than half of the other."""

DETECTED: Final = 0.7
"""The overlap, an intersection over union, below which NuSeT counts a nucleus as not detected."""

TOUCHING_PX: Final = 2
"""Nuclei touch where at most one pixel is between them: people leave a gap when they outline neighbours."""

TOLERANCE_PX: Final = 2.0
"""How far outlines may be apart to count as agreeing, in the normalised surface distance."""

BLOCK_PX: Final = 1 << 22
LEVEL: Final = 0.95
DRAWS: Final = 1000

MEASURES: Final = {
    "touching_separated": ("touching_separated_nuclei", "touching_nuclei"),
    "fn_rate": ("false_negatives", "nuclei"),
    "fp_rate": ("false_positives", "nuclei"),
    "pixel_mean_iu": ("pixel_mean_iu_sum", "images"),
    "pixel_rmse": ("pixel_rmse_sum", "images"),
    "pixel_f1": ("pixel_f1_sum", "images_with_pixels"),
    "pixel_accuracy": ("pixel_accuracy_sum", "images"),
    "pixel_precision": ("pixel_precision_sum", "images_with_predicted"),
    "pixel_recall": ("pixel_recall_sum", "images_with_true"),
    "aji": ("aji_sum", "images_with_nuclei"),
    "pq": ("iou_sum", "pq_nuclei"),
    "sq": ("iou_sum", "partners"),
    "rq": ("partners", "pq_nuclei"),
    "mean_dice": ("dice_sum", "partners"),
    "area_bias": ("area_bias_sum", "partners"),
    "hausdorff_px": ("hausdorff_px_sum", "partners"),
    "hausdorff_95_px": ("hausdorff_95_px_sum", "partners"),
    "surface_agreement": ("surface_agreement_sum", "partners"),
    "pq_by_image": ("pq_image_sum", "images_with_nuclei"),
    "f1_by_image": ("rq_image_sum", "images_with_nuclei"),
}
"""The counts of which each measure is the quotient; where the second is 0 the measure is NaN."""

ERRORS: Final = (
    "correct_detections",
    "incorrect_detections",
    "split_errors",
    "merge_errors",
    "catastrophes",
    "touching_nuclei",
    "false_negatives",
    "false_positives",
)
"""Counts that are measures themselves."""


class Links(NamedTuple):
    """How nuclei of two masks belong together, each by its place among the labels of its mask.

    Attributes
    ----------
    linked : int64, axes (link, predicted or true)
        Nuclei that are linked.
    splits, merges, catastrophes : list of (list of int, list of int)
        The predicted and the true nuclei of each error.
    """

    linked: NDArray[np.int64]
    splits: list[tuple[list[int], list[int]]]
    merges: list[tuple[list[int], list[int]]]
    catastrophes: list[tuple[list[int], list[int]]]


class _Overlap(NamedTuple):
    """Labels of both masks with their areas, and of each pair that overlaps the places, shared area and IoU."""

    p_labels: NDArray[np.int64]
    t_labels: NDArray[np.int64]
    p_area: NDArray[Any]
    t_area: NDArray[Any]
    i: NDArray[np.int64]
    j: NDArray[np.int64]
    shared: NDArray[np.int64]
    iou: NDArray[np.float64]


def count_measures(predicted: Labels | NarrowLabels, true: Labels | NarrowLabels, pairs: Pairs) -> dict[str, float]:
    """Count in one image what `quotients` makes measures of; counts of several images can be summed.

    Parameters
    ----------
    predicted, true : Labels
        Axes (y, x), of one size.
    pairs : tuple
        What `nnbook.evaluation.metrics.overlaps` gives for them.

    Returns
    -------
    dict of str to float
        Counts and sums by the names in `ERRORS` and `MEASURES`.
    """
    overlap = _overlap(pairs)
    found = _partners(overlap)
    return {
        "images": 1,
        "nuclei": len(overlap.t_labels),
        **_detections(overlap),
        **_touching(true, overlap),
        **_pixels(pairs),
        **_whole(overlap, found),
        **_outlines(predicted, true, overlap, found),
    }


def quotients(counts: Mapping[str, Any]) -> dict[str, float]:
    """Return the measures that counts give, of one image or summed over several.

    Parameters
    ----------
    counts : mapping of str to float
        See `count_measures`.

    Returns
    -------
    dict of str to float
        - `correct_detections`: nuclei linked with a true one. `incorrect_detections`: predicted nuclei without a link.
        - `split_errors`, `merge_errors`, `catastrophes`: nuclei without a link that are related, one true and several
          predicted ones, several true ones and one predicted, and several of both.
        - `touching_nuclei`, and `touching_separated`, the share of them that is separated: a mask holds more than half
          of the nucleus, and more than half of no other nucleus.
        - `false_negatives`: true nuclei whose best mask has an overlap below 0.7; `false_positives`: masks whose best
          nucleus has. `fn_rate`, `fp_rate`: their share of the true nuclei, since the paper names no other number.
        - `pixel_mean_iu` (mean of the intersections over union of foreground and background), `pixel_rmse`,
          `pixel_f1`, `pixel_accuracy`, `pixel_precision`, `pixel_recall`: means over images of those of binary masks.
        - `aji`: aggregated Jaccard index (Kumar et al. 2017, doi:10.1109/TMI.2017.2677499), the mean over images with
          nuclei. A mask counts whole for each nucleus that it merges, so that one crowded image would rule a sum.
        - `pq`, `sq`, `rq`: panoptic quality and its factors (Kirillov et al. 2019, doi:10.1109/CVPR.2019.00963). As
          there, an intersection over union of exactly a half is no match, which it is for StarDist's `matching`.
        - Means over nuclei and masks with an intersection over union above 0.5: `mean_dice`; `area_bias`, by which
          share a mask is larger; `hausdorff_px`, `hausdorff_95_px`, the largest distance of outlines, and its 95th
          percentile, the greater of both directions; `surface_agreement`, the normalised surface distance, which is
          the share of both outlines within 2 px of the other.
        - `pq_by_image`, `f1_by_image`: means over images with nuclei, too, as *Metrics Reloaded* asks for
          (Maier-Hein et al. 2024, doi:10.1038/s41592-023-02151-z), where the others weigh an image by its nuclei.
    """
    measures: dict[str, float] = {name: int(counts[name]) for name in ERRORS}
    for name, (above, below) in MEASURES.items():
        measures[name] = float(counts[above] / counts[below]) if counts[below] else math.nan
    return measures


def link_nuclei(pairs: Pairs) -> Links:
    """Link predicted with true nuclei, and find the errors among the others, as Moen et al. do.

    Their assignment of least cost, in which a nucleus without a link costs 0.4 and a link one less its intersection
    over union, links exactly the pairs above `LINKED`, so that no matrix of all nuclei is needed.

    Parameters
    ----------
    pairs : tuple
        What `nnbook.evaluation.metrics.overlaps` gives.
    """
    return _links(_overlap(pairs))


def _overlap(pairs: Pairs) -> _Overlap:
    p, t, area = pairs
    p_labels, p_place = np.unique(p, return_inverse=True)
    t_labels, t_place = np.unique(t, return_inverse=True)
    p_area, t_area = np.bincount(p_place, area), np.bincount(t_place, area)
    first = [int(labels.size > 0 and labels[0] == 0) for labels in (p_labels, t_labels)]  # background
    both = (p > 0) & (t > 0)
    i, j, shared = p_place[both] - first[0], t_place[both] - first[1], area[both]
    p_area, t_area = p_area[first[0] :], t_area[first[1] :]
    iou = shared / (p_area[i] + t_area[j] - shared)
    return _Overlap(p_labels[first[0] :], t_labels[first[1] :], p_area, t_area, i, j, shared, iou)


def _partners(overlap: _Overlap) -> NDArray[np.int64]:
    """Return which pairs have an intersection over union above 0.5: no nucleus is in two of them."""
    return np.flatnonzero(overlap.iou > 0.5)


def _links(overlap: _Overlap) -> Links:
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    p_area, t_area, i, j, shared, iou = overlap[2:]
    linked = iou > LINKED
    p_free, t_free = np.ones(p_area.size, bool), np.ones(t_area.size, bool)
    p_free[i[linked]] = False
    t_free[j[linked]] = False
    held = 2 * shared > np.minimum(p_area[i], t_area[j])
    related = p_free[i] & t_free[j] & ((iou >= RELATED) | held)
    count = p_area.size + t_area.size
    edges = (np.ones(np.count_nonzero(related)), (i[related], p_area.size + j[related]))
    _, group = connected_components(csr_array(edges, shape=(count, count)), directed=False)
    groups: dict[int, tuple[list[int], list[int]]] = {}
    for place in np.unique(np.concatenate([i[related], p_area.size + j[related]])).tolist():
        members = groups.setdefault(int(group[place]), ([], []))
        members[place >= p_area.size].append(place - p_area.size if place >= p_area.size else place)
    errors = list(groups.values())
    return Links(
        np.stack([i[linked], j[linked]], axis=1),
        [(p, t) for p, t in errors if len(t) == 1 and len(p) > 1],
        [(p, t) for p, t in errors if len(p) == 1 and len(t) > 1],
        [(p, t) for p, t in errors if len(p) > 1 and len(t) > 1],
    )


def _detections(overlap: _Overlap) -> dict[str, float]:
    links = _links(overlap)
    best_of_true, best_of_predicted = np.zeros(overlap.t_labels.size), np.zeros(overlap.p_labels.size)
    np.maximum.at(best_of_true, overlap.j, overlap.iou)
    np.maximum.at(best_of_predicted, overlap.i, overlap.iou)
    return {
        "correct_detections": len(links.linked),
        "incorrect_detections": len(overlap.p_labels) - len(links.linked),
        "split_errors": len(links.splits),
        "merge_errors": len(links.merges),
        "catastrophes": len(links.catastrophes),
        "false_negatives": int(np.count_nonzero(best_of_true < DETECTED)),
        "false_positives": int(np.count_nonzero(best_of_predicted < DETECTED)),
    }


def touching_labels(true: Labels | NarrowLabels) -> NDArray[np.int64]:
    """Return the labels of nuclei that touch another one: at most one pixel is between them, in a row or column."""
    near: set[int] = set()
    for step in range(1, TOUCHING_PX + 1):
        for one, other in ((true[step:], true[:-step]), (true[:, step:], true[:, :-step])):
            rows = max(1, BLOCK_PX // max(1, one.shape[1]))
            for y in range(0, one.shape[0], rows):
                first, second = one[y : y + rows], other[y : y + rows]
                apart = (first != second) & (first > 0) & (second > 0)
                near.update(np.unique(first[apart]).tolist(), np.unique(second[apart]).tolist())
    return np.array(sorted(near), dtype=np.int64)


def _touching(true: Labels | NarrowLabels, overlap: _Overlap) -> dict[str, float]:
    touching = np.isin(overlap.t_labels, touching_labels(true))
    most = 2 * overlap.shared > overlap.t_area[overlap.j]  # no two masks hold more than half of a nucleus
    held = np.bincount(overlap.i[most], minlength=overlap.p_labels.size)
    own = most & (held[overlap.i] == 1)
    separated = np.bincount(overlap.j[own], minlength=overlap.t_labels.size) > 0
    return {
        "touching_nuclei": int(touching.sum()),
        "touching_separated_nuclei": int((touching & separated).sum()),
    }


def _pixels(pairs: Pairs) -> dict[str, float]:
    p, t, area = pairs
    tp, fp, fn, tn = (
        int(area[((p > 0) == one) & ((t > 0) == other)].sum())
        for one, other in ((True, True), (True, False), (False, True), (False, False))
    )
    wrong, total = fp + fn, tp + fp + fn + tn
    foreground, background = tp + wrong, tn + wrong
    # A class that is nowhere, neither predicted nor true, has no error.
    ious = [tp / foreground if foreground else 1.0, tn / background if background else 1.0]
    return {
        "pixel_mean_iu_sum": sum(ious) / 2,
        "pixel_rmse_sum": math.sqrt(wrong / total) if total else 0.0,
        "pixel_accuracy_sum": 1 - wrong / total if total else 1.0,
        "pixel_f1_sum": 2 * tp / (tp + foreground) if foreground else 0.0,
        "images_with_pixels": int(foreground > 0),
        "pixel_precision_sum": tp / (tp + fp) if tp + fp else 0.0,
        "images_with_predicted": int(tp + fp > 0),
        "pixel_recall_sum": tp / (tp + fn) if tp + fn else 0.0,
        "images_with_true": int(tp + fn > 0),
    }


def _whole(overlap: _Overlap, found: NDArray[np.int64]) -> dict[str, float]:
    p_area, t_area, i, j, shared, iou = overlap[2:]
    # Of each true nucleus the mask of greatest intersection over union, the first of equal ones.
    order = np.lexsort((i, -iou, j))
    best = order[np.flatnonzero(np.diff(j[order], prepend=-1))]
    used = np.zeros(p_area.size, bool)
    used[i[best]] = True
    alone = np.ones(t_area.size, bool)
    alone[j[best]] = False
    union = (p_area[i[best]] + t_area[j[best]] - shared[best]).sum() + t_area[alone].sum() + p_area[~used].sum()
    nuclei = (p_area.size + t_area.size) / 2
    return {
        "aji_sum": float(shared[best].sum() / union) if union else 0.0,
        "iou_sum": float(iou[found].sum()),
        "partners": int(found.size),
        "pq_nuclei": nuclei,
        "dice_sum": float((2 * shared[found] / (p_area[i[found]] + t_area[j[found]])).sum()),
        "area_bias_sum": float((p_area[i[found]] / t_area[j[found]] - 1).sum()),
        "pq_image_sum": float(iou[found].sum() / nuclei) if nuclei else 0.0,
        "rq_image_sum": float(found.size / nuclei) if nuclei else 0.0,
        "images_with_nuclei": int(nuclei > 0),
    }


def _outlines(
    predicted: Labels | NarrowLabels, true: Labels | NarrowLabels, overlap: _Overlap, found: NDArray[np.int64]
) -> dict[str, float]:
    ones = _outline_points(predicted, overlap.p_labels[overlap.i[found]])
    others = _outline_points(true, overlap.t_labels[overlap.j[found]])
    largest, ninety_fifth, agreeing = 0.0, 0.0, 0.0
    for one, other in zip(ones, others, strict=True):
        to, back = outline_distances(one, other)
        largest += max(to.max(), back.max())
        ninety_fifth += max(float(np.percentile(to, 95)), float(np.percentile(back, 95)))
        agreeing += float(np.count_nonzero(to <= TOLERANCE_PX) + np.count_nonzero(back <= TOLERANCE_PX)) / (
            to.size + back.size
        )
    return {
        "hausdorff_px_sum": float(largest),
        "hausdorff_95_px_sum": ninety_fifth,
        "surface_agreement_sum": agreeing,
    }


def outline_distances(
    one: NDArray[np.int32], other: NDArray[np.int32]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return how far each pixel of an outline is from the nearest of the other, and the other way round.

    Parameters
    ----------
    one, other : int32, axes (pixel, y or x)
        At least one pixel each.
    """
    from scipy.spatial import KDTree

    return KDTree(other).query(one)[0], KDTree(one).query(other)[0]


def _outline_points(labels: Labels | NarrowLabels, wanted: NDArray[np.int64]) -> list[NDArray[np.int32]]:
    """Return the outline of each label: its pixels of which one to the side is another's, or outside the image."""
    height, width = labels.shape
    places: list[NDArray[np.int32]] = []
    numbers: list[NDArray[np.int64]] = []
    rows = max(1, BLOCK_PX // max(1, width))
    for y in range(0, height, rows):
        block = labels[y : y + rows]
        differs = np.zeros(block.shape, bool)
        differs[:, 1:] |= block[:, 1:] != block[:, :-1]
        differs[:, :-1] |= block[:, :-1] != block[:, 1:]
        differs[1:] |= block[1:] != block[:-1]
        differs[:-1] |= block[:-1] != block[1:]
        differs[:, [0, -1]] = True
        end = y + len(block)
        differs[0] |= True if y == 0 else block[0] != labels[y - 1]
        differs[-1] |= True if end == height else block[-1] != labels[end]
        at_y, at_x = np.nonzero(differs & (block > 0))
        places.append(np.stack([at_y + y, at_x], axis=1).astype(np.int32))
        numbers.append(block[at_y, at_x].astype(np.int64))
    if not places or not wanted.size:
        return []
    of, points = np.concatenate(numbers), np.concatenate(places)
    order = np.argsort(of, kind="stable")
    of, points = of[order], points[order]
    starts, ends = np.searchsorted(of, wanted, "left"), np.searchsorted(of, wanted, "right")
    return [points[start:end] for start, end in zip(starts, ends, strict=True)]


def intervals(
    images: Sequence[Mapping[str, Any]],
    measure: Callable[[dict[str, Any]], dict[str, float]],
    times: int = DRAWS,
    seed: int = 1,
) -> dict[str, tuple[float, float]]:
    """Return the 95 % confidence interval of each measure, by bootstrap over images.

    Images are drawn with replacement, as many as there are, and measured together. An interval goes between
    percentiles of what that gives (Efron 1979, doi:10.1214/aos/1176344552). It says how much a measure would differ for
    other images like these; of few images it is too narrow.

    Parameters
    ----------
    images : sequence of mapping
        Counts of each image, numbers or arrays.
    measure : callable
        Makes measures of counts that are summed over images.
    times : int
        How often images are drawn.
    seed : int
        Of the draws.

    Returns
    -------
    dict of str to (float, float)
        By the names of the measures; empty with fewer than two images, NaN where most draws give none.
    """
    if len(images) < 2:
        return {}
    weights = np.random.default_rng(seed).multinomial(len(images), np.full(len(images), 1 / len(images)), size=times)
    sums = {key: np.tensordot(weights, np.array([image[key] for image in images]), 1) for key in images[0]}
    drawn = [measure({key: values[draw] for key, values in sums.items()}) for draw in range(times)]
    found = {}
    for name in drawn[0]:
        values = np.array([one[name] for one in drawn], dtype=np.float64)
        known = values[np.isfinite(values)]
        ends = (
            np.quantile(known, ((1 - LEVEL) / 2, (1 + LEVEL) / 2)) if 2 * known.size > times else (math.nan, math.nan)
        )
        found[name] = (float(ends[0]), float(ends[1]))
    return found
