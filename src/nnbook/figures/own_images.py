"""What a book of the user's own images says of them: what they add up to, which there are, and how they were masked."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from nnbook.measurement.imaged_area import area
from nnbook.measurement.selection import centroid
from nnbook.values.computed import Number
from nnbook.values.formatting import shown
from nnbook.values.table import Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from nnbook.figures.readers import MaskRecord
    from nnbook.io.manifest import Panorama

MOST_ROWS: Final = 60
"""A list of more panoramas is not read; the manifest has all of them."""


def own_numbers(
    panoramas: Sequence[Panorama], results: pd.DataFrame, rois: pd.DataFrame, px_per_um: float
) -> tuple[Number, ...]:
    """Return what panoramas of the user's own add up to.

    Parameters
    ----------
    panoramas : sequence of Panorama
        The manifest's rows.
    results, rois : pandas.DataFrame
        See `nnbook.io.results.read_results` and `nnbook.measurement.rois.measure_panorama`.
    px_per_um : float
        Pixels a micrometre.

    Returns
    -------
    tuple of Number
        Counts, the imaged area, and the size and brightness of nuclei. The number of experiments is left out where the
        manifest tells none apart, and medians, which are over nuclei that no edge cuts, where there is none.
    """
    runs = {one.run for one in panoramas}
    nuclei = int(results["num_rois"].sum())
    px2 = sum(one.width_px * one.height_px for one in panoramas)
    mm2 = area(px2, px_per_um).cm2 * 100
    whole = rois.loc[~rois["at_border"].astype(bool), "area_um2"]
    centre = centroid(results)
    sizes = (
        (
            _number("nuclei.area", "Area of a nucleus, median", float(whole.median()), "µm²"),
            _number(
                "nuclei.diameter", "Diameter of a circle of this area", 2 * math.sqrt(whole.median() / math.pi), "µm"
            ),
        )
        if len(whole)
        else ()
    )
    return (
        Number("panoramas.count", "Panoramas", len(panoramas)),
        *([Number("experiments.count", "Experiments", len(runs))] if len(runs) > 1 else []),
        Number("rois.count", "Nuclei", nuclei),
        Number("rois.at_border", "Nuclei that the edge of a panorama cuts", int(rois["at_border"].sum())),
        _number("area.mm2", "Imaged area", mm2, "mm²"),
        _number("area.scale", "Scale", px_per_um, "px/µm"),
        _number("rois.density", "Nuclei in the imaged area", nuclei / mm2, "1/mm²"),
        _number("rois.per_panorama", "Nuclei per panorama, mean", float(centre["num_rois"]), ""),
        _number(
            "intensity.mean",
            "Mean intensity inside masks, mean of panoramas",
            float(centre["mean_intensity"]),
            "grey levels",
        ),
        *sizes,
    )


def images_table(panoramas: Sequence[Panorama], results: pd.DataFrame) -> Table:
    """List panoramas of the user's own, with what the manifest says of them.

    Parameters
    ----------
    panoramas : sequence of Panorama
        The manifest's rows.
    results : pandas.DataFrame
        See `nnbook.io.results.read_results`.

    Returns
    -------
    Table
        Only columns in which there is something; of many panoramas the first `MOST_ROWS`.
    """
    counts = dict(zip(results["image"], results["num_rois"], strict=True))
    columns = {
        "Panorama": [one.panorama for one in panoramas],
        "Experiment": [str(one.run) for one in panoramas] if len({one.run for one in panoramas}) > 1 else [],
        "Condition": [one.condition for one in panoramas],
        "Replicate": [one.replicate for one in panoramas],
        "Size (px)": [f"{one.width_px:,} × {one.height_px:,}" for one in panoramas],
        "Nuclei": [f"{counts[one.image.rsplit('/', 1)[-1]]:,}" for one in panoramas],
        "Mask": ["given" if one.mask else "" for one in panoramas],
        "Outlines by hand": ["yes" if one.truth else "" for one in panoramas],
        "SHA-256": [one.image_sha256[:8] for one in panoramas],
    }
    kept = {title: texts for title, texts in columns.items() if any(texts)}
    left_out = len(panoramas) - MOST_ROWS
    return Table(
        header=tuple(kept),
        rows=tuple(zip(*(texts[:MOST_ROWS] for texts in kept.values()), strict=True)),
        numeric=frozenset(at for at, title in enumerate(kept) if title in {"Nuclei", "Size (px)"}),
        note=f"And {left_out:,} more, which the manifest lists." if left_out > 0 else "",
    )


def masks_table(records: Sequence[MaskRecord]) -> Table:
    """List with which model and diameter masks were made.

    Parameters
    ----------
    records : sequence of MaskRecord
        See `nnbook.figures.readers.read_mask_records`; at least one.

    Returns
    -------
    Table
        A row for each model and diameter that was asked for.
    """
    groups: dict[tuple[str, float | None], list[MaskRecord]] = {}
    for record in records:
        groups.setdefault((record.model, record.diameter_px), []).append(record)
    rows = []
    for (model, asked), several in groups.items():
        found = np.array([one.found_px for one in several if one.found_px > 0])
        span = "no nucleus found" if not len(found) else shown(float(found.min()), "", 1)
        if len(found) and found.max() > found.min():
            span += f" to {shown(float(found.max()), '', 1)}"
        rows.append(
            (
                model,
                "found in each image" if asked is None else "as given",
                span,
                f"{len(several):,}",
                f"{sum(one.by_hand for one in several):,}",
            )
        )
    return Table(
        header=("Model", "Diameter", "Diameter (px)", "Panoramas", "Corrected by hand"),
        rows=tuple(rows),
        numeric=frozenset({2, 3, 4}),
    )


def outcomes_table(nuclei: pd.DataFrame) -> Table:
    """List what became of nuclei that were outlined by hand.

    Parameters
    ----------
    nuclei : pandas.DataFrame
        See `nnbook.evaluation.drawn.overlap_of_nuclei`.

    Returns
    -------
    Table
        A row for all nuclei, and one each for those that touch another and those that the edge cuts, if there are any.
    """
    groups = {"All": nuclei, "Touching": nuclei[nuclei["touching"]], "Cut": nuclei[nuclei["cut"]]}
    outcomes = ("matched", "missed", "merged", "split", "outline differs")
    rows = [
        (title, f"{len(some):,}", *(f"{(some['outcome'] == outcome).sum():,}" for outcome in outcomes))
        for title, some in groups.items()
        if len(some)
    ]
    return Table(
        header=("Nuclei", "Outlined", *(outcome.capitalize() for outcome in outcomes)),
        rows=tuple(rows),
        numeric=frozenset(range(1, 2 + len(outcomes))),
    )


def _number(key: str, title: str, value: float, unit: str) -> Number:
    """Return a number with about three digits that count."""
    digits = 0 if value == 0 else min(6, max(0, 2 - math.floor(math.log10(abs(value)))))
    return Number(key, title, value, unit, digits)
