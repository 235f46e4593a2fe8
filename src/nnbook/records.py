"""What a stage was made from, so that only what is out of date is made again."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nnbook.files import write_json

if TYPE_CHECKING:
    from collections.abc import Iterable

PACKAGE = Path(__file__).parent


def state_of(path: Path) -> list[Any]:
    """Return what tells a file's versions apart at no cost: name, size in bytes, and time of change in ns."""
    status = path.stat()
    return [path.name, status.st_size, status.st_mtime_ns]


def code_of(modules: Iterable[str]) -> str:
    """Return the SHA-256 of some of the package's modules, by name; of all of them where none is named."""
    names = sorted(modules) or sorted(path.stem for path in PACKAGE.glob("*.py"))
    digest = hashlib.sha256()
    for name in names:
        digest.update((PACKAGE / f"{name}.py").read_bytes())
    return digest.hexdigest()


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
