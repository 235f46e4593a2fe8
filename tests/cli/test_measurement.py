import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from nnbook.cli import main
from nnbook.io.images import write_image, write_mask
from nnbook.io.manifest import Panorama, write_manifest
from nnbook.io.parquet import open_parquet
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
    assert main(["area", "--px2", "241083171855", "--px-per-um", "8.0453", "--json"]) == 0
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
    write_image(tmp_path / "dark.tif", np.zeros((8, 9), np.uint8), px_per_um=8.0453)
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


@pytest.fixture
def field(tmp_path: Path) -> Path:
    """A folder with two images of one nucleus of 400 px each, `a.tif` and `b.tif`, and their masks in `masks/`."""
    labels = np.zeros((40, 50), np.int32)
    labels[10:30, 10:30] = 1
    for name in "ab":
        write_image(tmp_path / f"{name}.tif", (labels * 100).astype(np.uint8))
        write_mask(tmp_path / "masks" / f"{name}_cp_masks.tif", labels)
    return tmp_path


def manifest(folder: Path, *scales: float) -> str:
    rows = [Panorama(n, 1, "", "", "", f"{n}.tif", "", 50, 40, s, "", "") for n, s in zip("ab", scales, strict=True)]
    write_manifest(folder / "m.csv", rows)
    return str(folder / "m.csv")


def measured(folder: Path, *images: str, options: tuple[str, ...] = ()) -> list[float]:
    call = ["measure", *images, "--masks", str(folder / "masks"), "--out", str(folder / "out"), *options]
    assert main(call) == 0
    areas: list[float] = pd.read_parquet(folder / "out" / "rois.parquet")["area_um2"].tolist()
    assert read_results(folder / "out" / "results.csv")["area_um2"].tolist() == areas
    return areas


def test_a_rim_widens_the_masks_that_a_panorama_is_summed_up_under(field: Path, capsys: Said) -> None:
    assert measured(field, manifest(field, 2.0, 2.0), options=("--rim", "1")) == [100.0, 100.0]
    rois = pd.read_parquet(field / "out" / "rois.parquet")
    assert (rois["wide_area_px"] > rois["area_px"]).all()
    capsys.readouterr()
    call = ["measure", manifest(field, 2.0, 2.0), "--masks", str(field / "masks"), "--out", str(field / "none")]
    assert main([*call, "--rim", "-1"]) == 1
    assert capsys.readouterr().err == "nnbook measure: --rim is -1; give a number of um above 0\n"


class TestScale:
    def test_measure_takes_each_rows_scale(self, field: Path) -> None:
        assert measured(field, manifest(field, 2.0, 4.0)) == [100.0, 25.0]
        assert measured(field, manifest(field, 2.0, 2.0), options=("--px-per-um", "2")) == [100.0, 100.0]

    @pytest.mark.parametrize("command", ["measure", "cells", "area"])
    def test_an_option_that_contradicts_a_row_is_an_error(self, field: Path, capsys: Said, command: str) -> None:
        call = [command, manifest(field, 2.0, 8.0), "--px-per-um", "2"]
        if command != "area":
            call += ["--masks", str(field / "masks"), "--out", str(field / "out")]
        assert main([*call, "--rois", "none.parquet"] if command == "cells" else call) == 1
        said = capsys.readouterr().err
        line = "--px-per-um is 2, but the manifest says 8 for b; leave it out, or correct the manifest"
        assert said == f"nnbook {command}: {line}\n"
        assert not (field / "out").exists()

    def test_a_file_that_contradicts_its_row_is_a_warning(self, field: Path, capsys: Said) -> None:
        write_image(field / "b.tif", np.ones((40, 50), np.uint8), px_per_um=4.0)
        assert measured(field, manifest(field, 2.0, 2.0)) == [100.0, 100.0]
        line = f"nnbook: {field / 'b.tif'}: says 4 px/µm itself, but 2 is used, as given; correct the one that is wrong"
        assert line in capsys.readouterr().err.splitlines()

    def test_without_a_manifest_the_file_says_its_scale(self, field: Path, capsys: Said) -> None:
        image = field / "a.tif"
        write_image(image, np.ones((40, 50), np.uint8), px_per_um=4.0)
        assert measured(field, str(image)) == [25.0]
        assert f"nnbook: {image}: 4 px/µm, as it says itself" in capsys.readouterr().err.splitlines()
        assert measured(field, str(image), options=("--px-per-um", "2")) == [100.0]
        assert f"nnbook: {image}: says 4 px/µm itself, but 2 is used" in capsys.readouterr().err

    def test_without_any_scale_it_is_asked_for(self, field: Path, capsys: Said) -> None:
        call = ["measure", str(field), "--masks", str(field / "masks"), "--out", str(field / "out")]
        assert main(call) == 1
        assert capsys.readouterr().err == (
            f"nnbook measure: {field / 'a.tif'}: doesn't say how large its pixels are; give --px-per-um, pixels a "
            "micrometre, or a manifest (and 1 more)\n"
        )
        assert not (field / "out").exists()

    def test_area_of_two_scales_is_refused_by_name(self, field: Path, capsys: Said) -> None:
        assert main(["area", manifest(field, 2.0, 8.0)]) == 1
        assert "different px_per_um, 2 (a) and 8 (b); give each scale its own" in capsys.readouterr().err
        assert main(["area", manifest(field, 2.0, 2.0), "--px-per-um", "2", "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["cm2"] == pytest.approx(2 * 50 * 40 / 4 / 1e8)


def test_masks_beside_their_images_are_measured_twice_with_the_same_result(field: Path) -> None:
    for mask in (field / "masks").iterdir():
        mask.rename(field / mask.name)
    call = ["measure", str(field), "--masks", str(field), "--out", str(field), "--px-per-um", "2"]
    outputs = []
    for _ in range(2):
        assert main(call) == 0
        outputs.append((field / "results.csv").read_bytes())
    assert outputs[0] == outputs[1]
    assert read_results(field / "results.csv")["image"].tolist() == ["a.tif", "b.tif"]


def test_tables_of_panoramas_are_not_gathered_again_with_nothing_to_do(
    field: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []

    def noted(path: Path, *more: Any, **options: Any) -> Any:
        opened.append(path.parent.name)
        return open_parquet(path, *more, **options)

    monkeypatch.setattr("nnbook.pipeline.measured.open_parquet", noted)
    call = ["measure", str(field), "--masks", str(field / "masks"), "--out", str(field / "out"), "--px-per-um"]
    assert main([*call, "2"]) == 0
    assert {*opened} == {"a", "b"}
    opened.clear()
    before = (field / "out" / "rois.parquet").stat().st_mtime_ns
    assert main([*call, "2"]) == 0
    assert opened == []
    assert (field / "out" / "rois.parquet").stat().st_mtime_ns == before
    (field / "b.tif").unlink()
    assert main([*call, "2"]) == 0
    assert pd.read_parquet(field / "out" / "rois.parquet")["panorama"].unique().tolist() == ["a"]
    assert read_results(field / "out" / "results.csv")["image"].tolist() == ["a.tif"]
    (field / "out" / "results.csv").unlink()
    assert main([*call, "4"]) == 0
    rois = pd.read_parquet(field / "out" / "rois.parquet")
    assert (rois["area_um2"] == rois["area_px"] / 16).all()


def test_an_image_is_not_measured_by_itself(field: Path, capsys: Said) -> None:
    call = ["measure", str(field), "--masks", str(field), "--out", str(field / "out"), "--px-per-um", "2"]
    assert main(call) == 1
    assert f"{field / 'a.tif'}: has no mask in {field}; make it with 'nnbook segment'" in capsys.readouterr().err


def test_images_that_results_can_not_tell_apart_are_refused(field: Path, capsys: Said) -> None:
    (field / "x").mkdir()
    (field / "b.tif").rename(field / "x" / "a.tif")
    (field / "m.csv").write_text("image,panorama,px_per_um\na.tif,a,2\nx/a.tif,b,2\n")
    call = ["measure", str(field / "m.csv"), "--masks", str(field / "masks"), "--out", str(field / "out")]
    assert main(call) == 1
    line = f"{field / 'x' / 'a.tif'}: is named as {field / 'a.tif'}; rename one, for results.csv tells images apart by"
    assert line in capsys.readouterr().err
    assert not (field / "out").exists()


def test_some_panoramas_are_measured_and_cut_and_a_call_for_all_gathers_them(tmp_path: Path, capsys: Said) -> None:
    labels = np.zeros((40, 50), np.int32)
    labels[10:20, 10:30] = 1
    for number in range(1, 5):
        name = f"Run{number}TL_top_left"
        write_image(tmp_path / f"{name}.tif", np.full((40, 50), 9 + number, np.uint8), px_per_um=8.0)
        write_mask(tmp_path / f"{name}_cp_masks.tif", labels)
    out, images = tmp_path / "out", [str(tmp_path), "--masks", str(tmp_path)]
    measure = ["measure", *images, "--out", str(out)]
    cells = ["cells", *images, "--rois", str(out / "rois.parquet"), "--out", str(out / "cells")]
    assert main([*measure, "--part", "2/2"]) == 0
    assert main([*measure, "--only", "Run3TL_top_left"]) == 0
    assert sorted(path.name for path in (out / "rois-parts").iterdir()) == [f"Run{run}TL_top_left" for run in (2, 3, 4)]
    assert not (out / "rois.parquet").exists()
    assert main([*measure, "--only", "failed"]) == 0
    assert main(measure) == 0
    assert len(read_results(out / "results.csv")) == 4
    capsys.readouterr()

    assert main([*cells, "--part", "1/4"]) == 0
    assert capsys.readouterr().out.startswith("cells: 1\n")
    assert not (out / "cells").exists()
    assert main(cells) == 0
    assert capsys.readouterr().out.startswith("cells: 4\n")
    assert main([*measure, "--only", "Run9TL_top_left"]) == 1
    assert capsys.readouterr().err.splitlines()[-1] == (
        "nnbook measure: --only is Run9TL_top_left, and there is no such panorama"
    )
    for wrong, told in {
        ("--part", "3/2"): "'3/2' is no part; give such as 3/20",
        ("--workers", "0"): "'0' is no number of processes; give one from 1",
    }.items():
        with pytest.raises(SystemExit):
            main([*measure, *wrong])
        assert told in capsys.readouterr().err
