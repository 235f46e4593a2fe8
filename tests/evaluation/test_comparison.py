import numpy as np
import pytest

from nnbook.evaluation import comparison
from nnbook.evaluation.comparison import CELLPOSE, CLASSICAL, Judged, compare_methods, vary_settings
from nnbook.segmentation.model import load_model
from nnbook.segmentation.workflow import segment_image
from nnbook.simulation.panorama import simulate_panorama


@pytest.fixture(scope="module")
def panorama() -> Judged:
    image, true, truth = simulate_panorama(1, 2, "BL", "top_right", width_px=1024, height_px=1024)
    return Judged(image, segment_image(image, load_model()), true, truth, 152.91)


def test_methods_are_scored_against_the_truth(panorama: Judged) -> None:
    right = Judged(panorama.image, panorama.true, panorama.true, panorama.truth, 152.91)
    scores, cases = compare_methods([right, right])
    scores = scores.set_index("method")
    assert scores["mean_ap"][CELLPOSE] == 1
    assert scores["true_nuclei"][CELLPOSE] == 2 * panorama.true.max()
    assert scores["mean_ap"][CLASSICAL] < 0.9
    assert (cases.loc[cases["method"] == CELLPOSE, "share"] == 1).all()


def test_published_settings_give_the_masks_of_the_edition(panorama: Judged, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparison, "DIAMETERS", (1.0,))
    table = vary_settings([panorama], load_model())
    scores = compare_methods([panorama])[0].set_index("method").loc[CELLPOSE]
    for setting, value in (("diameter_px", 152.91), ("flow_threshold", 0.5), ("cellprob_threshold", -2.0)):
        row = table[(table["setting"] == setting) & np.isclose(table["value"], value)].iloc[0]
        assert row["mean_ap"] == pytest.approx(scores["mean_ap"])
    sizes = table[table["setting"] == "cellprob_threshold"]["mean_iou"].to_numpy()
    assert sizes.argmax() not in (0, sizes.size - 1)  # masks too wide at one end, too narrow at the other
