import math
from pathlib import Path

import numpy as np
import pytest

from nnbook.errors import NnbookError
from nnbook.evaluation.metrics import THRESHOLDS, evaluate, evaluate_folders, mistakes, overlaps, partners
from nnbook.io.images import Labels, write_mask


def mask(*boxes: tuple[int, int, int, int]) -> Labels:
    """Draw rectangles (y, x, height, width), numbered from 1, on 40 x 60 px."""
    labels = np.zeros((40, 60), dtype=np.int32)
    for label, (y, x, height, width) in enumerate(boxes, start=1):
        labels[y : y + height, x : x + width] = label
    return labels


def test_same_masks_score_one_whatever_their_numbers() -> None:
    true = mask((0, 0, 10, 10), (20, 20, 10, 10), (0, 30, 5, 5))
    predicted = np.array([0, 70_000, 3, 9], dtype=np.int32)[true]
    scores = evaluate(predicted, true)
    assert scores["f1_0.50"] == scores["ap_0.95"] == scores["mean_ap"] == scores["mean_iou"] == 1
    assert scores["true_nuclei"] == scores["predicted_nuclei"] == scores["tp_0.95"] == 3
    assert scores["splits"] == scores["merges"] == scores["missed"] == scores["spurious"] == 0


def test_counts_by_hand() -> None:
    # One matched at IoU 80/100, one missed, one spurious.
    true = mask((0, 0, 10, 10), (20, 20, 10, 10))
    predicted = mask((0, 0, 10, 8), (20, 45, 10, 10))
    scores = evaluate(predicted, true)
    assert (scores["tp_0.50"], scores["tp_0.80"], scores["tp_0.85"]) == (1, 1, 0)
    assert scores["f1_0.50"] == pytest.approx(2 / (2 + 1 + 1))
    assert scores["ap_0.50"] == pytest.approx(1 / 3)
    assert scores["mean_ap"] == pytest.approx(7 / 10 / 3)
    assert scores["mean_iou"] == pytest.approx(0.8)
    assert (scores["missed"], scores["spurious"], scores["splits"], scores["merges"]) == (1, 1, 0, 0)


def test_split_and_merge() -> None:
    true = mask((0, 0, 10, 20), (20, 0, 10, 10), (20, 10, 10, 10))
    predicted = mask((0, 0, 10, 12), (0, 12, 10, 8), (20, 0, 10, 20))
    scores = evaluate(predicted, true)
    assert (scores["splits"], scores["merges"], scores["missed"], scores["spurious"]) == (1, 1, 0, 0)
    assert scores["tp_0.50"] == 2  # 12 of 20 columns, and exactly half of the merged one


def test_mistakes_name_the_nuclei_and_are_as_many_as_are_counted() -> None:
    true = mask((0, 0, 10, 20), (20, 0, 10, 10), (20, 10, 10, 10), (0, 40, 10, 10)) * 3
    predicted = mask((0, 0, 10, 12), (0, 12, 10, 8), (20, 0, 10, 20), (30, 50, 5, 5)) * 70_000
    found = {kind: labels.tolist() for kind, labels in mistakes(predicted, true).items()}
    assert found == {"missed": [12], "spurious": [280_000], "split": [3], "merged": [210_000]}
    scores = evaluate(predicted, true)
    assert {kind: scores[kind] for kind in ("missed", "spurious", "splits", "merges")} == dict.fromkeys(
        ("missed", "spurious", "splits", "merges"), 1
    )
    none = mistakes(true, true)
    assert all(labels.size == 0 for labels in none.values())
    with pytest.raises(NnbookError, match="px"):
        mistakes(true[:5], true)


def test_one_partner_each_at_exactly_half() -> None:
    scores = evaluate(mask((0, 0, 10, 10), (0, 10, 10, 10)), mask((0, 0, 10, 20)))
    assert scores["tp_0.50"] == 1
    assert scores["tp_0.55"] == 0


def test_partners_share_more_than_half_of_what_they_cover_together() -> None:
    true = mask((0, 0, 10, 10), (20, 0, 10, 20), (0, 40, 10, 10))
    predicted = np.array([0, 90_000, 5, 7, 8], np.int32)[
        mask((0, 0, 10, 8), (20, 0, 10, 10), (20, 10, 10, 10), (30, 50, 5, 5))
    ]
    assert partners(predicted, true) == {90_000: 1}, "one matches; the halves have exactly 0.5 each; one is beside"
    with pytest.raises(NnbookError, match="the predicted mask has"):
        partners(predicted[1:], true)


def test_a_nucleus_seen_only_in_part_is_missed() -> None:
    assert evaluate(mask((0, 0, 10, 4)), mask((0, 0, 10, 10)))["missed"] == 1
    assert evaluate(mask((0, 0, 10, 6)), mask((0, 0, 10, 10)))["missed"] == 0


def test_nothing_predicted_and_nothing_there() -> None:
    nothing = mask()
    scores = evaluate(nothing, nothing)
    assert math.isnan(scores["f1_0.50"])
    assert math.isnan(scores["mean_ap"])
    assert evaluate(nothing, mask((0, 0, 5, 5)))["f1_0.50"] == 0
    assert evaluate(mask((0, 0, 5, 5)), nothing)["spurious"] == 1


def test_agrees_with_cellpose() -> None:
    from cellpose.metrics import average_precision

    rng = np.random.default_rng(1)
    true = np.kron(rng.permutation(np.arange(64)).reshape(8, 8), np.ones((9, 9), dtype=int)).astype(np.int32)
    predicted = np.where(rng.random(true.shape) < 0.2, 0, np.roll(true, 1, axis=1)).astype(np.int32)
    ap, tp, _, _ = average_precision(true, predicted, threshold=list(THRESHOLDS))
    scores = evaluate(predicted, true)
    assert [scores[f"tp_{threshold:.2f}"] for threshold in THRESHOLDS] == list(tp)
    np.testing.assert_allclose([scores[f"ap_{threshold:.2f}"] for threshold in THRESHOLDS], ap, rtol=1e-6)


def test_overlaps_counts_every_pixel_once(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(2)
    a, b = (rng.integers(0, 5, (37, 23)).astype(np.int32) for _ in range(2))
    monkeypatch.setattr("nnbook.evaluation.metrics.BLOCK_PX", 100)
    p, t, area = overlaps(a, b)
    assert area.sum() == a.size
    assert {(x, y): n for x, y, n in zip(p, t, area, strict=True)} == {
        (x, y): ((a == x) & (b == y)).sum() for x in range(5) for y in range(5)
    }


@pytest.mark.parametrize("thresholds", [(), (0.4,), (1.1,)])
def test_thresholds_out_of_range(thresholds: tuple[float, ...]) -> None:
    with pytest.raises(NnbookError, match="thresholds are"):
        evaluate(mask(), mask(), thresholds)


def test_sizes_differ() -> None:
    with pytest.raises(NnbookError, match="60 x 40 px and the true one 60 x 20 px"):
        evaluate(mask(), mask()[:20])


def test_folders(tmp_path: Path) -> None:
    from skimage.io import imsave

    write_mask(tmp_path / "predicted" / "a_cp_masks.tif", mask((0, 0, 10, 8)))
    write_mask(tmp_path / "predicted" / "b_cp_masks.tif", mask())
    write_mask(tmp_path / "true" / "b.tif", mask((0, 0, 10, 10)))
    imsave(tmp_path / "true" / "a.png", mask((0, 0, 10, 10)).astype(np.uint16), check_contrast=False)
    images, total, intervals = evaluate_folders(tmp_path / "predicted", tmp_path / "true", draws=200)
    assert list(images["image"]) == ["a", "b"]
    assert list(images["tp_0.50"]) == [1, 0]
    assert total["f1_0.50"] == pytest.approx(2 / 3)
    assert total["mean_iou"] == pytest.approx(0.8)
    assert list(intervals["f1_0.50"]) == [0, 1], "some draws have the right image alone, and some the wrong one"
    assert total["pixel_accuracy"] == pytest.approx(1 - (20 + 100) / 2 / 2400)
    with pytest.raises(NnbookError, match="draws is 0"):
        evaluate_folders(tmp_path / "predicted", tmp_path / "true", draws=0)


def test_folders_name_every_problem(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_mask(tmp_path / "predicted" / f"{name}_cp_masks.tif", mask())
    write_mask(tmp_path / "true" / "a.tif", mask()[:20])
    with pytest.raises(NnbookError, match=r"b_cp_masks\.tif: has no partner"):
        evaluate_folders(tmp_path / "predicted", tmp_path / "true")
    (tmp_path / "true" / "b.tif").write_bytes(b"")
    with pytest.raises(NnbookError) as raised:
        evaluate_folders(tmp_path / "predicted", tmp_path / "true")
    first, second = str(raised.value).splitlines()
    assert "a_cp_masks.tif: has 60 x 40 px" in first
    assert "b.tif: the file is empty" in second
    with pytest.raises(NnbookError, match="no such folder"):
        evaluate_folders(tmp_path / "nowhere", tmp_path / "true")
