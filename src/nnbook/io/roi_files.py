"""Masks that are no images: ROI sets of ImageJ, and `_seg.npy` files of Cellpose."""

from __future__ import annotations

import pickle
import struct
import zipfile
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from nnbook.errors import InvalidValueError, NnbookError, reason

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

HARMLESS: Final = {
    *(
        (module, name)
        for module in ("numpy.core.multiarray", "numpy._core.multiarray")
        for name in ("_reconstruct", "scalar")
    ),
    *((module, "_frombuffer") for module in ("numpy.core.numeric", "numpy._core.numeric")),
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("_codecs", "encode"),
}
"""What arrays of numbers need when they are unpickled; whatever else a file asks for could run any program."""

MAX_ROIS: Final = 1_000_000


class _ArraysOnly(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in HARMLESS:
            raise pickle.UnpicklingError(f"asks for {module}.{name}")
        return super().find_class(module, name)


def read_seg_npy(path: Path) -> NDArray[Any]:
    """Read the masks of a `_seg.npy` file of Cellpose, which is a Python object, without running what it may hold.

    Parameters
    ----------
    path : Path
        The file; one that holds a plain array is read as that.

    Returns
    -------
    numpy.ndarray
        As stored; Cellpose has axes (y, x), whole numbers, 0 for background.

    Raises
    ------
    NnbookError
        Where the file is damaged, asks for anything but arrays, or holds no masks.
    """
    try:
        with path.open("rb") as file:
            if not _holds_objects(file):
                file.seek(0)
                return np.asarray(np.load(file, allow_pickle=False))
            masks = _ArraysOnly(file).load().item()["masks"]
    except Exception as error:  # unpickling raises whatever it likes on broken files
        raise NnbookError(
            f"{path}: can't be read as a file of Cellpose ({reason(error)}); save its masks as TIFF, and take that"
        ) from error
    if not isinstance(masks, np.ndarray):
        raise NnbookError(f"{path}: has no masks; segment the image again")
    return masks


def _holds_objects(file: Any) -> bool:
    """Read an array's header, after which its numbers follow, or what has to be unpickled."""
    form: Any = np.lib.format
    read_header = form.read_array_header_1_0 if form.read_magic(file) == (1, 0) else form.read_array_header_2_0
    return bool(read_header(file)[2].hasobject)


def read_roi_set(path: Path, shape: tuple[int, int] | None) -> NDArray[np.int32]:
    """Draw a ROI set of ImageJ as a mask: a pixel belongs to a ROI whose outline is around its centre.

    Parameters
    ----------
    path : Path
        A zip file of `.roi` files, or one such file.
    shape : (int, int), optional
        Height and width of the image in px, which a ROI set does not have.

    Returns
    -------
    numpy.ndarray
        Axes (y, x), int32: ROIs have labels from 1 in their order in the file.

    Raises
    ------
    InvalidValueError
        Where no shape is given.
    NnbookError
        Where the file is damaged, a ROI is no area, leaves the image, or overlaps another one.
    """
    if shape is None:
        raise InvalidValueError(
            f"{path}: is a ROI set, which has no size; give the image's shape, or save a label image"
        )
    from skimage.draw import polygon2mask

    mask = np.zeros(shape, np.int32)
    for label, (name, outlines) in enumerate(_outlines(path), start=1):
        points = np.concatenate(outlines)
        left, top = np.floor(points.min(axis=0)).astype(int)
        right, bottom = np.ceil(points.max(axis=0)).astype(int)
        if left < 0 or top < 0 or right > shape[1] or bottom > shape[0]:
            raise NnbookError(
                f"{path}: ROI {name} leaves the image of {shape[1]} x {shape[0]} px; take that image's ROIs"
            )
        inside = np.zeros((bottom - top, right - left), np.bool_)
        for outline in outlines:
            # Of several outlines, those inside others are holes. Coordinates are of corners, half a pixel off centres.
            inside ^= polygon2mask(inside.shape, outline[:, ::-1] - (top, left) - 0.5)
        part = mask[top:bottom, left:right]
        if not inside.any():
            raise NnbookError(f"{path}: ROI {name} holds no pixel; remove it")
        if (part[inside] != 0).any():
            raise NnbookError(
                f"{path}: ROI {name} overlaps another one; a pixel belongs to one nucleus, so correct one"
            )
        part[inside] = label
    return mask


def _outlines(path: Path) -> list[tuple[str, list[NDArray[Any]]]]:
    """Return the name and the closed outlines of every ROI, as x and y."""
    try:
        found = [(name, roi.roitype, _area_of(roi)) for roi, name in _rois(path)]
    except Exception as error:  # the reader raises whatever it likes on broken files
        raise NnbookError(f"{path}: can't be read as a ROI set ({reason(error)}); save it again from ImageJ") from error
    if not found or len(found) > MAX_ROIS:
        raise NnbookError(f"{path}: holds {len(found):,} ROIs; save the ROI Manager's set from ImageJ")
    if others := [(name, kind) for name, kind, outlines in found if not outlines]:
        name, kind = others[0]
        raise NnbookError(f"{path}: ROI {name} is no area ({kind.name.lower()}); remove it")
    return [(name, outlines) for name, _, outlines in found]


def _area_of(roi: Any) -> list[NDArray[Any]]:
    """Return the outlines of a ROI; none where it is a line, a point, or text."""
    import roifile

    areas = {getattr(roifile.ROI_TYPE, name) for name in ("POLYGON", "RECT", "OVAL", "FREEHAND", "TRACED")}
    shapes = {roifile.ROI_SUBTYPE.UNDEFINED, roifile.ROI_SUBTYPE.ELLIPSE}
    if roi.roitype not in areas or (roi.roitype == roifile.ROI_TYPE.FREEHAND and roi.subtype not in shapes):
        return []
    return [np.asarray(one, np.float64) for one in roi.coordinates(multi=True) if len(one) > 2]


def _rois(path: Path) -> list[tuple[Any, str]]:
    from roifile import ImagejRoi

    if not zipfile.is_zipfile(path):
        roi: Any = ImagejRoi.fromfile(str(path))
        return [(roi, " ".join((roi.name or path.stem).split()))]
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        # What is no ROI, such as a Mac's notes, is checked too: a ROI whose name is damaged would be left out.
        if (damaged := archive.testzip()) or len(set(names)) < len(names) or not _lists_all(path, len(names)):
            raise ValueError(f"{damaged or 'its list of ROIs'} is damaged")
        rois = [(name, archive.read(name)) for name in names if name.lower().endswith(".roi")]
        return [(ImagejRoi.frombytes(data), " ".join(name.removesuffix(".roi").split())) for name, data in rois]


def _lists_all(path: Path, count: int) -> bool:
    """Return whether a zip file has as many entries as it says at its end, at which zipfile does not look."""
    data = path.read_bytes()
    (said,) = struct.unpack_from("<H", data, data.rindex(b"PK\5\6") + 10)
    return bool(said == min(count, 0xFFFF))
