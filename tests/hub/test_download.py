"""Pulling from a hub on this machine, with the real client libraries, in processes of their own."""

import io
import json
import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import tifffile
from filelock import FileLock
from hub_commands import ID, TIFF, Commands, cell, collection, here, names_of, parquet, tiff, tiffs
from hub_server import Handler, Hub
from PIL import Image

from nnbook.errors import NnbookError
from nnbook.hub.download import cell_file_name, draw_from_shards, tiff_of


def test_a_draw_reads_a_part_and_follows_its_seed(hub: Hub, nnbook: Commands, tmp_path: Path) -> None:
    files = {
        f"data/train-{at}.parquet": parquet(
            [tiff(cell(60 * at + row)) for row in range(60)], [f"{at}_{row}.tif" for row in range(60)], group=20
        )
        for at in range(3)
    }
    hub.add(ID, files)
    size = sum(map(len, files.values()))
    assert size > 10e6, "less would be read ahead"

    def draw(out: str, seed: int) -> set[str]:
        call = ["pull", ID, "--out", tmp_path / out, "-n", 15, "--seed", seed]
        assert nnbook(*call).status == 0
        record = json.loads((tmp_path / out / "pull.json").read_text())
        assert [(shard["size"], shard["cells"]) for shard in record["shards"]] == [(20, 15)]
        return set(record["files"])

    first = draw("a", 1)
    assert hub.sent < size / 3, "most of the data set stays where it is"
    assert len(first) == 15
    assert draw("b", 1) == first
    assert draw("c", 2) != first


def test_a_revision_can_be_pinned(hub: Hub, nnbook: Commands, tmp_path: Path) -> None:
    old = hub.add(ID, collection(1))
    new = hub.add(ID, collection(7))
    for revision, commit, run in ((old, old, 1), ("main", new, 7)):
        out = tmp_path / revision
        assert nnbook("pull", ID, "--out", out, "--revision", revision).status == 0
        assert sorted(tiffs(out)) == sorted(names_of(run))
        assert json.loads((out / "pull.json").read_text())["commit"] == commit


def test_a_killed_pull_goes_on(hub: Hub, nnbook: Commands, tmp_path: Path) -> None:
    files = collection(1, 2, 3)
    hub.add(ID, files)
    call = ["pull", ID, "-n", 50, "--seed", 4, "--cells-per-shard", 10, "--out"]
    assert nnbook(*call, tmp_path / "whole").status == 0

    pids: list[int] = []
    nnbook.running = pids.append
    journal = tmp_path / "out" / "pull.jsonl"

    def kill(request: Handler) -> bool:
        # In the middle of the draw: when data are asked for after two shards are in place.
        if request.route.endswith(".parquet") and journal.exists() and journal.read_bytes().count(b"\n") == 3:
            os.kill(pids[0], signal.SIGKILL)
        return False

    hub.fail = kill
    assert nnbook(*call, tmp_path / "out").status == -signal.SIGKILL
    there = tiffs(tmp_path / "out")
    assert 20 <= len(there) < 50
    with journal.open("ab") as file:
        file.write(b'{"shard": 3, "si')  # as a write that was cut off
    hub.fail = None
    hub.add(ID, collection(9))  # what is begun is finished from the commit it was begun with
    other = nnbook("pull", ID, "-n", 7, "--out", tmp_path / "out")
    assert "out: holds another pull, which isn't finished; take another folder" in other.told
    written = {name: (tmp_path / "out" / name).stat().st_mtime_ns for name in sorted(there)[:20]}
    again = nnbook(*call, tmp_path / "out")
    assert again.status == 0, again.err
    assert tiffs(tmp_path / "out") == tiffs(tmp_path / "whole")
    for name in ("pull.json", "cells.parquet"):
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    kept = [name for name, time in written.items() if (tmp_path / "out" / name).stat().st_mtime_ns == time]
    assert len(kept) == 20
    assert not journal.exists()

    hub.requests.clear()
    assert nnbook(*call, tmp_path / "out").status == 0
    assert not [request for request in hub.requests if "resolve" in request.path], (
        "what is finished is not pulled again"
    )


@pytest.mark.parametrize(
    ("image", "name", "told"),
    [
        (tiff(cell(1)[:255]), "a.tif", "a.tif: is 256 x 255 px, mode L, 1 page(s); a cell image has 256 x 256 px"),
        (TIFF[: len(TIFF) // 2], "a.tif", "a.tif: can't be read as an image; it is cut off"),
        (None, "a.tif", "a.tif has no image in column 'image'"),
        (TIFF, "../a.tif", "names a cell '../a.tif', which is no plain file name"),
        (TIFF, "/tmp/a.tif", "names a cell '/tmp/a.tif', which is no plain file name"),  # noqa: S108
        (TIFF, "RUN1TL_TOP_LEFT_ROI_1.png", "has two cells of the name RUN1TL_TOP_LEFT_ROI_1.tif"),
    ],
)
def test_a_wrong_cell_is_one_line_and_goes_nowhere(
    hub: Hub, nnbook: Commands, tmp_path: Path, image: bytes | None, name: str | None, told: str
) -> None:
    hub.add(ID, {"data/train-0.parquet": parquet([TIFF, image], [names_of(1)[0], name], group=1)})
    outcome = nnbook("pull", ID, "--out", tmp_path / "pulled" / "out")
    assert outcome.status == 1
    assert told in outcome.told
    assert ID in outcome.told
    assert here(tmp_path) == ["pulled"]
    assert here(tmp_path / "pulled") == [".out.lock", "out"]
    assert here(tmp_path / "pulled" / "out") == [names_of(1)[0], "pull.jsonl"]
    assert not Path("/tmp/a.tif").exists()  # noqa: S108


@pytest.mark.parametrize(
    ("file", "told"),
    [
        (parquet(["text"], ["a.tif"], kind="string"), "its column 'image' holds no images"),
        (collection(1)["data/train-00000-of-00001.parquet"][:-100], "can't be used (ArrowInvalid"),
        (b"", "can't be used"),
    ],
)
def test_a_wrong_table_is_one_line(hub: Hub, nnbook: Commands, tmp_path: Path, file: bytes, told: str) -> None:
    hub.add(ID, {"data/train-0.parquet": file})
    outcome = nnbook("pull", ID, "--out", tmp_path / "out")
    assert outcome.status == 1
    assert f"{ID}: {told}" in outcome.told
    assert here(tmp_path / "out") == []


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ({"picture": ["a"], "filename": ["a.tif"]}, "has no column 'image' but picture, filename"),
        ({"image": [{"bytes": TIFF, "path": None}], "name": ["a"]}, "names a cell 'None', which is no plain file name"),
    ],
)
def test_a_missing_column_is_named(
    hub: Hub, nnbook: Commands, tmp_path: Path, columns: dict[str, list[Any]], told: str
) -> None:
    file = io.BytesIO()
    pq.write_table(pa.table(columns), file)
    hub.add(ID, {"data/train-0.parquet": file.getvalue()})
    outcome = nnbook("pull", ID, "--out", tmp_path / "out")
    assert outcome.status == 1
    assert told in outcome.told


def test_other_formats_are_pulled_too(hub: Hub, nnbook: Commands, tmp_path: Path) -> None:
    image = cell(5)
    png = io.BytesIO()
    Image.fromarray(image).save(png, "PNG")
    lines = ["file_name,filename,run", *(f"{at}.png,cell_{at}.png,{at}" for at in range(3))]
    files = {f"{at}.png": png.getvalue() for at in range(3)}
    hub.add(ID, {"metadata.csv": "\n".join(lines).encode(), **files})
    hub.add("lab/plain", files)
    for dataset, name in ((ID, "cell_{}.tif"), ("lab/plain", "{}.tif")):
        out = tmp_path / dataset
        outcome = nnbook("pull", dataset, "--out", out)
        assert outcome.status == 0, outcome.err
        assert sorted(tiffs(out)) == [name.format(at) for at in range(3)]
        np.testing.assert_array_equal(tifffile.imread(out / name.format(1)), image)


def test_a_folder_in_other_use_is_left_alone(hub: Hub, nnbook: Commands, tmp_path: Path) -> None:
    hub.add(ID, collection(1))
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    assert "mine: holds other files; take a new or empty folder" in nnbook("pull", ID, "--out", tmp_path / "mine").told
    assert here(tmp_path / "mine") == ["notes.txt"]

    assert nnbook("pull", ID, "--out", tmp_path / "out").status == 0
    other = nnbook("pull", ID, "-n", 5, "--out", tmp_path / "out")
    assert "out: holds another pull (see pull.json); take another folder" in other.told

    with FileLock(tmp_path / ".busy.lock"):
        assert "busy: another process is writing it" in nnbook("pull", ID, "--out", tmp_path / "busy").told


def test_shards_give_alike_and_the_rest_makes_up_for_small_ones() -> None:
    sizes = {0: 500, 1: 30, 2: 500}

    def drawn(n: int, cells_per_shard: int) -> list[tuple[int, int, int]]:
        steps: list[tuple[int, int, int]] = []

        def take(shard: int, first: int, count: int) -> tuple[int, int]:
            steps.append((shard, first, min(count, sizes[shard] - first)))
            return steps[-1][2], sizes[shard]

        draw_from_shards([2, 0, 1], n, cells_per_shard, take)
        return steps

    assert drawn(150, 100) == [(2, 0, 100), (0, 0, 50)]
    assert drawn(300, 10) == [(2, 0, 100), (0, 0, 100), (1, 0, 30), (2, 100, 35), (0, 100, 35)]
    assert sum(count for _, _, count in drawn(1030, 1)) == 1030
    with pytest.raises(NnbookError, match="-n 1031: the data set has 1030 cells"):
        drawn(1031, 1)


def test_a_tiff_stays_as_it_is_and_another_format_becomes_one() -> None:
    assert tiff_of(TIFF, "a") is TIFF
    image, png = cell(3), io.BytesIO()
    Image.fromarray(image).save(png, "PNG")
    np.testing.assert_array_equal(tifffile.imread(io.BytesIO(tiff_of(png.getvalue(), "a"))), image)
    assert tiff_of(png.getvalue(), "a") == tiff_of(png.getvalue(), "b"), "the same pixels give the same bytes"
    assert cell_file_name("Run1TL_top_left_ROI_2.tiff", ID) == "Run1TL_top_left_ROI_2.tif"
    assert cell_file_name("v1.2", ID) == "v1.2.tif"


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (tiff(np.stack([cell(1)] * 3, axis=-1), photometric="rgb"), "mode RGB"),
        (tiff(cell(1).astype(np.uint16)), "mode I;16"),
        (tiff(np.stack([cell(1), cell(2)]), photometric="minisblack"), r"2 page\(s\)"),
        (tiff(np.zeros((40_000, 10), np.uint8)), "is 10 x 40000 px"),
        (b"<html>busy</html>", "can't be read as an image; it is cut off, damaged or no TIFF"),
        (b"", "can't be read as an image"),
    ],
)
def test_what_is_no_cell_image_is_refused(data: bytes, told: str) -> None:
    with pytest.raises(NnbookError, match=told):
        tiff_of(data, "a.tif")


@pytest.mark.parametrize(
    "name", ["", ".", "..", ".tif", "a/b.tif", "a\\b.tif", "/a.tif", "a\n.tif", "a\0.tif", "a" * 300, "..\\a", None, 7]
)
def test_what_is_no_plain_name_is_refused(name: object) -> None:
    with pytest.raises(NnbookError, match="which is no plain file name"):
        cell_file_name(name, ID)
