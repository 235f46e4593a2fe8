import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numba
import numpy as np
import pytest
import torch

from nnbook.errors import NnbookError
from nnbook.evaluation.metrics import evaluate
from nnbook.io.images import Image, Labels, image_shape, read_image, read_mask, write_image
from nnbook.io.inputs import manifest_images, pair_files
from nnbook.io.manifest import Panorama, write_manifest
from nnbook.segmentation import fused_network as fused
from nnbook.segmentation.diameter import estimate_diameter, median_diameter
from nnbook.segmentation.masks import drop_doubtful, enlarge
from nnbook.segmentation.model import SHIPPED_MODEL, Model, load_model, new_network
from nnbook.segmentation.scale import grey_range, rescale
from nnbook.segmentation.workflow import segment_files, segment_image
from nnbook.simulation.panorama import simulate_panorama
from nnbook.values.published import DIAMETER_PX

# The seed of the shipped model's training was 7.
PLACE = (11, 4, "BR", "top_right")


@pytest.fixture(scope="module")
def model() -> Model:
    return load_model()


@pytest.fixture(scope="module")
def panorama() -> tuple[Image, Labels]:
    image, labels, _ = simulate_panorama(*PLACE, width_px=1500, height_px=1400)
    return image, labels


@pytest.fixture(scope="module")
def masks(model: Model, panorama: tuple[Image, Labels]) -> Labels:
    return segment_image(panorama[0], model)


def test_finds_the_nuclei(masks: Labels, panorama: tuple[Image, Labels]) -> None:
    scores = evaluate(masks, panorama[1])
    assert scores["true_nuclei"] > 5
    assert scores["ap_0.50"] > 0.75
    assert scores["mean_iou"] > 0.85
    assert masks.dtype == np.int32
    assert masks.shape == panorama[0].shape


def test_labels_are_numbered_by_first_pixel(masks: Labels) -> None:
    values, first = np.unique(masks, return_index=True)
    assert list(values) == list(range(masks.max() + 1))
    assert list(first[1:]) == sorted(first[1:])


@pytest.mark.parametrize("run", [6, 7])
def test_separates_nuclei_that_touch(model: Model, run: int) -> None:
    image, labels, truth = simulate_panorama(11, run, "TL", "top_left", width_px=900, height_px=900)
    pair = truth.loc[truth["touching"] & ~truth["cut"], "label"]
    assert len(pair) == 2
    scores = evaluate(segment_image(image, model), np.where(np.isin(labels, pair), labels, 0))
    assert scores["tp_0.50"] == 2
    assert scores["merges"] == 0


@pytest.mark.parametrize("kind", ["constant", "noise", "gradient"])
def test_no_nucleus_gives_an_empty_mask(model: Model, kind: str) -> None:
    rng = np.random.default_rng(3)
    image = {
        "constant": np.full((400, 500), 7, dtype=np.uint8),
        "noise": rng.poisson(6, (400, 500)).astype(np.uint16),
        "gradient": rng.poisson(np.linspace(6, 12, 500), (400, 500)).astype(np.float32),
    }[kind]
    masks = segment_image(image, model)
    assert masks.shape == image.shape
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


def test_one_nucleus_may_fill_half_the_image_or_be_larger_than_a_tile(model: Model) -> None:
    y, x = np.mgrid[:2600, :2600]
    height = 1 - np.hypot((y - 1300) / 840, (x - 1200) / 700) ** 2
    truth = (height > 0).astype(np.int32)
    image = np.random.default_rng(0).poisson(120 * np.clip(height, 0, 1) ** 0.15 + 8).astype(np.uint16)
    own = estimate_diameter(image, model)
    assert own == pytest.approx(median_diameter(truth), rel=0.1)
    for diameter_px in (own, 2600 / 2):
        assert evaluate(segment_image(image, model, diameter_px=diameter_px), truth)["f1_0.50"] == 1
    # At a diameter that is far too small it is larger than a tile, and no fragments of it are masked.
    assert segment_image(image, model, diameter_px=50).max() == 0


def test_bit_depth_changes_nothing(model: Model, panorama: tuple[Image, Labels], masks: Labels) -> None:
    image = panorama[0]
    for other in (image.astype(np.uint16) * 16, image.astype(np.uint16) * 256, image.astype(np.float32) / 256 - 3):
        again = segment_image(other, model)
        assert evaluate(again, masks)["ap_0.95"] == 1
        assert (again != masks).mean() < 1e-3


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


def test_tiles_change_no_mask(
    model: Model, panorama: tuple[Image, Labels], masks: Labels, monkeypatch: pytest.MonkeyPatch
) -> None:
    # 294 x 274 px at the network's scale: one tile, or 3 x 3 of at most 128 px, with nuclei of 30 px on their edges.
    monkeypatch.setattr("nnbook.segmentation.network.TILE_PX", 128)
    computed = []
    compute = model.compute
    monkeypatch.setitem(vars(model), "compute", lambda tile: computed.append(tile.shape) or compute(tile))
    tiled = segment_image(panorama[0], model)
    assert len(computed) >= 9
    assert max(max(shape) for shape in computed) <= 128
    scores = evaluate(tiled, masks)
    assert scores["true_nuclei"] == scores["predicted_nuclei"] == scores["tp_0.50"]
    assert scores["splits"] == scores["merges"] == 0
    assert scores["mean_iou"] > 0.97


def test_joined_layers_compute_what_the_network_does(model: Model, panorama: tuple[Image, Labels]) -> None:
    small = rescale(panorama[0], (256, 240), *grey_range(panorama[0]))
    tile = torch.zeros(1, 2, *small.shape)
    tile[0, 0] = torch.from_numpy(small)
    with torch.inference_mode():
        expected = model.network(tile)[0]
    assert fused.is_supported()
    torch.testing.assert_close(fused.fuse(model.network, torch.float32)(tile), expected, rtol=0, atol=1e-3)
    rounded = fused.fuse(model.network, torch.bfloat16)(tile)
    assert (rounded - expected).abs().mean() < 0.03


@pytest.mark.parametrize("joined", [True, False])
def test_devices_agree(
    panorama: tuple[Image, Labels], masks: Labels, monkeypatch: pytest.MonkeyPatch, *, joined: bool
) -> None:
    # What a GPU computes, float32 with or without joined layers, stands in for it where there is none.
    monkeypatch.setattr("nnbook.segmentation.model.network_dtype", lambda _device="cpu": "float32")
    monkeypatch.setattr("nnbook.segmentation.fused_network.is_supported", lambda: joined)
    devices = ["cpu", "cuda"] if torch.cuda.is_available() and not joined else ["cpu"]
    for device in devices:
        scores = evaluate(segment_image(panorama[0], load_model(device=device)), masks)
        assert scores["ap_0.90"] == 1
        assert scores["mean_iou"] > 0.98


def test_finds_the_diameter(model: Model, panorama: tuple[Image, Labels], tmp_path: Path) -> None:
    write_image(tmp_path / "a.tif", panorama[0])
    (path,) = segment_files({"a": tmp_path / "a.tif"}, tmp_path, model, diameter_px=None)
    assert evaluate(read_mask(path), panorama[1])["ap_0.50"] > 0.7
    record = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    assert record["result"]["found_diameter_px"] == pytest.approx(150, rel=0.25)
    assert estimate_diameter(np.zeros((50, 50), dtype=np.uint8), model) == 0


@pytest.mark.parametrize("count", [1, 2])
def test_finds_the_diameter_of_few_nuclei(model: Model, panorama: tuple[Image, Labels], count: int) -> None:
    image, labels = panorama
    rng = np.random.default_rng(5)
    field = rng.poisson(6, (1200, 1200)).astype(np.uint8)
    areas = np.bincount(labels.ravel())[1:]
    whole = [k + 1 for k in np.argsort(areas)[len(areas) // 2 :][:count]]
    for row, label in enumerate(whole):
        y, x = np.nonzero(labels == label)
        field[y - y.min() + 100 + 500 * row, x - x.min() + 300] = image[y, x]
    expected = 2 * np.sqrt(np.median(areas[np.array(whole) - 1]) / np.pi)
    assert estimate_diameter(field, model) == pytest.approx(expected, rel=0.2)


def test_finds_the_diameter_in_uneven_light(model: Model, panorama: tuple[Image, Labels]) -> None:
    image, labels = panorama
    light = np.linspace(0, 6, image.shape[1]) * np.percentile(image[labels > 0], 90)
    assert estimate_diameter((image + light).astype(np.uint16), model) == pytest.approx(150, rel=0.25)


def test_noise_has_no_diameter(model: Model) -> None:
    rng = np.random.default_rng(6)
    for side in (200, 600, 2400):
        assert estimate_diameter(rng.poisson(6, (side, side)).astype(np.uint16), model) == 0


def test_finds_diameters_of_real_nuclei(model: Model, shared: Path) -> None:
    pairs = list(pair_files(shared / "data/dsb2018/images", shared / "data/dsb2018/labels").values())[::20]
    ratios = []
    for image_path, labels_path in pairs:
        true = median_diameter(read_mask(labels_path))
        ratios.append(estimate_diameter(read_image(image_path), model) / true)
    assert np.median(np.abs(np.array(ratios) - 1)) < 0.1
    assert np.mean((np.array(ratios) > 0.67) & (np.array(ratios) < 1.5)) > 0.95


def test_a_diameter_costs_about_one_more_pass(model: Model, shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pairs = list(pair_files(shared / "data/dsb2018/images", shared / "data/dsb2018/labels").values())[::40]
    computed: list[int] = []
    compute = model.compute
    monkeypatch.setitem(vars(model), "compute", lambda tile: computed.append(tile[0, 0].numel()) or compute(tile))
    known = found = 0
    for image_path, labels_path in pairs:
        image = read_image(image_path)
        segment_image(image, model, diameter_px=median_diameter(read_mask(labels_path)))
        known += sum(computed)
        computed.clear()
        estimate_diameter(image, model)
        found += sum(computed)
        computed.clear()
    assert found < 1.2 * known


# Raised when `cellpose.models` is imported, which only tests do.
@pytest.mark.filterwarnings("ignore:`torch.jit.script_method` is deprecated:DeprecationWarning")
def test_stock_cellpose_agrees(panorama: tuple[Image, Labels], masks: Labels) -> None:
    from cellpose.models import CellposeModel

    stock = CellposeModel(pretrained_model=str(SHIPPED_MODEL))
    with torch.sparse.check_sparse_tensor_invariants(enable=False):
        found, _, _ = stock.eval(
            panorama[0], channels=[0, 0], diameter=152.91, flow_threshold=0.5, cellprob_threshold=-2.0, resample=False
        )
    scores = evaluate(masks, found.astype(np.int32))
    assert scores["ap_0.50"] > 0.85
    assert scores["mean_iou"] > 0.93


def test_outlines_are_smooth() -> None:
    # A disc of radius 9 px whose logit falls off linearly, 5 times enlarged.
    y, x = np.mgrid[:30, :30]
    logit = (9 - np.hypot(y - 14.5, x - 14.5)).astype(np.float32)
    full = enlarge((logit > 0).astype(np.int32), logit, 0.0, (150, 150))
    v, u = np.mgrid[:150, :150]
    disc = np.hypot(v - 74.5, u - 74.5) < 45
    assert evaluate(full, disc.astype(np.int32))["mean_iou"] > 0.99
    # What is above the threshold but in no mask stays background.
    assert not enlarge(np.zeros((30, 30), dtype=np.int32), logit, 0.0, (150, 150)).any()


def test_rescale_keeps_means_and_places() -> None:
    rng = np.random.default_rng(4)
    image = rng.integers(0, 4096, (300, 410)).astype(np.uint16)
    small = rescale(image, (30, 41), 1000, 2000)
    assert small.mean() == pytest.approx((image.mean() - 1000) / 1000, abs=0.02)
    ramp = np.tile(np.arange(200.0), (100, 1))
    np.testing.assert_allclose(rescale(ramp, (10, 20))[5, 2:-2], np.arange(24.5, 175, 10), rtol=1e-5)
    np.testing.assert_allclose(rescale(ramp[:3, :3], (3, 6))[1, 1:-1], [0.25, 0.75, 1.25, 1.75], rtol=1e-5)
    assert grey_range(np.pad([[5.0]], 20)) == (0, 5)


def test_files_are_named_kept_and_redone(
    model: Model, tmp_path: Path, panorama: tuple[Image, Labels], monkeypatch: pytest.MonkeyPatch
) -> None:
    images = {name: tmp_path / f"{name}.tif" for name in ("a", "bad", "c")}
    write_image(images["a"], panorama[0][:400, :400])
    images["bad"].write_bytes(b"no image")
    write_image(images["c"], panorama[0][-300:, -300:])
    out = tmp_path / "masks"
    with pytest.raises(NnbookError, match=r"^[^\n]*bad\.tif: can't be read[^\n]*$"):
        segment_files(images, out, model)
    assert sorted(path.name for path in out.iterdir()) == [
        f"{name}_cp_masks.{ending}" for name in "ac" for ending in ("json", "tif")
    ]
    record = json.loads((out / "a_cp_masks.json").read_text(encoding="utf-8"))
    settings = record["settings"]
    assert settings["model_sha256"] == model.sha256
    assert record["result"]["nuclei"] == read_mask(out / "a_cp_masks.tif").max()
    assert (settings["diameter_px"], settings["flow_threshold"], settings["cellprob_threshold"]) == (152.91, 0.5, -2.0)

    del images["bad"]
    made: list[tuple[int, ...]] = []

    def noted(path: Path, *_: object) -> tuple[Labels, float]:
        made.append(image_shape(path))
        return np.ones(made[-1], dtype=np.int32), 150.0

    monkeypatch.setattr("nnbook.segmentation.workflow._masks_of_file", noted)
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


def test_masks_are_named_after_panoramas(tmp_path: Path) -> None:
    row = Panorama("Run1TL_top_left", 1, "TL", "top_left", "", "raw/x.tif", "", 10, 10, 8.0453, "", "")
    write_manifest(tmp_path / "manifest.csv", [row])
    assert manifest_images(tmp_path / "manifest.csv") == {"Run1TL_top_left": tmp_path / "raw" / "x.tif"}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"diameter_px": 0.0}, "diameter_px is 0"),
        ({"diameter_px": float("nan")}, "diameter_px is nan"),
        ({"flow_threshold": -1.0}, "flow_threshold is -1"),
        ({"cellprob_threshold": float("inf")}, "cellprob_threshold is inf"),
    ],
)
def test_settings_out_of_range(model: Model, tmp_path: Path, settings: dict[str, float], message: str) -> None:
    with pytest.raises(NnbookError, match=message):
        segment_image(np.eye(9, dtype=np.uint8), model, **settings)
    with pytest.raises(NnbookError, match=message):
        segment_files({}, tmp_path, model, **settings)


def test_images_that_are_none(model: Model) -> None:
    with pytest.raises(NnbookError, match="one channel"):
        segment_image(np.zeros((3, 4, 5), dtype=np.uint8), model)  # type: ignore[arg-type]
    with pytest.raises(NnbookError, match="not a number"):
        segment_image(np.full((9, 9), np.nan), model)
    with pytest.raises(NnbookError, match="true diameter"):
        segment_image(np.tile(np.arange(9, dtype=np.uint8), (9000, 1000)), model, diameter_px=1)


class Harm:
    """What a pickle could do."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return Path.touch, (self.path,)


def test_a_model_that_would_run_code_is_refused_and_runs_none(tmp_path: Path) -> None:
    torch.save({"diam_mean": torch.zeros(1), "harm": Harm(tmp_path / "harmed")}, tmp_path / "model")
    with pytest.raises(NnbookError, match=r"model: can't be read as a model"):
        load_model(tmp_path / "model")
    assert not (tmp_path / "harmed").exists()
    torch.load(tmp_path / "model", weights_only=False)
    assert (tmp_path / "harmed").exists(), "the model does no harm even where it is trusted"


def test_models_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(NnbookError, match="no such model"):
        load_model(tmp_path / "model")
    (tmp_path / "text").write_text("weights", encoding="utf-8")
    with pytest.raises(NnbookError, match="can't be read as a model"):
        load_model(tmp_path / "text")
    torch.save({"W2": torch.zeros(1)}, tmp_path / "four")
    with pytest.raises(NnbookError, match="Cellpose 4"):
        load_model(tmp_path / "four")
    state = new_network(30.0).state_dict()
    del state["diam_mean"]
    torch.save(state, tmp_path / "old")
    with pytest.raises(NnbookError, match="lacks the weights diam_mean"):
        load_model(tmp_path / "old")


def test_masks_that_the_network_hardly_believes_in_are_dropped_unless_the_edge_cuts_them() -> None:
    labels = np.zeros((40, 60), dtype=np.int32)
    cellprob = np.full(labels.shape, -5, dtype=np.float32)
    for label, (y, x, logit) in enumerate([(10, 10, 3.0), (10, 30, -1.0), (0, 45, -1.0), (25, 30, -0.4)], start=1):
        labels[y : y + 8, x : x + 8] = label
        cellprob[y : y + 8, x : x + 8] = logit
    whole = labels.copy()
    drop_doubtful(labels, cellprob, -2)
    assert set(np.unique(labels)) == {0, 1, 3, 4}
    assert (labels[10:18, 30:38] == 0).all()
    labels[...] = whole
    drop_doubtful(labels, np.where(labels == 4, -0.3, np.where(labels, 3.0, -5.0)).astype(np.float32), -2)
    assert set(np.unique(labels)) == {0, 1, 2, 3}, "beside masks of 5 over the threshold, one of 1.7 is doubtful"
    labels[...] = 0
    drop_doubtful(labels, cellprob, -2)
    assert not labels.any()
