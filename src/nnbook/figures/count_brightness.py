"""Count against brightness of all panoramas: the interactive figure and its static form."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING, Any, Final

import matplotlib as mpl
import matplotlib.ticker
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from plotly.graph_objects import Figure as PlotlyFigure  # type: ignore[attr-defined]  # exported lazily

from nnbook.figures.readers import panorama_name
from nnbook.figures.style import NEUTRAL, STYLE, VERMILION, add_note
from nnbook.measurement.selection import centroid, measured

if TYPE_CHECKING:
    import pandas as pd


COUNT_TITLE: Final = "Nuclei per panorama"
MEAN_TITLE: Final = "Mean intensity inside masks (grey levels, 8 bit)"
SPREAD_TITLE: Final = "SD inside masks (grey levels)"


def scatter(results: pd.DataFrame, note: str = "") -> PlotlyFigure:
    """Plot count against brightness, a point a panorama, coloured by the spread of brightness: interactive.

    Parameters
    ----------
    results : pandas.DataFrame
        See `nnbook.io.results.read_results`. Panoramas without a nucleus have no brightness and no point.
    note : str, optional
        Which edition it is: see `nnbook.io.edition.Edition`. It goes where the figure goes.

    Returns
    -------
    plotly.graph_objects.Figure
        Its first trace is the panoramas, in the order of the table, with their names as `customdata`; its second is
        the centroid.
    """
    table = measured(results)
    centre = centroid(results)
    points = {
        "type": "scatter",
        "name": "Panorama",
        "x": table["num_rois"],
        "y": table["mean_intensity"],
        "customdata": [panorama_name(image) for image in table["image"]],
        "mode": "markers",
        "marker": {
            "size": _marker_px(len(table)),
            "color": table["std_intensity"],
            "colorscale": "Viridis",
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
        "x": [centre["num_rois"]],
        "y": [centre["mean_intensity"]],
        "mode": "markers",
        "marker": {"symbol": "cross", "size": 15, "color": VERMILION, "line": {"width": 1.5, "color": "white"}},
        "hovertemplate": "<b>Centroid</b><br>%{x:.1f} nuclei<br>mean %{y:.2f} grey levels<extra></extra>",
    }
    name = {
        "x": centre["num_rois"],
        "y": centre["mean_intensity"],
        "text": "<b>Centroid</b>",
        # The halo parts the name from the points behind it; a plate would hide them.
        "font": {"color": VERMILION, "size": 15, "shadow": ", ".join(["0 0 2px white"] * 4)},
        "arrowcolor": VERMILION,
        "ax": 48,
        "ay": -40,
    }
    note_text = "<br>".join(wrap(note, 40))
    edition = {
        "text": note_text,
        "font": {"size": 12},
        "showarrow": False,
        "align": "left",
        "xref": "paper",
        "x": 0,
        "xanchor": "left",
        "yref": "paper",
        "y": 1,
        "yanchor": "bottom",
        "yshift": 6,
    }
    return PlotlyFigure(  # type: ignore[no-untyped-call]
        data=[points, middle], layout={**_plotly_layout(note_text.count("<br>") + 1), "annotations": [name, edition]}
    )


def scatter_static(results: pd.DataFrame, note: str = "") -> Figure:
    """Plot count against brightness as `scatter` does, for print.

    Parameters
    ----------
    results : pandas.DataFrame
        See `nnbook.io.results.read_results`.
    note : str, optional
        Which edition it is: see `nnbook.io.edition.Edition`. It goes where the figure goes.

    Returns
    -------
    matplotlib.figure.Figure
    """
    table = measured(results)
    centre = centroid(results)
    with mpl.rc_context(STYLE):
        figure = Figure(layout="constrained")
        axes = figure.subplots()
        points = axes.scatter(
            table["num_rois"],
            table["mean_intensity"],
            c=table["std_intensity"],
            s=_marker_px(len(table)) ** 2 / 2,
            cmap="viridis",
            edgecolors=NEUTRAL,
            linewidths=0.3,
        )
        axes.plot(
            centre["num_rois"], centre["mean_intensity"], "P", color=VERMILION, markersize=11, markeredgecolor="white"
        )
        axes.annotate(
            "Centroid",
            (centre["num_rois"], centre["mean_intensity"]),
            xytext=(28, 26),
            textcoords="offset points",
            color=VERMILION,
            fontweight="bold",
            path_effects=[withStroke(linewidth=3, foreground="white")],
            arrowprops={"arrowstyle": "-", "color": VERMILION, "shrinkB": 6},
        )
        axes.set(xlabel=COUNT_TITLE, ylabel=MEAN_TITLE.replace(" (", "\n("))
        bar = figure.colorbar(points, ax=axes, location="bottom", aspect=40, pad=0.04)
        bar.set_label(SPREAD_TITLE)
        bar.outline.set_visible(False)
        add_note(figure, note)
    return figure


def _plotly_layout(note_lines: int) -> dict[str, Any]:
    axis = {
        "gridcolor": "rgba(122, 122, 122, 0.25)",
        "linecolor": NEUTRAL,
        "showline": True,
        "ticks": "outside",
        "tickcolor": NEUTRAL,
        "zeroline": False,
        "automargin": True,
        "title": {"standoff": 10},
    }
    return {
        "template": None,
        "paper_bgcolor": "rgba(0, 0, 0, 0)",
        "plot_bgcolor": "rgba(0, 0, 0, 0)",
        "font": {"color": NEUTRAL, "size": 14},
        "height": 560,
        "margin": {"l": 60, "r": 16, "t": 20 + 16 * note_lines, "b": 10},
        # A drag that zooms would hold the finger of a reader who only scrolls past; the tool bar has it.
        "dragmode": False,
        "modebar": {
            "bgcolor": "rgba(0, 0, 0, 0)",
            "color": NEUTRAL,
            "activecolor": VERMILION,
            "remove": ["select2d", "lasso2d", "autoScale2d"],
        },
        "showlegend": False,
        "hovermode": "closest",
        "xaxis": axis | {"title": {"text": COUNT_TITLE, "standoff": 10}},
        # Broken in two, the title is no longer than the axis, on a phone as well.
        "yaxis": axis | {"title": {"text": MEAN_TITLE.replace(" (", "<br>("), "standoff": 10}},
    }


def _marker_px(count: int) -> int:
    return 6 if count > 400 else 10
