"""The table of a true mask's nuclei, as it is read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nnbook.errors import NnbookError
from nnbook.io.tables import read_table
from nnbook.simulation.nuclei import CLASSES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pandas as pd

    from nnbook.io.tables import Kind

KINDS: Final[dict[str, Kind]] = {
    "label": int,
    "class": CLASSES,
    "x_px": float,
    "y_px": float,
    "touching": bool,
    "cut": bool,
    "defocus_um": float,
    "brightness": float,
}
"""What the columns hold that are read of it: see `nnbook.simulation.panorama.simulate`."""


def read_truth(path: Path, columns: Sequence[str]) -> pd.DataFrame:
    """Read the table of the nuclei in a true mask, which is beside it.

    Parameters
    ----------
    path : Path
        A CSV file, with a row a nucleus.
    columns : sequence of str
        Those that the table must have, of `KINDS`; `label` among them.

    Returns
    -------
    pandas.DataFrame
        With all columns of the file.

    Raises
    ------
    MissingFileError
        Where there is no such file.
    NnbookError
        Where it lacks a column, has a value that no such column has, or two rows of one label.
    """
    remedy = f"a table beside a true mask has {', '.join(columns)}"
    table = read_table(path, {name: KINDS[name] for name in columns}, remedy)
    labels = table["label"]
    if (wrong := (labels < 1) | labels.duplicated()).any():
        raise NnbookError(f"{path}: label {labels[wrong].iloc[0]} is below 1 or in two rows; each nucleus has its own")
    return table
