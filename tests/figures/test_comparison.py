from typing import Any

import numpy as np
import pytest

from nnbook.figures.comparison import (
    ABLATION_OBJECTS,
    ABLATION_PIXELS,
    KINDS,
    SHORT,
    ablation_table,
    methods_table,
    mistakes_sheet,
    mitosis_table,
    normalisation_shares,
    normalisation_table,
    paper_table,
    speed_and_accuracy,
)
from nnbook.methods.own import OWN
from nnbook.values.nuset_paper import read_paper

INTERVALS = ("f1_0.50", "mean_ap", "pq", "aji", "touching_separated", "fn_rate", "fp_rate")


def measured() -> dict[str, Any]:
    """Made scores of two methods on one set, with a crop of three nuclei: one missed, two merged."""
    methods = {
        name: {
            "title": name,
            **dict.fromkeys(INTERVALS, score),
            **dict.fromkeys(("missed", "spurious", "splits", "merges"), 2.0),
            "hausdorff_95_px": 3.25,
            "seconds_per_mpx": seconds,
            "peak_mb": 400.4,
            "intervals": {key: [score - 0.1, score + 0.1] for key in INTERVALS},
        }
        for name, score, seconds in (("otsu", 0.5, 0.05), ("nnbook", 0.8, 2.0))
    }
    mistakes = {"otsu": {"missed": [1], "spurious": [], "split": [], "merged": [1]},
                "nnbook": {key: [] for key in KINDS}}  # fmt: skip
    part = {
        "title": "Made",
        "date": "2026-11-27",
        "machine": {"processor": "a processor"},
        "threads": 1,
        "load_before": 1.0,
        "images": 2,
        "methods": methods,
        "crop": {"image": "a", "mistakes": mistakes},
    }
    return {"sets": {"made": part}}


def crops() -> dict[str, Any]:
    truth = np.zeros((40, 40), np.uint8)
    truth[2:8, 2:8], truth[20:30, 5:15], truth[20:30, 15:25] = 1, 2, 3
    merged = np.where(truth > 1, 1, 0).astype(np.uint8)
    return {"made/image": 5 * truth, "made/truth": truth, "made/otsu": merged, "made/nnbook": truth}


def test_every_method_has_a_row_with_its_interval() -> None:
    table = methods_table(measured())
    assert [row[:3] for row in table.rows] == [
        ("Made", "otsu", "0.500 (0.400–0.600)"),
        ("Made", "nnbook", "0.800 (0.700–0.900)"),
    ]
    assert table.rows[0][5] == "50 (40–60)"
    assert all(len(row) == len(table.header) for row in table.rows)
    assert "a processor" in table.note
    assert "Made on 2026-11-27, a processor, 1 thread, load 1.0 before" in table.note


def test_where_no_nuclei_touch_none_are_said_to_be_separated() -> None:
    benchmark = measured()
    row = benchmark["sets"]["made"]["methods"]["otsu"]
    row["touching_separated"], row["intervals"]["touching_separated"] = None, [None, None]
    assert methods_table(benchmark).rows[0][5] == "–"


def test_methods_have_names_in_figures() -> None:
    assert SHORT.keys() <= {method.name for method in OWN}


def test_accuracy_is_drawn_against_time() -> None:
    figure = speed_and_accuracy(measured())
    (axes,) = figure.axes
    assert axes.get_xscale() == "log"
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["Otsu", "This book"]
    points = [np.asarray(line.get_xydata()).tolist() for line in axes.lines]
    assert [[2.0, 0.8]] in points


def test_mistakes_are_marked_in_their_colours() -> None:
    figure = mistakes_sheet(measured(), crops(), "made")
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles[:3] == ["Truth", "Otsu", "This book"]

    def colours(place: int) -> list[str]:
        from matplotlib.colors import to_hex

        return [to_hex(np.asarray(drawn.get_edgecolor())[0]) for drawn in figure.axes[place].collections]

    assert colours(0) == ["#ffffff"] * 3
    assert colours(1) == [KINDS["missed"], KINDS["merged"]]
    assert colours(2) == ["#ffffff"] * 3


def test_the_ablation_has_means_with_the_least_and_the_greatest() -> None:
    score = {"mean": 0.31, "least": 0.27, "greatest": 0.35, "low": 0.2, "high": 0.4}
    scores = dict.fromkeys([*ABLATION_OBJECTS, *ABLATION_PIXELS], score)
    made = {
        "seeds": [1, 2, 3],
        "sets": {"dsb2018": {"images": 4, "nuclei": 1234, "rows": [{"row": "U-Net", "scores": scores}]}},
    }
    table = ablation_table(made, ABLATION_OBJECTS, "dsb2018")
    assert table.rows[0][:2] == ("U-Net", "31 (27–35)")
    assert "1,234 nuclei; mean of 3 seeds" in table.note
    assert ablation_table(made, ABLATION_PIXELS, "dsb2018").rows[0][1] == "0.310 (0.270–0.350)"


def test_mitotic_figures_have_precision_and_recall_with_counts_and_stages() -> None:
    score = {"mean": 0.5, "least": 0.4, "greatest": 0.6, "low": 0.25, "high": 0.75}
    scores = dict.fromkeys(("precision", "recall", "f1"), score)
    two: dict[str, Any] = {
        "row": "attention",
        "counts": [{"right": 3, "wrong": 1, "figures": 6}, {"right": 2, "wrong": 4, "figures": 6}],
        "stages": {"metaphase": [5, 12]},
        "scores": scores,
    }
    rule = {**two, "row": "rule", "counts": two["counts"][:1], "stages": {"metaphase": [3, 6]}}
    table = mitosis_table({"seeds": [1, 2], "sets": {"made": {"title": "Made", "images": 4, "rows": [two, rule]}}})
    assert table.rows[0][1:] == (
        "NuSeT, with attention", *(["50 (25–75)"] * 3), "6", "3/2", "1/4", "metaphase 2.5 of 6"
    )  # fmt: skip
    assert table.rows[1][6:] == ("3", "1", "metaphase 3 of 6")


def test_the_paper_is_beside_what_is_found_and_contradicts_itself() -> None:
    paper, contradictions = read_paper()
    table = paper_table(paper, {"seconds": (0.5, "made")})
    by_title = {row[0]: row[1:] for row in table.rows}
    assert by_title[paper["seconds"].title] == ("1.98 s/Mpx", "0.50 s/Mpx", "made")
    assert by_title[paper["hours"].title] == ("5 h", "–", "")
    assert [one["what"] for one in contradictions] == ["Kaggle validation images", "Foreground normalisation"]


def normalised() -> dict[str, Any]:
    """Two runs of two panoramas each: brighter in the second, and by the whole image where fewer nuclei are."""
    rows = []
    for run, covered, bright in ((1, 0.1, 10.0), (1, 0.2, 10.0), (2, 0.1, 20.0), (2, 0.2, 20.0)):
        brightness = {"raw": [bright, bright + covered], "whole": [1 / covered] * 2, "foreground": [1.0, -covered]}
        counts = {"whole": [2, 2, 2], "foreground": [run, 2, 2]}
        row = {"run": run, "covered": covered, "nuclei": counts}
        rows.append({**row, "brightness": {**brightness, "true_foreground": [1.0, -2 * covered]}})
    return {"panoramas": rows}


def test_what_normalisation_leaves_between_runs() -> None:
    found = normalisation_shares(normalised())
    assert found["raw"]["between"] > 0.99
    assert found["whole"]["between"] == pytest.approx(0)
    assert found["whole"]["coverage"] == pytest.approx(-1)
    assert (found["foreground"]["f1_least"], found["foreground"]["f1"], found["foreground"]["f1_greatest"]) == (
        0.5,
        0.75,
        1,
    )
    assert "f1" not in found["raw"]
    table = normalisation_table(normalised())
    assert [row[3] for row in table.rows] == ["–", "1.000 (1.000–1.000)", "0.750 (0.500–1.000)", "–"]
    assert "8 nuclei of 4 simulated panoramas of 2 runs" in table.note
