"""A page with nothing but a viewer, of a full-size simulated panorama among others."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlencode

import numpy as np
from reader import PANORAMA, PROJECT, open_page, wait_for_viewers

from nnbook.measurement.rois import measure_panorama
from nnbook.simulation.dataset import PUBLISHED_SIDE_PX
from nnbook.simulation.panorama import simulate_panorama
from nnbook.viewers.pyramid import write_preview, write_pyramid
from nnbook.viewers.tables import nuclei_columns

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pandas as pd
    from numpy.typing import NDArray
    from playwright.sync_api import Browser, Locator

    from nnbook.io.images import Image, Labels

BUNDLE = PROJECT / "widgets" / "dist" / "panorama.mjs"
MARKUP = "<img src=x onerror=\"document.title='run'\">"
NOTE = "Simulated for tests."
SMALL_PX = 600
PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Panoramas</title>
<link rel="icon" href="data:,">
<body style="margin: 0; padding: 10px">
<main><h1 style="margin: 0">Panoramas</h1><div id="host"></div><p style="height: 1000px">The text goes on.</p></main>
<script type="module">
  import widget from './panorama.mjs';
  const values = { index: 'pyramids/index.json', panoramas: 'pyramids/panoramas.json', height: 600 };
  const model = { get: (name) => values[name], set: (name, value) => { values[name] = value; }, on: () => {} };
  const el = document.createElement('div');
  document.getElementById('host').attachShadow({ mode: 'open' }).append(el);
  window.close_viewer = widget.render({ model, el });
</script>
"""


class Full(NamedTuple):
    """The full-size panorama, and the folder of the page that shows it."""

    folder: Path
    image: Image
    labels: Labels
    rois: pd.DataFrame
    small: Image
    judged: pd.DataFrame
    """The nuclei of a small panorama that only the list of all names, whose tiles are in a zip with the truth."""


def write_page(folder: Path, side_px: int = PUBLISHED_SIDE_PX) -> Full:
    """Simulate panoramas and write the page that shows them: `Full`, one without masks, and one named like markup."""
    pyramids = folder / "pyramids"
    image, labels, truth = simulate_panorama(1, 1, "TL", "top_left", width_px=side_px, height_px=side_px)
    small, small_labels, _ = simulate_panorama(2, 1, "TL", "top_left", width_px=SMALL_PX, height_px=SMALL_PX)
    rois = measure_panorama("Full", image, labels, 8.0453)
    rois["class"] = truth.set_index("label")["class"].reindex(rois["roi"]).to_numpy()
    write_pyramid(pyramids / "Full", image, labels)
    write_pyramid(pyramids / "Bare", small)
    write_pyramid(pyramids / "Small", small, small_labels)
    (pyramids / "Full" / "nuclei.json").write_text(
        json.dumps({"panorama": "Full", "columns": nuclei_columns(rois)}), encoding="utf-8"
    )
    judged = measure_panorama("Judged", small, small_labels, 8.0453)
    true = small_labels.copy()
    true[:20, :20] = small_labels.max() + 1
    wrong = {"kind": ["missed"], "label": [int(true.max())], "x_px": [9.5], "y_px": [9.5]}
    write_pyramid(pyramids / "Judged.zip", small, small_labels, truth=true, mistakes={"columns": wrong}, zipped=True)
    (pyramids / "judged.json").write_text(json.dumps({"columns": nuclei_columns(judged)}), encoding="utf-8")
    (pyramids / "previews").mkdir()
    write_preview(pyramids / "previews" / "Reduced.jpg", small)
    entries = [
        {**_entry("Full", "Full", side_px), "labels": "Full/labels.dzi", "nuclei": "Full/nuclei.json", "rank": 1},
        {**_entry("Bare", "Bare", SMALL_PX), "rank": 2},
        {**_entry(MARKUP, "Small", SMALL_PX), "labels": "Small/labels.dzi", "rank": 3},
    ]
    index = {"edition": "test", "note": NOTE, "panoramas": entries}
    columns = {
        "panorama": ["Full", "Reduced", "Judged"],
        "num_rois": [1, 2, len(judged)],
        "preview": [None, "previews/Reduced.jpg", None],
        "tiles": [None, None, "Judged.zip"],
        "nuclei": [None, None, "judged.json"],
        "truth": [None, None, True],
        **{name: [None, None, SMALL_PX] for name in ("width_px", "height_px")},
        "px_per_um": [None, None, 8.0453],
    }
    (pyramids / "index.json").write_text(json.dumps(index), encoding="utf-8")
    (pyramids / "panoramas.json").write_text(json.dumps({"columns": columns}), encoding="utf-8")
    (folder / "index.html").write_text(PAGE, encoding="utf-8")
    shutil.copyfile(BUNDLE, folder / BUNDLE.name)
    return Full(folder, image, labels, rois, small, judged)


def link(address: str, **state: Any) -> str:
    """Return the address of a view."""
    return f"{address}/?{urlencode(state, safe=',')}"


def open_viewer(browser: Browser, address: str, **options: Any) -> Iterator[tuple[Locator, list[str]]]:
    """Open an address, and yield the viewer once it shows something, with what goes wrong."""
    with open_page(browser, address, **options) as (page, problems):
        viewer = page.locator(PANORAMA)
        viewer.wait_for()
        wait_for_viewers(page)
        yield viewer, problems


def contrast_table(low: int, high: int, gamma: float = 1.0, *, inverted: bool = False) -> NDArray[np.uint8]:
    """Return what each of 256 grey levels is to be shown as."""
    levels = np.clip((np.arange(256) - low) / (high - low), 0, 1) ** gamma
    table: NDArray[np.uint8] = np.floor((1 - levels if inverted else levels) * 255 + 0.5).astype(np.uint8)
    return table


def _entry(name: str, folder: str, side_px: int) -> dict[str, Any]:
    size = {"width": side_px, "height": side_px, "px_per_um": 8.0453}
    return {"panorama": name, **size, "intensity": f"{folder}/intensity.dzi", "num_rois": 3, "mean_intensity": 80.0}
