"""What a published book says of itself: its address and repository, its printed forms, its cells, and `llms.txt`.

Nothing is said that is not known: a book without an address claims none.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import yaml

from nnbook.book.segmentation import add_segmentation
from nnbook.cells import croissant
from nnbook.errors import InvalidValueError
from nnbook.io.files import read_json, sha256, write_json
from nnbook.viewers.widgets import BUNDLES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nnbook.io.edition import Edition

PRINTED: Final = {"pdf": "book.pdf", "docx": "book.docx", "jats": "book.xml", "meca": "book.meca.zip"}
"""The file of each printed form that pages link, by the theme's option for it."""

FORMER: Final = re.compile(r"book-[0-9a-f]{32}\.(?:pdf|docx|xml|meca\.zip)")
"""What MyST calls a printed book in a site."""

MADE_FROM: Final = "made-from.json"
"""The file of a printed book that says which state of the book it is."""

DATASET: Final = "dataset.json"
"""The file of an edition with the Croissant metadata of its cells, as its site publishes them."""

BINDER: Final = ("binder", ".binder", "Dockerfile")
"""Folders and files of a repository that say how Binder opens it."""

REPOSITORY: Final = re.compile(r"(?:https://github\.com/)?[\w.-]+/[\w.-]+(?<!\.git)")
GROUP: Final = re.compile(r"\b(contributors|consortium|team|project|group|collaboration|authors)\b", re.IGNORECASE)
"""What the name of a group of authors has in it, as in `theme/src/cite.ts`."""

COMMANDS: Final = {
    "make book": "makes all of it and builds the site; with EDITION=mine MANIFEST=table.csv, of one's own images",
    "nnbook segment IMAGES --out masks": "masks the nuclei of panoramas",
    "nnbook measure IMAGES --masks masks --out results": "a table of nuclei, and one of panoramas",
    "nnbook cells IMAGES --masks masks --rois results/rois.parquet --out cells": "a store of single-cell images",
    "nnbook --help": "lists all commands; `--json` makes any of them print its values as JSON",
}
"""The commands that `llms.txt` names."""


def check_address(address: object, where: str, *, parameter: str = "") -> str:
    """Return the address of a site's first page without the slash at its end.

    Parameters
    ----------
    address : object
        What was given.
    where : str
        What it was given as, which begins the message.
    parameter : str, optional
        The parameter that it was given as, if it was.

    Raises
    ------
    InvalidValueError
        Where it is no address of the web.
    """
    parts = urlsplit(address) if isinstance(address, str) else urlsplit("")
    wrong = parts.scheme not in {"http", "https"} or not parts.netloc or parts.query or parts.fragment
    if wrong or re.search(r"\s", str(address)):
        raise InvalidValueError(
            f"{where} is {address!r}, which is no address of a site; give one such as https://example.org/book",
            parameter=parameter,
        )
    return str(address).rstrip("/")


def read_settings(project: Path, *, archived: bool = False) -> dict[str, Any]:
    """Return `myst.yml` of a book, once its address and repository are found right; empty where there is none.

    Parameters
    ----------
    project : Path
        The book's folder.
    archived : bool, optional
        Whether the site that is built is an archived one, which is at another address.

    Returns
    -------
    dict
        With `project` and `site`, each with what the file says.

    Raises
    ------
    InvalidValueError
        Where the address is none of the web, or is not below `BASE_URL`; where the repository is none of GitHub.
    """
    path = project / "myst.yml"
    read = yaml.safe_load(path.read_text(encoding="utf-8")) if path.is_file() else None
    settings = {"project": {}, "site": {}, **(read or {})}
    address = (settings["site"].get("options") or {}).get("address")
    if address is not None:
        address = check_address(address, f"{path}: address, of site.options,")
        if not archived:
            _check_base(address)
    repository = settings["project"].get("github")
    if repository is not None and not REPOSITORY.fullmatch(str(repository)):
        raise InvalidValueError(
            f"{path}: github, of project, is {repository!r}, which is no repository; give owner/name, or "
            "https://github.com/owner/name"
        )
    return settings


def address_of(settings: dict[str, Any]) -> str | None:
    """Return the address of a book's first page, without the slash at its end; None where it is not known."""
    address = (settings["site"].get("options") or {}).get("address") or os.environ.get("READTHEDOCS_CANONICAL_URL")
    return None if address is None else str(address).rstrip("/")


def _check_base(address: str) -> None:
    """Compare the path of an address with that below which the site is built."""
    path, base = urlsplit(address).path, _base()
    if base not in {"", path}:
        raise InvalidValueError(
            f"BASE_URL is {base}, but the address in myst.yml is {address}; "
            f"build {f'with BASE_URL={path}' if path else 'without it'}, or correct the address"
        )


def lacking_base(project: Path) -> str:
    """Return what is to be known of a site that was built without the path of its address; empty where it has it."""
    address = address_of(read_settings(project))
    path = urlsplit(address or "").path
    if not path or _base():
        return ""
    return f"the site is built to be opened at the root of a host; for {address}, build it with BASE_URL={path}"


def _base() -> str:
    """Return the path below which MyST builds the site, without the slash at its end."""
    base = os.environ.get("BASE_URL") or urlsplit(os.environ.get("READTHEDOCS_CANONICAL_URL", "")).path
    return base.rstrip("/")


def options_of(
    edition: Edition, project: Path, settings: dict[str, Any], *, cells: str | None, archive_of: str | None
) -> dict[str, Any]:
    """Return the theme's options for what is known of a book; writes the description of its cells.

    Parameters
    ----------
    edition : Edition
        The one that the site shows.
    project : Path
        The book's folder.
    settings : dict
        What `read_settings` returned.
    cells : str, optional
        Where on the web the edition's cells are, if not in the site.
    archive_of : str, optional
        Where the current version is, of a site that is archived.
    """
    options: dict[str, Any] = {}
    if archive_of is not None:
        options["archive_of"] = f"{archive_of.rstrip('/')}/"
        if version := _version(project):
            options["version"] = version
    if settings["project"].get("github") and any((project / name).exists() for name in BINDER):
        options["on_binder"] = True
    options |= _printed(edition.folder / "print", project)
    (edition.folder / DATASET).unlink(missing_ok=True)
    if (edition.cells / "cells.json").is_file():
        known = None if archive_of is not None else address_of(settings)
        write_json(edition.folder / DATASET, _describe_cells(edition, settings["project"], known, cells))
        options["dataset"] = f"build/book/{DATASET}"
    return options


def _version(project: Path) -> str:
    """Return the version of a book, which its citation file says; empty where it has none."""
    path = project / "CITATION.cff"
    return str(yaml.safe_load(path.read_text(encoding="utf-8")).get("version", "")) if path.is_file() else ""


def state_of(project: Path) -> str:
    """Return a digest of all that the printed book is made from: it changes where the book does.

    Parameters
    ----------
    project : Path
        The book's folder, with the edition to show linked as `build/book`.
    """
    shown = project / "build" / "book"
    folders = [(project, "chapters"), (shown, "figures"), (shown, "notebooks")]
    files = [path for root, name in folders for path in sorted((root / name).rglob("*")) if path.is_file()]
    files += [project / "myst.yml", shown / "numbers.json", shown / "published.json"]
    lines = [f"{sha256(path)} {path.name}\n" for path in files if path.is_file()]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _printed(folder: Path, project: Path) -> dict[str, str]:
    """Return the printed forms that pages link: those of the book as it is."""
    record = folder / MADE_FROM
    if not record.is_file():
        return {}
    if read_json(record, {"state": str}, "call make print")["state"] != state_of(project):
        print(
            f"nnbook: {folder}: is of another state of the book, and no page links it; call make print", file=sys.stderr
        )
        return {}
    return {form: f"build/book/print/{name}" for form, name in PRINTED.items() if (folder / name).is_file()}


def _describe_cells(edition: Edition, about: dict[str, Any], address: str | None, cells: str | None) -> dict[str, Any]:
    """Return the Croissant metadata of an edition's cells, with what the book knows of them."""
    store = edition.cells
    described = croissant.describe_store(
        store, read_json(store / "cells.json", {}, "make it again with 'nnbook cells'")
    )
    title = about.get("short_title") or about.get("title")
    licence = about.get("license")
    licence = licence.get("content") if isinstance(licence, dict) else licence
    creators = [
        {"@type": "sc:Organization" if GROUP.search(author["name"]) else "sc:Person", "name": author["name"]}
        for author in about.get("authors", [])
        if isinstance(author, dict) and "name" in author
    ]
    folder = cells.rstrip("/") if cells else None if address is None else f"{address}/build/cells"
    if folder is not None:
        for file in described["distribution"]:
            if "contentUrl" in file:
                file["contentUrl"] = f"{folder}/{file['contentUrl']}"
    known = {
        "name": f"{title}: cells of the {edition.name} edition" if title else described["name"],
        "license": f"https://spdx.org/licenses/{licence}" if licence else None,
        "creator": creators,
        "url": None if address is None else f"{address}/",
        "datePublished": str(about["date"]) if "date" in about else None,
        "keywords": about.get("keywords"),
    }
    return {**described, **{key: value for key, value in known.items() if value}}


def _unlink_folder(folder: Path) -> None:
    """Make a linked folder one of links, so that what is written into it is not written where it leads.

    MyST copies the link of an edition whose cells are elsewhere, such as on a larger disk.
    """
    if folder.is_symlink():
        elsewhere = folder.resolve()
        folder.unlink()
        folder.mkdir()
        for path in elsewhere.iterdir():
            (folder / path.name).symlink_to(path)


def complete_site(project: Path, html: Path) -> None:
    """Add to a built site what MyST has no place for: `llms.txt`, the description of its cells, and what views load.

    The view of channels loads a decompressor from beside its own module, for images that are compressed so; the view
    that segments images loads its worker, the model and what runs it.

    Of the files that MyST keeps of former builds, printed books are removed, since each takes some 15 MB.

    Parameters
    ----------
    project : Path
        The book's folder, with the edition that the site shows linked as `build/book`.
    html : Path
        The site.
    """
    described = project / "build" / "book" / DATASET
    cells = html / "build" / "cells"
    if described.is_file() and cells.is_dir():
        _unlink_folder(cells)
        (cells / croissant.FILE).unlink(missing_ok=True)
        (cells / croissant.FILE).write_bytes(described.read_bytes())
    if any((html / "build").glob("channels-*.mjs")):
        for codec in Path(str(BUNDLES)).glob("codec-*.mjs"):
            shutil.copyfile(codec, html / "build" / codec.name)
    add_segmentation(project, html)
    options = read_json(html / "config.json", {"projects": list}, "build the site again").get("options", {})
    linked = {str(options.get(form, "")).rpartition("/")[2] for form in PRINTED}
    for path in (html / "build").glob("book-*"):
        if FORMER.fullmatch(path.name) and path.name not in linked:
            path.unlink()
    (html / "llms.txt").write_text(llms_text(html), encoding="utf-8")


def llms_text(html: Path) -> str:
    """Return `llms.txt` of a built site: what the book is, its pages, its data, and its commands.

    Parameters
    ----------
    html : Path
        The site, with MyST's description of it in `config.json` and of each page in `NAME.json`.

    Returns
    -------
    str
        Markdown, in the form of https://llmstxt.org. Links are whole where the site knows its address.
    """
    site = read_json(html / "config.json", {"projects": list}, "build the site again")
    [book, *_] = site["projects"]
    options = site.get("options", {})
    archived = options.get("archive_of")
    address = None if archived else options.get("address") or os.environ.get("READTHEDOCS_CANONICAL_URL")
    base = _base() if address is None else str(address).rstrip("/")
    parts = [f"# {_line(book['title'])}\n", f"> {_line(book.get('description'))}\n"]
    if archived:
        parts.append(f"This is an archived version; the current one is at {archived}.\n")
    if options.get("notice"):
        parts.append(f"{_line(options['notice'])}\n")
    parts.append(_section("Pages", _page_lines(html, book, base)))
    parts.append(_section("Data", _data_lines(html, base, options.get("data_host"))))
    commands = [f"`{command}`: {words}" for command, words in COMMANDS.items()]
    repository = [f"[Sources]({book['github']}): text, notebooks and code"] if book.get("github") else []
    parts.append(_section("Commands", [*repository, *commands]))
    return "\n".join(part for part in parts if part)


def _page_lines(html: Path, book: dict[str, Any], base: str) -> Iterator[str]:
    for slug in [book["index"], *(page["slug"] for page in book["pages"] if page.get("slug"))]:
        page = read_json(html / f"{slug}.json", {"frontmatter": dict}, "build the site again")
        about = page["frontmatter"]
        path = "" if slug == book["index"] else f"{slug.replace('.', '/')}/"
        words = _line(about.get("description")) or (_first_sentence(page.get("mdast", {})) if path else "")
        source = next((file for file in about.get("exports", []) if file.get("format") == "md"), None)
        text = f" ([Markdown]({base}{source['url'].removeprefix(_base())}))" if source else ""
        yield f"[{_line(about.get('title') or slug)}]({base}/{path}){f': {words}' if words else ''}{text}"


def _data_lines(html: Path, base: str, host: str | None) -> Iterator[str]:
    cells = html / "build" / "cells"
    if host:
        yield f"[Single-cell images]({host.rstrip('/')}/cells.json): Zarr arrays, and a Parquet table with a row a cell"
    elif (cells / "cells.json").is_file():
        about = read_json(cells / "cells.json", {"cells": int, "table": str}, "build the site again")
        yield (
            f"[Single-cell images]({base}/build/cells/cells.json): {about['cells']:,} nuclei, as sharded Zarr 3 arrays "
            "in cells.zarr"
        )
        yield f"[Table of cells]({base}/build/cells/{about['table']}): Parquet, with the number of each image"
        if (cells / croissant.FILE).is_file():
            yield f"[Croissant metadata]({base}/build/cells/{croissant.FILE}): files, columns, licence"
    for name, words in {
        "myst.search.json": "the text of all pages, by section",
        "myst.xref.json": "every page, figure and table with its address; NAME.json is a page's syntax tree",
    }.items():
        if (html / name).is_file():
            yield f"[{name}]({base}/{name}): {words}"


def _section(title: str, lines: Any) -> str:
    listed = [f"- {line}\n" for line in lines]
    return f"## {title}\n\n{''.join(listed)}" if listed else ""


def _first_sentence(node: dict[str, Any]) -> str:
    """Return the first sentence of a page's first paragraph, for pages without a description such as notebooks."""
    if node.get("type") == "paragraph":
        text = _line(_text_of(node))
        return re.split(r"(?<=[.!?])\s", text, maxsplit=1)[0]
    if node.get("type") in {"root", "block"}:
        return next((found for child in node.get("children", []) if (found := _first_sentence(child))), "")
    return ""


def _text_of(node: dict[str, Any]) -> str:
    return str(node.get("value", "")) + "".join(map(_text_of, node.get("children", [])))


def _line(text: object) -> str:
    return " ".join(str(text or "").split())
