"""Executing the text notebooks of the book: those that are out of date, each in a kernel that notes what it reads."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
import tempfile
import time
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nnbook.errors import MissingFileError, NnbookError
from nnbook.io.edition import FOLDER_VARIABLE
from nnbook.io.files import atomic_write, write_json
from nnbook.provenance.dependencies import PACKAGE
from nnbook.provenance.kernel import AUDIT_VARIABLE
from nnbook.provenance.notebook_record import (
    Run,
    about,
    drawn_files,
    notebook_stage,
    noted_reads,
    output_names,
    record_name,
    recorded_drawn,
    write_provenance,
)
from nnbook.provenance.stage import Stage, keep, note_outputs, remake, remove, why_stale
from nnbook.values.computed import collect_numbers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nnbook.io.paths import PathLike

CELL_SECONDS = 600
OUTPUT_BYTES = 20_000_000
"""What one cell may put out. The figures and tables of the book stay below a tenth of it."""

ANSI = re.compile(r"\x1b\[[0-9;]*m")
KERNEL = "python3"


def execute_notebooks(
    notebooks: PathLike, folder: PathLike, names: Sequence[str] = (), *, cell_seconds: float = CELL_SECONDS
) -> list[str]:
    """Execute the text notebooks that are out of date into `notebooks/NAME.ipynb` of an edition's folder.

    Beside each, `records/notebook-NAME.json` keeps what it depends on, and `provenance/NAME.json` says where its
    figures come from. Where only prose has changed, it is taken over into the executed notebook. What is left of
    notebooks that are gone is removed, and figures that a notebook no longer draws.

    Parameters
    ----------
    notebooks : str or Path
        The folder of the text notebooks.
    folder : str or Path
        The edition's folder.
    names : sequence of str, optional
        Execute these, whether they are out of date or not, and leave the others alone.
    cell_seconds : float, optional
        How long a cell may take.

    Returns
    -------
    list of str
        Names of the notebooks that were executed.

    Raises
    ------
    NnbookError
        With a line for each notebook that failed: see `execute_notebook`. The others are executed.
    """
    from nnbook.io.progress import show_progress

    notebooks, folder = Path(notebooks), Path(folder)
    texts = {path.stem: path for path in sorted(notebooks.glob("*.md"))}
    if not texts:
        raise MissingFileError(f"{notebooks}: has no notebooks; name the folder of the text notebooks")
    if unknown := [name for name in names if name not in texts]:
        raise MissingFileError(f"{notebooks}: has no notebook named {unknown[0]}; it has {', '.join(texts)}")
    _remove_others(folder, set(texts))
    problems, executed = [], []
    for name, path in (bar := show_progress(texts.items(), desc="notebooks", unit="notebook")):
        bar.set_postfix_str(name)
        if names and name not in names:
            continue
        text = path.read_text(encoding="utf-8")
        stage = notebook_stage(name, text, folder)
        if not names and not why_stale(stage):
            if _take_over_prose(text, *(folder / output for output in stage.writes)):
                note_outputs(stage)
            keep(stage)
            continue
        # A notebook writes its static figures itself: those of one that fails are neither the old ones nor whole.
        (folder / stage.record).unlink(missing_ok=True)
        try:
            remake(stage, partial(_execute, path, text, stage, cell_seconds))
        except NnbookError as error:
            problems.append(str(error))
        else:
            executed.append(name)
    if problems:
        raise NnbookError("\n".join(problems))
    collect_numbers(folder)
    return executed


def stale_notebooks(notebooks: PathLike, folder: PathLike) -> dict[str, list[str]]:
    """Find which text notebooks of an edition are out of date, by name, and why."""
    notebooks, folder = Path(notebooks), Path(folder)
    found = {}
    for path in sorted(notebooks.glob("*.md")):
        if reasons := why_stale(notebook_stage(path.stem, path.read_text(encoding="utf-8"), folder)):
            found[path.stem] = reasons
    return found


def newest(notebooks: Path) -> tuple[int, int]:
    """Return how many text notebooks and modules of the package there are, and when one was changed last, in ns."""
    times = [path.stat().st_mtime_ns for path in (*notebooks.glob("*.md"), *PACKAGE.rglob("*.py"))]
    return len(times), max(times, default=0)


def execute_notebook(
    text_path: Path, edition_folder: Path, executed_path: Path, *, cell_seconds: float = CELL_SECONDS
) -> Run:
    """Execute a text notebook from its first cell to its last, and write it with its outputs, in one step.

    Parameters
    ----------
    text_path : Path
        A notebook in MyST Markdown, as jupytext pairs it. The folder above its own is the book's.
    edition_folder : Path
        The edition that it shows: the notebook finds it through the environment variable `NNBOOK_EDITION`. It may write
        into `figures/` there, and nowhere else in the edition or the book.
    executed_path : Path
        The `.ipynb` file to write. It stays as it was where a cell fails.
    cell_seconds : float, optional
        How long a cell may take.

    Returns
    -------
    Run

    Raises
    ------
    NnbookError
        Where a cell raises, takes longer than `cell_seconds`, puts out more than `OUTPUT_BYTES`, or writes where it may
        not: with the notebook, the cell and what it said.
    """
    import nbformat
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    notebook = _read_text(text_path.read_text(encoding="utf-8"), text_path.stem)
    client = _client(notebook, text_path.parent, cell_seconds)
    began, made = time.monotonic(), datetime.now(UTC).isoformat(timespec="seconds")
    with tempfile.TemporaryDirectory() as scratch:
        log = Path(scratch) / "noted"
        log.touch()
        folder = edition_folder.resolve()
        guarded = [str(text_path.parent.parent.resolve()), str(folder)]
        audited = {"log": str(log), "guarded": guarded, "output": str(folder / "figures")}
        environment = {**os.environ, FOLDER_VARIABLE: str(folder), AUDIT_VARIABLE: json.dumps(audited)}
        problem = ""
        cause: Exception | None = None
        try:
            client.execute(env=environment)
        except CellExecutionError as error:
            problem, cause = f"failed: {error.ename}: {ANSI.sub('', error.evalue)}", error
        except CellTimeoutError as error:
            problem = f"still ran after {cell_seconds:g} s; split it, or do that work in a stage of the pipeline"
            cause = error
        except DeadKernelError as error:
            problem, cause = "killed the kernel; is there enough memory?", error
        if client.overflowed is not None:
            problem = f"put out more than {OUTPUT_BYTES / 1e6:g} MB; print less, or draw it"
            client.begun = client.overflowed
        if problem:
            raise NnbookError(f"{text_path}: {_cell_name(notebook, client.begun)} {problem}") from cause
        noted = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    with atomic_write(executed_path) as written:
        written.write_text(nbformat.writes(notebook), encoding="utf-8")
    return Run(noted, made, time.monotonic() - began)


def _client(notebook: Any, folder: Path, cell_seconds: float) -> Any:
    """Return what executes a notebook in a kernel of `nnbook.provenance.kernel`, with a limit to its output."""
    from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
    from jupyter_client.manager import AsyncKernelManager
    from jupyter_core.utils import ensure_async
    from nbclient import NotebookClient

    class Auditing(KernelSpecManager):
        def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
            argv = [
                sys.executable,
                "-P",
                "-m",
                "nnbook.provenance.kernel",
                "--log-level=ERROR",
                "-f",
                "{connection_file}",
            ]
            return KernelSpec(argv=argv, display_name=kernel_name, language="python")

    class Bounded(NotebookClient):
        begun = 0
        overflowed: int | None = None
        size = 0

        def create_kernel_manager(self) -> Any:
            self.km = AsyncKernelManager(kernel_name=KERNEL, kernel_spec_manager=Auditing())
            return self.km

        async def async_execute_cell(self, cell: Any, cell_index: int, *arguments: Any, **options: Any) -> Any:
            if cell.cell_type == "code":
                self.begun, self.size = cell_index, 0
            return await super().async_execute_cell(cell, cell_index, *arguments, **options)

        def process_message(self, msg: Any, cell: Any, cell_index: int) -> Any:
            content = msg["content"]
            if msg["msg_type"] in {"stream", "display_data", "execute_result"}:
                self.size += len(content.get("text", "")) + sum(
                    len(str(one)) for one in content.get("data", {}).values()
                )
                if self.size > OUTPUT_BYTES:
                    if self.overflowed is None and self.km is not None:
                        self.overflowed = cell_index
                        self.stopping = asyncio.ensure_future(ensure_async(self.km.interrupt_kernel()))
                    return None
            return super().process_message(msg, cell, cell_index)

    return Bounded(notebook, record_timing=False, timeout=cell_seconds, resources={"metadata": {"path": str(folder)}})


def _read_text(text: str, name: str) -> Any:
    """Read a text notebook. Its cells get the same names each time, and none that another notebook has."""
    import jupytext

    notebook = jupytext.reads(text, fmt="md:myst")
    # MyST warns of what jupytext keeps for itself.
    notebook.metadata.pop("jupytext", None)
    for index, cell in enumerate(notebook.cells):
        cell.id = f"{name}-{index}"
    return notebook


def _take_over_prose(text: str, executed: Path, provenance: Path) -> bool:
    """Write a notebook's prose, and the options of its cells, as they are now into the executed one, if they differ."""
    import nbformat

    old, new = nbformat.read(executed, as_version=4), _read_text(text, executed.stem)
    cells = [[cell for cell in one.cells if cell.cell_type == "code"] for one in (old, new)]
    for ran, cell in zip(*cells, strict=True):
        cell.outputs, cell.execution_count = ran.outputs, ran.execution_count
    new.metadata = {**old.metadata, **new.metadata}
    new.nbformat_minor = old.nbformat_minor
    now = nbformat.writes(new).encode()
    if now == executed.read_bytes():
        return False
    # Written in place, in one call: a live preview takes a file that is moved there for a new page, and builds all of
    # them again. Half a file is not what was recorded, and is executed again.
    with executed.open("r+b", buffering=0) as file:
        file.write(now)
        file.truncate()
    was = json.loads(provenance.read_text(encoding="utf-8"))
    write_json(provenance, {**was, **about(was["notebook"], text)})
    return True


def _execute(path: Path, text: str, stage: Stage, cell_seconds: float, out: Path) -> dict[str, Any]:
    """Execute a notebook, and write it with its provenance into a folder; return what it read."""
    executed, provenance = (out / name for name in stage.writes)
    run = execute_notebook(path, stage.folder, executed, cell_seconds=cell_seconds)
    _remove_undrawn(stage.folder, path.stem, set(drawn_files(run.noted, stage.folder)))
    found = noted_reads(run.noted, stage.folder)
    write_provenance(provenance, text, stage, found["files"], run)
    return found


def _remove_undrawn(folder: Path, name: str, drawn: set[str]) -> None:
    """Remove the figures that a notebook drew before and does not draw now, unless another notebook draws them."""
    others = {path.stem for path in folder.glob("provenance/*.json")} - {name}
    kept = drawn.union(*(recorded_drawn(folder, other) for other in others))
    for figure in recorded_drawn(folder, name) - kept:
        (folder / figure).unlink(missing_ok=True)


def _remove_others(folder: Path, names: set[str]) -> None:
    for there in [*folder.glob("notebooks/*.ipynb"), *folder.glob("provenance/*.json")]:
        if there.stem not in names:
            _remove_undrawn(folder, there.stem, set())
            remove(folder, record_name(there.stem), output_names(there.stem))


def _cell_name(notebook: Any, index: int) -> str:
    """Name a cell as a reader finds it: code cells counted from 1, with the first line of code."""
    number = sum(cell.cell_type == "code" for cell in notebook.cells[: index + 1])
    lines = [line for line in notebook.cells[index].source.splitlines() if line.strip() and not line.startswith("#|")]
    return f"code cell {number} ({lines[0] if lines else 'empty'})"
