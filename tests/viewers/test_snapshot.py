"""Pictures of a view that are made in Python: what they show, and that they have the colours of the browser."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from nnbook.errors import InvalidValueError, NnbookError
from nnbook.viewers import palette, widgets
from nnbook.viewers.palette import COLOURS, STOPS, colour_index, colour_neighbours, grey_table, rgb
from nnbook.viewers.pyramid import write_pyramid
from nnbook.viewers.snapshot import scale_length
from nnbook.viewers.widgets import PanoramaViewer

if TYPE_CHECKING:
    from numpy.typing import NDArray

SOURCES = Path(__file__).parents[2] / "widgets"
HEIGHT, WIDTH = 600, 800


@pytest.fixture(autouse=True)
def _bundles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand in for the JavaScript: nothing of it is needed."""
    (tmp_path / "panorama.mjs").write_text("export default { render() {} }\n")
    monkeypatch.setattr(widgets, "BUNDLES", tmp_path)


@pytest.fixture(scope="module")
def image() -> NDArray[np.uint8]:
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    grey: NDArray[np.uint8] = (128 + 60 * np.sin(x / 40) + 60 * np.cos(y / 55)).astype(np.uint8)
    return grey


@pytest.fixture(scope="module")
def labels() -> NDArray[np.int32]:
    labels = np.zeros((HEIGHT, WIDTH), np.int32)
    for number, left in enumerate((0, 110, 500), start=5):
        labels[200:300, left : left + 100] = number
    return labels


def saved(viewer: PanoramaViewer, folder: Path, **size: Any) -> NDArray[np.int64]:
    viewer.save_png(folder / "view.png", **size)
    with Image.open(folder / "view.png") as picture:
        assert picture.mode == "RGB"
        shown: NDArray[np.uint8] = np.array(picture)
    wide: NDArray[np.int64] = shown.astype(np.int64)
    return wide


def test_colours_are_those_of_the_browser() -> None:
    text = (SOURCES / "panorama" / "palette.ts").read_text()
    assert tuple(re.findall(r"'(#[0-9a-f]{6})'", text)) == COLOURS
    text = (SOURCES / "shared" / "colourmaps.ts").read_text()
    found = dict(re.findall(r"^  (\w+):\s+'([0-9a-f ]+)'", text, re.MULTILINE))
    assert found == STOPS
    assert f"GAP = {palette.GAP};" in (SOURCES / "panorama" / "colouring.ts").read_text()
    # Numbers that palette.ts gives, as a run of it has them.
    assert [colour_index(label) for label in (1, 12, 13, 700, 65_536, 16_777_215)] == [1, 6, 7, 6, 0, 5]


def test_neighbours_differ(labels: NDArray[np.int32]) -> None:
    colours = colour_neighbours(np.where(labels == 6, 5 + 12 * 40, labels))
    assert len(set(colours.values())) > 1
    many = (1 + np.arange(40)[:, None] // 4 * 10 + np.arange(40) // 4).astype(np.int32)
    found = colour_neighbours(many)
    shown = np.vectorize(found.get)(many)
    assert (shown[:-4] != shown[4:]).all()
    assert (shown[:, :-4] != shown[:, 4:]).all()


def test_pixels_are_those_of_the_image(tmp_path: Path, image: NDArray[np.uint8]) -> None:
    viewer = PanoramaViewer(image)
    whole = saved(viewer, tmp_path, width=WIDTH)
    np.testing.assert_array_equal(whole, np.repeat(image[..., None], 3, 2))
    viewer.contrast, viewer.invert, viewer.colour, viewer.view = [40, 200, 0.5], True, "viridis", [100, 75, 200]
    part = saved(viewer, tmp_path, width=200)
    np.testing.assert_array_equal(part, grey_table([40, 200, 0.5], "viridis", invert=True)[image[:150, :200]])
    viewer.view = [0, 0, 200]
    beside = saved(viewer, tmp_path, width=800, height=800)
    assert beside[:400].max() == beside[:, :400].max() == 0, "nothing is shown where there is no panorama"
    squares = grey_table([40, 200, 0.5], "viridis", invert=True)[image[:100, :100]].repeat(4, 0).repeat(4, 1)
    np.testing.assert_array_equal(beside[400:, 400:], squares)


def test_masks_are_drawn_as_in_the_browser(tmp_path: Path, image: NDArray[np.uint8], labels: NDArray[np.int32]) -> None:
    viewer = PanoramaViewer(image, labels, opacity=1)
    colours = colour_neighbours(labels[::2, ::2])
    filled = saved(viewer, tmp_path, width=WIDTH)
    for label, x in ((5, 50), (6, 160), (7, 550)):
        assert tuple(filled[250, x]) == rgb(COLOURS[colours[label]])
    np.testing.assert_array_equal(filled[labels == 0], np.repeat(image[labels == 0][:, None], 3, 1))
    viewer.opacity = None
    half = saved(viewer, tmp_path, width=WIDTH)
    np.testing.assert_allclose(half[250, 50], (filled[250, 50] + image[250, 50]) / 2, atol=1.5)
    viewer.masks = "outline"
    outlined = saved(viewer, tmp_path, width=WIDTH)
    assert tuple(outlined[250, 98]) == rgb(COLOURS[colours[5]])
    assert (outlined[250, 10:90] == image[250, 10:90, None]).all()
    assert (outlined[250, :4] == image[250, :4, None]).all(), "an outline at the panorama's own border"
    viewer.masks, viewer.roi = "off", 7
    chosen = saved(viewer, tmp_path, width=WIDTH)
    assert tuple(chosen[250, 501]) == (255, 255, 255)
    assert chosen[250, 498].max() < image[250, 498] // 2
    assert (chosen[250, :400] == image[250, :400, None]).all()


def test_further_labels_are_outlined_where_they_are_shown(
    tmp_path: Path, image: NDArray[np.uint8], labels: NDArray[np.int32]
) -> None:
    viewer = PanoramaViewer(image)
    viewer.add_labels(labels, name="truth")
    viewer.add_labels(np.roll(labels, 100, 0), name="other", colour="#123456", shown=False)
    assert viewer.shown_labels == ["truth"]
    assert [one["name"] for one in viewer.label_images] == ["truth", "other"]
    picture = saved(viewer, tmp_path, width=WIDTH)
    assert tuple(picture[250, 501]) == rgb(widgets.OVERLAY_COLOURS[0])
    assert (picture[350, 501] == image[350, 501]).all()
    viewer.shown_labels = ["other", "never added"]
    picture = saved(viewer, tmp_path, width=WIDTH)
    assert (picture[250, 501] == image[250, 501]).all()
    assert tuple(picture[350, 501]) == rgb("#123456")
    viewer.add_labels(np.roll(labels, 200, 0), name="other")
    assert [one["name"] for one in viewer.label_images] == ["truth", "other"]
    assert (saved(viewer, tmp_path, width=WIDTH)[350, 501] == image[350, 501]).all()
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"labels": labels[1:], "name": "x"}, "x: the image has 800 x 600 px but its mask 800 x 599"),
        ({"labels": labels, "name": ""}, "name is ''"),
        ({"labels": labels, "name": "x", "colour": "red"}, "colour is 'red'; give one such as #ffcc00"),
        ({"labels": labels.astype(float), "name": "x"}, "the mask array holds float64"),
        ({"labels": tmp_path / "no.tif", "name": "x"}, r"no\.tif: no such file"),
    ]
    for arguments, told in wrong:
        with pytest.raises(NnbookError, match=told):
            viewer.add_labels(**arguments)
    assert [one["name"] for one in viewer.label_images] == ["truth", "other"]


def test_a_pyramid_is_drawn_as_the_arrays_it_was_made_of(
    tmp_path: Path, image: NDArray[np.uint8], labels: NDArray[np.int32]
) -> None:
    wide, nuclei = np.tile(image, (2, 2)), np.kron([[1, 2], [3, 4]], np.ones((HEIGHT, WIDTH), np.int32))
    nuclei = np.where(np.tile(labels, (2, 2)) > 0, np.tile(labels, (2, 2)) + 3 * nuclei, 0).astype(np.int32)
    write_pyramid(tmp_path / "P", wide, nuclei)
    for view, width in ((None, 200), ([800, 600, 400], 400), ([1500, 1100, 900], 300)):
        arrays, stored = (
            saved(PanoramaViewer(*what, px_per_um=8, view=view, roi=17), tmp_path, width=width)
            for what in ((wide, nuclei), (tmp_path / "P",))
        )
        assert arrays.shape == stored.shape
        differ = np.abs(arrays - stored).max(axis=2)
        assert np.median(differ) <= 2, "but for the loss of JPEG"
        assert (differ > 40).mean() < 0.02, "edges of the masks of a smaller level"
    tile = tmp_path / "P" / "labels_files" / "11" / "0_0.png"
    tile.write_bytes(tile.read_bytes()[:99])
    with pytest.raises(NnbookError, match=r"0_0\.png: can't be read; write it again"):
        PanoramaViewer(tmp_path / "P").save_png(tmp_path / "x.png")


@pytest.mark.parametrize(
    ("px_per_um", "most", "expected"),
    [(8, 160, (20, "20 µm")), (0.05, 160, (2000, "2 mm")), (400, 160, (0.2, "200 nm")), (1, 100, (100, "100 µm"))],
)
def test_the_scale_bar_has_a_round_length(px_per_um: float, most: float, expected: tuple[float, str]) -> None:
    assert scale_length(px_per_um, most) == expected


def test_the_scale_bar_is_as_long_as_it_says(tmp_path: Path) -> None:
    viewer = PanoramaViewer(np.full((400, 800), 90, np.uint8), px_per_um=8)
    bar = (saved(viewer, tmp_path, width=800) == 255).all(axis=2)
    assert bar[-17:].any(axis=0).sum() == pytest.approx(160, abs=1)
    viewer.view = [400, 200, 80]
    bar = (saved(viewer, tmp_path, width=800) == 255).all(axis=2)
    assert bar[-17:].any(axis=0).sum() == pytest.approx(160, abs=1), "2 um at 80 px a um"


@pytest.mark.parametrize(
    ("name", "value"), [("width", 0), ("width", 1e3), ("width", None), ("height", 20_001), ("height", True)]
)
def test_a_size_that_is_none_is_refused(tmp_path: Path, name: str, value: Any) -> None:
    with pytest.raises(InvalidValueError, match=f"^{name} is {value!r}; give 16 to 20000 px") as refused:
        PanoramaViewer(np.zeros((4, 5), np.uint8)).save_png(tmp_path / "x.png", **{name: value})
    assert refused.value.parameters == (name,)
    assert not (tmp_path / "x.png").exists()
