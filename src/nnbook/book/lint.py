"""A lint of the book's text: numbers typed by hand, figures that nothing makes, pictures without words.

Only text is read, so a commit can be checked without a build.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import yaml

from nnbook.book.myst import Directive, Link, Picture, Words, read_myst
from nnbook.errors import InvalidValueError
from nnbook.provenance.notebook_record import LABEL

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from nnbook.book.myst import Part
    from nnbook.io.paths import PathLike

SIGNIFICANT: Final = 3
"""Numbers of fewer digits are in every text, and are not checked."""

NEAR: Final = 0.05
"""A typed number that differs from a value of the same unit by no more than this share contradicts it."""

UNITS: Final = ["px/µm", "1/mm²", "cm²", "mm²", "µm²", "px²", "Mpx", "px", "nm", "µm", "mm", "cm", "%", "×", "min", "s"]
TYPED: Final = re.compile(
    r"(?<![\w.,/^#@:–-])(?P<sign>[−-]?)(?P<digits>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)(?![\d,]*\d|\w)"
    rf"(?:[\s\u00a0]?(?P<unit>{'|'.join(map(re.escape, UNITS))})(?![\w²³/]))?"
)
OUTPUT: Final = re.compile(r"#((?:fig|tbl):[\w:-]+)")
DRAWN: Final = re.compile(r"[\w-]+\.png")
STAND_IN: Final = re.compile(r"figures/([\w-]+\.png)")


class Finding(NamedTuple):
    """Something to mend, with where it is and what to do."""

    path: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.message}"


class Value(NamedTuple):
    """A value that the book knows by a key.

    Attributes
    ----------
    role, key : str
        The role that shows it, `number` or `published`, and the key that is written.
    value : float
        The value.
    unit : str
        Its unit.
    digits : int
        How many digits after the decimal point are shown.
    """

    role: str
    key: str
    value: float
    unit: str
    digits: int


def lint_text(project: PathLike, values: Sequence[Value]) -> list[Finding]:
    """Find what is wrong with the text of the book.

    Parameters
    ----------
    project : str or Path
        The book's folder, with `chapters/`, `notebooks/` and `myst.yml`.
    values : sequence of Value
        What the book knows by a key.

    Returns
    -------
    list of Finding
        In the order of files and lines.

    Raises
    ------
    InvalidValueError
        Where the folder has no `myst.yml`, or one that can't be read.
    """
    project = Path(project)
    chapters, notebooks = (
        {path.relative_to(project).as_posix(): read_myst(path.read_text(encoding="utf-8")) for path in sorted(paths)}
        for paths in (project.glob("chapters/*.md"), project.glob("notebooks/*.md"))
    )
    found = []
    for name, parts in (chapters | notebooks).items():
        found += [*typed_numbers(name, parts, values), *pictures_without_words(name, parts)]
    found += _figures(chapters, notebooks, _pages(project))
    for path in sorted(project.glob("chapters/*.bib")):
        found += citations_without_doi(path.relative_to(project).as_posix(), path.read_text(encoding="utf-8"))
    return sorted(found)


def typed_numbers(name: str, parts: Sequence[Part], values: Sequence[Value]) -> list[Finding]:
    """Find numbers of three digits and more that equal a known value, or contradict one of the same unit.

    A line `% typed: 512, 1024; the size of a camera's field` allows these numbers in the paragraph below it.
    """
    found = []
    for words in (part for part in parts if isinstance(part, Words)):
        for match in TYPED.finditer(words.text):
            digits = match["digits"].replace(",", "")
            if match["digits"] in words.exempt or len(digits.replace(".", "").lstrip("0")) < SIGNIFICANT:
                continue
            number = float(digits) * (-1 if match["sign"] else 1)
            after = len(digits.partition(".")[2])
            if message := _compared(number, after, match["unit"] or "", values):
                found.append(Finding(name, words.line, f"{match[0].strip()} is typed by hand; {message}"))
    return found


def _compared(number: float, after: int, unit: str, values: Sequence[Value]) -> str | None:
    contrary = None
    for known in values:
        role = f"write {{{known.role}}}`{known.key}` instead, or exempt it with a line '% typed: NUMBER; REASON' above"
        near = abs(number - known.value) <= NEAR * abs(known.value)
        if round(known.value, after) == number and (unit in {"", known.unit} or not known.unit):
            return role
        if near and unit == known.unit and unit and contrary is None:
            contrary = f"{known.key} is {known.value:,.{known.digits}f} {unit}: {role}"
    return contrary


def pictures_without_words(name: str, parts: Sequence[Part]) -> list[Finding]:
    """Find pictures without an alternative text."""
    found = []
    for part in parts:
        if isinstance(part, Picture) and not part.alt.strip():
            message = "an image has no alternative text; say in it what it shows"
        elif isinstance(part, Directive) and _shows_picture(part) and not part.options.get("alt"):
            message = "a figure has no alternative text; say in :alt: what it shows, for readers who do not see it"
        else:
            continue
        found.append(Finding(name, part.line, message))
    return found


def _shows_picture(part: Directive) -> bool:
    """Return whether a directive shows a file; what it embeds from a notebook has a file only as its stand-in."""
    embeds = not part.argument or part.argument.startswith("#")
    return part.name in {"figure", "image"} and ("placeholder" in part.options or not embeds)


def citations_without_doi(name: str, text: str) -> list[Finding]:
    """Find citations that have neither DOI nor address."""
    return [
        Finding(
            name, text.count("\n", 0, entry.start()) + 1, f"{entry[1]} has no doi; add it, or a url where there is none"
        )
        for entry in re.finditer(r"^@\w+\{\s*([^,\s]+)(.*?)(?=^@|\Z)", text, re.MULTILINE | re.DOTALL)
        if not re.search(r"^\s*(doi|url)\s*=\s*[{\"]\s*[^}\"\s]", entry[2], re.MULTILINE | re.IGNORECASE)
    ]


def _figures(
    chapters: Mapping[str, Sequence[Part]], notebooks: Mapping[str, Sequence[Part]], pages: set[str]
) -> Iterator[Finding]:
    """Find figures that no notebook makes, and outputs of notebooks that no page shows."""
    cells = {
        name: [part for part in parts if isinstance(part, Directive) and part.name == "code-cell"]
        for name, parts in notebooks.items()
    }
    outputs = [
        (name, cell.line + 1 + cell.content.count("\n", 0, found.start()), found[1])
        for name, several in cells.items()
        for cell in several
        for found in LABEL.finditer(cell.content)
    ]
    drawn = {file for several in cells.values() for cell in several for file in DRAWN.findall(cell.content)}
    directives = [part for parts in chapters.values() for part in parts if isinstance(part, Directive)]
    labels = {part.options.get(option, "") for part in directives for option in ("label", "name")}
    labels |= {label for _, _, label in outputs}
    shown: set[str] = set()
    for name, parts in chapters.items():
        for part in parts:
            addresses = _addresses(part)
            for label in (label for address in addresses for label in OUTPUT.findall(address)):
                shown.add(label)
                if label not in labels:
                    message = f"no notebook has an output labelled {label}; label one '#| label: {label}'"
                    yield Finding(name, part.line, message)
            for picture in (picture for address in addresses for picture in STAND_IN.findall(address)):
                if picture not in drawn:
                    message = f"no notebook draws {picture}; draw it with nnbook.figures.style.picture"
                    yield Finding(name, part.line, message)
    for name, line, label in outputs:
        if label not in shown and name.rsplit("/", 1)[-1].removesuffix(".md") not in pages:
            yield Finding(name, line, f"no page shows {label}; show it in a chapter, or list the notebook in myst.yml")


def _addresses(part: Part) -> list[str]:
    """Return what a part of a text refers to."""
    if isinstance(part, Directive):
        return [part.argument, *part.options.values()]
    return [part.address] if isinstance(part, Link | Picture) else []


def _pages(project: Path) -> set[str]:
    """Return the names of the notebooks that are pages of their own."""
    path = project / "myst.yml"
    try:
        configuration: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise InvalidValueError(
            f"{path}: can't be read ({error}); give the book's folder as project", parameter="project"
        ) from error

    def files(entries: Any) -> Iterator[str]:
        for entry in entries or ():
            if "file" in entry:
                yield entry["file"]
            yield from files(entry.get("children"))

    return {
        file.rsplit("/", 1)[-1].split(".")[0]
        for file in files(configuration["project"]["toc"])
        if "/notebooks/" in file
    }
