"""Files from the web and from object stores, each whole and, where its SHA-256 is known, unchanged."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from nnbook.errors import InvalidValueError, NnbookError, PassingError, reason
from nnbook.io.files import atomic_write, sha256

if TYPE_CHECKING:
    from pathlib import Path

TRIES: Final = 3
TIMEOUT_S: Final = 20
"""How often a download is tried, and for how many seconds a host may say nothing each time."""

FOR_GOOD: Final = frozenset({400, 401, 403, 404, 405, 410, 451})
"""What hosts answer that asking again does not change: no right, or no file."""


def download(address: str, path: Path, expected_sha256: str) -> None:
    """Download a file in one step: nothing appears at `path` unless it came whole and, where pinned, unchanged.

    Parameters
    ----------
    address : str
        Begins with `https://`, `http://`, or `s3://`. For the last, the package s3fs is needed; rights and the store's
        address are those of the environment, as for Amazon's own tools.
    path : Path
        The file.
    expected_sha256 : str
        Empty where it isn't known.

    Raises
    ------
    InvalidValueError
        Where the address is none.
    PassingError
        Where the host does not answer, or with a fault of its own, or the file came short.
    NnbookError
        Where there is no such file, or no right to it, or the SHA-256 is another.
    """
    scheme = urlsplit(address).scheme
    if scheme not in {"http", "https", "s3"}:
        raise InvalidValueError(f"{address}: is no web address; give one that begins with https:// or s3://")
    fetch = _from_store if scheme == "s3" else _from_web
    with atomic_write(path) as written:
        for tries_left in reversed(range(TRIES)):
            try:
                fetch(address, written, expected_sha256)
                break
            except (ModuleNotFoundError, NnbookError):
                raise
            except Exception as error:  # libraries of stores raise whatever they like
                if _is_for_good(error):
                    raise NnbookError(f"{address}: can't be downloaded ({_why(error)}); check the address") from error
                if tries_left == 0:
                    raise PassingError(
                        f"{address}: can't be downloaded ({_why(error)}); check the address and the network"
                    ) from error


def _from_web(address: str, path: Path, expected_sha256: str) -> None:
    import pooch

    try:
        pooch.retrieve(
            address,
            known_hash=f"sha256:{expected_sha256}" if expected_sha256 else None,
            fname=path.name,
            path=path.parent,
            downloader=pooch.HTTPDownloader(timeout=TIMEOUT_S),
        )
    except ValueError as error:
        raise _changed(address) from error


def _from_store(address: str, path: Path, expected_sha256: str) -> None:
    import fsspec

    try:
        fsspec.get_filesystem_class("s3")
    except ImportError as error:
        raise NnbookError(f"{address}: needs the package s3fs; install it with: pip install s3fs") from error
    store, name = fsspec.core.url_to_fs(
        address, config_kwargs={"connect_timeout": TIMEOUT_S, "read_timeout": TIMEOUT_S}
    )
    size = store.info(name)["size"]
    with store.open(name, "rb", cache_type="readahead") as source, path.open("wb") as target:
        shutil.copyfileobj(source, target, 1 << 22)
    if (came := path.stat().st_size) != size:
        raise ConnectionError(f"{came:,} of {size:,} bytes came")
    if expected_sha256 and sha256(path) != expected_sha256:
        raise _changed(address)


def _changed(address: str) -> NnbookError:
    return NnbookError(f"{address}: its SHA-256 isn't the expected one; the file there has changed")


def _is_for_good(error: Exception) -> bool:
    if (status := _status(error)) is not None:
        return status in FOR_GOOD
    return isinstance(error, PermissionError | FileNotFoundError) or type(error).__name__ == "NoCredentialsError"


def _why(error: Exception) -> str:
    if (status := _status(error)) is not None:
        return f"the host answers {status}"
    name = type(error).__name__
    return f"{name}: {reason(error)}" if name in {"NoCredentialsError", "ConnectionError"} else name


def _status(error: Exception) -> int | None:
    """Return what a host of the web answered, where that is why."""
    response: Any = getattr(error, "response", None)
    status = getattr(response, "status_code", None)
    return status if isinstance(status, int) else None
