from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from PIL import Image
from skimage.draw import ellipse

from nnbook.figures.mitosis import collect_pairs, pairs_sheet, summarise_pairs
from nnbook.figures.style import picture

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
            "panorama": ["Run1TL_top_left"] * 5,
            "roi": [11, 12, 13, 14, 15],
            "x_px": [100.0, 200.4, np.nan, 400.0, 500.0],
            "y_px": [10.0, 20.2, np.nan, 40.0, 50.0],
            "area_um2": [(image > 0).sum() / PX_PER_UM**2 for image in images],
            "mean_intensity": [image[image > 0].mean() for image in images],
            "std_intensity": [image[image > 0].std() for image in images],
            "class": ["interphase", "anaphase", "interphase", None, "telophase"],
        }
    )


def test_pairs_are_named_and_the_clearest_come_first(table: pd.DataFrame, images: list[NDArray[np.uint8]]) -> None:
    pairs = collect_pairs(table, images, PX_PER_UM)
    assert [(pair.roi, pair.separation, pair.true) for pair in pairs] == [
        (12, "early", "anaphase"),
        (15, "late", "telophase"),
        (13, "late", "interphase"),
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
    assert figure.axes[0].get_title(loc="left") == "Run1TL_top_left\nROI 12, 7.5 µm"
    assert [[text.get_text() for text in axes.texts] for axes in figure.axes[:2]] == [["10 µm", "Early separation"], []]


def test_images_lead_to_their_nuclei_where_these_are_known(
    table: pd.DataFrame, images: list[NDArray[np.uint8]], tmp_path: Path
) -> None:
    pairs = collect_pairs(table, images, PX_PER_UM)
    figure = pairs_sheet(pairs, PX_PER_UM, viewer="/nucleusnet#fig1a", layer="twin", columns=3)
    shown = picture(figure, tmp_path / "mitosis.png", "Two masses.")
    assert [link["url"] for link in shown.links] == [
        "/nucleusnet#fig1a&panorama=Run1TL_top_left&layer=twin&roi=12&view=200,20,500",
        "/nucleusnet#fig1a&panorama=Run1TL_top_left&layer=twin&roi=15&view=500,50,500",
    ]
    assert shown.links[0]["name"] == "Run1TL_top_left, ROI 12: find it in its panorama"
    # The boxes are those of the images, whose corners are black on the ground of the sheet.
    with Image.open(tmp_path / "mitosis.png") as sheet:
        grey = np.asarray(sheet.convert("L")).astype(int)
    height, width = grey.shape
    for link in shown.links:
        left, top, wide, high = np.array(link["box"]) * [width, height, width, height]
        assert wide == pytest.approx(high, abs=2)
        inside, outside = int(top + high / 3), int(left + wide / 3)
        assert grey[inside, int(left) + 3] < grey[inside, int(left) - 3]
        assert grey[int(top) + 3, outside] < grey[int(top + high) + 4, outside]
    assert collect_pairs(table.drop(columns=["x_px", "y_px"]), images, PX_PER_UM)[0].centroid_px is None


def test_a_stage_that_was_not_found_has_no_row(table: pd.DataFrame, images: list[NDArray[np.uint8]]) -> None:
    pairs = [pair for pair in collect_pairs(table, images, PX_PER_UM) if pair.separation == "early"]
    assert len(pairs_sheet(pairs, PX_PER_UM, columns=3).axes) == 3
    assert "1 in early and no in late" in summarise_pairs(pairs)
