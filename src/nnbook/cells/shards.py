"""Zarr 3 arrays of equal images in shards: many images a file, each of which can be read on its own.

zarr-python makes the arrays' descriptions and reads them. Shards are put together here, each from images that other
threads have compressed: `benchmarks/cells.py` has the difference.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import numpy as np
from zlib_ng import zlib_ng

from nnbook.errors import NnbookError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

GZIP_LEVEL: Final = 6
CHECKSUM_BYTES: Final = 4
EMPTY: Final = 2**64 - 1
"""What a shard's index has for an image that is not there, twice."""


def create_group(path: Path, arrays: dict[str, tuple[int, int]], attributes: dict[str, Any]) -> None:
    """Describe a Zarr group with arrays that have no image yet.

    Parameters
    ----------
    path : Path
        The group's folder, which must not be there yet.
    arrays : dict of str to (int, int)
        By name the side of an image in px, and the images a shard.
    attributes : dict
        The group's attributes, as JSON.
    """
    import zarr
    from zarr.codecs import GzipCodec

    group = zarr.create_group(path, zarr_format=3, attributes=attributes)
    for name, (side, per_shard) in arrays.items():
        shards: Any = {"shape": (per_shard, side, side), "index_location": "start"}
        group.create_array(
            name,
            shape=(0, side, side),
            dtype="uint8",
            chunks=(1, side, side),
            shards=shards,
            compressors=GzipCodec(level=GZIP_LEVEL),
            fill_value=0,
            dimension_names=("cell", "y", "x"),
        )


def set_length(path: Path, length: int) -> None:
    """Set how many images the arrays of a group have, once the shards that hold them are written."""
    import zarr

    for array in zarr.open_group(path, mode="r+").array_values():
        array.resize((length, *array.shape[1:]))
    for left in path.glob("*/*.partial"):  # descriptions that a process was writing when it was killed
        left.unlink()


def encode(image: NDArray[np.uint8]) -> bytes:
    """Compress one image as gzip, so that browsers inflate it on their own.

    Runs of zeros and Huffman codes for the rest make a cell image smaller than a search for repeats does, in less time:
    grey levels in a nucleus are noisy, and do not repeat. zlib-ng does this twice as fast as zlib.
    """
    packer = zlib_ng.compressobj(GZIP_LEVEL, zlib_ng.DEFLATED, 16 + zlib_ng.MAX_WBITS, 9, zlib_ng.Z_RLE)
    return bytes(packer.compress(image) + packer.flush())


def write_shard(array: Path, number: int, images: Sequence[bytes], per_shard: int) -> Path:
    """Write one shard of an array.

    Parameters
    ----------
    array : Path
        The array's folder.
    number : int
        Which shard, from 0.
    images : sequence of bytes
        From `encode`, in order; fewer than `per_shard` in the last one.
    per_shard : int
        Images a shard.

    Returns
    -------
    Path
        The shard's file, in the form of Zarr's codec `sharding_indexed`: for each image its offset and size, then that
        index's CRC-32C, then the images. The index comes first so that a browser reads one image's 16 bytes of it.
    """
    from google_crc32c import value as crc32c

    index = np.full((per_shard, 2), EMPTY, "<u8")
    sizes = np.array([len(image) for image in images], "<u8")
    index[: len(sizes), 0] = index.nbytes + CHECKSUM_BYTES + np.cumsum(sizes) - sizes
    index[: len(sizes), 1] = sizes
    path = shard_path(array, number)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"".join([index.tobytes(), struct.pack("<I", crc32c(index.tobytes())), *images]))
    return path


def shard_path(array: Path, number: int) -> Path:
    """Return where a shard of an array is."""
    return array / "c" / str(number) / "0" / "0"


def ends_in_file(shard: Path, place: int) -> bool:
    """Return whether a shard has all bytes of an image that its index has; Zarr reads black where it has none of them.

    Parameters
    ----------
    shard : Path
        A file of `write_shard`.
    place : int
        Which image of it, from 0.
    """
    with shard.open("rb") as file:
        offset, size = _entry(file, place)
    return offset == EMPTY or offset + size <= shard.stat().st_size


def read_stored(shard: Path, place: int) -> bytes:
    """Return an image as a shard has it, compressed.

    Parameters
    ----------
    shard, place
        See `ends_in_file`.

    Raises
    ------
    NnbookError
        Where the shard has no such image, or is cut off.
    """
    with shard.open("rb") as file:
        offset, size = _entry(file, place)
        if offset != EMPTY:
            file.seek(offset)
            stored = file.read(size)
            if len(stored) == size:
                return stored
    raise NnbookError(f"{shard}: lacks image {place}; delete it, and call again")


def _entry(file: BinaryIO, place: int) -> tuple[int, int]:
    """Read where a shard has an image, and its size."""
    file.seek(16 * int(place))
    offset, size = struct.unpack("<QQ", file.read(16))
    return offset, size
