import numpy as np
import pytest

from nnbook.denoising.blind_spots import CELL_PX, WINDOW_PX, draw_blind_spots, draw_patches, hide


def test_no_hidden_pixel_is_in_the_surroundings_of_another() -> None:
    patch, row, column = draw_blind_spots((3, 64, 64), np.random.default_rng(1))
    assert len(patch) == 3 * ((64 - 2 * WINDOW_PX) // CELL_PX) ** 2
    apart = np.maximum(abs(row[:, None] - row), abs(column[:, None] - column))
    apart[patch[:, None] != patch] = 99
    np.fill_diagonal(apart, 99)
    assert apart.min() > WINDOW_PX


def test_nothing_depends_on_hidden_pixels() -> None:
    rng = np.random.default_rng(2)
    patches = rng.normal(size=(2, 32, 32)).astype(np.float32)
    places = draw_blind_spots((2, 32, 32), rng)
    other = patches.copy()
    other[places] += 1000
    np.testing.assert_array_equal(hide(patches, places), hide(other, places))


def test_a_hidden_pixel_is_the_median_of_its_surroundings_without_itself() -> None:
    patch = np.random.default_rng(3).normal(size=(1, 16, 16)).astype(np.float32)
    places = (np.array([0]), np.array([7]), np.array([9]))
    hidden = hide(patch, places)
    around = np.delete(patch[0, 5:10, 7:12].ravel(), 12)
    assert hidden[0, 7, 9] == np.median(around)
    assert np.count_nonzero(hidden != patch) == 1


@pytest.mark.parametrize("shape", [(16, 40), (40, 16)])
def test_patches_are_of_the_image_turned_or_mirrored(shape: tuple[int, int]) -> None:
    image = np.arange(shape[0] * shape[1], dtype=np.float32).reshape(shape)
    patches = draw_patches([image], np.random.default_rng(4), 12, 16)
    steps = {tuple(sorted(map(abs, (float(p[0, 1] - p[0, 0]), float(p[1, 0] - p[0, 0]))))) for p in patches}
    assert steps == {(1.0, float(shape[1]))}
    assert len({patch.tobytes() for patch in patches}) > 1
