"""A small table that a notebook shows."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Any, Final

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
    """

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: frozenset[int] = frozenset()
    note: str = ""

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return {
            MIME: {"header": list(self.header), "rows": [list(row) for row in self.rows]},
            "text/html": self._repr_html_(),
            "text/plain": repr(self),
        }

    def _repr_html_(self) -> str:
        head = "".join(self._cell("th", column, text) for column, text in enumerate(self.header))
        body = "".join(
            "<tr>" + "".join(self._cell("td", column, text) for column, text in enumerate(row)) + "</tr>"
            for row in self.rows
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

    def _cell(self, tag: str, column: int, text: str) -> str:
        side = "right" if column in self.numeric else "left"
        return f'<{tag} style="text-align: {side}">{escape(text)}</{tag}>'
