from pathlib import Path

import nbformat
import pytest

from nnbook.errors import NnbookError
from nnbook.notebooks import execute_notebook

HEAD = """---
jupytext:
  text_representation:
    extension: .md
    format_name: myst
kernelspec:
  display_name: Python 3
  language: python
  name: python3
---

# A title
"""


def text_notebook(path: Path, *cells: str) -> Path:
    path.write_text(HEAD + "".join(f"\n```{{code-cell}} ipython3\n{cell}\n```\n" for cell in cells))
    return path


def test_outputs_are_written_and_the_edition_is_known(tmp_path: Path) -> None:
    text = text_notebook(tmp_path / "a.md", "import os\nside = 6", "#| label: fig:a\nside * 7",
                         "print(os.environ['NNBOOK_EDITION'])")  # fmt: skip
    before = text.read_bytes()
    execute_notebook(text, tmp_path / "own", tmp_path / "out" / "a.ipynb")
    notebook = nbformat.read(tmp_path / "out" / "a.ipynb", as_version=4)
    nbformat.validate(notebook)
    outputs = [cell.outputs for cell in notebook.cells if cell.cell_type == "code"]
    assert outputs[0] == []
    assert outputs[1][0].data["text/plain"] == "42"
    assert outputs[2][0].text.strip() == str(tmp_path / "own")
    assert text.read_bytes() == before


def test_a_failing_cell_is_named_and_nothing_written(tmp_path: Path) -> None:
    text = text_notebook(tmp_path / "b.md", "1", "#| label: fig:b\nundefined_name + 1", "2")
    executed = tmp_path / "out" / "b.ipynb"
    executed.parent.mkdir()
    executed.write_text("old")
    with pytest.raises(NnbookError) as caught:
        execute_notebook(text, tmp_path, executed)
    message = str(caught.value)
    assert message.startswith(f"{text}: code cell 2 (undefined_name + 1) failed: NameError")
    assert "\x1b" not in message
    assert executed.read_text() == "old"
    assert [path.name for path in executed.parent.iterdir()] == ["b.ipynb"]
