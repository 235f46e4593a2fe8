import itertools
import subprocess
import sys

import pytest

from nnbook.io.progress import show_progress
from nnbook.provenance.dependencies import function_dependencies


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time that progress goes by, in s, for the test to change."""
    now = [1000.0]
    monkeypatch.setattr("tqdm.std.time", lambda: now[0])
    return now


def test_a_pipe_gets_whole_lines_and_the_last_says_all_is_done() -> None:
    code = (
        "from nnbook.io.progress import show_progress\n"
        "for _ in show_progress(range(5000), desc='train', unit='step'): pass"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    assert done.stdout == b""
    assert b"\r" not in done.stderr
    assert done.stderr.decode().splitlines() == ["train: 5000/5000 done in 00:00"]


def test_thousands_of_steps_are_a_line_each_10_s(clock: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    for step in show_progress(range(4096), desc="train", unit="step"):
        clock[0] += 1 / 1024 if step < 2048 else 1 / 64  # the first half in 2 s, the other in 32 s
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(" [")[0] for line in lines[:-1]] == [f"train: {n}/4096" for n in (2560, 3200, 3840)]
    assert lines[0].startswith("train: 2560/4096 [00:10<")
    assert lines[-1] == "train: 4096/4096 done in 00:34"


def test_updates_by_hand_and_what_was_done_before_count(clock: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    with show_progress(desc="pull", unit="cell", total=9, initial=3) as bar:
        for _ in range(3):
            clock[0] += 6
            bar.set_postfix_str("run 7")
            bar.update(2)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("pull: 7/9 [00:12<")
    assert lines[0].endswith(", run 7]")
    assert lines[1] == "pull: 9/9 done in 00:18"


@pytest.mark.parametrize(
    ("total", "last"), [(5, "cells: 2/5 after 01:00"), (None, "cells: 2 after 01:00"), (2, "cells: 2/2 done in 01:00")]
)
def test_what_ends_early_does_not_say_done(
    clock: list[float], capsys: pytest.CaptureFixture[str], total: int | None, last: str
) -> None:
    with pytest.raises(KeyError), show_progress(desc="cells", unit="panorama", total=total, leave=False) as bar:
        bar.update(2)
        clock[0] += 60
        raise KeyError
    assert capsys.readouterr().err == f"{last}\n"


def test_a_terminal_gets_a_bar_that_is_redrawn(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert list(show_progress("abc", desc="notebooks", unit="notebook")) == ["a", "b", "c"]
    said = capsys.readouterr().err
    assert said.count("\r") > 1
    assert "3/3" in said
    assert "100%" in said


def test_nothing_is_shown_where_it_is_not_wanted(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(show_progress(itertools.repeat(1, 3), desc="twin", unit="panorama", disable=True)) == [1, 1, 1]
    assert capsys.readouterr().err == ""


def test_how_progress_is_shown_makes_no_mask_out_of_date() -> None:
    code = function_dependencies("nnbook.segmentation.workflow.segment_files")
    assert "nnbook.segmentation.masks.full_masks" in code
    assert not [name for name in code if name.startswith(("nnbook.io.progress", "tqdm"))]
