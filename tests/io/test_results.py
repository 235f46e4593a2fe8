from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nnbook.errors import NnbookError
from nnbook.io.results import COLUMNS, read_results, write_results
from nnbook.measurement.selection import centroid, representatives

HEAD = ",".join(COLUMNS)


def test_round_trip_with_significant_digits_and_empty_brightness(tmp_path: Path) -> None:
    path = tmp_path / "results.csv"
    rows = [
        ("a.tif", 3, 76.25, 2.0, "P1"),
        ("b.tif", 0, np.nan, np.nan, ""),
        ("c.tif", 1, 2 / 3, 1e9 + 1 / 3, ""),
        ("d.tif", 1, 1e-6 / 3, 0.0, ""),
    ]
    write_results(path, pd.DataFrame(rows, columns=[*COLUMNS, "passage"]))
    assert path.read_text().splitlines() == [
        f"{HEAD},passage",
        "a.tif,3,76.25,2,P1",
        "b.tif,0,,,",
        "c.tif,1,0.666666666667,1000000000.33,",
        "d.tif,1,3.33333333333e-07,0,",
    ]
    found = read_results(path)
    assert found["num_rois"].tolist() == [3, 0, 1, 1]
    assert found["mean_intensity"].isna().tolist() == [False, True, False, False]
    assert found["num_rois"].dtype == np.int64


@pytest.mark.parametrize("white", [1.0, 1e-3, 255.0, 65_535.0, 4e9])
def test_the_table_has_the_representatives_that_were_measured(tmp_path: Path, white: float) -> None:
    # Means that differ in the third digit, as in images of one experiment.
    means = np.random.default_rng(7).normal(0.3, 0.0004, 60)
    results = pd.DataFrame({
        "image": [f"{number:02}.tif" for number in range(60)],
        "num_rois": 20,
        "mean_intensity": means * white,
        "std_intensity": 0.1 * white,
    })  # fmt: skip
    write_results(tmp_path / "results.csv", results)
    again = read_results(tmp_path / "results.csv")
    assert representatives(again, 10)["image"].tolist() == representatives(results, 10)["image"].tolist()
    assert centroid(again)["mean_intensity"] == pytest.approx(centroid(results)["mean_intensity"], rel=1e-12)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "can't be read"),
        ("image,num_rois,mean_intensity\na,1,2\n", "no column std_intensity"),
        (f"{HEAD}\n", "no rows"),
        (f"{HEAD}\na,1,bright,2\n", "mean_intensity holds text"),
        (f"{HEAD}\na,1,2,3\nb,-4,2,3\n", "row 3: num_rois is -4"),
        (f"{HEAD}\na,1.5,2,3\n", "row 2: num_rois is 1.5"),
        (f"{HEAD}\na,,2,3\n", "row 2: num_rois is nan"),
        (f"{HEAD}\na,1,2,3\na,1,2,3\n", "image a is in two rows"),
        (f"{HEAD}\na,1,2,3\nb,1,inf,3\n", "row 3: mean_intensity is infinite"),
        (f"{HEAD}\na,4,,\n", "image a has nuclei but no mean_intensity"),
    ],
)
def test_what_is_no_results_table_is_named(tmp_path: Path, text: str, expected: str) -> None:
    path = tmp_path / "results.csv"
    path.write_text(text)
    with pytest.raises(NnbookError, match=expected) as caught:
        read_results(path)
    assert str(caught.value).startswith(str(path))


def test_a_missing_or_binary_table_is_named(tmp_path: Path) -> None:
    path = tmp_path / "results.csv"
    with pytest.raises(NnbookError, match=r"results\.csv: no such table"):
        read_results(path)
    path.write_bytes(b"\xff\xfe\x00\x80" * 40)
    with pytest.raises(NnbookError, match=r"results\.csv"):
        read_results(path)
