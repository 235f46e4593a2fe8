from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from nnbook.figures.cells import NO_CELLS, by_run, cell_sheet, mosaic_sheet


def test_cells_are_shown_in_rows_with_a_scale_bar_as_long_as_it_says() -> None:
    cells = np.arange(7, dtype=np.uint8)[:, np.newaxis, np.newaxis] * np.ones((1, 64, 64), np.uint8)
    figure = cell_sheet(cells, px_per_um=2.0, columns=3)
    (axes,) = figure.axes
    sheet: Any = axes.images[0].get_array()
    assert sheet[::64, ::64].tolist() == [[0, 1, 2], [3, 4, 5]], "the seventh would not fill its row"
    assert axes.images[0].get_clim() == (0, 255)
    (bar,) = axes.lines
    assert np.ptp(np.asarray(bar.get_xdata(), float)) == pytest.approx(40)
    assert axes.texts[0].get_text() == "20 µm; each square is 32.0 µm wide"


def test_without_cells_the_sheet_says_so() -> None:
    (text,) = cell_sheet(np.zeros((0, 64, 64), np.uint8), 2.0).texts
    assert text.get_text() == NO_CELLS


def test_a_mosaic_is_shown_as_measured_and_multiplied_by_run() -> None:
    cells = np.full((3, 4, 8, 8), [[[[10]]], [[[20]]], [[[200]]]], np.uint8)
    figure = mosaic_sheet(cells, [1, 2, 7], [2.0, 1.0, 1.5], 2.0)
    measured, normalised = (np.asarray(axes.images[0].get_array()) for axes in figure.axes)
    assert measured.shape == (24, 32)
    assert measured[::8, 0].tolist() == [10, 20, 200]
    assert normalised[::8, 0].tolist() == [20, 20, 255]
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["Run 1", "Run 2", "Run 7"]
    assert [axes.images[0].get_clim() for axes in figure.axes] == [(0, 255)] * 2
    (text,) = mosaic_sheet(cells[:0], [], [], 2.0).texts
    assert text.get_text() == NO_CELLS


def test_experiments_are_shown_by_mean_and_spread() -> None:
    cells = pd.DataFrame({"run": [1, 1, 4, 4], "area_um2": [10.0, 30, 50, 50], "mean_intensity": [100.0, 120, 60, 80]})
    area_axes, grey_axes = by_run(cells).axes
    for axes, means, spreads in ((area_axes, [20, 50], [10, 0]), (grey_axes, [110, 70], [10, 10])):
        points, (_, _), (bars,) = axes.containers[0]
        assert points.get_xydata().tolist() == [[1, means[0]], [4, means[1]]]
        ends = [path.vertices[:, 1] for path in bars.get_paths()]
        assert [np.ptp(end) / 2 for end in ends] == pytest.approx(spreads)
        assert axes.lines[0].get_ydata() == pytest.approx([np.mean(means)] * 2)
    (text,) = by_run(cells[:0]).texts
    assert text.get_text() == NO_CELLS
