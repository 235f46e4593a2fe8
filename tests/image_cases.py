"""Files that people have, small: how each is written, and what it is as an image and as a mask."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import tifffile
from PIL import Image as Picture

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

SHAPE = (24, 31)
GREY = np.random.default_rng(3).integers(0, 256, SHAPE).astype(np.uint8)
DEEP = GREY.astype(np.uint16) * 251 + 7
NIBBLES = (GREY >> 4).astype(np.uint8)
LABELS = np.zeros(SHAPE, np.uint8)
LABELS[2:7, 3:8], LABELS[10:16, 12:18], LABELS[15:20, 22:27] = 1, 2, 3
RAMP = np.repeat(np.arange(256, dtype=np.uint16)[None] * 257, 3, axis=0)
BITS = (LABELS > 0).astype(np.uint8)
BLUE = RAMP * np.array([[0], [0], [1]], np.uint16)
TURNS: dict[int, Callable[[NDArray[Any]], NDArray[Any]]] = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.T,
    6: lambda a: a.T[:, ::-1],
    7: lambda a: a.T[::-1, ::-1],
    8: lambda a: a.T[::-1],
}


class Case(NamedTuple):
    write: Callable[[Path], Any]
    image: NDArray[Any] | str
    mask: NDArray[Any] | str


def tiff(pixels: NDArray[Any], **options: Any) -> Callable[[Path], Any]:
    return lambda path: tifffile.imwrite(path, pixels, **options)


def png(pixels: NDArray[Any], mode: str | None = None, **options: Any) -> Callable[[Path], Any]:
    picture = Picture.fromarray(pixels) if mode is None else Picture.fromarray(pixels).convert(mode)
    return lambda path: picture.save(path, "PNG", **options)


def palette_png(colours: NDArray[np.uint8], bits: int) -> Callable[[Path], Any]:
    def write(path: Path) -> None:
        picture = Picture.new("P", SHAPE[::-1])
        picture.putdata(LABELS.ravel().tolist())
        picture.putpalette(colours.ravel().tolist())
        picture.save(path, "PNG", bits=bits)

    return write


def raw_png(rows: NDArray[np.uint8], bits: int, colour: int, width: int) -> Callable[[Path], Any]:
    """Write a PNG file byte by byte: Pillow writes no grey levels of 2 or 4 bits."""

    def chunk(kind: bytes, held: bytes) -> bytes:
        return struct.pack(">I", len(held)) + kind + held + struct.pack(">I", zlib.crc32(kind + held))

    header = struct.pack(">IIBBBBB", width, len(rows), bits, colour, 0, 0, 0)
    held = b"".join(b"\0" + row.tobytes() for row in rows)
    whole = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(held)) + chunk(b"IEND", b"")
    return lambda path: path.write_bytes(whole)


def packed(values: NDArray[np.uint8], bits: int) -> NDArray[np.uint8]:
    """Put values of a few bits into bytes, the first in the highest bits."""
    each = np.unpackbits(values[..., None], axis=-1)[..., 8 - bits :]
    return np.packbits(each.reshape(len(values), -1), axis=-1)


def orientation(number: int) -> Callable[[Path], Any]:
    return tiff(GREY, extratags=[(274, "H", 1, number, True)])


CASES = {
    "grey": Case(tiff(GREY), GREY, GREY),
    "little endian 16": Case(tiff(DEEP), DEEP, DEEP),
    "big endian 16": Case(tiff(DEEP, byteorder=">"), DEEP, DEEP),
    "half floats": Case(tiff(LABELS.astype(np.float16)), LABELS.astype(np.float32), LABELS),
    "white is zero, 8": Case(tiff(GREY, photometric="miniswhite"), 255 - GREY, GREY),
    "white is zero, 16": Case(tiff(DEEP, photometric="miniswhite"), 65_535 - DEEP, DEEP),
    "white is zero, 1": Case(tiff(BITS.astype(bool), photometric="miniswhite"), 255 * (1 - BITS), "is a binary mask"),
    "white is zero, floats": Case(
        tiff(GREY.astype(np.float32), photometric="miniswhite"), "least is white; invert", GREY
    ),
    "1 bit": Case(tiff(BITS.astype(bool), photometric="minisblack"), 255 * BITS, "is a binary mask"),
    "grey palette": Case(tiff(GREY, photometric="palette", colormap=RAMP), GREY, GREY),
    "inverted palette": Case(tiff(GREY, photometric="palette", colormap=RAMP[:, ::-1]), 255 - GREY, GREY),
    "blue palette": Case(tiff(GREY, photometric="palette", colormap=BLUE), GREY, GREY),
    "rainbow palette": Case(
        tiff(
            LABELS,
            photometric="palette",
            colormap=np.roll(RAMP, 85, axis=1) * np.array([[1], [0], [1]], np.uint16) + BLUE[::-1],
        ),
        "palette of several colours",
        LABELS,
    ),
    **{f"orientation {number}": Case(orientation(number), turn(GREY), turn(GREY)) for number, turn in TURNS.items()},
    "CMYK": Case(tiff(np.stack([GREY] * 4, -1), photometric="separated"), "CMYK", "CMYK"),
    "coloured RGB": Case(
        tiff(np.stack([GREY, GREY.T.reshape(SHAPE), GREY], -1), photometric="rgb"), "in colours", "in colours"
    ),
    "grey as RGB": Case(tiff(np.stack([GREY] * 3, -1), photometric="rgb"), GREY, "in colours"),
    "grey as planes of RGB": Case(
        tiff(np.stack([GREY] * 3), photometric="rgb", planarconfig="separate"), GREY, "in colours"
    ),
    "JPEG in TIFF": Case(tiff(np.full(SHAPE, 9, np.uint8), compression="jpeg"), np.full(SHAPE, 9, np.uint8), "JPEG"),
    "JPEG": Case(lambda path: Picture.fromarray(GREY).save(path, "JPEG"), "is a JPEG file", "is a JPEG file"),
    "first axis of one": Case(tiff(GREY[None]), GREY, GREY),
    "last axis of one": Case(tiff(GREY[..., None]), GREY, GREY),
    "two axes of one": Case(tiff(GREY[None, None]), GREY, GREY),
    "ImageJ": Case(tiff(DEEP, imagej=True), DEEP, DEEP),
    "OME": Case(tiff(DEEP[None, None], ome=True, metadata={"axes": "CZYX"}), DEEP, DEEP),
    "tiles": Case(tiff(DEEP, tile=(16, 16), compression="zlib", predictor=True), DEEP, DEEP),
    "LZW": Case(tiff(DEEP, compression="lzw"), DEEP, DEEP),
    "whole floats": Case(tiff(LABELS.astype(np.float32)), LABELS.astype(np.float32), LABELS),
    "broken floats": Case(tiff(LABELS + np.float32(0.5)), LABELS + np.float32(0.5), "holds float32 values"),
    "PNG": Case(png(GREY), GREY, GREY),
    "PNG, 16 bits": Case(png(DEEP), DEEP, DEEP),
    "PNG, 1 bit": Case(png(BITS * 255, "1"), 255 * BITS, "is a binary mask"),
    "PNG, 2 bits": Case(raw_png(packed(LABELS.view(np.uint8), 2), 2, 0, SHAPE[1]), LABELS * 85, LABELS),
    "PNG, 4 bits": Case(raw_png(packed(NIBBLES, 4), 4, 0, SHAPE[1]), NIBBLES * 17, NIBBLES),
    "PNG, palette of colours": Case(
        palette_png(np.array([[0, 0, 0], [255, 0, 0], [0, 255, 0], [0, 0, 255]], np.uint8), 2),
        "palette of several colours",
        LABELS,
    ),
    "PNG, blue palette": Case(
        palette_png(np.array([[0, 0, 0], [0, 0, 80], [0, 0, 160], [0, 0, 240]], np.uint8), 8), LABELS * 80, LABELS
    ),
    "PNG, grey as RGB": Case(png(np.stack([GREY] * 3, -1)), GREY, "in colours"),
    "PNG, colours": Case(png(np.stack([GREY, BITS, GREY], -1)), "in colours", "in colours"),
    "PNG, opaque": Case(png(np.stack([GREY, np.full_like(GREY, 255)], -1)), GREY, "in colours"),
    "PNG, transparent": Case(png(np.stack([GREY, GREY], -1)), "transparent", "in colours"),
    "PNG named TIFF": Case(png(DEEP), DEEP, DEEP),
}
"""By name: how the file is written, and what it is as an image and as a mask, or why it is refused as that.

Random grey levels are no label image: those cases look at the values before the labels are checked.
"""


def ending(case: str) -> str:
    """Return what the name of a case's file ends in."""
    return "tif" if case.endswith("TIFF") or not case.startswith("PNG") else "png"
