"""Panoramas and masks as arrays, whatever file they are in: one way to read them for all commands."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import tifffile

from nnbook.errors import InvalidValueError, NnbookError, reason
from nnbook.io.files import atomic_write, check_regular
from nnbook.io.labels import label_problem
from nnbook.io.microscopes import open_czi
from nnbook.io.png import open_png
from nnbook.io.roi_files import read_roi_set, read_seg_npy
from nnbook.io.tiff import open_tiff

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from nnbook.io.paths import PathLike
    from nnbook.io.pixels import Pixels
    from nnbook.io.planes import Plane

SIGNATURES: Final = {
    "TIFF": (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"),
    "PNG": (b"\x89PNG\r\n\x1a\n",),
    "CZI": (b"ZISRAWFILE",),
    "NumPy": (b"\x93NUMPY",),
    "ROI set": (b"PK\x03\x04", b"PK\x05\x06", b"Iout"),
}
FOREIGN: Final = {
    "JPEG": (b"\xff\xd8\xff",),
    "GIF": (b"GIF8",),
    "BMP": (b"BM",),
    "PDF": (b"%PDF",),
    "JPEG 2000": (b"\0\0\0\x0cjP  ", b"\xffO\xffQ"),
    "HDF5": (b"\x89HDF",),
    "ND2": (b"\xda\xce\xbe\n",),
    "FITS": (b"SIMPLE",),
}
"""Formats that come up in the place of the ones that are read, so that a message can name them."""

Image = np.ndarray[tuple[int, int], np.dtype[Any]]
"""A panorama or field: axes (y, x), one channel, integer or floating-point grey levels as the camera gave them."""

ROWS_AT_ONCE: Final = 512
"""Rows that are brought to 8 bits at once, so that few are in memory in 64."""

Labels = np.ndarray[tuple[int, int], np.dtype[np.int32]]
"""A mask: axes (y, x), int32, 0 where there is background and 1..N for N nuclei."""

NarrowLabels = np.ndarray[tuple[int, int], np.dtype[np.uint16]]
"""A mask in 16 bits, for what reads many and only compares labels."""


def image_shape(path: PathLike, plane: Plane | None = None) -> tuple[int, int]:
    """Return height and width in px of a panorama, without decoding its pixels.

    Parameters
    ----------
    path, plane
        As in `read_image`.

    Returns
    -------
    (int, int)
        Height and width in px.

    Raises
    ------
    NnbookError
        As `read_image`, but for what only its pixels show.
    """
    return _open(Path(path), plane, labels=False).shape


def mask_shape(path: PathLike) -> tuple[int, int] | None:
    """Return height and width in px of a mask; None for a ROI set, which has no size.

    Raises
    ------
    NnbookError
        As `read_mask`, but for what only its labels show.
    """
    path = Path(path)
    kind = _kind(path)
    if kind == "ROI set":
        return None
    if kind == "NumPy":
        height, width = read_narrow_mask(path).shape
        return height, width
    return _open(path, None, labels=True).shape


def is_drawn(path: PathLike) -> bool:
    """Return whether a mask file holds no image, but outlines or a file of Cellpose, from which a mask is drawn."""
    return _kind(Path(path)) in {"ROI set", "NumPy"}


def read_image(path: PathLike, plane: Plane | None = None) -> Image:
    """Read a panorama or field, with its grey levels as they are.

    Parameters
    ----------
    path : str or Path
        A TIFF (also OME-TIFF, ImageJ's, LSM), PNG or CZI file, of 1 to 16 bits, 32-bit integers or floats. What the
        file's values mean is heeded: an image whose least value is white is inverted, one with a palette of one hue
        gets the levels that the palette shows, fewer than 8 bits are stretched to 8, and an image that is stored
        turned or flipped is put upright.
    plane : Plane, optional
        Which channel, and which z plane or projection, where the file has several.

    Returns
    -------
    Image
        Axes (y, x), in the type stored.

    Raises
    ------
    MissingFileError
        Where there is no such file.
    InvalidValueError
        Where the file has several channels or z planes, and `plane` does not choose among them.
    NnbookError
        Where the file is empty, damaged, no image, in colours, needs more memory than is free, or holds NaN or
        infinity.

    Examples
    --------
    >>> import nnbook
    >>> image = nnbook.read_image("panorama.tif")
    >>> image.shape, image.dtype
    ((768, 1024), dtype('uint8'))
    """
    path = Path(path)
    array = _decode(path, _open(path, plane, labels=False))
    if array.dtype.kind not in "uif":
        raise NnbookError(f"{path}: holds {array.dtype} values; a panorama has integer or floating-point grey levels")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise NnbookError(f"{path}: has pixels that are not a number or infinite; replace them, then run again")
    return _of_this_machine(array)


def read_mask(path: PathLike, shape: tuple[int, int] | None = None) -> Labels:
    """Read a mask: 0 is background, every other value a nucleus.

    Parameters
    ----------
    path : str or Path
        A TIFF or PNG file of whole numbers from 0 to 2,147,483,647, of any type; a palette is not looked at. Also a
        `_seg.npy` file of Cellpose, or a ROI set of ImageJ.
    shape : (int, int), optional
        Height and width of its image in px, which a ROI set does not have itself; a mask of another size is refused.

    Returns
    -------
    Labels
        Axes (y, x), int32.

    Raises
    ------
    NnbookError
        Where the file is empty, damaged, or no label image: compressed with loss, in colours, binary, with labels that
        are on several nuclei, that are negative or no whole numbers, or with a label for the background.

    Examples
    --------
    >>> import nnbook
    >>> mask = nnbook.read_mask("panorama_cp_masks.tif")
    >>> mask.shape, mask.dtype
    ((768, 1024), dtype('int32'))
    >>> int(mask.max())  # nuclei
    5
    """
    return read_narrow_mask(path, shape).astype(np.int32, copy=False)


def read_narrow_mask(path: PathLike, shape: tuple[int, int] | None = None) -> Labels | NarrowLabels:
    """Read a mask as `read_mask` does, but leave one of 16 bits as it is: half the memory, and no pass over it."""
    path = Path(path)
    kind = _kind(path)
    if kind == "ROI set":
        array: NDArray[Any] = read_roi_set(path, shape)
    elif kind == "NumPy":
        array = read_seg_npy(path)
    else:
        array = _decode(path, _open(path, None, labels=True))
    if array.ndim != 2 or array.size == 0:
        raise NnbookError(f"{path}: has {' x '.join(map(str, array.shape))} values; a mask has rows and columns")
    if shape is not None and array.shape != shape:
        raise NnbookError(
            f"{path}: is {array.shape[1]} x {array.shape[0]} px but its image {shape[1]} x {shape[0]}; segment the "
            "image again"
        )
    array = _whole_numbers(path, array)
    if problem := label_problem(array):
        raise NnbookError(f"{path}: {problem}")
    return array


def as_image(image: Image | PathLike) -> Image:
    """Return an image that a function was given as an array or as a path.

    Parameters
    ----------
    image : numpy.ndarray, str or Path
        An array, axes (y, x), of integer or floating-point grey levels; or a file, see `read_image`.

    Returns
    -------
    Image
        The array itself, or the file's.

    Raises
    ------
    InvalidValueError
        Where the array has other axes, no pixel, another type, or holds NaN or infinity.
    NnbookError
        As `read_image`.
    """
    if isinstance(image, str | os.PathLike):
        return read_image(image)
    array = np.asarray(image)
    _check_array(array, "image", "uif", "integer or floating-point grey levels")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise InvalidValueError("the image has pixels that are not a number or infinite; replace them")
    return _of_this_machine(array)


def as_mask(mask: Labels | PathLike, image: Image | None = None) -> Labels:
    """Return a mask that a function was given as an array or as a path.

    Parameters
    ----------
    mask : numpy.ndarray, str or Path
        An array, axes (y, x), of whole numbers: 0 for background. Or a file, see `read_mask`.
    image : Image, optional
        The image that a file has the mask of.

    Returns
    -------
    Labels
        Axes (y, x), int32.

    Raises
    ------
    InvalidValueError
        Where the array has other axes, no pixel, another type, labels below 0 or above those of int32, or is no label
        image: see `nnbook.io.labels.label_problem`.
    NnbookError
        As `read_mask`.
    """
    if isinstance(mask, str | os.PathLike):
        return read_mask(mask, None if image is None else (image.shape[0], image.shape[1]))
    array = np.asarray(mask)
    _check_array(array, "mask array", "ui", "whole numbers, 0 for background")
    if array.min() < 0 or array.max() > np.iinfo(np.int32).max:
        raise InvalidValueError("the mask array has labels below 0 or too large; number nuclei from 1")
    labels = array.astype(np.int32, copy=False)
    if problem := label_problem(labels):
        raise InvalidValueError(f"the mask array is no label image: {problem}")
    return labels


def write_image(path: PathLike, image: Image, *, px_per_um: float | None = None) -> None:
    """Write a panorama as a losslessly compressed TIFF, in one step, with its pixel size where that is known.

    Parameters
    ----------
    path : str or Path
        The file to write, or to replace.
    image : Image
        Axes (y, x), integer or floating-point grey levels.
    px_per_um : float, optional
        Pixels a micrometre.
    """
    # Differences between neighbours compress better than grey levels do.
    options: dict[str, Any] = {"predictor": image.dtype.kind in "ui"}
    if px_per_um is not None:
        options |= {"resolution": (px_per_um * 1e4, px_per_um * 1e4), "resolutionunit": "CENTIMETER"}
    _write(Path(path), image, options)


def write_mask(path: PathLike, labels: Labels) -> None:
    """Write a mask as a compressed TIFF, in one step: 16 bits, or 32 where there are more than 65,535 nuclei.

    Parameters
    ----------
    path : str or Path
        The file to write, or to replace.
    labels : Labels
        Axes (y, x), whole numbers: 0 for background.
    """
    wide = labels.size > 0 and labels.max() > np.iinfo(np.uint16).max
    _write(Path(path), labels.astype(np.uint32 if wide else np.uint16, copy=False), {})


def to_8_bits(image: Image) -> NDArray[np.uint8]:
    """Bring grey levels to 8 bits, as pyramids and cell images have them.

    Those of 8 bits stay as they are; others are stretched from their 0.1th to their 99.9th percentile, or, where these
    are equal because all but a few pixels are, from their least to their greatest level.

    Parameters
    ----------
    image : Image
        Axes (y, x).

    Returns
    -------
    numpy.ndarray
        Axes (y, x), uint8. An image of one grey level becomes black.
    """
    if image.dtype == np.uint8:
        return image.view(np.uint8)
    step = max(1, int(np.sqrt(image.size / 1e6)))  # a million pixels are enough for the percentiles of any panorama
    low, high = np.percentile(image[::step, ::step], [0.1, 99.9])
    if low == high:
        low, high = float(image.min()), float(image.max())
    scale = 255.0 / (high - low) if high > low else 0.0
    shown = np.empty(image.shape, np.uint8)
    for top in range(0, image.shape[0], ROWS_AT_ONCE):
        # In 64 bits, so that a small contrast about a high level is not rounded away.
        rows = (image[top : top + ROWS_AT_ONCE].astype(np.float64) - low) * scale + 0.5
        shown[top : top + ROWS_AT_ONCE] = np.clip(rows, 0, 255)
    return shown


def _write(path: Path, array: NDArray[Any], options: dict[str, Any]) -> None:
    with atomic_write(path) as written:
        # Deflate level 1: grey levels take half of their size raw, and are written at over 100 MB/s.
        tifffile.imwrite(
            written,
            array,
            compression="zlib",
            compressionargs={"level": 1},
            rowsperstrip=256,
            photometric="minisblack",
            metadata=None,
            maxworkers=2,
            **options,
        )


def _check_array(array: NDArray[Any], name: str, kinds: str, wanted: str) -> None:
    if array.ndim != 2 or array.size == 0:
        shape = " x ".join(map(str, array.shape)) or "1 value"
        raise InvalidValueError(f"the {name} has shape {shape}; give axes (y, x), one channel")
    if array.dtype.kind not in kinds:
        raise InvalidValueError(f"the {name} holds {array.dtype} values; it has to hold {wanted}")


def _open(path: Path, plane: Plane | None, *, labels: bool) -> Pixels:
    """Look at an image file."""
    kind = _kind(path)
    if kind in {"NumPy", "ROI set"}:
        raise NnbookError(f"{path}: is a {kind} file, not an image; export the image as TIFF or PNG")
    with _naming(path):
        if kind == "PNG":
            return open_png(path, plane, labels=labels)
        if kind == "CZI":
            return open_czi(path, plane)
        return open_tiff(path, plane, labels=labels)


def _decode(path: Path, pixels: Pixels) -> NDArray[Any]:
    with _naming(path):
        array = pixels.decode()
    if array.shape != pixels.shape:
        raise NnbookError(f"{path}: has other pixels than its header says; it is damaged, copy or export it again")
    return array


def _of_this_machine(array: NDArray[Any]) -> NDArray[Any]:
    """Return an array in the byte order of this machine, and half floats in 32 bits, which all functions take."""
    half = array.dtype.kind == "f" and array.dtype.itemsize == 2  # in either byte order
    kind = np.dtype(np.float32) if half else array.dtype.newbyteorder("=")
    return array.astype(kind, copy=False)


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Have every failure of a decoder name the file: on broken ones, decoders raise whatever they like."""
    try:
        yield
    except NnbookError:
        raise
    except MemoryError as error:
        raise NnbookError(
            f"{path}: does not fit into the memory that is free; crop or downsample it, or use a larger machine"
        ) from error
    except Exception as error:
        raise NnbookError(
            f"{path}: can't be read as an image ({reason(error)}); it is truncated, damaged or no image"
        ) from error


def _kind(path: Path) -> str:
    """Return a file's format by its first bytes, whatever its name ends in."""
    check_regular(path)
    with path.open("rb") as file:
        start = file.read(16)
    if not start:
        raise NnbookError(f"{path}: the file is empty; copy or export it again")
    for kind, signatures in SIGNATURES.items():
        if start.startswith(signatures):
            return kind
    for kind, signatures in FOREIGN.items():
        if start.startswith(signatures):
            raise NnbookError(f"{path}: is a {kind} file; export it as TIFF or PNG")
    raise NnbookError(f"{path}: is no TIFF, PNG or CZI file; export it as TIFF, or copy it again if it should be one")


def _whole_numbers(path: Path, array: NDArray[Any]) -> Labels | NarrowLabels:
    if array.dtype == np.bool_:
        array = array.astype(np.uint8)
    if array.dtype.kind == "f" and np.isfinite(array).all() and (array == np.rint(array)).all():
        array = array.astype(np.int64) if float(np.abs(array).max()) < 2.0**53 else array
    if array.dtype.kind not in "ui":
        raise NnbookError(f"{path}: holds {array.dtype} values; a mask has whole numbers, 0 for background")
    array = _of_this_machine(array)
    if array.dtype == np.uint16:
        return array
    unsafe = not (array.dtype.kind == "u" and array.dtype.itemsize <= 2)
    if unsafe and (array.min() < 0 or array.max() > np.iinfo(np.int32).max):
        raise NnbookError(f"{path}: has labels below 0 or above {np.iinfo(np.int32).max}; number nuclei from 1")
    return array.astype(np.int32, copy=False)
