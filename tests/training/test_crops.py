from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.random import Generator

from nnbook.io.images import Labels, write_image, write_mask
from nnbook.segmentation.dynamics import masks_to_flows
from nnbook.training.crops import COMPONENTS_WEIGHT, Example, bridge_components, draw_crop, read_example

DIAMETER_PX = 30.0


def disc(labels: Labels, y: int, x: int, radius: int, label: int) -> None:
    rows, columns = np.ogrid[: labels.shape[0], : labels.shape[1]]
    labels[(rows - y) ** 2 + (columns - x) ** 2 <= radius**2] = label


def components(labels: Labels, label: int) -> int:
    return int(cv2.connectedComponents((labels == label).astype(np.uint8))[0]) - 1


@pytest.fixture
def example(tmp_path: Path) -> Example:
    """A field with three bright discs and a telophase of two."""
    labels = np.zeros((300, 300), dtype=np.int32)
    for label, (y, x) in enumerate(((60, 60), (60, 220), (220, 60)), start=1):
        disc(labels, y, x, 15, label)
    disc(labels, 210, 210, 10, 4)
    disc(labels, 210, 240, 10, 4)
    write_image(tmp_path / "image.tif", np.where(labels > 0, 200, 20).astype(np.uint8))
    write_mask(tmp_path / "mask.tif", labels)
    return read_example(tmp_path / "image.tif", tmp_path / "mask.tif", DIAMETER_PX)


@pytest.mark.parametrize("gap", [1, 4, 9, 15, 23])
def test_two_components_are_joined_by_a_neck(gap: int) -> None:
    labels = np.zeros((60, 120), dtype=np.int32)
    disc(labels, 30, 30, 10, 7)
    disc(labels, 30, 51 + gap, 10, 7)
    joined, several = bridge_components(labels, DIAMETER_PX)
    assert components(labels, 7) == 2
    assert components(joined, 7) == 1
    assert several == [7]
    assert ((joined == 7) | (labels != 7)).all()
    assert (joined == 7).sum() < 2 * (labels == 7).sum()


def test_a_neck_leaves_other_nuclei_alone() -> None:
    labels = np.zeros((60, 120), dtype=np.int32)
    disc(labels, 30, 30, 10, 1)
    disc(labels, 30, 60, 10, 1)
    labels[28:60, 44:47] = 2
    joined, _ = bridge_components(labels, DIAMETER_PX)
    assert ((joined == 2) == (labels == 2)).all()


def test_far_components_become_nuclei_and_fragments_background() -> None:
    labels = np.zeros((80, 160), dtype=np.int32)
    disc(labels, 30, 30, 12, 3)
    disc(labels, 30, 100, 12, 3)
    labels[70, 150] = 3
    separated, several = bridge_components(labels, DIAMETER_PX)
    assert several == []
    assert len(np.unique(separated)) == 3  # background and two nuclei
    assert separated[70, 150] == 0


def test_every_pixel_of_a_label_of_several_components_has_a_flow(example: Example) -> None:
    flows = masks_to_flows(example.labels)
    length = np.hypot(*flows)
    assert (length[example.labels > 0] > 0.9).mean() > 0.98
    # Joined, the telophase flows towards one centre: to the right on its left side, to the left on its right side.
    scale = example.image.shape[0] / 300
    y = round(210 * scale)
    assert flows[1, y, round(204 * scale)] > 0.5
    assert flows[1, y, round(246 * scale)] < -0.5


def test_labels_of_several_components_are_drawn_more_often(example: Example) -> None:
    assert example.probabilities.sum() == pytest.approx(1)
    assert example.probabilities[3] == pytest.approx(COMPONENTS_WEIGHT * example.probabilities[0])


def test_a_turned_crop_has_flows_that_lead_inwards(example: Example) -> None:
    rng = np.random.default_rng(1)
    for _ in range(5):
        _, target = draw_crop(example, rng, 96, DIAMETER_PX, varied=False)
        count, labels, _, centres = cv2.connectedComponentsWithStats(target[2].astype(np.uint8))
        for label in range(1, count):
            y, x = np.nonzero(labels == label)
            if min(y.min(), x.min()) == 0 or max(y.max(), x.max()) == 95:
                continue
            inwards = np.stack([centres[label][1] - y, centres[label][0] - x])
            assert ((inwards * target[:2, y, x]).sum(axis=0) > 0).mean() > 0.95


def test_pasted_nuclei_touch_others_without_changing_them(example: Example, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nnbook.training.crops.IMAGE_EDGE_SHARE", 0.0)
    monkeypatch.setattr("nnbook.training.crops.vary_intensity", lambda image, _labels, _rng: image)
    monkeypatch.setattr("nnbook.training.crops.EMPTY_SHARE", 0.0)

    def inside(paste_from: Example | None, rng: Generator) -> tuple[float, float]:
        image, target = draw_crop(example, rng, 128, DIAMETER_PX, varied=True, paste_from=paste_from)
        flow = np.hypot(*target[:2])
        assert (flow[target[2] > 0] < 0.99).sum() <= 0.03 * target[2].sum()
        return float(target[2].sum()), float(np.nansum(image))

    alone = np.array([inside(None, np.random.default_rng(k)) for k in range(10)])
    crowded = np.array([inside(example, np.random.default_rng(k)) for k in range(10)])
    assert (crowded >= alone - 1e-3).all()
    assert (crowded[:, 0] > 1.2 * alone[:, 0]).sum() >= 5


def test_nuclei_that_the_edge_of_the_image_cuts_have_a_centre_inside(
    example: Example, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nnbook.training.crops.IMAGE_EDGE_SHARE", 1.0)
    monkeypatch.setattr("nnbook.training.crops.EMPTY_SHARE", 0.0)
    monkeypatch.setattr("nnbook.training.crops.vary_intensity", lambda image, _labels, _rng: image)
    cut = 0
    for seed in range(80):
        image, target = draw_crop(example, np.random.default_rng(seed), 96, DIAMETER_PX, varied=True)
        outside = np.isnan(image)
        assert outside.any()
        assert not target[:3, outside].any()
        at_the_edge = cv2.dilate(outside.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
        count, labels, _, centres = cv2.connectedComponentsWithStats(target[2].astype(np.uint8))
        for label in range(1, count):
            y, x = np.nonzero(labels == label)
            if not at_the_edge[y, x].any() or min(y.min(), x.min()) == 0 or max(y.max(), x.max()) == 95 or len(y) < 40:
                continue
            cut += 1
            inwards = np.stack([centres[label][1] - y, centres[label][0] - x])
            assert ((inwards * target[:2, y, x]).sum(axis=0) > 0).mean() > 0.9
    assert cut > 10


def test_equal_seeds_give_equal_crops(example: Example) -> None:
    one, other = (draw_crop(example, np.random.default_rng(4), 96, 30.0, varied=True, paste_from=example) for _ in "ab")
    np.testing.assert_array_equal(one[0], other[0])
    np.testing.assert_array_equal(one[1], other[1])


def test_a_nucleus_that_the_crop_cuts_flows_to_the_centre_of_the_whole(tmp_path: Path) -> None:
    """One disc of 30 px, around which crops of 32 px are drawn: most of them cut it."""
    labels = np.zeros((200, 200), dtype=np.int32)
    disc(labels, 100, 100, 15, 1)
    write_image(tmp_path / "image.tif", np.where(labels > 0, 200, 20).astype(np.uint8))
    write_mask(tmp_path / "mask.tif", labels)
    example = read_example(tmp_path / "image.tif", tmp_path / "mask.tif", DIAMETER_PX)
    cut = 0
    for seed in range(30):
        _, target = draw_crop(example, np.random.default_rng(seed), 32, DIAMETER_PX, varied=False)
        y, x = np.nonzero((target[2] > 0) & (target[3] > 0))
        if len(y) < 50:
            continue
        # The lines along the flows of a disc meet in its centre.
        flow = target[:2, y, x]
        across = np.stack([-flow[1], flow[0]], axis=1)
        centre = np.linalg.lstsq(across, (across * np.stack([y, x], axis=1)).sum(axis=1), rcond=None)[0]
        # Its rim, where the crop shows it, is as far from there everywhere.
        nucleus = np.pad(target[2], 1, mode="edge").astype(np.uint8)
        rim = (target[2] > 0) & (cv2.erode(nucleus, np.ones((3, 3), np.uint8))[1:-1, 1:-1] == 0)
        distance = np.hypot(*(np.argwhere(rim) - centre).T)
        assert distance.std() < 0.8
        cut += bool(target[2, 0].any() or target[2, -1].any() or target[2, :, 0].any() or target[2, :, -1].any())
    assert cut > 10


def test_strong_crops_have_other_shapes_and_flows_that_lead_inwards(example: Example) -> None:
    elongations = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        _, target = draw_crop(example, rng, 96, DIAMETER_PX, varied=True, strong=True)
        flowing = target[2] > 0
        assert (np.hypot(*target[:2, flowing]) < 0.9).sum() <= 0.05 * flowing.sum()
        count, _, stats, _ = cv2.connectedComponentsWithStats(flowing.astype(np.uint8))
        whole = [stats[k] for k in range(1, count) if min(stats[k, :2]) > 0 and max(stats[k, :2] + stats[k, 2:4]) < 96]
        elongations += [max(box[2:4]) / min(box[2:4]) for box in whole if box[4] > 100]
    assert max(elongations) > 1.15
