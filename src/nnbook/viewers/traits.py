"""The traits of views: values that a notebook and a browser share, checked where a notebook sets them.

A value that a view can't show is an `InvalidValueError` that names the trait and says what to give. NumPy's numbers and
arrays are taken as Python's, since most values come from tables and images.
"""

from __future__ import annotations

import math
import operator
import re
from typing import TYPE_CHECKING, Any, Final, TypeVar

import numpy as np
import traitlets

from nnbook.errors import InvalidValueError
from nnbook.viewers.palette import is_colour

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Value = TypeVar("Value")

View = list[float] | None
"""What is seen of an image: x and y of its centre and its width, in px, with the first pixel's corner at 0; or all."""

MAX_PX: Final = 1e7
"""The browser knows no view beyond it; see `VIEW` in widgets/shared/zoomstate.ts."""

MOST_CORNERS: Final = 200

ORDER: Final = re.compile(r"-?[a-z]\w{0,40}", re.ASCII)
RANGE: Final = re.compile(
    r"[a-z]\w{0,40}:(?P<least>-?\d{1,12}(\.\d{1,12})?)?\.\.(?P<most>-?\d{1,12}(\.\d{1,12})?)?", re.ASCII
)
MOST_RANGES: Final = 12


class Shared(traitlets.TraitType[Value, Any]):
    """A value that a notebook and a browser share.

    Parameters
    ----------
    default : object
        The value at first; where it is None, None is accepted.
    accept : callable
        Returns a value as it is kept, which JSON can hold; raises TypeError or ValueError where it is none.
    wanted : str
        What to give, for messages: `an integer from 1, or None`.
    """

    def __init__(self, default: Value, accept: Callable[[Any], Value], wanted: str) -> None:
        super().__init__(default, allow_none=default is None)
        self._accept, self._wanted = accept, wanted
        self.tag(sync=True)

    def validate(self, _view: Any, value: Any) -> Value:
        """Return a value as it is kept; raise InvalidValueError where the view can't show it."""
        try:
            return self._accept(value)
        except (TypeError, ValueError):
            raise InvalidValueError(
                f"{self.name} is {value!r}; give {self._wanted}", parameter=self.name or ""
            ) from None


def whole_number(least: int, most: int | None = None) -> Shared[int | None]:
    """Make a trait of whole numbers, or None."""

    def accept(value: Any) -> int:
        number = operator.index(value)
        return number if not isinstance(value, bool) and number >= least and (most is None or number <= most) else _no()

    return Shared(None, accept, f"a whole number from {least}{'' if most is None else f' to {most}'}, or None")


def number(default: float | None, least: float, most: float, what: str) -> Shared[Any]:
    """Make a trait of numbers; `what` names them and their unit in a message."""

    def accept(value: Any) -> float:
        return float(value) if _is_number(value) and least <= value <= most else _no()

    none = ", or None" if default is None else ""
    return Shared(default, accept, f"{what} from {least:g} to {most:g}{none}")


def flag(what: str) -> Shared[bool]:
    """Make a trait that is True or False, at first False."""
    return Shared(
        False, lambda value: bool(value) if isinstance(value, bool | np.bool_) else _no(), f"True or False: {what}"
    )


def text(wanted: str, check: Callable[[str], object] = bool, most: int = 200) -> Shared[str | None]:
    """Make a trait of texts of at most so many letters that pass a check, or None."""

    def accept(value: Any) -> str:
        fits = isinstance(value, str) and 0 < len(value) <= most and check(value)
        return str(value) if fits else _no()

    return Shared(None, accept, f"{wanted}, or None")


def is_order(order: str) -> bool:
    """Return whether a text names a column to order by, as widgets/cells/choice.ts reads it."""
    return ORDER.fullmatch(order) is not None


def is_filter(wanted: str) -> bool:
    """Return whether a text is ranges of columns and a class, as widgets/cells/choice.ts reads it."""

    def fits(part: str) -> bool:
        column, _, value = part.partition(":")
        if column == "class":
            return value != ""
        found = RANGE.fullmatch(part)
        limits = [float(limit) for limit in (found["least"], found["most"]) if limit] if found else []
        return limits != [] and limits == sorted(limits)

    parts = wanted.split(";")
    return len(parts) <= MOST_RANGES and all(map(fits, parts))


def choice(default: str, *others: str) -> Shared[str]:
    """Make a trait of one of several words."""
    words = tuple(dict.fromkeys((default, *others)))
    return Shared(default, lambda value: value if value in words else _no(), f"one of {', '.join(words)}")


def numbers(count: int, check: Callable[..., bool], wanted: str) -> Shared[list[float] | None]:
    """Make a trait of several numbers that pass a check together, or None."""

    def accept(value: Any) -> list[float]:
        values = _row(value, count)
        return values if check(*values) else _no()

    return Shared(None, accept, f"{wanted}, or None")


def names(wanted: str) -> Shared[list[str]]:
    """Make a trait of a list of texts, at first empty."""

    def accept(value: Any) -> list[str]:
        fits = not isinstance(value, str) and all(isinstance(one, str) for one in value)
        return list(dict.fromkeys(map(str, value))) if fits else _no()

    return Shared([], accept, f"a list of {wanted}")


def camera(of: str) -> Shared[list[float] | None]:
    """Make the trait of what is seen of an image: x and y of its centre and its width, in px, or None for all of it."""
    return numbers(
        3,
        lambda x, y, width: abs(x) < MAX_PX and abs(y) < MAX_PX and 1 <= width < MAX_PX,
        f"x and y of the centre and the width (at least 1), in px of the {of}",
    )


def channel_looks() -> Shared[list[dict[str, Any]] | None]:
    """Make the trait of how channels are shown, or None."""

    def one(value: Any) -> dict[str, Any]:
        low, high = _row(value["range"], 2)
        if not is_colour(value["colour"]) or not low < high or not isinstance(value.get("name", ""), str):
            raise ValueError
        shown = value.get("shown", True)
        return {
            "name": value.get("name", ""),
            "colour": value["colour"].lower(),
            "range": [low, high],
            "shown": bool(shown) if isinstance(shown, bool | np.bool_) else _no(),
        }

    def accept(value: Any) -> list[dict[str, Any]]:
        try:
            looks = [one(channel) for channel in value]
        except (KeyError, AttributeError):
            raise ValueError from None
        if not looks:
            raise ValueError
        return looks

    return Shared(
        None,
        accept,
        "a list of {'name': 'DAPI', 'colour': '#ff00ff', 'range': [0, 255], 'shown': True}, one a channel, or None",
    )


def corners() -> Shared[list[list[float]] | None]:
    """Make the trait of a polygon's corners, or None."""

    def accept(value: Any) -> list[list[float]]:
        return [_row(pair, 2) for pair in value] if 3 <= len(value) <= MOST_CORNERS else _no()

    return Shared(None, accept, f"3 to {MOST_CORNERS} pairs of nuclei and grey levels, or None")


def _row(value: Sequence[Any], count: int) -> list[float]:
    if len(value) != count or isinstance(value, str) or not all(map(_is_number, value)):
        raise ValueError
    return [int(one) if isinstance(one, int | np.integer) else float(one) for one in value]


def _is_number(value: Any) -> bool:
    real = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
    return real and math.isfinite(value)


def _no() -> Any:
    raise ValueError
