"""Units of work that the workers of a Dask scheduler make, on this machine or on others.

Workers see the same files under the same names as the command, run the same code, and write what they make in place:
what is on disk counts, and nothing else travels. So a worker that dies costs the unit that it was making, which another
gets; one that is added gets its share; and where the scheduler begins anew, what was under way is handed out again.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import pickle
import sys
import threading
import time
from asyncio import CancelledError
from contextlib import chdir, suppress
from functools import cache
from typing import TYPE_CHECKING, Any, Final, Self

from distributed import Client, Future, KilledWorker, WorkerPlugin, get_worker, wait
from distributed.client import ClosedClientError, FuturesCancelledError

from nnbook.errors import KilledError, NnbookError
from nnbook.io.processes import THREADS, Ended, outcome_of
from nnbook.provenance.dependencies import function_dependencies

if TYPE_CHECKING:
    from collections.abc import Callable

ABSENT_S: Final = 300.0
"""How long a scheduler may be gone before the call gives up."""

LOOK_S: Final = 1.0
"""After which time it is looked whether the scheduler is still there."""

AHEAD: Final = 2
"""Units a worker that are handed out: the next is there when one is done, and a cluster that adapts sees what waits."""

AHEAD_S: Final = 0.2
"""Where units take next to no time, as many are handed out as end in this time: so messages are of several units."""

GONE: Final = (OSError, RuntimeError, ClosedClientError, FuturesCancelledError, CancelledError)
"""What Dask raises where the scheduler goes while it is asked."""

LOST: Final = ("cancelled", "lost")
"""What Dask says of units that a scheduler knew that is gone."""


class Cluster:
    """The workers of a Dask scheduler, each of which makes one unit at a time.

    Parameters
    ----------
    work : callable
        A function of this package, or a `functools.partial` of one: each worker gets it once.
    scheduler : str, distributed.Client or a cluster object
        The scheduler's address, such as `tcp://10.0.0.1:8786`, or what knows it.

    Raises
    ------
    NnbookError
        Where there is no scheduler.
    """

    def __init__(self, work: Callable[[Any], Any], scheduler: Any) -> None:
        function = getattr(work, "func", work)
        name = f"{function.__module__}.{function.__qualname__}"
        self._work = _Work(name, _code_digest(name), pickle.dumps(work))
        self._scheduler = scheduler
        self._numbers = itertools.count()
        self._begun: list[tuple[Any, bytes]] = []
        self._futures: dict[Future[bytes], tuple[Any, bytes]] = {}
        self._client = self._connected()
        self._room, self._looked, self._ended = 1, float("-inf"), 0

    @property
    def room(self) -> int:
        """How many units are handed out at a time."""
        now = time.monotonic()
        if now >= self._looked + LOOK_S:
            with suppress(*GONE, ValueError):
                workers = len(self._client.scheduler_info(n_workers=-1)["workers"])
                self._room = max(1, AHEAD * workers, int(AHEAD_S * self._ended / (now - self._looked)))
            self._looked, self._ended = now, 0
        return self._room

    def begin(self, key: Any, job: Any) -> None:
        """Have a unit handed out, together with others that are begun now."""
        self._begun.append((key, pickle.dumps(job)))

    def ended(self, seconds: float | None = None) -> list[Ended]:
        """Wait until a unit has ended, or for so many seconds; return those that have."""
        until = None if seconds is None else time.monotonic() + seconds
        while True:
            self._hand_out()
            pause = LOOK_S if until is None else min(LOOK_S, max(0.0, until - time.monotonic()))
            if self._futures:
                with suppress(*GONE):
                    wait(list(self._futures), timeout=pause, return_when="FIRST_COMPLETED")
            else:
                time.sleep(pause)
            found = self._done()
            if found or (until is not None and time.monotonic() >= until):
                return found

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(*GONE):
            self._client.cancel(list(self._futures))
        if self._client is not self._scheduler:
            self._client.close()

    def _done(self) -> list[Ended]:
        """Return the units that have ended; hand those out again that a scheduler knew that is gone."""
        ended = {future: future.status for future in self._futures if future.status != "pending"}
        if self._client.status != "running" or any(status in LOST for status in ended.values()):
            self._begin_anew()
            return []
        outcomes = self._outcomes([future for future, status in ended.items() if status == "finished"])
        if outcomes is None:
            self._begin_anew()
            return []
        found = []
        for future, status in ended.items():
            key, _ = self._futures.pop(future)
            if status == "finished":
                found.append(Ended(key, *pickle.loads(outcomes[future.key])))  # noqa: S301 - of our own workers
            else:
                found.append(Ended(key, error=_worded(future.exception())))
            future.release()
        self._ended += len(found)
        return found

    def _outcomes(self, futures: list[Future[bytes]]) -> dict[Any, bytes] | None:
        """Return by key what came of units, all fetched at once; None where the scheduler is gone meanwhile."""
        if not futures:
            return {}
        with suppress(*GONE):
            found: dict[Any, bytes] = self._client.gather({one.key: one for one in futures}, errors="skip")
            if None not in found.values():
                return found
        return None

    def _begin_anew(self) -> None:
        print(
            "nnbook: the Dask scheduler is gone; waits for it, and hands out again what was under way", file=sys.stderr
        )
        self._begun = [*self._futures.values(), *self._begun]
        self._futures.clear()
        if self._client is not self._scheduler:
            self._client.close()
        self._client = self._connected(ABSENT_S)

    def _hand_out(self) -> None:
        if not self._begun:
            return
        function = self._work.function.rpartition(".")[2].strip("_")
        names = [f"{function}-{key}-{next(self._numbers)}" for key, _ in self._begun]
        jobs = [job for _, job in self._begun]
        try:
            futures = self._client.map(_make, jobs, work=self._work.name, key=names, pure=False)
        except GONE:
            self._begin_anew()
            return
        self._futures |= zip(futures, self._begun, strict=True)
        self._begun = []

    def _connected(self, seconds: float = 0.0) -> Client:
        """Return a client that knows the work, once there is a scheduler."""
        until = time.monotonic() + seconds
        while True:
            try:
                client = self._scheduler if isinstance(self._scheduler, Client) else Client(self._scheduler)
                client.register_plugin(self._work)
                return client
            except (*GONE, ValueError) as error:
                if time.monotonic() >= until:
                    raise NnbookError(
                        f"{self._scheduler}: there is no Dask scheduler ({type(error).__name__}); start one with 'dask "
                        "scheduler', or check the address"
                    ) from error
                time.sleep(LOOK_S)


class _Work(WorkerPlugin):
    """What workers do, sent to each once, also to those that are added."""

    def __init__(self, function: str, code: str, work: bytes) -> None:
        self.function, self.code, self.work = function, code, work
        self.folder = os.getcwd()  # noqa: PTH109 - which the names of files may be relative to
        self.name = f"nnbook-{hashlib.sha256(work + self.folder.encode()).hexdigest()}"

    def setup(self, worker: Any) -> None:  # noqa: ARG002 - Dask's signature
        """Keep what this worker does."""
        WORK[self.name] = self


WORK: Final[dict[str, _Work]] = {}
"""In a worker, what it was sent."""

ONE_AT_A_TIME: Final = threading.Lock()
"""Libraries share their threads among what a process does at a time, and some are not made for that."""


def _make(job: bytes, *, work: str) -> bytes:
    """Make a unit, in a worker."""
    with ONE_AT_A_TIME, chdir(WORK[work].folder):
        return outcome_of(_loaded(work), pickle.loads(job))  # noqa: S301 - of the command that this worker works for


@cache
def _loaded(name: str) -> Callable[[Any], Any]:
    about = WORK[name]
    for variable in THREADS:
        os.environ.setdefault(variable, str(get_worker().state.nthreads))
    if _code_digest(about.function) != about.code:
        raise NnbookError(
            f"the worker {get_worker().address} has another version of nnbook, or of a package that it uses, than the "
            "command; install the same on all machines"
        )
    work: Callable[[Any], Any] = pickle.loads(about.work)  # noqa: S301
    return work


def _code_digest(function: str) -> str:
    return hashlib.sha256(repr(sorted(function_dependencies(function).items())).encode()).hexdigest()


def _worded(error: BaseException | None) -> Exception:
    if isinstance(error, KilledWorker):
        return KilledError("each worker that was given it was killed, as a system does that is out of memory")
    return error if isinstance(error, Exception) else NnbookError(f"its worker ended ({error})")
