"""Executing the text notebooks of the book."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

from nnbook.edition import FOLDER_VARIABLE
from nnbook.errors import NnbookError
from nnbook.files import aside

if TYPE_CHECKING:
    from pathlib import Path

CELL_SECONDS = 600
ANSI = re.compile(r"\x1b\[[0-9;]*m")


def execute_notebook(text_path: Path, edition_folder: Path, executed_path: Path) -> None:
    """Execute a text notebook from its first cell to its last, and write it with its outputs, in one step.

    Parameters
    ----------
    text_path : Path
        A notebook in MyST Markdown, as jupytext pairs it.
    edition_folder : Path
        The edition that it shows: the notebook finds it through the environment variable `NNBOOK_EDITION`.
    executed_path : Path
        The `.ipynb` file to write. It stays as it was where a cell fails.

    Raises
    ------
    NnbookError
        Where a cell raises, or takes longer than `CELL_SECONDS`: with the notebook, the cell and what it said.
    """
    import jupytext
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    notebook = jupytext.read(text_path, fmt="md:myst")
    # MyST warns of what jupytext keeps for itself.
    notebook.metadata.pop("jupytext", None)
    begun = [0]
    client = NotebookClient(
        notebook,
        timeout=CELL_SECONDS,
        kernel_name="python3",
        resources={"metadata": {"path": str(text_path.parent)}},
        on_cell_execute=lambda cell, cell_index: begun.append(cell_index),  # noqa: ARG005 - called by these names
    )
    try:
        client.execute(env={**os.environ, FOLDER_VARIABLE: str(edition_folder.resolve())})
    except CellExecutionError as error:
        said = f"{error.ename}: {ANSI.sub('', error.evalue)}"
        raise NnbookError(f"{text_path}: {_cell_name(notebook, begun[-1])} failed: {said}") from error
    except CellTimeoutError as error:
        raise NnbookError(f"{text_path}: {_cell_name(notebook, begun[-1])} still ran after {CELL_SECONDS} s") from error
    except DeadKernelError as error:
        raise NnbookError(
            f"{text_path}: {_cell_name(notebook, begun[-1])} killed the kernel; is there enough memory?"
        ) from error
    with aside(executed_path) as written:
        written.write_text(nbformat.writes(notebook), encoding="utf-8")


def _cell_name(notebook: Any, index: int) -> str:
    """Name a cell as a reader finds it: code cells counted from 1, with the first line of code."""
    number = sum(cell.cell_type == "code" for cell in notebook.cells[: index + 1])
    lines = [line for line in notebook.cells[index].source.splitlines() if line.strip() and not line.startswith("#|")]
    return f"code cell {number} ({lines[0] if lines else 'empty'})"
