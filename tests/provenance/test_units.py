"""Units that are made side by side: in this process, in others, and by the workers of a Dask scheduler."""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING, Any

import pytest
from unit_work import work

from nnbook.errors import InvalidValueError, NnbookError
from nnbook.io.processes import usable_cores
from nnbook.provenance import units
from nnbook.provenance.units import HERE, Choice, Demand, Made, UnitsError, failed_units, free_memory, make_units

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(units, "DELAYS_S", (0.01, 0.02))


def jobs(folder: Path, *kinds: str) -> dict[str, tuple[str, str]]:
    return {f"{kind} {number}": (kind, str(folder / f"{kind} {number}")) for number, kind in enumerate(kinds)}


def tried(folder: Path, name: str) -> int:
    return (folder / name).stat().st_size


FAILING = ("fine", "bad", "passes", "fine", "never passes", "fine")


@pytest.mark.parametrize("demand", [HERE, HERE._replace(threads=2)], ids=["here", "threads"])
def test_one_that_fails_stops_no_other(tmp_path: Path, demand: Demand, capsys: pytest.CaptureFixture[str]) -> None:
    made = make_units(work, jobs(tmp_path, *FAILING), demand, desc="try", aside=tmp_path)
    check_failing(made, tmp_path, capsys.readouterr().err)
    assert {process for _, process in made.outcomes.values()} == {os.getpid()}


def test_what_several_failed_of_is_said_once() -> None:
    with pytest.raises(UnitsError) as caught:
        Made({}, {"a": NnbookError("no model"), "b": NnbookError("b.tif: black"), "c": NnbookError("no model")}).check()
    assert str(caught.value) == "no model\nb.tif: black"
    assert list(caught.value.failed) == ["a", "b", "c"]


def check_failing(made: Made, folder: Path, said: str) -> None:
    assert list(made.outcomes) == ["fine 0", "passes 2", "fine 3", "fine 5"]
    assert {name: str(error) for name, error in made.failed.items()} == {
        "bad 1": f"{folder / 'bad 1'}: no such image; get it",
        "never passes 4": "never passes 4: ConnectionResetError: [Errno 104] Connection reset by peer (tried 3 times)",
    }
    assert [tried(folder, name) for name in ("fine 0", "bad 1", "passes 2", "never passes 4")] == [1, 1, 3, 3]
    assert json.loads((folder / "failed.json").read_text()) == {
        "bad 1": {"why": f"{folder / 'bad 1'}: no such image; get it", "tries": 1},
        "never passes 4": {"why": str(made.failed["never passes 4"]), "tries": 3},
    }
    lines = [line for line in said.splitlines() if line.startswith("nnbook: ")]
    begin = ["try", "try", "try", *["try never passes 4"] * 2, *["try passes 2"] * 2]
    assert sorted(line.split(": ")[1] for line in lines) == begin
    assert "nnbook: try: 2 of 6 panoramas failed, as " in said
    with pytest.raises(NnbookError) as caught:
        made.check()
    assert len(str(caught.value).splitlines()) == 2


def test_processes_divide_the_threads_and_one_that_is_killed_costs_its_unit(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    todo = jobs(tmp_path, *FAILING)
    more = jobs(tmp_path, *["fine"] * 6, "kill", "kill once", "exit", "defect")
    made = make_units(work, todo | more, HERE, desc="try", workers=2, aside=tmp_path)
    said = capsys.readouterr().err
    assert [name for name in more if name not in made.outcomes] == ["kill 6", "exit 8", "defect 9"]
    assert [tried(tmp_path, name) for name in ("kill 6", "kill once 7", "exit 8", "defect 9")] == [3, 2, 1, 1]
    assert str(made.failed["kill 6"]) == (
        "kill 6: its process was killed (SIGKILL, as a system does that is out of memory); work on fewer at a time "
        "(tried 3 times)"
    )
    assert "ended by itself with status 3" in str(made.failed["exit 8"])
    assert str(made.failed["defect 9"]) == "defect 9: ZeroDivisionError: seven by nothing"
    assert 'raise ZeroDivisionError("seven by nothing")' in said, "where a defect is"
    assert tried(tmp_path, "passes 2") == 3
    threads, processes = zip(*made.outcomes.values(), strict=True)
    assert set(threads) == {str(max(1, usable_cores() // 2))}
    assert os.getpid() not in processes
    assert len({*processes}) <= 7  # two, and one for each that died

    # The next call makes what is missing, and what is no longer asked for stays on the list.
    missing = {name: ("fine", file) for name, (_, file) in (todo | more).items() if name in made.failed}
    del missing["bad 1"]
    again = make_units(work, missing, HERE, desc="try", aside=tmp_path, others=made.outcomes)
    assert list(again.outcomes) == list(missing)
    assert failed_units(tmp_path) == {"bad 1"}
    make_units(work, {}, HERE, desc="try", aside=tmp_path, others=["bad 1"])
    assert not (tmp_path / "failed.json").exists()


def test_a_full_disk_ends_it_all(tmp_path: Path) -> None:
    todo = jobs(tmp_path, "fine", "full", "fine")
    with pytest.raises(OSError, match="No space left"):
        make_units(work, todo, HERE, desc="try", aside=tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["fine 0", "full 1"]


def test_scheduling_costs_the_same_for_each_of_many_units(tmp_path: Path) -> None:
    class Many(dict[str, Any]):
        pass

    began = time.process_time()
    make_units(str, Many.fromkeys(map(str, range(16_000)), 0), HERE, desc="try", aside=tmp_path)
    assert time.process_time() - began < 16_000 * 0.005


@pytest.mark.parametrize(("most", "least"), [("3000000", None), ("max\n", "free"), (None, "free")])
def test_the_memory_of_a_job_on_a_cluster_is_what_it_was_given(
    tmp_path: Path, most: str | None, least: str | None
) -> None:
    (tmp_path / "job_7").mkdir()
    (tmp_path / "ours").write_text("0::/job_7\n")
    if most is not None:
        (tmp_path / "job_7" / "memory.max").write_text(most)
        (tmp_path / "job_7" / "memory.current").write_text("1000000\n")
    found = free_memory(tmp_path, tmp_path / "ours")
    assert (found > 10_000_000) if least else (found == 2_000_000)


def test_as_many_processes_as_there_are_cores_and_memory_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(units, "usable_cores", lambda: 16)
    monkeypatch.setattr(units, "free_memory", lambda: 20e9)
    demand = Demand([150_000_000], 0.7e9, 6.0, 1)
    assert units._fitting(demand) == 10
    assert units._fitting(demand._replace(pixels=[15_000_000_000])) == 1
    assert units._fitting(demand._replace(pixels=[1])) == 16
    assert units._fitting(demand._replace(most=3)) == 3


@pytest.mark.parametrize(
    ("choice", "chosen"),
    [
        (Choice(), "abcdefg"),
        (Choice(part=(2, 3)), "be"),
        (Choice(part=(7, 7)), "g"),
        (Choice(frozenset("fb")), "bf"),
        (Choice(frozenset(["failed"])), "c"),
        (Choice(frozenset(["failed", "a"]), (1, 2)), "ac"),
    ],
)
def test_units_that_are_chosen(tmp_path: Path, choice: Choice, chosen: str) -> None:
    (tmp_path / "failed.json").write_text('{"c": {}, "of another manifest": {}}')
    assert "".join(choice.of("abcdefg", [tmp_path, tmp_path / "none"])) == chosen
    parts = [Choice(part=(number, 3)).of("abcdefg") for number in (1, 2, 3)]
    assert sorted(name for part in parts for name in part) == list("abcdefg")


def test_what_can_not_be_chosen_is_named() -> None:
    with pytest.raises(InvalidValueError, match="only is h, and there is no such panorama"):
        Choice(frozenset("ah")).of("abc")
    with pytest.raises(InvalidValueError, match="workers is 0"):
        make_units(str, {"a": 1}, HERE, desc="try", workers=0)
