"""Cells with two chromosome masses, found by rules, and the sheet that shows them."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING, Final, NamedTuple

import matplotlib as mpl
import numpy as np
import pandas as pd

from nnbook.cells.mitosis import find_pairs
from nnbook.figures.sheets import draw_grey, panel_grid, white_level
from nnbook.figures.style import SHEET_STYLE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from nnbook.cells.store import StoredImages

LEAST_SPREAD: Final = 0.4
MOST_APART_UM2: Final = 160.0
"""No pair is looked for in a cell whose standard deviation is a smaller share of its mean and whose area is larger: a
mask that holds a dark gap beside bright chromatin varies more, and one without such a gap is small."""

NO_PAIRS: Final = "No cell image of this build shows two sets of chromosomes under one mask."

SEPARATIONS: Final = {"early": "Early separation", "late": "Late separation"}
"""Rows of the figure, in order."""

DIVIDING: Final = ("anaphase", "telophase")
"""Classes of the truth that have two chromosome masses."""


class Pair(NamedTuple):
    """Two sets of chromosomes.

    Attributes
    ----------
    name : str
        The cell's name.
    separation : str
        One of `SEPARATIONS`.
    distance_um : float
        Between their centres.
    image : uint8, axes (y, x)
        The cell image.
    true : str or None
        The cell's class where there is a truth.
    """

    name: str
    separation: str
    distance_um: float
    image: NDArray[np.uint8]
    true: str | None


def collect_pairs(
    table: pd.DataFrame, images: Sequence[NDArray[np.uint8]] | StoredImages, px_per_um: float
) -> list[Pair]:
    """Collect the cells with two chromosome masses among an edition's: see `nnbook.cells.mitosis.find_pairs`.

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
                separation=row["separation"],
                distance_um=row["distance_um"],
                image=images[place],
                true=known if isinstance(known, str) else None,
            )
        )
    return pairs


def pairs_sheet(pairs: Sequence[Pair], px_per_um: float, columns: int = 6) -> Figure:
    """Show the first of each of `SEPARATIONS` in a row, where there are any.

    Parameters
    ----------
    pairs : sequence of Pair
        See `collect_pairs`; at least one.
    px_per_um : float
        Pixels a micrometre of the images.
    columns : int, optional
        Cells a row.

    Returns
    -------
    matplotlib.figure.Figure
    """
    with mpl.rc_context(SHEET_STYLE):
        shown_of = {how: [pair for pair in pairs if pair.separation == how][:columns] for how in SEPARATIONS}
        rows = {how: shown for how, shown in shown_of.items() if shown}
        figure, grid = panel_grid(len(rows), columns, row_inches=1.12, rest_inches=1.0)
        for row, (how, shown) in zip(grid, rows.items(), strict=True):
            for axes, pair in zip(row, shown, strict=False):
                draw_grey(axes, pair.image, px_per_um, white_level(pair.image, 99.8))
                axes.set_title(f"{pair.distance_um:.1f} µm", fontsize=10, loc="left", pad=3)
            row[0].text(-0.12, 0.5, SEPARATIONS[how], transform=row[0].transAxes, rotation=90, ha="right", va="center")
        figure.supxlabel("\n".join(wrap(summarise_pairs(pairs), 88)), x=0.01, ha="left", fontsize=10)
    return figure


def summarise_pairs(pairs: Sequence[Pair]) -> str:
    """Say how many cells there are with two sets under one mask, and how many of them the truth confirms.

    Parameters
    ----------
    pairs : sequence of Pair
        See `collect_pairs`.

    Returns
    -------
    str
        One sentence, or two where the truth has the classes of the cells.
    """
    early, late = (sum(pair.separation == how for pair in pairs) for how in SEPARATIONS)
    text = f"Two chromosome masses under one mask: {early or 'no'} in early and {late or 'no'} in late separation."
    if any(pair.true for pair in pairs):
        right = sum(pair.true in DIVIDING for pair in pairs)
        text += f" By the truth of the simulation {right} of these {len(pairs)} are in anaphase or telophase."
    return text
