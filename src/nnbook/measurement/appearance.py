"""What cells look like in numbers: what real and simulated cell images are compared by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

BANDS_PX: Final = ((0.7, 1.4), (1.4, 2.8), (2.8, 5.6), (5.6, 11.2))
"""Standard deviations of the Gaussians between which chromatin's texture is measured, in px at the published scale."""


class CellAppearance(NamedTuple):
    """What a cell image looks like.

    Attributes
    ----------
    mask_px, bright_px : int
        Area of the mask, and of what is above Otsu's threshold in it: the nucleus, or condensed chromosomes.
    mean, spread : float
        Of the grey levels under the mask; the spread is the population standard deviation.
    bright, background : float
        Mean grey level above the threshold, and median below.
    texture : tuple of float
        Standard deviation of the chromatin's brightness in each of `BANDS_PX`, as a share of its mean.
    """

    mask_px: int
    bright_px: int
    mean: float
    spread: float
    bright: float
    background: float
    texture: tuple[float, ...]


def describe_cell(cell: NDArray[np.uint8]) -> CellAppearance | None:
    """Measure a cell image.

    Parameters
    ----------
    cell : uint8, axes (y, x)
        Grey levels, 0 outside the mask.

    Returns
    -------
    CellAppearance or None
        None where all grey levels under the mask are equal, or there is no mask.
    """
    from scipy.ndimage import gaussian_filter
    from skimage.filters import threshold_otsu

    inside = cell[cell > 0]
    if inside.size == 0 or inside.min() == inside.max():
        return None
    threshold = threshold_otsu(inside)
    above = cell > threshold
    levels, weights = np.where(above, cell, 0).astype(np.float64), above.astype(np.float64)

    def smooth(sigma: float) -> NDArray[np.float64]:
        # Over what is bright alone, so that its edge is no texture.
        light = gaussian_filter(levels, sigma)[above] / np.maximum(gaussian_filter(weights, sigma)[above], 1e-6)
        return np.asarray(light)

    bright = float(cell[above].mean())
    return CellAppearance(
        mask_px=int(inside.size),
        bright_px=int(above.sum()),
        mean=float(inside.mean()),
        spread=float(inside.std()),
        bright=bright,
        background=float(np.median(inside[inside <= threshold])),
        texture=tuple(float((smooth(fine) - smooth(coarse)).std()) / bright for fine, coarse in BANDS_PX),
    )


def between_runs_share(values: Sequence[float] | NDArray[np.float64], runs: Sequence[int] | NDArray[np.int64]) -> float:
    """Return the share of the variance of values that is between the means of their runs, 0 to 1 (eta squared).

    Parameters
    ----------
    values : sequence of float
        A value a panorama.
    runs : sequence of int
        The run of each.

    Returns
    -------
    float
        NaN where all values are equal.
    """
    value, run = np.asarray(values, np.float64), np.unique(np.asarray(runs), return_inverse=True)[1]
    means = np.bincount(run, value) / np.bincount(run)
    variance = value.var()
    return float(means[run].var() / variance) if variance > 0 else float("nan")


def cut_like_published(
    image: NDArray[np.uint8], own: NDArray[np.bool_], others: NDArray[np.bool_], mask_px: int
) -> NDArray[np.uint8]:
    """Cut a dividing cell out under a mask of a published size: the pixels nearest to the hull of its own mask.

    The published mask of a dividing cell holds the whole cell, and its size differs from cell to cell.

    Parameters
    ----------
    image : uint8, axes (y, x)
        The cell with what is round it.
    own, others : bool, axes (y, x)
        The cell's mask, and those of its neighbours.
    mask_px : int
        Area of the mask.

    Returns
    -------
    uint8, axes (y, x)
        Grey levels, 0 outside the mask and at least 1 inside.
    """
    from scipy.ndimage import distance_transform_edt
    from skimage.morphology import convex_hull_image

    distance = distance_transform_edt(~convex_hull_image(own))
    distance[others] = np.inf
    nearest = np.argsort(distance, axis=None, kind="stable")[:mask_px]
    cell = np.zeros_like(image)
    cell.flat[nearest] = np.maximum(image.flat[nearest], 1)
    cell[others] = 0
    return cell
