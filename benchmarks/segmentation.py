"""nnbook against stock Cellpose, from TIFF to label TIFF: `python benchmarks/segmentation.py OUT.json [SIDE_PX...]`.

Simulated panoramas of 6,144 px a side and of full size, or of the sides given, are segmented by every method with the
shipped model and the published settings, each time in a process of its own, one after the other. Seconds are those
from opening the image to the closed mask, after a small image has warmed up; CPU seconds are those of all threads
together, and change less where the machine does other work too; memory is the process's peak. Methods take turns, so
that what else the machine does falls on all of them. Stock Cellpose as it is called by default, with resampling, takes
eleven minutes for a panorama of full size, and is left out there (`MOST_SIDE_PX`). All takes 8 minutes on two cores.

`first_seconds` are those of the whole command `nnbook segment` with one panorama, from its start on, `further_seconds`
what each further panorama adds, and `command_peak_gb` the memory that it takes with three.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch
from measured_on import heading

from nnbook.evaluation.metrics import evaluate
from nnbook.io.files import sha256, write_json
from nnbook.io.images import read_mask, write_image
from nnbook.io.processes import peak_bytes
from nnbook.segmentation.model import SHIPPED_MODEL, load_model, network_dtype
from nnbook.segmentation.workflow import segment_files
from nnbook.simulation.panorama import simulate_panorama
from nnbook.values.published import CELLPROB_THRESHOLD, DIAMETER_PX, FLOW_THRESHOLD

PLACE = (12, 3, "BR", "top_left")
SIDES_PX = (6144, 12275)
REPEATS = {"nnbook": 3, "stock, resample=False": 1, "stock, resample=True": 1}
MOST_SIDE_PX = {"stock, resample=True": 6144}
COMMAND_REPEATS = 3
FURTHER = 2
SCORES = ("predicted_nuclei", "ap_0.50", "ap_0.75", "mean_ap", "mean_iou")
WARM_UP_PX = 600
LAUNCHER = """
import resource, subprocess, sys, time
start = time.perf_counter()
subprocess.run(sys.argv[1:], check=True)
print(time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""
"""Runs a command from a process that is small: a process's peak begins at the memory of the one that started it."""


def segmenter(method: str) -> Any:
    """Return a function that segments an image file into a folder, as a user of the method would write it."""
    if method == "nnbook":
        model = load_model()
        return lambda image, out: segment_files({image.stem: image}, out, model)
    from cellpose import io
    from cellpose.models import CellposeModel

    stock = CellposeModel(pretrained_model=str(SHIPPED_MODEL))

    def segment(path: Path, out: Path) -> None:
        image = io.imread(str(path))
        masks, flows, _ = stock.eval(
            image,
            channels=[0, 0],
            diameter=DIAMETER_PX,
            flow_threshold=FLOW_THRESHOLD,
            cellprob_threshold=CELLPROB_THRESHOLD,
            resample=method.endswith("True"),
        )
        io.save_masks(image, masks, flows, str(path), png=False, tif=True, savedir=str(out))

    return segment


def measure(method: str, image: Path, small: Path, out: Path) -> dict[str, float]:
    """Segment the image once; the mask lies in `out`."""
    segment = segmenter(method)
    segment(small, out)
    start, start_cpu = time.perf_counter(), time.process_time()
    segment(image, out)
    seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - start_cpu
    return {"seconds": seconds, "cpu_seconds": cpu_seconds, "peak_gb": peak_bytes() / 1e9}


def compare(side_px: int, folder: Path) -> dict[str, Any]:
    """Measure every method on one panorama, and set its masks against the truth and against each other."""
    repeats = {method: count for method, count in REPEATS.items() if side_px <= MOST_SIDE_PX.get(method, side_px)}
    image, truth, _ = simulate_panorama(*PLACE, width_px=side_px, height_px=side_px)
    path, small = folder / f"panorama{side_px}.tif", folder / "small.tif"
    write_image(path, image)
    write_image(small, image[:WARM_UP_PX, :WARM_UP_PX])
    runs: dict[str, list[dict[str, float]]] = {method: [] for method in repeats}
    for turn in range(max(repeats.values())):
        for method in [method for method, count in repeats.items() if turn < count]:
            out = folder / method
            out.mkdir(exist_ok=True)
            # A mask that is there would be kept.
            for old in out.iterdir():
                old.unlink()
            with get_context("spawn").Pool(1) as pool:
                runs[method].append(pool.apply(measure, (method, path, small, out)))
            print(side_px, method, runs[method][-1], file=sys.stderr)
    masks = {method: read_mask(folder / method / f"{path.stem}_cp_masks.tif") for method in repeats}
    results: dict[str, dict[str, Any]] = {}
    for method, made in runs.items():
        seconds = float(np.median([run["seconds"] for run in made]))
        scores = evaluate(masks[method], truth)
        results[method] = {
            "runs": [round(run["seconds"], 2) for run in made],
            "seconds": round(seconds, 2),
            "cpu_seconds": round(float(np.median([run["cpu_seconds"] for run in made])), 2),
            "seconds_per_megapixel": round(seconds / (side_px**2 / 1e6), 4),
            "peak_gb": round(max(run["peak_gb"] for run in made), 2),
            "against_truth": {name: round(scores[name], 4) for name in SCORES},
        }
    for method, result in results.items():
        result["times_as_long_as_nnbook"] = round(result["seconds"] / results["nnbook"]["seconds"], 2)
        against = evaluate(masks["nnbook"], masks[method])
        result["nnbook_against_it"] = {name: round(against[name], 4) for name in SCORES}
    results["nnbook"] |= time_command(path, folder)
    return {"side_px": side_px, "true_nuclei": int(truth.max()), "methods": results}


def time_command(image: Path, folder: Path) -> dict[str, float]:
    """Time `nnbook segment`, with one panorama and with more, and take the fastest: it is least disturbed."""
    images = [image]
    for number in range(FURTHER):
        images.append(folder / f"further{number}.tif")
        images[-1].unlink(missing_ok=True)
        os.link(image, images[-1])
    seconds: dict[int, float] = {}
    peak = 0.0
    for count in [1, len(images)] * COMMAND_REPEATS:
        with tempfile.TemporaryDirectory(dir=folder) as out:
            command = [
                str(Path(sys.executable).with_name("nnbook")),
                "segment",
                *map(str, images[:count]),
                "--out",
                out,
            ]
            launched = subprocess.run(
                [sys.executable, "-c", LAUNCHER, *command],
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                check=True,
            )
        taken, peak_kib = (float(value) for value in launched.stdout.split()[-2:])
        seconds[count] = min(taken, seconds.get(count, taken))
        peak = max(peak, peak_kib * 1024 / 1e9)
        print(image.name, "command", count, round(taken, 2), file=sys.stderr)
    return {
        "first_seconds": round(seconds[1], 2),
        "further_seconds": round((seconds[len(images)] - seconds[1]) / FURTHER, 2),
        "command_peak_gb": round(peak, 2),
    }


def main(out: Path, sides_px: list[int]) -> None:
    """Measure every method at every size and write the results."""
    head = heading("cellpose", "torch", "numba")
    head["machine"] |= {
        "threads": torch.get_num_threads(),
        "network_dtype": network_dtype(),
        "gpu": torch.cuda.is_available(),
    }
    report: dict[str, Any] = {
        **head,
        "model_sha256": sha256(SHIPPED_MODEL),
        "settings": {
            "diameter_px": DIAMETER_PX,
            "flow_threshold": FLOW_THRESHOLD,
            "cellprob_threshold": CELLPROB_THRESHOLD,
        },
        "panoramas": [],
    }
    with tempfile.TemporaryDirectory() as name:
        for side_px in sides_px:
            report["panoramas"].append(compare(side_px, Path(name)))
            write_json(out, report)


if __name__ == "__main__":
    main(Path(sys.argv[1]), [int(side) for side in sys.argv[2:]] or list(SIDES_PX))
