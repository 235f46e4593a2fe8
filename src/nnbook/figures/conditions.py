"""Conditions side by side: a point for each replicate, and how far each condition is from the reference."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from nnbook.figures.style import BLUE, NEUTRAL, STYLE, VERMILION
from nnbook.measurement.conditions import MEASURES, differences, reference_of
from nnbook.values.formatting import shown
from nnbook.values.table import Table

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from nnbook.measurement.conditions import Difference

TITLES: Final = {
    "density": ("Nuclei\n(1/mm²)", "Nuclei in the imaged area (1/mm²)"),
    "area_um2": ("Area of nuclei\n(µm²)", "Area of a nucleus, median (µm²)"),
    "mean_intensity": ("Brightness\n(grey levels)", "Mean intensity of a nucleus, median (grey levels)"),
}
"""What each measure is called in the figure and in the table."""

MOST_LETTERS: Final = 12


def conditions_plot(values: pd.DataFrame) -> Figure:
    """Show the replicates of each condition, and beside them the difference from the reference.

    Parameters
    ----------
    values : pandas.DataFrame
        See `nnbook.measurement.conditions.replicate_values`.

    Returns
    -------
    matplotlib.figure.Figure
        A row a measure. At the left, points are replicates and bars are their means; at the right, where there is
        another condition than the reference, points are differences of means, with the interval where one can be given.
    """
    conditions = list(dict.fromkeys(values["condition"]))
    compared = len(conditions) > 1
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(6.0, 7.2 if compared else 6.0), layout="constrained")
        grid = figure.subplots(
            len(MEASURES), 2 if compared else 1, sharex="col", squeeze=False, width_ratios=(3, 2) if compared else None
        )
        for axes, measure in zip(grid, MEASURES, strict=True):
            _draw_replicates(axes[0], values, conditions, measure)
            if compared:
                _draw_differences(axes[1], differences(values, measure))
        if compared:
            grid[0, 1].set_title(f"Difference from\n{_short(reference_of(conditions))}", fontsize=12)
    return figure


def _draw_replicates(axes: Axes, values: pd.DataFrame, conditions: list[str], measure: str) -> None:
    for place, condition in enumerate(conditions):
        own = values.loc[values["condition"] == condition, measure].dropna().to_numpy(np.float64)
        if not len(own):
            continue
        axes.hlines(own.mean(), place - 0.28, place + 0.28, color=NEUTRAL, linewidth=2)
        beside = np.linspace(-0.16, 0.16, len(own)) if len(own) > 1 else np.zeros(1)
        axes.plot(place + beside, own, "o", color=VERMILION, markersize=7, markeredgecolor="white")
    highest = float(values[measure].max())
    axes.set(ylabel=TITLES[measure][0], xlim=(-0.6, len(conditions) - 0.4))
    axes.set_ylim(0, 1.1 * highest if highest > 0 else 1)
    _name_places(axes, conditions)


def _draw_differences(axes: Axes, found: list[Difference]) -> None:
    axes.axhline(0, color=NEUTRAL, linewidth=1, linestyle="--")
    for place, one in enumerate(found):
        axes.plot(place, one.value, "s", color=BLUE, markersize=7)
        if one.interval:
            axes.vlines(place, *one.interval, color=BLUE, linewidth=2)
        else:
            axes.annotate(
                "no interval", (place, one.value), (0, 9), textcoords="offset points", ha="center", fontsize=10
            )
    axes.margins(y=0.25)
    axes.set(xlim=(-0.6, len(found) - 0.4))
    axes.yaxis.tick_right()
    axes.spines["right"].set_visible(True)
    axes.spines["left"].set_visible(False)
    _name_places(axes, [one.condition for one in found])


def _name_places(axes: Axes, conditions: list[str]) -> None:
    crowded = len(conditions) > 3 or max(map(len, conditions), default=0) > MOST_LETTERS
    names = [_short(name) for name in conditions]
    axes.set_xticks(range(len(names)), names, rotation=35 if crowded else 0, ha="right" if crowded else "center")


def _short(name: str) -> str:
    """Return a name as a figure can show it: in its width, and with no sign that begins mathematics."""
    kept = name if len(name) <= 2 * MOST_LETTERS else f"{name[: 2 * MOST_LETTERS - 1]}…"
    return kept.replace("$", r"\$")


def differences_table(values: pd.DataFrame) -> Table:
    """List how far each condition is from the reference.

    Parameters
    ----------
    values : pandas.DataFrame
        See `nnbook.measurement.conditions.replicate_values`.

    Returns
    -------
    Table
        A row a measure and condition. The note says why an interval is missing.
    """
    rows, notes = [], []
    for measure in MEASURES:
        found = differences(values, measure)
        for one in found:
            digits = _digits([one.mean, one.reference_mean])
            ends = "none" if one.interval is None else " to ".join(shown(end, "", digits) for end in one.interval)
            share = f" ({shown(100 * one.value / one.reference_mean, '%', 0)})" if one.reference_mean else ""
            rows.append(
                (
                    TITLES[measure][1],
                    one.condition,
                    f"{shown(one.value, '', digits)}{share}",
                    ends,
                    f"{shown(one.mean, '', digits)} ({one.replicates})",
                    f"{shown(one.reference_mean, '', digits)} ({one.reference_replicates})",
                )
            )
            notes += [one.why] if one.why else []
    reference = reference_of(list(dict.fromkeys(values["condition"])))
    notes = list(dict.fromkeys(notes))
    if not rows:
        notes.append(f"All panoramas are of one condition, {reference}, so there is nothing to compare it with")
    return Table(
        header=(
            "Measure",
            "Condition",
            "Difference",
            "95 % interval",
            "Mean (replicates)",
            f"{reference} (replicates)",
        ),
        rows=tuple(rows),
        numeric=frozenset({2, 3, 4, 5}),
        note="".join(f"{note[0].upper()}{note[1:]}. " for note in notes).strip(),
    )


def replicates_table(values: pd.DataFrame) -> Table:
    """List what each replicate has.

    Parameters
    ----------
    values : pandas.DataFrame
        See `nnbook.measurement.conditions.replicate_values`.

    Returns
    -------
    Table
    """
    digits = {measure: _digits(values[measure].dropna().tolist()) for measure in MEASURES}
    return Table(
        header=("Condition", "Replicate", "Panoramas", "Nuclei", "Nuclei (1/mm²)", "Area (µm²)", "Brightness"),
        rows=tuple(
            (
                str(row["condition"]),
                str(row["replicate"]) or "not named",
                f"{row['panoramas']:,}",
                f"{row['nuclei']:,}",
                *(
                    "no whole nucleus" if math.isnan(row[measure]) else shown(row[measure], "", digits[measure])
                    for measure in MEASURES
                ),
            )
            for row in values.to_dict("records")
        ),
        numeric=frozenset({2, 3, 4, 5, 6}),
    )


def _digits(values: list[float]) -> int:
    """Return how many digits after the point show values with about three that count."""
    largest = max((abs(value) for value in values), default=0)
    return 0 if largest == 0 else min(6, max(0, 2 - math.floor(math.log10(largest))))
