from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from nnbook.book.check import PLOT_SHARE, RECORD, accept, compare, compare_pictures, known_values
from nnbook.book.lint import Value
from nnbook.cli import main
from nnbook.errors import NnbookError
from nnbook.io.images import write_image, write_mask
from nnbook.values.table import Table

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

NUMBERS: dict[str, dict[str, Any]] = {
    "area.cm2": {"value": 10.37, "unit": "cm²", "digits": 2, "inputs": ["edition.json"]},
    "rois.count": {"value": 5000, "unit": "", "digits": 0, "inputs": ["rois.parquet"]},
    "rois.missing": {"value": None, "unit": "", "digits": 0, "inputs": ["rois.parquet"]},
}
ROWS = [["Case", "F1", "Splits"], ["Touching", "0.953", "3"], ["Anaphase", "1,204.5", "−2"]]


def write_book(folder: Path, numbers: dict[str, Any], rows: list[list[str]], pixels: NDArray[np.uint8]) -> None:
    (folder / "notebooks").mkdir(parents=True, exist_ok=True)
    (folder / "figures").mkdir(exist_ok=True)
    (folder / "numbers.json").write_text(json.dumps(numbers))
    table = Table(tuple(rows[0]), tuple(map(tuple, rows[1:])))
    cell = {
        "cell_type": "code",
        "source": ["#| label: tbl:cases\n", "cases()"],
        "outputs": [{"output_type": "execute_result", "data": table._repr_mimebundle_()}],
    }
    (folder / "notebooks" / "cases.ipynb").write_text(json.dumps({"cells": [cell]}))
    Image.fromarray(pixels).save(folder / "figures" / "curve.png")


PIXELS = np.random.default_rng(1).integers(0, 255, (100, 100, 3), np.uint8)


@pytest.fixture
def book(tmp_path: Path) -> tuple[Path, Path]:
    """A book whose build was accepted."""
    folder = tmp_path / "build" / "twin"
    write_book(folder, NUMBERS, ROWS, PIXELS)
    accept(tmp_path, folder)
    return tmp_path, folder


def test_what_was_accepted_does_not_drift(book: tuple[Path, Path]) -> None:
    project, folder = book
    assert compare(project, folder, project / "differences") == []
    assert (project / "figures" / "curve.png").read_bytes() == (folder / "figures" / "curve.png").read_bytes()
    assert not (project / "differences").exists()
    record = (project / RECORD).read_text()
    assert accept(project, folder).read_text() == record
    told = json.loads(record)
    assert [list(one) for one in (told, told["numbers"])] == [sorted(told), sorted(told["numbers"])]
    assert '"Touching | 0.953 | 3",' in [line.strip() for line in record.splitlines()], "a line for each row"


@pytest.mark.parametrize(
    ("key", "value", "drifted"),
    [
        ("rois.count", 5050, False),
        ("rois.count", 5150, True),
        ("area.cm2", 10.371, True),
        ("area.cm2", 10.370000000001, False),
        ("rois.missing", 3, True),
        ("rois.count", None, True),
    ],
)
def test_numbers_may_differ_as_far_as_images_make_them(
    book: tuple[Path, Path], key: str, value: float | None, drifted: bool
) -> None:
    project, folder = book
    write_book(folder, {**NUMBERS, key: NUMBERS[key] | {"value": value}}, ROWS, PIXELS)
    found = compare(project, folder, project / "differences")
    assert [one.key for one in found] == ([f"number {key}"] if drifted else [])
    if drifted:
        assert str(NUMBERS[key]["value"]) in str(found[0])
        assert str(value) in str(found[0])


@pytest.mark.parametrize(
    ("row", "drifted"),
    [
        (["Touching", "0.954", "5"], False),
        (["Touching", "0.953", "6"], True),
        (["Touching", "0.930", "3"], True),
        (["Touching", "0.953", "–"], True),
        (["Merged", "0.953", "3"], True),
    ],
)
def test_rows_of_tables_may_differ_in_numbers_alone(book: tuple[Path, Path], row: list[str], drifted: bool) -> None:
    project, folder = book
    write_book(folder, NUMBERS, [ROWS[0], row, ROWS[2]], PIXELS)
    found = compare(project, folder, project / "differences")
    assert [one.key for one in found] == (["table tbl:cases, row 1"] if drifted else [])
    if drifted:
        assert (found[0].recorded, found[0].now) == ("Touching | 0.953 | 3", " | ".join(row))


def test_a_figure_that_differs_is_told_and_shown(book: tuple[Path, Path]) -> None:
    project, folder = book
    changed = PIXELS.copy()
    changed[:1, : int(100 * 100 * PLOT_SHARE) - 1] ^= 128
    write_book(folder, NUMBERS, ROWS, changed)
    assert compare(project, folder, project / "differences") == []
    changed[5:15] ^= 128
    write_book(folder, NUMBERS, ROWS, changed ^ np.uint8(1))
    (found,) = compare(project, folder, project / "differences")
    assert found.key == "figure curve"
    assert "10.49% of its pixels differ" in found.now
    with Image.open(project / "differences" / "curve.png") as shown:
        red = (np.asarray(shown) == (213, 0, 0)).all(axis=2)
    assert red[5:15].all()
    assert not red[15:].any()
    assert str(project / "differences" / "curve.png") in str(found)


def test_another_size_is_another_picture(tmp_path: Path) -> None:
    for name, size in (("one", 10), ("other", 12)):
        Image.fromarray(PIXELS[:size]).save(tmp_path / f"{name}.png")
    assert compare_pictures(tmp_path / "one.png", tmp_path / "other.png")[0] == 1


def test_what_is_gone_or_new_is_told(book: tuple[Path, Path]) -> None:
    project, folder = book
    write_book(folder, {"new.one": NUMBERS["area.cm2"], "area.cm2": NUMBERS["area.cm2"]}, ROWS, PIXELS)
    (folder / "notebooks" / "cases.ipynb").unlink()
    Image.fromarray(PIXELS).save(folder / "figures" / "more.png")
    found = compare(project, folder, project / "differences")
    assert {(one.key, one.recorded, one.now) for one in found} == {
        ("number new.one", "not there", "there"),
        ("number rois.count", "there", "not there"),
        ("number rois.missing", "there", "not there"),
        ("table tbl:cases", "there", "not there"),
        ("figure more", "not there", "there"),
    }


def test_a_stand_in_older_than_its_figure_or_gone_is_told(book: tuple[Path, Path]) -> None:
    project, folder = book
    Image.fromarray(255 - PIXELS).save(project / "figures" / "curve.png")
    assert [one.key for one in compare(project, folder, project / "differences")] == ["figure curve"]
    (project / "figures" / "curve.png").unlink()
    assert "not in figures/" in str(compare(project, folder, project / "differences")[0])


def test_accepting_keeps_tolerances_that_were_set_by_hand(book: tuple[Path, Path]) -> None:
    project, folder = book
    record = json.loads((project / RECORD).read_text())
    record["figures"]["curve"]["tolerance"] = 0.25
    record["numbers"]["rois.count"]["tolerance"] = 1000.0
    (project / RECORD).write_text(json.dumps(record))
    write_book(folder, {**NUMBERS, "rois.count": NUMBERS["rois.count"] | {"value": 5900}}, ROWS, PIXELS)
    assert compare(project, folder, project / "differences") == []
    accept(project, folder)
    told = json.loads((project / RECORD).read_text())
    assert (told["figures"]["curve"]["tolerance"], told["numbers"]["rois.count"]["tolerance"]) == (0.25, 1000.0)
    assert told["numbers"]["rois.count"]["value"] == 5900


@pytest.mark.parametrize(("rows", "replaced"), [(24, False), (26, True)])
def test_accepting_replaces_pictures_that_differ_by_more_than_half_of_their_tolerance(
    book: tuple[Path, Path], rows: int, replaced: bool
) -> None:
    project, folder = book
    record = json.loads((project / RECORD).read_text())
    record["figures"]["curve"]["tolerance"] = 0.5
    (project / RECORD).write_text(json.dumps(record))
    before = (project / "figures" / "curve.png").read_bytes()
    other = PIXELS.copy()
    other[:rows] = 255 - other[:rows]
    write_book(folder, NUMBERS, ROWS, other)
    accept(project, folder)
    assert ((project / "figures" / "curve.png").read_bytes() != before) == replaced


def test_a_record_that_is_missing_or_of_another_edition_is_named(book: tuple[Path, Path]) -> None:
    project, folder = book
    with pytest.raises(NnbookError, match="is of the edition twin, not of own"):
        compare(project, folder.rename(folder.with_name("own")), project)
    (project / RECORD).unlink()
    with pytest.raises(NnbookError, match="nnbook check --accept"):
        known_values(project)


def test_the_values_of_the_record_are_known(book: tuple[Path, Path]) -> None:
    known = known_values(book[0])
    assert Value("number", "rois.count", 5000, "", 0) in known
    assert "rois.missing" not in {value.key for value in known}
    assert {value.role for value in known if value.key == "rois.count"} == {"number", "published"}


NOTEBOOK = """---
kernelspec:
  name: python3
  display_name: Python 3
---

# Count

```{code-cell} ipython3
from nnbook.io.edition import read_edition
from nnbook.io.results import read_results
from nnbook.values.computed import Number, name_numbers

results = read_results(read_edition().results)
name_numbers(Number("rois.total", "ROIs", int(results["num_rois"].sum())), source=read_results,
             inputs=["results.csv"])
```
"""


def test_a_book_made_from_nothing_is_compared_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    labels = np.zeros((64, 64), np.int32)
    labels[20:40, 20:40] = 1
    write_image(tmp_path / "in" / "a.tif", np.zeros((64, 64), np.uint8))
    write_mask(tmp_path / "in" / "a_mask.tif", labels)
    (tmp_path / "manifest.csv").write_text("image,mask,px_per_um\nin/a.tif,in/a_mask.tif,8\n")
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "count.md").write_text(NOTEBOOK)
    (tmp_path / "myst.yml").write_text("project:\n  toc:\n    - file: build/book/notebooks/count.ipynb\n")
    call = ["check", "manifest.csv", "--edition", "own"]
    assert main(call) == 1
    assert "there is no record; write one with" in capsys.readouterr().err
    assert main([*call, "--accept"]) == 0
    assert main(call) == 0
    record = tmp_path / RECORD
    record.write_text(record.read_text().replace('"value": 1.0', '"value": 911184.0'))
    assert main(call) == 1
    told = capsys.readouterr().err
    assert "number rois.total: recorded 911184.0, now 1.0; tolerance" in told
    assert "if what differs is meant, accept it with 'nnbook check --built --accept'" in told
    assert list((tmp_path / "build").iterdir()) == []
    assert main(["check", "--text"]) == 0
