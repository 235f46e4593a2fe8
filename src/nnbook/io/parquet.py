"""Parquet files that notice damage: checksums of their pages, as the format has them, and one of the whole file.

The format's own are of the data alone: damage to what describes the data, such as a column's name, would go unnoticed.
So a checksum of all other bytes is put between the last page and the description, where every reader passes over it.
"""

from __future__ import annotations

import os
import struct
import zlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from nnbook.errors import MissingFileError, NnbookError, reason
from nnbook.io.files import check_regular

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from pathlib import Path
    from typing import BinaryIO

    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

MAGIC: Final = b"PAR1"
SEAL: Final = b"CRC\x20"
"""What comes before the checksum of the whole file."""

BLOCK: Final = 1 << 20
END_BYTES: Final = 8
"""A file ends with the size of its description, and `MAGIC`."""

MOST_WAITING: Final = 1_000
"""Tables that are put together while they have too few rows for a group: one of few rows takes ten times its bytes."""


def write_parquet(path: Path, table: pd.DataFrame | pa.Table, **options: Any) -> None:
    """Write a table with checksums.

    Parameters
    ----------
    path : Path
        The file.
    table : pandas.DataFrame or pyarrow.Table
        Without the index of a data frame.
    **options
        As `pyarrow.parquet.write_table` takes them.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = table if isinstance(table, pa.Table) else pa.Table.from_pandas(table, preserve_index=False)
    pq.write_table(rows, path, write_page_checksum=True, **options)
    seal(path)


def write_groups(
    path: Path, tables: Iterable[pa.Table], schema: pa.Schema, rows_per_group: int, **options: Any
) -> None:
    """Write tables one after another into one file with checksums, of which a row group is in memory at a time.

    Parameters
    ----------
    path : Path
        The file.
    tables : iterable of pyarrow.Table
        Each of that schema.
    schema : pyarrow.Schema
        Their columns.
    rows_per_group : int
        Rows of each row group but the last.
    **options
        As `pyarrow.parquet.ParquetWriter` takes them.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    waiting: list[pa.Table] = []
    count = 0
    with pq.ParquetWriter(path, schema, write_page_checksum=True, **options) as writer:
        for table in tables:
            waiting.append(table)
            count += len(table)
            if len(waiting) == MOST_WAITING:
                waiting = [pa.concat_tables(waiting).combine_chunks()]
            if count >= rows_per_group:
                rows = pa.concat_tables(waiting)
                whole = count // rows_per_group * rows_per_group
                writer.write_table(rows[:whole], row_group_size=rows_per_group)
                waiting, count = [rows[whole:]], count - whole
        if count:
            writer.write_table(pa.concat_tables(waiting), row_group_size=rows_per_group)
    seal(path)


def seal(path: Path) -> None:
    """Put a checksum of all of a Parquet file into it, once it is written."""
    with path.open("r+b") as file:
        start, end = _description(file)
        file.seek(start)
        description = file.read()
        checksum = _checksum(file, start, end)
        file.seek(start)
        file.write(SEAL + struct.pack("<I", checksum) + description)


def open_parquet(path: Path, remedy: str, needed: Collection[str] = (), **options: Any) -> pq.ParquetFile:
    """Open a Parquet file to read parts of it, once its checksum is found right.

    Parameters
    ----------
    path : Path
        The file; one of other programs may be without checksums.
    remedy : str
        What to do where it is damaged, such as "make it with 'nnbook measure'".
    needed : collection of str, optional
        The columns that it must have.
    **options
        As `pyarrow.parquet.ParquetFile` takes them.

    Returns
    -------
    pyarrow.parquet.ParquetFile
        Which checks the pages that it reads: see `decoding`.

    Raises
    ------
    MissingFileError
        Where there is no such file.
    NnbookError
        Where the file is damaged, none of Parquet, or lacks a column.
    """
    import pyarrow.parquet as pq

    if not path.exists() and not path.is_symlink():
        raise MissingFileError(f"{path}: no such file; {remedy}")
    check_regular(path)
    with decoding(path, remedy):
        _check_seal(path)
        if missing := sorted({*needed} - {*pq.read_schema(path).names}):
            raise NnbookError(f"{path}: has no column {', '.join(missing)}; {remedy}")
        return pq.ParquetFile(path, page_checksum_verification=True, **options)


def read_parquet(path: Path, remedy: str, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """Read a Parquet file, or some of its columns, and check its checksums.

    Parameters
    ----------
    path, remedy
        As in `open_parquet`.
    columns : sequence of str, optional
        All where left out.

    Returns
    -------
    pandas.DataFrame

    Raises
    ------
    NnbookError
        As `open_parquet`.
    """
    with open_parquet(path, remedy, columns or ()) as file, decoding(path, remedy):
        table = file.read(columns=None if columns is None else list(columns))
        frame: pd.DataFrame = table.to_pandas()
        return frame


@contextmanager
def decoding(path: Path, remedy: str) -> Iterator[None]:
    """Have every failure to decode a Parquet file name it: on broken ones, Arrow raises errors of many kinds."""
    try:
        yield
    except NnbookError:
        raise
    except Exception as error:
        raise NnbookError(f"{path}: can't be read as Parquet ({reason(error)[:200]}); {remedy}") from error


def _description(file: BinaryIO) -> tuple[int, int]:
    """Return where a file's description begins, and where the file ends."""
    end = file.seek(0, os.SEEK_END)
    if end < len(MAGIC) + END_BYTES:
        raise ValueError("it is cut off")
    file.seek(end - END_BYTES)
    size, magic = struct.unpack("<I4s", file.read(END_BYTES))
    if magic != MAGIC or size > end - len(MAGIC) - END_BYTES:
        raise ValueError("it is cut off")
    return end - END_BYTES - size, end


def _check_seal(path: Path) -> None:
    with path.open("rb") as file:
        start, end = _description(file)
        at = start - len(SEAL) - 4
        file.seek(max(0, at))
        seal, checksum = struct.unpack("<4sI", file.read(8))
        if seal == SEAL and checksum != _checksum(file, at, end, start):
            raise ValueError("its checksum is wrong, it is damaged")


def _checksum(file: BinaryIO, first: int, end: int, second: int | None = None) -> int:
    """Return the CRC-32 of a file without the bytes between two places; without any where there is one place."""
    found = 0
    for begin, stop in ((0, first), (first if second is None else second, end)):
        file.seek(begin)
        left = stop - begin
        while left > 0 and (block := file.read(min(left, BLOCK))):
            found, left = zlib.crc32(block, found), left - len(block)
    return found
