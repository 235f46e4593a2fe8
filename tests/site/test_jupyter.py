"""The same viewer in JupyterLab, with a kernel behind it."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import nbformat
import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect
from reader import CELLS as CELL_BROWSER
from reader import MOSAIC, PANORAMA, SCATTER, grey_levels, pixels, rest, wait_for_server
from scipy.ndimage import distance_transform_edt, find_objects, grey_dilation

from nnbook.cells.sample import write_sample
from nnbook.cells.store import MaskedPanorama
from nnbook.cells.writer import write_cells
from nnbook.io.images import read_mask, write_image, write_mask
from nnbook.measurement.rois import measure_panorama
from nnbook.simulation.panorama import simulate_panorama
from nnbook.viewers.mosaic import write_mosaic

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Locator, Page

    from nnbook.io.images import Labels

SIDE_PX = 1500
CELL_MS = 60_000
PRESS_MS = 2_000
ASKED_AT_MOST = 10
CELLS = [
    """from nnbook.viewers.widgets import PanoramaViewer
viewer = PanoramaViewer("mine.tif", "mine_cp_masks.tif", px_per_um=8.0453, height=400)
viewer""",
    "viewer.roi = None; viewer.view = [{x}, {y}, 160]",
    """chosen = viewer.selected
print("roi", viewer.roi, "area", None if chosen is None else int(chosen["area_px"]), "view", viewer.view)""",
    """from nnbook.viewers.widgets import CellBrowser
cells = CellBrowser("cells", draw=3, sort="-area_um2", height=300)
cells""",
    """chosen = cells.selected
print("cell", None if chosen is None else chosen["cell"])""",
    """from nnbook.viewers.widgets import Mosaic
mosaic = Mosaic("mosaic", height=300)
mosaic""",
    """chosen = mosaic.selected
name = None if chosen is None else chosen["panorama"] + "_ROI_" + str(chosen["roi"])
print("cell", name, "normalised", mosaic.normalised)""",
    """import nnbook
from nnbook.io import read_results
scatter = nnbook.Scatter(read_results("results.csv"), by="run", height=300)
end = nnbook.link(scatter, cells)
scatter""",
    """print("scatter", scatter.panorama, "cells", cells.panorama, "axes", scatter.axes, "by", scatter.by)""",
    """scatter.axes, scatter.by, cells.size, mosaic.view = [0, 50, 0, 200], "std", 120, None""",
    """viewer.masks, viewer.roi, viewer.view = "outline", None, None
viewer.add_labels("wide.tif", name="wider masks")
viewer.save_png("view.png", width=1200)""",
    """print("shown", viewer.shown_labels)""",
    """segmenter = nnbook.Segmenter("real.png", method="otsu", diameter=24, height=300)
segmenter""",
    """segmenter.method, segmenter.settings = "forest", {{"share": 0.5, "separation": 0.4}}""",
    """print("method", segmenter.method, "nuclei", len(segmenter.nuclei), "highest", segmenter.labels.max())""",
]


@pytest.fixture(scope="module")
def labels() -> Labels:
    return simulate_panorama(3, 1, "TL", "top_left", width_px=SIDE_PX, height_px=SIDE_PX)[1]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("lab")


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory, labels: Labels, folder: Path, shared: Path) -> Iterator[str]:
    """Start JupyterLab with a notebook beside an image and its mask, and yield the notebook's address."""
    image = simulate_panorama(3, 1, "TL", "top_left", width_px=SIDE_PX, height_px=SIDE_PX)[0]
    write_image(folder / "mine.tif", image)
    write_mask(folder / "mine_cp_masks.tif", labels)
    shutil.copy(shared / "data" / "dsb2018" / "images" / "00071198d059.png", folder / "real.png")
    measure_panorama("mine", image, labels, 8.0453).to_parquet(folder / "rois.parquet", index=False)
    masked = [MaskedPanorama("mine", 1, "", folder / "mine.tif", folder / "mine_cp_masks.tif")]
    write_cells(folder / "cells", masked, folder / "rois.parquet", edition="mine", note="", px_per_um=8.0453)
    write_sample(folder / "cells", folder, per_run=5)
    write_mosaic(folder / "mosaic", folder / "cells", folder)
    write_mask(folder / "wide.tif", grey_dilation(labels, 15))
    rows = ["mine.tif,40,90.5,30.5", "other.tif,30,70.5,20.5"]
    (folder / "results.csv").write_text("\n".join(["image,num_rois,mean_intensity,std_intensity", *rows]) + "\n")
    x, y = places(labels)[-1][:2]
    cells = [nbformat.v4.new_code_cell(text.format(x=x, y=y)) for text in CELLS]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), folder / "look.ipynb")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token = secrets.token_hex(16)
    home = tmp_path_factory.mktemp("home")
    settings = home / "settings" / "@jupyterlab" / "apputils-extension" / "notification.jupyterlab-settings"
    settings.parent.mkdir(parents=True)
    settings.write_text(json.dumps({"fetchNews": "false", "checkForUpdates": False}))  # it asks no other host
    environment = {
        **os.environ,
        **{f"JUPYTER_{name}_DIR": str(home / name.lower()) for name in ("CONFIG", "DATA", "RUNTIME")},
        "IPYTHONDIR": str(home / "ipython"),
        "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
    }
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--ServerApp.allow_root=True"]
    options = [f"--ServerApp.port={port}", "--ServerApp.port_retries=0", f"--IdentityProvider.token={token}"]
    with (home / "log").open("w") as log:
        process = subprocess.Popen(
            [*command, *options], cwd=folder, env=environment, stdout=log, stderr=log, start_new_session=True
        )
    try:
        wait_for_server(f"http://127.0.0.1:{port}/api/status?token={token}", process, home / "log")
        yield f"http://127.0.0.1:{port}/doc/tree/look.ipynb?token={token}"
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=30)


@pytest.fixture(scope="module")
def viewer(browser: Browser, lab: str) -> Iterator[Locator]:
    """Run the first cell, and wait for its viewer."""
    page = browser.new_page(viewport={"width": 1280, "height": 1200})
    problems: list[str] = []
    host = urlsplit(lab).netloc
    page.on("pageerror", lambda error: problems.append(f"uncaught: {error}"))
    page.on("request", lambda request: problems.append(request.url) if _is_foreign(request.url, host) else None)
    page.goto(lab)
    page.locator(".jp-Notebook .jp-CodeCell").nth(len(CELLS) - 1).wait_for(timeout=CELL_MS)
    run_cell(page, 0)
    viewer = page.locator(PANORAMA)
    viewer.and_(page.locator("[data-state=ready][data-masks=drawn]")).wait_for(timeout=CELL_MS)
    yield viewer
    assert problems == []
    page.close()


def run_cell(page: Page, number: int) -> str:
    """Run a cell, and return what it printed."""
    cell = page.locator(".jp-Notebook .jp-CodeCell").nth(number)
    prompt = cell.locator(".jp-InputPrompt")
    before = prompt.inner_text()
    for _ in range(CELL_MS // PRESS_MS):
        # Until it has a kernel, JupyterLab takes no notice.
        cell.locator(".cm-content").click()
        page.keyboard.press("Control+Enter")
        with contextlib.suppress(AssertionError):
            expect(prompt).not_to_have_text(before, timeout=PRESS_MS)
            break
    expect(prompt).to_have_text(re.compile(r"\[\d+\]"), timeout=CELL_MS)
    return "".join(cell.locator(".jp-OutputArea-output pre").all_inner_texts())


def assert_python_has(page: Page, expected: str, number: int = 2) -> None:
    """Ask the kernel until it has heard: a change waits its turn behind the tiles."""
    said = ""
    for _ in range(ASKED_AT_MOST):
        said = run_cell(page, number)
        if re.search(expected, said):
            return
    pytest.fail(f"the kernel says {said!r}, not {expected!r}")


def places(labels: Labels) -> list[tuple[int, int, int]]:
    """List x and y of the pixel farthest from the edge of each nucleus that is not small, and its number."""
    found = []
    for number, where in enumerate(find_objects(labels), start=1):
        rows, columns = where
        depth = distance_transform_edt(np.pad(labels[where] == number, 1))
        y, x = np.unravel_index(depth.argmax(), depth.shape)
        if depth.max() > 15:
            found.append((columns.start + int(x) - 1, rows.start + int(y) - 1, number))
    return found


def point_to(viewer: Locator, x: float, y: float) -> tuple[float, float]:
    """Move the mouse to a pixel of the panorama, all of which is seen."""
    box = viewer.locator(".nn-area").bounding_box()
    assert box is not None
    scale = min(box["width"], box["height"]) / SIDE_PX
    place = (
        box["x"] + box["width"] / 2 + (x + 0.5 - SIDE_PX / 2) * scale,
        box["y"] + box["height"] / 2 + (y + 0.5 - SIDE_PX / 2) * scale,
    )
    viewer.page.mouse.move(*place)
    return place


def test_it_shows_image_and_masks(viewer: Locator) -> None:
    picture = viewer.locator(".nn-area").screenshot()
    colours = pixels(picture).astype(int)
    assert grey_levels(picture) > 30
    assert (colours.max(axis=2) - colours.min(axis=2) > 30).mean() > 0.01, "no colours of masks"
    assert viewer.locator(".nn-scale-text").inner_text().endswith("µm")


def test_pointing_shows_the_number_in_the_array(viewer: Locator, labels: Labels) -> None:
    readout = viewer.locator(".nn-readout")
    assert len(places(labels)) >= 4
    for x, y, number in places(labels):
        point_to(viewer, x, y)
        expect(readout.locator(".nn-readout-name")).to_have_text(f"ROI {number}")
    y, x = np.unravel_index(distance_transform_edt(labels == 0).argmax(), labels.shape)
    point_to(viewer, x, y)
    expect(readout).to_be_hidden()


def test_a_click_reaches_python(viewer: Locator, labels: Labels) -> None:
    x, y, number = places(labels)[0]
    viewer.page.mouse.click(*point_to(viewer, x, y))
    expect(viewer.locator(".nn-card")).to_contain_text(f"ROI {number}")
    assert_python_has(viewer.page, f"roi {number} area {(labels == number).sum()} ")


def test_keys_pressed_in_the_viewer_stay_there(viewer: Locator) -> None:
    cells = viewer.page.locator(".jp-Notebook .jp-CodeCell")
    viewer.get_by_role("application").focus()
    for key in ("b", "a", "d", "d", "+", "+", "ArrowRight"):
        viewer.page.keyboard.press(key)
    expect(cells).to_have_count(len(CELLS))
    assert_python_has(viewer.page, r"view \[")


def test_a_change_from_python_moves_the_view(viewer: Locator, labels: Labels) -> None:
    number = places(labels)[-1][2]
    width_before = viewer.locator(".nn-scale-text").inner_text()
    run_cell(viewer.page, 1)
    expect(viewer.locator(".nn-scale-text")).not_to_have_text(width_before)
    rest(viewer.page, 1500)  # the movement
    box = viewer.locator(".nn-area").bounding_box()
    assert box is not None
    viewer.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(viewer.locator(".nn-readout-name")).to_have_text(f"ROI {number}")
    assert_python_has(viewer.page, "roi None")


def test_it_is_dark_where_jupyterlab_is(viewer: Locator) -> None:
    assert viewer.get_attribute("data-theme") == "light"
    viewer.page.evaluate("document.body.dataset.jpThemeLight = 'false'")
    expect(viewer).to_have_attribute("data-theme", "dark")
    viewer.page.evaluate("document.body.dataset.jpThemeLight = 'true'")
    expect(viewer).to_have_attribute("data-theme", "light")


def test_cells_are_drawn_from_a_store_and_a_choice_reaches_python(viewer: Locator) -> None:
    page = viewer.page
    run_cell(page, 3)
    browser = page.locator(CELL_BROWSER)
    browser.and_(page.locator("[data-state=ready]")).wait_for(timeout=CELL_MS)
    grid = browser.get_by_role("grid")
    grid.scroll_into_view_if_needed()
    expect(browser.locator(".nn-drawn")).to_have_text(re.compile(r"All \d+ cells"))
    first = browser.get_by_role("gridcell", name=re.compile(r"^(Cell 1|mine_ROI_\d+), Area")).first
    first.click()
    heading = browser.get_by_role("region", name="Chosen cell").get_by_role("heading")
    expect(heading).to_have_text(re.compile(r"mine_ROI_\d+"), timeout=CELL_MS)
    assert grey_levels(browser.locator(".nn-picture").screenshot()) > 20
    assert_python_has(page, f"cell {heading.inner_text()}", 4)


def test_a_mosaic_is_shown_and_what_is_done_in_it_reaches_python(viewer: Locator) -> None:
    page = viewer.page
    run_cell(page, 5)
    mosaic = page.locator(MOSAIC)
    mosaic.and_(page.locator("[data-state=ready][data-names=ready]")).wait_for(timeout=CELL_MS)
    mosaic.scroll_into_view_if_needed()
    assert grey_levels(mosaic.locator(".nn-area").screenshot()) > 30
    mosaic.get_by_role("radio", name="Normalised by run").check()
    mosaic.get_by_role("application").focus()
    page.keyboard.press("n")
    heading = mosaic.locator(".nn-card-name")
    expect(heading).to_have_text(re.compile(r"mine_ROI_\d+"), timeout=CELL_MS)
    assert_python_has(page, f"cell {heading.inner_text()} normalised True", 6)


LAYOUT = """(view) => [...view.querySelectorAll('*')].filter((part) => part.checkVisibility()).map((part) => {
  const [box, own] = [part.getBoundingClientRect(), getComputedStyle(part)];
  return [part.className, Math.round(box.width), own.display, own.position, own.padding, own.gap, own.fontSize];
})"""
"""What style sheets decide of each part of a view."""


def test_all_views_together_are_laid_out_as_each_alone(viewer: Locator) -> None:
    page = viewer.page
    alone = viewer.evaluate(LAYOUT)
    run_cell(page, 7)
    scatter = page.locator(SCATTER)
    scatter.and_(page.locator("[data-state=ready]")).wait_for(timeout=CELL_MS)
    views = [viewer, scatter, page.locator(CELL_BROWSER), page.locator(MOSAIC)]
    together = [view.evaluate(LAYOUT) for view in views]
    assert together[0] == alone
    page.evaluate("""() => document.head.insertAdjacentHTML('beforeend', `<style>
      .nn-view, .nn-view * { position: static; display: block; padding: 9px; gap: 9px; font-size: 30px } </style>`)""")
    assert [view.evaluate(LAYOUT) for view in views] == together, "a style of the notebook reaches into a view"


def test_values_go_both_ways_in_every_view(viewer: Locator) -> None:
    page = viewer.page
    scatter, browser, mosaic = (page.locator(view) for view in (SCATTER, CELL_BROWSER, MOSAIC))
    scatter.scroll_into_view_if_needed()
    scatter.get_by_role("application").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    assert_python_has(page, r"scatter (mine|other) cells \1 axes None by run", 8)
    run_cell(page, 9)
    expect(scatter.get_by_role("radio", name=re.compile("Spread|Standard deviation"))).to_be_checked()
    expect(browser.get_by_role("gridcell").first).to_have_css("width", re.compile(r"^120(\.\d+)?px"))
    assert_python_has(page, r"axes \[0, 50, 0, 200\] by std", 8)
    assert mosaic.get_attribute("data-state") == "ready"


def test_further_labels_are_outlined_and_a_picture_is_as_the_view(viewer: Locator, folder: Path) -> None:
    page = viewer.page
    run_cell(page, 10)
    viewer.and_(page.locator("[data-masks=drawn]")).wait_for()
    viewer.locator("canvas[data-labels=drawn]").wait_for(timeout=CELL_MS)
    viewer.scroll_into_view_if_needed()
    rest(page, 1500)  # the movement
    box = viewer.locator(".nn-area").bounding_box()
    assert box is not None
    side = min(box["width"], box["height"])
    shown = Image.open(io.BytesIO(viewer.locator(".nn-area").screenshot())).convert("RGB")
    left, top = (box["width"] - side) / 2, (box["height"] - side) / 2
    shown = shown.crop((round(left), round(top), round(left + side), round(top + side))).resize((300, 300))
    made = Image.open(folder / "view.png").convert("RGB").resize((300, 300))
    differ = np.abs(np.asarray(shown, np.int64) - np.asarray(made)).max(axis=2)
    assert (differ > 60).mean() < 0.03, "other colours or another place than in the browser"
    viewer.get_by_role("checkbox", name="wider masks").uncheck()
    expect(viewer.locator("canvas[data-labels]")).to_have_count(0)
    assert_python_has(page, r"shown \[\]", 11)


def test_a_real_image_is_segmented_and_corrected_by_the_kernel(viewer: Locator, folder: Path) -> None:
    page = viewer.page
    run_cell(page, 7)  # imports nnbook
    run_cell(page, 12)
    segmenter = page.locator(".nn-segment")
    expect(segmenter).to_have_attribute("data-masks", "done", timeout=CELL_MS)
    segmenter.scroll_into_view_if_needed()
    run_cell(page, 13)
    expect(segmenter).to_have_attribute("data-method", "forest", timeout=CELL_MS)
    count = int(str(segmenter.get_attribute("data-nuclei")))
    assert count > 5
    segmenter.get_by_role("application").focus()
    page.keyboard.press("n")
    page.keyboard.press("Delete")
    expect(segmenter).to_have_attribute("data-edits", "1", timeout=CELL_MS)
    assert_python_has(page, f"method forest nuclei {count - 1} ", 14)
    segmenter.get_by_role("button", name="Save", exact=True).click()
    expect(segmenter).to_have_attribute("data-saved", "real_cp_masks.tif real_nuclei.csv", timeout=CELL_MS)
    assert len(np.unique(read_mask(folder / "real_cp_masks.tif"))) == count


def _is_foreign(address: str, host: str) -> bool:
    parts = urlsplit(address)
    return parts.scheme in {"http", "https", "ws", "wss"} and parts.netloc != host
