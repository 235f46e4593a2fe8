"""The viewer of panoramas, used as a reader would."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from reader import BOOK, PANORAMA, grey_levels, open_page, pixels, wait_for_viewers
from scipy.ndimage import distance_transform_edt, find_objects

from nnbook.images import read_mask
from nnbook.pairs import MASK_SUFFIX

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Locator

    from nnbook.images import Labels

SETTLE_MS = 1000
POINTS = 6


@pytest.fixture
def viewer(browser: Browser, address: str) -> Iterator[Locator]:
    with open_page(browser, f"{address}/nucleusnet/") as (page, problems):
        page.locator("[data-widget]").scroll_into_view_if_needed()
        viewer = page.locator(PANORAMA)
        viewer.wait_for()
        wait_for_viewers(page)
        page.wait_for_timeout(SETTLE_MS)
        yield viewer
        assert problems == []


def area(viewer: Locator) -> np.ndarray:
    """Take a picture of the panorama, once movement has come to rest."""
    viewer.page.wait_for_timeout(SETTLE_MS)
    return pixels(viewer.locator(".nn-area").screenshot())


def changed_share(before: np.ndarray, after: np.ndarray) -> float:
    return float((np.abs(before.astype(int) - after).max(axis=2) > 12).mean())


def test_zooming_in_shows_more_detail_and_moves_the_scale_bar(viewer: Locator) -> None:
    def bar() -> tuple[float, str]:
        drawn = viewer.locator(".nn-scale-bar").bounding_box()
        assert drawn is not None
        return drawn["width"], viewer.locator(".nn-scale-text").inner_text()

    before, scale_before = area(viewer), bar()
    for _ in range(3):
        viewer.get_by_role("button", name="Zoom in").click()
    after, scale_after = area(viewer), bar()
    assert changed_share(before, after) > 0.05
    assert _per_um(*scale_after) == pytest.approx(_per_um(*scale_before) * 1.6**3, rel=0.02)
    viewer.get_by_role("button", name="Show the whole panorama").click()
    area(viewer)
    assert bar() == scale_before


def test_masks_can_be_taken_off_and_outlined(viewer: Locator) -> None:
    filled = area(viewer)
    viewer.get_by_role("radio", name="Off").check()
    bare = area(viewer)
    assert viewer.get_attribute("data-masks") == "off"
    assert changed_share(filled, bare) > 0.01
    assert (bare.max(axis=2) - bare.min(axis=2) < 8).mean() > 0.9, "without masks the picture is grey"
    viewer.get_by_role("radio", name="Outlined").check()
    outlined = area(viewer)
    assert 0 < changed_share(bare, outlined) < changed_share(bare, filled)


def test_another_panorama_is_another_picture(viewer: Locator) -> None:
    first = area(viewer)
    viewer.locator("select").select_option(index=1)
    second = area(viewer)
    assert viewer.get_attribute("data-state") == "ready"
    assert viewer.get_attribute("data-masks") == "drawn"
    assert changed_share(first, second) > 0.05
    assert grey_levels(viewer.screenshot()) > 30


def test_pointing_at_a_nucleus_says_its_number_in_the_mask(viewer: Locator) -> None:
    name = viewer.locator("select option:checked").inner_text().split()[1]
    mask = read_mask(BOOK / "masks" / f"{name}{MASK_SUFFIX}.tif")
    box = viewer.locator(".nn-area").bounding_box()
    assert box is not None
    height, width = mask.shape
    scale = min(box["width"] / width, box["height"] / height)
    left = box["x"] + (box["width"] - width * scale) / 2
    top = box["y"] + (box["height"] - height * scale) / 2
    readout = viewer.locator(".nn-readout")
    mouse = viewer.page.mouse
    places = middles(mask)
    assert len(places) == POINTS
    for number, (y, x) in places.items():
        mouse.move(left + x * scale, top + y * scale)
        viewer.page.wait_for_timeout(50)
        assert readout.inner_text().strip() == f"ROI {number}", (x, y)
    y, x = np.unravel_index(distance_transform_edt(mask == 0).argmax(), mask.shape)
    mouse.move(left + x * scale, top + y * scale)
    viewer.page.wait_for_timeout(50)
    assert not readout.is_visible(), "background has no number"


def middles(mask: Labels) -> dict[int, tuple[int, int]]:
    """Find the pixel farthest from the edge, in a handful of nuclei from all over the panorama."""
    found = find_objects(mask)
    numbers = [number for number, where in enumerate(found, start=1) if where is not None]
    chosen = [numbers[at] for at in np.linspace(0, len(numbers) - 1, POINTS).astype(int)]
    places = {}
    for number in chosen:
        rows, columns = found[number - 1]
        inside = np.pad(mask[rows, columns] == number, 1)
        y, x = np.unravel_index(distance_transform_edt(inside).argmax(), inside.shape)
        places[number] = (rows.start + int(y) - 1, columns.start + int(x) - 1)
    return places


def _per_um(width: float, text: str) -> float:
    value, unit = text.split()
    return width / (float(value) * {"nm": 0.001, "µm": 1.0, "mm": 1000.0}[unit])
