"""The cell browser in headless Chromium: `python benchmarks/cell_browser.py OUT.json`, after `make book`.

For the twin's cells, and for as many as were published (simulated: the twin's cells again and again), at 1280 x 800
from a server on this machine that answers range requests:

- the first view: time until every cell in view is drawn, requests and bytes; as it is, and with the network held to
  20 Mbit/s and 40 ms of latency;
- the same from a host that hands out whole files only: shards, and their bytes;
- frames a second while nothing is done, for comparison;
- frames a second while the reader scrolls through the draw, and back at the pace of one who looks; the share of frames
  that came late, after more than 25 ms, and of the time that the page's own thread worked; requests, bytes and the
  JavaScript heap by then;
- a new draw, a cell chosen, the draw in order of area: time, requests and bytes of each.

Chromium draws in software here: on a machine with graphics hardware there is less to do. On a machine that does other
things beside, times and frames are upper and lower bounds; `load` is how many processes wanted to run.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from playwright.sync_api import sync_playwright

from nnbook.cells import draw, overview
from nnbook.cells.extraction import CELL_PX, THUMBNAIL_PX
from nnbook.cells.shards import create_group, encode, set_length, write_shard
from nnbook.cells.store import NUMBER, read_cells
from nnbook.cells.writer import CELLS_PER_SHARD, IN_PAGES, ROWS_PER_GROUP
from nnbook.io.files import write_json
from nnbook.values.published import SINGLE_CELL_IMAGES

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from file_server import serving
from ranges import Asked, RangeHandler
from reader import BOOK, PROJECT

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Browser, Page

BUNDLE = PROJECT / "widgets/dist/cells.mjs"
RUNS = 100
TEXTS = ["panorama", "passage", "class"]
DIFFERENT_SHARDS = 8
"""So many shards are written; the others are links to them, so that a million cells take little room."""

THROTTLED = {"offline": False, "latency": 40, "downloadThroughput": 20e6 / 8, "uploadThroughput": 20e6 / 8}
WHEEL_PX = 90
PACE_PX = 12
STEP_MS = 12
STEPS = 500
LATE_MS = 25
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Cells</title><body><div id="host"></div>
<script type="module">
import widget from './cells.mjs';
const values = { cells: 'cells/cells.json', height: 640 };
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
# A cell that has not come is drawn in one colour, which no image has in its corner.
DRAWN = """async () => {
    const root = document.querySelector('#host').shadowRoot;
    for (;;) {
        const grid = root.querySelector('.nn-grid');
        const view = grid?.getBoundingClientRect();
        const rows = [...(grid?.querySelectorAll('.nn-row:not([hidden])') ?? [])].filter((row) => {
            const box = row.getBoundingClientRect();
            return box.top < view.bottom && box.bottom > view.top;
        });
        const drawn = rows.length > 0 && rows.every((row) => {
            const canvas = row.querySelector('canvas');
            const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, 1);
            for (let at = 0; at < data.length; at += 4) if (data[at] === 25 && data[at + 1] === 27) return false;
            return true;
        });
        if (drawn) return;
        await new Promise(requestAnimationFrame);
    }
}"""


def write_million(folder: Path, source: Path) -> None:
    """Write a store of as many cells as were published, which repeats those of another."""
    cells = read_cells(source)
    count = SINGLE_CELL_IMAGES
    rng = np.random.default_rng(1)
    group = folder / "cells.zarr"
    arrays = {
        "images": (cells.images, CELL_PX, CELLS_PER_SHARD),
        "thumbnails": (cells.thumbnails, THUMBNAIL_PX, CELLS_PER_SHARD),
    }
    create_group(group, {name: (side, per_shard) for name, (_, side, per_shard) in arrays.items()}, {})
    for name, (images, _, per_shard) in arrays.items():
        stored = [encode(image) for image in images[:]]
        written: list[Path] = []
        for number in range(-(-count // per_shard)):
            if number < DIFFERENT_SHARDS:
                chosen = [stored[at] for at in rng.integers(0, len(stored), per_shard)]
                written.append(write_shard(group / name, number, chosen, per_shard))
                continue
            path = group / name / "c" / str(number) / "0" / "0"
            path.parent.mkdir(parents=True)
            os.link(written[number % DIFFERENT_SHARDS], path)
    set_length(group, count)
    at = np.resize(np.arange(len(cells)), count)
    runs = np.arange(count) * RUNS // count + 1
    table = cells.table.iloc[at].reset_index(drop=True).assign(run=runs.astype(np.int32))
    table[NUMBER] = np.arange(count, dtype=np.int32)
    rows = pa.Table.from_pandas(table, preserve_index=False)
    pq.write_table(rows, folder / "cells.parquet", row_group_size=ROWS_PER_GROUP, use_dictionary=TEXTS, **IN_PAGES)
    firsts = np.searchsorted(runs, np.arange(1, RUNS + 2)).tolist()
    told = [
        {"run": run, "passage": None, "first": first, "cells": end - first}
        for run, (first, end) in enumerate(pairwise(firsts), start=1)
    ]
    size = (folder / "cells.parquet").stat().st_size
    shards = [min(CELLS_PER_SHARD, count - first) for first in range(0, count, CELLS_PER_SHARD)]
    about = {**cells.about, "cells": count, "runs": told, "note": "Simulated.", "table_bytes": size, "shards": shards}
    about["overview"] = overview.write_overview(folder / "cells.parquet", folder / overview.FILE)
    about["draw"] = draw.write_draw(folder, range(count), told, CELLS_PER_SHARD)
    write_json(folder / "cells.json", about)


class WholeFileHandler(RangeHandler):
    """Hands out no parts, and keeps count of the shards that it hands out."""

    def do_GET(self) -> None:  # noqa: N802 - its name in the standard library
        """Answer with a whole file, whatever is asked for."""
        del self.headers["Range"]
        if "/c/" in self.path:
            self.parts.append(Asked(self.path, 0, Path(self.translate_path(self.path)).stat().st_size))
        super().do_GET()


def measure(browser: Browser, address: str) -> dict[str, Any]:
    """Use the browser of one page as a reader would."""
    results: dict[str, Any] = {"first_view": first_view(browser, address, throttled=False)}
    results["first_view_throttled"] = first_view(browser, address, throttled=True)
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.goto(f"{address}/index.html?draw=2")
    page.evaluate(DRAWN)
    page.mouse.move(600, 500)
    results["idle"] = scroll(page, 0)
    results["scroll_through"] = scroll(page, WHEEL_PX)
    results["scroll_at_reading_pace"] = scroll(page, -PACE_PX)
    results["new_draw"] = timed(page, lambda: page.get_by_role("button", name="New draw").click())

    def choose() -> None:
        page.locator(".nn-cell:visible").nth(30).click()
        page.locator(".nn-card dt").first.wait_for()

    results["choose"] = timed(page, choose)

    def sort() -> None:
        page.get_by_role("combobox", name="Order").select_option("area_um2")
        page.wait_for_function("() => location.search.includes('sort=')")
        page.locator('.nn-cell[aria-label*="Area"]').first.wait_for()

    results["sort"] = timed(page, sort)
    page.close()
    return results


def scroll(page: Page, step_px: int) -> dict[str, Any]:
    """Turn the wheel by so many pixels a step, and count frames."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("Performance.enable")

    def busy() -> float:
        metrics = {one["name"]: one["value"] for one in devtools.send("Performance.getMetrics")["metrics"]}
        return float(metrics["ThreadTime"])

    RangeHandler.parts.clear()
    before = busy()
    page.evaluate(WATCH)
    end = page.evaluate("() => document.querySelector('#host').shadowRoot.querySelector('.nn-sheet').offsetHeight")
    for _ in range(min(STEPS, int(end / max(abs(step_px), 1)))):
        if step_px:
            page.mouse.wheel(0, step_px)
        page.wait_for_timeout(STEP_MS)
    times = np.diff(page.evaluate(STOP))
    spent = busy() - before
    page.evaluate(DRAWN)
    return {
        "frames_per_s": round(1000 / float(times.mean()), 1),
        "late_share": round(float((times > LATE_MS).mean()), 3),
        "busy_share": round(spent / float(times.sum()) * 1000, 3),
        **fetched(),
        "heap_mb": round(page.evaluate("performance.memory.usedJSHeapSize") / 1e6),
    }


def first_view(browser: Browser, address: str, *, throttled: bool) -> dict[str, Any]:
    """Open a draw in a fresh browser, and wait until every cell in view is drawn."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    if throttled:
        context.new_cdp_session(page).send("Network.emulateNetworkConditions", THROTTLED)
    found = timed(page, lambda: page.goto(f"{address}/index.html?draw=1", wait_until="commit"))
    found["cells"] = page.evaluate(
        "() => document.querySelector('#host').shadowRoot.querySelectorAll('.nn-cell:not([hidden])').length"
    )
    context.close()
    return found


def timed(page: Page, do: Callable[[], Any]) -> dict[str, Any]:
    """Do something, wait until all cells in view are drawn, and tell what it took."""
    RangeHandler.parts.clear()
    before = time.perf_counter()
    do()
    page.wait_for_function("() => document.querySelector('#host')?.shadowRoot")
    page.evaluate(DRAWN)
    return {"ms": round((time.perf_counter() - before) * 1000), **fetched()}


def fetched() -> dict[str, int]:
    """Count what was asked for in parts since the last clearing."""
    parts = list(RangeHandler.parts)
    return {"requests": len(parts), "kb": round(sum(part.end - part.first for part in parts) / 1000)}


def main(out: Path) -> None:
    """Measure, and write what was found."""
    results: dict[str, Any] = {"bundle_bytes": BUNDLE.stat().st_size, "load": os.getloadavg()[0]}
    chromium = shutil.which("chromium")
    with tempfile.TemporaryDirectory() as temporary, sync_playwright() as playwright:
        folder = Path(temporary)
        shutil.copyfile(BUNDLE, folder / "cells.mjs")
        (folder / "index.html").write_text(PAGE, encoding="utf-8")
        (folder / "million").mkdir()
        write_million(folder / "million", BOOK / "cells")
        options = ["--no-sandbox", "--disable-gpu", "--enable-precise-memory-info"]
        browser = playwright.chromium.launch(executable_path=chromium, args=options)
        for store in (BOOK / "cells", folder / "million"):
            (folder / "cells").unlink(missing_ok=True)
            (folder / "cells").symlink_to(store.resolve(), target_is_directory=True)
            count = len(pd.read_parquet(store / "cells.parquet", columns=["run"]))
            with serving(folder, RangeHandler) as address:
                results[f"{count} cells"] = measure(browser, address)
            with serving(folder, WholeFileHandler) as address:
                results[f"{count} cells"]["first_view_whole_files"] = first_view(browser, address, throttled=False)
        browser.close()
    write_json(out, results)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
