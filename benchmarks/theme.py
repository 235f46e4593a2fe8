"""What a page costs its readers: `python benchmarks/theme.py OUT.json`, after `make book`; fails where it is too much.

Each page of the built book is opened cold in headless Chromium, at 1440 x 900, from a server on this machine that
compresses as hosts of static sites do, and nobody touches it. Counted are the requests for what a page needs to be
read, and their bytes as they were transferred: everything but pictures, which readers come for, and what views fetch
to show them. Plotly, which a notebook with such a figure in its first view loads at once, is counted apart. With the
processor slowed four times: milliseconds until the text is painted, and how far anything moved (cumulative layout
shift). At last the page is scrolled to its end, for what is fetched then, and from which hosts.

Beside it stand the figures of the stock book theme for a chapter of this book, taken when the theme was begun.
"""

from __future__ import annotations

import gzip
import shutil
import sys
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from playwright.sync_api import sync_playwright

from nnbook.io.files import write_json

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from file_server import QuietHandler, serving
from reader import SITE, page_paths, scroll_through

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Request

RUNS = 3
SLOWED = 4
SETTLE_MS = 1500
COMPRESSED = {".html", ".css", ".js", ".mjs", ".json", ".svg", ".xml", ".txt"}
PICTURES = {"image", "media"}
# What views fetch of their own accord to draw pictures: tiles, cells and the tables beside them.
DATA = ("/build/", "/pyramids/", "/cells/", "/mosaic/")
PLOTLY = "/assets/plotly"
LIMITS = {
    "requests": 15,
    "compressed_bytes": 350_000,
    "plotly_bytes": 420_000,
    "text_ms": 1000,
    "layout_shift": 0.02,
    "other_hosts": 0,
}
STOCK = {"requests": 64, "transferred_bytes": 12_600_000}
WATCH = """
    window.shifted = 0;
    new PerformanceObserver((list) => {
        for (const { value, hadRecentInput } of list.getEntries()) if (!hadRecentInput) window.shifted += value;
    }).observe({ type: 'layout-shift', buffered: true });
"""
PAINTED = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? Infinity"


class CompressingHandler(QuietHandler):
    """Serves files compressed where their kind gains by it."""

    def do_GET(self) -> None:  # noqa: N802 - its name in the standard library
        """Answer with a file, compressed or as it is."""
        path = Path(self.translate_path(self.path))
        path = path / "index.html" if path.is_dir() else path
        if path.suffix not in COMPRESSED or not path.is_file():
            super().do_GET()
            return
        data = gzip.compress(path.read_bytes(), 6)
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", self.guess_type(path))
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def measure_page(browser: Browser, address: str, path: str) -> dict[str, Any]:
    """Return the figures of a page: the middle of some runs where they are timed."""
    timed = sorted(_slowed(browser, address + path) for _ in range(RUNS))
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    finished: list[Request] = []
    page.on("requestfinished", lambda request: finished.append(request))  # noqa: PLW0108 - Playwright marks it
    page.goto(address + path, wait_until="load")
    page.wait_for_timeout(SETTLE_MS)
    cold = [
        (request, sum(request.sizes()[part] for part in ("responseBodySize", "responseHeadersSize")))
        for request in finished
    ]
    needed = [(request, size) for request, size in cold if not _shows_pictures(request)]
    scroll_through(page)
    hosts = {urlsplit(request.url).netloc for request in finished if urlsplit(request.url).scheme.startswith("http")}
    context.close()
    return {
        "requests": len(needed),
        "compressed_bytes": sum(size for request, size in needed if PLOTLY not in request.url),
        "plotly_bytes": sum(size for request, size in needed if PLOTLY in request.url),
        "text_ms": timed[RUNS // 2][0],
        "layout_shift": max(shift for _, shift in timed),
        "other_hosts": len(hosts - {urlsplit(address).netloc}),
        "with_pictures": {"requests": len(cold), "transferred_bytes": sum(size for _, size in cold)},
    }


def _slowed(browser: Browser, address: str) -> tuple[float, float]:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": SLOWED})
    page.add_init_script(WATCH)
    page.goto(address, wait_until="load")
    page.wait_for_timeout(SETTLE_MS)
    figures = page.evaluate(f"[{PAINTED}, window.shifted]")
    context.close()
    return figures[0], figures[1]


def _shows_pictures(request: Request) -> bool:
    path = urlsplit(request.url).path
    is_data = request.resource_type in {"fetch", "xhr"} and any(part in path for part in DATA)
    return request.resource_type in PICTURES or is_data or urlsplit(request.url).scheme in {"data", "blob"}


def _shown(figures: dict[str, Any]) -> list[float]:
    return [
        figures["requests"],
        figures["compressed_bytes"] / 1e3,
        figures["plotly_bytes"] / 1e3,
        figures["text_ms"],
        figures["layout_shift"],
    ]


def main(out: Path) -> int:
    """Measure, print and write; return 1 where a page costs more than it may."""
    with serving(SITE, CompressingHandler) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        pages = {path: measure_page(browser, address, path) for path in page_paths(SITE)}
        browser.close()
    row = "{:<24}{:>10}{:>8.0f}{:>8.0f}{:>10.0f}{:>8.3f}{:>12}  {}"
    print(f"{'page':<24}{'requests':>10}{'kB':>8}{'Plotly':>8}{'text ms':>10}{'shift':>8}{'with pictures':>22}")
    for path, figures in pages.items():
        whole = figures["with_pictures"]
        print(row.format(path, *_shown(figures), whole["requests"], f"{whole['transferred_bytes'] / 1e6:.1f} MB"))
    print(row.format("limit", *_shown(LIMITS), "", ""))
    print(f"{'stock theme':<24}{'':>44}{STOCK['requests']:>12}  {STOCK['transferred_bytes'] / 1e6:.1f} MB")
    write_json(out, {"limits": LIMITS, "stock_theme": STOCK, "pages": pages})
    broken = [
        f"{path}: {name} is {figures[name]:.5g}, and {limit} at most"
        for path, figures in pages.items()
        for name, limit in LIMITS.items()
        if figures[name] > limit
    ]
    print("\n".join(broken) or "every page keeps within the limits")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
