"""Sheets of panoramas: grey levels, outlines of masks, and a scale bar."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import matplotlib as mpl
import matplotlib.ticker
import numpy as np
from matplotlib.figure import Figure
from skimage.segmentation import find_boundaries

from nnbook.errors import NnbookError
from nnbook.figures.style import STYLE, VERMILION, notice_figure, panorama_of, round_length, titled
from nnbook.io.images import read_image, read_mask

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from nnbook.io.images import Labels
    from nnbook.io.manifest import Panorama

PANEL_PX: Final = 560
"""Panoramas on a contact sheet are reduced to at most this side."""

NO_IMAGES: Final = (
    "This edition has the table of results but not the images, so the panoramas cannot be shown here. "
    "Their values need no images: see the table of the panoramas nearest the centroid."
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
    for name in map(panorama_of, names):
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
            return notice_figure(NO_IMAGES)
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


def _block_means(image: NDArray[Any], step: int) -> NDArray[np.float32]:
    height, width = (side - side % step for side in image.shape)
    blocks = image[:height, :width].reshape(height // step, step, width // step, step)
    return np.asarray(blocks.mean(axis=(1, 3)), np.float32)


def _block_middles(labels: Labels, step: int) -> Labels:
    height, width = (side - side % step for side in labels.shape)
    return labels[step // 2 : height : step, step // 2 : width : step]


def _draw_scale_bar(axes: Axes, panel: Panel) -> None:
    height, width = panel.image.shape
    length_um = round_length(0.3 * width / panel.px_per_um)
    length = length_um * panel.px_per_um
    left, top = 0.04 * width, 0.93 * height
    # The plate keeps bar and number legible on bright nuclei.
    axes.add_patch(
        mpl.patches.Rectangle((0, 0.84 * height), length + 2 * left, 0.16 * height, color="black", alpha=0.6, lw=0)
    )
    axes.add_patch(mpl.patches.Rectangle((left, top), length, 0.02 * height, color="white", lw=0))
    label = f"{length_um / 1000:g} mm" if length_um >= 1000 else f"{length_um:g} µm"
    axes.text(left + length / 2, top - 0.01 * height, label, color="white", fontsize=9, ha="center", va="bottom")
