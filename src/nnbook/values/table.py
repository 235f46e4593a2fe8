"""A small table that a notebook shows."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

MIME: Final = "application/vnd.nnbook.table+json"
"""The type of an executed notebook's output that holds a table's cells, beside the HTML that shows them."""


@dataclass(frozen=True)
class Table:
    """A small table that is shown as HTML on the site and as plain text elsewhere.

    Attributes
    ----------
    header : tuple of str
        One title a column, with units.
    rows : tuple of tuple of str
        Formatted cells.
    numeric : frozenset of int
        The columns that hold numbers: they are aligned right.
    note : str
        A line below the table.
    links : tuple of (str or None)
        Where the first cell of each row leads; none where it is empty.
    """

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: frozenset[int] = frozenset()
    note: str = ""
    links: tuple[str | None, ...] = ()

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return {
            MIME: {"header": list(self.header), "rows": [list(row) for row in self.rows]},
            "text/html": self._repr_html_(),
            "text/plain": repr(self),
        }

    def _repr_html_(self) -> str:
        head = "".join(self._cell("th", column, text) for column, text in enumerate(self.header))
        links = self.links or (None,) * len(self.rows)
        body = "".join(
            "<tr>" + "".join(self._cell("td", column, *cell) for column, cell in enumerate(_cells(row, link))) + "</tr>"
            for row, link in zip(self.rows, links, strict=True)
        )
        note = f"<p><small>{escape(self.note)}</small></p>" if self.note else ""
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{note}"

    def __repr__(self) -> str:
        widths = [max(map(len, column)) for column in zip(self.header, *self.rows, strict=True)]
        lines = [
            "  ".join(
                text.rjust(width) if column in self.numeric else text.ljust(width)
                for column, (text, width) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
            for row in (self.header, *self.rows)
        ]
        return "\n".join([*lines, self.note] if self.note else lines)

    def _cell(self, tag: str, column: int, text: str, link: str | None = None) -> str:
        side = "right" if column in self.numeric else "left"
        content = escape(text) if link is None else f'<a href="{escape(link)}">{escape(text)}</a>'
        return f'<{tag} style="text-align: {side}">{content}</{tag}>'


def _cells(row: tuple[str, ...], link: str | None) -> Iterator[tuple[str, str | None]]:
    yield from ((text, None if column else link) for column, text in enumerate(row))
