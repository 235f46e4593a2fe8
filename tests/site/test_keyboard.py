"""The book by keyboard alone: all of it is reached, what has the focus is seen, and nothing holds it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from playwright.sync_api import expect
from reader import open_page, pixels, scroll_through, until

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

MOST_STOPS = 500

INNERMOST = """() => {
    let focused = document.activeElement;
    while (focused?.shadowRoot?.activeElement) focused = focused.shadowRoot.activeElement;
    return focused;
}"""

# What has the focus, in whichever shadow root, what it is called, and what is wrong with how it is seen. A mark may be
# drawn by the element, by the label after it, or by the box around it.
STOP = """(focused) => {
    if (focused === document.body) return null;
    const marked = (element) => {
        const { outlineStyle, outlineWidth, opacity } = getComputedStyle(element);
        return opacity !== '0' && outlineStyle !== 'none' && parseFloat(outlineWidth) > 0;
    };
    const { left, top, bottom, width, height } = focused.getBoundingClientRect();
    return {
        name: (focused.ariaLabel || focused.labels?.[0]?.innerText || focused.innerText || focused.title)
            .trim().replace(/\\s+/g, ' '),
        kind: focused.matches('a.step') ? 'step' : focused.getAttribute('role') ?? focused.localName,
        marked: [focused, focused.nextElementSibling, focused.parentElement].some((one) => one && marked(one)),
        seen: width >= 1 && height >= 1 && bottom > 0 && top < innerHeight,
        box: { x: left, y: top, width, height },
    };
}"""


def next_stop(page: Page) -> dict[str, Any] | None:
    """Press Tab, and describe what has the focus then; None where that is outside of the page."""
    page.keyboard.press("Tab")
    focused = page.evaluate_handle(INNERMOST)
    stop: dict[str, Any] | None = focused.evaluate(STOP)
    if stop is not None and stop["seen"] and not stop["marked"]:
        stop["marked"] = _looks_different_without_focus(page, focused, stop["box"])
    return stop


def _looks_different_without_focus(page: Page, focused: Any, box: dict[str, float]) -> bool:
    """Compare the pixels around an element that something else marks, such as the frame of a view."""
    left, top = max(0, box["x"] - 8), max(0, box["y"] - 8)
    clip: Any = {"x": left, "y": top, "width": box["width"] + 16, "height": min(box["height"] + 16, 900 - top)}
    with_focus = pixels(page.screenshot(clip=clip, animations="disabled"))
    focused.evaluate("focused => focused.blur()")
    without = pixels(page.screenshot(clip=clip, animations="disabled"))
    focused.evaluate("focused => focused.focus({ preventScroll: true })")
    return bool((with_focus != without).any())


def tab_to(page: Page, name: str) -> dict[str, Any]:
    """Press Tab until what has the focus is called so."""
    for _ in range(MOST_STOPS):
        stop = next_stop(page)
        if stop is not None and re.search(name, stop["name"]):
            return stop
    raise AssertionError(f"{name}: Tab doesn't lead there")


def test_a_page_is_passed_through_by_tab_and_each_stop_is_marked(browser: Browser, address: str) -> None:
    with open_page(browser, address + "/nucleusnet/", width=1280, reduced_motion="reduce") as (page, problems):
        page.set_viewport_size({"width": 1280, "height": 900})
        scroll_through(page)
        page.evaluate("scrollTo({ top: 0, behavior: 'instant' })")
        stops = []
        while (stop := next_stop(page)) is not None:
            stops.append(stop)
            assert len(stops) < MOST_STOPS, f"the focus is held: {stops[-1]['name']}"
        kinds = [stop["kind"] for stop in stops]
        assert kinds.count("application") >= 3, "views"
        assert kinds.count("step") >= 4
        assert stops[-1]["name"] == "Citation file (CFF)", "the end of the page"
        assert [stop["name"] for stop in stops if not (stop["marked"] and stop["seen"])] == []
        assert problems == []


def test_a_reader_without_a_mouse_searches_darkens_looks_and_leaves(browser: Browser, address: str) -> None:
    with open_page(browser, address + "/", width=1280, reduced_motion="reduce") as (page, problems):
        tab_to(page, "^Search")
        page.keyboard.press("Enter")
        page.get_by_role("dialog", name="Search the book").wait_for()
        page.keyboard.type("telophase")
        page.get_by_role("option").first.wait_for()
        page.keyboard.press("Escape")
        expect(page.get_by_role("button", name="Search")).to_be_focused()

        tab_to(page, "^System")
        page.keyboard.press("ArrowRight")
        until(page, "document.documentElement.dataset.appearance === 'dark'")
        page.keyboard.press("ArrowLeft")
        until(page, "document.documentElement.dataset.appearance !== 'dark'")

        page.goto(address + "/nucleusnet/")
        tab_to(page, "^a telophase")
        page.keyboard.press("Enter")
        page.wait_for_url(re.compile("&roi="))
        before = page.url
        assert page.evaluate_handle(INNERMOST).evaluate(STOP)["kind"] == "application"
        status = page.locator(".nn-panorama .nn-stage > [role=status].nn-hidden").first
        expect(status).to_contain_text(re.compile(r"Panorama \S+ ROI \d+ chosen, telophase\."))
        page.keyboard.press("ArrowRight")
        page.wait_for_url(lambda url: url != before)
        assert (next_stop(page) or {}).get("kind") not in {None, "application"}
        assert problems == []


def test_a_wide_table_is_scrolled_by_keyboard(browser: Browser, address: str) -> None:
    with open_page(browser, address + "/speed/", width=390, reduced_motion="reduce") as (page, _):
        tab_to(page, "^Table$")
        page.keyboard.press("ArrowRight")
        until(page, "document.activeElement.scrollLeft > 0")
