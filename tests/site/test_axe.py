"""Every page of the book can be read by everyone, as far as axe finds: WCAG 2.1 AA, light and dark."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from axe import violations
from reader import SITE, open_page, page_paths, rest, scroll_through

if TYPE_CHECKING:
    from playwright.sync_api import Browser

PAGES = page_paths(SITE) or ["/"]


@pytest.mark.parametrize("path", PAGES)
def test_a_page_has_no_violation(path: str, browser: Browser, address: str) -> None:
    with open_page(browser, address + path) as (page, _):
        scroll_through(page)
        page.evaluate("scrollTo({ top: 0, behavior: 'instant' })")
        found = {"light": violations(page)}
        page.emulate_media(color_scheme="dark")
        rest(page, 300)  # a Plotly figure draws itself anew
        found["dark"] = violations(page)
    assert found == {"light": [], "dark": []}


def test_axe_finds_a_fault(browser: Browser, address: str) -> None:
    with open_page(browser, address) as (page, _):
        page.evaluate("document.querySelector('main').innerHTML = '<img src=\"/favicon.svg\"><button></button>'")
        found = violations(page)
    assert {line.split(":")[0] for line in found} >= {"image-alt", "button-name"}
