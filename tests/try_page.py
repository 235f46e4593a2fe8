"""The page *Try it*, or its view in one file: what it is given, and what it saves."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any

import numpy as np
import tifffile
from PIL import Image
from playwright.sync_api import expect

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray
    from playwright.sync_api import Locator, Page

VIEW = ".nn-segment"
SLOW_MS = 120_000
"""Two workers share a processor with the tests beside these."""


def png(image: NDArray[Any]) -> bytes:
    """Return an image as a file."""
    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG")
    return file.getvalue()


def choose(page: Page, name: str, data: bytes) -> Locator:
    """Choose a file; return the view."""
    view = page.locator(VIEW)
    view.evaluate("(root) => { root.dataset.work = 'given'; root.dataset.masks = 'given' }")
    page.locator(f"{VIEW} input[type=file]").set_input_files({"name": name, "mimeType": "", "buffer": data})
    return view


def give(page: Page, name: str, data: bytes) -> Locator:
    """Choose a file, and wait until it was segmented or refused."""
    view = choose(page, name, data)
    expect(view).to_have_attribute("data-work", re.compile("^(idle|refused)$"), timeout=SLOW_MS)
    return view


def segmented(page: Page, image: NDArray[Any]) -> tuple[Locator, int]:
    """Have an image segmented; return the view, and how many nuclei it has."""
    view = give(page, "own.png", png(image))
    expect(view).to_have_attribute("data-masks", "done")
    return view, int(str(view.get_attribute("data-nuclei")))


def saved(page: Page, button: str) -> Path:
    """Return the file that a button under *Save* writes."""
    save = page.locator(f"{VIEW} .nn-save-button")
    if save.get_attribute("aria-expanded") == "false":
        save.click()
    with page.expect_download() as saving:
        page.get_by_role("button", name=button).click()
    return saving.value.path()


def saved_labels(page: Page) -> NDArray[np.int32]:
    """Return the masks, axes (y, x)."""
    return tifffile.imread(saved(page, "Label TIFF")).astype(np.int32)
