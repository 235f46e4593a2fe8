import numpy as np
import pytest

from nnbook.figures.sheets import BAR_UM, draw_grey, panel_grid, round_length, white_level


@pytest.mark.parametrize(("most", "length"), [(75.0, 50.0), (50.0, 50.0), (49.0, 20.0), (9.9, 5.0), (1400.0, 1000.0)])
def test_scale_bars_have_round_lengths(most: float, length: float) -> None:
    assert round_length(most) == length


def test_an_image_has_a_bar_of_its_scale_and_its_own_contrast() -> None:
    image = np.zeros((100, 60))
    image[40:60] = 50
    _, grid = panel_grid(1, 2, row_inches=1.0)
    draw_grey(grid[0, 0], image, px_per_um=2.0, white=white_level(image))
    (bar,) = grid[0, 0].lines
    assert np.ptp(bar.get_xdata()) == BAR_UM * 2.0
    assert grid[0, 0].images[0].get_clim() == (0, 50)
    assert (grid[0, 0].get_xlim(), grid[0, 0].get_ylim()) == ((0, 60), (100, 0))


def test_a_few_bright_pixels_do_not_set_the_contrast() -> None:
    pixels = np.full(1000, 20)
    pixels[:2] = 255
    assert white_level(pixels) == 20
    assert white_level(np.zeros(10)) == 1
