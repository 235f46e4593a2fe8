"""What the pixels of a file mean: each case is a file that a person has, with the image or mask that it shows."""

import contextlib
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tifffile
from image_cases import CASES, GREY, LABELS, SHAPE, ending, png, raw_png, tiff
from numpy.typing import NDArray
from PIL import Image as Picture

from nnbook.errors import NnbookError
from nnbook.io.images import image_shape, mask_shape, read_image, read_mask
from nnbook.io.planes import Plane
from nnbook.measurement.rois import measure


@pytest.fixture(autouse=True)
def _any_labels(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Take any whole numbers for labels, but for binary masks: most cases have random ones."""
    from nnbook.io import images, labels

    def binary_alone(array: NDArray[Any]) -> str | None:
        return labels.label_problem(array) if array.max() == 1 else None

    if "case" in request.fixturenames:
        monkeypatch.setattr(images, "label_problem", binary_alone)


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


@pytest.mark.parametrize("form", ["<u2", ">u2", ">i4", "<f2", ">f4", ">f8"])
def test_arrays_of_any_byte_order_and_of_half_floats_are_measured(form: str) -> None:
    image = (LABELS * 50 + GREY // 8).astype(form)
    mask = LABELS.astype(">i4")
    expected = measure(image.astype(np.float64), LABELS.astype(np.int32))
    pd.testing.assert_frame_equal(measure(image, mask), expected, check_exact=False, rtol=1e-6)


def test_too_little_memory_is_named_as_that(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise MemoryError

    tiff(GREY)(tmp_path / "a.tif")
    monkeypatch.setattr("nnbook.io.tiff.upright", fail)
    with pytest.raises(NnbookError, match=r"a\.tif: does not fit into the memory that is free"):
        read_image(tmp_path / "a.tif")
