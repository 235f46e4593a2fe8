"""The viewer of panoramas, used as a reader would, on a panorama of full size."""

from __future__ import annotations

import base64
import re
from contextlib import contextmanager
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pandas as pd
import pytest
from file_server import serving
from panorama_page import BUNDLE, MARKUP, Full, contrast_table, link, open_viewer, write_page
from playwright.sync_api import expect
from reader import PROJECT, Scheme, drag, held_back, pixels, rest
from scipy.ndimage import distance_transform_edt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from numpy.typing import NDArray
    from playwright.sync_api import Browser, Locator, Page

    Seen = Callable[..., AbstractContextManager[Locator]]

SETTLE_MS = 900
MAX_BUNDLE_BYTES = 500_000
POINTS = 400
PX_PER_UM = 8.0453
POINTS_A_VIEW = 40
AXE = PROJECT / "theme" / "node_modules" / "axe-core" / "axe.min.js"
STATE_KEPT = "() => new Promise((done) => setTimeout(done, 450))"  # longer than an address waits for rest


@pytest.fixture(scope="session")
def full(tmp_path_factory: pytest.TempPathFactory) -> Full:
    return write_page(tmp_path_factory.mktemp("viewer"))


@pytest.fixture(scope="session")
def here(full: Full) -> Iterator[str]:
    """Where the page with the viewer is served."""
    with serving(full.folder) as address:
        yield address


@pytest.fixture
def seen(browser: Browser, here: str) -> Seen:
    """Open a view, and hold that nothing goes wrong in it."""

    @contextmanager
    def opened(**state: object) -> Iterator[Locator]:
        for viewer, problems in open_viewer(browser, link(here, **state)):
            rest(viewer.page, SETTLE_MS)
            yield viewer
            assert problems == []

    return opened


def area(viewer: Locator) -> NDArray[np.uint8]:
    """Take a picture of the panorama, once movement has come to rest."""
    rest(viewer.page, SETTLE_MS)
    return pixels(viewer.locator(".nn-area").screenshot())


def middle(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the part of a picture that no control covers."""
    return picture[100:-100, 100:-150]


def changed_share(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> float:
    return float((np.abs(before.astype(int) - after).max(axis=2) > 12).mean())


def at_full_resolution(viewer: Locator) -> int:
    """Return the width of the stage, at which a pixel of the screen is one of the image."""
    return int(viewer.locator(".nn-area").evaluate("area => area.clientWidth"))


def go_to(page: Page, **state: object) -> None:
    """Change the address as Back would."""
    query = urlsplit(link("http://x", **state)).query
    page.evaluate("q => { history.pushState(null, '', '?' + q); dispatchEvent(new Event('popstate')); }", query)


def middle_nucleus(full: Full) -> pd.Series:
    """Return the nucleus in the middle of the panorama: one that the edge does not cut, so that it has a cell image."""
    rois = full.rois
    side = full.labels.shape[0]
    return rois.iloc[np.hypot(rois["x_px"] - side / 2, rois["y_px"] - side / 2).argmin()]


def crowded(full: Full) -> tuple[int, int]:
    """Return the middle of a nucleus in the middle of the panorama."""
    nucleus = middle_nucleus(full)
    return int(nucleus["x_px"]), int(nucleus["y_px"])


# Beyond the list


def test_a_panorama_beyond_the_list_is_found_compared_measured_and_saved(seen: Seen, full: Full) -> None:
    with seen() as viewer:
        page, facts = viewer.page, viewer.locator(".nn-facts strong")
        field = viewer.get_by_role("combobox", name="Go to a panorama")
        field.fill("judg")
        expect(viewer.get_by_role("option", name="Judged")).to_be_visible()
        field.press("Enter")
        expect(facts).to_have_text("Judged")
        viewer.and_(page.locator("[data-masks=drawn]")).wait_for()
        field.fill("roi 2")
        field.press("Enter")
        expect(viewer.get_by_role("heading", name="ROI 2")).to_be_visible()
        nucleus = full.judged.set_index("roi").loc[2]
        viewer.get_by_label("Coloured by").select_option("area_um2")
        expect(viewer.locator(".nn-legend")).to_contain_text("Area (µm²)")
        expect(viewer.locator(".nn-card dl")).to_contain_text(f"{float(f'{nucleus.area_um2:.3g}'):g} µm²")
        viewer.get_by_role("checkbox", name="Truth", exact=True).check()
        viewer.locator(".nn-stage[data-truth=drawn]").wait_for()
        expect(viewer.get_by_role("button", name="missed 1")).to_be_enabled()
        expect(viewer.get_by_role("button", name="merged 0")).to_be_disabled()
        viewer.get_by_role("checkbox", name="Swipe").check()
        divider = viewer.get_by_role("slider", name="Where masks and truth meet")
        divider.press("ArrowRight")
        expect(divider).to_have_attribute("aria-valuenow", "52")
        page.wait_for_url(re.compile(r"column=area_um2.*truth=1.*swipe=0.52"))
        viewer.get_by_role("checkbox", name="Swipe").uncheck()
        check_ruler(viewer)
        check_saved(viewer, full)


def test_the_list_of_all_comes_after_the_first_image_or_as_soon_as_one_of_it_is_wanted(
    browser: Browser, here: str
) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url.rsplit("/", 1)[1]))
        release = held_back(page, "**/intensity_files/**")
        with page.expect_request("**/intensity_files/**"):
            page.goto(link(here))
        rest(page, 500)
        assert "panoramas.json" not in asked
        with page.expect_request("**/panoramas.json"):
            release()

        held_back(page, "**/intensity_files/**")
        with page.expect_request("**/panoramas.json"):
            page.goto(link(here, panorama="Judged"))


def check_ruler(viewer: Locator) -> None:
    """Measure by keyboard and by mouse, and put the ruler away."""
    viewer.get_by_role("application").focus()
    viewer.page.keyboard.press("r")
    label, button = viewer.locator(".nn-ruler-label"), viewer.get_by_role("button", name="Ruler")
    expect(label).to_be_visible()
    first = label.inner_text()
    viewer.page.keyboard.press("Shift+ArrowLeft")
    expect(label).not_to_have_text(first)
    box = viewer.locator(".nn-area").bounding_box()
    assert box is not None
    viewer.page.wait_for_url(re.compile(r"[?&]view="))  # an address waits until the view is at rest
    shown = parse_qs(urlsplit(viewer.page.url).query)["view"]
    readout, middle_of_area = viewer.locator(".nn-readout"), (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    drag(viewer.page, (box["x"] + 120, box["y"] + 120), middle_of_area)
    expect(label).not_to_have_text(first)
    rest(viewer.page, SETTLE_MS)
    assert readout.is_hidden(), "the line ends on a nucleus, whose tooltip would hide it"
    viewer.page.mouse.move(middle_of_area[0] + 50, middle_of_area[1])
    expect(readout).to_be_visible()
    first = label.inner_text()
    drag(viewer.page, (box["x"] + 200, box["y"] + 200), (box["x"] + 260, box["y"] + 280))
    expect(label).not_to_have_text(first)
    scale = float(shown[0].split(",")[2]) / box["width"]
    expect(label).to_have_text(re.compile(r"^[\d.]+ µm \(([\d.]+) px\)$"))
    found = re.search(r"\(([\d.]+) px", label.inner_text())
    assert found is not None
    assert float(found[1]) == pytest.approx(100 * scale, rel=0.03), (
        "a drag draws another line, and does not move the image"
    )
    viewer.page.keyboard.press("Escape")
    expect(label).to_be_hidden()
    expect(button).to_have_attribute("aria-pressed", "false")


def check_saved(viewer: Locator, full: Full) -> None:
    """Save the table of the nuclei in view, and a picture of the whole panorama at full size."""
    viewer.get_by_role("button", name="Show the whole panorama").click()
    viewer.locator(".nn-stage.nn-whole").wait_for()
    rest(viewer.page, SETTLE_MS)
    viewer.get_by_role("button", name="Export").click()
    with viewer.page.expect_download() as downloading:
        viewer.get_by_role("button", name="Save the nuclei in view as CSV").click()
    table = pd.read_csv(downloading.value.path())
    assert table["roi"].tolist() == full.judged["roi"].tolist()
    assert table["x_um"].to_numpy() == pytest.approx(full.judged["x_px"].to_numpy() / PX_PER_UM, abs=0.01)
    viewer.get_by_role("checkbox", name="Truth", exact=True).uncheck()
    viewer.get_by_role("radio", name="Off").check()
    for _ in range(2):
        viewer.get_by_role("button", name="Zoom in").click()
    rest(viewer.page, SETTLE_MS)
    with viewer.page.expect_download() as downloading:
        viewer.get_by_role("button", name="Save PNG").click()
    view = pixels(downloading.value.path().read_bytes())
    area_px = viewer.locator(".nn-area").evaluate("area => area.clientWidth")
    assert view.shape[1] >= area_px, "this view, with no fewer pixels than the screen shows"
    assert (view[:300:3, ::3] == view[2:300:3, 2::3]).all(), "a pixel of the image is a square of 3 by 3"
    viewer.get_by_label("Picture of").select_option(label="the whole panorama, 600 × 600 px")
    with viewer.page.expect_download() as downloading:
        viewer.get_by_role("button", name="Save PNG").click()
    saved = pixels(downloading.value.path().read_bytes())
    assert saved.shape[1] == 600
    assert saved.shape[0] > 640
    off = np.abs(saved[:500, :600, 0].astype(int) - full.small[:500])
    assert off.mean() < 2, "the image itself, but for JPEG"


def test_no_tool_covers_the_image_and_a_narrow_one_is_no_higher_than_it_is(seen: Seen) -> None:
    with seen() as viewer:
        for width in (1280, 390):
            viewer.page.set_viewport_size({"width": width, "height": 900})
            viewer.page.wait_for_function("w => innerWidth === w", arg=width)
            rest(viewer.page, SETTLE_MS)
            stage = viewer.locator(".nn-stage").bounding_box()
            assert stage is not None
            boxes = [
                one.bounding_box() for one in viewer.locator("button:visible, input:visible, select:visible").all()
            ]
            assert len(boxes) > 8
            for box in filter(None, boxes):
                beside = box["x"] >= stage["x"] + stage["width"] or box["x"] + box["width"] <= stage["x"]
                assert beside or box["y"] >= stage["y"] + stage["height"] or box["y"] + box["height"] <= stage["y"]
        assert stage is not None
        assert stage["height"] == pytest.approx(stage["width"], abs=1), "the panorama is a square"
        tools = [one.bounding_box() for one in viewer.locator(".nn-tools button").all()]
        tops = {round(box["y"]) for box in tools if box is not None}
        assert len(tops) == 1, "one row of tools"


# Controls


def test_contrast_is_exact_to_a_grey_level(seen: Seen, full: Full) -> None:
    x, y = crowded(full)
    with seen(masks="off", view=f"{x},{y},1200") as viewer:
        go_to(viewer.page, masks="off", view=f"{x},{y},{at_full_resolution(viewer)}")
        viewer.get_by_role("button", name="Contrast").click()
        grey = middle(area(viewer))
        assert (grey[..., 0] == grey[..., 1]).all()
        assert (grey[..., 0] == grey[..., 2]).all()
        assert np.ptp(grey) > 100
        group = viewer.get_by_role("group", name="Contrast")
        group.get_by_role("slider", name="Black").fill("12")
        group.get_by_role("slider", name="White").fill("170")
        check_shown(viewer, grey, contrast_table(12, 170))
        group.get_by_role("slider", name="Gamma").fill("-25")
        check_shown(viewer, grey, contrast_table(12, 170, 0.67))
        group.get_by_role("checkbox", name="Invert").check()
        check_shown(viewer, grey, contrast_table(12, 170, 0.67, inverted=True))
        group.get_by_role("button", name="Reset").click()
        check_shown(viewer, grey, np.arange(256))
        group.get_by_role("button", name="Auto").click()
        stretched = middle(area(viewer))
        assert np.ptp(stretched) >= np.ptp(grey)


def check_shown(viewer: Locator, grey: NDArray[np.uint8], table: NDArray[Any]) -> None:
    shown = middle(area(viewer)).astype(int)
    assert np.abs(shown - table[grey].astype(int)).max() <= 1


def test_false_colours_grow_lighter_with_the_grey_level(seen: Seen, full: Full) -> None:
    x, y = crowded(full)
    for colour in ("cividis", "viridis", "inferno"):
        with seen(masks="off", view=f"{x},{y},900", colour=colour) as viewer:
            viewer.get_by_role("button", name="Contrast").click()
            shown = middle(area(viewer)).reshape(-1, 3).astype(int)
            viewer.get_by_label("Colours").select_option("grey")
            grey = middle(area(viewer))[..., 0].reshape(-1)
            assert (np.ptp(shown, axis=1) > 40).mean() > 0.03, "hardly coloured"
            lightness = shown @ [0.2126, 0.7152, 0.0722]
            by_grey = [lightness[grey == level].mean() for level in range(0, 250, 10) if (grey == level).sum() > 20]
            assert len(by_grey) > 8
            assert all(dark < light for dark, light in pairwise(by_grey)), colour


def test_masks_are_filled_outlined_or_off_as_strongly_as_asked(seen: Seen, full: Full) -> None:
    x, y = crowded(full)
    with seen(view=f"{x},{y},2000") as viewer:
        filled = area(viewer)
        assert viewer.get_attribute("data-masks") == "drawn"
        viewer.get_by_label("Opacity").fill("20")
        faint = area(viewer)
        viewer.get_by_role("radio", name="Off").check()
        bare = area(viewer)
        assert viewer.get_attribute("data-masks") == "off"
        viewer.get_by_role("radio", name="Outlined").check()
        outlined = area(viewer)
        chroma = [float(np.ptp(middle(picture), axis=2).mean()) for picture in (bare, faint, filled)]
        assert chroma[0] < 0.5, "without masks the picture is grey"
        assert chroma[0] < chroma[1] < chroma[2]
        assert 0 < changed_share(bare, outlined) < changed_share(bare, filled)


def test_zooming_in_shows_more_detail_and_moves_the_scale_bar(seen: Seen) -> None:
    with seen() as viewer:

        def bar() -> tuple[float, str]:
            drawn = viewer.locator(".nn-scale-bar").bounding_box()
            assert drawn is not None
            return drawn["width"], viewer.locator(".nn-scale-text").inner_text()

        before, scale_before = area(viewer), bar()
        for _ in range(3):
            viewer.get_by_role("button", name="Zoom in").click()
        after, scale_after = area(viewer), bar()
        assert changed_share(before, after) > 0.05
        assert _per_um(*scale_after) == pytest.approx(_per_um(*scale_before) * 1.6**3, rel=0.02)
        viewer.get_by_role("button", name="Show the whole panorama").click()
        area(viewer)
        assert bar() == scale_before


def test_the_view_is_saved_as_a_picture(seen: Seen, full: Full) -> None:
    x, y = crowded(full)
    with seen(view=f"{x},{y},1500", contrast="10,150,1", colour="viridis") as viewer:
        shown = area(viewer)
        with viewer.page.expect_download() as downloading:
            viewer.get_by_role("button", name="Save this view").click()
        assert downloading.value.suggested_filename == f"Full_{x}_{y}_1500.png"
        saved = pixels(downloading.value.path().read_bytes())
        height, width, _ = shown.shape
        assert saved.shape[1] == width
        assert saved.shape[0] > height + 40
        assert np.abs(middle(saved[:height]).astype(int) - middle(shown)).mean() < 2
        strip = saved[height:]
        assert (strip == 255).all(axis=2).mean() > 0.7
        assert (strip < 60).all(axis=2).sum() > 300, "no text under the picture"
        assert (saved[height - 18 : height - 12, 20:60] == 255).all(axis=2).any(), "no scale bar"


# Nuclei


def test_hits_agree_with_the_mask_at_many_points(seen: Seen, full: Full) -> None:
    """Half of the points are anywhere, half at most 30 px from a nucleus's middle, where masks end and touch."""
    rng = np.random.default_rng(4)
    side = full.labels.shape[0]
    checked = 0
    with seen(view="6000,6000,1000") as viewer:
        page = viewer.page
        width = at_full_resolution(viewer)
        box = viewer.locator(".nn-area").bounding_box()
        assert box is not None
        height = box["height"]
        for _ in range(POINTS // POINTS_A_VIEW):
            x, y = (int(v) for v in rng.integers(width, side - width, 2))
            go_to(page, view=f"{x},{y},{width}")
            rest(page, SETTLE_MS)
            page.wait_for_function(LOADED)
            page.mouse.move(box["x"] + width / 2 + 0.25, box["y"] + height / 2 + 0.25)
            page.wait_for_function(POINTS_AT, arg=[x, y])
            places = rng.integers([110, 60], [width - 150, int(height) - 110], (POINTS_A_VIEW, 2))
            near = full.rois[
                (np.abs(full.rois["x_px"] - x) < width / 2 - 200) & (np.abs(full.rois["y_px"] - y) < height / 2 - 200)
            ]
            if len(near):
                chosen = near.iloc[rng.integers(0, len(near), POINTS_A_VIEW // 2)]
                corner = np.array([x - width / 2, y - height / 2])
                places[: POINTS_A_VIEW // 2] = (
                    chosen[["x_px", "y_px"]].to_numpy() - corner + rng.integers(-90, 91, (POINTS_A_VIEW // 2, 2))
                ).astype(int)
            for across, down in places:
                page.mouse.move(box["x"] + across + 0.25, box["y"] + down + 0.25)
                text, name = viewer.evaluate(READOUT)
                column, row = (int(v.replace(",", "")) for v in re.findall(r"[\d,]+", text)[:2])
                assert abs(column - (x - width / 2 + across)) <= 1.5
                assert abs(row - (y - height / 2 + down)) <= 1.5
                assert roi_in(name) == full.labels[row, column], (column, row)
                checked += 1
    assert checked == POINTS


POINTS_AT = """([x, y]) => {
    const text = document.getElementById('host').shadowRoot.querySelector('.nn-position').textContent;
    const [column, row] = text.match(/[\\d,]+/g).map((number) => Number(number.replace(',', '')));
    return Math.abs(column - x) <= 1.5 && Math.abs(row - y) <= 1.5;
}"""
LOADED = "() => document.getElementById('host').shadowRoot.querySelector('.nn-panorama').dataset.masks === 'drawn'"


# The position under the pointer, and the name beside it, both at once.
READOUT = """(viewer) => {
    const [position, readout, name] = ['position', 'readout', 'readout-name'].map(
        (part) => viewer.querySelector(`.nn-${part}`));
    return [position.innerText, readout.checkVisibility({ visibilityProperty: true }) ? name.innerText : ''];
}"""


def shown_roi(viewer: Locator) -> int:
    """Read the number beside the pointer; 0 where there is none."""
    return roi_in(viewer.evaluate(READOUT)[1])


def roi_in(name: str) -> int:
    return int(name.split()[1]) if name else 0


def test_in_the_overview_hits_agree_to_half_a_pixel_of_the_screen(seen: Seen, full: Full) -> None:
    rng = np.random.default_rng(5)
    side = full.labels.shape[0]
    with seen() as viewer:
        box = viewer.locator(".nn-area").bounding_box()
        assert box is not None
        scale = min(box["width"], box["height"]) / side
        left, top = box["x"] + (box["width"] - side * scale) / 2, box["y"] + (box["height"] - side * scale) / 2
        reach = int(0.5 / scale) + 17  # and half a pixel of the level shown
        hits = 0
        picked = full.rois.iloc[rng.integers(0, len(full.rois), 60)]
        for x_px, y_px, roi in picked[["x_px", "y_px", "roi"]].itertuples(index=False, name=None):
            viewer.page.mouse.move(left + x_px * scale, top + y_px * scale)
            x, y = int(x_px), int(y_px)
            around = full.labels[max(0, y - reach) : y + reach + 1, max(0, x - reach) : x + reach + 1]
            assert shown_roi(viewer) in np.unique(around)
            hits += shown_roi(viewer) == roi
        assert hits > 50


def test_the_grey_level_under_the_pointer_is_that_of_the_image_whatever_the_contrast(seen: Seen, full: Full) -> None:
    x, y = crowded(full)
    with seen(view=f"{x},{y},400", contrast="0,30,1", invert="1") as viewer:
        box = viewer.locator(".nn-area").bounding_box()
        assert box is not None
        off = []
        for dx in range(-60, 61, 12):
            viewer.page.mouse.move(box["x"] + box["width"] / 2 + dx, box["y"] + box["height"] / 2 + 3)
            text = viewer.locator(".nn-position").inner_text()
            assert "≈" not in text, "at full resolution it is that of the pixel"
            found = re.fullmatch(r"x ([\d,]+)  y ([\d,]+) px · ([\d.]+), ([\d.]+) µm · grey (\d+)", text)
            assert found is not None, text
            column, row, grey = (int(found[group].replace(",", "")) for group in (1, 2, 5))
            assert [float(found[3]), float(found[4])] == pytest.approx([column / PX_PER_UM, row / PX_PER_UM], abs=0.06)
            off.append(abs(grey - int(full.image[row, column])))
        assert np.median(off) <= 4, "JPEG is off by a few grey levels"
        assert max(off) < 40


def test_a_chosen_nucleus_shows_its_cell_image_and_measurements(seen: Seen, full: Full) -> None:
    x, y = crowded(full)
    roi = middle_nucleus(full)
    with seen(view=f"{x},{y},1000") as viewer:
        box = viewer.locator(".nn-area").bounding_box()
        assert box is not None
        before = area(viewer)
        viewer.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        card = viewer.get_by_role("region", name="Chosen nucleus")
        card.get_by_role("img").wait_for()
        text = card.inner_text()
        assert f"ROI {roi['roi']:.0f}" in text
        assert f"{roi['area_um2']:.3g} µm²" in text
        assert f"{roi['mean_intensity']:.3g}" in text
        assert f"{roi['std_intensity']:.3g}" in text
        assert str(roi["class"]) in text
        assert parse_qs(urlsplit(viewer.page.url).query)["roi"] == [f"{roi['roi']:.0f}"]
        assert changed_share(before, area(viewer)) > 0.001, "it is not marked"
        cell = np.array(
            card.get_by_role("img").evaluate(
                "c => [...c.getContext('2d').getImageData(0, 0, 256, 256).data].filter((_, at) => at % 4 === 0)"
            )
        ).reshape(256, 256)
        left, top = round(float(roi["x_px"])) - 128, round(float(roi["y_px"])) - 128
        mask = full.labels[top : top + 256, left : left + 256] == roi["roi"]
        image = full.image[top : top + 256, left : left + 256]
        assert (cell[~mask] == 0).all()
        assert np.abs(cell[mask].astype(int) - image[mask]).mean() < 5


PAINTED = """() => {
    const put = CanvasRenderingContext2D.prototype.putImageData;
    window.painted = 0;
    CanvasRenderingContext2D.prototype.putImageData = function (data, ...at) {
        window.painted += at.length > 2 ? at[4] * at[5] : data.width * data.height;
        return put.call(this, data, ...at);
    };
}"""


def test_what_is_pointed_at_is_painted_and_not_all_masks(seen: Seen, full: Full) -> None:
    """A drag over 20,000 coloured nuclei has a frame's time for it; the picture is that of masks painted as a whole."""
    x, y = crowded(full)
    side = full.labels.shape[0]
    with seen(view=f"{side / 2},{side / 2},{2 * side}", roi=int(full.labels[y, x])) as viewer:
        page, overlay = viewer.page, viewer.locator(".nn-overlay")
        rest(page, SETTLE_MS)
        box = viewer.locator(".nn-area").bounding_box()
        assert box is not None
        scale = box["width"] / (2 * side)
        nuclei = full.rois[["x_px", "y_px"]].to_numpy()[:25]
        inside = (nuclei - side / 2) * scale + (box["width"] / 2, box["height"] / 2)

        def point(place: NDArray[np.float64]) -> str:
            page.mouse.move(box["x"] + place[0], box["y"] + place[1])
            return viewer.locator(".nn-readout-name").inner_text()

        page.evaluate(PAINTED)
        assert len({point(place) for place in inside} - {""}) > 5
        sheet = overlay.evaluate("({ width, height }) => width * height")
        assert 0 < page.evaluate("painted") < 2 * sheet
        rest(page, SETTLE_MS)
        in_parts = overlay.evaluate("canvas => canvas.toDataURL()")
        for style in ("Outlined", "Filled"):
            viewer.get_by_role("radio", name=style).check(force=True)
        point(inside[-1])
        rest(page, SETTLE_MS)
        assert overlay.evaluate("canvas => canvas.toDataURL()") == in_parts


def test_next_and_previous_go_through_the_nuclei_and_come_into_view(seen: Seen, full: Full) -> None:
    first, second = int(full.rois["roi"].iloc[100]), int(full.rois["roi"].iloc[101])
    with seen(panorama="Full", roi=first) as viewer:
        name = viewer.locator(".nn-card-name")
        assert name.inner_text() == f"ROI {first}"
        viewer.get_by_role("button", name="Next nucleus").click()
        nucleus = full.rois.iloc[101]
        # The address follows the camera when it rests, the nucleus at once: on a busy machine
        # the nucleus is there first, beside the view of before.
        viewer.page.wait_for_function(
            """([roi, x, y]) => {
                const query = new URLSearchParams(location.search);
                const view = (query.get("view") ?? "").split(",").map(Number);
                const near = (at, from) => Math.abs(at - from) < view[2] / 2;
                return query.get("roi") === String(roi) && near(x, view[0]) && near(y, view[1]);
            }""",
            arg=[second, float(nucleus["x_px"]), float(nucleus["y_px"])],
        )
        assert name.inner_text() == f"ROI {second}"
        width = float(parse_qs(urlsplit(viewer.page.url).query)["view"][0].split(",")[2])
        viewer.get_by_role("button", name="Previous nucleus").click()
        viewer.get_by_role("button", name="Zoom to it").click()
        viewer.page.wait_for_function(
            """([roi, width]) => {
                const query = new URLSearchParams(location.search);
                return query.get("roi") === String(roi) && Number(query.get("view").split(",")[2]) < width;
            }""",
            arg=[first, width],
        )
        assert name.inner_text() == f"ROI {first}"


def test_neighbours_have_different_colours(seen: Seen, full: Full) -> None:
    small = full.labels[::8, ::8]
    neighbours: set[tuple[int, int]] = set()
    for dy, dx in [(0, 3), (3, 0), (3, 3), (3, -3), (0, 1), (1, 0)]:
        a = small[: small.shape[0] - dy, max(0, -dx) : small.shape[1] - max(0, dx)]
        b = small[dy:, max(0, dx) : small.shape[1] + min(0, dx)]
        meet = (a != b) & (a > 0) & (b > 0)
        neighbours |= {(min(p), max(p)) for p in zip(a[meet].tolist(), b[meet].tolist(), strict=True)}
    assert len(neighbours) > 30
    with seen(opacity=1) as viewer:
        png = viewer.locator(".nn-overlay").evaluate("canvas => canvas.toDataURL('image/png').split(',')[1]")
    drawn = pixels(base64.b64decode(png))
    box, side = drawn.shape[:2], full.labels.shape[0]
    scale = min(box) / side
    top, left = ((length - side * scale) / 2 for length in box)
    # The place deepest inside of a mask, at the resolution of an eighth.
    depth = distance_transform_edt(small > 0)
    colour = {}
    sides = ["top_px", "left_px", "height_px", "width_px"]
    boxes = dict(zip(full.rois["roi"].tolist(), full.rois[sides].to_numpy(int).tolist(), strict=True))
    for roi in {roi for pair in neighbours for roi in pair}:
        top_px, left_px, height_px, width_px = boxes[roi]
        y0, x0 = top_px // 8, left_px // 8
        part = small[y0 : y0 + height_px // 8 + 2, x0 : x0 + width_px // 8 + 2] == roi
        inside = np.where(part, depth[y0 : y0 + part.shape[0], x0 : x0 + part.shape[1]], 0)
        if inside.max() < 5:
            continue
        y, x = np.unravel_index(inside.argmax(), inside.shape)
        place = int(top + (y0 + y) * 8 * scale), int(left + (x0 + x) * 8 * scale)
        colour[roi] = tuple(drawn[place])
    judged = [pair for pair in neighbours if pair[0] in colour and pair[1] in colour]
    assert len(judged) > 20
    assert [pair for pair in judged if _near(colour[pair[0]], colour[pair[1]])] == []


def _near(a: tuple[int, ...], b: tuple[int, ...]) -> bool:
    return max(abs(int(p) - int(q)) for p, q in zip(a, b, strict=True)) < 12


# The address


def test_a_link_shows_the_same_picture_in_another_browser(seen: Seen, full: Full) -> None:
    x, y = crowded(full)
    with seen(view=f"{x},{y},1600") as viewer:
        viewer.get_by_role("button", name="Contrast").click()
        group = viewer.get_by_role("group", name="Contrast")
        group.get_by_role("slider", name="White").fill("150")
        group.get_by_role("checkbox", name="Invert").check()
        group.get_by_label("Colours").select_option("inferno")
        viewer.get_by_role("radio", name="Outlined").check()
        viewer.get_by_label("Opacity").fill("70")
        box = viewer.locator(".nn-area").bounding_box()
        assert box is not None
        viewer.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        viewer.page.mouse.move(0, 0)
        viewer.get_by_role("button", name="Contrast").click()
        viewer.get_by_role("region", name="Chosen nucleus").get_by_role("img").wait_for()
        shown = area(viewer)
        viewer.page.evaluate(STATE_KEPT)
        copied = viewer.page.url
    query = parse_qs(urlsplit(copied).query)
    assert set(query) == {"panorama", "roi", "view", "contrast", "invert", "colour", "masks", "opacity"}
    with seen(**{name: value[0] for name, value in query.items()}) as viewer:
        assert changed_share(middle(shown), middle(area(viewer))) < 0.001
        assert viewer.locator(".nn-card").is_visible()


def test_back_and_forward_step_through_what_was_chosen(seen: Seen, full: Full) -> None:
    x, y = crowded(full)
    with seen(view=f"{x},{y},1000") as viewer:
        page = viewer.page
        box = viewer.locator(".nn-area").bounding_box()
        assert box is not None
        page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        card = viewer.get_by_role("region", name="Chosen nucleus")
        card.wait_for()
        card.get_by_role("button", name="Close").click()
        viewer.get_by_role("button", name="Bare").click()
        rest(page, SETTLE_MS)
        assert "Bare" in page.url
        assert "view" not in parse_qs(urlsplit(page.url).query)
        page.go_back()
        rest(page, SETTLE_MS)
        assert viewer.locator("[aria-current]").inner_text() == "Full"
        assert parse_qs(urlsplit(page.url).query)["view"] == [f"{x},{y},1000"]
        page.go_back()
        rest(page, SETTLE_MS)
        assert not card.is_visible()
        page.go_forward()
        page.go_forward()
        rest(page, SETTLE_MS)
        assert viewer.locator("[aria-current]").inner_text() == "Bare"


def test_nonsense_in_an_address_is_ignored_and_named(seen: Seen) -> None:
    with seen(
        panorama=MARKUP + "no", view="1,2", contrast="9,1,1", masks="x", opacity="much", colour="toString"
    ) as viewer:
        assert viewer.get_attribute("data-state") == "ready"
        assert viewer.locator("[aria-current]").inner_text() == "Full"
        assert f"“{MARKUP}no” cannot be shown here" in viewer.locator(".nn-remark").inner_text()
        assert viewer.page.title() == "Panoramas"
    with seen(panorama="Full", roi=999999) as viewer:
        assert "no nucleus with the number 999999" in viewer.locator(".nn-card").inner_text()


def test_other_views_of_the_page_learn_what_it_can_show(seen: Seen) -> None:
    ask = """(name) => {
        let answers = 0;
        const answer = (element) => { answers += element.isConnected; };
        dispatchEvent(new CustomEvent('nnbook:who-shows', { detail: { panorama: name, answer } }));
        return answers;
    }"""
    with seen() as viewer:
        answers = [viewer.page.evaluate(ask, name) for name in ("Full", "Bare", "Reduced", "None")]
        assert answers == [1, 1, 1, 0]
        go_to(viewer.page, panorama="Bare", view="6000,6000,900")
        viewer.page.evaluate("close_viewer()")
        assert viewer.page.evaluate(ask, "Full") == 0


# For everyone


def test_everything_works_by_keyboard(seen: Seen, full: Full) -> None:
    with seen() as viewer:
        page = viewer.page
        focused = "() => document.activeElement.shadowRoot?.activeElement?.getAttribute('role')"
        reached = []
        for _ in range(12):
            page.keyboard.press("Tab")
            reached.append(page.evaluate(focused))
            if reached[-1] == "application":
                break
        assert reached[-1] == "application", reached
        assert viewer.locator(".nn-cross").is_visible()
        whole = area(viewer)
        for _ in range(4):
            page.keyboard.press("+")
        page.keyboard.press("ArrowRight")
        assert changed_share(whole, area(viewer)) > 0.03
        status = viewer.locator(".nn-stage [role=status].nn-hidden")
        assert re.match(r"Middle at [\d,]+, [\d,]+ px; .+ in view\.", status.inner_text())
        page.keyboard.press("n")
        rest(page, 2 * SETTLE_MS)
        card = viewer.locator(".nn-card")
        first = int(full.rois["roi"].min())
        assert card.locator(".nn-card-name").inner_text() == f"ROI {first}"
        assert f"ROI {first}" in status.inner_text()
        page.keyboard.press("n")
        page.keyboard.press("p")
        rest(page, SETTLE_MS)
        assert card.locator(".nn-card-name").inner_text() == f"ROI {first}"
        page.keyboard.press("Escape")
        assert not card.is_visible()
        page.keyboard.press("Enter")
        card.wait_for()
        # From the image, Tab goes on to the card.
        for _ in range(8):
            page.keyboard.press("Tab")
            if page.evaluate("() => document.activeElement.shadowRoot?.activeElement?.closest('.nn-card') !== null"):
                break
        page.keyboard.press("Escape")
        assert not card.is_visible()
        assert page.evaluate(focused) == "application"


def test_focus_that_returns_to_the_image_is_seen_and_choices_are_announced(seen: Seen, full: Full) -> None:
    """One page for all: what has the focus after a key is marked, alone; what a key has chosen or let go is said."""
    with seen() as viewer:
        press, roi = viewer.page.keyboard.press, int(full.rois["roi"].iloc[3])
        stage, image = viewer.locator(".nn-stage"), viewer.get_by_role("application")
        status = stage.locator("> [role=status].nn-hidden")
        marked = re.compile("nn-by-keyboard")
        field = viewer.get_by_role("combobox", name="Go to a panorama")
        field.fill(str(roi))
        field.press("Enter")
        expect(image).to_be_focused()
        expect(stage).to_have_class(marked)
        expect(status).to_contain_text(f"Panorama Full. ROI {roi} chosen, ")

        press("Escape")
        expect(status).to_contain_text(f"ROI {roi} let go. Middle at ")
        press("n")
        following = int(full.rois["roi"].iloc[4])
        expect(status).to_contain_text(f"ROI {following} chosen, ")  # from the nucleus at the middle on
        expect(status).to_contain_text("Middle at ")

        for _ in range(4):
            press("Tab")
        close = viewer.get_by_role("button", name="Close")
        expect(stage).not_to_have_class(marked)
        close.press("Enter")
        expect(image).to_be_focused()
        expect(stage).to_have_class(marked)
        expect(status).to_contain_text(f"ROI {following} let go.")

        press("r")
        end = viewer.get_by_role("button", name="First end of the ruler")
        expect(end).to_be_focused()
        press("ArrowUp")
        press("Tab")
        expect(end).not_to_be_focused()
        expect(stage).not_to_have_class(marked)
        press("Escape")
        expect(image).to_be_focused()
        expect(stage).to_have_class(marked)


def test_the_list_is_one_stop_and_arrows_go_on(seen: Seen) -> None:
    with seen() as viewer:
        viewer.get_by_role("button", name="Full", exact=True).focus()
        viewer.page.keyboard.press("ArrowDown")
        viewer.page.keyboard.press("Enter")
        rest(viewer.page, SETTLE_MS)
        assert viewer.locator("[aria-current]").inner_text() == "Bare"


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (360, "dark")])
def test_axe_finds_nothing_serious(width: int, scheme: Scheme, browser: Browser, here: str, full: Full) -> None:
    state = {"panorama": "Full", "roi": int(middle_nucleus(full)["roi"])}
    for viewer, problems in open_viewer(browser, link(here, **state), width=width, scheme=scheme):
        viewer.get_by_role("button", name="Contrast").click()
        viewer.get_by_role("region", name="Chosen nucleus").get_by_role("img").wait_for()
        overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert viewer.page.evaluate(overflow) <= 0
        viewer.page.add_script_tag(path=AXE)
        found = viewer.page.evaluate("axe.run().then(({ violations }) => violations)")
        serious = [fault for fault in found if fault["impact"] in {"serious", "critical"}]
        assert [(fault["id"], [node["html"] for node in fault["nodes"]]) for fault in serious] == []
        assert problems == []


def test_the_wheel_and_one_finger_scroll_the_page(seen: Seen) -> None:
    with seen() as viewer:
        box = viewer.locator(".nn-area").bounding_box()
        assert box is not None
        viewer.page.mouse.move(box["x"] + 300, box["y"] + 200)
        viewer.page.mouse.wheel(0, 200)
        viewer.page.wait_for_function("() => scrollY > 100")
        touch = viewer.locator(".nn-area .openseadragon-canvas").evaluate("c => getComputedStyle(c).touchAction")
        assert "pan-y" in touch


# What goes wrong


@pytest.mark.parametrize("layer", ["intensity", "labels"])
def test_a_missing_tile_is_named_and_fetched_again(layer: str, browser: Browser, here: str, full: Full) -> None:
    x, y = crowded(full)
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    broken = re.compile(rf"{layer}_files/1[234]/")
    page.route(broken, lambda route: route.fulfill(status=503))
    page.goto(link(here, view=f"{x},{y},900"))
    viewer = page.locator(".nn-panorama")
    remark = viewer.locator(".nn-remark")
    again = remark.get_by_role("button", name="Try again")
    again.wait_for(timeout=20_000)
    assert ("Parts of the image" if layer == "intensity" else "Masks could not") in remark.inner_text()
    coarse = area(viewer)
    page.unroute(broken)
    again.click()
    expect(remark).to_have_text("")
    expect(viewer).to_have_attribute("data-masks", "drawn")
    assert changed_share(coarse, area(viewer)) > 0.001, "nothing became finer"
    context.close()


def test_damaged_files_are_named(browser: Browser, here: str, full: Full) -> None:
    damaged = {
        "**/pyramids/index.json": ("error", "The list of panoramas is damaged"),
        "**/Full/intensity.dzi": ("error", "description is damaged"),
        "**/Full/labels.dzi": ("ready", "Masks could not be loaded"),
        "**/Full/nuclei.json": ("ready", "measurements of the nuclei are damaged"),
    }
    for pattern, (state, message) in damaged.items():
        context = browser.new_context()
        page = context.new_page()
        page.route(pattern, lambda route: route.fulfill(status=200, body='{"columns": {"roi": [1'))
        page.goto(link(here, panorama="Full", roi=int(full.rois["roi"].iloc[0])))
        viewer = page.locator(".nn-panorama")
        viewer.get_by_text(message).first.wait_for()
        page.locator(f".nn-panorama[data-state={state}]").wait_for()
        page.unroute(pattern)
        viewer.get_by_role("button", name="Try again").click()
        page.wait_for_function(LOADED)
        page.locator(".nn-panorama[data-state=ready]").wait_for()
        assert viewer.get_by_role("button", name="Try again").count() == 0, pattern
        context.close()


def test_a_panorama_without_masks_and_one_with_a_preview_alone_say_so(seen: Seen) -> None:
    with seen(panorama="Bare") as viewer:
        assert viewer.get_attribute("data-masks") == "none"
        assert "has no masks" in viewer.locator(".nn-remark").inner_text()
        assert viewer.get_by_role("radio", name="Filled").is_disabled()
    with seen(panorama="Reduced") as viewer:
        rest(viewer.page, SETTLE_MS)
        assert "Preview at reduced size; no masks." in viewer.locator(".nn-remark").inner_text()
        assert np.ptp(middle(area(viewer))) > 60


def test_a_name_is_text_never_markup(seen: Seen) -> None:
    with seen(panorama=MARKUP) as viewer:
        assert viewer.get_attribute("data-masks") == "drawn"
        assert viewer.locator("[aria-current]").inner_text() == MARKUP
        assert viewer.locator("img").count() == 0
        assert viewer.page.title() == "Panoramas"
        # It has no measurements: its nuclei are found in the overview of its masks.
        go_to(viewer.page, panorama=MARKUP, roi=1)
        viewer.get_by_role("region", name="Chosen nucleus").get_by_role("img").wait_for()
        assert f"Panorama {MARKUP}." in (viewer.get_by_role("application").get_attribute("aria-label") or "")


def test_masks_are_right_where_a_browser_alters_what_is_read_from_canvases(
    browser: Browser, here: str, full: Full
) -> None:
    x, y = crowded(full)
    altered = """const read = CanvasRenderingContext2D.prototype.getImageData;
        CanvasRenderingContext2D.prototype.getImageData = function (...where) {
            const image = read.apply(this, where);
            for (let at = 0; at < image.data.length; at += 4) image.data[at] ^= (at >> 2) & 1;
            return image;
        };"""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.add_init_script(altered)
    page.goto(link(here, view=f"{x},{y},1000"))
    page.wait_for_function(LOADED)
    viewer = page.locator(".nn-panorama")
    box = viewer.locator(".nn-area").bounding_box()
    assert box is not None
    rois = set()
    for dx in range(-300, 301, 25):
        page.mouse.move(box["x"] + box["width"] / 2 + dx, box["y"] + box["height"] / 2)
        text = viewer.locator(".nn-position").inner_text()
        assert "≈" in text
        column, row = (int(v.replace(",", "")) for v in re.findall(r"[\d,]+", text)[:2])
        assert shown_roi(viewer) == full.labels[row, column]
        rois.add(shown_roi(viewer))
    assert len(rois) > 1
    context.close()


def test_a_canvas_whose_memory_was_lost_is_drawn_again(seen: Seen, full: Full) -> None:
    x, y = crowded(full)
    with seen(view=f"{x},{y},1000") as viewer:
        before = area(viewer)
        viewer.page.mouse.move(0, 0)
        viewer.evaluate(
            """(viewer) => {
                for (const canvas of viewer.querySelectorAll('.nn-area canvas')) {
                    canvas.dispatchEvent(new Event('contextlost'));
                    canvas.getContext('2d').clearRect(0, 0, canvas.width, canvas.height);
                }
            }"""
        )
        assert "Parts of the image" in viewer.locator(".nn-remark").inner_text()
        viewer.evaluate(
            "v => v.querySelectorAll('.nn-area canvas').forEach((c) => c.dispatchEvent(new Event('contextrestored')))"
        )
        assert changed_share(before, area(viewer)) < 0.001
        assert viewer.locator(".nn-remark").inner_text() == ""


# Weight


def test_the_bundle_is_light_enough() -> None:
    assert BUNDLE.stat().st_size <= MAX_BUNDLE_BYTES


def test_a_first_view_takes_few_tiles(browser: Browser, here: str) -> None:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    tiles: list[str] = []
    page.on("request", lambda request: tiles.append(request.url) if re.search(r"_files/", request.url) else None)
    page.goto(here)
    page.wait_for_function(LOADED)
    rest(page, SETTLE_MS)
    assert 2 <= len(tiles) <= 12, tiles
    context.close()


def _per_um(width: float, text: str) -> float:
    value, unit = text.split()
    return width / (float(value) * {"nm": 0.001, "µm": 1.0, "mm": 1000.0}[unit])
