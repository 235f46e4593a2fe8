import json

import numpy as np
import pandas as pd
import pytest

from nnbook.cli import main
from nnbook.errors import NnbookError
from nnbook.results import read_results
from nnbook.select import centroid, representatives


@pytest.fixture
def published_table(shared):
    return shared / "data" / "nucleusnet" / "results.csv"


def table(rows):
    return pd.DataFrame(rows, columns=["image", "num_rois", "mean_intensity", "std_intensity"])


def test_centroid_of_the_published_table(published_table):
    results = read_results(published_table)
    middle = centroid(results)
    assert len(results) == 1600
    assert results["num_rois"].sum() == 1_111_184
    assert round(middle["num_rois"], 2) == 694.49
    assert round(middle["mean_intensity"], 4) == 79.0141


def test_representatives_are_the_nearest_in_population_z_scores(published_table):
    results = read_results(published_table)
    features = results[["num_rois", "mean_intensity"]].to_numpy(float)
    scores = (features - features.mean(axis=0)) / np.sqrt(((features - features.mean(axis=0)) ** 2).mean(axis=0))
    distance = np.sqrt((scores**2).sum(axis=1))
    chosen = representatives(results, 10)
    assert chosen["image"].tolist() == results["image"].iloc[np.argsort(distance)[:10]].tolist()
    np.testing.assert_allclose(chosen["distance"], np.sort(distance)[:10])


def test_command_prints_the_agreed_json(published_table, capsys):
    assert main(["representatives", str(published_table), "-k", "3", "--json"]) == 0
    value = json.loads(capsys.readouterr().out)
    assert set(value) == {"centroid", "panoramas"}
    assert set(value["centroid"]) == {"num_rois", "mean_intensity"}
    assert [set(row) for row in value["panoramas"]] == [{"image", "num_rois", "mean_intensity", "distance"}] * 3
    distances = [row["distance"] for row in value["panoramas"]]
    assert distances == sorted(distances)


def test_a_feature_that_never_varies_tells_nothing_apart():
    results = table([["a.tif", 10, 50.0, 1.0], ["b.tif", 10, 60.0, 1.0], ["c.tif", 10, 54.0, 1.0]])
    assert representatives(results, 1)["image"].tolist() == ["c.tif"]


def test_a_panorama_without_nuclei_has_no_place_in_the_plane():
    results = table([["a.tif", 0, np.nan, np.nan], ["b.tif", 4, 60.0, 1.0], ["c.tif", 8, 80.0, 1.0]])
    assert centroid(results).tolist() == [6.0, 70.0]
    assert "a.tif" not in representatives(results, 2)["image"].tolist()


@pytest.mark.parametrize("k", [0, -1, 3])
def test_k_out_of_range_is_refused(k):
    with pytest.raises(NnbookError, match=f"k is {k}"):
        representatives(table([["a.tif", 4, 60.0, 1.0], ["b.tif", 5, 61.0, 1.0]]), k)


def test_no_nucleus_anywhere_is_told():
    with pytest.raises(NnbookError, match="no panorama in the table has a nucleus"):
        centroid(table([["a.tif", 0, np.nan, np.nan]]))
