"""The layers of the book: what was published, and the simulation beside it, under a switch in each figure."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect
from reader import BOOK, CELLS, PANORAMA, SCATTER, open_page, scroll_through, wait_for_viewers

if TYPE_CHECKING:
    from playwright.sync_api import Browser

PUBLISHED_ROWS = 1600
SIMULATED_ROWS = 160


def test_the_scatter_shows_the_published_panoramas_and_at_a_click_the_simulated_ones(
    browser: Browser, address: str
) -> None:
    with open_page(browser, f"{address}/nucleusnet/") as (page, problems):
        scroll_through(page)
        scatter = page.locator(SCATTER)
        plane = scatter.get_by_role("application")
        expect(plane).to_have_attribute("aria-label", re.compile(rf"\b{PUBLISHED_ROWS} panoramas"))
        switch = scatter.get_by_role("radiogroup", name="Data")
        expect(switch.get_by_role("radio", name="Published")).to_be_checked()
        switch.evaluate("bar => scrollBy({ top: bar.getBoundingClientRect().top - 32, behavior: 'instant' })")
        chosen = switch.locator("label", has_text="Simulated").bounding_box()
        search = scatter.get_by_role("searchbox").bounding_box()
        assert chosen is not None
        page.mouse.click(chosen["x"] + chosen["width"] / 2, chosen["y"] + chosen["height"] / 2)
        expect(plane).to_have_attribute("aria-label", re.compile(rf"\b{SIMULATED_ROWS} panoramas"))
        expect(scatter).to_have_attribute("data-state", "ready")
        assert switch.locator("label", has_text="Simulated").bounding_box() == chosen, "it moved from under the pointer"
        assert scatter.get_by_role("searchbox").bounding_box() == search
        page.reload()
        scroll_through(page)
        expect(plane).to_have_attribute("aria-label", re.compile(rf"\b{SIMULATED_ROWS} panoramas"))
        assert problems == []


def test_cells_of_the_only_layer_that_has_some_are_called_what_they_are(browser: Browser, address: str) -> None:
    with open_page(browser, f"{address}/nucleusnet/") as (page, _):
        scroll_through(page)
        browser_of_cells = page.locator(CELLS).first
        expect(browser_of_cells.get_by_text("Simulated").first).to_be_visible()


@pytest.mark.parametrize("script", [True, False])
def test_the_tables_of_a_figure_are_under_a_switch(browser: Browser, address: str, script: bool) -> None:
    with open_page(browser, f"{address}/nucleusnet/", java_script_enabled=script) as (page, _):
        figure = page.locator("#table1")
        tables = figure.locator("table")
        assert [table.locator("tbody tr").count() for table in tables.all()] == [10, 10]
        expect(tables.nth(0)).to_be_visible()
        expect(tables.nth(1)).to_be_hidden()
        figure.locator("label", has_text="Simulated").click()
        expect(tables.nth(0)).to_be_hidden()
        expect(tables.nth(1)).to_be_visible()


def test_a_figure_of_one_layer_names_it(browser: Browser, address: str) -> None:
    with open_page(browser, f"{address}/nucleusnet/") as (page, _):
        expect(page.locator("#fig1d .layer")).to_have_text("Simulated")
        assert page.locator("#fig1d .tabs").count() == 0


def test_an_address_that_moves_a_view_brings_it_up_far_down_a_page(browser: Browser, address: str) -> None:
    place = json.loads((BOOK / "steps.json").read_text())["places"]["touching"]
    view = ",".join(map(str, place["view"]))
    move = f"#fig1a&panorama={place['panorama']}&layer=twin&roi={place['roi']}&view={view}"
    with open_page(browser, f"{address}/nucleusnet/{move}") as (page, problems):
        expect(page.locator("#fig1a")).to_be_in_viewport()
        expect(page).to_have_url(re.compile(rf"\?panorama={place['panorama']}.*roi={place['roi']}.*#fig1a$"))
        assert problems == []


def test_a_copied_link_opens_at_its_figure_and_says_nothing_of_others(browser: Browser, address: str) -> None:
    place = json.loads((BOOK / "steps.json").read_text())["places"]["touching"]
    chosen = f"panorama={place['panorama']}&layer=twin&roi={place['roi']}"
    with open_page(browser, f"{address}/nucleusnet/?fig1b.draw=7&{chosen}") as (page, _):
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        scroll_through(page)
        wait_for_viewers(page)
        card = page.locator(PANORAMA).get_by_role("region", name="Chosen nucleus")
        card.get_by_role("button", name="Copy link").click()
        expect(card.get_by_text("Link copied.")).to_be_visible()
        link = page.evaluate("() => navigator.clipboard.readText()")
    assert link.endswith("#fig1a")
    assert "fig1b.draw" not in link
    assert all(part in link for part in chosen.split("&"))


def test_a_view_fills_its_stage_in_the_page(browser: Browser, address: str) -> None:
    # The page's style sheet has variables of its own, which reach into the view.
    with open_page(browser, f"{address}/") as (page, _):
        wait_for_viewers(page)
        viewer = page.locator(PANORAMA)
        assert viewer.locator(".nn-area").bounding_box() == viewer.locator(".nn-stage").bounding_box()
