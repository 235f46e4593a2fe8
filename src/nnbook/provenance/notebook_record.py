"""What a notebook was made from: it tells whether the notebook is up to date, and readers where a figure comes from."""

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
from nnbook.provenance.stage_record import file_state

if TYPE_CHECKING:
    from collections.abc import Sequence

LOCK = PACKAGE.parents[1] / "requirements.txt"
"""Every package of the environment by its exact version."""

KEYS = {"cells", "code", "environment", "python", "data", "absent", "listed"}
"""What `made_from` tells."""

OPTION = re.compile(r"^#\|.*\n?", re.MULTILINE)
LABEL = re.compile(r"^#\|\s*label:\s*(\S+)", re.MULTILINE)
TITLE = re.compile(r"^# (.+)$", re.MULTILINE)


class Run(NamedTuple):
    """One execution of a notebook.

    Attributes
    ----------
    noted : sequence of list
        What its kernel noted: see `nnbook.provenance.kernel.watch`.
    made : str
        When it began, as an ISO time.
    seconds : float
        How long it took.
    """

    noted: Sequence[list[Any]]
    made: str
    seconds: float


def made_from(text: str, folder: Path, noted: Sequence[list[Any]]) -> dict[str, Any]:
    """Put together what an executed notebook depends on.

    Parameters
    ----------
    text : str
        The notebook as it was executed.
    folder : Path
        The edition's folder. Paths are kept relative to it.
    noted : sequence of list
        What its kernel noted: see `nnbook.provenance.kernel.watch`.

    Returns
    -------
    dict
        `cells`, `code`, `environment`, `python`; `data`: by path, size in bytes, time of change in ns and SHA-256 of
        each file that it read; `absent`: paths of files that it looked for in vain; `listed`: by path, the hash of the
        names in each folder that it listed.
    """
    folder = folder.resolve()
    data: dict[str, Any] = {}
    for _, path, *state in (entry for entry in noted if entry[0] == "read"):
        # A file that has changed since it was read is stale from the beginning: its hash is left out.
        file = Path(path)
        digest = sha256(file) if file.is_file() and file_state(file) == state else ""
        data[os.path.relpath(path, folder)] = [*state, digest]
    return {
        **_code_of_text(text),
        "data": dict(sorted(data.items())),
        "absent": sorted(os.path.relpath(entry[1], folder) for entry in noted if entry[0] == "absent"),
        "listed": {
            os.path.relpath(entry[1], folder): _names(Path(entry[1])) for entry in noted if entry[0] == "listed"
        },
    }


def why_stale(record: Path, executed: Path, text: str, folder: Path) -> list[str]:
    """Tell why a notebook is out of date.

    Parameters
    ----------
    record : Path
        What `made_from` said when it was executed last, as JSON.
    executed : Path
        The notebook with its outputs.
    text : str
        The notebook as it is now.
    folder : Path
        The edition's folder.

    Returns
    -------
    list of str
        A reason each, in plain words; empty where it is up to date. Prose, and the options of cells that only concern
        how outputs are shown, are no reason: they are taken over without executing.
    """
    try:
        was = json.loads(record.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        was = None
    if not isinstance(was, dict) or was.keys() != KEYS:
        return ["it was never executed to its end"]
    if not executed.is_file():
        return [f"{executed.name} is gone"]
    if not executed.read_bytes().rstrip().endswith(b"}"):
        return [f"{executed.name} was cut off"]
    now = _code_of_text(text)
    reasons = [] if now["cells"] == was["cells"] else ["its code cells changed"]
    reasons += differences(was["code"], now["code"])
    if now["environment"] != was["environment"]:
        reasons.append(f"{LOCK.name} changed")
    if now["python"] != was["python"]:
        reasons.append(f"Python is {now['python']} and was {was['python']}")
    for name, state in was["data"].items():
        path = folder / name
        if not path.is_file():
            reasons.append(f"{shown(path)} is gone")
        elif not state[2] or (file_state(path) != state[:2] and sha256(path) != state[2]):
            reasons.append(f"{shown(path)} changed")
    reasons += [f"{shown(folder / name)} has appeared" for name in was["absent"] if (folder / name).exists()]
    reasons += [
        f"other files are in {shown(folder / name)}"
        for name, digest in was["listed"].items()
        if _names(folder / name) != digest
    ]
    return reasons


def write_provenance(path: Path, text: str, folder: Path, made: dict[str, Any], run: Run) -> None:
    """Write what a page tells of how a notebook's figures, tables and numbers were made.

    Parameters
    ----------
    path : Path
        `provenance/NAME.json` of the edition.
    text : str
        The notebook.
    folder : Path
        The edition's folder.
    made : dict
        What `made_from` gave.
    run : Run
        Its execution.
    """
    edition = folder / "edition.json"
    described = json.loads(edition.read_text(encoding="utf-8")) if edition.is_file() else {}
    write_json(
        path,
        {
            **about(path.stem, text),
            "inputs": [
                {"path": shown(folder / name), "sha256": digest, "bytes": size}
                for name, (size, _, digest) in made["data"].items()
            ],
            "code": made["code"],
            "version": nnbook.__version__,
            "commit": _commit(),
            "parameters": described,
            "seed": _seed(text),
            "environment": made["environment"],
            "machine": {
                "processor": _processor(),
                "system": platform.system() + " " + platform.release(),
                "python": made["python"],
            },
            "made": run.made,
            "seconds": round(run.seconds, 2),
            "command": f"nnbook notebook {path.stem} --edition {folder.name}",
        },
    )


def about(name: str, text: str) -> dict[str, Any]:
    """Return what the text of a notebook alone tells of it: name, title, and the labels of its figures and tables."""
    title = TITLE.search(text)
    labels = [label for cell in code_cells(text) for label in LABEL.findall(cell)]
    return {"notebook": name, "title": title[1].strip() if title else name, "figures": labels}


def differences(was: dict[str, str], now: dict[str, str]) -> list[str]:
    """Tell in plain words how what is reached differs from what was: names with hashes or versions."""
    return [
        f"{name} changed"
        if name in was and name in now
        else f"it {'now' if name in now else 'no longer'} reaches {name}"
        for name in sorted(was.keys() | now.keys())
        if was.get(name) != now.get(name)
    ]


def shown(path: Path) -> str:
    """Name a file as a reader finds it: relative to the book's folder where it lies below, else by the last parts."""
    parts = Path(os.path.abspath(path))  # noqa: PTH100 - links stay as they are
    root = PACKAGE.parents[1]
    return parts.relative_to(root).as_posix() if parts.is_relative_to(root) else "/".join(parts.parts[-3:])


def _code_of_text(text: str) -> dict[str, Any]:
    cells = [OPTION.sub("", cell).strip() for cell in code_cells(text)]
    return {
        "cells": hashlib.sha256(json.dumps(cells).encode()).hexdigest(),
        "code": notebook_dependencies(text),
        "environment": sha256(LOCK) if LOCK.is_file() else "",
        "python": platform.python_version(),
    }


def _names(folder: Path) -> str:
    """Return the hash of the names in a folder, but for hidden ones, which are of work under way."""
    names = sorted(path.name for path in folder.iterdir() if path.name[0] != ".") if folder.is_dir() else []
    return hashlib.sha256("\n".join(names).encode()).hexdigest()


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
    told = Path("/proc/cpuinfo")
    model = re.search(r"^model name\s*:\s*(.+)$", told.read_text("utf-8") if told.is_file() else "", re.MULTILINE)
    return model[1] if model else platform.processor() or platform.machine()
