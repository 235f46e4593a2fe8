"""Cells of the published form from a hub to a mosaic: `python benchmarks/published_cells.py CELLS OUT.json [COUNT]`.

A hub on this machine serves COUNT (10,000) images with the names and the Parquet layout of NucleusNet-10K: 100 from
each experiment. They are cells of the store CELLS, such as `build/twin/cells`, mirrored, of another brightness in each
experiment, and with a rim of background. Each of nnbook's commands then runs in a process of its own: `pull`, `cells
--import`, `sample`, `mosaic`, and the first two again, when nothing is left to do. Reported for each: seconds, the
process's peak memory, and files and bytes of what it wrote.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import tifffile
from measured_on import heading

from nnbook.cells.store import read_cells
from nnbook.io.files import write_json
from nnbook.pipeline.published_cells import DATASET
from nnbook.values import published

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from hub_server import Hub, HubServer

PROGRAM: Final = """
import pathlib, sys
from nnbook.cli import main
status = main()
print(pathlib.Path("/proc/self/status").read_text())
sys.exit(status)
"""
BASES: Final = 300
RIM_PX: Final = 18
CARD: Final = b"---\nlicense: cc-by-4.0\n---\n"
PANORAMAS: Final = [
    f"{quarter}_{y}_{x}" for quarter in ("TL", "TR", "BL", "BR") for y in ("top", "bottom") for x in ("left", "right")
]


def varied_cells(store: Path, count: int) -> pa.Table:
    """Return images and their names, as NucleusNet-10K has them."""
    cells = read_cells(store)
    random = np.random.default_rng(1)
    chosen = np.sort(random.permutation(len(cells))[:BASES])
    bases = [with_rim(cells.images[int(row)], random) for row in chosen]
    files, names = [], []
    per_run = published.IMAGES_PER_EXPERIMENT_IN_10K
    for number in range(count):
        run, place = number // per_run + 1, number % per_run
        image = bases[random.integers(BASES)][:: random.choice([-1, 1])]
        levels = np.rint(np.minimum(image * (0.6 + 0.8 * (run % 10) / 10), 255)).astype(np.uint8)
        file = io.BytesIO()
        tifffile.imwrite(file, levels, metadata=None, photometric="minisblack")
        files.append({"bytes": file.getvalue(), "path": None})
        names.append(f"Run{run}{PANORAMAS[place % len(PANORAMAS)]}_ROI_{place + 1}.tif")
    image_type = pa.struct({"bytes": pa.binary(), "path": pa.string()})
    features = {"image": {"_type": "Image"}, "filename": {"_type": "Value", "dtype": "string"}}
    table = pa.table({"image": pa.array(files, image_type), "filename": names})
    return table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})


def with_rim(cell: np.ndarray[Any, Any], random: np.random.Generator) -> np.ndarray[Any, Any]:
    """Widen a cell's mask by dim background, as the published masks are wide."""
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * RIM_PX + 1, 2 * RIM_PX + 1))
    rim = (cv2.dilate((cell > 0).astype(np.uint8), disc) > 0) & (cell == 0)
    return np.where(rim, random.integers(1, 6, cell.shape), cell)


def served(table: pa.Table) -> Hub:
    """Return a hub with the images in one Parquet file, in groups of 100 rows, as the library `datasets` writes it."""
    file = io.BytesIO()
    pq.write_table(table, file, row_group_size=100)
    hub = Hub()
    hub.add(DATASET, {"README.md": CARD, "data/train-00000-of-00001.parquet": file.getvalue()})
    return hub


def measured(arguments: list[str], environment: dict[str, str], out: Path) -> dict[str, Any]:
    """Run one of nnbook's commands, and say what it took."""
    start = time.perf_counter()
    before = os.times()
    process = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments], env=environment, stdout=subprocess.PIPE, text=True, check=True
    )
    seconds, after = time.perf_counter() - start, os.times()
    peak_kb = int(process.stdout.rpartition("VmHWM:")[2].split()[0])
    sizes = [path.stat().st_size for path in out.rglob("*") if path.is_file()]
    return {
        "command": " ".join([arguments[0], *(["--import"] if "--import" in arguments else [])]),
        "seconds": round(seconds, 1),
        "cpu_seconds": round(after[2] + after[3] - before[2] - before[3], 1),
        "peak_mb": round(peak_kb * 1024 / 1e6, 1),
        "files": len(sizes),
        "mb": round(sum(sizes) / 1e6, 1),
    }


def main(store: Path, out: Path, count: int) -> None:
    """Run every command, and write what each took."""
    head = heading()
    hub = served(varied_cells(store, count))
    with tempfile.TemporaryDirectory() as name, HubServer(hub) as server:
        folder = Path(name)
        environment = {**os.environ, "HF_ENDPOINT": server.address, "HF_HOME": str(folder / "hf")}
        pulled, cells, mosaic = (folder / part for part in ("pulled", "cells", "mosaic"))
        pull = ["pull", DATASET, "--out", str(pulled)]
        take = ["cells", "--import", str(pulled), "--out", str(cells)]
        sample = ["sample", str(cells), "--out", str(folder / "sample")]
        steps = [
            (pull, pulled),
            (take, cells),
            (sample, folder / "sample"),
            (["mosaic", str(cells), "--sample", str(folder / "sample"), "--out", str(mosaic)], mosaic),
            (pull, pulled),
            (take, cells),
        ]
        results = []
        for arguments, made in steps:
            results.append(measured(arguments, environment, made))
            print(results[-1], file=sys.stderr)
        kept = read_cells(cells)
        assert len(kept) == count
        told = {
            **head,
            "cells": count,
            "served_mb": round(
                sum(map(len, hub.repositories[DATASET].commits[hub.repositories[DATASET].head].values())) / 1e6, 1
            ),
            "commands": results,
        }
    write_json(out, told)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 10_000)
