"""What the figures say of the book's own network, against the network itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from nnbook.primer import difficulties_sheet, receptive_sheet, skips_sheet, ways_sheet
from nnbook.primer.crops import Crop, Crops
from nnbook.primer.network import LEVELS, encoder_layers, receptive_field, skips
from nnbook.primer.separation import DIFFICULTIES, WAYS, difficulties, ways
from nnbook.segmentation.model import load_model

if TYPE_CHECKING:
    from nnbook.segmentation.model import Model


@pytest.fixture(scope="module")
def model() -> Model:
    return load_model()


def crop(side: int) -> Crop:
    """Two nuclei, one of them in the middle, with texture."""
    rng = np.random.default_rng(5)
    y, x = np.mgrid[:side, :side]
    true = np.zeros((side, side), np.int32)
    for number, place in enumerate((side / 2, side / 2 - 28), start=1):
        true[np.hypot(y - side / 2, x - place) < 13] = number
    grey = np.where(true > 0, 0.8, 0.05) * rng.uniform(0.8, 1.2, true.shape)
    return Crop("Run1", grey.astype(np.float32), true, true, 1.5)


def test_what_a_number_depends_on_is_its_receptive_field_and_no_more(model: Model) -> None:
    live = receptive_field(crop(144), model)
    last = [layer.side_px for layer in encoder_layers() if layer.kind == "convolution"][3::4]
    assert len(last) == LEVELS
    for influence, side in zip(live.arrays["influence"], last, strict=True):
        rows, columns = np.nonzero(influence)
        reached = max(np.ptp(rows), np.ptp(columns)) + 1
        assert side / 2 < reached <= side
    receptive_sheet(live)


def test_with_all_skip_connections_the_network_is_as_it_is(model: Model) -> None:
    import torch

    nuclei = crop(96)
    live = skips({"two": nuclei}, model)
    image = torch.from_numpy(np.stack([nuclei.grey, np.zeros_like(nuclei.grey)])[None])
    with torch.inference_mode():
        logits = model.network(image)[0][0, 2].numpy()
    every = 2 ** (LEVELS - 1) - 1
    shown = live.arrays["probability0"][every] / 255
    np.testing.assert_allclose(shown, 1 / (1 + np.exp(-logits)), atol=0.003)
    # A switch changes its own level and finer ones.
    finest, second = live.arrays["decoder0.1"], live.arrays["decoder0.2"]
    np.testing.assert_array_equal(second[every], second[every - 1])
    assert (finest[every] != finest[every - 1]).any()
    assert (second[every] != second[every - 2]).any()
    skips_sheet(live)


def test_each_way_and_each_difficulty_has_masks(model: Model) -> None:
    nuclei = crop(96)
    apart = ways({"two": nuclei}, model)
    assert apart.arrays["labels0"].shape == (len(WAYS), 96, 96)
    assert (apart.facts["right0"][3], len(apart.facts["centres0"])) == (2, 4)
    ways_sheet(apart)
    hard = difficulties(Crops(nuclei, nuclei, nuclei, nuclei, nuclei), model)
    assert {array.shape for array in hard.arrays.values()} == {(len(DIFFICULTIES), 96, 96)}
    assert {len(facts) for facts in hard.facts.values()} == {len(DIFFICULTIES)}
    difficulties_sheet(hard)
