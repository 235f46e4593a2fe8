from __future__ import annotations

import tracemalloc
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from nnbook.errors import InvalidValueError
from nnbook.io.images import write_image, write_mask
from nnbook.measurement.rim import widen
from nnbook.measurement.rois import measure, measure_panorama, summarise
from nnbook.pipeline.measured import MaskedImage, measure_file

if TYPE_CHECKING:
    from pathlib import Path

    from nnbook.io.images import Labels


def by_definition(labels: Labels, rim_px: float) -> Labels:
    """Give each pixel of background the label of the nearest pixel of a nucleus, the lowest of equally near ones."""
    y, x = np.nonzero(labels)
    widened = labels.copy()
    for row, column in np.argwhere(labels == 0):
        squares = (y - row) ** 2 + (x - column) ** 2
        if squares.min(initial=10**9) <= rim_px**2:
            widened[row, column] = labels[y, x][squares == squares.min()].min()
    return widened


@pytest.mark.parametrize("rim_px", [0, 1, 1.5, 3.7, 8, 100])
@pytest.mark.parametrize("share", [0.0, 0.004, 0.05, 0.5])
def test_each_pixel_gets_the_nearest_label(rim_px: float, share: float) -> None:
    rng = np.random.default_rng(4)
    for shape in ((1, 40), (31, 1), (29, 37)):
        labels = np.where(rng.random(shape) < share, rng.integers(1, 9, shape), 0).astype(np.int32)
        np.testing.assert_array_equal(widen(labels, rim_px), by_definition(labels, rim_px))


def test_neighbours_keep_their_masks_and_share_the_gap() -> None:
    labels = np.zeros((5, 20), np.int32)
    labels[:, 2:6], labels[:, 10:14] = 4, 2
    assert widen(labels, 3)[2].tolist() == [4] * 8 + [2] * 9 + [0] * 3
    assert widen(labels, 1)[2].tolist() == [0] + [4] * 6 + [0] * 2 + [2] * 6 + [0] * 5


@pytest.mark.parametrize("rim_px", [-1, 1001, np.nan])
def test_an_impossible_rim_is_named(rim_px: float) -> None:
    with pytest.raises(InvalidValueError, match="the rim is"):
        widen(np.zeros((4, 4), np.int32), rim_px)


def test_brightness_is_measured_under_both_masks_and_summed_up_under_the_wider() -> None:
    labels = np.zeros((30, 40), np.int32)
    labels[10:20, 5:15], labels[12:18, 24:30] = 1, 7
    image = np.random.default_rng(1).integers(0, 250, labels.shape).astype(np.uint8)
    plain, both = (measure_panorama("P", image, labels, 2.0, rim) for rim in (None, 1.5))
    wide = measure_panorama("P", image, widen(labels, 3), 2.0)
    assert both[plain.columns].equals(plain)
    assert both["wide_area_px"].tolist() == wide["area_px"].tolist()
    assert both["wide_mean_intensity"].tolist() == wide["mean_intensity"].tolist()
    assert both["wide_std_intensity"].tolist() == wide["std_intensity"].tolist()
    inside = image[widen(labels, 3) > 0]
    summary = summarise("P.tif", both)
    assert summary["mean_intensity"] == pytest.approx(inside.mean())
    assert summary["std_intensity"] == pytest.approx(inside.std())
    assert summary["area_um2"] == (labels > 0).sum() / 4


def test_rows_at_once_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(6)
    labels = np.where(rng.random((53, 37)) < 0.05, rng.integers(1, 9, (53, 37)), 0).astype(np.int32)
    image = rng.uniform(0, 1, labels.shape).astype(np.float32)
    once = measure_panorama("P", image, labels, 1.0, 4.3)
    monkeypatch.setattr("nnbook.measurement.rois.ROWS_AT_ONCE", 5)
    for one in (labels, labels.astype(np.uint16)):
        pd.testing.assert_frame_equal(measure_panorama("P", image, one, 1.0, 4.3), once, rtol=0, atol=0)


@pytest.mark.parametrize(("factor", "most"), [(1, 6), (5_000_011, 14)], ids=["numbered", "sparse"])
def test_memory_is_that_of_image_and_mask(tmp_path: Path, factor: int, most: float) -> None:
    labels = np.zeros((4096, 1024), np.int32)
    for label, (y, x) in enumerate(np.argwhere(np.ones((40, 10))) * 100, start=1):
        labels[y : y + 60, x : x + 60] = label * factor
    image = labels.astype(np.uint8)
    write_image(tmp_path / "a.tif", image)
    write_mask(tmp_path / "m.tif", labels)

    def measured() -> None:
        measure_file("a", MaskedImage(tmp_path / "a.tif", tmp_path / "m.tif", 8.0), rim_um=1.86)

    measured()  # which compiles
    tracemalloc.start()
    try:
        measured()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak / image.size < most  # bytes a pixel


def test_a_rim_needs_a_scale() -> None:
    image, mask = np.ones((4, 4), np.uint8), np.ones((4, 4), np.int32)
    with pytest.raises(InvalidValueError, match="px_per_um is missing"):
        measure(image, mask, rim_um=1.0)
    with pytest.raises(InvalidValueError, match="rim_um is 0"):
        measure(image, mask, px_per_um=1.0, rim_um=0.0)
