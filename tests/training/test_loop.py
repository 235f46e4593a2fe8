import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from nnbook.errors import NnbookError
from nnbook.io.images import read_mask, write_image, write_mask
from nnbook.segmentation.model import load_model, new_network
from nnbook.training import loop
from nnbook.training.loop import TrainingSettings, held_out, train

SETTINGS = TrainingSettings(
    steps=12,
    batch=2,
    crop_px=64,
    learning_rate=3e-3,
    validation_share=0.3,
    validate_every=4,
    validation_crops=4,
    seed=3,
)


@pytest.fixture
def data_set(tmp_path: Path) -> tuple[Path, Path]:
    """Ten fields of 120 x 140 px, each with four bright discs."""
    rng = np.random.default_rng(5)
    y, x = np.mgrid[:120, :140]
    for k in range(10):
        labels = np.zeros((120, 140), dtype=np.int32)
        for label, (cy, cx) in enumerate(((30, 35), (30, 100), (85, 35), (85, 100)), start=1):
            labels[(y - cy - rng.integers(-5, 6)) ** 2 + (x - cx) ** 2 < rng.integers(12, 20) ** 2] = label
        image = np.where(labels > 0, 180, 20) + rng.normal(0, 5, labels.shape)
        write_image(tmp_path / "images" / f"field{k}.tif", image.clip(0, 255).astype(np.uint8))
        write_mask(tmp_path / "masks" / f"field{k}.tif", labels)
    return tmp_path / "images", tmp_path / "masks"


def history(model: Path) -> list[dict[str, float]]:
    with model.with_name(f"{model.name}.history.csv").open(encoding="utf-8") as file:
        return [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)]


# Raised when `cellpose.models` is imported, which only tests do.
@pytest.mark.filterwarnings("ignore:`torch.jit.script_method` is deprecated:DeprecationWarning")
def test_loss_falls_and_stock_cellpose_loads_the_model(data_set: tuple[Path, Path], tmp_path: Path) -> None:
    model = train([data_set], tmp_path / "out" / "model", replace(SETTINGS, steps=24, validate_every=8))
    rows = history(model)
    assert [row["step"] for row in rows] == [8, 16, 24]
    assert rows[-1]["training_loss"] < 0.8 * rows[0]["training_loss"]
    assert rows[-1]["learning_rate"] < 1e-5
    assert sorted(path.name for path in model.parent.iterdir()) == ["model", "model.history.csv"]
    assert model.stat().st_size < 14e6

    from cellpose.models import CellposeModel

    stock = CellposeModel(pretrained_model=str(model))
    assert stock.diam_mean == 30
    assert stock.diam_labels == pytest.approx(load_model(model).diam_labels)
    # Discs have radii from 12 to 19 px.
    assert 24 < stock.diam_labels < 38


def test_goes_on_where_it_was_interrupted(
    data_set: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = train([data_set], tmp_path / "whole", SETTINGS)
    steps: list[int] = []
    advance = loop.TrainingState.advance

    def interrupted(state: loop.TrainingState, images: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        steps.append(state.step)
        if len(steps) == 7:
            raise KeyboardInterrupt
        return advance(state, images, targets)

    monkeypatch.setattr(loop.TrainingState, "advance", interrupted)
    with pytest.raises(KeyboardInterrupt):
        train([data_set], tmp_path / "model", SETTINGS)
    assert (tmp_path / "model.checkpoint").is_file()
    assert not (tmp_path / "model").exists()
    with pytest.raises(NnbookError, match=r"model\.checkpoint: is of a training with other settings"):
        train([data_set], tmp_path / "model", replace(SETTINGS, seed=4))
    train([data_set], tmp_path / "model", SETTINGS)
    assert steps[7:] == list(range(4, 12))
    assert not (tmp_path / "model.checkpoint").exists()
    for row, expected in zip(history(tmp_path / "model"), history(whole), strict=True):
        assert row == pytest.approx(expected, rel=0.05)


def test_goes_on_from_a_model(data_set: tuple[Path, Path], tmp_path: Path) -> None:
    torch.manual_seed(9)
    torch.save(new_network(17.0).state_dict(), tmp_path / "first")
    model = train(
        [data_set], tmp_path / "second", replace(SETTINGS, steps=1, learning_rate=1e-9), from_model=tmp_path / "first"
    )
    first, second = load_model(tmp_path / "first"), load_model(model)
    assert second.diam_mean == first.diam_mean == 17
    weights = [dict(one.network.named_parameters())["output.2.weight"].detach().cpu() for one in (first, second)]
    np.testing.assert_allclose(weights[0], weights[1], atol=1e-3)


def test_validation_part_depends_on_the_name_alone() -> None:
    names = [f"field{k}" for k in range(1000)]
    tenth = [name for name in names if held_out(name, 0.1)]
    assert 70 < len(tenth) < 130
    assert all(held_out(name, 0.2) for name in tenth)
    assert not any(held_out(name, 0.0) for name in names)
    assert all(held_out(name, 1.0) for name in names)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"steps": 0}, "steps is 0"),
        ({"crop_px": 60}, "crop_px is 60; give a multiple of 8"),
        ({"learning_rate": 0.0}, "learning_rate is 0; give a number above 0"),
        ({"validation_share": 1.0}, "validation_share is 1"),
    ],
)
def test_settings_out_of_range(change: dict[str, float], message: str, tmp_path: Path) -> None:
    with pytest.raises(NnbookError, match=message):
        train([(tmp_path, tmp_path)], tmp_path / "model", replace(SETTINGS, **change))  # type: ignore[arg-type]


def test_names_every_bad_file(data_set: tuple[Path, Path], tmp_path: Path) -> None:
    images, masks = data_set
    write_mask(masks / "field1.tif", read_mask(masks / "field1.tif")[:50])
    (images / "field2.tif").write_bytes(b"")
    with pytest.raises(NnbookError) as raised:
        train([data_set], tmp_path / "model", SETTINGS)
    first, second = str(raised.value).splitlines()
    assert "field1.tif: has 140 x 50 px and its image 140 x 120" in first
    assert "field2.tif: the file is empty" in second
    (masks / "field3.tif").unlink()
    with pytest.raises(NnbookError, match=r"field3\.tif: has no partner"):
        train([data_set], tmp_path / "model", SETTINGS)


def test_one_image_is_too_few_and_it_is_said(data_set: tuple[Path, Path], tmp_path: Path) -> None:
    images, masks = data_set
    for path in [*images.iterdir(), *masks.iterdir()]:
        if path.stem != "field1":
            path.unlink()
    part = "training" if held_out("field1", SETTINGS.validation_share) else "validation"
    with pytest.raises(NnbookError, match=f"no image of it falls to {part} at a validation share .* add images"):
        train([data_set], tmp_path / "model", SETTINGS)
    assert not (tmp_path / "model").exists()


def test_nothing_to_train_on(data_set: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(NnbookError, match="data_sets is empty"):
        train([], tmp_path / "model", SETTINGS)
    with pytest.raises(NnbookError, match="no image of it falls to validation"):
        train([data_set], tmp_path / "model", replace(SETTINGS, validation_share=1e-6))
