"""A table of the book that readers search, sort, filter and export."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING

from axe import violations
from playwright.sync_api import expect
from reader import open_page, parameters

from nnbook.reviews import known_datasets

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

FILES = {one.name for one in known_datasets() if one.access == "files"}
MOST_NUCLEI = max((one for one in known_datasets() if one.nuclei), key=lambda one: one.nuclei or 0).name
# What moves is known a frame later.
MOVED = """async () => {
    for (let frame = 0; frame < 3; frame++) await new Promise(requestAnimationFrame);
    return window.shifted.reduce((sum, { value }) => sum + value, 0);
}"""


def opened(page: Page) -> Locator:
    figure = page.locator("#table-datasets")
    # The caption in the middle of the screen has the tools below it in view as they are made.
    figure.locator("figcaption").scroll_into_view_if_needed()
    expect(figure.get_by_role("status")).to_contain_text(f"{len(known_datasets())} rows")
    return figure


def names(figure: Locator) -> list[str]:
    rows = figure.locator("tbody tr:not([hidden]) td:first-child").all_inner_texts()
    return [row.removesuffix("*") for row in rows]


def test_a_table_is_sorted_searched_filtered_and_exported_and_its_address_shows_the_same(
    browser: Browser, address: str
) -> None:
    with open_page(browser, f"{address}/choosing/", width=1280) as (page, problems):
        figure = opened(page)
        assert page.evaluate(MOVED) <= 0.02
        assert names(figure) == [one.name for one in known_datasets()]
        head = figure.get_by_role("columnheader", name="Nuclei")
        sort = head.get_by_role("button")
        for order in ("ascending", "descending"):
            sort.press("Enter")
            expect(head).to_have_attribute("aria-sort", order)
        assert names(figure)[0] == MOST_NUCLEI
        figure.get_by_label("Access").select_option("files")
        assert set(names(figure)) == FILES
        expect(figure.get_by_role("status")).to_have_text(
            f"{len(FILES)} of {len(known_datasets())} rows, sorted by Nuclei, descending"
        )
        figure.get_by_role("searchbox").fill("FLUOR bbbc")
        found = names(figure)
        assert 0 < len(found) < len(FILES)
        page.wait_for_url("**find=FLUOR%20bbbc*")
        assert parameters(page) == {
            "table-datasets.sort": "-nuclei",
            "table-datasets.access": "files",
            "table-datasets.find": "FLUOR bbbc",
        }
        with page.expect_download() as saving:
            figure.get_by_role("button", name="Export CSV").click()
        exported = list(csv.DictReader(Path(saving.value.path()).read_text(encoding="utf-8").splitlines()))
        addresses = {one.name: one.address for one in known_datasets()}
        assert [(row["name"], row["address"]) for row in exported] == [(name, addresses[name]) for name in found]

        page.reload()
        figure.scroll_into_view_if_needed()
        expect(figure.get_by_role("status")).to_contain_text(f"{len(found)} of")
        assert names(figure) == found
        assert violations(page) == []
        page.emulate_media(media="print")
        expect(figure.get_by_role("searchbox")).to_be_hidden()
        expect(figure.locator("tbody tr:visible")).to_have_count(len(known_datasets()))
        page.emulate_media(media="screen")
        figure.get_by_role("button", name="Show all").click()
        expect(figure.get_by_role("status")).to_contain_text(f"{len(known_datasets())} rows")
        page.go_back()
        expect(figure.get_by_role("status")).to_contain_text(f"{len(found)} of")
    assert problems == []


def test_on_a_phone_the_choices_open_by_a_button_and_the_page_stays_as_wide(browser: Browser, address: str) -> None:
    with open_page(browser, f"{address}/choosing/", width=390) as (page, problems):
        figure = opened(page)
        assert page.evaluate(MOVED) <= 0.02
        expect(figure.get_by_label("Task")).to_be_hidden()
        figure.get_by_role("button", name="Filter").click()
        figure.get_by_label("Task").select_option("classification")
        expect(figure.get_by_role("button", name="Filter")).to_have_text("Filter (1)")
        overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert page.evaluate(overflow) <= 0
    assert problems == []
