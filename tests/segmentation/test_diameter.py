from pathlib import Path

import numpy as np
import pytest
import torch

from nnbook.evaluation.metrics import evaluate
from nnbook.io.images import Image, Labels, read_image, read_mask
from nnbook.io.inputs import pair_files
from nnbook.segmentation.diameter import estimate_diameter, median_diameter
from nnbook.segmentation.model import Model
from nnbook.segmentation.workflow import segment_image
from nnbook.simulation.panorama import simulate


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
    assert estimate_diameter((image + light).astype(np.uint16), model) == pytest.approx(
        median_diameter(labels), rel=0.25
    )


@pytest.mark.parametrize(("seed", "sides"), [(0, (1024, 768)), (1, (1024, 768))])
def test_texture_of_few_nuclei_is_not_taken_for_nuclei(model: Model, seed: int, sides: tuple[int, int]) -> None:
    # Dim nuclei beside bright ones: the first guess is a sixth of the diameter or less, and its masks are of chromatin.
    image, truth, _ = simulate(seed=seed, width_px=sides[0], height_px=sides[1])
    assert estimate_diameter(image, model) == pytest.approx(median_diameter(truth), rel=0.2)


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


def test_a_diameter_costs_less_than_half_a_pass(model: Model, shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pairs = list(pair_files(shared / "data/dsb2018/images", shared / "data/dsb2018/labels").values())[::136]
    computed: list[int] = []
    compute = model.compute

    def counted(tile: torch.Tensor) -> torch.Tensor:
        computed.append(tile[0, 0].numel())
        return compute(tile)

    monkeypatch.setitem(vars(model), "compute", counted)
    known = found = 0
    for image_path, labels_path in pairs:
        image = read_image(image_path)
        segment_image(image, model, diameter_px=median_diameter(read_mask(labels_path)))
        known += sum(computed)
        computed.clear()
        estimate_diameter(image, model)
        found += sum(computed)
        computed.clear()
    assert 0 < found < 0.5 * known


def test_uneven_light_behind_many_nuclei_is_not_one_nucleus(model: Model, shared: Path) -> None:
    # Tissue: its bright components are one of half the image, which the network takes for a nucleus at a coarse scale.
    (image,) = (shared / "data/dsb2018/images").glob("20b20ab04937*")
    (labels,) = (shared / "data/dsb2018/labels").glob("20b20ab04937*")
    true = median_diameter(read_mask(labels))
    assert estimate_diameter(read_image(image), model) == pytest.approx(true, rel=1 / 3)
