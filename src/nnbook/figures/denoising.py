"""What denoising does to images: crops side by side, and tables of what it gains and loses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import matplotlib as mpl
import numpy as np

from nnbook.figures.sheets import draw_grey, label_bar, panel_grid, white_level
from nnbook.figures.style import PIXEL_STYLE
from nnbook.values.published import PX_PER_UM
from nnbook.values.table import Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

CROPS: Final = ("Noisy", "Denoised", "Gaussian, best width", "Truth")
"""What the crops are that `benchmarks/denoising.py` writes side by side."""

SHOWN_PX: Final = 208
"""The side of the middle of a crop that is shown: the nucleus is in it."""

TRUTH: Final = "Truth"
OURS: Final = "nnbook denoise"
TIME: Final = "seconds_per_megapixel"
GAINS: Final = (("PSNR (dB)", "psnr_db", "{:.1f}"), ("SSIM", "ssim", "{:.2f}"), ("F1", "f1", "{:.2f}"))
"""What is measured of images and masks: its title, its name in the benchmark, and how it is written."""

STRUCTURE_PHOTONS: Final = 2
"""Structure is listed for images of at most so many photons a pixel: with more, little is lost."""

DIFFERENCE_OF_WHITE: Final = 0.25
"""Differences are shown over this share of the range of grey levels, in either direction."""


def denoising_crops(crops: NDArray[np.uint8]) -> Figure:
    """Show crops of one nucleus, noisy, denoised and without noise, and the differences from the last.

    Parameters
    ----------
    crops : uint8, axes (y, x)
        Those of `CROPS` side by side: `benchmarks/denoising.png`.

    Returns
    -------
    matplotlib.figure.Figure
    """
    middle = slice((crops.shape[0] - SHOWN_PX) // 2, (crops.shape[0] + SHOWN_PX) // 2)
    whole = np.split(crops.astype(np.float64), len(CROPS), axis=1)
    images = {name: image[middle, middle] for name, image in zip(CROPS, whole, strict=True)}
    truth = images["Truth"]
    white = white_level(truth)
    span = DIFFERENCE_OF_WHITE * white
    with mpl.rc_context(PIXEL_STYLE):
        figure, grid = panel_grid(2, 3, 2.1)
        panels = list(grid.flat)
        for axes, (name, image) in zip(panels, images.items(), strict=False):
            draw_grey(axes, image, PX_PER_UM, white)
            label_bar(axes, PX_PER_UM)
            axes.set_title(name, fontsize=12, loc="left", pad=4)
        for axes, name in zip(panels[len(CROPS) :], CROPS[1:3], strict=True):
            axes.imshow(images[name] - truth, cmap="gray", vmin=-span, vmax=span)
            axes.set_title(f"{name.partition(',')[0]} less truth", fontsize=12, loc="left", pad=4)
    return figure


def denoising_table(benchmark: dict[str, Any]) -> Table:
    """Set the methods side by side, by what was measured and by the noise of the images.

    Parameters
    ----------
    benchmark : dict
        What `benchmarks/denoising.py` wrote.

    Returns
    -------
    Table
    """
    measured = [
        (f"{_noise(row)}{where}", row)
        for where, rows in (("", benchmark["twin"]), (", U2OS", benchmark["isbi2009_u2os"]))
        for row in rows
        if row["method"] != TRUTH
    ]
    # Where a phone cuts the table off, what the chapter is about is in view.
    methods = list(dict.fromkeys(["Noisy", OURS, *(row["method"] for _, row in measured)]))
    levels = list(dict.fromkeys(level for level, _ in measured))
    by_place = {(level, row["method"]): row for level, row in measured}
    machine = benchmark["machine"]
    trained = [row["training_seconds"] for _, row in measured if "training_seconds" in row]
    times = [
        f"{method} {min(taken):.2g} to {max(taken):.2g} s"
        for method in methods
        if (taken := [row[TIME] for _, row in measured if row["method"] == method and TIME in row])
    ]
    return Table(
        header=("Measure", "Photons a pixel", *methods),
        rows=tuple(
            (title, level, *(_shown(by_place[level, method], key, form) for method in methods))
            for title, key, form in GAINS
            for level in levels
        ),
        numeric=frozenset(range(2, 2 + len(methods))),
        note=(
            f"Measured on {benchmark['date']}: {machine['processor']}, one thread. "
            f"A megapixel takes {', '.join(times)}. "
            f"Training is apart and takes {min(trained):.0f} to {max(trained):.0f} s whatever the images' size, "
            f"{benchmark['steps']} steps."
        ),
    )


def structure_table(benchmark: dict[str, Any]) -> Table:
    """List what denoised images keep of the structure that is there, and what they have that is not.

    Parameters
    ----------
    benchmark : dict
        What `benchmarks/denoising.py` wrote.

    Returns
    -------
    Table
    """
    spots = ("spot_4px", "spot_8px", "spot_16px")
    rows = [
        (
            row["method"],
            _noise(row),
            f"{100 * row['texture_sd_ratio']:.0f}",
            f"{row['texture_correlation']:.2f}",
            *(f"{100 * row[spot]:.0f}" for spot in spots),
            f"{row['specks_per_megapixel']:.1f}",
            f"{100 * row['background_most_of_nucleus']:.0f}",
            f"{100 * row['brightness_error_most']:.1f}",
        )
        for row in benchmark["twin"]
        if row["method"] != TRUTH and row["photons"] <= STRUCTURE_PHOTONS
    ]
    return Table(
        header=(
            "Method",
            "Photons a pixel",
            "Texture SD (%)",
            "Texture correlation",
            *(f"Spot {int(spot[5:-2]) / PX_PER_UM:.1f} µm (%)" for spot in spots),
            "Specks/Mpx",
            "Brightest error in background (%)",
            "Largest error of a nucleus's mean (%)",
        ),
        rows=tuple(rows),
        numeric=frozenset(range(2, 10)),
    )


def denoising_row(benchmark: dict[str, Any], method: str, photons: float, *, noise_blur_px: float = 0) -> Any:
    """Return what was measured of a method on the simulated panorama at one level of noise."""
    return next(
        row
        for row in benchmark["twin"]
        if (row["method"], row["photons"], row["noise_blur_px"]) == (method, photons, noise_blur_px)
    )


def _noise(row: dict[str, Any]) -> str:
    return f"{row['photons']:g}" + (", correlated" if row.get("noise_blur_px") else "")


def _shown(row: dict[str, Any], key: str, form: str) -> str:
    return form.format(row[key]) if key in row else "–"
