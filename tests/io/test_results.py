from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nnbook.errors import NnbookError
from nnbook.io.results import COLUMNS, read_results, write_results

HEAD = ",".join(COLUMNS)


def test_round_trip_with_four_decimals_and_empty_brightness(tmp_path: Path) -> None:
    path = tmp_path / "results.csv"
    write_results(path, pd.DataFrame([("a.tif", 3, 1.23456, 2.0, "P1"), ("b.tif", 0, np.nan, np.nan, "")],
                                     columns=[*COLUMNS, "passage"]))  # fmt: skip
    assert path.read_text().splitlines()[:2] == [f"{HEAD},passage", "a.tif,3,1.2346,2.0000,P1"]
    found = read_results(path)
    assert found["num_rois"].tolist() == [3, 0]
    assert found["mean_intensity"].isna().tolist() == [False, True]
    assert found["num_rois"].dtype == np.int64


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
