"""Measures against cases worked by hand, and against other packages on random masks."""

import math
import time

import numpy as np
import pytest
from numpy.typing import NDArray

from nnbook.evaluation.measures import count_measures, intervals, link_nuclei, outline_distances, quotients
from nnbook.evaluation.metrics import evaluate, overlaps
from nnbook.io.images import Labels


def mask(*boxes: tuple[int, int, int, int]) -> Labels:
    """Draw rectangles (y, x, height, width), numbered from 1, on 40 x 60 px."""
    labels = np.zeros((40, 60), dtype=np.int32)
    for label, (y, x, height, width) in enumerate(boxes, start=1):
        labels[y : y + height, x : x + width] = label
    return labels


def random_masks(seed: int) -> tuple[Labels, Labels]:
    """Draw true discs, and predicted ones that are moved, resized, left out and invented, on 128 px."""
    rng = np.random.default_rng(seed)
    yy, xx = np.mgrid[:128, :128]
    masks = np.zeros((2, 128, 128), np.int32)
    for label in range(1, 26):
        y, x, radius = *rng.uniform(0, 128, 2), rng.uniform(5, 12)
        masks[0][(yy - y) ** 2 + (xx - x) ** 2 < radius**2] = label
        if rng.random() < 0.15:
            y, x = rng.uniform(0, 128, 2)
        y, x, radius = y + rng.normal(0, 2), x + rng.normal(0, 2), radius * rng.uniform(0.7, 1.3)
        if rng.random() < 0.9:
            masks[1][(yy - y) ** 2 + (xx - x) ** 2 < radius**2] = label + 100
    return masks[1], masks[0]


def measures(predicted: Labels, true: Labels) -> dict[str, float]:
    return quotients(count_measures(predicted, true, overlaps(predicted, true)))


def test_same_masks_have_no_error() -> None:
    true = mask((0, 0, 10, 10), (0, 10, 10, 10), (20, 40, 8, 8))
    found = measures(np.array([0, 9, 70_000, 3], np.int32)[true], true)
    assert (found["correct_detections"], found["incorrect_detections"]) == (3, 0)
    assert found["touching_nuclei"] == 2
    ones = ("touching_separated", "pixel_mean_iu", "pixel_f1", "pixel_accuracy", "aji", "pq", "sq", "rq", "mean_dice",
            "surface_agreement", "pq_by_image")  # fmt: skip
    assert [found[name] for name in ones] == [1] * len(ones)
    noughts = ("fn_rate", "fp_rate", "pixel_rmse", "area_bias", "hausdorff_px", "hausdorff_95_px")
    assert [found[name] for name in noughts] == [0] * len(noughts)


def test_pixels_by_hand() -> None:
    # 80 of 100 px found, 50 px beside: TP 80, FN 20, FP 50, TN 2250 of 2400.
    found = measures(mask((0, 0, 10, 8), (20, 40, 5, 10)), mask((0, 0, 10, 10)))
    assert found["pixel_accuracy"] == pytest.approx(2330 / 2400)
    assert found["pixel_rmse"] == pytest.approx(math.sqrt(70 / 2400))
    assert found["pixel_mean_iu"] == pytest.approx((80 / 150 + 2250 / 2320) / 2)
    assert found["pixel_precision"] == pytest.approx(80 / 130)
    assert found["pixel_recall"] == pytest.approx(0.8)
    assert found["pixel_f1"] == pytest.approx(160 / 230)


def test_splits_merges_and_catastrophes_are_told_apart() -> None:
    true = mask((0, 0, 10, 20), (20, 0, 10, 10), (20, 10, 10, 10), (0, 30, 10, 10), (0, 40, 10, 10), (30, 50, 8, 8))
    predicted = mask(
        *((0, 0, 10, 10), (0, 10, 10, 10)),  # a nucleus in halves
        (20, 0, 10, 20),  # two nuclei under one mask
        *((0, 30, 5, 20), (5, 30, 5, 20)),  # two nuclei under two masks, each with a half of both
        (25, 30, 5, 5),  # beside all
    )
    found = measures(predicted, true)
    assert (found["split_errors"], found["merge_errors"], found["catastrophes"]) == (1, 1, 1)
    assert (found["correct_detections"], found["incorrect_detections"]) == (0, 6)
    links = link_nuclei(overlaps(predicted, true))
    assert links.splits == [([0, 1], [0])]
    assert links.merges == [([2], [1, 2])]
    assert links.catastrophes == [([3, 4], [3, 4])]


def test_a_linked_nucleus_is_in_no_error() -> None:
    # 7 of 10 columns link; the mask on the rest is incorrect, and no split.
    found = measures(mask((0, 0, 10, 14), (0, 14, 10, 6)), mask((0, 0, 10, 20)))
    assert (found["correct_detections"], found["incorrect_detections"], found["split_errors"]) == (1, 1, 0)


def test_detections_at_an_overlap_of_seven_tenths() -> None:
    true = mask((0, 0, 10, 10), (20, 0, 10, 10))
    found = measures(mask((0, 0, 10, 7), (20, 0, 10, 6), (30, 40, 5, 5)), true)
    assert (found["false_negatives"], found["false_positives"]) == (1, 2)
    assert (found["fn_rate"], found["fp_rate"]) == (0.5, 1.0)


def test_touching_nuclei_are_separated_where_a_mask_has_one_alone() -> None:
    true = mask((0, 0, 10, 10), (0, 11, 10, 10), (20, 0, 10, 10), (20, 10, 10, 10), (30, 40, 8, 8))
    predicted = mask((0, 0, 10, 10), (0, 11, 10, 6), (20, 0, 10, 20))
    found = measures(predicted, true)
    assert found["touching_nuclei"] == 4, "one pixel is between the first two, and the last is alone"
    assert found["touching_separated"] == 0.5


def test_aggregated_jaccard_index_by_hand() -> None:
    # 80 of 100 px; one nucleus of 100 px missed; 50 px beside.
    found = measures(mask((0, 0, 10, 8), (20, 40, 5, 10)), mask((0, 0, 10, 10), (20, 0, 10, 10)))
    assert found["aji"] == pytest.approx(80 / (100 + 100 + 50))
    assert found["pq"] == pytest.approx(0.8 / 2)
    assert found["sq"] == pytest.approx(0.8)
    assert found["rq"] == 0.5
    assert found["mean_dice"] == pytest.approx(160 / 180)
    assert found["area_bias"] == pytest.approx(-0.2)


def test_distances_of_outlines_by_hand() -> None:
    # Two columns less on the right: the true outline's corner there is 2 px away, all else agrees within that.
    found = measures(mask((5, 5, 10, 8)), mask((5, 5, 10, 10)))
    assert found["hausdorff_px"] == 2
    assert found["surface_agreement"] == 1
    found = measures(mask((5, 5, 10, 6)), mask((5, 5, 10, 10)))
    assert found["hausdorff_px"] == 4
    # Of 28 px of the mask all are within 2 px, but for its right side's inner ones, rows 3 to 8: 4 px from the true
    # right side, and 3 px or more from above and below in rows 4 to 7 alone.
    # Of 36 px of the truth, columns 8 to 10 above and below: 7 to 9 are 2, 3 and 4 px away; the right side is 4.
    assert found["surface_agreement"] == pytest.approx((28 - 4 + 36 - 2 * 1 - 10) / (28 + 36))


def test_several_images_are_measured_together_or_one_by_one() -> None:
    right, wrong = mask((0, 0, 10, 10)), mask((20, 20, 10, 10))
    three = mask((0, 0, 10, 10), (20, 0, 10, 10), (20, 40, 10, 10))
    counts = [count_measures(p, t, overlaps(p, t)) for p, t in ((right, wrong), (three, three))]
    found = quotients({key: sum(one[key] for one in counts) for key in counts[0]})
    assert found["pq"] == 0.75
    assert found["pq_by_image"] == found["aji"] == 0.5


def test_nothing_predicted_and_nothing_there() -> None:
    found = measures(mask(), mask())
    assert (found["pixel_accuracy"], found["pixel_mean_iu"]) == (1, 1)
    assert all(math.isnan(found[name]) for name in ("pq", "aji", "fn_rate", "pixel_f1", "touching_separated"))
    found = measures(mask(), mask((0, 0, 5, 5)))
    assert (found["pq"], found["aji"], found["fn_rate"]) == (0, 0, 1)
    assert math.isnan(found["hausdorff_px"])


@pytest.mark.parametrize("seed", range(4))
def test_agrees_with_other_packages_on_random_masks(seed: int) -> None:
    from scipy.spatial.distance import directed_hausdorff
    from skimage.metrics import hausdorff_distance
    from skimage.segmentation import find_boundaries

    predicted, true = random_masks(seed)
    found = measures(predicted, true)
    p, t = predicted > 0, true > 0
    assert found["pixel_rmse"] == pytest.approx(np.sqrt(np.mean((p.astype(float) - t) ** 2)))
    pairs = [(a, b) for a in np.unique(predicted)[1:] for b in np.unique(true)[1:]
             if 3 * np.sum((predicted == a) & (true == b)) > np.sum(predicted == a) + np.sum(true == b)]  # fmt: skip
    assert len(pairs) > 3
    outlines = [
        [
            np.pad(one, 1) & find_boundaries(np.pad(one, 1), connectivity=1, mode="inner")
            for one in (predicted == a, true == b)
        ]
        for a, b in pairs
    ]
    assert found["hausdorff_px"] == pytest.approx(np.mean([hausdorff_distance(*both) for both in outlines]))
    one, other = (np.argwhere(outline).astype(np.int32) for outline in outlines[0])
    assert outline_distances(one, other)[0].max() == pytest.approx(directed_hausdorff(one, other)[0])


@pytest.mark.parametrize("seed", [0, 1, 2, 8])
def test_panoptic_quality_is_that_of_an_assignment_but_for_overlaps_of_exactly_half(seed: int) -> None:
    """StarDist's `matching` assigns nuclei, and counts an overlap of exactly half, too. It rounds to 32 bits."""
    from scipy.optimize import linear_sum_assignment  # type: ignore[attr-defined]

    predicted, true = random_masks(seed)
    p, t = (np.unique(labels)[1:] for labels in (predicted, true))
    iou = np.array(
        [[np.sum((true == a) & (predicted == b)) / np.sum((true == a) | (predicted == b)) for b in p] for a in t]
    )

    def assigned(good: NDArray[np.bool_]) -> float:
        rows, columns = linear_sum_assignment(-good.astype(float) - iou / (2 * min(iou.shape)))
        return float(2 * np.sum((iou * good)[rows, columns]) / sum(iou.shape))

    found = measures(predicted, true)["pq"]
    assert found == pytest.approx(assigned(iou > 0.5))
    assert (found == pytest.approx(assigned(iou >= 0.5), abs=1e-6)) == (not np.any(iou == 0.5))


def test_a_mask_of_exactly_half_a_nucleus_is_no_partner() -> None:
    found = measures(mask((0, 0, 10, 5), (20, 0, 10, 8)), mask((0, 0, 10, 10), (20, 0, 10, 10)))
    assert found["pq"] == pytest.approx(0.8 / 2)
    assert found["rq"] == 0.5


def test_intervals_hold_what_is_measured_and_depend_on_the_seed_alone() -> None:
    counts = []
    for seed in range(12):
        predicted, true = random_masks(seed)
        counts.append(count_measures(predicted, true, overlaps(predicted, true)))
    total = quotients({key: sum(one[key] for one in counts) for key in counts[0]})
    found = intervals(counts, quotients, times=200, seed=3)
    for name in ("pq", "aji", "pixel_f1", "fn_rate", "hausdorff_px"):
        assert found[name][0] < total[name] < found[name][1]
    again = intervals(counts, quotients, times=200, seed=3)
    np.testing.assert_equal(again, found)
    assert intervals(counts, quotients, times=200, seed=4)["pq"] != found["pq"]
    assert intervals(counts[:1], quotients) == {}


def test_intervals_are_those_of_a_mean() -> None:
    # The bootstrap's interval of a mean of n values is that of a normal distribution with their SD over sqrt(n).
    values = np.random.default_rng(1).normal(5, 2, 400)
    images = [{"sum": value, "count": 1} for value in values]
    ends = intervals(images, lambda sums: {"mean": sums["sum"] / sums["count"]}, times=2000)["mean"]
    half = 1.96 * values.std() / 20
    np.testing.assert_allclose(ends, (values.mean() - half, values.mean() + half), atol=0.03)


def test_evaluate_has_all_measures() -> None:
    found = evaluate(mask((0, 0, 10, 8)), mask((0, 0, 10, 10)))
    assert found["pq"] == found["aji"] == found["mean_iou"] == 0.8
    assert {"touching_separated", "fn_rate", "pixel_mean_iu", "hausdorff_95_px", "ap_0.75"} <= found.keys()


def test_many_nuclei_are_measured_in_seconds() -> None:
    true = np.kron(np.arange(1, 2501, dtype=np.int32).reshape(50, 50), np.ones((24, 24), np.int32))
    true[::24] = 0
    true[:, ::24] = 0
    start = time.perf_counter()
    found = measures(np.roll(true, 2, axis=0), true)
    assert time.perf_counter() - start < 10
    assert found["correct_detections"] == 2500


@pytest.mark.parametrize("seed", range(4))
def test_links_are_those_of_the_assignment_of_least_cost(seed: int) -> None:
    """The whole matrix of Moen et al.: a link costs 1 less its overlap, on both sides, and a nucleus without it 0.4."""
    from scipy.optimize import linear_sum_assignment  # type: ignore[attr-defined]

    predicted, true = random_masks(seed)
    p, t = (np.unique(labels)[1:] for labels in (predicted, true))
    iou = np.array(
        [[np.sum((true == a) & (predicted == b)) / np.sum((true == a) | (predicted == b)) for b in p] for a in t]
    )
    alone = [0.4 * np.eye(n) + (1 - np.eye(n)) for n in iou.shape]
    cost = np.block([[1 - iou, alone[0]], [alone[1], 1 - iou.T]])
    rows, columns = linear_sum_assignment(cost)
    inside = (rows < t.size) & (columns < p.size)
    links = link_nuclei(overlaps(predicted, true)).linked
    assert len(links) > 3
    assert {(int(b), int(a)) for b, a in links} == set(
        zip(columns[inside].tolist(), rows[inside].tolist(), strict=True)
    )
