"""The book's figures and tables: each function takes a table or arrays and returns something that a notebook shows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from html import escape
from io import BytesIO
from textwrap import wrap
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import matplotlib as mpl
import matplotlib.ticker
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from PIL import Image as PillowImage
from plotly.graph_objects import Figure as PlotlyFigure  # type: ignore[attr-defined]  # exported lazily
from skimage.segmentation import find_boundaries

from nnbook.errors import NnbookError
from nnbook.io.files import aside
from nnbook.io.images import read_image, read_mask
from nnbook.measurement.selection import centroid, measured
from nnbook.values import published
from nnbook.values.table import Table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pandas as pd
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from nnbook.io.images import Labels
    from nnbook.io.manifest import Panorama

COUNT_TITLE: Final = "Nuclei per panorama"
MEAN_TITLE: Final = "Mean intensity inside masks (grey levels, 8 bit)"
SPREAD_TITLE: Final = "SD inside masks (grey levels)"

VERMILION: Final = "#d55e00"
"""One of Okabe and Ito's colours: told apart from grey levels, and from viridis by its brightness, by every reader."""

NEUTRAL: Final = "#7a7a7a"
"""A grey that keeps a contrast of 4 to 1 and more on white and on near black: interactive figures show on both."""

STYLE: Final = mpl.RcParams(
    {
        "figure.dpi": 240,
        "figure.figsize": (6.0, 4.8),
        "font.size": 12,
        "axes.labelsize": 12,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "xtick.labelsize": 11,
        "ytick.labelsize": 11,
        "savefig.facecolor": "white",
    }
)
"""The look of all static figures: 12 pt at 6 inches is read on a phone and in print."""

PANEL_PX: Final = 560
"""Panoramas on a contact sheet are reduced to at most this side."""

NO_IMAGES: Final = (
    "This edition has the table of results but not the images, so the panoramas cannot be shown here. "
    "Their values need no images: see the table of the panoramas nearest the centroid."
)

NO_CELLS: Final = "This edition has the table of results but not the images, so there are no cells to show here."

NO_PUBLISHED_TABLE: Final = (
    "The published table of results was not fetched for this build. "
    "Run make book EDITION=published once, and build again."
)


class Panel(NamedTuple):
    """A panorama reduced to the size of a contact sheet.

    Attributes
    ----------
    name : str
        The panorama's name.
    image : numpy.ndarray
        Axes (y, x), float32, mean grey level of each block of pixels.
    labels : Labels
        Axes (y, x), int32, the label in the middle of each block.
    px_per_um : float
        Pixels of the reduced image a micrometre.
    """

    name: str
    image: NDArray[np.float32]
    labels: Labels
    px_per_um: float


@dataclass(frozen=True)
class Notice:
    """A sentence in place of a figure or table that this edition cannot show."""

    text: str

    def _repr_html_(self) -> str:
        return f"<p><em>{escape(self.text)}</em></p>"

    def __repr__(self) -> str:
        return self.text


@dataclass(frozen=True, repr=False)
class Picture:
    """A PNG file's bytes and the text for readers who do not see it."""

    png: bytes
    alt: str

    def __repr__(self) -> str:
        return self.alt  # a page takes an output's plain text for its alternative text

    def _repr_png_(self) -> tuple[bytes, dict[str, str]]:
        return self.png, {"alt": self.alt}


def scatter(results: pd.DataFrame, note: str = "") -> PlotlyFigure:
    """Plot count against brightness, a point a panorama, coloured by the spread of brightness: interactive.

    Parameters
    ----------
    results : pandas.DataFrame
        See `nnbook.io.results.read_results`. Panoramas without a nucleus have no brightness and no point.
    note : str, optional
        Which edition it is: see `nnbook.io.edition.Edition`. It goes where the figure goes.

    Returns
    -------
    plotly.graph_objects.Figure
        Its first trace is the panoramas, in the order of the table, with their names as `customdata`; its second is
        the centroid.
    """
    table = measured(results)
    centre = centroid(results)
    points = {
        "type": "scatter",
        "name": "Panorama",
        "x": table["num_rois"],
        "y": table["mean_intensity"],
        "customdata": [_stem(image) for image in table["image"]],
        "mode": "markers",
        "marker": {
            "size": _marker_px(len(table)),
            "color": table["std_intensity"],
            "colorscale": "Viridis",
            # Either end of the scale is close to one of the two backgrounds; the line keeps the point visible.
            "line": {"width": 0.6, "color": NEUTRAL},
            "colorbar": {
                "title": {"text": SPREAD_TITLE, "side": "top"},
                "orientation": "h",
                "thickness": 12,
                "y": -0.17,
                "yanchor": "top",
                "outlinewidth": 0,
            },
        },
        "hovertemplate": (
            "<b>%{customdata}</b><br>%{x} nuclei<br>mean %{y:.1f} grey levels"
            "<br>SD %{marker.color:.1f} grey levels<extra></extra>"
        ),
    }
    middle = {
        "type": "scatter",
        "name": "Centroid",
        "x": [centre["num_rois"]],
        "y": [centre["mean_intensity"]],
        "mode": "markers",
        "marker": {"symbol": "cross", "size": 15, "color": VERMILION, "line": {"width": 1.5, "color": "white"}},
        "hovertemplate": "<b>Centroid</b><br>%{x:.1f} nuclei<br>mean %{y:.2f} grey levels<extra></extra>",
    }
    name = {
        "x": centre["num_rois"],
        "y": centre["mean_intensity"],
        "text": "<b>Centroid</b>",
        # The halo parts the name from the points behind it; a plate would hide them.
        "font": {"color": VERMILION, "size": 15, "shadow": ", ".join(["0 0 2px white"] * 4)},
        "arrowcolor": VERMILION,
        "ax": 48,
        "ay": -40,
    }
    note_text = _broken(note, "<br>", width=40)
    edition = {
        "text": note_text,
        "font": {"size": 12},
        "showarrow": False,
        "align": "left",
        "xref": "paper",
        "x": 0,
        "xanchor": "left",
        "yref": "paper",
        "y": 1,
        "yanchor": "bottom",
        "yshift": 6,
    }
    return PlotlyFigure(  # type: ignore[no-untyped-call]
        data=[points, middle], layout={**_plotly_layout(note_text.count("<br>") + 1), "annotations": [name, edition]}
    )


def scatter_static(results: pd.DataFrame, note: str = "") -> Figure:
    """Plot count against brightness as `scatter` does, for print.

    Parameters
    ----------
    results : pandas.DataFrame
        See `nnbook.io.results.read_results`.
    note : str, optional
        Which edition it is: see `nnbook.io.edition.Edition`. It goes where the figure goes.

    Returns
    -------
    matplotlib.figure.Figure
    """
    table = measured(results)
    centre = centroid(results)
    with mpl.rc_context(STYLE):
        figure = Figure(layout="constrained")
        axes = figure.subplots()
        points = axes.scatter(
            table["num_rois"],
            table["mean_intensity"],
            c=table["std_intensity"],
            s=_marker_px(len(table)) ** 2 / 2,
            cmap="viridis",
            edgecolors=NEUTRAL,
            linewidths=0.3,
        )
        axes.plot(
            centre["num_rois"], centre["mean_intensity"], "P", color=VERMILION, markersize=11, markeredgecolor="white"
        )
        axes.annotate(
            "Centroid",
            (centre["num_rois"], centre["mean_intensity"]),
            xytext=(28, 26),
            textcoords="offset points",
            color=VERMILION,
            fontweight="bold",
            path_effects=[withStroke(linewidth=3, foreground="white")],
            arrowprops={"arrowstyle": "-", "color": VERMILION, "shrinkB": 6},
        )
        axes.set(xlabel=COUNT_TITLE, ylabel=MEAN_TITLE.replace(" (", "\n("))
        bar = figure.colorbar(points, ax=axes, location="bottom", aspect=40, pad=0.04)
        bar.set_label(SPREAD_TITLE)
        bar.outline.set_visible(False)
        titled(figure, note, 58)
    return figure


def read_panels(
    folder: Path, panoramas: Sequence[Panorama], names: Sequence[str], side_px: int = PANEL_PX
) -> list[Panel]:
    """Read panoramas and their masks, reduced to the size of a contact sheet.

    Parameters
    ----------
    folder : Path
        The edition's folder: images lie below it at their paths in the manifest, masks as
        `masks/<panorama>_cp_masks.tif`.
    panoramas : sequence of Panorama
        The edition's manifest.
    names : sequence of str
        Which panoramas, in the order wanted; image file names do as well.
    side_px : int, optional
        The longest side of a reduced image, in px.

    Returns
    -------
    list of Panel
        One a name, in the order of `names`; empty where the edition has no images at all.

    Raises
    ------
    NnbookError
        Where a name is not in the manifest, or a mask has another size than its image.
    """
    if not panoramas:
        return []
    known = {panorama.panorama: panorama for panorama in panoramas}
    panels = []
    for name in map(_stem, names):
        if name not in known:
            raise NnbookError(f"{folder / 'manifest.csv'}: has no panorama {name}, but the results have; measure again")
        path = folder / known[name].image
        image, labels = read_image(path), read_mask(folder / "masks" / f"{name}_cp_masks.tif")
        if image.shape != labels.shape:
            raise NnbookError(f"{path}: has another size than its mask; segment it again")
        step = math.ceil(max(image.shape) / side_px)
        panels.append(
            Panel(name, _block_means(image, step), _block_middles(labels, step), known[name].px_per_um / step)
        )
    return panels


def contact_sheet(panels: Sequence[Panel], note: str = "", columns: int = 3) -> Figure:
    """Show panoramas side by side, at one contrast, with the outlines of their masks and a scale bar each.

    Parameters
    ----------
    panels : sequence of Panel
        In order of rank; see `read_panels`. With none the figure says that the edition has no images.
    note : str, optional
        Which edition it is: see `nnbook.io.edition.Edition`. It goes where the figure goes.
    columns : int, optional
        Panels a row.

    Returns
    -------
    matplotlib.figure.Figure
    """
    with mpl.rc_context(STYLE):
        if not panels:
            return _notice_figure(NO_IMAGES)
        rows = math.ceil(len(panels) / columns)
        figure = Figure(figsize=(7.2, 2.65 * rows), layout="constrained")
        white = max(float(np.percentile(np.concatenate([panel.image.ravel() for panel in panels]), 99.7)), 1.0)
        grid = figure.subplots(rows, columns, squeeze=False)
        for rank, (axes, panel) in enumerate(zip(grid.flat, panels, strict=False), start=1):
            axes.imshow(outlined(panel, white), interpolation="antialiased")
            axes.set_title(f"{rank}  {panel.name}", fontsize=11, loc="left", pad=4)
            _draw_scale_bar(axes, panel)
        for axes in grid.flat:
            axes.set_axis_off()
        if len(panels) < grid.size:
            key = grid.flat[len(panels)].text(
                0.02,
                0.98,
                "Lines: outlines of the masks.\n"
                f"Black: 0, white: {white:.0f} grey levels\nin all panoramas.\n"
                "Numbers: rank by distance\nto the centroid.",
                transform=grid.flat[len(panels)].transAxes,
                va="top",
                linespacing=1.5,
            )
            key.set_in_layout(False)  # it may reach over the empty panel beside it
        titled(figure, note, 72)
    return figure


def outlined(panel: Panel, white: float) -> NDArray[np.uint8]:
    """Draw a panel in grey with its masks outlined in vermilion.

    Parameters
    ----------
    panel : Panel
        The reduced panorama.
    white : float
        The grey level that is shown as white; 0 is black.

    Returns
    -------
    numpy.ndarray
        Axes (y, x, red green blue), uint8.
    """
    grey = np.clip(panel.image * (255.0 / white), 0, 255).astype(np.uint8)
    rgb = np.repeat(grey[..., np.newaxis], 3, axis=2)
    nuclei = len(np.unique(panel.labels)) - 1
    # Two pixels of outline where there is room for them, one where it would cover the nuclei.
    width_px = math.sqrt((panel.labels > 0).sum() / max(nuclei, 1))
    edges = find_boundaries(panel.labels, mode="thick" if width_px > 20 else "inner")  # type: ignore[no-untyped-call]
    rgb[edges] = [int(VERMILION[i : i + 2], 16) for i in (1, 3, 5)]
    return rgb


def cell_sheet(cells: NDArray[np.uint8], px_per_um: float, note: str = "", columns: int = 14) -> Figure:
    """Show the images of cells in rows, at their own grey levels, with one scale bar for all.

    Parameters
    ----------
    cells : numpy.ndarray
        Axes (cell, y, x), uint8: images or thumbnails. With none the figure says that the edition has no cells.
    px_per_um : float
        Pixels a micrometre of these images.
    note : str, optional
        Which edition it is: see `nnbook.io.edition.Edition`. It goes where the figure goes.
    columns : int, optional
        Cells a row; cells that would not fill the last row are left out.

    Returns
    -------
    matplotlib.figure.Figure
    """
    with mpl.rc_context(STYLE):
        if len(cells) == 0:
            return _notice_figure(NO_CELLS)
        columns = min(columns, len(cells))
        rows = len(cells) // columns
        side = cells.shape[-1]
        grid = cells[: rows * columns].reshape(rows, columns, side, side)
        sheet = grid.transpose(0, 2, 1, 3).reshape(rows * side, columns * side)
        figure = Figure(figsize=(7.2, 7.2 * rows / columns + 0.55), layout="constrained")
        axes = figure.subplots()
        axes.imshow(sheet, cmap="gray", vmin=0, vmax=255, interpolation="antialiased")
        axes.set_axis_off()
        length = _round_length(side / px_per_um)
        ends = (side * 0.15, side * 0.15 + length * px_per_um)
        below = (rows + 0.12) * side
        axes.plot(ends, (below, below), color="black", linewidth=3, solid_capstyle="butt", clip_on=False)
        text = f"{length:g} µm; each square is {side / px_per_um:.1f} µm wide"
        axes.text(ends[1] + side * 0.15, below, text, va="center", fontsize=10)
        axes.set_ylim((rows + 0.25) * side, 0)
        titled(figure, note, 72)
    return figure


def mosaic_sheet(
    cells: NDArray[np.uint8], runs: Sequence[int], gains: Sequence[float], px_per_um: float, note: str = ""
) -> Figure:
    """Show a part of a mosaic twice: as measured, and normalised by run.

    Parameters
    ----------
    cells : numpy.ndarray
        Axes (run, cell, y, x), uint8: see `nnbook.viewers.mosaic.read_grid`. With none the figure says that there are no cells.
    runs, gains : sequence
        The runs' numbers, and what the grey levels of each are multiplied by: see `nnbook.viewers.mosaic.gains_of`.
    px_per_um : float
        Pixels a micrometre of these images.
    note : str, optional
        Which edition it is: see `nnbook.io.edition.Edition`. It goes where the figure goes.

    Returns
    -------
    matplotlib.figure.Figure
    """
    with mpl.rc_context(STYLE):
        if cells.size == 0:
            return _notice_figure(NO_CELLS)
        rows, columns, side, _ = cells.shape
        figure = Figure(figsize=(7.2, 3.5 * rows / columns + 0.85), layout="constrained")
        panels = figure.subplots(1, 2, sharey=True)
        factors = {"As measured": np.ones(rows), "Normalised by run": np.asarray(gains)}
        for axes, (title, by_run) in zip(panels, factors.items(), strict=True):
            shown = np.clip(np.rint(cells * by_run[:, None, None, None]), 0, 255)
            sheet = shown.transpose(0, 2, 1, 3).reshape(rows * side, columns * side)
            axes.imshow(sheet, cmap="gray", vmin=0, vmax=255, interpolation="antialiased")
            axes.set_title(title, fontsize=11, loc="left", pad=4)
            axes.set(xticks=[])
            axes.spines[:].set_visible(False)
            axes.tick_params(length=0)
        step = math.ceil(rows / 20)
        places = range(0, rows, step)
        panels[0].set_yticks(
            [(row + 0.5) * side for row in places], [f"Run {runs[row]}" for row in places], fontsize=10
        )
        panels[1].tick_params(labelleft=False)
        panels[0].set_xlabel(f"Each square is {side / px_per_um:.1f} µm wide.", fontsize=10, loc="left")
        titled(figure, note, 72)
    return figure


def by_run(cells: pd.DataFrame, note: str = "") -> Figure:
    """Show average and spread of cells' area and brightness, an experiment beside the other, in order of time.

    Parameters
    ----------
    cells : pandas.DataFrame
        A row a cell, with `run`, `area_um2` and `mean_intensity`: see `nnbook.cells.writer.read_cells`. With none the figure
        says that the edition has no cells.
    note : str, optional
        Which edition it is: see `nnbook.io.edition.Edition`. It goes where the figure goes.

    Returns
    -------
    matplotlib.figure.Figure
        For each measurement, means over the cells of an experiment, bars of one population standard deviation to either
        side, and a dashed line at the mean of these means, so that each experiment counts the same.
    """
    with mpl.rc_context(STYLE):
        if cells.empty:
            return _notice_figure(NO_CELLS)
        runs = cells.groupby("run")
        figure = Figure(figsize=(6.0, 5.4), layout="constrained")
        measures = {"area_um2": "Area (µm²)", "mean_intensity": "Mean intensity\n(grey levels, 8 bit)"}
        panels = figure.subplots(len(measures), 1, sharex=True)
        for axes, (column, title) in zip(panels, measures.items(), strict=True):
            mean, spread = runs[column].mean(), runs[column].std(ddof=0)
            axes.axhline(mean.mean(), color=NEUTRAL, linewidth=1, linestyle="--")
            axes.errorbar(
                mean.index,
                mean,
                yerr=spread,
                fmt="o",
                color=VERMILION,
                ecolor=NEUTRAL,
                elinewidth=1.2,
                capsize=4 if len(mean) <= 30 else 0,
                markersize=6 if len(mean) <= 30 else 3,
            )
            axes.set(ylabel=title, ylim=(0, None))
        panels[-1].set_xlabel("Experiment, in order of time")
        panels[-1].xaxis.set_major_locator(mpl.ticker.MaxNLocator(integer=True, min_n_ticks=1))
        titled(figure, note, 58)
    return figure


def representatives_table(chosen: pd.DataFrame, note: str = "") -> Table:
    """List the panoramas nearest the centroid.

    Parameters
    ----------
    chosen : pandas.DataFrame
        See `nnbook.measurement.selection.representatives`.
    note : str, optional
        Which edition it is: see `nnbook.io.edition.Edition`. It stands below the table.

    Returns
    -------
    Table
        In order of distance.
    """
    ordered = chosen.sort_values("distance", kind="stable")
    return Table(
        header=("Rank", "Panorama", "Nuclei", "Mean intensity (grey levels)", "Distance (SD)"),
        rows=tuple(
            (str(rank), _stem(str(row.image)), f"{row.num_rois:,}", f"{row.mean_intensity:.2f}", f"{row.distance:.3f}")
            for rank, row in enumerate(ordered.itertuples(), start=1)
        ),
        numeric=frozenset({0, 2, 3, 4}),
        note=note,
    )


def cells_table(results: pd.DataFrame, cells: dict[str, Any], imaged_px2: int, note: str = "") -> Table:
    """Set an edition's number of single-cell images beside the published one, and tell why it has fewer than ROIs.

    Parameters
    ----------
    results : pandas.DataFrame
        See `nnbook.io.results.read_results`.
    cells : dict
        What the store of cells says of itself: `nnbook.cells.writer.Cells.about`.
    imaged_px2 : int
        The edition's imaged area in px2.
    note : str, optional
        Which edition it is: see `nnbook.io.edition.Edition`. It stands below the table.

    Returns
    -------
    Table
        What an edition without images can't tell is left open.
    """
    rois, images = results["num_rois"].sum() or math.nan, cells["cells"] or math.nan
    left_out = cells["left_out"] if cells["cells"] else {}
    at_border, larger = (left_out.get(why, math.nan) for why in ("at_border", "larger_than_frame"))
    lacking, per_run = rois - images, [run["cells"] for run in cells["runs"]] or [math.nan]
    at_edge = _share_at_edge(
        at_border / rois,
        math.sqrt(imaged_px2 / len(results)),
        math.sqrt(published.TOTAL_AREA_PX2 / published.PANORAMAS),
    )
    larger_of_whole = larger / (rois - at_border)
    stated = published.ROIS_IN_TABLE - published.SINGLE_CELL_IMAGES
    percent = 100 * stated / published.ROIS_IN_TABLE
    count, share = ("{:,.0f}", "{:,.0f}"), ("{:.1f}", "{:.1f}")
    return _comparison(
        ("ROIs in the table of results", published.ROIS_IN_TABLE, rois, *count),
        ("Single-cell images", published.SINGLE_CELL_IMAGES, images, *count),
        ("ROIs without an image", stated, lacking, *count),
        ("… at the edge of their panorama", math.nan, at_border, *count),
        ("… larger than the frame", math.nan, larger, *count),
        ("ROIs without an image (%)", percent, 100 * lacking / rois, *share),
        (
            "… at the published size of panoramas, estimate (%)",
            percent,
            100 * (at_edge + (1 - at_edge) * larger_of_whole),
            *share,
        ),
        (
            "Images per experiment, mean",
            published.SINGLE_CELL_IMAGES / published.EXPERIMENTS,
            sum(per_run) / len(per_run),
            *count,
        ),
        ("… fewest", math.nan, min(per_run), *count),
        ("… most", math.nan, max(per_run), *count),
        note=note,
    )


def picture(figure: Figure, path: Path, alt: str) -> Picture:
    """Write a static figure as a PNG file, in one step, and return it as the picture that a notebook shows.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        The figure.
    path : Path
        Where the static stand-in goes.
    alt : str
        What it shows, for readers who do not see it.

    Returns
    -------
    Picture
    """
    drawn = BytesIO()
    with mpl.rc_context(STYLE):
        figure.savefig(drawn, format="png", dpi=STYLE["figure.dpi"])
    # 256 colours are enough for a grey image with one colour on it or one colour map, at a third of the size.
    small = BytesIO()
    with PillowImage.open(drawn) as image:
        image.convert("RGB").quantize(256, dither=PillowImage.Dither.NONE).save(
            small, format="PNG", optimize=True, dpi=(STYLE["figure.dpi"],) * 2
        )
    with aside(path) as written:
        written.write_bytes(small.getvalue())
    return Picture(small.getvalue(), alt)


def no_figure(path: Path, note: str) -> Picture:
    """Write a stand-in for a figure that an edition has nothing to draw from: a notice, with the edition's note."""
    return picture(_notice_figure(f"There is no such figure here.\n{note}"), path, "A notice that there is no figure.")


def titled(figure: Figure, note: str, width: int) -> None:
    """Set the edition's note above a static figure, broken into lines of so many characters."""
    if note:
        figure.suptitle(_broken(note, width=width), fontsize=10, x=0.01, ha="left", color="#444444")


def _plotly_layout(note_lines: int) -> dict[str, Any]:
    axis = {
        "gridcolor": "rgba(122, 122, 122, 0.25)",
        "linecolor": NEUTRAL,
        "showline": True,
        "ticks": "outside",
        "tickcolor": NEUTRAL,
        "zeroline": False,
        "automargin": True,
        "title": {"standoff": 10},
    }
    return {
        "template": None,
        "paper_bgcolor": "rgba(0, 0, 0, 0)",
        "plot_bgcolor": "rgba(0, 0, 0, 0)",
        "font": {"color": NEUTRAL, "size": 14},
        "height": 560,
        "margin": {"l": 60, "r": 16, "t": 20 + 16 * note_lines, "b": 10},
        # A drag that zooms would hold the finger of a reader who only scrolls past; the tool bar has it.
        "dragmode": False,
        "modebar": {
            "bgcolor": "rgba(0, 0, 0, 0)",
            "color": NEUTRAL,
            "activecolor": VERMILION,
            "remove": ["select2d", "lasso2d", "autoScale2d"],
        },
        "showlegend": False,
        "hovermode": "closest",
        "xaxis": axis | {"title": {"text": COUNT_TITLE, "standoff": 10}},
        # Broken in two, the title is no longer than the axis, on a phone as well.
        "yaxis": axis | {"title": {"text": MEAN_TITLE.replace(" (", "<br>("), "standoff": 10}},
    }


def _broken(note: str, by: str = "\n", width: int = 58) -> str:
    """Break a note into lines that fit a phone."""
    return by.join(wrap(note, width))


def _marker_px(count: int) -> int:
    return 6 if count > 400 else 10


def _stem(image: str) -> str:
    return image.removesuffix(".tif").removesuffix(".tiff").removesuffix(".png")


def _block_means(image: NDArray[Any], step: int) -> NDArray[np.float32]:
    height, width = (side - side % step for side in image.shape)
    blocks = image[:height, :width].reshape(height // step, step, width // step, step)
    return np.asarray(blocks.mean(axis=(1, 3)), np.float32)


def _block_middles(labels: Labels, step: int) -> Labels:
    height, width = (side - side % step for side in labels.shape)
    return labels[step // 2 : height : step, step // 2 : width : step]


def _draw_scale_bar(axes: Axes, panel: Panel) -> None:
    height, width = panel.image.shape
    length_um = _round_length(0.3 * width / panel.px_per_um)
    length = length_um * panel.px_per_um
    left, top = 0.04 * width, 0.93 * height
    # The plate keeps bar and number legible on bright nuclei.
    axes.add_patch(
        mpl.patches.Rectangle((0, 0.84 * height), length + 2 * left, 0.16 * height, color="black", alpha=0.6, lw=0)
    )
    axes.add_patch(mpl.patches.Rectangle((left, top), length, 0.02 * height, color="white", lw=0))
    label = f"{length_um / 1000:g} mm" if length_um >= 1000 else f"{length_um:g} µm"
    axes.text(left + length / 2, top - 0.01 * height, label, color="white", fontsize=9, ha="center", va="bottom")


def _round_length(most_um: float) -> float:
    """Return the largest of 1, 2, 5, 10, 20, 50 ... that is not above a length."""
    power = 10.0 ** math.floor(math.log10(most_um))
    return next(factor * power for factor in (5, 2, 1) if factor * power <= most_um)


def _notice_figure(text: str) -> Figure:
    figure = Figure(figsize=(6.0, 1.6))
    figure.text(0.5, 0.5, text, ha="center", va="center", wrap=True, color="#444444")
    return figure


def _comparison(*rows: tuple[str, float, float, str, str], note: str) -> Table:
    """Lay out rows of: title, published value, edition's value, and the formats of the two."""
    return Table(
        header=("Quantity", "Published", "This edition", "Difference"),
        rows=tuple(
            (title, _number(stated, coarse), _number(own, fine), _difference(own, stated, coarse))
            for title, stated, own, coarse, fine in rows
        ),
        numeric=frozenset({1, 2, 3}),
        note=note,
    )


def _share_at_edge(share: float, side: float, other_side: float) -> float:
    """Return which share of nuclei the edge of a square image cuts, where it is `share` in one of another size.

    Nuclei of extent d whose centres lie anywhere are seen in a square of side s where their centre is in one of side
    s + d, and are cut there unless it is in one of side s - d: a share of 4sd/(s + d)^2. Solved for d/s, which is less
    than 1, and taken for the other side.
    """
    if share == 0:
        return 0.0
    ratio = (2 - share - 2 * math.sqrt(1 - share)) / share * side / other_side
    return 4 * ratio / (1 + ratio) ** 2


def _number(value: float, form: str) -> str:
    return "–" if math.isnan(value) else form.format(value).replace("-", "−")


def _difference(own: float, stated: float, form: str) -> str:
    """Return own minus stated, with the digits of the stated value: 1.53 against a stated 1.5 is no difference."""
    if math.isnan(own) or math.isnan(stated):
        return "–"
    plain = form.replace(",", "")
    value = float(plain.format(own)) - float(plain.format(stated))
    return "0" if value == 0 else ("+" if value > 0 else "−") + form.format(abs(value))
