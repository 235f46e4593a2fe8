import json
import re
from pathlib import Path

import numpy as np
import pytest

from nnbook.cli import main
from nnbook.io.images import read_mask, write_image, write_mask
from nnbook.io.manifest import write_manifest
from nnbook.io.results import read_results
from nnbook.simulation.dataset import simulate_manifest
from nnbook.simulation.panorama import simulate_panorama

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


@pytest.mark.parametrize(
    "call",
    [
        [],
        ["segmnt"],
        ["area"],
        ["area", "manifest.csv", "--px2", "4"],
        ["area", "--px2", "many"],
        ["representatives"],
        ["representatives", "t.csv", "-k", "ten"],
        ["measure", "a.tif"],
        ["pull", "lab/nuclei"],
        ["push", "cells", "lab/nuclei"],
        ["segment", "a.tif", "--out", "o", "--diameter", "wide"],
    ],
)
def test_a_wrong_call_exits_with_2(call: list[str], capsys: Said) -> None:
    with pytest.raises(SystemExit) as caught:
        main(call)
    assert caught.value.code == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "usage: nnbook" in said.err


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (["area", "--px2", "0"], "0 px2"),
        (["area", "none.csv"], "none.csv: no such manifest"),
        (["validate", "none.csv"], "none.csv: no such manifest"),
        (["representatives", "none.csv"], "none.csv: no such table"),
        (["pyramid", "none.tif", "--out", "tiles"], "none.tif: no such file"),
        (["measure", "none.tif", "--masks", "masks", "--out", "out"], "none.tif: no such file"),
        (["measure", "folder", "--masks", "masks", "--out", "out"], "folder: holds no TIFF or PNG file"),
        (
            ["push", "none", "lab/x", "--licence", "mit", "--dry-run", "out"],
            "none: is no store of cells and holds no TIFF",
        ),
        (["site", "none", "--project", "none"], "no such edition"),
        (["pyramid", "a.tif", "--out", "file/tiles"], "file"),
    ],
)
def test_wrong_data_exits_with_1_and_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Said, call: list[str], named: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("in the way")
    write_image(tmp_path / "a.tif", np.zeros((8, 9), np.uint8))
    assert main(call) == 1
    said = capsys.readouterr()
    told = [line for line in said.err.splitlines() if not re.match(r"\w+: \d+/\d+ (done|after) ", line)]
    assert len(told) == 1
    assert told[0].startswith(f"nnbook {call[0]}: ")
    assert named in told[0]
    assert said.out == ""


def test_images_of_one_name_are_refused(tmp_path: Path, capsys: Said) -> None:
    for folder in ("one", "two"):
        write_image(tmp_path / folder / "a.tif", np.zeros((8, 9), np.uint8))
    call = ["measure", str(tmp_path / "one"), str(tmp_path / "two"), "--masks", str(tmp_path), "--out", str(tmp_path)]
    assert main(call) == 1
    assert "two/a.tif: has the same name as" in capsys.readouterr().err


def test_segment_and_measure_files(tmp_path: Path, capsys: Said) -> None:
    image, _, _ = simulate_panorama(11, 4, "BR", "top_right", width_px=512, height_px=480)
    write_image(tmp_path / "mine.tif", image)
    masks, out = tmp_path / "masks", tmp_path / "out"
    assert main(["segment", str(tmp_path / "mine.tif"), "--out", str(masks), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"masks": [str(masks / "mine_cp_masks.tif")]}
    labels = read_mask(masks / "mine_cp_masks.tif")
    assert labels.shape == image.shape

    assert main(["measure", str(tmp_path / "mine.tif"), "--masks", str(masks), "--out", str(out), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["panoramas"], said["num_rois"]) == (1, labels.max())
    row = read_results(out / "results.csv").iloc[0]
    assert (row["image"], row["num_rois"]) == ("mine.tif", labels.max())
    assert row["mean_intensity"] == pytest.approx(image[labels > 0].mean(), abs=1e-4)


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
    assert "px/um" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
