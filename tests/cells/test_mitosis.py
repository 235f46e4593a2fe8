from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import find_objects
from skimage.draw import ellipse

from nnbook.cells.mitosis import bright_components, find_pairs
from nnbook.io.images import read_image
from nnbook.simulation.nuclei import CLASSES
from nnbook.simulation.panorama import simulate_panorama

PX_PER_UM = 8.0


def cell(*components: tuple[float, float, float, int], cytoplasm: int = 20) -> NDArray[np.uint8]:
    """Ellipses (x from the middle in px, half width, half height, grey level) in a mask that holds all of them."""
    image = np.zeros((256, 256), dtype=np.uint8)
    rows, columns = ellipse(128, 128, 60, 110)
    image[rows, columns] = cytoplasm
    for x, width, height, grey in components:
        rows, columns = ellipse(128, 128 + x, height, width)
        image[rows, columns] = grey
    return image


@pytest.mark.parametrize(("apart_um", "separation"), [(6, "early"), (11, "early"), (14, "late"), (20, "late")])
def test_two_bright_components_are_a_pair(apart_um: float, separation: str) -> None:
    half = apart_um * PX_PER_UM / 2
    found = find_pairs([cell((0, 60, 40, 150)), cell((-half, 14, 40, 200), (half, 14, 38, 190))], PX_PER_UM)
    assert found["index"].tolist() == [1]
    assert found["separation"].tolist() == [separation]
    assert found["distance_um"][0] == pytest.approx(apart_um, abs=0.2)
    assert found["area_ratio"][0] == pytest.approx(38 / 40, abs=0.03)


def test_two_pieces_of_a_mask_are_a_pair_however_even_they_are() -> None:
    found = find_pairs([cell((-60, 14, 40, 200), (60, 14, 38, 190), cytoplasm=0)], PX_PER_UM)
    assert found["separation"].tolist() == ["late"]
    assert found["distance_um"][0] == pytest.approx(15, abs=0.2)


@pytest.mark.parametrize(
    "single",
    [
        cell((0, 60, 40, 150)),
        cell((-60, 30, 40, 200), (60, 12, 12, 190)),  # a nucleus and its micronucleus
        cell((-60, 20, 40, 200), (0, 20, 40, 200), (60, 20, 40, 200)),  # three
        cell((-50, 40, 40, 60), (50, 40, 40, 60), cytoplasm=50),  # two nuclei that a mask holds by mistake, dim
        cell((-50, 40, 50, 150), (50, 40, 50, 140), cytoplasm=5),  # two nuclei under one mask with a rim, bright
        cell((-20, 5, 5, 250), (20, 5, 5, 250)),  # specks
        cell((-60, 40, 60, 200), (80, 12, 12, 150), cytoplasm=0),  # a micronucleus, each a piece of the mask
        np.zeros((256, 256), dtype=np.uint8),
        cell(),
    ],
)
def test_other_cells_are_none(single: NDArray[np.uint8]) -> None:
    assert find_pairs([single], PX_PER_UM).empty


@pytest.mark.parametrize(("name", "separation", "apart_um"), [("anaphase", "early", 8.5), ("telophase", "late", 17.1)])
def test_the_published_examples_are_pairs(shared: Path, name: str, separation: str, apart_um: float) -> None:
    """Of the telophase a part is out of focus: its smaller body has 6.8 um2, 0.29 times the area of the larger."""
    found = find_pairs([read_image(shared / f"data/nucleusnet/crops/{name}.png")], 8.0453)
    assert found["separation"].tolist() == [separation]
    assert found["distance_um"][0] == pytest.approx(apart_um, abs=0.1)


def test_an_even_mask_has_no_components() -> None:
    assert bright_components(cell()) is None
    one_pixel = np.zeros((256, 256), dtype=np.uint8)
    one_pixel[128, 128] = 9
    assert bright_components(one_pixel) is None


def test_pairs_of_the_twin_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cells cut along true masks of a panorama where half of all cells divide: most pairs are found, little else is."""
    shares = [{"interphase": 0.5, "anaphase": 0.25, "telophase": 0.25}.get(name, 0) for name in CLASSES]
    monkeypatch.setattr("nnbook.simulation.nuclei.CLASS_SHARES", shares)
    image, labels, truth = simulate_panorama(3, 5, "TL", "top_left", width_px=4096, height_px=4096)
    whole = truth[~truth["cut"]]
    boxes = find_objects(labels)
    cells = [np.where(labels[boxes[k - 1]] == k, image[boxes[k - 1]], 0).astype(np.uint8) for k in whole["label"]]
    apart = {"anaphase": "early", "telophase": "late"}
    known = [apart.get(kind) for kind in whole["class"]]
    found = find_pairs(cells, 8.0453)
    right = sum(separation == known[at] for at, separation in zip(found["index"], found["separation"], strict=True))
    assert len(found) >= 0.9 * sum(map(bool, known)) > 15
    assert right >= 0.95 * len(found)
