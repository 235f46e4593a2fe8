"""Accuracy on real nuclei: `python benchmarks/accuracy.py DSB2018 ISBI2009 OUT.json`.

DSB2018 and ISBI2009 are folders with `images` and `labels`. Of DSB2018 the images held out from the training count; of
ISBI2009, which nothing was trained on or chosen by, all. Scored are nnbook with the shipped model and the published
thresholds, once with each image's own diameter found by itself and once with the true one, and the classical method,
which always gets the true one.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from nnbook.evaluation.baseline import otsu_watershed
from nnbook.evaluation.comparison import CLASSICAL, SCORES
from nnbook.evaluation.metrics import count_matches, evaluate, score_counts
from nnbook.io.files import write_json
from nnbook.io.images import read_image, read_mask
from nnbook.io.inputs import pair_files
from nnbook.segmentation.diameter import median_diameter
from nnbook.segmentation.model import load_model, network_dtype
from nnbook.segmentation.workflow import segment_image
from nnbook.training.loop import TrainingSettings, held_out

if TYPE_CHECKING:
    from nnbook.io.images import Labels

FOUND = "nnbook, diameter found"
GIVEN = "nnbook, true diameter"


def score(name: str, folder: Path, *, held_out_only: bool) -> list[dict[str, Any]]:
    """Score every method on a data set."""
    model = load_model()
    share = TrainingSettings().validation_share
    made: dict[str, list[tuple[Labels, Labels]]] = {FOUND: [], GIVEN: [], CLASSICAL: []}
    for stem, (image_path, mask_path) in tqdm(pair_files(folder / "images", folder / "labels").items(), desc=name):
        if held_out_only and not held_out(stem, share):
            continue
        image, true = read_image(image_path), read_mask(mask_path)
        diameter = median_diameter(true)
        made[FOUND].append((segment_image(image, model, diameter_px=None), true))
        made[GIVEN].append((segment_image(image, model, diameter_px=diameter), true))
        made[CLASSICAL].append((otsu_watershed(image, diameter), true))
    rows = []
    for method, pairs in made.items():
        total = score_counts([count_matches(*pair) for pair in pairs])
        by_image = [evaluate(*pair)["ap_0.50"] for pair in pairs]
        scores = {key: round(float(total[key]), 4) for key in SCORES}
        rows.append(
            {"images": name, "method": method, **scores, "ap_0.50_image_mean": round(sum(by_image) / len(by_image), 4)}
        )
    return rows


def main(dsb2018: Path, isbi2009: Path, out: Path) -> None:
    """Score both sets and write the scores with what they depend on."""
    model = load_model()
    scores = score("DSB2018, held out", dsb2018, held_out_only=True)
    scores += score("ISBI 2009, U2OS", isbi2009, held_out_only=False)
    today = datetime.now(UTC).date().isoformat()
    write_json(
        out,
        {
            "date": today,
            "model_sha256": model.sha256,
            "dtype": network_dtype(),
            "note": f"Real images. Computed on {today} with model {model.sha256[:12]}.",
            "scores": scores,
        },
    )
    for row in scores:
        print(row)


if __name__ == "__main__":
    main(*(Path(argument) for argument in sys.argv[1:4]))
