"""`nnbook gui`: masks of a real image in a real browser, made by any method, corrected, saved, and refused."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

import numpy as np
import pytest
import tifffile
from gui_server import COMMAND, gui_served
from playwright.sync_api import expect
from reader import drag, open_page
from try_page import VIEW

from nnbook.io.images import read_image, read_mask, write_image

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Locator, Page

SLOW_MS = 90_000
DIAMETER_PX = 24

SMALL_STEPS = """
from dataclasses import replace
from nnbook.gui import segmenter
as_usual = segmenter.how_to_train
segmenter.how_to_train = lambda steps: replace(as_usual(steps), batch=1, crop_px=64, validation_crops=1)
"""
"""Makes a step of training take a fiftieth of its time: one small crop, and not eight large ones."""


@pytest.fixture(scope="module")
def lab(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an image of DSB2018, and with a file of two channels: that image dimmed, and upside down."""
    folder = tmp_path_factory.mktemp("lab")
    shutil.copy(shared / "data" / "dsb2018" / "images" / "00071198d059.png", folder / "cells.png")
    image = read_image(folder / "cells.png")
    channels = {"axes": "CYX", "Channel": {"Name": ["DAPI", "GFP"]}}
    tifffile.imwrite(folder / "two.ome.tif", np.stack([image // 2, image[::-1]]), metadata=channels)
    return folder


@pytest.fixture(scope="module")
def served(lab: Path) -> Iterator[str]:
    """Start the command, and yield the address that it prints."""
    with gui_served(lab, "otsu", before=SMALL_STEPS) as address:
        yield address


@pytest.fixture(scope="module")
def page(browser: Browser, served: str) -> Iterator[Page]:
    with open_page(browser, served, policy=True) as (page, problems):
        view = page.locator(VIEW)
        field = page.get_by_label("Diameter of a nucleus in pixels")
        field.wait_for(timeout=SLOW_MS)
        field.fill(str(DIAMETER_PX))
        field.blur()
        expect(view).to_have_attribute("data-masks", "done", timeout=SLOW_MS)
        yield page
        assert problems == []


def after(page: Page, **expected: str) -> Locator:
    """Wait until the view says so."""
    view = page.locator(VIEW)
    for name, value in expected.items():
        expect(view).to_have_attribute(f"data-{name}", value, timeout=SLOW_MS)
    return view


def nuclei(page: Page) -> int:
    return int(str(page.locator(VIEW).get_attribute("data-nuclei")))


def fresh(page: Page) -> None:
    page.locator(VIEW).evaluate("(root) => { root.dataset.nuclei = 'old' }")


def place_of(page: Page, x: float, y: float) -> tuple[float, float]:
    """Return where on the page a place of the image is, all of which is seen."""
    box = page.locator(f"{VIEW} .nn-area").bounding_box()
    assert box
    side = min(box["width"], box["height"])
    left, top = box["x"] + (box["width"] - side) / 2, box["y"] + (box["height"] - side) / 2
    return left + x / 256 * side, top + y / 256 * side


def stroke(page: Page, tool: str, *places: tuple[float, float]) -> None:
    page.get_by_role("radio", name=tool, exact=True).check(force=True)
    drag(page, *(place_of(page, *place) for place in places))


def saved(page: Page, lab: Path) -> dict[int, int]:
    """Save, and return the areas of the nuclei in the file."""
    page.locator(VIEW).evaluate("(root) => { root.dataset.saved = '' }")
    page.get_by_role("button", name="Save", exact=True).press("Enter")
    after(page, saved="cells_cp_masks.tif cells_nuclei.csv")
    labels = read_mask(lab / "cells_cp_masks.tif")
    return {roi: area for roi, area in enumerate(np.bincount(labels.ravel()).tolist()) if roi and area}


def test_a_method_and_its_settings_move_the_masks(page: Page) -> None:
    counts = {}
    for method in ("Random forest on pixels", "Otsu and watershed"):
        fresh(page)
        page.get_by_role("combobox", name="Method").select_option(label=method)
        expect(page.locator(VIEW)).not_to_have_attribute("data-nuclei", "old", timeout=SLOW_MS)
        counts[method] = nuclei(page)
    assert min(counts.values()) > 5
    fresh(page)
    page.get_by_role("slider", name="Distance of nuclei").fill("1")
    expect(page.locator(VIEW)).not_to_have_attribute("data-nuclei", "old", timeout=SLOW_MS)
    assert nuclei(page) != counts["Otsu and watershed"]
    page.get_by_role("button", name="Reset").click()
    after(page, nuclei=str(counts["Otsu and watershed"]))


def test_masks_are_corrected_by_mouse_and_keyboard_and_saved_beside_the_image(page: Page, lab: Path) -> None:
    image = (lab / "cells.png").read_bytes()
    expect(page.locator(f"{VIEW} .nn-overlay")).to_have_attribute("data-masks", "drawn", timeout=SLOW_MS)
    before = saved(page, lab)
    labels = read_mask(lab / "cells_cp_masks.tif")
    one = max(before, key=lambda roi: before[roi])
    rows, columns = np.nonzero(labels == one)
    y, x = rows.mean(), columns.mean()
    page.get_by_role("button", name="Correct", exact=True).click()
    stroke(page, "Split", (x, rows.min() - 4), (x, rows.max() + 5))
    after(page, edits="1", nuclei=str(len(before) + 1))
    split = saved(page, lab)
    fresh_roi = max(split)
    assert fresh_roi == max(before) + 1
    assert split[one] + split[fresh_roi] == before[one]
    page.get_by_role("radio", name="Merge", exact=True).check(force=True)
    for side in (-4, 4):
        page.mouse.click(*place_of(page, x + side, y))
    after(page, edits="2", nuclei=str(len(before)))
    assert saved(page, lab) == before
    stroke(page, "Eraser", (x, y), (x, y))
    after(page, edits="3")
    assert saved(page, lab)[one] < before[one]
    stroke(page, "Brush", (columns.min() + 2.0, y), (columns.max() + 12.0, y))
    after(page, edits="4")
    # An empty place for a new nucleus.
    empty = next(
        (b, a) for b in range(20, 230) for a in range(20, 230) if not labels[b - 9 : b + 9, a - 9 : a + 9].any()
    )
    top, left = empty[0] - 6, empty[1] - 6
    stroke(page, "Add", (left, top), (left + 12, top), (left + 12, top + 12), (left, top + 12))
    after(page, edits="5", nuclei=str(len(before) + 1))
    canvas = page.locator(f"{VIEW} [role=application]")
    canvas.focus()
    page.keyboard.press("Delete")  # the new one is chosen
    after(page, edits="6", nuclei=str(len(before)))
    for left_over in range(5, -1, -1):
        page.keyboard.press("Control+z")
        after(page, edits=str(left_over))
    assert saved(page, lab) == before
    page.keyboard.press("Control+y")
    after(page, edits="1", nuclei=str(len(before) + 1))
    canvas.focus()
    page.keyboard.press("d")
    expect(page.get_by_role("radio", name="Delete", exact=True)).to_be_checked()
    page.keyboard.press("c")
    assert (lab / "cells.png").read_bytes() == image
    assert saved(page, lab) == split


def test_a_channel_is_chosen_never_in_silence_and_goes_into_what_is_saved(page: Page, lab: Path) -> None:
    remark = page.locator(f"{VIEW} .nn-remark")
    image = page.get_by_role("combobox", name="Image")
    fresh(page)
    image.select_option("two.ome")
    expect(remark).to_contain_text("The file has 2 channels (DAPI, GFP); DAPI is used.")
    expect(page.locator(VIEW)).not_to_have_attribute("data-nuclei", "old", timeout=SLOW_MS)
    fresh(page)
    page.get_by_role("combobox", name="Channel").select_option(label="GFP")
    expect(remark).to_contain_text("GFP is used.")
    expect(page.locator(VIEW)).not_to_have_attribute("data-nuclei", "old", timeout=SLOW_MS)
    page.get_by_role("button", name="Save", exact=True).press("Enter")
    after(page, saved="two.ome_cp_masks.tif two.ome_nuclei.csv")
    assert json.loads((lab / "two.ome_cp_masks.json").read_text())["settings"]["channel"] == "GFP"
    labels = read_mask(lab / "two.ome_cp_masks.tif")
    gfp = read_image(lab / "cells.png")[::-1]
    assert gfp[labels > 0].mean() > 2 * gfp[labels == 0].mean()
    page.get_by_role("button", name="Save as").press("Enter")
    for name, file in (("ImageJ ROIs", "two.ome_rois.zip"), ("QuPath (GeoJSON)", "two.ome.geojson")):
        page.get_by_role("button", name=name).press("Enter")
        after(page, saved=file)
    assert (read_mask(lab / "two.ome_rois.zip", (256, 256)) == labels).all()
    assert len(json.loads((lab / "two.ome.geojson").read_text())["features"]) == nuclei(page)
    fresh(page)
    image.select_option("cells")
    expect(page.locator(VIEW)).not_to_have_attribute("data-nuclei", "old", timeout=SLOW_MS)


def test_a_folder_is_segmented_and_training_goes_on_beside_until_it_is_stopped(page: Page, lab: Path) -> None:
    page.get_by_role("button", name="Train and apply").press("Enter")
    jobs = page.locator(f"{VIEW} .nn-jobs")
    said = jobs.locator(".nn-job-said")
    page.get_by_role("button", name="Apply", exact=True).press("Enter")
    expect(jobs).to_have_attribute("data-job", "failed", timeout=SLOW_MS)
    expect(said).to_contain_text("1 of 2 images is segmented; its masks are in")
    expect(said).to_contain_text("two.ome.tif: has 2 channels (0 DAPI, 1 GFP); choose with channel DAPI")
    assert read_mask(lab / "masks" / "cells_cp_masks.tif").max() > 5
    page.get_by_role("spinbutton", name="Steps of training").fill("5000")
    page.get_by_role("button", name="Train", exact=True).press("Enter")
    expect(said).to_contain_text(re.compile(r"Training on 2 images: step \d+ of 5000"), timeout=SLOW_MS)
    expect(page.get_by_role("progressbar", name="Progress of training")).to_be_visible()
    fresh(page)
    page.get_by_role("slider", name="Distance of nuclei").fill("0.9")
    expect(page.locator(VIEW)).not_to_have_attribute("data-nuclei", "old", timeout=SLOW_MS)
    page.get_by_role("button", name="Stop").press("Enter")
    expect(jobs).to_have_attribute("data-job", "stopped", timeout=SLOW_MS)
    expect(said).to_contain_text("no model was written")
    assert not list(lab.glob("trained*"))


def test_training_counts_its_steps_and_its_model_is_then_among_the_methods(page: Page, lab: Path) -> None:
    jobs = page.locator(f"{VIEW} .nn-jobs")
    expect(jobs).to_contain_text("on 2 images with saved masks")
    jobs.evaluate(
        """(root) => {
            const said = root.querySelector('.nn-job-said');
            window.told = [];
            new MutationObserver(() => window.told.push(said.textContent)).observe(said, { childList: true });
        }"""
    )
    page.get_by_role("spinbutton", name="Steps of training").fill("2")
    page.get_by_role("button", name="Train", exact=True).press("Enter")
    expect(jobs).to_have_attribute("data-job", "done", timeout=3 * SLOW_MS)
    told = page.evaluate("window.told")
    begun = "Training on 2 images"
    steps = [text for text in told if text.startswith(f"{begun}: step")]
    assert steps == [f"{begun}: step {step} of 2" for step in (1, 2)], told
    assert told[-1] == "Trained on 2 images. The new model, trained_nuclei, is now among the methods."
    assert (lab / "trained_nuclei").is_file()
    method = page.get_by_role("combobox", name="Method")
    fresh(page)
    method.select_option(label="Trained here: trained_nuclei")
    after(page, method="trained_nuclei")
    expect(page.locator(VIEW)).not_to_have_attribute("data-nuclei", "old", timeout=SLOW_MS)
    assert nuclei(page) > 5
    fresh(page)
    method.select_option(label="Otsu and watershed")
    expect(page.locator(VIEW)).not_to_have_attribute("data-nuclei", "old", timeout=SLOW_MS)


def test_it_is_known_to_nobody_else(served: str) -> None:
    for address in (served.partition("?")[0], served[:-1], served.replace("127.0.0.1", "localhost")):
        with pytest.raises(urllib.error.HTTPError, match="403"):
            urllib.request.urlopen(address)


def test_masks_of_an_image_that_was_replaced_are_refused_by_name(page: Page, lab: Path) -> None:
    masks = (lab / "cells_cp_masks.tif").read_bytes()
    write_image(lab / "other.tif", read_image(lab / "cells.png")[::-1])
    (lab / "other.tif").replace(lab / "cells.png")
    page.locator(f"{VIEW} [role=application]").focus()
    page.keyboard.press("n")
    page.keyboard.press("Delete")
    remark = page.locator(f"{VIEW} .nn-remark")
    expect(remark).to_contain_text("cells.png: was replaced since it was opened")
    page.get_by_role("button", name="Save", exact=True).press("Enter")
    after(page, saved="refused")
    assert (lab / "cells_cp_masks.tif").read_bytes() == masks


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["nothing"], "nothing: no such file or folder"),
        (["empty"], "empty: holds no TIFF, PNG or CZI file"),
        (["words.tif"], "words.tif: has no image; it is truncated or damaged"),
        (["--port", "70000"], "--port is 70000; give 1 to 65535"),
        (["--method", "magic"], "--method is 'magic'; choose one of otsu"),
    ],
)
def test_a_wrong_call_has_one_line(tmp_path: Path, arguments: list[str], line: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "words.tif").write_bytes(b"II*\0 no image")
    done = subprocess.run(
        [*COMMAND, *arguments, "--no-browser"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert re.fullmatch(rf"nnbook gui: .*{re.escape(line)}.*\n", done.stderr)
