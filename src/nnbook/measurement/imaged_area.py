"""The imaged area, from pixels to the square that it would fill."""

from __future__ import annotations

import math
from dataclasses import dataclass

from nnbook.errors import InvalidValueError


@dataclass(frozen=True)
class Area:
    """An imaged area.

    Attributes
    ----------
    px2 : int
        Pixels.
    cm2 : float
        Square centimetres.
    square_side_cm : float
        Side of the square of equal area, in centimetres.
    px_per_um : float
        Pixels a micrometre.
    """

    px2: int
    cm2: float
    square_side_cm: float
    px_per_um: float


def check_scale(px_per_um: float) -> None:
    """Refuse a scale, in pixels a micrometre, that is not above 0.

    Raises
    ------
    InvalidValueError
        Which names `px_per_um`.
    """
    if not (px_per_um > 0 and math.isfinite(px_per_um)):
        raise InvalidValueError(f"px_per_um is {px_per_um}; give pixels a micrometre, above 0", parameter="px_per_um")


def area(px2: int, px_per_um: float) -> Area:
    """Turn a number of pixels into an area.

    Parameters
    ----------
    px2 : int
        Pixels: the sum of width times height over all panoramas.
    px_per_um : float
        Pixels a micrometre.

    Returns
    -------
    Area

    Raises
    ------
    InvalidValueError
        Where either is not above 0.

    Examples
    --------
    >>> from nnbook.measurement import area
    >>> round(area(241_083_171_855, px_per_um=8.0453).cm2, 2)
    37.25
    """
    if px2 <= 0:
        raise InvalidValueError(f"px2 is {px2}; give a number of pixels above 0", parameter="px2")
    check_scale(px_per_um)
    cm2 = px2 / px_per_um**2 / 1e8  # 1 cm2 is 1e8 um2
    return Area(px2=px2, cm2=cm2, square_side_cm=math.sqrt(cm2), px_per_um=px_per_um)
