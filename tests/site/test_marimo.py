"""The viewer of panoramas in marimo, which hosts anywidget by itself, without Jupyter."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import numpy as np
import pytest
from playwright.sync_api import expect
from reader import PANORAMA, grey_levels, wait_for_server

from nnbook.io.images import write_image, write_mask

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser

SIDE_PX = 600
CELL_MS = 60_000
NOTEBOOK = """import marimo

app = marimo.App()


@app.cell
def _():
    import marimo
    import nnbook

    viewer = nnbook.PanoramaViewer("mine.tif", "mine_cp_masks.tif", px_per_um=8, height=400)
    shown = marimo.ui.anywidget(viewer)
    shown
    return marimo, shown, viewer


@app.cell
def _(marimo, shown, viewer):
    chosen = shown.value["roi"]
    row = viewer.selected
    marimo.md(f"chosen {chosen} area {None if row is None else int(row['area_px'])}")
    return


@app.cell
def _(marimo):
    outlined = marimo.ui.button(label="outline", value=0, on_click=lambda count: count + 1)
    outlined
    return (outlined,)


@app.cell
def _(outlined, viewer):
    if outlined.value:
        viewer.masks = "outline"
    return
"""


@pytest.fixture
def notebook(tmp_path: Path) -> Iterator[str]:
    """Serve a notebook beside an image with one nucleus in its middle, and yield its address."""
    y, x = np.mgrid[:SIDE_PX, :SIDE_PX] - SIDE_PX // 2
    inside = x**2 + y**2 < 200**2
    write_image(tmp_path / "mine.tif", (inside * (100 + x % 90) + 10).astype(np.uint8))
    write_mask(tmp_path / "mine_cp_masks.tif", inside.astype(np.int32) * 7)
    (tmp_path / "look.py").write_text(NOTEBOOK)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "marimo", "run", "look.py", "--headless", "--no-token", "-p", str(port)]
    homes = {
        "HOME": str(tmp_path),
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "XDG_STATE_HOME": str(tmp_path / "state"),
    }
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(
            command, cwd=tmp_path, env={**os.environ, **homes}, stdout=log, stderr=log, start_new_session=True
        )
    try:
        wait_for_server(f"http://127.0.0.1:{port}/health", process, tmp_path / "log")
        yield f"http://127.0.0.1:{port}/"
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=30)


def test_a_panorama_is_shown_and_values_go_both_ways(browser: Browser, notebook: str) -> None:
    page = browser.new_page(viewport={"width": 1000, "height": 900})
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(f"uncaught: {error}"))
    page.on(
        "request",
        lambda request: (
            None if urlsplit(request.url).netloc in {"", urlsplit(notebook).netloc} else problems.append(request.url)
        ),
    )
    page.goto(notebook)
    viewer = page.locator(PANORAMA)
    viewer.and_(page.locator("[data-state=ready][data-masks=drawn]")).wait_for(timeout=CELL_MS)
    assert grey_levels(viewer.locator(".nn-area").screenshot()) > 30
    said = page.get_by_text(re.compile("^chosen "))
    expect(said).to_have_text("chosen None area None", timeout=CELL_MS)
    box = viewer.locator(".nn-area").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(said).to_have_text(re.compile(r"chosen 7 area 1256\d\d"), timeout=CELL_MS)
    page.get_by_role("button", name="outline").click()
    expect(viewer.get_by_role("radio", name="Outlined")).to_be_checked(timeout=CELL_MS)
    assert problems == []
    page.close()
