from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest

from nnbook.measurement.appearance import between_runs_share, cut_like_published, describe_cell

if TYPE_CHECKING:
    from numpy.typing import NDArray


def test_a_cell_is_described_by_its_pixels() -> None:
    cell = np.zeros((80, 80), np.uint8)
    cell[10:70, 10:70] = 4
    cell[30:50, 20:60] = 200
    found = describe_cell(cell)
    assert found is not None
    assert (found.mask_px, found.bright_px) == (3600, 800)
    assert (found.bright, found.background) == (200, 4)
    inside = cell[cell > 0]
    assert [found.mean, found.spread] == pytest.approx([inside.mean(), inside.std()])
    assert found.texture == pytest.approx((0, 0, 0, 0), abs=1e-6)


def test_texture_is_found_at_its_scale() -> None:
    x = np.arange(120)
    for period, band in ((5, 0), (20, 2)):
        wave = 150 + 60 * np.sin(2 * math.pi * x / period)
        cell = np.full((120, 120), 5, np.uint8)
        cell[20:100] = wave.astype(np.uint8)
        found = describe_cell(np.where(np.arange(120)[:, None] < 110, cell, 0).astype(np.uint8))
        assert found is not None
        assert int(np.argmax(found.texture)) == band


@pytest.mark.parametrize("cell", [np.zeros((9, 9), np.uint8), np.full((9, 9), 7, np.uint8)])
def test_an_even_cell_is_not_described(cell: NDArray[np.uint8]) -> None:
    assert describe_cell(cell) is None


def test_variance_is_divided_between_and_within_runs() -> None:
    assert between_runs_share([1, 1, 5, 5], [3, 3, 8, 8]) == 1
    assert between_runs_share([1, 5, 1, 5], [3, 3, 8, 8]) == 0
    assert between_runs_share([0, 2, 4, 6], [1, 1, 2, 2]) == pytest.approx(4 / 5)
    assert math.isnan(between_runs_share([2, 2], [1, 2]))


def test_a_dividing_cell_is_cut_out_under_a_mask_of_the_size_asked_for() -> None:
    own, others = np.zeros((2, 60, 60), bool)
    own[20:40, 15:22], own[20:40, 38:45], others[:, 50:] = True, True, True
    cell = cut_like_published(np.zeros((60, 60), np.uint8), own, others, 1200)
    assert (cell > 0).sum() == 1200
    assert cell[30, 30] == 1
    assert not cell[others].any()
