"""What sheets of images share: their layout, grey levels and scale bars."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

SHEET_INCHES: Final = 6.0
"""The width of a sheet: that of plots, so that text on a phone is as large in both."""

BAR_UM: Final = 10.0
"""The length of the scale bar on images of one or two nuclei."""


def panel_grid(rows: int, columns: int, row_inches: float, rest_inches: float = 0.0) -> tuple[Figure, NDArray[Any]]:
    """Return a sheet of panels without axes.

    Parameters
    ----------
    rows, columns : int
        How many there are.
    row_inches : float
        The height of a row.
    rest_inches : float, optional
        The height of what is above and below the rows.

    Returns
    -------
    (matplotlib.figure.Figure, numpy.ndarray)
        The figure, and the axes of its panels, as (row, column).
    """
    figure = Figure(figsize=(SHEET_INCHES, row_inches * rows + rest_inches), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False)
    for axes in grid.flat:
        axes.set_axis_off()
    return figure, grid


def white_level(pixels: NDArray[Any], percentile: float = 99.7) -> float:
    """Return the grey level to show as white, so that a few bright pixels don't make all others dark; at least 1.

    Parameters
    ----------
    pixels : numpy.ndarray
        Grey levels, of any shape.
    percentile : float, optional
        What percentage of the pixels are not above it.

    Returns
    -------
    float
    """
    return max(float(np.percentile(pixels, percentile)), 1.0)


def draw_grey(axes: Axes, image: NDArray[Any], px_per_um: float, white: float) -> None:
    """Draw an image of one or two nuclei in grey, with a scale bar of `BAR_UM`.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        The panel.
    image : numpy.ndarray
        Axes (y, x), grey levels.
    px_per_um : float
        Pixels a micrometre.
    white : float
        The grey level that is shown as white; 0 is black.
    """
    height, width = image.shape
    axes.imshow(image, cmap="gray", vmin=0, vmax=white)
    ends = (12, 12 + BAR_UM * px_per_um)
    axes.plot(ends, [height - 14] * 2, color="white", linewidth=3, solid_capstyle="butt", zorder=3)
    axes.set(xlim=(0, width), ylim=(height, 0))


def label_bar(axes: Axes, px_per_um: float) -> None:
    """Write its length over the scale bar that `draw_grey` drew.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        The panel.
    px_per_um : float
        Pixels a micrometre.
    """
    bottom, _ = axes.get_ylim()
    middle = 12 + BAR_UM * px_per_um / 2
    axes.text(middle, bottom - 22, f"{BAR_UM:.0f} µm", color="white", fontsize=9, ha="center", va="bottom")


def draw_cells(axes: Axes, cells: NDArray[Any]) -> None:
    """Draw images of cells in rows, without gaps, at their own 8-bit grey levels.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        The panel.
    cells : numpy.ndarray
        Axes (row, column, y, x).
    """
    rows, columns, height, width = cells.shape
    sheet = cells.transpose(0, 2, 1, 3).reshape(rows * height, columns * width)
    axes.imshow(sheet, cmap="gray", vmin=0, vmax=255, interpolation="antialiased")


def round_length(most_um: float) -> float:
    """Return the length of a scale bar: the largest of 1, 2, 5, 10, 20, 50 ... that is not above a length.

    Parameters
    ----------
    most_um : float
        The length that it must not exceed, in µm.

    Returns
    -------
    float
    """
    power = 10.0 ** math.floor(math.log10(most_um))
    return next(factor * power for factor in (5, 2, 1) if factor * power <= most_um)
