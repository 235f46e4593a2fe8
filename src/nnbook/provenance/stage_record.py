"""What a stage was made from, so that only what is out of date is made again."""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from nnbook.io.files import write_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path


def file_state(path: Path) -> list[int]:
    """Return what tells a file's versions apart at no cost: size in bytes, and time of change in ns."""
    status = path.stat()
    return [status.st_size, status.st_mtime_ns]


def file_states(paths: Iterable[Path], folder: Path) -> dict[str, list[int]]:
    """Return the states of files by path relative to a folder."""
    return {os.path.relpath(path, folder): file_state(path) for path in paths}


def is_current(record: Path, depends: Any, outputs: Iterable[Path]) -> bool:
    """Return whether a stage was last made from the same things, and all it made is still there."""
    if not record.is_file() or not all(path.exists() for path in outputs):
        return False
    try:
        stored = json.loads(record.read_text(encoding="utf-8"))
    except ValueError:
        return False
    return bool(stored == json.loads(json.dumps(depends)))


def write_record(record: Path, depends: Any) -> None:
    """Record what a stage was made from, once all its outputs are in place."""
    write_json(record, depends)


@contextmanager
def remade(record: Path, depends: Any) -> Iterator[None]:
    """Make a stage's outputs in this block, and record what from once it has ended without an exception.

    The record is gone meanwhile. Were it left, a build that is killed between the outputs and the record would leave
    new outputs under the record of old ones, which are taken for current once what they depend on is changed back.
    """
    record.unlink(missing_ok=True)
    yield
    write_record(record, depends)
