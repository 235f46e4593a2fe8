"""Which panoramas represent all: those nearest the centroid of count and brightness."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nnbook.errors import InvalidValueError

if TYPE_CHECKING:
    import pandas as pd

FEATURES = ["num_rois", "mean_intensity"]


def centroid(results: pd.DataFrame) -> pd.Series:
    """Return the mean count and the mean brightness of all panoramas that have a nucleus.

    Parameters
    ----------
    results : pandas.DataFrame
        See `nnbook.io.results.read_results`.

    Returns
    -------
    pandas.Series
        `num_rois` (nuclei a panorama) and `mean_intensity` (grey levels).

    Raises
    ------
    InvalidValueError
        Where no panorama has a nucleus.
    """
    return measured(results)[FEATURES].mean()


def representatives(results: pd.DataFrame, k: int) -> pd.DataFrame:
    """Find the panoramas nearest the centroid.

    The distance is Euclidean over z-scores of count and brightness, with the population standard deviation, as in the
    published work. Of two at the same distance the one whose image name sorts first comes first.

    Parameters
    ----------
    results : pandas.DataFrame
        See `nnbook.io.results.read_results`.
    k : int
        How many panoramas, from 1 to the number of those that have a nucleus.

    Returns
    -------
    pandas.DataFrame
        The `k` nearest, nearest first: all columns of `results`, and `distance` (in standard deviations).

    Raises
    ------
    InvalidValueError
        Where `k` is out of range, or no panorama has a nucleus.
    """
    table = measured(results)
    if not 1 <= k <= len(table):
        raise InvalidValueError(
            f"k is {k}; the table has {len(table)} panoramas with nuclei, so give 1 to {len(table)}", parameter="k"
        )
    features = table[FEATURES]
    spread = features.std(ddof=0)
    # A feature that is the same everywhere separates no two panoramas: its z-scores are 0, not 0 / 0.
    scores = (features - features.mean()) / spread.where(spread > 0, 1.0)
    ranked = table.assign(distance=np.hypot(scores["num_rois"], scores["mean_intensity"]))
    return ranked.sort_values(["distance", "image"], kind="stable").head(k).reset_index(drop=True)


def measured(results: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that have a brightness: a panorama without a nucleus has none, and no place in the plane.

    Parameters
    ----------
    results : pandas.DataFrame
        See `nnbook.io.results.read_results`.

    Returns
    -------
    pandas.DataFrame
        Those of its rows.

    Raises
    ------
    InvalidValueError
        Where no panorama has a nucleus.
    """
    table = results[results["mean_intensity"].notna()]
    if table.empty:
        raise InvalidValueError("no panorama in the table has a nucleus, so there is no centroid; check the masks")
    return table
