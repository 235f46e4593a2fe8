"""Processes that do one job after another, and end with the one that began them."""

from __future__ import annotations

import os
import pickle
import signal
import threading
import time
import traceback
from contextlib import suppress
from multiprocessing import connection, get_context, parent_process, resource_tracker
from typing import TYPE_CHECKING, Any, NamedTuple, Self, cast

from nnbook.errors import KilledError, NnbookError, reason

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.context import SpawnProcess
    from types import TracebackType

THREADS = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "OPENCV_FOR_THREADS_NUM",
    "TIFFFILE_NUM_THREADS",
    "VIPS_CONCURRENCY",
)
"""What libraries take the number of their threads from as they are loaded."""

END_SECONDS = 5.0
"""How long an interrupted process may take to remove what it was writing."""


def usable_cores() -> int:
    """Return how many processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def peak_bytes() -> int:
    """Return the most memory that this process has held, in bytes.

    On Linux it is not asked of `getrusage`, where a process begins at the peak of the one that started it.
    """
    import resource
    import sys
    from pathlib import Path

    status = Path("/proc/self/status")
    if status.is_file():
        return 1024 * int(status.read_text(encoding="utf-8").partition("VmHWM:")[2].split()[0])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


class Ended(NamedTuple):
    """A job that has come to its end.

    Attributes
    ----------
    key : Any
        What the job was begun with.
    outcome : Any
        What the work returned.
    error : Exception or None
        What it raised instead; `nnbook.errors.KilledError` where its process was killed.
    """

    key: Any
    outcome: Any = None
    error: Exception | None = None


class Processes:
    """Processes of their own, each of which does one job at a time.

    One that is killed costs the job that it was doing, and another takes its place. At the end of a `with` block what
    is under way is finished; where the block is interrupted, the processes are ended.

    Parameters
    ----------
    work : callable
        A function of a module, or a `functools.partial` of one: each process gets it once.
    count : int
        How many processes there are at most. Each is begun with the first job that no other is free for.
    threads : int, optional
        How many threads libraries may use in each; by default as many as they like.
    """

    def __init__(self, work: Callable[[Any], Any], count: int, threads: int | None = None) -> None:
        self.room = count
        self._work = pickle.dumps(work)
        self._threads = threads
        self._idle: list[_Process] = []
        self._busy: dict[connection.Connection, tuple[_Process, Any]] = {}

    def begin(self, key: Any, job: Any) -> None:
        """Begin a job; no more than `room` may be under way."""
        message = pickle.dumps(job)
        process = None
        while process is None:
            process = self._idle.pop() if self._idle else _Process(self._work, self._threads)
            try:
                process.connection.send_bytes(message)
            except OSError:  # killed while it had nothing to do
                process.end()
                process = None
        self._busy[process.connection] = process, key

    def ended(self, seconds: float | None = None) -> list[Ended]:
        """Wait until a job has ended, or for so many seconds; return those that have."""
        found = []
        if not self._busy:
            time.sleep(seconds or 0)
        ready = connection.wait(list(self._busy), seconds) if self._busy else []
        for one in cast("list[connection.Connection]", ready):
            process, key = self._busy.pop(one)
            try:
                found.append(Ended(key, *pickle.loads(one.recv_bytes())))  # noqa: S301 - of a process of our own
                self._idle.append(process)
            except (EOFError, OSError):
                found.append(Ended(key, error=_why_dead(process.end())))
        return found

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        processes = [*self._idle, *(process for process, _ in self._busy.values())]
        interrupted = kind is not None and not issubclass(kind, Exception)
        try:
            for process in processes:
                if interrupted:
                    process.terminate()
                process.connection.close()
            for process in processes:
                process.end(END_SECONDS if interrupted else None)
        except KeyboardInterrupt:  # while what is under way is being finished
            for process in processes:
                process.end(0)
            raise


class _Process:
    def __init__(self, work: bytes, threads: int | None) -> None:
        context = get_context("spawn")  # not forked: the caller may run threads
        self.connection, other = context.Pipe()
        self._process: SpawnProcess = context.Process(target=_serve, args=(other, threads), daemon=True)
        # Ctrl-C in a terminal does not reach it: it would show a traceback. This process ends it.
        resource_tracker.ensure_running()  # which takes the mask away as it begins
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            self._process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        other.close()
        self.connection.send_bytes(work)

    def terminate(self) -> None:
        self._process.terminate()

    def end(self, seconds: float | None = None) -> int:
        """Wait until it has ended, and kill it after so many seconds; return its exit status."""
        self.connection.close()
        self._process.join(seconds)
        if self._process.exitcode is None:
            self._process.kill()
            self._process.join()
        return int(self._process.exitcode or 0)


def _why_dead(status: int) -> Exception:
    if status >= 0:
        return ChildProcessError(f"its process ended by itself with status {status}; what it wrote above says why")
    name = signal.Signals(-status).name
    return KilledError(
        f"its process was killed ({name}"
        + (", as a system does that is out of memory); work on fewer at a time" if name == "SIGKILL" else ")")
    )


def _serve(jobs: connection.Connection, threads: int | None) -> None:
    """Do jobs until no more come."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if threads is not None:
        os.environ.update(dict.fromkeys(THREADS, str(threads)))
    with suppress(EOFError, KeyboardInterrupt, OSError):
        work = pickle.loads(jobs.recv_bytes())  # noqa: S301 - of the process that began this one
        while True:
            job = pickle.loads(jobs.recv_bytes())  # noqa: S301
            jobs.send_bytes(outcome_of(work, job))


def outcome_of(work: Callable[[Any], Any], job: Any) -> bytes:
    """Do a job, and pickle what its work returns and raises, of which one is None."""
    try:
        return pickle.dumps((work(job), None))
    except Exception as error:  # noqa: BLE001 - whatever it is, the next job is another
        if not isinstance(error, NnbookError | OSError | MemoryError):
            error.add_note(traceback.format_exc())
        try:
            message = pickle.dumps((None, error))
            pickle.loads(message)  # noqa: S301 - some can be pickled and not be had back
        except Exception:  # noqa: BLE001
            message = pickle.dumps((None, RuntimeError(f"{type(error).__name__}: {reason(error)}")))
        return message


def _end_with_parent() -> None:
    """End this process, whatever it does, as soon as the one that began it is dead."""
    if (parent := parent_process()) is not None:
        connection.wait([parent.sentinel])
        os._exit(1)
