import errno
import json
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pandas as pd
import pytest
import zarr

from nnbook.cells import overview
from nnbook.cells import writer as stage
from nnbook.cells.croissant import describe_store
from nnbook.cells.shards import set_length, write_shard
from nnbook.cells.store import MaskedPanorama, read_cells
from nnbook.cells.writer import write_cells
from nnbook.cli import main
from nnbook.errors import NnbookError
from nnbook.io.files import write_json
from nnbook.io.images import Image, Labels, NarrowLabels, read_narrow_mask, to_8_bits, write_image, write_mask
from nnbook.io.manifest import write_manifest
from nnbook.measurement.rois import measure_panorama
from nnbook.simulation.dataset import simulate_manifest

SCALE = 8.0453


def scene(folder: Path, name: str, seed: int = 1) -> tuple[Image, Labels]:
    """A panorama of 12 ellipses, one of them cut by the edge and one larger than the frame, with its mask."""
    rng = np.random.default_rng(seed)
    image, labels = rng.integers(5, 250, (700, 900), np.uint8), np.zeros((700, 900), np.int32)
    y, x = np.mgrid[:700, :900]
    places = [(80 + 110 * (k % 4), 90 + 120 * (k // 4), 40, 25) for k in range(10)] + [(600, 0, 30, 20)]
    for number, (cx, cy, a, b) in enumerate([*places, (700, 500, 140, 40)]):
        turn = rng.uniform(0, np.pi)
        u, v = (x - cx) * np.cos(turn) + (y - cy) * np.sin(turn), (y - cy) * np.cos(turn) - (x - cx) * np.sin(turn)
        labels[(u / a) ** 2 + (v / b) ** 2 <= 1] = 3 * number + 2
    write_image(folder / f"{name}.tif", image, px_per_um=SCALE)
    write_mask(folder / f"{name}_cp_masks.tif", labels)
    return image, labels


def scenes(folder: Path, *names: str) -> list[MaskedPanorama]:
    tables = []
    for seed, name in enumerate(names):
        tables.append(measure_panorama(name, *scene(folder, name, seed), SCALE))
    pd.concat(tables).to_parquet(folder / "rois.parquet", index=False, row_group_size=7)
    return [
        MaskedPanorama(name, int(name[3]), "P12", folder / f"{name}.tif", folder / f"{name}_cp_masks.tif")
        for name in names
    ]


def write(folder: Path, panoramas: list[MaskedPanorama], **options: Any) -> dict[str, Any]:
    return write_cells(
        folder / "cells", panoramas, folder / "rois.parquet", edition="twin", note="N.", px_per_um=SCALE, **options
    )


def test_a_store_has_a_row_and_an_image_a_cell_in_order_of_run(tmp_path: Path) -> None:
    panoramas = scenes(tmp_path, "Run2TL_top_left", "Run1TL_top_left", "Run1BL_bottom_left")
    told = write(tmp_path, panoramas)
    cells = read_cells(tmp_path / "cells")
    assert told == cells.about == json.loads((tmp_path / "cells" / "cells.json").read_text())
    assert told["left_out"] == {"at_border": 3, "larger_than_frame": 3}
    assert told["runs"] == [
        {"run": 1, "passage": "P12", "first": 0, "cells": 20},
        {"run": 2, "passage": "P12", "first": 20, "cells": 10},
    ]
    described = json.loads((tmp_path / "cells" / "croissant.json").read_text())
    assert described == describe_store(tmp_path / "cells", told)
    assert cells.images.shape == (30, 256, 256)
    assert cells.thumbnails.shape == (30, 64, 64)
    assert cells.table["cell"].iloc[[0, 10, 20]].tolist() == [
        "Run1TL_top_left_ROI_2",
        "Run1BL_bottom_left_ROI_2",
        "Run2TL_top_left_ROI_2",
    ]
    areas = (cells.table["area_um2"] * SCALE**2).round().to_numpy()
    assert [np.count_nonzero(cells.images[i]) for i in range(30)] == pytest.approx(areas, rel=0.02)
    image = cells.images[5].astype(int)
    means = (image.reshape(64, 4, 64, 4).sum(axis=(1, 3)) + 8) // 16
    np.testing.assert_array_equal(cells.thumbnails[5], means)


def test_a_store_of_very_many_cells_has_an_overview_and_a_first_draw(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overview, "FEWEST_CELLS", 15)
    path = tmp_path / "cells" / "overview.parquet"
    assert "overview" not in write(tmp_path, scenes(tmp_path, "Run1TL_top_left"))
    assert not path.exists()
    panoramas = scenes(tmp_path, "Run1TL_top_left", "Run2TL_top_left")
    told = write(tmp_path, panoramas)
    assert (told["overview"]["cells"], told["cells"]) == (20, 20)
    drawn = zarr.open_array(tmp_path / "cells" / told["draw"]["thumbnails"], mode="r")
    assert sorted(told["draw"]["cells"]) == list(range(20))
    assert told["draw"]["cells"] != list(range(20))
    np.testing.assert_array_equal(
        np.asarray(drawn[:]), read_cells(tmp_path / "cells").thumbnails[told["draw"]["cells"]]
    )
    assert told == json.loads((tmp_path / "cells" / "cells.json").read_text())
    before = path.read_bytes()
    path.unlink()
    shutil.rmtree(tmp_path / "cells" / "draw.zarr")
    write(tmp_path, panoramas)
    assert path.read_bytes() == before
    assert (tmp_path / "cells" / "draw.zarr" / "thumbnails" / "c" / "0" / "0" / "0").is_file()


def test_the_last_panorama_may_give_no_cell(tmp_path: Path) -> None:
    panoramas = scenes(tmp_path, "Run1TL_top_left")
    name = "Run2TL_top_left"
    write_image(tmp_path / f"{name}.tif", np.zeros((70, 90), np.uint8), px_per_um=SCALE)
    write_mask(tmp_path / f"{name}_cp_masks.tif", np.zeros((70, 90), np.int32))
    black = MaskedPanorama(name, 2, "P12", tmp_path / f"{name}.tif", tmp_path / f"{name}_cp_masks.tif")
    assert write(tmp_path, [*panoramas, black])["cells"] == 10
    cells = read_cells(tmp_path / "cells")
    assert (len(cells), len(cells.images)) == (10, 10)
    assert cells.images[9].any()


def test_without_panoramas_there_is_a_store_of_no_cells(tmp_path: Path) -> None:
    write_cells(tmp_path / "cells", [], None, edition="published", note="None here.", px_per_um=SCALE)
    cells = read_cells(tmp_path / "cells")
    assert (len(cells), cells.images.shape, cells.thumbnails.shape) == (0, (0, 256, 256), (0, 64, 64))
    assert cells.about["note"] == "None here."
    assert cells.about["runs"] == []


def one_panorama(folder: Path, image: Image, labels: Labels, name: str = "Run1TL_top_left") -> list[MaskedPanorama]:
    """A panorama with its mask and its measurements."""
    write_image(folder / f"{name}.tif", image)
    write_mask(folder / f"{name}_cp_masks.tif", labels)
    measure_panorama(name, image, labels, SCALE).to_parquet(folder / "rois.parquet", index=False)
    return [MaskedPanorama(name, 1, "", folder / f"{name}.tif", folder / f"{name}_cp_masks.tif")]


def test_labels_that_skip_numbers_keep_them(tmp_path: Path) -> None:
    image, labels = np.full((60, 60), 90, np.uint8), np.zeros((60, 60), np.int32)
    labels[5:20, 5:20], labels[30:50, 30:45] = 7, 70_001
    write(tmp_path, one_panorama(tmp_path, image, labels))
    cells = read_cells(tmp_path / "cells")
    assert cells.table["cell"].tolist() == ["Run1TL_top_left_ROI_7", "Run1TL_top_left_ROI_70001"]
    assert [np.count_nonzero(cells.images[i]) for i in range(2)] == [15 * 15, 20 * 15]
    assert cells.table["passage"].isna().all()


def test_a_nucleus_of_one_pixel_is_a_cell_and_one_that_fills_the_image_is_none(tmp_path: Path) -> None:
    image, labels = np.full((60, 60), 90, np.uint8), np.zeros((60, 60), np.int32)
    labels[30, 31] = 1
    write(tmp_path, one_panorama(tmp_path, image, labels))
    assert np.count_nonzero(read_cells(tmp_path / "cells").images[0]) == 1
    told = write(tmp_path, one_panorama(tmp_path, image, np.ones((60, 60), np.int32)))
    assert (told["cells"], told["left_out"]) == (0, {"at_border": 1, "larger_than_frame": 0})
    assert len(read_cells(tmp_path / "cells")) == 0


def test_more_than_8_bits_are_brought_to_8_by_the_panorama(tmp_path: Path) -> None:
    image, labels = np.random.default_rng(5).integers(900, 4000, (90, 90), np.uint16), np.zeros((90, 90), np.int32)
    image[:, 60:] += 40_000
    labels[10:31, 10:51] = 1
    write(tmp_path, one_panorama(tmp_path, image, labels))
    cells = read_cells(tmp_path / "cells")
    expected = to_8_bits(image)[10:31, 10:51]
    copied = cells.images[0][117:138, 107:148]
    assert any(np.array_equal(copied, np.rot90(expected, half)) for half in (0, 2))
    assert cells.table["mean_intensity"][0] == pytest.approx(image[10:31, 10:51].mean()), (
        "measured in the file's levels"
    )


def test_a_mask_of_another_size_is_told_before_anything_is_cut(tmp_path: Path) -> None:
    panoramas = scenes(tmp_path, "Run1TL_top_left", "Run2TL_top_left")
    write_mask(panoramas[1].mask, np.ones((700, 901), np.int32))
    with pytest.raises(
        NnbookError, match=r"Run2TL_top_left_cp_masks.tif: is 901 x 700 px but .* 900 x 700 px; segment"
    ):
        write(tmp_path, panoramas)
    assert [path.name for path in tmp_path.glob("*cells*") if path.is_dir()] == []


def test_a_mask_that_was_not_the_one_measured_is_told(tmp_path: Path) -> None:
    panoramas = scenes(tmp_path, "Run1TL_top_left")
    scene(tmp_path, "Run1TL_top_left", seed=9)
    with pytest.raises(NnbookError, match=r"Run1TL_top_left_cp_masks.tif: nucleus 2 of the mask is not where it was"):
        write(tmp_path, panoramas)


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda path: path.unlink(), r"no such file; make it with 'nnbook measure'"),
        (
            lambda path: path.write_bytes(path.read_bytes()[:-9]),
            r"can't be read as Parquet \(it is cut off\)",
        ),
        (lambda path: pd.DataFrame({"x": [1]}).to_parquet(path), "has no column area_um2, at_border, height_px"),
        (lambda path: pd.read_parquet(path).drop(columns="left_px").to_parquet(path), "has no column left_px;"),
        (lambda path: pd.read_parquet(path).assign(panorama="Run9TL_top_left").to_parquet(path), "of any of these"),
        (lambda path: pd.concat([pd.read_parquet(path)] * 2).to_parquet(path), "isn't in order of panorama"),
    ],
)
def test_what_are_no_measurements_of_these_panoramas_is_told(
    tmp_path: Path, damage: Callable[[Path], object], told: str
) -> None:
    panoramas = scenes(tmp_path, "Run1TL_top_left", "Run2TL_top_left")
    damage(tmp_path / "rois.parquet")
    with pytest.raises(NnbookError, match=rf"rois.parquet: .*{told}"):
        write(tmp_path, panoramas)


def test_the_command_takes_runs_from_a_manifest_and_says_what_was_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scenes(tmp_path, "Run1TL_top_left")
    (tmp_path / "masks").mkdir()
    (tmp_path / "Run1TL_top_left_cp_masks.tif").rename(tmp_path / "masks" / "Run1TL_top_left_cp_masks.tif")
    row = simulate_manifest(1, 1, 256)[0]
    row = type(row)(**{**vars(row), "image": "Run1TL_top_left.tif", "run": 8, "passage": "P7", "source": ""})
    write_manifest(tmp_path / "manifest.csv", [row])
    call = ["cells", "--masks", str(tmp_path / "masks"), "--rois", str(tmp_path / "rois.parquet")]
    assert main([*call, str(tmp_path / "manifest.csv"), "--out", str(tmp_path / "a")]) == 0
    assert capsys.readouterr().out == f"cells: 10\nat_border: 1\nlarger_than_frame: 1\nout: {tmp_path / 'a'}\n"
    assert read_cells(tmp_path / "a").about["runs"] == [{"run": 8, "passage": "P7", "first": 0, "cells": 10}]
    assert main([*call, str(tmp_path / "Run1TL_top_left.tif"), "--out", str(tmp_path / "b"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["cells"] == 10
    assert read_cells(tmp_path / "b").table["run"].unique().tolist() == [1]


@pytest.fixture
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shards so small that two panoramas fill several."""
    monkeypatch.setattr(stage, "CELLS_PER_SHARD", 3)
    monkeypatch.setattr(stage, "ROWS_PER_GROUP", 12)


NAMES = ("Run1TL_top_left", "Run1TR_top_left", "Run2TL_top_left")


def files_of(folder: Path) -> dict[Path, bytes]:
    """Return the files of a store, but for its record, which has the times of its parts."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != "record.json"]
    return {path.relative_to(folder): path.read_bytes() for path in files}


class Killed(BaseException):
    """What nothing catches, as nothing catches a kill."""


def die_at(
    count: int, function: Callable[..., Any], *, before: Callable[..., object] = lambda *_: None
) -> Callable[..., Any]:
    """Return a function that does as another, but for one call."""
    calls = iter(range(1_000_000))

    def dying(*arguments: Any, **options: Any) -> Any:
        if next(calls) == count:
            before(*arguments)
            raise Killed
        return function(*arguments, **options)

    return dying


def write_anew(folder: Path, panoramas: list[MaskedPanorama]) -> dict[Path, bytes]:
    """Write a store with nothing there before; return its files."""
    for there in ("cells", "cells-parts"):
        shutil.rmtree(folder / there, ignore_errors=True)
    write(folder, panoramas)
    return files_of(folder / "cells")


def half_a_shard(array: Path, number: int, images: Sequence[bytes], per_shard: int) -> None:
    path = write_shard(array, number, images, per_shard)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.mark.parametrize(
    ("name", "count"),
    [("write_shard", 0), ("write_shard", 4), ("write_shard", 5), ("write_shard", 14),
     ("write_parquet", 0), ("write_parquet", 2), ("link_or_copy", 5), ("set_length", 0), ("write_json", 0),
     ("encode", 0), ("encode", 40)],
)  # fmt: skip
@pytest.mark.usefixtures("small_shards")
def test_a_store_that_was_cut_off_is_completed_to_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, count: int
) -> None:
    panoramas = scenes(tmp_path, *NAMES)
    whole = write_anew(tmp_path, panoramas)
    for there in ("cells", "cells-parts"):
        shutil.rmtree(tmp_path / there)
    with monkeypatch.context() as dying:
        before = half_a_shard if name == "write_shard" else lambda *_: None
        dying.setattr(stage, name, die_at(count, getattr(stage, name), before=before))
        with pytest.raises(Killed):
            write(tmp_path, panoramas)
    with pytest.raises(NnbookError, match=r"cells: holds no store of cells"):
        read_cells(tmp_path / "cells")
    write(tmp_path, panoramas)
    assert files_of(tmp_path / "cells") == whole
    left = [path for path in tmp_path.rglob("*") if path.is_dir() and path.name.startswith(".")]
    assert left == [], "nothing that was begun is left"


@pytest.fixture
def cut(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the masks from which cells are cut."""
    read: list[str] = []

    def noted(path: Path, shape: tuple[int, int]) -> NarrowLabels | Labels:
        read.append(path.name.removesuffix("_cp_masks.tif"))
        return read_narrow_mask(path, shape)

    monkeypatch.setattr(stage, "read_narrow_mask", noted)
    return read


@pytest.mark.usefixtures("small_shards")
def test_only_what_was_not_written_is_cut_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cut: list[str]
) -> None:
    panoramas = scenes(tmp_path, *NAMES)
    with monkeypatch.context() as dying:
        dying.setattr(stage, "set_length", die_at(0, set_length))
        with pytest.raises(Killed):
            write(tmp_path, panoramas)
    shutil.rmtree(tmp_path / "cells-parts" / NAMES[1])
    cut.clear()
    write(tmp_path, panoramas)
    assert cut == [NAMES[1]]


@pytest.mark.usefixtures("small_shards")
def test_a_panorama_that_changed_costs_one(tmp_path: Path, cut: list[str]) -> None:
    panoramas = scenes(tmp_path, *NAMES)
    write(tmp_path, panoramas)
    image, labels = scene(tmp_path, NAMES[0], seed=9)
    tables = pd.read_parquet(tmp_path / "rois.parquet").groupby("panorama", sort=False)
    changed = {str(name): table for name, table in tables}
    changed[NAMES[0]] = measure_panorama(NAMES[0], image, labels, SCALE).query("roi != 5")
    pd.concat(changed.values()).to_parquet(tmp_path / "rois.parquet", index=False)
    cut.clear()
    assert write(tmp_path, panoramas)["shards"] == [3, 3, 3, 3, 3, 3, 1, 3, 3, 3, 1]
    assert cut == [NAMES[0]], "the others begin in other shards, and are the same"
    gathered = files_of(tmp_path / "cells")
    assert gathered == write_anew(tmp_path, panoramas)


@pytest.mark.usefixtures("small_shards")
def test_a_store_refers_to_its_parts_and_each_begins_a_shard(tmp_path: Path) -> None:
    told = write(tmp_path, scenes(tmp_path, *NAMES))
    assert told["shards"] == [3, 3, 3, 1] * 3
    numbers = np.concatenate([12 * part + np.arange(10) for part in range(3)])
    cells = read_cells(tmp_path / "cells")
    assert cells.table["image_number"].tolist() == numbers.tolist()
    assert cells.images.shape == (30, 256, 256)
    np.testing.assert_array_equal(cells.images[9:11], np.stack([cells.images[9], cells.images[10]]))
    np.testing.assert_array_equal(cells.images[[10, 9]], cells.images[9:11][::-1])
    np.testing.assert_array_equal(cells.images.array[12], cells.images[10])
    shards = list((tmp_path / "cells" / "cells.zarr").rglob("c/*/0/0"))
    assert len(shards) == 24
    assert {shard.stat().st_nlink for shard in shards} == {2}, "a second name, no second copy"


def test_a_panorama_that_left_takes_its_part_with_it(tmp_path: Path) -> None:
    panoramas = scenes(tmp_path, *NAMES)
    write(tmp_path, panoramas)
    write(tmp_path, panoramas[:2])
    assert sorted(path.name for path in (tmp_path / "cells-parts").iterdir()) == sorted(NAMES[:2])


def flip_a_mean(part: Path) -> None:
    """Change the last bit of a mean intensity in a part, which nothing notices but the page's checksum."""
    means = pd.read_parquet(part, columns=["mean_intensity"])["mean_intensity"].to_numpy(np.float32)
    mean = np.sort(means)[2].tobytes()  # neither the least nor the greatest, which are in the statistics too
    stored = part.read_bytes()
    assert stored.count(mean) == 1
    part.write_bytes(stored.replace(mean, bytes([mean[0] ^ 1]) + mean[1:]))


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("cells.parquet", lambda part: part.write_bytes(part.read_bytes()[:-9])),
        ("cells.parquet", flip_a_mean),
        ("images/c/1/0/0", lambda shard: shard.write_bytes(shard.read_bytes()[:-1])),
        ("thumbnails/c/0/0/0", Path.unlink),
    ],
    ids=["cut off", "a bit flipped", "a shard cut off", "a shard gone"],
)
@pytest.mark.usefixtures("small_shards")
def test_a_part_that_was_damaged_meanwhile_is_written_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, damage: Callable[[Path], object]
) -> None:
    panoramas = scenes(tmp_path, "Run1TL_top_left")
    with monkeypatch.context() as dying:
        dying.setattr(stage, "write_json", die_at(0, write_json))
        with pytest.raises(Killed):
            write(tmp_path, panoramas)
    damage(tmp_path / "cells-parts" / "Run1TL_top_left" / name)
    write(tmp_path, panoramas)
    assert files_of(tmp_path / "cells") == write_anew(tmp_path, panoramas)


@pytest.mark.usefixtures("small_shards")
def test_parts_of_other_images_are_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    panoramas = scenes(tmp_path, *NAMES)
    with monkeypatch.context() as dying:
        dying.setattr(stage, "set_length", die_at(0, set_length))
        with pytest.raises(Killed):
            write(tmp_path, panoramas)
    panoramas = scenes(tmp_path, *reversed(NAMES))
    write(tmp_path, panoramas)
    assert files_of(tmp_path / "cells") == write_anew(tmp_path, panoramas)


KILLED = """
import os, signal, sys
from pathlib import Path
from nnbook.cells import writer as stage
from nnbook.cells.shards import write_shard
stage.CELLS_PER_SHARD, stage.ROWS_PER_GROUP = 3, 12
def die(array, number, images, per_shard):
    path = write_shard(array, number, images, per_shard)
    if number == 3 and array.name == "images" and names[1] in str(array):
        path.write_bytes(path.read_bytes()[:99])
        os.kill(os.getpid(), signal.SIGKILL)
    return path
stage.write_shard = die
folder = Path(sys.argv[1])
names = sys.argv[2:]
stage.write_cells(folder / "cells", [
    stage.MaskedPanorama(name, int(name[3]), "P12", folder / f"{name}.tif", folder / f"{name}_cp_masks.tif")
    for name in names
], folder / "rois.parquet", edition="twin", note="N.", px_per_um=8.0453)
"""


@pytest.mark.usefixtures("small_shards")
def test_a_killed_process_leaves_work_that_the_next_one_completes(tmp_path: Path) -> None:
    panoramas = scenes(tmp_path, *NAMES)
    whole = write_anew(tmp_path, panoramas)
    for there in ("cells", "cells-parts"):
        shutil.rmtree(tmp_path / there)
    killed = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path), *NAMES], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert not (tmp_path / "cells-parts" / NAMES[1] / "images").exists()
    write(tmp_path, panoramas)
    assert files_of(tmp_path / "cells") == whole


@pytest.mark.parametrize("name", ["write_shard", "write_parquet", "link_or_copy", "set_length", "write_json"])
@pytest.mark.usefixtures("small_shards")
def test_a_full_disk_is_one_line_and_leaves_the_store_that_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    write(tmp_path, scenes(tmp_path, "Run1TL_top_left"))
    old = files_of(tmp_path / "cells")
    panoramas = scenes(tmp_path, *NAMES)
    with monkeypatch.context() as full:

        def no_space(*_arguments: object, **_options: object) -> NoReturn:
            raise OSError(errno.ENOSPC, "No space left on device")

        full.setattr(stage, name, die_at(0, no_space, before=no_space))
        with pytest.raises(
            NnbookError, match=r"cells: there is no space for it \(No space left on device\); free some"
        ):
            write(tmp_path, panoramas)
    assert files_of(tmp_path / "cells") == old
    assert write(tmp_path, panoramas)["cells"] == 30
    assert len(read_cells(tmp_path / "cells")) == 30


def test_files_larger_than_allowed_are_one_line_of_the_command(tmp_path: Path) -> None:
    scenes(tmp_path, "Run1TL_top_left")
    masks = tmp_path / "masks"
    masks.mkdir()
    (tmp_path / "Run1TL_top_left_cp_masks.tif").rename(masks / "Run1TL_top_left_cp_masks.tif")
    limited = (
        "import resource, sys; from nnbook.cli import main; "
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000)); sys.exit(main(sys.argv[1:]))"
    )
    call = ["cells", str(tmp_path / "Run1TL_top_left.tif"), "--masks", str(masks)]
    call += ["--rois", str(tmp_path / "rois.parquet"), "--out", str(tmp_path / "cells")]
    done = subprocess.run([sys.executable, "-c", limited, *call], check=False, capture_output=True, text=True)
    assert done.returncode == 1
    told = done.stderr.splitlines()[-1]
    assert told == (
        f"nnbook cells: {tmp_path / 'cells'}: there is no space for it (File too large); free some and call again, "
        "it goes on from here"
    )
    assert not (tmp_path / "cells").exists()
    assert main(call) == 0


def test_a_second_writer_is_refused_and_the_first_one_completes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    panoramas = scenes(tmp_path, "Run1TL_top_left")
    begun, go_on, told = threading.Event(), threading.Event(), []

    def waiting(*arguments: Any) -> Path:
        begun.set()
        assert go_on.wait(60)
        return write_shard(*arguments)

    monkeypatch.setattr(stage, "write_shard", waiting)
    first = threading.Thread(target=lambda: told.append(write(tmp_path, panoramas)))
    first.start()
    try:
        assert begun.wait(60)
        with pytest.raises(NnbookError, match=r"cells: another process is writing it; wait until that is done"):
            write(tmp_path, panoramas)
    finally:
        go_on.set()
        first.join(60)
    assert told[0]["cells"] == len(read_cells(tmp_path / "cells")) == 10
