from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from drawn_noise import discs
from numpy.typing import NDArray

from nnbook.denoising import denoiser as module
from nnbook.denoising.denoiser import (
    Denoiser,
    DenoisingSettings,
    load_denoiser,
    train_denoiser,
    write_denoiser,
)
from nnbook.denoising.network import MARGIN_PX, new_network
from nnbook.errors import InvalidValueError, MissingFileError, NnbookError

FEW = DenoisingSettings(steps=60, batch=4, patch_px=32, learning_rate=2e-3)


@pytest.fixture(scope="module")
def trained() -> Denoiser:
    return train_denoiser({"discs": discs()[1]}, FEW)


def test_loss_falls_to_the_variance_of_the_noise_and_not_below() -> None:
    stripes = np.tile(200 + 100 * np.sin(np.arange(96) * 2 * np.pi / 6), (96, 1))
    noisy = stripes + np.random.default_rng(3).normal(0, 30, stripes.shape)
    trained = train_denoiser({"stripes": noisy}, replace(FEW, steps=80))
    first, last = np.mean(trained.loss[:5]), np.mean(trained.loss[-5:])
    assert last < 0.5 * first
    assert last > 0.85 * (30 / trained.sd) ** 2  # less would mean that hidden pixels were seen


def test_denoised_is_nearer_the_truth(trained: Denoiser) -> None:
    clean, noisy = discs()
    made = trained.denoise(noisy).image.astype(float)
    assert np.sqrt(np.mean((made - clean) ** 2)) < 0.5 * 40


def test_equal_seeds_give_equal_networks_and_others_do_not() -> None:
    settings = DenoisingSettings(steps=3, batch=2, patch_px=32)
    image = discs()[1]
    one, same, other = (
        train_denoiser({"a": image}, DenoisingSettings(steps=3, batch=2, patch_px=32, seed=seed)) for seed in (1, 1, 2)
    )
    assert one.settings == settings
    assert one.loss == same.loss != other.loss
    np.testing.assert_array_equal(one.denoise(image).image, same.denoise(image).image)


def test_training_leaves_the_state_of_torch_alone() -> None:
    torch.manual_seed(3)
    wanted = torch.rand(1)
    torch.manual_seed(3)
    train_denoiser({"a": discs()[1]}, DenoisingSettings(steps=1, batch=1, patch_px=32))
    assert torch.equal(torch.rand(1), wanted)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32, np.float32, np.float64])
def test_type_and_shape_are_kept(trained: Denoiser, dtype: type[np.generic]) -> None:
    noisy = (discs()[1][:70, :51] / 4).astype(dtype)
    made = Denoiser(trained.network, trained.mean / 4, trained.sd / 4, trained.range_grey / 4, (), FEW).denoise(noisy)
    assert made.image.dtype == dtype
    assert made.image.shape == (70, 51)
    assert made.clipped_px == 0
    assert made.image.mean(dtype=float) == pytest.approx(noisy.mean(dtype=float), rel=0.05)


def test_pixels_beyond_the_type_are_counted(trained: Denoiser, monkeypatch: pytest.MonkeyPatch) -> None:
    noisy = (discs()[1] // 4).astype(np.uint8)
    # What is standardised by another mean than it was with comes out brighter.
    monkeypatch.setattr(module, "standardised", lambda image, *_: np.full(image.shape, 3, np.float32))
    brighter = replace(trained, mean=200.0).denoise(noisy)
    assert brighter.clipped_px == noisy.size
    assert np.unique(brighter.image).tolist() == [255]


def test_tiles_change_nothing(trained: Denoiser, monkeypatch: pytest.MonkeyPatch) -> None:
    noisy = discs(150)[1].astype(np.float32)
    whole = trained.denoise(noisy).image
    monkeypatch.setattr(module, "TILE_PX", 64)
    np.testing.assert_allclose(trained.denoise(noisy).image, whole, atol=1e-3 * trained.sd)


def test_the_margin_is_wide_enough() -> None:
    network = new_network().eval()
    side = 2 * MARGIN_PX + 24
    torch.nn.init.ones_(network.last.weight)  # which is 0 at first
    image = torch.rand(1, 1, side, side, requires_grad=True)
    for place in range(side // 2, side // 2 + 4):
        (slope,) = torch.autograd.grad(network(image)[0, 0, place, place], image)
        rows, columns = np.nonzero(slope[0, 0].numpy())
        assert max(abs(rows - place).max(), abs(columns - place).max()) <= MARGIN_PX
        assert len(rows) > 400  # not vacuous


@pytest.mark.parametrize(
    ("images", "words"),
    [
        ({}, "images is empty"),
        ({"a.tif": np.ones((31, 90))}, "a.tif: has 90 x 31 px.*32 px"),
        ({"a.tif": np.full((40, 40), 7)}, "a.tif: has one grey level alone, 7"),
        ({"a.tif": discs()[1], "b.tif": discs()[1] / 256}, "a.tif: has grey levels over a range of.*b.tif"),
    ],
)
def test_images_at_fault_are_named(images: dict[str, NDArray[Any]], words: str) -> None:
    with pytest.raises(InvalidValueError, match=words) as caught:
        train_denoiser(images, FEW)
    assert "\n" not in str(caught.value)


def test_an_image_on_another_scale_than_the_trained_is_refused(trained: Denoiser) -> None:
    with pytest.raises(InvalidValueError, match="the model was trained on one of"):
        trained.denoise(discs()[1] * 256.0)


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"steps": 0}, "steps"),
        ({"batch": 0}, "batch"),
        ({"patch_px": 22}, "patch_px"),
        ({"learning_rate": 0}, "learning_rate"),
        ({"seed": -1}, "seed"),
    ],
)
def test_settings_out_of_range_are_named(settings: dict[str, int], name: str) -> None:
    with pytest.raises(InvalidValueError, match=name) as caught:
        train_denoiser({"a": discs()[1]}, DenoisingSettings(**settings))
    assert caught.value.parameters == (name,)


def test_a_model_is_read_as_it_was_written(trained: Denoiser, tmp_path: Path) -> None:
    write_denoiser(tmp_path / "denoiser.pt", trained)
    again = load_denoiser(tmp_path / "denoiser.pt")
    assert (again.mean, again.sd, again.loss, again.settings) == (
        trained.mean,
        trained.sd,
        trained.loss,
        trained.settings,
    )
    noisy = discs()[1]
    np.testing.assert_array_equal(again.denoise(noisy).image, trained.denoise(noisy).image)


def test_files_that_are_no_model_are_named(tmp_path: Path) -> None:
    path = tmp_path / "denoiser.pt"
    with pytest.raises(MissingFileError, match=r"denoiser\.pt: no such model"):
        load_denoiser(path)
    path.write_bytes(b"no model")
    with pytest.raises(NnbookError, match=r"denoiser\.pt: can't be read"):
        load_denoiser(path)
    torch.save({"weights": {}}, path)
    with pytest.raises(NnbookError, match=r"denoiser\.pt: is no model"):
        load_denoiser(path)
