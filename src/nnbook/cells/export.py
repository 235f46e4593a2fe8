"""Exports of cells: a folder of TIFF files as published, and a Hugging Face dataset."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import tifffile

from nnbook.errors import NnbookError
from nnbook.io.files import atomic_write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import numpy as np
    import pandas as pd
    import pyarrow as pa
    from numpy.typing import NDArray

    from nnbook.cells.store import Cells
    from nnbook.io.paths import PathLike

CELLS_AT_A_TIME: Final = 512
CELLS_PER_ROW_GROUP: Final = 256
"""Of a dataset's Parquet file: some 3 MB, the least that a reader takes."""

CELLS_PER_FILE: Final = 32_768
"""Of a dataset: some 500 MB a Parquet file, as Hugging Face recommends."""


def write_tiffs(cells: Cells, folder: PathLike) -> int:
    """Write cells as a folder of TIFF files named as published, such as `Run100BL_bottom_left_ROI_268.tif`.

    Parameters
    ----------
    cells : Cells
        From `nnbook.cells.store.read_cells`.
    folder : str or Path
        A new folder, which appears in one step.

    Returns
    -------
    int
        How many files there are: 256 x 256 px, uint8, losslessly compressed, with their pixel size.

    Raises
    ------
    NnbookError
        Where the folder is there already.
    """
    from nnbook.io.progress import show_progress

    folder = Path(folder)
    _check_new(folder)
    resolution = (cells.px_per_um * 1e4, cells.px_per_um * 1e4)
    write = partial(
        tifffile.imwrite,
        compression="zlib",
        photometric="minisblack",
        metadata=None,
        resolution=resolution,
        resolutionunit="CENTIMETER",
        maxworkers=1,
    )
    with atomic_write(folder) as written, ThreadPoolExecutor(2) as pool:
        written.mkdir()
        names = _names(cells)["filename"]
        for first in show_progress(range(0, len(cells), CELLS_AT_A_TIME), desc="export", unit="batch"):
            rows = slice(first, first + CELLS_AT_A_TIME)
            list(pool.map(write, (written / name for name in names.iloc[rows]), cells.images[rows]))
    return len(cells)


def write_dataset(cells: Cells, folder: PathLike) -> int:
    """Write cells as a Hugging Face dataset on disk, which `datasets.load_dataset(folder)` opens.

    Parameters
    ----------
    cells : Cells
        From `nnbook.cells.store.read_cells`.
    folder : str or Path
        A new folder, which appears in one step: `data/train-00000-of-00033.parquet` and so on, with the columns `image`
        and `filename`.

    Returns
    -------
    int
        How many cells there are.

    Raises
    ------
    NnbookError
        Where the folder is there already.
    """
    folder = Path(folder)
    _check_new(folder)
    with atomic_write(folder) as written:
        write_parquet(written / "data", _names(cells), partial(pngs, cells))
    return len(cells)


def write_parquet(folder: Path, table: pd.DataFrame, images: Callable[[Sequence[int]], list[bytes]]) -> None:
    """Write the Parquet files of a Hugging Face dataset of cells: `train-00000-of-00033.parquet` and so on.

    Parameters
    ----------
    folder : Path
        Where they go.
    table : pandas.DataFrame
        A row a cell: the column `filename`, and whatever else is known of the cells.
    images : callable
        Returns the image files of some rows, by their positions; they become the column `image`.
    """
    import pyarrow.parquet as pq

    folder.mkdir(parents=True)
    count = max(1, math.ceil(len(table) / CELLS_PER_FILE))
    for number in range(count):
        path = folder / f"train-{number:05}-of-{count:05}.parquet"
        rows = range(number * CELLS_PER_FILE, min(len(table), (number + 1) * CELLS_PER_FILE))
        # Images are compressed already. The index lets a reader find a page without the row group before it.
        with pq.ParquetWriter(
            path,
            _schema(table),
            compression="none",
            use_dictionary=False,
            write_page_index=True,
            write_page_checksum=True,
        ) as writer:
            for part in _tables(table, images, rows):
                writer.write_table(part, row_group_size=CELLS_PER_ROW_GROUP)


def _check_new(folder: Path) -> None:
    if folder.exists():
        raise NnbookError(f"{folder}: is there already; name a new folder")


def _names(cells: Cells) -> pd.DataFrame:
    return (cells.table[["cell"]] + ".tif").rename(columns={"cell": "filename"})


def _schema(table: pd.DataFrame) -> pa.Schema:
    """Return the schema of a dataset with these columns, which says of `image` that it holds images."""
    import pyarrow as pa
    from datasets import Features, Image, Value

    kinds = pa.Schema.from_pandas(table, preserve_index=False)
    text = pa.types.is_large_string
    plain = {kind.name: Value("string" if text(kind.type) else str(kind.type)) for kind in kinds}
    return Features({"image": Image(), **plain}).arrow_schema


def _tables(table: pd.DataFrame, images: Callable[[Sequence[int]], list[bytes]], rows: range) -> Iterator[pa.Table]:
    """Give a dataset's rows, some at a time."""
    import pyarrow as pa

    from nnbook.io.progress import show_progress

    schema = _schema(table)
    for first in show_progress(range(0, len(rows), CELLS_AT_A_TIME), desc="export", unit="batch"):
        chosen = rows[first : first + CELLS_AT_A_TIME]
        part = table.iloc[chosen.start : chosen.stop]
        files = [{"bytes": data, "path": name} for data, name in zip(images(chosen), part["filename"], strict=True)]
        columns = pa.Table.from_pandas(part, preserve_index=False).cast(schema.remove(0).remove_metadata()).columns
        yield pa.Table.from_arrays([pa.array(files, schema.field("image").type), *columns], schema=schema)


def pngs(cells: Cells, rows: Sequence[int]) -> list[bytes]:
    """Return the images of successive cells as PNG files: lossless, and shown by every viewer of datasets."""
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(_png, cells.images[rows[0] : rows[-1] + 1]))


def _png(image: NDArray[np.uint8]) -> bytes:
    import cv2

    packed = [cv2.IMWRITE_PNG_COMPRESSION, 6, cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE]
    return cv2.imencode(".png", image, packed)[1].tobytes()
