from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from simulated_panorama import Rendered


def test_rendered_panoramas_have_what_was_drawn(rendered: Rendered) -> None:
    ratios = []
    for conditions, image, labels, truth in rendered:
        inside = image[labels > 0]
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
