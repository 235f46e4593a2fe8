import os
from pathlib import Path
from typing import Any

import pytest

from nnbook.provenance.stage_record import file_state, is_current, remade, write_record


@pytest.fixture
def made(tmp_path: Path) -> tuple[Path, Path, dict[str, Any]]:
    """A record, an output, and what they depend on."""
    output = tmp_path / "results.csv"
    output.write_text("image\n")
    record, depends = tmp_path / "records" / "measure.json", {"text": "a", "scale": 8.0453, "files": [("a.tif", 1)]}
    write_record(record, depends)
    return record, output, depends


def test_is_current_while_nothing_changed(made: tuple[Path, Path, dict[str, Any]]) -> None:
    record, output, depends = made
    assert is_current(record, depends, [output])


@pytest.mark.parametrize("change", [{"text": "b"}, {"scale": 8.0}, {"files": [("a.tif", 2)]}, {"more": 1}])
def test_is_stale_after_a_change(made: tuple[Path, Path, dict[str, Any]], change: dict[str, Any]) -> None:
    record, output, depends = made
    assert not is_current(record, {**depends, **change}, [output])


@pytest.mark.parametrize("damage", ["no output", "no record", "half a record", "no text"])
def test_is_stale_where_something_is_gone(made: tuple[Path, Path, dict[str, Any]], damage: str) -> None:
    record, output, depends = made
    if damage == "no output":
        output.unlink()
    elif damage == "no record":
        record.unlink()
    else:
        record.write_bytes(b'{"text": ' if damage == "half a record" else b"\xff\xfe\xff")
    assert not is_current(record, depends, [output])


def test_state_tells_versions_of_a_file_apart(tmp_path: Path) -> None:
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


def test_what_was_cut_off_is_stale_even_when_all_is_changed_back(made: tuple[Path, Path, dict[str, Any]]) -> None:
    record, output, depends = made
    with pytest.raises(KeyboardInterrupt), remade(record, {**depends, "scale": 4}):
        output.write_text("of scale 4")
        raise KeyboardInterrupt
    assert not is_current(record, depends, [output]), "the output is of another scale"
    with remade(record, depends):
        output.write_text("of scale 8.0453")
    assert is_current(record, depends, [output])
