from pathlib import Path

import numpy as np
import pytest

from nnbook.errors import NnbookError
from nnbook.evaluation.metrics import evaluate
from nnbook.methods.forest import (
    foreground_share,
    pixel_features,
    read_forest,
    segment_by_forest,
    train_forest,
    write_forest,
)
from nnbook.nuset.synthetic import draw_synthetic


def test_a_forest_learns_is_kept_and_segments(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    made = [draw_synthetic(rng, 160, 16.0) for _ in range(4)]
    features = [pixel_features(image, 16.0) for image, _ in made]
    inside = np.concatenate([labels.ravel() > 0 for _, labels in made[:3]])
    flat = np.concatenate([one.reshape(-1, one.shape[-1]) for one in features[:3]])
    forest = train_forest(flat, inside)
    assert np.array_equal(train_forest(flat, inside).threshold, forest.threshold)
    image, labels = made[3]
    right = (foreground_share(features[3], forest) > 0.5) == (labels > 0)
    assert right.mean() > 0.9
    write_forest(tmp_path / "f.npz", forest)
    masks = segment_by_forest(np.kron(image, np.ones((2, 2), np.float32)), read_forest(tmp_path / "f.npz"), 32.0)
    assert masks.shape == (320, 320)
    assert evaluate(masks, np.kron(labels, np.ones((2, 2), np.int32)))["pixel_f1"] > 0.8
    assert not segment_by_forest(np.zeros((30, 30), np.uint8), forest, 16.0).any()


def test_a_forest_of_a_threshold_is_that_threshold() -> None:
    values = np.linspace(0, 1, 4000, dtype=np.float32)[:, np.newaxis]
    forest = train_forest(values, values[:, 0] > 0.3)
    share = foreground_share(np.array([[0.1], [0.25], [0.35], [0.9]], np.float32), forest)
    assert (share[:2] < 0.1).all()
    assert (share[2:] > 0.9).all()


def test_a_damaged_forest_is_named(tmp_path: Path) -> None:
    (tmp_path / "f.npz").write_bytes(b"nothing")
    with pytest.raises(NnbookError, match=r"f\.npz: can't be read as a forest"):
        read_forest(tmp_path / "f.npz")
    with pytest.raises(NnbookError, match="no such forest"):
        read_forest(tmp_path / "g.npz")
