"""The published edition: the same book, made from the released table instead of images."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from reader import PANORAMA, PROJECT, SCATTER, copy_book, open_page, page_paths, plain, scroll_through, serving

from nnbook.book.website import build_site
from nnbook.pipeline.editions import PUBLISHED, PUBLISHED_NOTE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

ROWS = 1600


@pytest.fixture(scope="module")
def published(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site of the published edition."""
    folder = tmp_path_factory.mktemp("published")
    command: list[str | Path] = [
        Path(sys.executable).parent / "nnbook",
        "run",
        "--edition",
        PUBLISHED,
        "--build",
        folder / "build",
    ]
    command += ["--notebooks", PROJECT / "notebooks", "--local", shared / "data" / "nucleusnet"]
    # A process of its own: notebooks can't be executed beside the loop that drives the browser.
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return build_site(copy_book(folder / "book", edition=folder / "build" / PUBLISHED))


@pytest.fixture(scope="module")
def published_address(published: Path) -> Iterator[str]:
    with serving(published) as served:
        yield served


def test_every_page_says_published(published: Path, browser: Browser, published_address: str) -> None:
    paths = page_paths(published)
    assert "/nucleusnet/" in paths
    for path in paths:
        with open_page(browser, published_address + path) as (page, problems):
            banner = page.locator("aside.edition")
            assert banner.is_visible()
            assert plain(banner.text_content() or "") == PUBLISHED_NOTE
            scroll_through(page)
            assert "Simulated edition" not in page.locator("body").inner_text(), path
            assert problems == []


def test_its_table_is_plotted_and_its_viewer_says_why_it_is_empty(browser: Browser, published_address: str) -> None:
    with open_page(browser, f"{published_address}/nucleusnet/") as (page, problems):
        scroll_through(page)
        scatter = page.locator(SCATTER)
        assert scatter.get_attribute("data-state") == "ready"
        assert f"{ROWS} panoramas" in (scatter.get_by_role("application").get_attribute("aria-label") or "")
        viewer = page.locator(PANORAMA)
        assert viewer.get_attribute("data-state") == "empty"
        assert viewer.is_visible()
        assert plain(viewer.inner_text()) == PUBLISHED_NOTE
        assert viewer.locator("canvas").count() == 0
        assert problems == []
