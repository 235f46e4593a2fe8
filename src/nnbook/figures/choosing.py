"""Data sets, methods and the scorecard, as the chapter on choosing a method shows them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any, Final

import matplotlib as mpl
from matplotlib.figure import Figure

from nnbook.figures.style import BLUE, NEUTRAL, STYLE, VERMILION
from nnbook.reviews.methods import TASKS
from nnbook.values.formatting import shown
from nnbook.values.table import Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nnbook.audit.scorecard import Scorecard
    from nnbook.reviews.datasets import DataSet
    from nnbook.reviews.methods import Count, Method

SHARING: Final = {
    "classification": "classification_code",
    "detection": "detection_model",
    "segmentation": "segmentation_code",
}
"""Of each task whose papers the review counts, the count of those that share something."""

LIGHT_GREY: Final = "#d0d0d0"
LOOKS: Final = (
    (VERMILION, VERMILION, "code and trained model"),
    (BLUE, BLUE, "code"),
    ("white", NEUTRAL, "neither is said"),
)
"""Face, edge and meaning of the dots of methods, by what they give."""


def datasets_table(datasets: Sequence[DataSet]) -> Table:
    """List data sets by their most useful facts.

    Parameters
    ----------
    datasets : sequence of DataSet
        See `nnbook.reviews.known_datasets`.

    Returns
    -------
    Table
        In their order; a dash stands for what neither review states.
    """
    return Table(
        header=("Data set", "Axes", "Images", "Nuclei", "Modality", "Organism", "Access", "Licence", "Task"),
        rows=tuple(
            (
                f"{one.name}{'*' if one.contradictions else ''}",
                ", ".join(one.dimensions),
                _about(one, "images"),
                _about(one, "nuclei"),
                one.modality or "–",
                one.organism or "–",
                one.access,
                one.licence or "–",
                ", ".join(one.tasks),
            )
            for one in datasets
        ),
        numeric=frozenset({2, 3}),
        note="* Sources state something different. ~ About. – Neither review states it.",
        links=tuple(one.address for one in datasets),
    )


def _about(dataset: DataSet, name: str) -> str:
    return f"{'~' if name in dataset.approximate else ''}{shown(getattr(dataset, name))}"


@dataclass(frozen=True)
class Remarks:
    """A table of sentences, which a page shows as a list: in cells they would make it wider than the page."""

    table: Table

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return {**self.table._repr_mimebundle_(), "text/html": self._repr_html_()}

    def _repr_html_(self) -> str:
        items = (f"<li><strong>{escape(title)}.</strong> {escape(text)}</li>" for title, text in self.table.rows)
        return f"<ul>{''.join(items)}</ul>"


def contradictions(entries: Sequence[DataSet | Method]) -> Remarks:
    """List what sources state differently, and which of it is taken.

    Parameters
    ----------
    entries : sequence of DataSet or Method
        Of the registries.

    Returns
    -------
    Remarks
    """
    who = {"review": "The review", "short-paper": "The short paper", "elsewhere": "Others"}
    rows = tuple(
        (
            f"{entry.name}, {one.field}",
            f"{'. '.join(f'{who[source]}: {said}' for source, said in one.said)}. Taken: {one.taken}.",
        )
        for entry in entries
        for one in entry.contradictions
    )
    return Remarks(Table(("Of", "Stated, and taken"), rows))


def counts_table(counts: Sequence[Count]) -> Table:
    """Set the review's counts beside the methods that its text names.

    Parameters
    ----------
    counts : sequence of Count
        See `nnbook.reviews.count_methods`.

    Returns
    -------
    Table
        A dash where the text gives the number without the list.
    """
    return Table(
        header=("What", "Stated", "Named in the text"),
        rows=tuple((one.title, shown(one.cited), shown(one.listed)) for one in counts),
        numeric=frozenset({1, 2}),
    )


def scorecard_table(card: Scorecard) -> Table:
    """List the verdicts of a scorecard, each with the first files that it is from.

    Parameters
    ----------
    card : Scorecard
        See `nnbook.audit.audit`.

    Returns
    -------
    Table
        Without lines, which change with each edit: `nnbook audit` has them.
    """
    return Table(
        header=("Criterion", "Verdict", "Seen in", "What is missing"),
        rows=tuple(
            (
                criterion.title,
                verdict.verdict,
                " and ".join(list(dict.fromkeys(line.path for line in verdict.evidence))[:2]) or "–",
                verdict.lacking or "–",
            )
            for criterion, verdict in card.judged
        ),
        note=f"{card.points:g} of {card.most} points: one for each yes, half of one for each partly.",
    )


def methods_plot(methods: Sequence[Method], counts: Sequence[Count]) -> Figure:
    """Plot how many papers of each task share something, and the methods that the reviews name by year.

    Parameters
    ----------
    methods : sequence of Method
        See `nnbook.reviews.known_methods`.
    counts : sequence of Count
        See `nnbook.reviews.count_methods`.

    Returns
    -------
    matplotlib.figure.Figure
        Above, bars by task; below, a dot for each named method.
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(6.0, 6.8), layout="constrained")
        above, below = figure.subplots(2, 1, height_ratios=(2, 5))
        cited = {one.key.removeprefix("reviews."): one.cited for one in counts}
        tasks = list(SHARING)
        above.barh(tasks, [cited[task] for task in tasks], color=LIGHT_GREY)
        above.barh(tasks, [cited[SHARING[task]] for task in tasks], color=BLUE)
        for row, task in enumerate(tasks):
            above.text(cited[task] + 1.5, row, f"{cited[SHARING[task]]} of {cited[task]}", va="center")
        above.set_xlim(0, 1.15 * max(cited[task] for task in tasks))
        above.set_xlabel("papers; blue: that share code or data (detection: code and a model)")
        _plot_named(below, [method for method in methods if method.kind == "method" and method.year is not None])
        below.set_xlabel("year of a method that the reviews name")
        figure.legend(*below.get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False)
    return figure


def _plot_named(axes: mpl.axes.Axes, methods: Sequence[Method]) -> None:
    """Plot a dot for each method, one above another in each task and year, those that give most at the bottom."""
    heights: Counter[tuple[str, int]] = Counter()
    dots: dict[str, list[tuple[int, int, int]]] = {task: [] for task in TASKS}
    for method in sorted(methods, key=_look):
        for task in method.tasks:
            year = method.year or 0
            dots[task].append((year, heights[task, year], _look(method)))
            heights[task, year] += 1
    base, middles = 0.0, []
    for task in reversed(TASKS):
        for look, (face, edge, label) in enumerate(LOOKS):
            places = [(year, base + height) for year, height, own in dots[task] if own == look]
            axes.plot(
                [year for year, _ in places], [height for _, height in places], "o", color=edge, markerfacecolor=face,
                markersize=8, label=label if task == TASKS[0] else None,
            )  # fmt: skip
        rows = max((height for _, height, _ in dots[task]), default=0) + 1
        middles.append(base + (rows - 1) / 2)
        base += rows + 0.8
        axes.axhline(base - 0.9, color=LIGHT_GREY, linewidth=0.8, visible=task != TASKS[0])
    axes.set_yticks(middles, TASKS[::-1])
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(-0.8, base - 0.8)
    years = [method.year for method in methods if method.year is not None]
    axes.set_xticks(range(min(years), max(years) + 1))


def _look(method: Method) -> int:
    """Return which of `LOOKS` a method has."""
    if not method.code.said:
        return 2
    return 0 if method.model.said else 1
