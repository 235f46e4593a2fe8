"""Sheets of panoramas: grey levels, outlines of masks, and a scale bar."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import matplotlib as mpl
import numpy as np
from matplotlib.patheffects import withStroke
from skimage.segmentation import find_boundaries

from nnbook.figures.sheets import panel_grid, round_length, white_level
from nnbook.figures.style import SHEET_STYLE, VERMILION, notice_figure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from nnbook.figures.readers import Opening, Panel
    from nnbook.io.stacks import ChannelPicture

NO_IMAGES: Final = "There are no images of panoramas in this build."


def contact_sheet(panels: Sequence[Panel], columns: int = 3) -> Figure:
    """Show panoramas side by side, at one contrast, with the outlines of their masks and a scale bar each.

    Parameters
    ----------
    panels : sequence of Panel
        In order of rank: see `nnbook.figures.readers.read_panels`. With none the figure says that there are none.
    columns : int, optional
        Panels a row.

    Returns
    -------
    matplotlib.figure.Figure
    """
    with mpl.rc_context(SHEET_STYLE):
        if not panels:
            return notice_figure(NO_IMAGES)
        columns = min(columns, len(panels))
        # Below their titles, rows are as high as the panoramas are.
        highest = max(panel.image.shape[0] / panel.image.shape[1] for panel in panels)
        row_inches = 0.25 + 2 * 3 / columns * highest
        figure, grid = panel_grid(math.ceil(len(panels) / columns), columns, row_inches)
        white = white_level(np.concatenate([panel.image.ravel() for panel in panels]))
        for rank, (axes, panel) in enumerate(zip(grid.flat, panels, strict=False), start=1):
            axes.imshow(outlined(panel, white), interpolation="antialiased")
            axes.set_title(f"{rank}  {panel.name}", fontsize=11, loc="left", pad=4)
            _draw_scale_bar(axes, panel.image.shape[1], panel.image.shape[0], panel.px_per_um)
        if len(panels) < grid.size:
            wide = grid.size - len(panels) > 1  # it may extend over the empty panel beside it
            key = grid.flat[len(panels)].text(
                0.02,
                0.98,
                f"Lines: outlines of the masks.\nBlack: 0, white: {white:.0f} grey levels\nin all panoramas.\n"
                "Numbers: rank by distance\nto the centroid."
                if wide
                else f"Lines: outlines of the\nmasks. Black: 0, white:\n{white:.0f} grey levels in all.\n"
                "Numbers: rank by\ndistance to the centroid.",
                transform=grid.flat[len(panels)].transAxes,
                va="top",
                linespacing=1.5,
                fontsize=12 if wide else 11,
            )
            key.set_in_layout(False)
    return figure


def opening_sheet(opening: Opening | None) -> Figure:
    """Show the panorama that opens the book, and beside it, with outlines, the part that its view moves in on.

    Parameters
    ----------
    opening : Opening or None
        See `nnbook.figures.readers.read_opening`. With none the figure says that there are no images.

    Returns
    -------
    matplotlib.figure.Figure
    """
    with mpl.rc_context(SHEET_STYLE):
        if opening is None:
            return notice_figure(NO_IMAGES)
        figure, grid = panel_grid(1, 2, 3.0)
        white = white_level(opening.close.image)
        left, right = grid.flat
        grey = np.clip(opening.whole.image / white, 0, 1)
        left.imshow(grey, cmap="gray", vmin=0, vmax=1, interpolation="antialiased")
        x, y, *size = opening.frame
        left.add_patch(mpl.patches.Rectangle((x, y), *size, fill=False, edgecolor=VERMILION, linewidth=1.5))
        right.imshow(outlined(opening.close, white), interpolation="antialiased")
        for axes, panel in ((left, opening.whole), (right, opening.close)):
            _draw_scale_bar(axes, panel.image.shape[1], panel.image.shape[0], panel.px_per_um)
    return figure


def channels_sheet(pictures: Sequence[ChannelPicture]) -> Figure:
    """Show images of several channels side by side, with the channels' names in their colours and a scale bar each.

    Parameters
    ----------
    pictures : sequence of ChannelPicture
        See `nnbook.viewers.read_channels`. With none the figure says that there are none.

    Returns
    -------
    matplotlib.figure.Figure
    """
    with mpl.rc_context(SHEET_STYLE):
        if not pictures:
            return notice_figure(NO_IMAGES)
        columns = min(2, len(pictures))
        highest = max(one.image.shape[0] / one.image.shape[1] for one in pictures)
        figure, grid = panel_grid(math.ceil(len(pictures) / columns), columns, 0.25 + 6 / columns * highest)
        for axes, one in zip(grid.flat, pictures, strict=False):
            axes.imshow(one.image, interpolation="antialiased")
            axes.set_title(one.name, fontsize=11, loc="left", pad=4)
            for row, (name, colour) in enumerate(one.channels):
                axes.text(
                    0.985, 0.975 - 0.055 * row, name, color=colour, fontsize=10, ha="right", va="top",
                    transform=axes.transAxes, path_effects=[withStroke(linewidth=2, foreground="black")],
                )  # fmt: skip
            _draw_scale_bar(axes, one.image.shape[1], one.image.shape[0], one.px_per_um)
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
    edges = find_boundaries(panel.labels, mode="thick" if width_px > 20 else "inner")
    rgb[edges] = [int(VERMILION[i : i + 2], 16) for i in (1, 3, 5)]
    return rgb


def _draw_scale_bar(axes: Axes, width: int, height: int, px_per_um: float) -> None:
    length_um = round_length(0.3 * width / px_per_um)
    length = length_um * px_per_um
    left, top = 0.04 * width, 0.93 * height
    # The plate keeps bar and number legible on bright nuclei.
    axes.add_patch(
        mpl.patches.Rectangle((0, 0.84 * height), length + 2 * left, 0.16 * height, color="black", alpha=0.6, lw=0)
    )
    axes.add_patch(mpl.patches.Rectangle((left, top), length, 0.02 * height, color="white", lw=0))
    label = f"{length_um / 1000:g} mm" if length_um >= 1000 else f"{length_um:g} µm"
    axes.text(left + length / 2, top - 0.01 * height, label, color="white", fontsize=9, ha="center", va="bottom")
