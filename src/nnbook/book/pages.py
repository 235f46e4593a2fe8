"""Built pages: what MyST lets pass and the strict build refuses."""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote, urlsplit

from bs4 import BeautifulSoup

if TYPE_CHECKING:
    from pathlib import Path


class Page(NamedTuple):
    """What is read of a page: its links, the names of its parts, and the problems that it shows by itself."""

    links: list[str]
    ids: set[str]
    problems: list[str]


def problems_of_pages(html: Path) -> list[str]:
    """Find what MyST passes over in silence, in the pages that it wrote.

    Parameters
    ----------
    html : Path
        The built site.

    Returns
    -------
    list of str
        A line for each link to a page, a part of a page or a file that the site does not have, for each figure that is
        empty but for its caption (its notebook has no such output), and for each error that a notebook's cell put out.
    """
    read = functools.cache(_read_page)
    base = os.environ.get("BASE_URL", "")
    problems = []
    for page in sorted(html.rglob("index.html")):
        name = page.parent.relative_to(html).as_posix()
        shown = "the first page" if name == "." else name
        problems += [f"{shown}: {problem}" for problem in read(page).problems]
        for link in dict.fromkeys(read(page).links):
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            path = unquote(parts.path)
            target = page if not path else html / path.removeprefix(base)[1:] if path[0] == "/" else page.parent / path
            target = target / "index.html" if target.is_dir() else target
            fragment = unquote(parts.fragment.partition("&")[0])  # what follows moves the view that it names
            if not target.is_file():
                problems.append(f"{shown}: links to {link}, which the site does not have")
            elif fragment and target.suffix == ".html" and fragment not in read(target).ids:
                problems.append(f"{shown}: links to {link}, but that page has no part of this name")
    return problems


def _read_page(path: Path) -> Page:
    page = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
    tags = page.find_all()
    links = [str(tag[name]) for tag in tags for name in ("href", "src") if tag.get(name)]
    ids = {str(tag["id"]) for tag in tags if "id" in tag.attrs}
    problems = ["a cell of its notebook failed" for tag in tags if "output-error" in tag.get_attribute_list("class")]
    figures = [(tag, tag.find("figcaption")) for tag in tags if tag.name == "figure"]
    # Neither a caption nor how a figure was made is something of it to see.
    for tag in tags:
        if tag.name == "figcaption" or (tag.name == "details" and "made" in tag.get_attribute_list("class")):
            tag.extract()
    for figure, caption in figures:
        if figure.find(lambda tag: tag.name not in {"figure", "span"}) is None and not figure.get_text(strip=True):
            text = caption.get_text()[:80].strip() if caption else ""
            problems.append(f"a figure shows nothing but its caption: {text or '(none)'}")
    return Page(links, ids, problems)
