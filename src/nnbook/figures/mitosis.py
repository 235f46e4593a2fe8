"""The figures of single cells, in the style of `nnbook.figures.style`."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING, Final, NamedTuple

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from nnbook.cells.mitosis import find_pairs
from nnbook.figures.style import STYLE, titled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

LEAST_SPREAD: Final = 0.4
MOST_APART_UM2: Final = 160.0
"""Cells whose standard deviation is a smaller share of their mean, and whose area is larger, aren't looked at for two
sets of chromosomes: a mask that holds a dark gap beside bright chromatin varies more, and one without it is small."""

NO_PAIRS: Final = (
    "No cell image of this edition shows two sets of chromosomes under one mask. "
    "The published edition has no images here."
)

STAGES: Final = {"anaphase": "Anaphase", "telophase": "Telophase"}
"""Rows of the figure, in order."""


class Pair(NamedTuple):
    """Two sets of chromosomes.

    Attributes
    ----------
    name : str
        The cell's.
    stage : str
        One of `STAGES`.
    distance_um : float
        Between their middles.
    image : uint8, axes (y, x)
        The cell image.
    true : str or None
        The cell's class where the truth knows it.
    """

    name: str
    stage: str
    distance_um: float
    image: NDArray[np.uint8]
    true: str | None


def read_pairs(table: pd.DataFrame, images: Sequence[NDArray[np.uint8]], px_per_um: float) -> list[Pair]:
    """Look through an edition's cells for anaphases and telophases: see `nnbook.cells.mitosis.find_pairs`.

    Parameters
    ----------
    table : pandas.DataFrame
        A row a cell: `cell`, `area_um2`, `mean_intensity`, `std_intensity`, and `class` where it is known.
    images : sequence of uint8, axes (y, x)
        The cells' images, in the same order.
    px_per_um : float
        Pixels a micrometre.

    Returns
    -------
    list of Pair
        Those with most contrast first.
    """
    spread = table["std_intensity"] / table["mean_intensity"]
    looked_at = np.flatnonzero((spread >= LEAST_SPREAD) | (table["area_um2"] <= MOST_APART_UM2))
    found = find_pairs((images[int(k)] for k in looked_at), px_per_um).sort_values("contrast", ascending=False)
    classes = table["class"] if "class" in table else pd.Series(None, table.index, dtype=object)
    pairs = []
    for row in found.to_dict("records"):
        place = int(looked_at[row["index"]])
        known = classes.iloc[place]
        pairs.append(
            Pair(
                name=str(table["cell"].iloc[place]),
                stage=row["stage"],
                distance_um=row["distance_um"],
                image=images[place],
                true=known if isinstance(known, str) else None,
            )
        )
    return pairs


def pairs_sheet(pairs: Sequence[Pair], px_per_um: float, note: str = "", columns: int = 6) -> Figure:
    """Show the first of each of `STAGES` in a row, where there are any.

    Parameters
    ----------
    pairs : sequence of Pair
        See `read_pairs`; at least one.
    px_per_um : float
        Pixels a micrometre of the images.
    note : str, optional
        Which edition it is.
    columns : int, optional
        Cells a row.

    Returns
    -------
    matplotlib.figure.Figure
    """
    with mpl.rc_context(STYLE):
        shown_of = {stage: [pair for pair in pairs if pair.stage == stage][:columns] for stage in STAGES}
        rows = {stage: shown for stage, shown in shown_of.items() if shown}
        figure = Figure(figsize=(7.2, 1.0 + 1.3 * len(rows)), layout="constrained")
        grid = figure.subplots(len(rows), columns, squeeze=False)
        for row, (stage, shown) in zip(grid, rows.items(), strict=True):
            for axes, pair in zip(row, shown, strict=False):
                axes.imshow(pair.image, cmap="gray", vmin=0, vmax=max(float(np.percentile(pair.image, 99.8)), 1.0))
                axes.set_title(f"{pair.distance_um:.1f} µm", fontsize=10, loc="left", pad=3)
                length = 10 * px_per_um
                axes.plot([12, 12 + length], [pair.image.shape[0] - 16] * 2, color="white", lw=3, solid_capstyle="butt")
                axes.set(xlim=(0, pair.image.shape[1]), ylim=(pair.image.shape[0], 0))
            for axes in row:
                axes.set_axis_off()
            row[0].text(-0.12, 0.5, STAGES[stage], transform=row[0].transAxes, rotation=90, ha="right", va="center")
        figure.supxlabel("\n".join(wrap(tell_pairs(pairs), 88)), x=0.01, ha="left", fontsize=10, color="#444444")
        titled(figure, note, 72)
    return figure


def tell_pairs(pairs: Sequence[Pair]) -> str:
    """Say how many cells there are with two sets under one mask, and how many of them the truth confirms."""
    of = {stage: [pair for pair in pairs if pair.stage == stage] for stage in STAGES}
    one_mask = of["anaphase"] + of["telophase"]
    told = f"Under one mask: {len(of['anaphase']) or 'no'} anaphases and {len(of['telophase']) or 'no'} telophases."
    if any(pair.true for pair in one_mask):
        right = sum(pair.true in {"anaphase", "telophase"} for pair in one_mask)
        told += f" By the truth of the simulation {right} of these {len(one_mask)} are in one of the two stages."
    return told
