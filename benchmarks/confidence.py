"""How often masks of each confidence are right, on real nuclei: `python benchmarks/confidence.py DATA OUT.json`.

DATA holds the folders of `SETS`, each with `images` and `labels`. Of those that the model was trained on, the images
held out from the training count. A mask is right where a true nucleus has an intersection over union of more than 0.5
with it. Masks are made with each image's true diameter and the published thresholds.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from tqdm import tqdm

from nnbook.evaluation.metrics import partners
from nnbook.io.files import write_json
from nnbook.io.images import read_image, read_mask
from nnbook.io.inputs import pair_files
from nnbook.segmentation.diameter import median_diameter
from nnbook.segmentation.masks import full_masks
from nnbook.segmentation.model import Model, load_model
from nnbook.segmentation.network import network_output
from nnbook.training.loop import TrainingSettings, held_out
from nnbook.values.published import CELLPROB_THRESHOLD, FLOW_THRESHOLD

if TYPE_CHECKING:
    from numpy.typing import NDArray

UNTRAINED = "isbi2009_u2os"
SETS = {
    "dsb2018": "DSB2018, held out",
    "mnfinder_micronuclei": "MNFinder, held out",
    "bbbc039_u2os": "BBBC039, held out",
    UNTRAINED: "ISBI 2009, U2OS",
}
EDGES = (0.0, 0.2, 0.4, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 1.0)
"""Confidences between which masks are counted together."""


def judge_set(folder: Path, model: Model) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the confidence of all masks of a set, and which are right."""
    share = TrainingSettings().validation_share
    confidence, right = [], []
    for stem, (image_path, mask_path) in tqdm(pair_files(folder / "images", folder / "labels").items()):
        if folder.name != UNTRAINED and not held_out(stem, share):
            continue
        image, true = read_image(image_path), read_mask(mask_path)
        if not (diameter := median_diameter(true)):
            continue
        made = full_masks(
            network_output(image, model, diameter),
            (true.shape[0], true.shape[1]),
            flow_threshold=FLOW_THRESHOLD,
            cellprob_threshold=CELLPROB_THRESHOLD,
        )
        confidence.append(made.confidence)
        right.append(np.isin(1 + np.arange(len(made.confidence)), list(partners(made.labels, true))))
    return np.concatenate(confidence), np.concatenate(right)


def count(name: str, confidence: NDArray[np.float64], right: NDArray[np.bool_]) -> list[dict[str, Any]]:
    """Count masks between two confidences each: how many, their mean confidence, and the share that is right."""
    part = np.clip(np.digitize(confidence, EDGES) - 1, 0, len(EDGES) - 2)
    return [
        {
            "images": name,
            "masks": int(np.sum(part == k)),
            "confidence": round(float(confidence[part == k].mean()), 4),
            "right": round(float(right[part == k].mean()), 4),
        }
        for k in range(len(EDGES) - 1)
        if np.any(part == k)
    ]


def main(data: Path, out: Path) -> None:
    """Judge all sets and write what their masks of each confidence come to."""
    model = load_model()
    rows = [row for folder, name in SETS.items() for row in count(name, *judge_set(data / folder, model))]
    write_json(out, {"date": datetime.now(UTC).date().isoformat(), "model_sha256": model.sha256, "counts": rows})
    for row in rows:
        print(row)


if __name__ == "__main__":
    main(*(Path(argument) for argument in sys.argv[1:3]))
