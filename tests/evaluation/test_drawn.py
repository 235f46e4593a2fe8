"""Outlines drawn by hand: what touches, what is cut, and what became of each nucleus."""

import numpy as np
import pytest

from nnbook.evaluation.comparison import CLASSICAL, Judged, compare_methods
from nnbook.evaluation.drawn import describe_drawn, median_diameter, overlap_of_nuclei
from nnbook.io.images import Labels


def boxes(*several: tuple[int, int, int, int, int], shape: tuple[int, int] = (60, 80)) -> Labels:
    """Return a label image of rectangles: label, top, left, height, width."""
    labels = np.zeros(shape, np.int32)
    for label, top, left, height, width in several:
        labels[top : top + height, left : left + width] = label
    return labels


TRUE = boxes(
    (3, 5, 5, 10, 10),
    (4, 5, 16, 10, 10),
    (7, 0, 40, 8, 10),
    (9, 30, 5, 10, 20),
    (12, 30, 50, 10, 20),
    (15, 50, 30, 6, 6),
)


def test_touching_and_cut_nuclei_are_described() -> None:
    described = describe_drawn(TRUE).set_index("label")
    assert described.index.tolist() == [3, 4, 7, 9, 12, 15]
    assert described.index[described["touching"]].tolist() == [3, 4], "one pixel is between them"
    assert described.index[described["cut"]].tolist() == [7]
    assert describe_drawn(np.zeros((4, 5), np.int32)).empty
    assert median_diameter(TRUE) == pytest.approx(2 * np.sqrt(100 / np.pi))
    assert median_diameter(np.zeros((4, 5), np.int32)) == 1


def test_what_became_of_each_nucleus() -> None:
    masks = boxes(
        (1, 5, 5, 10, 21),  # on 3 and 4
        (2, 0, 40, 8, 9),  # nearly 7
        (3, 30, 5, 10, 10), (4, 30, 15, 10, 10),  # halves of 9
        (5, 26, 44, 16, 32),  # much more than 12
    )  # fmt: skip
    found = overlap_of_nuclei(masks, TRUE, describe_drawn(TRUE)).set_index("label")
    assert found["outcome"].to_dict() == {
        3: "merged", 4: "merged", 7: "matched", 9: "split", 12: "outline differs", 15: "missed",
    }  # fmt: skip
    assert found["iou"].to_dict() == pytest.approx(
        {3: 100 / 210, 4: 100 / 210, 7: 0.9, 9: 0.5, 12: 200 / 512, 15: 0}, abs=1e-4
    )
    assert (found["x_px"][7], found["y_px"][7]) == (45, 4)


def test_a_book_of_outlines_without_classes_is_scored() -> None:
    image = np.where(TRUE > 0, 200, 10).astype(np.uint8)
    judged = Judged(image, TRUE, TRUE, describe_drawn(TRUE), median_diameter(TRUE))
    scores, cases = compare_methods([judged], "nnbook")
    assert scores["method"].tolist() == ["nnbook", CLASSICAL]
    assert scores["mean_ap"][0] == 1
    assert sorted(set(cases["case"])) == ["touching, each with a mask"]
    plain = boxes((1, 10, 10, 9, 9))
    alone = Judged(image, plain, plain, describe_drawn(plain), median_diameter(plain))
    assert compare_methods([alone], "nnbook")[1].empty, "no nucleus touches another, and nobody said a class"
