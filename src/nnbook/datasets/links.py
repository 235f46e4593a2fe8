"""Whether the addresses of data sets lead anywhere."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from nnbook.errors import NnbookError, reason

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nnbook.reviews.datasets import DataSet

TIMEOUT_S: Final = 20
AT_ONCE: Final = 8
GONE: Final = {404, 410}
NO_HEAD: Final = {400, 403, 405, 501}
"""What servers answer to a request for the head of a page that they would show."""

AGENT: Final = "nnbook (checks the links of a registry of data sets)"


class Link(NamedTuple):
    """An address, and what became of a request for it.

    Attributes
    ----------
    dataset, address : str
        Of whom, and which.
    state : str
        "works"; "moved", where it leads to another address; "dead", where nothing is there any more; "unclear", where
        the server refuses a program, or fails.
    detail : str
        Why, or where to.
    """

    dataset: str
    address: str
    state: str
    detail: str


def check_links(datasets: Sequence[DataSet]) -> list[Link]:
    """Ask for the addresses of data sets and of their files, without fetching them.

    Parameters
    ----------
    datasets : sequence of DataSet
        Of the registry.

    Returns
    -------
    list of Link
        In the order of the data sets, each address once.

    Raises
    ------
    NnbookError
        Where no host at all can be reached: then the network is at fault, and nothing is said of the links.
    """
    asked = {address: one.name for one in datasets for address in (one.address, *(file.address for file in one.files))}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(pool.map(_ask, asked))
    if answers and all(answer is None for answer in answers):
        raise NnbookError(
            f"none of {len(answers)} addresses can be reached; check the network, then check the links again"
        )
    return [
        Link(name, address, *(answer or ("dead", "the host can't be reached")))
        for (address, name), answer in zip(asked.items(), answers, strict=True)
    ]


def _ask(address: str) -> tuple[str, str] | None:
    """Ask for an address; return state and detail, or None where its host can't be reached."""
    for method in ("HEAD", "GET"):
        # The registry has http and https only: see nnbook.reviews.fields.address.
        request = Request(address, method=method, headers={"User-Agent": AGENT})  # noqa: S310
        try:
            with urlopen(request, timeout=TIMEOUT_S) as answer:  # noqa: S310
                return ("works", "") if _same(answer.url, address) else ("moved", answer.url)
        except HTTPError as error:
            with error:
                if error.code in GONE:
                    return "dead", f"the server answers {error.code}"
                if error.code not in NO_HEAD or method == "GET":
                    return "unclear", f"the server answers {error.code}"
        except (URLError, TimeoutError, ConnectionError):
            return None
        except (HTTPException, OSError, ValueError) as error:
            return "unclear", reason(error)
    return None


def _same(one: str, other: str) -> bool:
    """Return whether two addresses differ in their protocol, www and a last slash at most."""
    bare = (address.partition("://")[2].removeprefix("www.").rstrip("/") for address in (one, other))
    return len(set(bare)) == 1
