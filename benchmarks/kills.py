"""Kills stages at each of their file events and at random, and makes them again: `python benchmarks/kills.py OUT.json`.

A file event is a file that Python opens for writing, or a file or folder that is made, moved or removed, in the folder
that the stage works in. A stage is killed before each, and after it where a file is opened: then that is empty. 1,000
times more stages are killed at moments drawn at random, also within what libraries write without Python. After each
kill every file that is there must be whole, but for hidden ones; and the stage, made again, must leave what an
undisturbed call leaves, and nothing else.

Then, while 24 small panoramas are measured, a worker, the command or the scheduler of a Dask cluster is killed at
random: half of the times of a command with two processes, half of one with two workers of Dask. What is left in the end
must be what an undisturbed call leaves, byte by byte.

`python benchmarks/kills.py OUT.json stages 1000 SEED` and `python benchmarks/kills.py OUT.json workers 20 SEED` do one
of the two, so many times. Each seed has its own moments, and the file keeps those of other seeds: so kills add up.

Killed stages are forked from this process, which has imported and compiled all that they need and started no thread.
"""

from __future__ import annotations

import contextlib
import importlib
import itertools
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback
from datetime import UTC, datetime
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

import numpy as np
import pandas as pd
import psutil

from nnbook.cells import writer
from nnbook.cells.extraction import extract_cells, thumbnails_of
from nnbook.cells.shards import encode
from nnbook.cells.store import MaskedPanorama
from nnbook.cli import main as main_of_nnbook
from nnbook.io.edition import Edition
from nnbook.io.files import write_json
from nnbook.io.images import read_image, read_mask, read_narrow_mask, write_image, write_mask
from nnbook.io.manifest import Panorama
from nnbook.measurement.rois import measure_panorama
from nnbook.pipeline import stages
from nnbook.provenance.stage import _code
from nnbook.segmentation import workflow
from nnbook.segmentation.masks import ConfidentMasks
from nnbook.segmentation.model import Model
from nnbook.simulation import dataset

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.context import ForkProcess

    from nnbook.io.images import Image

CHANGES: Final = {
    "os.rename": (0, 2),
    "os.mkdir": (0, 2),
    "os.remove": (0, 1),
    "os.rmdir": (0, 1),
    "os.symlink": (1, 2),
    "os.truncate": (0, None),
}
"""Python's audit events of changes, with which of their arguments are the path, and the folder that it is below."""

EMPTIES: Final = os.O_CREAT | os.O_TRUNC
WRITES: Final = os.O_WRONLY | os.O_RDWR | EMPTIES
SCALE: Final = 8.0453
NAMES: Final = ("Run1TL_top_left", "Run2TL_top_left")


def rows() -> list[Panorama]:
    """Return the rows of two small panoramas."""
    return [
        Panorama(name, int(name[3]), "TL", "top_left", "", f"panoramas/{name}.tif", "", 90, 70, SCALE, "", "")
        for name in NAMES
    ]


def edition(folder: Path) -> Edition:
    """Return the edition that they are of."""
    return Edition(folder, "own", "Ours.", simulated=False, px_per_um=SCALE, area_px2=12_600)


def prepare(folder: Path) -> None:
    """Write the inputs of every stage: two small panoramas with masks and measurements."""
    rng = np.random.default_rng(1)
    for name in NAMES:
        labels = np.zeros((70, 90), np.int32)
        for number in range(6):
            labels[8 + 30 * (number // 3) :, 8 + 26 * (number % 3) :][:14, :18] = number + 1
        write_image(folder / "panoramas" / f"{name}.tif", rng.integers(5, 250, (70, 90), np.uint8))
        write_mask(folder / "given" / f"{name}_cp_masks.tif", labels)


def masked(folder: Path) -> list[MaskedPanorama]:
    """Return them with their masks."""
    return [
        MaskedPanorama(row.panorama, row.run, "", folder / row.image, folder / f"given/{row.panorama}_cp_masks.tif")
        for row in rows()
    ]


def segment(folder: Path) -> None:
    """Segment them by a threshold."""

    def fast(image: Image, *_: object) -> tuple[ConfidentMasks, float]:
        labels = (image > 128).astype(np.int32)
        box = (int(labels.sum()), 0, 0, image.shape[1], image.shape[0])
        return ConfidentMasks(labels, np.full(1, 0.5), np.array([box])), 9.0

    setattr(workflow, "_masks_of_image", fast)  # noqa: B010 - what is killed is all the rest
    setattr(workflow, "has_dark_nuclei", lambda _: False)  # noqa: B010
    workflow.segment_files(
        {row.panorama: folder / row.image for row in rows()}, folder / "masks", Model("m", "0", None, 30.0, 30.0)
    )


def measure(folder: Path) -> None:
    """Measure them by the masks that were given."""
    if not (folder / "masks").is_dir():
        (folder / "masks").symlink_to("given")
    stages.measure_panoramas(edition(folder), rows())


def cells(folder: Path) -> None:
    """Cut their cells into a store of several parts and shards."""
    for constant, few in {"CELLS_PER_SHARD": 2, "CELLS_PER_PART": 4, "ROWS_PER_GROUP": 8}.items():
        setattr(writer, constant, few)
    writer.write_cells(
        folder / "cells", masked(folder), folder / "rois.parquet", edition="own", note="N.", px_per_um=SCALE
    )


def sample(folder: Path) -> None:
    """Draw a sample of the cells."""
    stages.sample_cells(edition(folder))


def mosaic(folder: Path) -> None:
    """Lay the sample out."""
    stages.lay_out_mosaic(edition(folder))


def pyramid(folder: Path) -> None:
    """Write what viewers read."""
    stages.write_pyramids(edition(folder), rows())


def twin(folder: Path) -> None:
    """Write a simulated panorama."""
    (row,) = dataset.simulate_manifest(1, 1, 256)[:1]

    def fast(*_: object, **__: object) -> tuple[Any, Any, Any]:
        image = np.arange(256 * 256).reshape(256, 256)
        return (image % 251).astype(np.uint8), (image % 7).astype(np.int32), pd.DataFrame({"roi": range(1, 7)})

    setattr(dataset, "simulate_panorama", fast)  # noqa: B010 - what is killed is all the rest
    dataset.make_panorama(row, dataset.panorama_stage(row, folder / "twin"))


STAGES: Final[dict[str, tuple[Callable[[Path], None], ...]]] = {
    "segment": (segment,),
    "measure": (measure,),
    "cells": (measure, cells),
    "sample": (measure, cells, sample),
    "mosaic": (measure, cells, sample, mosaic),
    "pyramid": (measure, pyramid),
    "twin": (twin,),
}
"""By name the stages that have to be made, of which the last one is killed."""


CODE: Final = (
    "nnbook.cells.sample.write_sample",
    "nnbook.cells.writer.write_cells",
    "nnbook.pipeline.measured.write_measurements",
    "nnbook.segmentation.workflow.segment_files",
    "nnbook.simulation.dataset.write_panorama",
    "nnbook.viewers.mosaic.write_mosaic",
    "nnbook.viewers.pyramid.write_preview",
    "nnbook.viewers.pyramid.write_pyramid",
)
"""The functions whose code the records hold, which takes long to find out."""

AT_ONCE: Final = 25
"""Folders that one process makes again."""

PANORAMAS: Final = 24
LOOK_S: Final = 0.005
MESSAGES: Final = ".messages.lock"
SPREAD_S: Final = 0.2
LONGEST_S: Final = 600.0
"""Of the small case: how many panoramas it has, how often they are counted, how long after that a kill comes, and how
long a command may take on a busy machine."""

QUIET: Final = ("--no-dashboard",)

GONE: Final = b"-"
"""Stands for a file that is not there."""

Popen: TypeAlias = "subprocess.Popen[bytes]"


class Case(NamedTuple):
    """A stage, the folder that it is made in, and what is there before and after it."""

    stage: Callable[[Path], None]
    base: Path
    before: dict[str, Any]
    expected: dict[str, Any]

    @property
    def ready(self) -> Path:
        """The files that the stage is made from."""
        return self.base / "ready"


def prepare_case(name: str, base: Path) -> Case:
    """Make a stage once, undisturbed; then import whatever it imported."""
    *before, stage = STAGES[name]
    ready, whole, modules = base / "ready", base / "whole", base / "modules"
    ready.mkdir(parents=True)
    prepare(ready)
    warm(ready)
    for one in before:
        call(partial(one, ready), base)
    shutil.copytree(ready, whole, symlinks=True)

    def make_whole() -> None:
        stage(whole)
        modules.write_text("\n".join(sys.modules), encoding="utf-8")

    call(make_whole, base)
    for module in modules.read_text(encoding="utf-8").split("\n"):
        if module not in sys.modules:
            with contextlib.suppress(ImportError):  # some are only made by others
                importlib.import_module(module)
    expected = contents(whole)
    assert not any(is_hidden(name) for name in expected)
    return Case(stage, base, contents(ready), expected)


def warm(folder: Path) -> None:
    """Do once what each process would do again and what starts no thread."""
    for function in CODE:
        _code(function)
    row, mask = rows()[0], folder / f"given/{NAMES[0]}_cp_masks.tif"
    image = read_image(folder / row.image)
    nuclei = measure_panorama(row.panorama, image, read_mask(mask), SCALE)
    cut = extract_cells(
        image, read_narrow_mask(mask, (70, 90)), nuclei["roi"].to_numpy(), nuclei[list(writer.BOX)].to_numpy()
    )
    encode(thumbnails_of(cut.images)[0])


def die_at(event: int, folder: Path) -> None:
    """Kill this process at its nth file event."""
    counted = itertools.count(1)

    def hear(name: str, arguments: tuple[Any, ...]) -> None:
        flags, parent = 0, -1
        if name == "open":
            path, _, flags = arguments
            if not flags & WRITES:
                return
        elif name in CHANGES:
            at, parent_at = CHANGES[name]
            path, parent = arguments[at], -1 if parent_at is None else arguments[parent_at]
        else:
            return
        if isinstance(path, int):
            return
        base = Path.cwd() if parent == -1 else Path(f"/proc/self/fd/{parent}").readlink()
        if not (base / os.fsdecode(path)).is_relative_to(folder):
            return
        if next(counted) == event:
            os.kill(os.getpid(), signal.SIGKILL)
        if flags & EMPTIES and next(counted) == event:
            os.open(path, flags)
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hear)


def call(work: Callable[[], object], base: Path, *, seconds: float | None = None) -> bool:
    """Do work in a process of its own, and kill that after so many seconds; return whether it ended by itself."""
    errors = base / "errors"
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.dup2(os.open(errors, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 2)
            work()
            status = 0
        except BaseException:  # noqa: BLE001 - this process ends here, whatever it is
            traceback.print_exc()
        finally:
            os._exit(status)
    if seconds is not None:
        time.sleep(seconds)
        os.kill(child, signal.SIGKILL)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status not in (0, -signal.SIGKILL):
        raise AssertionError(errors.read_text(encoding="utf-8"))
    return status == 0


def contents(folder: Path) -> dict[str, Any]:
    """Return the bytes of every file and the names of folders; of records, all but when files were changed."""
    found: dict[str, Any] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.name.startswith(".") and path.name.endswith(".lock"):
            continue
        found[name] = path.read_bytes() if path.is_file() else None
        if path.suffix == ".json" and b'"by_hand"' in (found[name] or b""):
            record = json.loads(found[name])
            for part in ("files", "outputs"):
                record[part] = {
                    one: entry[-2:] if len(entry) == 4 else entry[-1] for one, entry in record[part].items()
                }
            found[name] = record
    return found


def is_hidden(name: str) -> bool:
    """Tell whether a path is of work under way."""
    return name.endswith(".partial") or any(part[0] == "." for part in name.split("/"))


def is_replacing(value: object) -> bool:
    """Tell whether a file's bytes are the record of outputs that are being moved into place."""
    return isinstance(value, bytes) and value.startswith(b'{\n  "replacing"')


def differences(found: dict[str, Any], *wanted: dict[str, Any]) -> list[str]:
    """Name what is in none of the states that are wanted."""
    names = sorted(found.keys() | wanted[-1].keys())
    return [name for name in names if all(found.get(name, GONE) != one.get(name, GONE) for one in wanted)]


def kill(case: Case, folder: Path, *, event: int = 0, seconds: float | None = None) -> bool:
    """Make a stage in a copy of its files and kill it; return whether it was killed before its end."""
    shutil.copytree(case.ready, folder, symlinks=True)

    def work() -> None:
        if event:
            die_at(event, folder)
        case.stage(folder)

    return not call(work, case.base, seconds=seconds)


def make_again(case: Case, killed: dict[str, Path]) -> None:
    """Make a stage again in the folders in which it was killed, compare what it left, and remove them."""

    def work() -> None:
        for when, folder in killed.items():
            print(f"killed {when}:", file=sys.stderr)
            case.stage(folder)

    for when, folder in killed.items():
        there = {name: value for name, value in contents(folder).items() if not is_hidden(name)}
        half = [name for name in differences(there, {}, case.before, case.expected) if not is_replacing(there[name])]
        assert not half, f"{case.stage.__name__}, killed {when}: {', '.join(half)} not whole"
    call(work, case.base)
    for when, folder in killed.items():
        different = differences(contents(folder), case.expected)
        assert not different, f"{case.stage.__name__}, killed {when}: {', '.join(different)}"
        shutil.rmtree(folder)
    killed.clear()


def kill_at_events(case: Case, every: int = 1) -> tuple[int, int]:
    """Kill a stage at its first event, and at every so many after it; return how often, and how many events it has."""
    killed: dict[str, Path] = {}
    for count, event in enumerate(itertools.count(1, every)):
        folder = killed[f"at event {event}"] = case.base / f"killed-{event}"
        ended = not kill(case, folder, event=event)
        if ended or len(killed) == AT_ONCE:
            make_again(case, killed)
        if ended:
            return count, event - 1
    raise AssertionError


def kill_at_random(case: Case, times: int, rng: random.Random) -> None:
    """Kill a stage so many times, each before its end."""
    began = time.monotonic()
    kill(case, case.base / "timed")
    took = time.monotonic() - began
    killed: dict[str, Path] = {}
    count = 0
    while count < times:
        seconds = rng.uniform(0, took)
        folder = killed[f"after {seconds} s"] = case.base / f"killed-{len(killed)}"
        count += kill(case, folder, seconds=seconds)
        if count == times or len(killed) == AT_ONCE:
            make_again(case, killed)


class Machines:
    """A Dask scheduler and two workers on this machine, of which any may be killed."""

    def __init__(self) -> None:
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            self.port = int(one.getsockname()[1])
        self.address = f"tcp://127.0.0.1:{self.port}"
        self.scheduler, self.workers = self._begin()

    def _begin(self) -> tuple[Popen, Popen]:
        return (
            begin("-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", str(self.port), *QUIET),
            begin("-m", "distributed.cli.dask_worker", self.address, "--nworkers", "2", "--nthreads", "1", *QUIET),
        )

    def kill_scheduler(self) -> None:
        """Kill the scheduler, as a machine does that goes down, and begin another in its place."""
        self.end()
        self.scheduler, self.workers = self._begin()

    def end(self) -> None:
        """Kill all of them: workers would wait for a scheduler that is gone."""
        for process in (self.scheduler, self.workers):
            for one in family(process.pid):
                with contextlib.suppress(psutil.NoSuchProcess):
                    one.kill()
            process.kill()
            process.wait()


def kill_workers(base: Path, times: int, rng: random.Random, *, on_dask: bool) -> dict[str, int]:
    """Kill a worker of `nnbook measure`, the command itself, or a scheduler, so many times; return how often which.

    Workers are processes of the command, or those of a Dask scheduler. A call that loses one of them, or the scheduler,
    makes all that is to be made. What a killed call left is made by the next, and no process of it is left either.
    """
    ready, whole = base / "ready", base / "whole"
    rng_of_images = np.random.default_rng(1)
    labels = np.kron(np.arange(1, 65, dtype=np.int32).reshape(8, 8), np.ones((100, 100), np.int32))
    for number in range(PANORAMAS):
        write_image(ready / "images" / f"{number}.tif", rng_of_images.integers(5, 250, (800, 800), np.uint8))
        write_mask(ready / "images" / f"{number}_cp_masks.tif", labels)
    prepare(base / "warm")
    warm(base / "warm")
    importlib.import_module("distributed")
    shutil.copytree(ready, whole)
    finish(measure_by(whole), whole, "undisturbed")
    expected = contents(whole)
    killed = dict.fromkeys(("worker", "scheduler", "command") if on_dask else ("worker", "command"), 0)
    machines = Machines() if on_dask else None
    by = ["--scheduler", machines.address] if machines else ["--workers", "2"]
    try:
        while sum(killed.values()) < times:
            folder = base / "killed"
            shutil.copytree(ready, folder)
            process = measure_by(folder, *by)
            wait_for(process, folder, rng.randrange(PANORAMAS))
            time.sleep(rng.uniform(0, SPREAD_S))
            ours = processes_of(process.pid or 0)
            theirs = processes_of(machines.workers.pid) if machines else ours
            victim = rng.choice([*killed])
            if victim == "scheduler" and machines:
                machines.kill_scheduler()
            elif victim == "worker" and theirs:
                kill_one(rng.choice(theirs))
            else:
                victim = "command"
                process.kill()
            killed[victim] += 1
            when = f"after a {victim} was killed"
            finish(process, folder, when, may_be_killed=victim == "command")
            if process.exitcode == 0:
                check(folder, expected, when)
            _, alive = psutil.wait_procs(ours, 20)
            assert not alive, f"{when}: workers outlive the command"
            finish(measure_by(folder), folder, when)
            check(folder, expected, when)
            shutil.rmtree(folder)
            print(killed, flush=True)
    finally:
        if machines:
            machines.end()
    return killed


def measure_by(folder: Path, *by: str) -> ForkProcess:
    """Begin `nnbook measure`, in a process that has imported all that it needs."""
    masks = ["--masks", str(folder / "images"), "--px-per-um", "8"]

    def work() -> None:
        with (folder / MESSAGES).open("w") as messages:
            for stream in (1, 2):
                os.dup2(messages.fileno(), stream)
        del sys.modules["__main__"].__file__  # else its workers import this file
        sys.exit(main_of_nnbook(["measure", str(folder / "images"), *masks, "--out", str(folder / "out"), *by]))

    process = get_context("fork").Process(target=work)
    process.start()
    return process


def finish(process: ForkProcess, folder: Path, when: str, *, may_be_killed: bool = False) -> None:
    """Wait for a command, which has to end well."""
    process.join(LONGEST_S)
    said = (folder / MESSAGES).read_text(encoding="utf-8")
    assert process.exitcode is not None, f"{when}: does not end\n{said}"
    assert process.exitcode == 0 or may_be_killed, f"{when}: status {process.exitcode}\n{said}"


def check(folder: Path, expected: dict[str, Any], when: str) -> None:
    """Hold that a folder has what an undisturbed call leaves, once Dask's workers are done with what they were given.

    They know nothing of a command that was killed, and end what they have begun.
    """
    until = time.monotonic() + LONGEST_S
    while (different := differences(found := contents(folder), expected)) and time.monotonic() < until:
        if not any(map(is_hidden, different)):
            break
        time.sleep(LOOK_S)
    told = [f"{name}: {told_apart(found.get(name, GONE), expected.get(name, GONE))}" for name in different]
    assert not different, "\n".join([f"{when}:", *told])


def told_apart(found: Any, wanted: Any) -> str:
    """Say in a line how a file differs from what it should be."""
    if isinstance(found, dict) and isinstance(wanted, dict):
        return ", ".join(
            f"{key} is {found.get(key)!r} and not {wanted.get(key)!r}"
            for key in sorted(found.keys() | wanted.keys())
            if found.get(key) != wanted.get(key)
        )
    return f"{shown(found)} and not {shown(wanted)}"


def shown(value: Any) -> str:
    """Say in a few words what is at a path."""
    if value is GONE:
        return "is not there"
    return "is a folder" if value is None else f"has {len(value):,} bytes, {value[:80]!r}"


def begin(*call: str) -> Popen:
    """Begin a program of Python's, whose messages are not kept."""
    return subprocess.Popen([sys.executable, *call], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def wait_for(process: ForkProcess, folder: Path, panoramas: int) -> None:
    """Wait until so many panoramas have been measured, or the command has ended."""
    while process.is_alive() and len([*folder.glob("out/rois-parts/*/record.json")]) < panoramas:
        time.sleep(LOOK_S)


def kill_one(process: psutil.Process) -> None:
    """Kill a process, unless it has ended."""
    with contextlib.suppress(psutil.NoSuchProcess):
        process.kill()


def processes_of(process: int) -> list[psutil.Process]:
    """Return the processes that one began to do work."""
    found = []
    for one in family(process):
        with contextlib.suppress(psutil.NoSuchProcess):
            if "spawn_main" in " ".join(one.cmdline()):
                found.append(one)
    return found


def family(process: int) -> list[psutil.Process]:
    """Return the processes that one began, if it is there."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return list(psutil.Process(process).children(recursive=True))
    return []


def shares(times: int) -> Iterator[int]:
    """Divide a number of kills among the stages."""
    for number in range(len(STAGES)):
        yield times * (number + 1) // len(STAGES) - times * number // len(STAGES)


def kill_stages(times: int = 1_000, seed: int = 0) -> list[dict[str, Any]]:
    """Kill every stage at each of its file events, and so many times at random."""
    found = []
    for name, share in zip(STAGES, shares(times), strict=True):
        began = time.monotonic()
        with tempfile.TemporaryDirectory() as base:
            case = prepare_case(name, Path(base).resolve())
            at_events, _ = kill_at_events(case)
            kill_at_random(case, share, random.Random(f"{seed} {name}"))  # noqa: S311 - moments, no secrets
        found.append({"stage": name, "at_every_event": at_events, "at_random": share})
        print(found[-1], f"{time.monotonic() - began:.0f} s", flush=True)
    return found


def kill_all_workers(times: int = 20, seed: int = 0) -> dict[str, dict[str, int]]:
    """Kill workers, schedulers and commands: half of the times of processes, and half of Dask."""
    found = {}
    for by, share in (("processes", times // 2), ("dask", times - times // 2)):
        with tempfile.TemporaryDirectory() as base:
            rng = random.Random(f"{seed} {by}")  # noqa: S311 - moments, no secrets
            found[by] = kill_workers(Path(base).resolve(), share, rng, on_dask=by == "dask")
        print(by, found[by], flush=True)
    return found


PARTS: Final = {"stages": kill_stages, "workers": kill_all_workers}


def main(out: Path, parts: str = ",".join(PARTS), *numbers: str) -> None:
    """Kill what is named, and write how often it was killed; kills of other seeds stay in the file."""
    report: dict[str, list[dict[str, Any]]] = json.loads(out.read_text(encoding="utf-8")) if out.is_file() else {}
    for part in parts.split(","):
        found = PARTS[part](*map(int, numbers))
        made = {
            "date": datetime.now(UTC).date().isoformat(),
            "seed": int(numbers[1]) if len(numbers) > 1 else 0,
            "killed": found,
        }
        others = [one for one in report.get(part, []) if one["seed"] != made["seed"]]
        write_json(out, {**report, part: [*others, made]})


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
