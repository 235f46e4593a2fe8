"""Tasks and ways to separate nuclei, on two discs that touch."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import label

from nnbook.evaluation.metrics import partners
from nnbook.primer.crops import Crop
from nnbook.primer.separation import border_classes, from_centres, in_boxes, tasks

SIDE = 64
Y, X = np.mgrid[:SIDE, :SIDE]
TRUE = np.where(np.hypot(Y - 32, X - 18) < 14, 1, np.where(np.hypot(Y - 32, X - 45) < 14, 2, 0)).astype(np.int32)
GREY = np.where(TRUE > 0, TRUE * 0.4, 0.02).astype(np.float32)


def test_centres_are_apart_where_nuclei_touch() -> None:
    classes = border_classes(TRUE)
    assert (label(TRUE > 0)[1], label(classes == 1)[1]) == (1, 2)
    np.testing.assert_array_equal(classes > 0, TRUE > 0)


@pytest.mark.parametrize("way", ["boxes", "centres"])
def test_masks_a_few_pixels_off_are_enough_to_separate_nuclei(way: str) -> None:
    rough = np.roll(TRUE, 2, axis=0)
    assert partners((TRUE > 0).astype(np.int32), TRUE) == {}
    found = in_boxes(GREY, rough) if way == "boxes" else from_centres(TRUE > 0, rough)
    assert partners(found, TRUE) == {1: 1, 2: 2}


def test_a_task_has_the_class_of_its_own_crop() -> None:
    crop = Crop("Run1", GREY, TRUE * 5, TRUE, 1.5)
    live = tasks({"one": crop, "other": crop}, {"other": "mitosis", "one": "interphase"})
    assert live.facts["classes"] == ["interphase", "mitosis"]
    assert set(np.unique(live.arrays["true1"])) == {0, 1, 2}
