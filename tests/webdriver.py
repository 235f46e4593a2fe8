"""Firefox by WebDriver BiDi and WebKitGTK by WebDriver, with what the tests need of them.

Both protocols are JSON, and the client of the one's socket is installed with JupyterLab: a package for them would bring
more than it saves, and Debian has no driver that translates for Firefox.
"""

from __future__ import annotations

import base64
import http.client
import json
import os
import re
import shutil
import socket
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol
from urllib.parse import urljoin

import pytest
import websocket

if TYPE_CHECKING:
    from collections.abc import Iterator

Engine = Literal["firefox", "webkit"]
FIREFOX = ("firefox-esr", "firefox")
START_SECONDS = 60
HEIGHT = 900
# Of the window of WebKitGTK's MiniBrowser, whose bar needs so much.
LEAST_WIDTH = 600
# Nothing but the book is to be asked for, and scroll bars are to take room, as they do for a reader with a mouse.
PREFERENCES: dict[str, bool | int | str] = {
    "app.update.auto": False,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "remote.active-protocols": 1,
    "ui.useOverlayScrollbars": 0,
}


class Window(Protocol):
    """A window of a browser."""

    name: Engine

    def open(self, address: str, width: int) -> None:
        """Open a page so many CSS pixels wide, and wait until it is loaded."""

    def run(self, script: str) -> Any:
        """Run the body of a function in the page, and return what it returns, as JSON has it."""

    def act(self, actions: list[dict[str, Any]]) -> None:
        """Do what a reader's mouse does."""

    def picture(self) -> bytes:
        """Return what is in the window, as PNG."""


@contextmanager
def window_of(engine: Engine, folder: Path) -> Iterator[Window]:
    """Start a browser with a profile of its own in a folder, and yield its window."""
    with _firefox(folder) if engine == "firefox" else _webkit(folder) as window:
        yield window


class _Firefox:
    name: Engine = "firefox"

    def __init__(self, connection: websocket.WebSocket) -> None:
        self._connection = connection
        self._last = 0
        self.command("session.new", capabilities={})
        self._context = self.command("browsingContext.getTree")["contexts"][0]["context"]

    def command(self, method: str, **params: Any) -> dict[str, Any]:
        self._last += 1
        self._connection.send(json.dumps({"id": self._last, "method": method, "params": params}))
        while True:
            answer = json.loads(self._connection.recv())
            if answer.get("id") != self._last:
                continue
            if answer["type"] == "error":
                pytest.fail(f"firefox: {method}: {answer['message']}")
            result: dict[str, Any] = answer["result"]
            return result

    def open(self, address: str, width: int) -> None:
        size = {"width": width, "height": HEIGHT}
        self.command("browsingContext.setViewport", context=self._context, viewport=size)
        self.command("browsingContext.navigate", context=self._context, url=address, wait="complete")

    def run(self, script: str) -> Any:
        answer = self.command(
            "script.evaluate",
            expression=f"(async () => JSON.stringify(await (async () => {{ {script} }})() ?? null))()",
            target={"context": self._context},
            awaitPromise=True,
        )
        if answer["type"] == "exception":
            pytest.fail(f"firefox: {answer['exceptionDetails']['text']}, in: {script}")
        return json.loads(answer["result"]["value"])

    def act(self, actions: list[dict[str, Any]]) -> None:
        self.command("input.performActions", context=self._context, actions=actions)

    def picture(self) -> bytes:
        return base64.b64decode(self.command("browsingContext.captureScreenshot", context=self._context)["data"])


class _WebKit:
    name: Engine = "webkit"

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=START_SECONDS)
        options = {"binary": str(_mini_browser()), "args": ["--automation"]}
        capabilities = {"alwaysMatch": {"webkitgtk:browserOptions": options}}
        answer = self._ask("POST", "/session", capabilities=capabilities)
        self._session = f"/session/{answer['sessionId']}"
        self.command("POST", "timeouts", script=START_SECONDS * 1000, pageLoad=START_SECONDS * 1000)

    def _ask(self, method: str, path: str, **body: Any) -> Any:
        content = json.dumps(body) if method == "POST" else None
        self._connection.request(method, path, content, {"Content-Type": "application/json"})
        value = json.loads(self._connection.getresponse().read())["value"]
        if isinstance(value, dict) and "error" in value:
            pytest.fail(f"webkit: {method} {path}: {value['error']}, {value['message']}; sent {content}")
        return value

    def command(self, method: str, name: str, **body: Any) -> Any:
        return self._ask(method, f"{self._session}/{name}", **body)

    def open(self, address: str, width: int) -> None:
        self.command("POST", "frame", id=None)
        if width >= LEAST_WIDTH:
            self.command("POST", "window/rect", width=width, height=HEIGHT + 100)
            self.command("POST", "url", url=address)
            return
        # The window's own bar needs more: the page is in a frame of a page without a policy.
        self.command("POST", "url", url=urljoin(address, "/robots.txt"))
        self.run(f"""const frame = document.createElement('iframe');
            frame.style = 'position: fixed; inset: 0 auto auto 0; width: {width}px; height: {HEIGHT}px; border: 0';
            frame.src = {json.dumps(address)};
            document.body.replaceChildren(frame);
            await new Promise((loaded) => frame.addEventListener('load', loaded));""")
        self.command("POST", "frame", id=0)

    def run(self, script: str) -> Any:
        wrapped = f"""const done = arguments[arguments.length - 1];
            (async () => {{ {script} }})().then(
                (value) => done(JSON.stringify([value ?? null])), (error) => done(String(error)));"""
        answer = self.command("POST", "execute/async", script=wrapped, args=[])
        if not answer.startswith("["):
            pytest.fail(f"webkit: {answer}, in: {script}")
        return json.loads(answer)[0]

    def act(self, actions: list[dict[str, Any]]) -> None:
        self.command("POST", "actions", actions=actions)

    def picture(self) -> bytes:
        return base64.b64decode(self.command("GET", "screenshot"))

    def close(self) -> None:
        self._ask("DELETE", self._session)
        self._connection.close()


@contextmanager
def _firefox(folder: Path) -> Iterator[Window]:
    command = next((found for name in FIREFOX if (found := shutil.which(name))), None)
    if command is None:
        pytest.fail("firefox: no such command; install Debian's firefox-esr. Firefox has NOT been tested")
    lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in PREFERENCES.items()]
    (folder / "user.js").write_text("".join(lines), encoding="utf-8")
    port = _free_port()
    with _process(
        [command, "--headless", "--no-remote", "--profile", str(folder), "--remote-debugging-port", str(port)], folder
    ):
        _wait_for(port, "firefox")
        connection = websocket.create_connection(
            f"ws://127.0.0.1:{port}/session", timeout=START_SECONDS, suppress_origin=True
        )
        try:
            yield _Firefox(connection)
        finally:
            connection.close()


@contextmanager
def _webkit(folder: Path) -> Iterator[Window]:
    for command in ("WebKitWebDriver", "Xvfb"):
        if shutil.which(command) is None:
            pytest.fail(
                f"{command}: no such command; install Debian's webkit2gtk-driver and xvfb. WebKit has NOT been tested"
            )
    port = _free_port()
    with (
        _process(["Xvfb", "-displayfd", "1", "-screen", "0", "1600x1200x24", "-nolisten", "tcp"], folder) as log,
        _process(
            ["WebKitWebDriver", f"--port={port}"], folder, DISPLAY=_display(log), GDK_BACKEND="x11", HOME=str(folder)
        ),
    ):
        _wait_for(port, "WebKitWebDriver")
        window = _WebKit(port)
        try:
            yield window
        finally:
            window.close()


@contextmanager
def _process(command: list[str], folder: Path, **environment: str) -> Iterator[Path]:
    """Run a program, and yield the file that has what it says."""
    log = folder / f"{Path(command[0]).name}.log"
    with log.open("w") as said:
        process = subprocess.Popen(command, stdout=said, stderr=said, env={**os.environ, **environment})
        try:
            yield log
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _mini_browser() -> Path:
    found = sorted(Path("/usr/lib").glob("*/webkit*gtk-*/MiniBrowser"))
    if not found:
        pytest.fail("MiniBrowser: not below /usr/lib; install Debian's webkit2gtk-driver. WebKit has NOT been tested")
    return found[-1]


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def _display(log: Path) -> str:
    """Return the display that Xvfb found free, which is all that it writes unless something is wrong."""
    for _ in range(START_SECONDS * 10):
        if found := re.search(r"^\d+\n", log.read_text(encoding="utf-8"), re.MULTILINE):
            return f":{found[0].strip()}"
        time.sleep(0.1)
    pytest.fail(f"Xvfb: no display after {START_SECONDS} s: {log.read_text(encoding='utf-8')}")


def _wait_for(port: int, name: str) -> None:
    for _ in range(START_SECONDS * 10):
        with socket.socket() as one:
            if one.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    pytest.fail(f"{name}: not there after {START_SECONDS} s")
