"""The viewer of the mosaic, used as a reader would."""

from __future__ import annotations

import json
import re
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pytest
from file_server import serving
from playwright.sync_api import expect
from reader import BOOK, MOSAIC, PROJECT, Scheme, open_page, parameters, pixels, rest, settled, wait_for_viewers
from simulated_store import write_store

from nnbook.cells.sample import write_sample
from nnbook.viewers.mosaic import write_mosaic

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from playwright.sync_api import Browser, Locator

    Seen = Callable[..., AbstractContextManager[Locator]]

BUNDLE = PROJECT / "widgets" / "dist" / "mosaic.mjs"
AXE = PROJECT / "theme" / "node_modules" / "axe-core" / "axe.min.js"
LEVELS = {1: [60] * 8, 2: [180] * 8, 3: [60] * 5, 9: [110] * 8}
SETTLE_MS = 900
PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Mosaic</title>
<link rel="icon" href="data:,">
<body style="margin: 0; padding: 10px">
<main><h1 style="margin: 0">Mosaic</h1><div id="host"></div><p style="height: 1000px">The text goes on.</p></main>
<script type="module">
  import widget from './mosaic.mjs';
  const values = { name: 'fig1c', mosaic: 'MOSAIC/mosaic.json', height: 500, viewer: '/other/#fig1a' };
  const model = { get: (name) => values[name], set: (name, value) => { values[name] = value; }, on: () => {} };
  const el = document.createElement('div');
  document.getElementById('host').attachShadow({ mode: 'open' }).append(el);
  widget.render({ model, el });
</script>
"""


class Made(NamedTuple):
    """The folder that is served, and the names of the cells by row."""

    folder: Path
    names: list[list[str]]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("mosaic")
    write_store(folder / "cells", LEVELS)
    write_sample(folder / "cells", folder, per_run=8)
    about = write_mosaic(folder / "mosaic", folder / "cells", folder)
    table = json.loads((folder / "mosaic" / "cells.json").read_text(encoding="utf-8"))
    places = zip(table["columns"]["panorama"], table["columns"]["roi"], strict=True)
    names = [f"{table['panoramas'][code]}_ROI_{roi}" for code, roi in places]
    ends = np.cumsum([row["cells"] for row in about["rows"]])
    rows = [part.tolist() for part in np.split(np.array(names), ends[:-1])]
    write_store(folder / "long" / "cells", {1: [90] * 30, 2: [90] * 29 + [250], 9: [90] * 30})
    write_sample(folder / "long" / "cells", folder / "long", per_run=30)
    write_mosaic(folder / "long" / "mosaic", folder / "long" / "cells", folder / "long")
    (folder / "empty").mkdir()
    (folder / "empty" / "mosaic.json").write_text('{"rows": [], "columns": 0, "note": "The published table."}')
    for name, mosaic in (("index", "mosaic"), ("long", "long/mosaic"), ("none", "empty")):
        (folder / f"{name}.html").write_text(PAGE.replace("MOSAIC", mosaic), encoding="utf-8")
    shutil.copyfile(BUNDLE, folder / BUNDLE.name)
    return Made(folder, rows)


@pytest.fixture(scope="module")
def here(made: Made) -> Iterator[str]:
    with serving(made.folder) as address:
        yield address


@pytest.fixture
def seen(browser: Browser, here: str) -> Seen:
    """Open a view, and hold that nothing goes wrong in it."""

    @contextmanager
    def opened(query: str = "", **options: Any) -> Iterator[Locator]:
        with open_page(browser, f"{here}/{query}", **options) as (page, problems):
            viewer = page.locator(MOSAIC)
            viewer.wait_for()
            wait_for_viewers(page)
            rest(page, SETTLE_MS)
            yield viewer
            assert problems == []

    return opened


def place_of(viewer: Locator, row: int, column: int) -> tuple[float, float]:
    """Where a cell is on the page while the view shows all rows, the grid's middle in its middle."""
    box = viewer.locator(".nn-area").bounding_box()
    assert box is not None
    side = box["height"] / len(LEVELS)
    return box["x"] + box["width"] / 2 + (column + 0.5 - 4) * side, box["y"] + (row + 0.5) * side


def brightness_by_row(viewer: Locator) -> list[float]:
    """The mean grey level of what is lit in each row, away from what is drawn over the image."""
    viewer.page.mouse.move(0, 0)
    rest(viewer.page, SETTLE_MS)
    shown = pixels(viewer.locator(".nn-area").screenshot())[:, 250:-250].mean(axis=2)
    shown[:2] = shown[-2:] = 0  # where a pixel may be half of the page around it
    rows = np.array_split(shown, len(LEVELS))
    return [float(row[row > 20].mean()) for row in rows]


def test_rows_are_named_after_their_runs(seen: Seen) -> None:
    with seen() as viewer:
        labels = viewer.locator(".nn-rows div:not([hidden])")
        assert labels.all_inner_texts() == ["Run 1\nP11", "Run 2\nP12", "Run 3\nP13", "Run 9\nP19"]
        for row, label in enumerate(labels.all()):
            box = label.bounding_box()
            assert box is not None
            assert box["y"] + box["height"] / 2 == pytest.approx(place_of(viewer, row, 0)[1], abs=2)


@pytest.mark.parametrize("width", [1280, 390])
def test_a_mosaic_of_long_rows_opens_whole_without_much_black_around_it(seen: Seen, width: int) -> None:
    with seen("long.html", width=width) as viewer:
        area = viewer.locator(".nn-area").bounding_box()
        assert area is not None
        side = area["width"] / 30
        assert 3 * side <= area["height"] <= max(121, 0.22 * area["width"])
        middle = area["y"] + area["height"] / 2
        readout = viewer.locator(".nn-readout")
        for column in (0, 29):
            for row, run in ((-1, 1), (0, 2), (1, 9)):
                viewer.page.mouse.move(area["x"] + (column + 0.5) * side, middle + row * side)
                expect(readout).to_contain_text(f"Run {run}, passage P{10 + run}")
        assert viewer.locator(".nn-rows div:not([hidden]) b").first.inner_text() == "Run 1"


def test_where_cells_would_be_too_small_all_rows_fill_the_view_and_zooming_out_shows_all_columns(seen: Seen) -> None:
    with seen("long.html", width=220) as viewer:
        area = viewer.locator(".nn-area").bounding_box()
        assert area is not None
        readout = viewer.locator(".nn-readout")
        for row, run in enumerate((1, 2, 9)):
            viewer.page.mouse.move(area["x"] + area["width"] / 2, area["y"] + area["height"] * (row + 0.5) / 3)
            expect(readout).to_contain_text(f"Run {run}, passage P{10 + run}")
        assert "fig1c.view" not in parameters(viewer.page)
        for _ in range(8):
            viewer.get_by_role("button", name="Zoom out").click()
        _, _, width = (float(value) for value in (settled(viewer.page, "fig1c.view") or "").split(","))
        assert width >= 30 * 256


def test_normalising_says_how_many_cells_were_saturated_as_measured(seen: Seen) -> None:
    with seen("long.html?fig1c.normalised=1") as viewer:
        expect(viewer).to_contain_text("1 cell was saturated as measured")


def test_pointing_at_a_cell_shows_its_name_run_and_passage(seen: Seen, made: Made) -> None:
    with seen() as viewer:
        readout = viewer.locator(".nn-readout")
        for row, column in ((0, 2), (3, 5)):
            viewer.page.mouse.move(*place_of(viewer, row, column))
            expect(readout).to_contain_text(made.names[row][column])
            run = list(LEVELS)[row]
            expect(readout).to_contain_text(f"Run {run}, passage P{10 + run}")
        viewer.page.mouse.move(*place_of(viewer, 2, 6))
        expect(readout).to_be_hidden()


def test_normalising_makes_rows_equally_bright_at_the_same_view(seen: Seen) -> None:
    with seen("?fig1c.view=1024,512,3000") as viewer:
        measured = brightness_by_row(viewer)
        assert measured[1] > 2.5 * measured[0]
        viewer.get_by_role("radio", name="Normalised by run").check()
        assert settled(viewer.page, "fig1c.normalised") == "1"
        normalised = brightness_by_row(viewer)
        assert normalised == pytest.approx([np.mean(normalised)] * 4, rel=0.05)
        assert parameters(viewer.page)["fig1c.view"] == "1024,512,3000"
        assert "grey levels times" in viewer.locator(".nn-facts").last.inner_text()
        viewer.get_by_role("radio", name="As measured").check()
        assert brightness_by_row(viewer) == pytest.approx(measured, rel=0.02)


def test_choosing_a_cell_names_its_nucleus_in_the_address_and_back_lets_it_go(seen: Seen, made: Made) -> None:
    with seen() as viewer:
        viewer.page.mouse.click(*place_of(viewer, 1, 3))
        card = viewer.get_by_role("region", name="Chosen cell")
        name = made.names[1][3]
        expect(card).to_contain_text(name)
        panorama, roi = name.split("_ROI_")
        assert parameters(viewer.page) == {"panorama": panorama, "roi": roi}
        viewer.page.go_back()
        expect(card).to_be_hidden()


def test_an_address_shows_its_cell_and_says_where_it_has_none(seen: Seen, made: Made) -> None:
    panorama, roi = made.names[3][7].split("_ROI_")
    with seen(f"?panorama={panorama}&roi={roi}&fig1c.view=300,300,600") as viewer:
        expect(viewer.get_by_role("region", name="Chosen cell")).to_contain_text(made.names[3][7])
    with seen("?panorama=Run1TL_top_left&roi=999&fig1c.view=nonsense&fig1c.normalised=maybe") as viewer:
        expect(viewer.locator(".nn-remark")).to_contain_text("Run1TL_top_left_ROI_999 is none of these cells.")
        expect(viewer.get_by_role("radio", name="As measured")).to_be_checked()


def test_all_of_it_can_be_done_by_keyboard(seen: Seen, made: Made) -> None:
    with seen() as viewer:
        page = viewer.page
        viewer.get_by_role("radio", name="As measured").focus()
        page.keyboard.press("Tab")
        application = viewer.get_by_role("application")
        expect(application).to_be_focused()
        status = viewer.locator(".nn-stage > [role=status].nn-hidden")
        expect(status).to_contain_text("in view.")
        card = viewer.get_by_role("region", name="Chosen cell")
        # From the cell at the middle on; each comes to the middle, and is announced.
        for key, (row, column) in [("n", (3, 0)), ("n", (3, 1)), ("p", (3, 0)), ("p", (2, 4))]:
            page.keyboard.press(key)
            name = made.names[row][column]
            expect(card).to_contain_text(name)
            expect(status).to_have_text(re.compile(f"^{name} chosen. {name}, "))
        rest(page, SETTLE_MS)
        page.keyboard.press("Escape")
        expect(card).to_be_hidden()
        expect(status).to_contain_text(f"{made.names[2][4]} let go.")
        page.keyboard.press("Enter")
        expect(card).to_contain_text("_ROI_")
        name = card.get_by_role("heading").inner_text()
        expect(status).to_contain_text(name)
        page.keyboard.press("+")
        assert settled(page, "fig1c.view")


def test_contrast_is_set_as_in_the_panorama_viewer(seen: Seen) -> None:
    with seen() as viewer:
        before = brightness_by_row(viewer)
        viewer.get_by_role("button", name="Contrast").click()
        group = viewer.get_by_role("group", name="Contrast")
        group.get_by_role("slider", name="White").fill("128")
        assert settled(viewer.page, "fig1c.contrast") == "0,128,1"
        after = brightness_by_row(viewer)
        assert after[0] == pytest.approx(before[0] * 255 / 128, rel=0.05)
        group.get_by_role("button", name="Reset").click()
        assert brightness_by_row(viewer) == pytest.approx(before, rel=0.02)


def test_the_scale_bar_is_true(seen: Seen) -> None:
    with seen() as viewer:
        text = viewer.locator(".nn-scale-text").inner_text()
        bar = viewer.locator(".nn-scale-bar").bounding_box()
        assert bar is not None
        micrometres = float(re.findall(r"^(\d+) µm", text)[0])
        top, below = place_of(viewer, 0, 0)[1], place_of(viewer, 1, 0)[1]
        assert bar["width"] / micrometres == pytest.approx((below - top) / 256 * 8.0453, rel=0.01)


def test_a_picture_of_the_view_can_be_saved(seen: Seen) -> None:
    with seen() as viewer:
        with viewer.page.expect_download() as download:
            viewer.get_by_role("button", name="Save this view as a picture").click()
        assert download.value.suggested_filename == "mosaic_runs_1_to_9.png"
        assert np.ptp(pixels(download.value.path().read_bytes())) > 200


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (360, "dark")])
def test_axe_finds_nothing_serious(width: int, scheme: Scheme, seen: Seen, made: Made) -> None:
    panorama, roi = made.names[0][4].split("_ROI_")
    with seen(f"?panorama={panorama}&roi={roi}", width=width, scheme=scheme) as viewer:
        viewer.get_by_role("button", name="Contrast").click()
        overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert viewer.page.evaluate(overflow) <= 0
        viewer.page.add_script_tag(path=AXE)
        found = viewer.page.evaluate("axe.run().then(({ violations }) => violations)")
        serious = [fault for fault in found if fault["impact"] in {"serious", "critical"}]
        assert [(fault["id"], [node["html"] for node in fault["nodes"]]) for fault in serious] == []


def test_without_cells_the_edition_is_named(seen: Seen) -> None:
    with seen("none.html") as viewer:
        assert viewer.get_attribute("data-state") == "empty"
        expect(viewer).to_contain_text("The published table. Without cells there is no mosaic of them.")


@pytest.mark.parametrize(
    ("file", "said"),
    [("mosaic.json", "The mosaic could not be loaded"), ("intensity.dzi", "The mosaic could not be loaded")],
)
def test_what_could_not_be_loaded_is_named_and_asked_for_again(
    browser: Browser, here: str, file: str, said: str
) -> None:
    with open_page(browser, "about:blank") as (page, _):
        page.route(f"**/{file}", lambda route: route.abort())
        page.goto(here)
        viewer = page.locator(MOSAIC)
        expect(viewer).to_contain_text(said)
        page.unroute(f"**/{file}")
        viewer.get_by_role("button", name="Try again").click()
        expect(viewer).to_have_attribute("data-state", "ready")


def test_without_their_names_cells_are_still_shown_by_run(browser: Browser, here: str, made: Made) -> None:
    with open_page(browser, "about:blank") as (page, _):
        page.route("**/cells.json", lambda route: route.fulfill(body="{}"))
        page.goto(here)
        viewer = page.locator(MOSAIC)
        expect(viewer.locator(".nn-remark")).to_contain_text("The names of the cells could not be loaded.")
        rest(page, SETTLE_MS)
        page.mouse.move(*place_of(viewer, 1, 3))
        expect(viewer.locator(".nn-readout")).to_contain_text("Run 2, passage P12")
        page.unroute("**/cells.json")
        viewer.get_by_role("button", name="Try again").click()
        page.mouse.move(*place_of(viewer, 1, 4))
        expect(viewer.locator(".nn-readout")).to_contain_text(made.names[1][4])


def test_in_the_book_the_panorama_viewer_shows_the_nucleus_of_the_cell_chosen(browser: Browser, address: str) -> None:
    table = json.loads((BOOK / "mosaic" / "cells.json").read_text(encoding="utf-8"))
    index = json.loads((BOOK / "pyramids" / "index.json").read_text(encoding="utf-8"))
    listed = {entry["panorama"] for entry in index["panoramas"]}
    cells = zip(table["columns"]["panorama"], table["columns"]["roi"], strict=True)
    panorama, roi = next((table["panoramas"][at], roi) for at, roi in cells if table["panoramas"][at] not in listed)
    with open_page(browser, f"{address}/nucleusnet/?panorama={panorama}&roi={roi}") as (page, problems):
        page.locator("#fig1a").scroll_into_view_if_needed()
        nucleus = page.get_by_role("region", name="Chosen nucleus")
        expect(nucleus).to_contain_text(f"ROI {roi}")
        page.locator("#fig1c").scroll_into_view_if_needed()
        card = page.locator(MOSAIC).get_by_role("region", name="Chosen cell")
        expect(card).to_contain_text(f"{panorama}_ROI_{roi}")
        card.get_by_role("button", name="Next cell").click()
        expect(card).not_to_contain_text(f"{panorama}_ROI_{roi}")
        following = card.get_by_role("heading").inner_text().split("_ROI_")
        page.wait_for_url(re.compile(rf"[?&]panorama={following[0]}&"))
        card.get_by_role("button", name="Previous cell").click()
        expect(nucleus).to_contain_text(f"ROI {roi}")
        card.get_by_role("button", name="Find it in the panorama").click()
        expect(nucleus).to_be_in_viewport()
        assert problems == []
