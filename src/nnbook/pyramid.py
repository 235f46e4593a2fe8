"""Deep Zoom pyramids: what a viewer needs to show any part of a panorama at any zoom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nnbook.errors import NnbookError
from nnbook.files import aside

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from nnbook.images import Image, Labels

INTENSITY_TILE_PX = 510
INTENSITY_OVERLAP_PX = 1
JPEG_QUALITY = 85
LABEL_TILE_PX = 512
MAX_LABEL = 2**24 - 1
PREVIEW_PX = 768
PREVIEW_QUALITY = 80


@dataclass(frozen=True)
class Pyramid:
    """What was written: the number of tiles and their size in bytes."""

    tiles: int
    bytes: int


def write_pyramid(folder: Path, image: Image, labels: Labels | None = None) -> Pyramid:
    """Write a panorama's tiles: grey levels as JPEG, labels without loss.

    Parameters
    ----------
    folder : Path
        Appears in one step, or replaces what was there: `intensity.dzi` with `intensity_files/`, and `labels.dzi` with
        `labels_files/` where there are labels.
    image : Image
        Axes (y, x). 8-bit grey levels are shown as they are, others are brought to 8 bits by `to_8_bits`.
    labels : Labels, optional
        Axes (y, x), the same shape, at most 16,777,215. Written as RGB PNG: label = red + 256 green + 65,536 blue. Each
        level takes every second pixel of the one below it, so no label is ever mixed with another.

    Returns
    -------
    Pyramid

    Raises
    ------
    NnbookError
        Where image and labels differ in size, or a label is too large.
    """
    if labels is not None and labels.shape != image.shape:
        raise NnbookError(
            f"{folder.name}: the image has {image.shape[1]} x {image.shape[0]} px but its mask "
            f"{labels.shape[1]} x {labels.shape[0]}; segment this image again"
        )
    if labels is not None and labels.max(initial=0) > MAX_LABEL:
        raise NnbookError(f"{folder.name}: has labels above {MAX_LABEL:,}; number its nuclei from 1")
    with aside(folder) as written:
        written.mkdir()
        _save(
            written / "intensity",
            to_8_bits(image),
            suffix=f".jpg[Q={JPEG_QUALITY},strip]",
            tile_size=INTENSITY_TILE_PX,
            overlap=INTENSITY_OVERLAP_PX,
        )
        if labels is not None:
            _save(
                written / "labels",
                _rgb(labels),
                suffix=".png[compression=6,strip]",
                tile_size=LABEL_TILE_PX,
                overlap=0,
                region_shrink="nearest",
            )
        tiles = [file for file in written.rglob("*") if file.suffix in {".jpg", ".png"}]
        return Pyramid(tiles=len(tiles), bytes=sum(file.stat().st_size for file in tiles))


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
    with aside(path) as written:
        try:
            small = grey.thumbnail_image(PREVIEW_PX, height=PREVIEW_PX, size="down")
            small.jpegsave(str(written), Q=PREVIEW_QUALITY, strip=True)
        except pyvips.Error as error:
            raise NnbookError(f"{path}: can't be written ({str(error).strip()}); check space and rights") from error


def to_8_bits(image: Image) -> NDArray[np.uint8]:
    """Bring grey levels to 8 bits for display.

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
    step = max(1, int(np.sqrt(image.size / 1e6)))  # a million pixels tell the percentiles of any panorama
    low, high = np.percentile(image[::step, ::step], [0.1, 99.9])
    scale = 255.0 / (high - low) if high > low else 0.0
    stretched = (image.astype(np.float32) - low) * scale + 0.5
    shown: NDArray[np.uint8] = np.clip(stretched, 0, 255).astype(np.uint8)
    return shown


def _rgb(labels: Labels) -> NDArray[np.uint8]:
    rgb = np.empty((*labels.shape, 3), np.uint8)
    for channel in range(3):
        rgb[..., channel] = (labels >> (8 * channel)) & 255
    return rgb


def _save(stem: Path, pixels: NDArray[np.uint8], **options: Any) -> None:
    import pyvips

    image = pyvips.Image.new_from_array(np.ascontiguousarray(pixels))
    try:
        image.dzsave(str(stem), depth="onepixel", **options)
    except pyvips.Error as error:
        raise NnbookError(
            f"{stem}: the tiles can't be written ({str(error).strip()}); check space and rights"
        ) from error
