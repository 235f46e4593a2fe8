"""Methods of segmentation side by side: their scores, speed and mistakes, and NuSeT's ablation beside its paper."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from nnbook.figures.sheets import panel_grid
from nnbook.figures.style import BLUE, NEUTRAL, PIXEL_STYLE, STYLE, VERMILION
from nnbook.measurement.appearance import between_runs_share
from nnbook.values.table import Table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from nnbook.values.nuset_paper import Stated

OWN: Final = "nnbook"
NUSET: Final = "nuset"

SHORT: Final = {
    "otsu": "Otsu",
    "forest": "Forest",
    "unet": "U-Net",
    "nuset-whole": "NuSeT, whole",
    "nuset-foreground": "NuSeT, foreground",
    "nuset": "NuSeT",
    "cellpose": "Cellpose",
    "nnbook": "This book",
}
"""Names of methods in figures."""

MARKS: Final = dict(zip(SHORT, "sPvD^oX*", strict=True))

KINDS: Final = {"missed": VERMILION, "spurious": "#f0e442", "split": "#56b4e9", "merged": "#cc79a7"}
"""Colours of mistakes, which colour-blind readers can distinguish; right masks are white."""

FIGURE_DETECTORS: Final = {
    "attention": "NuSeT, with attention",
    "none": "NuSeT, equal weights",
    "rule": "This book's rule of two masses",
}
"""What detects mitotic figures, by its name in the benchmark."""

ABLATION_OBJECTS: Final[dict[str, tuple[str, float, int]]] = {
    "touching_separated": ("Touching separated (%)", 100, 0),
    "correct_share": ("Correct (%)", 100, 0),
    "incorrect_share": ("Incorrect (%)", 100, 0),
    "split_errors": ("Splits", 1, 0),
    "merge_errors": ("Merges", 1, 0),
    "catastrophes": ("Catastrophes", 1, 0),
    "fn_rate": ("F.N. (%)", 100, 0),
    "fp_rate": ("F.P. (%)", 100, 0),
}
ABLATION_PIXELS: Final[dict[str, tuple[str, float, int]]] = {
    "pixel_mean_iu": ("Mean IU", 1, 3),
    "pixel_rmse": ("RMSE", 1, 3),
    "pixel_f1": ("Pixel F1", 1, 3),
    "pixel_accuracy": ("Pixel accuracy", 1, 3),
    "f1_0.50": ("F1", 1, 3),
    "pq": ("PQ", 1, 3),
    "aji": ("AJI", 1, 3),
}
"""Columns of the ablation's tables: title, factor and digits."""


NORMALISATIONS: Final = {
    "raw": "As recorded",
    "whole": "By the whole image",
    "foreground": "By the foreground, as a first pass finds it",
    "true_foreground": "By the foreground, as it is",
}
"""Ways to normalise grey levels, as `benchmarks/normalisation.py` names them, and what tables call them."""


def methods_table(benchmark: dict[str, Any]) -> Table:
    """List what every method reaches on every set, with intervals, time and memory.

    Parameters
    ----------
    benchmark : dict
        What `benchmarks/comparison.py` wrote.

    Returns
    -------
    Table
    """
    rows = []
    for part in benchmark["sets"].values():
        for row in part["methods"].values():
            ends = row["intervals"]
            rows.append(
                (
                    part["title"],
                    row["title"],
                    *(_with_ends(row[name], ends[name]) for name in ("f1_0.50", "pq", "aji")),
                    _percent(row["touching_separated"], ends["touching_separated"]),
                    f"{row['missed']:.0f}",
                    f"{row['spurious']:.0f}",
                    f"{row['splits']:.0f}",
                    f"{row['merges']:.0f}",
                    f"{row['hausdorff_95_px']:.1f}",
                    f"{row['seconds_per_mpx']:.2f}",
                    f"{row['peak_mb']:.0f}",
                )
            )
    runs = [
        f"{part['title']} on {part['date']}, {part['machine']['processor']}, {part['threads']} "
        f"thread{'s' if part['threads'] > 1 else ''}, load {part['load_before']} before"
        for part in benchmark["sets"].values()
    ]
    return Table(
        header=(
            "Images",
            "Method",
            "F1",
            "PQ",
            "AJI",
            "Touching separated (%)",
            "Missed",
            "Spurious",
            "Split",
            "Merged",
            "Outline (px)",
            "s/Mpx",
            "Peak (MB)",
        ),
        rows=tuple(rows),
        numeric=frozenset(range(2, 13)),
        note=f"Each set of images was measured in one run: {'; '.join(runs)}.",
    )


def ablation_table(benchmark: dict[str, Any], columns: dict[str, tuple[str, float, int]], images: str) -> Table:
    """List what each piece of NuSeT adds: means over seeds, with the least and the greatest.

    Parameters
    ----------
    benchmark : dict
        What `benchmarks/nuset.py` wrote.
    columns : dict
        `ABLATION_OBJECTS` or `ABLATION_PIXELS`.
    images : str
        The set of images, by its name in the benchmark.

    Returns
    -------
    Table
    """
    rows = []
    for row in benchmark["sets"][images]["rows"]:
        cells = []
        for name, (_, factor, digits) in columns.items():
            score = {key: factor * value for key, value in row["scores"][name].items()}
            cells.append(f"{score['mean']:.{digits}f} ({score['least']:.{digits}f}–{score['greatest']:.{digits}f})")
        rows.append((row["row"], *cells))
    return Table(
        header=("Network", *(title for title, _, _ in columns.values())),
        rows=tuple(rows),
        numeric=frozenset(range(1, 1 + len(columns))),
        note=f"{benchmark['sets'][images]['images']} images with {benchmark['sets'][images]['nuclei']:,} nuclei; mean "
        f"of {len(benchmark['seeds'])} seeds (least to greatest).",
    )


def normalisation_shares(benchmark: dict[str, Any]) -> dict[str, dict[str, float]]:
    """Return what each normalisation leaves of the difference in brightness between runs.

    Parameters
    ----------
    benchmark : dict
        What `benchmarks/normalisation.py` wrote.

    Returns
    -------
    dict of str to dict
        By the name of the normalisation: `between`, the share of the variance of nuclei's brightness that is between
        runs, 0 to 1; `coverage`, the correlation of a panorama's mean with the share of it that nuclei cover; and,
        where masks were made of it, `f1` at an IoU of 0.5, and `f1_least` and `f1_greatest`, those of runs.
    """
    panoramas = benchmark["panoramas"]
    runs = np.array([row["run"] for row in panoramas])
    covered = np.array([row["covered"] for row in panoramas])
    found = {}
    for name in NORMALISATIONS:
        levels = [np.array(row["brightness"][name]) for row in panoramas]
        means = np.array([values.mean() for values in levels])
        of_run = np.repeat(runs, [values.size for values in levels])
        found[name] = {
            "between": between_runs_share(np.concatenate(levels), of_run),
            "coverage": float(np.corrcoef(means, covered)[0, 1]),
        }
        if name not in panoramas[0]["nuclei"]:
            continue
        counts = np.array([row["nuclei"][name] for row in panoramas])
        by_run = [_f1(counts[runs == run]) for run in np.unique(runs)]
        found[name] |= {"f1": _f1(counts), "f1_least": min(by_run), "f1_greatest": max(by_run)}
    return found


def _f1(counts: NDArray[np.int64]) -> float:
    """Return F1 of rows of matches, true nuclei and masks."""
    matches, true, masks = counts.sum(axis=0)
    return float(2 * matches / (true + masks))


def normalisation_table(benchmark: dict[str, Any]) -> Table:
    """List what each normalisation leaves of the difference between runs, and how well NuSeT segments with it.

    Parameters
    ----------
    benchmark : dict
        What `benchmarks/normalisation.py` wrote.

    Returns
    -------
    Table
    """
    rows = []
    for name, found in normalisation_shares(benchmark).items():
        f1 = f"{found['f1']:.3f} ({found['f1_least']:.3f}–{found['f1_greatest']:.3f})" if "f1" in found else "–"
        rows.append((NORMALISATIONS[name], f"{100 * found['between']:.1f}", f"{found['coverage']:.2f}", f1))
    panoramas = benchmark["panoramas"]
    nuclei = sum(len(row["brightness"]["raw"]) for row in panoramas)
    return Table(
        header=("Grey levels", "Between runs (%)", "With coverage (r)", "F1 of NuSeT"),
        rows=tuple(rows),
        numeric=frozenset({1, 2, 3}),
        note=f"{nuclei:,} nuclei of {len(panoramas)} simulated panoramas of {len({row['run'] for row in panoramas})} "
        "runs. F1 at an IoU of 0.5 (least to greatest of a run), without the seeded watershed.",
    )


def mitosis_table(benchmark: dict[str, Any]) -> Table:
    """List precision and recall of mitotic figures: means over seeds with the interval, counts, and stages found.

    Parameters
    ----------
    benchmark : dict
        What `benchmarks/mitosis.py` wrote.

    Returns
    -------
    Table
    """
    rows = []
    for part in benchmark["sets"].values():
        for row in part["rows"]:
            seeds = len(row["counts"])
            counts = ["/".join(f"{one[key]:,}" for one in row["counts"]) for key in ("right", "wrong")]
            rows.append(
                (
                    part["title"],
                    FIGURE_DETECTORS[row["row"]],
                    *(_ends_of(row["scores"][name]) for name in ("precision", "recall", "f1")),
                    f"{row['counts'][0]['figures']:,}",
                    *counts,
                    ", ".join(
                        f"{stage} {found / seeds:.3g} of {of // seeds}" for stage, (found, of) in row["stages"].items()
                    ),
                )
            )
    return Table(
        header=(
            "Images",
            "Method",
            "Precision (%)",
            "Recall (%)",
            "F1 (%)",
            "Figures",
            "Right",
            "Wrong",
            "Found of each stage",
        ),
        rows=tuple(rows),
        numeric=frozenset(range(2, 8)),
        note=f"{' and '.join(str(part['images']) for part in benchmark['sets'].values())} images; means of "
        f"{len(benchmark['seeds'])} networks, with the 95 % confidence interval by bootstrap over images; right and "
        "wrong of each network. The rule is no network and has no seed.",
    )


def _ends_of(score: dict[str, float]) -> str:
    return _percent(score["mean"], [score["low"], score["high"]])


def paper_table(paper: Mapping[str, Stated], found: Mapping[str, tuple[float, str]]) -> Table:
    """Set what the NuSeT paper states beside what is found here.

    Parameters
    ----------
    paper : mapping of str to Stated
        See `nnbook.values.nuset_paper.read_paper`.
    found : mapping of str to (float, str)
        By the same keys, the value found and on which images.

    Returns
    -------
    Table
        Values that nothing here corresponds to have a dash.
    """
    rows = []
    for key, stated in paper.items():
        unit = f" {stated.unit}" if stated.unit else ""
        value, images = found.get(key, (None, ""))
        rows.append(
            (
                stated.title,
                f"{stated.value:,.{stated.digits}f}{unit}",
                "–" if value is None else f"{value:,.{stated.digits}f}{unit}",
                images,
            )
        )
    return Table(header=("", "NuSeT paper", "Here", "Images here"), rows=tuple(rows), numeric=frozenset({1, 2}))


def speed_and_accuracy(benchmark: dict[str, Any], measure: str = "pq") -> Figure:
    """Plot accuracy against time, a panel a set, a mark a method with the interval of its accuracy.

    Parameters
    ----------
    benchmark : dict
        What `benchmarks/comparison.py` wrote.
    measure : str, optional
        The measure of accuracy.

    Returns
    -------
    matplotlib.figure.Figure
    """
    sets = list(benchmark["sets"].values())
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(6.0, 2.1 * len(sets) + 1.2), layout="constrained")
        panels = figure.subplots(len(sets), 1, sharex=True, squeeze=False).ravel()
        for axes, part in zip(panels, sets, strict=True):
            _draw_speed(axes, part["methods"], measure)
            axes.set_title(part["title"], loc="left", fontsize=12)
            axes.set_ylabel(measure.upper())
        panels[-1].set_xlabel("Seconds a megapixel, one thread")
        marks, names = panels[0].get_legend_handles_labels()
        figure.legend(marks, names, loc="outside lower center", ncols=3, frameon=False, fontsize=11)
    return figure


def _draw_speed(axes: Axes, methods: dict[str, Any], measure: str) -> None:
    for name, row in methods.items():
        x, y = row["seconds_per_mpx"], row[measure]
        low, high = row["intervals"][measure]
        axes.errorbar(
            x,
            y,
            yerr=[[max(0, y - low)], [max(0, high - y)]],
            fmt=MARKS[name],
            color=VERMILION if name == OWN else BLUE if name == NUSET else NEUTRAL,
            markersize=8,
            lw=1.2,
            label=SHORT[name],
        )
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter("{x:g}")


def mistakes_sheet(benchmark: dict[str, Any], crops: Mapping[str, NDArray[np.uint8]], name: str) -> Figure:
    """Show the same nuclei under every method, with what each gets wrong in colour.

    Parameters
    ----------
    benchmark : dict
        What `benchmarks/comparison.py` wrote.
    crops : mapping of str to uint8, axes (y, x)
        What it wrote beside that: `SET/image`, `SET/truth` and `SET/METHOD`.
    name : str
        The set.

    Returns
    -------
    matplotlib.figure.Figure
    """
    image, truth = crops[f"{name}/image"], crops[f"{name}/truth"].astype(np.int32)
    shown = [method for method in SHORT if f"{name}/{method}" in crops]
    with mpl.rc_context(PIXEL_STYLE):
        figure, grid = panel_grid(-(-(len(shown) + 1) // 3), 3, 2.2, 0.5)
        panels = list(grid.flat)
        grey = np.sqrt(image / 255)
        panels[0].imshow(grey, cmap="gray", vmin=0, vmax=1.25)
        _outline(panels[0], truth, truth > 0, "white")
        panels[0].set_title("Truth", fontsize=12, loc="left", pad=4)
        for axes, method in zip(panels[1:], shown, strict=False):
            labels = crops[f"{name}/{method}"].astype(np.int32)
            axes.imshow(grey, cmap="gray", vmin=0, vmax=1.25)
            wrong = benchmark["sets"][name]["crop"]["mistakes"][method]
            for kind, of in (("missed", truth), ("spurious", labels), ("split", truth), ("merged", labels)):
                _outline(axes, of, np.isin(of, wrong[kind]) & (of > 0), KINDS[kind], 1.6)
            own = ~np.isin(labels, [*wrong["spurious"], *wrong["merged"]])
            _outline(axes, labels, own & (labels > 0), "white")
            axes.set_title(SHORT[method], fontsize=12, loc="left", pad=4)
        lines = [Line2D([], [], color=colour, lw=2, label=kind) for kind, colour in KINDS.items()]
        figure.legend(handles=lines, loc="outside lower center", ncols=4, frameon=False, fontsize=11)
    return figure


def _outline(axes: Axes, labels: NDArray[np.int32], chosen: NDArray[np.bool_], colour: str, width: float = 0.7) -> None:
    """Draw outlines of the nuclei that are chosen, each by itself, so that those that touch have a line between."""
    for label in np.unique(labels[chosen]).tolist():
        own = np.pad((labels == label).astype(float), 1)
        axes.contour(own[1:-1, 1:-1] if own[1:-1, 1:-1].min() == 0 else own, [0.5], colors=[colour], linewidths=width)


def _with_ends(value: float, ends: list[float]) -> str:
    return f"{value:.3f} ({ends[0]:.3f}–{ends[1]:.3f})"


def _percent(value: float | None, ends: list[float]) -> str:
    return "–" if value is None else f"{100 * value:.0f} ({100 * ends[0]:.0f}–{100 * ends[1]:.0f})"
