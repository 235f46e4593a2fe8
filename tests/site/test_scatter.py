"""The scatter of panoramas, used as a reader would: by mouse, by keyboard, by touch, and from a link."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import numpy as np
import pytest
from file_server import serving
from matplotlib.path import Path as Polygon
from reader import (
    BOOK,
    PROJECT,
    SCATTER,
    SETTLE_MS,
    Scheme,
    choose_by_search,
    drag,
    open_page,
    open_scatter,
    panoramas_table,
    parameters,
    pixels,
    rest,
    settled,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from playwright.sync_api import Browser, Locator

CHAPTER = "/million-images/?scatter.shows=twin"
"""The layer whose panoramas are at hand, with their pictures."""

AXE = PROJECT / "theme/node_modules/axe-core/axe.min.js"
PLACE_OF_MARK = """async (area) => {
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    const canvas = area.querySelectorAll('canvas')[1];
    const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d', { willReadFrequently: true });
    copy.drawImage(canvas, 0, 0);
    const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
    let [x, y, count] = [0, 0, 0];
    for (let at = 0; at < canvas.width * canvas.height; at++) {
        if (data[at * 4 + 3] === 0) continue;
        x += at % canvas.width;
        y += Math.floor(at / canvas.width);
        count += 1;
    }
    return [(x / count + 0.5) / devicePixelRatio, (y / count + 0.5) / devicePixelRatio, count];
}"""
SERIOUS = """async () => {
    const { violations } = await axe.run(document, { resultTypes: ['violations'] });
    return violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')
        .map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`);
}"""
BARE_HOST = """<!doctype html><html lang="en"><meta charset="utf-8"><title>A host</title>
<body><h1>A host</h1><div id="host"></div>
<script type="module">
import widget from './scatter.mjs';
const values = { panoramas: 'panoramas.json', viewer: 'viewer.html#view' };
const el = document.createElement('div');
document.getElementById('host').attachShadow({ mode: 'open' }).append(el);
widget.render({ model: { get: (name) => values[name], set() {}, on() {} }, el });
</script>"""
NASTY = '<img src="x" onerror="window.harmed = true">'


@pytest.fixture
def scatter(browser: Browser, address: str) -> Iterator[Locator]:
    with open_page(browser, address + CHAPTER) as (page, problems):
        yield open_scatter(page)
        assert problems == []


def place_of(scatter: Locator, name: str) -> tuple[float, float]:
    """Find where in the plane a panorama is drawn, by the mark that looking for its name puts there."""
    search = scatter.get_by_role("searchbox")
    search.fill(name)
    x, y, marked = scatter.locator(".nn-area").evaluate(PLACE_OF_MARK)
    assert marked > 20, f"nothing is marked for {name}"
    search.fill("")
    return x, y


def on_screen(scatter: Locator, place: tuple[float, float]) -> tuple[float, float]:
    box = scatter.locator(".nn-area").bounding_box()
    assert box is not None
    return box["x"] + place[0], box["y"] + place[1]


def point_at(scatter: Locator, name: str) -> None:
    x, y = on_screen(scatter, place_of(scatter, name))
    scatter.page.mouse.move(x - 40, y)
    scatter.page.mouse.move(x, y, steps=3)


def plane(scatter: Locator) -> NDArray[np.uint8]:
    scatter.page.mouse.move(0, 0)
    rest(scatter.page, SETTLE_MS)
    return pixels(scatter.locator(".nn-area").screenshot())


def lone_panorama() -> str:
    """The name of a panorama that is apart from all others in the plane, so that pointing at it is unambiguous."""
    table = panoramas_table()
    points = np.column_stack([table["num_rois"], np.array(table["mean_intensity"], float)])
    spread = np.nanstd(points, axis=0)
    distances = np.hypot(*((points[:, None] - points[None]) / spread).transpose(2, 0, 1))
    np.fill_diagonal(distances, np.inf)
    inner = np.abs(points - np.nanmean(points, axis=0)) < 2 * spread
    apart = np.where(inner.all(axis=1), distances.min(axis=1), 0)
    return str(table["panorama"][int(np.nanargmax(apart))])


def test_pointing_at_a_panorama_shows_its_name_values_and_a_thumbnail(scatter: Locator) -> None:
    table, name = panoramas_table(), lone_panorama()
    at = table["panorama"].index(name)
    point_at(scatter, name)
    card = scatter.locator(".nn-card")
    card.wait_for()
    text = card.inner_text()
    assert text.splitlines()[0] == name
    assert f"{table['num_rois'][at]} nuclei" in text
    assert f"brightness {table['mean_intensity'][at]:.1f} (standard deviation {table['std_intensity'][at]:.1f})" in text
    assert f"experiment {table['run'][at]}, passage {table['passage'][at]}" in text
    thumbnail = card.locator("img")
    thumbnail.wait_for()
    assert thumbnail.evaluate("image => image.naturalWidth") == 768
    assert (thumbnail.get_attribute("src") or "").endswith(table["preview"][at])
    scatter.page.mouse.move(0, 0)
    card.wait_for(state="hidden")


def test_a_chosen_panorama_is_in_the_address_stays_marked_and_back_takes_it_away(scatter: Locator) -> None:
    page, name = scatter.page, lone_panorama()
    before = plane(scatter)
    point_at(scatter, name)
    page.mouse.down()
    page.mouse.up()
    assert settled(page, "panorama") == name
    details = scatter.get_by_role("group", name="Chosen panorama")
    assert name in details.inner_text()
    x, y = place_of(scatter, name)
    marked = plane(scatter)
    changed = np.argwhere((before != marked).any(axis=2))
    assert changed.size
    assert np.abs(changed.mean(axis=0) - [y, x]).max() < 2
    page.go_back()
    page.wait_for_function("!location.search.includes('panorama')")
    details.wait_for(state="hidden")
    assert (plane(scatter) == before).all()


def test_colours_by_experiment_and_passage_are_those_of_the_legend(scatter: Locator) -> None:
    table, name = panoramas_table(), lone_panorama()
    at = table["panorama"].index(name)
    x, y = place_of(scatter, name)
    assert scatter.locator(".nn-legend .nn-bar").is_visible()
    for title, column, parameter in (("Experiment", "run", "run"), ("Passage", "passage", "passage")):
        scatter.get_by_role("radio", name=title).check()
        scatter.page.wait_for_url(re.compile(f"by={parameter}"))
        steps = scatter.locator(".nn-step")
        texts = steps.all_inner_texts()
        assert set(texts) == {str(value) for value in table[column]}
        swatch = steps.nth(texts.index(str(table[column][at]))).locator(".nn-dot")
        colour = swatch.evaluate("dot => getComputedStyle(dot).backgroundColor")
        wanted = [int(part) for part in re.findall(r"\d+", colour)]
        assert np.abs(plane(scatter)[round(y), round(x)].astype(int) - wanted).max() <= 3


def test_buttons_zoom_and_everything_comes_back(scatter: Locator) -> None:
    before = plane(scatter)
    scatter.get_by_role("button", name="Zoom in").click()
    x0, x1, _, _ = map(float, settled(scatter.page, "axes").split(","))
    counts = panoramas_table()["num_rois"]
    assert (x1 - x0) == pytest.approx((max(counts) - min(counts)) * 1.1 / 1.6, rel=1e-3)
    assert (plane(scatter) != before).any()
    scatter.get_by_role("button", name="Show all panoramas").click()
    scatter.page.wait_for_function("!location.search.includes('axes')")
    assert (plane(scatter) == before).all()


def test_the_wheel_scrolls_the_page_and_zooms_only_with_the_control_key(scatter: Locator) -> None:
    page = scatter.page
    page.mouse.move(*on_screen(scatter, (300, 200)))
    before = page.evaluate("scrollY")
    page.mouse.wheel(0, 60)
    page.wait_for_function("before => scrollY > before", arg=before)
    assert "Hold Ctrl" in scatter.locator(".nn-hint").inner_text()
    assert "axes" not in parameters(page)
    rest(page, SETTLE_MS)
    before = page.evaluate("scrollY")
    page.keyboard.down("Control")
    page.mouse.wheel(0, -200)
    page.keyboard.up("Control")
    settled(page, "axes")
    assert page.evaluate("scrollY") == before


def test_a_drag_moves_the_plane_and_chooses_nothing(scatter: Locator) -> None:
    page = scatter.page
    for _ in range(3):
        scatter.get_by_role("button", name="Zoom in").click()
        rest(page, SETTLE_MS)
    x0, x1, y0, y1 = map(float, settled(page, "axes").split(","))
    x, y = on_screen(scatter, (400, 200))
    drag(page, (x, y), (x + 100, y - 50))
    page.wait_for_function("before => !location.search.includes(before)", arg=f"axes={x0}")
    moved = [float(value) for value in parameters(page)["axes"].split(",")]
    assert moved[0] < x0
    assert moved[2] < y0
    assert moved[1] - moved[0] == pytest.approx(x1 - x0, rel=1e-4)
    assert moved[3] - moved[2] == pytest.approx(y1 - y0, rel=1e-4)
    assert "panorama" not in parameters(page)


def draw_lasso(scatter: Locator, corners: list[tuple[float, float]]) -> NDArray[np.float64]:
    page = scatter.page
    scatter.get_by_role("button", name="Lasso").click()
    drag(page, *(on_screen(scatter, corner) for corner in [*corners, corners[0]]))
    return np.array([pair.split(",") for pair in settled(page, "lasso").split(";")], float)


def test_a_lasso_shows_how_many_it_holds_and_their_means(scatter: Locator) -> None:
    polygon = draw_lasso(scatter, [(250, 120), (620, 160), (560, 380), (300, 330)])
    table = panoramas_table()
    points = np.column_stack([table["num_rois"], np.array(table["mean_intensity"], float)])
    inside = Polygon(polygon).contains_points(points)
    assert 5 < inside.sum() < len(points) - 5
    text = scatter.locator(".nn-selection").inner_text()
    assert f"{inside.sum()} of {len(points)} panoramas selected" in text
    assert f"with {points[inside, 0].sum():,.0f} nuclei" in text
    mean_count, mean_level = points[inside].mean(axis=0)
    spread = np.array(table["std_intensity"], float)[inside].mean()
    assert f"{mean_count:.3g} nuclei, brightness {mean_level:.3g}, standard deviation {spread:.3g}" in text
    with scatter.page.expect_download() as saving:
        scatter.get_by_role("button", name="Save as CSV").click()
    saved = Path(saving.value.path()).read_text(encoding="utf-8").splitlines()
    assert [line.split(",")[0] for line in saved[1:]] == list(np.array(table["panorama"])[inside])
    selection = plane(scatter)
    scatter.page.keyboard.press("Escape")
    scatter.page.wait_for_function("!location.search.includes('lasso')")
    assert not scatter.get_by_role("button", name="Clear selection").is_visible()
    scatter.page.go_back()
    settled(scatter.page, "lasso")
    scatter.evaluate("scatter => scatter.getRootNode().activeElement?.blur()")
    assert (plane(scatter) == selection).mean() > 0.999


def test_a_link_shows_another_browser_the_same_picture(scatter: Locator, browser: Browser) -> None:
    page = scatter.page
    scatter.get_by_role("radio", name="Passage").check()
    draw_lasso(scatter, [(250, 120), (620, 160), (560, 380), (300, 330)])
    scatter.get_by_role("button", name="Zoom in").click()
    settled(page, "axes")
    choose_by_search(scatter, lone_panorama())
    page.mouse.move(0, 0)
    scatter.evaluate("scatter => scatter.getRootNode().activeElement?.blur()")
    rest(page, SETTLE_MS)
    assert {"axes", "by", "lasso", "panorama"} <= parameters(page).keys()
    with open_page(browser, page.url) as (other_page, problems):
        other = open_scatter(other_page)
        assert other.get_by_role("radio", name="Passage").is_checked()
        assert other.locator(".nn-selection").inner_text() == scatter.locator(".nn-selection").inner_text()
        assert lone_panorama() in other.locator(".nn-details").inner_text()
        assert (plane(other) == plane(scatter)).mean() > 0.9999
        assert other_page.url == page.url
        assert problems == []


@pytest.mark.parametrize(
    "query",
    [
        "axes=1,2,3",
        "axes=5,4,3,2",
        "axes=-1e9,1e9,-1e9,1e9",
        "by=constructor",
        "lasso=1,2;3,4",
        "table=maybe",
        "roi=-1",
    ],
)
def test_an_address_that_says_nonsense_is_ignored(query: str, browser: Browser, address: str) -> None:
    with open_page(browser, f"{address}{CHAPTER}&{query}") as (page, problems):
        scatter = open_scatter(page)
        assert scatter.get_attribute("data-state") == "ready"
        assert scatter.get_by_role("radio", name="Standard deviation").is_checked()
        assert not scatter.get_by_role("button", name="Clear selection").is_visible()
        assert problems == []


def test_an_unknown_panorama_in_the_address_is_shown_as_text(browser: Browser, address: str) -> None:
    with open_page(browser, f"{address}{CHAPTER}&panorama=%3Cimg%20src=x%20onerror=alert(1)%3E") as (page, problems):
        scatter = open_scatter(page)
        assert "<img src=x onerror=alert(1)>" in scatter.locator(".nn-remark").last.inner_text()
        assert problems == []


def test_everything_by_keyboard(scatter: Locator) -> None:
    page = scatter.page
    scatter.get_by_role("button", name="Table").focus()
    page.keyboard.press("Tab")
    area = scatter.locator(".nn-area")
    assert scatter.evaluate("scatter => scatter.getRootNode().activeElement.className").startswith("nn-area")
    said = scatter.locator(".nn-hidden")
    table = panoramas_table()
    first = heard(said, "")
    assert first in table["panorama"]
    visited = [first]
    for key in ("ArrowRight", "ArrowUp", "ArrowLeft", "PageDown", "Home", "End"):
        page.keyboard.press(key)
        visited.append(heard(said, visited[-1]))
    counts = dict(zip(table["panorama"], table["num_rois"], strict=True))
    assert counts[visited[1]] > counts[visited[0]]
    assert counts[visited[-2]] == min(table["num_rois"])
    assert counts[visited[-1]] == max(table["num_rois"])
    assert pixels(area.screenshot()).std() > 0
    page.keyboard.press("Enter")
    assert settled(page, "panorama") == visited[-1]
    said.page.wait_for_function("said => said.textContent.includes(' chosen. ')", arg=said.element_handle())
    page.keyboard.press("+")
    settled(page, "axes")
    page.keyboard.press("0")
    page.wait_for_function("!location.search.includes('axes')")
    page.keyboard.press("Home")
    heard(said, visited[-1])
    page.keyboard.press("r")
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    rectangle = np.array([pair.split(",") for pair in settled(page, "lasso").split(";")], float)
    assert rectangle[:, 0].min() <= min(table["num_rois"])
    assert rectangle[:, 0].max() >= max(table["num_rois"])
    assert "panoramas selected" in scatter.locator(".nn-selection").inner_text()
    page.keyboard.press("Escape")
    page.wait_for_function("!location.search.includes('lasso')")
    scatter.get_by_role("button", name="Clear choice").press("Enter")
    page.wait_for_function("!location.search.includes('panorama')")
    assert area.evaluate("area => area.getRootNode().activeElement === area"), "the focus is lost"


def heard(said: Locator, before: str) -> str:
    """Wait for the next panorama that a screen reader announces, and return its name."""
    said.page.wait_for_function(
        "([said, before]) => /: \\d/.test(said.textContent) && !(before && said.textContent.startsWith(`${before}:`))",
        arg=[said.element_handle(), before],
    )
    return said.inner_text().split(":")[0]


def test_focus_is_visible(scatter: Locator) -> None:
    for control in scatter.locator("button:visible, input:visible, .nn-area").all():
        control.focus()
        control.press("Shift")
        outlined = control.evaluate(
            """(control) => [control, control.nextElementSibling].some((element) => element
                && getComputedStyle(element).outlineStyle === 'solid'
                && parseFloat(getComputedStyle(element).outlineWidth) >= 2)"""
        )
        assert outlined, control.evaluate("control => control.outerHTML.slice(0, 120)")


def test_the_table_holds_the_same_panoramas_sorted_as_asked(scatter: Locator) -> None:
    table = panoramas_table()
    scatter.get_by_role("button", name="Table").click()
    assert not scatter.locator(".nn-area").is_visible()
    scatter.get_by_role("button", name="Nuclei").click()
    head = scatter.get_by_role("columnheader", name="Nuclei")
    assert head.get_attribute("aria-sort") == "ascending"
    assert shown_counts(scatter) == sorted(table["num_rois"])[:20]
    scatter.get_by_role("button", name="Nuclei").click()
    assert shown_counts(scatter) == sorted(table["num_rois"], reverse=True)[:20]
    assert scatter.locator(".nn-place").inner_text() == f"1 to 20 of {len(table['num_rois']):,}"
    scatter.get_by_role("button", name="Next").click()
    assert shown_counts(scatter) == sorted(table["num_rois"], reverse=True)[20:40]
    name = scatter.locator("tbody th button").first.inner_text()
    scatter.locator("tbody th button").first.click()
    assert settled(scatter.page, "panorama") == name
    assert settled(scatter.page, "table") == "1"
    scatter.get_by_role("searchbox").fill("Run3TL")
    names = scatter.locator("tbody th").all_inner_texts()
    assert sorted(names) == sorted(name for name in table["panorama"] if "Run3TL" in name)


def shown_counts(scatter: Locator) -> list[int]:
    heads = scatter.locator("thead th").all_inner_texts()
    column = [head.split()[0] for head in heads].index("Nuclei")
    return [int(row.locator("th, td").nth(column).inner_text()) for row in scatter.locator("tbody tr").all()]


def test_one_finger_scrolls_the_page_and_two_zoom(browser: Browser, address: str) -> None:
    context = browser.new_context(viewport={"width": 360, "height": 700}, has_touch=True, is_mobile=True)
    try:
        page = context.new_page()
        page.goto(address + CHAPTER)
        scatter = open_scatter(page)
        scatter.locator(".nn-area").evaluate("area => area.scrollIntoView({ block: 'center' })")
        x, y = on_screen(scatter, (150, 200))
        session = context.new_cdp_session(page)
        before = page.evaluate("scrollY")
        touches = [("touchStart", [y]), *(("touchMove", [y - 15 * step]) for step in range(1, 11)), ("touchEnd", [])]
        for kind, heights in touches:
            fingers = [{"x": x, "y": height} for height in heights]
            session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": fingers})
        page.wait_for_function("before => scrollY > before + 80", arg=before)
        assert parameters(page) == {"scatter.shows": "twin"}
        rest(page, SETTLE_MS)
        x, y = on_screen(scatter, (150, 200))
        pinch = {"x": x, "y": y, "scaleFactor": 2, "gestureSourceType": "touch"}
        session.send("Input.synthesizePinchGesture", pinch)
        x0, x1, _, _ = map(float, settled(page, "axes").split(","))
        counts = panoramas_table()["num_rois"]
        assert (x1 - x0) < (max(counts) - min(counts)) * 0.8
        assert page.evaluate("visualViewport.scale") == 1
    finally:
        context.close()


def test_zooming_without_motion(browser: Browser, address: str) -> None:
    context = browser.new_context(viewport={"width": 1000, "height": 900}, reduced_motion="reduce")
    try:
        page = context.new_page()
        page.goto(address + CHAPTER)
        scatter = open_scatter(page)
        canvas = scatter.locator("canvas").first
        scatter.get_by_role("button", name="Zoom in").click()
        two_frames = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
        page.evaluate(two_frames)
        at_once = canvas.evaluate("canvas => canvas.toDataURL()")
        rest(page, SETTLE_MS)
        assert canvas.evaluate("canvas => canvas.toDataURL()") == at_once
    finally:
        context.close()


def test_nothing_of_it_is_loaded_before_it_nears_the_window(browser: Browser, address: str) -> None:
    context = browser.new_context(viewport={"width": 1440, "height": 500})
    try:
        page, asked = context.new_page(), []
        page.on("request", lambda request: asked.append(urlsplit(request.url).path))
        page.goto(address + CHAPTER, wait_until="networkidle")
        assert not [path for path in asked if path.endswith((".mjs", "panoramas.json", "index.json"))]
        open_scatter(page)
        assert [path for path in asked if "scatter" in path and path.endswith(".mjs")]
        assert not [path for path in asked if "/previews/" in path], "no preview before a panorama is pointed at"
    finally:
        context.close()


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (360, "dark")])
def test_axe_finds_nothing_serious(width: int, scheme: Scheme, browser: Browser, address: str) -> None:
    with open_page(browser, address + CHAPTER, width=width, scheme=scheme) as (page, problems):
        scatter = open_scatter(page)
        page.evaluate(AXE.read_text(encoding="utf-8"))
        assert page.evaluate(SERIOUS) == []
        choose_by_search(scatter, lone_panorama())
        scatter.get_by_role("radio", name="Experiment").check()
        assert page.evaluate(SERIOUS) == []
        scatter.get_by_role("button", name="Table").click()
        assert page.evaluate(SERIOUS) == []
        assert problems == []


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A page that is no book, with the scatter on it, and the table that it reads."""
    shutil.copyfile(PROJECT / "widgets/dist/scatter.mjs", tmp_path / "scatter.mjs")
    (tmp_path / "index.html").write_text(BARE_HOST, encoding="utf-8")
    (tmp_path / "favicon.ico").write_bytes(b"")
    with serving(tmp_path) as served:
        yield served, tmp_path / "panoramas.json"


def small_table(names: list[str], **changes: list[Any]) -> str:
    count = len(names)
    table = {
        "panorama": names,
        "run": list(range(1, count + 1)),
        "passage": [None] * count,
        "num_rois": list(range(10, 10 + count)),
        "mean_intensity": [50.0 + at * at for at in range(count)],
        "std_intensity": [20.0 + at for at in range(count)],
        "rank": [None] * count,
        "pyramid": [False] * count,
        "preview": [None] * count,
    }
    return json.dumps({"edition": "test", "note": "A note.", "columns": table | changes})


def test_names_are_text_never_markup(browser: Browser, bare: tuple[str, Path]) -> None:
    address, table = bare
    table.write_text(
        small_table([NASTY, "b", "c", "d"], passage=[f"{NASTY}1", f"{NASTY}2", None, None]), encoding="utf-8"
    )
    with open_page(browser, f"{address}/index.html") as (page, problems):
        scatter = page.locator(SCATTER)
        scatter.get_by_role("radio", name="Passage").check()
        assert NASTY in scatter.locator(".nn-legend").inner_text()
        scatter.get_by_role("searchbox").fill("onerror")
        scatter.locator(".nn-card").wait_for()
        assert NASTY in scatter.locator(".nn-card").inner_text()
        scatter.get_by_role("searchbox").press("Enter")
        assert settled(page, "panorama") == NASTY
        assert NASTY in scatter.locator(".nn-details").inner_text()
        scatter.get_by_role("button", name="Table").click()
        assert NASTY in scatter.locator("tbody").inner_text()
        page.reload()
        assert NASTY in scatter.locator(".nn-details").inner_text()
        assert page.evaluate("window.harmed") is None
        assert scatter.locator("img[onerror]").count() == 0
        assert problems == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{", "damaged and cannot be read"),
        ('{"columns": {}}', "names no panoramas"),
        (small_table(["a", "b"], run=[1]), "column run has 1 of 2"),
        (small_table(["a", "b"], num_rois=[1, "many"]), "b has no number of nuclei"),
        (small_table([]), "A note."),
        (small_table(["a"], mean_intensity=[None]), "A note."),
    ],
)
def test_a_damaged_or_empty_table_has_a_message(
    text: str, expected: str, browser: Browser, bare: tuple[str, Path]
) -> None:
    address, table = bare
    table.write_text(text, encoding="utf-8")
    with open_page(browser, f"{address}/index.html") as (page, problems):
        message = page.locator(f"{SCATTER}[data-state=error] .nn-message, {SCATTER}[data-state=empty] .nn-message")
        message.wait_for()
        assert expected in message.inner_text()
        assert page.locator(".nn-plot").count() == 0
        assert problems == []


def test_a_missing_table_is_reported_and_asked_for_again(browser: Browser, bare: tuple[str, Path]) -> None:
    address, table = bare
    with open_page(browser, f"{address}/index.html") as (page, problems):
        message = page.locator(f"{SCATTER}[data-state=error] .nn-message")
        message.wait_for()
        assert "could not be loaded" in message.inner_text()
        table.write_text(small_table(["a", "b"]), encoding="utf-8")
        message.get_by_role("button", name="Try again").click()
        page.locator(f"{SCATTER}[data-state=ready] .nn-plot").wait_for()
        assert [problem for problem in problems if "panoramas.json" not in problem and "404" not in problem] == []


def test_without_previews_and_viewers_it_gives_values_and_a_link(browser: Browser, bare: tuple[str, Path]) -> None:
    address, table = bare
    table.write_text(small_table(["a", "b", "c"], pyramid=[True, False, False]), encoding="utf-8")
    with open_page(browser, f"{address}/index.html?kept=1") as (page, problems):
        scatter = page.locator(SCATTER)
        choose_by_search(scatter, "a")
        details = scatter.locator(".nn-details")
        assert "10 nuclei · brightness 50.0 (standard deviation 20.0) · experiment 1" in details.inner_text()
        assert "no image" in details.inner_text()
        assert details.locator("img").is_hidden()
        link = details.get_by_role("link")
        assert link.get_attribute("href") == f"{address}/viewer.html?panorama=a#view"
        choose_by_search(scatter, "b")
        page.wait_for_url(re.compile("panorama=b"))
        assert link.count() == 0
        assert parameters(page)["kept"] == "1"
        assert problems == []


def test_without_a_viewer_on_the_page_the_preview_is_shown_large(browser: Browser, bare: tuple[str, Path]) -> None:
    address, table = bare
    preview = next((BOOK / "pyramids" / "previews").glob("*.jpg"))
    shutil.copyfile(preview, table.parent / "b.jpg")
    table.write_text(small_table(["a", "b", "c"], preview=[None, "b.jpg", None]), encoding="utf-8")
    with open_page(browser, f"{address}/index.html") as (page, problems):
        scatter = page.locator(SCATTER)
        choose_by_search(scatter, "b")
        picture = scatter.locator(".nn-details img")
        picture.wait_for()
        box = picture.bounding_box()
        assert box is not None
        assert box["width"] >= 400
        assert "no tiles" in scatter.locator(".nn-details").inner_text()
        choose_by_search(scatter, "c")
        picture.wait_for(state="hidden")
        assert problems == []


def test_one_panorama_alone_is_drawn(browser: Browser, bare: tuple[str, Path]) -> None:
    address, table = bare
    table.write_text(small_table(["a"]), encoding="utf-8")
    with open_page(browser, f"{address}/index.html") as (page, problems):
        scatter = page.locator(SCATTER)
        x, y = place_of(scatter, "a")
        assert x > 100
        assert y > 50
        assert problems == []
