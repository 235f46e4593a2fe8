import numpy as np

from nnbook.evaluation.metrics import evaluate
from nnbook.io.images import Labels
from nnbook.segmentation.masks import condensed, drop_low_confidence, enlarge, estimate_confidence


def test_labels_are_numbered_by_first_pixel(masks: Labels) -> None:
    values, first = np.unique(masks, return_index=True)
    assert list(values) == list(range(masks.max() + 1))
    assert list(first[1:]) == sorted(first[1:])


def test_outlines_are_smooth() -> None:
    # A disc of radius 9 px whose logit falls off linearly, 5 times enlarged.
    y, x = np.mgrid[:30, :30]
    logit = (9 - np.hypot(y - 14.5, x - 14.5)).astype(np.float32)
    full = enlarge((logit > 0).astype(np.int32), logit, 0.0, (150, 150))
    v, u = np.mgrid[:150, :150]
    disc = np.hypot(v - 74.5, u - 74.5) < 45
    assert evaluate(full, disc.astype(np.int32))["mean_iou"] > 0.99
    # What is above the threshold but in no mask stays background.
    assert not enlarge(np.zeros((30, 30), dtype=np.int32), logit, 0.0, (150, 150)).any()


def test_borders_between_masks_are_smooth() -> None:
    # Two masks that meet along a line, 5 times enlarged: its steps are of the network's pixels.
    y, x = np.mgrid[:40, :40]
    for slope in (0.0, 0.2, 0.37, 1.0):
        labels = np.where(x - 19.5 < slope * (y - 19.5), 1, 2).astype(np.int32)
        full = enlarge(labels, np.full(labels.shape, 5, np.float32), 0.0, (200, 200))
        rows = np.arange(30, 170)
        border = (full[rows] == 1).sum(axis=1)
        line = 99.5 + slope * (rows - 99.5)
        assert np.abs(border - line).max() <= 2.5, slope
        assert (border - line).std() < 1.2, slope


def test_what_the_network_does_not_see_is_drawn_round() -> None:
    labels = np.zeros((20, 20), np.int32)
    labels[8:11, 9], labels[9, 8:11] = 1, 1  # a micronucleus, of which the network says nothing
    full = enlarge(labels, np.full(labels.shape, -9, np.float32), -2.0, (100, 100))
    y, x = np.nonzero(full)
    distance = np.hypot(y - y.mean(), x - x.mean())
    # A diamond's corners are as far from its middle as 1.25 times the radius of a disc of its area, or more.
    assert distance.max() < 1.13 * np.sqrt(len(y) / np.pi)
    assert 80 < len(y) < 180


def test_masks_of_low_confidence_are_dropped_unless_the_edge_cuts_them() -> None:
    labels = np.zeros((40, 60), dtype=np.int32)
    cellprob = np.full(labels.shape, -5, dtype=np.float32)
    for label, (y, x, logit) in enumerate([(10, 10, 3.0), (10, 30, -1.0), (0, 45, -1.0), (25, 30, -0.4)], start=1):
        labels[y : y + 8, x : x + 8] = label
        cellprob[y : y + 8, x : x + 8] = logit
    whole = labels.copy()
    drop_low_confidence(labels, cellprob, -2)
    assert set(np.unique(labels)) == {0, 1, 3, 4}
    assert (labels[10:18, 30:38] == 0).all()
    labels[...] = whole
    drop_low_confidence(labels, np.where(labels == 4, -0.3, np.where(labels, 3.0, -5.0)).astype(np.float32), -2)
    assert set(np.unique(labels)) == {0, 1, 2, 3}, "beside masks of 5 over the threshold, one of 1.7 is dropped"
    labels[...] = 0
    drop_low_confidence(labels, cellprob, -2)
    assert not labels.any()


def test_a_pair_is_kept_at_any_confidence() -> None:
    labels = np.zeros((40, 40), np.int32)
    for label, x in enumerate((3, 10, 17, 24, 31), start=1):
        labels[5:10, x : x + 5] = label
    logit = np.where(labels > 3, -0.2, np.where(labels > 0, 4.0, -6.0)).astype(np.float32)
    drop_low_confidence(labels, logit, -2.0, pairs=[5])
    assert np.unique(labels).tolist() == [0, 1, 2, 3, 5]
    logit[labels == 5] = -4.0
    drop_low_confidence(labels, logit, -2.0, pairs=[5])
    assert np.unique(labels).tolist() == [0, 1, 2, 3, 5]
    drop_low_confidence(labels, logit, -2.0)
    assert np.unique(labels).tolist() == [0, 1, 2, 3]


def test_small_bright_compact_masks_are_kept_at_low_confidence() -> None:
    labels = np.zeros((40, 70), np.int32)
    grey = np.full(labels.shape, 0.05, np.float32)
    # Nuclei, then: condensed, as dim as haze, ragged, and as large as a nucleus.
    sides = [10, 10, 10, 10, 5, 5, 5, 10]
    greys = [0.5, 0.5, 0.5, 0.5, 0.9, 0.1, 0.9, 0.9]
    for label, (side, level) in enumerate(zip(sides, greys, strict=True), start=1):
        y, x = 2 + 18 * ((label - 1) // 4), 2 + 16 * ((label - 1) % 4)
        labels[y : y + side, x : x + side], grey[y : y + side, x : x + side] = label, level
    errors = np.array([0, 0.02, 0.02, 0.02, 0.02, 0.1, 0.1, 0.4, 0.1])
    assert condensed(labels, grey, errors).tolist() == [5]
    logit = np.where(labels > 4, -0.9, np.where(labels > 0, 5.0, -6.0)).astype(np.float32)
    whole = labels.copy()
    drop_low_confidence(labels, logit, -2.0, condensed=[5])
    assert np.unique(labels).tolist() == [0, 1, 2, 3, 4, 5], "1.1 over the threshold, where sure masks are 7 over it"
    logit[whole == 5] = -1.2  # 0.8 over it
    drop_low_confidence(labels, logit, -2.0, condensed=[5])
    assert np.unique(labels).tolist() == [0, 1, 2, 3, 4]
    assert condensed(np.zeros_like(labels), grey, np.zeros(1)).tolist() == []


def test_confidence_falls_with_the_logit_ragged_flows_and_small_areas() -> None:
    labels = np.zeros((20, 60), np.int32)
    for label, x in enumerate((1, 13, 25, 37), start=1):
        labels[2:12, x : x + 10] = label
    labels[2:5, 50:53] = 5
    logit = np.where(labels == 2, 0.0, np.where(labels > 0, 2.0, -6.0)).astype(np.float32)
    found = estimate_confidence(labels, logit, -2.0, np.array([0, 0.05, 0.05, 0.4, 0.05, 0.05]))
    assert found[0] == 0
    assert found[1] == found[4] > 0.9
    assert (found[[2, 3, 5]] < found[1]).all()
    assert found[3] < 0.6
    assert estimate_confidence(np.zeros_like(labels), logit, -2.0, np.zeros(1)).tolist() == [0]
