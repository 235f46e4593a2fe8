import numpy as np
from numpy.typing import NDArray

from nnbook.evaluation.baseline import otsu_watershed
from nnbook.evaluation.metrics import evaluate
from nnbook.io.images import Labels


def field() -> tuple[NDArray[np.uint8], Labels]:
    """Two discs that touch, one alone, and one so dim that no threshold for all finds it."""
    rows, columns = np.ogrid[:200, :300]
    labels = np.zeros((200, 300), dtype=np.int32)
    for label, (y, x) in enumerate(((60, 60), (60, 106), (140, 200), (60, 240)), start=1):
        labels[(rows - y) ** 2 + (columns - x) ** 2 < 24**2] = label
    grey = np.array([20.0, 180.0, 150.0, 200.0, 45.0])[labels]
    return (grey + np.random.default_rng(2).normal(0, 4, labels.shape)).clip(0, 255).astype(np.uint8), labels


def test_parts_discs_that_touch_and_misses_the_dim_one() -> None:
    image, true = field()
    scores = evaluate(otsu_watershed(image, 48), true)
    assert scores["tp_0.80"] == 3
    assert scores["missed"] == 1
    assert scores["merges"] == scores["spurious"] == 0


def test_an_image_that_is_the_same_everywhere_has_no_nucleus() -> None:
    assert not otsu_watershed(np.full((50, 50), 7, dtype=np.uint8), 20).any()
