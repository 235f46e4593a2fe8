from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from skimage.draw import ellipse

from nnbook.cell_figures import pairs_sheet, read_pairs, read_sisters, tell_pairs
from nnbook.images import write_image, write_mask
from nnbook.manifest import Panorama
from nnbook.measure import measure_panorama

PX_PER_UM = 8.0


def cell(apart_px: int, grey: int = 200) -> NDArray[np.uint8]:
    image = np.zeros((256, 256), dtype=np.uint8)
    image[ellipse(128, 128, 60, 110)] = 20
    for side in (-1, 1):
        image[ellipse(128, 128 + side * apart_px / 2, 40, 14)] = grey
    return image


@pytest.fixture
def images() -> list[NDArray[np.uint8]]:
    plain = np.zeros((256, 256), dtype=np.uint8)
    plain[ellipse(128, 128, 60, 70)] = 100
    return [plain, cell(60), cell(150, 120), plain, cell(160)]


@pytest.fixture
def table(images: list[NDArray[np.uint8]]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "cell": [f"Run1TL_top_left_ROI_{k}" for k in range(5)],
            "mean_intensity": [image[image > 0].mean() for image in images],
            "std_intensity": [image[image > 0].std() for image in images],
            "class": ["interphase", "anaphase", "interphase", None, "telophase"],
        }
    )


def test_pairs_are_named_and_the_clearest_come_first(table: pd.DataFrame, images: list[NDArray[np.uint8]]) -> None:
    pairs = read_pairs(table, images, PX_PER_UM)
    assert [(pair.name[-1], pair.stage, pair.true) for pair in pairs] == [
        ("1", "anaphase", "anaphase"),
        ("4", "telophase", "telophase"),
        ("2", "telophase", "interphase"),
    ]
    assert [pair.distance_um for pair in pairs] == pytest.approx([7.5, 20, 18.75], abs=0.05)
    assert "1 anaphases and 2 telophases" in tell_pairs(pairs)
    assert "2 of these 3" in tell_pairs(pairs)


def test_without_the_truth_nothing_is_confirmed(table: pd.DataFrame, images: list[NDArray[np.uint8]]) -> None:
    pairs = read_pairs(table.drop(columns="class"), images, PX_PER_UM)
    assert {pair.true for pair in pairs} == {None}
    assert "truth" not in tell_pairs(pairs)


def test_a_row_of_each_stage(table: pd.DataFrame, images: list[NDArray[np.uint8]]) -> None:
    figure = pairs_sheet(read_pairs(table, images, PX_PER_UM), PX_PER_UM, "Simulated", columns=3)
    shown = [[len(axes.images) for axes in figure.axes[:3]], [len(axes.images) for axes in figure.axes[3:]]]
    assert shown == [[1, 0, 0], [1, 1, 0]]
    assert figure.axes[0].get_title(loc="left") == "7.5 µm"


def test_a_stage_that_was_not_found_has_no_row(table: pd.DataFrame, images: list[NDArray[np.uint8]]) -> None:
    pairs = [pair for pair in read_pairs(table, images, PX_PER_UM) if pair.stage == "anaphase"]
    assert len(pairs_sheet(pairs, PX_PER_UM, columns=3).axes) == 3
    assert "1 anaphases and no telophases" in tell_pairs(pairs)


def test_sisters_are_framed_together(tmp_path: Path) -> None:
    image = np.full((400, 500), 30, dtype=np.uint8)
    labels = np.zeros(image.shape, dtype=np.int32)
    for label, x in ((1, 60), (2, 220), (3, 400)):
        labels[ellipse(50, x, 30, 14 if label < 3 else 60)] = label
    image[labels > 0] = 180
    write_image(tmp_path / "a.tif", image)
    write_mask(tmp_path / "masks" / "a_cp_masks.tif", labels)
    measure_panorama("a", image, labels, PX_PER_UM).to_parquet(tmp_path / "rois.parquet")
    panorama = Panorama("a", 1, "", "", "", "a.tif", "", 500, 400, PX_PER_UM, "", "")
    (sisters,) = read_sisters(tmp_path, [panorama])
    assert (sisters.stage, sisters.distance_um) == ("sisters", pytest.approx(20))
    assert sisters.image.shape == (256, 256)
    # Both whole, about the middle of the frame, and nothing else.
    inside = sisters.image > 0
    assert inside.sum() == ((labels == 1) | (labels == 2)).sum()
    assert np.argwhere(inside).mean(axis=0) == pytest.approx([128, 128], abs=1)
    assert read_sisters(tmp_path, []) == []
