"""A simulated panorama, and its masks by the shipped model."""

import pytest

from nnbook.io.images import Image, Labels
from nnbook.segmentation.model import Model, load_model
from nnbook.segmentation.workflow import segment_image
from nnbook.simulation.panorama import simulate_panorama

# The seed of the shipped model's training was 7.
PLACE = (11, 4, "BR", "top_right")


@pytest.fixture(scope="package")
def model() -> Model:
    return load_model(device="cpu")  # `test_devices_agree` is of a GPU


@pytest.fixture(scope="package")
def panorama() -> tuple[Image, Labels]:
    image, labels, _ = simulate_panorama(*PLACE, width_px=1500, height_px=1400)
    return image, labels


@pytest.fixture(scope="package")
def masks(model: Model, panorama: tuple[Image, Labels]) -> Labels:
    return segment_image(panorama[0], model)
