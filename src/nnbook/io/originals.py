"""Originals: image files that came from an address. A note beside each says what came, so that it can go again.

An original that has gone still counts as the file that it was, by the SHA-256 in its note: what was made from it is up
to date, and where it is needed again, it has to be the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from nnbook.io.files import read_json, write_json

if TYPE_CHECKING:
    from pathlib import Path

SUFFIX: Final = ".original.json"
FORM: Final = {"address": str, "bytes": int, "sha256": str, "modified_ns": int}


class Original(NamedTuple):
    """What a note says.

    Attributes
    ----------
    address : str
        Where the file came from.
    bytes : int
        Its size.
    sha256 : str
        Its SHA-256.
    modified_ns : int
        When it was written, in ns, as the file system says.
    """

    address: str
    bytes: int
    sha256: str
    modified_ns: int


def note_original(written: Path, path: Path, address: str, digest: str) -> None:
    """Write the note of a file that has come, with its SHA-256, before it is moved into place."""
    status = written.stat()
    write_json(note_path(path), Original(address, status.st_size, digest, status.st_mtime_ns)._asdict())


def read_original(path: Path) -> Original | None:
    """Return what the note of a file says, whether the file is there or has gone; None where it has none."""
    if not (note := note_path(path)).is_file():
        return None
    return Original(*(read_json(note, FORM, "delete it, and the image is fetched again")[name] for name in FORM))


def note_path(path: Path) -> Path:
    """Return where the note of a file is."""
    return path.with_name(f"{path.name}{SUFFIX}")


def has_gone(path: Path) -> bool:
    """Tell whether a file is an original that has gone."""
    return not path.exists() and note_path(path).is_file()


def may_go(path: Path) -> bool:
    """Tell whether a file is there as it came from its address: one that was changed since is the user's own."""
    original = read_original(path)
    if original is None or not path.is_file() or path.is_symlink():
        return False
    status = path.stat()
    return (status.st_size, status.st_mtime_ns) == (original.bytes, original.modified_ns)
