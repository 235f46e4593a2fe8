from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from matplotlib import colormaps
from matplotlib.colors import to_hex

from nnbook.errors import NnbookError
from nnbook.figures.count_brightness import SHARED, SPREAD_TITLE, describe_scatter, scatter, scatter_static

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.collections import PathCollection

WIDGETS = Path(__file__).parents[2] / "widgets"


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


def test_scatter_shows_on_any_background_and_names_units(results: pd.DataFrame) -> None:
    layout = scatter(results).layout
    assert layout.paper_bgcolor == layout.plot_bgcolor == "rgba(0, 0, 0, 0)"
    assert "grey levels" in layout.yaxis.title.text
    assert layout.xaxis.title.text == "Nuclei per panorama"


def test_static_scatter_draws_the_same_points(results: pd.DataFrame) -> None:
    figure = scatter_static(results)
    axes = figure.axes[0]
    points: PathCollection = axes.collections[0]  # type: ignore[assignment]
    assert np.asarray(points.get_offsets()).tolist() == [[10, 60], [20, 50], [30, 80], [40, 90]]
    colours: Any = points.get_array()
    assert colours.tolist() == [11, 22, 33, 44]
    assert np.asarray(axes.lines[0].get_xydata()).tolist() == [[25.0, 70.0]]


@pytest.mark.parametrize("draw", [scatter, scatter_static])
def test_scatter_of_no_nucleus_is_refused(results: pd.DataFrame, draw: Any) -> None:
    with pytest.raises(NnbookError, match="no panorama in the table has a nucleus"):
        draw(results.tail(1))


def test_both_forms_show_the_same_part_of_the_plane(results: pd.DataFrame) -> None:
    layout, axes = scatter(results).layout, scatter_static(results).axes[0]
    for x_limits, y_limits in ((layout.xaxis.range, layout.yaxis.range), (axes.get_xlim(), axes.get_ylim())):
        assert (*x_limits, *y_limits) == pytest.approx((8.5, 41.5, 48, 92))


def test_points_of_one_value_have_room_beside_them(results: pd.DataFrame) -> None:
    shown = describe_scatter(results.head(1))
    assert (shown.x_limits, shown.y_limits) == ((9, 11), (57, 63))


@pytest.mark.parametrize(("panoramas", "px"), [(400, 10), (401, 6.5), (8000, 6.5), (8001, 4.5)])
def test_many_points_are_drawn_smaller(results: pd.DataFrame, panoramas: int, px: float) -> None:
    assert describe_scatter(results.iloc[np.zeros(panoramas, int)]).marker_px == px


def test_the_widget_has_the_same_colours() -> None:
    source = (WIDGETS / "shared" / "colourmaps.ts").read_text(encoding="utf-8")
    stops = re.search(rf"{SHARED['colourMap']}:\s+'([0-9a-f ]+)'", source)
    assert stops
    colours = stops[1].split()
    scale = colormaps[SHARED["colourMap"]](np.linspace(0, 1, len(colours)))
    assert [f"#{colour}" for colour in colours] == [to_hex(colour) for colour in scale]
