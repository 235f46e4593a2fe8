from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from nnbook.errors import NnbookError
from nnbook.evaluation.metrics import evaluate
from nnbook.io.images import Image, Labels
from nnbook.segmentation.model import SHIPPED_MODEL, load_model, new_network
from nnbook.segmentation.workflow import segment_image


@pytest.mark.parametrize("fused", [True, False])
def test_devices_agree(
    panorama: tuple[Image, Labels], masks: Labels, monkeypatch: pytest.MonkeyPatch, *, fused: bool
) -> None:
    # Where there is no GPU, the processor computes what one would: float32, with fused layers or without.
    monkeypatch.setattr("nnbook.segmentation.model.network_dtype", lambda _device="cpu": "float32")
    monkeypatch.setattr("nnbook.segmentation.fused_network.is_supported", lambda: fused)
    devices = ["cpu", "cuda"] if torch.cuda.is_available() and not fused else ["cpu"]
    for device in devices:
        scores = evaluate(segment_image(panorama[0], load_model(device=device)), masks)
        assert scores["ap_0.90"] == 1
        assert scores["mean_iou"] > 0.98


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


def test_a_flipped_bit_in_a_model_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "model"
    held = bytearray(SHIPPED_MODEL.read_bytes())
    for place in np.linspace(2_000, len(held) - 200_000, 4).astype(int):
        damaged = held.copy()
        damaged[place] ^= 16
        path.write_bytes(damaged)
        with pytest.raises(NnbookError, match=r"model: can't be read as a model \(the checksum of its part"):
            load_model(path)


def test_weights_that_are_no_numbers_are_named(tmp_path: Path) -> None:
    state = torch.load(SHIPPED_MODEL, weights_only=True)
    name = next(iter(state))
    state[name] = torch.full_like(state[name], torch.nan)
    torch.save(state, tmp_path / "model")
    with pytest.raises(NnbookError, match=f"has weights {name} that are not a number"):
        load_model(tmp_path / "model")
