from __future__ import annotations

from io import BytesIO
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from nnbook.figures.style import LEVELS, SHEET_STYLE, Notice, no_figure, picture, with_palette

FIGURES = Path(__file__).parents[2] / "figures"


def plot(values: list[float]) -> Figure:
    figure = Figure(figsize=(6.0, 4.8))
    figure.subplots().plot(values)
    return figure


def test_notice_is_escaped() -> None:
    assert Notice("1 < 2")._repr_html_() == "<p><em>1 &lt; 2</em></p>"


def test_picture_is_written_and_shown_with_its_text(tmp_path: Path) -> None:
    path = tmp_path / "figures" / "plot.png"
    shown, metadata = picture(plot([1, 2, 4]), path, "A curve.")._repr_png_()
    assert shown == path.read_bytes()
    assert metadata == {"alt": "A curve.", "plot": True}
    with Image.open(BytesIO(shown)) as image:
        assert image.size == (1440, 1152)
        assert image.mode == "P"
    assert picture(plot([1, 2, 4]), path, "")._repr_png_()[0] == shown


def test_a_sheet_of_images_is_no_plot(tmp_path: Path) -> None:
    with mpl.rc_context(SHEET_STYLE):
        sheet = Figure(figsize=(1, 1))
    assert picture(sheet, tmp_path / "sheet.png", "Nuclei.")._repr_png_()[1] == {"alt": "Nuclei.", "plot": False}


def test_a_missing_figure_is_a_notice(tmp_path: Path) -> None:
    shown = no_figure(tmp_path / "none.png")
    assert shown.png == (tmp_path / "none.png").read_bytes()
    assert shown.alt == "A notice that there is no figure."


def test_every_grey_level_stays_within_5_and_black_and_white_as_they_are() -> None:
    greys = np.arange(256, dtype=np.uint8)[np.newaxis]
    kept = np.asarray(with_palette(Image.fromarray(greys)).convert("L")).astype(int)
    assert np.abs(kept - greys).max() <= 5
    assert (kept[0, 0], kept[0, -1]) == (0, 255)


@pytest.mark.parametrize("seed", range(3))
def test_pictures_that_are_nearly_equal_stay_so(seed: int) -> None:
    # The check of a build counts pixels that differ by more than 32; two steps of levels are less.
    random = np.random.default_rng(seed)
    grey = random.gamma(1.0, 30.0, (200, 200)).clip(0, 252).astype(np.uint8)
    rgb = np.repeat(grey[..., np.newaxis], 3, axis=2)
    rgb[50:54] = (0xD5, 0x5E, 0x00)
    rgb[54:56] = (0xDF, 0x80, 0x33)
    other = rgb + random.integers(0, 4, (*rgb.shape[:2], 1)).astype(np.uint8)
    first, second = (
        np.asarray(with_palette(Image.fromarray(each)).convert("RGB")).astype(int) for each in (rgb, other)
    )
    assert np.abs(first - second).max() <= 3 + np.diff(LEVELS.astype(int)).max()


def test_committed_pictures_are_small() -> None:
    pictures = sorted(FIGURES.glob("*.png"))
    assert sum(path.stat().st_size for path in pictures) < 2_000_000
    for path in pictures:
        with Image.open(path) as image:
            assert image.mode == "P", path.name
