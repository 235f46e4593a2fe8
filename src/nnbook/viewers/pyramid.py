"""Deep Zoom pyramids: what a viewer needs to show any part of a panorama at any zoom."""

from __future__ import annotations

import json
import math
import os
import re
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nnbook.errors import InvalidValueError, NnbookError
from nnbook.io.files import atomic_write
from nnbook.io.images import image_shape, mask_shape, read_image, read_narrow_mask, to_8_bits
from nnbook.io.tiff import streams_as

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nnbook.io.images import Image, Labels, NarrowLabels
    from nnbook.io.paths import PathLike
    from nnbook.io.planes import Plane

INTENSITY_TILE_PX = 510
INTENSITY_OVERLAP_PX = 1
JPEG_QUALITY = 85
LABEL_TILE_PX = 512
MAX_LABEL = 2**24 - 1
PREVIEW_PX = 768
PREVIEW_QUALITY = 80
ENDS = {".jpg": b"\xff\xd9", ".png": b"IEND\xaeB`\x82", ".dzi": b"</Image>"}
"""The last bytes of a whole file, but for white space. A full disk leaves empty files and halves, without an error."""


@dataclass(frozen=True)
class Pyramid:
    """What was written: the number of tiles and their size in bytes."""

    tiles: int
    bytes: int


def write_pyramid(
    path: PathLike,
    image: Image | PathLike,
    labels: Labels | PathLike | None = None,
    *,
    truth: Labels | PathLike | None = None,
    mistakes: Mapping[str, Any] | None = None,
    zipped: bool = False,
    plane: Plane | None = None,
) -> Pyramid:
    """Write a panorama's tiles: grey levels as JPEG, labels without loss.

    Parameters
    ----------
    path : str or Path
        A folder that appears in one step, or replaces what was there: `intensity.dzi` with `intensity_files/`, and
        `labels.dzi` with `labels_files/` where there are labels.
    image : Image, str or Path
        Axes (y, x), or a file of it. 8-bit grey levels are shown as they are, others are brought to 8 bits by
        `to_8_bits`.
    labels : Labels, str or Path, optional
        Axes (y, x), or a file of it; the same shape, at most 16,777,215. Written as RGB PNG: label = red + 256 green +
        65,536 blue. Each level takes every second pixel of the one below it, so no label is ever mixed with another.
    truth : Labels, str or Path, optional
        The true mask, written as `labels` is: `truth.dzi` with `truth_files/`.
    mistakes : mapping, optional
        What a viewer marks as wrong, written as `mistakes.json`.
    zipped : bool
        Whether `path` is to be one zip file with what the folder would hold, stored without compression, so that a
        viewer can fetch any tile by its range of bytes.
    plane : Plane, optional
        Which plane of the image's file to show, where it has several.

    Returns
    -------
    Pyramid

    Raises
    ------
    NnbookError
        Where a file can't be read, image and labels differ in size, or a label is too large.

    Notes
    -----
    An 8-bit image is not held in memory where it is a plain TIFF file: libvips decodes it strip by strip as it writes
    tiles, once the checksums of compressed strips are checked. Image and labels are each a thread of their own.
    """
    path = Path(path)
    image = Path(image) if isinstance(image, str | os.PathLike) else image
    masks = {
        name: Path(mask) if isinstance(mask, str | os.PathLike) else mask
        for name, mask in (("labels", labels), ("truth", truth))
        if mask is not None
    }
    shape = image_shape(image, plane) if isinstance(image, Path) else (image.shape[0], image.shape[1])
    for mask in masks.values():
        check_sizes(path.name, shape, mask_shape(mask) if isinstance(mask, Path) else mask.shape)
    with atomic_write(path) as written:
        folder = written.with_name("tiles") if zipped else written
        folder.mkdir()
        with ThreadPoolExecutor(2) as pool:
            layers = [pool.submit(_write_intensity, folder / "intensity", image, path.name, plane)]
            for name, mask in masks.items():
                layers.append(pool.submit(_write_labels, folder / name, mask, path.name, shape))
            for layer in layers:
                layer.result()
        if mistakes is not None:
            (folder / "mistakes.json").write_text(json.dumps(mistakes, separators=(",", ":")), encoding="utf-8")
        tiles = [file for file in folder.rglob("*") if file.suffix in {".jpg", ".png"}]
        pyramid = Pyramid(tiles=len(tiles), bytes=sum(file.stat().st_size for file in tiles))
        if zipped:
            _zip(folder, written)
        return pyramid


class LivePyramid:
    """A pyramid of arrays in memory, whose files are made when they are asked for.

    Parameters
    ----------
    name : str
        What the panorama is called.
    image, labels
        Arrays as in `write_pyramid`; of labels alone the image may be None.

    Raises
    ------
    NnbookError
        As `write_pyramid`.
    """

    def __init__(self, name: str, image: Image | None, labels: Labels | None = None) -> None:
        import pyvips

        if image is not None:
            check_sizes(name, image.shape, None if labels is None else labels.shape)
        if labels is not None:
            _check_labels(name, labels)
        self._labels = labels
        shown = labels if image is None else image
        self._height, self._width = (0, 0) if shown is None else shown.shape
        self._top = (max(self._height, self._width) - 1).bit_length()
        self._levels: dict[int, Any] = {}
        if image is not None:
            self._levels[self._top] = pyvips.Image.new_from_array(np.ascontiguousarray(to_8_bits(image)))

    def read(self, path: str) -> bytes | None:
        """Return what `write_pyramid` would write to a file.

        Parameters
        ----------
        path : str
            Such as `intensity.dzi` or `labels_files/12/3_0.png`.

        Returns
        -------
        bytes or None
            None where there would be no such file.
        """
        if path == "intensity.dzi" and self._levels:
            return self._descriptor("jpg", INTENSITY_TILE_PX, INTENSITY_OVERLAP_PX)
        if path == "labels.dzi" and self._labels is not None:
            return self._descriptor("png", LABEL_TILE_PX, 0)
        found = re.fullmatch(r"(intensity|labels)_files/(\d{1,3})/(\d{1,6})_(\d{1,6})\.(jpg|png)", path)
        if found is None or (found[1] == "intensity") != (found[5] == "jpg"):
            return None
        level, column, row = (int(number) for number in found.groups()[1:4])
        if level > self._top or (found[1] == "intensity" and not self._levels):
            return None
        return self._intensity_tile(level, column, row) if found[5] == "jpg" else self._label_tile(level, column, row)

    def _descriptor(self, suffix: str, tile_px: int, overlap_px: int) -> bytes:
        return (
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            f'<Image xmlns="http://schemas.microsoft.com/deepzoom/2008" Format="{suffix}" Overlap="{overlap_px}" '
            f'TileSize="{tile_px}"><Size Height="{self._height}" Width="{self._width}"/></Image>\n'
        ).encode()

    def _intensity_tile(self, level: int, column: int, row: int) -> bytes | None:
        image = self._level(level)
        side, overlap = INTENSITY_TILE_PX, INTENSITY_OVERLAP_PX
        if column * side >= image.width or row * side >= image.height:
            return None
        left, top = max(0, column * side - overlap), max(0, row * side - overlap)
        right, bottom = (min(image.width, (column + 1) * side + overlap), min(image.height, (row + 1) * side + overlap))
        tile = image.crop(left, top, right - left, bottom - top)
        return bytes(tile.jpegsave_buffer(Q=JPEG_QUALITY, strip=True))

    def _label_tile(self, level: int, column: int, row: int) -> bytes | None:
        if self._labels is None:
            return None
        step = 2 ** (self._top - level)
        rows, columns = (
            slice(at * LABEL_TILE_PX * step, (at + 1) * LABEL_TILE_PX * step, step) for at in (row, column)
        )
        tile = self._labels[rows, columns]
        return bytes(_rgb(tile).pngsave_buffer(compression=1, strip=True)) if tile.size else None

    def _level(self, level: int) -> Any:
        if level not in self._levels:
            self._levels[level] = self._level(level + 1).shrink(2, 2, ceil=True).copy_memory()
        return self._levels[level]


def write_preview(path: Path, image: Image) -> None:
    """Write a small picture of a panorama: JPEG, its longer side at most 768 px.

    Parameters
    ----------
    path : Path
        The file, written in one step.
    image : Image
        Axes (y, x); brought to 8 bits by `to_8_bits`.

    Raises
    ------
    NnbookError
        Where the file can't be written.
    """
    import pyvips

    grey = pyvips.Image.new_from_array(np.ascontiguousarray(to_8_bits(image)))
    with atomic_write(path) as written:
        try:
            small = grey.thumbnail_image(PREVIEW_PX, height=PREVIEW_PX, size="down")
            small.jpegsave(str(written), Q=PREVIEW_QUALITY, strip=True)
        except pyvips.Error as error:
            raise NnbookError(
                f"{path}: can't be written ({' '.join(str(error).split())}); check space and rights"
            ) from error
        _check_whole(written, path)


def save_intensity(stem: Path, image: Any, source: Path | str) -> None:
    """Write an image's tiles, `stem.dzi` and `stem_files/`, as JPEG.

    Parameters
    ----------
    stem : Path
        Where they go, without an ending.
    image : pyvips.Image
        Of one band, 8 bits.
    source : Path or str
        What it was made from, for a message.

    Raises
    ------
    NnbookError
        Where the source can't be read to its end, or a tile not be written.
    """
    _save(
        stem,
        image,
        source,
        suffix=f".jpg[Q={JPEG_QUALITY},strip]",
        tile_size=INTENSITY_TILE_PX,
        overlap=INTENSITY_OVERLAP_PX,
    )


def check_sizes(name: str, image: tuple[int, ...], mask: tuple[int, ...] | None) -> None:
    """Refuse a mask of another size than its image.

    Parameters
    ----------
    name : str
        What is written, for the message.
    image, mask : (int, int)
        Height and width in px; None where there is no mask, or one without a size.

    Raises
    ------
    InvalidValueError
        Which names both sizes.
    """
    if mask is not None and mask != image:
        raise InvalidValueError(
            f"{name}: the image has {image[1]} x {image[0]} px but its mask {mask[1]} x {mask[0]}; "
            "segment this image again"
        )


def _check_labels(name: str, labels: Labels | NarrowLabels) -> None:
    if labels.max(initial=0) > MAX_LABEL:
        raise InvalidValueError(f"{name}: has labels above {MAX_LABEL:,}; number its nuclei from 1")


def _rgb(labels: Labels | NarrowLabels) -> Any:
    """Return labels as libvips has colours: their three lowest bytes, the lowest first."""
    import pyvips

    narrow = labels.dtype == np.uint16
    values = np.ascontiguousarray(labels, dtype="<u2" if narrow else "<i4")
    height, width = values.shape
    image = pyvips.Image.new_from_memory(values.data, width, height, values.itemsize, "uchar")
    return (image.bandjoin(0) if narrow else image[0:3]).copy(interpretation="srgb")


def _write_intensity(stem: Path, image: Image | Path, name: str, plane: Plane | None) -> None:
    import pyvips

    grey = _streamed(image) if isinstance(image, Path) else None
    if grey is None:
        pixels = to_8_bits(read_image(image, plane) if isinstance(image, Path) else image)
        grey = pyvips.Image.new_from_array(np.ascontiguousarray(pixels))
    save_intensity(stem, grey, image if isinstance(image, Path) else name)


def _write_labels(stem: Path, labels: Labels | Path, name: str, shape: tuple[int, int]) -> None:
    values = read_narrow_mask(labels, shape) if isinstance(labels, Path) else labels
    _check_labels(name, values)
    _save(
        stem,
        _rgb(values),
        labels if isinstance(labels, Path) else name,
        suffix=".png[compression=6,filter=none,strip]",
        tile_size=LABEL_TILE_PX,
        overlap=0,
        region_shrink="nearest",
    )


def _streamed(path: Path) -> Any:
    """Open a file so that libvips decodes it strip by strip; None where it may see other values than nnbook does."""
    import pyvips

    if not streams_as(path, np.uint8):
        return None
    return pyvips.Image.new_from_file(str(path), access="sequential", fail_on="error")


def _save(stem: Path, image: Any, source: Path | str, **options: Any) -> None:
    import pyvips

    try:
        image.dzsave(str(stem), depth="onepixel", **options)
    except pyvips.Error as error:
        why = " ".join(str(error).split())
        raise NnbookError(
            f"{source}: its {stem.name} tiles can't be made ({why}); the file is damaged or the disk full"
        ) from error
    side, layer = options["tile_size"], stem.with_name(f"{stem.name}_files")
    _check_whole(stem.with_suffix(".dzi"), source)
    for tile in tile_names(image.width, image.height, side):
        _check_whole(layer / f"{tile}{options['suffix'].partition('[')[0]}", source)
    # It records where and when the tiles were made; no viewer reads it.
    (layer / "vips-properties.xml").unlink(missing_ok=True)


def tile_names(width: int, height: int, side: int) -> Iterator[str]:
    """Name every tile of a pyramid, such as `11/0_2`: its level, column and row.

    Parameters
    ----------
    width, height : int
        The image's size in px. Each level has half the size of the next one, rounded up; level 0 has one pixel.
    side : int
        Of a tile, in px, without its overlap.
    """
    top = (max(width, height) - 1).bit_length()
    for level in range(top + 1):
        columns, rows = (math.ceil(math.ceil(size / 2 ** (top - level)) / side) for size in (width, height))
        yield from (f"{level}/{column}_{row}" for column in range(columns) for row in range(rows))


def _check_whole(file: Path, source: Path | str) -> None:
    """Raise NnbookError where a file that was written is missing, empty or cut off."""
    end = b""
    if file.is_file():
        with file.open("rb") as opened:
            opened.seek(-min(16, file.stat().st_size), os.SEEK_END)
            end = opened.read().rstrip(b"\n")
    if not end.endswith(ENDS[file.suffix]):
        raise NnbookError(f"{source}: its tile {file.name} was not written whole; is the disk full? Free some space")


def _zip(folder: Path, path: Path) -> None:
    """Store a folder's files in a zip, by name and undated, so that the same tiles make the same zip."""
    with zipfile.ZipFile(path, "x", zipfile.ZIP_STORED) as archive:
        for file in sorted(file for file in folder.rglob("*") if file.is_file()):
            archive.writestr(zipfile.ZipInfo(file.relative_to(folder).as_posix()), file.read_bytes())
