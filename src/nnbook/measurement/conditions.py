"""Conditions compared: a value for each replicate, and the difference of their means with its interval.

The replicate is the unit. Nuclei of one culture resemble each other, so a test that counts them as independent finds a
difference between any two dishes.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import pandas as pd

from nnbook.errors import NnbookError

if TYPE_CHECKING:
    from collections.abc import Sequence

CONFIDENCE: Final = 0.95
"""Of intervals."""

REFERENCES: Final = (
    "control", "controls", "ctrl", "ctl", "untreated", "vehicle", "dmso", "mock", "wt", "wild type", "wildtype",
)  # fmt: skip
"""What the condition is usually called that others are compared with."""

MEASURES: Final = ("density", "area_um2", "mean_intensity")
"""Nuclei a mm² of imaged area; and medians over the nuclei that no edge cuts, of their area and mean grey level."""


class Difference(NamedTuple):
    """How far a condition is from the reference, in one measure.

    Attributes
    ----------
    condition, reference : str
        The two conditions.
    replicates, reference_replicates : int
        How many of each have a value.
    mean, reference_mean : float
        Means over replicates.
    value : float
        The first less the second.
    interval : tuple of float or None
        The lower and upper end of the interval of the difference; None where none can be given.
    why : str
        Why there is none; else empty.
    """

    condition: str
    reference: str
    replicates: int
    reference_replicates: int
    mean: float
    reference_mean: float
    value: float
    interval: tuple[float, float] | None
    why: str


def replicate_values(rois: pd.DataFrame, panoramas: pd.DataFrame) -> pd.DataFrame:
    """Return the measures of each replicate.

    Parameters
    ----------
    rois : pandas.DataFrame
        A row a nucleus, with `panorama`, `area_um2`, `mean_intensity` and `at_border`: see
        `nnbook.measurement.rois.measure_panorama`.
    panoramas : pandas.DataFrame
        A row a panorama: `panorama`, `condition`, `replicate` and `area_mm2`. Those without a condition are left out.
        Panoramas of a condition that name no replicate are one.

    Returns
    -------
    pandas.DataFrame
        `condition`, `replicate`, `panoramas`, `nuclei`, and a column for each of `MEASURES`, NaN for medians where a
        replicate has no whole nucleus. Conditions are in the order in which they come first, and replicates in that of
        their names, numbers by value.

    Raises
    ------
    NnbookError
        Where no panorama has a condition.
    """
    named = panoramas[panoramas["condition"] != ""]
    if named.empty:
        raise NnbookError("no panorama has a condition; write the manifest's columns condition and replicate")
    rows = []
    for condition in dict.fromkeys(named["condition"]):
        mine = named[named["condition"] == condition]
        for replicate in sorted(set(mine["replicate"]), key=_order):
            fields = mine[mine["replicate"] == replicate]
            nuclei = rois[rois["panorama"].isin(fields["panorama"])]
            whole = nuclei[~nuclei["at_border"].astype(bool)]
            rows.append(
                {
                    "condition": condition,
                    "replicate": replicate,
                    "panoramas": len(fields),
                    "nuclei": len(nuclei),
                    "density": len(nuclei) / float(fields["area_mm2"].sum()),
                    **{name: float(whole[name].median()) for name in MEASURES[1:]},
                }
            )
    return pd.DataFrame(rows)


def reference_of(conditions: Sequence[str]) -> str:
    """Return the condition that others are compared with: the first that is called a control, else the first."""
    return next((name for name in conditions if name.strip().casefold() in REFERENCES), conditions[0])


def differences(values: pd.DataFrame, measure: str) -> list[Difference]:
    """Return how far each condition is from the reference.

    Parameters
    ----------
    values : pandas.DataFrame
        See `replicate_values`.
    measure : str
        One of `MEASURES`.

    Returns
    -------
    list of Difference
        One for each other condition, in their order. The interval is Welch's: the difference of the means of
        replicates, and to either side the quantile of Student's t with the degrees of freedom of Welch and
        Satterthwaite, times the standard error. It takes replicates to be independent and their values to be about
        normal, does not take equal variances, and is not corrected for how many comparisons are made.
    """
    groups = {
        condition: values.loc[values["condition"] == condition, measure].dropna().to_numpy(np.float64)
        for condition in dict.fromkeys(values["condition"])
    }
    reference = reference_of(list(groups))
    found = []
    for condition, own in groups.items():
        other = groups[reference]
        if condition == reference or not (len(own) and len(other)):
            continue
        interval, why = _interval(own, other, condition, reference)
        means = float(own.mean()), float(other.mean())
        found.append(Difference(condition, reference, len(own), len(other), *means, means[0] - means[1], interval, why))
    return found


def _interval(
    own: np.ndarray[tuple[int], np.dtype[np.float64]],
    other: np.ndarray[tuple[int], np.dtype[np.float64]],
    condition: str,
    reference: str,
) -> tuple[tuple[float, float] | None, str]:
    single = [name for name, values in ((condition, own), (reference, other)) if len(values) < 2]
    if single:
        have = "has" if len(single) == 1 else "have"
        return None, f"no interval can be given where {' and '.join(single)} {have} one replicate"
    shares = [float(values.var(ddof=1)) / len(values) for values in (own, other)]
    error = math.sqrt(sum(shares))
    if error == 0:
        return None, f"no interval can be given where the replicates of {condition} and {reference} do not differ"
    from scipy.special import stdtrit

    freedom = sum(shares) ** 2 / sum(
        share**2 / (len(values) - 1) for share, values in zip(shares, (own, other), strict=True)
    )
    middle = float(own.mean() - other.mean())
    half = float(stdtrit(freedom, (1 + CONFIDENCE) / 2)) * error
    return (middle - half, middle + half), ""


def _order(replicate: str) -> tuple[int, float, str]:
    """Sort numbers by value, and before words."""
    try:
        return 0, float(replicate), replicate
    except ValueError:
        return 1, 0.0, replicate
