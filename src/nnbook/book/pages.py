"""Built pages: what MyST lets pass and the strict build refuses."""

from __future__ import annotations

import functools
import os
from html.parser import HTMLParser
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from pathlib import Path


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
            fragment = unquote(parts.fragment)
            if not target.is_file():
                problems.append(f"{shown}: links to {link}, which the site does not have")
            elif fragment and target.suffix == ".html" and fragment not in read(target).ids:
                problems.append(f"{shown}: links to {link}, but that page has no part of this name")
    return problems


class _PageReader(HTMLParser):
    """Collects a page's links and the names of its parts, and the problems that the page alone tells of."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.ids: set[str] = set()
        self.problems: list[str] = []
        self._figures: list[bool] = []
        self._captions = 0
        self._caption = ""
        self._made = 0  # how deep in what tells how a figure was made: that is nothing of the figure to see

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        self.links += [attributes[name] for name in ("href", "src") if attributes.get(name)]
        if "id" in attributes:
            self.ids.add(attributes["id"])
        if "output-error" in attributes.get("class", "").split():
            self.problems.append("a cell of its notebook failed")
        if tag == "details" and (self._made or "made" in attributes.get("class", "").split()):
            self._made += 1
        if tag == "figure":
            self._figures.append(False)
        elif tag == "figcaption":
            self._captions += 1
            self._caption = ""
        elif tag != "span":
            self._see()

    def handle_endtag(self, tag: str) -> None:
        if tag == "details" and self._made:
            self._made -= 1
        if tag == "figcaption":
            self._captions -= 1
        elif tag == "figure" and self._figures:
            if self._figures.pop():
                self._see()
            else:
                self.problems.append(
                    f"a figure shows nothing but its caption: {self._caption[:80].strip() or '(none)'}"
                )

    def handle_data(self, data: str) -> None:
        if self._captions:
            self._caption += data
        elif data.strip():
            self._see()

    def _see(self) -> None:
        if self._figures and not self._captions and not self._made:
            self._figures[-1] = True


def _read_page(path: Path) -> _PageReader:
    reader = _PageReader()
    reader.feed(path.read_text(encoding="utf-8"))
    reader.close()
    return reader
