"""CSV tables whose columns are known, with numbers that are checked."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from nnbook.errors import NnbookError, reason
from nnbook.io.files import check_regular

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    Kind = type[int | float | bool] | tuple[str, ...]


def read_table(path: Path, kinds: Mapping[str, Kind], remedy: str) -> pd.DataFrame:
    """Read a CSV table, and hold that its columns have the values that they should.

    Parameters
    ----------
    path : Path
        The file, with a header.
    kinds : mapping of str to type or tuple of str
        What the columns hold that the table must have: int, float without infinity, bool (also as 0 and 1), or one of
        some texts. No value may be missing. Other columns are read as they are.
    remedy : str
        What to do where the table is damaged, such as "make it again".

    Returns
    -------
    pandas.DataFrame

    Raises
    ------
    MissingFileError
        Where there is no such file.
    NnbookError
        Where it is no such table.
    """
    check_regular(path)
    try:
        table = pd.read_csv(path)
    except (ValueError, OverflowError) as error:
        raise NnbookError(f"{path}: can't be read as a CSV table ({reason(error)}); {remedy}") from error
    check_last_line(path, remedy)
    if missing := [name for name in kinds if name not in table.columns]:
        raise NnbookError(f"{path}: has no column {missing[0]}; {remedy}")
    if not isinstance(table.index, pd.RangeIndex):
        raise NnbookError(f"{path}: has more fields in its rows than in its header; {remedy}")
    for name, kind in kinds.items():
        good = _are(table[name], kind)
        if not good.all():
            row = int(np.flatnonzero(~good)[0])
            raise NnbookError(f"{path}: {name} is {str(table[name].iloc[row])!r} in its row {row + 1}; {remedy}")
        if kind is bool:
            table[name] = table[name].astype(bool)
    return table


def check_last_line(path: Path, remedy: str) -> None:
    """Hold that the last line of a CSV table is whole: of a number that is cut off, what is left is a number, too.

    Raises
    ------
    NnbookError
        Where that line has no end.
    """
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        if file.read(1) not in b"\r\n":
            raise NnbookError(f"{path}: may be cut off, its last line has no end; {remedy}, or end that line")


def _are(column: pd.Series, kind: Kind) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Return which values of a column are of a kind."""
    if isinstance(kind, tuple):
        return column.isin(kind).to_numpy()
    if pd.api.types.is_bool_dtype(column):
        return np.full(len(column), kind is bool)
    numbers = pd.to_numeric(column, errors="coerce").to_numpy(np.float64)
    good: np.ndarray[tuple[int], np.dtype[np.bool_]] = np.isfinite(numbers)
    if kind is bool:
        return np.isin(numbers, (0, 1))
    if pd.api.types.is_numeric_dtype(column):
        return good & (numbers == np.rint(numbers)) if kind is int else good
    # Of a column that was read as text, a value that is no number is the culprit, unless all could be numbers.
    return np.zeros(len(column), bool) if good.all() else good
