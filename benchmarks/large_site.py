"""The views of a book of many panoramas and a million cells, in headless Chromium: a part of `scale.py`.

Tables are written without pixels: panoramas as `nnbook run` lists them, each with the address of its preview and its
tiles, and as many cells as were published, of which the twin's are repeated. A view is opened five times, each with
nothing cached, at 1280 x 800, from a server on this machine: the time until it says that it is ready, and has drawn
what it is for (`each_ms`, and their median), and the bytes that came for that, uncompressed. `search` is the time from
the last key of a panorama's name to its place in the list of the viewer's field. `build/twin` and `widgets/dist` are
read, so that `make book` comes first.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
from playwright.sync_api import sync_playwright

from nnbook.io.manifest import Panorama
from nnbook.viewers.tables import brief_columns, panoramas_columns

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from cell_browser import DRAWN, write_million
from file_server import serving
from ranges import RangeHandler
from reader import BOOK, PROJECT

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

SIDE_PX: Final = 512
"""Of each: as large that a book of 16,000 has tiles of all."""

TIMES: Final = 5
"""That a view is opened: what else the machine does now and then takes as long as the view."""

VIEWS: Final = {
    "scatter": {"panoramas": "pyramids/panoramas.json", "by": "run"},
    "nuclei": {"panoramas": "pyramids/panoramas.json", "cells": "cells/cells.json", "by": "count"},
    "cells": {"panoramas": "pyramids/panoramas.json", "cells": "cells/cells.json", "height": 640},
    "panorama": {"index": "pyramids/index.json", "panoramas": "pyramids/panoramas.json", "height": 600},
}
"""By bundle, what its view is given."""

PAGE: Final = """<!doctype html><html lang="en"><meta charset="utf-8"><title>View</title><link rel="icon" href="data:,">
<body><div id="host"></div><script type="module">
import widget from './BUNDLE.mjs';
const values = VALUES;
const el = document.createElement('div');
document.getElementById('host').attachShadow({ mode: 'open' }).append(el);
widget.render({ model: { get: (name) => values[name], set() {}, on() {} }, el });
</script>"""
STATE: Final = """() => document.getElementById('host')?.shadowRoot
    ?.querySelector('[data-state=ready], [data-state=error]')?.dataset.state"""
PLANE: Final = """() => [...document.getElementById('host').shadowRoot.querySelectorAll('.nn-area')]
    .some((area) => / nuclei by /.test(area.getAttribute('aria-label')))"""
FOUND: Final = """(name) => {
    const options = document.getElementById('host').shadowRoot.querySelectorAll('[role=option]');
    return [...options].some((option) => option.textContent.includes(name));
}"""


def measure_site(folder: Path, counts: list[int]) -> dict[str, Any]:
    """Write tables of so many panoramas, and open each view of them.

    Parameters
    ----------
    folder : Path
        An empty folder to write in.
    counts : list of int
        How many panoramas there are, one number after another.
    """
    (folder / "cells").mkdir()
    write_million(folder / "cells", BOOK / "cells")
    shutil.copytree(PROJECT / "widgets/dist", folder, dirs_exist_ok=True)
    for bundle, values in VIEWS.items():
        page = PAGE.replace("BUNDLE", bundle).replace("VALUES", json.dumps(values))
        (folder / f"{bundle}.html").write_text(page, encoding="utf-8")
    found: dict[str, Any] = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        for count in counts:
            write_panoramas(folder / "pyramids", count)
            with serving(folder, RangeHandler) as address:
                found[str(count)] = {view: open_often(browser, address, view) for view in VIEWS}
            print("site", count, found[str(count)], file=sys.stderr, flush=True)
        browser.close()
    cells = json.loads((folder / "cells/cells.json").read_text(encoding="utf-8"))["cells"]
    return {"cells": cells, "by_panoramas": found, "load": round(os.getloadavg()[0], 1)}


def write_panoramas(folder: Path, count: int) -> None:
    """Write what viewers read of so many panoramas; all have tiles, but only those of representatives are there."""
    shutil.rmtree(folder, ignore_errors=True)
    index = json.loads((BOOK / "pyramids/index.json").read_text(encoding="utf-8"))
    chosen = index["panoramas"]
    for one in chosen:
        (folder / one["panorama"]).parent.mkdir(exist_ok=True)
        (folder / one["panorama"]).symlink_to((BOOK / "pyramids" / one["panorama"]).resolve())
    names = [one["panorama"] for one in chosen]
    names += [f"Run{1000 + at // 16}T{'LR'[at % 2]}_{at % 16}" for at in range(count - len(names))]
    rng = np.random.default_rng(1)
    levels = rng.normal(80, 20, count).clip(1)
    results = pd.DataFrame(
        {
            "image": [f"{name}.tif" for name in names],
            "num_rois": rng.normal(700, 200, count).clip(1).astype(int),
            "mean_intensity": levels,
            "std_intensity": 0.8 * levels,
        }
    )
    rows = {
        f"{name}.tif": Panorama(
            name, at // 16 + 1, "TL", "top_left", "P12", f"{name}.tif", "", SIDE_PX, SIDE_PX, 8.0453, "", ""
        )
        for at, name in enumerate(names)
    }
    tiles = {name: {"tiles": f"{name}.zip", "nuclei": f"nuclei/{name}.json", "truth": None} for name in names}
    tiles |= {name: {"tiles": name, "nuclei": f"{name}/nuclei.json", "truth": True} for name in names[: len(chosen)]}
    columns = panoramas_columns(results, rows, tiles)
    table = {"edition": "benchmark", "note": "", "columns": brief_columns(columns)}
    text = json.dumps(table, separators=(",", ":"))  # as `nnbook run` writes it
    (folder / "panoramas.json").write_text(text, encoding="utf-8")
    (folder / "index.json").write_text(json.dumps(index), encoding="utf-8")


def open_often(browser: Browser, address: str, view: str) -> dict[str, Any]:
    """Open a view so many times; return what the one of the middle found, with the milliseconds of each."""
    found = sorted((open_view(browser, address, view) for _ in range(TIMES)), key=lambda one: one["ms"])
    return {**found[TIMES // 2], "each_ms": [one["ms"] for one in found]}


def open_view(browser: Browser, address: str, view: str) -> dict[str, Any]:
    """Open a view in a fresh browser; return the milliseconds until it is ready, and the bytes that came for that."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    devtools = context.new_cdp_session(page)
    devtools.send("Network.enable")
    came: list[int] = []
    devtools.on("Network.loadingFinished", lambda about: came.append(int(about["encodedDataLength"])))
    began = time.perf_counter()
    page.goto(f"{address}/{view}.html", wait_until="commit")
    page.wait_for_function(STATE, polling="raf", timeout=120_000)
    assert page.evaluate(STATE) == "ready", page.content()
    if view == "cells":
        page.evaluate(DRAWN)
    if view == "nuclei":  # which is ready before it has points
        page.wait_for_function(PLANE, polling="raf", timeout=120_000)
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    found: dict[str, Any] = {"ms": round(1000 * (time.perf_counter() - began)), "bytes": sum(came)}
    if view == "panorama":
        found["search_ms"] = search(page)
    context.close()
    return found


def search(page: Page) -> int:
    """Type the name of a panorama into the viewer's field; return the milliseconds until the list has it."""
    names = json.loads((page.request.get(page.url.rsplit("/", 1)[0] + "/pyramids/panoramas.json")).text())
    last = names["columns"]["panorama"][-1]
    field = page.get_by_role("combobox", name="Go to a panorama")
    field.fill(last[:-1])
    began = time.perf_counter()
    field.press_sequentially(last[-1])
    page.wait_for_function(FOUND, arg=last, polling="raf")
    return round(1000 * (time.perf_counter() - began))
