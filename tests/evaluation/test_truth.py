from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from nnbook.evaluation.truth import true_classes
from nnbook.io.images import read_mask
from nnbook.simulation.dataset import make_panorama, panorama_stage, simulate_manifest

if TYPE_CHECKING:
    from pathlib import Path


def test_classes_are_those_of_the_truth_whatever_the_labels(tmp_path: Path) -> None:
    row, out = simulate_manifest(7, 1, 1200)[0], tmp_path
    make_panorama(row, panorama_stage(row, out))
    truth = pd.read_csv(out / f"truth/{row.panorama}.csv").set_index("label")["class"]
    labels = read_mask(out / f"truth/{row.panorama}.tif")
    segmented = np.where(labels > 1, 900 - labels, 0).astype(np.int32)  # others' numbers, and the first one missed
    assert len(truth) > 1
    expected = {900 - label: kind for label, kind in zip(truth.index, truth, strict=True) if label > 1}
    assert true_classes(segmented, out / "truth" / f"{row.panorama}.tif") == expected
