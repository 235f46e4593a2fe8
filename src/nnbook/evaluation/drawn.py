"""Outlines that were drawn by hand: what they say of each nucleus, and how far its mask agrees."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
from scipy.ndimage import find_objects

from nnbook.evaluation.measures import touching_labels
from nnbook.evaluation.metrics import overlaps

if TYPE_CHECKING:
    from nnbook.io.images import Labels

OUTCOMES: Final = ("matched", "missed", "merged", "split", "outline differs")


def describe_drawn(true: Labels) -> pd.DataFrame:
    """Say of each outlined nucleus whether it touches another, and whether the frame cuts it.

    Parameters
    ----------
    true : Labels
        Axes (y, x).

    Returns
    -------
    DataFrame
        As `nnbook.evaluation.hard_cases.judge_cases` reads it: `label`, `class` (empty: nobody said), `touching`,
        `cut`, in the order of labels.
    """
    labels = np.unique(true[true > 0])
    cut = np.unique(np.concatenate([true[0], true[-1], true[:, 0], true[:, -1]]))
    return pd.DataFrame(
        {
            "label": labels,
            "class": "",
            "touching": np.isin(labels, touching_labels(true)),
            "cut": np.isin(labels, cut),
        }
    )


def median_diameter(true: Labels) -> float:
    """Return the diameter in px of a circle of the median nucleus's area in a label image; 1 without a nucleus."""
    areas = np.unique(true[true > 0], return_counts=True)[1]
    return max(1.0, 2 * math.sqrt(float(np.median(areas)) / math.pi)) if len(areas) else 1.0


def overlap_of_nuclei(predicted: Labels, true: Labels, described: pd.DataFrame) -> pd.DataFrame:
    """Measure how far each outlined nucleus and its mask agree.

    Parameters
    ----------
    predicted, true : Labels
        Axes (y, x), of one size.
    described : DataFrame
        See `describe_drawn`.

    Returns
    -------
    DataFrame
        What `described` has, with `x_px` and `y_px` (the middle of the nucleus's box), `iou` (with the mask that shares
        most pixels with it; 0 where none does) and `outcome`, one of `OUTCOMES`: *matched* with an intersection over
        union above 0.5; else *missed* where masks cover less than half of it, *merged* where its mask also has more
        than half of another nucleus, *split* where more than half of each of several masks is in it.
    """
    p, t, area = overlaps(predicted, true)
    p_total, t_total = (np.bincount(numbers, area).astype(np.int64) for numbers in (p, t))
    pairs = pd.DataFrame({"mask": p, "label": t, "area": area})[(p > 0) & (t > 0)]
    pairs["of_mask"] = pairs["area"] / p_total[pairs["mask"]]
    pairs["of_label"] = pairs["area"] / t_total[pairs["label"]]
    pairs["iou"] = pairs["area"] / (p_total[pairs["mask"]] + t_total[pairs["label"]] - pairs["area"])
    boxes = find_objects(true)
    holds = pairs[pairs["of_label"] > 0.5].groupby("mask").size()
    rows = []
    for label in described["label"].tolist():
        mine = pairs[pairs["label"] == label].sort_values("area", kind="stable")
        best = mine.iloc[-1] if len(mine) else None
        y, x = boxes[label - 1]
        rows.append(
            {
                "x_px": (x.start + x.stop) / 2,
                "y_px": (y.start + y.stop) / 2,
                "iou": 0.0 if best is None else round(float(best["iou"]), 4),
                "outcome": _outcome(mine, 0 if best is None else int(holds.get(best["mask"], 0))),
            }
        )
    return pd.concat([described, pd.DataFrame(rows, index=described.index)], axis=1)


def _outcome(mine: pd.DataFrame, held: int) -> str:
    """Say what became of a nucleus, by the masks on it, and by how many nuclei its mask holds."""
    if (mine["iou"] > 0.5).any():
        return "matched"
    if mine["of_label"].sum() < 0.5:
        return "missed"
    if held > 1:
        return "merged"
    return "split" if (mine["of_mask"] > 0.5).sum() > 1 else "outline differs"
