import numpy as np
import pytest
from numpy.typing import NDArray

from nnbook.io.images import Labels
from nnbook.training.intensity import vary_intensity

SIDE_PX = 96


@pytest.fixture
def labels() -> Labels:
    """Two discs of radius 16 px."""
    labels = np.zeros((SIDE_PX, SIDE_PX), dtype=np.int32)
    y, x = np.mgrid[:SIDE_PX, :SIDE_PX]
    for label, centre in enumerate(((28, 28), (64, 60)), start=1):
        labels[np.hypot(y - centre[0], x - centre[1]) < 16] = label
    return labels


@pytest.fixture
def image(labels: Labels) -> NDArray[np.float32]:
    """The discs, bright and evenly so."""
    return np.where(labels > 0, 0.9, 0.1).astype(np.float32)


def test_equal_seeds_give_equal_grey_levels_and_leave_the_image_alone(
    image: NDArray[np.float32], labels: Labels
) -> None:
    before = image.copy()
    for seed in range(20):
        one, other = (vary_intensity(image, labels, np.random.default_rng(seed)) for _ in "ab")
        np.testing.assert_array_equal(one, other)
        assert one.dtype == np.float32
        assert np.isfinite(one).all()
    np.testing.assert_array_equal(image, before)


def test_no_two_crops_are_alike(image: NDArray[np.float32], labels: Labels) -> None:
    crops = [vary_intensity(image, labels, np.random.default_rng(seed)) for seed in range(20)]
    for index, crop in enumerate(crops[1:], start=1):
        assert all(np.abs(crop - other).mean() > 1e-3 for other in crops[:index])


def test_nuclei_stay_brighter_than_the_background(image: NDArray[np.float32], labels: Labels) -> None:
    brighter = 0
    for seed in range(100):
        crop = vary_intensity(image, labels, np.random.default_rng(seed))
        brighter += crop[labels > 0].mean() > crop[labels == 0].mean()
    assert brighter >= 95


def test_brightness_differs_from_label_to_label(image: NDArray[np.float32], labels: Labels) -> None:
    def share_unlike(given: Labels) -> float:
        """In how many crops one disc is more than a third brighter than the other."""
        unlike = 0
        for seed in range(100):
            crop = vary_intensity(image, given, np.random.default_rng(seed))
            levels = sorted(float(np.median(crop[labels == label])) for label in (1, 2))
            unlike += levels[1] > 1.35 * levels[0]
        return unlike / 100

    assert share_unlike(labels) > 0.15
    assert share_unlike((labels > 0).astype(np.int32)) < 0.08, "uneven light alone"
