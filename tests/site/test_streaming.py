"""Cells streamed from a data set on a hub of this machine, chosen as a layer of the cell browser."""

from __future__ import annotations

import json
import re
import shutil
from typing import TYPE_CHECKING

import pytest
from file_server import serving
from hub_commands import ID, answers, collection
from hub_server import Hub, HubServer
from playwright.sync_api import expect
from reader import CELLS, PROJECT, open_page
from simulated_store import write_store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

BUNDLE = PROJECT / "widgets" / "dist" / "cells.mjs"
PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Cells</title>
<link rel="icon" href="data:,">
<body>
<main><h1>Cells</h1><div id="host"></div></main>
<script type="module">
  import widget from './cells.mjs';
  const values = { name: 'fig1b', cells: 'cells/cells.json', layers: 'layers.json', dataset: 'DATASET', height: 400 };
  const model = { get: (name) => values[name], set: () => {}, on: () => {} };
  const el = document.createElement('div');
  document.getElementById('host').attachShadow({ mode: 'open' }).append(el);
  widget.render({ model, el });
</script>
"""
LAYERS = {"version": 1, "layers": [{"name": "twin", "label": "Simulated", "folder": "", "has": ["cells"]}]}


@pytest.fixture(scope="module")
def hub() -> Iterator[tuple[Hub, str]]:
    state = Hub()
    state.add(ID, collection(1, 2))
    with HubServer(state) as server:
        yield state, server.address


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory, hub: tuple[Hub, str]) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("streaming")
    write_store(folder / "cells", {1: [60] * 4})
    (folder / "layers.json").write_text(json.dumps(LAYERS))
    (folder / "index.html").write_text(PAGE.replace("DATASET", f"{hub[1]}/datasets/{ID}"), encoding="utf-8")
    shutil.copyfile(BUNDLE, folder / BUNDLE.name)
    with serving(folder) as address:
        yield address


def test_a_hub_is_asked_once_the_reader_says_so_and_its_refusals_leave_the_browser_usable(
    browser: Browser, here: str, hub: tuple[Hub, str]
) -> None:
    state, address = hub
    with open_page(browser, here) as (page, problems):
        cells = page.locator(CELLS)
        layers = cells.get_by_role("radiogroup", name="Data").get_by_role("radio")
        expect(layers).to_have_count(2)
        expect(cells.get_by_role("gridcell")).to_have_count(4)
        layers.nth(1).check()
        start = cells.get_by_role("button", name="Stream from")
        start.wait_for()
        assert f"{ID} on {address.removeprefix('http://')}" in cells.locator(".nn-message").inner_text()
        assert state.requests == []
        assert problems == []

        state.fail = answers(429, only="/resolve/", Retry_After="3000")
        start.click()
        expect(cells.locator(".nn-message")).to_contain_text("too many requests from here; ask again in 3000 s")
        layers.nth(0).check()
        expect(cells.get_by_role("gridcell")).to_have_count(4)

        state.fail = None
        layers.nth(1).check()
        expect(cells.locator(".nn-drawn")).to_have_text("All 60 cells")
        expect(cells.locator(".nn-remark")).to_be_empty()
        cells.get_by_role("gridcell").nth(2).click()
        expect(cells.locator(".nn-card-name")).to_have_text(re.compile(r"^Run[12]TL_top_left_ROI_\d+$"))
        assert "layer=published" in page.url
        assert "fig1b.shows=streamed" in page.url
        expect(cells.get_by_role("button", name="Measurements")).to_be_hidden()
        files = {request.path for request in state.requests}
        assert files == {f"/api/datasets/{ID}/tree/main", *(path for path in files if path.endswith(".parquet"))}
        assert [problem for problem in problems if address not in problem and "429" not in problem] == []
