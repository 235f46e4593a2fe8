"""Work in processes of its own, which end with the one that began them."""

from __future__ import annotations

import signal
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import active_children, get_context, resource_tracker
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from concurrent.futures import Future

Job = TypeVar("Job")
Outcome = TypeVar("Outcome")


@contextmanager
def in_processes(work: Callable[[Job], Outcome], jobs: Iterable[Job], count: int) -> Iterator[list[Future[Outcome]]]:
    """Do jobs in processes of their own, a number at a time.

    Where the block is interrupted, the processes are ended; after another exception what is under way is finished,
    and no job is begun any more.

    Parameters
    ----------
    work : callable
        A function of a module.
    jobs : iterable
        What it gets, a job each.
    count : int
        How many processes there are.

    Yields
    ------
    list of Future
        In the order of the jobs.
    """
    others = set(active_children())
    # Spawned, not forked: the caller may run threads.
    pool = ProcessPoolExecutor(count, mp_context=get_context("spawn"))
    try:
        yield _submit(pool, work, jobs)
    except (KeyboardInterrupt, GeneratorExit):
        for process in set(active_children()) - others:
            process.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _submit(pool: ProcessPoolExecutor, work: Callable[[Job], Outcome], jobs: Iterable[Job]) -> list[Future[Outcome]]:
    """Begin processes that Ctrl-C in a terminal does not reach: each would show a traceback. This one ends them."""
    resource_tracker.ensure_running()  # which takes the mask away as it begins
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        return [pool.submit(work, job) for job in jobs]
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
