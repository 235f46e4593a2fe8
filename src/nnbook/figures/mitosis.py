"""Cells with two chromosome masses, found by rules, and the sheet that shows them."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import quote

import matplotlib as mpl
import numpy as np
import pandas as pd

from nnbook.cells.mitosis import find_pairs
from nnbook.figures.sheets import draw_grey, label_bar, panel_grid, white_level
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

VIEW_PX: Final = 500
"""The width of the view of a panorama that a cell's image leads to."""


class Pair(NamedTuple):
    """Two sets of chromosomes.

    Attributes
    ----------
    panorama : str
        The name of the panorama that it is from.
    roi : int
        The number of its ROI there.
    separation : str
        One of `SEPARATIONS`.
    distance_um : float
        Between their centres.
    image : uint8, axes (y, x)
        The cell image.
    true : str or None
        The cell's class where there is a truth.
    centroid_px : (float, float) or None
        Where the nucleus is in its panorama, as (x, y), if known.
    """

    panorama: str
    roi: int
    separation: str
    distance_um: float
    image: NDArray[np.uint8]
    true: str | None
    centroid_px: tuple[float, float] | None


def collect_pairs(
    table: pd.DataFrame, images: Sequence[NDArray[np.uint8]] | StoredImages, px_per_um: float
) -> list[Pair]:
    """Collect the cells with two chromosome masses among an edition's: see `nnbook.cells.mitosis.find_pairs`.

    Parameters
    ----------
    table : pandas.DataFrame
        A row a cell: `panorama`, `roi`, `area_um2`, `mean_intensity`, `std_intensity`, and where they are known
        `class`, `x_px` and `y_px`.
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
        cell = table.iloc[place]
        x_px, y_px = (float(cell.get(axis, np.nan)) for axis in ("x_px", "y_px"))
        pairs.append(
            Pair(
                panorama=str(cell["panorama"]),
                roi=int(cell["roi"]),
                separation=row["separation"],
                distance_um=row["distance_um"],
                image=images[place],
                true=known if isinstance(known, str) else None,
                centroid_px=None if np.isnan(x_px) or np.isnan(y_px) else (x_px, y_px),
            )
        )
    return pairs


def pairs_sheet(
    pairs: Sequence[Pair], px_per_um: float, *, viewer: str = "", layer: str = "", columns: int = 4
) -> Figure:
    """Show the first of each of `SEPARATIONS` in a row, where there are any, with their names.

    Parameters
    ----------
    pairs : sequence of Pair
        See `collect_pairs`; at least one.
    px_per_um : float
        Pixels a micrometre of the images.
    viewer : str, optional
        The page and the figure that shows panoramas, such as `/nucleusnet#fig1a`. An image then links to its nucleus
        there, where the place of the nucleus is known.
    layer : str, optional
        The name of the layer that the panoramas are of, for these links.
    columns : int, optional
        Cells a row.

    Returns
    -------
    matplotlib.figure.Figure
    """
    with mpl.rc_context(SHEET_STYLE):
        shown_of = {how: [pair for pair in pairs if pair.separation == how][:columns] for how in SEPARATIONS}
        rows = {how: shown for how, shown in shown_of.items() if shown}
        figure, grid = panel_grid(len(rows), columns, row_inches=1.78, rest_inches=0.45)
        for row, (how, shown) in zip(grid, rows.items(), strict=True):
            for axes, pair in zip(row, shown, strict=False):
                draw_grey(axes, pair.image, px_per_um, white_level(pair.image, 99.8))
                label_bar(axes, px_per_um)
                name = f"{pair.panorama}\nROI {pair.roi}, {pair.distance_um:.1f} µm"
                axes.set_title(name, fontsize=9, loc="left", pad=4, linespacing=1.25)
                if viewer and pair.centroid_px is not None:
                    axes.set_url(_address(pair, viewer, layer))
                    axes.set_label(f"{pair.panorama}, ROI {pair.roi}: find it in its panorama")
            row[0].text(-0.06, 0.5, SEPARATIONS[how], transform=row[0].transAxes, rotation=90, ha="right", va="center")
        figure.supxlabel("\n".join(wrap(summarise_pairs(pairs), 88)), x=0.01, ha="left", fontsize=10)
    return figure


def _address(pair: Pair, viewer: str, layer: str) -> str:
    x_px, y_px = pair.centroid_px or (0.0, 0.0)
    place = f"&panorama={quote(pair.panorama, safe='')}&layer={quote(layer, safe='')}&roi={pair.roi}"
    return f"{viewer}{place}&view={x_px:.0f},{y_px:.0f},{VIEW_PX}"


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
