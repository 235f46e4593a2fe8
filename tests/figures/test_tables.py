from __future__ import annotations

import json
import math
from pathlib import Path

import pandas as pd

from nnbook.figures.tables import cells_table, costs_table, faults_table, representatives_table
from nnbook.measurement.selection import representatives
from nnbook.values import published
from nnbook.values.table import Table


def test_representatives_are_listed_by_distance(results: pd.DataFrame) -> None:
    chosen = representatives(results, 4)
    table = representatives_table(chosen.iloc[::-1])
    assert [row[0] for row in table.rows] == ["1", "2", "3", "4"]
    assert [row[1] for row in table.rows] == [name.removesuffix(".tif") for name in chosen["image"]]
    distances = [float(row[4]) for row in table.rows]
    assert distances == sorted(distances)


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
    table = cells_table(results, store, round(len(results) * side**2), "Simulated")
    values = {row[0]: row[1:] for row in table.rows}
    assert values["ROIs in the table of results"] == ("1,111,184", "100")
    assert values["Single-cell images"] == ("1,061,277", "80")
    assert values["ROIs without an image"] == ("49,907", "20")
    assert [row[2] for row in table.rows if row[0].startswith("…")] == ["16", "4", "20.0", "30", "50"]
    assert values["ROIs without an image (%)"] == ("4.5", "20.0")
    assert values["Images per experiment, mean"] == ("10,613", "40")
    assert table.header == ("Quantity", "Published", "Simulated")


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
        table = cells_table(results, store, len(results) * 1000**2, "Simulated")
        [estimate] = [row[2] for row in table.rows if "published size" in row[0]]
        assert estimate == f"{100 * (expected + (1 - expected) * whole):.1f}"


def test_of_imported_cells_no_roi_without_an_image_is_counted(results: pd.DataFrame) -> None:
    store = {"cells": 40, "left_out": {"empty": 2}, "runs": [{"run": 1, "cells": 40}]}
    own = {row[0]: row[2] for row in cells_table(results, store, 64, "Published").rows}
    assert own["Single-cell images"] == "40"
    assert {value for title, value in own.items() if title.startswith(("ROIs without", "… at the", "… larger"))} == {
        "–"
    }


def test_cells_of_an_edition_without_images_are_left_open(results: pd.DataFrame) -> None:
    store = {"cells": 0, "left_out": {"at_border": 0, "larger_than_frame": 0}, "runs": []}
    own = {row[0]: row[2] for row in cells_table(results, store, 64, "Mine").rows}
    assert own.pop("ROIs in the table of results") == "100"
    assert set(own.values()) == {"–"}
    empty = cells_table(results.assign(num_rois=0), store, 64, "Mine")
    assert {row[2] for row in empty.rows} == {"–"}


def test_table_is_safe_and_readable_as_text() -> None:
    table = Table(("Name", "Value"), (("<b>", "10"), ("x", "5")), frozenset({1}), "a & b")
    assert "&lt;b&gt;" in table._repr_html_()
    assert "a &amp; b" in table._repr_html_()
    assert repr(table) == "Name  Value\n<b>      10\nx         5\na & b"


def test_committed_faults_make_a_table_without_a_traceback() -> None:
    path = Path(__file__).parents[2] / "benchmarks" / "faults.json"
    benchmark = json.loads(path.read_text(encoding="utf-8"))
    table = faults_table(benchmark)
    assert len(table.rows) == len(benchmark["kinds"]) > 25
    for row in table.rows:
        assert sum(map(int, row[1:-1])) == benchmark["examples"]
        assert row[4:6] == ("0", "0")
        assert row[2] == "0" or row[-1] != "all of it"


def test_costs_are_calculated_from_processor_time() -> None:
    stages = {
        "date": "2026-11-27",
        "machine": {"processor": "EPYC, family 25", "cores": 2},
        "panoramas": 8,
        "side_px": 12_275,
        "of_all": {"hours": 10.0, "cpu_hours": 20.0, "assumes": "All are alike."},
    }
    on_gpu = {
        **stages,
        "machine": {"processor": "Intel(R) Xeon(R) Processor, family 6", "cores": 16, "gpu": "H200"},
        "panoramas": 4,
        "of_all": {"hours": 2.0},
    }
    in_float32 = {**stages, "of_all": {"hours": 30.0}, "panoramas": 6}
    table = costs_table({"stages": stages, "float32": in_float32, "gpu": on_gpu})
    assert table.rows == (
        ("Measured, EPYC", "2", "10.0 h", "42 days"),
        ("Measured, EPYC without bfloat16", "2", "30.0 h", "125 days"),
        ("Measured, Intel Xeon with H200", "16", "2.0 h", "8 days"),
        ("Laptop", "8", "2.5 h", "10 days"),
        ("Workstation without a GPU", "32", "38 min", "3 days"),
        ("Cluster, 20 machines", "320", "4 min", "6.2 h"),
    )
    assert table.note.startswith(
        "Measured on 2026-11-27 with 8 simulated panoramas of 12,275 px; on 2026-11-27 with 6, on a processor without "
        "bfloat16; and on 2026-11-27 with 4,"
    )
    assert table.note.endswith(" All are alike.")
