"""The cell browser, used as a reader would: by mouse, by keyboard, from a link, and on hosts of several kinds."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import numpy as np
import pandas as pd
import pytest
from file_server import serving
from playwright.sync_api import expect
from ranges import RangeHandler
from reader import BOOK, CELLS, PANORAMA, PROJECT, Scheme, bring_into_view, drag, open_page, pixels, rest, settled

from nnbook.book.website import hosted_cells
from nnbook.cells.store import read_cells

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Locator, Page

    from nnbook.cells.store import Cells

CHAPTER = "/million-images/"
AXE = PROJECT / "theme/node_modules/axe-core/axe.min.js"
SERIOUS = """async () => {
    const { violations } = await axe.run(document, { resultTypes: ['violations'] });
    return violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')
        .map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`);
}"""
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Cells</title><link rel="icon" href="data:,">
<body style="margin: 0"><main><h1>Cells</h1><div id="host"></div></main>
<script type="module">
import widget from './cells.mjs';
const values = { cells: 'cells/cells.json', height: 500 };
const el = document.createElement('div');
document.getElementById('host').attachShadow({ mode: 'open' }).append(el);
widget.render({ model: { get: (name) => values[name], set() {}, on() {} }, el });
</script>"""
# What has not come is drawn in one colour, at which no image begins.
DRAWN = """(cells) => {
    const view = cells.querySelector('.nn-grid').getBoundingClientRect();
    const rows = [...cells.querySelectorAll('.nn-row:not([hidden])')].filter((row) => {
        const box = row.getBoundingClientRect();
        return box.top < view.bottom && box.bottom > view.top;
    });
    return rows.length > 0 && rows.every((row) => {
        const canvas = row.querySelector('canvas');
        const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, 1);
        for (let at = 0; at < data.length; at += 4) if (data[at] === 25 && data[at + 1] === 27) return false;
        return true;
    });
}"""
# The images of the first row, as they are drawn: a list of grey levels each.
FIRST_ROW = """(cells) => {
    const row = cells.querySelector('.nn-row[aria-rowindex="1"]');
    const context = row.querySelector('canvas').getContext('2d');
    const side = context.canvas.height;
    const width = row.querySelector('.nn-cell').getBoundingClientRect().width;
    return [...row.querySelectorAll('.nn-cell:not([hidden])')].map((cell, column) => {
        const x = Math.round((column * (width + 2) * side) / width);
        const { data } = context.getImageData(x, 0, side, side);
        return Array.from({ length: side * side }, (_, at) => data[4 * at]);
    });
}"""


@pytest.fixture(scope="module")
def cells() -> Cells:
    """The cells of the book's edition."""
    return read_cells(BOOK / "cells")


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A folder with a page of nothing but the cell browser, and a copy of the book's cells that a test may break."""
    shutil.copyfile(PROJECT / "widgets/dist/cells.mjs", tmp_path / "cells.mjs")
    (tmp_path / "index.html").write_text(PAGE, encoding="utf-8")
    shutil.copytree(BOOK / "cells", tmp_path / "cells")
    return tmp_path


@pytest.fixture
def hosted(bare: Path) -> Iterator[str]:
    """The address of that page, on a host that answers range requests."""
    RangeHandler.parts.clear()
    with serving(bare, RangeHandler) as address:
        yield address


def link(address: str, **state: object) -> str:
    return f"{address}/index.html?{urlencode(state, safe=':;,.')}"


def opened(page: Page) -> Locator:
    """Wait until the cell browser of a page shows images in all of its view."""
    browser = page.locator(CELLS)
    browser.and_(page.locator("[data-state=ready]")).wait_for()
    drawn(browser)
    return browser


def drawn(browser: Locator) -> None:
    browser.page.wait_for_function(DRAWN, arg=browser.element_handle())


def in_book(page: Page) -> Locator:
    """Bring the page's cell browser into view."""
    for widget in page.locator("[data-widget]").all():
        widget.scroll_into_view_if_needed()
        expect(widget).not_to_have_attribute("data-widget", "")
        if page.locator(CELLS).count():
            break
    bring_into_view(page.locator(CELLS))
    return opened(page)


_thumbnails: dict[bytes, int] = {}


def row_of(browser: Locator, cells: Cells) -> list[int]:
    """Return which cells the first row shows, by their pixels."""
    if not _thumbnails:
        _thumbnails.update({image.tobytes(): at for at, image in enumerate(cells.thumbnails[:])})
    return [_thumbnails[np.array(image, np.uint8).tobytes()] for image in browser.evaluate(FIRST_ROW)]


def test_a_seed_in_the_address_shows_another_browser_the_same_draw(browser: Browser, hosted: str, cells: Cells) -> None:
    with open_page(browser, link(hosted)) as (page, problems):
        shown = opened(page)
        seed = settled(page, "draw")
        first = row_of(shown, cells)
        assert shown.locator(".nn-drawn").inner_text() == f"All {len(cells):,} cells"
        expect(shown.get_by_role("textbox", name="Draw")).to_have_value(seed)
        with open_page(browser, page.url) as (other, _):
            assert row_of(opened(other), cells) == first
        shown.get_by_role("button", name="New draw").click()
        page.wait_for_url(lambda url: f"draw={seed}" not in url)
        drawn(shown)
        assert row_of(shown, cells) != first
        page.go_back()
        page.wait_for_url(re.compile(f"draw={seed}"))
        drawn(shown)
        assert row_of(shown, cells) == first
        assert problems == []


def test_two_readers_who_bring_no_seed_get_different_draws(browser: Browser, hosted: str) -> None:
    seeds = []
    for _ in range(2):
        with open_page(browser, link(hosted)) as (page, _):
            opened(page)
            seeds.append(settled(page, "draw"))
    assert seeds[0] != seeds[1]


def test_only_what_is_in_view_is_fetched_and_the_rest_when_it_comes(
    browser: Browser, hosted: str, cells: Cells, bare: Path
) -> None:
    with open_page(browser, link(hosted, draw=3)) as (page, problems):
        shown = opened(page)
        parts = list(RangeHandler.parts)
        assert {part.path.split("/")[3] for part in parts} == {"thumbnails"}
        whole = sum(file.stat().st_size for file in (bare / "cells/cells.zarr/thumbnails").rglob("0"))
        assert sum(part.end - part.first for part in parts) < 0.6 * whole
        assert len(parts) <= 2 * shown.locator(".nn-cell:visible").count(), "the index of its shard, and the image"
        grid = shown.get_by_role("grid")
        grid.evaluate("grid => grid.scrollTo({ top: grid.scrollHeight / 2 })")
        drawn(shown)
        assert len(RangeHandler.parts) > len(parts)
        rest(page, 1000)  # rows beyond those in view come, too
        RangeHandler.parts.clear()
        grid.evaluate("grid => grid.scrollTo({ top: 0 })")
        drawn(shown)
        rest(page, 300)
        assert RangeHandler.parts == [], "what was there is kept"
        assert problems == []
    assert len(cells) > 1000


def test_a_host_without_ranges_hands_out_shards_once(browser: Browser, bare: Path, cells: Cells) -> None:
    asked: list[str] = []
    with serving(bare) as address, open_page(browser, "about:blank") as (page, problems):
        problems.clear()
        page.on("request", lambda request: asked.append(request.url))
        page.goto(link(address, draw=3, sort="area_um2"))
        shown = opened(page)
        first = row_of(shown, cells)
        shown.get_by_role("grid").evaluate("grid => grid.scrollTo({ top: grid.scrollHeight })")
        drawn(shown)
    areas = cells.table["area_um2"].to_numpy()
    assert areas[first].tolist() == np.sort(areas)[: len(first)].tolist()
    shards = [url for url in asked if "/thumbnails/c/" in url]
    assert 2 < len(shards) == len(set(shards)) <= len(cells.about["shards"])


class OtherOriginHandler(RangeHandler):
    """A host that pages of other origins may read, and that answers no browser which asks beforehand."""

    def end_headers(self) -> None:
        self.send_header("Access-Control-Allow-Origin", "*")
        super().end_headers()


def test_cells_on_another_host_are_read_by_ranges(browser: Browser, bare: Path, cells: Cells, tmp_path: Path) -> None:
    store = bare / "cells"
    store.rename(tmp_path / "elsewhere")
    RangeHandler.parts.clear()
    with serving(tmp_path / "elsewhere", OtherOriginHandler) as host, serving(bare) as address:
        store.mkdir()
        hosted = hosted_cells(tmp_path / "elsewhere", host)
        (store / "cells.json").write_text(json.dumps(hosted), encoding="utf-8")
        with open_page(browser, link(address, draw=3, sort="area_um2")) as (page, problems):
            shown = opened(page)
            first = row_of(shown, cells)
            shown.locator('.nn-row[aria-rowindex="1"] .nn-cell').first.click()
            card = shown.get_by_role("region", name="Chosen cell")
            expect(card.get_by_role("heading")).to_have_text(cells.table["cell"][first[0]])
    assert cells.table["area_um2"][first[0]] == cells.table["area_um2"].min()
    assert [problem for problem in problems if not problem.startswith(f"asks another host: {host}")] == []
    table = (tmp_path / "elsewhere" / "cells.parquet").stat().st_size
    asked = [part for part in RangeHandler.parts if part.path == "/cells.parquet"]
    assert asked[0].end == table
    assert all(part.end - part.first < table for part in asked) or table < 1 << 18


def test_cells_are_put_in_order_and_narrowed_by_measurements_run_and_class(
    browser: Browser, hosted: str, cells: Cells
) -> None:
    table = cells.table
    with open_page(browser, link(hosted, draw=3)) as (page, problems):
        shown = opened(page)
        shown.get_by_role("combobox", name="Order").select_option("mean_intensity")
        settled(page, "sort")
        shown.get_by_role("button", name="Smallest first").click()
        page.wait_for_url(re.compile("sort=-mean_intensity"))
        drawn(shown)
        levels = table["mean_intensity"].to_numpy()
        assert levels[row_of(shown, cells)].tolist() == np.sort(levels)[::-1][: len(row_of(shown, cells))].tolist()
        shown.get_by_role("button", name="Measurements").click()
        area = shown.get_by_role("group", name="Area")
        area.get_by_role("slider", name="Area from").focus()
        for _ in range(40):
            page.keyboard.press("ArrowRight")
        found = re.search(r"area_um2:([\d.]+)\.\.", settled(page, "filter"))
        assert found is not None
        at_least = float(found[1])
        passing = table["area_um2"] >= at_least
        expect(shown.locator(".nn-drawn")).to_contain_text(f"{passing.sum():,} of them shown")
        shown.get_by_role("combobox", name="Experiment").select_option("3")
        passing &= table["run"] == 3
        expect(shown.locator(".nn-drawn")).to_contain_text(f"{passing.sum():,} of them shown")
        area.get_by_role("button", name="All values of Area").click()
        shown.get_by_role("combobox", name="Experiment").select_option("")
        kinds = table["class"].value_counts()
        rare = kinds.index[-1]
        shown.get_by_role("combobox", name="Class").select_option(rare)
        expect(shown.locator(".nn-drawn")).to_contain_text(f"{kinds[rare]:,} of them shown")
        drawn(shown)
        assert set(table["class"].iloc[row_of(shown, cells)]) == {rare}
        assert problems == []


def test_a_drag_over_a_histogram_takes_its_range(browser: Browser, hosted: str, cells: Cells) -> None:
    with open_page(browser, link(hosted, draw=3)) as (page, problems):
        shown = opened(page)
        shown.get_by_role("button", name="Measurements").click()
        picture = shown.get_by_role("group", name="Mean intensity").locator(".nn-brush svg")
        picture.wait_for()
        box = picture.bounding_box()
        assert box is not None
        x, y = box["x"] + box["width"] * 0.25, box["y"] + 15
        drag(page, (x, y), (x + box["width"] * 0.25, y))
        found = re.fullmatch(r"mean_intensity:([\d.]+)\.\.([\d.]+)", settled(page, "filter"))
        assert found is not None
        least, most = cells.table["mean_intensity"].min(), cells.table["mean_intensity"].max()
        low, high = ((float(value) - least) / (most - least) for value in found.groups())
        assert (low, high) == (pytest.approx(0.25, abs=0.02), pytest.approx(0.5, abs=0.02))
        passing = cells.table["mean_intensity"].between(float(found[1]), float(found[2])).sum()
        expect(shown.locator(".nn-drawn")).to_contain_text(f"{passing:,} of them shown")
        assert problems == []


def test_a_chosen_cell_is_shown_large_with_its_measurements(browser: Browser, hosted: str, cells: Cells) -> None:
    with open_page(browser, link(hosted, draw=3)) as (page, problems):
        shown = opened(page)
        at = row_of(shown, cells)[2]
        row = cells.table.iloc[at]
        shown.locator('.nn-row[aria-rowindex="1"] .nn-cell').nth(2).click()
        card = shown.get_by_role("region", name="Chosen cell")
        expect(card.get_by_role("heading")).to_have_text(row["cell"])
        assert settled(page, "panorama") == row["panorama"]
        assert settled(page, "roi") == str(row["roi"])
        text = card.inner_text()
        assert f"{row['area_um2']:.3g} µm²" in text
        assert f"mean {row['mean_intensity']:.3g}, standard deviation {row['std_intensity']:.3g}" in text
        assert row["class"] in text
        canvas = card.locator(".nn-picture canvas")
        page.wait_for_function("canvas => canvas.width === 256", arg=canvas.element_handle())
        large = canvas.evaluate(
            "canvas => Array.from(canvas.getContext('2d').getImageData(0, 0, 256, 256).data)"
            ".filter((_, at) => at % 4 === 0)"
        )
        assert (np.array(large, np.uint8).reshape(256, 256) == cells.images[at]).all()
        bar, words = card.locator(".nn-scale-bar").bounding_box(), card.locator(".nn-scale-text").inner_text()
        width = card.locator(".nn-picture").bounding_box()
        assert bar is not None
        assert width is not None
        um = float(words.removesuffix(" µm"))
        assert bar["width"] == pytest.approx(um * cells.px_per_um * width["width"] / 256, rel=0.02)
        card.get_by_role("button", name="Next cell").click()
        expect(card.get_by_role("heading")).to_have_text(cells.table["cell"].iloc[row_of(shown, cells)[3]])
        page.go_back()
        card.wait_for(state="hidden")
        assert problems == []


def test_a_seed_is_typed_and_cells_are_found_by_name_and_saved(browser: Browser, hosted: str, cells: Cells) -> None:
    table = cells.table
    with open_page(browser, link(hosted, draw=3), accept_downloads=True) as (page, problems):
        shown = opened(page)
        first = row_of(shown, cells)
        counted = shown.locator(".nn-drawn")
        seed = shown.get_by_role("textbox", name="Draw")
        for typed, taken in (("nonsense", "3"), ("0", "3"), ("4", "4")):
            seed.fill(typed)
            seed.press("Enter")
            shown.get_by_role("searchbox", name="Find").focus()
            expect(seed).to_have_value(taken)
        page.wait_for_url(re.compile("draw=4"))
        drawn(shown)
        assert row_of(shown, cells) != first

        name = table["panorama"].iloc[0]
        find = shown.get_by_role("searchbox", name="Find")
        find.fill(name.lower())
        find.press("Enter")
        of_panorama = table[table["panorama"].str.contains(name, regex=False)]
        expect(counted).to_have_text(f"{len(of_panorama):,} cells")
        drawn(shown)
        assert set(row_of(shown, cells)) <= set(of_panorama.index)
        with page.expect_download() as saving:
            shown.get_by_role("button", name="Save the table of the cells shown as CSV").click()
        saved = pd.read_csv(saving.value.path())
        assert saved["cell"].tolist() == of_panorama["cell"].tolist()
        assert {"x_px", "area_um2", "mean_intensity", "orientation_deg"} <= set(saved)
        assert saved["area_um2"].to_numpy() == pytest.approx(of_panorama["area_um2"].to_numpy(), rel=1e-5)

        find.fill("zzz")
        find.press("Enter")
        expect(counted).to_have_text("0 cells")
        expect(shown.locator(".nn-none")).to_contain_text("has this in its name")
        expect(shown.locator("> [role=status].nn-hidden")).to_contain_text("0 cells shown. No panorama")
        assert problems == []


def test_the_cells_most_like_one_are_shown_and_saved_as_a_picture(browser: Browser, hosted: str, cells: Cells) -> None:
    table = cells.table
    with open_page(browser, link(hosted, draw=3, find=table["cell"].iloc[1]), accept_downloads=True) as (
        page,
        problems,
    ):
        shown = opened(page)
        counted = shown.locator(".nn-drawn")
        expect(counted).to_have_text("1 cell")
        shown.locator(".nn-cell").first.click()
        shown.get_by_role("button", name="More like this").click()
        expect(counted).to_have_text("100 cells")
        measures = table[["area_um2", "mean_intensity", "std_intensity", "elongation"]]
        distances = (((measures - measures.iloc[1]) / measures.std(ddof=0)) ** 2).sum(axis=1)
        drawn(shown)
        row = row_of(shown, cells)
        assert row[0] == 1
        assert distances.iloc[row].to_numpy() == pytest.approx(np.sort(distances)[: len(row)], rel=1e-3)
        expect(shown.locator(".nn-scope")).to_contain_text(
            "by area, mean intensity, standard deviation of intensity and elongation"
        )
        with page.expect_download() as saving:
            shown.get_by_role("button", name="Save the cells in view as a picture").click()
        assert saving.value.suggested_filename.endswith(".png")
        picture = pixels(Path(saving.value.path()).read_bytes())
        assert (picture[:64, :64].max(axis=2) == cells.thumbnails[row[0]]).mean() > 0.9
        shown.get_by_role("button", name="Back to the draw").click()
        expect(counted).to_have_text(f"All {len(cells):,} cells")
        stage = shown.locator(".nn-stage")
        low = stage.evaluate("stage => stage.clientHeight")
        shown.get_by_role("button", name="Full screen").click()
        page.wait_for_function("([stage, low]) => stage.clientHeight > low", arg=[stage.element_handle(), low])
        assert shown.evaluate("shown => shown.matches(':fullscreen')")
        assert problems == []


def test_contrast_changes_the_cells_and_the_large_view(browser: Browser, hosted: str, cells: Cells) -> None:
    with open_page(browser, link(hosted, draw=3)) as (page, problems):
        shown = opened(page)
        before = row_of(shown, cells)
    with open_page(browser, link(hosted, draw=3, contrast="10,60,1", invert=1)) as (page, problems):
        shown = opened(page)
        wanted = cells.thumbnails[before[0]].astype(float)
        table = 255 - np.floor(np.clip((wanted - 10) / 50, 0, 1) * 255 + 0.5)
        got = np.array(shown.evaluate(FIRST_ROW)[0]).reshape(64, 64)
        assert np.abs(got - table).max() <= 1
        assert problems == []


def test_large_squares_show_full_images(browser: Browser, hosted: str, cells: Cells) -> None:
    with open_page(browser, link(hosted, draw=3)) as (page, _):
        first = row_of(opened(page), cells)
    with open_page(browser, link(hosted, draw=3, size=200)) as (page, problems):
        shown = opened(page)
        expect(shown.locator(".nn-row canvas").first).to_have_attribute("height", "256")
        page.wait_for_function(
            "([cells, wanted]) => cells.querySelector('.nn-row[aria-rowindex=\"1\"] canvas').getContext('2d')"
            ".getImageData(0, 0, 256, 256).data.filter((_, at) => at % 4 === 0).join() === wanted",
            arg=[shown.element_handle(), ",".join(map(str, cells.images[first[0]].ravel().tolist()))],
        )
        shown.get_by_role("button", name="Contrast").click()
        expect(shown.locator(".nn-histogram path")).to_have_attribute("d", re.compile("^M0 48V"))
        assert problems == []


def test_it_is_used_by_keyboard(browser: Browser, hosted: str) -> None:
    with open_page(browser, link(hosted, draw=3)) as (page, problems):
        shown = opened(page)
        grid = shown.get_by_role("grid")
        columns, rows = (int(grid.get_attribute(f"aria-{what}count") or 0) for what in ("col", "row"))
        assert shown.locator('.nn-cell[tabindex="0"]').count() == 1
        shown.locator('.nn-cell[tabindex="0"]').focus()

        def focused() -> str:
            return str(shown.evaluate("cells => cells.getRootNode().activeElement.getAttribute('aria-label')"))

        def press(keys: str, number: int) -> None:
            for key in keys.split():
                page.keyboard.press(key)
            row, column = shown.evaluate(
                "cells => [cells.getRootNode().activeElement].flatMap((cell) => "
                "[cell.parentElement.getAttribute('aria-rowindex'), cell.getAttribute('aria-colindex')])"
            )
            assert (int(row) - 1) * columns + int(column) == number, keys

        press("ArrowRight ArrowRight", 3)
        press("ArrowDown", 3 + columns)
        press("End", 2 * columns)
        press("Home", columns + 1)
        press("Control+End", int(shown.locator(".nn-drawn").inner_text().split("All ")[1].split()[0].replace(",", "")))
        assert grid.evaluate("grid => grid.scrollTop > grid.scrollHeight / 2")
        press("Control+Home", 1)
        page.keyboard.press("PageDown")
        page.keyboard.press("PageUp")
        press("ArrowUp", 1)
        press("ArrowRight", 2)
        page.keyboard.press("Enter")
        card = shown.get_by_role("region", name="Chosen cell")
        card.wait_for()
        expect(shown.locator('.nn-cell[aria-selected="true"]')).to_have_count(1)
        expect(shown.locator("p.nn-hidden[role=status]")).to_contain_text("chosen")
        page.keyboard.press("Escape")
        card.wait_for(state="hidden")
        # A cell has the name that it has everywhere in the book.
        second = shown.locator('.nn-row[aria-rowindex="1"] .nn-cell').nth(1)
        expect(second).to_have_attribute("aria-label", re.compile(r"^Run\d+\w+_ROI_\d+"))
        assert focused() == second.get_attribute("aria-label")
        assert rows > 10
        assert problems == []


def test_the_panorama_viewer_of_the_page_follows_and_is_followed(browser: Browser, site: Path, cells: Cells) -> None:
    table = cells.table
    listed = json.loads((BOOK / "pyramids/index.json").read_text(encoding="utf-8"))["panoramas"]
    others = table[~table["panorama"].isin([one["panorama"] for one in listed])]
    one, other = others[others["panorama"] == others["panorama"].iloc[0]].iloc[:2].to_dict("records")
    with serving(site, RangeHandler) as address:
        state = {"fig4c.draw": 3, "panorama": one["panorama"], "roi": one["roi"]}
        with open_page(browser, f"{address}{CHAPTER}?{urlencode(state)}") as (page, problems):
            viewer = page.locator(PANORAMA)
            page.locator("[data-widget]").nth(1).scroll_into_view_if_needed()
            viewer.and_(page.locator("[data-state=ready]")).wait_for()
            shown = in_book(page)
            card = shown.get_by_role("region", name="Chosen cell")
            expect(card.get_by_role("heading")).to_have_text(one["cell"])
            card.get_by_role("button", name="Find it in the panorama").click()
            viewer.locator(".nn-card-name", has_text=f"ROI {one['roi']}").wait_for()
            page.wait_for_function(
                "() => [...new URLSearchParams(location.search)].some("
                "([name, value]) => name.endsWith('view') && Number(value.split(',')[2]) < 1000)"
            )
            page.evaluate(
                "search => { history.pushState(null, '', search);"
                " dispatchEvent(new CustomEvent('nnbook:address', { detail: null })); }",
                f"?{urlencode({**state, 'roi': other['roi']})}",
            )
            expect(card.get_by_role("heading")).to_have_text(other["cell"])
            viewer.locator(".nn-card-name", has_text=f"ROI {other['roi']}").wait_for()
            assert problems == []


class WithoutTiles(RangeHandler):
    """Serves a book none of whose panoramas has tiles, but for those of its index."""

    def do_GET(self) -> None:  # noqa: N802 - its name in the standard library
        if not self.path.endswith("/pyramids/panoramas.json"):
            super().do_GET()
            return
        listed = json.loads(Path(self.translate_path(self.path)).read_text(encoding="utf-8"))
        columns = listed["columns"]
        columns |= {name: [None] * len(columns["panorama"]) for name in ("pyramid", "tiles")}
        data = json.dumps(listed).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def test_of_a_panorama_with_a_preview_alone_that_is_said(browser: Browser, site: Path, cells: Cells) -> None:
    shown_at_full_size = json.loads((BOOK / "pyramids/index.json").read_text(encoding="utf-8"))["panoramas"]
    names = {panorama["panorama"] for panorama in shown_at_full_size}
    one = next(row for row in cells.table.to_dict("records") if row["panorama"] not in names)
    with serving(site, WithoutTiles) as address:
        state = {"fig4c.draw": 3, "panorama": one["panorama"], "roi": one["roi"]}
        with open_page(browser, f"{address}{CHAPTER}?{urlencode(state)}") as (page, problems):
            card = in_book(page).get_by_role("region", name="Chosen cell")
            expect(card).to_contain_text("only a reduced image")
            image = card.get_by_role("img", name="a ring marks the nucleus")
            assert image.evaluate("async (image) => { await image.decode(); return image.naturalWidth; }") > 100
            assert problems == []


def test_a_hundred_of_each_experiment_are_drawn_where_the_page_says_so(
    browser: Browser, site: Path, cells: Cells
) -> None:
    wanted = int(np.minimum(cells.table.groupby("run").size(), 100).sum())
    with serving(site, RangeHandler) as address, open_page(browser, f"{address}/nucleusnet/") as (page, problems):
        shown = in_book(page)
        assert f"{wanted:,} of {len(cells):,} cells" in shown.locator(".nn-drawn").inner_text()
        assert settled(page, "fig1b.draw").isdigit()
        assert set(cells.table["run"].iloc[row_of(shown, cells)]) == {1}
        assert problems == []


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        ("no list", "list of cells could not be loaded"),
        ("damaged list", "list of cells is damaged"),
        ("no array", "thumbnails of the cells could not be loaded"),
        ("other array", "do not belong to this list"),
        ("foreign array", "stored in a way that this view does not read"),
        ("no cells", "Nothing is here."),
    ],
)
def test_a_store_that_cannot_be_shown_has_a_message(
    what: str, expected: str, browser: Browser, bare: Path, hosted: str
) -> None:
    about, described = bare / "cells/cells.json", bare / "cells/cells.zarr/thumbnails/zarr.json"
    if what == "no list":
        about.unlink()
    elif what == "damaged list":
        about.write_text(about.read_text(encoding="utf-8")[:100], encoding="utf-8")
    elif what == "no array":
        described.unlink()
    elif what == "other array":
        array = json.loads(described.read_text(encoding="utf-8"))
        described.write_text(json.dumps({**array, "shape": [7, 64, 64]}), encoding="utf-8")
    elif what == "foreign array":
        described.write_text(described.read_text(encoding="utf-8").replace("gzip", "blosc"), encoding="utf-8")
    else:
        about.write_text('{"cells": 0, "note": "Nothing is here."}', encoding="utf-8")
    with open_page(browser, link(hosted)) as (page, _):
        expect(page.locator(f"{CELLS} .nn-message:visible")).to_contain_text(expected)
        assert page.locator(".nn-grid").count() == 0


def test_shards_that_are_missing_have_a_message_and_are_tried_again(browser: Browser, bare: Path, hosted: str) -> None:
    shards = bare / "cells/cells.zarr/thumbnails/c"
    aside = shards.with_name("aside")
    shards.rename(aside)
    with open_page(browser, link(hosted, draw=3)) as (page, _):
        shown = page.locator(CELLS)
        again = shown.get_by_role("button", name="Try again")
        again.wait_for()
        expect(shown.locator(".nn-remark")).to_contain_text("Some images could not be loaded.")
        aside.rename(shards)
        again.click()
        opened(page)
        again.wait_for(state="hidden")


def test_a_damaged_table_leaves_the_images(browser: Browser, bare: Path, hosted: str) -> None:
    table = bare / "cells/cells.parquet"
    table.write_bytes(table.read_bytes()[:1000])
    with open_page(browser, link(hosted, draw=3, sort="area_um2")) as (page, _):
        shown = opened(page)
        expect(shown.locator(".nn-remark")).to_contain_text("measurements of the cells could not be read")
        shown.locator(".nn-cell:visible").first.click()
        card = shown.get_by_role("region", name="Chosen cell")
        expect(card).to_contain_text("could not be read")
        assert (pixels(card.locator(".nn-picture").screenshot()) > 0).any()


@pytest.mark.parametrize(
    "state",
    [
        {"draw": "-1", "sort": "<img src=x>", "filter": "area_um2:a..b", "size": "1e9", "at": "0", "run": "99"},
        {"draw": "99999999999", "sort": "nothing", "filter": "nothing:1..2", "panorama": "none", "roi": "3"},
    ],
)
def test_what_an_address_should_not_say_is_ignored(state: dict[str, str], browser: Browser, hosted: str) -> None:
    with open_page(browser, link(hosted, **state)) as (page, problems):
        shown = opened(page)
        assert "All" in shown.locator(".nn-drawn").inner_text()
        assert problems == []


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (360, "dark")])
def test_axe_finds_nothing_serious(width: int, scheme: Scheme, browser: Browser, address: str) -> None:
    with open_page(browser, address + CHAPTER, width=width, scheme=scheme) as (page, problems):
        shown = in_book(page)
        page.evaluate(AXE.read_text(encoding="utf-8"))
        assert page.evaluate(SERIOUS) == []
        shown.get_by_role("button", name="Measurements").click()
        shown.get_by_role("button", name="Contrast").click()
        shown.locator(".nn-measure").first.wait_for()
        shown.locator('.nn-cell[tabindex="0"]').click()
        shown.locator(".nn-card dt").first.wait_for()
        assert page.evaluate(SERIOUS) == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert problems == []
