"""Stages: what makes files from files says once what it reads, with which settings, and what it writes.

From that follows the rest: whether its outputs are up to date and why not, that they are written aside and moved into
place, that an interrupted stage goes on or begins anew, and the record that goes with the outputs.
"""

from __future__ import annotations

import functools
import json
import os
import shutil
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nnbook.io.files import move_into_place, sha256, write_json
from nnbook.provenance.dependencies import PACKAGE, function_dependencies

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

KEYS = {"stage", "code", "settings", "files", "absent", "listed", "result"}
"""What a record holds."""

NEVER_MADE = "it was never made to its end"


@dataclass(frozen=True)
class Stage:
    """What makes files from files.

    Attributes
    ----------
    name : str
        The dotted name of the function that does the work, or the name of a notebook.
    folder : Path
        The folder that the names of outputs are below, and that paths in the record are relative to.
    record : str
        The name of the JSON file that says what the outputs were made from.
    writes : sequence of str
        The names of the files and folders that the stage makes. Each appears, or is replaced, in one step.
    code : mapping of str to str
        What the work depends on: see `nnbook.provenance.dependencies.function_dependencies`.
    reads : sequence of Path, optional
        The files that it reads; None where only the work itself finds out.
    settings : mapping of str to Any
        Whatever else the outputs depend on, as JSON values.
    holds : sequence of str
        The names of files and folders inside the outputs without which those are not whole.
    resumes : bool
        Whether the work can go on from what an interrupted call left in its folder.
    """

    name: str
    folder: Path
    record: str
    writes: Sequence[str]
    code: Mapping[str, str]
    reads: Sequence[Path] | None = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    holds: Sequence[str] = ()
    resumes: bool = False

    @classmethod
    def of(cls, function: Callable[..., Any], folder: Path, record: str, writes: Sequence[str], **more: Any) -> Stage:
        """Return the stage whose work a function does; `more` are further attributes."""
        name = f"{function.__module__}.{function.__qualname__}"
        return cls(name, folder, record, writes, _code(name), **more)


def why_stale(stage: Stage) -> list[str]:
    """Return why the outputs of a stage are out of date, a reason each in plain words; empty where they are not.

    A file counts as unchanged where its size and time of change are those recorded, or else its SHA-256 is: a copy, or
    a file that was touched, is no change. That an output was edited by hand is no reason either.
    """
    was = read_record(stage.folder / stage.record)
    if was is None:
        return [NEVER_MADE]
    reasons = [f"{Path(name).name} is gone" for name in (*stage.writes, *stage.holds) if not _exists(stage, name)]
    reasons += _changed_settings(was["settings"], json.loads(json.dumps(dict(stage.settings))))
    reasons += changed_code(was["code"], stage.code)
    return reasons + _changed_reads(stage, was)


def make(stage: Stage, work: Callable[[Path], Mapping[str, Any] | None]) -> bool:
    """Do the work of a stage whose outputs are out of date.

    Parameters
    ----------
    stage : Stage
        What it reads and writes.
    work : callable
        Gets a folder on the same file system and writes the outputs there, by their names. What it returns goes into
        the record: `result`, a JSON value; and from a stage that finds out itself what it reads, `files`, `absent` and
        `listed`.

    Returns
    -------
    bool
        Whether the outputs were out of date.
    """
    if not why_stale(stage):
        return False
    remake(stage, work)
    return True


def remake(stage: Stage, work: Callable[[Path], Mapping[str, Any] | None]) -> None:
    """Do the work of a stage, whether its outputs are out of date or not: see `make`.

    Work that fails leaves the outputs and their record as they were. While outputs are moved into place there is no
    record: otherwise a process that is killed then would leave new outputs beside the record of old ones, which would
    count as up to date once the inputs are changed back.
    """
    description = _describe(stage)
    record = stage.folder / stage.record
    with _work_folder(stage, description) as folder:
        found = work(folder) or {}
        record.unlink(missing_ok=True)
        for name in stage.writes:
            move_into_place(folder / name, stage.folder / name)
    write_json(record, {**description, **found})


def remove(folder: Path, record: str, outputs: Iterable[str]) -> None:
    """Remove the outputs of a stage that no longer is one, and its record."""
    (folder / record).unlink(missing_ok=True)
    for name in outputs:
        path = folder / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def read_record(path: Path) -> dict[str, Any] | None:
    """Read a stage's record; None where there is none, or not a whole one."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return record if isinstance(record, dict) and record.keys() == KEYS else None


def changed_code(was: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """Say in plain words how the code that outputs depend on differs from what it was."""
    return [
        f"{name} changed"
        if name in was and name in now
        else f"it {'now' if name in now else 'no longer'} depends on {name}"
        for name in sorted(was.keys() | now.keys())
        if was.get(name) != now.get(name)
    ]


def changed_files(folder: Path, record: Mapping[str, Any]) -> list[str]:
    """Say which of the files that a record names, by paths relative to a folder, are gone, changed or new."""
    reasons = []
    for name, state in record["files"].items():
        path = folder / name
        if not path.is_file():
            reasons.append(f"{displayed(path)} is gone")
        elif not _is_same(path, state):
            reasons.append(f"{displayed(path)} changed")
    reasons += [f"{displayed(folder / name)} has appeared" for name in record["absent"] if (folder / name).exists()]
    reasons += [
        f"other files are in {displayed(folder / name)}"
        for name, digest in record["listed"].items()
        if names_digest(folder / name) != digest
    ]
    return reasons


def file_state(path: Path) -> list[int]:
    """Return what distinguishes a file's versions at no cost: size in bytes, and time of change in ns."""
    status = path.stat()
    return [status.st_size, status.st_mtime_ns]


def file_entry(path: Path, state: Sequence[int] | None = None) -> list[Any]:
    """Return a file's entry in a record: size, time of change and SHA-256.

    A file that is missing, or no longer has the `state` in which it was read, has none: the outputs are stale from the
    beginning.
    """
    if not path.is_file() or (state is not None and file_state(path) != list(state)):
        return [*(state or (0, 0)), ""]
    now = file_state(path)
    return [*now, _digest(path, *now)]


def names_digest(folder: Path) -> str:
    """Return the hash of the names in a folder, but for hidden ones, which are of work under way."""
    import hashlib

    names = sorted(path.name for path in folder.iterdir() if path.name[0] != ".") if folder.is_dir() else []
    return hashlib.sha256("\n".join(names).encode()).hexdigest()


def displayed(path: Path) -> str:
    """Name a file as a reader finds it: relative to the book's folder where it is below it, else by its last parts."""
    parts = Path(os.path.abspath(path))  # noqa: PTH100 - links stay as they are
    root = PACKAGE.parents[1]
    return parts.relative_to(root).as_posix() if parts.is_relative_to(root) else "/".join(parts.parts[-3:])


def _exists(stage: Stage, name: str) -> bool:
    return (stage.folder / name).exists()


def _changed_settings(was: dict[str, Any], now: dict[str, Any]) -> list[str]:
    reasons = []
    for name in dict.fromkeys([*was, *now]):
        before, after = was.get(name), now.get(name)
        if before == after:
            continue
        short = all(isinstance(value, (int, float, str)) and len(str(value)) < 40 for value in (before, after))
        reasons.append(f"{name} is {after} and was {before}" if short else f"{name} changed")
    return reasons


def _changed_reads(stage: Stage, was: dict[str, Any]) -> list[str]:
    if stage.reads is None:
        return changed_files(stage.folder, was)
    now = {os.path.relpath(path, stage.folder): path for path in stage.reads}
    if now.keys() == was["files"].keys():
        return changed_files(stage.folder, was)
    if [path.name for path in now.values()] != [Path(name).name for name in was["files"]]:
        return ["it reads other files"]
    # Files that were moved, in the order in which they are read: what is in them decides.
    return [
        f"{displayed(path)} changed"
        for path, (_, _, digest) in zip(now.values(), was["files"].values(), strict=True)
        if not path.is_file() or file_entry(path)[2] != digest
    ]


def _is_same(path: Path, entry: Sequence[Any]) -> bool:
    size, changed, digest = entry
    state = file_state(path)
    return bool(digest) and (state == [size, changed] or _digest(path, *state) == digest)


def _describe(stage: Stage) -> dict[str, Any]:
    return {
        "stage": stage.name,
        "code": dict(stage.code),
        "settings": dict(stage.settings),
        "files": {os.path.relpath(path, stage.folder): file_entry(path) for path in stage.reads or ()},
        "absent": [],
        "listed": {},
        "result": None,
    }


@contextmanager
def _work_folder(stage: Stage, description: dict[str, Any]) -> Iterator[Path]:
    """Give a hidden folder to write outputs in; one that resumes is kept until the work is done."""
    stage.folder.mkdir(parents=True, exist_ok=True)
    name = Path(stage.writes[0]).name
    if not stage.resumes:
        with tempfile.TemporaryDirectory(prefix=f".{name}.", dir=stage.folder, ignore_cleanup_errors=True) as scratch:
            yield Path(scratch)
        return
    folder = stage.folder / f".{name}.unfinished"
    begun = folder / "record.json"
    if read_record(begun) != json.loads(json.dumps(description)):
        shutil.rmtree(folder, ignore_errors=True)
        write_json(begun, description)
    try:
        yield folder
    except BaseException:
        if [path.name for path in folder.iterdir()] == [begun.name]:
            shutil.rmtree(folder)  # nothing was begun
        raise
    shutil.rmtree(folder)


@functools.cache
def _code(name: str) -> dict[str, str]:
    """Return what a function depends on, as of the first time that this process asks: it runs that code."""
    return function_dependencies(name)


@functools.lru_cache(maxsize=100_000)
def _digest(path: Path, size: int, changed: int) -> str:  # noqa: ARG001 - they tell versions of the file apart
    return sha256(path)
