"""The view that segments as one HTML file, opened from the disk, with the network cut."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import expect
from try_page import SLOW_MS, VIEW, saved_labels, segmented

from nnbook.cli import main
from nnbook.evaluation.metrics import evaluate
from nnbook.segmentation.panorama import segment
from nnbook.simulation.panorama import simulate_panorama

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser

DIAMETER_PX = 152.91


def test_a_page_in_one_file_segments_from_the_disk_with_the_network_cut(browser: Browser, tmp_path: Path) -> None:
    assert main(["try", "--out", str(tmp_path / "segment.html")]) == 0
    image, _, _ = simulate_panorama(31, 2, "TR", "top_left", width_px=700, height_px=640)
    context = browser.new_context(offline=True, accept_downloads=True)
    try:
        page = context.new_page()
        wrong: list[str] = []
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{(tmp_path / 'segment.html').as_uri()}?try.diameter={DIAMETER_PX}")
        expect(page.locator(VIEW)).to_have_attribute("data-state", "waiting", timeout=SLOW_MS)
        segmented(page, image)
        labels = saved_labels(page)
        tried = page.evaluate("fetch('https://elsewhere.example/').then(() => 'sent', (error) => String(error))")
    finally:
        context.close()
    expected = segment(image, diameter_px=DIAMETER_PX)
    assert labels.max() == expected.max() > 0
    assert evaluate(labels, expected)["mean_iou"] > 0.99
    assert tried != "sent"
    assert {url.partition(":")[0] for url in asked if "elsewhere" not in url} == {"file", "blob"}
    assert all("elsewhere" in line for line in wrong), wrong
