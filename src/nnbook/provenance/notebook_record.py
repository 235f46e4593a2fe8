"""What a notebook was made from: whether it is up to date, and where its figures come from."""

from __future__ import annotations

import ast
import hashlib
import json
import os
import platform
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import nnbook
from nnbook.io.files import sha256, write_json
from nnbook.provenance.dependencies import PACKAGE, code_cells, notebook_dependencies
from nnbook.provenance.stage import Stage, displayed, file_entry, names_digest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LOCK = PACKAGE.parents[1] / "requirements.txt"
"""Every package of the environment by its exact version."""

OPTION = re.compile(r"^#\|.*\n?", re.MULTILINE)
LABEL = re.compile(r"^#\|\s*label:\s*(\S+)", re.MULTILINE)
TITLE = re.compile(r"^# (.+)$", re.MULTILINE)


class Run(NamedTuple):
    """One execution of a notebook.

    Attributes
    ----------
    noted : sequence of list
        What its kernel noted: see `nnbook.provenance.kernel.audit`.
    made : str
        When it began, as an ISO time.
    seconds : float
        How long it took.
    """

    noted: Sequence[list[Any]]
    made: str
    seconds: float


def notebook_stage(name: str, text: str, folder: Path) -> Stage:
    """Return the stage that executes a text notebook for an edition.

    Parameters
    ----------
    name : str
        The notebook's name.
    text : str
        The notebook as it is now. Its prose, and the options of cells that only concern how outputs are shown, do not
        count: they are taken over without executing.
    folder : Path
        The edition's folder.
    """
    cells = [OPTION.sub("", cell).strip() for cell in code_cells(text)]
    return Stage(
        name=f"notebook {name}",
        folder=folder,
        record=record_name(name),
        writes=output_names(name),
        code=notebook_dependencies(text),
        reads=None,
        settings={
            "its code cells": hashlib.sha256(json.dumps(cells).encode()).hexdigest(),
            LOCK.name: sha256(LOCK) if LOCK.is_file() else "",
            "Python": platform.python_version(),
        },
    )


def record_name(name: str) -> str:
    """Return the name of a notebook's record in the edition's folder."""
    return f"records/notebook-{name}.json"


def output_names(name: str) -> list[str]:
    """Return the names of what executing a notebook writes: the notebook with its outputs, and its provenance."""
    return [f"notebooks/{name}.ipynb", f"provenance/{name}.json"]


def noted_reads(noted: Sequence[list[Any]], folder: Path) -> dict[str, Any]:
    """Return what a notebook turned out to read, for its record.

    Parameters
    ----------
    noted : sequence of list
        What its kernel noted: see `nnbook.provenance.kernel.audit`.
    folder : Path
        The edition's folder. Paths are relative to it.

    Returns
    -------
    dict
        `files`: by path, the entry of each file that it read, see `file_entry`; `absent`: paths of
        files that it looked for in vain; `listed`: by path, the hash of the names in each folder that it listed.
    """
    folder = folder.resolve()
    files = {
        os.path.relpath(path, folder): file_entry(Path(path), state) for kind, path, *state in noted if kind == "read"
    }
    return {
        "files": dict(sorted(files.items())),
        "absent": sorted(os.path.relpath(entry[1], folder) for entry in noted if entry[0] == "absent"),
        "listed": {
            os.path.relpath(path, folder): names_digest(Path(path)) for kind, path, *_ in noted if kind == "listed"
        },
    }


def drawn_files(noted: Sequence[list[Any]], folder: Path) -> list[str]:
    """Return which files of an edition a notebook wrote, and left there, as paths relative to the edition's folder."""
    folder = folder.resolve()
    written = sorted({entry[1] for entry in noted if entry[0] == "wrote"})
    return [os.path.relpath(path, folder) for path in written if Path(path).is_file()]


def recorded_drawn(folder: Path, name: str) -> set[str]:
    """Return which files a notebook drew when it was last executed; none where its provenance is gone or damaged."""
    try:
        told = json.loads((folder / output_names(name)[1]).read_text(encoding="utf-8"))
        return {figure for figure in told["drawn"] if figure.startswith("figures/")}
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return set()


def write_provenance(path: Path, text: str, stage: Stage, files: Mapping[str, Any], run: Run) -> None:
    """Write what a page says of how a notebook's figures, tables and numbers were made.

    Parameters
    ----------
    path : Path
        `provenance/NAME.json` of the edition.
    text : str
        The notebook.
    stage : Stage
        See `notebook_stage`.
    files : mapping
        See `noted_reads`.
    run : Run
        Its execution.
    """
    folder = stage.folder
    edition = folder / "edition.json"
    described = json.loads(edition.read_text(encoding="utf-8")) if edition.is_file() else {}
    write_json(
        path,
        {
            **about(path.stem, text),
            "inputs": [
                {"path": displayed(folder / name), "sha256": digest, "bytes": size}
                for name, (size, *_, digest) in files.items()
            ],
            "code": dict(stage.code),
            "drawn": drawn_files(run.noted, folder),
            "version": nnbook.__version__,
            "commit": _commit(),
            "parameters": described,
            "seed": _seed(text),
            "environment": stage.settings[LOCK.name],
            "machine": {
                "processor": _processor(),
                "system": platform.system() + " " + platform.release(),
                "python": stage.settings["Python"],
            },
            "made": run.made,
            "seconds": round(run.seconds, 2),
            "command": f"nnbook notebook {path.stem} --edition {folder.name}",
        },
    )


def about(name: str, text: str) -> dict[str, Any]:
    """Return what the text of a notebook alone says of it: name, title, and the labels of its figures and tables."""
    title = TITLE.search(text)
    labels = [label for cell in code_cells(text) for label in LABEL.findall(cell)]
    return {"notebook": name, "title": title[1].strip() if title else name, "figures": labels}


def _seed(text: str) -> int | None:
    """Return the number that a notebook calls SEED."""
    for cell in code_cells(text):
        try:
            tree = ast.parse(cell)
        except SyntaxError:
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Assign):
                for target in node.targets:
                    pairs = (
                        zip(target.elts, node.value.elts, strict=False)
                        if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple)
                        else [(target, node.value)]
                    )
                    for name, value in pairs:
                        if isinstance(name, ast.Name) and name.id == "SEED" and isinstance(value, ast.Constant):
                            return value.value if isinstance(value.value, int) else None
    return None


def _commit() -> str | None:
    """Return the commit that is checked out, with `+` behind it where tracked files differ from it."""
    root = PACKAGE.parents[1]

    def git(*arguments: str) -> str | None:
        try:
            done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=False)
        except OSError:
            return None
        return done.stdout.strip() if done.returncode == 0 else None

    if git("rev-parse", "--show-toplevel") != str(root.resolve()):
        return None
    commit, changed = git("rev-parse", "HEAD"), git("status", "--porcelain", "--untracked-files=no")
    return commit and commit + ("+" if changed else "")


def _processor() -> str:
    facts = Path("/proc/cpuinfo")
    model = re.search(r"^model name\s*:\s*(.+)$", facts.read_text("utf-8") if facts.is_file() else "", re.MULTILINE)
    return model[1] if model else platform.processor() or platform.machine()
