import numpy as np
import pytest
from numpy.typing import NDArray
from skimage.draw import disk

from nnbook.io.images import Image, Labels
from nnbook.segmentation.polarity import has_dark_nuclei


def field(coverage: str) -> NDArray[np.uint8]:
    """Discs in noise: a few, or so many that they nearly touch."""
    rng = np.random.default_rng(4)
    image = rng.normal(20, 4, (500, 600))
    pitch = 90 if coverage == "sparse" else 47
    for y in range(pitch // 2, 500, pitch):
        for x in range(pitch // 2, 600, pitch):
            image[disk((y, x), 22, shape=image.shape)] += 120
    return np.clip(image, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_dark_nuclei_on_bright_ground_are_recognised(dtype: str) -> None:
    image = field("sparse").astype(dtype)
    assert not has_dark_nuclei(image)
    assert has_dark_nuclei(image.max() - image)


def test_a_simulated_panorama_and_its_inverse(panorama: tuple[Image, Labels]) -> None:
    assert not has_dark_nuclei(panorama[0])
    assert has_dark_nuclei(255 - panorama[0])


def test_a_confluent_field_is_none_of_dark_nuclei() -> None:
    assert not has_dark_nuclei(field("confluent"))


@pytest.mark.parametrize("slope", [0.0, 0.1, -0.1])
def test_noise_and_uneven_light_are_none(slope: float) -> None:
    noise = np.random.default_rng(5).normal(100, 10, (400, 400))
    assert not has_dark_nuclei(noise + slope * np.arange(400))
    assert not has_dark_nuclei(np.full((50, 50), 7, np.uint8))
