from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nnbook.figures.panoramas import NO_IMAGES, contact_sheet, opening_sheet, outlined
from nnbook.figures.readers import Opening, Panel

if TYPE_CHECKING:
    import pandas as pd


def panel(name: str = "Run1TL_top_left", px_per_um: float = 2.0) -> Panel:
    labels = np.zeros((100, 100), np.int32)
    labels[20:70, 20:70] = 1
    return Panel(name, labels * np.float32(100), labels, px_per_um)


def test_outlines_follow_the_mask() -> None:
    shown = panel()
    rgb = outlined(shown, white=200.0)
    vermilion = (rgb == [0xD5, 0x5E, 0x00]).all(axis=2)
    assert vermilion[20, 45]
    assert vermilion[45, 69]
    assert rgb[45, 45].tolist() == [127, 127, 127]
    assert not rgb[5, 5].any()


def test_contact_sheet_shows_each_panorama_with_its_rank(results: pd.DataFrame) -> None:
    names = results["image"].str.removesuffix(".tif").tolist()
    figure = contact_sheet([panel(name) for name in names])
    shown = [axes for axes in figure.axes if axes.images]
    assert [axes.get_title(loc="left") for axes in shown] == [f"{n}  {name}" for n, name in enumerate(names, start=1)]


def test_contact_sheet_scale_bar_is_as_long_as_it_says() -> None:
    axes = contact_sheet([panel(px_per_um=2.0)]).axes[0]
    (label,) = axes.texts
    bar: Any = axes.patches[1]
    assert label.get_text() == "10 µm"
    assert bar.get_width() == 20.0


def test_contact_sheet_of_dark_panoramas_is_dark() -> None:
    dark = panel()._replace(image=np.zeros((100, 100), np.float32))
    array: Any = contact_sheet([dark]).axes[0].images[0].get_array()
    assert array[0, 0].tolist() == [0, 0, 0]


def test_contact_sheet_without_images_says_so() -> None:
    (text,) = contact_sheet([]).texts
    assert text.get_text() == NO_IMAGES


def test_the_opening_frames_what_is_shown_beside_it() -> None:
    whole, close = opening_sheet(Opening(panel(px_per_um=0.2), panel(), (10.0, 20.0, 30.0, 30.0))).axes
    frame: Any = whole.patches[0]
    assert (*frame.get_xy(), frame.get_width(), frame.get_height()) == (10.0, 20.0, 30.0, 30.0)
    assert [text.get_text() for axes in (whole, close) for text in axes.texts] == ["100 µm", "10 µm"]
    (text,) = opening_sheet(None).texts
    assert text.get_text() == NO_IMAGES
