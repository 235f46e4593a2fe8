"""The registry of data sets of nuclei: `datasets.yml`, checked, as records."""

from __future__ import annotations

import csv
from dataclasses import asdict, dataclass, fields, is_dataclass
from functools import cache
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from nnbook.errors import InvalidValueError
from nnbook.reviews import fields as field
from nnbook.values.entries import Entry

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from nnbook.io.paths import PathLike
    from nnbook.reviews.fields import Check

FILE: Final = Path(__file__).with_name("datasets.yml")

TASKS: Final = ("segmentation", "classification", "detection")
DIMENSIONS: Final = ("2D", "3D")
MODALITIES: Final = (
    "bright field", "confocal", "electron microscopy", "fluorescence", "histology", "light sheet", "various",
)  # fmt: skip
ANNOTATIONS: Final = ("manual", "semi-automatic", "automatic, patches manual")
ACCESS: Final = ("files", "page", "account", "request")
KINDS: Final = ("labels", "components", "masks", "rois", "coco", "rle")
"""How images and masks are laid out: `nnbook.datasets.layouts` reads each."""

FACTS: Final = (
    "tasks", "dimensions", "modality", "stain", "organism", "specimen", "images", "nuclei", "annotation", "address",
    "access", "licence",
)  # fmt: skip
"""The fields that are facts about a set."""

_LAYOUT: Final[Mapping[str, Check]] = {
    "kind": field.one_of(*KINDS),
    "images": field.text,
    "labels": field.text,
    "category": field.text,
}
_SAID: Final[Mapping[str, Check]] = {
    "field": field.one_of(*FACTS),
    **dict.fromkeys((*field.REVIEWS, "elsewhere"), field.text),
    "taken": field.text,
}
_SOURCED: Final = (*FACTS, "files", "layout", "remark")
CHECKS: Final[Mapping[str, Check]] = {
    "name": field.name,
    "title": field.text,
    "part_of": field.name,
    "tasks": field.some_of(*TASKS),
    "dimensions": field.some_of(*DIMENSIONS),
    "modality": field.unless_unknown(field.one_of(*MODALITIES)),
    "stain": field.text,
    "organism": field.text,
    "specimen": field.text,
    "images": field.unless_unknown(field.count),
    "nuclei": field.unless_unknown(field.count),
    "approximate": field.some_of("images", "nuclei"),
    "annotation": field.unless_unknown(field.one_of(*ANNOTATIONS)),
    "address": field.address,
    "access": field.one_of(*ACCESS),
    "licence": field.text,
    "listed": field.where,
    "files": field.list_of(
        field.entry_of(
            {
                "address": field.address,
                "sha256": field.unless_unknown(field.sha256),
            },
            set(),
        )
    ),
    "layout": field.entry_of(_LAYOUT, {"category"}),
    "remark": field.text,
    "contradictions": field.list_of(field.entry_of(_SAID, {*field.REVIEWS, "elsewhere"})),
    "elsewhere": field.entry_of(dict.fromkeys(_SOURCED, field.text), set(_SOURCED)),
}
OPTIONAL: Final = {"part_of", "approximate", "files", "layout", "remark", "contradictions", "elsewhere"}


@dataclass(frozen=True)
class SetFile:
    """A file of a data set: its address, and the SHA-256 that it had when it was published, where that is known."""

    address: str
    sha256: str | None


@dataclass(frozen=True)
class Layout:
    """How images and masks are laid out in a data set's files.

    Attributes
    ----------
    kind : str
        One of `KINDS`.
    images, labels : str
        Patterns of paths below the unpacked files, with * for what differs from image to image.
    category : str, optional
        Which category of a COCO file is nuclei.
    """

    kind: str
    images: str
    labels: str
    category: str | None = None


@dataclass(frozen=True)
class Contradiction:
    """What sources state differently of a data set or method.

    Attributes
    ----------
    field : str
        Of which field.
    said : tuple of (str, str)
        Who says what.
    taken : str
        Which of it the registry has, and why.
    """

    field: str
    said: tuple[tuple[str, str], ...]
    taken: str


@dataclass(frozen=True)
class DataSet:
    """A data set that a review lists; what neither review states is None.

    Attributes
    ----------
    name, title : str
        How commands call it, and how the review does.
    tasks, dimensions : tuple of str
        Of `TASKS` and `DIMENSIONS`.
    modality, stain, organism, specimen, annotation, licence : str, optional
        As far as stated.
    images, nuclei : int, optional
        How many.
    address, access : str
        Where it is, and how one gets it: one of `ACCESS`.
    listed : tuple of (str, str)
        The reviews that list it, each with where.
    part_of : str, optional
        The collection that it is of.
    approximate : tuple of str
        Which of `images` and `nuclei` is stated as "about".
    files : tuple of SetFile
        Where `access` is "files", these.
    layout : Layout, optional
        How they are laid out.
    remark : str
        What else is to be known.
    contradictions : tuple of Contradiction
        What sources state differently.
    elsewhere : tuple of (str, str)
        Fields that neither review states, each with its source.
    """

    name: str
    title: str
    tasks: tuple[str, ...]
    dimensions: tuple[str, ...]
    modality: str | None
    stain: str | None
    organism: str | None
    specimen: str | None
    images: int | None
    nuclei: int | None
    annotation: str | None
    address: str
    access: str
    licence: str | None
    listed: tuple[tuple[str, str], ...]
    part_of: str | None = None
    approximate: tuple[str, ...] = ()
    files: tuple[SetFile, ...] = ()
    layout: Layout | None = None
    remark: str = ""
    contradictions: tuple[Contradiction, ...] = ()
    elsewhere: tuple[tuple[str, str], ...] = ()


@cache
def known_datasets() -> tuple[DataSet, ...]:
    """Return the data sets of the registry that comes with the package, in the order of the longer review's table."""
    return read_datasets(FILE)


def read_datasets(path: PathLike) -> tuple[DataSet, ...]:
    """Read a registry of data sets.

    Parameters
    ----------
    path : str or Path
        A YAML file like `datasets.yml` beside this module.

    Returns
    -------
    tuple of DataSet
        In the order of the file.

    Raises
    ------
    NnbookError
        With a line for each fault, which has the file's line and the set's name: an unknown or missing field, a value
        of another type, a malformed address, a row of a table or an address that another entry has, too, a `part_of`
        that is no entry, files of a set whose access is not "files", or none where it is.
    """
    path = Path(path)
    entries = list(field.each_entry(path, field.read_registry(path), "datasets"))
    named = {str(entry.get("name")) for entry in entries}
    problems = field.problems_of(entries, CHECKS, OPTIONAL, lambda entry: _unfit(entry, named))
    whole = [entry for entry in entries if "part_of" not in entry]
    for line, problem in (
        *field.repeated(entries, "name", "the name"),
        *field.repeated(entries, "title", "the title", str.casefold),
        *field.repeated(entries, "address", "the address", _same_place),
        *_rows_twice(whole),
    ):
        problems.append((line, _name_at(entries, line), problem))
    field.refuse(path, problems)
    return tuple(_dataset(entry) for entry in entries)


def find_dataset(name: str, datasets: Sequence[DataSet]) -> DataSet:
    """Return the data set of a name.

    Raises
    ------
    InvalidValueError
        Where there is none: with names that are like it.
    """
    from difflib import get_close_matches

    found = {one.name: one for one in datasets}
    if name not in found:
        like = get_close_matches(name, found, n=3, cutoff=0.5)
        hint = f"do you mean {' or '.join(like)}?" if like else "'nnbook datasets' lists those that are"
        raise InvalidValueError(f"dataset is {name!r}, none that is known here; {hint}", parameter="dataset")
    return found[name]


def choose_datasets(datasets: Sequence[DataSet], **wanted: str | None) -> tuple[DataSet, ...]:
    """Choose data sets by their fields.

    Parameters
    ----------
    datasets : sequence of DataSet
        To choose from.
    **wanted : str, optional
        For a field of `DataSet`, what its value is, or what one of several values is, or a word in it: upper and lower
        case are alike. None chooses all.

    Returns
    -------
    tuple of DataSet
        Those that have all that is wanted, in their order.

    Raises
    ------
    InvalidValueError
        Where a field has a value of several known ones in no entry, and is not one of them.
    """
    closed = {"task": TASKS, "dimension": DIMENSIONS, "modality": MODALITIES, "access": ACCESS}
    for name, value in wanted.items():
        known = closed.get(name)
        if value is not None and known and value.casefold() not in map(str.casefold, known):
            raise InvalidValueError(f"{name} is {value!r}; use one of {', '.join(known)}", parameter=name)
    return tuple(
        one for one in datasets if all(value is None or _has(one, name, value) for name, value in wanted.items())
    )


def datasets_csv(datasets: Iterable[DataSet]) -> str:
    """Return data sets with all their fields as comma-separated values.

    Parameters
    ----------
    datasets : iterable of DataSet
        A row each.

    Returns
    -------
    str
        A row of the fields' names comes first. What is not known is empty, and semicolons are between several values.
    """
    names = [one.name for one in fields(DataSet)]
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    writer.writerows([_cell(getattr(one, name)) for name in names] for one in datasets)
    return text.getvalue()


def _cell(value: Any) -> str:
    if is_dataclass(value) and not isinstance(value, type):
        return ", ".join(f"{name}: {_cell(one)}" for name, one in asdict(value).items() if one is not None)
    if isinstance(value, tuple) and value and all(isinstance(one, tuple) for one in value):
        return "; ".join(": ".join(one) for one in value)
    if isinstance(value, tuple):
        return "; ".join(_cell(one) for one in value)
    return "" if value is None else str(value)


def _has(dataset: DataSet, name: str, value: str) -> bool:
    plural = {"task": "tasks", "dimension": "dimensions"}
    held = getattr(dataset, plural.get(name, name))
    if isinstance(held, tuple):
        return value.casefold() in map(str.casefold, held)
    return held is not None and value.casefold() in held.casefold()


def _same_place(address: str) -> str:
    """Return an address without what leads to the same place: the protocol, www and a last slash."""
    return address.partition("://")[2].removeprefix("www.").rstrip("/")


def _rows_twice(entries: list[Entry]) -> list[tuple[int, str]]:
    """Find rows of a review's table that two entries have."""
    found = []
    for review in field.REVIEWS:
        rows: dict[tuple[str, str], Entry] = {}
        for entry in entries:
            place = entry["listed"].get(review) if isinstance(entry.get("listed"), Entry) else None
            if isinstance(place, Entry):
                row = (str(place.get("table")), str(place.get("row")))
                if rows.setdefault(row, entry) is not entry:
                    line = rows[row].lines["listed"]
                    found.append(
                        (entry.lines["listed"], f"row {row[1]} of the {review}'s table is in line {line}, too")
                    )
    return found


def _name_at(entries: list[Entry], line: int) -> str:
    return next(str(entry.get("name")) for entry in reversed(entries) if entry.line <= line)


def _unfit(entry: Entry, named: set[str]) -> list[tuple[int, str]]:
    """Find fields that do not fit each other."""
    found = []
    if (whole := entry.get("part_of")) is not None and whole not in named:
        found.append((entry.lines["part_of"], f"part_of is {whole}, which is no entry"))
    if (entry["access"] == "files") != ("files" in entry):
        found.append((entry.lines["access"], "access is 'files' where files are named below, and only there"))
    if "files" in entry and "layout" not in entry:
        found.append((entry.lines["files"], "files have no layout; say how images and masks are laid out"))
    found += [
        (entry["elsewhere"].lines[name], f"elsewhere has a source of {name}, which is unknown")
        for name in entry.get("elsewhere", ())
        if entry.get(name, field.UNKNOWN) == field.UNKNOWN
    ]
    found += [
        (one.line, "a contradiction has no side; write what a review states")
        for one in entry.get("contradictions", ())
        if len(one) < 3
    ]
    return found


def _dataset(entry: Entry) -> DataSet:
    values = {key: field.known(value) for key, value in entry.items()}
    layout = entry.get("layout")
    values |= {
        "listed": tuple((review, _place(place)) for review, place in entry["listed"].items()),
        "files": tuple(SetFile(one["address"], field.known(one["sha256"])) for one in entry.get("files", ())),
        "layout": Layout(**layout) if layout else None,
        "contradictions": tuple(contradiction(one) for one in entry.get("contradictions", ())),
        "elsewhere": tuple(entry.get("elsewhere", {}).items()),
    }
    return DataSet(**{one.name: values[one.name] for one in fields(DataSet) if one.name in values})


def contradiction(entry: Entry) -> Contradiction:
    """Return what an entry says of sources that differ."""
    sides = tuple((who, entry[who]) for who in (*field.REVIEWS, "elsewhere") if who in entry)
    return Contradiction(entry["field"], sides, entry["taken"])


def _place(place: Any) -> str:
    return f"table {place['table']}, row {place['row']}" if isinstance(place, Entry) else str(place)
