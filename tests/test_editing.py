"""An author's round: a notebook edited in Jupyter stays text, and a commit holds nothing that it must not."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import jupytext
import nbformat
import pytest

PROJECT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
NOTEBOOKS = sorted((PROJECT / "notebooks").glob("*.md"))


def call(folder: Path, *command: str | Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "PRE_COMMIT_HOME": str(folder / ".pre-commit"),
                   "PYTHONPATH": str(PROJECT / "src")}  # fmt: skip
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=300
    )


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_survives_the_way_to_jupyter_and_back(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    notebook = jupytext.reads(text, fmt="md:myst")
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [nbformat.v4.new_output("stream", text="an output")], 1
    notebook.metadata["jupytext"]["notebook_metadata_filter"] = (
        "jupytext,kernelspec,-jupytext.text_representation.jupytext_version,"
        "-jupytext.text_representation.format_version,-jupytext.notebook_metadata_filter"
    )
    assert jupytext.writes(notebook, fmt="md:myst") == text


def test_an_edit_in_jupyter_becomes_text_without_outputs(tmp_path: Path) -> None:
    for name in ("draw.md", "jupytext.toml"):
        shutil.copyfile(PROJECT / "notebooks" / name, tmp_path / name)
    assert call(tmp_path, BIN / "jupytext", "--sync", "draw.md").returncode == 0
    notebook = nbformat.read(tmp_path / "draw.ipynb", as_version=4)
    notebook.cells[0].source = notebook.cells[0].source.replace("A draw of cells", "A drawing of cells")
    last = [cell for cell in notebook.cells if cell.cell_type == "code"][-1]
    last.source = last.source.replace("fig:cells-simulated", "fig:drawn")
    last.outputs, last.execution_count = [nbformat.v4.new_output("stream", text="an output")], 7
    last.metadata["execution"] = {"iopub.status.busy": "2026-01-01"}
    nbformat.write(notebook, tmp_path / "draw.ipynb")
    newer = (tmp_path / "draw.md").stat().st_mtime + 5
    os.utime(tmp_path / "draw.ipynb", (newer, newer))
    done = call(tmp_path, BIN / "jupytext", "--sync", "draw.ipynb")
    assert done.returncode == 0, done.stderr
    before = (PROJECT / "notebooks" / "draw.md").read_text()
    expected = before.replace("A draw of cells", "A drawing of cells").replace("fig:cells-simulated", "fig:drawn")
    assert (tmp_path / "draw.md").read_text() == expected != before


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    for name in ("chapters", "notebooks", "data"):
        shutil.copytree(PROJECT / name, tmp_path / name, ignore=shutil.ignore_patterns("*.ipynb", ".ipynb_checkpoints"))
    for name in ("myst.yml", ".pre-commit-config.yaml", "pyproject.toml"):
        shutil.copyfile(PROJECT / name, tmp_path / name)
    (tmp_path / ".venv").symlink_to(BIN.parent)
    (tmp_path / ".gitignore").write_text(".venv\n.pre-commit\n")
    for command in (
        ["init", "-q"],
        ["config", "user.email", "a@example.org"],
        ["config", "user.name", "A"],
        ["add", "."],
    ):
        assert call(tmp_path, "git", *command).returncode == 0
    return tmp_path


def hooks(folder: Path) -> subprocess.CompletedProcess[str]:
    call(folder, "git", "add", "--force", "--all", "--", ":!.venv", ":!.pre-commit")
    return call(folder, BIN / "pre-commit", "run", "--all-files", "--color", "never")


def test_what_is_committed_passes_the_hooks(repository: Path) -> None:
    done = hooks(repository)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Failed" not in done.stdout


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("notebooks/area.ipynb", "{}", "notebooks are text, without outputs"),
        ("chapters/index.md", "---\ntitle: A\n---\n\nThere are 1,061,277 images.\n", "1,061,277 is typed by hand"),
        ("src/a.py", "import os\n", "imported but unused"),
        ("src/b.py", "a  =  1\n", "files were modified by this hook"),
    ],
)
def test_what_must_not_be_committed_is_refused(repository: Path, name: str, text: str, told: str) -> None:
    (repository / name).parent.mkdir(exist_ok=True)
    (repository / name).write_text(text)
    done = hooks(repository)
    assert done.returncode == 1
    assert told in done.stdout
