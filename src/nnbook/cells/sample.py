"""A sample of cells: so many of each run, drawn at random from a seed, as NucleusNet-10K has 100 from each of 100."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from nnbook.cells.store import read_cells
from nnbook.errors import InvalidValueError, MissingFileError, NnbookError
from nnbook.io.files import atomic_write, read_json, sha256, write_json
from nnbook.io.parquet import read_parquet, write_parquet
from nnbook.values import published

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nnbook.io.paths import PathLike

PER_RUN: Final = published.IMAGES_PER_EXPERIMENT_IN_10K
SEED: Final = 1
COLUMNS: Final = ["run", "passage", "cell", "panorama", "roi", "area_um2", "mean_intensity"]
"""Of a drawn cell, what the record of the draw has besides its row in the store."""

REMEDY: Final = "draw again with 'nnbook sample'"

FORM: Final = {
    "edition": str,
    "note": str,
    "seed": int,
    "per_run": int,
    "cells": int,
    "runs": [{"run": int, "passage": (str, type(None)), "cells": int, "of": int}],
    "table": str,
    "store": {"cells": int, "table_sha256": str},
}
"""What `sample.json` says."""


def draw(table: pd.DataFrame, per_run: int = PER_RUN, seed: int = SEED) -> NDArray[np.int64]:
    """Draw cells of each run, without replacement.

    Parameters
    ----------
    table : pandas.DataFrame
        A row a cell, with its `run`: see `nnbook.cells.store.read_cells`.
    per_run : int, optional
        How many of each run, from 1. A run that has fewer gives all that it has.
    seed : int, optional
        From 0. The generator of a run is seeded by the seed and the run's number together, so that a run's draw depends
        on its own cells alone, whatever other runs there are.

    Returns
    -------
    numpy.ndarray
        Rows of the table (from 0), int64: by run, and within a run in the order drawn. A draw of fewer cells by the
        same seed is the beginning of each run's part of this one.

    Raises
    ------
    NnbookError
        Where `per_run` or `seed` is out of range.
    """
    if per_run < 1:
        raise InvalidValueError(f"per_run is {per_run}; ask for at least 1 cell of each run", parameter="per_run")
    if seed < 0:
        raise InvalidValueError(f"seed is {seed}; give a whole number from 0", parameter="seed")
    runs = table["run"].to_numpy()
    drawn = [
        np.random.default_rng([seed, int(run)]).permutation(np.flatnonzero(runs == run))[:per_run]
        for run in np.unique(runs)
    ]
    return np.concatenate([np.zeros(0, np.int64), *drawn])


def write_sample(store: PathLike, folder: PathLike, per_run: int = PER_RUN, seed: int = SEED) -> dict[str, Any]:
    """Draw a sample from a store of cells, and record it.

    Parameters
    ----------
    store : str or Path
        The folder of `nnbook.cells.writer.write_cells`.
    folder : str or Path
        Where `sample.parquet` and `sample.json` go, each in one step.
    per_run, seed : int, optional
        As in `draw`.

    Returns
    -------
    dict
        What `sample.json` has: `edition`, `note`, `seed`, `per_run`, `cells`; `runs`, each with its `run`, `passage`,
        `cells` drawn and `of` how many; `table`; and `store`, the number of its `cells` and the `table_sha256`.

    Raises
    ------
    NnbookError
        Where the store can't be read, or `per_run` or `seed` is out of range.
    """
    store, folder = Path(store), Path(folder)
    cells = read_cells(store)
    rows = draw(cells.table, per_run, seed)
    drawn = cells.table.iloc[rows]
    known = [*COLUMNS, *(["class"] if "class" in drawn else [])]
    sample = drawn[known].reset_index(drop=True)
    sample.insert(0, "row", rows)
    sizes = cells.table["run"].value_counts()
    runs: list[dict[str, Any]] = []
    for run in sample["run"].unique():
        part = sample[sample["run"] == run]
        passage = part["passage"].iloc[0]
        counts = {"cells": len(part), "of": int(sizes[run])}
        runs.append({"run": int(run), "passage": None if pd.isna(passage) else str(passage), **counts})
    about = {
        "edition": cells.about["edition"],
        "note": cells.about["note"],
        "seed": seed,
        "per_run": per_run,
        "cells": len(sample),
        "runs": runs,
        "table": "sample.parquet",
        "store": {"cells": len(cells.table), "table_sha256": sha256(store / cells.about["table"])},
    }
    with atomic_write(folder / "sample.parquet") as written:
        write_parquet(written, sample)
    write_json(folder / "sample.json", about)
    return about


def read_sample(folder: Path, store: Path) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Read a sample, and hold that it was drawn from a store.

    Parameters
    ----------
    folder : Path
        Where `write_sample` put it.
    store : Path
        The store that it is said to be drawn from.

    Returns
    -------
    (pandas.DataFrame, dict)
        A row a cell in the order of `draw`: `row` (in the store's table), and `COLUMNS`, and `class` where that of any
        is known; and the contents of `sample.json`.

    Raises
    ------
    NnbookError
        Where there is no sample, or it was drawn from another store or from another state of this one.
    """
    path = folder / "sample.json"
    if not path.is_file():
        raise MissingFileError(f"{folder}: has no sample of cells; draw one with 'nnbook sample'")
    about = read_json(path, FORM, REMEDY)
    if not (folder / about["table"]).is_file():
        raise NnbookError(f"{path}: names a table {about['table']!r} that is not there; {REMEDY}")
    sample = read_parquet(folder / about["table"], REMEDY)
    if missing := [name for name in ("row", *COLUMNS) if name not in sample]:
        raise NnbookError(f"{folder / about['table']}: has no column {missing[0]}; {REMEDY}")
    if about["store"]["table_sha256"] != sha256(store / "cells.parquet"):
        raise NnbookError(f"{path}: was drawn from other cells than {store} holds; draw again")
    if sample["run"].value_counts().to_dict() != {run["run"]: run["cells"] for run in about["runs"]} or about[
        "cells"
    ] != len(sample):
        raise NnbookError(f"{path}: lists other cells of runs than {about['table']} has; {REMEDY}")
    return sample, about


def short_runs(about: dict[str, Any]) -> str:
    """Name the runs that had fewer cells than were asked for, as `run 3 (87)`; empty where none had."""
    return ", ".join(f"run {run['run']} ({run['cells']})" for run in about["runs"] if run["cells"] < about["per_run"])
