import numpy as np
import pytest
from numpy.typing import NDArray
from skimage.measure import label

from nnbook.io.labels import label_problem


def nuclei(count: int = 300, *, pitch: int = 24, side: int = 12) -> NDArray[np.int32]:
    """Squares in rows and columns, numbered from 1."""
    columns = 20
    rows = -(-count // columns)
    labels = np.zeros((rows * pitch + 8, columns * pitch + 8), np.int32)
    for number in range(count):
        y, x = (4 + pitch * place for place in divmod(number, columns))
        labels[y : y + side, x : x + side] = number + 1
    return labels


def test_label_images_are_label_images() -> None:
    labels = nuclei()
    assert label_problem(labels) is None
    assert label_problem(labels.astype(np.uint16)) is None
    assert label_problem(labels * 5_000_011) is None, "labels may skip numbers"
    assert label_problem(np.zeros((9, 9), np.int32)) is None, "a field without nuclei"


@pytest.mark.parametrize("value", [1, 255, 65_535])
def test_binary_masks_are_named(value: int) -> None:
    problem = label_problem((nuclei() > 0).astype(np.uint16) * np.uint16(value))
    assert problem is not None
    assert f"is a binary mask: all its nuclei have the value {value:,}" in problem


def test_two_nuclei_of_a_binary_mask_are_enough_where_they_are_far_apart() -> None:
    labels = nuclei(20)
    both = np.where((labels == 1) | (labels == 12), 255, 0)
    assert "binary" in (label_problem(both) or "")


@pytest.mark.parametrize("value", [1, 255])
def test_one_nucleus_is_no_binary_mask(value: int) -> None:
    assert label_problem(np.where(nuclei(20) == 3, value, 0)) is None


def test_the_halves_of_a_dividing_nucleus_may_share_a_label() -> None:
    labels = nuclei(40)
    labels[labels == 2] = 1  # 12 px apart, with a diameter of 14
    assert label_problem(labels) is None
    assert label_problem(np.where(labels == 1, 1, 0)) is None


def test_a_far_fragment_may_share_a_label() -> None:
    labels = nuclei(40)
    labels[1:3, 300:302] = 1
    assert label_problem(labels) is None


def test_labels_that_wrapped_in_8_bits_are_named() -> None:
    problem = label_problem((nuclei(600) % 256).astype(np.uint8))
    assert problem is not None
    assert problem.startswith("label 1 and ")
    assert "do not fit into 8 bits" in problem


def test_a_label_that_repeats_far_away_is_named() -> None:
    labels = nuclei()
    labels[labels == 250] = 3
    assert label_problem(labels) == "label 3 is on nuclei far apart; give each nucleus a number of its own"
    assert label_problem(labels * 5_000_011) == (
        "label 15,000,033 is on nuclei far apart; give each nucleus a number of its own"
    )


def test_a_background_that_is_a_label_is_named() -> None:
    labels = nuclei()
    assert label_problem(labels + 1) == "its background is label 1; background is 0 in a mask, so set it to 0"
    inverted = np.where(labels > 0, 0, 255)
    assert "background is label 255" in (label_problem(inverted) or "")


def test_a_large_nucleus_in_the_middle_is_no_background() -> None:
    y, x = np.mgrid[:60, :60]
    assert label_problem((np.hypot(y - 30, x - 30) < 29).astype(np.uint8)) is None


def test_one_nucleus_may_fill_its_image() -> None:
    assert label_problem(np.ones((9, 9), np.int32)) is None


def test_ridges_of_a_watershed_are_no_reason() -> None:
    assert label_problem(label(nuclei() > 0)) is None
