"""The linked viewer of methods, used as a reader would."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from file_server import serving
from playwright.sync_api import expect
from reader import PROJECT, open_page, wait_for_viewers

from nnbook.methods import Shown, write_linked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from playwright.sync_api import Browser, Locator

    Seen = Callable[..., AbstractContextManager[Locator]]

BUNDLE = PROJECT / "widgets" / "dist" / "methods.mjs"
PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Methods</title>
<link rel="icon" href="data:,">
<body style="margin: 0; padding: 10px">
<main><h1 style="margin: 0">Methods</h1><div id="host"></div></main>
<script type="module">
  import widget from './methods.mjs';
  const values = { name: 'methods', methods: 'live/methods/methods.json' };
  const model = { get: (name) => values[name], set: (name, value) => { values[name] = value; }, on: () => {} };
  const el = document.createElement('div');
  document.getElementById('host').attachShadow({ mode: 'open' }).append(el);
  widget.render({ model, el });
</script>
"""


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("methods")
    true = np.zeros((600, 800), np.int32)
    true[100:200, 100:200], true[100:200, 200:300], true[400:500, 600:700] = 1, 2, 3
    merged = np.where((true == 1) | (true == 2), 1, 0).astype(np.int32)
    write_linked(
        folder,
        (60 + 120 * (true > 0)).astype(np.uint8),
        true,
        {"a": Shown("Method A", merged), "b": Shown("Method B", true)},
        title="A drawn image",
        px_per_um=8,
    )
    (folder / "index.html").write_text(PAGE, encoding="utf-8")
    shutil.copyfile(BUNDLE, folder / BUNDLE.name)
    with serving(folder) as address:
        yield address


@pytest.fixture
def seen(browser: Browser, here: str) -> Seen:
    """Open the view, and hold that nothing goes wrong in it."""

    @contextmanager
    def opened(query: str = "", **options: Any) -> Iterator[Locator]:
        with open_page(browser, f"{here}/{query}", **options) as (page, problems):
            viewer = page.locator(".nn-methods")
            wait_for_viewers(page)
            viewer.locator(".nn-stage[data-masks=drawn]").wait_for()
            yield viewer
            assert problems == []

    return opened


def coloured(viewer: Locator, pane: str, colour: list[int]) -> int:
    """Count the pixels of a pane's outlines that have a colour."""
    canvases = viewer.locator(".nn-pane", has_text=pane).locator("canvas")
    return int(
        canvases.evaluate_all(
            """(canvases, [red, green, blue]) => canvases.slice(1).reduce((sum, canvas) => {
              if (canvas.width === 0) return sum;
              const sheet = new OffscreenCanvas(canvas.width, canvas.height);
              const copy = sheet.getContext('2d', { willReadFrequently: true });
              copy.drawImage(canvas, 0, 0);
              const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
              let found = 0;
              for (let at = 0; at < data.length; at += 4) {
                const off = [red, green, blue].map((value, band) => Math.abs(data[at + band] - value));
                if (data[at + 3] > 200 && Math.max(...off) < 15) found++;
              }
              return sum + found;
            }, 0)""",
            colour,
        )
    )


def test_mistakes_are_in_their_colours_under_the_method_that_makes_them(seen: Seen) -> None:
    with seen() as viewer:
        expect(viewer.locator(".nn-pane")).to_have_count(3)
        expect(viewer.locator(".nn-kind")).to_have_text(["missed 1", "spurious 0", "split 0", "merged 1"])
        vermilion, pink = [213, 94, 0], [204, 121, 167]
        assert coloured(viewer, "Method A", vermilion) > 10
        assert coloured(viewer, "Method A", pink) > 10
        for pane in ("Truth", "Method B"):
            assert coloured(viewer, pane, vermilion) == coloured(viewer, pane, pink) == 0
            assert coloured(viewer, pane, [255, 255, 255]) > 10


def test_what_each_method_makes_of_a_nucleus_is_said_where_one_points(seen: Seen) -> None:
    with seen() as viewer:
        box = viewer.locator(".nn-area").bounding_box()
        assert box is not None
        scale = min(box["width"] / 800, box["height"] / 600)
        x, y = box["x"] + box["width"] / 2 + 250 * scale, box["y"] + box["height"] / 2 + 150 * scale
        viewer.page.mouse.move(x, y)
        expect(viewer.locator(".nn-readout")).to_contain_text("Method A: missed")
        expect(viewer.locator(".nn-readout")).to_contain_text("missed by Method A; right with Method B")
        expect(viewer.locator(".nn-pane-cross").first).to_be_visible()
