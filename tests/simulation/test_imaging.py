from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nnbook.measurement.rim import widen
from nnbook.simulation.rendering import MASK_MARGIN_PX
from nnbook.values.published import MASK_RIM_PX

if TYPE_CHECKING:
    from simulated_panorama import Rendered


def test_under_masks_with_the_published_rim_panoramas_have_what_was_drawn(rendered: Rendered) -> None:
    ratios = []
    for conditions, image, labels, truth in rendered:
        inside = image[widen(labels, MASK_RIM_PX - MASK_MARGIN_PX) > 0]
        expected = conditions.per_mpx * image.size / 1e6
        assert abs(len(truth) - expected) <= 1
        ratios.append((inside.mean() / conditions.mean_grey, inside.std() / conditions.spread_grey))
    mean, spread = np.array(ratios).T
    np.testing.assert_allclose(mean, 1, atol=0.06)
    np.testing.assert_allclose(np.median(mean), 1, atol=0.015)
    np.testing.assert_allclose(np.median(spread), 1, atol=0.03)
    assert np.quantile(abs(spread - 1), 0.8) < 0.06


def test_background_is_dark_uneven_and_noisy(rendered: Rendered) -> None:
    for conditions, image, labels, _ in rendered:
        outside = image[labels == 0]
        assert 0 < outside.mean() < conditions.mean_grey / 3
        assert outside.std() > 0.5


def test_nuclei_of_a_panorama_differ_as_their_dna_content_does(rendered: Rendered) -> None:
    """The published spread is that between nuclei and their rims; it isn't nuclei from black to saturated."""
    variation = []
    for _, image, labels, truth in rendered:
        whole = truth[~truth["cut"] & (truth["class"] == "interphase")]
        light = np.bincount(labels.ravel(), image.ravel())[whole["label"]]
        if len(light) >= 8:
            variation.append(light.std() / light.mean())
    assert 0.2 < np.median(variation) < 0.45
    assert max(variation) < 0.65
