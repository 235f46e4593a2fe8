import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from skimage.draw import ellipse

from nnbook.figures.mitosis import collect_pairs, pairs_sheet, summarise_pairs

PX_PER_UM = 8.0


def draw_ellipse(image: NDArray[np.uint8], x: float, height: int, width: int, grey: int) -> None:
    image[ellipse(128, x, height, width)] = grey


def cell(apart_px: int, grey: int = 200) -> NDArray[np.uint8]:
    image = np.zeros((256, 256), dtype=np.uint8)
    draw_ellipse(image, 128, 60, 110, 20)
    for side in (-1, 1):
        draw_ellipse(image, 128 + side * apart_px / 2, 40, 14, grey)
    return image


@pytest.fixture
def images() -> list[NDArray[np.uint8]]:
    plain = np.zeros((256, 256), dtype=np.uint8)
    draw_ellipse(plain, 128, 60, 70, 100)
    return [plain, cell(60), cell(150, 120), plain, cell(160)]


@pytest.fixture
def table(images: list[NDArray[np.uint8]]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "cell": [f"Run1TL_top_left_ROI_{k}" for k in range(5)],
            "area_um2": [(image > 0).sum() / PX_PER_UM**2 for image in images],
            "mean_intensity": [image[image > 0].mean() for image in images],
            "std_intensity": [image[image > 0].std() for image in images],
            "class": ["interphase", "anaphase", "interphase", None, "telophase"],
        }
    )


def test_pairs_are_named_and_the_clearest_come_first(table: pd.DataFrame, images: list[NDArray[np.uint8]]) -> None:
    pairs = collect_pairs(table, images, PX_PER_UM)
    assert [(pair.name[-1], pair.separation, pair.true) for pair in pairs] == [
        ("1", "early", "anaphase"),
        ("4", "late", "telophase"),
        ("2", "late", "interphase"),
    ]
    assert [pair.distance_um for pair in pairs] == pytest.approx([7.5, 20, 18.75], abs=0.05)
    assert "1 in early and 2 in late" in summarise_pairs(pairs)
    assert "2 of these 3" in summarise_pairs(pairs)


def test_without_the_truth_nothing_is_confirmed(table: pd.DataFrame, images: list[NDArray[np.uint8]]) -> None:
    pairs = collect_pairs(table.drop(columns="class"), images, PX_PER_UM)
    assert {pair.true for pair in pairs} == {None}
    assert "truth" not in summarise_pairs(pairs)


def test_a_row_of_each_stage(table: pd.DataFrame, images: list[NDArray[np.uint8]]) -> None:
    figure = pairs_sheet(collect_pairs(table, images, PX_PER_UM), PX_PER_UM, columns=3)
    shown = [[len(axes.images) for axes in figure.axes[:3]], [len(axes.images) for axes in figure.axes[3:]]]
    assert shown == [[1, 0, 0], [1, 1, 0]]
    assert figure.axes[0].get_title(loc="left") == "7.5 µm"


def test_a_stage_that_was_not_found_has_no_row(table: pd.DataFrame, images: list[NDArray[np.uint8]]) -> None:
    pairs = [pair for pair in collect_pairs(table, images, PX_PER_UM) if pair.separation == "early"]
    assert len(pairs_sheet(pairs, PX_PER_UM, columns=3).axes) == 3
    assert "1 in early and no in late" in summarise_pairs(pairs)
