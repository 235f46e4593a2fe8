import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pyvips
import tifffile
from numpy.typing import NDArray
from skimage.io import imread

from nnbook.cli import main
from nnbook.errors import NnbookError
from nnbook.io.images import Image, Labels, to_8_bits
from nnbook.viewers.pyramid import (
    INTENSITY_OVERLAP_PX,
    INTENSITY_TILE_PX,
    LABEL_TILE_PX,
    MAX_LABEL,
    tile_names,
    write_preview,
    write_pyramid,
)

HEIGHT, WIDTH = 1100, 1337
LEVELS = 12  # 2^10 < 1337 <= 2^11, and level 0 is one pixel


@pytest.fixture(scope="module")
def scene() -> tuple[Image, Labels]:
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    image = (128 + 60 * np.sin(x / 40) + 60 * np.cos(y / 55)).astype(np.uint8)
    labels = ((y // 37) * 4000 + (x // 23) * 7).astype(np.int32)  # beyond 65,535: all three channels are used
    labels[(y + x) % 91 < 30] = 0
    labels[5:9, 5:9] = MAX_LABEL
    return image, labels


@pytest.fixture(scope="module")
def folder(scene: tuple[Image, Labels], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pyramids") / "P"
    write_pyramid(folder, *scene)
    return folder


@pytest.mark.parametrize("level", range(LEVELS))
def test_labels_of_every_level_are_every_sth_pixel(folder: Path, scene: tuple[Image, Labels], level: int) -> None:
    step = 2 ** (LEVELS - 1 - level)
    expected = scene[1][::step, ::step]
    found = np.full(expected.shape, -1, np.int64)
    for tile in (folder / "labels_files" / str(level)).iterdir():
        column, row = (LABEL_TILE_PX * int(number) for number in tile.stem.split("_"))
        rgb = imread(tile).astype(np.int64)
        assert found[row : row + LABEL_TILE_PX, column : column + LABEL_TILE_PX].shape == rgb.shape[:2]
        found[row : row + rgb.shape[0], column : column + rgb.shape[1]] = rgb @ [1, 256, 65_536]
    np.testing.assert_array_equal(found, expected)


def test_the_truth_is_written_as_masks_are_and_mistakes_go_with_it(scene: tuple[Image, Labels], tmp_path: Path) -> None:
    image, labels = scene
    wrong = {"columns": {"kind": ["missed"]}}
    write_pyramid(tmp_path / "P.zip", image, labels[::-1], truth=labels, mistakes=wrong, zipped=True)
    write_pyramid(tmp_path / "T", image, labels)
    with zipfile.ZipFile(tmp_path / "P.zip") as archive:
        assert json.loads(archive.read("mistakes.json")) == wrong
        for path in ("dzi", "_files/11/1_2.png"):
            name = f"truth.{path}" if path == "dzi" else f"truth{path}"
            assert archive.read(name) == (tmp_path / "T" / name.replace("truth", "labels")).read_bytes()
        assert archive.read("labels_files/11/1_2.png") != archive.read("truth_files/11/1_2.png")
    with pytest.raises(NnbookError, match="px but its mask"):
        write_pyramid(tmp_path / "Q", image, labels, truth=labels[:-1])


@pytest.mark.parametrize("damage", ["deleted", "empty", "cut off"])
@pytest.mark.parametrize("name", ["labels_files/11/1_1.png", "intensity_files/0/0_0.jpg", "intensity.dzi"])
def test_a_tile_that_a_full_disk_left_out_or_half_written_is_noticed(
    tmp_path: Path, scene: tuple[Image, Labels], monkeypatch: pytest.MonkeyPatch, name: str, damage: str
) -> None:
    save = pyvips.Image.dzsave

    def full(image: Any, stem: str, **options: Any) -> None:
        save(image, stem, **options)
        tile = Path(stem).parent / name
        if tile.is_file():
            whole = tile.read_bytes()
            tile.unlink()
            if damage != "deleted":
                tile.write_bytes(whole[: -9 if damage == "cut off" else 0])

    monkeypatch.setattr(pyvips.Image, "dzsave", full, raising=False)
    with pytest.raises(NnbookError, match=rf"P: its tile {Path(name).name} was not written whole"):
        write_pyramid(tmp_path / "P", *scene)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("size", [(1, 1), (1, 700), (511, 3), (1021, 1020), (1337, 1100)])
def test_every_tile_is_named(tmp_path: Path, size: tuple[int, int]) -> None:
    write_pyramid(tmp_path / "P", np.zeros(size, np.uint8))
    layer = tmp_path / "P" / "intensity_files"
    there = {path.relative_to(layer).with_suffix("").as_posix() for path in layer.rglob("*.jpg")}
    assert set(tile_names(size[1], size[0], INTENSITY_TILE_PX)) == there


def test_no_further_level(folder: Path) -> None:
    for layer in ("labels_files", "intensity_files"):
        assert sorted(int(path.name) for path in (folder / layer).iterdir() if path.is_dir()) == list(range(LEVELS))


def test_full_size_intensity_is_the_image(folder: Path, scene: tuple[Image, Labels]) -> None:
    seen = np.zeros(scene[0].shape, bool)
    for tile in (folder / "intensity_files" / str(LEVELS - 1)).iterdir():
        column, row = (max(0, INTENSITY_TILE_PX * int(n) - INTENSITY_OVERLAP_PX) for n in tile.stem.split("_"))
        pixels = imread(tile).astype(int)
        here = np.s_[row : row + pixels.shape[0], column : column + pixels.shape[1]]
        assert np.abs(pixels - scene[0][here]).max() <= 8, tile.name
        seen[here] = True
    assert seen.all()


def test_a_coarse_intensity_is_the_mean(folder: Path, scene: tuple[Image, Labels]) -> None:
    coarse = imread(folder / "intensity_files" / str(LEVELS - 1 - 2) / "0_0.jpg").astype(float)
    size = min(coarse.shape[0], HEIGHT // 4), min(coarse.shape[1], WIDTH // 4)
    means = scene[0][: 4 * size[0], : 4 * size[1]].reshape(size[0], 4, size[1], 4).mean(axis=(1, 3))
    assert np.abs(coarse[: size[0], : size[1]] - means).mean() < 2


def test_counts_what_it_wrote_and_replaces_what_was_there(tmp_path: Path) -> None:
    image = np.zeros((600, 20), np.uint8)
    write_pyramid(tmp_path / "P", image, image.astype(np.int32))
    written = write_pyramid(tmp_path / "P", image)
    files = [path for path in (tmp_path / "P").rglob("*") if path.suffix in {".jpg", ".png"}]
    assert written.tiles == len(files)
    assert written.bytes == sum(path.stat().st_size for path in files)
    assert not (tmp_path / "P" / "labels.dzi").exists(), "the labels of the earlier pyramid stayed"
    assert [path.name for path in tmp_path.iterdir()] == ["P"]


def tiles_of(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def stored(tmp_path: Path, image: NDArray[Any], labels: NDArray[Any], **options: Any) -> tuple[Path, Path]:
    """Write both as TIFF files."""
    tifffile.imwrite(tmp_path / "image.tif", image, metadata=None, **options)
    tifffile.imwrite(tmp_path / "mask.tif", labels, metadata=None, **options)
    return tmp_path / "image.tif", tmp_path / "mask.tif"


@pytest.mark.parametrize(
    ("dtype", "options"),
    [
        ("uint16", {"compression": "zlib", "predictor": True, "rowsperstrip": 64}),
        ("uint16", {"tile": (128, 128), "byteorder": ">"}),
        ("uint8", {}),
        ("uint32", {"compression": "lzw"}),
        ("int32", {"compression": "zstd"}),
    ],
)
def test_files_give_the_tiles_of_their_arrays(
    tmp_path: Path, scene: tuple[Image, Labels], dtype: str, options: dict[str, Any]
) -> None:
    image, labels = scene[0], (scene[1] % 65_536).astype(dtype)
    if dtype == "uint8":
        labels[scene[1] > 255] = 0
    write_pyramid(tmp_path / "A", image, labels.astype(np.int32))
    write_pyramid(tmp_path / "F", *stored(tmp_path, image, labels, **options))
    assert tiles_of(tmp_path / "F") == tiles_of(tmp_path / "A")


def test_a_file_whose_least_value_is_white_gives_tiles_of_what_it_shows(
    tmp_path: Path, scene: tuple[Image, Labels]
) -> None:
    path, _ = stored(tmp_path, scene[0], scene[1], photometric="miniswhite")
    write_pyramid(tmp_path / "A", 255 - scene[0])
    write_pyramid(tmp_path / "F", path)
    assert tiles_of(tmp_path / "F") == tiles_of(tmp_path / "A")


def test_a_file_of_16_bits_is_stretched_as_its_array(tmp_path: Path, scene: tuple[Image, Labels]) -> None:
    image = scene[0].astype(np.uint16) * 13 + 400
    path, _ = stored(tmp_path, image, scene[1])
    write_pyramid(tmp_path / "A", image)
    write_pyramid(tmp_path / "F", path)
    assert tiles_of(tmp_path / "F") == tiles_of(tmp_path / "A")


def test_a_file_damaged_inside_is_named_and_leaves_nothing(tmp_path: Path, scene: tuple[Image, Labels]) -> None:
    path, _ = stored(tmp_path, scene[0], scene[1], compression="zlib", rowsperstrip=64)
    with tifffile.TiffFile(path) as tiff:
        place = tiff.pages.first.dataoffsets[9]
    with path.open("r+b") as file:
        file.seek(place)
        file.write(b"nothing that zlib knows")
    with pytest.raises(NnbookError, match=r"image\.tif: can't be read .* damaged"):
        write_pyramid(tmp_path / "P", path)
    assert not (tmp_path / "P").exists()


def test_a_zip_holds_the_same_files_uncompressed_and_is_the_same_every_time(
    tmp_path: Path, folder: Path, scene: tuple[Image, Labels]
) -> None:
    written = write_pyramid(tmp_path / "P.zip", *scene, zipped=True)
    with zipfile.ZipFile(tmp_path / "P.zip") as archive:
        assert {entry.compress_type for entry in archive.infolist()} == {zipfile.ZIP_STORED}
        assert {name: archive.read(name) for name in archive.namelist()} == tiles_of(folder)
    assert written.tiles == len([name for name in tiles_of(folder) if not name.endswith(".dzi")])
    first = (tmp_path / "P.zip").read_bytes()
    write_pyramid(tmp_path / "P.zip", *scene, zipped=True)
    assert (tmp_path / "P.zip").read_bytes() == first
    assert [path.name for path in tmp_path.iterdir()] == ["P.zip"]


def test_the_command_tells_how_much_it_wrote(
    tmp_path: Path, scene: tuple[Image, Labels], capsys: pytest.CaptureFixture[str]
) -> None:
    image, mask = stored(tmp_path, *scene)
    assert main(["pyramid", str(image), "--mask", str(mask), "--out", str(tmp_path / "P"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    sizes = [len(data) for name, data in tiles_of(tmp_path / "P").items() if not name.endswith(".dzi")]
    assert (told["tiles"], told["bytes"]) == (len(sizes), sum(sizes))
    assert main(["pyramid", str(image), "--mask", str(mask), "--out", str(tmp_path / "P.zip"), "--zip"]) == 0
    assert f"tiles: {len(sizes)}\nbytes: {sum(sizes)}\n" in capsys.readouterr().out
    assert zipfile.is_zipfile(tmp_path / "P.zip")


@pytest.mark.parametrize(
    ("labels", "named"),
    [
        (np.zeros((8, 10), np.int32), "P: the image has 9 x 8 px but its mask 10 x 8;"),
        (np.full((8, 9), MAX_LABEL + 1, np.int32), "P: has labels above 16,777,215"),
    ],
)
def test_labels_that_do_not_fit_leave_nothing(tmp_path: Path, labels: Labels, named: str) -> None:
    with pytest.raises(NnbookError, match=named):
        write_pyramid(tmp_path / "P", np.zeros((8, 9), np.uint8), labels)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("shape", "expected"), [((1536, 800), (768, 400)), ((30, 40), (30, 40))])
def test_a_preview_is_the_whole_picture_and_never_enlarged(
    tmp_path: Path, shape: tuple[int, int], expected: tuple[int, int]
) -> None:
    y, x = np.mgrid[: shape[0], : shape[1]]
    image = (200 * y / shape[0] + 50 * x / shape[1]).astype(np.uint16)
    write_preview(tmp_path / "P.jpg", image)
    shown, stretched = imread(tmp_path / "P.jpg"), to_8_bits(image)
    assert shown.shape == expected
    step = shape[0] // expected[0]
    assert np.abs(shown.astype(int) - stretched[::step, ::step].astype(int)).mean() < 3
    assert [path.name for path in tmp_path.iterdir()] == ["P.jpg"]


def test_a_preview_that_a_full_disk_cut_off_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        pyvips.Image, "jpegsave", lambda _, path, **__: Path(path).write_bytes(b"\xff\xd8"), raising=False
    )
    with pytest.raises(NnbookError, match=r"P\.jpg: .*was not written whole"):
        write_preview(tmp_path / "P.jpg", np.zeros((9, 9), np.uint8))
    assert list(tmp_path.iterdir()) == []
