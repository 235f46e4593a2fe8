"""MyST Markdown as the lint reads it: words, directives, pictures and links, each with its line."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Final, NamedTuple

import yaml
from markdown_it import MarkdownIt
from mdit_py_plugins.colon_fence import colon_fence_plugin
from mdit_py_plugins.deflist import deflist_plugin
from mdit_py_plugins.dollarmath import dollarmath_plugin
from mdit_py_plugins.footnote import footnote_plugin
from mdit_py_plugins.front_matter import front_matter_plugin
from mdit_py_plugins.myst_blocks import myst_block_plugin
from mdit_py_plugins.myst_role import myst_role_plugin

if TYPE_CHECKING:
    from collections.abc import Iterator

    from markdown_it.token import Token

VERBATIM: Final = {"code-cell", "code", "math", "anywidget", "mermaid", "raw", "code-block", "index-of"}
"""Directives whose content is not MyST."""

ADDRESS: Final = ("#", "..", "http")
"""How an argument of a directive begins that names a target and is not a title."""

DIRECTIVE: Final = re.compile(r"\{([\w:-]+)\}\s*(.*)")
OPTION: Final = re.compile(r"\s*:([\w-]+):\s*(.*)")
CITATION: Final = re.compile(r"\[-?@[^\]]*\]|https?://\S+")
EXEMPT: Final = re.compile(r"%\s*typed:\s*([^;]*);\s*\S")
HTML_IMAGE: Final = re.compile(r"""<img\b(?:[^>]*\balt=["']?([^"'>]*))?""")


class IndentedDumper(yaml.SafeDumper):
    """Writes lists of `myst.yml` with an indent: MyST looks for the table of contents line by line."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002, D102
        super().increase_indent(flow, indentless=False)


class Words(NamedTuple):
    """Words of one line that a reader reads: no code, mathematics, roles, addresses or citations.

    Attributes
    ----------
    line : int
        Number of the line, from 1.
    text : str
        The words.
    exempt : frozenset of str
        The numbers that a comment `% typed: 512, 1024; the size of a camera's field` above the paragraph allows in it.
    """

    line: int
    text: str
    exempt: frozenset[str]


class Directive(NamedTuple):
    """A directive with its argument and options; its content is listed after it, unless it is verbatim."""

    line: int
    name: str
    argument: str
    options: dict[str, str]
    content: str


class Picture(NamedTuple):
    """An image in the text, of Markdown or HTML."""

    line: int
    address: str
    alt: str


class Link(NamedTuple):
    """A link or a cross-reference in the text."""

    line: int
    address: str


Part = Words | Directive | Picture | Link


def read_myst(text: str) -> list[Part]:
    """List the parts of a MyST text in the order in which they are read.

    Parameters
    ----------
    text : str
        A chapter, or a notebook as text.

    Returns
    -------
    list of Words, Directive, Picture or Link
    """
    return list(_read_blocks(text, 1, {}))


@functools.cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark").enable("table")
    # HTML is read like the words around it, and escaped characters stay as they are typed, so that places are known.
    parser.disable(["html_block", "text_join"])
    for plugin in (front_matter_plugin, colon_fence_plugin, deflist_plugin, dollarmath_plugin, myst_block_plugin):
        parser.use(plugin)
    return parser.use(myst_role_plugin).use(footnote_plugin, move_to_end=False)


def _read_blocks(text: str, first: int, exempt: dict[int, frozenset[str]]) -> Iterator[Part]:
    """List the parts of a text whose first line has the number `first`."""
    lines = text.splitlines()
    for token in _parser().parse(text):
        begin, end = token.map or (0, 0)
        if token.type == "myst_line_comment":
            exempt |= _exempt_lines(lines, begin, end, first)
        elif token.type in {"fence", "colon_fence"}:
            yield from _read_fence(token, begin + first, exempt)
        elif token.type == "inline":
            yield from _read_inline(token, begin + first, exempt)


def _exempt_lines(lines: list[str], begin: int, end: int, first: int) -> dict[int, frozenset[str]]:
    """Return what comments allow in each line of the paragraph below them."""
    allowed: frozenset[str] = frozenset()
    for line in lines[begin:end]:
        if found := EXEMPT.match(line.strip()):
            allowed = frozenset(one.strip() for one in found[1].split(", "))
    below = end
    while below < len(lines) and lines[below].strip():
        below += 1
    return dict.fromkeys(range(end + first, below + first), allowed)


def _read_fence(token: Token, line: int, exempt: dict[int, frozenset[str]]) -> Iterator[Part]:
    found = DIRECTIVE.match(token.info.strip())
    if found is None and token.type == "fence":
        return
    name, argument = found.groups() if found else ("", token.info.strip())
    options, content = {}, token.content.splitlines()
    for option in content:
        if not (one := OPTION.match(option)):
            break
        options[one[1]] = one[2].strip()
    body = "\n".join(content[len(options) :])
    yield Directive(line, name, argument, options, body)
    if name in VERBATIM:
        return
    if not argument.startswith(ADDRESS):
        for title in _parser().parseInline(argument):
            yield from _read_inline(title, line, exempt)
    yield from _read_blocks(body, line + 1 + len(options), exempt)


def _read_inline(token: Token, line: int, exempt: dict[int, frozenset[str]]) -> Iterator[Part]:
    """List the parts of a paragraph, a heading or a table's cell."""
    words: dict[int, str] = {}
    content = token.content.replace("\n", " ")
    place = 0
    autolink = False
    for child in _walk(token.children or []):
        if child.type in {"softbreak", "hardbreak"}:
            place = token.content.index("\n", place) + 1
            continue
        # Children do not know their places, but each is found as it is typed, a line's end in it as a space.
        found = content.find(child.content.replace("\n", " "), place)
        place = max(place, found)
        here = line + token.content.count("\n", 0, place)
        words[here] = words.get(here, "") + (child.content if child.type == "text" and not autolink else " ")
        autolink = child.type == "link_open" and child.markup == "autolink"
        if child.type == "image":
            yield Picture(here, str(child.attrGet("src") or ""), child.content)
            continue  # its alternative text follows
        if child.type == "link_open":
            yield Link(here, str(child.attrGet("href") or ""))
        elif child.type == "html_inline" and (image := HTML_IMAGE.match(child.content)):
            yield Picture(here, "", image[1] or "")
        if found >= 0:
            place += len(child.content)
    for here, text in words.items():
        yield Words(here, CITATION.sub(" ", text), exempt.get(here, frozenset()))


def _walk(tokens: list[Token]) -> Iterator[Token]:
    for token in tokens:
        yield token
        yield from _walk(token.children or [])
