"""PNG files: their pixels, once every checksum is right."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from nnbook.errors import NnbookError
from nnbook.io.pixels import Pixels, check_memory, decoded, shown_palette, single_channel
from nnbook.io.planes import COLOURS, Plane, select_plane

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
GREY, RGB, PALETTE, GREY_ALPHA, RGB_ALPHA = 0, 2, 3, 4, 6
"""Colour types of the header."""

SAMPLES: Final = {GREY: 1, RGB: 3, PALETTE: 1, GREY_ALPHA: 2, RGB_ALPHA: 4}
BLOCK: Final = 1 << 20


class _Header(NamedTuple):
    height: int
    width: int
    bits: int
    colour: int


def open_png(path: Path, plane: Plane | None, *, labels: bool) -> Pixels:
    """Look at a PNG file without decoding its pixels.

    Parameters
    ----------
    path, plane, labels
        As in `nnbook.io.tiff.open_tiff`.

    Returns
    -------
    Pixels

    Raises
    ------
    NnbookError
        Where a checksum is wrong, the file is cut off or animated, or holds values whose meaning is not clear.
    """
    header = _checked(path)
    samples = SAMPLES[header.colour]
    if labels and samples > 1:
        raise NnbookError(f"{path}: is a picture in colours, not of labels; save the labels as 16-bit grey levels")
    if samples > 1 and header.bits == 16:
        raise NnbookError(f"{path}: is a picture in colours of 16 bits; export the DAPI channel as grey levels")
    chosen = samples > 1 and plane is not None and plane.channel is not None
    sizes = {"Y": header.height, "X": header.width, **({"S": samples} if chosen else {})}
    names = list(COLOURS[:samples]) if samples > 2 else ["grey", "alpha"][:samples]
    selection = select_plane(path, sizes, names if chosen else (), plane or Plane())

    def decode() -> NDArray[Any]:
        check_memory(path, header.height * header.width * samples * (2 if header.bits == 16 else 1))
        pixels, palette = _decode(path)
        if chosen:
            return np.ascontiguousarray(pixels[..., selection.indices["S"]])
        if samples > 1:
            return single_channel(path, pixels)
        if palette is not None:
            return pixels if labels else shown_palette(path, palette)[pixels]
        if labels and header.bits < 8:
            return pixels // np.uint8(255 // (2**header.bits - 1))  # it was stretched to 8 bits
        return pixels

    return decoded(Pixels((header.height, header.width), decode), only=samples > 1 and not chosen)


def _checked(path: Path) -> _Header:
    """Return the header of a file whose every chunk has the right checksum; Pillow does not look at those of pixels."""
    header, ended = None, False
    with path.open("rb") as file:
        file.seek(len(SIGNATURE))
        while not ended:
            start = file.read(8)
            if len(start) < 8:
                break
            length, kind = struct.unpack(">I4s", start)
            checksum, left, first = zlib.crc32(kind), length, b""
            while left > 0 and (block := file.read(min(left, BLOCK))):
                first = first or block
                checksum, left = zlib.crc32(block, checksum), left - len(block)
            if left > 0 or file.read(4) != struct.pack(">I", checksum):
                raise NnbookError(f"{path}: is damaged, the checksum of a part of it is wrong; copy or export it again")
            if kind == b"acTL":
                raise NnbookError(f"{path}: is animated; export one picture of it")
            if header is None:
                if kind != b"IHDR" or length != 13:
                    break
                width, height, bits, colour = struct.unpack(">IIBB", first[:10])
                header = _Header(height, width, bits, colour)
            ended = kind == b"IEND"
    if header is None or not ended or header.colour not in SAMPLES:
        raise NnbookError(f"{path}: is cut off; copy or export it again")
    if header.height * header.width == 0:
        raise NnbookError(f"{path}: has no pixels; export it again")
    return header


def _decode(path: Path) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """Return what Pillow makes of a file, and its palette."""
    from PIL.PngImagePlugin import PngImageFile

    # Not by `Image.open`, which takes large panoramas for an attack; `check_memory` has looked at the size.
    with path.open("rb") as file, PngImageFile(file) as picture:
        pixels = np.asarray(picture)
        palette = None
        if picture.mode == "P":
            palette = np.zeros((256, 3), np.uint8)
            colours = np.asarray(picture.getpalette("RGB"), np.uint8).reshape(-1, 3)
            palette[: len(colours)] = colours
    if pixels.dtype == np.bool_:
        pixels = pixels.astype(np.uint8) * np.uint8(255)
    return pixels, palette
