"""A store of cells as it is read: its table, its images, and the names of cells."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from nnbook.cells.shards import ends_in_file, shard_path
from nnbook.errors import MissingFileError, NnbookError, reason
from nnbook.io.files import read_json
from nnbook.io.inputs import masks_of
from nnbook.io.manifest import NAME
from nnbook.io.parquet import read_parquet

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from nnbook.io.manifest import Panorama
    from nnbook.io.paths import PathLike

REMEDY: Final = "make it again with 'nnbook cells'"

NUMBER: Final = "image_number"
"""The column of the table that has the number of a cell's image in the arrays."""

FORM: Final = {
    **dict.fromkeys(("edition", "note", "images", "thumbnails", "table"), str),
    **dict.fromkeys(("cells", "cell_px"), int),
    "px_per_um": (int, float),
}
"""What `cells.json` has to say."""


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
class StoredImages:
    """Images that are read when they are indexed: by the number of a cell, a slice, or an array of numbers.

    An image whose checksum is wrong raises an NnbookError that names its file.

    Attributes
    ----------
    array : zarr.Array
        Axes (image, y, x), uint8.
    path : Path
        The array's folder.
    numbers : numpy.ndarray
        For each cell, the number of its image in the array.
    """

    array: Any
    path: Path
    numbers: NDArray[np.int64]

    @property
    def shape(self) -> tuple[int, ...]:
        """How many images there are, their height, and their width."""
        return len(self), *self.array.shape[1:]

    def __len__(self) -> int:
        return len(self.numbers)

    def __iter__(self) -> Iterator[NDArray[np.uint8]]:
        return (self[number] for number in range(len(self)))

    def __getitem__(self, which: Any) -> NDArray[np.uint8]:
        cells, *pixels = which if isinstance(which, tuple) else (which,)
        chosen = self.numbers[cells]
        numbers = np.ravel(chosen)
        try:
            images = np.asarray(self.array.oindex[_as_slice(chosen), *pixels])
        except MemoryError:
            raise
        except Exception as error:  # codecs raise whatever they like on damaged files
            path = next((self._shard(number) for number in numbers if not self._is_whole(number)), self.path)
            raise NnbookError(f"{path}: is damaged ({reason(error)}); {REMEDY}") from error
        # An image that a shard lacks because it is cut off is black.
        for number in numbers[~images.reshape(numbers.size, -1).any(axis=1)] if images.size else ():
            if self.array.shards is not None and not ends_in_file(self._shard(number), number % self.array.shards[0]):
                raise NnbookError(f"{self._shard(number)}: is cut off; {REMEDY}")
        return images

    def _is_whole(self, number: int) -> bool:
        try:
            self.array[int(number)]
        except Exception:  # noqa: BLE001 - as above
            return False
        return True

    def _shard(self, number: int) -> Path:
        per_file = (self.array.shards or self.array.chunks)[0]
        return shard_path(self.path, number // per_file)


def _as_slice(numbers: NDArray[np.int64]) -> Any:
    """Return numbers that follow one another as a slice, which is read faster, and a single one as it is."""
    if numbers.ndim == 0:
        return int(numbers)
    if numbers.size and (np.diff(numbers) == 1).all():
        return slice(int(numbers[0]), int(numbers[-1]) + 1)
    return numbers


@dataclass(frozen=True)
class Cells:
    """A store of cells, opened for reading.

    Attributes
    ----------
    table : pandas.DataFrame
        A row a cell: `cell` (its name), `panorama`, `run`, `passage`, `roi`, `x_px`, `y_px`, `area_um2`,
        `mean_intensity`, `std_intensity`, `orientation_deg`, `elongation`, `class` where that of any is known, and
        `image_number`, that of its image in the store's arrays. Imported cells have no `x_px`, `y_px` and `class`, but
        `rim_um`: see `nnbook.cells.imported`.
    images, thumbnails : StoredImages
        Axes (cell, y, x), uint8: cell i is row i.
    about : dict
        What `cells.json` says.
    """

    table: pd.DataFrame
    images: StoredImages
    thumbnails: StoredImages
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
    5
    >>> cells.table["cell"][0]
    'Run1TL_top_left_ROI_1'
    >>> image = cells.images[0]  # only this image is read
    >>> image.shape, image.dtype
    ((256, 256), dtype('uint8'))
    """
    folder = Path(folder)
    if not (folder / "cells.json").is_file():
        raise MissingFileError(f"{folder}: holds no store of cells; make one with 'nnbook cells'")
    about = read_json(folder / "cells.json", FORM, REMEDY)
    table_path, *array_paths = (folder / about[name] for name in ("table", "images", "thumbnails"))
    for path in (table_path, *(path / "zarr.json" for path in array_paths)):
        if not path.is_file():
            name = path.relative_to(folder)
            raise NnbookError(f"{folder}: holds no store of cells ({name} is gone); make one with 'nnbook cells'")
    table = read_parquet(table_path, REMEDY)
    if "cell" not in table:
        raise NnbookError(f"{table_path}: has no column cell; {REMEDY}")
    numbers = table[NUMBER].to_numpy(np.int64) if NUMBER in table else np.arange(len(table))
    images, thumbnails = (_open_images(path, numbers) for path in array_paths)
    _check_scale(array_paths[0].parent / "zarr.json", about["px_per_um"])
    if missing := [*_missing_shards(images), *_missing_shards(thumbnails)]:
        raise NnbookError(f"{missing[0]}: is missing, and its cells would be black; make it again with 'nnbook cells'")
    lengths = {images.array.shape[0], thumbnails.array.shape[0], int(numbers.max(initial=-1)) + 1}
    if len(table) != about["cells"] or len(lengths) > 1 or (np.diff(numbers) < 1).any():
        raise NnbookError(f"{folder}: its table and its arrays differ in length; make it again with 'nnbook cells'")
    if images.shape[1:] != (about["cell_px"], about["cell_px"]):
        raise NnbookError(f"{folder / 'cells.json'}: has another size than its images; {REMEDY}")
    return Cells(table, images, thumbnails, about)


def _open_images(path: Path, numbers: NDArray[np.int64]) -> StoredImages:
    import zarr

    try:
        array = zarr.open_array(path, mode="r")
        fits = array.ndim == 3 and array.dtype == np.uint8
    except Exception as error:  # zarr raises whatever it likes on damaged descriptions
        raise NnbookError(f"{path / 'zarr.json'}: can't be read ({reason(error)[:200]}); {REMEDY}") from error
    if not fits:
        raise NnbookError(f"{path / 'zarr.json'}: describes no images of 8 bits; {REMEDY}")
    return StoredImages(array, path, numbers)


def _check_scale(group: Path, px_per_um: float) -> None:
    """Hold that both files of a store that have its scale agree; one of other programs may have it in one alone."""
    if not group.is_file():
        return
    attributes = read_json(group, {"attributes": dict}, REMEDY)["attributes"]
    if attributes.get("px_per_um", px_per_um) != px_per_um:
        about = group.parents[1] / "cells.json"
        raise NnbookError(f"{about}: has {px_per_um:g} px/µm, but {group} {attributes['px_per_um']}; {REMEDY}")


def _missing_shards(images: StoredImages) -> list[Path]:
    """Return the shards of an array that are not there, or are empty: Zarr reads black in their place."""
    if images.array.shards is None:  # not nnbook's own, whose black images others may leave out
        return []
    count = -(-images.array.shape[0] // images.array.shards[0])
    shards = (shard_path(images.path, number) for number in range(count))
    return [shard for shard in shards if not shard.is_file() or shard.stat().st_size == 0]


def cell_name(panorama: str, roi: int) -> str:
    """Return a cell's name in the published form, such as `Run100BL_bottom_left_ROI_268`; its file's ends in `.tif`."""
    return f"{panorama}_ROI_{roi}"
