import json
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from nnbook.figures.readers import Case
from nnbook.figures.segmentation import (
    cases_table,
    found_diameters,
    hard_cases,
    left_out_table,
    reliability,
    scores_table,
    settings_curves,
    speed_table,
    training_curve,
)
from nnbook.figures.style import SKY_BLUE
from nnbook.io.files import sha256
from nnbook.segmentation.model import SHIPPED_MODEL

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def case(title: str) -> Case:
    true = np.zeros((80, 80), dtype=np.int32)
    true[20:60, 20:60] = 1
    return Case(title, (true * 200).astype(np.uint8), np.roll(true, 4, axis=0), true, 2.0)


def lines_of(figure: Figure, colour: str) -> int:
    return sum(to_hex(line.get_color()) == colour for axes in figure.axes for line in axes.lines)


def test_each_case_has_a_panel_with_both_outlines() -> None:
    figure = hard_cases([case("Anaphase"), case("Dim")])
    assert [axes.get_title(loc="left") for axes in figure.axes if axes.images] == ["Anaphase", "Dim"]
    assert lines_of(figure, SKY_BLUE) == lines_of(figure, "#d55e00") == 2


def test_the_training_curve_marks_the_weights_that_were_kept() -> None:
    history = pd.DataFrame(
        {
            "step": [1, 2, 3],
            "training_loss": [3.0, 2, 1],
            "validation_loss": [2.0, 0.5, 0.7],
            "learning_rate": [1e-3, 1e-3, 0],
        }
    )
    upper = training_curve(history).axes[0]
    marked = [np.asarray(line.get_xydata()).tolist() for line in upper.lines if line.get_marker() == "o"]
    assert marked == [[[2.0, 0.5]]]


def test_each_image_has_a_mark_where_its_diameters_are() -> None:
    images = pd.DataFrame(
        {"images": ["A", "A", "B"], "true_px": [10.0, 20, 40], "found_px": [11.0, 0, 39]},
    )
    axes = found_diameters(images).axes[0]
    marked = {
        str(line.get_label()): np.asarray(line.get_xydata()).tolist()
        for line in axes.lines
        if line.get_marker() != "None"
    }
    assert marked["B (1)"] == [[40.0, 39.0]]
    # One in which nothing was found is at the lower edge.
    assert marked["A (2)"] == [[10.0, 11.0], [20.0, axes.get_ylim()[0]]]


def test_settings_have_a_panel_each_with_the_published_value_marked() -> None:
    rows = [
        {"setting": name, "value": value, "f1_0.50": 0.9, "mean_ap": 0.8}
        for name, values in (
            ("diameter_px", (100, 200)), ("flow_threshold", (0.1, 0.9)), ("cellprob_threshold", (-4, 0)),
        )
        for value in values
    ]  # fmt: skip
    figure = settings_curves(pd.DataFrame(rows))
    assert [np.asarray(axes.lines[0].get_xdata())[0] for axes in figure.axes] == [152.91, 0.5, -2.0]


def test_tables_show_scores_as_they_are() -> None:
    names = ("f1_0.50", "ap_0.50", "ap_0.75", "mean_ap", "mean_iou")
    counts = {"true_nuclei": 1234, "splits": 1, "merges": 2, "missed": 3, "spurious": 4}
    scores = pd.DataFrame([{"method": "m", **dict.fromkeys(names, 0.12345), **counts}])
    assert scores_table(scores).rows == (
        ("m", "0.123", "0.123", "0.123", "0.123", "0.123", "3", "4", "1", "2", "1,234"),
    )
    assert scores_table(scores).header[:2] == ("Method", "F1"), "a narrow screen shows what comes first"
    cases = pd.DataFrame(
        {"case": ["dim", "dim"], "nuclei": [8, 8], "right": [6, 2], "share": [0.75, 0.25], "method": ["a", "b"]}
    )
    assert cases_table(cases).header == ("Case", "Nuclei", "a", "b")
    assert cases_table(cases).rows == (("Dim", "8", "75.0%", "25.0%"),)


def test_committed_scores_are_of_the_shipped_model() -> None:
    for name in ("diameter", "accuracy"):
        real = json.loads((BENCHMARKS / f"{name}.json").read_text(encoding="utf-8"))
        assert real["model_sha256"] == sha256(SHIPPED_MODEL), name
    table = scores_table(pd.DataFrame(real["scores"]))
    assert {"By image", "Area"} <= set(table.header)
    assert len(table.header) == len(table.rows[0])


def test_laboratories_that_were_left_out_have_a_row_each() -> None:
    table = left_out_table(json.loads((BENCHMARKS / "leave_one_out.json").read_text(encoding="utf-8")))
    assert [row[0] for row in table.rows][:2] == ["MNFinder", "NEUBIAS"]
    assert table.rows[0][1:3] == ("0.917", "0.919")
    assert len(table.rows) == 6


def test_reliability_has_a_curve_for_each_set_without_points_of_few_masks() -> None:
    confidence = json.loads((BENCHMARKS / "confidence.json").read_text(encoding="utf-8"))
    assert confidence["model_sha256"] == sha256(SHIPPED_MODEL)
    counts = pd.DataFrame(
        {"images": ["a", "a", "b"], "masks": [100, 3, 50], "confidence": [0.9, 0.4, 0.8], "right": [0.95, 0.0, 0.7]}
    )
    upper, lower = reliability(counts).axes
    drawn = {line.get_label(): np.asarray(line.get_xydata()).tolist() for line in upper.lines[1:]}
    assert drawn == {"a": [[0.9, 0.95]], "b": [[0.8, 0.7]]}
    assert [len(np.asarray(line.get_xydata())) for line in lower.lines] == [2, 1]


def test_a_set_of_images_has_one_mark_in_all_figures() -> None:
    counts = pd.DataFrame({"images": ["BBBC039, held out"], "masks": [50], "confidence": [0.9], "right": [0.9]})
    diameters = pd.DataFrame({"images": ["DSB2018", "BBBC039"], "true_px": [10.0, 20], "found_px": [11.0, 19]})
    marks = [
        {(line.get_color(), line.get_marker()) for line in figure.axes[0].lines if "BBBC039" in str(line.get_label())}
        for figure in (reliability(counts), found_diameters(diameters))
    ]
    assert marks[0] == marks[1]
    assert len(marks[0]) == 1


def test_committed_speed_makes_a_table() -> None:
    table = speed_table(json.loads((BENCHMARKS / "segmentation.json").read_text(encoding="utf-8")))
    ours = [row for row in table.rows if row[0] == "nnbook"]
    assert {row[-1] for row in ours} >= {"12,275"}
    assert all(row[2] == "1.0" for row in ours)
