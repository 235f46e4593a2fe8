"""Files from the web and from object stores, each whole and, where its SHA-256 is known, unchanged."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from nnbook.errors import InvalidValueError, NnbookError, PassingError, reason
from nnbook.io.files import NO_SPACE, atomic_write, sha256

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path
    from typing import TypeAlias

    Opened: TypeAlias = tuple[int | None, Iterable[bytes]]
    """A file's size where its host says it, and its bytes."""

TRIES: Final = 3
TIMEOUT_S: Final = 20
"""How often a download is tried, and for how many seconds a host may say nothing each time."""

BLOCK_BYTES: Final = 1 << 20

FOR_GOOD: Final = frozenset({400, 401, 403, 404, 405, 410, 451})
"""What hosts answer that asking again does not change: no right, or no file."""

NO_RIGHT: Final = frozenset({400, 401, 403})
"""What hosts answer without a credential, or with one that has expired: buckets say 400 then."""


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
    with atomic_write(path) as written:
        download_into(address, written, expected_sha256)


def download_into(address: str, path: Path, expected_sha256: str, come: Callable[[int], None] = lambda _: None) -> None:
    """Download a file as `download` does, but straight to where it is written.

    Parameters
    ----------
    address, path, expected_sha256
        See `download`. What is at `path` after an error is of no use.
    come : callable, optional
        Is told how many bytes have come so far; what it raises ends the download.
    """
    open_file = _opener(address)
    for tries_left in reversed(range(TRIES)):
        with _worded(address, last=tries_left == 0):
            with open_file(address) as (size, blocks), path.open("wb") as written:
                for block in blocks:
                    written.write(block)
                    come(written.tell())
                if size not in {None, written.tell()}:
                    raise ConnectionError(f"{written.tell():,} of {size:,} bytes came")
            break
    if expected_sha256 and sha256(path) != expected_sha256:
        raise NnbookError(f"{address}: its SHA-256 isn't the expected one; the file there has changed")


def remote_bytes(address: str) -> int | None:
    """Return how many bytes a file has, before it is downloaded; None where its host does not say so.

    Raises what `download` does.
    """
    open_file = _opener(address)
    for tries_left in reversed(range(TRIES)):
        with _worded(address, last=tries_left == 0), open_file(address) as (size, _):
            return size
    raise AssertionError


def _opener(address: str) -> Callable[[str], AbstractContextManager[Opened]]:
    """Return what opens a file."""
    scheme = urlsplit(address).scheme
    if scheme not in {"http", "https", "s3"}:
        raise InvalidValueError(f"{address}: is no web address; give one that begins with https:// or s3://")
    return _open_in_store if scheme == "s3" else _open_on_web


@contextmanager
def _open_on_web(address: str) -> Iterator[Opened]:
    import requests

    # Compressed on the way, it would not have the size that the host says.
    plain = {"Accept-Encoding": "identity"}
    with requests.get(address, stream=True, timeout=TIMEOUT_S, headers=plain) as answer:
        answer.raise_for_status()
        size = answer.headers.get("Content-Length", "")
        is_plain = answer.headers.get("Content-Encoding", "identity") == "identity"
        yield int(size) if size.isdecimal() and is_plain else None, answer.iter_content(BLOCK_BYTES)


@contextmanager
def _open_in_store(address: str) -> Iterator[Opened]:
    import fsspec

    try:
        fsspec.get_filesystem_class("s3")
    except ImportError as error:
        raise NnbookError(f"{address}: needs the package s3fs; install it with: pip install s3fs") from error
    # Libraries that both try again would ask a silent host for a quarter of an hour.
    store, name = fsspec.core.url_to_fs(
        address,
        config_kwargs={"connect_timeout": TIMEOUT_S, "read_timeout": TIMEOUT_S, "retries": {"total_max_attempts": 1}},
    )
    store.retries = 1
    store.invalidate_cache()
    try:
        # Without a size, each block is asked for on the condition that the file has not changed since.
        with store.open(name, "rb", cache_type="readahead") as source:
            yield int(source.size), iter(lambda: source.read(4 * BLOCK_BYTES), b"")
    except Exception as error:
        if _has_no_right(error):
            store.clear_instance_cache()  # else this process would not see a new credential
        raise


@contextmanager
def _worded(address: str, *, last: bool) -> Iterator[None]:
    """Turn whatever libraries raise into one line; nothing is raised where trying again may help, and is not over."""
    try:
        yield
    except (ModuleNotFoundError, NnbookError):
        raise
    except Exception as error:  # libraries of stores raise whatever they like
        if isinstance(error, OSError) and error.errno in NO_SPACE:
            raise
        if _is_for_good(error):
            remedy = "get the right to read it, or a new credential" if _has_no_right(error) else "check the address"
            raise NnbookError(f"{address}: can't be downloaded ({_why(error)}); {remedy}") from error
        if last:
            raise PassingError(
                f"{address}: can't be downloaded ({_why(error)}); check the address and the network"
            ) from error


def _is_for_good(error: Exception) -> bool:
    if (status := _status(error)) is not None:
        return status in FOR_GOOD
    return isinstance(error, FileNotFoundError) or _has_no_right(error)


def _has_no_right(error: Exception) -> bool:
    return (
        _status(error) in NO_RIGHT or isinstance(error, PermissionError) or type(error).__name__ == "NoCredentialsError"
    )


def _why(error: Exception) -> str:
    status = _status(error)
    if status == 404:
        return f"{type(error).__name__}" if isinstance(error, FileNotFoundError) else "the host answers 404"
    if status is not None:
        told = f": {reason(error)}" if isinstance(error, PermissionError) else ""
        return f"the host answers {status}{told}"
    name = type(error).__name__
    return f"{name}: {reason(error)}" if name in {"NoCredentialsError", "ConnectionError"} else name


def _status(error: BaseException) -> int | None:
    """Return what a host of the web, or a store, answered, where that is why."""
    response: Any = getattr(error, "response", None)
    if isinstance(response, dict):  # of botocore
        status = response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    else:
        status = getattr(response, "status_code", None)
    if not isinstance(status, int) and error.__cause__ is not None:
        return _status(error.__cause__)
    return status if isinstance(status, int) else None
