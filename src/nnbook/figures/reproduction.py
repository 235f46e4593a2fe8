"""Values recomputed from published data, beside those that were published, and a layer's own."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import PurePath
from typing import TYPE_CHECKING, Final

import numpy as np

from nnbook.errors import NnbookError
from nnbook.io.manifest import NAME
from nnbook.measurement.appearance import between_runs_share
from nnbook.measurement.imaged_area import area
from nnbook.measurement.selection import centroid, measured
from nnbook.values.computed import Number
from nnbook.values.formatting import shown
from nnbook.values.published import CITED
from nnbook.values.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

RECOMPUTED: Final = "published."
"""The prefix of the keys of values recomputed from published data; what follows is the key of the cited value."""


def area_numbers(px2: int, px_per_um: float, panoramas: int) -> tuple[Number, ...]:
    """Return the numbers of an imaged area.

    Parameters
    ----------
    px2 : int
        Pixels: the sum of width times height over all panoramas.
    px_per_um : float
        Pixels a micrometre.
    panoramas : int
        How many panoramas there are.

    Returns
    -------
    tuple of Number
        The area in px² and cm², the scale, the side of the square of equal area, and the mean panorama's area and side.

    Raises
    ------
    NnbookError
        Where any of them is not above 0.
    """
    if panoramas < 1:
        raise NnbookError(f"there are {panoramas} panoramas; an area needs at least one")
    imaged = area(px2, px_per_um)
    mean_mm2 = imaged.cm2 * 100 / panoramas  # 1 cm² is 100 mm²
    return (
        Number("area.px2", "Imaged area in pixels", imaged.px2, "px²"),
        Number("area.scale", "Scale", imaged.px_per_um, "px/µm", digits=4),
        Number("area.cm2", "Imaged area", imaged.cm2, "cm²", digits=4),
        Number("area.side", "Side of the square of equal area", imaged.square_side_cm, "cm", digits=3),
        Number("panoramas.mean_area", "Mean area of a panorama", mean_mm2, "mm²", digits=3),
        Number("panoramas.mean_side", "Mean side of a panorama", math.sqrt(mean_mm2), "mm", digits=3),
    )


def results_numbers(results: pd.DataFrame, px2: int, px_per_um: float) -> tuple[Number, ...]:
    """Return what a table of results adds up to.

    Parameters
    ----------
    results : pandas.DataFrame
        See `nnbook.io.results.read_results`. Means are over panoramas that have a nucleus.
    px2 : int
        The imaged area of its panoramas.
    px_per_um : float
        Pixels a micrometre.

    Returns
    -------
    tuple of Number
        Counts of panoramas, experiments and nuclei, nuclei a mm² and a panorama, and mean brightness and spread. The
        number of experiments, and of panoramas of each, is None where neither a column nor names have the experiment.
    """
    runs = _runs(results)
    rois = int(results["num_rois"].sum())
    centre = centroid(results)
    spread = float(measured(results)["std_intensity"].mean())
    each = len(results) / len(runs) if runs else None
    return (
        Number("panoramas.count", "Panoramas", len(results)),
        Number("experiments.count", "Experiments", len(runs) or None),
        Number("panoramas.per_experiment", "Panoramas from each experiment", each),
        Number("rois.count", "ROIs in the table of results", rois),
        Number("rois.density", "Nuclei in the imaged area", rois / area(px2, px_per_um).cm2 / 100, "1/mm²", digits=1),
        Number("rois.per_panorama", "Nuclei per panorama, mean", float(centre["num_rois"]), digits=1),
        Number("intensity.mean", "Mean intensity inside masks", float(centre["mean_intensity"]), "grey levels", 2),
        Number("intensity.spread", "Mean of the spread (SD) inside masks", spread, "grey levels", 2),
    )


def experiments_numbers(results: pd.DataFrame | None) -> tuple[Number, ...]:
    """Return how far experiments of the published table differ.

    Parameters
    ----------
    results : pandas.DataFrame or None
        See `nnbook.io.results.read_results`, with names of the published form; None where the table is not at hand.

    Returns
    -------
    tuple of Number
        The shares of the variance of count and of brightness that lie between experiments, and the mean, fewest and
        most ROIs of an experiment; each None where there is no table.
    """
    values: list[float | None] = [None] * 5
    if results is not None:
        runs = results["image"].map(lambda image: int(_run_of(image)))
        totals = results.groupby(runs)["num_rois"].sum()
        shares = [
            100 * between_runs_share(results[name].to_numpy(np.float64), runs.to_numpy(np.int64))
            for name in ("num_rois", "mean_intensity")
        ]
        values = [*shares, float(totals.mean()), int(totals.min()), int(totals.max())]
    count, brightness, mean, fewest, most = values
    return (
        Number("published.variance.count", "Variance of the number of ROIs that is between experiments", count, "%"),
        Number(
            "published.variance.intensity", "Variance of mean intensity that is between experiments", brightness, "%"
        ),
        Number("published.rois.per_experiment", "ROIs of an experiment, mean", mean),
        Number("published.rois.fewest", "ROIs of an experiment, fewest", fewest),
        Number("published.rois.most", "ROIs of an experiment, most", most),
    )


def recomputed(numbers: Iterable[Number]) -> tuple[Number, ...]:
    """Return numbers under the keys that mark them as recomputed from published data.

    Parameters
    ----------
    numbers : iterable of Number
        See `area_numbers` and `results_numbers`.

    Returns
    -------
    tuple of Number
    """
    return tuple(
        replace(number, key=RECOMPUTED + number.key, title=f"{number.title}, recomputed from published data")
        for number in numbers
    )


def reproduction_table(again: Iterable[Number], own: Iterable[Number], name: str) -> Table:
    """Compare values recomputed from published data with those published, and list a layer's own beside them.

    Parameters
    ----------
    again : iterable of Number
        Values recomputed from published data: see `recomputed`. Those that are missing, as where there is no published
        table, show a dash.
    own : iterable of Number
        The layer's values, under the same keys without `published.`.
    name : str
        What the layer's column is called.

    Returns
    -------
    Table
        A row for each of the layer's values, in their order. The difference is recomputed minus published, and
        agrees where it is within the tolerance that `published.yml` states with the value.
    """
    by_key = {number.key.removeprefix(RECOMPUTED): number for number in again}
    return Table(
        header=("Quantity", "Agrees", "Published", "Recomputed", "Difference", "Tolerance", name),
        rows=tuple((number.title, *_compared(number.key, by_key.get(number.key)), number.shown) for number in own),
        numeric=frozenset(range(2, 7)),
    )


def agrees(key: str, value: float) -> bool:
    """Return whether a recomputed value is within the tolerance that `published.yml` states for the cited one.

    Parameters
    ----------
    key : str
        The key of the cited value.
    value : float
        The recomputed value.

    Returns
    -------
    bool

    Raises
    ------
    NnbookError
        Where there is no cited value of this key that has a tolerance.
    """
    if key not in CITED or CITED[key].tolerance is None:
        raise NnbookError(f"{key} has no tolerance in published.yml; state one with the value")
    return abs(value - CITED[key].value) <= (CITED[key].tolerance or 0)


def _compared(key: str, number: Number | None) -> tuple[str, str, str, str, str]:
    """Return whether the published and the recomputed value agree, both, their difference, and the tolerance."""
    cited = CITED.get(key)
    stated = "–" if cited is None else cited.shown
    again = "–" if number is None else number.shown
    if cited is None or number is None or number.value is None or cited.tolerance is None:
        return "–", stated, again, "–", "–"
    difference = shown(number.value - cited.value, "", number.digits)
    if not difference.startswith("−") and float(difference.replace(",", "")) > 0:
        difference = f"+{difference}"
    return "yes" if agrees(key, number.value) else "no", stated, again, difference, f"{cited.tolerance:g}"


def _runs(results: pd.DataFrame) -> set[str]:
    """Return the runs of a table: those of its column, else those in the names of images if each of them has one."""
    if "run" in results:
        return {str(run) for run in results["run"]}
    runs = {_run_of(image) for image in results["image"]}
    return set() if "" in runs else runs


def _run_of(image: str) -> str:
    """Return the run in the name of an image; empty where it has none."""
    name = NAME.fullmatch(PurePath(image).stem)
    return name["run"] if name else ""
