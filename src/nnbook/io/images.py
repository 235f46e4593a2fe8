"""Panoramas and masks as arrays: the TIFF files that nnbook reads and writes."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import tifffile

from nnbook.errors import InvalidValueError, MissingFileError, NnbookError
from nnbook.io.files import atomic_write

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nnbook.io.paths import PathLike

_WRONG_SHAPE = "{path}: has {shape} values; nnbook wants one channel, so export the DAPI channel on its own"

Image = np.ndarray[tuple[int, int], np.dtype[Any]]
"""A panorama or field: axes (y, x), one channel, integer or floating-point grey levels as the camera gave them."""

Labels = np.ndarray[tuple[int, int], np.dtype[np.int32]]
"""A mask: axes (y, x), int32, 0 where there is background and 1..N for N nuclei."""

NarrowLabels = np.ndarray[tuple[int, int], np.dtype[np.uint16]]
"""A mask in 16 bits, for what reads many and only compares labels."""


def image_shape(path: PathLike) -> tuple[int, int]:
    """Return height and width in px of a panorama or mask, without decoding its pixels where the format allows.

    Parameters
    ----------
    path : str or Path
        A TIFF or PNG file.

    Returns
    -------
    (int, int)
        Height and width in px.

    Raises
    ------
    NnbookError
        Where the file is missing, empty, no image, or has several pages or channels.
    """
    path = Path(path)
    if path.suffix.lower() == ".png" or not path.is_file() or path.stat().st_size == 0:
        height, width = _read(path).shape
        return height, width
    try:
        with tifffile.TiffFile(path) as tiff:
            pages, shape = len(tiff.pages), tiff.pages.first.shape
            # A copy that broke off keeps its header: the last strip's bytes must be there too.
            end = max(
                map(sum, zip(tiff.pages.first.dataoffsets, tiff.pages.first.databytecounts, strict=True)), default=0
            )
    except Exception as error:
        raise NnbookError(f"{path}: can't be read ({error}); it is truncated, damaged or no image") from error
    if end > path.stat().st_size:
        raise NnbookError(f"{path}: is cut off, it ends before its last pixels; copy or export it again")
    if pages != 1:
        raise NnbookError(f"{path}: has {pages} pages; nnbook wants one, so export each as a file")
    if len(shape) != 2:
        raise NnbookError(_WRONG_SHAPE.format(path=path, shape=" x ".join(map(str, shape))))
    return shape[0], shape[1]


def read_image(path: PathLike) -> Image:
    """Read a panorama or field from a TIFF or PNG file as it is, without scaling its grey levels.

    Parameters
    ----------
    path : str or Path
        A file with one page and one channel, of 8, 12 or 16 bits, 32-bit integers or floats.

    Returns
    -------
    Image
        Axes (y, x), in the type stored.

    Raises
    ------
    MissingFileError
        Where there is no such file.
    NnbookError
        Where the file is empty, truncated, no image, has several pages or channels, or holds NaN or infinity.

    Examples
    --------
    >>> import nnbook
    >>> image = nnbook.read_image("panorama.tif")
    >>> image.shape, image.dtype
    ((512, 640), dtype('uint8'))
    """
    path = Path(path)
    array = _read(path)
    if array.dtype.kind not in "uif":
        raise NnbookError(f"{path}: holds {array.dtype} values; a panorama has integer or floating-point grey levels")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise NnbookError(f"{path}: has pixels that are not a number or infinite; replace them, then run again")
    return array


def read_mask(path: PathLike) -> Labels:
    """Read a mask: 0 is background, every other value a nucleus.

    Parameters
    ----------
    path : str or Path
        A TIFF or PNG file with one page of whole numbers from 0 to 2,147,483,647.

    Returns
    -------
    Labels
        Axes (y, x), int32.

    Raises
    ------
    NnbookError
        As `read_image`; also where values are negative or no whole numbers.

    Examples
    --------
    >>> import nnbook
    >>> mask = nnbook.read_mask("panorama_cp_masks.tif")
    >>> mask.shape, mask.dtype
    ((512, 640), dtype('int32'))
    >>> int(mask.max())  # nuclei
    20
    """
    return read_narrow_mask(path).astype(np.int32, copy=False)


def read_narrow_mask(path: PathLike) -> Labels | NarrowLabels:
    """Read a mask as `read_mask` does, but leave one of 16 bits as it is: half the memory, and no pass over it."""
    path = Path(path)
    array = _read(path)
    if array.dtype.kind not in "ui":
        raise NnbookError(f"{path}: holds {array.dtype} values; a mask has whole numbers, 0 for background")
    if array.dtype == np.uint16:
        return array
    unsafe = array.size > 0 and not (array.dtype.kind == "u" and array.dtype.itemsize <= 2)
    if unsafe and (array.min() < 0 or array.max() > np.iinfo(np.int32).max):
        raise NnbookError(f"{path}: has labels below 0 or above {np.iinfo(np.int32).max}; number nuclei from 1")
    return array.astype(np.int32, copy=False)


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
    return array


def as_mask(mask: Labels | PathLike) -> Labels:
    """Return a mask that a function was given as an array or as a path.

    Parameters
    ----------
    mask : numpy.ndarray, str or Path
        An array, axes (y, x), of whole numbers: 0 for background. Or a file, see `read_mask`.

    Returns
    -------
    Labels
        Axes (y, x), int32.

    Raises
    ------
    InvalidValueError
        Where the array has other axes, no pixel, another type, or labels below 0 or above those of int32.
    NnbookError
        As `read_mask`.
    """
    if isinstance(mask, str | os.PathLike):
        return read_mask(mask)
    array = np.asarray(mask)
    _check_array(array, "mask array", "ui", "whole numbers, 0 for background")
    if array.min() < 0 or array.max() > np.iinfo(np.int32).max:
        raise InvalidValueError("the mask array has labels below 0 or too large; number nuclei from 1")
    return array.astype(np.int32, copy=False)


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

    Those of 8 bits stay as they are; others are stretched from their 0.1th to their 99.9th percentile.

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
    scale = 255.0 / (high - low) if high > low else 0.0
    stretched = (image.astype(np.float32) - low) * scale + 0.5
    shown: NDArray[np.uint8] = np.clip(stretched, 0, 255).astype(np.uint8)
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


def _read(path: Path) -> NDArray[Any]:
    if not path.is_file():
        raise MissingFileError(f"{path}: no such file; check the name, or the path in the manifest")
    if path.stat().st_size == 0:
        raise NnbookError(f"{path}: the file is empty; copy or export it again")
    try:
        array = _decode(path)
    except NnbookError:
        raise
    except Exception as error:  # decoders raise whatever they like on broken files
        raise NnbookError(
            f"{path}: can't be read as an image ({error}); it is truncated, damaged or no TIFF"
        ) from error
    if array.ndim != 2:
        raise NnbookError(_WRONG_SHAPE.format(path=path, shape=" x ".join(map(str, array.shape))))
    if array.size == 0:
        raise NnbookError(f"{path}: has no pixels; export it again")
    return array


def _decode(path: Path) -> NDArray[Any]:
    if path.suffix.lower() == ".png":
        from skimage.io import imread

        return np.asarray(imread(path))
    with tifffile.TiffFile(path) as tiff:
        if len(tiff.pages) != 1:
            raise NnbookError(f"{path}: has {len(tiff.pages)} pages; nnbook wants one, so export each as a file")
        # Threads other than the main one already read files two at a time.
        workers = 2 if threading.current_thread() is threading.main_thread() else 1
        return np.asarray(tiff.asarray(maxworkers=workers))
