from typing import Any

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


def sparse_field(dtype: str, background: float, noise: float, nuclei: float) -> np.ndarray[tuple[int, int], Any]:
    """Three nuclei of 20 px in 600 x 600 px: a four-hundredth of the field."""
    field = np.random.default_rng(2).normal(background, noise, (600, 600))
    y, x = np.mgrid[:600, :600]
    for at in (100, 300, 480):
        field[np.hypot(y - at, x - 590 + at) < 10] += nuclei
    return field.round().astype(dtype) if np.dtype(dtype).kind == "u" else field.astype(dtype)


@pytest.mark.parametrize(
    ("dtype", "background", "noise", "nuclei"),
    [("uint8", 10, 3, 100), ("uint16", 400, 25, 3000), ("float32", 0.1, 0.01, 0.4), ("float64", 1e9, 1, 40)],
)
def test_sparse_nuclei_become_1(dtype: str, background: float, noise: float, nuclei: float) -> None:
    image = sparse_field(dtype, background, noise, nuclei)
    low, high = grey_range(image)
    assert low == np.percentile(image, 1)
    assert high - background == pytest.approx(nuclei, rel=0.1)


def test_hot_pixels_fibres_noise_and_uneven_light_are_no_nuclei() -> None:
    rng = np.random.default_rng(3)
    image = rng.normal(100, 5, (500, 500)).round().astype(np.uint16)
    image += np.linspace(0, 60, 500).astype(np.uint16)
    for y, x in rng.integers(0, 498, (30, 2)):
        image[y, x] = 65_535
    for y, x in rng.integers(0, 498, (5, 2)):
        image[y : y + 2, x : x + 2] = 60_000
    image[40:42, 100:400] = 65_535
    assert grey_range(image) == tuple(np.percentile(image, (1, 99)))


def test_dim_nuclei_beside_a_bright_one_keep_the_percentiles() -> None:
    image = sparse_field("uint16", 100, 3, 60)
    y, x = np.mgrid[:600, :600]
    for at in range(60, 600, 90):
        image[np.hypot(y - at, x - at) < 25] += 60
    image[np.hypot(y - 500, x - 100) < 10] = 5000
    assert grey_range(image) == tuple(np.percentile(image, (1, 99)))
