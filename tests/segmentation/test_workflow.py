import json
import weakref
from pathlib import Path
from typing import Any

import cv2
import numba
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from nnbook.errors import NnbookError
from nnbook.evaluation.metrics import evaluate
from nnbook.io.images import Image, Labels, read_image, read_mask, write_image, write_mask
from nnbook.pipeline.measured import MaskedImage, measure_file
from nnbook.segmentation.diameter import estimate_diameter, median_diameter
from nnbook.segmentation.masks import ConfidentMasks
from nnbook.segmentation.model import Model
from nnbook.segmentation.workflow import segment_files, segment_image
from nnbook.simulation.panorama import simulate_panorama
from nnbook.values.published import DIAMETER_PX


def test_finds_the_nuclei(masks: Labels, panorama: tuple[Image, Labels]) -> None:
    scores = evaluate(masks, panorama[1])
    assert scores["true_nuclei"] > 5
    assert scores["ap_0.50"] > 0.75
    assert scores["mean_iou"] > 0.85
    assert masks.dtype == np.int32
    assert masks.shape == panorama[0].shape


@pytest.mark.parametrize(("seed", "run"), [(12, 1), (14, 3)])
def test_separates_nuclei_that_touch(model: Model, seed: int, run: int) -> None:
    image, labels, truth = simulate_panorama(seed, run, "TL", "top_left", width_px=900, height_px=900)
    pair = truth.loc[truth["touching"] & ~truth["cut"], "label"]
    assert len(pair) == 2
    scores = evaluate(segment_image(image, model), np.where(np.isin(labels, pair), labels, 0))
    assert scores["tp_0.50"] == 2
    assert scores["merges"] == 0


@pytest.mark.parametrize("kind", ["constant", "noise", "gradient"])
def test_no_nucleus_gives_an_empty_mask(model: Model, kind: str) -> None:
    rng = np.random.default_rng(3)
    images: dict[str, Image] = {
        "constant": np.full((400, 500), 7, dtype=np.uint8),
        "noise": rng.poisson(6, (400, 500)).astype(np.uint16),
        "gradient": rng.poisson(np.linspace(6, 12, 500), (400, 500)).astype(np.float32),
    }
    masks = segment_image(images[kind], model)
    assert masks.shape == images[kind].shape
    assert not masks.any()


def test_saturated_nuclei_are_found(model: Model, panorama: tuple[Image, Labels]) -> None:
    image, labels = panorama
    saturated = np.minimum(image.astype(np.uint16) * 6, 255).astype(np.uint8)
    assert (saturated == 255).mean() > 0.005
    scores = evaluate(segment_image(saturated, model), labels)
    assert scores["tp_0.50"] >= 0.8 * labels.max()


def test_far_out_of_focus_nothing_is_made_up(model: Model, panorama: tuple[Image, Labels]) -> None:
    image, labels = panorama
    for sigma in (DIAMETER_PX / 2, DIAMETER_PX):
        masks = segment_image(cv2.GaussianBlur(image.astype(np.float32), (0, 0), sigma), model)
        assert masks.max() <= labels.max() / 4


def test_bit_depth_changes_nothing(model: Model, panorama: tuple[Image, Labels], masks: Labels) -> None:
    image = panorama[0]
    from_0_to_1, of_32_bits = image.astype(np.float32) / 255, image.astype(np.int32) * 70_000 - 9_000_000
    for other in (image.astype(np.uint16) * 16, from_0_to_1, of_32_bits):
        again = segment_image(other, model)
        assert evaluate(again, masks)["ap_0.95"] == 1
        assert (again != masks).mean() < 1e-3


def test_hot_pixels_in_noise_are_no_nuclei(model: Model) -> None:
    rng = np.random.default_rng(2)
    field = rng.poisson(6, (512, 512)).astype(np.uint8)
    field[tuple(rng.integers(0, 512, (2, 30)))] = 255
    for diameter_px in (153.0, None):
        assert segment_image(field, model, diameter_px=diameter_px).max() == 0


def test_the_number_of_threads_changes_nothing(model: Model, panorama: tuple[Image, Labels], masks: Labels) -> None:
    threads, compiled = torch.get_num_threads(), numba.get_num_threads()
    try:
        for count in (1, 2):
            torch.set_num_threads(count)
            numba.set_num_threads(min(count, compiled))
            np.testing.assert_array_equal(segment_image(panorama[0], model), masks)
    finally:
        torch.set_num_threads(threads)
        numba.set_num_threads(compiled)


def test_processes_of_their_own_change_nothing(
    model: Model, panorama: tuple[Image, Labels], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    images = {name: tmp_path / f"{name}.tif" for name in ("a", "b", "bad")}
    write_image(images["a"], panorama[0][:500, :600])
    write_image(images["b"], panorama[0][-500:, -600:])
    images["bad"].write_bytes(b"no image")
    found = []
    for workers in (None, 2):
        out = tmp_path / f"masks-{workers}"
        with pytest.raises(NnbookError, match=r"^[^\n]*bad\.tif: is no TIFF, PNG or CZI file[^\n]*$"):
            segment_files(images, out, model, workers=workers)
        found.append({path.name: path.read_bytes() for path in out.iterdir() if path.suffix != ".json"})
        assert "nnbook: segment: 1 of 3 panoramas failed, as " in capsys.readouterr().err
    assert found[0] == found[1]
    assert sorted(found[0]) == [f"{name}_cp_{ending}" for name in "ab" for ending in ("confidence.csv", "masks.tif")]
    assert read_mask(tmp_path / "masks-2" / "a_cp_masks.tif").max() > 0


def test_finds_the_diameter(model: Model, panorama: tuple[Image, Labels], tmp_path: Path) -> None:
    write_image(tmp_path / "a.tif", panorama[0])
    (path,) = segment_files({"a": tmp_path / "a.tif"}, tmp_path, model, diameter_px=None)
    masks = read_mask(path)
    assert evaluate(masks, panorama[1])["ap_0.50"] > 0.7
    # Every nucleus has its confidence; one that is corrected has none, and one that is renumbered keeps it.
    one = MaskedImage(tmp_path / "a.tif", path, 8.0)
    rois = measure_file("a", one)
    assert rois["confidence"].between(0, 1).all()
    assert rois["confidence"].median() > 0.9
    corrected = np.where(masks == 2, masks.max() + 1, masks)
    corrected.flat[np.flatnonzero(masks == 1)[:5]] = 0
    write_mask(path, corrected)
    again = measure_file("a", one)
    was, now = (table.set_index("roi")["confidence"] for table in (rois, again))
    assert np.isnan(now[1])
    assert now[masks.max() + 1] == was[2]
    assert now.drop([1, masks.max() + 1]).equals(was.drop([1, 2]))
    record = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    assert record["result"]["found_diameter_px"] == pytest.approx(median_diameter(panorama[1]), rel=0.25)
    assert estimate_diameter(np.zeros((50, 50), dtype=np.uint8), model) == 0


def test_files_are_named_kept_and_redone(
    model: Model,
    tmp_path: Path,
    panorama: tuple[Image, Labels],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    images = {name: tmp_path / f"{name}.tif" for name in ("a", "bad", "c")}
    large = 1 + np.argsort(np.bincount(panorama[1].ravel())[1:])[-2:]
    first, last = (np.argwhere(panorama[1] == label).mean(axis=0).astype(int) for label in large)
    around_first, around_last = (
        tuple(slice(max(0, middle - 200), middle + 200) for middle in place) for place in (first, last)
    )
    write_image(images["a"], panorama[0][around_first])
    images["bad"].write_bytes(b"no image")
    write_image(images["c"], panorama[0][around_last])
    out = tmp_path / "masks"
    with pytest.raises(NnbookError, match=r"^[^\n]*bad\.tif: is no TIFF, PNG or CZI file[^\n]*$"):
        segment_files(images, out, model)
    files = [f"{name}_cp_{ending}" for name in "ac" for ending in ("confidence.csv", "masks.json", "masks.tif")]
    assert sorted(path.name for path in out.iterdir()) == [*files, "failed.json"]
    record = json.loads((out / "a_cp_masks.json").read_text(encoding="utf-8"))
    settings = record["settings"]
    assert settings["model_sha256"] == model.sha256
    assert record["result"]["nuclei"] == read_mask(out / "a_cp_masks.tif").max()
    assert (settings["diameter_px"], settings["flow_threshold"], settings["cellprob_threshold"]) == (152.91, 0.5, -2.0)

    capsys.readouterr()
    write_image(tmp_path / "empty.tif", np.full((40, 40), 7, np.uint8))
    for _ in range(2):  # made, and up to date
        segment_files({**{name: images[name] for name in "ac"}, "empty": tmp_path / "empty.tif"}, out, model)
        assert "nnbook: no nucleus was found in 1 image: empty; check the diameter" in capsys.readouterr().err
    del images["bad"]
    made: list[tuple[int, ...]] = []

    def noted(image: Image, *_: object) -> tuple[ConfidentMasks, float]:
        made.append((image.shape[0], image.shape[1]))
        labels = np.ones(made[-1], dtype=np.int32)
        return ConfidentMasks(labels, np.ones(1), np.array([[labels.size, 0, 0, *labels.shape[::-1]]])), 150.0

    monkeypatch.setattr("nnbook.segmentation.workflow._masks_of_image", noted)
    assert segment_files(images, out, model) == [out / "a_cp_masks.tif", out / "c_cp_masks.tif"]
    assert made == []
    write_image(images["c"], panorama[0][-310:, -300:])
    segment_files(images, out, model)
    assert made == [(310, 300)]
    segment_files(images, out, model, cellprob_threshold=0.0)
    assert made == [(310, 300), (400, 400), (310, 300)]
    (out / "a_cp_masks.tif").unlink()
    segment_files(images, out, model, cellprob_threshold=0.0)
    assert made[3:] == [(400, 400)]


def test_the_image_is_not_in_memory_while_the_network_runs(
    model: Model, panorama: tuple[Image, Labels], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_image(tmp_path / "a.tif", panorama[0][:300, :300])
    images: list[weakref.ref[Image]] = []
    freed: list[bool] = []

    def read(*arguments: Any) -> Image:
        image = read_image(*arguments)
        images.append(weakref.ref(image))
        return image

    def network(grey: NDArray[np.float32], _: Model) -> NDArray[np.float32]:
        freed.append(images[0]() is None)
        return np.full((3, *grey.shape), -9, np.float32)

    monkeypatch.setattr("nnbook.segmentation.workflow.read_image", read)
    for module in ("network", "workflow"):
        monkeypatch.setattr(f"nnbook.segmentation.{module}.run_network", network, raising=False)
    segment_files({"a": tmp_path / "a.tif"}, tmp_path, model)
    assert freed == [True]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"diameter_px": 0.0}, "diameter_px is 0"),
        ({"diameter_px": float("nan")}, "diameter_px is nan"),
        ({"flow_threshold": -1.0}, "flow_threshold is -1"),
        ({"cellprob_threshold": float("inf")}, "cellprob_threshold is inf"),
    ],
)
def test_settings_out_of_range(model: Model, tmp_path: Path, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(NnbookError, match=message):
        segment_image(np.eye(9, dtype=np.uint8), model, **settings)
    with pytest.raises(NnbookError, match=message):
        segment_files({}, tmp_path, model, **settings)


def test_images_that_are_none(model: Model) -> None:
    with pytest.raises(NnbookError, match="one channel"):
        segment_image(np.zeros((3, 4, 5), dtype=np.uint8), model)
    with pytest.raises(NnbookError, match="not a number"):
        segment_image(np.full((9, 9), np.nan), model)
    with pytest.raises(NnbookError, match="true diameter"):
        segment_image(np.tile(np.arange(9, dtype=np.uint8), (9000, 1000)), model, diameter_px=1)
