"""A page of the book as the browser prints it: never scrolled, so that no view has been opened."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from reader import open_page

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# Of each figure that has a view: whether the view shows, and what stands in for it, with its caption below.
SHOWN = """() => [...document.querySelectorAll('figure:has([data-widget])')].map((figure) => {
    const seen = (part) => part !== null && part.checkVisibility() && part.getBoundingClientRect().height > 8;
    const [image, text] = [figure.querySelector('.stand-in img'), figure.querySelector('.stand-in p')];
    const part = seen(image) ? image : text ?? figure;
    const below = seen(figure.querySelector('figcaption'))
        && figure.querySelector('figcaption').getBoundingClientRect().top >= part.getBoundingClientRect().bottom;
    return {
        id: figure.id, view: seen(figure.querySelector('.widget-host')), below,
        size: seen(image) ? [image.width > 300, image.naturalWidth, image.naturalHeight] : null,
        text: seen(text) ? text.innerText : '',
    };
})"""


@pytest.mark.parametrize(
    ("path", "pictures"), [("/", 1), ("/million-images/", 4), ("/nucleusnet/", 4), ("/primer/", 10)]
)
def test_on_paper_each_view_is_its_still_picture(path: str, pictures: int, browser: Browser, address: str) -> None:
    with open_page(browser, address + path) as (page, problems):
        assert not any(one["size"] or one["text"] for one in page.evaluate(SHOWN)), "a still picture on the screen"
        # Skia writes the size of each picture that it puts on paper.
        put = re.findall(rb"/Subtype /Image\s/Width (\d+)\s/Height (\d+)", page.pdf())
        page.emulate_media(media="print")
        shown = page.evaluate(SHOWN)
        assert [one["id"] for one in shown if one["view"]] == []
        assert [one["id"] for one in shown if not one["below"]] == []
        sizes = [one["size"] for one in shown if one["size"]]
        assert len(sizes) == pictures
        assert all(wide for wide, *_ in sizes)
        assert {(width, height) for _, width, height in sizes} <= {(int(width), int(height)) for width, height in put}
        assert [one["text"] for one in shown if not one["size"] and "https://" not in one["text"]] == []
        assert problems == []


def test_without_script_each_view_is_its_still_picture(browser: Browser, address: str) -> None:
    with open_page(browser, address + "/nucleusnet/", java_script_enabled=False) as (page, _):
        figure = page.locator("#fig1b")
        assert figure.locator(".stand-in img").evaluate("image => image.getBoundingClientRect().width") > 300
        assert not figure.locator(".widget-host").is_visible()
        assert "https://russellbarkley.github.io" in page.locator("#fig1f .stand-in").inner_text()
