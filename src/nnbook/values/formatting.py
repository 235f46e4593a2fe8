"""How numbers are written: digits in groups, a minus sign, and a no-break space between number and unit."""

from __future__ import annotations

import math
import re
from typing import Final

from nnbook.errors import InvalidValueError

KEY: Final = re.compile(r"[a-z][a-z0-9]*([._][a-z0-9]+)*")
"""The key of a number: lower-case words joined by `.` or `_`."""

SYMBOLS: Final = frozenset(
    {
        "%",
        "×",
        "bit",
        "px",
        "Mpx",
        "V",
        "nm",
        "µm",
        "mm",
        "cm",
        "ms",
        "s",
        "min",
        "h",
        "kB",
        "MB",
        "GB",
        "SD",
        "grey levels",
    }
)
UNIT: Final = re.compile(r"(?P<over>[^/²³]*)[²³]?(/(?P<under>[^/²³]+)[²³]?)?")

NO_BREAK_SPACE: Final = "\u00a0"


def shown(value: float | None, unit: str = "", digits: int = 0) -> str:
    """Return a number with its unit as text.

    Parameters
    ----------
    value : int, float or None
        The value; None, for what an edition has no data for, is shown as a dash.
    unit : str, optional
        Symbols of `SYMBOLS`, with ² or ³ for a power, and one / for a quotient: `cm²`, `px/µm`, `1/mm²`.
    digits : int, optional
        Digits after the decimal point.

    Returns
    -------
    str
        `1,061,277`, `37.25 cm²` and `−2.0` for example, with a minus sign (U+2212) and a no-break space (U+00A0); a
        percent sign and a factor's × follow their number closely.

    Raises
    ------
    NnbookError
        Where the value is not finite, the unit unknown, or the number of digits negative.
    """
    check_unit(unit)
    if digits < 0:
        raise InvalidValueError(f"digits is {digits}; give 0 or more", parameter="digits")
    if value is None:
        return "–"
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidValueError(f"{value!r} is no number; give an int or a float")
    if not math.isfinite(value):
        raise InvalidValueError(
            f"{value} cannot be shown; give a finite value, or None where this edition has no data for it"
        )
    text = f"{value:,.{digits}f}"
    if float(text.replace(",", "")) == 0:
        text = text.removeprefix("-")
    unit = unit.removeprefix("1") if unit.startswith("1/") else unit
    space = "" if unit in {"", "%", "×"} or unit.startswith("/") else NO_BREAK_SPACE
    return text.replace("-", "−") + space + unit.replace(" ", NO_BREAK_SPACE)


def check_unit(unit: str) -> None:
    """Raise an `NnbookError` unless a unit is made of known symbols."""
    parts = UNIT.fullmatch(unit)
    over, under = (parts["over"], parts["under"]) if parts else ("?", None)
    known = over in SYMBOLS or (over == "" and unit == "") or (over == "1" and under is not None)
    if not known or (under is not None and under not in SYMBOLS):
        raise InvalidValueError(
            f"{unit!r} is no unit known here; use {', '.join(sorted(SYMBOLS))}, with ² or ³, and one / (px/µm)"
        )
