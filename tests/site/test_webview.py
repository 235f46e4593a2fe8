"""Views in a page that can reach nothing but the kernel's messages, as notebooks are shown in VS Code."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from file_server import serving
from playwright.sync_api import expect
from reader import PANORAMA, SCATTER, open_page, pixels

from nnbook.simulation.panorama import simulate_panorama
from nnbook.viewers.widgets import PanoramaViewer, Scatter

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Locator

# What VS Code sets with `notebook.experimental.enableCsp` (its webview has no policy without), less all that is on the
# web; and `blob:` for modules, since that is how anywidget loads them.
POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval' blob:; style-src 'unsafe-inline'; img-src data:; "
    "connect-src 'none'"
)
PAGE = f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<title>Notebook</title>
<link rel="icon" href="data:,">
<body><main><h1>Notebook</h1><div id="host"></div></main>
<script>
  window.refused = [];
  window.clicked = [];
  addEventListener('securitypolicyviolation', ({{ violatedDirective, blockedURI }}) => {{
    refused.push(violatedDirective + ' ' + blockedURI);
  }});
  // VS Code offers to save what a link of the page holds: it sees clicks that reach the body.
  document.body.addEventListener('click', (event) => {{
    const link = event.composedPath().find((node) => node instanceof HTMLAnchorElement);
    if (link?.href.startsWith('blob:')) {{ clicked.push(link.download); event.preventDefault(); }}
  }});
  window.start = async (values) => {{
    const listeners = [];
    const model = {{
      get: (name) => values[name],
      set: (name, value) => {{ values[name] = value; }},
      save_changes: () => undefined,
      on: (event, listener) => {{ if (event === 'msg:custom') listeners.push(listener); }},
      off: () => undefined,
      send: async (message) => {{
        const [answer, data] = await kernel(message);
        const bytes = Uint8Array.from(atob(data ?? ''), (one) => one.charCodeAt(0));
        for (const listener of listeners) listener(answer, data === null ? [] : [new DataView(bytes.buffer)]);
      }},
    }};
    const widget = await import(URL.createObjectURL(new Blob([values._esm], {{ type: 'text/javascript' }})));
    const el = document.createElement('div');
    document.getElementById('host').replaceChildren(el);
    widget.default.render({{ model, el }});
  }};
</script>
"""


@pytest.fixture(scope="module")
def page_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("webview")
    (folder / "index.html").write_text(PAGE, encoding="utf-8")
    return folder


def answered(view: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return what answers the page's messages as the kernel of a view does."""
    sent: list[Any] = []
    monkeypatch.setattr(type(view), "send", lambda _, content, buffers=(): sent.append((content, buffers)))

    def kernel(message: dict[str, Any]) -> list[Any]:
        view._answer(view, message, [])
        content, buffers = sent.pop()
        return [content, base64.b64encode(buffers[0]).decode() if buffers else None]

    return kernel


def test_views_need_nothing_but_the_kernel_s_messages(
    browser: Browser, page_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image, labels = simulate_panorama(3, 1, "TL", "top_left", width_px=700, height_px=700)[:2]
    viewer = PanoramaViewer(image, labels, px_per_um=8.0453, height=420)
    results = pd.DataFrame(
        {
            "image": ["a.tif", "b.tif"],
            "num_rois": [40, 30],
            "mean_intensity": [90.5, 70.5],
            "std_intensity": [30.5, 20.5],
        }
    )
    scatter = Scatter(results, height=320)
    shown: dict[str, Any] = {}
    with serving(page_folder) as address, open_page(browser, f"{address}/index.html", policy=True) as (page, problems):
        page.expose_function("kernel", lambda message: shown["kernel"](message))  # noqa: PLW0108 - it changes

        def start(view: Any, selector: str) -> Locator:
            shown["kernel"] = answered(view, monkeypatch)
            page.evaluate("values => start(values)", view.get_state())
            found = page.locator(f"{selector}[data-state=ready]")
            found.wait_for()
            return found

        asked = len(problems)
        panorama = start(viewer, PANORAMA)
        page.locator(f"{PANORAMA}[data-masks=drawn]").wait_for()
        assert np.ptp(pixels(panorama.locator(".nn-area").screenshot())) > 100
        panorama.get_by_role("button", name="Save this view as a picture").first.click()
        expect(panorama.locator(".nn-remark")).to_contain_text("saved as a picture")
        assert page.evaluate("clicked") == ["image.png"]
        start(scatter, SCATTER)
        assert page.evaluate("refused") == []
        assert problems[asked:] == []
