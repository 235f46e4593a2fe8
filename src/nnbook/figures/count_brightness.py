"""Count against brightness of all panoramas: the interactive figure and its static form.

What both forms share with the widget of this plot is in `count_brightness.json`, beside this module: the titles, the
colour map, the margin round all points as a share of what they span, and the diameter of a marker, in CSS pixels, where
there are more than so many of them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import matplotlib as mpl
import matplotlib.ticker
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from plotly.graph_objects import Figure as PlotlyFigure  # type: ignore[attr-defined]  # exported lazily

from nnbook.figures.readers import panorama_name
from nnbook.figures.style import NEUTRAL, STYLE, VERMILION
from nnbook.measurement.selection import centroid, measured

if TYPE_CHECKING:
    import pandas as pd

SHARED: Final[dict[str, Any]] = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))
COUNT_TITLE: Final[str] = SHARED["titles"]["count"]
MEAN_TITLE: Final[str] = SHARED["titles"]["mean"]
SPREAD_TITLE: Final[str] = SHARED["titles"]["spread"]


class Scatter(NamedTuple):
    """What both forms of the figure show.

    Attributes
    ----------
    names : list of str
        The panoramas that have a nucleus.
    x, y : pandas.Series
        Their number of nuclei, and their mean intensity inside masks.
    colours : pandas.Series
        Their standard deviation inside masks.
    centroid : (float, float)
        Mean of `x` and of `y`.
    x_limits, y_limits : (float, float)
        The ends of the axes.
    marker_px : float
        The diameter of a point in CSS pixels.
    """

    names: list[str]
    x: pd.Series
    y: pd.Series
    colours: pd.Series
    centroid: tuple[float, float]
    x_limits: tuple[float, float]
    y_limits: tuple[float, float]
    marker_px: float


def describe_scatter(results: pd.DataFrame) -> Scatter:
    """Return what a scatter of count against brightness shows, in any form.

    Parameters
    ----------
    results : pandas.DataFrame
        See `nnbook.io.results.read_results`. Panoramas without a nucleus have no brightness and no point.

    Returns
    -------
    Scatter
        Points in the order of the table.
    """
    table, centre = measured(results), centroid(results)
    return Scatter(
        names=[panorama_name(image) for image in table["image"]],
        x=table["num_rois"],
        y=table["mean_intensity"],
        colours=table["std_intensity"],
        centroid=(float(centre["num_rois"]), float(centre["mean_intensity"])),
        x_limits=_limits(table["num_rois"]),
        y_limits=_limits(table["mean_intensity"]),
        marker_px=next(marker["px"] for marker in SHARED["markers"] if len(table) > marker["above"]),
    )


def scatter(results: pd.DataFrame) -> PlotlyFigure:
    """Plot count against brightness, a point a panorama, coloured by the spread of brightness: interactive.

    Parameters
    ----------
    results : pandas.DataFrame
        See `nnbook.io.results.read_results`. Panoramas without a nucleus have no brightness and no point.

    Returns
    -------
    plotly.graph_objects.Figure
        Its first trace is the panoramas, in the order of the table, with their names as `customdata`; its second is
        the centroid.
    """
    shown = describe_scatter(results)
    points = {
        "type": "scatter",
        "name": "Panorama",
        "x": shown.x,
        "y": shown.y,
        "customdata": shown.names,
        "mode": "markers",
        "marker": {
            "size": shown.marker_px,
            "color": shown.colours,
            "colorscale": SHARED["colourMap"],
            # Either end of the scale is close to one of the two backgrounds; the line keeps the point visible.
            "line": {"width": 0.6, "color": NEUTRAL},
            "colorbar": {
                "title": {"text": SPREAD_TITLE, "side": "top"},
                "orientation": "h",
                "thickness": 12,
                "y": -0.17,
                "yanchor": "top",
                "outlinewidth": 0,
            },
        },
        "hovertemplate": (
            "<b>%{customdata}</b><br>%{x} nuclei<br>mean %{y:.1f} grey levels"
            "<br>SD %{marker.color:.1f} grey levels<extra></extra>"
        ),
    }
    middle = {
        "type": "scatter",
        "name": "Centroid",
        "x": [shown.centroid[0]],
        "y": [shown.centroid[1]],
        "mode": "markers",
        "marker": {"symbol": "cross", "size": 15, "color": VERMILION, "line": {"width": 1.5, "color": "white"}},
        "hovertemplate": "<b>Centroid</b><br>%{x:.1f} nuclei<br>mean %{y:.2f} grey levels<extra></extra>",
    }
    name = {
        "x": shown.centroid[0],
        "y": shown.centroid[1],
        "text": "<b>Centroid</b>",
        # The halo separates the name from the points behind it; a plate would hide them.
        "font": {"color": VERMILION, "size": 15, "shadow": ", ".join(["0 0 2px white"] * 4)},
        "arrowcolor": VERMILION,
        "ax": 48,
        "ay": -40,
    }
    return PlotlyFigure(data=[points, middle], layout={**_plotly_layout(shown), "annotations": [name]})


def scatter_static(results: pd.DataFrame) -> Figure:
    """Plot count against brightness as `scatter` does, for print.

    Parameters
    ----------
    results : pandas.DataFrame
        See `nnbook.io.results.read_results`.

    Returns
    -------
    matplotlib.figure.Figure
    """
    shown = describe_scatter(results)
    with mpl.rc_context(STYLE):
        figure = Figure(layout="constrained")
        axes = figure.subplots()
        points = axes.scatter(
            shown.x,
            shown.y,
            c=shown.colours,
            s=shown.marker_px**2 / 2,
            cmap=SHARED["colourMap"],
            edgecolors=NEUTRAL,
            linewidths=0.3,
        )
        axes.plot(*shown.centroid, "P", color=VERMILION, markersize=11, markeredgecolor="white")
        axes.annotate(
            "Centroid",
            shown.centroid,
            xytext=(28, 26),
            textcoords="offset points",
            color=VERMILION,
            fontweight="bold",
            path_effects=[withStroke(linewidth=3, foreground="white")],
            arrowprops={"arrowstyle": "-", "color": VERMILION, "shrinkB": 6},
        )
        axes.set(xlim=shown.x_limits, ylim=shown.y_limits, xlabel=COUNT_TITLE, ylabel=_in_two_lines(MEAN_TITLE, "\n"))
        bar = figure.colorbar(points, ax=axes, location="bottom", aspect=40, pad=0.04)
        bar.set_label(SPREAD_TITLE)
        bar.outline.set_visible(False)
    return figure


def _plotly_layout(shown: Scatter) -> dict[str, Any]:
    axis = {
        "gridcolor": "rgba(122, 122, 122, 0.25)",
        "linecolor": NEUTRAL,
        "showline": True,
        "ticks": "outside",
        "tickcolor": NEUTRAL,
        "zeroline": False,
        "automargin": True,
    }
    return {
        "template": None,
        "paper_bgcolor": "rgba(0, 0, 0, 0)",
        "plot_bgcolor": "rgba(0, 0, 0, 0)",
        "font": {"color": NEUTRAL, "size": 14},
        "height": 560,
        "margin": {"l": 60, "r": 16, "t": 20, "b": 10},
        # On a phone, a drag that zooms would catch readers who only scroll past; zooming is in the tool bar.
        "dragmode": False,
        "modebar": {
            "bgcolor": "rgba(0, 0, 0, 0)",
            "color": NEUTRAL,
            "activecolor": VERMILION,
            "remove": ["select2d", "lasso2d", "autoScale2d"],
        },
        "showlegend": False,
        "hovermode": "closest",
        "xaxis": axis | {"title": {"text": COUNT_TITLE, "standoff": 10}, "range": shown.x_limits},
        "yaxis": axis | {"title": {"text": _in_two_lines(MEAN_TITLE, "<br>"), "standoff": 10}, "range": shown.y_limits},
    }


def _limits(values: pd.Series) -> tuple[float, float]:
    """Return the ends of an axis: those of the points, and a margin."""
    least, most = float(values.min()), float(values.max())
    margin = SHARED["margin"] * (most - least) or max(SHARED["margin"] * most, 1.0)
    return least - margin, most + margin


def _in_two_lines(title: str, by: str) -> str:
    """Break a title before its unit, so that it is no longer than the axis, on a phone as well."""
    return title.replace(" (", f"{by}(")
