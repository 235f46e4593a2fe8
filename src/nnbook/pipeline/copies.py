"""A copy of what an edition holds, at an address: masks, tables and cells, file by file, and only what changed."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from nnbook.errors import InvalidValueError, NnbookError, PassingError, reason
from nnbook.io.files import parse_json, read_json, write_json
from nnbook.provenance.stage import file_entry
from nnbook.provenance.units import HERE, make_units

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

INDEX: Final = "copied.json"
"""At the address: every file that is there with its bytes and SHA-256. It is written last."""

KNOWN: Final = ".copied.json"
"""In the edition: the states of files, so that those that are unchanged are not read again."""

DATA: Final = ("masks/*", "cells/*.zarr/**/*")
TABLES: Final = ("cells/*", "rois.parquet", "results.csv", "manifest.csv", "edition.json")
"""What is copied, and what refers to it, which is copied after it."""

AT_A_TIME: Final = 4


def copy_edition(folder: Path, address: str) -> list[str]:
    """Copy an edition's masks, tables and cells to an address.

    Each file appears there in one step, as object stores have it, tables after what they refer to, and `copied.json`
    last: it has the SHA-256 of each. Files that it lists already are not copied again; those that the edition no longer
    has are removed.

    Parameters
    ----------
    folder : Path
        The edition's folder.
    address : str
        Where to copy to, as fsspec takes it, such as `s3://bucket/folder`; rights are those of the environment.

    Returns
    -------
    list of str
        What was copied.

    Raises
    ------
    NnbookError
        With a line for each file that can't be copied. The others are there, and the next call copies the rest.
    """
    store, below = _store(address)
    known = read_json(folder / KNOWN, dict, "delete it") if (folder / KNOWN).is_file() else {}
    data, tables = ([_name(path, folder) for path in _files(folder, patterns)] for patterns in (DATA, TABLES))
    entries = {name: _entry(folder / name, known.get(name)) for name in (*data, *tables)}
    write_json(folder / KNOWN, entries, indent=None)
    index = {name: [entry[0], entry[-1]] for name, entry in entries.items()}
    try:
        there = _there(store, f"{below}/{INDEX}")
        changed = {name for name in index if there.get(name) != index[name]}
        for some in (data, tables):
            make_units(
                partial(_copy, store=store),
                {name: (folder / name, f"{below}/{name}") for name in some if name in changed},
                HERE._replace(threads=AT_A_TIME),
                desc="copy",
                unit="file",
            ).check()
        if there != index:
            store.pipe_file(f"{below}/{INDEX}", json.dumps(index, indent=1).encode())
            for name in there.keys() - index.keys():
                store.rm_file(f"{below}/{name}")
    except NnbookError:
        raise
    except Exception as error:  # libraries of stores raise whatever they like
        raise _worded(address, error) from error
    return sorted(changed)


def _store(address: str) -> tuple[Any, str]:
    import fsspec

    if "://" not in address:
        raise InvalidValueError(f"to is {address!r}; give an address such as s3://bucket/folder", parameter="to")
    try:
        store, below = fsspec.core.url_to_fs(address)
    except (ImportError, ValueError) as error:
        raise InvalidValueError(f"to is {address!r}: {reason(error)}", parameter="to") from error
    return store, below.rstrip("/")


def _files(folder: Path, patterns: Iterable[str]) -> Iterator[Path]:
    for pattern in patterns:
        yield from (path for path in sorted(folder.glob(pattern)) if path.is_file() and path.name[0] != ".")


def _name(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix()


def _entry(path: Path, known: list[Any] | None) -> list[Any]:
    status = path.stat()
    if known is not None and known[:-1] == [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino]:
        return known
    return file_entry(path)


def _there(store: Any, name: str) -> dict[str, Any]:
    """Return what is at the address already; nothing where no copy was ever finished there."""
    try:
        data = store.cat_file(name)
    except FileNotFoundError:
        return {}
    found: dict[str, Any] = parse_json(Path(name), data, dict, "delete it, and all is copied again")
    return found


def _copy(job: tuple[Path, str], *, store: Any) -> None:
    path, name = job
    try:
        store.put_file(str(path), name)
        store.invalidate_cache()
        came, size = int(store.info(name)["size"]), path.stat().st_size
    except Exception as error:  # libraries of stores raise whatever they like
        raise _worded(name, error) from error
    if came != size:
        raise PassingError(f"{name}: {came:,} of {size:,} bytes came")


def _worded(where: str, error: Exception) -> NnbookError:
    if isinstance(error, PermissionError | FileNotFoundError):
        return NnbookError(
            f"{where}: can't be written ({type(error).__name__}: {reason(error)}); check the address, and your right "
            "to write there"
        )
    return PassingError(f"{where}: can't be written ({type(error).__name__}: {reason(error)}); call again")
