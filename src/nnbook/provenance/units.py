"""Units of work, such as the mask of one panorama each: made side by side, and one that fails stops no other.

Where there is enough to do, units are made in processes of their own, or by the workers of a Dask scheduler
(`nnbook.provenance.clusters`). What fails and may be over soon is tried again. What fails for good is set aside: its
reason goes into `failed.json` beside the units, and into one error at the end. Which units there are to make is up to
the caller, by `nnbook.provenance.stage.why_stale`: so a call that is made again makes what is missing, and nothing
else.
"""

from __future__ import annotations

import errno
import heapq
import os
import time
from collections import Counter, deque
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, nullcontext, suppress
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol, Self, TypeAlias

from nnbook.errors import InvalidValueError, KilledError, NnbookError, PassingError, all_of, lacks_memory, reason
from nnbook.io.files import NO_SPACE, folder_locked, read_json, sweep, write_json
from nnbook.io.originals import read_original
from nnbook.io.processes import Ended, Processes, usable_cores

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from tqdm import tqdm

Workers: TypeAlias = Any
"""Who makes units: a number of processes; the address, client or cluster of a Dask scheduler; None to choose."""

FAILED: Final = "failed.json"
"""Which units were set aside, and why."""

DELAYS_S: Final = (2.0, 10.0)
"""After which time a unit is tried again, and again."""

PASSING: Final = frozenset(
    {
        *(errno.EAGAIN, errno.EBUSY, errno.EIO, errno.ENOMEM, errno.ESTALE),
        *(errno.ECONNABORTED, errno.ECONNREFUSED, errno.ECONNRESET, errno.EHOSTUNREACH, errno.ENETDOWN),
        *(errno.ENETUNREACH, errno.ETIMEDOUT),
    }
)
"""Of a network, a file system that is one, or memory that others hold: may be over soon."""

AHEAD: Final = 4
"""For how many units that can't begin yet what they need is brought at a time."""

LOOK_S: Final = 0.05
"""After which time it is looked whether what a unit needs has come."""

FREE_SHARE: Final = 0.8
"""How much of the free memory processes may take."""

WRITE_SECONDS: Final = 1.0


class Demand(NamedTuple):
    """What units take, from which follows how many are made at a time.

    Attributes
    ----------
    pixels : list of int
        Of each.
    least_bytes, bytes_per_px : float
        Memory that a process takes: so much, and more by the pixel.
    worth_px : int
        From how many pixels in all processes of their own are worth the time that they take to begin.
    threads : int
        How many units are made at a time in this process, where there is less to do.
    most : int, optional
        How many processes there may be for another reason, such as a GPU that they share.
    """

    pixels: Sequence[int]
    least_bytes: float
    bytes_per_px: float
    worth_px: int
    threads: int = 1
    most: int | None = None


HERE: Final = Demand((), 0, 0, 1)
"""Of units that are made in this process unless their caller says by whom."""


class UnitsError(InvalidValueError):
    """Units that failed, a line each, but one for those that failed of the same, such as of a missing model.

    Attributes
    ----------
    failed : dict of str to NnbookError
        Why, by name.
    """

    def __init__(self, failed: Mapping[str, NnbookError]) -> None:
        error = all_of(list({str(error): error for error in failed.values()}.values()))
        super().__init__(str(error), parameter=" ".join(getattr(error, "parameters", ())))
        self.failed = dict(failed)


class Made(NamedTuple):
    """What came of units.

    Attributes
    ----------
    outcomes : dict of str to Any
        By name, what the work returned.
    failed : dict of str to NnbookError
        By name, why others were set aside.
    """

    outcomes: dict[str, Any]
    failed: dict[str, NnbookError]

    def check(self) -> None:
        """Raise UnitsError with a line for each unit that failed, if one did."""
        if self.failed:
            raise UnitsError(self.failed)


class Crew(Protocol):
    """Whoever does the jobs."""

    @property
    def room(self) -> int:
        """How many jobs it takes at a time."""

    def begin(self, key: Any, job: Any) -> None:
        """Begin a job."""

    def ended(self, seconds: float | None = None) -> list[Ended]:
        """Wait until a job has ended, or for so many seconds; return those that have."""


class Supply(Protocol):
    """What units need before they can begin, such as files from an address."""

    def bring(self, name: str) -> None:
        """Bring what a unit needs, in a thread of this process; raise as its work would where that can't be done."""

    def release(self, name: str) -> None:
        """Let go of what a unit needed, which has ended."""

    def stop(self) -> None:
        """End what is under way: nobody waits for it any more."""


@contextmanager
def brought(name: str, supply: Supply | None) -> Iterator[None]:
    """Have there what a unit needs while a block runs."""
    if supply is None:
        yield
        return
    supply.bring(name)
    try:
        yield
    finally:
        supply.release(name)


_WITHIN: ContextVar[bool] = ContextVar("within a unit", default=False)


@contextmanager
def within_unit() -> Iterator[None]:
    """Have units made one after the other while the block of another unit runs, whose failure theirs is."""
    token = _WITHIN.set(True)
    try:
        yield
    finally:
        _WITHIN.reset(token)


Heed: TypeAlias = "Callable[[int, int], bool]"

_HEED: ContextVar[Heed | None] = ContextVar("who heeds units", default=None)


@contextmanager
def heeded_units(heed: Heed) -> Iterator[None]:
    """Tell someone how far units are that are made while a block runs.

    Parameters
    ----------
    heed : callable
        Gets how many units have ended, and of how many; where it returns False no other is begun.
    """
    token = _HEED.set(heed)
    try:
        yield
    finally:
        _HEED.reset(token)


class ToMake(NamedTuple):
    """What a call would make.

    Attributes
    ----------
    names : set of str
        The units.
    demand : Demand
        What they take.
    """

    names: set[str]
    demand: Demand


class _Asked(Exception):  # noqa: N818 - no error
    def __init__(self, answer: ToMake) -> None:
        super().__init__()
        self.answer = answer


_ASKING: ContextVar[bool] = ContextVar("asking", default=False)


def units_to_make(call: Callable[[], Any]) -> ToMake:
    """Return which units a call would make by `make_units`, and make none."""
    token = _ASKING.set(True)
    try:
        call()
    except _Asked as asked:
        return asked.answer
    finally:
        _ASKING.reset(token)
    raise AssertionError("it makes no units")


def make_units(
    work: Callable[[Any], Any],
    jobs: Mapping[str, Any],
    demand: Demand,
    *,
    desc: str,
    unit: str = "panorama",
    workers: Workers = None,
    aside: Path | None = None,
    others: Iterable[str] = (),
    supply: Supply | None = None,
) -> Made:
    """Make units.

    Parameters
    ----------
    work : callable
        A function of a module, or a `functools.partial` of one, that makes a unit and raises `NnbookError` where that
        can't be done.
    jobs : mapping of str to Any
        By the name of each unit, what `work` gets.
    demand : Demand
        What they take.
    desc, unit : str
        What is done, and to what, for the bar and for messages.
    workers : Workers
        Who makes them.
    aside : Path, optional
        The folder of `failed.json`.
    others : iterable of str
        The names of units that are up to date: they have not failed.
    supply : Supply, optional
        Brings what units need: for the next ones, while those before them are made.

    Returns
    -------
    Made
        In the order of `jobs`.

    Raises
    ------
    InvalidValueError
        Where there are to be less than one process.
    OSError
        Where the disk is full: what is under way is finished, and nothing else begun.
    """
    from nnbook.io.progress import say, show_progress

    if _ASKING.get():
        raise _Asked(ToMake(set(jobs), demand))
    if _WITHIN.get():
        return Made({name: work(jobs[name]) for name in jobs}, {})
    notes = _Notes(aside, {*others})
    if not jobs:
        notes.write()
        return Made({}, {})
    with (
        _crew(work, len(jobs), demand, workers) as makers,
        _supplied(makers, supply) as crew,
        show_progress(desc=desc, unit=unit, total=len(jobs)) as bar,
    ):
        batch = _Batch(jobs, desc, notes, bar)
        heed = _HEED.get() or (lambda _done, _count: True)
        batch.is_wanted = heed(0, len(jobs))
        try:
            while batch.running or batch.is_due():
                while batch.may_begin(crew.room):
                    name = batch.begin()
                    crew.begin(name, jobs[name])
                for one in crew.ended(batch.pause()):
                    batch.take(one, crew.room)
                    batch.is_wanted &= heed(len(batch.outcomes) + len(batch.failed), len(jobs))
        finally:
            notes.write()
    if batch.full is not None:
        raise batch.full
    if batch.failed and len(jobs) > 1:
        where = f", as {aside / FAILED} says" if aside else ""
        say(bar, f"nnbook: {desc}: {len(batch.failed):,} of {len(jobs):,} {unit}s failed{where}; the others are made")
    return Made(*({name: of[name] for name in jobs if name in of} for of in (batch.outcomes, batch.failed)))


def failed_units(folder: Path) -> set[str]:
    """Return the names of the units that were set aside, by the folder of their `failed.json`."""
    path = folder / FAILED
    return set(read_json(path, dict, "delete it")) if path.is_file() else set()


class Choice(NamedTuple):
    """Which units to make of all that there are: those that others do not make.

    Attributes
    ----------
    names : frozenset of str
        Those that are named; all where none is. `failed` stands for those that were set aside.
    part : (int, int)
        Which part of how many, from 1: the first, and every so many after it.
    """

    names: frozenset[str] = frozenset()
    part: tuple[int, int] = (1, 1)

    @property
    def is_all(self) -> bool:
        """Whether none is left out."""
        return self == Choice()

    def of(self, units: Collection[str], folders: Iterable[Path] = ()) -> list[str]:
        """Return the units that were chosen.

        Parameters
        ----------
        units : collection of str
            All, in order.
        folders : iterable of Path
            Of `failed.json`.

        Raises
        ------
        InvalidValueError
            Where there is no unit of a name.
        """
        wanted = set(self.names)
        if FAILED_NAME in wanted and FAILED_NAME not in units:
            wanted.remove(FAILED_NAME)
            wanted.update(*(failed_units(folder) & set(units) for folder in folders))
        if unknown := sorted(wanted - set(units)):
            raise InvalidValueError(f"only is {unknown[0]}, and there is no such panorama", parameter="only")
        number, parts = self.part
        mine = list(units)[number - 1 :: parts]
        return [name for name in mine if name in wanted] if self.names else mine


FAILED_NAME: Final = "failed"
EVERYTHING: Final = Choice()


def pixels_of(files: Mapping[str, Path], shape_of: Callable[[Path], tuple[int, int]]) -> list[int]:
    """Return about how many pixels image files have, by the header of the largest and the sizes of all in bytes."""
    sizes = {path: _bytes(path) for path in files.values()}
    largest = max(sizes, key=lambda path: sizes[path], default=None)
    if largest is None or not sizes[largest]:
        return [0] * len(files)
    try:
        height, width = shape_of(largest)
    except NnbookError:  # whoever reads it says so
        height, width = 1, sizes[largest]
    return [height * width * sizes[path] // sizes[largest] for path in files.values()]


def _bytes(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        original = read_original(path)
        return 0 if original is None else original.bytes


def _crew(work: Callable[[Any], Any], count: int, demand: Demand, workers: Workers) -> AbstractContextManager[Crew]:
    if workers is None:
        if sum(demand.pixels) < demand.worth_px:
            return nullcontext(_Here(work)) if demand.threads == 1 else _Threads(work, demand.threads)
        processes = min(count, _fitting(demand))
    elif isinstance(workers, int):
        if workers < 1:
            raise InvalidValueError(f"workers is {workers}; give a number from 1", parameter="workers")
        processes = min(workers, count)
    else:
        from nnbook.provenance.clusters import Cluster

        cluster: AbstractContextManager[Crew] = Cluster(work, workers)
        return cluster
    return Processes(work, processes, max(1, _threads() // processes))


def _fitting(demand: Demand) -> int:
    """Return how many processes at a time the cores and the free memory are enough for."""
    each = demand.least_bytes + demand.bytes_per_px * max(demand.pixels, default=0)
    fitting = int(FREE_SHARE * free_memory() // each)
    return max(1, min(usable_cores(), fitting, demand.most or usable_cores()))


def free_memory(groups: Path = Path("/sys/fs/cgroup"), ours: Path = Path("/proc/self/cgroup")) -> int:
    """Return how many bytes of memory are free: on the machine, and for a container or a job of a cluster on it.

    Parameters
    ----------
    groups, ours : Path
        Where Linux keeps the limits of groups of processes, and says which group this process is of.
    """
    import psutil

    free = int(psutil.virtual_memory().available)
    with suppress(OSError, ValueError):
        group = groups / ours.read_text(encoding="ascii").rpartition("::")[2].strip().lstrip("/")
        most, used = ((group / f"memory.{name}").read_text(encoding="ascii") for name in ("max", "current"))
        free = min(free, max(0, int(most) - int(used)))  # a group without a limit says "max"
    return free


def _threads() -> int:
    """Return how many threads all processes together may run: a number that the user chose is one for all."""
    chosen = os.environ.get("OMP_NUM_THREADS", "")
    return min(int(chosen), usable_cores()) if chosen.isdecimal() and int(chosen) else usable_cores()


class _Here:
    """Does a job at a time, in this thread."""

    room = 1

    def __init__(self, work: Callable[[Any], Any]) -> None:
        self._work = work
        self._jobs: list[tuple[Any, Any]] = []

    def begin(self, key: Any, job: Any) -> None:
        self._jobs.append((key, job))

    def ended(self, seconds: float | None = None) -> list[Ended]:
        if not self._jobs:
            time.sleep(seconds or 0)
            return []
        key, job = self._jobs.pop()
        return [_outcome(self._work, key, job)]


class _Threads:
    """Does some jobs at a time, in threads of this process."""

    def __init__(self, work: Callable[[Any], Any], count: int) -> None:
        self.room = count
        self._work = work
        self._pool = ThreadPoolExecutor(count)
        self._jobs: set[Future[Ended]] = set()

    def begin(self, key: Any, job: Any) -> None:
        self._jobs.add(self._pool.submit(_outcome, self._work, key, job))

    def ended(self, seconds: float | None = None) -> list[Ended]:
        if not self._jobs:
            time.sleep(seconds or 0)
        done, self._jobs = wait(self._jobs, seconds, FIRST_COMPLETED)
        return [one.result() for one in done]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)


def _supplied(crew: Crew, supply: Supply | None) -> AbstractContextManager[Crew]:
    return nullcontext(crew) if supply is None else _Supplied(crew, supply)


class _Supplied:
    """Has a crew do jobs once what they need is there, which is brought for the next ones meanwhile."""

    def __init__(self, crew: Crew, supply: Supply) -> None:
        self._crew, self._supply = crew, supply
        self._pool = ThreadPoolExecutor(AHEAD)
        self._coming: dict[Future[None], tuple[Any, Any]] = {}
        self._ready: deque[tuple[Any, Any]] = deque()
        self._begun = 0

    @property
    def room(self) -> int:
        return self._crew.room + AHEAD

    def begin(self, key: Any, job: Any) -> None:
        self._coming[self._pool.submit(self._supply.bring, key)] = key, job

    def ended(self, seconds: float | None = None) -> list[Ended]:
        until = float("inf") if seconds is None else time.monotonic() + seconds
        while True:
            found = self._come()
            while self._ready and self._begun < self._crew.room:
                self._crew.begin(*self._ready.popleft())
                self._begun += 1
            left = max(0.0, until - time.monotonic())
            if not found and self._begun:
                found = self._made(min(left, LOOK_S) if self._coming else left)
            elif not found:
                wait(self._coming, None if left == float("inf") else left, FIRST_COMPLETED)
                time.sleep(0 if self._coming else left)
            if found or time.monotonic() >= until:
                return found

    def _come(self) -> list[Ended]:
        """Note for which jobs what they need has come; return those for which it can't be had."""
        found = []
        for future in [future for future in self._coming if future.done()]:
            key, job = self._coming.pop(future)
            if (error := future.exception()) is None:
                self._ready.append((key, job))
            elif isinstance(error, NnbookError | OSError | MemoryError):
                found.append(Ended(key, error=error))
            else:
                raise error
        return found

    def _made(self, seconds: float) -> list[Ended]:
        found = self._crew.ended(None if seconds == float("inf") else seconds)
        for one in found:
            self._begun -= 1
            self._supply.release(one.key)
        return found

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._supply.stop()
        self._pool.shutdown(cancel_futures=True)


def _outcome(work: Callable[[Any], Any], key: Any, job: Any) -> Ended:
    try:
        return Ended(key, work(job))
    except (NnbookError, OSError, MemoryError) as error:
        return Ended(key, error=error)
    except RuntimeError as error:
        if not lacks_memory(error):
            raise
        return Ended(key, error=error)


def _may_pass(error: Exception) -> bool:
    return (
        isinstance(error, PassingError | ConnectionError | TimeoutError)
        or (isinstance(error, OSError) and error.errno in PASSING)
        or lacks_memory(error)
    )


def _line(error: Exception) -> str:
    return str(error) if isinstance(error, NnbookError) else f"{type(error).__name__}: {reason(error)}"


def _worded(name: str, error: Exception, tries: int) -> NnbookError:
    """Return why a unit was set aside, with its name where the error has none: one of data names its file."""
    if isinstance(error, NnbookError) and not isinstance(error, KilledError) and name in str(error) and tries == 1:
        return error
    times = f" (tried {tries} times)" if tries > 1 else ""
    return NnbookError(f"{name}: {_line(error)}{times}")


def _trace(error: Exception) -> str:
    """Return where a defect of nnbook was noticed, in a process of its own."""
    return "".join(f"\n{note.rstrip()}" for note in getattr(error, "__notes__", ()))


class _Batch:
    """Units that are being made: which are to be begun, are under way, are done, and have failed."""

    def __init__(self, jobs: Iterable[str], desc: str, notes: _Notes, bar: tqdm[Any]) -> None:
        self.outcomes: dict[str, Any] = {}
        self.failed: dict[str, NnbookError] = {}
        self.running: set[str] = set()
        self.full: OSError | None = None
        self.is_wanted = True
        self._waiting = deque(jobs)
        self._are_many = len(self._waiting) > 1
        self._later: list[tuple[float, str]] = []
        self._tries: Counter[str] = Counter()
        self._most = float("inf")
        self._desc, self._notes, self._bar = desc, notes, bar

    def is_due(self) -> bool:
        """Tell whether there is anything to begin, now or later."""
        return self.full is None and self.is_wanted and bool(self._waiting or self._later)

    def may_begin(self, room: int) -> bool:
        """Tell whether a unit is to be begun now."""
        while self._later and self._later[0][0] <= time.monotonic():
            self._waiting.append(heapq.heappop(self._later)[1])
        return (
            self.full is None and self.is_wanted and bool(self._waiting) and len(self.running) < min(room, self._most)
        )

    def begin(self) -> str:
        """Return the next unit."""
        self.running.add(name := self._waiting.popleft())
        return name

    def pause(self) -> float | None:
        """Return for how many seconds to wait at most; None where nothing is to be tried again."""
        if self.full is not None or not self.is_wanted or not self._later:
            return None
        return max(0.0, self._later[0][0] - time.monotonic())

    def take(self, one: Ended, room: int) -> None:
        """Note a unit that has ended, and see to what comes of it."""
        name, outcome, error = one
        self.running.discard(name)
        self._tries[name] += 1
        if error is None:
            self.outcomes[name] = outcome
            self._notes.made(name)
            self._bar.update()
        elif isinstance(error, OSError) and error.errno in NO_SPACE:
            self.full = error
        elif _may_pass(error) and self._tries[name] <= len(DELAYS_S):
            self._try_later(name, error, room)
        else:
            self._set_aside(name, error)

    def _try_later(self, name: str, error: Exception, room: int) -> None:
        from nnbook.io.progress import say

        delay = DELAYS_S[self._tries[name] - 1]
        say(self._bar, f"nnbook: {self._desc} {name}: {_line(error)}; tried again in {delay:g} s")
        heapq.heappush(self._later, (time.monotonic() + delay, name))
        if lacks_memory(error):  # fewer at a time take less
            self._most = max(1, min(room, self._most) - 1)

    def _set_aside(self, name: str, error: Exception) -> None:
        from nnbook.io.progress import say

        self.failed[name] = _worded(name, error, self._tries[name])
        self._notes.failed(name, str(self.failed[name]), self._tries[name])
        if self._are_many:
            say(self._bar, f"nnbook: {self._desc}: {self.failed[name]}{_trace(error)}")
        self._bar.update()


class _Notes:
    """What `failed.json` says: it is written now and then, and at the end. Other calls may write it, too."""

    def __init__(self, folder: Path | None, fine: set[str]) -> None:
        self._folder = folder
        self._fine = fine
        self._failed: dict[str, Any] = {}
        self._due = 0.0

    def made(self, name: str) -> None:
        self._fine.add(name)

    def failed(self, name: str, why: str, tries: int) -> None:
        self._failed[name] = {"why": why, "tries": tries}
        if time.monotonic() >= self._due:
            self.write()
            self._due = time.monotonic() + WRITE_SECONDS

    def write(self) -> None:
        if self._folder is None:
            return
        path = self._folder / FAILED
        sweep(path)
        if not (self._failed or path.is_file()):
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        with folder_locked(self._folder):
            there = read_json(path, dict, "delete it") if path.is_file() else {}
            known = {name: why for name, why in there.items() if name not in self._fine} | self._failed
            if known:
                write_json(path, known)
            else:
                path.unlink(missing_ok=True)
