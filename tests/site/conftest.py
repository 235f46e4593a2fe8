"""The built book, a server for it, and a browser."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from file_server import serving
from playwright.sync_api import expect, sync_playwright
from reader import CHROMIUM_OPTIONS, SITE, page_paths

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

# What takes longest comes first, so that no worker is left alone with it at the end.
LONGEST = ["theme", "viewer", "layers", "scatter", "cells", "strict", "pages", "axe"]

# A machine that does other things beside is no fault of the book's.
expect.set_options(timeout=30_000)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    order = [f"test_{name}" for name in LONGEST]
    items.sort(key=lambda item: order.index(item.path.stem) if item.path.stem in order else len(order))


@pytest.fixture(scope="session", autouse=True)
def _node_on_path() -> Iterator[None]:
    """Put Node first on the PATH, as the Makefile does: it is installed beside Python."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
        yield


@pytest.fixture(scope="session")
def site() -> Path:
    """The book as it was built."""
    if not (SITE / "index.html").is_file():
        pytest.fail(f"{SITE}: no book there; run make book first")
    return SITE


@pytest.fixture(scope="session")
def pages(site: Path) -> list[str]:
    """The addresses of the book's pages, without the host."""
    return page_paths(site)


@pytest.fixture(scope="session")
def address(site: Path) -> Iterator[str]:
    """Where the book is served."""
    with serving(site) as served:
        yield served


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.fail("chromium: no such command; install Debian's package chromium. The book has NOT been tested")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_OPTIONS)
        yield launched
        launched.close()
