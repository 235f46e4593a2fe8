"""The page of the book that lists what `import nnbook` hands out, from its docstrings."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING, Any, Final

import nnbook
from nnbook.io.files import atomic_write

if TYPE_CHECKING:
    from pathlib import Path

REFERENCE: Final = "api.md"
"""The page, in an edition's folder."""

HEADING = re.compile(r"^(\w[\w ]*)\n-{3,}\n", re.MULTILINE)
ENTRY = re.compile(r"^(?=\S)(.+)\n((?:(?: {4}.*)?\n)*)", re.MULTILINE)
DEFINED: Final = ("Parameters", "Returns", "Yields", "Raises", "Attributes")
"""Sections of a docstring that define terms; others are prose or examples."""

FRONTMATTER: Final = """---
title: Python reference
description: What import nnbook hands out, with signatures, parameters and examples.
label: api
---

What `import nnbook` hands out, as the package itself says it; `help(nnbook.segment)` shows the same. The examples run
as tests. Packages such as `nnbook.segmentation` list their own names.
"""


def write_reference(path: Path) -> None:
    """Write the page of all public names of the package, in MyST Markdown.

    Parameters
    ----------
    path : Path
        The file, which is replaced.
    """
    names = [name for name in nnbook.__all__ if callable(getattr(nnbook, name))]
    pages = [FRONTMATTER, *(describe(name, getattr(nnbook, name)) for name in sorted(names, key=str.lower))]
    with atomic_write(path) as written:
        written.write_text("\n".join(pages), encoding="utf-8")


def describe(name: str, value: Any) -> str:
    """Return the section of one function or class.

    Parameters
    ----------
    name : str
        As `nnbook` hands it out.
    value : callable
        With a NumPy docstring.

    Returns
    -------
    str
        MyST Markdown: heading, signature, and the sections of the docstring, whose terms become definition lists.
    """
    lead, *sections = HEADING.split(f"{inspect.getdoc(value)}\n")
    parts = [f"(api-{name.lower()})=", f"## {name}", "", f"```python\n{_signature(name, value)}\n```", "", _text(lead)]
    for title, body in zip(sections[::2], sections[1::2], strict=True):
        if title == "Examples":
            shown = f"```python\n{body.strip()}\n```"
        elif title in DEFINED:
            shown = "\n".join(_definition(term, text) for term, text in ENTRY.findall(body))
        else:
            shown = _text(body)
        parts += [f"**{title}**", "", shown, ""]
    return "\n".join(parts)


def _signature(name: str, value: Any) -> str:
    """Return how a name is called, without types, which the parameters have in words; a line each where it is long."""
    try:
        signature = inspect.signature(value)
    except ValueError:  # of an exception
        return f"nnbook.{name}(message)"
    plain = [one.replace(annotation=inspect.Parameter.empty) for one in signature.parameters.values()]
    text = f"nnbook.{name}{signature.replace(parameters=plain, return_annotation=inspect.Signature.empty)}"
    if len(text) <= 88:
        return text
    inner = re.sub(r", (?![^(]*\))", ",\n    ", text[text.index("(") + 1 : -1])  # not within a tuple
    return f"nnbook.{name}(\n    {inner},\n)"


def _definition(term: str, text: str) -> str:
    name, colon, kind = term.partition(" : ")
    if not colon and not text.strip() and " " in name:  # a sentence that closes the list
        return f"{_text(term)}\n"
    shown = f"`{name}` {_text(kind).strip()}" if colon else f"`{term}`"
    indented = "\n".join(f"  {line}".rstrip() for line in _text(inspect.cleandoc(text)).strip().splitlines())
    return f"{shown}\n: {indented.lstrip()}\n"


def _text(text: str) -> str:
    """Return prose of a docstring as Markdown, in which `$`, `<` and `*` mean themselves; code stays as it is."""
    pieces = re.split(r"(`[^`]*`)", text)
    return "".join(piece if piece.startswith("`") else re.sub(r"([$<*\\{}])", r"\\\1", piece) for piece in pieces)
