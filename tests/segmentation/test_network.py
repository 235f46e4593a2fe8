import numpy as np
import pytest
import torch

from nnbook.evaluation.metrics import evaluate
from nnbook.io.images import Image, Labels
from nnbook.segmentation.model import Model
from nnbook.segmentation.network import run_network
from nnbook.segmentation.workflow import segment_image


def test_tiles_change_no_mask(
    model: Model, panorama: tuple[Image, Labels], masks: Labels, monkeypatch: pytest.MonkeyPatch
) -> None:
    # 294 x 274 px at the network's scale: one tile, or 3 x 3 of at most 128 px, with nuclei of 30 px on their edges.
    monkeypatch.setattr("nnbook.segmentation.network.TILE_PX", 128)
    computed: list[tuple[int, ...]] = []
    compute = model.compute

    def counted(tile: torch.Tensor) -> torch.Tensor:
        computed.append(tile.shape)
        return compute(tile)

    monkeypatch.setitem(vars(model), "compute", counted)
    tiled = segment_image(panorama[0], model)
    assert len(computed) >= 9
    assert max(max(shape) for shape in computed) <= 128
    scores = evaluate(tiled, masks)
    assert scores["true_nuclei"] == scores["predicted_nuclei"] == scores["tp_0.50"]
    assert scores["splits"] == scores["merges"] == 0
    assert scores["mean_iou"] > 0.97


def test_a_tile_is_computed_by_one_thread_however_many_there_are(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sixteen threads that shared a convolution in bfloat16 rounded otherwise than four."""
    monkeypatch.setattr("nnbook.segmentation.network.TILE_PX", 128)
    image = np.random.default_rng(1).random((300, 280), np.float32)
    shared: set[int] = set()
    compute = model.compute

    def noting(tile: torch.Tensor) -> torch.Tensor:
        shared.add(torch.get_num_threads())
        return compute(tile)

    monkeypatch.setitem(vars(model), "compute", noting)
    before = torch.get_num_threads()
    outputs = []
    try:
        for threads in (1, 3):
            torch.set_num_threads(threads)
            outputs.append(run_network(image, model))
            assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
    assert shared == {1}
    np.testing.assert_array_equal(outputs[0], outputs[1])
