"""Accuracy on real nuclei: `python benchmarks/accuracy.py DATA OUT.json`.

DATA holds the folders of `SETS`, each with `images` and `labels`. Of those that the model was trained on, the images
held out from the training count; of `isbi2009_u2os`, which nothing was trained on, all, and once more
without the nuclei that the frame cuts, many of which nobody annotated. Scored are nnbook with the shipped model and the
published thresholds, once with each image's own diameter found by itself and once with the true one, and the classical
method, which always gets the true one.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from measured_on import heading
from tqdm import tqdm

from nnbook.evaluation.baseline import otsu_watershed
from nnbook.evaluation.comparison import CLASSICAL, SCORES
from nnbook.evaluation.metrics import count_matches, partners, score_counts
from nnbook.io.files import write_json
from nnbook.io.images import read_image, read_mask
from nnbook.io.inputs import pair_files
from nnbook.segmentation.diameter import median_diameter
from nnbook.segmentation.grouping import labels_at_edge
from nnbook.segmentation.model import load_model, network_dtype
from nnbook.segmentation.workflow import segment_image
from nnbook.training.loop import TrainingSettings, held_out

if TYPE_CHECKING:
    from nnbook.io.images import Labels

FOUND = "nnbook, diameter found"
GIVEN = "nnbook, true diameter"


ISBI2009 = "isbi2009_u2os"
SETS = {
    "dsb2018": "DSB2018, held out",
    ISBI2009: "ISBI 2009, U2OS",
    "mnfinder_micronuclei": "MNFinder, held out",
    "bbbc039_u2os": "BBBC039, held out",
}

Masks = tuple["Labels", "Labels"]


def segment_all(folder: Path, name: str) -> dict[str, list[Masks]]:
    """Return each method's masks and the true ones."""
    model = load_model()
    share = TrainingSettings().validation_share
    made: dict[str, list[Masks]] = {FOUND: [], GIVEN: [], CLASSICAL: []}
    for stem, (image_path, mask_path) in tqdm(pair_files(folder / "images", folder / "labels").items(), desc=name):
        if folder.name != ISBI2009 and not held_out(stem, share):
            continue
        image, true = read_image(image_path), read_mask(mask_path)
        diameter = median_diameter(true)
        made[FOUND].append((segment_image(image, model, diameter_px=None), true))
        made[GIVEN].append((segment_image(image, model, diameter_px=diameter), true))
        made[CLASSICAL].append((otsu_watershed(image, diameter), true))
    return made


def without_frame(masks: Masks) -> Masks:
    """Leave out nuclei that touch the frame in either mask, and their partners in the other."""
    predicted, true = masks
    pairs = partners(predicted, true)
    back = {label: number for number, label in pairs.items()}
    at_edge = [set(labels_at_edge(labels).tolist()) for labels in masks]
    dropped = at_edge[0] | {back[label] for label in at_edge[1] if label in back}
    lacking = at_edge[1] | {pairs[label] for label in at_edge[0] if label in pairs}
    return (
        np.where(np.isin(predicted, list(dropped)), 0, predicted),
        np.where(np.isin(true, list(lacking)), 0, true),
    )


def score(name: str, made: dict[str, list[Masks]]) -> list[dict[str, Any]]:
    """Score every method, over all nuclei together and as the mean over images; with the bias of areas."""
    rows = []
    for method, pairs in made.items():
        counts = [count_matches(*pair) for pair in pairs]
        total = score_counts(counts)
        scores = {key: round(float(total[key]), 4) for key in SCORES}
        by_image = [score_counts([one])["ap_0.50"] for one in counts]
        rows.append(
            {
                "images": name,
                "method": method,
                **scores,
                "ap_0.50_image_mean": round(float(np.nanmean(by_image)), 4),
                "area_ratio": round(float(np.median([ratio for pair in pairs for ratio in area_ratios(*pair)])), 4),
            }
        )
    return rows


def area_ratios(predicted: Labels, true: Labels) -> list[float]:
    """Return by how much each matched mask is larger than the true one."""
    areas = [np.bincount(labels.ravel()) for labels in (predicted, true)]
    return [float(areas[0][one] / areas[1][other]) for one, other in partners(predicted, true).items()]


def main(data: Path, out: Path) -> None:
    """Score all sets and write the scores with what they depend on."""
    model = load_model()
    scores = []
    for folder, name in SETS.items():
        made = segment_all(data / folder, name)
        scores += score(name, made)
        if folder == ISBI2009:
            whole = {method: [without_frame(pair) for pair in pairs] for method, pairs in made.items()}
            scores += score(f"{name}, not cut by the frame", whole)
    head = heading("torch", "numba", "cellpose")
    write_json(
        out,
        {
            **head,
            "model_sha256": model.sha256,
            "dtype": network_dtype(),
            "note": f"Real images. Computed on {head['date']} with model {model.sha256[:12]}.",
            "scores": scores,
        },
    )
    for row in scores:
        print(row)


if __name__ == "__main__":
    main(*(Path(argument) for argument in sys.argv[1:3]))
