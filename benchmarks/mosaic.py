"""nnbook's mosaic against what one would write instead: `python benchmarks/mosaic.py CELLS RUNS PER_RUN OUT.json`.

A store of RUNS times PER_RUN cells is simulated by repeating those of the store CELLS, such as `build/twin/cells`, and
every cell is drawn. Each method makes both pyramids, as measured and normalised, in a process of its own. Reported for
each: seconds, the process's peak memory, files, bytes, and how many times as long as nnbook it took.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import time
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyvips

from nnbook.cells.sample import read_sample, write_sample
from nnbook.cells.shards import create_group, encode, set_length, write_shard
from nnbook.cells.store import read_cells
from nnbook.io.files import write_json
from nnbook.io.processes import peak_bytes
from nnbook.viewers.mosaic import write_mosaic

PER_SHARD = 512


def ours(folder: Path, out: Path) -> None:
    """Make it from a temporary TIFF file, strip by strip."""
    write_mosaic(out, folder / "cells", folder)


def in_memory(folder: Path, out: Path) -> None:
    """Read all cells into one array, and give that and a multiplied copy of it to pyvips with its defaults."""
    cells = read_cells(folder / "cells")
    sample, about = read_sample(folder, folder / "cells")
    runs = about["runs"]
    images = np.stack([cells.images[int(row)] for row in sample["row"]])
    side = images.shape[-1]
    brightness = [
        np.median([cell[cell > 0].mean() for cell in images[sample["run"].to_numpy() == run["run"]]]) for run in runs
    ]
    grid = images.reshape(len(runs), -1, side, side)
    gains = np.median(brightness) / np.array(brightness)
    out.mkdir()
    for name, factors in (("intensity", np.ones(len(runs))), ("normalised", gains)):
        shown = np.clip(np.rint(grid * factors.astype(np.float32)[:, None, None, None]), 0, 255).astype(np.uint8)
        sheet = shown.transpose(0, 2, 1, 3).reshape(len(runs) * side, -1)
        pyvips.Image.new_from_array(np.ascontiguousarray(sheet)).dzsave(str(out / name), suffix=".jpg[Q=85]")


METHODS = {"nnbook": ours, "all in memory": in_memory}


def simulate(store: Path, folder: Path, runs: int, per_run: int) -> None:
    """Write a store of as many runs and cells, repeating those of another."""
    known = read_cells(store)
    # As stored: compressing each once is enough for as many repetitions as there are.
    images = [encode(known.images[at]) for at in range(min(len(known), runs * per_run))]
    cells = folder / "cells"
    cells.mkdir()
    create_group(cells / "cells.zarr", {"images": (256, PER_SHARD), "thumbnails": (64, PER_SHARD)}, {})
    count = runs * per_run
    for first in range(0, count, PER_SHARD):
        part = [images[at % len(images)] for at in range(first, min(count, first + PER_SHARD))]
        write_shard(cells / "cells.zarr" / "images", first // PER_SHARD, part, PER_SHARD)
    set_length(cells / "cells.zarr", count)
    table = known.table.iloc[np.arange(count) % len(known)].reset_index(drop=True)
    table["run"] = np.repeat(np.arange(1, runs + 1), per_run)
    table["roi"] = np.tile(np.arange(1, per_run + 1), runs)
    table["panorama"] = [f"Run{run}TL_top_left" for run in table["run"]]
    table["cell"] = [f"{name}_ROI_{roi}" for name, roi in zip(table["panorama"], table["roi"], strict=True)]
    pd.DataFrame(table).to_parquet(cells / "cells.parquet", index=False)
    (cells / "cells.json").write_text(json.dumps({**known.about, "cells": count}), encoding="utf-8")
    write_sample(cells, folder, per_run)


def measure(method: str, folder: Path) -> dict[str, Any]:
    """Run one method once."""
    out = folder / "out"
    start = time.perf_counter()
    METHODS[method](folder, out)
    seconds = time.perf_counter() - start
    files = [file for file in out.rglob("*") if file.is_file()]
    result = {
        "seconds": round(seconds, 1),
        "peak_gb": round(peak_bytes() / 1e9, 2),
        "files": len(files),
        "bytes": sum(file.stat().st_size for file in files),
    }
    shutil.rmtree(out)
    return result


def main(store: Path, runs: int, per_run: int, out: Path) -> None:
    """Measure every method and write ratios to nnbook's."""
    results: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory(dir=out.parent) as name:
        folder = Path(name)
        simulate(store, folder, runs, per_run)
        for method in METHODS:
            with get_context("spawn").Pool(1) as pool:
                results[method] = pool.apply(measure, (method, folder))
            print(method, results[method], file=sys.stderr)
    for result in results.values():
        result["times_as_long"] = round(result["seconds"] / results["nnbook"]["seconds"], 2)
    write_json(out, {"runs": runs, "cells_a_run": per_run, "results": results})


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]))
