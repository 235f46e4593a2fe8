"""The mosaic: a sample of cells as one image to zoom into, runs by row in order of time, as measured and normalised.

Cells go from the store into a temporary TIFF file, as its tiles; libvips makes both pyramids from that file, strip by
strip. So there are never more cells in memory than those of one run.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
import tifffile

from nnbook.cells.sample import read_sample
from nnbook.cells.store import read_cells
from nnbook.io.files import atomic_write, write_json
from nnbook.viewers.pyramid import save_intensity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from nnbook.io.paths import PathLike

LEVELS: Final = 256
DECIMALS: Final = {
    "area_um2": 1,
    "mean_intensity": 2,
    "std_intensity": 2,
    "elongation": 2,
    "orientation_deg": 0,
    "rim_um": 2,
}


def write_mosaic(folder: PathLike, store: PathLike, sample_folder: PathLike) -> dict[str, Any]:
    """Lay a sample of cells out in a grid, and write its pyramids.

    Parameters
    ----------
    folder : str or Path
        Appears in one step, or replaces what was there: `mosaic.json`, `cells.json`, and `intensity.dzi` and
        `normalised.dzi` with their tiles. Without any cell there are no pyramids.
    store : str or Path
        The folder of `nnbook.cells.writer.write_cells`.
    sample_folder : str or Path
        Where `nnbook.cells.sample.write_sample` put the draw.

    Returns
    -------
    dict
        What `mosaic.json` has: `edition`, `note`, `seed`, `columns`, `cell_px`, `px_per_um`; `rows`, from the top,
        each with its `run`, `passage`, `cells`, `brightness` (see `brightness_of`) and `gain` (see `gains_of`);
        `clipped`, the share of pixels inside masks that became white by their gain; `saturated`, how many cells had
        white pixels as measured, which no gain restores; and the addresses of `intensity`, `normalised` and `cells`.
        The latter has a list a column, in order of rows: `panorama` (an index into
        `panoramas`), `roi`, and what the store has of `DECIMALS` and `class`.

    Raises
    ------
    NnbookError
        Where the store or the sample can't be read, or a file not be written.
    """
    folder, store, sample_folder = Path(folder), Path(store), Path(sample_folder)
    cells = read_cells(store)
    sample, drawn = read_sample(sample_folder, store)
    cell_px = int(cells.about["cell_px"])
    about = {
        "edition": cells.about["edition"],
        "note": cells.about["note"],
        "seed": drawn["seed"],
        "px_per_um": cells.px_per_um,
        "cell_px": cell_px,
        "columns": max((run["cells"] for run in drawn["runs"]), default=0),
        "rows": [{key: run[key] for key in ("run", "passage", "cells")} for run in drawn["runs"]],
        "cells": "cells.json",
    }
    with atomic_write(folder) as written:
        written.mkdir()
        if len(sample):
            about |= _write_pyramids(written, cells.images, sample, about)
        write_json(written / "cells.json", _columns(sample, cells.table), indent=None)
        write_json(written / "mosaic.json", about)
    return about


def read_grid(store: PathLike, sample_folder: PathLike, columns: int) -> NDArray[np.uint8]:
    """Read the thumbnails of a mosaic's first columns.

    Parameters
    ----------
    store, sample_folder : str or Path
        As in `write_mosaic`.
    columns : int
        How many, at most.

    Returns
    -------
    numpy.ndarray
        Axes (run, cell, y, x), uint8, black where a run has too few cells; of no run where there are no cells.

    Raises
    ------
    NnbookError
        Where the store or the sample can't be read.
    """
    store, sample_folder = Path(store), Path(sample_folder)
    cells = read_cells(store)
    sample, about = read_sample(sample_folder, store)
    runs = about["runs"]
    columns = min(columns, max((run["cells"] for run in runs), default=0))
    grid = np.zeros((len(runs), columns, *cells.thumbnails.shape[1:]), np.uint8)
    for row, run in zip(grid, runs, strict=True):
        drawn = sample.loc[sample["run"] == run["run"], "row"].head(columns)
        for at, cell in enumerate(drawn):
            row[at] = cells.thumbnails[int(cell)]
    return grid


def brightness_of(histograms: NDArray[np.int64]) -> float:
    """Return how bright a run's cells are: the median over cells of the mean grey level inside their masks.

    The median, so that the few very bright mitotic figures, or masks on something that is no nucleus, don't count for
    more than their number.

    Parameters
    ----------
    histograms : numpy.ndarray
        Axes (cell, grey level), how many pixels of a cell image have each of 256 levels. Level 0 is what is outside of
        the mask. A cell without any other has no brightness.

    Returns
    -------
    float
        In grey levels; NaN where no cell has any.
    """
    inside = histograms[:, 1:]
    pixels = inside.sum(axis=1)
    if not pixels.any():
        return float("nan")
    sums = inside @ np.arange(1, LEVELS)
    return float(np.median(sums[pixels > 0] / pixels[pixels > 0]))


def gains_of(brightness: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the factor for each run's grey levels that brings all runs to the same brightness.

    A factor, and no offset: what differs between runs, stain, lamp and exposure, scales the signal; it leaves black
    black, and with it all that is outside of masks, and it keeps ratios within a run. All are brought to the median
    run, so that about half of them become brighter and half darker.

    Parameters
    ----------
    brightness : numpy.ndarray
        See `brightness_of`; NaN for a run that has none.

    Returns
    -------
    numpy.ndarray
        One a run; 1 where the brightness is NaN.
    """
    known = ~np.isnan(brightness)
    gains = np.ones_like(brightness)
    if known.any():
        gains[known] = np.median(brightness[known]) / brightness[known]
    return gains


def _write_pyramids(folder: Path, images: Any, sample: pd.DataFrame, about: dict[str, Any]) -> dict[str, Any]:
    """Write both pyramids, and return their part of `mosaic.json`."""
    import pyvips

    side, columns, rows = about["cell_px"], about["columns"], about["rows"]
    starts = np.cumsum([0, *(row["cells"] for row in rows)])
    histograms = np.zeros((len(sample), LEVELS), np.int64)
    grid = folder.with_name("grid.tif")
    tiles = _tiles(images, sample["row"].to_numpy(), starts, columns, histograms)
    shape = (len(rows) * side, columns * side)
    tifffile.imwrite(grid, tiles, shape=shape, dtype=np.uint8, tile=(side, side), photometric="minisblack")
    brightness = np.array([brightness_of(histograms[first:end]) for first, end in pairwise(starts)])
    gains = gains_of(brightness)

    def save(name: str, factors: NDArray[np.float64] | None) -> None:
        image = pyvips.Image.new_from_file(str(grid), access="sequential", fail_on="error")
        if factors is not None:
            column = pyvips.Image.new_from_array(factors[:, np.newaxis])
            # Rounded first: a cast cuts the fraction off, and holds what is above white at white.
            image = (image * column.zoom(shape[1], side)).rint().cast("uchar")
        save_intensity(folder / name, image, folder.name)

    with ThreadPoolExecutor(2) as pool:
        for layer in [pool.submit(save, "intensity", None), pool.submit(save, "normalised", gains)]:
            layer.result()
    described = [
        {**row, "brightness": None if np.isnan(level) else round(float(level), 3), "gain": round(float(gain), 4)}
        for row, level, gain in zip(rows, brightness, gains, strict=True)
    ]
    share = _clipped_share(histograms, np.repeat(gains, np.diff(starts)))
    return {
        "rows": described,
        "clipped": share,
        "saturated": int(np.count_nonzero(histograms[:, -1])),
        "intensity": "intensity.dzi",
        "normalised": "normalised.dzi",
    }


def _tiles(
    images: Any, rows: NDArray[np.int64], starts: NDArray[np.int64], columns: int, histograms: NDArray[np.int64]
) -> Iterator[NDArray[np.uint8]]:
    """Give the grid's cells in order, black ones where a run has too few; count the grey levels of each on the way."""
    from nnbook.io.progress import show_progress

    black = np.zeros(images.shape[1:], np.uint8)
    with show_progress(desc="mosaic", unit="run", total=len(starts) - 1) as bar:
        for first, end in pairwise(starts):
            # In the order in which they are stored, since neighbours share a file; and one by one, which takes Zarr a
            # fifth of the time that an array of numbers does.
            cells = np.empty((end - first, *black.shape), np.uint8)
            for place in np.argsort(rows[first:end]):
                cells[place] = images[int(rows[first + place])]
            bar.update()
            for at, cell in enumerate(cells, start=first):
                histograms[at] = np.bincount(cell.ravel(), minlength=LEVELS)
                yield cell
            for _ in range(columns - (end - first)):
                yield black


def _clipped_share(histograms: NDArray[np.int64], gains: NDArray[np.float64]) -> float:
    """Return the share of pixels inside masks that become white, and were not, once multiplied by their cell's gain."""
    lifted = np.rint(gains[:, np.newaxis] * np.arange(LEVELS - 1)) >= LEVELS - 1
    return round(float(histograms[:, :-1][lifted].sum() / max(1, histograms[:, 1:].sum())), 6)


def _columns(sample: pd.DataFrame, table: pd.DataFrame) -> dict[str, Any]:
    """Return the cells as the viewer reads them, with what the store's table has of them."""
    codes, names = pd.factorize(sample["panorama"])
    cells = table.iloc[sample["row"].to_numpy()]
    known = [name for name in ("roi", *DECIMALS, "class") if name in cells and bool(cells[name].notna().any())]
    columns = cells[known].round(DECIMALS).astype(object)
    listed = {name: [None if pd.isna(value) else value for value in columns[name]] for name in known}
    return {"panoramas": list(names), "columns": {"panorama": codes.tolist(), **listed}}
