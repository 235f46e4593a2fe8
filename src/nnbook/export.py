"""Exports of cells: a folder of TIFF files as published, and a Hugging Face dataset."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import tifffile

from nnbook.errors import NnbookError
from nnbook.files import aside

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import pyarrow as pa
    from datasets import Dataset
    from numpy.typing import NDArray

    from nnbook.cells import Cells

CELLS_AT_A_TIME: Final = 512
CELLS_PER_FILE: Final = 32_768
"""Of a dataset: some 500 MB a Parquet file, as Hugging Face recommends."""


def write_tiffs(cells: Cells, folder: Path) -> int:
    """Write cells as a folder of TIFF files named as published, such as `Run100BL_bottom_left_ROI_268.tif`.

    Parameters
    ----------
    cells : Cells
        From `nnbook.cells.read_cells`.
    folder : Path
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
    with aside(folder) as written, ThreadPoolExecutor(2) as pool:
        written.mkdir()
        for names, images in _batches(cells, range(len(cells))):
            list(pool.map(write, (written / name for name in names), images))
    return len(cells)


def to_dataset(cells: Cells, rows: Sequence[int] | None = None) -> Dataset:
    """Return cells as a Hugging Face dataset in memory: a draw of them, or a small store.

    Parameters
    ----------
    cells : Cells
        From `nnbook.cells.read_cells`.
    rows : sequence of int, optional
        Which cells, in which order; by default all.

    Returns
    -------
    datasets.Dataset
        Columns `image`, lossless, and `filename`, as in the published dataset.
    """
    import pyarrow as pa
    from datasets import Dataset

    tables = list(_tables(cells, range(len(cells)) if rows is None else rows))
    return Dataset(pa.concat_tables([_features().arrow_schema.empty_table(), *tables]))


def write_dataset(cells: Cells, folder: Path) -> int:
    """Write cells as a Hugging Face dataset on disk, which `datasets.load_dataset(folder)` opens.

    Parameters
    ----------
    cells : Cells
        From `nnbook.cells.read_cells`.
    folder : Path
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
    import pyarrow.parquet as pq

    _check_new(folder)
    count = max(1, math.ceil(len(cells) / CELLS_PER_FILE))
    with aside(folder) as written:
        (written / "data").mkdir(parents=True)
        for number in range(count):
            path = written / "data" / f"train-{number:05}-of-{count:05}.parquet"
            rows = range(number * CELLS_PER_FILE, min(len(cells), (number + 1) * CELLS_PER_FILE))
            with pq.ParquetWriter(path, _features().arrow_schema, compression="none", use_dictionary=False) as writer:
                for table in _tables(cells, rows):
                    writer.write_table(table)
    return len(cells)


def _check_new(folder: Path) -> None:
    if folder.exists():
        raise NnbookError(f"{folder}: is there already; name a new folder")


def _features() -> Any:
    from datasets import Features, Image, Value

    return Features({"image": Image(), "filename": Value("string")})


def _tables(cells: Cells, rows: Sequence[int]) -> Iterator[pa.Table]:
    import pyarrow as pa

    schema = _features().arrow_schema
    with ThreadPoolExecutor(2) as pool:
        for names, images in _batches(cells, rows):
            encoded = [{"bytes": png, "path": name} for name, png in zip(names, pool.map(_png, images), strict=True)]
            yield pa.table({"image": encoded, "filename": names}, schema)


def _png(image: NDArray[np.uint8]) -> bytes:
    import cv2

    packed = [cv2.IMWRITE_PNG_COMPRESSION, 6, cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE]
    return cv2.imencode(".png", image, packed)[1].tobytes()


def _batches(cells: Cells, rows: Sequence[int]) -> Iterator[tuple[list[str], NDArray[np.uint8]]]:
    """Give file names and images of cells, some at a time."""
    from tqdm import tqdm

    names = cells.table["cell"]
    for first in tqdm(range(0, len(rows), CELLS_AT_A_TIME), desc="export", unit="batch"):
        chosen = np.asarray(rows[first : first + CELLS_AT_A_TIME])
        images = (
            cells.images[int(chosen[0]) : int(chosen[-1]) + 1] if _consecutive(chosen) else cells.images.oindex[chosen]
        )
        yield [f"{name}.tif" for name in names.iloc[chosen]], np.asarray(images)


def _consecutive(rows: NDArray[np.int64]) -> bool:
    return bool((np.diff(rows) == 1).all())
