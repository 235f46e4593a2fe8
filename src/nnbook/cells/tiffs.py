"""Cell images as files: their names, what they may be, and the folders of them that `nnbook pull` brings."""

from __future__ import annotations

import io
import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from nnbook.errors import MissingFileError, NnbookError
from nnbook.io.files import read_json
from nnbook.io.progress import show_progress
from nnbook.values import published

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from PIL.ImageFile import ImageFile

PULL_RECORD: Final = "pull.json"
PULL_JOURNAL: Final = "pull.jsonl"
"""What `nnbook pull` writes beside the images: its record, and until that is written its journal."""

CELL_NAME: Final = re.compile(
    r"(?P<panorama>Run(?P<run>[1-9][0-9]{0,8})[^0-9].*)_ROI_(?P<roi>[1-9][0-9]{0,8})", re.ASCII
)
"""A cell's name in the published form, such as `Run100BL_bottom_left_ROI_268`."""

SIDE: Final = published.CELL_IMAGE_PX

NAMED_AT_MOST: Final = 5
"""So many files are named in messages, and the others counted."""


class NamedCell(NamedTuple):
    """The file of a cell, and what its name says.

    Attributes
    ----------
    path : Path
        The file.
    panorama : str
        The panorama that it was cut from.
    run : int
        The experiment's number.
    roi : int
        The nucleus's label in the mask of its panorama.
    """

    path: Path
    panorama: str
    run: int
    roi: int


def list_cells(folder: Path) -> list[NamedCell]:
    """List the cell images of a folder, in order of run, panorama and label.

    Raises
    ------
    NnbookError
        Where there is none, where files have names of another form, or where two are of one ROI.
    """
    if not folder.is_dir():
        raise MissingFileError(f"{folder}: no such folder; name one of TIFF files, such as 'nnbook pull' brings")
    paths = sorted(
        path
        for path in folder.iterdir()
        if path.suffix.lower() in {".tif", ".tiff"} and not path.name.startswith(".") and path.is_file()
    )
    if not paths:
        raise NnbookError(f"{folder}: holds no TIFF file; name a folder of cell images, such as 'nnbook pull' brings")
    named = [(path, CELL_NAME.fullmatch(path.stem)) for path in paths]
    if others := [path.name for path, found in named if found is None]:
        raise NnbookError(
            f"{folder}: {len(others):,} of its {len(paths):,} TIFF files have names of another form than "
            f"Run100BL_bottom_left_ROI_268.tif: {listed(others)}; rename them, or move them out"
        )
    cells = [NamedCell(path, found["panorama"], int(found["run"]), int(found["roi"])) for path, found in named if found]
    cells.sort(key=lambda cell: (cell.run, cell.panorama, cell.roi, cell.path.name))
    for one, other in pairwise(cells):
        if one[1:] == other[1:]:
            raise NnbookError(f"{other.path}: is of the same ROI as {one.path.name}; keep one of the two")
    return cells


def read_pull(folder: Path, names: Sequence[str]) -> dict[str, Any] | None:
    """Return which data set a folder of images was pulled from; None where it was not pulled.

    Parameters
    ----------
    folder : Path
        The folder.
    names : sequence of str
        The TIFF files in it.

    Returns
    -------
    dict or None
        `dataset`, `revision`, `commit` and `licence`, which is None where the pull's record doesn't name it.

    Raises
    ------
    NnbookError
        Where the pull isn't finished, or its record is damaged or lists other files.
    """
    path = folder / PULL_RECORD
    if not path.is_file():
        if (folder / PULL_JOURNAL).is_file():
            raise NnbookError(f"{folder}: its pull isn't finished; call 'nnbook pull' again, it goes on from there")
        return None
    form = {"dataset": str, "revision": str, "commit": str, "files": dict}
    record = read_json(path, form, "pull again into a new folder, or delete it")
    licence, files = record.get("licence"), set(record["files"])
    if gone := sorted(files - set(names)):
        raise NnbookError(f"{folder}: lacks {len(gone):,} of the files that were pulled: {listed(gone)}; pull again")
    if added := sorted(set(names) - files):
        raise NnbookError(
            f"{folder}: holds {len(added):,} TIFF files that {PULL_RECORD} doesn't list: {listed(added)}; move them out"
        )
    source = {key: record[key] for key in ("dataset", "revision", "commit")}
    return {**source, "licence": licence if isinstance(licence, str) else None}


def decode_cell(
    data: bytes, name: str, formats: tuple[str, ...] = ("TIFF", "PNG", "JPEG")
) -> tuple[NDArray[np.uint8], str]:
    """Decode the file of a cell image.

    Parameters
    ----------
    data : bytes
        The file.
    name : str
        What errors call it.
    formats : tuple of str, optional
        Which it may be of.

    Returns
    -------
    (numpy.ndarray, str)
        Axes (y, x), uint8, 256 x 256 px; and the file's format.

    Raises
    ------
    NnbookError
        Where it can't be read, or is not 256 x 256 px of one channel of 8 bits.
    """
    from PIL import Image

    problem = ""
    try:
        with Image.open(io.BytesIO(data), formats=formats) as image:
            # Only the header has been read by now: an image of another size is never decoded.
            if not (problem := _problem(image)):
                return np.array(image), str(image.format)
    except Exception as error:  # decoders raise whatever they like on broken files
        raise _damaged(name, formats) from error
    raise NnbookError(f"{name}: {problem}")


def check_cells(cells: Sequence[NamedCell]) -> None:
    """Look at the header of every image, before the first is read whole.

    Raises
    ------
    NnbookError
        With a line for each of the first that are no cell images.
    """
    problems = [
        problem
        for cell in show_progress(cells, desc="check", unit="image")
        if (problem := _header_problem(cell.path)) is not None
    ]
    if len(problems) > NAMED_AT_MOST:
        raise NnbookError(
            "\n".join([*problems[:NAMED_AT_MOST], f"and {len(problems) - NAMED_AT_MOST:,} more of this folder"])
        )
    if problems:
        raise NnbookError("\n".join(problems))


def _header_problem(path: Path) -> str | None:
    from PIL import Image

    try:
        with Image.open(path, formats=("TIFF",)) as image:
            problem = _problem(image)
    except Exception:  # noqa: BLE001 - as in decode_cell
        return str(_damaged(str(path), ("TIFF",)))
    return f"{path}: {problem}" if problem else None


def _problem(image: ImageFile) -> str:
    """Say why an image that was opened is no cell image; empty where it is one."""
    pages = getattr(image, "n_frames", 1)
    if image.size == (SIDE, SIDE) and image.mode == "L" and pages == 1:
        return ""
    return (
        f"is {image.width} x {image.height} px, mode {image.mode}, {pages} page(s); "
        f"a cell image has {SIDE} x {SIDE} px of one channel of 8 bits"
    )


def _damaged(name: str, formats: tuple[str, ...]) -> NnbookError:
    known = " or ".join(formats[:2])
    return NnbookError(f"{name}: can't be read as an image; it is cut off, damaged or no {known}")


def listed(names: Sequence[str]) -> str:
    """Name the first of some files, and count the others."""
    more = f" and {len(names) - NAMED_AT_MOST:,} more" if len(names) > NAMED_AT_MOST else ""
    return f"{', '.join(names[:NAMED_AT_MOST])}{more}"
