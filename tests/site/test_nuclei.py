"""Nuclei in a plane of two measurements, and what is selected there in the other views of the page."""

from __future__ import annotations

import json
import re
import shutil
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from file_server import serving
from matplotlib.path import Path as Polygon
from playwright.sync_api import expect
from ranges import RangeHandler
from reader import BOOK, CELLS, MOSAIC, NUCLEI, PANORAMA, PROJECT, bring_into_view, drag, open_page, parameters, settled

from nnbook.cells.overview import write_overview
from nnbook.cells.store import read_cells
from nnbook.cells.writer import IN_PAGES
from nnbook.io.files import write_json

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Locator, Page

GATE = "area_um2,mean_intensity;0,0;90,0;90,256;0,256"
CHAPTER = f"/million-images/?fig4c.draw=3&gate={GATE}&gated=twin"
"""The chapter with the small nuclei selected: mostly those that divide."""


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return read_cells(BOOK / "cells").table


def shown(page: Page, view: str, figure: str) -> Locator:
    """Bring a view of a figure into view, and wait until it shows what it is for."""
    page.locator(f"#{figure}").evaluate("figure => figure.scrollIntoView({ block: 'start', behavior: 'instant' })")
    ready = page.locator(f"{view}[data-state='ready']")
    ready.wait_for()
    bring_into_view(ready)
    return ready


def test_what_is_selected_in_the_plane_are_the_cells_of_the_browser(
    browser: Browser, address: str, table: pd.DataFrame
) -> None:
    """One page for all: a selection from the address, one drawn by hand, its table, and choices both views mark."""
    small = table[table["area_um2"] < 90]
    with open_page(browser, address + CHAPTER, accept_downloads=True) as (page, problems):
        cells = shown(page, CELLS, "fig4c")
        expect(cells.locator(".nn-drawn")).to_contain_text(f"{len(small):,} of them shown")
        expect(cells.locator(".nn-scope")).to_contain_text("Only cells of nuclei selected with the lasso.")
        nuclei = shown(page, NUCLEI, "fig-nuclei")
        count = nuclei.locator(".nn-counted")
        expect(count).to_contain_text(f"{len(small):,} of {len(table):,} nuclei selected")
        with page.expect_download() as saving:
            nuclei.get_by_role("button", name="Save as CSV").click()
        check_saved(pd.read_csv(saving.value.path()), small, nuclei)
        nuclei.get_by_role("combobox", name="Colour").select_option("texture")
        assert settled(page, "nuclei.by") == "texture"
        expect(nuclei.locator(".nn-remark").last).to_contain_text("was saved")

        area = nuclei.get_by_role("application")
        area.focus()
        area.press("Home")
        area.press("Enter")
        first = table.iloc[int(table["area_um2"].to_numpy().argmin())]
        assert settled(page, "roi") == str(first["roi"])
        assert parameters(page)["panorama"] == first["panorama"]
        expect(nuclei.get_by_role("group", name="Chosen nucleus")).to_contain_text(first["cell"])
        expect(cells.get_by_role("region", name="Chosen cell").get_by_role("heading")).to_have_text(first["cell"])

        nuclei.get_by_role("button", name="Clear selection").click()
        expect(cells.locator(".nn-drawn")).to_have_text(f"All {len(table):,} cells")
        box = area.bounding_box()
        assert box is not None
        nuclei.get_by_role("button", name="Lasso").click()
        corners = [(0.3, 0.3), (0.6, 0.25), (0.65, 0.6), (0.35, 0.65)]
        places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in [*corners, corners[0]]]
        drag(page, *places)
        _, *drawn = settled(page, "gate").split(";")
        polygon = Polygon(np.array([corner.split(",") for corner in drawn], float))
        inside = polygon.contains_points(table[["area_um2", "mean_intensity"]].to_numpy())
        assert 0 < inside.sum() < len(table)
        expect(count).to_contain_text(f"{inside.sum():,} of ")
        expect(cells.locator(".nn-drawn")).to_contain_text(f"{inside.sum():,} of them shown")

        nuclei.get_by_role("combobox", name="Upwards").select_option("texture")
        assert settled(page, "nuclei.y") == "texture"
        expect(count).to_contain_text(f"{inside.sum():,} of ")

        nuclei.get_by_role("button", name="Clear selection").click()
        cells.get_by_role("button", name="Measurements").click()
        cells.get_by_role("combobox", name="Class").select_option("telophase")
        assert settled(page, "filter") == "class:telophase"
        late = table[table["class"] == "telophase"]
        expect(count).to_contain_text(
            f"{len(late):,} of {len(table):,} nuclei selected, which pass the filter of the cells"
        )
        assert problems == []


def check_saved(saved: pd.DataFrame, small: pd.DataFrame, nuclei: Locator) -> None:
    assert sorted(saved["cell"]) == sorted(small["cell"])
    assert {"mean_intensity", "std_intensity", "elongation"} <= set(saved)
    unknown = int(saved["class"].isna().sum())
    assert unknown > 0
    expect(nuclei).to_contain_text(f"The class of {unknown} is not known, and empty there.")


def test_what_is_selected_is_bright_in_mosaic_and_panorama(browser: Browser, address: str) -> None:
    """One page for both: a lasso round nuclei and a class, from the address; the others are dim until it is dropped."""
    names = json.loads((BOOK / "mosaic" / "cells.json").read_text(encoding="utf-8"))["columns"]
    drawn = pd.DataFrame({name: names[name] for name in ("area_um2", "class")})
    small = int(((drawn["area_um2"] < 90) & (drawn["class"] != "interphase")).sum())
    # A class more, so that both the lasso and the filter decide.
    late = (drawn["area_um2"] < 90) & (drawn["class"] == "telophase")
    assert 0 < late.sum() < small
    query = f"?gate={GATE}&gated=twin&filter=class:telophase&filtered=twin"
    with open_page(browser, f"{address}/nucleusnet/{query}") as (page, problems):
        mosaic = shown(page, MOSAIC, "fig1c")
        expect(mosaic.locator(".nn-remark")).to_contain_text(f"{late.sum():,} of {len(drawn):,} nuclei")
        veil = mosaic.locator(".nn-dim")
        bright = veil.evaluate(
            """veil => [...veil.getContext('2d').getImageData(0, 0, veil.width, veil.height).data]
                .filter((value, at) => at % 4 === 3 && value === 0).length"""
        )
        columns = veil.evaluate("veil => veil.width * veil.height")
        assert bright == columns - len(drawn) + late.sum()

        viewer = shown(page, PANORAMA, "fig1a")
        name = viewer.locator(".nn-facts strong").inner_text()
        rois = pd.read_parquet(BOOK / "rois.parquet")
        of = rois[(rois["panorama"] == name) & ~rois["at_border"]]
        cut = rois[(rois["panorama"] == name) & rois["at_border"]]
        assert (cut["area_um2"] < 90).any(), "some at the edge would be selected by what was measured of them"
        chosen = of[(of["area_um2"] < 90) & (of["class"] == "telophase")]
        remark = viewer.locator(".nn-remark")
        expect(remark).to_contain_text(f"{len(chosen):,} of {len(of):,} nuclei")
        expect(remark).to_contain_text(f"and {len(cut)} without a cell image")
        opaque = """viewer => {
            const canvas = viewer.querySelector('.nn-overlay');
            const { width, height } = canvas;
            const copy = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
            copy.drawImage(canvas, 0, 0);
            const { data } = copy.getImageData(0, 0, width, height);
            return data.filter((value, at) => at % 4 === 3 && value > 100).length;
        }"""
        seen = viewer.element_handle()
        page.wait_for_function(f"viewer => ({opaque})(viewer) < 1000", arg=seen)
        remark.get_by_role("button", name="Clear selection").click()
        page.wait_for_function(f"viewer => ({opaque})(viewer) > 5000", arg=seen)
        expect(remark).not_to_contain_text("selected")
        expect(mosaic.locator(".nn-remark")).not_to_contain_text("selected")
        expect(veil).to_be_hidden()
        assert {"gate", "filter"}.isdisjoint(name for name, value in parameters(page).items() if value)

        page.evaluate(
            "search => { history.pushState(null, '', search); dispatchEvent(new PopStateEvent('popstate')); }",
            f"?panorama={name}&roi={cut['roi'].iloc[0]}",
        )
        card = viewer.get_by_role("region", name="Chosen nucleus")
        expect(card).to_contain_text("It has no cell image: the edge of the panorama cuts it.")
        expect(card.get_by_text("Cell image: 256")).to_be_hidden()
        assert problems == []


MANY = 300_000
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Nuclei</title><link rel="icon" href="data:,">
<div id="host"></div><script type="module">
import widget from './nuclei.mjs';
const el = document.createElement('div');
document.getElementById('host').attachShadow({ mode: 'open' }).append(el);
const values = { cells: 'cells.json' };
widget.render({ model: { get: (name) => values[name], set() {}, on() {} }, el });
</script>"""


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page with the plane of very many nuclei, of which there is a table alone."""
    folder = tmp_path_factory.mktemp("many")
    rng = np.random.default_rng(1)
    table = pd.DataFrame({"panorama": "P", "roi": np.arange(1, MANY + 1, dtype=np.int32)})
    for name in ("area_um2", "mean_intensity", "std_intensity"):
        table[name] = rng.normal(120, 20, MANY).astype(np.float32)
    pq.write_table(pa.Table.from_pandas(table, preserve_index=False), folder / "cells.parquet", **IN_PAGES)
    about = {
        "note": "Simulated.",
        "px_per_um": 8.0,
        "cell_px": 256,
        "cells": MANY,
        "runs": [],
        **dict.fromkeys(("images", "thumbnails"), "cells.zarr"),
        "table": "cells.parquet",
        "table_bytes": (folder / "cells.parquet").stat().st_size,
        "overview": write_overview(folder / "cells.parquet", folder / "overview.parquet"),
    }
    write_json(folder / "cells.json", about)
    (folder / "index.html").write_text(PAGE, encoding="utf-8")
    shutil.copyfile(PROJECT / "widgets/dist/nuclei.mjs", folder / "nuclei.mjs")
    return folder


def plane_of(page: Page, words: str) -> Locator:
    """Wait until the plane is drawn of so many nuclei."""
    area = page.get_by_role("application", name=re.compile(re.escape(words)))
    area.wait_for()
    return area


def test_a_plane_of_very_many_nuclei_is_drawn_from_some_of_them_and_says_so(browser: Browser, many: Path) -> None:
    """Of a million, whole columns would be 8 MB; zooming, a selection and a button bring all."""
    sample = len(pd.read_parquet(many / "overview.parquet"))
    table = pd.read_parquet(many / "cells.parquet")
    RangeHandler.parts.clear()
    with serving(many, RangeHandler) as served:
        with open_page(browser, served) as (page, problems):
            first = f"A sample of {sample:,} of {MANY:,} nuclei by area and mean intensity"
            plane_of(page, first)
            said = page.locator(".nn-drawn")
            expect(said).to_contain_text(f"Drawn from {sample:,} of {MANY:,} nuclei")
            expect(page.get_by_role("button", name="Clear selection")).to_be_hidden()
            page.get_by_role("combobox", name="Upwards").select_option("texture")
            plane_of(page, "nuclei by area and texture")
            page.get_by_role("combobox", name="Upwards").select_option("mean_intensity")
            plane_of(page, first)
            assert {part.path for part in RangeHandler.parts} == {"/overview.parquet"}, "and nothing of the whole table"
            code = (many / "nuclei.mjs").stat().st_size + (many / "cells.json").stat().st_size
            assert code + sum(part.end - part.first for part in RangeHandler.parts) < 3_000_000, "of any number"
            said.get_by_role("button", name="Draw all").click()
            expect(page.get_by_role("application")).to_have_attribute("aria-label", re.compile(f"^{MANY:,} nuclei by"))
            expect(said).to_be_hidden()
            assert problems == []
        gate = "area_um2,mean_intensity;0,0;100,0;100,256;0,256"
        small = int((table["area_um2"] < 100).sum())
        with open_page(browser, f"{served}/?gate={gate}") as (page, problems):
            expect(page.locator(".nn-counted")).to_contain_text(f"{small:,} of {MANY:,} nuclei selected")
            expect(page.locator(".nn-drawn")).to_be_hidden()
            assert problems == []
        with open_page(browser, served) as (page, _):
            plane_of(page, first)
            page.get_by_role("button", name="Zoom in").click()
            expect(page.get_by_role("application")).to_have_attribute("aria-label", re.compile(f"^{MANY:,} nuclei by"))


def test_a_plane_whose_overview_is_gone_is_drawn_from_all_nuclei(browser: Browser, many: Path, tmp_path: Path) -> None:
    shutil.copytree(many, tmp_path / "bare")
    (tmp_path / "bare" / "overview.parquet").unlink()
    with serving(tmp_path / "bare", RangeHandler) as served, open_page(browser, served) as (page, _):
        plane_of(page, f"{MANY:,} nuclei by area")
        expect(page.locator(".nn-drawn")).to_be_hidden()


def test_a_lasso_round_panoramas_narrows_cells_and_nuclei_of_their_layer(
    browser: Browser, address: str, table: pd.DataFrame
) -> None:
    results = pd.read_csv(BOOK / "results.csv")
    few = results[results["num_rois"].between(1, 30)]
    names = {name.rsplit(".", 1)[0] for name in few["image"]}
    inside = table["panorama"].isin(names).sum()
    assert 0 < inside < len(table)
    lasso = "?lasso=0.5,0;30.5,0;30.5,256;0.5,256&fig4c.draw=3&lassoed="
    with open_page(browser, f"{address}/million-images/{lasso}twin") as (page, problems):
        cells = shown(page, CELLS, "fig4c")
        expect(cells.locator(".nn-drawn")).to_contain_text(f"{inside:,} of them shown")
        nuclei = shown(page, NUCLEI, "fig-nuclei")
        expect(nuclei.locator(".nn-counted")).to_contain_text(f"{inside:,} of {len(table):,} nuclei selected")
        cells.get_by_role("button", name="Back to the draw").click()
        expect(cells.locator(".nn-drawn")).to_have_text(f"All {len(table):,} cells")
        assert problems == []
    with open_page(browser, f"{address}/million-images/{lasso}published") as (page, _):
        expect(shown(page, CELLS, "fig4c").locator(".nn-drawn")).to_have_text(f"All {len(table):,} cells")
