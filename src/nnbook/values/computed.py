"""The numbers of the book: notebooks name values, chapters write their keys, and no value is typed twice.

A notebook names values by one call of `name_numbers`, whose output is a small table for readers and, beside it, the
values for the pages of the book. Once all notebooks are executed, `collect_numbers` gathers what they named.
"""

from __future__ import annotations

import json
import pkgutil
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Final

from nnbook.errors import MissingFileError, NnbookError
from nnbook.io.files import write_json
from nnbook.values.formatting import KEY, check_unit, shown
from nnbook.values.published import CITED
from nnbook.values.table import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

MIME: Final = "application/vnd.nnbook.numbers+json"
"""The type of an executed notebook's output that holds the numbers it names."""

FILE: Final = "numbers.json"


@dataclass(frozen=True)
class Number:
    """A value that a notebook computed.

    Attributes
    ----------
    key : str
        How a chapter refers to it: lower-case words joined by `.` or `_`.
    title : str
        What it is a value of.
    value : int, float or None
        The value; None where this edition has nothing to compute it from.
    unit : str
        See `nnbook.values.formatting.shown`.
    digits : int
        How many digits after the decimal point are shown.
    source : str
        The dotted name of the function that gave it, or of the constant that it is.
    inputs : tuple of str
        The files that it was computed from, relative to the edition's folder; committed ones to the book's.
    """

    key: str
    title: str
    value: float | None
    unit: str = ""
    digits: int = 0
    source: str = ""
    inputs: tuple[str, ...] = ()

    @property
    def shown(self) -> str:
        """The value with its unit, as text shows it."""
        return shown(self.value, self.unit, self.digits)


@dataclass(frozen=True)
class Numbers:
    """Named numbers, as a notebook shows them."""

    numbers: tuple[Number, ...] = field(default_factory=tuple)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        table = Table(
            header=("What", "Value", "Number", "Computed by"),  # what a phone shows without scrolling comes first
            rows=tuple((number.title, number.shown, number.key, number.source) for number in self.numbers),
            numeric=frozenset({1}),
        )
        return {
            MIME: [asdict(number) | {"shown": number.shown} for number in self.numbers],
            "text/html": table._repr_html_(),
            "text/plain": repr(table),
        }


def name_numbers(*numbers: Number, source: Callable[..., Any] | str = "", inputs: Sequence[str] = ()) -> Numbers:
    """Name values, so that chapters can write them by their keys: the last line of a notebook's cell.

    Parameters
    ----------
    *numbers : Number
        At least one.
    source : callable or str, optional
        The function that gave them, or the dotted name of a function or constant; for numbers without a source.
    inputs : sequence of str, optional
        The files that they were computed from, relative to the edition's folder; likewise.

    Returns
    -------
    Numbers

    Raises
    ------
    NnbookError
        With a line for each number that has a malformed or repeated key, a value that is not finite, a unit that is
        not known, or a source that does not exist.
    """
    name = source if isinstance(source, str) else f"{source.__module__}.{source.__qualname__}"
    named = tuple(
        Number(
            key=number.key,
            title=number.title,
            value=_plain(number.value),
            unit=number.unit,
            digits=number.digits,
            source=number.source or name,
            inputs=tuple(number.inputs or inputs),
        )
        for number in numbers
    )
    keys = [number.key for number in named]
    problems = [] if named else ["no number was named; give at least one"]
    problems += [f"the number {key} is named twice; give one of them another key" for key in _twice(keys)]
    for number in named:
        problems += _problems_of(number)
    if problems:
        raise NnbookError("\n".join(problems))
    return Numbers(named)


def collect_numbers(folder: Path) -> dict[str, dict[str, Any]]:
    """Gather the numbers that an edition's executed notebooks named into its `numbers.json`.

    Parameters
    ----------
    folder : Path
        The edition's folder, with `notebooks/NAME.ipynb`.

    Returns
    -------
    dict of str to dict
        By key, in alphabetical order: the fields of `Number`, and `shown` and `notebook`.

    Raises
    ------
    NnbookError
        With a line for each key that several cells named, and for each output that holds no numbers.
    """
    found: dict[str, dict[str, Any]] = {}
    problems = []
    for path in sorted((folder / "notebooks").glob("*.ipynb")):
        for number in _named_in(path):
            key = number["key"]
            if key in found:
                where = " and ".join(dict.fromkeys([found[key]["notebook"], path.stem]))
                problems.append(f"{path}: the number {key} is named twice, in {where}; give one of them another key")
            found[key] = number | {"notebook": path.stem}
    if problems:
        raise NnbookError("\n".join(problems))
    found = dict(sorted(found.items()))
    write_json(folder / FILE, found)
    return found


def read_numbers(folder: Path) -> dict[str, dict[str, Any]]:
    """Read an edition's numbers, as `collect_numbers` gathered them.

    Raises
    ------
    NnbookError
        Where they have not been gathered yet.
    """
    path = folder / FILE
    if not path.is_file():
        raise MissingFileError(f"{path}: no such file; run 'make book' (or 'nnbook run') first")
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except ValueError as error:
        raise NnbookError(f"{path}: holds no numbers ({error}); run 'make book' (or 'nnbook run') again") from error


def cited_as_json() -> dict[str, dict[str, Any]]:
    """Return the cited values as the pages of the book read them: by key, with `shown` and their source."""
    return {key: asdict(cited) | {"shown": cited.shown} for key, cited in CITED.items()}


def _named_in(path: Path) -> list[dict[str, Any]]:
    """Return the numbers in the outputs of an executed notebook."""
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    except (ValueError, KeyError) as error:
        raise NnbookError(f"{path}: is no executed notebook ({error}); run 'nnbook run' again") from error
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    return [number for output in outputs for number in output.get("data", {}).get(MIME, [])]


def _problems_of(number: Number) -> list[str]:
    problems = []
    if not KEY.fullmatch(number.key):
        problems.append(f"{number.key!r} is no key; write lower-case words joined by . or _, such as area.cm2")
    for check in (lambda: check_unit(number.unit), lambda: number.shown, lambda: _check_source(number.source)):
        try:
            check()
        except NnbookError as error:
            problems.append(f"the number {number.key}: {error}")
    return list(dict.fromkeys(problems))


def _check_source(source: str) -> None:
    """Raise an `NnbookError` unless a dotted name leads to something that exists."""
    try:
        pkgutil.resolve_name(source)
    except (ImportError, AttributeError, ValueError):
        raise NnbookError(
            f"its source is {source!r}, which does not exist; name a function or a constant, with its module"
        ) from None


def _plain(value: Any) -> Any:
    """Return a NumPy number as one of Python."""
    return value.item() if hasattr(value, "item") else value


def _twice(names: Sequence[str]) -> list[str]:
    return sorted({name for name in names if names.count(name) > 1})
