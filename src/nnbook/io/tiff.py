"""TIFF files: which of their pixels are the image, what their values mean, and whether they are whole.

Also OME-TIFF, ImageJ hyperstacks and LSM, which are TIFF files with axes.
"""

from __future__ import annotations

import logging
import re
import threading
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import tifffile

from nnbook.errors import NnbookError
from nnbook.io.pixels import Pixels, check_memory, decoded, shown_palette, single_channel, upright
from nnbook.io.planes import COLOURS, Plane, select_plane

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from nnbook.io.planes import Selection

# What tifffile finds wrong with a file is in the error that is raised; it would be said twice.
logging.getLogger("tifffile").addHandler(logging.NullHandler())

LOSSLESS: Final = {
    tifffile.COMPRESSION[name]
    for name in (
        "NONE",
        "LZW",
        "DEFLATE",
        "ADOBE_DEFLATE",
        "PACKBITS",
        "LZMA",
        "ZSTD",
        "CCITTRLE",
        "CCITT_T4",
        "CCITT_T6",
    )
}
"""Compressions that leave every label as it is."""

CHECKED: Final = {tifffile.COMPRESSION[name] for name in ("DEFLATE", "ADOBE_DEFLATE")}
"""Compressions with a checksum."""

STREAMED: Final = CHECKED | {tifffile.COMPRESSION[name] for name in ("NONE", "LZW", "PACKBITS")}
"""Compressions of TIFF files that every libvips decodes."""

GREY: Final = {tifffile.PHOTOMETRIC.MINISBLACK, tifffile.PHOTOMETRIC.MINISWHITE, tifffile.PHOTOMETRIC.PALETTE}
COLOUR: Final = {tifffile.PHOTOMETRIC.RGB, tifffile.PHOTOMETRIC.YCBCR}


class _Plain(NamedTuple):
    """The one page of a file that holds nothing else."""

    page: Any


def open_tiff(path: Path, plane: Plane | None, *, labels: bool) -> Pixels:
    """Look at a TIFF file without decoding its pixels.

    Parameters
    ----------
    path : Path
        The file.
    plane : Plane, optional
        Which of its planes is the image.
    labels : bool
        Whether the file is a mask: its values are then taken as they are stored, and compression that changes values
        is refused.

    Returns
    -------
    Pixels

    Raises
    ------
    NnbookError
        Where the file is cut off, holds no single plane, or holds values whose meaning is not clear.
    """
    with tifffile.TiffFile(path) as tiff:
        if not tiff.pages:
            raise NnbookError(f"{path}: has no image; it is truncated or damaged, copy or export it again")
        series, page = _series(path, tiff), tiff.pages.first
        sizes = dict(zip(series.axes, series.shape, strict=True))
        if not {"Y", "X"} <= sizes.keys():
            raise NnbookError(
                f"{path}: has axes {series.axes}, not an image of rows and columns; export it as an image"
            )
        if sizes["Y"] * sizes["X"] == 0 or 0 in series.shape:
            raise NnbookError(f"{path}: has no pixels; export it again")
        _check_pages(path, series)
        _check_values(path, page, labels=labels)
        unchosen_colour = (
            sizes.get("S", 1) > 1 and page.photometric in COLOUR and (plane is None or plane.channel is None)
        )
        kept = {axis: size for axis, size in sizes.items() if not (unchosen_colour and axis == "S")}
        selection = select_plane(path, kept, _channel_names(tiff, page, sizes), plane or Plane())
        orientation = page.tags.valueof(274, 1)
        turned = orientation in {5, 6, 7, 8}
        shape = (sizes["X"], sizes["Y"]) if turned else (sizes["Y"], sizes["X"])
        count = sizes.get("S", 1) if unchosen_colour else 1
        plain = len(series.pages) == 1 and series.shape[:2] == page.shape[:2] and page.ndim == 2
    dtype = np.dtype(series.dtype or page.dtype)

    def decode() -> NDArray[Any]:
        check_memory(path, shape[0] * shape[1] * count * dtype.itemsize)
        with tifffile.TiffFile(path) as tiff:
            if plain:
                pixels = np.asarray(tiff.pages.first.asarray(maxworkers=_workers()))
            else:
                pixels = _selected(_series(path, tiff), selection)
            if unchosen_colour:
                samples = np.moveaxis(pixels, _sample_axis(series.axes), -1)
                pixels = single_channel(path, samples)
            elif not labels:
                pixels = _shown(path, tiff.pages.first, pixels)
        return upright(pixels, orientation)

    return decoded(Pixels(shape, decode), only=unchosen_colour)


class Planes(NamedTuple):
    """What planes a file has.

    Attributes
    ----------
    channels, planes : int
        How many channels, and how many z planes.
    names : list of str
        Of the channels; empty where the file does not say.
    colours : list of str or None
        Of the channels, such as `#ff00ff`; empty where the file does not say.
    """

    channels: int
    planes: int
    names: list[str]
    colours: list[str | None]


def tiff_planes(path: Path) -> Planes:
    """Return what channels and z planes a TIFF file has.

    Parameters
    ----------
    path : Path
        A TIFF file.

    Raises
    ------
    NnbookError
        Where the file has several images.
    """
    with tifffile.TiffFile(path) as tiff:
        series, page = _series(path, tiff), tiff.pages.first
        sizes = dict(zip(series.axes, series.shape, strict=True))
        names = _channel_names(tiff, page, sizes)
        found = re.search(r"<(?:\w+:)?Pixels\b.*?</(?:\w+:)?Pixels>", tiff.ome_metadata or "", re.DOTALL)
        colours: list[str | None] = []
        for channel in re.findall(r"<(?:\w+:)?Channel\b[^>]*>", found[0] if found else ""):
            colour = re.search(r'\bColor="(-?\d+)"', channel)  # red, green, blue, alpha as one number with a sign
            colours.append(f"#{(int(colour[1]) & 0xFFFFFFFF) >> 8:06x}" if colour else None)
    return Planes(sizes.get("C", 1), sizes.get("Z", 1), names, colours)


def streams_as(path: Path, dtype: type[np.generic]) -> bool:
    """Return whether libvips sees the same values in a file as `open_tiff`; no other format than TIFF does.

    Parameters
    ----------
    path : Path
        An image file that was opened before.
    dtype : type
        What it has to hold.

    Raises
    ------
    NnbookError
        Where a checksum of its compressed pixels is wrong: libvips does not look at it.
    """
    try:
        tiff = tifffile.TiffFile(path)
    except tifffile.TiffFileError:
        return False
    with tiff:
        page = tiff.pages.first
        plain = (
            len(tiff.pages) == 1
            and page.photometric == tifffile.PHOTOMETRIC.MINISBLACK
            and page.compression in STREAMED
            and page.ndim == 2
            and page.tags.valueof(274, 1) == 1
            and page.dtype == dtype
            and page.bitspersample == 8 * np.dtype(dtype).itemsize
        )
        if plain and page.compression in CHECKED:
            try:
                for _ in page.segments(maxworkers=1):
                    pass
            except Exception as error:  # decoders raise whatever they like on broken files
                raise NnbookError(f"{path}: can't be read ({error}); it is damaged, copy or export it again") from error
    return bool(plain)


def _series(path: Path, tiff: tifffile.TiffFile) -> Any:
    series = [one for one in tiff.series if not one.keyframe.is_reduced] or tiff.series  # but for thumbnails
    if len(series) > 1:
        sizes = ", ".join(" x ".join(map(str, one.shape)) for one in series[:4])
        raise NnbookError(f"{path}: has {len(series)} images ({sizes}); export the one that is meant as a file")
    return series[0]


def _check_pages(path: Path, series: Any) -> None:
    """Refuse a file that lacks some of its pixels: what is not there is no background."""
    pages = list(series.pages)
    if any(page is None for page in pages):
        raise NnbookError(f"{path}: belongs to a set of files of which some are missing; put all into its folder")
    keyframe = series.keyframe
    ends: dict[Any, int] = {}
    for page in pages:
        offsets, counts = page.dataoffsets, page.databytecounts
        if len(offsets) != len(counts) or not all(offsets) or not all(counts):
            raise NnbookError(f"{path}: lacks some of its pixels; it is damaged, copy or export it again")
        if not page.is_frame and not keyframe.is_contiguous and len(offsets) < np.prod(keyframe.chunked):
            raise NnbookError(f"{path}: lacks some of its pixels; it is damaged, copy or export it again")
        handle = page.parent.filehandle
        ends[handle] = max(ends.get(handle, 0), *map(sum, zip(offsets, counts, strict=True)))
    if keyframe.is_contiguous and len(pages) == 1:
        # One page may describe a whole stack, whose planes follow each other.
        first = pages[0]
        ends[first.parent.filehandle] = first.dataoffsets[0] + series.nbytes
    for handle, end in ends.items():
        if end > handle.size:
            raise NnbookError(f"{path}: is cut off, it ends before its last pixels; copy or export it again")


def _check_values(path: Path, page: Any, *, labels: bool) -> None:
    if labels and page.compression not in LOSSLESS:
        raise NnbookError(
            f"{path}: is compressed as {page.compression.name}, which may change labels; save masks as TIFF or PNG "
            "without loss"
        )
    if labels and page.photometric in COLOUR:
        raise NnbookError(f"{path}: is a picture in colours, not of labels; save the labels as 16-bit grey levels")
    if page.photometric not in GREY | COLOUR:
        name = "CMYK" if page.photometric == tifffile.PHOTOMETRIC.SEPARATED else page.photometric.name
        raise NnbookError(f"{path}: holds {name} colours; export the DAPI channel as grey levels")


def _channel_names(tiff: tifffile.TiffFile, page: Any, sizes: dict[str, int]) -> list[str]:
    if sizes.get("S", 1) > 1 and page.photometric in COLOUR:
        return list(COLOURS[: sizes["S"]])
    count = sizes.get("C", 1)
    names: list[str] = []
    if tiff.is_ome and tiff.ome_metadata:
        # Names are wanted of the first image alone, and the file's other metadata may be large.
        found = re.search(r"<(?:\w+:)?Pixels\b.*?</(?:\w+:)?Pixels>", tiff.ome_metadata, re.DOTALL)
        for channel in re.findall(r"<(?:\w+:)?Channel\b[^>]*>", found[0] if found else ""):
            name = re.search(r'\bName="([^"]*)"', channel)
            names.append(name[1] if name else "")
    elif tiff.is_imagej and tiff.imagej_metadata:
        labels = tiff.imagej_metadata.get("Labels") or []
        names = [str(label) for label in labels[:count]]
    elif tiff.is_lsm and tiff.lsm_metadata:
        names = list((tiff.lsm_metadata.get("ChannelColors") or {}).get("ColorNames") or [])
    return names[:count] if len(names) >= count else []


def _selected(series: Any, selection: Selection) -> NDArray[Any]:
    """Decode the chosen plane alone, or the planes that are projected one by one."""
    import zarr

    with series.aszarr(level=0) as store:
        array: Any = zarr.open(store, mode="r")
        at = [selection.indices.get(axis, slice(None)) for axis in series.axes]
        if selection.projected is None:
            return np.asarray(array[tuple(at)])
        axis = series.axes.index(selection.projected)
        greatest: NDArray[Any] | None = None
        for index in range(series.shape[axis]):
            at[axis] = index
            one = np.asarray(array[tuple(at)])
            greatest = one if greatest is None else np.maximum(greatest, one)
    return np.asarray(greatest)


def _sample_axis(axes: str) -> int:
    """Return where the samples are once only they and the image are left."""
    return [axis for axis in axes if axis in "YXS"].index("S")


def _shown(path: Path, page: Any, pixels: NDArray[Any]) -> NDArray[Any]:
    """Return grey levels as a viewer shows them: black where they are least."""
    bits = page.bitspersample
    if page.photometric == tifffile.PHOTOMETRIC.PALETTE and page.colormap is not None:
        return np.take(shown_palette(path, np.asarray(page.colormap).T >> 8), pixels)
    if pixels.dtype == np.bool_:
        pixels = pixels.astype(np.uint8)
    most = 2**bits - 1
    if page.photometric == tifffile.PHOTOMETRIC.MINISWHITE:
        if pixels.dtype.kind != "u":
            raise NnbookError(f"{path}: holds {pixels.dtype} values of which the least is white; invert and export it")
        pixels = pixels.dtype.type(most) - pixels
    # Fewer than 8 bits span black to white all the same.
    return pixels * np.uint8(255 // most) if bits < 8 and pixels.dtype == np.uint8 else pixels


def _workers() -> int:
    # Threads other than the main one already read files two at a time.
    return 2 if threading.current_thread() is threading.main_thread() else 1
