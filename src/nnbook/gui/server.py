"""The view of segmentation in a browser, without Jupyter: `nnbook gui`.

A page of this machine has the view that notebooks have. What a kernel would send to it goes through a WebSocket.
"""

from __future__ import annotations

import asyncio
import errno
import hmac
import json
import secrets
import struct
import sys
import webbrowser
from importlib import resources
from typing import TYPE_CHECKING, Any, Final

from comm.base_comm import BaseComm
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, HTTPError, RequestHandler
from tornado.websocket import WebSocketHandler

from nnbook.errors import InvalidValueError
from nnbook.viewers.widgets import BUNDLES

if TYPE_CHECKING:
    from collections.abc import Callable

    from nnbook.viewers.widgets import View

HOST: Final = "127.0.0.1"
"""No other machine reaches the page."""

LARGEST_BYTES: Final = 4_000_000_000
"""Of an image that is dropped into the page."""

POLICY: Final = (
    "default-src 'none'; script-src 'nonce-{nonce}' 'self'; style-src 'unsafe-inline'; img-src data: blob:; "
    "connect-src 'self' ws://{host}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def serve(view: View, *, port: int = 0, ready: Callable[[str], None] | None = None) -> None:
    """Show a view on a page of this machine until the program is interrupted.

    The address has a token: other users and other pages of this machine can't use it.

    Parameters
    ----------
    view : View
        Such as `Segmenter`.
    port : int
        Of the address; 0 is one that is free.
    ready : callable, optional
        Gets the address as soon as the page is there.

    Raises
    ------
    InvalidValueError
        Where the port is taken, or none.
    """
    if not 0 <= port <= 65_535:
        raise InvalidValueError(f"port is {port}; give 1 to 65535, or 0 for one that is free", parameter="port")
    asyncio.run(_serve(view, port, ready))


def open_page(address: str) -> None:
    """Open a page in the reader's browser; where there is none, say what to do."""
    print(f"nnbook: the page is at {address} ; Ctrl-C ends it", file=sys.stderr, flush=True)
    try:
        opened = webbrowser.open(address)
    except webbrowser.Error:
        opened = False
    if not opened:
        print("nnbook: no browser could be opened; open this address in one", file=sys.stderr, flush=True)


async def _serve(view: View, port: int, ready: Callable[[str], None] | None) -> None:
    try:
        sockets = bind_sockets(port, HOST)
    except OSError as error:
        taken = error.errno == errno.EADDRINUSE
        why = "taken by another program" if taken else "not allowed"
        raise InvalidValueError(f"port is {port}, which is {why}; give another one", parameter="port") from error
    host = f"{HOST}:{sockets[0].getsockname()[1]}"
    token = secrets.token_urlsafe(24)
    link = PageComm(asyncio.get_running_loop())
    view.comm = link
    known = {"view": view, "link": link, "token": token, "host": host}
    pages = [("/", _Page, known), ("/view.mjs", _Module, known), ("/messages", _Messages, known)]
    server = HTTPServer(Application(pages, websocket_max_message_size=LARGEST_BYTES), max_buffer_size=LARGEST_BYTES)
    server.add_sockets(sockets)
    if ready is not None:
        ready(f"http://{host}/?token={token}")
    try:
        await asyncio.Event().wait()
    finally:
        server.stop()
        view.close()


class PageComm(BaseComm):
    """What carries a widget's messages to the pages that show it, in place of a kernel.

    Parameters
    ----------
    loop : AbstractEventLoop
        In which pages are served; messages may come from other threads.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.pages: set[_Messages] = set()
        super().__init__(target_name="jupyter.widget")

    def publish_msg(self, msg_type: str, data: Any = None, metadata: Any = None, buffers: Any = None, **_: Any) -> None:
        """Send a message to all pages."""
        del metadata
        if msg_type == "comm_msg" and not self._loop.is_closed():
            frame = pack(data, [bytes(one) for one in buffers or []])
            self._loop.call_soon_threadsafe(self._send, frame)

    def _send(self, frame: bytes) -> None:
        for page in list(self.pages):
            page.tell(frame)


def pack(data: Any, buffers: list[bytes]) -> bytes:
    """Put a message and its buffers into a frame, as page.html reads it."""
    head = json.dumps({"data": data, "sizes": [len(one) for one in buffers]}).encode()
    return b"".join([struct.pack("<I", len(head)), head, *buffers])


def unpack(frame: bytes) -> tuple[Any, list[memoryview]]:
    """Take a message and its buffers out of a frame."""
    (length,) = struct.unpack_from("<I", frame)
    head = json.loads(frame[4 : 4 + length])
    buffers, at = [], 4 + length
    for size in head["sizes"]:
        buffers.append(memoryview(frame)[at : at + size])
        at += size
    return head["data"], buffers


class _Known(RequestHandler):
    """Answers only who knows the token, at the address that was given."""

    def initialize(self, view: View, link: PageComm, token: str, host: str) -> None:
        self.view, self.link, self.token, self.host = view, link, token, host

    def prepare(self) -> None:
        """Refuse others, also pages of other names that lead here."""
        known = hmac.compare_digest(self.get_query_argument("token", ""), self.token)
        if not known or self.request.host != self.host:
            raise HTTPError(403)

    def set_default_headers(self) -> None:
        self.set_header("Referrer-Policy", "no-referrer")
        self.set_header("Cache-Control", "no-store")
        self.set_header("X-Content-Type-Options", "nosniff")

    def data_received(self, chunk: bytes) -> None:
        """Take no bodies."""


class _Page(_Known):
    def get(self) -> None:
        nonce = secrets.token_urlsafe(16)
        self.set_header("Content-Security-Policy", POLICY.format(nonce=nonce, host=self.host))
        page = (resources.files("nnbook.gui") / "page.html").read_text(encoding="utf-8")
        self.finish(page.replace("NONCE", nonce))


class _Module(_Known):
    def get(self) -> None:
        self.set_header("Content-Type", "text/javascript; charset=utf-8")
        self.finish((BUNDLES / "segment.mjs").read_bytes())


class _Messages(WebSocketHandler, _Known):
    def check_origin(self, origin: str) -> bool:
        return origin == f"http://{self.host}"

    def open(self, *_: str, **__: str) -> None:
        self.link.pages.add(self)
        state = {name: value for name, value in self.view.get_state().items() if not name.startswith("_")}
        del state["layout"], state["tabbable"], state["tooltip"]
        self.tell(pack({"method": "state", "state": state}, []))

    def tell(self, frame: bytes) -> None:
        """Send a frame; a page that has gone meanwhile gets none."""
        if self.ws_connection is not None:
            self.write_message(frame, binary=True)

    def on_message(self, message: str | bytes) -> None:
        if isinstance(message, bytes):
            data, buffers = unpack(message)
            content = {**data, "buffer_paths": []}
            self.link.handle_msg({"content": {"data": content}, "buffers": buffers})

    def on_close(self) -> None:
        self.link.pages.discard(self)
