from __future__ import annotations

import math
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from nnbook.errors import NnbookError
from nnbook.figures import style as figures
from nnbook.figures.cells import NO_CELLS, by_run, cell_sheet, mosaic_sheet
from nnbook.figures.count_brightness import SPREAD_TITLE, scatter, scatter_static
from nnbook.figures.panoramas import NO_IMAGES, Panel, contact_sheet, outlined, read_panels
from nnbook.figures.tables import cells_table, representatives_table
from nnbook.io.images import write_image, write_mask
from nnbook.io.manifest import Panorama
from nnbook.measurement.selection import representatives
from nnbook.values import published
from nnbook.values.table import Table

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.collections import PathCollection

NOTE = "Simulated images."


@pytest.fixture
def results() -> pd.DataFrame:
    """Four measured panoramas whose centroid is at 25 nuclei and 70 grey levels, and one without a nucleus."""
    return pd.DataFrame(
        {
            "image": [f"Run{run}TL_top_left.tif" for run in (1, 2, 3, 4, 5)],
            "num_rois": [10, 20, 30, 40, 0],
            "mean_intensity": [60.0, 50.0, 80.0, 90.0, np.nan],
            "std_intensity": [11.0, 22.0, 33.0, 44.0, np.nan],
        }
    )


def panorama(name: str, side: int) -> Panorama:
    return Panorama(name, 1, "TL", "top_left", "", f"panoramas/{name}.tif", "", side, side, 8.0, "", "twin:1")


def panel(name: str = "Run1TL_top_left", px_per_um: float = 2.0) -> Panel:
    labels = np.zeros((100, 100), np.int32)
    labels[20:70, 20:70] = 1
    return Panel(name, labels * np.float32(100), labels, px_per_um)


def test_scatter_draws_every_panorama_that_has_a_nucleus(results: pd.DataFrame) -> None:
    points, _ = scatter(results).data
    assert list(points.x) == [10, 20, 30, 40]
    assert list(points.y) == [60.0, 50.0, 80.0, 90.0]
    assert list(points.customdata) == [f"Run{run}TL_top_left" for run in (1, 2, 3, 4)]


def test_scatter_colours_by_spread(results: pd.DataFrame) -> None:
    points, _ = scatter(results).data
    assert list(points.marker.color) == [11.0, 22.0, 33.0, 44.0]
    assert points.marker.colorbar.title.text == SPREAD_TITLE


def test_scatter_marks_and_names_the_centroid(results: pd.DataFrame) -> None:
    figure = scatter(results)
    centroid = figure.data[1]
    assert (list(centroid.x), list(centroid.y)) == ([25.0], [70.0])
    name = figure.layout.annotations[0]
    assert (name.x, name.y) == (25.0, 70.0)
    assert "Centroid" in name.text


def test_scatter_shows_on_any_background_and_names_units_and_edition(results: pd.DataFrame) -> None:
    layout = scatter(results, NOTE).layout
    assert layout.paper_bgcolor == layout.plot_bgcolor == "rgba(0, 0, 0, 0)"
    assert "grey levels" in layout.yaxis.title.text
    assert layout.xaxis.title.text == "Nuclei per panorama"
    assert layout.annotations[1].text == NOTE


def test_static_scatter_draws_the_same_points(results: pd.DataFrame) -> None:
    figure = scatter_static(results, NOTE)
    axes = figure.axes[0]
    points: PathCollection = axes.collections[0]  # type: ignore[assignment]
    assert np.asarray(points.get_offsets()).tolist() == [[10, 60], [20, 50], [30, 80], [40, 90]]
    colours: Any = points.get_array()
    assert colours.tolist() == [11, 22, 33, 44]
    assert np.asarray(axes.lines[0].get_xydata()).tolist() == [[25.0, 70.0]]
    assert figure.get_suptitle() == NOTE


@pytest.mark.parametrize("draw", [scatter, scatter_static])
def test_scatter_of_no_nucleus_is_refused(results: pd.DataFrame, draw: Any) -> None:
    with pytest.raises(NnbookError, match="no panorama in the table has a nucleus"):
        draw(results.tail(1))


def test_representatives_are_listed_by_distance(results: pd.DataFrame) -> None:
    chosen = representatives(results, 4)
    table = representatives_table(chosen.iloc[::-1], NOTE)
    assert [row[0] for row in table.rows] == ["1", "2", "3", "4"]
    assert [row[1] for row in table.rows] == [name.removesuffix(".tif") for name in chosen["image"]]
    distances = [float(row[4]) for row in table.rows]
    assert distances == sorted(distances)
    assert NOTE in table._repr_html_()


def test_representatives_numbers_are_formatted() -> None:
    chosen = pd.DataFrame(
        {
            "image": ["a.tif"],
            "num_rois": [1234],
            "mean_intensity": [78.6077],
            "std_intensity": [1.0],
            "distance": [0.0456],
        }
    )
    assert representatives_table(chosen).rows == (("1", "a", "1,234", "78.61", "0.046"),)


def test_cells_are_counted_beside_rois_and_the_published_numbers(results: pd.DataFrame) -> None:
    runs = [{"run": 1, "cells": 30}, {"run": 2, "cells": 50}]
    store = {"cells": 80, "left_out": {"at_border": 16, "larger_than_frame": 4}, "runs": runs}
    side = math.sqrt(published.TOTAL_AREA_PX2 / published.PANORAMAS)
    table = cells_table(results, store, round(len(results) * side**2), "Which edition.")
    values = {row[0]: row[1:] for row in table.rows}
    assert values["ROIs in the table of results"] == ("1,111,184", "100", "−1,111,084")
    assert values["Single-cell images"] == ("1,061,277", "80", "−1,061,197")
    assert values["ROIs without an image"] == ("49,907", "20", "−49,887")
    assert [row[2] for row in table.rows if row[0].startswith("…")] == ["16", "4", "20.0", "30", "50"]
    assert values["ROIs without an image (%)"] == ("4.5", "20.0", "+15.5")
    assert values["Images per experiment, mean"] == ("10,613", "40", "−10,573")
    assert table.note == "Which edition."


def test_small_panoramas_cut_more_nuclei_at_their_edge(results: pd.DataFrame) -> None:
    # Nuclei of extent 100 px: 4sd/(s + d)^2 of them are cut by a square of side s = 1000 px, and fewer by a large one.
    side = math.sqrt(published.TOTAL_AREA_PX2 / published.PANORAMAS)
    cut, expected = (4 * s * 100 / (s + 100) ** 2 for s in (1000, side))
    results = results.assign(num_rois=0)
    results.loc[0, "num_rois"] = 1_000_000
    lost = round(cut * 1_000_000)
    for larger, whole in ((0, 0.0), (round(0.1 * (1_000_000 - lost)), 0.1)):
        left_out = {"at_border": lost, "larger_than_frame": larger}
        store = {"cells": 1_000_000 - lost - larger, "left_out": left_out, "runs": [{"run": 1, "cells": 1}]}
        table = cells_table(results, store, len(results) * 1000**2)
        [told] = [row[2] for row in table.rows if "published size" in row[0]]
        assert told == f"{100 * (expected + (1 - expected) * whole):.1f}"


def test_cells_of_an_edition_without_images_are_left_open(results: pd.DataFrame) -> None:
    store = {"cells": 0, "left_out": {"at_border": 0, "larger_than_frame": 0}, "runs": []}
    own = {row[0]: row[2] for row in cells_table(results, store, 64).rows}
    assert own.pop("ROIs in the table of results") == "100"
    assert set(own.values()) == {"–"}
    empty = cells_table(results.assign(num_rois=0), store, 64)
    assert {row[2] for row in empty.rows} == {"–"}


def test_table_is_safe_and_readable_as_text() -> None:
    table = Table(("Name", "Value"), (("<b>", "10"), ("x", "5")), frozenset({1}), "a & b")
    assert "&lt;b&gt;" in table._repr_html_()
    assert "a &amp; b" in table._repr_html_()
    assert repr(table) == "Name  Value\n<b>      10\nx         5\na & b"


def test_notice_is_escaped() -> None:
    assert figures.Notice("1 < 2")._repr_html_() == "<p><em>1 &lt; 2</em></p>"


def test_panels_are_reduced_with_their_masks_and_scale(tmp_path: Path) -> None:
    image = np.arange(64, dtype=np.uint8).reshape(8, 8)
    labels = np.zeros((8, 8), np.int32)
    labels[:, 4:] = 7
    for name in ("a", "b"):
        write_image(tmp_path / "panoramas" / f"{name}.tif", image)
        write_mask(tmp_path / "masks" / f"{name}_cp_masks.tif", labels)
    panels = read_panels(tmp_path, [panorama("a", 8), panorama("b", 8)], ["b.tif", "a"], side_px=4)
    assert [panel.name for panel in panels] == ["b", "a"]
    assert panels[0].px_per_um == 4.0
    assert panels[0].image.shape == panels[0].labels.shape == (4, 4)
    assert panels[0].image[0, 0] == image[:2, :2].mean()
    assert panels[0].labels[0].tolist() == [0, 0, 7, 7]


def test_panels_of_sides_that_the_step_does_not_divide(tmp_path: Path) -> None:
    write_image(tmp_path / "panoramas" / "a.tif", np.ones((11, 7), np.uint8))
    write_mask(tmp_path / "masks" / "a_cp_masks.tif", np.ones((11, 7), np.int32))
    (reduced,) = read_panels(tmp_path, [panorama("a", 8)], ["a"], side_px=5)
    assert reduced.image.shape == reduced.labels.shape == (3, 2)


def test_panels_of_an_edition_without_images(tmp_path: Path) -> None:
    assert read_panels(tmp_path, [], ["a.tif"]) == []


def test_panels_refuse_an_unknown_name_and_a_mask_of_another_size(tmp_path: Path) -> None:
    with pytest.raises(NnbookError, match="has no panorama b"):
        read_panels(tmp_path, [panorama("a", 8)], ["b.tif"])
    write_image(tmp_path / "panoramas" / "a.tif", np.ones((8, 8), np.uint8))
    write_mask(tmp_path / "masks" / "a_cp_masks.tif", np.ones((8, 9), np.int32))
    with pytest.raises(NnbookError, match="another size"):
        read_panels(tmp_path, [panorama("a", 8)], ["a.tif"])


def test_outlines_follow_the_mask() -> None:
    shown = panel()
    rgb = outlined(shown, white=200.0)
    vermilion = (rgb == [0xD5, 0x5E, 0x00]).all(axis=2)
    assert vermilion[20, 45]
    assert vermilion[45, 69]
    assert rgb[45, 45].tolist() == [127, 127, 127]
    assert not rgb[5, 5].any()


def test_contact_sheet_shows_each_panorama_with_its_rank(results: pd.DataFrame) -> None:
    names = results["image"].str.removesuffix(".tif").tolist()
    figure = contact_sheet([panel(name) for name in names], NOTE)
    shown = [axes for axes in figure.axes if axes.images]
    assert [axes.get_title(loc="left") for axes in shown] == [f"{n}  {name}" for n, name in enumerate(names, start=1)]
    assert figure.get_suptitle() == NOTE


def test_contact_sheet_scale_bar_is_as_long_as_it_says() -> None:
    axes = contact_sheet([panel(px_per_um=2.0)]).axes[0]
    (label,) = axes.texts
    bar: Any = axes.patches[1]
    assert label.get_text() == "10 µm"
    assert bar.get_width() == 20.0


def test_contact_sheet_of_dark_panoramas_is_dark() -> None:
    dark = panel()._replace(image=np.zeros((100, 100), np.float32))
    array: Any = contact_sheet([dark]).axes[0].images[0].get_array()
    assert array[0, 0].tolist() == [0, 0, 0]


def test_contact_sheet_without_images_says_so() -> None:
    (text,) = contact_sheet([]).texts
    assert text.get_text() == NO_IMAGES


def test_cells_lie_in_rows_with_a_scale_bar_as_long_as_it_says() -> None:
    cells = np.arange(7, dtype=np.uint8)[:, np.newaxis, np.newaxis] * np.ones((1, 64, 64), np.uint8)
    figure = cell_sheet(cells, px_per_um=2.0, note=NOTE, columns=3)
    (axes,) = figure.axes
    sheet: Any = axes.images[0].get_array()
    assert sheet[::64, ::64].tolist() == [[0, 1, 2], [3, 4, 5]], "the seventh would not fill its row"
    assert axes.images[0].get_clim() == (0, 255)
    (bar,) = axes.lines
    assert np.ptp(np.asarray(bar.get_xdata(), float)) == pytest.approx(40)
    assert axes.texts[0].get_text() == "20 µm; each square is 32.0 µm wide"
    assert figure.get_suptitle() == NOTE


def test_without_cells_the_sheet_says_so() -> None:
    (text,) = cell_sheet(np.zeros((0, 64, 64), np.uint8), 2.0).texts
    assert text.get_text() == NO_CELLS


def test_a_mosaic_is_shown_as_measured_and_multiplied_by_run() -> None:
    cells = np.full((3, 4, 8, 8), [[[[10]]], [[[20]]], [[[200]]]], np.uint8)
    figure = mosaic_sheet(cells, [1, 2, 7], [2.0, 1.0, 1.5], 2.0, NOTE)
    measured, normalised = (np.asarray(axes.images[0].get_array()) for axes in figure.axes)
    assert measured.shape == (24, 32)
    assert measured[::8, 0].tolist() == [10, 20, 200]
    assert normalised[::8, 0].tolist() == [20, 20, 255]
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["Run 1", "Run 2", "Run 7"]
    assert [axes.images[0].get_clim() for axes in figure.axes] == [(0, 255)] * 2
    assert figure.get_suptitle() == NOTE
    (text,) = mosaic_sheet(cells[:0], [], [], 2.0).texts
    assert text.get_text() == NO_CELLS


def test_experiments_are_shown_by_mean_and_spread() -> None:
    cells = pd.DataFrame({"run": [1, 1, 4, 4], "area_um2": [10.0, 30, 50, 50], "mean_intensity": [100.0, 120, 60, 80]})
    area_axes, grey_axes = by_run(cells, NOTE).axes
    for axes, means, spreads in ((area_axes, [20, 50], [10, 0]), (grey_axes, [110, 70], [10, 10])):
        points, (_, _), (bars,) = axes.containers[0]
        assert points.get_xydata().tolist() == [[1, means[0]], [4, means[1]]]
        ends = [path.vertices[:, 1] for path in bars.get_paths()]
        assert [np.ptp(end) / 2 for end in ends] == pytest.approx(spreads)
        assert axes.lines[0].get_ydata() == pytest.approx([np.mean(means)] * 2)
    (text,) = by_run(cells[:0]).texts
    assert text.get_text() == NO_CELLS


@pytest.mark.parametrize(("most", "length"), [(75.0, 50.0), (50.0, 50.0), (49.0, 20.0), (9.9, 5.0), (1400.0, 1000.0)])
def test_scale_bars_have_round_lengths(most: float, length: float) -> None:
    assert figures.round_length(most) == length


def test_picture_is_written_and_shown_with_its_text(tmp_path: Path, results: pd.DataFrame) -> None:
    path = tmp_path / "figures" / "scatter.png"
    shown, metadata = figures.picture(scatter_static(results), path, "A scatter plot.")._repr_png_()
    assert shown == path.read_bytes()
    assert metadata == {"alt": "A scatter plot."}
    with Image.open(BytesIO(shown)) as image:
        assert image.size == (1440, 1152)
    assert figures.picture(scatter_static(results), path, "")._repr_png_()[0] == shown
