"""The views of a page follow each other, without a kernel and across shadow roots."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from typing import TYPE_CHECKING

from file_server import serving
from playwright.sync_api import expect
from reader import (
    BOOK,
    PANORAMA,
    PROJECT,
    SCATTER,
    choose_by_search,
    open_page,
    open_scatter,
    panoramas_table,
    wait_for_viewers,
)

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Locator, Page

CHAPTER = "/million-images/"


def test_it_works_in_the_stock_theme_s_host(browser: Browser, tmp_path: Path) -> None:
    """Both widgets in the published widget host of the stock theme, whose model throws at much that is asked of it."""
    host = PROJECT / "theme/tests/stock-host.tsx"
    bundle: list[str | Path] = [
        PROJECT / "theme/node_modules/.bin/esbuild",
        host,
        "--bundle",
        "--format=esm",
        "--jsx=automatic",
    ]
    bundle += ['--define:process.env.NODE_ENV="production"', f"--outfile={tmp_path / 'host.js'}"]
    subprocess.run(bundle, check=True, capture_output=True)
    for name in ("scatter.mjs", "panorama.mjs"):
        shutil.copyfile(PROJECT / "widgets/dist" / name, tmp_path / name)
    (tmp_path / "pyramids").symlink_to(BOOK / "pyramids", target_is_directory=True)
    (tmp_path / "favicon.ico").write_bytes(b"")
    listed = {"panoramas": "pyramids/panoramas.json"}
    nodes = [
        {"type": "anywidget", "esm": "/scatter.mjs", "model": listed},
        {"type": "anywidget", "esm": "/panorama.mjs", "model": {"index": "pyramids/index.json", **listed}},
    ]
    (tmp_path / "index.html").write_text(
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Stock host</title><body>'
        f'<script type="application/json" id="nodes">{json.dumps(nodes)}</script>'
        '<script type="module" src="host.js"></script>',
        encoding="utf-8",
    )
    with serving(tmp_path) as address, open_page(browser, f"{address}/index.html") as (page, problems):
        _follows(page)
        assert problems == []


def test_the_viewer_of_the_page_follows_across_shadow_roots(browser: Browser, address: str) -> None:
    with open_page(browser, f"{address}{CHAPTER}?scatter.shows=twin") as (page, problems):
        open_scatter(page)
        page.locator("[data-widget]").nth(1).scroll_into_view_if_needed()
        _follows(page)
        assert problems == []


def test_an_image_of_a_dividing_cell_leads_to_its_nucleus(browser: Browser, address: str) -> None:
    with open_page(browser, f"{address}/nucleusnet/") as (page, problems):
        image = page.locator("#fig1e").get_by_role("link", name="find it in its panorama").first
        name, roi = re.findall(r"^(\w+), ROI (\d+):", image.get_attribute("aria-label") or "")[0]
        image.scroll_into_view_if_needed()
        image.click()
        viewer = page.locator("#fig1a").locator(PANORAMA)
        viewer.and_(page.locator("[data-state=ready]")).wait_for()
        expect(viewer.locator(".nn-facts strong")).to_have_text(name)
        expect(viewer.get_by_role("heading", name=f"ROI {roi}")).to_be_visible()
        expect(viewer).to_be_in_viewport()
        assert problems == []


def _follows(page: Page) -> None:
    """Choose panoramas in the scatter, and look at the viewer: it shows them, and goes back with the reader."""
    viewer, scatter = page.locator(PANORAMA), page.locator(SCATTER)
    present = viewer.locator(".nn-facts strong")
    present.wait_for()
    wait_for_viewers(page)
    table = panoramas_table()
    shown = [name for name, tiles in zip(table["panorama"], table["pyramid"], strict=True) if tiles]
    wanted = [name for name in shown if name != present.inner_text()][:2]
    for name in wanted:
        choose_by_search(scatter, name)
        page.wait_for_url(re.compile(f"panorama={name}"))
        _shows(viewer, name)
        assert "viewer on this page" in scatter.locator(".nn-details").inner_text()
    wait_for_viewers(page)
    assert viewer.get_attribute("data-state") == "ready"
    page.go_back()
    _shows(viewer, wanted[0])
    assert wanted[0] in scatter.locator(".nn-details").inner_text()
    ranked = zip(table["panorama"], table["rank"], strict=True)
    last = next(name for name, rank in ranked if rank is not None and name not in wanted)
    viewer.get_by_role("button", name=last).click()
    scatter.locator(".nn-details strong", has_text=last).wait_for()


def _shows(viewer: Locator, name: str) -> None:
    viewer.page.wait_for_function(
        "([viewer, name]) => viewer.querySelector('.nn-facts strong').textContent === name",
        arg=[viewer.element_handle(), name],
    )
