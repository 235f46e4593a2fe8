"""The registry of methods for images of nuclei: `methods.yml`, checked, as records; and the reviews' counts of them."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from nnbook.reviews import fields as field
from nnbook.reviews.datasets import Contradiction, contradiction, known_datasets
from nnbook.values.published import CITED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nnbook.io.paths import PathLike
    from nnbook.reviews.fields import Check
    from nnbook.values.entries import Entry

FILE: Final = Path(__file__).with_name("methods.yml")

KINDS: Final = ("method", "platform", "library", "service")
TASKS: Final = ("segmentation", "detection", "classification", "denoising")
INTERFACES: Final = ("online", "graphical", "plugin", "notebook", "command line")
APPROACHES: Final = (
    "semantic", "centre and border", "distance map", "box, then mask", "detection beside semantic", "bounding box",
    "synthetic images", "weak supervision", "self-supervision", "active learning", "U-Net on noised images",
)  # fmt: skip
GIVEN: Final = ("code", "model", "data", "documentation", "environment")
"""What a method may give its users, beside a paper and an interface."""

LISTS: Final[Mapping[str, Mapping[str, Any]]] = {
    "classification_code": {"task": "classification"},
    "detection_model": {"task": "detection", "code": True, "model": True},
    "detection_model_3d": {"task": "detection", "dimension": "3D", "code": True, "model": True},
    "segmentation_code_3d": {"task": "segmentation", "dimension": "3D", "code": True},
    "segmentation_model_3d": {"task": "segmentation", "dimension": "3D", "code": True, "model": True},
    "denoising_code": {"task": "denoising", "code": True},
}
"""The lists that the review's text gives in full, with what is true of all in it; `reviews.NAME` is its count."""


def _given(value: Any) -> str:
    """Check whether something is given: yes, no, or the address where it is."""
    return "" if isinstance(value, bool) else field.address(value) and f"is {value!r}; write yes, no or an address"


CHECKS: Final[Mapping[str, Check]] = {
    "name": field.name,
    "title": field.text,
    "kind": field.one_of(*KINDS),
    "tasks": field.some_of(*TASKS),
    "dimensions": field.unless_unknown(field.some_of("2D", "3D")),
    "approach": field.unless_unknown(field.one_of(*APPROACHES)),
    "paper": field.text,
    "year": field.unless_unknown(field.count),
    **dict.fromkeys(GIVEN, field.unless_unknown(_given)),
    "interface": field.unless_unknown(field.some_of(*INTERFACES)),
    "named": field.where,
    "lists": field.some_of(*LISTS),
    "trained_on": field.list_of(field.name),
    "address": field.address,
    "remark": field.text,
    "contradictions": field.list_of(
        field.entry_of(
            {
                "field": field.text,
                **dict.fromkeys(field.REVIEWS, field.text),
                "taken": field.text,
            },
            set(field.REVIEWS),
        )
    ),
}
OPTIONAL: Final = {"lists", "trained_on", "address", "remark", "contradictions"}


@dataclass(frozen=True)
class Given:
    """Whether a method gives something to its users, and where; `said` is None where neither review says it."""

    said: bool | None
    address: str = ""


@dataclass(frozen=True)
class Method:
    """A method or tool that a review names; what neither review says is None.

    Attributes
    ----------
    name, title : str
        How other entries call it, and how the review does.
    kind : str
        One of `KINDS`.
    tasks : tuple of str
        Of `TASKS`.
    dimensions, interface : tuple of str, optional
        2D and 3D; of `INTERFACES`.
    approach, paper : str, optional
        One of `APPROACHES`; as the review cites it.
    year : int, optional
        Of its paper.
    code, model, data, documentation, environment : Given
        What it gives.
    named : tuple of (str, str)
        The reviews that name it, each with where.
    lists : tuple of str
        The review's lists that it is in: of `LISTS`.
    trained_on : tuple of str
        Data sets of `nnbook.reviews.known_datasets`.
    address, remark : str
        Its site; what else is to be known.
    contradictions : tuple of Contradiction
        What the reviews state differently.
    """

    name: str
    title: str
    kind: str
    tasks: tuple[str, ...]
    dimensions: tuple[str, ...] | None
    approach: str | None
    paper: str | None
    year: int | None
    code: Given
    model: Given
    data: Given
    documentation: Given
    environment: Given
    interface: tuple[str, ...] | None
    named: tuple[tuple[str, str], ...]
    lists: tuple[str, ...] = ()
    trained_on: tuple[str, ...] = ()
    address: str = ""
    remark: str = ""
    contradictions: tuple[Contradiction, ...] = ()


class Count(NamedTuple):
    """A count of the review, and what the registry's list of it counts.

    Attributes
    ----------
    key, title : str
        Of the cited value.
    cited : int
        What the review states.
    listed : int, optional
        How many the review's text names; None where it gives the number only.
    """

    key: str
    title: str
    cited: int
    listed: int | None


@cache
def known_methods() -> tuple[Method, ...]:
    """Return the methods of the registry that comes with the package, in the order of its file."""
    return read_methods(FILE)


def read_methods(path: PathLike) -> tuple[Method, ...]:
    """Read a registry of methods.

    Parameters
    ----------
    path : str or Path
        A YAML file like `methods.yml` beside this module.

    Returns
    -------
    tuple of Method
        In the order of the file.

    Raises
    ------
    NnbookError
        With a line for each fault, which has the file's line and the method's name: an unknown or missing field, a
        value of another type, a malformed address, a name or title that another entry has, too, an unknown data set, or
        a method in a list of what it does not give.
    """
    path = Path(path)
    entries = list(field.each_entry(path, field.read_registry(path), "methods"))
    problems = field.problems_of(entries, CHECKS, OPTIONAL, _unfit)
    for line, problem in (
        *field.repeated(entries, "name", "the name"),
        *field.repeated(entries, "title", "the title", str.casefold),
    ):
        problems.append((line, "two entries", problem))
    field.refuse(path, problems)
    return tuple(_method(entry) for entry in entries)


def _unfit(entry: Entry) -> list[tuple[int, str]]:
    """Find fields that do not fit each other."""
    known = {one.name for one in known_datasets()}
    found = [
        (entry.lines["trained_on"], f"trained_on has {name}, which is no data set of datasets.yml")
        for name in entry.get("trained_on", ())
        if name not in known
    ]
    for one in entry.get("lists", ()):
        wanted = LISTS[one]
        lacking = [given for given in ("code", "model") if given in wanted and entry[given] in {False, field.UNKNOWN}]
        if wanted["task"] not in entry["tasks"]:
            lacking.append(f"the task {wanted['task']}")
        if wanted.get("dimension", "") not in entry["dimensions"] and "dimension" in wanted:
            lacking.append(str(wanted["dimension"]))
        found += [(entry.lines["lists"], f"is in the list {one}, but has not {what}") for what in lacking]
    return found


def count_methods(methods: Sequence[Method]) -> tuple[Count, ...]:
    """Count the methods in each of the review's lists, beside what the review states.

    Parameters
    ----------
    methods : sequence of Method
        See `known_methods`.

    Returns
    -------
    tuple of Count
        For each `reviews.*` of the cited values, in their order.
    """
    counts = []
    for key, cited in CITED.items():
        room, _, name = key.partition(".")
        if room == "reviews":
            listed = sum(name in method.lists for method in methods) if name in LISTS else None
            counts.append(Count(key, cited.title, int(cited.value), listed))
    return tuple(counts)


def _method(entry: Entry) -> Method:
    values = {key: field.known(value) for key, value in entry.items()}
    for name in GIVEN:
        value = values[name]
        values[name] = Given(True, value) if isinstance(value, str) else Given(value)
    values |= {
        "named": tuple(entry["named"].items()),
        "contradictions": tuple(contradiction(one) for one in entry.get("contradictions", ())),
    }
    return Method(**{one.name: values[one.name] for one in fields(Method) if one.name in values})
