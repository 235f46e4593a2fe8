from __future__ import annotations

import numpy as np
import pytest
from drawn_nuclei import SIDE_PX, draw, make

from nnbook.simulation import rendering


def test_masks_follow_the_half_maximum_outline_and_its_margin() -> None:
    components = make("interphase", 3)
    components["chromatin"], components["rim"], components["dome"] = 0.0, 0.0, 0.0
    components["nucleoli"] = 0.0
    signal, labels = draw(components)
    half = signal > 50
    assert half.sum() < labels.sum()
    radius = np.sqrt(labels.sum() / np.pi) - np.sqrt(half.sum() / np.pi)
    assert radius == pytest.approx(rendering.MASK_MARGIN_PX, abs=0.5)


def test_strips_make_up_the_whole() -> None:
    components = make("telophase", 7)
    whole = draw(components)
    strips = [draw(components, top, top + 84) for top in range(0, SIDE_PX, 84)]
    for part in (0, 1):
        np.testing.assert_array_equal(np.concatenate([strip[part] for strip in strips]), whole[part])


def test_samples_have_the_brightness_that_is_drawn() -> None:
    components = make("prophase", 2)
    components["x"] += SIDE_PX / 2
    components["y"] += SIDE_PX / 2
    signal, labels = draw(make("prophase", 2))
    owner, relative = rendering.sample_components(components, SIDE_PX, SIDE_PX, 1, 0.0)
    assert set(owner) == {0}
    assert len(relative) == labels.sum()
    assert relative.mean() * 100 == pytest.approx(signal[labels == 1].mean(), rel=1e-5)


def test_gradient_noise_is_centred_and_has_no_two_equal_seeds() -> None:
    place = np.linspace(0, 90, 4000)
    first, second = (np.array([rendering.gradient_noise(x, 0.37 * x, seed) for x in place]) for seed in (1, 2))
    assert abs(first.mean()) < 0.08
    assert 0.2 < first.std() < 0.6
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.2
