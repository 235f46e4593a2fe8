"""nnbook against stock Cellpose, from TIFF to label TIFF: `python benchmarks/segmentation.py OUT.json SIDE_PX...`.

Simulated panoramas of each side are segmented by every method with the shipped model and the published settings, each
time in a process of its own, one after the other. Seconds are those from opening the image to the closed mask, after a
small image has warmed up; CPU seconds are those of all threads together, and change less where the machine does other
work too; memory is the process's peak. `--repeats METHOD=N` says how often (see `REPEATS`; 0 leaves a method out);
methods take turns, so that what else the machine does falls on all of them.
"""

from __future__ import annotations

import argparse
import datetime as dt
import importlib.metadata
import platform
import resource
import sys
import tempfile
import time
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch

from nnbook.evaluation.metrics import evaluate
from nnbook.io.files import sha256, write_json
from nnbook.io.images import read_mask, write_image
from nnbook.segmentation.model import SHIPPED_MODEL, load_model, network_dtype
from nnbook.segmentation.workflow import segment_files
from nnbook.simulation.panorama import simulate_panorama
from nnbook.values.published import CELLPROB_THRESHOLD, DIAMETER_PX, FLOW_THRESHOLD

PLACE = (12, 3, "BR", "top_left")
REPEATS = {"nnbook": 3, "stock, resample=False": 3, "stock, resample=True": 1}
SCORES = ("predicted_nuclei", "ap_0.50", "ap_0.75", "mean_ap", "mean_iou")
WARM_UP_PX = 600


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
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024  # Linux counts in KiB
    return {"seconds": seconds, "cpu_seconds": cpu_seconds, "peak_gb": peak / 1e9}


def compare(side_px: int, repeats: dict[str, int], folder: Path) -> dict[str, Any]:
    """Measure every method on one panorama, and set its masks against the truth and against each other."""
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
    return {"side_px": side_px, "true_nuclei": int(truth.max()), "methods": results}


def machine() -> dict[str, Any]:
    """Say what the figures were measured on."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    return {
        "processor": names[0] if names else platform.machine(),
        "threads": torch.get_num_threads(),
        "network_dtype": network_dtype(),
        "gpu": torch.cuda.is_available(),
        "python": platform.python_version(),
        "versions": {name: importlib.metadata.version(name) for name in ("nnbook", "cellpose", "torch", "numba")},
    }


def main() -> None:
    """Measure every method at every size and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("sides", type=int, nargs="+", help="sides of the panoramas in px; full size is 12275")
    parser.add_argument("--repeats", nargs="*", default=[], metavar="METHOD=N")
    call = parser.parse_args()
    repeats = REPEATS | {name: int(count) for name, count in (text.rsplit("=", 1) for text in call.repeats)}
    repeats = {method: count for method, count in repeats.items() if count > 0}
    report: dict[str, Any] = {
        "date": dt.datetime.now(tz=dt.UTC).date().isoformat(),
        "machine": machine(),
        "model_sha256": sha256(SHIPPED_MODEL),
        "settings": {
            "diameter_px": DIAMETER_PX,
            "flow_threshold": FLOW_THRESHOLD,
            "cellprob_threshold": CELLPROB_THRESHOLD,
        },
        "panoramas": [],
    }
    with tempfile.TemporaryDirectory() as name:
        for side_px in call.sides:
            report["panoramas"].append(compare(side_px, repeats, Path(name)))
            write_json(call.out, report)


if __name__ == "__main__":
    main()
