from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import label

from nnbook.simulation import nuclei, rendering

SIDE_PX = 420
FULL = np.ones((3, 3))


def draw(components, top=0, bottom=SIDE_PX):
    """Draw one nucleus (or debris) in the middle of a frame: signal and labels of the rows asked for."""
    components = components.copy()
    components["x"] += SIDE_PX / 2
    components["y"] += SIDE_PX / 2
    signal = np.zeros((bottom - top, SIDE_PX), dtype=np.float32)
    labels = np.zeros(signal.shape, dtype=np.int32)
    rendering.draw_components(signal, labels, np.full_like(signal, -np.inf), top, components, np.array([100.0, 100.0]))
    return signal, labels


def make(kind, seed, scale=1.0):
    rng = np.random.default_rng(seed)
    return nuclei.make_nucleus(kind, rng, scale=scale, size=1.0, contrast=1.0)[0]


@pytest.mark.parametrize("kind", nuclei.CLASSES)
def test_a_nucleus_has_the_components_that_its_class_asks_for(kind):
    for seed in range(25):
        components = make(kind, seed)
        _, labels = draw(components)
        pieces = label(labels == 1, FULL)[1]
        assert pieces == len(components), f"seed {seed}"
        if kind in ("anaphase", "telophase"):
            assert pieces == 2
        elif kind == "micronucleus":
            assert pieces >= 2
        else:
            assert pieces == 1


def test_debris_is_drawn_and_not_labelled():
    for seed in range(20):
        signal, labels = draw(nuclei.make_debris(np.random.default_rng(seed), scale=1.0))
        assert signal.max() > 1
        assert not labels.any()


def test_masks_follow_the_half_maximum_outline_and_its_margin():
    components = make("interphase", 3)
    components["chromatin"], components["rim"], components["dome"] = 0.0, 0.0, 0.0
    components["nucleoli"] = 0.0
    signal, labels = draw(components)
    half = signal > 50
    assert half.sum() < labels.sum()
    radius = np.sqrt(labels.sum() / np.pi) - np.sqrt(half.sum() / np.pi)
    assert radius == pytest.approx(nuclei.MASK_MARGIN_PX, abs=0.5)


def test_the_median_interphase_nucleus_has_the_published_diameter():
    rng = np.random.default_rng(0)
    made = [nuclei.make_nucleus("interphase", rng, scale=1.0, size=1.0, contrast=1.0)[0] for _ in range(3000)]
    radii = [np.sqrt(np.mean(components["outline"][0] ** 2)) + nuclei.MASK_MARGIN_PX for components in made]
    assert 2 * np.median(radii) == pytest.approx(nuclei.DIAMETER_PX, rel=0.03)


def test_a_scale_shrinks_a_nucleus_and_keeps_its_shape():
    whole, half = (draw(make("interphase", 5, scale))[1] for scale in (1.0, 0.5))
    assert half.sum() == pytest.approx(whole.sum() / 4, rel=0.02)


def test_strips_make_up_the_whole():
    components = make("telophase", 7)
    whole = draw(components)
    strips = [draw(components, top, top + 84) for top in range(0, SIDE_PX, 84)]
    for part in (0, 1):
        np.testing.assert_array_equal(np.concatenate([strip[part] for strip in strips]), whole[part])


def test_samples_have_the_brightness_that_is_drawn():
    components = make("prophase", 2)
    components["x"] += SIDE_PX / 2
    components["y"] += SIDE_PX / 2
    signal, labels = draw(make("prophase", 2))
    owner, relative = rendering.sample_components(components, SIDE_PX, SIDE_PX, 1)
    assert set(owner) == {0}
    assert len(relative) == labels.sum()
    assert relative.mean() * 100 == pytest.approx(signal[labels == 1].mean(), rel=1e-5)


def test_gradient_noise_is_centred_and_has_no_two_equal_seeds():
    place = np.linspace(0, 90, 4000)
    first, second = (np.array([rendering.gradient_noise(x, 0.37 * x, seed) for x in place]) for seed in (1, 2))
    assert abs(first.mean()) < 0.08
    assert 0.2 < first.std() < 0.6
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.2
