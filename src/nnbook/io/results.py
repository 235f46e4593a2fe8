"""The results table: one row a panorama, its first columns as NucleusNet's published table has them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from nnbook.errors import MissingFileError, NnbookError, reason
from nnbook.io.files import atomic_write
from nnbook.io.tables import check_last_line

if TYPE_CHECKING:
    from nnbook.io.paths import PathLike

SIGNIFICANT_DIGITS: Final = 12
"""Of numbers in the table: as many for images from 0 to 1 as for 16 bits, and not those in which machines differ."""

COLUMNS = ["image", "num_rois", "mean_intensity", "std_intensity"]


def read_results(path: PathLike) -> pd.DataFrame:
    """Read a results table.

    Parameters
    ----------
    path : str or Path
        A CSV file that starts with the columns `image, num_rois, mean_intensity, std_intensity`.

    Returns
    -------
    pandas.DataFrame
        `image` (str, the image's file name), `num_rois` (int64, nuclei in the panorama), `mean_intensity` and
        `std_intensity` (float64, grey levels over all pixels inside masks; NaN where there is no nucleus), and whatever
        further columns the file has.

    Raises
    ------
    MissingFileError
        Where there is no such file.
    NnbookError
        Where it is no such table, two rows are of one image, or a row has impossible values.
    """
    path = Path(path)
    if not path.is_file():
        raise MissingFileError(f"{path}: no such table; make one with 'nnbook measure'")
    try:
        table = pd.read_csv(path)
    except (ValueError, OSError) as error:
        raise NnbookError(f"{path}: can't be read as a CSV table ({reason(error)})") from error
    check_last_line(path, "measure again")
    if missing := [column for column in COLUMNS if column not in table.columns]:
        raise NnbookError(f"{path}: has no column {', '.join(missing)}; a results table has {', '.join(COLUMNS)}")
    if table.empty:
        raise NnbookError(f"{path}: has no rows; measure at least one panorama")
    _check_numbers(path, table)
    counts = table["num_rois"]
    if counts.isna().any() or (counts < 0).any() or (counts % 1 != 0).any():
        row = int((counts.isna() | (counts < 0) | (counts % 1 != 0)).to_numpy().argmax())
        raise NnbookError(
            f"{path}, row {row + 2}: num_rois is {counts.iloc[row]}; it must be a whole number, 0 or more"
        )
    if table["image"].duplicated().any():
        twice = table.loc[table["image"].duplicated(), "image"].iloc[0]
        raise NnbookError(f"{path}: image {twice} is in two rows; keep one")
    if (unmeasured := table["mean_intensity"].isna() & (counts > 0)).any():
        raise NnbookError(f"{path}: image {table.loc[unmeasured, 'image'].iloc[0]} has nuclei but no mean_intensity")
    return table.astype({"image": str, "num_rois": "int64", "mean_intensity": float, "std_intensity": float})


def _check_numbers(path: Path, table: pd.DataFrame) -> None:
    for column in COLUMNS[1:]:
        if not pd.api.types.is_numeric_dtype(table[column]):
            raise NnbookError(f"{path}: column {column} holds text; correct the table or measure again")
        if np.isinf(table[column]).any():
            row = int(np.isinf(table[column]).to_numpy().argmax())
            raise NnbookError(f"{path}, row {row + 2}: {column} is infinite; correct the table or measure again")


def write_results(path: PathLike, results: pd.DataFrame) -> None:
    """Write a results table in one step, numbers with 12 significant digits.

    Decimals in a fixed number, four in the published table, would leave images from 0 to 1 with other representatives
    than are measured.

    Parameters
    ----------
    path : str or Path
        The CSV file to write, or to replace.
    results : pandas.DataFrame
        See `read_results`.
    """
    with atomic_write(Path(path)) as written:
        results.to_csv(written, index=False, float_format=f"%.{SIGNIFICANT_DIGITS}g", lineterminator="\n")
