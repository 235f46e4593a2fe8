"""nnbook against stock Cellpose on one simulated panorama: `python benchmarks/segmentation.py SIDE_PX OUT.json`.

All use the shipped model and the published settings, each in a process of its own, one after the other. Reported for
each: seconds for one panorama after a small one that warms up, the process's peak memory, and its masks against the
truth and against nnbook's.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch

from nnbook.evaluate import evaluate
from nnbook.files import write_json
from nnbook.segment import (
    CELLPROB_THRESHOLD,
    DIAMETER_PX,
    FLOW_THRESHOLD,
    SHIPPED_MODEL,
    load_model,
    network_dtype,
    segment_image,
)
from nnbook.twin import simulate_panorama

PLACE = (12, 3, "BR", "top_left")
METHODS = ("nnbook", "stock, resample=False", "stock, resample=True")
SCORES = ("predicted_nuclei", "ap_0.50", "mean_ap", "mean_iou")


def segmenter(method: str) -> Any:
    """Return a function from an image to its masks."""
    if method == "nnbook":
        model = load_model()
        return lambda image: segment_image(image, model)
    from cellpose.models import CellposeModel

    stock = CellposeModel(pretrained_model=str(SHIPPED_MODEL))
    return lambda image: stock.eval(
        image,
        channels=[0, 0],
        diameter=DIAMETER_PX,
        flow_threshold=FLOW_THRESHOLD,
        cellprob_threshold=CELLPROB_THRESHOLD,
        resample=method.endswith("True"),
    )[0].astype(np.int32)


def measure(method: str, image_path: Path, masks_path: Path) -> dict[str, float]:
    """Segment the image once and write the masks."""
    image = np.load(image_path)
    segment = segmenter(method)
    segment(image[:600, :600])
    start = time.perf_counter()
    masks = segment(image)
    seconds = time.perf_counter() - start
    np.save(masks_path, masks)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024  # Linux counts in KiB
    return {"seconds": round(seconds, 2), "peak_gb": round(peak / 1e9, 2)}


def main(side_px: int, out: Path) -> None:
    """Measure every method and write ratios to nnbook's."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        image, truth, _ = simulate_panorama(*PLACE, width_px=side_px, height_px=side_px)
        np.save(folder / "image.npy", image)
        results: dict[str, dict[str, Any]] = {}
        first: Any = None
        for method in METHODS:
            with get_context("spawn").Pool(1) as pool:
                result: dict[str, Any] = dict(pool.apply(measure, (method, folder / "image.npy", folder / "masks.npy")))
            masks = np.load(folder / "masks.npy")
            first = masks if first is None else first
            result["against_truth"] = {
                key: round(value, 4) for key, value in evaluate(masks, truth).items() if key in SCORES
            }
            result["mean_iou_with_nnbook"] = round(evaluate(masks, first)["mean_iou"], 4)
            result["times_as_long"] = round(result["seconds"] / results.get("nnbook", result)["seconds"], 2)
            results[method] = result
            print(method, result, file=sys.stderr)
        write_json(
            out,
            {
                "side_px": side_px,
                "true_nuclei": int(truth.max()),
                "threads": torch.get_num_threads(),
                "dtype": network_dtype(),
                "results": results,
            },
        )


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
