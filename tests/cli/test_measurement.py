import json
from pathlib import Path

import numpy as np
import pytest

from nnbook.cli import main
from nnbook.io.images import write_image, write_mask
from nnbook.io.manifest import write_manifest
from nnbook.io.results import read_results
from nnbook.simulation.dataset import simulate_manifest

Said = pytest.CaptureFixture[str]


def test_representatives_as_json(shared: Path, capsys: Said) -> None:
    assert main(["representatives", str(shared / "data" / "nucleusnet" / "results.csv"), "-k", "4", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert set(said) == {"centroid", "panoramas"}
    assert {key: round(value, 4) for key, value in said["centroid"].items()} == {
        "num_rois": 694.49,
        "mean_intensity": 79.0141,
    }
    assert [list(row) for row in said["panoramas"]] == [["image", "num_rois", "mean_intensity", "distance"]] * 4
    distances = [row["distance"] for row in said["panoramas"]]
    assert distances == sorted(distances)
    assert all(isinstance(row["num_rois"], int) for row in said["panoramas"])


def test_area_as_json(capsys: Said) -> None:
    assert main(["area", "--px2", "241083171855", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert list(said) == ["px2", "cm2", "square_side_cm", "px_per_um"]
    assert (said["px2"], round(said["cm2"], 2), said["px_per_um"]) == (241_083_171_855, 37.25, 8.0453)
    assert round(said["square_side_cm"], 1) == 6.1


def test_area_of_a_manifest_is_the_sum_of_its_panoramas(tmp_path: Path, capsys: Said) -> None:
    rows = simulate_manifest(1, 2, 300)
    write_manifest(tmp_path / "manifest.csv", rows)
    assert main(["area", str(tmp_path / "manifest.csv"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["px2"] == len(rows) * 300 * 300


def test_images_of_one_name_are_refused(tmp_path: Path, capsys: Said) -> None:
    for folder in ("one", "two"):
        write_image(tmp_path / folder / "a.tif", np.zeros((8, 9), np.uint8))
    call = ["measure", str(tmp_path / "one"), str(tmp_path / "two"), "--masks", str(tmp_path), "--out", str(tmp_path)]
    assert main(call) == 1
    assert "two/a.tif: has the same name as" in capsys.readouterr().err


def test_measure_keeps_and_names_a_panorama_without_nucleus(tmp_path: Path, capsys: Said) -> None:
    write_image(tmp_path / "dark.tif", np.zeros((8, 9), np.uint8))
    write_mask(tmp_path / "m" / "dark_cp_masks.tif", np.zeros((8, 9), np.int32))
    call = ["measure", str(tmp_path / "dark.tif"), "--masks", str(tmp_path / "m"), "--out", str(tmp_path / "out")]
    assert main(call) == 0
    assert "dark has no nucleus" in capsys.readouterr().err
    results = read_results(tmp_path / "out" / "results.csv")
    assert results["num_rois"].tolist() == [0]
    assert results["mean_intensity"].isna().all()


@pytest.mark.parametrize("scale", ["0", "-8", "nan"])
def test_measure_refuses_a_scale_that_cannot_be(tmp_path: Path, capsys: Said, scale: str) -> None:
    write_image(tmp_path / "a.tif", np.ones((8, 9), np.uint8))
    write_mask(tmp_path / "m" / "a_cp_masks.tif", np.ones((8, 9), np.int32))
    call = ["measure", str(tmp_path / "a.tif"), "--masks", str(tmp_path / "m"), "--out", str(tmp_path / "out")]
    assert main([*call, "--px-per-um", scale]) == 1
    assert "nnbook measure: --px-per-um is " in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
