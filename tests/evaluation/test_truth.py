from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from nnbook.errors import NnbookError
from nnbook.evaluation.truth import true_classes
from nnbook.io.images import read_mask, write_mask
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


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ("label,class\n1,interphase\n", r"one\.csv: has no row of label 2, which is in .*one\.tif"),
        ("label,class\n1,interphase\n1,anaphase\n", r"one\.csv: label 1 is below 1 or in two rows"),
        ("label,class\n1,interphase\n2,intepphase\n", r"one\.csv: class is 'intepphase' in its row 2"),
        ("label,klass\n1,interphase\n2,interphase\n", r"one\.csv: has no column class"),
        ("label,class\n1,interphase\n2,inter", r"one\.csv: may be cut off"),
    ],
)
def test_a_damaged_table_is_named(tmp_path: Path, table: str, problem: str) -> None:
    labels = np.zeros((20, 30), np.int32)
    labels[2:8, 2:8], labels[2:8, 20:28] = 1, 2
    write_mask(tmp_path / "one.tif", labels)
    (tmp_path / "one.csv").write_text(table)
    with pytest.raises(NnbookError, match=problem) as raised:
        true_classes(labels, tmp_path / "one.tif")
    assert "\n" not in str(raised.value)
