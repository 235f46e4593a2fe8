from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import nbformat
import pytest

from nnbook.errors import NnbookError
from nnbook.io import files
from nnbook.io.files import locked
from nnbook.provenance.notebooks import OUTPUT_BYTES, execute_notebook, execute_notebooks, stale_notebooks
from nnbook.provenance.stage import NEVER_MADE

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
    path.parent.mkdir(exist_ok=True)
    path.write_text(HEAD + "".join(f"\n```{{code-cell}} ipython3\n{cell}\n```\n" for cell in cells))
    return path


def outputs_of(path: Path) -> list[Any]:
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    return [cell.outputs for cell in notebook.cells if cell.cell_type == "code"]


def test_outputs_are_written_and_the_edition_is_known(tmp_path: Path) -> None:
    text = text_notebook(tmp_path / "a.md", "import os\nside = 6", "#| label: fig:a\nside * 7",
                         "print(os.environ['NNBOOK_EDITION'])")  # fmt: skip
    before = text.read_bytes()
    execute_notebook(text, tmp_path / "own", tmp_path / "out" / "a.ipynb")
    outputs = outputs_of(tmp_path / "out" / "a.ipynb")
    assert outputs[0] == []
    assert outputs[1][0].data["text/plain"] == "42"
    assert outputs[2][0].text.strip() == str(tmp_path / "own")
    assert text.read_bytes() == before


def test_equal_notebooks_give_equal_files(tmp_path: Path) -> None:
    text = text_notebook(tmp_path / "a.md", "6 * 7")
    for name in ("one", "two"):
        execute_notebook(text, tmp_path, tmp_path / f"{name}.ipynb")
    assert (tmp_path / "one.ipynb").read_bytes() == (tmp_path / "two.ipynb").read_bytes()


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("undefined_name + 1", "code cell 2 (undefined_name + 1) failed: NameError"),
        ("while True: pass", "code cell 2 (while True: pass) still ran after 8 s; split it"),
        ("while True: print('x' * 10**6)", "code cell 2 (while True: print('x' * 10**6)) put out more than 20 MB"),
        ("import os; os._exit(3)", "code cell 2 (import os; os._exit(3)) killed the kernel"),
    ],
)
def test_a_failing_cell_is_named_and_nothing_written(tmp_path: Path, code: str, told: str) -> None:
    text = text_notebook(tmp_path / "b.md", "1", f"#| label: fig:b\n{code}", "2")
    executed = tmp_path / "out" / "b.ipynb"
    executed.parent.mkdir()
    executed.write_text("old")
    with pytest.raises(NnbookError) as caught:
        execute_notebook(text, tmp_path, executed, cell_seconds=8)
    message = str(caught.value)
    assert message.startswith(f"{text}: {told}")
    assert "\x1b" not in message
    assert executed.read_text() == "old"
    assert [path.name for path in executed.parent.iterdir()] == ["b.ipynb"]


def test_printing_100_mb_costs_little_memory(tmp_path: Path) -> None:
    text = text_notebook(tmp_path / "b.md", "for _ in range(10**6): print('x' * 99)")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(NnbookError, match="put out more than 20 MB; print less"):
        execute_notebook(text, tmp_path, tmp_path / "b.ipynb", cell_seconds=120)
    grown_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown_kb * 1000 < 8 * OUTPUT_BYTES


@pytest.mark.parametrize(
    "code",
    [
        "open('here.txt', 'w')",
        "from pathlib import Path\nPath('../mine.txt').write_text('x')",
        "import os\nos.open(EDITION + '/results.csv', os.O_WRONLY | os.O_CREAT)",
        "open(EDITION + '/figures/../results.csv', 'a')",
        "import os\nos.remove('b.md')",
        "import os\nos.mkdir('new')",
        "import os\nos.rename('b.md', 'c.md')",
        "import os\nos.symlink('b.md', 'c.md')",
        "import shutil\nshutil.rmtree('.')",
        "import numpy as np\nnp.save('array.npy', np.zeros(3))",
        "open('/var/nnbook-test-of-writing', 'w')",
    ],
)
def test_writing_elsewhere_is_refused(tmp_path: Path, code: str) -> None:
    edition = tmp_path / "build" / "own"
    (edition / "figures").mkdir(parents=True)
    text = text_notebook(tmp_path / "notebooks" / "b.md", "import os\nEDITION = os.environ['NNBOOK_EDITION']", code)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(NnbookError, match=r"code cell 2 .* a notebook may write to .*figures/ only"):
        execute_notebook(text, edition, tmp_path / "out.ipynb")
    assert sorted(tmp_path.rglob("*")) == before


def test_figures_temporary_files_and_caches_may_be_written(tmp_path: Path) -> None:
    edition = tmp_path / "build" / "own"
    edition.mkdir(parents=True)
    text = text_notebook(
        tmp_path / "notebooks" / "b.md",
        "import os, tempfile, shutil, numba\nfrom pathlib import Path\n"
        "from nnbook.io.files import atomic_write\n"
        "figures = Path(os.environ['NNBOOK_EDITION']) / 'figures'\n"
        "with atomic_write(figures / 'a.png') as path: path.write_text('drawn')\n"
        "with tempfile.TemporaryDirectory() as scratch: (Path(scratch) / 'a').write_text('x')\n"
        "(figures / 'deep').mkdir()\n"
        "shutil.rmtree(figures / 'deep')\n",
    )
    execute_notebook(text, edition, tmp_path / "out.ipynb")
    assert [path.name for path in (edition / "figures").iterdir()] == ["a.png"]


@pytest.fixture
def book(tmp_path: Path) -> tuple[Path, Path]:
    """Two notebooks, one of which reads a file, and the edition's folder."""
    edition = tmp_path / "build" / "own"
    edition.mkdir(parents=True)
    (edition / "data.csv").write_text("7")
    text_notebook(tmp_path / "notebooks" / "plain.md", "6 * 7")
    text_notebook(
        tmp_path / "notebooks" / "reads.md",
        "SEED, SHOWN = 5, 9\nimport os\nfrom pathlib import Path\nfolder = Path(os.environ['NNBOOK_EDITION'])",
        "#| label: tbl:a\nint((folder / 'data.csv').read_text()), (folder / 'more.csv').is_file()",
        "sorted(path.name for path in folder.glob('parts/*.csv'))",
    )
    return tmp_path / "notebooks", edition


def test_only_what_something_changed_for_runs_again(book: tuple[Path, Path]) -> None:
    notebooks, edition = book
    assert execute_notebooks(notebooks, edition) == ["plain", "reads"]
    assert execute_notebooks(notebooks, edition) == []
    (edition / "unread.csv").write_text("1")
    os.utime(edition / "data.csv")
    assert stale_notebooks(notebooks, edition) == {}, "it is the same, only newer"
    (edition / "data.csv").write_text("8")
    (edition / "more.csv").write_text("1")
    (edition / "parts").mkdir()
    (edition / "parts" / "a.csv").write_text("1")
    why = stale_notebooks(notebooks, edition)
    assert list(why) == ["reads"]
    assert [reason.split("own/")[1] for reason in why["reads"]] == [
        "data.csv changed",
        "more.csv has appeared",
        "parts has appeared",
    ]
    assert execute_notebooks(notebooks, edition) == ["reads"]
    assert outputs_of(edition / "notebooks" / "reads.ipynb")[1][0].data["text/plain"] == "(8, True)"
    assert outputs_of(edition / "notebooks" / "reads.ipynb")[2][0].data["text/plain"] == "['a.csv']"
    (edition / "parts" / "b.csv").write_text("1")
    assert ["other files are in" in reason for reason in stale_notebooks(notebooks, edition)["reads"]] == [True]
    (edition / "data.csv").unlink()
    assert "data.csv is gone" in stale_notebooks(notebooks, edition)["reads"][0]


def test_prose_and_labels_are_taken_over_without_running(book: tuple[Path, Path]) -> None:
    notebooks, edition = book
    execute_notebooks(notebooks, edition)
    before = outputs_of(edition / "notebooks" / "reads.ipynb")
    path = notebooks / "reads.md"
    path.write_text(path.read_text().replace("A title", "Another title\n\nWith words.").replace("tbl:a", "tbl:b"))
    assert stale_notebooks(notebooks, edition) == {}
    assert execute_notebooks(notebooks, edition) == []
    executed = (edition / "notebooks" / "reads.ipynb").read_text()
    assert "With words." in executed
    assert "tbl:b" in executed
    assert "tbl:a" not in executed
    assert outputs_of(edition / "notebooks" / "reads.ipynb") == before
    told = json.loads((edition / "provenance" / "reads.json").read_text())
    assert (told["title"], told["figures"]) == ("Another title", ["tbl:b"])
    path.write_text(path.read_text().replace("is_file()", "exists()"))
    assert stale_notebooks(notebooks, edition) == {"reads": ["its code cells changed"]}


def test_a_notebook_that_was_cut_off_is_executed_again(book: tuple[Path, Path]) -> None:
    notebooks, edition = book
    execute_notebooks(notebooks, edition)
    path = edition / "notebooks" / "plain.ipynb"
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    ((name, (reason,)),) = stale_notebooks(notebooks, edition).items()
    assert (name, reason.rsplit("/")[-1]) == ("plain", "plain.ipynb changed")
    assert execute_notebooks(notebooks, edition) == ["plain"]
    assert path.read_bytes() == whole


def test_the_origin_of_each_figure_is_told(book: tuple[Path, Path]) -> None:
    notebooks, edition = book
    execute_notebooks(notebooks, edition)
    told = json.loads((edition / "provenance" / "reads.json").read_text())
    assert [(one["path"].split("/")[-1], one["bytes"]) for one in told["inputs"]] == [("data.csv", 1)]
    assert told["inputs"][0]["sha256"] == files.sha256(edition / "data.csv")
    assert (told["notebook"], told["title"], told["figures"], told["seed"]) == ("reads", "A title", ["tbl:a"], 5)
    assert told["command"] == "nnbook notebook reads --edition own"
    assert told["seconds"] > 0
    assert told["environment"] == files.sha256(Path(__file__).parents[2] / "requirements.txt")
    assert str(Path.home()) not in json.dumps(told)


def test_notebooks_are_executed_by_name_and_others_left_alone(book: tuple[Path, Path]) -> None:
    notebooks, edition = book
    execute_notebooks(notebooks, edition)
    (edition / "data.csv").write_text("8")
    assert execute_notebooks(notebooks, edition, ["plain"]) == ["plain"]
    assert list(stale_notebooks(notebooks, edition)) == ["reads"]
    with pytest.raises(NnbookError, match="has no notebook named other; it has plain, reads"):
        execute_notebooks(notebooks, edition, ["other"])


def test_a_failure_is_told_and_the_others_are_executed(book: tuple[Path, Path]) -> None:
    notebooks, edition = book
    execute_notebooks(notebooks, edition)
    text_notebook(notebooks / "plain.md", "1 / 0")
    text_notebook(notebooks / "third.md", "3")
    with pytest.raises(NnbookError, match=r"plain\.md: code cell 1 \(1 / 0\) failed: ZeroDivisionError"):
        execute_notebooks(notebooks, edition)
    assert list(stale_notebooks(notebooks, edition)) == ["plain"]
    text_notebook(notebooks / "plain.md", "6 * 7")
    assert list(stale_notebooks(notebooks, edition)) == ["plain"], "it was not executed since it failed"


def test_what_is_left_of_a_notebook_goes_with_it(book: tuple[Path, Path]) -> None:
    notebooks, edition = book
    execute_notebooks(notebooks, edition)
    (notebooks / "reads.md").unlink()
    execute_notebooks(notebooks, edition)
    assert not [path for path in edition.rglob("*") if "reads" in path.name]
    assert (edition / "notebooks" / "plain.ipynb").is_file()


def test_a_figure_that_no_notebook_draws_any_more_goes(tmp_path: Path) -> None:
    notebooks, edition = tmp_path / "notebooks", tmp_path / "build" / "own"
    figures = edition / "figures"
    figures.mkdir(parents=True)
    (figures / "notice.png").write_text("of no notebook")

    def drawing(notebook: str, *names: str) -> None:
        head = "import os\nfrom pathlib import Path\nfigures = Path(os.environ['NNBOOK_EDITION']) / 'figures'"
        text_notebook(
            notebooks / f"{notebook}.md", head, *(f"(figures / '{name}.png').write_text('x')" for name in names)
        )

    drawing("one", "a", "b", "c")
    drawing("two", "c")
    execute_notebooks(notebooks, edition)
    drawing("one", "a")
    execute_notebooks(notebooks, edition)
    assert sorted(path.stem for path in figures.iterdir()) == ["a", "c", "notice"]
    (notebooks / "two.md").unlink()
    execute_notebooks(notebooks, edition)
    assert sorted(path.stem for path in figures.iterdir()) == ["a", "notice"]


class Killed(BaseException):
    """What no code catches."""


@pytest.mark.parametrize("count", range(6))
def test_a_build_killed_between_any_two_files_shows_nothing_stale_as_fresh(
    book: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    notebooks, edition = book
    execute_notebooks(notebooks, edition, ["reads"])
    (edition / "data.csv").write_text("8")
    left = [count]

    def replace(self: Path, target: Path) -> Path:
        left[0] -= 1
        if left[0] < 0:
            raise Killed
        return self.rename(target)

    with monkeypatch.context() as dying:
        dying.setattr(Path, "replace", replace)
        if count < 5:  # the notebook and its provenance, each written aside and moved into place, and the record
            with pytest.raises(Killed):
                execute_notebooks(notebooks, edition, ["reads"])
        else:
            execute_notebooks(notebooks, edition, ["reads"])
    (edition / "data.csv").write_text("7")  # as it was at first
    assert "reads" in stale_notebooks(notebooks, edition)
    execute_notebooks(notebooks, edition)
    assert outputs_of(edition / "notebooks" / "reads.ipynb")[1][0].data["text/plain"] == "(7, False)"
    assert stale_notebooks(notebooks, edition) == {}


def test_a_killed_process_leaves_no_lock_and_what_it_was_at_is_stale(book: tuple[Path, Path]) -> None:
    notebooks, edition = book
    text_notebook(notebooks / "plain.md", "import os, time\nopen(os.environ['NNBOOK_EDITION'] + '/figures/begun', 'w')",
                  "time.sleep(600)")  # fmt: skip
    (edition / "figures").mkdir()
    call = f"""
from pathlib import Path
from nnbook.io.files import locked
from nnbook.provenance.stage import NEVER_MADE
from nnbook.provenance.notebooks import execute_notebooks
with locked(Path({str(edition)!r})):
    execute_notebooks(Path({str(notebooks)!r}), Path({str(edition)!r}))
"""
    process = subprocess.Popen([sys.executable, "-c", call], stderr=subprocess.PIPE, text=True)
    try:
        deadline = time.monotonic() + 60
        while not (edition / "figures" / "begun").exists():
            assert process.poll() is None, process.stderr and process.stderr.read()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        with pytest.raises(NnbookError, match="another process is writing it; wait"), locked(edition):
            pytest.fail("two builds at once")
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()
    assert stale_notebooks(notebooks, edition)["plain"] == [NEVER_MADE]
    with locked(edition):
        text_notebook(notebooks / "plain.md", "6 * 7")
        assert execute_notebooks(notebooks, edition) == ["plain", "reads"]
