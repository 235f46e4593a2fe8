import json
from pathlib import Path

import pytest

from nnbook.cli import main
from nnbook.io.images import read_mask, write_image
from nnbook.io.results import read_results
from nnbook.simulation.panorama import simulate_panorama


def test_segment_and_measure_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    image, _, _ = simulate_panorama(11, 4, "BR", "top_right", width_px=512, height_px=480)
    write_image(tmp_path / "mine.tif", image, px_per_um=8.0453)
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


def test_a_folder_is_segmented_and_measured_with_a_panorama_without_nucleus(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    panoramas, masks, out = tmp_path / "panoramas", tmp_path / "masks", tmp_path / "out"
    image, _, _ = simulate_panorama(1, 1, "TL", "top_left", width_px=700, height_px=700)
    write_image(panoramas / "seen.tif", image, px_per_um=8.0453)
    write_image(panoramas / "black.tif", image * 0, px_per_um=8.0453)
    assert main(["segment", str(panoramas), "--out", str(masks)]) == 0
    assert main(["measure", str(panoramas), "--masks", str(masks), "--out", str(out)]) == 0
    assert "black has no nucleus" in capsys.readouterr().err
    results = read_results(out / "results.csv").set_index("image")
    assert list(results.columns[:3]) == ["num_rois", "mean_intensity", "std_intensity"]
    assert results.loc["black.tif", "num_rois"] == 0
    assert results["mean_intensity"].isna().to_dict() == {"black.tif": True, "seen.tif": False}
    assert results.loc["seen.tif", "num_rois"] == read_mask(masks / "seen_cp_masks.tif").max()


def test_masks_may_be_written_beside_their_images(tmp_path: Path) -> None:
    image, _, _ = simulate_panorama(1, 1, "TL", "top_left", width_px=400, height_px=300)
    write_image(tmp_path / "a.tif", image, px_per_um=8.0453)
    write_image(tmp_path / "black.tif", image * 0, px_per_um=8.0453)
    states = []
    for _ in range(2):
        assert main(["segment", str(tmp_path), "--out", str(tmp_path)]) == 0
        assert main(["measure", str(tmp_path), "--masks", str(tmp_path), "--out", str(tmp_path)]) == 0
        states.append({path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()})
    assert states[0] == states[1]
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == ["rois-parts"]
    assert {name for name in states[0] if name[0] != "."} == {
        "a.tif", "a_cp_masks.tif", "a_cp_masks.json", "a_cp_confidence.csv", "black.tif", "black_cp_masks.tif",
        "black_cp_masks.json", "black_cp_confidence.csv", "results.csv", "rois.parquet",
    }  # fmt: skip
    results = read_results(tmp_path / "results.csv")
    assert results["image"].tolist() == ["a.tif", "black.tif"]
    assert results["num_rois"][0] == read_mask(tmp_path / "a_cp_masks.tif").max() > 0
