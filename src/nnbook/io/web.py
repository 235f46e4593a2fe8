"""Files from the web, each whole and, where its SHA-256 is known, unchanged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from nnbook.errors import InvalidValueError, NnbookError
from nnbook.io.files import atomic_write

if TYPE_CHECKING:
    from pathlib import Path

TRIES: Final = 3
TIMEOUT_S: Final = 20
"""How often a download is tried, and for how many seconds a host may say nothing each time."""


def download(address: str, path: Path, expected_sha256: str) -> None:
    """Download a file in one step: nothing appears at `path` unless it came whole and, where pinned, unchanged.

    Raises
    ------
    NnbookError
        Where the address is none or can't be reached, or the SHA-256 is another.
    """
    import pooch

    if urlsplit(address).scheme not in {"http", "https"}:
        raise InvalidValueError(f"{address}: is no web address; give one that begins with https://")
    with atomic_write(path) as written:
        for tries_left in reversed(range(TRIES)):
            try:
                pooch.retrieve(
                    address,
                    known_hash=f"sha256:{expected_sha256}" if expected_sha256 else None,
                    fname=written.name,
                    path=written.parent,
                    downloader=pooch.HTTPDownloader(timeout=TIMEOUT_S),
                )
                break
            except ValueError as error:
                raise NnbookError(
                    f"{address}: its SHA-256 isn't the expected one; the file there has changed"
                ) from error
            except OSError as error:
                if tries_left == 0:
                    raise NnbookError(
                        f"{address}: can't be downloaded ({type(error).__name__}); check the address and the network"
                    ) from error
