"""Numbers of the text, and what is under figures: where they come from, as a reader finds it."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect
from reader import BOOK, Scheme, copy_book, open_page, plain

from nnbook.book.website import build_site
from nnbook.errors import NnbookError
from nnbook.values.computed import MIME, collect_numbers, read_numbers
from nnbook.values.published import CITED

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Locator, Page

CHAPTER = "/million-images/"
KEY = "published.area.cm2"
CARD = ".preview"


def number(page: Page, shown: str) -> Locator:
    return page.locator("a.value-number", has_text=shown).first


def card_text(page: Page) -> str:
    return plain(page.locator(CARD).inner_text())


@pytest.mark.parametrize("reach", ["hover", "focus"])
def test_a_number_has_its_unit_and_says_where_it_comes_from(browser: Browser, address: str, reach: str) -> None:
    known = read_numbers(BOOK)[KEY]
    with open_page(browser, address + CHAPTER) as (page, problems):
        value = number(page, known["shown"])
        assert "\u00a0cm²" in (value.text_content() or "")
        expect(page.locator(CARD)).to_be_hidden()
        getattr(value, reach)()
        expect(page.locator(CARD)).to_be_visible()
        for expected in (
            plain(known["shown"]),
            known["title"],
            known["source"],
            "Recomputed from published data alone",
        ):
            assert expected in card_text(page)
        href = page.locator(f"{CARD} a").get_attribute("href") or ""
        assert re.search(rf"/{known['notebook']}/$", href)
        assert value.get_attribute("title") is None, "the browser's own tooltip would cover it"
        assert problems == []


def test_a_number_of_simulated_panoramas_says_so(browser: Browser, address: str) -> None:
    with open_page(browser, address + "/segmentation/") as (page, _):
        number(page, read_numbers(BOOK)["accuracy.f1"]["shown"]).hover()
        expect(page.locator(CARD)).to_contain_text("Simulated panoramas")
        assert "accuracy/scores.csv" in card_text(page)


def test_a_published_value_is_marked_and_names_its_source(browser: Browser, address: str) -> None:
    cited = CITED["area.px2"]
    with open_page(browser, address + CHAPTER) as (page, problems):
        value = page.locator("a.value-published", has_text=cited.shown).first
        assert value.text_content() == f"{cited.shown}†"
        value.hover()
        expect(page.locator(CARD)).to_contain_text(f"Published value: {cited.source.authors}, {cited.source.title}")
        assert (value.get_attribute("href") or "").endswith("/reproduce/#published-values")
        assert page.locator("a.value-number sup").count() == 0
        value.click()
        expect(page).to_have_url(re.compile("#published-values$"))
        expect(page.locator("#published-values")).to_be_in_viewport()
        row = page.locator("table.index tr", has=page.locator("code", has_text=re.compile(rf"^{cited.key}$"))).last
        expect(row.get_by_role("link")).to_have_attribute("href", cited.source.address)
        assert problems == []


def test_a_page_without_scripts_still_says_where(browser: Browser, address: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address + CHAPTER)
    title = number(page, read_numbers(BOOK)[KEY]["shown"]).get_attribute("title") or ""
    assert "Computed by nnbook." in title
    context.close()


def test_every_number_and_published_value_is_listed(browser: Browser, address: str) -> None:
    with open_page(browser, f"{address}/reproduce/") as (page, problems):
        listed = [
            text for table in page.locator("table.index").all() for text in table.locator("td code").all_inner_texts()
        ]
        assert set(read_numbers(BOOK)) | set(CITED) <= set(listed)
        table = page.locator("#table-reproduction table")
        verdicts = {row.locator("td").nth(1).inner_text() for row in table.locator("tbody tr").all()}
        assert verdicts == {"yes", "–"}
        assert problems == []


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (360, "dark")])
@pytest.mark.parametrize("path", ["/nucleusnet/", CHAPTER, "/segmentation/", "/reproduce/"])
def test_how_each_figure_was_made_is_under_it(
    browser: Browser, address: str, path: str, width: int, scheme: Scheme
) -> None:
    with open_page(browser, address + path, width=width, scheme=scheme) as (page, _):
        # Nothing in the build made images of another site, and the table of methods.
        figures = page.locator("figure:not(figure figure, #fig1f, #fig1g, #fig1h, #table-methods)").all()
        assert figures
        for figure in figures:
            made = figure.locator("details.made")
            expect(made).to_have_count(1)
            expect(made.locator("dl")).to_be_hidden()
            made.locator("summary").focus()
            page.keyboard.press("Enter")
            expect(made.locator("dl")).to_be_visible()
            text = plain(made.inner_text())
            assert re.search(r"Make it again (nnbook notebook [\w-]+|make run)", text), text
            assert re.search(r"\.(csv|json|yml|parquet) [0-9a-f]{8}", text), text
        assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0


def test_print_keeps_how_a_figure_was_made_to_a_line(browser: Browser, address: str) -> None:
    with open_page(browser, address + "/nucleusnet/") as (page, _):
        page.locator("details.made summary").first.click()
        expect(page.locator("details.made dl").first).to_be_visible()
        page.emulate_media(media="print")
        expect(page.locator("details.made dl").first).to_be_hidden()


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("{number}`area.cm3`", "number area.cm3, which no notebook names; there are area.cm2"),
        ("{published}`area.m2`", "published value area.m2, which published.yml does not cite"),
    ],
)
def test_an_unknown_key_stops_the_build_and_is_named_with_page_and_line(text: str, named: str, tmp_path: Path) -> None:
    chapter = copy_book(tmp_path) / "chapters" / "index.md"
    before = chapter.read_text(encoding="utf-8")
    chapter.write_text(f"{before}\n{text}\n", encoding="utf-8")
    with pytest.raises(NnbookError, match=re.escape(named)) as caught:
        build_site(tmp_path)
    assert re.search(rf"chapters/index\.md:{len(before.splitlines()) + 2}\b", str(caught.value))


def test_a_value_that_a_notebook_changed_changes_the_page(tmp_path: Path) -> None:
    project = copy_book(tmp_path)
    path = project / "build" / "book" / "notebooks" / "reproduction.ipynb"
    executed = json.loads(path.read_text(encoding="utf-8"))
    outputs = [output for cell in executed["cells"] for output in cell.get("outputs", [])]
    named = [one for output in outputs for one in output.get("data", {}).get(MIME, [])]
    next(one for one in named if one["key"] == "published.area.cm2").update(value=98.7654, shown="98.7654\u00a0cm²")
    path.write_text(json.dumps(executed), encoding="utf-8")
    collect_numbers(project / "build" / "book")
    page = build_site(project) / "million-images" / "index.html"
    assert "98.7654\u00a0cm²" in page.read_text(encoding="utf-8")
