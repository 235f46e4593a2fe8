"""Single files of data sets on the Hugging Face Hub, by addresses such as `hf://datasets/owner/name/folder/file.tif`."""

from __future__ import annotations

import re
import threading
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, Final

import httpx2

from nnbook.errors import InvalidValueError, NnbookError, PassingError
from nnbook.hub.client import connect, explained
from nnbook.io.files import sha256

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from huggingface_hub import HfApi

ADDRESS: Final = re.compile(r"hf://datasets/(?P<dataset>[^/@]+/[^/@]+)(@(?P<revision>[^/]+))?/(?P<path>.+)")

BLOCK_BYTES: Final = 1 << 20


def download_from_hub(
    address: str, path: Path, expected_sha256: str, come: Callable[[int], None] = lambda _: None
) -> None:
    """Download a file of a data set straight to where it is written.

    Parameters
    ----------
    address : str
        `hf://datasets/OWNER/NAME/PATH`, or with `NAME@REVISION`: a branch, tag or commit.
    path : Path
        The file. What is there after an error is of no use.
    expected_sha256 : str
        Empty where it isn't known.
    come : callable, optional
        Is told how many bytes have come so far; what it raises ends the download.

    Raises
    ------
    PassingError
        Where the file came short.
    NnbookError
        Where there is no such data set or file, no right to it, the hub can't be reached, or the SHA-256 is another.
    """
    dataset, revision, name = _parts(address)
    size = bytes_on_hub(address)
    with explained(dataset):
        api = _connected()
        import huggingface_hub
        from huggingface_hub.utils import build_hf_headers, hf_raise_for_status  # type: ignore[attr-defined]

        where = huggingface_hub.hf_hub_url(dataset, name, repo_type="dataset", revision=revision, endpoint=api.endpoint)
        plain = {**build_hf_headers(), "Accept-Encoding": "identity"}
        with huggingface_hub.get_session().stream("GET", where, headers=plain) as answer, path.open("wb") as written:
            hf_raise_for_status(answer)
            with suppress(httpx2.TransportError):  # what came short is told by its size
                for block in answer.iter_bytes(BLOCK_BYTES):
                    written.write(block)
                    come(written.tell())
    if (came := path.stat().st_size) != size:
        raise PassingError(f"{address}: {came:,} of {size:,} bytes came; call again")
    if expected_sha256 and sha256(path) != expected_sha256:
        raise NnbookError(f"{address}: its SHA-256 isn't the expected one; the file there has changed")


def bytes_on_hub(address: str) -> int:
    """Return how many bytes a file of a data set has; raises what `download_from_hub` does."""
    dataset, revision, name = _parts(address)
    with explained(dataset):
        found = _connected().get_paths_info(dataset, name, revision=revision, repo_type="dataset")
    sizes = [getattr(one, "size", None) for one in found]
    if not sizes or not isinstance(sizes[0], int):
        raise NnbookError(f"{address}: the data set has no such file; look at its page")
    return sizes[0]


_CONNECTING = threading.Lock()


def _connected() -> HfApi:
    with _CONNECTING:
        return _connected_once()


@cache
def _connected_once() -> HfApi:
    """Return the hub's client. To connect anew would close the connections of files that other threads download."""
    return connect()


def _parts(address: str) -> tuple[str, str | None, str]:
    """Return the data set's id, the revision if there is one, and the file's path."""
    if (parts := ADDRESS.fullmatch(address)) is None:
        raise InvalidValueError(f"{address}: is no file of a data set; give hf://datasets/OWNER/NAME/PATH")
    return parts["dataset"], parts["revision"], parts["path"]
