import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnbook.errors import NnbookError
from nnbook.measurement.imaged_area import area
from nnbook.provenance.notebooks import execute_notebook
from nnbook.values.computed import MIME, Number, cited_as_json, collect_numbers, name_numbers, read_numbers
from nnbook.values.published import CITED

ONE = Number("area.cm2", "Imaged area", 37.2462, "cm²", digits=2)
TEXT = """---
kernelspec: {display_name: Python 3, language: python, name: python3}
---

```{code-cell} ipython3
from nnbook.values.computed import Number, name_numbers

name_numbers(Number("area.cm2", "Imaged area", 37.2462, "cm²", digits=2), source="nnbook.measurement.imaged_area.area")
```
"""


def bundle(*numbers: Number, **told: Any) -> dict[str, Any]:
    return name_numbers(*numbers, **({"source": area} | told))._repr_mimebundle_()


def executed(folder: Path, name: str, *numbers: Number) -> Path:
    path = folder / "notebooks" / f"{name}.ipynb"
    path.parent.mkdir(exist_ok=True)
    cells = [
        {"cell_type": "markdown", "source": "Text"},
        {"cell_type": "code", "outputs": [{"output_type": "stream", "text": "said"}]},
        {"cell_type": "code", "outputs": [{"output_type": "execute_result", "data": bundle(*numbers)}]},
    ]
    path.write_text(json.dumps({"cells": cells}), encoding="utf-8")
    return path


def test_an_output_carries_the_values_beside_a_table() -> None:
    told = bundle(ONE, inputs=["edition.json"])
    assert told[MIME] == [
        {
            "key": "area.cm2",
            "title": "Imaged area",
            "value": 37.2462,
            "unit": "cm²",
            "digits": 2,
            "source": "nnbook.measurement.imaged_area.area",
            "inputs": ("edition.json",),
            "shown": "37.25\u00a0cm²",
        }
    ]
    assert "37.25\u00a0cm²" in told["text/html"]
    assert "area.cm2" in told["text/plain"]


def test_a_number_may_tell_its_own_source_and_inputs() -> None:
    own = Number("a", "A", 1, source="nnbook.values.published.PX_PER_UM", inputs=("a.csv",))
    [told, other] = bundle(own, ONE, inputs=["b.csv"])[MIME]
    assert (told["source"], told["inputs"]) == ("nnbook.values.published.PX_PER_UM", ("a.csv",))
    assert (other["source"], other["inputs"]) == ("nnbook.measurement.imaged_area.area", ("b.csv",))


def test_numbers_of_numpy_become_plain() -> None:
    told = bundle(Number("a", "A", np.int64(7)), Number("b", "B", np.float32(0.5), digits=1))[MIME]  # type: ignore[arg-type]
    assert json.loads(json.dumps([one["value"] for one in told])) == [7, 0.5]


@pytest.mark.parametrize(
    ("numbers", "told"),
    [
        ([], "no number was named"),
        ([ONE, ONE], "area.cm2 is named twice"),
        ([Number("Area", "A", 1)], "'Area' is no key"),
        ([Number("a", "A", math.nan)], "the number a: nan cannot be shown; give a finite value, or None"),
        ([Number("a", "A", 1, "cm2")], "the number a: 'cm2' is no unit"),
        (
            [Number("a", "A", 1, source="nnbook.measurement.imaged_area.ares")],
            "its source is 'nnbook.measurement.imaged_area.ares', which does not exist",
        ),
        ([Number("a", "A", 1, source="no_such_module.x")], "'no_such_module.x', which does not exist"),
    ],
)
def test_what_cannot_be_a_number_of_the_book_is_named(numbers: list[Number], told: str) -> None:
    with pytest.raises(NnbookError, match=told):
        bundle(*numbers)


def test_a_number_without_a_source_is_refused() -> None:
    with pytest.raises(NnbookError, match="its source is ''"):
        name_numbers(ONE)


def test_every_wrong_number_has_a_line() -> None:
    with pytest.raises(NnbookError) as caught:
        bundle(Number("A", "A", 1), Number("b", "B", math.inf))
    assert len(str(caught.value).splitlines()) == 2


def test_what_notebooks_named_is_collected_by_key(tmp_path: Path) -> None:
    executed(tmp_path, "second", Number("b", "B", None))
    executed(tmp_path, "first", ONE, Number("a", "A", 2))
    found = collect_numbers(tmp_path)
    assert list(found) == ["a", "area.cm2", "b"]
    assert found["area.cm2"]["notebook"] == "first"
    assert (found["b"]["value"], found["b"]["shown"]) == (None, "–")
    assert read_numbers(tmp_path) == json.loads(json.dumps(found))


def test_a_key_of_two_notebooks_is_an_error_that_names_both(tmp_path: Path) -> None:
    executed(tmp_path, "first", ONE)
    executed(tmp_path, "second", ONE)
    with pytest.raises(NnbookError, match=r"area\.cm2 is named twice, in first and second"):
        collect_numbers(tmp_path)
    assert not (tmp_path / "numbers.json").exists()


def test_a_file_that_is_no_notebook_is_named(tmp_path: Path) -> None:
    executed(tmp_path, "broken", ONE).write_text("{", encoding="utf-8")
    with pytest.raises(NnbookError, match=r"broken\.ipynb: is no executed notebook"):
        collect_numbers(tmp_path)


def test_numbers_that_were_not_collected_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(NnbookError, match=r"numbers\.json: no such file"):
        read_numbers(tmp_path)
    (tmp_path / "numbers.json").write_text("{", encoding="utf-8")
    with pytest.raises(NnbookError, match=r"numbers\.json: holds no numbers"):
        read_numbers(tmp_path)


def test_a_notebook_that_was_executed_tells_its_numbers(tmp_path: Path) -> None:
    (tmp_path / "area.md").write_text(TEXT, encoding="utf-8")
    execute_notebook(tmp_path / "area.md", tmp_path, tmp_path / "notebooks" / "area.ipynb")
    assert collect_numbers(tmp_path)["area.cm2"]["shown"] == "37.25\u00a0cm²"


def test_cited_values_reach_the_pages_with_their_sources() -> None:
    told = json.loads(json.dumps(cited_as_json()))
    assert list(told) == list(CITED)
    assert told["area.cm2"]["shown"] == "37.25\u00a0cm²"
    assert told["area.cm2"]["source"]["authors"] == "R. Barkley"


def test_what_a_number_is_comes_first_in_its_table() -> None:
    html = name_numbers(Number("a.count", "How many", 3), source="nnbook.values.formatting.shown")._repr_mimebundle_()
    cells = [html["text/html"].index(text) for text in ("How many", ">3<", "a.count")]
    assert cells == sorted(cells)
