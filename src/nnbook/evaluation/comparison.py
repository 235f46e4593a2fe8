"""How good an edition's masks are, where the truth is known: against the classical method, and at other settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from nnbook.evaluation.baseline import otsu_watershed
from nnbook.evaluation.hard_cases import judge_cases, tally_cases
from nnbook.evaluation.metrics import count_matches, score_counts
from nnbook.segmentation.masks import full_masks
from nnbook.segmentation.network import network_output
from nnbook.values.published import CELLPROB_THRESHOLD, DIAMETER_PX, FLOW_THRESHOLD

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from nnbook.io.images import Image, Labels
    from nnbook.segmentation.model import Model
    from nnbook.segmentation.network import Output

CELLPOSE: Final = "Cellpose, nnbook_nuclei"
CLASSICAL: Final = "Otsu and watershed"

SCORES: Final = (
    "true_nuclei",
    "predicted_nuclei",
    "f1_0.50",
    "ap_0.50",
    "ap_0.75",
    "mean_ap",
    "mean_iou",
    "splits",
    "merges",
    "missed",
    "spurious",
)

DIAMETERS: Final = (0.6, 0.8, 1.0, 1.25, 1.6, 2.0)
"""Diameters tried, as multiples of the published one."""

FLOW_THRESHOLDS: Final = (0.1, 0.2, 0.3, 0.5, 0.8, 1.2)
CELLPROB_THRESHOLDS: Final = (-6.0, -4.0, -3.0, -2.0, -1.0, 0.0, 2.0)


@dataclass(frozen=True)
class Judged:
    """A panorama with all that is needed to score masks of it.

    Attributes
    ----------
    image : Image
        Axes (y, x).
    masks, true : Labels
        Axes (y, x): the edition's masks, and the true ones.
    truth : DataFrame
        See `nnbook.evaluation.hard_cases.judge_cases`.
    diameter_px : float
        Diameter of the nuclei, for the classical method.
    """

    image: Image
    masks: Labels
    true: Labels
    truth: pd.DataFrame
    diameter_px: float


def compare_methods(panoramas: Iterable[Judged], own: str = CELLPOSE) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Score an edition's masks, and those of the classical method, against the truth.

    Parameters
    ----------
    panoramas : iterable of Judged
        At least one; each is dropped before the next is taken.
    own : str, optional
        What the method is called that made the masks.

    Returns
    -------
    scores : DataFrame
        A row a method: `method` and `SCORES`, over the nuclei of all panoramas together
        (`nnbook.evaluation.metrics.evaluate`).
    cases : DataFrame
        A row a method and case: `method` and what `nnbook.evaluation.hard_cases.tally_cases` gives.
    """
    counts: dict[str, list[dict[str, Any]]] = {own: [], CLASSICAL: []}
    judged: dict[str, list[pd.DataFrame]] = {own: [], CLASSICAL: []}
    for panorama in panoramas:
        classical = otsu_watershed(panorama.image, panorama.diameter_px)
        for method, masks in ((own, panorama.masks), (CLASSICAL, classical)):
            counts[method].append(count_matches(masks, panorama.true))
            judged[method].append(judge_cases(masks, panorama.true, panorama.truth))
    scores = [{"method": method, **_chosen(score_counts(found))} for method, found in counts.items()]
    cases = [tally_cases(pd.concat(found)).assign(method=method) for method, found in judged.items()]
    return pd.DataFrame(scores), pd.concat(cases, ignore_index=True)


def vary_settings(panoramas: Sequence[Judged], model: Model, diameter_px: float = DIAMETER_PX) -> pd.DataFrame:
    """Score masks made with one setting varied, the others as published.

    The network runs once for each diameter; thresholds are applied to its stored output.

    Parameters
    ----------
    panoramas : sequence of Judged
        At least one.
    model : Model
        See `nnbook.segmentation.model.load_model`.
    diameter_px : float
        The published diameter.

    Returns
    -------
    DataFrame
        `setting` (`diameter_px`, `flow_threshold` or `cellprob_threshold`), `value` and `SCORES`.
    """
    rows: list[dict[str, Any]] = []

    def score(setting: str, value: float, masks: list[Labels]) -> None:
        found = [count_matches(one, panorama.true) for one, panorama in zip(masks, panoramas, strict=True)]
        rows.append({"setting": setting, "value": value, **_chosen(score_counts(found))})

    def outputs(diameter: float) -> list[Output]:
        return [network_output(panorama.image, model, diameter) for panorama in panoramas]

    def masks(found: list[Output], flow: float, cellprob: float) -> list[Labels]:
        return [
            full_masks(
                output,
                (panorama.image.shape[0], panorama.image.shape[1]),
                flow_threshold=flow,
                cellprob_threshold=cellprob,
            ).labels
            for output, panorama in zip(found, panoramas, strict=True)
        ]

    stored = outputs(diameter_px)
    for value in FLOW_THRESHOLDS:
        score("flow_threshold", value, masks(stored, value, CELLPROB_THRESHOLD))
    for value in CELLPROB_THRESHOLDS:
        score("cellprob_threshold", value, masks(stored, FLOW_THRESHOLD, value))
    for factor in DIAMETERS:
        found = stored if factor == 1 else outputs(factor * diameter_px)
        score("diameter_px", factor * diameter_px, masks(found, FLOW_THRESHOLD, CELLPROB_THRESHOLD))
    return pd.DataFrame(rows)


def _chosen(scores: dict[str, float]) -> dict[str, float]:
    return {name: scores[name] for name in SCORES}
