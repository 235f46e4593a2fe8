from pathlib import Path

import pandas as pd
import pytest

from nnbook.errors import NnbookError
from nnbook.figures.reproduction import agrees, area_numbers, recomputed, reproduction_table, results_numbers
from nnbook.io.results import read_results
from nnbook.values import published
from nnbook.values.computed import Number, name_numbers
from nnbook.values.published import CITED

PUBLISHED_AREA = (published.TOTAL_AREA_PX2, published.PX_PER_UM)


@pytest.fixture
def results() -> pd.DataFrame:
    """Five panoramas of three runs, one of them without a nucleus."""
    return pd.DataFrame(
        {
            "image": [f"Run{run}TL_{crop}.tif" for run, crop in ((1, "top_left"), (1, "top_right"), (2, "top_left"))]
            + ["Run2TL_top_right.tif", "Run3TL_top_left.tif"],
            "num_rois": [10, 20, 30, 40, 0],
            "mean_intensity": [60.0, 50.0, 80.0, 90.0, float("nan")],
            "std_intensity": [11.0, 22.0, 33.0, 44.0, float("nan")],
        }
    )


def test_the_published_area_comes_out_as_published() -> None:
    found = {number.key: number for number in area_numbers(*PUBLISHED_AREA, published.PANORAMAS)}
    assert found["area.cm2"].shown == "37.2462\u00a0cm²"
    for key in ("area.cm2", "area.side", "panoramas.mean_area", "panoramas.mean_side"):
        assert agrees(key, found[key].value or 0), key
        cited = CITED[key]
        assert f"{found[key].value:.{cited.digits}f}" == f"{cited.value:.{cited.digits}f}"


def test_the_published_table_gives_the_published_counts(shared: Path) -> None:
    table = read_results(shared / "data" / "nucleusnet" / "results.csv")
    found = {number.key: number.value for number in results_numbers(table, *PUBLISHED_AREA)}
    for key in ("panoramas.count", "panoramas.per_experiment", "experiments.count", "rois.count"):
        assert found[key] == CITED[key].value, key
    assert found["rois.density"] == pytest.approx(298.3, abs=0.05)


def test_every_value_with_a_tolerance_is_recomputed(shared: Path) -> None:
    table = read_results(shared / "data" / "nucleusnet" / "results.csv")
    numbers = (*area_numbers(*PUBLISHED_AREA, published.PANORAMAS), *results_numbers(table, *PUBLISHED_AREA))
    rows = reproduction_table(recomputed(numbers), numbers, "Mine").rows
    compared = [row for row in rows if row[5] != "–"]
    assert len(compared) == sum(cited.tolerance is not None for cited in CITED.values())
    assert {row[1] for row in compared} == {"yes"}


def test_results_are_counted_and_averaged_over_panoramas_with_nuclei(results: pd.DataFrame) -> None:
    found = {number.key: number for number in results_numbers(results, 64 * 10**8, 8.0)}
    assert {key: number.value for key, number in found.items() if number.digits == 0} == {
        "panoramas.count": 5,
        "experiments.count": 3,
        "panoramas.per_experiment": 5 / 3,
        "rois.count": 100,
    }
    assert found["rois.density"].shown == "1.0/mm²"
    assert found["rois.per_panorama"].value == 25.0
    assert found["intensity.mean"].value == 70.0
    assert found["intensity.spread"].value == 27.5


def test_names_without_an_experiment_leave_it_open(results: pd.DataFrame) -> None:
    found = {number.key: number for number in results_numbers(results.assign(image=list("abcde")), 64, 8.0)}
    assert found["experiments.count"].value is None
    assert found["panoramas.per_experiment"].shown == "–"


def test_an_area_without_panoramas_is_refused() -> None:
    with pytest.raises(NnbookError, match="0 panoramas"):
        area_numbers(1, 1.0, 0)


def test_every_key_and_source_is_one_that_a_notebook_can_name(results: pd.DataFrame) -> None:
    numbers = (*area_numbers(64, 8.0, 1), *results_numbers(results, 64, 8.0))
    assert len(name_numbers(*numbers, *recomputed(numbers), source=area_numbers).numbers) == 2 * len(numbers)


def test_a_recomputed_value_beyond_its_tolerance_does_not_agree() -> None:
    off = Number("published.area.cm2", "Imaged area", 37.26, "cm²", digits=4)
    [row] = reproduction_table([off], [Number("area.cm2", "Imaged area", 0.1, "cm²", digits=4)], "Mine").rows
    assert row == ("Imaged area", "no", "37.25\u00a0cm²", "37.2600\u00a0cm²", "+0.0100", "0.005", "0.1000\u00a0cm²")


def test_what_is_missing_is_a_dash() -> None:
    own = [Number("rois.count", "ROIs", 100), Number("rois.density", "Density", 1.0, "1/mm²", digits=1)]
    table = reproduction_table([], own, "Mine")
    assert table.rows[0] == ("ROIs", "–", "1,111,184", "–", "–", "–", "100")
    assert table.rows[1] == ("Density", "–", "–", "–", "–", "–", "1.0/mm²")
    assert table.header[-1] == "Mine"


def test_a_value_that_has_no_tolerance_cannot_agree() -> None:
    with pytest.raises(NnbookError, match=r"cells\.images has no tolerance"):
        agrees("cells.images", 1)
