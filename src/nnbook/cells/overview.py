"""The overview of a store of very many cells: a part of its table, from which a view of all can be drawn at first.

Whole columns of a million cells are 4 MB each. A browser draws the plane of two measurements from some of the rows, and
fetches whole columns once a reader looks closer. Those rows are drawn at random, and with them come the least and the
greatest of each measurement, so that the plane is as large as that of all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from nnbook.io.parquet import decoding, open_parquet, write_parquet

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa
    from numpy.typing import NDArray

FILE: Final = "overview.parquet"
ROWS: Final = 100_000
"""How many are drawn at random."""

FEWEST_CELLS: Final = 250_000
"""Of which there is an overview: whole columns of fewer are less than 1 MB each."""

SEED: Final = 1
PLACE: Final = ("x_px", "y_px")
"""Columns of numbers that no view shows as a measurement."""


def has_overview(cells: int) -> bool:
    """Return whether a store of so many cells has an overview."""
    return cells > FEWEST_CELLS


def write_overview(table: Path, path: Path) -> dict[str, Any]:
    """Write the overview of a table of cells, of which a row group is in memory at a time.

    Parameters
    ----------
    table : Path
        The table of all cells, a row each.
    path : Path
        The file: the column `row`, the number of the row in the table from 0, in ascending order, and the measurements,
        columns of floats.

    Returns
    -------
    dict
        What `cells.json` says of it: its file's name as `table`, how many `cells` it has, and the file's `table_bytes`.

    Raises
    ------
    NnbookError
        Where the table can't be read.
    """
    import pyarrow as pa

    with open_parquet(table, "make it again with 'nnbook cells'") as file:
        names = [
            field.name for field in file.schema_arrow if pa.types.is_floating(field.type) and field.name not in PLACE
        ]
        count = file.metadata.num_rows
        drawn = np.random.default_rng(SEED).choice(count, min(ROWS, count), replace=False, shuffle=False)
        drawn.sort()
        taken: list[pa.Table] = []
        ends: list[pa.Table] = []
        first = 0
        for number in range(file.num_row_groups):
            with decoding(table, "make it again with 'nnbook cells'"):
                group = file.read_row_group(number, columns=names)
            end = first + len(group)
            group = group.append_column("row", pa.array(np.arange(first, end, dtype=np.int32)))
            low, high = np.searchsorted(drawn, [first, end])
            taken.append(group.take(pa.array(drawn[low:high] - first)))
            ends.append(group.take(pa.array(_ends(group, names))))
            first = end
    outer = pa.concat_tables(ends)
    rows = pa.concat_tables([*taken, outer.take(pa.array(_ends(outer, names)))])
    _, once = np.unique(rows["row"].to_numpy(), return_index=True)
    overview = rows.take(pa.array(once)).select(["row", *names])
    write_parquet(path, overview, use_dictionary=False)
    return {"table": path.name, "cells": len(overview), "table_bytes": path.stat().st_size}


def _ends(table: pa.Table, names: list[str]) -> NDArray[np.int64]:
    """Return the rows that have the least or the greatest of a measurement, or of the texture that views derive."""
    columns = {name: table[name].to_numpy() for name in names}
    if {"std_intensity", "mean_intensity"} <= columns.keys():
        mean = columns["mean_intensity"]
        columns["texture"] = np.divide(columns["std_intensity"], mean, out=np.full_like(mean, np.nan), where=mean > 0)
    found = [[np.nanargmin(values), np.nanargmax(values)] for values in columns.values() if not np.isnan(values).all()]
    return np.unique(np.array(found, np.int64))
