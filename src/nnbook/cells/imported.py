"""Cell images that others cut: a folder of TIFF files, such as `nnbook pull` brings, becomes a store like any other.

NucleusNet publishes its cells as images alone. What the store's table says of a cell is read from the file's name, and
measured in the image. It does not have what cannot be known: the passage is null, and there are no columns for the
centroid in the panorama and the class.

The published masks run some 18 px beyond the nucleus, so areas are those of masks, and background counts in means and
spreads. The column `rim_um` says how wide that rim is.
"""

from __future__ import annotations

import math
import sys
from collections import Counter
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from nnbook.cells.extraction import orientation_and_elongation, thumbnails_of
from nnbook.cells.shards import encode
from nnbook.cells.store import REMEDY
from nnbook.cells.tiffs import NamedCell, check_cells, decode_cell, list_cells, listed, read_pull
from nnbook.cells.writer import Batch, Part, Source, parts_folder, write_store
from nnbook.errors import NnbookError
from nnbook.io.images import image_shape
from nnbook.io.parquet import read_parquet
from nnbook.measurement.imaged_area import check_scale
from nnbook.values import published

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa
    from numpy.typing import NDArray

    from nnbook.cells.writer import Job
    from nnbook.io.paths import PathLike

EMPTY: Final = "empty"
"""Why an image gives no cell: all of its pixels are zero."""


class CellMeasures(NamedTuple):
    """What is measured in a cell image.

    Attributes
    ----------
    area_px2 : int
        Pixels under the mask.
    mean, sd : float
        Mean and population standard deviation of their grey levels.
    rim_px : float
        How far the mask runs beyond the nucleus: the difference between the radii of two discs, one as large as the
        mask, one as large as what is brighter than Otsu's threshold of the levels under it.
    orientation_deg, elongation : float
        See `nnbook.cells.extraction.orientation_and_elongation`; the first is about 0 where the image was turned as
        nnbook turns.
    """

    area_px2: int
    mean: float
    sd: float
    rim_px: float
    orientation_deg: float
    elongation: float


def import_cells(
    folder: PathLike, images: PathLike, *, edition: str, px_per_um: float = published.PX_PER_UM
) -> dict[str, Any]:
    """Make a store of a folder of cell images; a call that was interrupted goes on when it is made again.

    Parameters
    ----------
    folder : str or Path
        The store, which holds none of the images: see `nnbook.cells.writer.write_cells`. Cells are in order of run,
        panorama and label.
    images : str or Path
        A folder of TIFF files, 256 x 256 px, uint8, zero outside the mask, with names such as
        `Run100BL_bottom_left_ROI_268.tif`. Where `nnbook pull` made it, the store says which data set they are from.
    edition : str
        The edition's name.
    px_per_um : float, optional
        Pixels a micrometre; by default as published.

    Returns
    -------
    dict
        What `cells.json` says. Its `left_out` counts images that are `empty`; `source` has `dataset`, `revision`,
        `commit` and `licence` of a pull, the last None where its record doesn't name one.

    Raises
    ------
    NnbookError
        With a line for each thing that is wrong: a folder without images, an unfinished pull, files of other names, two
        of one ROI, and images that are of another size or type, or damaged.
    """
    folder, images = Path(folder), Path(images)
    check_scale(px_per_um)
    if any(images.resolve().is_relative_to(taken.resolve()) for taken in (folder, parts_folder(folder))):
        raise NnbookError(f"{folder}: holds the images, and would be replaced; name another folder for the store")
    cells = list_cells(images)
    source = read_pull(images, [cell.path.name for cell in cells])
    by_run = {run: list(group) for run, group in groupby(cells, lambda cell: cell.run)}
    schema = _schema()

    def check(changed: Sequence[str]) -> None:
        wanted = set(changed)
        check_cells([cell for cell in cells if _part_name(cell.run) in wanted])

    def job_of(group: Sequence[NamedCell]) -> Job:
        return partial(_read_run, group, schema, px_per_um)

    parts = [
        Part(
            _part_name(run),
            [cell.path for cell in group],
            {"px_per_um": px_per_um},
            partial(job_of, group),
        )
        for run, group in by_run.items()
    ]
    about = write_store(
        folder,
        import_cells,
        _read_run,
        Source(schema, parts, check, [EMPTY], image_shape),
        {
            "edition": edition,
            "note": _note(images, source),
            "px_per_um": px_per_um,
            **({"source": source} if source else {}),
        },
    )
    if about["left_out"][EMPTY]:
        _name_empty(folder, images, cells)
    return about


def measure_cell(cell: NDArray[np.uint8]) -> CellMeasures | None:
    """Measure a cell image.

    Parameters
    ----------
    cell : numpy.ndarray
        Axes (y, x), uint8, zero outside the mask.

    Returns
    -------
    CellMeasures or None
        None where all pixels are zero.
    """
    import cv2

    mask = mask_of(cell)
    levels = cell[mask]
    if not levels.size:
        return None
    threshold, _ = cv2.threshold(levels.reshape(1, -1), 0, 255, cv2.THRESH_OTSU)
    # Levels that are all the same have no threshold between them.
    nucleus = np.count_nonzero(levels > threshold) if levels.min() < levels.max() else levels.size
    rim = math.sqrt(levels.size / math.pi) - math.sqrt(nucleus / math.pi)
    shape = orientation_and_elongation(cell, mask)
    return CellMeasures(levels.size, float(levels.mean()), float(levels.std()), rim, *shape)


def mask_of(cell: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return what is under the mask of a cell image, which is zero outside.

    Pixels under the mask can be zero, too, for a background may be as dark as black. So gaps of a pixel in what is not
    zero are closed, and whatever is then enclosed counts as under the mask.

    Parameters
    ----------
    cell : numpy.ndarray
        Axes (y, x), uint8.

    Returns
    -------
    numpy.ndarray
        The same shape, bool.
    """
    import cv2

    margin, outside = 2, 2
    padded = np.pad((cell > 0).astype(np.uint8), margin)  # so that all of the background is connected
    inside = cv2.morphologyEx(padded, cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3)))
    cv2.floodFill(inside, None, (0, 0), outside)
    return np.asarray(inside[margin:-margin, margin:-margin] != outside)


def _schema() -> pa.Schema:
    import pyarrow as pa

    return pa.schema(
        {
            "cell": pa.string(),
            "panorama": pa.string(),
            "run": pa.int32(),
            "passage": pa.string(),
            "roi": pa.int32(),
            "area_um2": pa.float32(),
            "mean_intensity": pa.float32(),
            "std_intensity": pa.float32(),
            "rim_um": pa.float32(),
            "orientation_deg": pa.float32(),
            "elongation": pa.float32(),
        }
    )


def _part_name(run: int) -> str:
    return f"Run{run}"


def _read_run(cells: Sequence[NamedCell], schema: pa.Schema, px_per_um: float) -> tuple[Batch, Counter[str]]:
    """Read and measure the cells of one run; count those that are empty."""
    import pyarrow as pa

    rows: list[dict[str, Any]] = []
    images: list[bytes] = []
    thumbnails: list[bytes] = []
    for cell in cells:
        image, _ = decode_cell(cell.path.read_bytes(), str(cell.path), ("TIFF",))
        measures = measure_cell(image)
        if measures is None:
            continue
        images.append(encode(image))
        thumbnails += map(encode, thumbnails_of(image[None]))
        rows.append(
            {
                "cell": cell.path.stem,
                "panorama": cell.panorama,
                "run": cell.run,
                "roi": cell.roi,
                "area_um2": measures.area_px2 / px_per_um**2,
                "mean_intensity": measures.mean,
                "std_intensity": measures.sd,
                "rim_um": measures.rim_px / px_per_um,
                "orientation_deg": measures.orientation_deg,
                "elongation": measures.elongation,
            }
        )
    batch = Batch(pa.Table.from_pylist(rows, schema), images, thumbnails)
    return batch, Counter({EMPTY: len(cells) - len(images)})


def _note(folder: Path, source: dict[str, Any] | None) -> str:
    if source is None:
        return f"Cell images of the folder {folder.name}."
    licence = f", {source['licence']}" if source["licence"] else ""
    return f"Cell images of {source['dataset']} on Hugging Face, commit {source['commit'][:8]}{licence}."


def _name_empty(folder: Path, images: Path, cells: Sequence[NamedCell]) -> None:
    """Say which images gave no cell."""
    kept = set(read_parquet(folder / "cells.parquet", REMEDY, ["cell"])["cell"])
    empty = [cell.path.name for cell in cells if cell.path.stem not in kept]
    print(
        f"nnbook: {images}: {len(empty):,} images have nothing but zeros, and are left out: {listed(empty)}",
        file=sys.stderr,
    )
