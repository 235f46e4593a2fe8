"""How good masks are: predicted nuclei against true ones, by the field's metrics (`nnbook evaluate`)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import pandas as pd

from nnbook.errors import InvalidValueError, NnbookError
from nnbook.evaluation.measures import DRAWS, count_measures, intervals, quotients
from nnbook.io.images import as_mask, read_mask
from nnbook.io.inputs import pair_masks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from nnbook.io.images import Labels, NarrowLabels
    from nnbook.io.paths import PathLike

THRESHOLDS: Final = tuple(round(0.5 + 0.05 * k, 2) for k in range(10))
"""The usual intersections over union: 0.5, 0.55, ... 0.95."""

BLOCK_PX: Final = 1 << 22
"""Pixels that are tallied at once, which takes several times their memory in 64 bits."""

COUNTS: Final = ("true_nuclei", "predicted_nuclei", "splits", "merges", "missed", "spurious")


def evaluate(
    predicted: Labels | PathLike, true: Labels | PathLike, thresholds: Sequence[float] = THRESHOLDS
) -> dict[str, float]:
    """Score one mask against the truth.

    Nuclei are matched one to one, as many as there can be, where their intersection over union reaches the threshold:
    TP matches, FP predicted nuclei and FN true ones without a match.

    Parameters
    ----------
    predicted, true : numpy.ndarray, str or Path
        Axes (y, x), of one size; 0 for background, every other value a nucleus. Or TIFF or PNG files of such.
    thresholds : sequence of float
        Intersections over union, from 0.5 to 1.

    Returns
    -------
    dict of str to float
        - `true_nuclei`, `predicted_nuclei`: how many there are.
        - `tp_0.50`, `f1_0.50`, `ap_0.50` and so on: matches at a threshold; F1 = 2 TP / (2 TP + FP + FN); average
          precision as the 2018 Data Science Bowl and Cellpose define it, TP / (TP + FP + FN). NaN without any nucleus.
        - `mean_ap`: mean of the average precisions over the thresholds.
        - `mean_iou`: mean intersection over union of the nuclei matched at the lowest threshold; NaN without any.
        - `splits`: true nuclei that hold more than half the area of more than one predicted nucleus.
        - `merges`: predicted nuclei that hold more than half the area of more than one true nucleus.
        - `missed`: true nuclei of which predicted ones cover less than half; `spurious`: predicted nuclei of which
          true ones cover less than half.
        - The measures of `nnbook.evaluation.measures.quotients`: those of the NuSeT paper, of pixels, of areas and of
          outlines.

    Raises
    ------
    MissingFileError
        Where a file isn't there.
    InvalidValueError
        Where the masks differ in size, an array is no mask, or thresholds are out of range.
    NnbookError
        Where a file can't be read as a mask.

    Examples
    --------
    >>> import nnbook
    >>> scores = nnbook.evaluate("panorama_cp_masks.tif", "truth.tif")
    >>> scores["true_nuclei"], scores["merges"]
    (5, 0)
    >>> scores["f1_0.50"] > 0.9
    True
    """
    return _all_scores(_count_all(as_mask(predicted), as_mask(true), thresholds), thresholds)


def score_counts(counts: Sequence[dict[str, Any]], thresholds: Sequence[float] = THRESHOLDS) -> dict[str, float]:
    """Score several images over the nuclei of all of them together.

    Parameters
    ----------
    counts : sequence of dict
        What `count_matches` gives for each, at least one.
    thresholds : sequence of float
        The same. See `evaluate` for what is returned.
    """
    return _scores({key: np.sum([one[key] for one in counts], axis=0) for key in counts[0]}, thresholds)


def evaluate_folders(
    predicted: PathLike,
    true: PathLike,
    thresholds: Sequence[float] = THRESHOLDS,
    *,
    draws: int = DRAWS,
    seed: int = 1,
) -> tuple[pd.DataFrame, dict[str, float], dict[str, tuple[float, float]]]:
    """Score a folder of masks against a folder of true ones.

    Parameters
    ----------
    predicted, true : str or Path
        Folders of TIFF or PNG masks. `NAME_cp_masks.tif` is scored against `NAME.tif`, `NAME.png` or another
        `NAME_cp_masks.tif`.
    thresholds : sequence of float
        See `evaluate`.
    draws, seed : int
        How often images are drawn for the intervals, and the seed of it.

    Returns
    -------
    images : DataFrame
        A row an image: `image`, and what `evaluate` gives.
    total : dict of str to float
        The same over the nuclei of all images together.
    intervals : dict of str to (float, float)
        Their 95 % confidence intervals, see `nnbook.evaluation.measures.intervals`.

    Raises
    ------
    NnbookError
        With one line for each file without partner, or each pair that can't be read or compared.
    """
    _check(thresholds)
    if draws < 1:
        raise InvalidValueError(f"draws is {draws}; give a whole number from 1", parameter="draws")
    problems: list[str] = []
    names: list[str] = []
    counts: list[dict[str, Any]] = []
    for name, (predicted_path, true_path) in pair_masks(predicted, true).items():
        try:
            masks = read_mask(predicted_path), read_mask(true_path)
            if masks[0].shape != masks[1].shape:
                problems.append(f"{predicted_path}: {_sizes_differ(*masks)}")
                continue
            counts.append(_count_all(*masks, thresholds))
            names.append(name)
        except NnbookError as error:
            problems.append(str(error))
    if problems:
        raise NnbookError("\n".join(problems))
    images = pd.DataFrame(
        [{"image": name, **_all_scores(one, thresholds)} for name, one in zip(names, counts, strict=True)]
    )
    total = _all_scores({key: np.sum([one[key] for one in counts], axis=0) for key in counts[0]}, thresholds)
    return images, total, intervals(counts, lambda sums: _all_scores(sums, thresholds), draws, seed)


def _count_all(predicted: Labels, true: Labels, thresholds: Sequence[float]) -> dict[str, Any]:
    counts = count_matches(predicted, true, thresholds)
    return {**counts, **count_measures(predicted, true, overlaps(predicted, true))}


def _all_scores(counts: dict[str, Any], thresholds: Sequence[float]) -> dict[str, float]:
    return {**_scores(counts, thresholds), **quotients(counts)}


def overlaps(
    predicted: Labels | NarrowLabels, true: Labels | NarrowLabels
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Count the pixels that each predicted nucleus shares with each true one, background included.

    Parameters
    ----------
    predicted, true : Labels
        Axes (y, x), of one size.

    Returns
    -------
    p, t, area : int64, axis (pair)
        Values in `predicted` and `true` of each pair that shares pixels, and how many; sorted by p, then t.
    """
    width = int(true.max(initial=0)) + 1
    keys = np.empty(0, dtype=np.int64)
    areas = np.empty(0, dtype=np.int64)
    rows = max(1, BLOCK_PX // max(1, predicted.shape[1]))
    for y in range(0, predicted.shape[0], rows):
        block = predicted[y : y + rows].astype(np.int64) * width + true[y : y + rows]
        new_keys, new_areas = _tally(block.ravel())
        keys, places = np.unique(np.concatenate([keys, new_keys]), return_inverse=True)
        areas = np.bincount(places, np.concatenate([areas, new_areas])).astype(np.int64)
    return keys // width, keys % width, areas


def partners(predicted: Labels | NarrowLabels, true: Labels | NarrowLabels) -> dict[int, int]:
    """Find for each predicted nucleus its true one: their intersection over union is above 0.5.

    Above 0.5 neither has another partner.

    Parameters
    ----------
    predicted, true : Labels
        Axes (y, x), of one size.

    Returns
    -------
    dict of int to int
        Label in `true` by label in `predicted`; those without a partner are left out.

    Raises
    ------
    NnbookError
        Where the masks differ in size.
    """
    shared = _shared(predicted, true)
    good = 2 * shared.area > shared.p_area[shared.i] + shared.t_area[shared.j] - shared.area
    p, t = shared.p_labels[shared.i[good]], shared.t_labels[shared.j[good]]
    return dict(zip(p.tolist(), t.tolist(), strict=True))


def mistakes(predicted: Labels, true: Labels) -> dict[str, NDArray[np.int64]]:
    """Find the nuclei that masks get wrong: see `evaluate` for what counts as such.

    Parameters
    ----------
    predicted, true : Labels
        Axes (y, x), of one size.

    Returns
    -------
    dict of str to int64 array
        `missed` and `split`: labels in `true`; `spurious` and `merged`: labels in `predicted`; each ascending.

    Raises
    ------
    NnbookError
        Where the masks differ in size.
    """
    shared = _shared(predicted, true)
    labels = {
        "missed": shared.t_labels,
        "spurious": shared.p_labels,
        "split": shared.t_labels,
        "merged": shared.p_labels,
    }
    return {kind: labels[kind][wrong] for kind, wrong in _wrong(shared).items()}


class _Shared(NamedTuple):
    """What two masks share: labels from 1 with their areas, and places and area of each pair that overlaps."""

    p_labels: NDArray[np.int64]
    t_labels: NDArray[np.int64]
    p_area: NDArray[Any]
    t_area: NDArray[Any]
    i: NDArray[np.intp]
    j: NDArray[np.intp]
    area: NDArray[np.int64]


def _shared(predicted: Labels | NarrowLabels, true: Labels | NarrowLabels) -> _Shared:
    if predicted.shape != true.shape:
        raise InvalidValueError(f"the predicted mask {_sizes_differ(predicted, true)}")
    p, t, area = overlaps(predicted, true)
    p_labels, p_index = np.unique(p[p > 0], return_inverse=True)
    t_labels, t_index = np.unique(t[t > 0], return_inverse=True)
    p_area = np.bincount(p_index, area[p > 0], minlength=p_labels.size)
    t_area = np.bincount(t_index, area[t > 0], minlength=t_labels.size)
    both = (p > 0) & (t > 0)
    i, j = np.searchsorted(p_labels, p[both]), np.searchsorted(t_labels, t[both])
    return _Shared(p_labels, t_labels, p_area, t_area, i, j, area[both])


def _wrong(shared: _Shared) -> dict[str, NDArray[np.bool_]]:
    """Return which true nuclei are missed or split, and which predicted ones are spurious or merged."""
    _, _, p_area, t_area, i, j, area = shared
    return {
        "missed": 2 * np.bincount(j, area, minlength=t_area.size) < t_area,
        "spurious": 2 * np.bincount(i, area, minlength=p_area.size) < p_area,
        "split": np.bincount(j[2 * area > p_area[i]], minlength=t_area.size) > 1,
        "merged": np.bincount(i[2 * area > t_area[j]], minlength=p_area.size) > 1,
    }


def _tally(keys: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the distinct keys and how often each occurs. Runs of equal keys, as masks have them, are counted first."""
    starts = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]]))
    lengths = np.diff(np.append(starts, keys.size))
    distinct, places = np.unique(keys[starts], return_inverse=True)
    return distinct, np.bincount(places, lengths).astype(np.int64)


def count_matches(predicted: Labels, true: Labels, thresholds: Sequence[float] = THRESHOLDS) -> dict[str, Any]:
    """Count matches and mistakes in one image, for `score_counts`: whatever can be summed over images.

    Parameters and errors are those of `evaluate`.
    """
    _check(thresholds)
    shared = _shared(predicted, true)
    p_labels, t_labels, p_area, t_area, i, j, area = shared
    iou = area / (p_area[i] + t_area[j] - area)
    matches = [_match(i, j, iou, threshold, (p_labels.size, t_labels.size)) for threshold in thresholds]
    lowest = matches[int(np.argmin(thresholds))]
    wrong = _wrong(shared)
    return {
        "true_nuclei": t_labels.size,
        "predicted_nuclei": p_labels.size,
        "tp": np.array([found.size for found in matches]),
        "iou": float(lowest.sum()),
        "iou_count": lowest.size,
        "splits": int(wrong["split"].sum()),
        "merges": int(wrong["merged"].sum()),
        "missed": int(wrong["missed"].sum()),
        "spurious": int(wrong["spurious"].sum()),
    }


def _match(
    i: NDArray[Any], j: NDArray[Any], iou: NDArray[np.float64], threshold: float, shape: tuple[int, int]
) -> NDArray[np.float64]:
    """Return the intersections over union of a largest matching, one to one; above 0.5 partners are unique anyway."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import maximum_bipartite_matching

    good = iou >= threshold
    if not good.any():
        return np.empty(0)
    graph = csr_array((iou[good], (i[good], j[good])), shape=shape)
    partner = maximum_bipartite_matching(graph, perm_type="column")
    rows = np.flatnonzero(partner >= 0)
    return np.asarray(graph[rows, partner[rows]], dtype=np.float64).ravel()


def _scores(counts: dict[str, Any], thresholds: Sequence[float]) -> dict[str, float]:
    nuclei = int(counts["true_nuclei"] + counts["predicted_nuclei"])
    scores: dict[str, float] = {key: int(counts[key]) for key in COUNTS}
    precisions = []
    for threshold, matched in zip(thresholds, counts["tp"], strict=True):
        tp = int(matched)
        precisions.append(tp / (nuclei - tp) if nuclei else math.nan)
        scores[f"tp_{threshold:.2f}"] = tp
        scores[f"f1_{threshold:.2f}"] = 2 * tp / nuclei if nuclei else math.nan
        scores[f"ap_{threshold:.2f}"] = precisions[-1]
    scores["mean_ap"] = float(np.mean(precisions))
    scores["mean_iou"] = float(counts["iou"] / counts["iou_count"]) if counts["iou_count"] else math.nan
    return scores


def _check(thresholds: Sequence[float]) -> None:
    if not thresholds or not all(0.5 <= threshold <= 1 for threshold in thresholds):
        raise InvalidValueError(
            f"thresholds are {list(thresholds)}; give intersections over union from 0.5 to 1", parameter="thresholds"
        )


def _sizes_differ(predicted: Labels | NarrowLabels, true: Labels | NarrowLabels) -> str:
    one, other = (f"{mask.shape[1]} x {mask.shape[0]} px" for mask in (predicted, true))
    return f"has {one} and the true one {other}; compare masks of the same image at the same size"
