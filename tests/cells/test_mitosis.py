import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import find_objects
from skimage.draw import ellipse

from nnbook.cells.mitosis import bright_components, find_pairs
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


@pytest.mark.parametrize(
    ("apart_um", "stage"), [(6, "anaphase"), (11, "anaphase"), (14, "telophase"), (20, "telophase")]
)
def test_two_bright_components_are_a_pair(apart_um: float, stage: str) -> None:
    half = apart_um * PX_PER_UM / 2
    found = find_pairs([cell((0, 60, 40, 150)), cell((-half, 14, 40, 200), (half, 14, 38, 190))], PX_PER_UM)
    assert found["index"].tolist() == [1]
    assert found["stage"].tolist() == [stage]
    assert found["distance_um"][0] == pytest.approx(apart_um, abs=0.2)
    assert found["area_ratio"][0] == pytest.approx(38 / 40, abs=0.03)


def test_two_pieces_of_a_mask_are_a_pair_however_even_they_are() -> None:
    found = find_pairs([cell((-60, 14, 40, 200), (60, 14, 38, 190), cytoplasm=0)], PX_PER_UM)
    assert found["stage"].tolist() == ["telophase"]
    assert found["distance_um"][0] == pytest.approx(15, abs=0.2)


@pytest.mark.parametrize(
    "single",
    [
        cell((0, 60, 40, 150)),
        cell((-60, 30, 40, 200), (60, 12, 12, 190)),  # a nucleus and its micronucleus
        cell((-60, 20, 40, 200), (0, 20, 40, 200), (60, 20, 40, 200)),  # three
        cell((-50, 40, 40, 60), (50, 40, 40, 60), cytoplasm=50),  # two nuclei that a mask holds by mistake, dim
        cell((-20, 5, 5, 250), (20, 5, 5, 250)),  # specks
        cell((-60, 40, 60, 200), (80, 12, 12, 150), cytoplasm=0),  # a micronucleus, each a piece of the mask
        np.zeros((256, 256), dtype=np.uint8),
        cell(),
    ],
)
def test_other_cells_are_none(single: NDArray[np.uint8]) -> None:
    assert find_pairs([single], PX_PER_UM).empty


def test_an_even_mask_has_no_components() -> None:
    assert bright_components(cell()) is None
    one_pixel = np.zeros((256, 256), dtype=np.uint8)
    one_pixel[128, 128] = 9
    assert bright_components(one_pixel) is None


def test_pairs_of_the_twin_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cells cut along true masks of a panorama where half of all cells divide: most pairs are found, little else is."""
    divides = ("anaphase", "telophase")
    shares = [{"interphase": 0.5, **dict.fromkeys(divides, 0.25)}.get(name, 0) for name in CLASSES]
    monkeypatch.setattr("nnbook.simulation.nuclei.CLASS_SHARES", shares)
    image, labels, truth = simulate_panorama(3, 5, "TL", "top_left", width_px=4096, height_px=4096)
    whole = truth[~truth["cut"]]
    boxes = find_objects(labels)
    cells = [np.where(labels[boxes[k - 1]] == k, image[boxes[k - 1]], 0).astype(np.uint8) for k in whole["label"]]
    stages = whole["class"].to_list()
    found = find_pairs(cells, 8.0453)
    assert len(found) >= 0.7 * sum(stage in divides for stage in stages) > 15
    assert sum(stage == stages[at] for at, stage in zip(found["index"], found["stage"], strict=True)) >= 0.85 * len(
        found
    )
