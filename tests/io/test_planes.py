from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from nnbook.errors import InvalidValueError, NnbookError
from nnbook.io.images import image_shape, read_image
from nnbook.io.planes import Plane
from nnbook.io.scale import image_scale

STACK = np.random.default_rng(8).integers(0, 4096, (3, 2, 20, 30)).astype(np.uint16)
"""Axes (z, channel, y, x)."""


def ome(path: Path) -> None:
    tifffile.imwrite(path, STACK, ome=True, metadata={"axes": "ZCYX", "Channel": {"Name": ["DAPI", "GFP"]}})


def imagej(path: Path) -> None:
    tifffile.imwrite(path, STACK, imagej=True, metadata={"axes": "ZCYX", "Labels": ["DAPI", "GFP"] * 3})


def lsm(path: Path) -> None:
    """Write the beginning of an LSM file: three z planes of three channels, each with a thumbnail."""
    form = np.dtype([(name or "rest", kind) for name, kind in tifffile.TIFF.CZ_LSMINFO]).newbyteorder("<")
    about = np.zeros(1, form)
    about["MagicNumber"], about["StructureSize"] = 67_127_628, form.itemsize
    about["DimensionX"], about["DimensionY"], about["DimensionZ"] = 30, 20, 3
    about["DimensionChannels"], about["DimensionTime"], about["DataType"] = 3, 1, 2
    about["VoxelSizeX"] = about["VoxelSizeY"] = 0.125e-6
    tag = (34_412, "B", form.itemsize, about.tobytes(), True)
    options: dict[str, Any] = {"photometric": "minisblack", "planarconfig": "separate", "metadata": None}
    with tifffile.TiffWriter(path) as tiff:
        for z, plane in enumerate(STACK):
            colours = np.concatenate([plane, plane[:1] + 1])
            tiff.write(colours, extratags=() if z else (tag,), **options)
            tiff.write(colours[:, ::2, ::2], subfiletype=1, **options)


def test_a_plane_and_the_scale_of_an_lsm_file_are_read(tmp_path: Path) -> None:
    lsm(tmp_path / "a.lsm")
    np.testing.assert_array_equal(read_image(tmp_path / "a.lsm", Plane("1", "max")), STACK[:, 1].max(axis=0))
    np.testing.assert_array_equal(read_image(tmp_path / "a.lsm", Plane("2", "0")), STACK[0, 0] + 1)
    assert image_scale(tmp_path / "a.lsm") == 8.0
    with pytest.raises(InvalidValueError, match=r"has 3 channels \(0, 1, 2\) and 3 z planes"):
        read_image(tmp_path / "a.lsm")


@pytest.mark.parametrize("write", [ome, imagej])
@pytest.mark.parametrize(
    ("plane", "expected"),
    [
        (Plane("DAPI", "max"), STACK[:, 0].max(axis=0)),
        (Plane("gfp", "max"), STACK[:, 1].max(axis=0)),
        (Plane("1", "max"), STACK[:, 1].max(axis=0)),
        (Plane("DAPI", "2"), STACK[2, 0]),
        (Plane("0", "0"), STACK[0, 0]),
    ],
)
def test_the_chosen_plane_is_read(tmp_path: Path, write, plane: Plane, expected) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "a.tif"
    write(path)
    np.testing.assert_array_equal(read_image(path, plane), expected)
    assert image_shape(path, plane) == (20, 30)


@pytest.mark.parametrize("write", [ome, imagej])
@pytest.mark.parametrize(
    ("plane", "expected"),
    [
        (None, r"has 2 channels \(0 DAPI, 1 GFP\) and 3 z planes; choose with channel DAPI and project max"),
        (Plane("DAPI"), r"and 3 z planes; choose with project max"),
        (Plane(None, "max"), r"has 2 channels \(0 DAPI, 1 GFP\) and 3 z planes; choose with channel DAPI$"),
        (Plane("RFP", "max"), "channel is 'RFP'; choose one of them"),
        (Plane("2", "max"), "channel is 2; give a number from 0 to 1"),
        (Plane("DAPI", "3"), "project is 3; give a number from 0 to 2"),
    ],
)
def test_without_a_choice_the_message_lists_what_is_there(  # type: ignore[no-untyped-def]
    tmp_path: Path, write, plane: Plane | None, expected: str
) -> None:
    path = tmp_path / "a.tif"
    write(path)
    for read in (read_image, image_shape):
        with pytest.raises(InvalidValueError, match=expected) as caught:
            read(path, plane)
        assert str(caught.value).startswith(f"{path}: ")


def test_pages_that_a_file_does_not_explain_are_chosen_as_channels_or_as_a_stack(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, STACK[:, 0], photometric="minisblack", metadata=None)
    with pytest.raises(InvalidValueError, match="has 3 pages and does not say what they are"):
        read_image(path)
    np.testing.assert_array_equal(read_image(path, Plane(channel="1")), STACK[1, 0])
    np.testing.assert_array_equal(read_image(path, Plane(project="max")), STACK[:, 0].max(axis=0))


def test_one_channel_of_a_picture_in_colours_is_chosen_by_name(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    colours = (STACK[:, 0] >> 4).astype(np.uint8)
    tifffile.imwrite(path, np.moveaxis(colours, 0, -1), photometric="rgb")
    np.testing.assert_array_equal(read_image(path, Plane("blue")), colours[2])


def test_a_series_in_time_is_refused(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", STACK[:, 0], imagej=True, metadata={"axes": "TYX"})
    with pytest.raises(NnbookError, match="has 3 time points; export each as a file"):
        read_image(tmp_path / "a.tif", Plane("0", "max"))


def test_a_choice_that_a_plain_file_does_not_have_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, STACK[0, 0])
    np.testing.assert_array_equal(read_image(path, Plane("0", "max")), STACK[0, 0])
    with pytest.raises(InvalidValueError, match="has one plane alone, and channel is 'DAPI'"):
        read_image(path, Plane("DAPI"))
    with pytest.raises(InvalidValueError, match="has one z plane, and project is 4"):
        read_image(path, Plane(None, "4"))


@pytest.mark.parametrize("project", ["mean", "-1", ""])
def test_only_the_greatest_value_or_a_plane_can_be_chosen(project: str) -> None:
    with pytest.raises(InvalidValueError, match="give max, or the number of a z plane"):
        Plane(None, project)


def test_several_images_in_a_file_are_refused(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "a.tif") as tiff:
        tiff.write(STACK[0, 0])
        tiff.write(STACK[0, 0, :9])
    with pytest.raises(NnbookError, match="has 2 images"):
        read_image(tmp_path / "a.tif")
