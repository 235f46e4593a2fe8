"""What the pixels of a file mean: each case is a file that a person has, with the image or mask that it shows."""

import contextlib
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image as Picture

from nnbook.errors import NnbookError
from nnbook.io.images import image_shape, mask_shape, read_image, read_mask
from nnbook.io.planes import Plane

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


@pytest.fixture(autouse=True)
def _any_labels(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Take any whole numbers for labels, but for binary masks: most cases have random ones."""
    from nnbook.io import images, labels

    def binary_alone(array: NDArray[Any]) -> str | None:
        return labels.label_problem(array) if array.max() == 1 else None

    if "case" in request.fixturenames:
        monkeypatch.setattr(images, "label_problem", binary_alone)


def ending(case: str) -> str:
    return "tif" if case.endswith("TIFF") or not case.startswith("PNG") else "png"


@pytest.mark.parametrize("case", CASES)
def test_an_image_is_what_a_viewer_shows_or_is_refused(tmp_path: Path, case: str) -> None:
    path = tmp_path / f"a.{ending(case)}"
    CASES[case].write(path)
    expected = CASES[case].image
    if isinstance(expected, str):
        with pytest.raises(NnbookError, match=expected) as caught:
            read_image(path)
        assert str(caught.value).startswith(f"{path}: ")
        return
    found = read_image(path)
    np.testing.assert_array_equal(found, expected)
    assert found.dtype == expected.dtype
    assert found.dtype.isnative
    assert image_shape(path) == expected.shape


@pytest.mark.parametrize("case", CASES)
def test_a_mask_is_its_raw_values_or_is_refused(tmp_path: Path, case: str) -> None:
    path = tmp_path / f"a.{ending(case)}"
    CASES[case].write(path)
    expected = CASES[case].mask
    if isinstance(expected, str):
        with pytest.raises(NnbookError, match=expected) as caught:
            read_mask(path)
        assert str(caught.value).startswith(f"{path}: ")
        return
    found = read_mask(path)
    np.testing.assert_array_equal(found, expected)
    assert found.dtype == np.int32
    assert mask_shape(path) == expected.shape


def test_an_ome_set_that_lacks_a_file_is_refused_and_a_whole_one_is_read(tmp_path: Path) -> None:
    uuids = ["urn:uuid:00000000-0000-0000-0000-00000000000" + str(number) for number in (1, 2)]
    planes = "".join(
        f'<TiffData FirstC="{c}" IFD="0" PlaneCount="1"><UUID FileName="{name}">{uuids[c]}</UUID></TiffData>'
        for c, name in enumerate(["one.ome.tif", "two.ome.tif"])
    )
    for c, name in enumerate(["one.ome.tif", "two.ome.tif"]):
        text = (
            '<?xml version="1.0"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" '
            f'UUID="{uuids[c]}"><Image ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="XYCZT" Type="uint8" '
            f'SizeX="{SHAPE[1]}" SizeY="{SHAPE[0]}" SizeC="2" SizeZ="1" SizeT="1">'
            '<Channel ID="Channel:0:0" Name="DAPI"/><Channel ID="Channel:0:1" Name="GFP"/>'
            f"{planes}</Pixels></Image></OME>"
        )
        tifffile.imwrite(tmp_path / name, GREY + np.uint8(c), description=text, metadata=None)
    with pytest.raises(NnbookError, match=r"one.ome.tif: has 2 channels \(0 DAPI, 1 GFP\)"):
        read_image(tmp_path / "one.ome.tif")
    np.testing.assert_array_equal(read_image(tmp_path / "one.ome.tif", Plane("GFP")), GREY + np.uint8(1))
    (tmp_path / "two.ome.tif").unlink()
    with pytest.raises(NnbookError, match="set of files of which some are missing"):
        read_image(tmp_path / "one.ome.tif")


@pytest.mark.parametrize("kind", ["zlib", "png"])
def test_no_flipped_bit_is_read_as_a_grey_level(tmp_path: Path, kind: str) -> None:
    path = tmp_path / ("a.png" if kind == "png" else "a.tif")
    (png(GREY) if kind == "png" else tiff(GREY, compression="zlib", metadata=None))(path)
    whole = path.read_bytes()
    if kind == "png":
        first, end = len(whole) - 12 - 100, len(whole) - 12
    else:
        with tifffile.TiffFile(path) as file:
            page = file.pages.first
            first, end = page.dataoffsets[0], page.dataoffsets[0] + page.databytecounts[0]
    for place in np.linspace(first, end - 1, 60).astype(int):
        damaged = bytearray(whole)
        damaged[place] ^= 4
        path.write_bytes(damaged)
        found: NDArray[Any] | None = None
        with contextlib.suppress(NnbookError):
            found = read_image(path)
        if found is not None:
            np.testing.assert_array_equal(found, GREY)


def test_a_panorama_larger_than_pillow_likes_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    png(GREY)(tmp_path / "a.png")
    monkeypatch.setattr(Picture, "MAX_IMAGE_PIXELS", 100)
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), GREY)


def test_an_image_above_memory_is_named_before_it_is_decoded(tmp_path: Path) -> None:
    rows = np.zeros((1, 1), np.uint8)
    raw_png(rows, 8, 0, 1)(tmp_path / "a.png")
    held = bytearray((tmp_path / "a.png").read_bytes())
    held[16:24] = struct.pack(">II", 2_000_000, 2_000_000)
    held[29:33] = struct.pack(">I", zlib.crc32(held[12:29]))
    (tmp_path / "a.png").write_bytes(held)
    with pytest.raises(NnbookError, match=r"a\.png: needs 4,000\.0 GB of memory and"):
        read_image(tmp_path / "a.png")


@pytest.mark.parametrize(
    ("start", "name"),
    [
        (b"\xff\xd8\xff\xe0" + bytes(20), "a JPEG file"),
        (b"%PDF-1.7" + bytes(20), "a PDF file"),
        (b"area,mean\n1,2", "no TIFF"),
    ],
)
def test_other_formats_are_named(tmp_path: Path, start: bytes, name: str) -> None:
    (tmp_path / "a.tif").write_bytes(start)
    with pytest.raises(NnbookError, match=f"is {name}"):
        read_image(tmp_path / "a.tif")


def test_a_tiff_without_some_of_its_strips_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, GREY, rowsperstrip=8, compression="zlib", metadata=None)
    with tifffile.TiffFile(path, mode="r+") as file:
        counts = file.pages.first.tags["StripByteCounts"]
        counts.overwrite((counts.value[0], 0, counts.value[2]))
    with pytest.raises(NnbookError, match="lacks some of its pixels"):
        read_image(path)
