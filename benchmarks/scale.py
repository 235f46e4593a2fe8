"""What all panoramas cost: `python benchmarks/scale.py OUT.json [PART...]`.

Parts are `stages`, `tiny`, `scheduling`, `soak`, `site`, `dask` and `rivals`, on a processor without bfloat16 `float32`
in place of `stages`, and, where there is one, `gpu`; all where none is named.

`stages`: panoramas of full size, which differ, are segmented, measured and cut by the commands, each with 1 worker and
with as many as there are cores: seconds and CPU seconds, those of all processes together, the most memory they took at
a time, and the bytes written; and what that makes of 1,600. `float32`: the same on a processor without bfloat16, on
which the network takes longer. `gpu`: the same on a machine with a GPU. `tiny`: 1,600 and 16,000 panoramas of 64 px are
measured, cut and gathered in one process, and then again with nothing to do, and their manifest and status are read:
what a panorama costs whatever is in it. `scheduling`: what it costs to hand out a unit of work that takes no time, to
two processes and to two workers of Dask. `soak`: 10,000 tiny panoramas are measured by two processes: their memory,
open files and threads early and late. `site`: see `large_site.py`. `dask`: small panoramas by the commands and by 1, 2
and 4 workers of a Dask scheduler on this machine, to the same bytes. `rivals`: panoramas by nnbook, by a loop over
stock Cellpose, and by Cellpose's distributed evaluation, each by a process of its own. The last needs dask-image and
dask-jobqueue. Of Cellpose 3.1.1.3 it is for volumes, and ends on a panorama with an error as it joins blocks, which is
then what the file says of it.

A part that is not named keeps what the file says of it. PANORAMAS (8), TINY (1600,16000), SOAK (10000), UNITS
(1600,16000, of scheduling), SITE (1600,16000) and SIDE_PX (6144, of rivals) of the environment make it smaller.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import psutil
from measured_on import gpu, heading

from nnbook.cells.store import MaskedPanorama
from nnbook.cells.writer import write_cells
from nnbook.io.files import sha256, write_json
from nnbook.io.images import write_image, write_mask
from nnbook.io.manifest import Panorama, read_manifest, write_manifest
from nnbook.io.processes import usable_cores
from nnbook.measurement.imaged_area import check_scale
from nnbook.pipeline.measured import MaskedImage, gather_measurements, measure_files
from nnbook.provenance.staleness import status
from nnbook.provenance.units import HERE, make_units
from nnbook.segmentation.model import SHIPPED_MODEL, network_dtype
from nnbook.simulation.panorama import simulate_panorama
from nnbook.values.published import CELLPROB_THRESHOLD, DIAMETER_PX, FLOW_THRESHOLD, PX_PER_UM

if TYPE_CHECKING:
    from collections.abc import Callable

PLACES: Final = ((12, 3, "BR", "top_left"), (13, 5, "TL", "top_right"))
"""Of the panoramas that are simulated: each gives four, as it is and turned."""

FULL_SIDE_PX: Final = 12_275
ALL: Final = 1_600
SAMPLE_S: Final = 0.2
NNBOOK: Final = str(Path(sys.executable).with_name("nnbook"))


def main(out: Path, parts: list[str]) -> None:
    """Measure the parts, and put them into the file."""
    report: dict[str, Any] = json.loads(out.read_text(encoding="utf-8")) if out.is_file() else {}
    other = {"stages" if network_dtype() == "float32" else "float32", *([] if gpu() else ["gpu"])}
    for part in parts or [name for name in PARTS if name not in other]:
        with tempfile.TemporaryDirectory() as folder:
            head = heading("cellpose", "torch", "numba", "pyarrow", "zarr")
            report[part] = {**head, **PARTS[part](Path(folder))}
        write_json(out, report)


def stages(folder: Path) -> dict[str, Any]:
    """Segment, measure and cut panoramas of full size, with one worker and with several."""
    count = int(os.environ.get("PANORAMAS", "8"))
    images, side_px = full_size_images(folder / "images", count)
    found: dict[str, Any] = {}
    digests = set()
    for workers in sorted({1, usable_cores()}):
        work = folder / f"{workers}"
        made: dict[str, Any] = {}
        for stage, call in commands(images, work, workers).items():
            before = size_of(work)
            made[stage] = run([NNBOOK, *call])
            made[stage]["bytes"] = size_of(work) - before
            print("stages", workers, stage, made[stage], file=sys.stderr, flush=True)
        made["nothing_to_do"] = {
            "seconds": sum(run([NNBOOK, *call])["seconds"] for call in commands(images, work, workers).values())
        }
        found[str(workers)] = made
        digests.add(digest_of(work))
        shutil.rmtree(work)
    read = sum(path.stat().st_size for path in images.iterdir())
    return {
        "panoramas": count,
        "side_px": side_px,
        "bytes_read_a_panorama": read // count,
        "by_workers": found,
        "same_bytes": len(digests) == 1,
        "of_all": extrapolated(found, count),
    }


def stages_in_bfloat16(folder: Path) -> dict[str, Any]:
    """Segment, measure and cut panoramas of full size on a processor that has bfloat16."""
    if network_dtype() == "float32":
        raise SystemExit("stages: this processor has no bfloat16; measure the part float32")
    return stages(folder)


def stages_in_float32(folder: Path) -> dict[str, Any]:
    """Segment, measure and cut panoramas of full size on a processor without bfloat16."""
    if network_dtype() != "float32" or gpu():
        raise SystemExit(
            "float32: this machine has a GPU, or a processor with bfloat16; measure the part gpu or stages"
        )
    return stages(folder)


def stages_on_gpu(folder: Path) -> dict[str, Any]:
    """Segment, measure and cut panoramas of full size where the network computes on a GPU."""
    if not gpu():
        raise SystemExit("gpu: PyTorch finds none on this machine; run it on one that has one")
    return stages(folder)


def full_size_images(folder: Path, count: int) -> tuple[Path, int]:
    """Write panoramas of full size that differ."""
    folder.mkdir()
    side_px = int(os.environ.get("FULL_SIDE_PX", FULL_SIDE_PX))
    for number in range(count):
        place = PLACES[number // 4 % len(PLACES)]
        if number % 4 == 0:
            image, _, _ = simulate_panorama(*place, width_px=side_px, height_px=side_px)
        write_image(
            folder / f"Run{number + 1}TL_top_left.tif",
            np.ascontiguousarray(np.rot90(image, number % 4)),
            px_per_um=PX_PER_UM,
        )
    return folder, side_px


def commands(images: Path, out: Path, workers: int) -> dict[str, list[str]]:
    """Return the calls that make masks, measurements and cells."""
    masks, results = str(out / "masks"), str(out / "results")
    more = ["--workers", str(workers)]
    return {
        "segment": ["segment", str(images), "--out", masks, *more],
        "measure": ["measure", str(images), "--masks", masks, "--out", results, *more],
        "cells": [
            *("cells", str(images), "--masks", masks, "--rois", f"{results}/rois.parquet"),
            *("--out", str(out / "cells"), *more),
        ],
    }


def extrapolated(found: dict[str, Any], count: int) -> dict[str, Any]:
    """Return what all panoramas cost by what these did, the time that commands take to begin included."""
    most = max(found, key=int)
    made = {name: found[most][name] for name in ("segment", "measure", "cells")}
    seconds = sum(one["seconds"] for one in made.values()) / count
    cpu_seconds = sum(one["cpu_seconds"] for one in made.values()) / count
    one_worker = sum(found["1"][name]["seconds"] for name in made) / count
    return {
        "workers": int(most),
        "seconds_a_panorama": round(seconds, 2),
        "cpu_seconds_a_panorama": round(cpu_seconds, 2),
        "times_as_fast_as_one_worker": round(one_worker / seconds, 2),
        "hours": round(seconds * ALL / 3600, 1),
        "cpu_hours": round(cpu_seconds * ALL / 3600, 1),
        "hours_on_8_cores": round(cpu_seconds * ALL / 3600 / 8, 1),
        "written_gb": round(sum(one["bytes"] for one in made.values()) / count * ALL / 1e9, 1),
        "peak_gb": max(one["peak_gb"] for one in made.values()),
        "assumes": "All have the size and about the number of nuclei of these; what a panorama costs does not depend "
        "on how many there are; and eight cores do the work of one in an eighth of the CPU seconds.",
    }


def run(call: list[str], home: Path | None = None) -> dict[str, float]:
    """Run a command; return its seconds and CPU seconds with all processes that it began, and their most memory.

    One that leaves files in the working folder, or in the user's own, gets a home.
    """
    peak = 0.0
    began = time.perf_counter()
    env = {**free_threads(), **({"HOME": str(home)} if home else {})}
    with subprocess.Popen(call, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=env, cwd=home) as process:
        said: list[bytes] = []
        reader = threading.Thread(target=lambda: said.append(process.stderr.read() if process.stderr else b""))
        reader.start()
        status = 0
        while True:
            with suppress(psutil.Error):
                every = psutil.Process(process.pid)
                family = [every, *every.children(recursive=True)]
                peak = max(peak, sum(one.memory_info().rss for one in family))
            ended, status, used = os.wait4(process.pid, os.WNOHANG)
            if ended:
                break
            time.sleep(SAMPLE_S)
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        reader.join()
    assert process.returncode == 0, b"".join(said).decode()
    return {
        "seconds": round(seconds, 2),
        "cpu_seconds": round(used.ru_utime + used.ru_stime, 2),
        "peak_gb": round(peak / 1e9, 2),
    }


def free_threads() -> dict[str, str]:
    """Return the environment without limits on threads: commands divide them."""
    return {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}


def size_of(folder: Path) -> int:
    """Return the bytes of a folder's files, each once, however many links it has."""
    states = [path.stat() for path in folder.rglob("*") if path.is_file()] if folder.is_dir() else []
    return sum({one.st_ino: one.st_size for one in states}.values())


def digest_of(folder: Path) -> str:
    """Return a hash of masks, tables and cells: of all but records, which say when files were changed."""
    ends = (".tif", ".parquet", ".csv")
    files = [path for path in folder.rglob("*") if path.suffix in ends or "cells.zarr" in path.parts]
    return "\n".join(f"{path.relative_to(folder)} {sha256(path)}" for path in sorted(files) if path.is_file())


def tiny(folder: Path) -> dict[str, Any]:
    """Measure, cut and gather many panoramas in which there is next to nothing."""
    counts = [int(count) for count in os.environ.get("TINY", "1600,16000").split(",")]
    found = {}
    tiny_panoramas(folder / "images", 1)
    of_tiny(folder / "images", folder / "warm", 1)  # compiles
    for count in counts:
        tiny_panoramas(folder / "images", count)
        first = of_tiny(folder / "images", folder / str(count), count)
        again = of_tiny(folder / "images", folder / str(count), count)
        found[str(count)] = {"first": first, "nothing_to_do": again}
        print("tiny", count, found[str(count)], file=sys.stderr, flush=True)
    few, many = (
        {name: seconds / count for name, seconds in found[str(count)]["first"].items()}
        for count in (counts[0], counts[-1])
    )
    return {
        "by_panoramas": found,
        "times_as_long_a_panorama": round(sum(many.values()) / sum(few.values()), 2),
        "by_stage": {name: round(many[name] / few[name], 2) for name in few},
    }


def tiny_panoramas(folder: Path, count: int) -> None:
    """Write panoramas of 64 px with a nucleus each, and their masks."""
    labels = np.zeros((64, 64), np.int32)
    labels[20:40, 20:44] = 1
    image = np.random.default_rng(1).integers(5, 250, (64, 64), np.uint8)
    for number in range(count):
        if not (path := folder / f"Run1TL_{number}.tif").exists():
            write_image(path, image, px_per_um=PX_PER_UM)
            write_mask(folder / f"Run1TL_{number}_cp_masks.tif", labels)


def of_tiny(images: Path, out: Path, count: int) -> dict[str, float]:
    """Measure, gather and cut; return the seconds of each."""
    names = [f"Run1TL_{number}" for number in range(count)]
    files = {name: (images / f"{name}.tif", images / f"{name}_cp_masks.tif") for name in names}
    seconds: dict[str, float] = {}

    def timed(stage: str, work: Callable[[], Any]) -> Any:
        began = time.perf_counter()
        made = work()
        seconds[stage] = round(time.perf_counter() - began, 2)
        return made

    masked = {name: MaskedImage(image, mask, PX_PER_UM) for name, (image, mask) in files.items()}
    results = timed("measure", partial(measure_files, masked, out))
    timed("gather", partial(gather_measurements, names, results, out))
    panoramas = [MaskedPanorama(name, 1, "", image, mask) for name, (image, mask) in files.items()]
    cut = partial(write_cells, out / "cells", panoramas, out / "rois.parquet", edition="t", note="N.")
    timed("cells", partial(cut, px_per_um=PX_PER_UM))
    manifest = out / "manifest.csv"
    row = Panorama("", 1, "TL", "", "", "", "", 64, 64, PX_PER_UM, "", "")
    write_manifest(manifest, (replace(row, panorama=name, image=f"{name}.tif") for name in names))
    timed("manifest", partial(read_manifest, manifest, images))
    write_json(out / "edition.json", {})
    timed("status", partial(status, manifest, out, out / "notebooks", images=images))
    return seconds


def scheduling(_: Path) -> dict[str, Any]:
    """Have units made that take no time; return the milliseconds of each, without what it takes to begin."""
    from distributed import LocalCluster

    few, many = (int(count) for count in os.environ.get("UNITS", "1600,16000").split(","))

    def milliseconds(workers: Any) -> float:
        seconds = []
        for count in (few, many):
            began = time.perf_counter()
            make_units(check_scale, dict.fromkeys(map(str, range(count)), 1.0), HERE, desc="try", workers=workers)
            seconds.append(time.perf_counter() - began)
        return round(1000 * (seconds[1] - seconds[0]) / (many - few), 3)

    with LocalCluster(2, threads_per_worker=1, dashboard_address=None) as cluster:
        by_dask = milliseconds(cluster.scheduler_address)
    return {"units": [few, many], "ms_each": {"processes": milliseconds(2), "dask": by_dask}}


def soak(folder: Path) -> dict[str, Any]:
    """Measure many small panoramas by two processes, and look at what these hold."""
    count = int(os.environ.get("SOAK", "10000"))
    tiny_panoramas(folder / "images", count)
    names = [f"Run1TL_{number}" for number in range(count)]
    masked = {
        name: MaskedImage(folder / f"images/{name}.tif", folder / f"images/{name}_cp_masks.tif", PX_PER_UM)
        for name in names
    }
    seen: list[dict[str, float]] = []
    done = threading.Event()

    def look() -> None:
        us = psutil.Process()
        while not done.wait(SAMPLE_S):
            with suppress(psutil.Error):
                workers = [one for one in us.children() if "spawn_main" in " ".join(one.cmdline())]
                family = [us, *workers]
                seen.append(
                    {
                        "memory_mb": sum(one.memory_info().rss for one in family) / 1e6,
                        "open_files": sum(one.num_fds() for one in family),
                        "threads": sum(one.num_threads() for one in family),
                    }
                )

    watcher = threading.Thread(target=look)
    watcher.start()
    began = time.perf_counter()
    measure_files(masked, folder / "out", workers=2)
    seconds = time.perf_counter() - began
    done.set()
    watcher.join()
    parts = {"second_quarter": seen[len(seen) // 4 : len(seen) // 2], "last_quarter": seen[3 * len(seen) // 4 : -5]}
    return {
        "panoramas": count,
        "seconds": round(seconds, 1),
        **{
            name: {what: round(float(np.median([one[what] for one in some])), 1) for what in seen[0]}
            for name, some in parts.items()
        },
    }


def dask(folder: Path) -> dict[str, Any]:
    """Make the same by processes and by workers of a Dask scheduler, and compare the bytes."""
    from distributed import LocalCluster

    images = folder / "images"
    image, _, _ = simulate_panorama(*PLACES[0], width_px=1536, height_px=1536)
    for number in range(8):
        part = image[768 * (number // 4) :][:768, 256 * (number % 4) :][:, :768]
        write_image(images / f"Run{number + 1}TL_top_left.tif", np.ascontiguousarray(part), px_per_um=PX_PER_UM)
    made = {"1 process": folder / "process"}
    for call in commands(images, made["1 process"], 1).values():
        run([NNBOOK, *call])
    for count in (1, 2, 4):
        made[f"{count} Dask workers"] = out = folder / f"{count}"
        with LocalCluster(count, threads_per_worker=1, dashboard_address=None) as cluster:
            for call in commands(images, out, 1).values():
                run([NNBOOK, *call[:-2], "--scheduler", cluster.scheduler_address])
    digests = {name: digest_of(out) for name, out in made.items()}
    assert len({*digests.values()}) == 1, digests
    return {"panoramas": 8, "made_by": list(made), "same_bytes": True, "files": len(digests["1 process"].splitlines())}


LOOP: Final = """
import sys
from pathlib import Path
from cellpose import io
from cellpose.models import CellposeModel
model, diameter, flow, cellprob, images, out = sys.argv[1:]
stock = CellposeModel(pretrained_model=model)
Path(out).mkdir()
for path in sorted(Path(images).iterdir()):
    image = io.imread(str(path))
    masks, flows, _ = stock.eval(image, channels=[0, 0], diameter=float(diameter), flow_threshold=float(flow),
                                 cellprob_threshold=float(cellprob), resample=False)
    io.save_masks(image, masks, flows, str(path), png=False, tif=True, savedir=out)
"""

DISTRIBUTED: Final = """
import sys
from pathlib import Path
import numpy as np
import tifffile
import zarr
open_array = zarr.open
zarr.open = lambda store=None, mode=None, **more: open_array(store, mode=mode, **more)  # it calls that of Zarr 2
from cellpose.contrib.distributed_segmentation import distributed_eval, numpy_array_to_zarr

if __name__ == "__main__":
    model, diameter, flow, cellprob, images, out = sys.argv[1:]
    Path(out).mkdir()
    Path.home().joinpath(".config/dask").mkdir(parents=True, exist_ok=True)
    for path in sorted(Path(images).iterdir()):
        image = tifffile.imread(path)
        array = numpy_array_to_zarr(f"{out}/{path.stem}.zarr", image, (2048, 2048))
        distributed_eval(
            array, (2048, 2048), f"{out}/{path.stem}-masks.zarr",
            model_kwargs={"pretrained_model": model},
            eval_kwargs={"channels": [0, 0], "diameter": round(float(diameter)), "flow_threshold": float(flow),
                         "cellprob_threshold": float(cellprob), "resample": False},
            cluster_kwargs={"ncpus": 1, "n_workers": 2, "threads_per_worker": 1, "memory_limit": 0},
        )
"""


def rivals(folder: Path) -> dict[str, Any]:
    """Segment the same panoramas by nnbook, by a loop over stock Cellpose, and by its distributed evaluation."""
    images = folder / "images"
    images.mkdir()
    side_px = int(os.environ.get("SIDE_PX", "6144"))
    image, _, _ = simulate_panorama(*PLACES[0], width_px=side_px, height_px=side_px)
    for number in range(2):
        write_image(
            images / f"panorama{number}.tif", np.ascontiguousarray(np.rot90(image, number)), px_per_um=PX_PER_UM
        )
    settings = [str(SHIPPED_MODEL), *map(str, (DIAMETER_PX, FLOW_THRESHOLD, CELLPROB_THRESHOLD)), str(images)]
    nnbook = [NNBOOK, "segment", str(images), "--out"]
    (folder / "in_blocks.py").write_text(DISTRIBUTED, encoding="utf-8")
    calls = {
        "nnbook": [*nnbook, str(folder / "nnbook")],
        "loop over stock Cellpose": [sys.executable, "-c", LOOP, *settings, str(folder / "loop")],
        "Cellpose's distributed evaluation": [
            *(sys.executable, str(folder / "in_blocks.py"), *settings, str(folder / "distributed")),
        ],
    }
    found: dict[str, Any] = {}
    for method, call in calls.items():
        try:
            found[method] = run(call, folder if "distributed" in method else None)
            found[method]["times_as_long_as_nnbook"] = round(found[method]["seconds"] / found["nnbook"]["seconds"], 2)
        except AssertionError as error:
            found[method] = {"did_not_run": str(error).strip().splitlines()[-1]}
        print("rivals", method, found[method], file=sys.stderr, flush=True)
    return {"panoramas": 2, "side_px": side_px, "methods": found}


def site(folder: Path) -> dict[str, Any]:
    """Look at the views of many panoramas and a million cells in a browser."""
    from large_site import measure_site

    return measure_site(folder, [int(count) for count in os.environ.get("SITE", "1600,16000").split(",")])


PARTS: Final = {
    "stages": stages_in_bfloat16,
    "float32": stages_in_float32,
    "tiny": tiny,
    "scheduling": scheduling,
    "soak": soak,
    "site": site,
    "dask": dask,
    "rivals": rivals,
    "gpu": stages_on_gpu,
}


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
