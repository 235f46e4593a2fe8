import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import label as pieces_of
from skimage.draw import ellipse

from nnbook.evaluation.hard_cases import judge_cases, tally_cases
from nnbook.io.images import Labels
from nnbook.segmentation.grouping import join_components
from nnbook.segmentation.scale import rescale
from nnbook.simulation.nuclei import CLASSES
from nnbook.simulation.panorama import simulate_panorama

DIAMETER_PX = 30.0
SHAPE = (120, 160)

Component = tuple[float, float, float, float, float]
"""Middle (y, x), half height, half width, grey level."""


def scene(*components: Component, masked: int | None = None) -> tuple[Labels, NDArray[np.float32]]:
    """Draw components on noise, and masks of the first ones, all where left out: by number, in order."""
    labels = np.zeros(SHAPE, np.int32)
    grey = np.random.default_rng(5).normal(0, 0.01, SHAPE).astype(np.float32)
    for number, (y, x, height, width, level) in enumerate(components, start=1):
        at = ellipse(y, x, height, width, shape=SHAPE)
        grey[at] += level
        if masked is None or number <= masked:
            labels[at] = number
    return labels, grey


def joined(labels: Labels, grey: NDArray[np.float32]) -> Labels:
    found = labels.copy()
    join_components(found, grey, DIAMETER_PX)
    return found


NUCLEUS: Component = (90, 40, 15, 15, 0.6)
LEFT: Component = (40, 50, 9, 5, 1.0)
RIGHT: Component = (40, 76, 8, 5, 0.95)


def test_two_plates_that_face_each_other_are_one_nucleus() -> None:
    labels, grey = scene(NUCLEUS, LEFT, RIGHT)
    found = joined(labels, grey)
    assert set(np.unique(found)) == {0, 1, 2}
    assert (found[labels == 3] == 2).all()
    assert (found[labels < 3] == labels[labels < 3]).all()
    assert (joined(labels.T.copy(), grey.T.copy()) == found.T).all()


@pytest.mark.parametrize(
    ("others", "why"),
    [
        ([LEFT, (40, 90, 8, 5, 0.95)], "too far apart"),
        ([LEFT, (40, 76, 4, 2, 0.95)], "of unlike area"),
        ([LEFT, (40, 76, 8, 5, 0.5)], "of unlike brightness"),
        ([(40, 50, 5, 9, 1.0), (40, 76, 5, 9, 0.95)], "end to end"),
        ([LEFT, RIGHT, (40, 63, 3, 3, 0.1)], "with a third between"),
        ([(40, 50, 15, 12, 1.0), (40, 78, 15, 12, 1.0)], "nuclei"),
        ([(4, 50, 9, 5, 1.0), (4, 76, 9, 5, 1.0)], "cut by the edge"),
    ],
)
def test_other_masks_stay_apart(others: list[Component], why: str) -> None:
    labels, grey = scene(NUCLEUS, *others)
    assert (joined(labels, grey) == labels).all(), why


def test_a_half_without_a_mask_is_found_beside_the_other() -> None:
    labels, grey = scene(NUCLEUS, LEFT, RIGHT, masked=2)
    found = joined(labels, grey)
    half = ellipse(40, 76, 8, 5, shape=SHAPE)
    assert (found[half] == 2).mean() > 0.9
    assert (found == 2).sum() < 1.3 * ((labels == 2).sum() + len(half[0]))
    for other, why in (
        ((40, 96, 8, 5, 0.95), "too far apart"),
        ((40, 76, 5, 9, 0.95), "end to end"),
        ((40, 76, 4, 2, 0.95), "of unlike area"),
    ):
        labels, grey = scene(NUCLEUS, LEFT, other, masked=2)
        assert (joined(labels, grey) == labels).all(), why


def test_a_mask_over_both_halves_is_a_pair_without_the_gap() -> None:
    labels, grey = scene(NUCLEUS, LEFT, RIGHT)
    halves = labels > 1
    labels[halves] = 2
    labels[34:47, 50:77] = 2
    found = labels.copy()
    assert join_components(found, grey, DIAMETER_PX) == [2]
    assert (found[halves] == 2).mean() > 0.9
    assert not found[40, 60:66].any()
    nucleus, grey = scene(NUCLEUS, (40, 50, 12, 12, 0.5))
    assert join_components(nucleus, grey, DIAMETER_PX) == []


def test_the_rim_of_a_pair_under_one_mask_stays_in_it() -> None:
    """Halves are drawn to a quarter of the brightest: at a half, a fringe of them was outside."""
    labels, grey = scene(NUCLEUS, (40, 50, 9, 5, 0.4), (40, 76, 9, 5, 0.4))
    halves = labels > 1
    for x in (50, 76):
        grey[ellipse(40, x, 7.5, 3.5)] += 0.6
    labels[halves] = 2
    labels[34:47, 50:77] = 2
    pair = joined(labels, grey) == 2
    assert (pair & halves).sum() / (pair | halves).sum() > 0.9
    assert not pair[40, 60:66].any()


def test_a_half_that_is_partly_out_of_focus_keeps_what_the_mask_covers_of_it() -> None:
    labels, grey = scene(NUCLEUS, (40, 50, 10, 5, 1.0), (40, 72, 10, 5, 0.05))
    halves = labels > 1
    grey[34:44, 67:78][halves[34:44, 67:78]] += 0.9
    labels[halves] = 2
    labels[34:47, 50:72] = 2
    found = joined(labels, grey)
    assert (found[ellipse(40, 72, 10, 5)] == 2).mean() > 0.9
    assert not found[38:43, 58:65].any()


def test_two_bright_plates_without_masks_are_a_pair_with_a_new_label() -> None:
    labels, grey = scene(NUCLEUS, LEFT, RIGHT, masked=1)
    found = labels.copy()
    assert join_components(found, grey, DIAMETER_PX) == [2]
    halves = scene(NUCLEUS, LEFT, RIGHT)[0] > 1
    assert ((found == 2) & halves).sum() / ((found == 2) | halves).sum() > 0.9
    for others, why in (
        (((40, 50, 6, 6, 1.0), (40, 70, 6, 6, 1.0)), "round"),
        (((40, 50, 9, 5, 0.5), (40, 76, 8, 5, 0.5)), "dimmer than the nucleus"),
        (((40, 50, 9, 5, 1.0), (40, 92, 8, 5, 1.0)), "too far apart"),
        (((8, 50, 9, 5, 1.0), (8, 76, 8, 5, 1.0)), "cut by the edge"),
        (((90, 59, 9, 5, 1.0), (90, 84, 8, 5, 1.0)), "one beside a mask"),
    ):
        labels, grey = scene(NUCLEUS, *others, masked=1)
        found = labels.copy()
        assert join_components(found, grey, DIAMETER_PX) == [], why


def test_a_mask_that_extends_to_the_other_half_is_joined_to_it() -> None:
    labels, grey = scene(NUCLEUS, LEFT, RIGHT, masked=2)
    labels[37:44, 50:74] = 2
    found = joined(labels, grey)
    for x in (50, 76):
        assert (found[ellipse(40, x, 8, 5)] == 2).mean() > 0.9
    assert not found[40, 60:66].any()


def test_of_three_alike_the_nearest_two_are_joined() -> None:
    labels, grey = scene(NUCLEUS, (40, 30, 9, 5, 1.0), (40, 62, 9, 5, 1.0), (40, 84, 9, 5, 1.0))
    found = joined(labels, grey)
    assert [int(found[40, x]) for x in (30, 62, 84)] == [2, 3, 3]


def test_a_micronucleus_belongs_to_the_nucleus_beside_it_with_a_mask_or_without() -> None:
    micronucleus: Component = (90, 60, 2.6, 2.6, 0.35)
    for masked in (1, 2):
        labels, grey = scene(NUCLEUS, micronucleus, masked=masked)
        found = joined(labels, grey)
        component = ellipse(90, 60, 2.6, 2.6)
        assert (found[component] == 1).mean() > 0.9
        assert (found == 1).sum() < (labels == 1).sum() + 3 * len(component[0])
        assert (found[labels == 1] == 1).all()


def test_a_micronucleus_half_under_the_mask_of_its_nucleus_belongs_to_it_whole() -> None:
    labels, grey = scene(NUCLEUS, (90, 58, 3, 3, 0.45), masked=1)
    labels[88:93, 54:58] = 1
    component = ellipse(90, 58, 3, 3)
    assert (labels[component] == 1).mean() < 0.6
    assert (joined(labels, grey)[component] == 1).mean() > 0.9


@pytest.mark.parametrize(
    ("component", "why"),
    [
        ((90, 60, 2.6, 2.6, 0.9), "brighter than its nucleus: debris"),
        ((90, 60, 2.6, 2.6, 0.05), "haze"),
        ((90, 70, 2.6, 2.6, 0.35), "too far away"),
        ((90, 64, 8, 8, 0.35), "too large"),
    ],
)
def test_other_components_beside_a_nucleus_stay_background(component: Component, why: str) -> None:
    labels, grey = scene(NUCLEUS, component, masked=1)
    assert (joined(labels, grey) == labels).all(), why


def test_what_the_frame_leaves_of_a_nucleus_is_no_micronucleus() -> None:
    nucleus: Component = (60, 22, 15, 15, 0.6)
    labels, grey = scene(nucleus, (60, 1, 4, 3, 0.5))
    assert (joined(labels, grey)[labels == 2] == 2).all()
    inside = np.pad(labels, ((0, 0), (3, 0))), np.pad(grey, ((0, 0), (3, 0)), mode="reflect")
    assert (joined(*inside)[inside[0] == 2] == 1).all(), "away from the frame it would be one"


def test_noise_alone_gives_no_micronucleus() -> None:
    labels, grey = scene((60, 80, 15, 15, 0.03))
    assert (joined(labels, grey) == labels).all()


def test_without_masks_or_without_background_nothing_happens() -> None:
    grey = np.random.default_rng(0).random(SHAPE).astype(np.float32)
    for label in (0, 1):
        labels = np.full(SHAPE, label, np.int32)
        assert (joined(labels, grey) == label).all()


def test_components_of_the_twin_are_put_together_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each component of a panorama full of hard cases gets a mask of its own, micronuclei none: most find together."""
    shares = {"interphase": 0.4, "metaphase": 0.1, "anaphase": 0.1, "telophase": 0.2, "micronucleus": 0.2}
    monkeypatch.setattr("nnbook.simulation.nuclei.CLASS_SHARES", [shares.get(name, 0) for name in CLASSES])
    image, true, truth = simulate_panorama(21, 5, "TL", "top_left", width_px=4096, height_px=4096)
    side = round(4096 * DIAMETER_PX / 152.91)
    pick = ((np.arange(side) + 0.5) * 4096 / side).astype(int)
    small = true[np.ix_(pick, pick)]
    components, count = pieces_of(small + 0)
    areas = np.bincount(components.ravel())
    components[areas[components] < 35] = 0
    # Components that touch were one piece; they keep their own labels.
    masks = np.unique(np.where(components > 0, components * (int(true.max()) + 1) + small, 0), return_inverse=True)[1]
    masks = masks.reshape(small.shape).astype(np.int32)
    low, high = np.percentile(image, (1, 99))
    join_components(masks, rescale(image, (side, side), low, high), DIAMETER_PX)
    cases = tally_cases(judge_cases(masks, small.astype(np.int32), truth)).set_index("case")
    assert count > 60
    assert cases["nuclei"]["pair kept as one"] > 15
    assert cases["share"]["pair kept as one"] >= 0.9
    assert cases["nuclei"]["micronuclei with their nucleus"] > 8
    assert cases["share"]["micronuclei with their nucleus"] >= 0.7
    assert cases["share"]["interphase"] >= 0.97
