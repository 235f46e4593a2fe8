"""How the tests read the book: a quiet server, a page that notices whatever goes wrong, and a copy to break."""

from __future__ import annotations

import re
import shutil
import time
import urllib.request
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from PIL import Image

from nnbook.book.website import show_edition
from nnbook.viewers.tables import read_panoramas

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray
    from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Request, Response, Route

PROJECT = Path(__file__).parents[1]
SITE = PROJECT / "_build" / "html"
BOOK = PROJECT / "build" / "book"
STEP_PX = 600
SETTLE_MS = 600
PANORAMA = ".nn-panorama"
SCATTER = ".nn-scatter"
CELLS = ".nn-cells"
MOSAIC = ".nn-mosaic"
NUCLEI = ".nn-nuclei"
Scheme = Literal["light", "dark"]
CHROMIUM_OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# Only the page itself aborts a request: for a tile that is not wanted any more, after movement.
GIVEN_UP = "net::ERR_ABORTED"
# What OpenSeadragon says of a tile that came after the picture it belongs to was taken away.
LATE_TILE = "loaded before reset"

# An observer of what is in view is called once a frame.
SCROLL = """async (step) => {
    for (let top = 0; top < document.documentElement.scrollHeight; top += step) {
        scrollTo({ top, behavior: 'instant' });
        for (let frame = 0; frame < 2; frame++) await new Promise(requestAnimationFrame);
    }
}"""


START_S = 60

# Adds up what moves on its own account. What moves as a reader acts is what was asked for, and what moves as a font has
# come is told apart.
SHIFTS = """window.shifted = []; window.fonts_came = [];
document.fonts.addEventListener('loadingdone', () => { window.fonts_came.push(performance.now()); });
new PerformanceObserver((list) => {
    for (const { value, sources, startTime } of list.getEntries()) {
        const moved = sources.map(({ node, previousRect, currentRect }) =>
            `${node?.className ?? node?.nodeName} from ${Math.round(previousRect.y)} to ${Math.round(currentRect.y)}`);
        window.shifted.push({ value, moved, at: startTime });
    }
}).observe({ type: 'layout-shift', buffered: true });"""


def wait_for_server(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until a server of notebooks answers; fail with its log where it ends before, or takes too long."""
    until = time.monotonic() + START_S
    while time.monotonic() < until and process.poll() is None:
        try:
            with urllib.request.urlopen(address):
                return
        except OSError:
            time.sleep(0.2)
    pytest.fail(f"the server of {address} didn't start:\n{log.read_text()}")


def page_paths(site: Path) -> list[str]:
    """List the addresses of a site's pages: `/` for the first, `/NAME/` for the others."""
    folders = sorted(found.parent.relative_to(site).as_posix() for found in site.rglob("index.html"))
    return ["/" if folder == "." else f"/{folder}/" for folder in folders]


@contextmanager
def open_page(
    browser: Browser,
    address: str,
    *,
    width: int = 1440,
    scheme: Scheme = "light",
    policy: bool = False,
    late_fonts: bool = False,
    **options: Any,
) -> Iterator[tuple[Page, list[str]]]:
    """Open a page, and yield it with the list of what goes wrong in it, which grows while it is read.

    The page's Content-Security-Policy holds with `policy` alone: it stops what Playwright's `wait_for_function` and
    `add_script_tag` do as well. Late fonts come when the page has been drawn without them.
    """
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=not policy, **options
    )
    page = context.new_page()
    page.add_init_script(SHIFTS)
    problems: list[str] = []
    host = urlsplit(address).netloc

    def on_request(request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in {"data", "blob"} and parts.netloc != host:
            problems.append(f"asks another host: {request.url}")

    def on_response(response: Response) -> None:
        if response.status >= 400:
            problems.append(f"status {response.status}: {response.url}")

    def on_failure(request: Request) -> None:
        if request.failure != GIVEN_UP:
            problems.append(f"failed: {request.url} ({request.failure})")

    def on_console(said: ConsoleMessage) -> None:
        if said.type in {"error", "warning"} and LATE_TILE not in said.text:
            problems.append(f"console {said.type}: {said.text}")

    page.on("request", on_request)
    page.on("response", on_response)
    page.on("requestfailed", on_failure)
    page.on("pageerror", lambda error: problems.append(f"uncaught: {error}"))
    page.on("console", on_console)
    if late_fonts:
        _hold_fonts(page)
    try:
        page.goto(address, wait_until="load")
        yield page, problems
    finally:
        context.close()


def held_back(page: Page, address: str | re.Pattern[str]) -> Callable[[], None]:
    """Hold back what a page asks of some addresses, until what is returned is called."""
    held: list[Route] = []
    holding = True

    def hold(route: Route) -> None:
        if holding:
            held.append(route)
        else:
            route.continue_()

    def release() -> None:
        nonlocal holding
        holding = False
        while held:
            held.pop().continue_()

    page.route(address, hold)
    return release


def _hold_fonts(page: Page) -> None:
    """Hold fonts back until the page has been drawn without."""
    page.expose_function("painted", held_back(page, "**/*.woff2"))
    page.add_init_script("new PerformanceObserver(() => { painted(); }).observe({ type: 'paint', buffered: true });")


def scroll_through(page: Page) -> None:
    """Scroll from top to bottom, so that all that loads late has been in view, and wait until it has come to rest."""
    page.evaluate(SCROLL, STEP_PX)
    until(
        page,
        """() => [...document.images].every((image) => image.complete || !image.checkVisibility())
            && [...document.querySelectorAll('.output-plotly')].every((box) => box.querySelector('.main-svg, .failure'))
            && [...document.querySelectorAll('[data-widget]')].every((box) => box.dataset.widget !== '')
            && [...document.querySelectorAll('[data-mermaid]')].every((box) => box.dataset.mermaid !== '')""",
    )
    wait_for_viewers(page)


def until(page: Page, condition: str, seconds: float = 30) -> None:
    """Wait until a condition holds, on pages whose policy forbids Playwright's own way."""
    for _ in range(int(seconds / 0.05)):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(50)
    pytest.fail(f"after {seconds} s it isn't true that {condition}")


def rest(page: Page, milliseconds: int) -> None:
    """Wait by the page's own clock: what it has put off for less time is then done and drawn, on a busy machine too."""
    page.evaluate(
        """milliseconds => new Promise((done) => {
            setTimeout(() => requestAnimationFrame(() => requestAnimationFrame(done)), milliseconds);
        })""",
        milliseconds,
    )


def drag(page: Page, *places: tuple[float, float]) -> None:
    """Press the mouse at the first of some places, move it to the others, and let go."""
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=4)
    page.mouse.up()


def bring_into_view(viewer: Locator) -> None:
    """Scroll a viewer into view, which that of a layer may replace at this moment."""
    viewer.evaluate("viewer => viewer.scrollIntoView({ block: 'center' })")


def wait_for_viewers(page: Page) -> None:
    """Wait until no viewer or plot is loading any more, whatever came of it."""
    for viewer in page.locator(f"{PANORAMA}, {SCATTER}, {CELLS}, {MOSAIC}, {NUCLEI}").all():
        bring_into_view(viewer)
        viewer.evaluate(
            """async (viewer) => {
                for (let waited = 0; waited < 60000; waited += 50) {
                    if (viewer.dataset.state !== 'loading' && viewer.dataset.masks !== 'loading'
                        && viewer.dataset.names !== 'loading') return;
                    await new Promise((done) => setTimeout(done, 50));
                }
            }"""
        )


def pixels(png: bytes) -> NDArray[np.uint8]:
    """Decode a screenshot."""
    with Image.open(BytesIO(png)) as image:
        return np.asarray(image.convert("RGB"))


def grey_levels(png: bytes) -> int:
    """Count the different grey levels of a screenshot: 1 where it is flat."""
    return len(np.unique(pixels(png).mean(axis=2).astype(int)))


def plain(text: str) -> str:
    """Collapse white space, as a reader sees a text."""
    return re.sub(r"\s+", " ", text).strip()


def copy_book(folder: Path, *, edition: Path | None = None) -> Path:
    """Copy what a build of the site needs, so that a test may break it; the images themselves are only linked to."""
    edition = edition or BOOK.resolve()
    for name in ("chapters", "figures", "plugins", "templates", "widgets/dist", "theme/build", "theme/public"):
        shutil.copytree(PROJECT / name, folder / name)
    for name in ("myst.yml", "theme/template.yml"):
        shutil.copyfile(PROJECT / name, folder / name)
    copied = folder / "build" / edition.name
    for name in ("figures", "notebooks", "provenance"):
        if (edition / name).is_dir():
            shutil.copytree(edition / name, copied / name)
    for name in ("edition.json", "numbers.json"):
        shutil.copyfile(edition / name, copied / name)
    for name in ("pyramids", "cells", "mosaic"):
        (copied / name).symlink_to(edition / name, target_is_directory=True)
    show_edition(copied, folder)
    return folder


def panoramas_table() -> dict[str, list[Any]]:
    """The table that the book's scatter shows."""
    table = read_panoramas(BOOK / "pyramids" / "panoramas.json")
    return {str(name): column.tolist() for name, column in table.items()}


def open_scatter(page: Page) -> Locator:
    """Bring the page's scatter into view, and wait until it has drawn itself."""
    page.locator("[data-widget]").first.scroll_into_view_if_needed()
    scatter = page.locator(SCATTER)
    page.locator(f"{SCATTER}:not([data-state='loading'])").wait_for()  # a layer's view replaces that which waits for it
    scatter.locator(".nn-plot, .nn-message:visible").first.wait_for()
    bring_into_view(scatter)
    rest(page, SETTLE_MS)
    return scatter


def choose_by_search(scatter: Locator, name: str) -> None:
    search = scatter.get_by_role("searchbox")
    search.fill(name)
    search.press("Enter")
    settled(scatter.page, "panorama")
    search.fill("")


def settled(page: Page, name: str) -> str:
    """Wait until the address has a parameter, and views have written to it what was done last; return it."""
    rest(page, SETTLE_MS)
    page.wait_for_url(re.compile(rf"[?&]{re.escape(name)}="))
    return parameters(page)[name]


def parameters(page: Page) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}
