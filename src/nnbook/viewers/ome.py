"""Panoramas and their masks as OME-Zarr and as OME-TIFF, the forms that other microscopy programs open.

Both hold the same: the grey levels as they are, and every nucleus by its label, each as a pyramid whose levels have
half the size of the one before, rounded up. Of an image, a pixel of the next level is the mean of the area that it
covers. Of labels it is one of them, never a mixture.

References
----------
OME-Zarr 0.5, https://ngff.openmicroscopy.org/0.5/; OME-TIFF,
https://docs.openmicroscopy.org/ome-model/latest/ome-tiff/specification.html.
"""

from __future__ import annotations

import hashlib
import os
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from nnbook.errors import InvalidValueError
from nnbook.io.files import atomic_write
from nnbook.io.images import image_shape, mask_shape, read_image, read_narrow_mask
from nnbook.io.scale import image_scale, warn_of_scales
from nnbook.measurement.imaged_area import check_scale
from nnbook.viewers.pyramid import check_sizes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from nnbook.io.images import Image, Labels
    from nnbook.io.paths import PathLike
    from nnbook.io.planes import Plane

    Level = NDArray[Any]

VERSION: Final = "0.5"
"""Of OME-Zarr: the first for Zarr 3, which is what is installed, and what its reference reader writes by default."""

CHUNK_PX: Final = 1024
TILE_PX: Final = 512
SMALLEST_PX: Final = 512
"""A pyramid ends where both sides are at most so long: viewers show such a level whole."""

ROWS_AT_ONCE: Final = 512
"""Rows that are averaged at once, so that few are in memory in a wider type."""

NUCLEI: Final = "nuclei"
"""What the labels are called in either form."""

CLASSIC_TIFF_BYTES: Final = 2**31
"""Above it, a file is written as BigTIFF, whose offsets have 64 bits."""


def write_ome_zarr(
    path: PathLike,
    image: Image | PathLike,
    labels: Labels | PathLike | None = None,
    *,
    px_per_um: float | None = None,
    plane: Plane | None = None,
) -> int:
    """Write a panorama and its mask as OME-Zarr 0.5.

    Parameters
    ----------
    path : str or Path
        A folder that appears in one step, or replaces what was there; viewers want a name that ends in `.ome.zarr`.
    image : Image, str or Path
        Axes (y, x), of any integer or floating-point type, which is kept; or a file of it.
    labels : Labels, str or Path, optional
        Axes (y, x), or a file of it; the same shape. They become `labels/nuclei`, in 16 bits where those do.
    px_per_um : float, optional
        Pixels a micrometre; by default what the image's file says itself.
    plane : Plane, optional
        Which plane of the image's file to write, where it has several.

    Returns
    -------
    int
        How many levels the pyramid has.

    Raises
    ------
    InvalidValueError
        Where the scale is not known or not above 0, or image and labels differ in size.
    NnbookError
        Where a file can't be read.

    Notes
    -----
    Image and mask are each in memory once, with the levels made of them a third more. Chunks have a checksum, and are
    written also where all of their pixels are 0: one that is missing is a fault.
    """
    import zarr

    path = Path(path)
    scale = _scale_of(image, px_per_um)
    pixels, nuclei = _read(path.name, image, labels, plane)
    with atomic_write(path) as written:
        root = zarr.create_group(written, zarr_format=3)
        levels = _write_levels(root, _averaged(pixels))
        root.attrs["ome"] = {"version": VERSION, "multiscales": [_multiscale(path.name, levels, scale, "mean")]}
        if nuclei is not None:
            group = root.create_group("labels")
            group.attrs["ome"] = {"version": VERSION, "labels": [NUCLEI]}
            group = group.create_group(NUCLEI)
            group.attrs["ome"] = {
                "version": VERSION,
                "multiscales": [_multiscale(NUCLEI, _write_levels(group, _nearest(nuclei)), scale, "nearest")],
                "image-label": {"source": {"image": "../../"}},
            }
    return levels


def write_ome_tiff(
    path: PathLike,
    image: Image | PathLike,
    labels: Labels | PathLike | None = None,
    *,
    px_per_um: float | None = None,
    plane: Plane | None = None,
) -> int:
    """Write a panorama and its mask as one pyramidal OME-TIFF.

    Parameters
    ----------
    path : str or Path
        The file, written in one step; programs want a name that ends in `.ome.tif`.
    image, labels, px_per_um, plane
        As in `write_ome_zarr`. The labels are the file's second image, called nuclei.

    Returns
    -------
    int
        How many levels each pyramid has.

    Raises
    ------
    NnbookError
        As `write_ome_zarr`.

    Notes
    -----
    Tiles are compressed without loss. The same pixels make the same file, byte for byte.
    """
    import tifffile

    path = Path(path)
    scale = _scale_of(image, px_per_um)
    pixels, nuclei = _read(path.name, image, labels, plane)
    series = [(path.name.removesuffix(".tif").removesuffix(".ome"), pixels, _averaged(pixels))]
    if nuclei is not None:
        series.append((NUCLEI, nuclei, _nearest(nuclei)))
    total = sum(whole.nbytes for _, whole, _ in series)
    digest = hashlib.sha256()
    for _, whole, _ in series:
        digest.update(np.ascontiguousarray(whole).data)
    about = {"axes": "YX", "UUID": str(uuid.UUID(digest.hexdigest()[:32]))}
    count = _level_count(pixels.shape)
    with (
        atomic_write(path) as written,
        tifffile.TiffWriter(written, bigtiff=total * 4 / 3 > CLASSIC_TIFF_BYTES, ome=True) as tiff,
    ):
        for name, _, levels in series:
            for number, level in enumerate(levels):
                resolution = (scale * 1e4 / 2**number,) * 2
                shared: dict[str, Any] = {
                    "tile": (TILE_PX, TILE_PX),
                    "compression": "zlib",
                    "predictor": level.dtype.kind != "f",
                    "photometric": "minisblack",
                    "resolution": resolution,
                    "resolutionunit": "CENTIMETER",
                    "maxworkers": 2,
                    "software": False,
                }
                if number:
                    tiff.write(level, subfiletype=1, metadata=None, **shared)
                    continue
                size = {f"PhysicalSize{axis}": 1 / scale for axis in "XY"}
                units = {f"PhysicalSize{axis}Unit": "µm" for axis in "XY"}
                tiff.write(level, subifds=count - 1, metadata={**about, "Name": name, **size, **units}, **shared)
    return count


def _scale_of(image: Image | PathLike, px_per_um: float | None) -> float:
    """Return pixels a micrometre: what was given, else what the file says itself."""
    path = Path(image) if isinstance(image, str | os.PathLike) else None
    if px_per_um is not None:
        check_scale(px_per_um)
        if path is not None:
            warn_of_scales({path.name: path}, {path.name: px_per_um})
        return px_per_um
    said = None if path is None else image_scale(path)
    if said is None:
        raise InvalidValueError(
            f"{'the image' if path is None else path}: doesn't say how large its pixels are; give px_per_um, pixels a "
            "micrometre",
            parameter="px_per_um",
        )
    return said


def _read(
    name: str, image: Image | PathLike, labels: Labels | PathLike | None, plane: Plane | None
) -> tuple[Level, Level | None]:
    """Return image and labels; their sizes are compared before either is decoded."""
    image = Path(image) if isinstance(image, str | os.PathLike) else image
    labels = Path(labels) if isinstance(labels, str | os.PathLike) else labels
    shape = image_shape(image, plane) if isinstance(image, Path) else (image.shape[0], image.shape[1])
    check_sizes(name, shape, mask_shape(labels) if isinstance(labels, Path) else getattr(labels, "shape", None))
    pixels = read_image(image, plane) if isinstance(image, Path) else image
    if labels is None:
        return pixels, None
    nuclei: Level = read_narrow_mask(labels, shape) if isinstance(labels, Path) else labels
    return pixels, nuclei.astype(
        np.uint16 if nuclei.max(initial=0) <= np.iinfo(np.uint16).max else np.uint32, copy=False
    )


def _level_count(shape: tuple[int, ...]) -> int:
    count, longest = 1, max(shape)
    while longest > SMALLEST_PX:
        count, longest = count + 1, -(-longest // 2)
    return count


def _averaged(image: Level) -> Iterator[Level]:
    """Give the levels of an image, the largest first."""
    yield image
    for _ in range(_level_count(image.shape) - 1):
        image = _halved(image)
        yield image


def _halved(image: Level) -> Level:
    """Return the mean of each two by two pixels, integers rounded half up; the last row or column may be alone."""
    height, width = image.shape
    half = np.empty((-(-height // 2), -(-width // 2)), image.dtype)
    wide = np.float64 if image.dtype.kind == "f" else np.int64
    for top in range(0, height, 2 * ROWS_AT_ONCE):
        rows = image[top : top + 2 * ROWS_AT_ONCE]
        rows = np.pad(rows, ((0, rows.shape[0] % 2), (0, width % 2)), mode="edge")
        total = np.add(rows[::2], rows[1::2], dtype=wide)
        total = total[:, ::2] + total[:, 1::2]
        half[top // 2 : top // 2 + len(total)] = total / 4 if wide is np.float64 else (total + 2) // 4
    return half


def _nearest(labels: Level) -> Iterator[Level]:
    """Give the levels of labels, the largest first: every second pixel of the one before."""
    for number in range(_level_count(labels.shape)):
        yield labels[:: 2**number, :: 2**number]


def _write_levels(group: Any, levels: Iterator[Level]) -> int:
    from zarr.codecs import ZstdCodec

    number = 0
    for number, level in enumerate(levels):
        array = group.create_array(
            str(number),
            shape=level.shape,
            dtype=level.dtype,
            chunks=tuple(min(CHUNK_PX, size) for size in level.shape),
            compressors=ZstdCodec(level=3, checksum=True),
            dimension_names=("y", "x"),
            config={"write_empty_chunks": True},
        )
        array[...] = level
    return number + 1


def _multiscale(name: str, levels: int, px_per_um: float, method: str) -> dict[str, Any]:
    """Return the metadata of a pyramid.

    Places are those of the centres of pixels, so that a level begins half a pixel of its own further in, less half of
    the largest level's.
    """
    um = 1 / px_per_um
    return {
        "name": name.removesuffix(".zarr").removesuffix(".ome"),
        "type": method,
        "axes": [{"name": axis, "type": "space", "unit": "micrometer"} for axis in "yx"],
        "datasets": [
            {
                "path": str(number),
                "coordinateTransformations": [
                    {"type": "scale", "scale": [um * 2**number] * 2},
                    {"type": "translation", "translation": [um * (2**number - 1) / 2] * 2},
                ],
            }
            for number in range(levels)
        ],
    }
