"""The page that segments, without a network: a service worker keeps it, and no other page."""

from __future__ import annotations

import json
import re
import shutil
import socket
from typing import TYPE_CHECKING, ClassVar

import pytest
from file_server import QuietHandler, serving
from playwright.sync_api import expect
from reader import CHROMIUM_OPTIONS, until

from nnbook.book.offline import add_offline

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser

VIEW = ".nn-segment"
READY = "navigator.serviceWorker.ready.then(() => true)"
STATES = "caches.keys().then((names) => names.filter((name) => /try/.test(name)).map((name) => name.split(' ').at(-1)))"


class StoppingHandler(QuietHandler):
    """Serves files until it is stopped; then it ends each connection without an answer."""

    stopped: ClassVar = False

    def do_GET(self) -> None:  # noqa: N802 - http.server calls it so
        if self.stopped:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
        else:
            super().do_GET()


@pytest.fixture
def folder(site: Path, tmp_path: Path) -> Path:
    """The page with what it loads, and another one."""
    for name in ("try", "about", "assets", "build/segment"):
        shutil.copytree(site / name, tmp_path / name)
    for file in (*site.glob("favicon.*"), *(site / "build").glob("segment*.*js*")):
        shutil.copy(file, tmp_path / file.relative_to(site))
    return tmp_path


def test_browsers_offer_to_install_the_page(browser: Browser, folder: Path, tmp_path: Path) -> None:
    # A window that keeps nothing is offered nothing, so that this one keeps what it loads.
    kind = browser.browser_type
    with (
        serving(folder) as address,
        kind.launch_persistent_context(
            tmp_path / "profile", executable_path=shutil.which("chromium"), args=CHROMIUM_OPTIONS
        ) as context,
    ):
        page = context.new_page()
        page.add_init_script("addEventListener('beforeinstallprompt', () => { window.offered = true })")
        page.goto(f"{address}/try/")
        page.wait_for_function("() => window.offered === true")
        session = context.new_cdp_session(page)
        manifest = session.send("Page.getAppManifest")
        assert manifest["errors"] == []
        assert json.loads(manifest["data"])["short_name"] == "Segment nuclei"
        assert session.send("Page.getInstallabilityErrors")["installabilityErrors"] == []
        page.goto(f"{address}/about/")
        assert session.send("Page.getAppManifest")["url"] == "", "the rest of the book is no application"


def state_of(folder: Path) -> str:
    """Return which state of the site the service worker keeps."""
    found = re.search(r'"state": "([0-9a-f]{16})"', (folder / "try" / "offline.js").read_text(encoding="utf-8"))
    assert found is not None
    return found[1]


def test_the_page_opens_without_a_server_and_a_changed_site_shows_at_once(browser: Browser, folder: Path) -> None:
    context = browser.new_context()
    page = context.new_page()
    heading, view = page.locator("h1"), page.locator(VIEW)
    try:
        with serving(folder, StoppingHandler) as address:
            page.goto(f"{address}/try/")
            expect(view).to_have_attribute("data-state", "waiting")
            expect(page.get_by_role("button", name="Keep this page for use offline")).to_be_visible()
            assert page.evaluate(READY)
            StoppingHandler.stopped = True
            page.goto(f"{address}/try/?try.diameter=100")
            expect(view).to_have_attribute("data-state", "waiting")
            assert page.evaluate("fetch('../about/').then(() => 'answered', () => 'nothing')") == "nothing"
            StoppingHandler.stopped = False
            former = state_of(folder)
            text = (folder / "try" / "index.html").read_text(encoding="utf-8")
            changed = text.replace("<h1", '<h1 data-changed="yes"', 1)
            assert changed != text
            (folder / "try" / "index.html").write_text(changed, encoding="utf-8")
            add_offline(folder, "segment.json")
            assert state_of(folder) != former
            page.goto(f"{address}/try/")
            expect(heading).to_have_attribute("data-changed", "yes")
            until(page, f"{STATES}.then((states) => states.join() === '{state_of(folder)}')")
            StoppingHandler.stopped = True
            page.reload()
            expect(heading).to_have_attribute("data-changed", "yes")
            expect(view).to_have_attribute("data-state", "waiting")
    finally:
        StoppingHandler.stopped = False
        context.close()
