import pytest
import torch

from nnbook.evaluation.metrics import evaluate
from nnbook.io.images import Image, Labels
from nnbook.segmentation.model import Model
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
