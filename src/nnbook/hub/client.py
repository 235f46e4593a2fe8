"""The Hugging Face Hub: a client that waits within bounds, and what its errors mean for a user.

Data sets are read and written through the `datasets` and `huggingface_hub` libraries. Their own back-off covers only
some of their calls (not the reading of a data set's facts), waits as long and as often as a hub asks, and says nothing
meanwhile. So the HTTP client itself waits here, for every call: within a bound, with a progress bar, and never for a
commit, which could then be made twice. The libraries choose the token (`hf auth login`, or the variable HF_TOKEN); it
is never printed or written.
"""

from __future__ import annotations

import logging
import math
import re
import time
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import httpx2

from nnbook import __version__
from nnbook.errors import InvalidValueError, NnbookError
from nnbook.io.progress import show_progress

if TYPE_CHECKING:
    from collections.abc import Iterator

    from huggingface_hub import HfApi

PATIENCE_S = 330.0
"""How long one request may wait for a rate limit to pass: the hub counts requests over five minutes."""

PAUSES_S = (1.0, 2.0, 4.0, 8.0, 16.0)
"""The pauses after which a request that broke is made again."""

_COMMITS = re.compile(r"/api/datasets/.+/commit/.+")
_STATUS = {
    401: "the hub refuses the token (401); log in with 'hf auth login', or set HF_TOKEN to one that is valid",
    403: "the hub forbids it (403); use a token that has the right to, or ask the data set's owner",
    409: "was changed at the same time by someone else (409); look at its page, then call again",
    412: "was changed at the same time by someone else (412); look at its page, then call again",
    429: "the hub's rate limit is reached (429); call again later, what is finished is kept",
}

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9][A-Za-z0-9._-]*")


def check_id(dataset: str) -> None:
    """Raise NnbookError unless a text has the form of a data set's id, `owner/name`."""
    if not _ID.fullmatch(dataset):
        raise InvalidValueError(f"{dataset}: is no id of a data set; give one such as RussellBarkley/NucleusNet")


def connect() -> HfApi:
    """Return the hub's client, which waits within bounds and prints nothing itself."""
    import huggingface_hub
    from huggingface_hub import constants
    from huggingface_hub.utils.tqdm import disable_progress_bars

    # Uploads then go through this same client, whose patience is known, and not through a program beside it.
    constants.HF_HUB_DISABLE_XET = True
    hooks = huggingface_hub.get_session().event_hooks
    # The library's own client has no timeout: a connection that goes silent would hang for ever.
    huggingface_hub.set_client_factory(lambda: _PatientClient(event_hooks=hooks, follow_redirects=True, timeout=60))
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)
    disable_progress_bars()
    return huggingface_hub.HfApi(library_name="nnbook", library_version=__version__)


class _PatientClient(httpx2.Client):
    """The hub's client, which waits out a rate limit within bounds, and makes a request that broke again."""

    reached = False

    def send(self, request: httpx2.Request, **options: Any) -> httpx2.Response:
        """Send a request until it is answered; an NnbookError once that takes too long or makes no sense."""
        host, waited, broken = request.url.host, 0.0, 0
        while True:
            failure: httpx2.TransportError | None = None
            response: httpx2.Response | None = None
            try:
                response = super().send(request, **options)
            except (httpx2.TimeoutException, httpx2.NetworkError, httpx2.RemoteProtocolError) as error:
                failure = error
            self.reached = self.reached or response is not None
            if response is not None and response.status_code not in {429, 500, 502, 503, 504}:
                return response
            if response is not None and response.status_code == 429:
                why, pause = "rate limit", pause_of(response.headers)
                if waited + pause > PATIENCE_S:
                    raise NnbookError(
                        f"{host}: its rate limit is reached (429), and it asks for a pause of {pause:.0f} s; call "
                        "again later, what is finished is kept"
                    )
            else:
                why = type(failure).__name__ if response is None else f"status {response.status_code}"
                if problem := self._why_not_again(request, why, broken):
                    raise NnbookError(f"{host}: {problem}") from failure
                pause, broken = PAUSES_S[broken], broken + 1
            _wait(pause, f"{host}: {why}, waiting")
            waited += pause
            if response is not None:
                response.close()
            if not isinstance(request.stream, httpx2.ByteStream):
                # A body read from a file is used up. Only the library can rewind it, which it does after a failure.
                raise failure or httpx2.NetworkError(why, request=request)

    def _why_not_again(self, request: httpx2.Request, why: str, broken: int) -> str | None:
        if not self.reached:
            return f"can't be reached ({why}); check the network, and HF_ENDPOINT where that is set"
        if _COMMITS.fullmatch(request.url.path):
            return (
                f"broke off while making the commit ({why}); look whether it is on the data set's page, else call again"
            )
        if broken == len(PAUSES_S):
            return f"broke off {broken + 1} times ({why}); call again later, what is finished is kept"
        return None


def pause_of(headers: httpx2.Headers) -> float:
    """Return for how many seconds the answer 429 asks: by Retry-After, else by RateLimit, else half a minute."""
    after = headers.get("Retry-After", "").strip()
    if after.isdigit():
        return float(after)
    if after:
        try:
            return max(0.0, parsedate_to_datetime(after).timestamp() - time.time())
        except ValueError:
            pass
    if left := re.search(r"\bt\s*=\s*(\d+)", headers.get("RateLimit", "")):
        return float(left[1])
    return 30.0


def _wait(seconds: float, why: str) -> None:
    end = time.monotonic() + seconds
    with show_progress(total=math.ceil(seconds), desc=why, unit="s", leave=False) as bar:
        while (left := end - time.monotonic()) > 0:
            time.sleep(min(1.0, left))
            bar.update()


@contextmanager
def explained(dataset: str) -> Iterator[None]:
    """Turn whatever the libraries raise into one line that names the data set and what to do."""
    try:
        yield
    except NnbookError:
        raise
    except Exception as error:
        raise explain(error, dataset) from error


def explain(error: Exception, dataset: str) -> Exception:
    """Return an exception of the libraries as an NnbookError; one about local files stays as it is.

    The libraries wrap or replace each other's exceptions, so all that led to this one are examined.
    """
    chain = list(_chain(error))
    for cause in chain:
        if isinstance(cause, NnbookError):
            return cause
    for cause in chain:
        if problem := _problem(cause):
            return NnbookError(f"{dataset}: {problem}")
    if isinstance(error, OSError) and error.errno is not None:
        return error
    message = _without_token(" ".join(str(error).split())[:200])
    return NnbookError(
        f"{dataset}: can't be used ({type(error).__name__}: {message}); look at the data set's page, or call again"
    )


def _problem(error: BaseException) -> str | None:
    from huggingface_hub import errors

    for kind, problem in (
        (errors.GatedRepoError, "is gated; accept its terms on its page, and log in with 'hf auth login'"),
        (errors.RevisionNotFoundError, "has no such revision; give a branch, tag or commit that its page lists"),
        (
            errors.RepositoryNotFoundError,
            "doesn't exist or is private; check the id, or if it is private log in with 'hf auth login' (or HF_TOKEN)",
        ),
        (errors.OfflineModeIsEnabled, "can't be reached while HF_HUB_OFFLINE is set; unset that variable"),
    ):
        if isinstance(error, kind):
            return problem
    if isinstance(error, httpx2.TransportError):
        return f"the connection broke off ({type(error).__name__}); call again later, what is finished is kept"
    if isinstance(error, errors.HfHubHTTPError) and error.response is not None:
        status = error.response.status_code
        return _STATUS.get(status, f"the hub answers {status}; look at its page, and call again later")
    return None


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _without_token(text: str) -> str:
    from huggingface_hub import get_token

    token = get_token()
    return text.replace(token, "TOKEN") if token else text
