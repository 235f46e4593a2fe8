from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
import tifffile
from published_images import published_cell, write_images

from nnbook.cells.imported import import_cells
from nnbook.cells.sample import write_sample
from nnbook.cells.store import read_cells
from nnbook.figures.cells import NO_CELLS, by_run, cell_sheet, mosaic_sheet, nuclei_plane
from nnbook.figures.mitosis import collect_pairs, pairs_sheet
from nnbook.viewers.mosaic import read_grid

if TYPE_CHECKING:
    from pathlib import Path


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


def test_a_mosaic_of_many_cells_is_drawn_of_reduced_ones() -> None:
    runs = 40
    cells = np.zeros((runs, 3, 64, 64), np.uint8)
    cells[:, :, ::2] = 100
    figure = mosaic_sheet(cells, range(1, runs + 1), [2.0] * runs, 2.0)
    measured, normalised = (np.asarray(axes.images[0].get_array()) for axes in figure.axes)
    assert measured.shape == (runs * 32, 3 * 32), "2,560 px are more than a panel shows"
    assert (np.unique(measured), np.unique(normalised)) == ([50], [100])
    assert figure.axes[0].get_yticks().tolist() == [(row + 0.5) * 32 for row in range(0, runs, 2)]
    assert figure.axes[0].get_xlabel() == "Each square is 32.0 µm wide."


def test_figures_are_drawn_of_imported_cells(tmp_path: Path) -> None:
    images = write_images(tmp_path / "images")
    pair = published_cell(1)
    y, x = np.mgrid[: pair.shape[0], : pair.shape[1]] - 127.5
    pair[pair > 10] = 3
    for side in (-1, 1):
        pair[((x - side * 45) / 16) ** 2 + (y / 26) ** 2 <= 1] = 200
    tifffile.imwrite(images / "Run2TL_top_left_ROI_9.tif", pair)
    store = tmp_path / "cells"
    import_cells(store, images, edition="published")
    cells = read_cells(store)
    write_sample(store, tmp_path)

    measured, _ = mosaic_sheet(read_grid(store, tmp_path, 100), [2, 100], [1.0, 2.0], 2.0).axes
    assert np.asarray(measured.images[0].get_array()).shape == (2 * 64, 6 * 64)
    areas, _ = by_run(cells.table).axes
    assert areas.lines[1].get_xdata() == pytest.approx([2, 100])
    sheet = cell_sheet(np.array([cells.thumbnails[at] for at in range(len(cells))]), 2.0)
    assert sheet.axes[0].images[0].get_array() is not None
    (found,) = collect_pairs(cells.table, list(cells.images), cells.px_per_um)
    assert (found.panorama, found.roi, found.true, found.centroid_px) == ("Run2TL_top_left", 9, None, None)
    assert found.distance_um == pytest.approx(90 / cells.px_per_um, rel=0.05)
    assert len(pairs_sheet([found], cells.px_per_um).axes) == 4


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


@pytest.mark.parametrize(("nuclei", "points", "axes"), [(0, 0, 0), (30, 30, 1), (5000, 0, 2)])
def test_few_nuclei_are_points_and_many_a_density_with_its_bar(nuclei: int, points: int, axes: int) -> None:
    measured = np.random.default_rng(1).uniform(50, 200, (nuclei, 2))
    figure = nuclei_plane(pd.DataFrame(measured, columns=["area_um2", "mean_intensity"]))
    assert len(figure.axes) == axes
    assert sum(len(np.asarray(line.get_xydata())) for one in figure.axes for line in one.lines) == points


def test_one_nucleus_more_leaves_the_hexagons_where_they_are() -> None:
    rng = np.random.default_rng(1)
    cells = pd.DataFrame({"area_um2": rng.uniform(60, 330, 2000), "mean_intensity": rng.uniform(20, 240, 2000)})
    brighter = pd.concat([cells, pd.DataFrame({"area_um2": [340.0], "mean_intensity": [250.0]})])
    first, second = (nuclei_plane(one).axes[0].collections[0].get_offsets() for one in (cells, brighter))
    places = {tuple(place) for place in np.round(np.asarray(second), 6)}
    assert {tuple(place) for place in np.round(np.asarray(first), 6)} <= places
