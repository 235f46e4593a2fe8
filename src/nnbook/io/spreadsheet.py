"""Tables as spreadsheets write them: CSV with any separator and encoding, and rows with the lines they begin in."""

from __future__ import annotations

import codecs
import csv
import re
from io import StringIO
from typing import TYPE_CHECKING, Final, NamedTuple

from nnbook.errors import NnbookError
from nnbook.io.files import check_regular

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

DELIMITERS: Final = (",", ";", "\t")
STATED_DELIMITER: Final = re.compile(r"""["']?sep=([^\w"'\r\n])["']?[^\r\n]*(?:\r\n|\r|\n|\Z)""", re.IGNORECASE)
"""The first line by which Excel knows the separator."""


class Sheet(NamedTuple):
    """A table.

    Attributes
    ----------
    header : list of str
        The names of columns as they are written.
    columns : list of str or None
        The known column that each of them means; None where it means none.
    rows : dict of int to (dict of str to str, or str)
        By the line of the file that each row begins in: the text of each known column, empty where the row has none; or
        what is wrong with the row. Blank rows are left out.
    """

    header: list[str]
    columns: list[str | None]
    rows: dict[int, dict[str, str] | str]


def read_sheet(path: Path, known: Collection[str]) -> Sheet:
    """Read a table of text.

    Parameters
    ----------
    path : Path
        Fields between commas, semicolons or tabs, in UTF-8, or in UTF-16 with a byte order mark. Which separator it is
        says a first line `sep=;`, else the header.
    known : collection of str
        Names of columns: see `plain_name`.

    Raises
    ------
    MissingFileError
        Where there is no such file.
    NnbookError
        Where it is no file, has another encoding, or an open quote.
    """
    text, delimiter, before = _read_text(path), "", 0
    if stated := STATED_DELIMITER.match(text):
        text, delimiter, before = text[stated.end() :], stated[1], 1
    records = _records(path, text, delimiter or _delimiter(text, known), before)
    _, header = next(records, (0, []))
    while header and not header[-1].strip():
        del header[-1]
    columns = [column if (column := plain_name(name)) in known else None for name in header]
    rows: dict[int, dict[str, str] | str] = {}
    number, fields = 0, header
    for number, fields in records:
        if any(field.strip() for field in fields[len(header) :]):
            rows[number] = "has more fields than the header; check for stray commas or quotes"
            continue
        found = {column: field.strip() for column, field in zip(columns, fields, strict=False) if column is not None}
        rows[number] = {column: found.get(column, "") for column in known}
    # Excel may leave out separators at the end of a row, but it ends the last one.
    if len(fields) < len(header) and not text.endswith(("\n", "\r")):
        rows[number] = "has fewer fields than the header, and is the last, without an end; the file may be cut off"
    return Sheet([name.strip() for name in header], columns, rows)


def plain_name(name: str) -> str:
    """Return a column's name in small letters, with `_` between words and `u` for micro: `Width (px)` is width_px."""
    return re.sub(r"[^a-z0-9]+", "_", re.sub("[µμ]", "u", name).lower()).strip("_")


def _read_text(path: Path) -> str:
    check_regular(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise NnbookError(f"{path}: can't be read ({error.strerror}); check its permissions") from error
    wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = data.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise NnbookError(f"{path}, line {line}: is not UTF-8 text; save it as CSV in UTF-8") from error
    if "\0" in text:
        raise NnbookError(f"{path}: is not UTF-8 text, nor UTF-16 with a byte order mark; save it as CSV in UTF-8")
    return text


def _delimiter(text: str, known: Collection[str]) -> str:
    """Return what separates the most known names in the first line that is not blank."""
    header = next((line for line in StringIO(text) if line.strip()), "")
    return max(DELIMITERS, key=lambda mark: sum(plain_name(name) in known for name in header.split(mark)))


def _records(path: Path, text: str, delimiter: str, before: int) -> Iterator[tuple[int, list[str]]]:
    """Give the fields of each record that is not blank, with the line of the file that it begins in."""
    reader = csv.reader(StringIO(text, newline=""), delimiter=delimiter, strict=True, skipinitialspace=True)
    while True:
        number = before + reader.line_num + 1
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise NnbookError(f"{path}, line {number}: {error}; check for an open quote") from error
        if any(field.strip() for field in fields):
            yield number, fields
