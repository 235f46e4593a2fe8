"""Kills a stage at each of its file events, and makes it again: `python benchmarks/kills.py STAGE FOLDER [TIMES SEED]`.

A file event is a file that Python opens for writing, or a file or folder that is made, moved or removed, below FOLDER.
Each call of the stage runs in a process of its own, which this one forks before it has started any thread. With TIMES,
the process is killed that often at moments drawn at random instead, also within what libraries write without Python.
"""

from __future__ import annotations

import importlib
import json
import os
import random
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from nnbook.cells import writer
from nnbook.cells.store import MaskedPanorama
from nnbook.io.edition import Edition
from nnbook.io.images import write_image, write_mask
from nnbook.io.manifest import Panorama
from nnbook.pipeline import stages
from nnbook.provenance.stage import _code
from nnbook.segmentation import workflow
from nnbook.segmentation.model import Model
from nnbook.simulation import dataset

if TYPE_CHECKING:
    from collections.abc import Callable

    from nnbook.io.images import Image

CHANGES: Final = {"os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.symlink", "os.truncate"}
WRITES: Final = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
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

    def fast(image: Image, *_: object) -> tuple[Any, float]:
        return (image > 128).astype(np.int32), 9.0

    setattr(workflow, "_masks_of_image", fast)  # noqa: B010 - what is killed is all the rest
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
    """Simulate a panorama."""
    (row,) = dataset.simulate_manifest(1, 1, 256)[:1]
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


IMPORTED: Final = ("cv2", "filelock", "pyarrow.parquet", "pandas", "psutil", "scipy.ndimage", "skimage.measure", "zarr")
WARMED: Final = (
    "nnbook.segmentation.workflow.segment_files",
    "nnbook.cells.writer.write_cells",
    "nnbook.cells.sample.write_sample",
    "nnbook.viewers.mosaic.write_mosaic",
    "nnbook.viewers.pyramid.write_pyramid",
    "nnbook.pipeline.stages.measure_panoramas",
    "nnbook.pipeline.stages.write_previews",
)


def die_at(event: int, folder: Path) -> None:
    """Kill this process before its nth file event."""
    count = 0

    def hear(name: str, arguments: tuple[Any, ...]) -> None:
        nonlocal count
        if name == "open":
            path, mode, flags = arguments
            if not ((flags or 0) & WRITES or set(mode or "") & set("wax+")):
                return
        elif name in CHANGES:
            path = arguments[0]
        else:
            return
        if isinstance(path, int) or not Path(os.fsdecode(path)).absolute().is_relative_to(folder):
            return
        count += 1
        if count == event:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hear)


def call(stage: Callable[[Path], None], folder: Path, *, event: int = 0, seconds: float = 0.0) -> bool:
    """Call a stage in a process of its own; return whether it ended by itself."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.dup2(os.open(folder.parent / "errors", os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 2)
            if event:
                die_at(event, folder)
            stage(folder)
            status = 0
        finally:
            if status:
                import traceback

                traceback.print_exc()
            os._exit(status)
    if seconds:
        time.sleep(seconds)
        os.kill(child, signal.SIGKILL)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status not in (0, -signal.SIGKILL):
        raise AssertionError((folder.parent / "errors").read_text())
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


def kill_everywhere(name: str, base: Path, times: int = 0, seed: int = 0) -> int:
    """Kill a stage at each of its events, or so many times at random; return how often.

    After each kill it is made again, and must leave what an undisturbed call leaves, and nothing else.
    """
    *before, stage = STAGES[name]
    for module in IMPORTED:  # once, and not in each process
        importlib.import_module(module)
    for function in WARMED:
        _code(function)
    ready, whole, killed = base / "ready", base / "whole", base / "killed"
    ready.mkdir(parents=True)
    call(prepare, ready)
    for one in before:
        call(one, ready)
    shutil.copytree(ready, whole, symlinks=True)
    began = time.monotonic()
    call(stage, whole)
    took = time.monotonic() - began
    expected = contents(whole)
    rng = random.Random(seed)  # noqa: S311 - moments, no secrets
    count = 0
    while True:
        shutil.copytree(ready, killed, symlinks=True)
        ended = call(stage, killed, event=0 if times else count + 1, seconds=rng.uniform(0, took) if times else 0.0)
        if (ended and not times) or (times and count == times):
            return count
        count += 1
        call(stage, killed)
        found = contents(killed)
        different = sorted(
            one for one in found.keys() | expected.keys() if found.get(one, b"-") != expected.get(one, b"-")
        )
        assert not different, f"{name}, killed at event {count}: {different}"
        shutil.rmtree(killed)


if __name__ == "__main__":
    print(kill_everywhere(sys.argv[1], Path(sys.argv[2]).resolve(), *map(int, sys.argv[3:])))
