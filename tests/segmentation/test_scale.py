import numpy as np
import pytest

from nnbook.segmentation.scale import grey_range, rescale


def test_rescale_keeps_means_and_places() -> None:
    rng = np.random.default_rng(4)
    image = rng.integers(0, 4096, (300, 410)).astype(np.uint16)
    small = rescale(image, (30, 41), 1000, 2000)
    assert small.mean() == pytest.approx((image.mean() - 1000) / 1000, abs=0.02)
    ramp = np.tile(np.arange(200.0), (100, 1))
    np.testing.assert_allclose(rescale(ramp, (10, 20))[5, 2:-2], np.arange(24.5, 175, 10), rtol=1e-5)
    np.testing.assert_allclose(rescale(ramp[:3, :3], (3, 6))[1, 1:-1], [0.25, 0.75, 1.25, 1.75], rtol=1e-5)
    assert grey_range(np.pad([[5.0]], 20)) == (0, 5)
