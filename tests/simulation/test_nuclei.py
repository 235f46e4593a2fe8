from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from drawn_nuclei import draw, make
from scipy.ndimage import label
from simulated_panorama import SEED

from nnbook.simulation import nuclei
from nnbook.values.published import DIAMETER_PX, MASK_RIM_PX

FULL = np.ones((3, 3))


@pytest.mark.parametrize("kind", nuclei.CLASSES)
def test_a_nucleus_has_the_components_that_its_class_asks_for(kind: str) -> None:
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


def test_debris_is_drawn_and_not_labelled() -> None:
    for seed in range(20):
        signal, labels = draw(nuclei.make_debris(np.random.default_rng(seed), scale=1.0))
        assert signal.max() > 1
        assert not labels.any()


def test_the_median_interphase_nucleus_has_the_published_diameter_with_its_rim() -> None:
    rng = np.random.default_rng(0)
    made = [nuclei.make_nucleus("interphase", rng, scale=1.0, size=1.0, contrast=1.0)[0] for _ in range(3000)]
    radii = [np.sqrt(np.mean(components["outline"][0] ** 2)) + MASK_RIM_PX for components in made]
    assert 2 * np.median(radii) == pytest.approx(DIAMETER_PX, rel=0.03)


def test_a_scale_shrinks_a_nucleus_and_keeps_its_shape() -> None:
    whole, half = (draw(make("interphase", 5, scale))[1] for scale in (1.0, 0.5))
    assert half.sum() == pytest.approx(whole.sum() / 4, rel=0.02)


def test_classes_come_in_their_shares() -> None:
    rng = np.random.default_rng(SEED)
    kinds = pd.Series([nuclei.draw_class(rng) for _ in range(4000)]).value_counts(normalize=True)
    assert set(kinds.index) == set(nuclei.CLASSES)
    assert kinds[list(nuclei.MITOSES)].sum() == pytest.approx(0.03, abs=0.01)
