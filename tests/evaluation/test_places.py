"""Where mistakes are."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import center_of_mass

from nnbook.evaluation.metrics import mistakes
from nnbook.evaluation.places import places_of


def test_mistakes_are_at_the_centroids_of_what_they_are_about() -> None:
    """Of nuclei that are no boxes, beside one another, each kind of mistake among them."""
    y, x = np.mgrid[:120, :160]
    true, masks = np.zeros((2, 120, 160), np.int32)
    for label, (top, left) in enumerate([(20, 20), (20, 60), (20, 100), (70, 30), (70, 70), (70, 140)], start=1):
        true[np.hypot(y - top, x - left - 0.2 * (y - top)) < 14] = label
    masks[true == 1] = 9
    masks[(true == 2) & (x < 60)], masks[(true == 2) & (x >= 60)] = 2, 4
    masks[np.isin(true, (4, 5))] = 5
    masks[(y > 100) & (x < 40)] = 7
    found = mistakes(masks, true)
    assert {kind: labels.tolist() for kind, labels in found.items()} == {
        "missed": [3, 6],
        "spurious": [7],
        "split": [2],
        "merged": [5],
    }
    columns = places_of(found, masks, true)
    expected = [
        (kind, label, round(float(column), 1), round(float(row), 1))
        for kind, labels in found.items()
        for of in [true if kind in {"missed", "split"} else masks]
        for label, (row, column) in zip(labels.tolist(), center_of_mass(of > 0, of, labels), strict=True)
    ]
    assert [*zip(*columns.values(), strict=True)] == expected
