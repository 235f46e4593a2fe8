"""Nuclei in a plane of two measurements, and what is selected there in the other views of the page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from matplotlib.path import Path as Polygon
from playwright.sync_api import expect
from reader import BOOK, CELLS, NUCLEI, bring_into_view, open_page, parameters, settled

from nnbook.cells.store import read_cells

if TYPE_CHECKING:
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
        expect(cells.locator(".nn-scope")).to_contain_text("inside the lasso round nuclei")
        nuclei = shown(page, NUCLEI, "fig-nuclei")
        count = nuclei.locator(".nn-counted")
        expect(count).to_contain_text(f"{len(small):,} of {len(table):,} nuclei selected")
        with page.expect_download() as saving:
            nuclei.get_by_role("button", name="Save as CSV").click()
        assert sorted(pd.read_csv(saving.value.path())["cell"]) == sorted(small["cell"])

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
        for at, (x, y) in enumerate([*corners, corners[0]]):
            page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=3)
            if at == 0:
                page.mouse.down()
        page.mouse.up()
        _, *drawn = settled(page, "gate").split(";")
        polygon = Polygon(np.array([corner.split(",") for corner in drawn], float))
        inside = polygon.contains_points(table[["area_um2", "mean_intensity"]].to_numpy())
        assert 0 < inside.sum() < len(table)
        expect(count).to_contain_text(f"{inside.sum():,} of ")
        expect(cells.locator(".nn-drawn")).to_contain_text(f"{inside.sum():,} of them shown")

        nuclei.get_by_role("combobox", name="Upwards").select_option("texture")
        assert settled(page, "nuclei.y") == "texture"
        expect(count).to_contain_text(f"{inside.sum():,} of ")
        assert problems == []


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
