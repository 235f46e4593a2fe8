"""The scatters of panoramas and nuclei in headless Chromium: `python benchmarks/scatter.py OUT.json` after `make book`.

For 160, 1,600 and 20,000 simulated panoramas, and 10,000, 100,000 and 1,000,000 nuclei, at 1280 x 800, from a server
on this machine: frames a second while the reader zooms by the wheel, drags the plane, and points from one to the next,
with experiments of panoramas lifted out; and the share of frames that came late, after more than 25 ms. Chromium draws
in software here: on a machine with graphics hardware there is less to do.
"""

from __future__ import annotations

import math
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from playwright.sync_api import sync_playwright

from nnbook.cells.writer import ROWS_PER_GROUP
from nnbook.io.files import write_json

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from file_server import serving
from ranges import RangeHandler
from reader import PROJECT

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Browser

BUNDLES = PROJECT / "widgets/dist"
COUNTS = (160, 1_600, 20_000)
NUCLEI = (10_000, 100_000, 1_000_000)
STEPS = 120
STEP_MS = 12
LATE_MS = 25
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Scatter</title><body><div id="host"></div>
<script type="module">
import widget from './BUNDLE.mjs';
const values = { panoramas: 'panoramas.json', cells: 'cells.json', BY };
const el = document.createElement('div');
document.getElementById('host').attachShadow({ mode: 'open' }).append(el);
widget.render({ model: { get: (name) => values[name], set() {}, on() {} }, el });
</script>"""
WATCH = """() => {
    const times = [];
    const look = (now) => { times.push(now); if (window.times === times) requestAnimationFrame(look); };
    window.times = times;
    requestAnimationFrame(look);
}"""
STOP = "() => { const { times } = window; window.times = null; return times; }"


def write_table(path: Path, count: int) -> None:
    """Write a table of panoramas that are spread as the published ones are."""
    rng = np.random.default_rng(1)
    levels = rng.normal(80, 20, count)
    at = np.arange(count)
    columns = {
        "panorama": [f"Run{run}_{crop}" for run, crop in zip(at // 16 + 1, at % 16, strict=True)],
        "run": (at // 16 + 1).tolist(),
        "num_rois": rng.normal(700, 200, count).clip(1).astype(int).tolist(),
        "mean_intensity": levels.tolist(),
        "std_intensity": (0.8 * levels + rng.normal(0, 5, count)).tolist(),
        "rank": [place + 1 if place < 10 else None for place in range(count)],
    }
    write_json(path, {"edition": "benchmark", "note": "", "columns": columns})


def write_nuclei(folder: Path, count: int) -> None:
    """Write the list and the table of nuclei that are spread about as the simulated ones are."""
    rng = np.random.default_rng(1)
    area = rng.lognormal(5.2, 0.35, count)
    mean = rng.normal(110, 40, count).clip(5, 250)
    table = {"area_um2": area, "mean_intensity": mean, "std_intensity": mean * rng.normal(0.35, 0.06, count)}
    columns = {name: pa.array(values.astype(np.float32)) for name, values in table.items()}
    pq.write_table(pa.table(columns), folder / "cells.parquet", row_group_size=ROWS_PER_GROUP)
    listed = {"cells": count, "cell_px": 256, "px_per_um": 8, "runs": [{"run": 1, "first": 0, "cells": count}]}
    files = {"images": "images", "thumbnails": "thumbnails", "table": "cells.parquet"}
    size = (folder / "cells.parquet").stat().st_size
    write_json(folder / "cells.json", {"note": "", **listed, **files, "table_bytes": size})


def measure(browser: Browser, address: str) -> dict[str, dict[str, float]]:
    """Use the scatter of one page, and count its frames."""
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.goto(address)
    area = page.locator(".nn-area")
    area.wait_for()
    page.wait_for_timeout(1000)
    box = area.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def frames(use: Callable[[int], None]) -> dict[str, float]:
        page.evaluate(WATCH)
        for step in range(STEPS):
            use(step)
            page.wait_for_timeout(STEP_MS)
        steps = np.diff(page.evaluate(STOP))
        return {
            "frames_per_s": round(1000 / float(steps.mean()), 1),
            "late_share": round(float((steps > LATE_MS).mean()), 3),
        }

    def turn(step: int) -> None:
        page.mouse.wheel(0, -20 if step < STEPS / 2 else 15)

    def circle(step: int) -> None:
        page.mouse.move(x + 120 * math.sin(step / 10), y + 90 * math.cos(step / 10))

    page.mouse.move(x, y)
    page.keyboard.down("Control")
    measured = {"zoom": frames(turn)}
    page.keyboard.up("Control")
    page.mouse.down()
    measured["drag"] = frames(circle)
    page.mouse.up()
    measured["point"] = frames(circle)
    page.close()
    return measured


def main(out: Path) -> None:
    """Measure, and write what was found."""
    sizes = {name: (BUNDLES / f"{name}.mjs").stat().st_size for name in ("scatter", "nuclei")}
    results: dict[str, Any] = {"bundle_bytes": sizes}
    chromium = shutil.which("chromium")
    with tempfile.TemporaryDirectory() as temporary, sync_playwright() as playwright:
        folder = Path(temporary)
        for name, by in (("scatter", "by: 'run'"), ("nuclei", "by: 'count'")):
            shutil.copyfile(BUNDLES / f"{name}.mjs", folder / f"{name}.mjs")
            page = PAGE.replace("BUNDLE", name).replace("BY", by)
            (folder / f"{name}.html").write_text(page, encoding="utf-8")
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        for count in COUNTS:
            write_table(folder / "panoramas.json", count)
            with serving(folder) as address:
                results[f"{count} panoramas"] = measure(browser, f"{address}/scatter.html")
        for count in NUCLEI:
            write_nuclei(folder, count)
            with serving(folder, RangeHandler) as address:
                results[f"{count} nuclei"] = measure(browser, f"{address}/nuclei.html")
        browser.close()
    write_json(out, results)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
