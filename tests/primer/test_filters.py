"""What the figures of convolution, pooling and the receptive field show."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import correlate

from nnbook.primer.crops import Crop
from nnbook.primer.filters import EDGES, convolution, convolve, pool


def test_a_convolution_is_that_of_scipy() -> None:
    image = np.random.default_rng(1).integers(0, 256, (7, 9)).astype(np.uint8)
    expected = correlate(image.astype(float), np.array(EDGES), mode="constant")
    np.testing.assert_allclose(convolve(image, EDGES), expected)


def test_pooling_keeps_the_brightest_of_each_block() -> None:
    image = np.arange(15).reshape(3, 5)
    np.testing.assert_array_equal(pool(image), [[6, 8]])


def test_the_kernel_is_first_on_the_left_border_of_the_nucleus() -> None:
    true = np.zeros((8, 8), np.int32)
    true[:, 0] = 1
    true[2:7, 3:7] = 2
    live = convolution(Crop("Run1", true.astype(np.float32), true, true, 1.5))
    assert (live.facts["x"], live.facts["y"]) == (3, 4)
    assert live.arrays["image"].dtype == np.uint8
