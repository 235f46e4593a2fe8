import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
import zarr
from numpy.typing import NDArray
from ome_types import from_tiff

from nnbook.cli import main
from nnbook.io.images import read_image
from nnbook.io.scale import image_scale
from nnbook.viewers.ome import NUCLEI, write_ome_tiff, write_ome_zarr

SCALE = 8.0453
HEIGHT, WIDTH = 1033, 1310  # odd once or twice on the way down: 1033 x 1310, 517 x 655, 259 x 328
SIZES = [(1033, 1310), (517, 655), (259, 328)]


@pytest.fixture(scope="module")
def image() -> NDArray[Any]:
    return np.random.default_rng(4).integers(0, 4096, (HEIGHT, WIDTH), np.uint16)


@pytest.fixture(scope="module")
def labels() -> NDArray[Any]:
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    found: NDArray[Any] = ((y // 9) * 700 + x // 9 + 1).astype(np.int32)  # beyond 65,535
    found[(y % 9 < 2) | (x % 9 < 2)] = 0
    return found


@pytest.fixture(scope="module")
def ome_zarr(image: NDArray[Any], labels: NDArray[Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("zarr") / "P.ome.zarr"
    assert write_ome_zarr(path, image, labels, px_per_um=SCALE) == 3
    return path


@pytest.fixture(scope="module")
def ome_tiff(image: NDArray[Any], labels: NDArray[Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tiff") / "P.ome.tif"
    assert write_ome_tiff(path, image, labels, px_per_um=SCALE) == 3
    return path


def levels_of(group: Any) -> list[NDArray[Any]]:
    """The pyramid as a reader finds it, by the metadata alone."""
    [pyramid] = group.attrs["ome"]["multiscales"]
    return [np.asarray(group[dataset["path"]]) for dataset in pyramid["datasets"]]


def tiff_levels(series: Any) -> list[NDArray[Any]]:
    return [level.asarray() for level in series.levels]


def check_levels(image: NDArray[Any], labels: NDArray[Any], images: list[Any], masks: list[Any]) -> None:
    assert [level.shape for level in images] == [level.shape for level in masks] == SIZES
    np.testing.assert_array_equal(images[0], image)
    np.testing.assert_array_equal(masks[0], labels)
    assert {level.dtype for level in images} == {np.dtype(np.uint16)}
    assert {level.dtype for level in masks} == {np.dtype(np.uint32)}
    for finer, coarser in pairwise(images):
        height, width = (size // 2 for size in finer.shape)
        blocks = finer[: 2 * height, : 2 * width].reshape(height, 2, width, 2).astype(float)
        np.testing.assert_array_equal(coarser[:height, :width], np.floor(blocks.mean(axis=(1, 3)) + 0.5))
    assert images[1][-1, 0] == int(image[-1, :2].mean() + 0.5), "the last row has no other below it"
    for level, mask in enumerate(masks):
        np.testing.assert_array_equal(mask, labels[:: 2**level, :: 2**level])


def test_ome_zarr_has_every_pixel_and_every_label(ome_zarr: Path, image: NDArray[Any], labels: NDArray[Any]) -> None:
    root: Any = zarr.open_group(ome_zarr, mode="r")
    assert root.metadata.zarr_format == 3
    assert root["labels"].attrs["ome"]["labels"] == [NUCLEI]
    nuclei = root["labels"][NUCLEI]
    check_levels(image, labels, levels_of(root), levels_of(nuclei))
    source = ome_zarr / "labels" / NUCLEI / nuclei.attrs["ome"]["image-label"]["source"]["image"]
    assert source.resolve() == ome_zarr


def test_ome_zarr_keeps_to_its_specification(ome_zarr: Path) -> None:
    """What 0.5 asks of groups and arrays; see the module for the whole."""
    for folder in (ome_zarr, ome_zarr / "labels" / NUCLEI):
        ome = json.loads((folder / "zarr.json").read_text("utf-8"))["attributes"]["ome"]
        assert ome["version"] == "0.5"
        [pyramid] = ome["multiscales"]
        assert pyramid["axes"] == [{"name": name, "type": "space", "unit": "micrometer"} for name in "yx"]
        for number, dataset in enumerate(pyramid["datasets"]):
            scale, translation = dataset["coordinateTransformations"]
            assert scale == {"type": "scale", "scale": pytest.approx([2**number / SCALE] * 2)}
            # The first pixel of a level has its centre in that of the pixels that it is made of.
            assert translation["translation"] == pytest.approx([(2**number - 1) / 2 / SCALE] * 2)
            about = json.loads((folder / dataset["path"] / "zarr.json").read_text("utf-8"))
            assert about["dimension_names"] == ["y", "x"]


def test_no_chunk_is_left_out(tmp_path: Path) -> None:
    """A chunk that is missing is a fault of the copy, and no background."""
    write_ome_zarr(tmp_path / "P.ome.zarr", np.zeros((1030, 40), np.uint8), px_per_um=1)
    assert len(list((tmp_path / "P.ome.zarr" / "0").rglob("c/*/*"))) == 2


def test_ome_tiff_has_every_pixel_and_every_label(ome_tiff: Path, image: NDArray[Any], labels: NDArray[Any]) -> None:
    with tifffile.TiffFile(ome_tiff) as tiff:
        assert [series.name for series in tiff.series] == ["P", NUCLEI]
        check_levels(image, labels, *map(tiff_levels, tiff.series))
        assert all(level.keyframe.is_tiled for series in tiff.series for level in series.levels)
        assert all(level.keyframe.is_reduced for series in tiff.series for level in series.levels[1:])
    said = from_tiff(ome_tiff)
    assert [one.name for one in said.images] == ["P", NUCLEI]
    for one in said.images:
        assert (one.pixels.size_y, one.pixels.size_x) == (HEIGHT, WIDTH)
        assert one.pixels.physical_size_x == one.pixels.physical_size_y == pytest.approx(1 / SCALE)
        assert one.pixels.physical_size_x_unit.value == "µm"


def test_the_same_panorama_makes_the_same_file(
    ome_tiff: Path, image: NDArray[Any], labels: NDArray[Any], tmp_path: Path
) -> None:
    write_ome_tiff(tmp_path / "P.ome.tif", image, labels, px_per_um=SCALE)
    assert (tmp_path / "P.ome.tif").read_bytes() == ome_tiff.read_bytes()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_an_image_alone_is_read_again_as_it_was(tmp_path: Path, image: NDArray[Any], dtype: type) -> None:
    path = tmp_path / "P.ome.tif"
    write_ome_tiff(path, image[:600, :700].astype(dtype), px_per_um=SCALE)
    np.testing.assert_array_equal(read_image(path), image[:600, :700].astype(dtype))
    assert image_scale(path) == pytest.approx(SCALE)


def write_files(folder: Path, mask_width: int = 60, **options: Any) -> list[str]:
    tifffile.imwrite(folder / "P.tif", np.full((50, 60), 9, np.uint8), **options)
    tifffile.imwrite(folder / "M.tif", np.tile(np.arange(mask_width, dtype=np.uint16) // 9, (50, 1)))
    return ["pyramid", str(folder / "P.tif"), "--mask", str(folder / "M.tif"), "--out"]


def test_the_command_writes_either(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call = write_files(tmp_path, resolution=(SCALE * 1e4, SCALE * 1e4), resolutionunit="CENTIMETER")
    assert main([*call, str(tmp_path / "P.ome.zarr"), "--ome-zarr"]) == 0
    assert main([*call, str(tmp_path / "P.ome.tif"), "--ome-tiff", "--json"]) == 0
    assert '"levels": 1' in capsys.readouterr().out
    assert image_scale(tmp_path / "P.ome.tif") is not None
    group: Any = zarr.open_group(tmp_path / "P.ome.zarr", mode="r")
    [pyramid] = group.attrs["ome"]["multiscales"]
    assert pyramid["datasets"][0]["coordinateTransformations"][0]["scale"] == pytest.approx([1 / SCALE] * 2, rel=1e-5)


@pytest.mark.parametrize("form", ["--ome-zarr", "--ome-tiff"])
@pytest.mark.parametrize(
    ("more", "told"),
    [
        ([], "P.tif: doesn't say how large its pixels are; give --px-per-um, pixels a micrometre"),
        (["--px-per-um", "0"], "--px-per-um is 0.0; give pixels a micrometre, above 0"),
        (["--px-per-um", "8"], "has 60 x 50 px but its mask 61 x 50; segment this image again"),
    ],
)
def test_what_is_wrong_is_one_line_and_nothing_is_half_made(
    form: str, more: list[str], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call = write_files(tmp_path, mask_width=61)
    assert main([*call, str(tmp_path / "out"), form, *more]) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert told in line
    assert {path.name for path in tmp_path.iterdir()} == {"P.tif", "M.tif"}


def test_deep_zoom_has_no_scale(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([*write_files(tmp_path), str(tmp_path / "out"), "--px-per-um", "8"])
    assert "--px-per-um is for --ome-zarr and --ome-tiff" in capsys.readouterr().err
