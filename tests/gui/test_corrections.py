"""Corrections of masks by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nnbook.errors import InvalidValueError
from nnbook.gui.corrections import Corrections

BOXES = {1: np.s_[2:10, 2:10], 2: np.s_[2:10, 10:18]}


@pytest.fixture
def masks() -> Corrections:
    labels = np.zeros((20, 24), np.int32)
    labels[BOXES[1]], labels[BOXES[2]] = 1, 2
    return Corrections(labels)


CASES: dict[str, tuple[dict[str, Any], dict[int, int]]] = {
    "delete": ({"kind": "delete", "roi": 2}, {1: 64}),
    "merge": ({"kind": "merge", "rois": [2, 1]}, {1: 128}),
    "split": ({"kind": "split", "roi": 1, "line": [[6, 0], [6, 12]]}, {1: 32, 2: 64, 3: 32}),
    "draw": ({"kind": "draw", "roi": None, "outline": [[8, 8], [22, 8], [22, 14], [8, 14]]}, {1: 64, 2: 64, 3: 64}),
    "brush": ({"kind": "brush", "roi": 1, "path": [[5, 9], [5, 14]], "radius": 1, "erase": False}, {1: 74, 2: 64}),
    "erase": ({"kind": "brush", "roi": 1, "path": [[9.5, 6]], "radius": 1.5, "erase": True}, {1: 58, 2: 64}),
}
"""What is done, and how many pixels each nucleus then has."""


@pytest.mark.parametrize("name", CASES)
def test_a_correction_is_made_taken_back_and_made_again(masks: Corrections, name: str) -> None:
    edit, areas = CASES[name]
    before = masks.labels.copy()
    masks.make(edit, BOXES)
    made = masks.labels.copy()
    assert dict(enumerate(np.bincount(made.ravel())[1:].tolist(), start=1)) == {
        roi: areas.get(roi, 0) for roi in range(1, made.max() + 1)
    }
    masks.undo()
    assert (masks.labels == before).all()
    assert (masks.count, masks.undone) == (0, 1)
    masks.redo()
    assert (masks.labels == made).all()
    assert (masks.count, masks.undone) == (1, 0)


def test_what_changes_nothing_is_refused(masks: Corrections) -> None:
    for edit in (
        {"kind": "delete", "roi": 9},
        {"kind": "split", "roi": 1, "line": [[20, 0], [20, 12]]},
        {"kind": "draw", "roi": None, "outline": [[3, 3], [5, 3], [5, 5]]},
        {"kind": "brush", "roi": 1, "path": [], "radius": 3, "erase": False},
        {"kind": "paint"},
    ):
        with pytest.raises(InvalidValueError, match="correction"):
            masks.make(edit, BOXES)
    assert masks.count == 0
    assert masks.undo() == masks.redo() == []


def test_a_new_correction_ends_what_could_be_done_again(masks: Corrections) -> None:
    masks.make(CASES["delete"][0], BOXES)
    masks.undo()
    masks.make(CASES["erase"][0], BOXES)
    assert (masks.count, masks.undone) == (1, 0)
