"""Sheets of cells, and their measurements by run."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import matplotlib as mpl
import matplotlib.ticker
import numpy as np
from matplotlib.figure import Figure

from nnbook.figures.sheets import SHEET_INCHES, draw_cells, round_length
from nnbook.figures.style import BLUE, NEUTRAL, SHEET_STYLE, STYLE, VERMILION, notice_figure

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray


NO_CELLS: Final = (
    "None of the nuclei gave a cell image: all of them touch the edge of their panorama or exceed the frame."
)

MOST_POINTS: Final = 1_000
"""So many nuclei can be told from one another as points of a plane; of more it shows the density."""

PANEL_PX: Final = 2000
"""The most pixels along a side of a panel of many cells: about two for each that a sheet has."""


def cell_sheet(cells: NDArray[np.uint8], px_per_um: float, columns: int = 14) -> Figure:
    """Show the images of cells in rows, at their own grey levels, with one scale bar for all.

    Parameters
    ----------
    cells : numpy.ndarray
        Axes (cell, y, x), uint8: images or thumbnails. With none the figure says that the edition has no cells.
    px_per_um : float
        Pixels a micrometre of these images.
    columns : int, optional
        Cells a row; cells that would not fill the last row are left out.

    Returns
    -------
    matplotlib.figure.Figure
    """
    with mpl.rc_context(SHEET_STYLE):
        if len(cells) == 0:
            return notice_figure(NO_CELLS)
        columns = min(columns, len(cells))
        rows = len(cells) // columns
        side = cells.shape[-1]
        figure = Figure(figsize=(SHEET_INCHES, SHEET_INCHES * rows / columns + 0.55), layout="constrained")
        axes = figure.subplots()
        draw_cells(axes, cells[: rows * columns].reshape(rows, columns, side, side))
        axes.set_axis_off()
        length = round_length(side / px_per_um)
        ends = (side * 0.15, side * 0.15 + length * px_per_um)
        below = (rows + 0.12) * side
        axes.plot(ends, (below, below), color="white", linewidth=3, solid_capstyle="butt", clip_on=False)
        text = f"{length:g} µm; each square is {side / px_per_um:.1f} µm wide"
        axes.text(ends[1] + side * 0.15, below, text, va="center", fontsize=10)
        axes.set_ylim((rows + 0.25) * side, 0)
    return figure


def mosaic_sheet(cells: NDArray[np.uint8], runs: Sequence[int], gains: Sequence[float], px_per_um: float) -> Figure:
    """Show a part of a mosaic twice: as measured, and normalised by run.

    Parameters
    ----------
    cells : numpy.ndarray
        Axes (run, cell, y, x), uint8: see `nnbook.viewers.mosaic.read_grid`. With none the figure says that the edition
        has no cells.
    runs, gains : sequence
        The runs' numbers, and what the grey levels of each are multiplied by: see `nnbook.viewers.mosaic.gains_of`.
    px_per_um : float
        Pixels a micrometre of these images.

    Returns
    -------
    matplotlib.figure.Figure
    """
    with mpl.rc_context(SHEET_STYLE):
        if cells.size == 0:
            return notice_figure(NO_CELLS)
        rows, columns, side, _ = cells.shape
        shown = _reduced(cells, max(rows, columns) * side)
        figure = Figure(figsize=(SHEET_INCHES, 2.85 * rows / columns + 0.85), layout="constrained")
        panels = figure.subplots(1, 2, sharey=True)
        factors = {"As measured": np.ones(rows), "Normalised by run": np.asarray(gains)}
        for axes, (title, by_run) in zip(panels, factors.items(), strict=True):
            draw_cells(axes, np.clip(np.rint(shown * by_run[:, None, None, None]), 0, 255))
            axes.set_title(title, fontsize=11, loc="left", pad=4)
            axes.set(xticks=[])
            axes.spines[:].set_visible(False)
            axes.tick_params(length=0)
        step = math.ceil(rows / 20)
        places = range(0, rows, step)
        panels[0].set_yticks(
            [(row + 0.5) * shown.shape[-1] for row in places], [f"Run {runs[row]}" for row in places], fontsize=10
        )
        panels[1].tick_params(labelleft=False)
        panels[0].set_xlabel(f"Each square is {side / px_per_um:.1f} µm wide.", fontsize=10, loc="left")
    return figure


def _reduced(cells: NDArray[np.uint8], side_px: int) -> NDArray[Any]:
    """Return means of squares of thumbnails, so small that a sheet of `side_px` has no more than about `PANEL_PX`.

    As they are, 100 runs of 100 cells take 3 GB to draw.
    """
    side, step = cells.shape[-1], 1
    while side_px / step > PANEL_PX and side % (2 * step) == 0:
        step *= 2
    if step == 1:
        return cells
    squares = cells.reshape(*cells.shape[:2], side // step, step, side // step, step)
    return np.asarray(squares.mean(axis=(3, 5), dtype=np.float32))


def nuclei_plane(cells: pd.DataFrame) -> Figure:
    """Show nuclei by area and brightness, for print: as points, or where there are many, how many there are.

    Parameters
    ----------
    cells : pandas.DataFrame
        A row a cell, with `area_um2` and `mean_intensity` (grey levels). With none the figure says that the edition has
        no cells.

    Returns
    -------
    matplotlib.figure.Figure
    """
    with mpl.rc_context(STYLE):
        if len(cells) == 0:
            return notice_figure(NO_CELLS)
        figure = Figure(layout="constrained")
        axes = figure.subplots()
        axes.set(xlabel="Area (µm²)", ylabel="Mean intensity (grey levels, 8 bit)")
        if len(cells) <= MOST_POINTS:
            axes.plot(cells["area_um2"], cells["mean_intensity"], ".", color=BLUE, markersize=4, alpha=0.7)
            return figure
        bins = axes.hexbin(
            cells["area_um2"],
            cells["mean_intensity"],
            # Round, so that one nucleus more or less does not move all hexagons.
            extent=(0, 100 * math.ceil(cells["area_um2"].max() / 100), 0, max(255, cells["mean_intensity"].max())),
            gridsize=(50, 24),
            bins="log",
            mincnt=1,
            linewidths=0.1,
            cmap="viridis",
        )
        bar = figure.colorbar(bins, ax=axes, location="bottom", aspect=40, pad=0.04)
        bar.set_label("Nuclei")
        bar.ax.xaxis.set_major_formatter("{x:.0f}")
        bar.outline.set_visible(False)
    return figure


def by_run(cells: pd.DataFrame, runs_title: str = "Experiment, in order of time") -> Figure:
    """Show mean and spread of cells' area and brightness by experiment.

    Parameters
    ----------
    cells : pandas.DataFrame
        A row a cell, with `run`, `area_um2` and `mean_intensity`: see `nnbook.cells.store.read_cells`. With none the
        figure says that the edition has no cells.
    runs_title : str, optional
        What the numbers of experiments are called.

    Returns
    -------
    matplotlib.figure.Figure
        For each measurement, means over the cells of an experiment, bars of one population standard deviation to either
        side, and a dashed line at the mean of these means, so that each experiment counts the same.
    """
    with mpl.rc_context(STYLE):
        if cells.empty:
            return notice_figure(NO_CELLS)
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
        panels[-1].set_xlabel(runs_title)
        first, last = int(cells["run"].min()), int(cells["run"].max())
        ticks = mpl.ticker.MaxNLocator(integer=True, min_n_ticks=1).tick_values(first, last)
        # Experiments are counted from the first: none has the number 0.
        panels[-1].set_xticks([first, *(tick for tick in ticks if first < tick <= last)])
    return figure
