"""The pieces of NuSeT, each against a case worked by hand."""

import numpy as np
import pytest

from nnbook.errors import InvalidValueError
from nnbook.io.images import Labels
from nnbook.nuset.anchors import (
    ANCHORS,
    anchor_targets,
    base_size,
    boxes_iou,
    decode,
    encode,
    make_anchors,
    nuclei_boxes,
    suppress,
)
from nnbook.nuset.normalisation import normalise
from nnbook.nuset.segmenter import drop_small, split_components
from nnbook.nuset.synthetic import draw_synthetic
from nnbook.nuset.training import boundary_weights, foreground_of


def discs(*places: tuple[int, int, int]) -> Labels:
    """Draw discs (y, x, radius), numbered from 1, on 64 px; a later one leaves what is there."""
    yy, xx = np.mgrid[:64, :64]
    labels = np.zeros((64, 64), np.int32)
    for label, (y, x, radius) in enumerate(places, start=1):
        labels[((yy - y) ** 2 + (xx - x) ** 2 < radius**2) & (labels == 0)] = label
    return labels


def test_boxes_and_the_size_of_anchors_are_of_the_nuclei() -> None:
    labels = np.zeros((30, 30), np.int32)
    labels[2:6, 3:13], labels[20:26, 20:22], labels[10:14, 0:20] = 1, 2, 5
    boxes = nuclei_boxes(labels)
    assert boxes.tolist() == [[2, 3, 6, 13], [20, 20, 26, 22], [10, 0, 14, 20]]
    assert base_size(boxes, 32) == 10, "the median of the longer sides 10, 6 and 20"
    assert base_size(boxes[:0], 32) == 32


def test_anchors_are_in_the_middle_of_fields_with_the_area_of_the_median_nucleus() -> None:
    anchors = make_anchors((32, 48), 20.0)
    assert anchors.shape == (2 * 3 * ANCHORS, 4)
    middles, sides = (anchors[:, :2] + anchors[:, 2:]) / 2, anchors[:, 2:] - anchors[:, :2]
    assert np.unique(middles, axis=0).tolist() == [[y, x] for y in (8, 24) for x in (8, 24, 40)]
    areas = np.unique(np.prod(sides, axis=1).round(2))
    np.testing.assert_allclose(areas, [100, 400, 1600], rtol=1e-5)


def test_overlap_of_boxes_by_hand() -> None:
    ones = np.array([[0, 0, 10, 10], [0, 0, 4, 4]], np.float32)
    others = np.array([[0, 5, 10, 15], [20, 20, 30, 30]], np.float32)
    np.testing.assert_allclose(boxes_iou(ones, others), np.array([[1 / 3, 0], [0, 0]]), rtol=1e-6)


def test_shifts_lead_back_to_the_boxes() -> None:
    rng = np.random.default_rng(1)
    anchors = make_anchors((64, 64), 24.0)
    boxes = anchors + rng.uniform(-3, 3, anchors.shape).astype(np.float32)
    np.testing.assert_allclose(decode(anchors, encode(anchors, boxes)), boxes, atol=1e-3)
    assert encode(anchors[:1], anchors[:1] + np.float32(2))[0, 2:].tolist() == [0, 0]


def test_each_nucleus_has_an_anchor_and_none_in_between_counts() -> None:
    anchors = make_anchors((64, 64), 20.0)
    boxes = np.array([[14, 14, 34, 34], [50, 2, 62, 10]], np.float32)
    targets = anchor_targets(anchors, boxes, np.random.default_rng(1))
    assert len(np.unique(targets.chosen)) == len(targets.chosen) <= 256
    iou = boxes_iou(anchors, boxes)
    assert set(iou.argmax(axis=0).tolist()) <= set(targets.chosen[targets.positive].tolist())
    best = iou[targets.chosen].max(axis=1)
    assert (best[~targets.positive] < 0.3).all()
    assert (targets.shifts[~targets.positive] == 0).all()
    decoded = decode(anchors[targets.chosen], targets.shifts)[targets.positive]
    assert np.allclose(boxes_iou(decoded, boxes).max(axis=1), 1, atol=1e-4)
    none = anchor_targets(anchors, boxes[:0], np.random.default_rng(1))
    assert not none.positive.any()


def test_of_overlapping_proposals_the_likeliest_is_left() -> None:
    boxes = np.array([[0, 0, 10, 10], [1, 1, 11, 11], [20, 20, 30, 30]], np.float32)
    assert suppress(boxes, np.array([0.6, 0.9, 0.7], np.float32), 0.1).tolist() == [1, 2]
    assert suppress(boxes[:0], np.zeros(0, np.float32), 0.1).tolist() == []


def test_background_between_nuclei_weighs_most() -> None:
    labels = discs((32, 20, 9), (32, 40, 9))
    weights = boundary_weights(labels)
    # In the middle of the gap, columns 29 to 31 between the discs' last and first pixel, 28 and 32.
    assert weights[32, 30] == pytest.approx(1 + 10 * np.exp(-((2 + 2) ** 2) / (2 * 5)), rel=0.02)
    assert (weights[labels > 0] == 1).all()
    assert weights[2, 2] == pytest.approx(1)
    assert (boundary_weights(discs((32, 20, 9))) == 1).all(), "one nucleus has no neighbour"


def test_nuclei_that_touch_are_apart_in_what_is_learned() -> None:
    labels = np.zeros((20, 20), np.int32)
    labels[5:15, 2:10], labels[5:15, 10:18] = 1, 2
    inside = foreground_of(labels)
    assert not inside[5:15, 9:11].any()
    assert inside[5:15, 2:9].all(), "the side towards the background stays"
    assert inside[5:15, 11:18].all()


def test_an_image_is_normalised_by_its_nuclei_or_as_a_whole() -> None:
    rng = np.random.default_rng(1)
    labels = discs((32, 32, 12))
    image = np.where(labels > 0, rng.normal(200, 20, labels.shape), rng.normal(10, 2, labels.shape))
    by_nuclei = normalise(image, labels > 0)
    assert by_nuclei[labels > 0].mean() == pytest.approx(0, abs=1e-5)
    assert by_nuclei[labels > 0].std() == pytest.approx(1, abs=1e-5)
    debris = image.copy()
    debris[:8, :8] = 4000
    assert np.allclose(normalise(debris, labels > 0)[labels > 0], by_nuclei[labels > 0])
    assert abs(normalise(debris)[labels > 0].mean() - normalise(image)[labels > 0].mean()) > 1
    assert np.array_equal(normalise(image, np.zeros(labels.shape, bool)), normalise(image))


def test_proposals_separate_what_touches_and_leave_the_rest() -> None:
    touching = discs((30, 20, 10), (30, 36, 10))
    one = np.where(touching > 0, 1, 0).astype(np.int32)
    one[50:58, 50:58] = 2
    middles = np.array([[30, 20], [30, 36], [2, 2], [70, 10]], np.float32)
    labels = split_components(one, middles)
    assert len(np.unique(labels)) - 1 == 3, "the third component has no proposal and stays whole"
    assert labels[30, 20] != labels[30, 36]
    assert np.array_equal(labels > 0, one > 0)
    assert (labels[touching == 1] == labels[30, 20]).mean() > 0.95
    assert np.array_equal(split_components(one, middles[:0]) > 0, one > 0)


def test_nuclei_below_a_fifth_of_the_mean_area_are_dropped() -> None:
    labels = np.zeros((40, 40), np.int32)
    labels[:10, :10], labels[20:30, :10], labels[35:38, 35:39] = 4, 9, 2
    assert np.unique(drop_small(labels)).tolist() == [0, 1, 2], "12 px are below a fifth of the mean of 70.7"
    labels[34:38, 35:39] = 2
    assert drop_small(labels).max() == 3, "16 px are above a fifth of 72"
    assert not drop_small(np.zeros((5, 5), np.int32)).any()


def test_synthetic_images_have_nuclei_that_touch_and_what_is_no_nucleus() -> None:
    rng = np.random.default_rng(4)
    made = [draw_synthetic(rng, 128, 24.0) for _ in range(12)]
    assert all(image.shape == labels.shape == (128, 128) for image, labels in made)
    assert all(labels.max() >= 1 and np.isfinite(image).all() for image, labels in made)
    near = [np.count_nonzero((labels[:, 1:] != labels[:, :-1]) & (labels[:, 1:] > 0) & (labels[:, :-1] > 0))
            for _, labels in made]  # fmt: skip
    assert max(near) > 10
    brightest = [image[labels == 0].max() - np.median(image[labels > 0]) for image, labels in made]
    assert max(brightest) > 0, "an artifact is brighter than nuclei"
    again = draw_synthetic(np.random.default_rng(4), 128, 24.0)
    assert np.array_equal(again[0], made[0][0])


def test_settings_out_of_range_are_refused() -> None:
    from nnbook.nuset.training import NusetSettings, train_nuset

    with pytest.raises(InvalidValueError, match="data_sets has none"):
        train_nuset([], NusetSettings())
