"""Pyramids in one zip, read by ranges of bytes, and on a host that knows no ranges."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from file_server import serving
from panorama_page import BUNDLE, PAGE
from playwright.sync_api import expect
from ranges import RangeHandler
from reader import PANORAMA, grey_levels, open_page
from scipy.ndimage import center_of_mass

from nnbook.simulation.panorama import simulate_panorama
from nnbook.viewers.pyramid import write_pyramid

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser

    from nnbook.io.images import Labels

SIDE_PX = 1500


@pytest.fixture(scope="module")
def zipped(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Labels]:
    """Write a page whose only panorama is in a zip."""
    folder = tmp_path_factory.mktemp("zipped")
    image, labels, _ = simulate_panorama(3, 1, "TL", "top_left", width_px=SIDE_PX, height_px=SIDE_PX)
    write_pyramid(folder / "pyramids" / "P.zip", image, labels, zipped=True)
    layers = {layer: f"P.zip/{layer}.dzi" for layer in ("intensity", "labels")}
    entry: dict[str, Any] = {"panorama": "P", "width": SIDE_PX, "height": SIDE_PX, "px_per_um": 8.0453, **layers}
    (folder / "pyramids" / "index.json").write_text(json.dumps({"note": "", "panoramas": [entry]}), encoding="utf-8")
    (folder / "pyramids" / "panoramas.json").write_text('{"columns": {"panorama": []}}', encoding="utf-8")
    (folder / "index.html").write_text(PAGE, encoding="utf-8")
    shutil.copyfile(BUNDLE, folder / BUNDLE.name)
    return folder, labels


@pytest.fixture
def ranged(zipped: tuple[Path, Labels]) -> Iterator[str]:
    RangeHandler.parts.clear()
    with serving(zipped[0], RangeHandler) as address:
        yield address


def test_a_panorama_in_a_zip_is_shown_and_read_like_any_other(
    browser: Browser, ranged: str, zipped: tuple[Path, Labels]
) -> None:
    with open_page(browser, ranged) as (page, problems):
        viewer = page.locator(PANORAMA)
        viewer.and_(page.locator("[data-state=ready][data-masks=drawn]")).wait_for()
        picture = viewer.locator(".nn-area")
        assert grey_levels(picture.screenshot()) > 30
        box = picture.bounding_box()
        assert box is not None
        scale = min(box["width"], box["height"]) / SIDE_PX
        labels = zipped[1]
        numbers = np.argsort(np.bincount(labels.ravel())[1:])[-3:] + 1
        for number, (y, x) in zip(numbers, center_of_mass(labels > 0, labels, numbers), strict=True):
            assert labels[round(y), round(x)] == number, "the middle of this nucleus is outside"
            left, top = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
            page.mouse.move(left + (x - SIDE_PX / 2) * scale, top + (y - SIDE_PX / 2) * scale)
            expect(viewer.locator(".nn-readout-name")).to_have_text(f"ROI {number}")
        assert problems == []
    assert {part.path for part in RangeHandler.parts} == {"/pyramids/P.zip"}
    assert len(RangeHandler.parts) < 40


def test_a_host_without_ranges_hands_out_a_small_zip_as_a_whole(browser: Browser, zipped: tuple[Path, Labels]) -> None:
    with serving(zipped[0]) as address, open_page(browser, address) as (page, problems):
        viewer = page.locator(PANORAMA)
        viewer.and_(page.locator("[data-state=ready][data-masks=drawn]")).wait_for()
        assert grey_levels(viewer.locator(".nn-area").screenshot()) > 30
        assert problems == []
