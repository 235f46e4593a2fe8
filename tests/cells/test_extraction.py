from typing import NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import find_objects

from nnbook.cells.extraction import extract_cells, thumbnails_of
from nnbook.errors import NnbookError
from nnbook.io.images import Image, Labels

SIDE = 360
Y, X = np.mgrid[:SIDE, :SIDE].astype(float)


class Cell(NamedTuple):
    image: NDArray[np.uint8]
    orientation_deg: float
    elongation: float


def box_of(labels: Labels, roi: int) -> tuple[int, int, int, int]:
    y, x = np.nonzero(labels == roi)
    return int(x.min()), int(y.min()), int(np.ptp(x)) + 1, int(np.ptp(y)) + 1


def cut(image: Image, labels: Labels) -> Cell | None:
    """Cut the nucleus of label 1 alone; None where it doesn't fit."""
    fits, images, orientations, elongations = extract_cells(image, labels, np.array([1]), np.array([box_of(labels, 1)]))
    return Cell(images[0], orientations[0], elongations[0]) if fits[0] else None


def cell_of(image: Image, labels: Labels) -> Cell:
    """Cut the nucleus of label 1, which has to fit."""
    cell = cut(image, labels)
    assert cell is not None
    return cell


def nucleus(
    degrees: float, *, cx: float = 180.3, cy: float = 179.6, ends: tuple[float, float] = (70, 95)
) -> tuple[NDArray[np.uint8], NDArray[np.int32]]:
    """An ellipse of 160 x 90 px turned clockwise as seen, brightest at one end."""
    turn = np.radians(degrees)
    u = (X - cx) * np.cos(turn) + (Y - cy) * np.sin(turn)
    v = (Y - cy) * np.cos(turn) - (X - cx) * np.sin(turn)
    labels = ((u / 80) ** 2 + (v / 45) ** 2 <= 1).astype(np.int32)
    low, high = ends
    image = (low + high) / 2 + (high - low) / 2 * np.clip(u / 80, -1.2, 1.2) + 30 * np.sin(u / 9) * np.cos(v / 7)
    return image.round().astype(np.uint8), labels


@pytest.mark.parametrize("degrees", [0, 30, 90, 200])
def test_a_small_nucleus_is_enlarged_about_its_centre(degrees: float) -> None:
    turn = np.radians(degrees)
    u = (X - 100.2) * np.cos(turn) + (Y - 90.7) * np.sin(turn)
    v = (Y - 90.7) * np.cos(turn) - (X - 100.2) * np.sin(turn)
    labels = ((u / 20) ** 2 + (v / 11) ** 2 <= 1).astype(np.int32)
    image = np.clip(100 + 2 * u, 0, 255).astype(np.uint8)
    found = extract_cells(image, labels, np.array([1]), np.array([box_of(labels, 1)]), zoom=5)
    y, x = np.nonzero(found.images[0])
    assert (np.ptp(x) + 1, np.ptp(y) + 1) == pytest.approx((200, 110), abs=9)
    assert (x.mean(), y.mean()) == pytest.approx((127.5, 127.5), abs=3)
    assert np.count_nonzero(found.images) == pytest.approx(25 * labels.sum(), rel=0.03)
    row = found.images[0, 128, 60:196].astype(int)
    assert np.diff(row).min() >= 0, "brighter to the right, without steps back"
    assert row[-1] - row[0] == pytest.approx(2 * 135 / 5, abs=3)
    assert not extract_cells(image, labels, np.array([1]), np.array([box_of(labels, 1)]), zoom=7).fits.any()


@pytest.mark.parametrize("degrees", [0, 17, 45, 60, 90, 133, 180, -20, -90, -145])
def test_a_turned_ellipse_lies_across_with_its_brighter_half_to_the_right(degrees: float) -> None:
    cell = cell_of(*nucleus(degrees))
    assert (cell.orientation_deg - degrees + 180) % 360 - 180 == pytest.approx(0, abs=2)
    y, x = np.nonzero(cell.image)
    assert (np.ptp(x) + 1, np.ptp(y) + 1) == pytest.approx((160, 90), abs=2.5)
    assert (x.mean(), y.mean()) == pytest.approx((127.5, 127.5), abs=1)
    assert cell.image[:, 128:].sum() > cell.image[:, :128].sum()


@pytest.mark.parametrize("degrees", [31, 77, 90, 111, 180, 215, 270, 301])
def test_the_same_nucleus_gives_nearly_the_same_image_however_it_lay(degrees: float) -> None:
    lying, turned = (cell_of(*nucleus(angle)).image.astype(float) for angle in (0, degrees))
    assert np.mean((lying > 0) != (turned > 0)) < 0.01
    both = (lying > 0) & (turned > 0)
    assert np.abs(lying - turned)[both].mean() < 4
    assert np.corrcoef(lying[both], turned[both])[0, 1] > 0.95


def test_outside_the_mask_is_zero_and_inside_are_the_grey_levels_that_were_there() -> None:
    rng = np.random.default_rng(2)
    image, labels = rng.integers(100, 200, (SIDE, SIDE), np.uint8), nucleus(28)[1]
    labels[(X > 300) & (Y > 300)] = 2
    cell = cell_of(image, labels)
    inside = cell.image > 0
    assert inside.sum() == pytest.approx((labels == 1).sum(), rel=0.005)
    assert cell.image[inside].min() >= 100
    assert cell.image[inside].max() < 200
    y, x = np.nonzero(inside)
    u, v = ((x - 127.5) / 80, (y - 127.5) / 45)
    assert (u**2 + v**2 < 1.06).all()


def test_a_turned_slope_of_grey_stays_a_slope() -> None:
    labels = nucleus(40)[1]
    image = (20 + X * 0.3 + Y * 0.2).round().astype(np.uint8)
    cell = cell_of(image, labels)
    y, x = np.nonzero(cell.image)
    turn = np.radians(cell.orientation_deg)
    cos, sin = np.cos(turn), np.sin(turn)
    expected = 0.3 * (x * cos - y * sin) + 0.2 * (x * sin + y * cos)
    assert np.ptp(cell.image[y, x] - expected) < 3


@pytest.mark.parametrize("quarter_turns", [0, 1, 2, 3])
@pytest.mark.parametrize(("height", "width"), [(40, 100), (41, 101), (41, 100), (60, 60)])
def test_a_nucleus_that_lies_straight_is_copied_as_it_is(height: int, width: int, quarter_turns: int) -> None:
    grey = np.random.default_rng(3).integers(1, 255, (height, width), np.uint8)
    grey[:, width // 2 + 1 :] |= 128
    grey[:, : width // 2] &= 127
    grey[grey == 0] = 1
    image, labels = np.full((SIDE, SIDE), 9, np.uint8), np.zeros((SIDE, SIDE), np.int32)
    lying = np.rot90(grey, quarter_turns)
    at = np.s_[50 : 50 + lying.shape[0], 70 : 70 + lying.shape[1]]
    image[at], labels[at] = lying, 1
    cell = cell_of(image, labels)
    y, x = np.nonzero(cell.image)
    copied = cell.image[y.min() : y.max() + 1, x.min() : x.max() + 1]
    if height == width:  # it has no long side, and takes the smaller turn: none, or half a one
        assert cell.orientation_deg in {0, 180, -180}
        assert any(np.array_equal(copied, np.rot90(lying, half)) for half in (0, 2))
    else:
        np.testing.assert_array_equal(copied, grey)
        assert cell.orientation_deg % 360 == (360 - 90 * quarter_turns) % 360


def test_a_nucleus_of_one_pixel_is_one_pixel() -> None:
    image, labels = np.full((9, 9), 77, np.uint8), np.zeros((9, 9), np.int32)
    labels[4, 6] = 1
    cell = cell_of(image, labels)
    assert cell.orientation_deg == 0
    assert np.argwhere(cell.image).tolist() == [[127, 127]]
    assert cell.image[127, 127] == 77


@pytest.mark.parametrize(("side", "fits"), [(256, True), (257, False)])
def test_a_nucleus_may_fill_the_frame_but_not_more(side: int, fits: bool) -> None:
    image, labels = np.full((300, 300), 50, np.uint8), np.zeros((300, 300), np.int32)
    image[:, 200:] = 60
    labels[10:266, 20 : 20 + side] = 1
    cell = cut(image, labels)
    assert (cell is not None) == fits
    if cell is not None:
        assert cell.image.all()


def test_a_nucleus_longer_than_the_frame_when_it_lies_across_does_not_fit() -> None:
    image, labels = np.full((300, 300), 50, np.uint8), np.eye(300, dtype=np.int32)
    labels[200:], labels[:, 200:] = 0, 0
    assert cut(image, labels) is None, "200 px of a diagonal are 283 px long"
    labels[170:], labels[:, 170:] = 0, 0
    cell = cut(image, labels)
    assert cell is not None
    assert abs(cell.orientation_deg) in {45, 135}


@pytest.mark.parametrize("box", [(10, 10, 31, 20), (10, 9, 30, 21), (0, 0, 5, 5), (50, 60, 30, 40), (-1, 10, 30, 20)])
def test_another_box_than_the_nucleus_has_is_told(box: tuple[int, int, int, int]) -> None:
    labels = np.zeros((80, 70), np.int32)
    labels[10:30, 10:40] = 4
    image = np.full((80, 70), 200, np.uint8)
    assert extract_cells(image, labels, np.array([4]), np.array([[10, 10, 30, 20]])).fits.all()
    with pytest.raises(NnbookError, match=r"nucleus 4 of the mask is not where it was measured; run 'nnbook measure'"):
        extract_cells(image, labels, np.array([4]), np.array([box]))


def test_thumbnails_have_the_means_of_squares() -> None:
    images = np.random.default_rng(4).integers(0, 256, (3, 256, 256), np.uint8)
    means = images.reshape(3, 64, 4, 64, 4).mean(axis=(2, 4))
    assert np.abs(thumbnails_of(images) - means).max() <= 0.5


def test_nuclei_cut_together_are_those_cut_alone_whatever_their_masks_integers() -> None:
    image = np.random.default_rng(5).integers(1, 256, (500, 900), np.uint8)
    labels, boxes = np.zeros((500, 900), np.int32), []
    for roi, (left, top, width, height) in enumerate([(5, 5, 90, 60), (120, 9, 300, 40), (100, 100, 30, 120)], start=1):
        labels[top : top + height, left : left + width] = roi
        boxes.append((left, top, width, height))
    rois = np.array([3, 1, 2])
    together = extract_cells(image, labels, rois, np.array(boxes)[rois - 1])
    assert together.fits.tolist() == [True, True, False], "300 px don't fit"
    alone = [extract_cells(image, labels, rois[k : k + 1], np.array([boxes[rois[k] - 1]])) for k in range(2)]
    np.testing.assert_array_equal(together.images, np.concatenate([one.images for one in alone]))
    np.testing.assert_array_equal(together.orientations_deg, [one.orientations_deg[0] for one in alone])
    assert together.elongations == pytest.approx([4, 1.5], rel=0.03), "30 by 120 and 90 by 60 px"
    narrow = extract_cells(image, labels.astype(np.uint16), rois, np.array(boxes)[rois - 1])
    np.testing.assert_array_equal(narrow.images, together.images)


def test_no_nuclei_give_no_cells() -> None:
    empty = np.zeros((9, 9), np.uint8)
    cut = extract_cells(empty, empty.astype(np.uint16), np.zeros(0, np.int64), np.zeros((0, 4), np.int64))
    assert (cut.fits.shape, cut.images.shape, cut.orientations_deg.shape) == ((0,), (0, 256, 256), (0,))


def test_no_orientation_is_more_frequent_than_another() -> None:
    rng, side = np.random.default_rng(4), 100
    y, x = np.mgrid[:side, :side] - side / 2
    turns = rng.uniform(0, np.pi, 300)
    labels = np.zeros((side * 15, side * 20), np.int32)
    for number, turn in enumerate(turns):
        off_y, off_x = rng.uniform(0, 1, 2)
        u = (x - off_x) * np.cos(turn) + (y - off_y) * np.sin(turn)
        v = (y - off_y) * np.cos(turn) - (x - off_x) * np.sin(turn)
        row, column = divmod(number, 20)
        part = labels[row * side : (row + 1) * side, column * side : (column + 1) * side]
        part[(u / 34) ** 2 + (v / 26) ** 2 <= 1] = number + 1
    boxes = np.array([(x.start, y.start, x.stop - x.start, y.stop - y.start) for y, x in find_objects(labels)])
    image = np.full(labels.shape, 90, np.uint8)
    found = extract_cells(image, labels, np.arange(1, 301), boxes).orientations_deg
    straight = np.abs(found - 90 * np.round(found / 90)) < 1e-3
    assert straight.mean() < 0.02
    error = np.abs((found - np.degrees(turns) + 90) % 180 - 90)
    assert np.median(error) < 2.5
