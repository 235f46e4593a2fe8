"""How the hard cases are segmented: nuclei by class, touching ones, mitotic pairs, micronuclei (`nnbook evaluate`).

What counts as one nucleus is the published work's own choice: an anaphase or telophase pair is one, a micronucleus
belongs to its nucleus, and nuclei that touch are kept apart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
from scipy.ndimage import find_objects

from nnbook.evaluation.metrics import overlaps
from nnbook.io.images import read_mask
from nnbook.io.inputs import pair_masks
from nnbook.simulation.truth import read_truth

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from nnbook.io.images import Labels

PAIRS: Final = ("anaphase", "telophase")
CASES: Final = (
    "interphase",
    "prophase",
    "metaphase",
    "touching, each with a mask",
    "pair kept as one",
    "micronuclei with their nucleus",
)
"""In the order of the table; the first three are classes of a nucleus of one component."""

TRUTH_COLUMNS: Final = ("label", "class", "touching", "cut")


def judge_cases(predicted: Labels, true: Labels, truth: pd.DataFrame) -> pd.DataFrame:
    """Judge every nucleus of a panorama that is one of `CASES`.

    Parameters
    ----------
    predicted, true : Labels
        Axes (y, x), of one size.
    truth : DataFrame
        A row a nucleus of `true`: `label`, `class` (`nnbook.simulation.nuclei.CLASSES`), `touching`, `cut` (by the
        frame). Nuclei that are cut are left out.

    Returns
    -------
    DataFrame
        `label`, `case` and `right`, a row for each case that a nucleus is of. A class, and a touching nucleus, is right
        where a mask has an intersection over union above 0.5 with it. A pair is right where one mask covers more than
        half of both its components; a nucleus with micronuclei where the mask on most of it covers more than half of
        each of them.
    """
    p, t, area = overlaps(predicted, true)
    p_area, t_area = (_areas(numbers, area) for numbers in (p, t))
    both = (p > 0) & (t > 0)
    iou = area[both] / (p_area[p[both]] + t_area[t[both]] - area[both])
    found = set(t[both][iou > 0.5].tolist())  # above a half, no two nuclei share a mask
    boxes = find_objects(true)
    rows: list[tuple[int, str, bool]] = []
    for label, kind, touching, cut in truth[list(TRUTH_COLUMNS)].itertuples(index=False):
        if cut or label > len(boxes) or boxes[label - 1] is None:
            continue
        if touching:
            rows.append((label, "touching, each with a mask", label in found))
        if kind in CASES:
            rows.append((label, kind, label in found))
        elif kind in PAIRS or kind == "micronucleus":
            box = boxes[label - 1]
            right = _in_one_mask(predicted[box], true[box] == label)
            rows.append((label, "pair kept as one" if kind in PAIRS else "micronuclei with their nucleus", right))
    return pd.DataFrame(rows, columns=["label", "case", "right"])


def judge_folders(predicted: Path, true: Path) -> pd.DataFrame | None:
    """Judge the hard cases of a folder of masks, where tables of nuclei are beside the true ones.

    Parameters
    ----------
    predicted, true : Path
        As in `evaluate_folders`; `true` may also hold `NAME.csv`, as the twin's truth does.

    Returns
    -------
    DataFrame or None
        A row a case: `case`, `nuclei`, `right` and `share`. None where no table is there.

    Raises
    ------
    NnbookError
        Where a table lacks a column, or a file can't be read.
    """
    judged = []
    for predicted_path, true_path in pair_masks(predicted, true).values():
        table = true_path.with_suffix(".csv")
        if table.is_file():
            judged.append(
                judge_cases(read_mask(predicted_path), read_mask(true_path), read_truth(table, TRUTH_COLUMNS))
            )
    return tally_cases(pd.concat(judged)) if judged else None


def tally_cases(judged: pd.DataFrame) -> pd.DataFrame:
    """Count the cases that are right: `case`, `nuclei`, `right` and `share`, a row a case that occurs."""
    counts = judged.groupby("case")["right"].agg(["size", "sum"]).reindex(CASES).dropna().astype(int)
    counts.columns = pd.Index(["nuclei", "right"])
    return counts.assign(share=counts["right"] / counts["nuclei"]).rename_axis("case").reset_index()


def _in_one_mask(predicted: Labels, nucleus: NDArray[np.bool_]) -> bool:
    """Return whether the mask on most of a nucleus covers more than half of each of its components."""
    import cv2

    mask = int(np.bincount(predicted[nucleus]).argmax())
    count, components = cv2.connectedComponents(nucleus.astype(np.uint8))
    covered = _areas(components[predicted == mask], 1, count)
    return mask > 0 and bool((2 * covered > _areas(components, 1, count))[1:].all())


def _areas(numbers: NDArray[Any], area: Any, count: int = 0) -> NDArray[np.int64]:
    """Return the area of each number: of places of one area, or of each its own."""
    weights = np.broadcast_to(area, numbers.shape).ravel()
    return np.bincount(numbers.ravel(), weights, minlength=count).astype(np.int64)
