import numpy as np
import pytest
import torch
from cellpose import dynamics as cellpose_dynamics
from skimage.draw import disk

from nnbook.evaluation.metrics import evaluate
from nnbook.io.images import Labels
from nnbook.segmentation.dynamics import fill_holes, flow_errors, follow_flows, masks_to_flows
from nnbook.segmentation.masks import compute_masks
from nnbook.segmentation.model import load_model
from nnbook.segmentation.network import run_network
from nnbook.segmentation.scale import grey_range, rescale
from nnbook.simulation.panorama import simulate_panorama


def discs() -> Labels:
    """Three nuclei, two of which touch."""
    labels = np.zeros((90, 120), dtype=np.int32)
    for label, (y, x, radius) in enumerate([(25, 25, 14), (25, 51, 13), (60, 90, 20)], start=1):
        rows, columns = disk((y, x), radius)
        labels[rows, columns] = np.where(labels[rows, columns] == 0, label, labels[rows, columns])
    return labels


@pytest.mark.parametrize("flow_threshold", [0.0, 0.4])
def test_masks_are_those_of_cellpose(flow_threshold: float) -> None:
    image, _, _ = simulate_panorama(11, 4, "BR", "top_right", width_px=2400, height_px=2300)
    small = rescale(image, (451, 470), *grey_range(image))
    output = run_network(small, load_model())
    # Weak and noisy flows too, so that some masks are dropped.
    output[:2] += np.random.default_rng(0).normal(0, 2, output[:2].shape)
    with torch.sparse.check_sparse_tensor_invariants(enable=False):
        expected = cellpose_dynamics.compute_masks(
            output[:2], output[2], cellprob_threshold=-2.0, flow_threshold=flow_threshold, niter=200
        ).astype(np.int32)
    fill_holes(expected)
    found, _ = compute_masks(output, flow_threshold=flow_threshold, cellprob_threshold=-2.0)
    scores = evaluate(found, expected)
    assert scores["true_nuclei"] > 8
    assert scores["true_nuclei"] == scores["predicted_nuclei"]
    assert scores["ap_0.90"] == 1
    assert scores["mean_iou"] > 0.999


def test_pixels_that_end_together_are_one_mask() -> None:
    labels = discs()
    flow = cellpose_dynamics.masks_to_flows(labels, device=torch.device("cpu")).astype(np.float32)
    found = follow_flows(flow, labels > 0)
    scores = evaluate(found, labels)
    assert scores["tp_0.50"] == scores["predicted_nuclei"] == 3
    assert scores["mean_iou"] > 0.98
    assert not follow_flows(flow, np.zeros(labels.shape, dtype=np.bool_)).any()


def test_the_flow_of_masks_is_that_of_cellpose() -> None:
    labels = discs()
    flow, expected = masks_to_flows(labels), cellpose_dynamics.masks_to_flows(labels, device=torch.device("cpu"))
    assert (flow * expected).sum(axis=0)[labels > 0].mean() > 0.99
    assert not flow[:, labels == 0].any()


def test_errors_are_those_of_cellpose() -> None:
    labels = discs()
    flow = cellpose_dynamics.masks_to_flows(labels, device=torch.device("cpu")).astype(np.float32)
    assert flow_errors(labels, flow).max() < 0.05
    flow[:, labels == 2] *= -1
    errors = flow_errors(labels, flow)
    assert errors[2] == pytest.approx(4, abs=0.2)
    assert errors[[0, 1, 3]].max() < 0.05
    # A label that no pixel has.
    labels[labels == 1] = 0
    assert flow_errors(labels, flow)[1] == 0


def test_only_enclosed_background_is_filled() -> None:
    labels = np.zeros((9, 20), dtype=np.int32)
    labels[1:8, 1:8] = 1
    labels[3:5, 3:5] = 0
    labels[0:9, 9:18] = 2
    labels[4, 12:18] = 0  # open to the right
    labels[7, 10] = 3
    expected = labels.copy()
    expected[3:5, 3:5] = 1
    fill_holes(labels)
    np.testing.assert_array_equal(labels, expected)
