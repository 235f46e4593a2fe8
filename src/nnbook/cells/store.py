"""A store of cells as it is read: its table, its images, and the names of cells."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from nnbook.errors import MissingFileError, NnbookError
from nnbook.io.inputs import masks_of
from nnbook.io.manifest import NAME

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nnbook.io.manifest import Panorama
    from nnbook.io.paths import PathLike


class MaskedPanorama(NamedTuple):
    """A panorama to cut cells from.

    Attributes
    ----------
    panorama : str
        Its name.
    run : int
        The experiment's number.
    passage : str
        The passage of the cell line; empty where it isn't known.
    image, mask : Path
        Its files.
    """

    panorama: str
    run: int
    passage: str
    image: Path
    mask: Path


@dataclass(frozen=True)
class Cells:
    """A store of cells, opened for reading.

    Attributes
    ----------
    table : pandas.DataFrame
        A row a cell: `cell` (its name), `panorama`, `run`, `passage`, `roi`, `x_px`, `y_px`, `area_um2`,
        `mean_intensity`, `std_intensity`, `orientation_deg`, and `class` where that of any is known. Row i is image i.
        Imported cells have no `x_px`, `y_px` and `class`, but `rim_um`: see `nnbook.cells.imported`.
    images, thumbnails : zarr.Array
        Axes (cell, y, x), uint8.
    about : dict
        What `cells.json` says.
    """

    table: pd.DataFrame
    images: Any
    thumbnails: Any
    about: dict[str, Any]

    @property
    def px_per_um(self) -> float:
        """Pixels a micrometre of the images; a thumbnail has a quarter of it."""
        return float(self.about["px_per_um"])

    def __len__(self) -> int:
        return len(self.table)


def masked_panoramas(images: dict[str, Path], masks: Path, manifest: Sequence[Panorama] = ()) -> list[MaskedPanorama]:
    """Match image files with a folder of masks.

    Parameters
    ----------
    images : dict of str to Path
        Image files by the panorama's name.
    masks : Path
        A folder of masks: see `nnbook.io.inputs.masks_of`.
    manifest : sequence of Panorama, optional
        Has runs and passages. Without it, a run is taken from a name in the published form.

    Raises
    ------
    NnbookError
        As `nnbook.io.inputs.masks_of`; also with a line for each panorama whose run isn't known.
    """
    rows = {row.panorama: row for row in manifest}
    runs: dict[str, tuple[int, str]] = {}
    problems = []
    for name, image in images.items():
        if name in rows:
            runs[name] = (rows[name].run, rows[name].passage)
        elif published_name := NAME.fullmatch(name):
            runs[name] = (int(published_name["run"]), "")
        else:
            problems.append(f"{image}: its name has no run, as Run53TL_bottom_left has; rename it or give a manifest")
    try:
        found = masks_of(images, masks)
    except NnbookError as error:
        if not problems:
            raise
        problems.append(str(error))
    if problems:
        raise NnbookError("\n".join(problems))
    return [MaskedPanorama(name, *runs[name], image, found[name]) for name, image in images.items()]


def read_cells(folder: PathLike) -> Cells:
    """Open a store of cells.

    Parameters
    ----------
    folder : str or Path
        Such as `build/twin/cells`.

    Returns
    -------
    Cells
        Images are read when they are indexed, such as `cells.images[7]`.

    Raises
    ------
    MissingFileError
        Where there is no store.
    NnbookError
        Where the store is damaged.

    Examples
    --------
    >>> import nnbook
    >>> cells = nnbook.read_cells("cells")
    >>> len(cells)
    6
    >>> cells.table["cell"][0]
    'Run1TL_top_left_ROI_2'
    >>> image = cells.images[0]  # only this image is read
    >>> image.shape, image.dtype
    ((256, 256), dtype('uint8'))
    """
    import zarr

    folder = Path(folder)
    if not (folder / "cells.json").is_file():
        raise MissingFileError(f"{folder}: holds no store of cells; make one with 'nnbook cells'")
    try:
        about = json.loads((folder / "cells.json").read_text(encoding="utf-8"))
        table = pd.read_parquet(folder / about["table"])
        images, thumbnails = (zarr.open_array(folder / about[name], mode="r") for name in ("images", "thumbnails"))
        counts = {len(table), images.shape[0], thumbnails.shape[0], about["cells"]}
        missing = [
            *_missing_shards(folder / about["images"], images),
            *_missing_shards(folder / about["thumbnails"], thumbnails),
        ]
    except Exception as error:  # readers raise whatever they like on damaged files
        reason = " ".join(str(error).split()) or type(error).__name__
        raise NnbookError(f"{folder}: holds no store of cells ({reason}); make one with 'nnbook cells'") from error
    if missing:
        raise NnbookError(f"{missing[0]}: is missing, and its cells would be black; make it again with 'nnbook cells'")
    if len(counts) > 1:
        raise NnbookError(f"{folder}: its table and its arrays differ in length; make it again with 'nnbook cells'")
    return Cells(table, images, thumbnails, about)


def _missing_shards(path: Path, array: Any) -> list[Path]:
    """Return the shards of an array that are not there, or are empty: Zarr reads black in their place."""
    if array.shards is None:  # not nnbook's own, whose black images others may leave out
        return []
    count = -(-array.shape[0] // array.shards[0])
    shards = [path / "c" / str(number) / "0" / "0" for number in range(count)]
    return [shard for shard in shards if not shard.is_file() or shard.stat().st_size == 0]


def cell_name(panorama: str, roi: int) -> str:
    """Return a cell's name in the published form, such as `Run100BL_bottom_left_ROI_268`; its file's ends in `.tif`."""
    return f"{panorama}_ROI_{roi}"
