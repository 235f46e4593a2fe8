"""A lab's own book: a folder with its manifest, chapters and notebooks, written whole or not at all."""

from __future__ import annotations

import os
import re
import shutil
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import yaml
from jinja2 import Environment, StrictUndefined

from nnbook.book.myst import IndentedDumper
from nnbook.errors import InvalidValueError, MissingFileError, NnbookError
from nnbook.io.files import atomic_write
from nnbook.io.manifest import read_manifest, write_manifest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nnbook.io.manifest import Panorama
    from nnbook.io.paths import PathLike

STARTER: Final = Path(__file__).with_name("starter")
"""The files of a new book, templates of `fill`."""

EDITION: Final = "lab"

TEMPLATES: Final = Environment(  # noqa: S701 - Markdown and make, not HTML
    block_start_string="<%",
    block_end_string="%>",
    variable_start_string="<<",
    variable_end_string=">>",
    comment_start_string="<#",
    comment_end_string="#>",
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
    undefined=StrictUndefined,
)

NOTEBOOKS: Final = {
    "overview": "",
    "scatter": "several",
    "representatives": "",
    "channels": "channels",
    "cells": "",
    "nuclei": "",
    "by-run": "runs",
    "mosaic": "runs",
    "conditions": "conditions",
    "masks": "segmented",
    "outlines": "truth",
}
"""The notebooks of a book in their order, each with the fact that it needs."""

CHAPTERS: Final = {
    "index": "",
    "results": "",
    "comparison": "conditions",
    "segmentation": "",
    "accuracy": "truth",
    "reproduce": "",
}
"""The chapters of a book in their order, each with the fact that it needs."""

SECTIONS: Final = {"comparison": ("conditions", "conditions"), "accuracy": ("truth", "outlines")}
"""Chapters that a book may get later: each with the fact that it needs, and its notebook."""


class About(NamedTuple):
    """What a book is about, in its author's words.

    Attributes
    ----------
    title : str
        Its title.
    authors : sequence of str
        Their names, in order.
    cells, stain : str
        Which cells they are, such as `U2OS`, and what stains their nuclei; empty where the book is not to say.
    """

    title: str
    authors: Sequence[str] = ()
    cells: str = ""
    stain: str = ""


def facts_of(rows: Sequence[Panorama]) -> dict[str, bool]:
    """Return which parts of a book a manifest has something for.

    Parameters
    ----------
    rows : sequence of Panorama
        The manifest's rows.

    Returns
    -------
    dict of str to bool
        `one` or `several` panoramas, `runs` (several), `conditions`, `truth`, masks that are `given` or `segmented`,
        and `channels`: files of several channels or z planes.
    """
    return {
        "one": len(rows) == 1,
        "several": len(rows) > 1,
        "runs": len({row.run for row in rows}) > 1,
        "conditions": any(row.condition for row in rows),
        "truth": any(row.truth and not row.mask for row in rows),
        "given": any(row.mask for row in rows),
        "channels": any(row.plane for row in rows),
        "segmented": not all(row.mask for row in rows),
    }


def write_book(folder: PathLike, rows: Sequence[Panorama], images: PathLike, about: About) -> Path:
    """Write a book of one's own images.

    Parameters
    ----------
    folder : str or Path
        The book's folder, which appears whole, or not at all.
    rows : sequence of Panorama
        The manifest's rows.
    images : str or Path
        The folder that their paths are below. Images are referred to, not copied.
    about : About
        What the book says of itself.

    Returns
    -------
    Path
        The book's folder.

    Raises
    ------
    InvalidValueError
        Where the folder is there already, or a text has a control character.
    """
    folder = Path(folder)
    check_new(folder)
    about = About(*map(_cleaned, ("title", "authors", "cells", "stain"), about))
    facts = facts_of(rows)
    words = _words(about, rows, folder, Path(images))
    with atomic_write(folder) as written:
        written.mkdir(parents=True)
        for name in ("Makefile", "README.md", "gitignore"):
            target = written / (".gitignore" if name == "gitignore" else name)
            target.write_text(fill((STARTER / name).read_text(encoding="utf-8"), facts, words), encoding="utf-8")
        (written / "data").mkdir()
        write_manifest(written / "data" / "manifest.csv", rows, brief=True)
        (written / "chapters").mkdir()
        shutil.copyfile(STARTER / "chapters" / "references.bib", written / "chapters" / "references.bib")
        for name in _wanted(CHAPTERS, facts):
            _write_chapter(written, name, facts, words)
        (written / "notebooks").mkdir()
        for name in _wanted(NOTEBOOKS, facts):
            _write_notebook(written, name)
        (written / "myst.yml").write_text(_configuration(about, facts), encoding="utf-8")
    return folder


def check_new(folder: Path) -> None:
    """Raise InvalidValueError where a new book can't be written to a folder."""
    if folder.exists() or folder.is_symlink():
        raise InvalidValueError(f"{folder}: is there already; give the new book another name")
    if not folder.name or folder.name in {".", ".."}:
        raise InvalidValueError(f"{folder}: is no name of a new folder; give one")


def add_section(project: PathLike, section: str, rows: Sequence[Panorama]) -> list[str]:
    """Write a chapter that a manifest has something for only now, with its notebook.

    Parameters
    ----------
    project : str or Path
        The book's folder.
    section : str
        One of `SECTIONS`.
    rows : sequence of Panorama
        The manifest's rows.

    Returns
    -------
    list of str
        The lines that `myst.yml` needs under `toc`.

    Raises
    ------
    InvalidValueError
        Where the manifest has nothing for it, or the book has it already.
    """
    project = Path(project)
    fact, notebook = SECTIONS[section]
    facts = facts_of(rows)
    if not facts[fact]:
        column = fact.removesuffix("s")
        raise InvalidValueError(f"the manifest has no {column} for any panorama; write its column {column} first")
    if not (project / "myst.yml").is_file():
        raise MissingFileError(f"{project / 'myst.yml'}: no such file; call this in the book's folder")
    for path in (project / "chapters" / f"{section}.md", project / "notebooks" / f"{notebook}.md"):
        if path.exists():
            raise InvalidValueError(f"{path}: is there already; edit it, or move it away first")
    _write_chapter(project, section, facts, {"conditions": _conditions(rows)})
    _write_notebook(project, notebook)
    return [f"- file: chapters/{section}.md", f"- file: {executed(notebook)}"]


def executed(notebook: str) -> str:
    """Return where a book has a notebook with its outputs, as `toc` in `myst.yml` names it."""
    return f"build/book/notebooks/{notebook}.ipynb"


def files_of_toc(project: Path) -> set[str]:
    """Return the files that a book's table of contents names.

    Raises
    ------
    NnbookError
        Where `myst.yml` can't be read.
    """
    path = project / "myst.yml"
    try:
        entries = yaml.safe_load(path.read_text(encoding="utf-8"))["project"]["toc"]
        return set(_files(entries))
    except (OSError, yaml.YAMLError, KeyError, TypeError) as error:
        raise NnbookError(f"{path}: its table of contents can't be read ({error}); correct it") from error


def _files(entries: Any) -> Iterator[str]:
    for entry in entries or ():
        if "file" in entry:
            yield entry["file"]
        yield from _files(entry.get("children"))


def reminders(project: Path, manifest: Path) -> list[str]:
    """Say what a book does not show of what it has: notebooks in no table of contents, and columns of its manifest."""
    if not (project / "myst.yml").is_file():
        return []
    listed = files_of_toc(project)
    found = [
        f"notebooks/{path.name} is in no table of contents; add '- file: {executed(path.stem)}' under toc in myst.yml"
        for path in sorted((project / "notebooks").glob("*.md"))
        if executed(path.stem) not in listed
    ]
    if manifest.is_file():
        facts = facts_of(read_manifest(manifest))
        found += [
            f"the manifest has a {fact.removesuffix('s')}, and no notebook shows it; call nnbook add {section}"
            for section, (fact, notebook) in SECTIONS.items()
            if facts[fact] and not (project / "notebooks" / f"{notebook}.md").exists()
        ]
    return found


def fill(text: str, facts: dict[str, bool], words: dict[str, str]) -> str:
    """Fill in a text of the starter: a template of Jinja, with `<% ... %>` and `<< ... >>` in place of braces.

    Parameters
    ----------
    text : str
        The template. `has.FACT` asks for a fact, and `yaml(WORD)` is a word as a value of YAML.
    facts : dict of str to bool
        See `facts_of`.
    words : dict of str to str
        What takes the place of words.
    """
    return TEMPLATES.from_string(text).render(has=facts, yaml=_quoted, **words)


def _wanted(needs: dict[str, str], facts: dict[str, bool]) -> list[str]:
    return [name for name, fact in needs.items() if not fact or facts[fact]]


def _write_chapter(project: Path, name: str, facts: dict[str, bool], words: dict[str, str]) -> None:
    text = (STARTER / "chapters" / f"{name}.md").read_text(encoding="utf-8")
    (project / "chapters" / f"{name}.md").write_text(fill(text, facts, words), encoding="utf-8")


def _write_notebook(project: Path, name: str) -> None:
    shutil.copyfile(STARTER / "notebooks" / f"{name}.md", project / "notebooks" / f"{name}.md")


def _words(about: About, rows: Sequence[Panorama], folder: Path, images: Path) -> dict[str, str]:
    cells = f" of {_plain(about.cells)} cells" if about.cells else ""
    return {
        "title": about.title,
        "description": _description(about),
        "cells": cells,
        "stain": f", stained with {_plain(about.stain)}," if about.stain else "",
        "panoramas": "panorama" if len(rows) == 1 else "panoramas",
        "cover": "covers" if len(rows) == 1 else "cover",
        "show": "It shows" if len(rows) == 1 else "They show",
        "conditions": _conditions(rows),
        "edition": EDITION,
        "images": _as_make_has_it(folder, images),
    }


def _as_make_has_it(folder: Path, images: Path) -> str:
    """Return the folder of images as a book's Makefile names it: relative where it is beside the book."""
    here, there = (os.path.abspath(path) for path in (folder, images))  # noqa: PTH100 - links stay as they are
    beside = Path(there).is_relative_to(Path(here).parent)
    # Make takes these two signs for its own.
    return (os.path.relpath(there, here) if beside else there).replace("$", "$$").replace("#", r"\#")


def _description(about: About) -> str:
    return f"Images of cell nuclei{f' of {about.cells} cells' if about.cells else ''}, their masks and measurements."


def _conditions(rows: Sequence[Panorama]) -> str:
    return "condition" if len({row.condition for row in rows if row.condition}) == 1 else "conditions"


def _cleaned(name: str, text: Any) -> Any:
    """Return a text in one line, or several of them."""
    if not isinstance(text, str):
        return tuple(filter(None, (_cleaned(name, one) for one in text)))
    line = " ".join(text.split())
    if not line.isprintable():
        raise InvalidValueError(f"{name} is {line!r}; take the control character out of it", parameter=name)
    if name == "title" and not line:
        raise InvalidValueError("title is empty; give the book one", parameter="title")
    return line


def _plain(text: str) -> str:
    """Return a text as Markdown that shows it as it is."""
    return re.sub(r"([\\`*_{}\[\]<>$@#|~^%!&])", r"\\\1", text)


def _quoted(text: str) -> str:
    """Return a text as a value of YAML in one line."""
    return yaml.safe_dump(text, allow_unicode=True, width=1_000_000, default_style='"').strip()


def _configuration(about: About, facts: dict[str, bool]) -> str:
    """Return the text of a book's `myst.yml`."""
    chapters = _wanted(CHAPTERS, facts)
    project = {
        "id": str(uuid.uuid4()),
        "title": about.title,
        "description": _description(about),
        **({"authors": [{"name": name} for name in about.authors]} if about.authors else {}),
        "bibliography": ["chapters/references.bib"],
        "plugins": ["build/nnbook/plugins/nnbook.mjs"],
        "error_rules": [
            {"rule": rule, "severity": "error"}
            for rule in ("reference-target-resolves", "citation-label-exists", "link-resolves")
        ],
        "numbering": {"headings": False, "figure": True, "table": True, "equation": True},
        "toc": [
            *({"file": f"chapters/{name}.md"} for name in chapters),
            {"title": "Notebooks", "children": [{"file": executed(name)} for name in _wanted(NOTEBOOKS, facts)]},
        ],
    }
    site = {
        "template": "./build/nnbook/theme",
        "title": about.title,
        "nav": [{"title": name.capitalize(), "url": f"/{name}"} for name in chapters[1:]],
    }
    head = "# 'nnbook site' writes build/book/edition.yml: the files that the views of a page read.\n"
    whole = {"version": 1, "extends": ["build/book/edition.yml"], "project": project, "site": site}
    return head + yaml.dump(whole, Dumper=IndentedDumper, sort_keys=False, allow_unicode=True, width=1_000_000)
