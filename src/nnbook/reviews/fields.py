"""What the fields of the registries may hold: each check says what is wrong with a value, or nothing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from nnbook.errors import MissingFileError, NnbookError
from nnbook.values.entries import Entry, entry_problems, read_entries

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    Check = Callable[[Any], str]

UNKNOWN: Final = "unknown"
"""How a registry says that neither review says it; None in Python."""

REVIEWS: Final = ("review", "short-paper")
"""The two reviews, as entries name them: `nuclei-review` and `plant-nuclei-paper` of `values/published.yml`."""

NAME: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
HOST: Final = re.compile(r"([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}", re.IGNORECASE)
SHA256: Final = re.compile(r"[0-9a-f]{64}")


def name(value: Any) -> str:
    """Check a name, by which a command and other entries call an entry."""
    named = isinstance(value, str) and NAME.fullmatch(value)
    return "" if named else f"is {value!r}; write lower-case words joined by -"


def text(value: Any) -> str:
    """Check a text that says something."""
    return "" if isinstance(value, str) and value.strip() else f"is {value!r}; write a text"


def flag(value: Any) -> str:
    """Check a yes or no."""
    return "" if isinstance(value, bool) else f"is {value!r}; write yes or no"


def count(value: Any) -> str:
    """Check a count of images, nuclei or years."""
    good = isinstance(value, int) and not isinstance(value, bool) and value > 0
    return "" if good else f"is {value!r}; write a whole number above 0"


def address(value: Any) -> str:
    """Check a web address: the address of a repository or file, with a host, and without what text puts round it."""
    if not isinstance(value, str):
        return f"is {value!r}; write an address that begins with https://"
    try:
        parts = urlsplit(value)
        host = parts.hostname or ""
        _ = parts.port
    except ValueError as error:
        return f"is {value!r}, no web address ({error})"
    local = host in {"localhost", "127.0.0.1"}
    good = parts.scheme in {"http", "https"} and (local or HOST.fullmatch(host)) and re.fullmatch(r"[!-~]+", value)
    if not good or value[-1] in ".,;)>":
        return f"is {value!r}, no web address; write one that begins with https://, without spaces or a full stop"
    return ""


def sha256(value: Any) -> str:
    """Check the SHA-256 of a file."""
    good = isinstance(value, str) and SHA256.fullmatch(value)
    return "" if good else f"is {value!r}; write 64 hexadecimal digits"


def one_of(*known: str) -> Check:
    """Return a check for one of several words."""
    return lambda value: "" if value in known else f"is {value!r}; use one of {', '.join(known)}"


def some_of(*known: str) -> Check:
    """Return a check for a list of some of several words, each once."""

    def check(value: Any) -> str:
        if not isinstance(value, list) or not value or len(set(map(str, value))) < len(value):
            return f"is {value!r}; write a list of some of {', '.join(known)}"
        return next((one_of(*known)(one) for one in value if one not in known), "")

    return check


def list_of(check: Check) -> Check:
    """Return a check for a list of values that another one checks."""

    def several(value: Any) -> str:
        if not isinstance(value, list) or not value:
            return f"is {value!r}; write a list"
        return next((problem for one in value if (problem := check(one))), "")

    return several


def unless_unknown(check: Check) -> Check:
    """Return a check that takes the word for what neither review says, too."""
    return lambda value: "" if value == UNKNOWN else check(value)


def entry_of(checks: Mapping[str, Check], optional: set[str]) -> Check:
    """Return a check for a mapping of known keys."""

    def check(value: Any) -> str:
        if not isinstance(value, Entry):
            return f"is {value!r}; write a mapping of {', '.join(checks)}"
        found = entry_problems(value, checks, optional)
        return f"in line {found[0][0]}: {found[0][1]}" if found else ""

    return check


def said_in(check: Check) -> Check:
    """Return a check for what each of one or both reviews says."""
    return entry_of(dict.fromkeys(REVIEWS, check), set(REVIEWS))


def where(value: Any) -> str:
    """Check where the reviews name something: a section, or a table with its row from 1."""
    row = entry_of({"table": count, "row": count}, set())
    place = said_in(lambda one: row(one) if isinstance(one, Entry) else text(one))
    return place(value) or ("" if value else "is empty; name the review and its section or table")


def known(value: Any) -> Any:
    """Return a value of a registry as Python has it: None for what is not known, tuples for lists."""
    if value == UNKNOWN:
        return None
    return tuple(known(one) for one in value) if isinstance(value, list) else value


def read_registry(path: Path) -> Entry:
    """Read the file of a registry.

    Raises
    ------
    NnbookError
        In one line, whatever is wrong with its text: see `nnbook.values.entries.read_entries`.
    """
    try:
        return read_entries(path)
    except MissingFileError:
        raise
    except NnbookError as error:
        raise NnbookError(" ".join(str(error).split())) from error


def each_entry(path: Path, content: Entry, key: str) -> Iterator[Entry]:
    """Return the entries of a list.

    Raises
    ------
    NnbookError
        Where there is no such list, or something else than a mapping in it.
    """
    entries = content.get(key)
    if not isinstance(entries, list) or not entries:
        raise NnbookError(f"{path}: has no list {key}; write '{key}:', and an entry '- name: ...' below it")
    for number, entry in enumerate(entries, start=1):
        if not isinstance(entry, Entry):
            raise NnbookError(f"{path}: {key} {number} is {entry!r}; write '- name: ...' with its fields below it")
        yield entry


def problems_of(
    entries: list[Entry],
    checks: Mapping[str, Check],
    optional: set[str],
    unfit: Callable[[Entry], list[tuple[int, str]]],
) -> list[tuple[int, str, str]]:
    """Find what is wrong with entries: each with its line and name.

    Fields are held against each other, by `unfit`, where none is wrong by itself.
    """
    return [
        (line, str(entry.get("name", "without a name")), problem)
        for entry in entries
        for line, problem in entry_problems(entry, checks, optional) or unfit(entry)
    ]


def repeated(entries: list[Entry], key: str, what: str, form: Callable[[str], str] = str) -> Iterator[tuple[int, str]]:
    """Find entries that share a value which is of one alone, with their lines."""
    first: dict[str, Entry] = {}
    for entry in entries:
        if not isinstance(value := entry.get(key), str) or value == UNKNOWN:
            continue
        before = first.setdefault(form(value), entry)
        if before is not entry:
            yield (
                entry.lines[key],
                f"{what} {value} is in line {before.lines[key]}, too; join the entries, or mend one",
            )


def refuse(path: Path, problems: list[tuple[int, str, str]]) -> None:
    """Raise an error with a line for each problem, as `file:line: name: what is wrong`."""
    if problems:
        lines = [f"{path}:{line}: {named}: {problem}" for line, named, problem in sorted(problems)]
        raise NnbookError("\n".join(lines))
