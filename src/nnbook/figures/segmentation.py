"""The figures and tables of the chapter on segmentation, in the style of `nnbook.figures.style`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator, StrMethodFormatter
from skimage.measure import find_contours

from nnbook.figures.sheets import BAR_UM, draw_grey, panel_grid, white_level
from nnbook.figures.style import BLUE, NEUTRAL, SHEET_STYLE, SKY_BLUE, STYLE, VERMILION
from nnbook.values.published import CELLPROB_THRESHOLD, DIAMETER_PX, FLOW_THRESHOLD
from nnbook.values.table import Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from nnbook.figures.readers import Case
    from nnbook.io.images import Labels

NO_TRUTH: Final = "There are no true masks to compare with. Simulated panoramas have them."

FEW_MASKS: Final = 10
"""Where there are fewer masks of a confidence, the share that is right is chance, and is not drawn."""

LEFT_OUT_TITLES: Final = {
    "mnfinder_micronuclei": "MNFinder",
    "neubias_training": "NEUBIAS",
    "bbbc039_u2os": "BBBC039",
    "dsb2018_520": "DSB2018, images 520 px high",
    "dsb2018_256": "DSB2018, images 256 px high",
    "dsb2018_360": "DSB2018, images 360 px high",
}

SET_MARKS: Final = {
    "DSB2018": (VERMILION, "o"),
    "MNFinder": (BLUE, "s"),
    "BBBC039": ("black", "^"),
    "ISBI 2009": (SKY_BLUE, "D"),
    "NEUBIAS": (NEUTRAL, "v"),
}
"""The colour and marker of a set of real images, by the beginning of its name: the same in all figures."""

OFF: Final = 1 / 3
"""A diameter that differs by more than this share from the true one is marked as off."""

SETTING_TITLES: Final = {
    "diameter_px": ("Diameter (px)", DIAMETER_PX),
    "flow_threshold": ("Flow threshold", FLOW_THRESHOLD),
    "cellprob_threshold": ("Cell probability threshold (logit)", CELLPROB_THRESHOLD),
}


def hard_cases(cases: Sequence[Case], columns: int = 4) -> Figure:
    """Show hard cases with the outlines of the masks and of the truth.

    Parameters
    ----------
    cases : sequence of Case
        See `nnbook.figures.readers.read_cases`; at least one.
    columns : int, optional
        Panels a row.

    Returns
    -------
    matplotlib.figure.Figure
    """
    with mpl.rc_context(SHEET_STYLE):
        figure, grid = panel_grid(math.ceil(len(cases) / columns), columns, row_inches=1.82, rest_inches=0.7)
        for axes, case in zip(grid.flat, cases, strict=False):
            # Each at its own contrast: a dim nucleus would be black beside a bright one.
            draw_grey(axes, case.image, case.px_per_um, white_level(case.image))
            _outline(axes, case.true, SKY_BLUE, 2.6)
            _outline(axes, case.masks, VERMILION, 1.3)
            axes.set_title(case.title, fontsize=11, loc="left", pad=4)
        handles = [
            mpl.lines.Line2D([], [], color=SKY_BLUE, linewidth=2.6, label="Truth"),
            mpl.lines.Line2D([], [], color=VERMILION, linewidth=1.3, label="Mask"),
            mpl.lines.Line2D([], [], color="white", linewidth=3, label=f"White bar: {BAR_UM:g} µm"),
        ]
        figure.legend(handles=handles, loc="outside lower left", ncols=3, frameon=False, fontsize=11)
    return figure


def training_curve(history: pd.DataFrame) -> Figure:
    """Plot the losses and the learning rate of a training over its steps.

    Parameters
    ----------
    history : pandas.DataFrame
        `step`, `training_loss`, `validation_loss`, `learning_rate`, as `nnbook train` writes them.

    Returns
    -------
    matplotlib.figure.Figure
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(6.0, 4.6), layout="constrained")
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
        upper.plot(history["step"], history["training_loss"], color=NEUTRAL, label="training crops, varied")
        upper.plot(history["step"], history["validation_loss"], color=VERMILION, label="held-out crops, as they are")
        best = history.sort_values("validation_loss").iloc[0]
        upper.plot(best["step"], best["validation_loss"], "o", color=VERMILION, markersize=8)
        upper.annotate(
            "kept", (best["step"], best["validation_loss"]), (0, -16), textcoords="offset points", ha="center"
        )
        upper.set(ylabel="Loss", ylim=(0, None))
        upper.legend(frameon=False, fontsize=11)
        lower.plot(history["step"], history["learning_rate"], color=BLUE)
        lower.set(xlabel="Step (64 crops each)", ylabel="Learning\nrate", ylim=(0, None))
        lower.ticklabel_format(axis="y", scilimits=(-3, -3), useMathText=True)
    return figure


def found_diameters(images: pd.DataFrame) -> Figure:
    """Plot the diameter found in each image against the true one.

    Parameters
    ----------
    images : pandas.DataFrame
        `images`, the name of the set; `true_px` and `found_px`. See `benchmarks/diameter.py`.

    Returns
    -------
    matplotlib.figure.Figure
        On both axes logarithms; a band marks where the two differ by no more than a third.
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(6.0, 5.4), layout="constrained")
        axes = figure.subplots()
        values = images[["true_px", "found_px"]].to_numpy(dtype=np.float64)
        low, high = values[values > 0].min() / 1.2, values.max() * 1.2
        line = np.array([low, high])
        axes.fill_between(line, line * (1 - OFF), line * (1 + OFF), color=NEUTRAL, alpha=0.18, linewidth=0)
        axes.plot(line, line, color=NEUTRAL, linewidth=1)
        for name, rows in images.groupby("images", sort=False):
            colour, marker = _mark(str(name))
            axes.plot(
                rows["true_px"], rows["found_px"].clip(lower=low), marker, color=colour, alpha=0.7, markersize=4.5,
                markeredgewidth=0, label=f"{name} ({len(rows):,})",
            )  # fmt: skip
        axes.set(xscale="log", yscale="log", xlim=(low, high), ylim=(low, high), aspect="equal")
        axes.set(xlabel="True diameter (px)", ylabel="Diameter found (px)")
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_locator(FixedLocator([5, 10, 20, 50, 100, 200, 500]))
            axis.set_major_formatter(StrMethodFormatter("{x:g}"))
            axis.set_minor_locator(NullLocator())
        axes.legend(frameon=False, fontsize=11, loc="lower right", handletextpad=0.2)
    return figure


def settings_curves(table: pd.DataFrame) -> Figure:
    """Plot accuracy against diameter, flow threshold and cell probability threshold.

    Parameters
    ----------
    table : pandas.DataFrame
        See `nnbook.evaluation.comparison.vary_settings`.

    Returns
    -------
    matplotlib.figure.Figure
        Three panels; a line marks the published setting in each.
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(6.0, 7.6), layout="constrained")
        for axes, (setting, (title, published)) in zip(
            figure.subplots(3, 1, sharey=True), SETTING_TITLES.items(), strict=True
        ):
            rows = table[table["setting"] == setting].sort_values("value")
            axes.axvline(published, color=NEUTRAL, linewidth=1.2, linestyle="dashed")
            for score, colour, marker, label in (
                ("f1_0.50", BLUE, "s", "F1 at IoU 0.5"),
                ("mean_ap", VERMILION, "o", "mean AP, IoU 0.5 to 0.95"),
            ):
                axes.plot(rows["value"], rows[score], color=colour, marker=marker, markersize=5, label=label)
            axes.set(xlabel=title, ylabel="Score", ylim=(0, 1.03))
        figure.axes[0].legend(frameon=False, fontsize=11, loc="lower right")
    return figure


def scores_table(scores: pd.DataFrame, note: str = "") -> Table:
    """List the scores of methods, and of data sets where there is more than one.

    Parameters
    ----------
    scores : pandas.DataFrame
        `method`, optionally `images` before it, and `nnbook.evaluation.comparison.SCORES`; optionally
        `ap_0.50_image_mean`, the mean of the images' APs, and `area_ratio`, that of matched masks to true nuclei.
    note : str, optional
        It is set below the table.

    Returns
    -------
    Table
        What says most comes first: a narrow screen shows that without scrolling.
    """
    first = [name for name in ("images", "method") if name in scores.columns]
    titles = {"images": "Images", "method": "Method"}
    shares = {
        "f1_0.50": "F1",
        "ap_0.50": "AP@0.5",
        "ap_0.50_image_mean": "By image",
        "mean_ap": "Mean AP",
        "ap_0.75": "AP@0.75",
        "mean_iou": "Mean IoU",
        "area_ratio": "Area",
    }
    shares = {name: title for name, title in shares.items() if name in scores.columns}
    counts = {
        "missed": "Missed",
        "spurious": "Spurious",
        "splits": "Splits",
        "merges": "Merges",
        "true_nuclei": "Nuclei",
    }
    return Table(
        header=(*(titles[name] for name in first), *shares.values(), *counts.values()),
        rows=tuple(
            (
                *(str(row[name]) for name in first),
                *(f"{row[name]:.3f}" for name in shares),
                *(f"{row[name]:,.0f}" for name in counts),
            )
            for row in scores.to_dict("records")
        ),
        numeric=frozenset(range(len(first), len(first) + len(shares) + len(counts))),
        note=note,
    )


def left_out_table(scores: Sequence[dict[str, Any]]) -> Table:
    """List the scores of networks on the laboratories that each was trained without.

    Parameters
    ----------
    scores : sequence of dict
        What `models/leave_one_out.py` wrote: `left_out`, `recipe` ("plain" or "strong"), and scores.

    Returns
    -------
    Table
    """
    by_recipe = {(row["left_out"], row["recipe"]): row for row in scores}
    shown = ("f1_0.50", "ap_0.50_image_mean", "mean_ap")
    return Table(
        header=(
            "Left out",
            *(f"{title}, {recipe}" for title in ("F1", "AP by image", "Mean AP") for recipe in ("plain", "strong")),
            "Nuclei",
        ),
        rows=tuple(
            (
                LEFT_OUT_TITLES.get(left_out, left_out),
                *(f"{by_recipe[left_out, recipe][name]:.3f}" for name in shown for recipe in ("plain", "strong")),
                f"{by_recipe[left_out, 'plain']['true_nuclei']:,}",
            )
            for left_out in dict.fromkeys(row["left_out"] for row in scores)
        ),
        numeric=frozenset(range(1, 8)),
    )


def reliability(counts: pd.DataFrame) -> Figure:
    """Plot how many masks of each confidence are right, and how many masks have it.

    Parameters
    ----------
    counts : pandas.DataFrame
        What `benchmarks/confidence.py` wrote: `images`, `masks`, `confidence` and `right`.

    Returns
    -------
    matplotlib.figure.Figure
        Two panels: the share that is right against confidence, where the diagonal is perfect, and the share of masks.
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(6.0, 6.4), layout="constrained")
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
        upper.plot([0, 1], [0, 1], color=NEUTRAL, linewidth=1.2, linestyle="dashed")
        for images, rows in counts.groupby("images", sort=False):
            colour, marker = _mark(str(images))
            few = rows["masks"] < FEW_MASKS
            upper.plot(
                rows["confidence"][~few], rows["right"][~few], color=colour, marker=marker, markersize=6, label=images
            )
            lower.plot(
                rows["confidence"], rows["masks"] / rows["masks"].sum(), color=colour, marker=marker, markersize=5
            )
        upper.set(ylabel="Share that is right", ylim=(0, 1.03))
        upper.legend(frameon=False, fontsize=11, loc="upper left")
        lower.set(xlabel="Confidence", ylabel="Share of\nmasks", xlim=(0, 1.02), yscale="log")
    return figure


def cases_table(cases: pd.DataFrame) -> Table:
    """List how many nuclei of each hard case are right, by method.

    Parameters
    ----------
    cases : pandas.DataFrame
        See `nnbook.evaluation.comparison.compare_methods`.

    Returns
    -------
    Table
    """
    methods = list(dict.fromkeys(cases["method"]))
    kinds = list(dict.fromkeys(cases["case"]))
    by_place = cases.set_index(["case", "method"])
    return Table(
        header=("Case", "Nuclei", *methods),
        rows=tuple(
            (
                kind[0].upper() + kind[1:],
                f"{by_place.loc[(kind, methods[0]), 'nuclei']:,}",
                *(f"{by_place.loc[(kind, method), 'share']:.1%}" for method in methods),
            )
            for kind in kinds
        ),
        numeric=frozenset(range(1, 2 + len(methods))),
    )


def speed_table(benchmark: dict[str, Any]) -> Table:
    """List how long segmentation takes beside stock Cellpose.

    Parameters
    ----------
    benchmark : dict
        What `benchmarks/segmentation.py` wrote.

    Returns
    -------
    Table
    """
    rows = [
        (
            method,
            f"{result['seconds']:.1f}",
            f"{result['times_as_long_as_nnbook']:.1f}",
            f"{result['peak_gb']:.1f}",
            f"{result['against_truth']['ap_0.50']:.3f}",
            f"{result['seconds_per_megapixel']:.3f}",
            f"{panorama['side_px']:,}",
        )
        for panorama in benchmark["panoramas"]
        for method, result in panorama["methods"].items()
    ]
    machine = benchmark["machine"]
    return Table(
        header=("Method", "Seconds", "Times nnbook's", "Peak memory (GB)", "AP@0.5", "Seconds/Mpx", "Side (px)"),
        rows=tuple(rows),
        numeric=frozenset(range(1, 7)),
        note=(
            f"Measured on {benchmark['date']}: {machine['processor']}, {machine['threads']} threads, "
            f"{machine['network_dtype']} in nnbook's network, model {benchmark['model_sha256'][:12]}."
        ),
    )


def _mark(images: str) -> tuple[str, str]:
    return SET_MARKS.get(images.partition(",")[0], (NEUTRAL, "x"))


def _outline(axes: Axes, labels: Labels, colour: str, width: float) -> None:
    for label in np.unique(labels[labels > 0]):
        framed: NDArray[np.uint8] = np.pad((labels == label).astype(np.uint8), 1)
        for contour in find_contours(framed, 0.5):
            axes.plot(contour[:, 1] - 1, contour[:, 0] - 1, color=colour, linewidth=width)
