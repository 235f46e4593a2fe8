"""Learning: the loss of a threshold, over-fitting, and augmentation, on nuclei of the book."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from nnbook.errors import InvalidValueError
from nnbook.primer.crops import renumbered
from nnbook.primer.live import Live

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    from numpy.typing import ArrayLike, NDArray

    from nnbook.primer.crops import Crop

    Curve = Callable[[NDArray[np.float64]], NDArray[np.float64]]

NUCLEI: Final = 60
TRAINED: Final = 10
"""So many nuclei are in the figure of over-fitting, and so many of them are for training."""

HIGHEST_DEGREE: Final = 9
"""A polynomial of this degree goes through ten points."""

START: Final = (140.0, 45.0)
"""Threshold and softness, in grey levels, from which the descent begins at first: both far too large."""


def threshold_loss(
    image: NDArray[np.uint8], inside: NDArray[np.bool_], threshold: ArrayLike, softness: ArrayLike
) -> NDArray[np.float64]:
    """Return the loss of a soft threshold: the mean cross-entropy over pixels.

    A pixel of grey level g is held to be of a nucleus with the probability 1 / (1 + exp(-(g - threshold) / softness)).

    Parameters
    ----------
    image : numpy.ndarray
        Axes (y, x), uint8.
    inside : numpy.ndarray
        Axes (y, x): which pixels are of a nucleus.
    threshold, softness : array_like
        Of shapes that go together, in grey levels; softness above 0.

    Returns
    -------
    numpy.ndarray
        Of their common shape, in nats: 0 where every pixel is right for certain, 0.69 for a coin.
    """
    threshold, softness = np.broadcast_arrays(np.asarray(threshold, float), np.asarray(softness, float))
    margin = (np.arange(256) - threshold[..., None]) / softness[..., None]
    counts = [np.bincount(image[chosen], minlength=256) for chosen in (inside, ~inside)]
    return np.asarray((np.logaddexp(0, -margin) @ counts[0] + np.logaddexp(0, margin) @ counts[1]) / image.size)


def descent(crop: Crop) -> Live:
    """Return what the figure of gradient descent shows: `image` and `true`, axes (y, x), and the start."""
    return Live(
        "descent",
        {"image": crop.image, "true": (crop.true > 0).astype(np.uint8)},
        {"panorama": crop.panorama, "threshold": START[0], "softness": START[1]},
    )


def overfitting(rois: pd.DataFrame) -> Live:
    """Return what the figure of over-fitting shows.

    Parameters
    ----------
    rois : pandas.DataFrame
        A row a nucleus, with `area_um2`, `mean_intensity`, `at_border` and `class`.

    Returns
    -------
    Live
        No arrays. Of the first `NUCLEI` whole nuclei in interphase, sorted by area, `TRAINED` at even ranks are for
        training. Facts: `train_x`, `train_y`, `valid_x`, `valid_y`: area in µm2, and its product with the mean grey
        level, in thousands.

    Raises
    ------
    InvalidValueError
        Where there are fewer nuclei.
    """
    whole = rois[~rois["at_border"] & (rois["class"] == "interphase")].head(NUCLEI).sort_values("area_um2")
    if len(whole) < NUCLEI:
        raise InvalidValueError(f"there are {len(whole)} whole nuclei in interphase; give {NUCLEI}", parameter="rois")
    ranks = np.rint(np.linspace(0, NUCLEI - 1, TRAINED)).astype(int)
    area = whole["area_um2"].to_numpy(float)
    total = area * whole["mean_intensity"].to_numpy(float) / 1000
    trained = np.zeros(NUCLEI, bool)
    trained[ranks] = True
    parts = {"train": trained, "valid": ~trained}
    facts = {f"{name}_x": area[part].round(1).tolist() for name, part in parts.items()}
    facts |= {f"{name}_y": total[part].round(2).tolist() for name, part in parts.items()}
    return Live("overfitting", {}, facts)


def fit_polynomial(x: ArrayLike, y: ArrayLike, degree: int) -> Curve:
    """Return the polynomial of a degree with the least squared error on points, as a function of x."""
    x = np.asarray(x, float)
    middle, half = (x.max() + x.min()) / 2, np.ptp(x) / 2
    # Between -1 and 1 powers stay of a size.
    coefficients = np.polyfit((x - middle) / half, np.asarray(y, float), degree)
    return lambda places: np.asarray(np.polyval(coefficients, (places - middle) / half))


def root_mean_square(curve: Curve, x: ArrayLike, y: ArrayLike) -> float:
    """Return the root of the mean squared error of a curve on points, in the unit of y."""
    return float(np.sqrt(np.mean((curve(np.asarray(x, float)) - np.asarray(y, float)) ** 2)))


def augmentation(crop: Crop) -> Live:
    """Return what the figure of augmentation shows: `image` and `true`, axes (y, x)."""
    arrays = {"image": crop.image, "true": renumbered(crop.true)}
    return Live("augmentation", arrays, {"panorama": crop.panorama})
