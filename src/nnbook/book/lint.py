"""What the text of the book must not hold: numbers typed by hand, figures that nothing makes, pictures without words.

Only text is read, so that a commit can be checked without a build.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import yaml

from nnbook.errors import NnbookError
from nnbook.provenance.dependencies import code_cells
from nnbook.provenance.notebook_record import about

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

SIGNIFICANT: Final = 3
"""Numbers of fewer digits are in every text, and mean nothing."""

NEAR: Final = 0.05
"""A typed number of the same unit that lies nearer than this share to a value, and isn't it, contradicts it."""

UNITS: Final = ["px/µm", "1/mm²", "cm²", "mm²", "µm²", "px²", "Mpx", "px", "nm", "µm", "mm", "cm", "%", "×", "min", "s"]
TYPED: Final = re.compile(
    r"(?<![\w.,/^#@:–-])(?P<sign>[−-]?)(?P<digits>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)(?![\d,]*\d|\w)"
    rf"(?:[\s\u00a0]?(?P<unit>{'|'.join(map(re.escape, UNITS))})(?![\w²³/]))?"
)
EXEMPT: Final = re.compile(r"^%\s*typed:\s*([^;]*);\s*\S")
OPENS: Final = re.compile(r"^(\s*)(`{3,}|:{3,}|~{3,})\s*(?:\{([\w:-]+)\})?\s*(.*)$")
VERBATIM: Final = {"code-cell", "code", "math", "anywidget", "mermaid", "raw", "code-block", "index-of"}
NO_ALT: Final = re.compile(r"""!\[\s*\]\(|<img\b(?![^>]*\balt=["']?[^"'\s>])""")
OPTION: Final = re.compile(r"\s*:([\w-]+):\s*(.*)")
LABEL: Final = re.compile(r"#((?:fig|tbl):[\w:-]+)")
INLINE: Final = (
    re.compile(r"<!--.*?-->"),
    re.compile(r"\{[\w:-]+\}(`+).*?\1"),
    re.compile(r"(`+).*?\1"),
    re.compile(r"\$[^$]*\$"),
    re.compile(r"\]\([^)]*\)"),
    re.compile(r"\[-?@[^\]]*\]"),
    re.compile(r"<[^>\s][^>]*>"),
    re.compile(r"https?://\S+"),
)


class Fault(NamedTuple):
    """Something to mend, with where it is and what to do."""

    path: str
    line: int
    told: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.told}"


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


def lint_text(project: Path, values: Sequence[Value]) -> list[Fault]:
    """Find what is wrong with the text of the book.

    Parameters
    ----------
    project : Path
        The book's folder, with `chapters/`, `notebooks/` and `myst.yml`.
    values : sequence of Value
        What the book knows by a key.

    Returns
    -------
    list of Fault
        In the order of files and lines.
    """
    chapters = {path: path.read_text(encoding="utf-8") for path in sorted(project.glob("chapters/*.md"))}
    notebooks = {path: path.read_text(encoding="utf-8") for path in sorted(project.glob("notebooks/*.md"))}
    found = []
    for path, text in (chapters | notebooks).items():
        name = path.relative_to(project).as_posix()
        found += [*typed_numbers(name, text, values), *without_words(name, text)]
    found += _figures(project, chapters, notebooks)
    for path in sorted(project.glob("chapters/*.bib")):
        found += without_doi(path.relative_to(project).as_posix(), path.read_text(encoding="utf-8"))
    return sorted(found)


def typed_numbers(name: str, text: str, values: Sequence[Value]) -> list[Fault]:
    """Find numbers of three digits and more that equal a known value, or contradict one of the same unit.

    A line `% typed: 512, 1024; the size of a camera's field` lets these numbers stand in the paragraph below it.
    """
    found = []
    for line, prose, exempt in prose_of(text):
        for match in TYPED.finditer(prose):
            digits = match["digits"].replace(",", "")
            if match["digits"] in exempt or len(digits.replace(".", "").lstrip("0")) < SIGNIFICANT:
                continue
            number = float(digits) * (-1 if match["sign"] else 1)
            after = len(digits.partition(".")[2])
            if told := _same_or_contrary(number, after, match["unit"] or "", values):
                found.append(Fault(name, line, f"{match[0].strip()} is typed by hand; {told}"))
    return found


def _same_or_contrary(number: float, after: int, unit: str, values: Sequence[Value]) -> str | None:
    contrary = None
    for known in values:
        role = f"write {{{known.role}}}`{known.key}` instead, or exempt it with a line '% typed: NUMBER; REASON' above"
        near = abs(number - known.value) <= NEAR * abs(known.value)
        if round(known.value, after) == number and (unit in {"", known.unit} or not known.unit):
            return role
        if near and unit == known.unit and unit and contrary is None:
            contrary = f"{known.key} is {known.value:,.{known.digits}f} {unit}: {role}"
    return contrary


def prose_of(text: str) -> Iterator[tuple[int, str, set[str]]]:
    """List the lines of a MyST text that a reader reads as words, with their number and what is exempt there.

    Code, mathematics, options, roles, addresses and citations are blanked out.
    """
    exempt: set[str] = set()
    for number, line in _outside_code(text):
        if told := EXEMPT.match(line):
            exempt = {one.strip() for one in told[1].split(", ")}
            continue
        if not line.strip():
            exempt = set()
        if line.lstrip().startswith("%") or OPTION.match(line):
            continue
        prose = line
        for pattern in INLINE:
            prose = pattern.sub(lambda match: " " * len(match[0]), prose)
        yield number, prose, exempt


def _outside_code(text: str) -> Iterator[tuple[int, str]]:
    """List a text's lines, with their number, but for its header and for what is shown or run as it stands."""
    closes = "---" if text.startswith("---\n") else ""
    for number, line in enumerate(text.splitlines(), start=1):
        stripped = line.strip()
        if closes:
            if number > 1 and stripped.startswith(closes) and not stripped.strip(closes[0]):
                closes = ""
        elif match := OPENS.match(line):
            _, fence, directive, title = match.groups()
            if directive in VERBATIM or (fence[0] != ":" and not directive):
                closes = fence
            yield number, "" if title.startswith(("#", "..", "http")) else title
        else:
            yield number, line


def without_words(name: str, text: str) -> list[Fault]:
    """Find pictures without an alternative text."""
    found = []
    todo = "tell in :alt: what it shows, for readers who do not see it"
    lines = text.splitlines()
    for at, line in enumerate(lines):
        if NO_ALT.search(line):
            found.append(Fault(name, at + 1, "an image has no alternative text; say in it what it shows"))
        if (match := OPENS.match(line)) and match[3] in {"figure", "image"}:
            options = {}
            for option in lines[at + 1 :]:
                if not (one := OPTION.match(option)):
                    break
                options[one[1]] = one[2]
            pictured = "placeholder" in options or (match[4] and not match[4].startswith("#"))
            if pictured and not options.get("alt", "").strip():
                found.append(Fault(name, at + 1, f"a figure has no alternative text; {todo}"))
    return found


def without_doi(name: str, text: str) -> list[Fault]:
    """Find citations that have neither DOI nor address."""
    return [
        Fault(
            name, text.count("\n", 0, entry.start()) + 1, f"{entry[1]} has no doi; add it, or a url where there is none"
        )
        for entry in re.finditer(r"^@\w+\{\s*([^,\s]+)(.*?)(?=^@|\Z)", text, re.MULTILINE | re.DOTALL)
        if not re.search(r"^\s*(doi|url)\s*=\s*[{\"]\s*[^}\"\s]", entry[2], re.MULTILINE | re.IGNORECASE)
    ]


def _figures(project: Path, chapters: Mapping[Path, str], notebooks: Mapping[Path, str]) -> Iterator[Fault]:
    """Find figures that no notebook makes, and outputs of notebooks that no page shows."""
    made = {path: about(path.stem, text)["figures"] for path, text in notebooks.items()}
    labels = {label for several in made.values() for label in several}
    drawn = {name for text in notebooks.values() for name in re.findall(r"[\w-]+\.png", "\n".join(code_cells(text)))}
    shown: set[str] = set()
    for path, text in chapters.items():
        name = path.relative_to(project).as_posix()
        own = set(re.findall(r"^\s*:(?:label|name):\s*(\S+)", text, re.MULTILINE))
        for at, line in enumerate(text.splitlines(), start=1):
            for label in LABEL.findall(line):
                shown.add(label)
                if label not in labels | own and not any(f":label: {label}\n" in other for other in chapters.values()):
                    told = f"no notebook has an output labelled {label}; label one '#| label: {label}'"
                    yield Fault(name, at, told)
            for picture in re.findall(r"figures/([\w-]+\.png)", line):
                if picture not in drawn:
                    yield Fault(name, at, f"no notebook draws {picture}; draw it with nnbook.figures.style.picture")
    pages = _pages(project)
    for path, several in made.items():
        text = notebooks[path]
        for label in several:
            if label not in shown and path.stem not in pages:
                at = text[: text.index(label)].count("\n") + 1
                told = f"no page shows {label}; show it in a chapter, or list the notebook in myst.yml"
                yield Fault(path.relative_to(project).as_posix(), at, told)


def _pages(project: Path) -> set[str]:
    """Return the names of the notebooks that are pages of their own."""
    path = project / "myst.yml"
    try:
        told: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise NnbookError(f"{path}: can't be read ({error}); name the book's folder with --project") from error

    def files(entries: Any) -> Iterator[str]:
        for entry in entries or ():
            if "file" in entry:
                yield entry["file"]
            yield from files(entry.get("children"))

    return {file.rsplit("/", 1)[-1].split(".")[0] for file in files(told["project"]["toc"]) if "/notebooks/" in file}
