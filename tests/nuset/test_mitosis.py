"""Mitotic figures: weights, labels, detections and what counts as found, each against a case worked by hand."""

import numpy as np
import pytest
import torch

from nnbook.errors import InvalidValueError, NnbookError
from nnbook.nuset.anchors import ANCHORS
from nnbook.nuset.mitosis import (
    WINDOW_PX,
    Detections,
    detect_figures,
    figure_examples,
    label_figures,
    match_figures,
    precision_recall,
)
from nnbook.nuset.network import NusetNetwork
from nnbook.nuset.training import NUCLEUS_PX, NusetSettings, attention_weights, make_example, train_nuset


def test_attention_is_full_in_a_figure_and_falls_off_about_it() -> None:
    labels = np.zeros((9, 60), np.int32)
    labels[:, :5] = 3
    weights = attention_weights(labels, 10.0)
    assert (weights[:, :5] == 10).all()
    assert (np.diff(weights[4, 4:]) < 0).all()
    assert weights[4, 4 + round(NUCLEUS_PX / 2)] == pytest.approx(10 * np.exp(-0.5)), "half a nucleus away"
    assert not attention_weights(np.zeros((5, 5), np.int32), 10.0).any()


def test_attention_changes_what_is_learned_and_is_no_negative_weight(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nnbook.nuset.training.SYNTHETIC_IMAGES", 1)
    labels = np.zeros((160, 160), np.int32)
    labels[60:90, 60:90] = 1
    rng = np.random.default_rng(1)
    examples = [make_example(rng.normal(0, 1, labels.shape) + labels, labels, NUCLEUS_PX)]
    made = []
    for attention in (0.0, 0.0, 5.0):
        settings = NusetSettings(
            foreground=False, synthetic_share=0.0, steps=2, batch=1, crop_px=64, attention=attention
        )
        made.append(next(iter(train_nuset([examples], settings).parameters())).detach().numpy())
    np.testing.assert_allclose(made[0], made[1], atol=1e-5)
    assert np.abs(made[2] - made[0]).max() > 1e-4
    with pytest.raises(InvalidValueError, match="attention is -1; give a weight from 0"):
        train_nuset([examples], NusetSettings(attention=-1.0))


def test_an_example_is_cut_about_each_figure() -> None:
    labels = np.zeros((700, 900), np.int32)
    labels[100:120, 100:140], labels[600:620, 800:820], labels[600:620, 840:860], labels[300:330, 300:330] = 1, 2, 3, 4
    figures = label_figures(labels, [[1], [2, 3]])
    assert np.unique(figures).tolist() == [0, 1, 2]
    assert (figures[600:620, 840:860] == 2).all(), "both masses of a division"
    image = np.random.default_rng(1).integers(0, 200, labels.shape).astype(np.uint8)
    examples = figure_examples(image, figures, NUCLEUS_PX)
    assert [np.unique(one.labels).tolist() for one in examples] == [[0, 1], [0, 2]]
    assert all(max(one.labels.shape) <= WINDOW_PX for one in examples)
    assert {one.base_px for one in examples} == {NUCLEUS_PX}


class OneAnchor(torch.nn.Module):
    """Proposes, without a shift, the anchor of the nucleus' own size in the second field of the third row."""

    def forward(self, grey: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        rows, columns = grey.shape[2] // 16, grey.shape[3] // 16
        logits = torch.full((1, rows * columns * ANCHORS), -9.0)
        logits[0, (2 * columns + 1) * ANCHORS + 4] = 2.0
        return torch.zeros(1, *grey.shape[2:]), logits, torch.zeros(1, logits.shape[1], 4)


def test_a_detection_is_where_the_proposal_is_in_px_of_the_image() -> None:
    image = np.random.default_rng(1).integers(0, 200, (256, 320)).astype(np.uint8)
    found = detect_figures(image, OneAnchor(), 2 * NUCLEUS_PX)
    np.testing.assert_allclose(found.middles, [[2 * 40, 2 * 24]], rtol=1e-4)
    np.testing.assert_allclose(found.scores, [1 / (1 + np.exp(-2))], rtol=1e-4)
    assert not len(detect_figures(np.full((64, 64), 7, np.uint8), OneAnchor(), NUCLEUS_PX).scores)
    with pytest.raises(NnbookError, match="has no proposals"):
        detect_figures(image, NusetNetwork(proposals=False).eval(), NUCLEUS_PX)


def test_a_figure_takes_one_detection_and_what_nobody_can_tell_counts_neither_way() -> None:
    figures, uncertain = np.zeros((100, 100), np.int32), np.zeros((100, 100), np.int32)
    figures[10:20, 10:20], figures[10:20, 30:40] = 1, 1
    figures[70:80, 70:80] = 2
    uncertain[10:20, 80:90] = 1
    places = [(15, 25), (12, 12), (15, 85), (50, 50), (84, 75), (86, 75)]
    found = Detections(np.array(places, np.float32), np.linspace(0.9, 0.4, 6, dtype=np.float32))
    matched = match_figures(found, figures, uncertain, 20.0)
    assert matched.figure.tolist() == [0, -1, -1, -1, 1, -1], "between the masses; 5 px beside, not 6"
    assert matched.counted.tolist() == [True, True, False, True, True, True]


def test_of_nothing_there_is_no_share() -> None:
    found = precision_recall({"right": 0, "wrong": 0, "figures": 4})
    assert np.isnan(found["precision"])
    assert (found["recall"], found["f1"]) == (0, 0)
