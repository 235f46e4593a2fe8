"""Reading and writing files so that nothing is ever half-written."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import re
import shutil
import stat
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from nnbook.errors import MissingFileError, NnbookError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

NO_SPACE: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""A full disk, or a limit: no other file would do better."""

AT_WORK: Final = ".unfinished"
"""The folder in which files and folders are written that are to be beside it: few, so that it is listed in no time."""


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Give a path beside `path` to write to, and move it into place once the block has ended without an exception.

    Parameters
    ----------
    path : Path
        The file or folder that is to appear, or to be replaced, in one step. Its parent is made where missing.

    Yields
    ------
    Path
        A path of the same name in a fresh folder on the same file system. Whatever the block leaves there replaces
        `path`; after an exception it is deleted and `path` stays as it was.
    """
    with work_folder(path) as folder:
        written = folder / path.name
        yield written
        move_into_place(written, path)


@contextmanager
def work_folder(path: Path) -> Iterator[Path]:
    """Give a fresh hidden folder beside a file or folder, to write it in; it is removed at the end.

    What earlier processes left beside `path` when they were killed is removed first: see `sweep`.

    Parameters
    ----------
    path : Path
        The file or folder that is written. Its parent is made where missing.

    Yields
    ------
    Path
        `.unfinished/NAME.` and eight characters, on the same file system.
    """
    at_work = path.parent / AT_WORK
    sweep(path)
    while True:
        try:
            at_work.mkdir(parents=True, exist_ok=True)
            folder = Path(tempfile.mkdtemp(prefix=f"{path.name}.", dir=at_work))
        except (FileExistsError, FileNotFoundError):  # other work has just ended, and took the empty folder away
            if os.path.lexists(at_work) and not at_work.is_dir():
                raise
            continue
        lock = _lock(folder, wait=True)
        if folder.is_dir():  # no other process took it for a leftover before it was locked
            break
        _unlock(lock)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        _unlock(lock)
        with suppress(OSError):  # other work is under way
            at_work.rmdir()


def sweep(path: Path) -> None:
    """Remove the work folders that processes left beside a file or folder when they were killed.

    A work folder is locked for as long as its process lives, so those of processes that are at work stay.
    """
    at_work = path.parent / AT_WORK
    pattern = re.compile(rf"{re.escape(f'{path.name}.')}[a-z0-9_]{{8}}")
    try:
        left = [one for one in at_work.iterdir() if pattern.fullmatch(one.name)]
    except FileNotFoundError:
        return
    for one in left:
        _remove_abandoned(one)
    with suppress(OSError):  # other work is under way
        at_work.rmdir()


def keep_folders(parent: Path, names: Collection[str]) -> None:
    """Remove the folders in a folder that have none of these names; what other processes write there stays."""
    kept = {*names, AT_WORK}
    for folder in list(parent.glob("*")):
        if folder.is_dir() and folder.name not in kept:
            shutil.rmtree(folder)


@contextmanager
def folder_locked(folder: Path) -> Iterator[None]:
    """Hold a folder's lock while a short block runs: other processes and threads that ask for it wait.

    A file system without locks gives it to everyone.
    """
    lock = _lock(folder, wait=True)
    try:
        yield
    finally:
        _unlock(lock)


def _remove_abandoned(folder: Path) -> None:
    """Remove a work folder, unless it is gone or the process that works in it is alive."""
    if (lock := _lock(folder, wait=False)) is not None:
        shutil.rmtree(folder, ignore_errors=True)
        _unlock(lock)


def _lock(folder: Path, *, wait: bool) -> int | None:
    """Lock a folder; return the open descriptor that holds the lock, or None where there is none to have."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    except OSError:  # a file system without locks: nothing there can be told to be abandoned
        if not wait:
            os.close(descriptor)
            return None
    return descriptor


def _unlock(descriptor: int | None) -> None:
    if descriptor is not None:
        os.close(descriptor)


def move_into_place(written: Path, path: Path) -> None:
    """Move what was written aside, on the same file system, to where it is to appear or to replace what is there.

    A folder that is replaced ends beside `written`, under the name `replaced-NAME`: whoever wrote aside removes it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if written.is_dir() and path.is_dir():
        replaced = written.with_name(f"replaced-{path.name}")
        shutil.rmtree(replaced, ignore_errors=True)
        path.rename(replaced)
    written.replace(path)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Keep other processes from writing a file or folder while the block runs.

    Raises
    ------
    NnbookError
        Where another process is at it. A process that was killed holds no lock.
    """
    from filelock import FileLock, Timeout

    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        lock = FileLock(path.with_name(f".{path.name}.lock"), timeout=0).acquire()
    except Timeout:
        raise NnbookError(f"{path}: another process is writing it; wait until that is done") from None
    with lock:
        yield


def check_regular(path: Path) -> None:
    """Refuse a path that can't be read as a file: opening a pipe waits for a writer, and a device may never end.

    Raises
    ------
    MissingFileError
        Where there is no such file.
    NnbookError
        Where it is a folder, a pipe, a device or a socket, or its links lead in a circle.
    """
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        what = "is a link to a file that isn't there" if path.is_symlink() else "no such file"
        raise MissingFileError(f"{path}: {what}; check the name, or the path in the manifest") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise NnbookError(f"{path}: can't be opened ({reason}); check the path, and where its links lead") from None
    if stat.S_ISDIR(mode):
        raise NnbookError(f"{path}: is a folder; name a file in it")
    if not stat.S_ISREG(mode):
        raise NnbookError(f"{path}: is a pipe, device or socket; copy its content to a file and name that")


def link_or_copy(source: Path | str, target: Path | str) -> None:
    """Make a file a second time, without a second copy of its bytes where the file system can; no link to a link."""
    try:
        os.link(os.path.realpath(source), target)
    except OSError:  # another file system, or one without links
        shutil.copy2(source, target)


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file's bytes as 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_json(path: Path, form: Any, remedy: str) -> Any:
    """Read a JSON file, and hold that it has the values that are needed of it.

    Parameters
    ----------
    path : Path
        The file.
    form : type, tuple, list or dict
        What the value is: of one type, or one of several; in a list, a list of values of that form; in a dict, an
        object with values of these forms by their names, and maybe others.
    remedy : str
        What to do where it is damaged, such as "make it with 'nnbook sample'".

    Returns
    -------
    Any
        The value, without NaN or infinity.

    Raises
    ------
    MissingFileError
        Where there is no such file.
    NnbookError
        Where it is no JSON, or lacks a value.
    """
    check_regular(path)
    return parse_json(path, path.read_bytes(), form, remedy)


def parse_json(where: Path, data: bytes, form: Any, remedy: str) -> Any:
    """Return what JSON says, as `read_json` does, where the bytes of a file were read by other means."""
    try:
        value = json.loads(data.decode("utf-8"), parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise NnbookError(f"{where}: can't be read as JSON ({error}); {remedy}") from error
    if wrong := _lacking(value, form):
        raise NnbookError(f"{where}: is damaged, {wrong}; {remedy}")
    return value


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no number")


def _lacking(value: Any, form: Any, name: str = "its content") -> str:
    """Say which value is not of its form; empty where all are."""
    kind = type(form) if isinstance(form, dict | list) else form
    if not isinstance(value, kind) or (
        isinstance(value, bool) and bool not in (kind if isinstance(kind, tuple) else (kind,))
    ):
        return f"{name} is {str(value)[:40]!r}"
    parts: list[tuple[Any, Any, str]] = []
    if isinstance(form, dict):
        if missing := [key for key in form if key not in value]:
            return f"{missing[0]} is missing"
        parts = [(value[key], form[key], key) for key in form]
    elif isinstance(form, list):
        parts = [(one, form[0], name) for one in value]
    return next((wrong for part in parts if (wrong := _lacking(*part))), "")


def write_json(path: Path, value: Any, *, indent: int | None = 2) -> None:
    """Write a value as JSON with a newline at the end, in one step; a file that says the same already is left alone.

    Parameters
    ----------
    path : Path
        The file.
    value : Any
        What `json.dumps` takes, without NaN or infinity.
    indent : int, optional
        Spaces a level; with None all is on one line, as long columns of numbers should.
    """
    separators = (",", ":") if indent is None else None
    text = json.dumps(value, indent=indent, separators=separators, allow_nan=False) + "\n"
    if path.is_file() and path.read_bytes() == text.encode():
        sweep(path)
        return
    with atomic_write(path) as written:
        written.write_text(text, encoding="utf-8")
