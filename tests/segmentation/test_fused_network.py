import pytest
import torch

from nnbook.evaluation.metrics import evaluate
from nnbook.io.images import Image, Labels
from nnbook.segmentation import fused_network
from nnbook.segmentation.masks import full_masks
from nnbook.segmentation.model import Model, network_dtype
from nnbook.segmentation.network import Output
from nnbook.segmentation.scale import grey_range, rescale
from nnbook.values.published import CELLPROB_THRESHOLD, FLOW_THRESHOLD


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_fused_layers_compute_what_the_network_does(dtype: str, model: Model, panorama: tuple[Image, Labels]) -> None:
    if dtype == "bfloat16" and network_dtype() != dtype:
        pytest.skip("this processor does not compute in bfloat16, and no network does on it: NOT tested")
    small = rescale(panorama[0], (256, 240), *grey_range(panorama[0]))
    tile = torch.zeros(1, 2, *small.shape)
    tile[0, 0] = torch.from_numpy(small)
    with torch.inference_mode():
        expected = model.network(tile)[0]
    assert fused_network.is_supported()
    if dtype == "float32":
        made_here = fused_network.fuse(model.network, torch.float32)(tile)
        torch.testing.assert_close(made_here, expected, rtol=0, atol=1e-3)
        return
    rounded = fused_network.fuse(model.network, torch.bfloat16)(tile)
    assert (rounded - expected).abs().mean() < 0.03
    height, width = panorama[0].shape
    exact, made = (
        full_masks(
            Output(output[0].numpy(), small, model.diam_mean),
            (height, width),
            flow_threshold=FLOW_THRESHOLD,
            cellprob_threshold=CELLPROB_THRESHOLD,
        ).labels
        for output in (expected, rounded)
    )
    scores = evaluate(made, exact)
    assert scores["f1_0.50"] == 1
    assert scores["mean_iou"] > 0.995, "the tolerance of `network_dtype`"
