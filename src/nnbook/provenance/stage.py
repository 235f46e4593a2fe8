"""Stages: what makes files from files says once what it reads, with which settings, and what it writes.

From that follows the rest: whether its outputs are up to date and why not, that they are written aside and moved into
place, and the record that goes with the outputs.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import shutil
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nnbook.errors import NnbookError
from nnbook.io.files import folder_locked, move_into_place, sha256, sweep, work_folder, write_json
from nnbook.io.originals import has_gone, read_original
from nnbook.provenance.dependencies import PACKAGE, function_dependencies

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

FORMER_KEYS = {"stage", "code", "settings", "files", "absent", "listed", "result"}
KEYS = FORMER_KEYS | {"outputs", "by_hand"}
"""What a record holds; those of former versions do not say what the outputs were."""

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
        The names of the files and folders that the stage makes. Each appears, or is replaced, in one step. None where
        all that it makes is its record.
    code : mapping of str to str
        What the work depends on: see `nnbook.provenance.dependencies.function_dependencies`.
    reads : sequence of Path, optional
        The files that it reads; None where only the work itself finds out.
    settings : mapping of str to Any
        Whatever else the outputs depend on, as JSON values.
    holds : sequence of str
        The names of files and folders inside the outputs without which those are not whole.
    others : sequence of str
        The names of files inside outputs that other work writes: they do not count.
    by_hand : bool
        Whether people correct the outputs, which are files: a correction makes none of them stale, and what this stage
        did not write, or was changed since, is replaced only where that is asked for.
    """

    name: str
    folder: Path
    record: str
    writes: Sequence[str]
    code: Mapping[str, str]
    reads: Sequence[Path] | None = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    holds: Sequence[str] = ()
    others: Sequence[str] = ()
    by_hand: bool = False

    @classmethod
    def of(cls, function: Callable[..., Any], folder: Path, record: str, writes: Sequence[str], **more: Any) -> Stage:
        """Return the stage whose work a function does; `more` are further attributes."""
        name = f"{function.__module__}.{function.__qualname__}"
        return cls(name, folder, record, writes, _code(name), **more)


def why_stale(stage: Stage) -> list[str]:
    """Return why the outputs of a stage are out of date, a reason each in plain words; empty where they are not.

    A file counts as unchanged where its size, times and inode are those recorded, or else its SHA-256 is: a copy, or a
    file that was touched, is no change. A folder that was written counts as unchanged where its files have the names
    and sizes recorded.
    """
    was = read_record(stage.folder / stage.record)
    if was is None:
        return [NEVER_MADE]
    gone = [f"{Path(name).name} is gone" for name in (*stage.writes, *stage.holds) if not _exists(stage, name)]
    reasons = gone or changed_outputs(stage.folder, was)
    reasons += _changed_settings(was["settings"], json.loads(json.dumps(dict(stage.settings))))
    reasons += changed_code(was["code"], stage.code)
    return reasons + _changed_reads(stage, was)


def make(stage: Stage, work: Callable[[Path], Mapping[str, Any] | None], *, overwrite: bool = False) -> bool:
    """Do the work of a stage whose outputs are out of date.

    Parameters
    ----------
    stage : Stage
        What it reads and writes.
    work : callable
        Gets a folder on the same file system and writes the outputs there, by their names. What it returns goes into
        the record: `result`, a JSON value; and from a stage that finds out itself what it reads, `files`, `absent` and
        `listed`.
    overwrite : bool
        Whether outputs that people corrected, or that are not the stage's, may be replaced.

    Returns
    -------
    bool
        Whether the outputs were out of date.

    Raises
    ------
    NnbookError
        Where outputs that are out of date were corrected, or are not the stage's, and `overwrite` is not given.
    """
    if why_stale(stage):
        _do(stage, work, overwrite=overwrite, again=False)
        return True
    keep(stage)
    return False


def remake(stage: Stage, work: Callable[[Path], Mapping[str, Any] | None], *, overwrite: bool = False) -> None:
    """Do the work of a stage, whether its outputs are out of date or not: see `make`.

    Work that fails leaves the outputs and their record as they were. While outputs are moved into place there is no
    record: otherwise a process that is killed then would leave new outputs beside the record of old ones, which would
    count as up to date once the inputs are changed back.
    """
    _do(stage, work, overwrite=overwrite, again=True)


def _do(stage: Stage, work: Callable[[Path], Mapping[str, Any] | None], *, overwrite: bool, again: bool) -> None:
    """Do the work of a stage; unless it is to be done again, outputs that others made meanwhile are left as they are.

    Workers of a scheduler know nothing of a call that was killed: they end what they have begun for it while the next
    call makes the same, and uses it.
    """
    if not overwrite:
        _check_own(stage)
    description = _describe(stage)
    stage.folder.mkdir(parents=True, exist_ok=True)
    with work_folder(_first_output(stage)) as folder:
        record = {**description, **(work(folder) or {})}
        with folder_locked(stage.folder):
            if again or why_stale(stage):
                _put_in_place(stage, folder, record, overwrite=overwrite)


def keep(stage: Stage) -> None:
    """Leave a stage that is up to date as it is, but for what costs later runs time or space.

    What a process that was killed left behind is removed. The states of files in the record, of which only the SHA-256
    is the recorded one, become those of now: else files that were copied or touched would be read again by each run.
    """
    _sweep(stage)
    path = stage.folder / stage.record
    was = read_record(path)
    if was is None:
        return
    files = was["files"]
    if stage.reads is not None and (now := _relative(stage.reads, stage.folder)).keys() != files.keys():
        files = dict(zip(now, files.values(), strict=True))  # moved
    files = {name: _renewed(stage.folder / name, entry) for name, entry in files.items()}
    outputs = was["outputs"]
    if not stage.by_hand:
        outputs = {
            name: entry if _is_folder(entry) else _renewed(stage.folder / name, entry)
            for name, entry in outputs.items()
        }
    _replace_record(stage, was, {**was, "files": files, "outputs": outputs})


def recorded_sha256(stage: Stage, path: Path) -> str:
    """Return the SHA-256 of a file that a stage reads or writes; it is read only where its record is of another state.

    Parameters
    ----------
    stage : Stage
        Up to date, as `make` leaves it.
    path : Path
        The file.
    """
    name = os.path.relpath(path, stage.folder)
    record = read_record(stage.folder / stage.record) or {"files": {}, "outputs": {}}
    *state, digest = {**record["files"], **record["outputs"]}.get(name, [""])
    if digest and path.is_file() and state == file_state(path):
        return str(digest)
    return str(file_entry(path)[-1])


def recorded_result(stage: Stage) -> Any:
    """Return the `result` of the work that made a stage's outputs, see `make`; None where it was never made."""
    record = read_record(stage.folder / stage.record)
    return None if record is None else record["result"]


def note_outputs(stage: Stage) -> None:
    """Record the outputs of a stage as they are now, where something else than its work changed them on purpose."""
    if (was := read_record(stage.folder / stage.record)) is not None:
        outputs = {name: _output_entry(stage, name) for name in stage.writes}
        _replace_record(stage, was, {**was, "outputs": outputs})


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
    record = _read_json(path)
    if not isinstance(record, dict) or record.keys() not in (KEYS, FORMER_KEYS):
        return None
    record = {"outputs": {}, "by_hand": False, **record}
    kinds = {"stage": str, "absent": list, **dict.fromkeys(("code", "settings", "files", "listed", "outputs"), dict)}
    if not all(isinstance(record[key], kind) for key, kind in kinds.items()):
        return None
    entries = [*record["files"].values(), *record["outputs"].values()]
    return record if all(isinstance(entry, list) and len(entry) in {3, 4, 5} for entry in entries) else None


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
        if not path.is_file() and not has_gone(path):
            reasons.append(f"{displayed(path)} is gone")
        elif not is_same(path, state):
            reasons.append(f"{displayed(path)} changed")
    reasons += [f"{displayed(folder / name)} has appeared" for name in record["absent"] if (folder / name).exists()]
    reasons += [
        f"other files are in {displayed(folder / name)}"
        for name, digest in record["listed"].items()
        if names_digest(folder / name) != digest
    ]
    return reasons


def changed_outputs(folder: Path, record: Mapping[str, Any]) -> list[str]:
    """Say which of the outputs that a record names, by paths relative to a folder, are no longer what was written."""
    if record["by_hand"]:
        return []
    reasons = []
    for name, entry in record["outputs"].items():
        path = folder / name
        same = _folder_entry(path, entry[3]) == entry if _is_folder(entry) else path.is_file() and is_same(path, entry)
        if not same:
            reasons.append(f"{displayed(path)} {'changed' if path.exists() else 'is gone'}")
    return reasons


def file_state(path: Path) -> list[int]:
    """Return what distinguishes a file's versions at no cost: size in bytes, both times of change in ns, and inode."""
    status = path.stat()
    return [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino]


def file_entry(path: Path, state: Sequence[int] | None = None) -> list[Any]:
    """Return a file's entry in a record: its state, see `file_state`, and its SHA-256.

    A file that is missing, or no longer has the `state` in which it was read, has none: the outputs are stale from the
    beginning. An original that has gone is what it was.
    """
    if has_gone(path):
        return [*(state or (0, 0, 0, 0)), _gone_digest(path)]
    if not path.is_file() or (state is not None and file_state(path) != list(state)):
        return [*(state or (0, 0, 0, 0)), ""]
    now = file_state(path)
    return [*now, _digest(os.path.realpath(path), *now)]


def is_same(path: Path, entry: Sequence[Any]) -> bool:
    """Tell whether a file is still what an entry in a record says, by its state or else by its SHA-256.

    An original that has gone is told by its note: see `nnbook.io.originals`.
    """
    *state, digest = entry
    if has_gone(path):
        return bool(digest) and _gone_digest(path) == digest
    now = file_state(path)
    return bool(digest) and (now == state or _digest(os.path.realpath(path), *now) == digest)


def was_read(path: Path, record: Mapping[str, Any]) -> bool:
    """Return whether a file is, as it is now, one that a record says was read."""
    return any(is_same(path, entry) for entry in record["files"].values())


def names_digest(folder: Path) -> str:
    """Return the hash of the names in a folder, but for hidden ones, which are of work under way."""
    names = sorted(path.name for path in folder.iterdir() if path.name[0] != ".") if folder.is_dir() else []
    return hashlib.sha256("\n".join(names).encode()).hexdigest()


def displayed(path: Path) -> str:
    """Name a file as a reader finds it: relative to the book's folder where it is below it, else by its last parts."""
    parts = Path(os.path.abspath(path))  # noqa: PTH100 - links stay as they are
    root = PACKAGE.parents[1]
    return parts.relative_to(root).as_posix() if parts.is_relative_to(root) else "/".join(parts.parts[-3:])


def _gone_digest(path: Path) -> str:
    original = read_original(path)
    return "" if original is None else original.sha256


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
    now = _relative(stage.reads, stage.folder)
    if now.keys() == was["files"].keys():
        return changed_files(stage.folder, was)
    if [path.name for path in now.values()] != [Path(name).name for name in was["files"]]:
        return ["it reads other files"]
    # Files that were moved, in the order in which they are read: what is in them decides.
    return [
        f"{displayed(path)} changed"
        for path, (*_, digest) in zip(now.values(), was["files"].values(), strict=True)
        if file_entry(path)[-1] != digest
    ]


def _relative(paths: Iterable[Path], folder: Path) -> dict[str, Path]:
    return {os.path.relpath(path, folder): path for path in paths}


def _renewed(path: Path, entry: list[Any]) -> list[Any]:
    """Return an entry with the file's state now, where it still has the entry's SHA-256."""
    if not path.is_file() or file_state(path) == entry[:-1]:
        return entry
    now = file_entry(path)
    return now if now[-1] == entry[-1] else entry


def _is_folder(entry: Sequence[Any]) -> bool:
    return len(entry) == 4


def _folder_entry(folder: Path, others: list[str]) -> list[Any]:
    """Return a folder's entry in a record: files, bytes, a hash of their names and sizes, and those left out of it."""
    left_out = set(others)
    files = sorted(file for file in _sizes(str(folder)) if file[0] not in left_out)
    digest = hashlib.sha256("\n".join(f"{name} {size}" for name, size in files).encode()).hexdigest()
    return [len(files), sum(size for _, size in files), digest, others]


def _sizes(folder: str, below: str = "") -> Iterator[tuple[str, int]]:
    """List files in a folder and below it, with their sizes in bytes: there may be many, so paths are plain text."""
    try:
        entries = os.scandir(folder)
    except OSError:
        return
    with entries:
        for entry in entries:
            if entry.name[0] == ".":
                continue
            if entry.is_dir(follow_symlinks=False):
                yield from _sizes(entry.path, f"{below}{entry.name}/")
            elif not entry.is_dir():
                yield f"{below}{entry.name}", entry.stat().st_size


def _output_entry(stage: Stage, name: str) -> list[Any]:
    path = stage.folder / name
    if not path.is_dir():
        return file_entry(path)
    return _folder_entry(path, list(_relative((stage.folder / other for other in (*stage.others, stage.record)), path)))


def _describe(stage: Stage) -> dict[str, Any]:
    return {
        "stage": stage.name,
        "code": dict(stage.code),
        "settings": dict(stage.settings),
        "files": {name: file_entry(path) for name, path in _relative(stage.reads or (), stage.folder).items()},
        "absent": [],
        "listed": {},
        "result": None,
        "outputs": {},
        "by_hand": stage.by_hand,
    }


def _replace_record(stage: Stage, was: dict[str, Any], now: dict[str, Any]) -> None:
    """Write a record again, unless another process made the stage meanwhile."""
    path = stage.folder / stage.record
    if now != was:
        with folder_locked(stage.folder):
            if read_record(path) == was:
                write_json(path, now)


def _put_in_place(stage: Stage, folder: Path, record: dict[str, Any], *, overwrite: bool) -> None:
    """Move what was made into place, and write the record."""
    path = stage.folder / stage.record
    if stage.by_hand:
        if not overwrite:
            _check_own(stage)  # again, for they may have been corrected meanwhile
        # A process that is killed before the record is written leaves outputs that are still known to be the stage's.
        ours = {name: [*_own_digests(stage, name), sha256(folder / name)] for name in stage.writes}
        write_json(path, {"replacing": ours})
    else:
        path.unlink(missing_ok=True)
    for name in stage.writes:
        if (folder / name).exists():  # else a process that was killed has moved it
            move_into_place(folder / name, stage.folder / name)
    write_json(path, {**record, "outputs": {name: _output_entry(stage, name) for name in stage.writes}})


def _check_own(stage: Stage) -> None:
    """Raise NnbookError where outputs that people correct were corrected, or are none of the stage's."""
    if not stage.by_hand:
        return
    for name in stage.writes:
        path = stage.folder / name
        if not path.is_file() or file_entry(path)[-1] in (known := _own_digests(stage, name)):
            continue
        record = stage.folder / stage.record
        why = "was changed since nnbook wrote it"
        if not known:
            older = read_record(record) is not None
            why = "was written by an older version of nnbook, by hand or not" if older else "was not written by nnbook"
        raise NnbookError(
            f"{path}: {why}, and is out of date ({why_stale(stage)[0]}); it stays as it is. Move it elsewhere to keep "
            "it, or replace it with --overwrite"
        )


def _own_digests(stage: Stage, name: str) -> list[str]:
    """Return the SHA-256 that an output has where it is as the stage wrote it, or was writing it."""
    record = _read_json(stage.folder / stage.record)
    if isinstance(record, dict) and isinstance(replacing := record.get("replacing"), dict):
        return list(replacing.get(name, []))
    whole = read_record(stage.folder / stage.record)
    return [whole["outputs"][name][-1]] if whole and name in whole["outputs"] else []


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _first_output(stage: Stage) -> Path:
    """Return the path that work folders are named after and made beside."""
    return stage.folder / (Path(stage.writes[0]).name if stage.writes else stage.record)


def _sweep(stage: Stage) -> None:
    """Remove what a process left in this stage's folders when it was killed."""
    sweep(_first_output(stage))
    sweep(stage.folder / stage.record)


_FOLLOWING = threading.Lock()
"""Dependencies are followed by one thread at a time: others would take what is found so far for all."""


def _code(name: str) -> dict[str, str]:
    """Return what a function depends on, as of the first time that this process asks: it runs that code."""
    with _FOLLOWING:
        return _followed_code(name)


@functools.cache
def _followed_code(name: str) -> dict[str, str]:
    return function_dependencies(name)


@functools.lru_cache(maxsize=100_000)
def _digest(path: str, *state: int) -> str:  # noqa: ARG001 - it tells versions of the file apart
    """Return a file's SHA-256; it is read once, whatever links lead to it: images of an edition are links."""
    return sha256(Path(path))
