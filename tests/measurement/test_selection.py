import csv
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nnbook.errors import NnbookError
from nnbook.io.results import read_results
from nnbook.measurement.selection import centroid, representatives


@pytest.fixture(scope="module")
def published(shared: Path) -> Path:
    return shared / "data" / "nucleusnet" / "results.csv"


def table(counts: list[float], means: list[float], names: str) -> pd.DataFrame:
    return pd.DataFrame({"image": list(names), "num_rois": counts, "mean_intensity": means, "std_intensity": 1.0})


def test_published_table_has_the_published_centroid(published: Path) -> None:
    results = read_results(published)
    assert len(results) == 1600
    assert results["num_rois"].sum() == 1_111_184
    middle = centroid(results)
    assert round(middle["num_rois"], 2) == 694.49
    assert round(middle["mean_intensity"], 4) == 79.0141


def test_representatives_are_those_of_the_definition(published: Path) -> None:
    with published.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    values = np.array([[float(row["num_rois"]), float(row["mean_intensity"])] for row in rows])
    population = np.sqrt(((values - values.mean(axis=0)) ** 2).sum(axis=0) / len(values))
    distance = np.sqrt((((values - values.mean(axis=0)) / population) ** 2).sum(axis=1))
    nearest = np.argsort(distance)[:25]
    found = representatives(read_results(published), 25)
    assert found["image"].tolist() == [rows[index]["image"] for index in nearest]
    np.testing.assert_allclose(found["distance"], distance[nearest], rtol=1e-9)


def test_population_and_not_sample_deviation() -> None:
    found = representatives(table([0, 2], [10, 30], "ab"), 2)
    np.testing.assert_allclose(found["distance"], np.sqrt(2))  # each is 1 population SD away in both features


def test_ties_are_told_apart_by_name() -> None:
    assert representatives(table([5, 1, 3, 3], [1, 5, 2, 4], "dacb"), 4)["image"].tolist() == ["b", "c", "a", "d"]


def test_a_feature_that_is_the_same_everywhere_does_not_count() -> None:
    found = representatives(table([1, 2, 9], [7, 7, 7], "abc"), 3)
    assert found["image"].tolist() == ["b", "a", "c"]
    assert np.isfinite(found["distance"]).all()


def test_a_panorama_without_nucleus_has_no_place() -> None:
    results = table([0, 4, 8], [np.nan, 10, 20], "abc")
    assert centroid(results).to_dict() == {"num_rois": 6, "mean_intensity": 15}
    assert set(representatives(results, 2)["image"]) == {"b", "c"}
    with pytest.raises(NnbookError, match="k is 3; the table has 2"):
        representatives(results, 3)


@pytest.mark.parametrize("k", [0, -1, 3])
def test_k_out_of_range_is_named(k: int) -> None:
    with pytest.raises(NnbookError, match=f"k is {k};"):
        representatives(table([1, 2], [1, 2], "ab"), k)


def test_no_nucleus_at_all_is_named() -> None:
    with pytest.raises(NnbookError, match="has a nucleus"):
        centroid(table([0, 0], [np.nan, np.nan], "ab"))
