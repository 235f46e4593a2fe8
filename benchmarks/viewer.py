"""The viewer in headless Chromium: `python benchmarks/viewer.py OUT.json`, after `make book`.

On a full-size simulated panorama at 1280 x 800, from a server on this machine: the bundle's bytes; milliseconds from
the opening of the widget to the first pixels of the image, and to the last tile and mask; tiles fetched for that;
frames a second while panning at full resolution with masks on, with how many of them came late; milliseconds to
recolour what is in view; and `crowded`, panning with 20,164 nuclei in view, their masks coloured by area. Chromium
draws in software here: on a machine with graphics hardware there is less to do.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Request, sync_playwright

from nnbook.io.files import write_json
from nnbook.viewers.pyramid import write_pyramid

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from file_server import serving
from panorama_page import BUNDLE, PAGE, link, write_page

RUNS = 5
PAN_MS = 4000
ROWS, CELL_PX = 142, 86
VIEWER = "const viewer = document.getElementById('host')?.shadowRoot?.querySelector('.nn-panorama');"
FIRST = """() => new Promise((done) => {
    const look = () => {
        VIEWER
        const { state, masks } = viewer?.dataset ?? {};
        window.opened ??= viewer ? performance.now() : undefined;
        if (state === 'ready') window.first ??= performance.now();
        if (window.first && masks === 'drawn') done([window.first - window.opened, performance.now() - window.opened]);
        else requestAnimationFrame(look);
    };
    look();
})""".replace("VIEWER", VIEWER)
PAN = """async (ms) => {
    VIEWER
    const canvas = viewer.querySelector('.openseadragon-canvas');
    const { left, top, width, height } = canvas.getBoundingClientRect();
    const send = (type, x, y, buttons) => canvas.dispatchEvent(new PointerEvent(type, {
        bubbles: true, composed: true, pointerId: 1, pointerType: 'mouse', isPrimary: true,
        button: type === 'pointermove' ? -1 : 0, buttons, clientX: left + x, clientY: top + y }));
    const frames = [];
    const start = performance.now();
    let [x, y] = [width / 2, height / 2];
    send('pointerdown', x, y, 1);
    for (let now = start; now - start < ms;) {
        now = await new Promise(requestAnimationFrame);
        frames.push(now);
        const turn = (now - start) / 1500;
        x = width / 2 + Math.sin(turn) * width * 0.4;
        y = height / 2 + (1 - Math.cos(turn)) * height * 0.2;
        send('pointermove', x, y, 1);
    }
    send('pointerup', x, y, 0);
    const gaps = frames.slice(1).map((frame, at) => frame - frames[at]).sort((a, b) => a - b);
    const at = (share) => gaps[Math.floor(share * (gaps.length - 1))];
    return {
        frames_a_second: 1000 * gaps.length / (frames.at(-1) - frames[0]),
        median_frame_ms: at(0.5), p95_frame_ms: at(0.95),
        late_share: gaps.filter((gap) => gap > 20).length / gaps.length };
}""".replace("VIEWER", VIEWER)
RECOLOUR = """async () => {
    VIEWER
    const radios = [...viewer.querySelectorAll('.nn-masks input[type=radio]')];
    const times = [];
    for (let turn = 0; turn < 20; turn++) {
        const start = performance.now();
        radios[1 + turn % 2].click();
        times.push(performance.now() - start);
        await new Promise(requestAnimationFrame);
    }
    return times.sort((a, b) => a - b)[10];
}""".replace("VIEWER", VIEWER)


def measure(folder: Path) -> dict[str, Any]:
    """Return the figures of the viewer that the page in a folder shows."""
    figures: dict[str, Any] = {"bundle_bytes": BUNDLE.stat().st_size}
    with serving(folder) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        opened = []
        for _ in range(RUNS):
            page = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
            tiles: list[str] = []

            def note(request: Request, tiles: list[str] = tiles) -> None:
                if "_files/" in request.url:
                    tiles.append(request.url)

            page.on("request", note)
            page.goto(address, wait_until="commit")
            first, all_ms = page.evaluate(FIRST)
            page.wait_for_timeout(800)
            opened.append((first, all_ms, len(tiles)))
            page.context.close()
        middle = sorted(opened)[RUNS // 2]
        figures |= {"first_pixels_ms": middle[0], "everything_ms": middle[1], "tiles": middle[2]}
        page = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
        page.goto(link(address, view="6000,6000,950"))
        page.evaluate(FIRST)
        page.wait_for_timeout(1500)
        figures |= page.evaluate(PAN, PAN_MS)
        figures["second_round"] = page.evaluate(PAN, PAN_MS)  # over tiles that are at hand already
        figures["recolour_ms"] = page.evaluate(RECOLOUR)
        browser.close()
    return figures


def write_crowded(folder: Path) -> None:
    """Write a page with one panorama of `ROWS` x `ROWS` round nuclei, each with an area."""
    y, x = np.mgrid[:CELL_PX, :CELL_PX] - CELL_PX / 2
    disc = np.hypot(y, x) < 0.3 * CELL_PX
    numbers = np.arange(1, ROWS**2 + 1, dtype=np.int32).reshape(ROWS, ROWS)
    labels = np.kron(numbers, disc.astype(np.int32))
    write_pyramid(folder / "pyramids" / "P", np.where(labels > 0, 120, 5).astype(np.uint8), labels)
    rows, columns = np.divmod(np.arange(ROWS**2), ROWS)
    places = {"x_px": (columns + 0.5) * CELL_PX, "y_px": (rows + 0.5) * CELL_PX}
    area = np.random.default_rng(1).uniform(50, 300, ROWS**2).round(1)
    nuclei = {"roi": numbers.ravel(), **places, "area_um2": area}
    table = {"columns": {name: values.tolist() for name, values in nuclei.items()}}
    (folder / "pyramids" / "P" / "nuclei.json").write_text(json.dumps(table), encoding="utf-8")
    files = {"intensity": "P/intensity.dzi", "labels": "P/labels.dzi", "nuclei": "P/nuclei.json"}
    entry = {"panorama": "P", "width": labels.shape[1], "height": labels.shape[0], "px_per_um": 8.0, **files}
    index = {"note": "", "panoramas": [entry]}
    (folder / "pyramids" / "index.json").write_text(json.dumps(index), encoding="utf-8")
    (folder / "pyramids" / "panoramas.json").write_text('{"columns": {"panorama": []}}', encoding="utf-8")
    (folder / "index.html").write_text(PAGE, encoding="utf-8")
    shutil.copyfile(BUNDLE, folder / BUNDLE.name)


def measure_crowded(folder: Path) -> dict[str, Any]:
    """Return how smoothly the crowded panorama pans, all of it in view and its masks coloured."""
    with serving(folder) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
        page.goto(link(address, by="area_um2"))
        page.evaluate(FIRST)
        page.wait_for_timeout(1500)
        page.evaluate(PAN, PAN_MS)
        figures: dict[str, Any] = page.evaluate(PAN, PAN_MS)
        browser.close()
    return figures


def main(out: Path) -> None:
    """Measure, print and write."""
    with tempfile.TemporaryDirectory() as folder:
        write_page(Path(folder))
        figures = measure(Path(folder))
    with tempfile.TemporaryDirectory() as folder:
        write_crowded(Path(folder))
        figures["crowded"] = measure_crowded(Path(folder))
    for name, value in figures.items():
        print(f"{name:>20}  {value}")
    write_json(out, figures)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
