"""The built book, served with a listener in each page, and a window of each of the other browsers."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import pytest
from file_server import QuietHandler, serving
from reader import SITE
from webdriver import window_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from webdriver import Window

# Before the page's policy, which does not hold for what comes before it. WebKit says of fonts that it preloads and then
# uses that they failed.
LISTENER = b"""<script>
window.problems = [];
addEventListener('error', ({ message, filename, lineno, target }) => {
    if (target.rel === 'preload') return;
    problems.push(message ? `uncaught: ${message} (${filename}:${lineno})` : `failed: ${target.src || target.href}`);
}, true);
addEventListener('unhandledrejection', ({ reason }) => { problems.push(`unhandled: ${reason}`); });
addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) => {
    problems.push(`against the policy: ${violatedDirective} ${blockedURI}`);
});
for (const kind of ['error', 'warn']) {
    const log = console[kind];
    console[kind] = (...said) => { problems.push(`console ${kind}: ${said.join(' ')}`); log.apply(console, said); };
}
document.currentScript.remove();
</script>"""
# No other host is asked: the book's own mosaic is in the place of images that their author's site has.
FOREIGN = re.compile(rb"https://russellbarkley\.github\.io/[\w./-]+\.dzi")
OWN = b"/build/mosaic/intensity.dzi"


class _Listening(QuietHandler):
    def send_head(self) -> io.BytesIO | BinaryIO | None:
        path = Path(self.translate_path(self.path))
        page = path / "index.html"
        if not (path.is_dir() and self.path.partition("?")[0].endswith("/") and page.is_file()):
            return super().send_head()
        content = FOREIGN.sub(OWN, page.read_bytes()).replace(b"<head>", b"<head>" + LISTENER, 1)
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        return io.BytesIO(content)


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    """Where the book is served."""
    if not (SITE / "index.html").is_file():
        pytest.fail(f"{SITE}: no book there; run make book first")
    with serving(SITE, _Listening) as served:
        yield served


@pytest.fixture(scope="session", params=["firefox", "webkit"])
def window(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Window]:
    with window_of(request.param, tmp_path_factory.mktemp(request.param)) as opened:
        yield opened
