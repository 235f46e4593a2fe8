"""The book on paper and in archives: Typst and PDF, Word, JATS, and a MECA bundle, from the chapters of the site.

Chapters are joined into one article. What only a browser can show is replaced by the images of `figures/`, and numbers
are written as the site shows them. All of this happens in a temporary folder of links to the book's files, so that
neither the site nor the sources change.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import yaml

from nnbook.book.myst import IndentedDumper
from nnbook.book.parts import parts_of
from nnbook.book.publication import MADE_FROM, state_of
from nnbook.book.website import full_note, problems_in, run_myst
from nnbook.errors import NnbookError
from nnbook.io.files import atomic_write, write_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nnbook.io.paths import PathLike

ARTICLE: Final = "chapters/book.md"
FILES: Final = {"typst": "book.typ", "docx": "book.docx", "jats": "book.xml", "meca": "book.meca.zip"}
"""The file of each of MyST's formats. The bundle is last, since it contains the others."""

FRONTMATTER: Final = re.compile(r"\A---\n(.*?)\n---\n", re.DOTALL)


def print_book(project: PathLike, out: PathLike) -> list[Path]:
    """Write the book that is shown as Typst, PDF, Word, JATS and MECA.

    Parameters
    ----------
    project : str or Path
        The book's folder, which holds `myst.yml`, with the edition to show linked as `build/book`.
    out : str or Path
        The folder for the files, which appears in one step, or replaces what was there.

    Returns
    -------
    list of Path
        `book.typ` with its images, `book.pdf`, `book.docx`, `book.xml` with its images, and `book.meca.zip`.

    Raises
    ------
    NnbookError
        With MyST's lines where it warns of anything, and where Typst can't typeset the book.
    """
    project, out = Path(project), Path(out)
    configuration = yaml.safe_load((project / "myst.yml").read_text(encoding="utf-8"))
    parts = parts_of(project)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for entry in project.iterdir():
            if entry.name not in {".git", "_build", "chapters", "myst.yml"}:
                (folder / entry.name).symlink_to(entry.resolve(), target_is_directory=entry.is_dir())
        shutil.copytree(project / "chapters", folder / "chapters")
        chapters = [entry["file"] for entry in configuration["project"]["toc"] if "file" in entry]
        title = {key: configuration["project"][key] for key in ("title", "description")}
        text = join_chapters([(folder / chapter).read_text(encoding="utf-8") for chapter in chapters], title["title"])
        (folder / ARTICLE).write_text(f"---\n{yaml.safe_dump(title)}---\n\n{text}", encoding="utf-8")
        note = full_note(project, project / "build" / "book")
        changed = yaml.dump(
            _for_print(configuration, note, parts), Dumper=IndentedDumper, sort_keys=False, width=1_000_000
        )
        (folder / "myst.yml").write_text(changed, encoding="utf-8")
        for kind, file in FILES.items():
            _export(folder, kind, file, project)
            if kind == "typst":
                # Before the bundle, which contains it.
                _typeset(folder / "print" / file, folder / parts / "templates" / kind)
        with atomic_write(out) as written:
            shutil.copytree(folder / "print", written)
            write_json(written / MADE_FROM, {"state": state_of(project)})
    return sorted(path for path in out.iterdir() if path.is_file() and path.name != MADE_FROM)


def join_chapters(chapters: Sequence[str], title: str) -> str:
    """Join chapters into one article.

    Parameters
    ----------
    chapters : sequence of str
        The MyST Markdown of each, whose frontmatter has its title, and perhaps a short one and the label of its page.
    title : str
        The book's. A chapter of the same title has its short one as heading, since MyST drops what repeats the title.

    Returns
    -------
    str
        A heading for each chapter, with the label of its page, and its text.
    """
    parts = []
    for chapter in chapters:
        found = FRONTMATTER.match(chapter)
        about = yaml.safe_load(found[1]) if found else {}
        body = chapter[found.end() :] if found else chapter
        label = f"({about['label']})=\n" if "label" in about else ""
        heading = about["short_title"] if about["title"] == title else about["title"]
        parts.append(f"{label}# {heading}\n\n{body.strip()}\n")
    return "\n".join(parts)


def _for_print(configuration: dict[str, Any], note: str, parts: str) -> dict[str, Any]:
    """Return `myst.yml` for one article and its exports; `parts` is where the program's are."""
    project = configuration["project"]
    templates = {kind: f"{parts}templates/{kind}" for kind in ("typst", "docx")}
    exports: list[dict[str, Any]] = [
        {"format": kind, "article": ARTICLE, "output": f"print/{file}", "edition": note}
        | ({"template": templates[kind]} if kind in templates else {})
        for kind, file in FILES.items()
    ]
    others = [entry for entry in project["toc"] if "file" not in entry]
    children = [child["file"] for entry in others for child in entry["children"]]
    notebooks = [file for file in children if file.endswith(".ipynb")]
    # Embedded figures refer to their notebooks, which JATS has as articles within the article.
    next(export for export in exports if export["format"] == "jats")["sub_articles"] = notebooks
    plugins = [*project.get("plugins", []), f"{parts}plugins/print.mjs"]
    return {
        "version": 1,
        "extends": configuration.get("extends", []),
        "project": {**project, "toc": [{"file": ARTICLE}, *others], "plugins": plugins, "exports": exports},
    }


def _export(folder: Path, kind: str, file: str, project: Path) -> None:
    output, failed = run_myst(folder, f"--{kind}", book=project)
    if problems := problems_in(output):
        raise NnbookError(f"the book can't be written as {file}:\n" + "\n".join(problems))
    if failed or not (folder / "print" / file).is_file():
        raise NnbookError(f"the book can't be written as {file}:\n{output.strip()}")


def _typeset(source: Path, template: Path) -> None:
    """Typeset a Typst file as PDF beside it; what it imports from Typst's packages is in the template's folder."""
    import typst

    for imported in ("myst-imports.typ", "subpar.typ"):
        shutil.copyfile(template / imported, source.with_name(imported))
    try:
        typst.compile(source, output=source.with_suffix(".pdf"))
    except typst.TypstError as error:
        raise NnbookError(f"{source.name}: Typst can't typeset it: {error}") from error
