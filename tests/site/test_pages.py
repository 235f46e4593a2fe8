"""Every page of the built book, read from top to bottom in a browser."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote, urldefrag
from urllib.request import urlopen

import pytest
from playwright.sync_api import expect
from reader import (
    PANORAMA,
    SCATTER,
    SITE,
    Scheme,
    grey_levels,
    held_back,
    open_page,
    page_paths,
    rest,
    scroll_through,
    settled,
    until,
)

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

# Where the book is missing, one test stays and fails by its fixture.
PAGES = page_paths(SITE) or ["/"]

# Of what is in view, times how far it moves: the sum over a page that is scrolled through.
MOST_SHIFT = 0.02
# What moves so soon before or after a font has come moves by it.
BY_FONT_MS = 100
# As its fonts come late: the most of a page that web.dev calls good.
MOST_SHIFT_OF_FONTS = 0.1

FAULTY_IMAGES = """async () => {
    const faults = [];
    for (const image of document.images) {
        const name = image.currentSrc.slice(0, 120);
        // In a link that says what it leads to, a picture only decorates.
        if (!image.alt.trim() && !image.closest('a')?.textContent.trim()) faults.push(`no alternative text: ${name}`);
        if (/^\\w+\\(/.test(image.alt)) faults.push(`code for alternative text: ${name}`);
        if (!image.checkVisibility()) continue;
        if (!image.complete || image.naturalWidth === 0) { faults.push(`no pixels: ${name}`); continue; }
        const canvas = new OffscreenCanvas(64, 64);
        const context = canvas.getContext('2d');
        context.drawImage(image, 0, 0, 64, 64);
        const drawn = new Uint32Array(context.getImageData(0, 0, 64, 64).data.buffer);
        if (new Set(drawn).size < 2) faults.push(`a single colour: ${name}`);
    }
    return faults;
}"""

FAULTY_FIGURES = """() => [...document.querySelectorAll('figure')].flatMap((figure) => {
    const faults = [];
    const caption = figure.querySelector(':scope > figcaption');
    if (!caption?.innerText.trim()) faults.push(`no caption: figure ${figure.id}`);
    const seen = [...figure.querySelectorAll('img, svg, canvas, table, pre, .output, .widget')].some((part) => {
        const { width, height } = part.getBoundingClientRect();
        return !caption?.contains(part) && width > 20 && height > 20;
    });
    if (!seen) faults.push(`nothing to see: figure ${figure.id}`);
    if (figure.querySelector('.output-stderr')) faults.push(`a warning of the program: figure ${figure.id}`);
    return faults;
})"""

PLOTS = """() => [...document.querySelectorAll('.output-plotly')].map((box) => {
    const points = [...box.querySelectorAll('.scatterlayer .point')];
    const places = new Set(points.map((point) => point.getAttribute('transform')));
    return [points.length, places.size];
})"""

GREY_LEVELS_OF_VIEWER = """(viewer) => {
    const { data } = ((canvas) => canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height))(
        viewer.querySelector('.nn-area canvas:not(.nn-overlay)'));
    const levels = new Set();
    for (let at = 0; at < data.length; at += 4) if (data[at + 3] === 255) levels.add(data[at]);
    return levels.size;
}"""

PLACE = "document.getElementById('fig1d').getBoundingClientRect().top"

# Colours, not greys: axes, numbers and grid have none.
COLOURS_OF_PLANE = """(area) => {
    const canvas = area.querySelector('canvas');
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    const colours = new Set();
    for (let at = 0; at < data.length; at += 4) {
        const [red, green, blue, alpha] = data.slice(at, at + 4);
        if (alpha === 255 && Math.max(red, green, blue) - Math.min(red, green, blue) > 60) {
            colours.add((red << 16) | (green << 8) | blue);
        }
    }
    return colours.size;
}"""

PAINTED_SHARE = """(viewer) => {
    const canvas = viewer.querySelector('.nn-overlay');
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    let painted = 0;
    for (let at = 3; at < data.length; at += 4) painted += data[at] > 0;
    return painted / (canvas.width * canvas.height);
}"""


def test_the_book_has_its_chapters(pages: list[str]) -> None:
    assert {"/", "/nucleusnet/", "/million-images/"} <= set(pages)


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (360, "dark")])
@pytest.mark.parametrize("path", PAGES)
def test_page(path: str, width: int, scheme: Scheme, browser: Browser, address: str) -> None:
    with open_page(browser, address + path, width=width, scheme=scheme, policy=True) as (page, problems):
        scroll_through(page)
        overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert overflow <= 0, f"the page is {overflow} px wider than the screen"
        assert page.locator("h1").count() == 1
        text = page.locator("main").inner_text()
        assert not re.search(r"\b[Tt]his edition\b|\bThe (twin|line under)\b", text)
        assert page.locator("aside.notice").count() == 0
        assert page.evaluate(FAULTY_FIGURES) == []
        assert page.evaluate(FAULTY_IMAGES) == []
        for points, places in page.evaluate(PLOTS):
            assert points > 1, "a plot without points"
            assert places > points / 2, "a plot with all points in one place"
        shifted, came = page.evaluate("[shifted, fonts_came]")
        own = [one for one in shifted if all(abs(one["at"] - font) > BY_FONT_MS for font in came)]
        assert sum(one["value"] for one in own) <= MOST_SHIFT, shifted
        _check_viewers(page)
        _check_scatters(page)
        assert page.locator(".failure, .output-error").count() == 0
        assert problems == []


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("path", ["/nucleusnet/", "/million-images/", "/cell-numbers/"])
def test_fonts_that_come_late_move_little(path: str, width: int, browser: Browser, address: str) -> None:
    with open_page(browser, address + path, width=width, late_fonts=True) as (page, _):
        until(page, "document.fonts.status === 'loaded'")
        rest(page, 0)
        assert page.evaluate("[...document.fonts].filter(({ status }) => status === 'loaded').length") > 1
        shifted = page.evaluate("shifted")
        assert sum(one["value"] for one in shifted) <= MOST_SHIFT_OF_FONTS, shifted


@pytest.mark.parametrize("width", [360, 768, 1280])
def test_the_view_of_all_methods_is_as_high_as_the_room_kept_for_it(width: int, browser: Browser, address: str) -> None:
    with open_page(browser, address + "/comparison/", width=width) as (page, _):
        room = page.locator("#fig-linked-methods .widget-host")
        kept = room.evaluate("room => room.offsetHeight")
        room.scroll_into_view_if_needed()
        page.locator("#fig-linked-methods .nn-stage[data-masks=drawn]").wait_for()
        assert room.evaluate("room => room.offsetHeight") == pytest.approx(kept, abs=30)


@pytest.mark.parametrize("width", [1280, 390])
def test_the_address_of_a_figure_leads_to_it_while_what_is_above_it_still_loads(
    width: int, browser: Browser, address: str
) -> None:
    with open_page(browser, address + "/about/", width=width) as (page, _):
        release = held_back(page, re.compile(r"\.(png|jpg|webp|mjs)$"))
        page.goto(address + "/nucleusnet/#fig1d", wait_until="domcontentloaded")
        page.wait_for_function(f"{PLACE} < 300")
        before = page.evaluate(f"scrollY + {PLACE}")
        page.evaluate("document.querySelectorAll('img').forEach((image) => { image.loading = 'eager'; })")
        release()
        page.wait_for_function("[...document.images].every((image) => image.complete || !image.checkVisibility())")
        page.evaluate("scrollTo({ top: 0, behavior: 'instant' })")
        scroll_through(page)
        assert page.evaluate(f"scrollY + {PLACE}") == pytest.approx(before, abs=8)


def test_a_nucleus_chosen_in_the_opening_view_leaves_it_and_the_link_has_it(browser: Browser, address: str) -> None:
    with open_page(browser, address + "/", width=1280, reduced_motion="reduce") as (page, problems):
        viewer = page.locator(f"#fig-overview {PANORAMA}")
        viewer.and_(page.locator("[data-state=ready][data-masks=drawn]")).wait_for()
        expect(viewer.locator(".nn-stage")).not_to_contain_class("nn-whole")
        box = viewer.locator(".nn-area").bounding_box()
        assert box is not None
        page.mouse.click(box["x"] + box["width"] / 2 + 124, box["y"] + box["height"] / 2 - 174)  # on a large nucleus
        viewer.get_by_role("region", name="Chosen nucleus").wait_for()
        x, y, width = map(float, settled(page, "opening.view").split(","))
        assert (x, y) == pytest.approx((6480, 2760), abs=60)
        assert 600 < width <= 1101, "the card beside the image takes room from it"
        expect(viewer.locator(".nn-stage")).not_to_contain_class("nn-whole")
        assert problems == []


@pytest.mark.parametrize("path", PAGES)
def test_links_lead_somewhere(path: str, browser: Browser, address: str) -> None:
    with open_page(browser, address + path) as (page, _):
        links = page.eval_on_selector_all("a[href]", "links => links.map(({ href }) => href)")
        links += page.eval_on_selector_all("link[href]", "links => links.map(({ href }) => href)")
    own = sorted({link for link in links if link.startswith(address)})
    assert own
    assert [link for link in own if not _resolves(link)] == []


def test_a_page_that_went_wrong_is_noticed(browser: Browser, address: str) -> None:
    """The net itself: a page with each fault that `open_page` watches for."""
    faulty = SITE_FAULTS.replace("OTHER", "http://127.0.0.1:9/")
    with open_page(browser, address + "/") as (page, problems):
        page.set_content(faulty)
        until(page, "[...document.images].every(({ complete }) => complete)")
        rest(page, 300)
        assert page.evaluate(FAULTY_IMAGES)
        assert len(page.evaluate(FAULTY_FIGURES)) == 2
    seen = "\n".join(problems)
    for expected in ("asks another host", "status 404", "uncaught: thrown", "console error: said", "failed: "):
        assert expected in seen


SITE_FAULTS = """<base href="/"><img src="no-such-image.png"><img src="OTHER"><figure id="empty"></figure>
<script>console.error('said'); setTimeout(() => { throw new Error('thrown'); });</script>"""


def _check_viewers(page: Page) -> None:
    for viewer in page.locator(PANORAMA).all():
        viewer.scroll_into_view_if_needed()
        assert viewer.get_attribute("data-state") == "ready", viewer.inner_text()
        expect(viewer).to_have_attribute("data-masks", "drawn")
        assert viewer.evaluate(GREY_LEVELS_OF_VIEWER) > 30
        assert viewer.evaluate(PAINTED_SHARE) > 0.005
        assert grey_levels(viewer.screenshot()) > 30


def _check_scatters(page: Page) -> None:
    for scatter in page.locator(SCATTER).all():
        scatter.scroll_into_view_if_needed()
        assert scatter.get_attribute("data-state") == "ready", scatter.inner_text()
        assert scatter.locator(".nn-area").evaluate(COLOURS_OF_PLANE) > 20, "points of hardly any colour"


_fetched: dict[str, str | None] = {}


def _resolves(link: str) -> bool:
    """Say whether an address of the served book answers with 200, and has the part that the link names."""
    whole, fragment = urldefrag(link)
    if whole not in _fetched:
        try:
            with urlopen(whole) as answer:
                _fetched[whole] = answer.read().decode("utf-8", "replace")
        except OSError as error:
            if close := getattr(error, "close", None):
                close()
            _fetched[whole] = None
    text = _fetched[whole]
    part = unquote(fragment.partition("&")[0])  # what follows moves the view that it names
    return text is not None and (not part or bool(re.search(rf'\bid="{re.escape(part)}"', text)))


@pytest.mark.parametrize(("width", "height"), [(1280, 700), (390, 844)])
def test_the_look_can_be_changed_without_scrolling(width: int, height: int, browser: Browser, address: str) -> None:
    with open_page(browser, address + "/nucleusnet/", width=width) as (page, problems):
        page.set_viewport_size({"width": width, "height": height})
        page.evaluate("scrollTo({ top: 2000, behavior: 'instant' })")
        dark = page.locator("button.appearance-button:visible, .appearance:visible label:has-text('Dark')")
        box = dark.first.bounding_box()
        assert box is not None
        assert 0 <= box["y"] <= height - box["height"]
        # Playwright's own click brings what sticks to the screen into view, by scrolling.
        page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        page.wait_for_function("document.documentElement.dataset.appearance === 'dark'")
        assert page.evaluate("scrollY") == 2000
        page.reload()
        assert page.evaluate("document.documentElement.dataset.appearance") == "dark"
        assert problems == []


PLOTTED = """() => [...document.querySelectorAll('img.output-image')].map((image) => ({
    // A plot is 6 inches wide, and its type 12 pt high.
    type: image.getBoundingClientRect().width / (6 * 72) * 12,
    left: image.getBoundingClientRect().left,
    text: parseFloat(getComputedStyle(image.closest('article')).fontSize),
    margin: (image.closest('figure')?.querySelector('figcaption') ?? image.closest('.block').querySelector('summary'))
        .getBoundingClientRect().left,
    dark: getComputedStyle(image).filter,
}))"""


@pytest.mark.parametrize("path", ["/segmentation/", "/by-run/"])
@pytest.mark.parametrize("width", [1920, 1280, 900])
def test_plots_are_set_like_the_text(path: str, width: int, browser: Browser, address: str) -> None:
    with open_page(browser, address + path, width=width, scheme="dark") as (page, _):
        plots = page.evaluate(PLOTTED)
    assert plots
    for plot in plots:
        assert 0.8 * plot["text"] < plot["type"] <= plot["text"]
        assert plot["left"] == pytest.approx(plot["margin"], abs=1)
        assert plot["dark"].startswith("invert"), "white in the dark"
