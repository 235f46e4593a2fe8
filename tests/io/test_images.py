from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from skimage.io import imsave

from nnbook.errors import NnbookError
from nnbook.io.images import Image, image_shape, read_image, read_mask, to_8_bits, write_image, write_mask


def grey(dtype: str, top: float) -> Image:
    """Noise over the whole range of a camera, both ends included; 300 rows are more than a strip."""
    image = np.random.default_rng(5).uniform(0, top, (300, 41)).astype(dtype)
    image[0, 0], image[-1, -1] = 0, top
    return image


def truncated(path: Path) -> None:
    write_image(path, grey("uint16", 65535))
    path.write_bytes(path.read_bytes()[:-500])


def header_alone(path: Path) -> None:
    write_image(path, grey("uint16", 65535))
    path.write_bytes(path.read_bytes()[:6])


def nan(path: Path) -> None:
    image = grey("float32", 1)
    image[7, 7] = np.nan
    write_image(path, image)


def infinite(path: Path) -> None:
    image = grey("float32", 1)
    image[7, 7] = np.inf
    write_image(path, image)


BROKEN: dict[str, tuple[Callable[[Path], Any], str]] = {
    "missing": (lambda _: None, "no such file"),
    "folder": (lambda path: path.mkdir(), "is a folder"),
    "empty": (lambda path: path.write_bytes(b""), "empty"),
    "truncated": (truncated, "cut off|truncated"),
    "header alone": (header_alone, "truncated"),
    "text renamed": (lambda path: path.write_text("image,num_rois\n" * 50), "no TIFF|no image"),
    "RGB": (
        lambda path: tifffile.imwrite(path, np.eye(9, 24, dtype=np.uint8).reshape(9, 8, 3), photometric="rgb"),
        "in colours",
    ),
    "pages": (lambda path: tifffile.imwrite(path, np.zeros((4, 9, 8), np.uint16), photometric="minisblack"), "4 pages"),
}
BROKEN_VALUES: dict[str, tuple[Callable[[Path], Any], str]] = {
    "NaN": (nan, "not a number"),
    "infinity": (infinite, "infinite"),
    "complex": (lambda path: tifffile.imwrite(path, np.ones((4, 4), np.complex64)), "complex64"),
}


@pytest.mark.parametrize("kind", [*BROKEN, *BROKEN_VALUES])
def test_read_image_names_the_broken_file(tmp_path: Path, kind: str) -> None:
    make, expected = (BROKEN | BROKEN_VALUES)[kind]
    path = tmp_path / "Run1TL_top_left.tif"
    make(path)
    with pytest.raises(NnbookError, match=expected) as caught:
        read_image(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", BROKEN)
@pytest.mark.parametrize("read", [read_mask, image_shape])
def test_masks_and_shapes_are_read_as_strictly(tmp_path: Path, kind: str, read: Callable[[Path], Any]) -> None:
    make, expected = BROKEN[kind]
    path = tmp_path / "mask.tif"
    make(path)
    with pytest.raises(NnbookError, match=expected) as caught:
        read(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("dtype", "top"),
    [("uint8", 255), ("uint16", 4095), ("uint16", 65535), ("int32", 2**31 - 1), ("float32", 1.0), ("float64", 3.5)],
)
def test_images_round_trip_exactly(tmp_path: Path, dtype: str, top: float) -> None:
    image, path = grey(dtype, top), tmp_path / "a.tif"
    write_image(path, image, px_per_um=8.0453)
    again = read_image(path)
    assert again.dtype == image.dtype
    np.testing.assert_array_equal(again, image)
    assert image_shape(path) == image.shape


def test_png_is_read_as_it_is(tmp_path: Path) -> None:
    image, path = grey("uint16", 65535), tmp_path / "a.png"
    imsave(path, image, check_contrast=False)
    np.testing.assert_array_equal(read_image(path), image)
    assert image_shape(path) == image.shape


def test_pixel_size_is_written(tmp_path: Path) -> None:
    write_image(tmp_path / "a.tif", grey("uint8", 255), px_per_um=8.0453)
    with tifffile.TiffFile(tmp_path / "a.tif") as tiff:
        over, under = tiff.pages.first.tags["XResolution"].value
        assert over / under == pytest.approx(80453, rel=1e-6)
        assert tiff.pages.first.tags["ResolutionUnit"].value == 3, "centimetres"


@pytest.mark.parametrize(("highest", "bits"), [(0, 16), (3, 16), (65_535, 16), (65_536, 32), (2**31 - 1, 32)])
def test_masks_round_trip_in_as_many_bits_as_they_need(tmp_path: Path, highest: int, bits: int) -> None:
    labels, path = np.zeros((50, 60), np.int32), tmp_path / "m.tif"
    labels[20:30, 5:9] = highest
    write_mask(path, labels)
    again = read_mask(path)
    assert again.dtype == np.int32
    np.testing.assert_array_equal(again, labels)
    assert tifffile.imread(path).dtype.itemsize * 8 == bits


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.array([[0, -1]], np.int32), "below 0"),
        (np.array([[0, 2**31]], np.uint32), "above 2147483647"),
        (np.array([[0, 0.5]], np.float32), "float32"),
    ],
)
def test_values_that_are_no_labels_are_refused(tmp_path: Path, values: Any, expected: str) -> None:
    tifffile.imwrite(tmp_path / "m.tif", values)
    with pytest.raises(NnbookError, match=expected) as caught:
        read_mask(tmp_path / "m.tif")
    assert str(tmp_path / "m.tif") in str(caught.value)


def test_nothing_is_left_where_writing_fails(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    write_image(path, grey("uint8", 255))
    before = path.read_bytes()
    with pytest.raises((KeyError, TypeError, ValueError)):
        write_image(path, np.array([["no", "image"]]))
    assert [file.name for file in tmp_path.iterdir()] == ["a.tif"]
    assert path.read_bytes() == before


def test_8_bits_stay_as_they_are() -> None:
    image = np.arange(7, 107, dtype=np.uint8).reshape(10, 10)
    np.testing.assert_array_equal(to_8_bits(image), image)


@pytest.mark.parametrize(("dtype", "low", "high"), [("uint16", 100, 4095), ("float32", -0.5, 0.25), ("int32", 0, 1e6)])
def test_others_are_stretched_and_keep_their_order(dtype: str, low: float, high: float) -> None:
    image = np.linspace(low, high, 10_000).astype(dtype).reshape(100, 100)
    shown = to_8_bits(image)
    assert shown.dtype == np.uint8
    assert (shown.min(), shown.max()) == (0, 255)
    assert (np.diff(shown.ravel().astype(int)) >= 0).all()
    assert shown.ravel()[5000] == pytest.approx(127.5, abs=1)


@pytest.mark.parametrize("dtype", ["uint32", "int64", "float64"])
def test_a_small_contrast_about_a_high_level_is_kept(dtype: str) -> None:
    image = (10**9 + np.tile(np.arange(250), (600, 1))).astype(dtype)
    assert len(np.unique(to_8_bits(image))) == 250


def test_few_nuclei_are_shown_where_all_else_is_of_one_level() -> None:
    image = np.full((1000, 1000), 300, np.uint16)
    image[10:25, 10:25] = 900
    assert to_8_bits(image)[12, 12] == 255
    assert to_8_bits(image)[500, 500] == 0


def test_few_hot_pixels_do_not_darken_the_rest() -> None:
    image = np.tile(np.arange(1000, 2000, dtype=np.uint16), (100, 1))
    image[3, :50] = 65_535
    assert to_8_bits(image)[50, 900] > 220


@pytest.mark.parametrize("dtype", ["uint16", "float32", "int32"])
def test_one_grey_level_becomes_black(dtype: str) -> None:
    assert not to_8_bits(np.full((9, 9), 300, dtype)).any()
