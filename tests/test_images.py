import numpy as np
import pytest
import tifffile

from nnbook.errors import NnbookError
from nnbook.images import image_shape, read_image, read_mask, write_image, write_mask


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32, np.float32])
def test_grey_levels_come_back_as_they_were(tmp_path, dtype):
    image = (np.random.default_rng(1).random((300, 70)) * 4095).astype(dtype)
    write_image(tmp_path / "a.tif", image, px_per_um=8.0453)
    read = read_image(tmp_path / "a.tif")
    assert read.dtype == dtype
    np.testing.assert_array_equal(read, image)
    assert image_shape(tmp_path / "a.tif") == (300, 70)


@pytest.mark.parametrize("highest", [5, 65_535, 65_536, 2_000_000])
def test_labels_come_back_as_they_were(tmp_path, highest):
    labels = np.zeros((40, 50), np.int32)
    labels[3:9, 4:9] = highest
    write_mask(tmp_path / "a.tif", labels)
    np.testing.assert_array_equal(read_mask(tmp_path / "a.tif"), labels)


def broken(path, kind):
    """Write one of the files that a user may bring along by mistake."""
    pixels = np.random.default_rng(2).integers(0, 255, (64, 64), dtype=np.uint8)
    match kind:
        case "empty":
            path.write_bytes(b"")
        case "text":
            path.write_text("this is no image")
        case "truncated":
            tifffile.imwrite(path, pixels)
            path.write_bytes(path.read_bytes()[:2000])
        case "RGB":
            tifffile.imwrite(path, np.dstack([pixels] * 3), photometric="rgb")
        case "many pages":
            tifffile.imwrite(path, np.stack([pixels] * 3), photometric="minisblack")
        case "NaN":
            tifffile.imwrite(path, np.full((8, 8), np.nan, np.float32))


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("missing", "no such file"),
        ("empty", "is empty"),
        ("text", "can't be read"),
        ("truncated", "can't be read"),
        ("RGB", "one channel"),
        ("many pages", "3 pages"),
        ("NaN", "not a number"),
    ],
)
def test_a_broken_image_is_named_in_one_line(tmp_path, kind, told):
    path = tmp_path / "broken.tif"
    broken(path, kind)
    with pytest.raises(NnbookError, match=told) as caught:
        read_image(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", ["missing", "empty", "text", "truncated", "RGB", "many pages"])
def test_its_shape_can_not_be_had_either(tmp_path, kind):
    path = tmp_path / "broken.tif"
    broken(path, kind)
    with pytest.raises(NnbookError, match="broken.tif"):
        image_shape(path)


def test_a_mask_has_whole_numbers_from_0(tmp_path):
    tifffile.imwrite(tmp_path / "float.tif", np.zeros((8, 8), np.float32))
    tifffile.imwrite(tmp_path / "below.tif", np.full((8, 8), -1, np.int16))
    with pytest.raises(NnbookError, match="whole numbers"):
        read_mask(tmp_path / "float.tif")
    with pytest.raises(NnbookError, match="below 0"):
        read_mask(tmp_path / "below.tif")
