import json
import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from nnbook.errors import NnbookError
from nnbook.io.files import sha256
from nnbook.provenance.stage import (
    NEVER_MADE,
    Stage,
    _digest,
    file_entry,
    file_state,
    is_same,
    make,
    remake,
    remove,
    why_stale,
)

RECORD = "records/measure.json"


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    """A stage that was made, of one input and two outputs."""
    (tmp_path / "in.tif").write_text("grey")
    made = Stage(
        "nnbook.some.function",
        tmp_path / "edition",
        RECORD,
        ["results.csv", "tiles"],
        {"nnbook.some.function": "a1"},
        reads=[tmp_path / "in.tif"],
        settings={"px_per_um": 8.0453, "names": ["a", "b"]},
        holds=["tiles/index.json"],
    )
    assert make(made, write)
    return made


def write(folder: Path) -> None:
    (folder / "results.csv").write_text("image\n")
    (folder / "tiles").mkdir()
    (folder / "tiles" / "index.json").write_text("{}")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_is_made_once_and_leaves_nothing_but_its_outputs_and_its_record(stage: Stage) -> None:
    assert why_stale(stage) == []
    assert not make(stage, lambda _: pytest.fail("made again"))
    assert names(stage.folder) == ["records", "results.csv", "tiles"]
    record = json.loads((stage.folder / RECORD).read_text())
    assert (record["stage"], record["settings"]["px_per_um"]) == ("nnbook.some.function", 8.0453)
    assert list(record["files"]) == ["../in.tif"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"code": {"nnbook.some.function": "b2"}}, "nnbook.some.function changed"),
        ({"code": {"nnbook.some.function": "a1", "numpy": "2.0"}}, "it now depends on numpy"),
        ({"code": {}}, "it no longer depends on nnbook.some.function"),
        ({"settings": {"px_per_um": 8.0, "names": ["a", "b"]}}, "px_per_um is 8.0 and was 8.0453"),
        ({"settings": {"px_per_um": 8.0453, "names": ["a"]}}, "names changed"),
        ({"settings": {"px_per_um": 8.0453, "names": ("a", "b"), "more": 1}}, "more changed"),
    ],
)
def test_is_stale_after_a_change_and_says_which(stage: Stage, change: dict[str, Any], reason: str) -> None:
    assert why_stale(replace(stage, **change)) == [reason]


def test_a_changed_input_counts_and_a_touched_or_moved_one_does_not(stage: Stage) -> None:
    assert stage.reads
    path = stage.reads[0]
    os.utime(path)
    assert why_stale(stage) == []
    moved = path.rename(path.parent / "elsewhere.tif")
    assert why_stale(stage)[0].endswith("in.tif is gone")
    assert why_stale(replace(stage, reads=[moved])) == ["it reads other files"]
    (path.parent / "there").mkdir()
    there = moved.rename(path.parent / "there" / "in.tif")
    assert why_stale(replace(stage, reads=[there])) == []
    there.write_text("gray")
    assert why_stale(replace(stage, reads=[there]))[0].endswith("there/in.tif changed")
    path.write_text("gray")
    assert why_stale(stage)[0].endswith("in.tif changed")


@pytest.mark.parametrize(
    "damage", ["output", "part of an output", "record", "half a record", "no text", "another form"]
)
def test_is_stale_where_something_is_gone(stage: Stage, damage: str) -> None:
    record = stage.folder / RECORD
    if damage == "output":
        (stage.folder / "results.csv").unlink()
    elif damage == "part of an output":
        (stage.folder / "tiles" / "index.json").unlink()
    elif damage == "record":
        record.unlink()
    else:
        record.write_bytes({"half a record": b'{"stage": ', "no text": b"\xff\xfe\xff", "another form": b"{}"}[damage])
    gone = {"output": ["results.csv is gone"], "part of an output": ["index.json is gone"]}
    assert why_stale(stage) == gone.get(damage, [NEVER_MADE])
    assert make(stage, write)
    assert why_stale(stage) == []


def test_work_that_fails_leaves_what_was_there_with_its_record(stage: Stage) -> None:
    (stage.folder / "results.csv").write_text("corrected by hand\n")

    def failing(folder: Path) -> None:
        write(folder)
        raise KeyboardInterrupt

    record = (stage.folder / RECORD).read_bytes()
    with pytest.raises(KeyboardInterrupt):
        remake(stage, failing)
    assert (stage.folder / RECORD).read_bytes() == record
    assert (stage.folder / "results.csv").read_text() == "corrected by hand\n"
    assert names(stage.folder) == ["records", "results.csv", "tiles"]


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files whose SHA-256 was computed, of which nothing is remembered by this process."""
    read: list[str] = []

    def noted(path: Path) -> str:
        read.append(path.name)
        return sha256(path)

    monkeypatch.setattr("nnbook.provenance.stage.sha256", noted)
    _digest.cache_clear()
    return read


def test_what_others_made_meanwhile_is_left_as_it_is(stage: Stage) -> None:
    """A worker that ends what it began for a call that was killed does not disturb the next call."""
    (stage.folder / "results.csv").unlink()
    made: list[list[int]] = []

    def late(folder: Path) -> None:
        make(stage, write)
        made.append(inodes(stage.folder))
        write(folder)

    assert make(stage, late)
    assert [inodes(stage.folder)] == made
    assert names(stage.folder) == ["records", "results.csv", "tiles"]
    made.clear()
    remake(stage, late)
    assert [inodes(stage.folder)] != made, "unless that is asked for"


def inodes(folder: Path) -> list[int]:
    return [(folder / name).stat().st_ino for name in (RECORD, "results.csv", "tiles")]


def test_another_file_of_the_same_size_and_time_is_noticed(stage: Stage) -> None:
    assert stage.reads
    status = stage.reads[0].stat()
    copied = stage.reads[0].with_name("copied.tif")
    copied.write_text("gray")
    os.utime(copied, ns=(status.st_atime_ns, status.st_mtime_ns))
    copied.replace(stage.reads[0])  # as rsync -t and cp -p leave it
    assert [reason.rsplit("/")[-1] for reason in why_stale(stage)] == ["in.tif changed"]


def test_another_file_put_into_the_same_inode_is_noticed(stage: Stage) -> None:
    assert stage.reads
    status = stage.reads[0].stat()
    with stage.reads[0].open("r+") as file:
        file.write("gray")
    os.utime(stage.reads[0], ns=(status.st_atime_ns, status.st_mtime_ns))
    assert [reason.rsplit("/")[-1] for reason in why_stale(stage)] == ["in.tif changed"]


def test_files_that_were_touched_copied_or_moved_are_read_once_more_and_then_no_more(
    stage: Stage, hashed: list[str], tmp_path: Path
) -> None:
    assert not make(stage, write)
    assert hashed == [], "nothing was touched"
    os.utime(tmp_path / "in.tif", ns=(1, 1))
    shutil.copy(stage.folder / "results.csv", tmp_path / "copy")
    (tmp_path / "copy").replace(stage.folder / "results.csv")
    assert not make(stage, write)
    assert sorted(hashed) == ["in.tif", "results.csv"]
    _digest.cache_clear()  # as in another process
    assert not make(stage, write)
    assert len(hashed) == 2
    (tmp_path / "there").mkdir()
    moved = replace(stage, reads=[(tmp_path / "in.tif").rename(tmp_path / "there" / "in.tif")])
    for _ in range(2):
        _digest.cache_clear()
        assert not make(moved, write)
    assert len(hashed) == 3


def test_a_record_of_the_former_form_is_compared_by_sha256(stage: Stage, hashed: list[str], tmp_path: Path) -> None:
    path = stage.folder / RECORD
    record = json.loads(path.read_text())
    size, changed, *_, digest = record["files"]["../in.tif"]
    former = {**record, "files": {"../in.tif": [size, changed, digest]}}
    del former["outputs"], former["by_hand"]
    path.write_text(json.dumps(former))
    assert not make(stage, lambda _: pytest.fail("made again"))
    assert hashed == ["in.tif"]
    _digest.cache_clear()
    assert not make(stage, lambda _: pytest.fail("made again"))
    assert hashed == ["in.tif"], "the record has the file's state now"
    path.write_text(json.dumps(former))
    (tmp_path / "in.tif").write_text("gray")
    os.utime(tmp_path / "in.tif", ns=(changed, changed))
    assert [reason.rsplit("/")[-1] for reason in why_stale(stage)] == ["in.tif changed"]


@pytest.mark.parametrize("entry", [None, 7, "x", [], [1, 2], {"a": 1}])
def test_a_record_with_an_entry_of_another_form_is_none(stage: Stage, entry: Any) -> None:
    path = stage.folder / RECORD
    path.write_text(json.dumps({**json.loads(path.read_text()), "files": {"../in.tif": entry}}))
    assert why_stale(stage) == [NEVER_MADE]


@pytest.mark.parametrize("damage", ["deleted", "empty", "cut off", "added"])
def test_a_damaged_part_of_an_output_is_noticed(stage: Stage, damage: str) -> None:
    tile = stage.folder / "tiles" / "0" / "0_0.jpg"

    def tiled(folder: Path) -> None:
        write(folder)
        (folder / "tiles" / "0").mkdir()
        (folder / "tiles" / "0" / "0_0.jpg").write_text("tile")

    remake(stage, tiled)
    assert why_stale(stage) == []
    match damage:
        case "deleted":
            tile.unlink()
        case "empty":
            tile.write_text("")
        case "cut off":
            tile.write_text("til")
        case "added":
            tile.with_name("0_1.jpg").touch()
    assert [reason.rsplit("/")[-1] for reason in why_stale(stage)] == ["tiles changed"]
    assert make(stage, tiled)
    assert why_stale(stage) == []


def test_an_output_that_was_cut_off_is_noticed(stage: Stage) -> None:
    (stage.folder / "results.csv").write_text("ima")
    assert [reason.rsplit("/")[-1] for reason in why_stale(stage)] == ["results.csv changed"]


def test_what_other_work_writes_into_an_output_does_not_count(stage: Stage) -> None:
    shared = replace(stage, others=["tiles/nuclei.json"])
    remake(shared, write)
    for text in ("1", "22"):
        (stage.folder / "tiles" / "nuclei.json").write_text(text)
        assert why_stale(shared) == []


class TestMasks:
    """Outputs that people correct."""

    @pytest.fixture
    def mask(self, tmp_path: Path) -> Stage:
        (tmp_path / "in.tif").write_text("grey")
        reads, writes = [tmp_path / "in.tif"], ["mask.tif"]
        made = Stage("nnbook.some.function", tmp_path / "masks", "mask.json", writes, {}, reads=reads, by_hand=True)
        make(made, draw)
        return made

    def test_a_correction_stays_and_makes_nothing_stale(self, mask: Stage) -> None:
        (mask.folder / "mask.tif").write_text("corrected")
        assert not make(mask, draw)
        assert (mask.folder / "mask.tif").read_text() == "corrected"

    @pytest.mark.parametrize("why", ["corrected", "never nnbook's", "of an older version"])
    def test_it_is_not_replaced_unless_that_is_asked_for(self, mask: Stage, why: str) -> None:
        output, record = mask.folder / "mask.tif", mask.folder / "mask.json"
        match why:
            case "corrected":
                output.write_text("corrected")
            case "never nnbook's":
                record.unlink()
            case "of an older version":
                former = json.loads(record.read_text())
                del former["outputs"], former["by_hand"]
                record.write_text(json.dumps(former))
        told = {
            "corrected": "was changed since",
            "never nnbook's": "was not written by nnbook",
            "of an older version": "was written by an older version",
        }
        before = output.read_text()
        changed = replace(mask, settings={"diameter": 2})
        with pytest.raises(NnbookError, match=rf"mask\.tif: {told[why]}.*--overwrite"):
            make(changed, draw)
        assert output.read_text() == before
        assert make(changed, draw, overwrite=True)
        assert output.read_text() == "mask"
        assert make(mask, draw), "it is the stage's own again"

    def test_a_correction_made_while_the_work_runs_is_not_lost(self, mask: Stage) -> None:
        def meanwhile(folder: Path) -> None:
            draw(folder)
            (mask.folder / "mask.tif").write_text("corrected")

        with pytest.raises(NnbookError, match="was changed since"):
            make(replace(mask, settings={"diameter": 2}), meanwhile)
        assert (mask.folder / "mask.tif").read_text() == "corrected"

    @pytest.mark.parametrize("at", ["before the move", "after the move"])
    def test_one_that_a_kill_left_without_its_record_is_still_known_to_be_ours(
        self, mask: Stage, at: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def redraw(folder: Path) -> None:
            (folder / "mask.tif").write_text("new")

        def die(written: Path, path: Path) -> None:
            if at == "after the move":
                written.replace(path)
            raise Killed

        changed = replace(mask, settings={"diameter": 2})
        with monkeypatch.context() as dying, pytest.raises(Killed):
            dying.setattr("nnbook.provenance.stage.move_into_place", die)
            make(changed, redraw)
        assert make(changed, redraw)
        assert (mask.folder / "mask.tif").read_text() == "new"


def draw(folder: Path) -> None:
    (folder / "mask.tif").write_text("mask")


class Killed(BaseException):
    """What no code catches."""


def test_what_was_cut_off_is_stale_even_when_all_is_changed_back(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    assert stage.reads
    before = stage.reads[0].read_text()
    stage.reads[0].write_text("other")

    def die(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as dying, pytest.raises(Killed):
        dying.setattr("nnbook.provenance.stage.write_json", die)
        make(stage, write)
    stage.reads[0].write_text(before)
    assert why_stale(stage) == [NEVER_MADE], "the outputs are of the other input"


def test_a_stage_that_finds_out_what_it_reads_depends_on_that(stage: Stage) -> None:
    noting = replace(stage, record="records/notebook-a.json", reads=None, holds=[])
    (stage.folder / "data.csv").write_text("7")

    def work(folder: Path) -> dict[str, Any]:
        write(folder)
        state = file_state(stage.folder / "data.csv")
        return {"files": {"data.csv": [*state, ""]}, "absent": ["more.csv"], "listed": {}}

    make(noting, work)
    (stage.folder / "more.csv").write_text("1")
    assert [reason.split("edition/")[1] for reason in why_stale(noting)] == [
        "data.csv changed",  # it has no SHA-256: it changed between being read and being recorded
        "more.csv has appeared",
    ]


def test_what_is_removed_goes_with_its_record(stage: Stage) -> None:
    remove(stage.folder, RECORD, stage.writes)
    assert names(stage.folder) == ["records"]
    assert names(stage.folder / "records") == []


def test_state_distinguishes_versions_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    path.write_text("one")
    first = file_state(path)
    assert file_state(path) == first
    path.write_text("three")
    os.utime(path, ns=(first[1], first[1]))
    assert file_state(path) != first, "another size at the same time"
    path.write_text("two")
    os.utime(path, ns=(first[1] + 1000, first[1] + 1000))
    assert file_state(path) != first, "another time at the same size"


def test_moved_files_of_one_name_are_not_taken_for_each_other(tmp_path: Path) -> None:
    def of(folder: str) -> Stage:
        reads = [tmp_path / folder / kind / "a.tif" for kind in ("image", "truth")]
        return Stage("nnbook.some.function", tmp_path / "edition", RECORD, ["out"], {}, reads=reads)

    for folder, grey in (("here", "1"), ("there", "1"), ("other", "2")):
        for kind, text in (("image", grey), ("truth", "2")):
            (tmp_path / folder / kind).mkdir(parents=True)
            (tmp_path / folder / kind / "a.tif").write_text(text)
    make(of("here"), lambda folder: (folder / "out").touch())
    assert why_stale(of("there")) == []
    assert [reason.split("other/")[1] for reason in why_stale(of("other"))] == ["image/a.tif changed"]


def test_a_file_is_hashed_once_by_however_many_links(tmp_path: Path, opened: set[Path]) -> None:
    (tmp_path / "image").write_bytes(b"grey levels")
    (tmp_path / "link").symlink_to("image")
    entry = file_entry(tmp_path / "image")
    opened.clear()
    assert file_entry(tmp_path / "link") == entry
    assert is_same(tmp_path / "link", [0, 0, 0, 0, entry[-1]])
    assert opened == set()
