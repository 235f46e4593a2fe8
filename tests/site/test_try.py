"""The page on which readers segment images of their own: the model runs in the browser, and nothing leaves it."""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

import cv2
import numpy as np
import pytest
import roifile
import tifffile
from PIL import Image
from playwright.sync_api import expect
from reader import SETTLE_MS, drag, open_page, rest
from try_page import SLOW_MS, VIEW, choose, give, png, saved, saved_labels, segmented

from nnbook.evaluation.metrics import evaluate
from nnbook.gui.session import DARK_NUCLEI
from nnbook.segmentation.panorama import segment
from nnbook.simulation.panorama import simulate_panorama

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray
    from playwright.sync_api import Browser, Page, Request

DIAMETER_PX = 152.91


# The middle of all that is drawn over the points, in CSS pixels of the plane; null where there is nothing.
PLACE_OF_MARK = """(canvas) => {
    const { width, height } = canvas;
    const copy = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
    copy.drawImage(canvas, 0, 0);
    const { data } = copy.getImageData(0, 0, width, height);
    const [xs, ys] = [[], []];
    for (let at = 3; at < data.length; at += 4) {
        if (data[at] > 100) {
            xs.push(((at - 3) / 4) % width);
            ys.push(Math.floor((at - 3) / 4 / width));
        }
    }
    const middle = (values) => ((Math.min(...values) + Math.max(...values)) / 2) * (canvas.clientWidth / width);
    return xs.length === 0 ? null : [middle(xs), middle(ys)];
}"""


@pytest.fixture(scope="module")
def own() -> NDArray[np.uint8]:
    """An image that is not of the book."""
    image, _, _ = simulate_panorama(31, 2, "TR", "top_left", width_px=900, height_px=800)
    return cast("NDArray[np.uint8]", image)


@pytest.fixture(scope="module")
def opened(browser: Browser, address: str) -> Iterator[tuple[Page, list[str], list[Request]]]:
    """The page under its policy, with one of the book's images; what goes wrong, and what it asked for."""
    with open_page(browser, f"{address}/try/?try.diameter={DIAMETER_PX}", policy=True, accept_downloads=True) as (
        page,
        problems,
    ):
        asked: list[Request] = []
        page.on("request", lambda request: asked.append(request))  # noqa: PLW0108 - Playwright marks what it calls
        view = page.locator(VIEW)
        expect(view).to_have_attribute("data-state", "waiting")
        assert not [request.url for request in asked if re.search(r"\.(wasm|onnx)$", request.url)], (
            "before an image is there"
        )
        page.get_by_role("button", name="Around a telophase").click()
        expect(view).to_have_attribute("data-masks", "done", timeout=SLOW_MS)
        yield page, problems, asked


def faults(problems: list[str]) -> list[str]:
    """Return what went wrong, but for two things that the browser itself does.

    It asks for the page's icon while the network is cut, and it says where a machine has no graphics card.
    """
    own = ("ERR_INTERNET_DISCONNECTED", "console warning: No available adapters.")
    return [problem for problem in problems if not any(words in problem for words in own)]


def tiff(image: NDArray[Any], **options: Any) -> bytes:
    file = io.BytesIO()
    tifffile.imwrite(file, image, **options)
    return file.getvalue()


def test_with_the_network_cut_an_own_image_is_segmented_as_the_package_does_it(
    opened: tuple[Page, list[str], list[Request]], own: NDArray[np.uint8], tmp_path: Path
) -> None:
    page, problems, asked = opened
    before = len(asked)
    page.context.set_offline(True)
    try:
        view = give(page, "own.png", png(own))
        expect(view).to_have_attribute("data-masks", "done")
        labels = saved_labels(page)
        expected = segment(own, diameter_px=DIAMETER_PX)
        scores = evaluate(labels, expected)
        assert labels.max() == expected.max() > 0
        assert scores["mean_iou"] > 0.99
        assert (np.asarray(Image.open(saved(page, "Label PNG"))) == labels).all()
        table = saved(page, "Table (CSV)").read_text(encoding="utf-8").splitlines()
        assert table[0].startswith("image,roi,area_px,")
        assert len(table) == labels.max() + 1
        assert table[1].split(",")[2] == str((labels == 1).sum())
        rois = tmp_path / "rois.zip"
        rois.write_bytes(saved(page, "ImageJ ROIs").read_bytes())
        assert len({name.split("-")[0].split(".")[0] for name in zipfile.ZipFile(rois).namelist()}) == labels.max()
        first = roifile.roiread(rois)
        outline = (first[0] if isinstance(first, list) else first).integer_coordinates
        assert outline is not None
        assert len(outline) > 20
        # Thresholds move masks of the network's output that is kept.
        view.evaluate("(root) => { root.dataset.nuclei = 'old' }")
        page.get_by_role("slider", name="Cell probability threshold").fill("5.5")
        expect(view).not_to_have_attribute("data-nuclei", "old", timeout=SLOW_MS)
        assert int(str(view.get_attribute("data-nuclei"))) < labels.max()
        page.get_by_role("button", name="Reset").click()
        expect(view).to_have_attribute("data-nuclei", str(labels.max()), timeout=SLOW_MS)
    finally:
        page.context.set_offline(False)
    # The browser itself asks for the page's icon where the page's address changes.
    outside = [request.url for request in asked[before:] if not re.search(r"^(blob|data):|/favicon\.\w+$", request.url)]
    assert outside == []
    assert not faults(problems)


def test_no_request_carries_anything_and_none_goes_to_another_host(
    opened: tuple[Page, list[str], list[Request]], address: str
) -> None:
    page, problems, asked = opened
    sent = [request for request in asked if request.method != "GET" or request.post_data_buffer]
    assert not [request.url for request in sent]
    hosts = {urlsplit(request.url).netloc for request in asked if not request.url.startswith(("blob:", "data:"))}
    assert hosts == {urlsplit(address).netloc}
    policy = page.locator('meta[http-equiv="Content-Security-Policy"]').get_attribute("content")
    assert policy
    assert "http" not in policy
    tried = "fetch('https://elsewhere.example/').then(() => 'sent', (error) => String(error))"
    assert page.evaluate(tried) != "sent"
    assert all("elsewhere.example" in problem for problem in faults(problems))
    problems.clear()


def test_masks_are_corrected_by_hand_and_corrections_taken_back(
    opened: tuple[Page, list[str], list[Request]], own: NDArray[np.uint8]
) -> None:
    page, problems, _ = opened
    view, count = segmented(page, own)
    expect(page.locator(f"{VIEW} .nn-overlay")).to_have_attribute("data-masks", "drawn", timeout=SLOW_MS)
    page.locator(f"{VIEW} .nn-stage [role=application]").focus()
    page.keyboard.press("n")
    expect(page.locator(f"{VIEW} .nn-remark")).to_contain_text("ROI 1 is chosen")
    page.keyboard.press("Delete")
    expect(view).to_have_attribute("data-edits", "1", timeout=SLOW_MS)
    expect(view).to_have_attribute("data-nuclei", str(count - 1))
    page.get_by_role("button", name="Show the whole image").click()
    page.get_by_role("button", name="Correct", exact=True).click()
    page.get_by_role("radio", name="Add").check(force=True)
    box = page.locator(f"{VIEW} .nn-strokes").bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    drag(page, (x, y), (x + 60, y), (x + 60, y + 60), (x, y + 60))
    expect(view).to_have_attribute("data-edits", "2", timeout=SLOW_MS)
    expect(view).to_have_attribute("data-nuclei", str(count))
    labels = saved_labels(page)
    assert len(np.unique(labels)) == count + 1
    assert labels.max() == count + 1, "the new one has a number of its own"
    for left in (1, 0):
        page.get_by_role("button", name=re.compile("^Undo")).click()
        expect(view).to_have_attribute("data-edits", str(left), timeout=SLOW_MS)
    expect(view).to_have_attribute("data-nuclei", str(count))
    page.get_by_role("button", name="Correct", exact=True).click()
    assert not faults(problems)


def test_nuclei_are_points_beside_the_image_and_either_marks_the_other(
    opened: tuple[Page, list[str], list[Request]], own: NDArray[np.uint8]
) -> None:
    page, problems, _ = opened
    view, count = segmented(page, own)
    scatter = page.get_by_role("group", name="Scatter of nuclei")
    plane, remark = scatter.get_by_role("application"), page.locator(f"{VIEW} .nn-remark")
    assert scatter.locator("canvas").count() == 0, "closed, there is no plane"
    page.get_by_role("button", name="Scatter", exact=True).click()
    expect(plane).to_have_attribute("aria-label", re.compile(f"^{count} nuclei by area and mean intensity"))
    # A point that is opened by keyboard is chosen in the image, and the next one of the image in the plane.
    plane.focus()
    page.keyboard.press("Home")
    page.keyboard.press("Enter")
    expect(remark).to_contain_text("is chosen")
    areas = [int(row.split(",")[2]) for row in saved(page, "Table (CSV)").read_text(encoding="utf-8").splitlines()[1:]]
    expect(remark).to_contain_text(f"ROI {int(np.argmin(areas)) + 1} is chosen")
    # A lasso round all points but the nuclei of least and greatest area.
    box = plane.bounding_box()
    assert box
    page.get_by_role("button", name="Lasso: draw round nuclei").click()
    right, bottom = box["x"] + box["width"], box["y"] + box["height"]
    middle = box["x"] + box["width"] / 2
    drag(page, (middle, box["y"] + 20), (right - 2, box["y"] + 15), (right - 2, bottom - 5), (middle - 2, bottom - 5))
    selection = scatter.locator(".nn-selection")
    expect(selection).to_contain_text(f"of {count} nuclei selected")
    selected = int(selection.inner_text().split()[0])
    assert 0 < selected < count
    with page.expect_download() as saving:
        scatter.get_by_role("button", name="Save as CSV").click()
    rows = saving.value.path().read_text(encoding="utf-8").splitlines()[1:]
    largest = sorted(areas)[-selected:]
    assert sorted(int(row.split(",")[2]) for row in rows) == largest
    # Corrections move points, and the scale changes units.
    page.locator(f"{VIEW} .nn-stage [role=application]").focus()
    page.keyboard.press("Delete")
    expect(plane).to_have_attribute("aria-label", re.compile(f"^{count - 1} nuclei "), timeout=SLOW_MS)
    expect(selection).to_contain_text(f"{selected} of {count - 1} nuclei selected")
    scatter.get_by_role("combobox", name="Upwards").select_option(label="Confidence")
    expect(plane).to_have_attribute("aria-label", re.compile(" by area and confidence"))
    expect(selection).not_to_contain_text("selected")
    page.locator(f"{VIEW} .nn-stage [role=application]").focus()
    page.keyboard.press("Control+z")
    expect(view).to_have_attribute("data-nuclei", str(count), timeout=SLOW_MS)
    page.get_by_role("button", name="Scatter", exact=True).click()
    expect(scatter).to_be_hidden()
    assert not faults(problems)


def test_a_nucleus_pointed_at_or_clicked_in_the_image_is_the_one_marked_in_the_plane(
    opened: tuple[Page, list[str], list[Request]], own: NDArray[np.uint8]
) -> None:
    page, problems, _ = opened
    segmented(page, own)
    expect(page.locator(f"{VIEW} .nn-overlay")).to_have_attribute("data-masks", "drawn", timeout=SLOW_MS)
    labels = saved_labels(page)
    areas = np.bincount(labels.ravel())[1:]
    roi = int(areas.argmax()) + 1
    page.get_by_role("button", name="Show the whole image").click()
    page.get_by_role("button", name="Scatter", exact=True).click()
    scatter = page.get_by_role("group", name="Scatter of nuclei")
    plane, marks = scatter.get_by_role("application"), scatter.locator("canvas").nth(1)
    readout, remark = page.locator(f"{VIEW} .nn-readout"), page.locator(f"{VIEW} .nn-remark")
    rest(page, SETTLE_MS)
    assert marks.evaluate(PLACE_OF_MARK) is None, "nothing is pointed at"
    # In the image: what is under the pointer is named, and its point marked.
    inside = cv2.distanceTransform((labels == roi).astype(np.uint8), cv2.DIST_L2, 5)
    y, x = (int(place) for place in np.unravel_index(inside.argmax(), inside.shape))
    stage = page.locator(f"{VIEW} .nn-stage [role=application]").bounding_box()
    assert stage
    side = min(stage["width"] / own.shape[1], stage["height"] / own.shape[0])
    left = stage["x"] + (stage["width"] - side * own.shape[1]) / 2
    top = stage["y"] + (stage["height"] - side * own.shape[0]) / 2
    page.mouse.move(left + side * (x + 0.5), top + side * (y + 0.5), steps=3)
    expect(readout).to_contain_text(f"ROI {roi}")
    expect(readout).to_contain_text(f"{areas[roi - 1]:,} px")
    expect(page.locator(f"{VIEW} .nn-position")).to_contain_text(f"· {own[y, x]}")
    rest(page, SETTLE_MS)
    place = marks.evaluate(PLACE_OF_MARK)
    assert place is not None, "its point is marked"
    page.mouse.down()
    page.mouse.up()
    expect(remark).to_contain_text(f"ROI {roi} is chosen")
    # In the plane: the same point is that nucleus, which is marked in the image.
    page.mouse.move(2, 2)
    rest(page, SETTLE_MS)
    unmarked = page.locator(f"{VIEW} .nn-overlay").evaluate("(canvas) => canvas.toDataURL()")
    box = plane.bounding_box()
    assert box
    page.mouse.move(box["x"] + place[0], box["y"] + place[1], steps=3)
    expect(scatter.locator(".nn-card")).to_contain_text(f"ROI {roi}")
    # And another than the one that is chosen, as that is marked already.
    plane.focus()
    page.keyboard.press("Home")
    rest(page, SETTLE_MS)
    assert page.locator(f"{VIEW} .nn-overlay").evaluate("(canvas) => canvas.toDataURL()") != unmarked
    page.get_by_role("button", name="Scatter", exact=True).click()
    assert not faults(problems)


def test_a_scale_turns_the_values_of_points_into_micrometres(
    opened: tuple[Page, list[str], list[Request]], own: NDArray[np.uint8]
) -> None:
    page, problems, _ = opened
    segmented(page, own)
    areas = np.bincount(saved_labels(page).ravel())[1:]
    page.get_by_role("button", name="Scatter", exact=True).click()
    scatter = page.get_by_role("group", name="Scatter of nuclei")
    plane, selection = scatter.get_by_role("application"), scatter.locator(".nn-selection")
    scale = page.get_by_label("Pixels a micrometre")
    for px_per_um, unit in (("", "px²"), ("4", "µm²")):
        scale.fill(px_per_um)
        scale.blur()
        page.get_by_role("button", name="Lasso: draw round nuclei").click()
        box = plane.bounding_box()
        assert box
        corners = ((0.01, 0.01), (0.01, 0.99), (0.99, 0.99), (0.99, 0.01))
        drag(page, *((box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in corners))
        expect(selection).to_contain_text(f"{len(areas)} of {len(areas)} nuclei selected")
        mean = re.search(rf"area ([\d,.]+) {unit}", selection.inner_text())
        assert mean, selection.inner_text()
        assert float(mean[1].replace(",", "")) == pytest.approx(areas.mean() / float(px_per_um or 1) ** 2, rel=0.01)
    scale.fill("")
    scale.blur()
    page.get_by_role("button", name="Scatter", exact=True).click()
    assert not faults(problems)


def test_in_full_screen_the_image_has_what_the_rest_leaves(opened: tuple[Page, list[str], list[Request]]) -> None:
    page, problems, _ = opened
    full = page.get_by_role("button", name="Full screen")
    full.click()
    expect(full).to_have_attribute("aria-pressed", "true")
    stage = page.locator(f"{VIEW} .nn-stage").bounding_box()
    assert stage
    assert stage["height"] > 300
    full.click()
    expect(full).to_have_attribute("aria-pressed", "false")
    assert not faults(problems)


def test_an_inverted_image_is_named(opened: tuple[Page, list[str], list[Request]], own: NDArray[np.uint8]) -> None:
    page, problems, _ = opened
    remark = page.locator(f"{VIEW} .nn-remark")
    choose(page, "inverted.png", png(255 - own))
    expect(remark).to_contain_text(DARK_NUCLEI, timeout=SLOW_MS)
    page.get_by_role("button", name="Cancel").click()
    choose(page, "own.png", png(own))
    expect(page.locator(f"{VIEW} .nn-title")).to_have_text("own.png")
    expect(page.locator(f"{VIEW} .nn-doing")).to_contain_text("Segmenting", timeout=SLOW_MS)
    expect(remark).not_to_contain_text(DARK_NUCLEI)
    page.get_by_role("button", name="Cancel").click()
    assert not faults(problems)


def test_a_tab_that_sleeps_goes_on_where_it_was(
    opened: tuple[Page, list[str], list[Request]], own: NDArray[np.uint8]
) -> None:
    page, problems, _ = opened
    session = page.context.new_cdp_session(page)
    view = choose(page, "own.png", png(own))
    expect(page.locator(f"{VIEW} .nn-doing")).to_contain_text("Segmenting", timeout=SLOW_MS)
    session.send("Page.setWebLifecycleState", {"state": "frozen"})
    session.send("Page.setWebLifecycleState", {"state": "active"})
    expect(view).to_have_attribute("data-masks", "done", timeout=SLOW_MS)
    expect(view).to_have_attribute("data-work", "idle")
    expect(page.locator(f"{VIEW} .nn-overlay")).to_have_attribute("data-masks", "drawn", timeout=SLOW_MS)
    assert not faults(problems)


def damaged_png(width: int, height: int) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(b"\0" * 20)), (b"IEND", b"")]
    parts = [
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


FLOATS = np.linspace(0, 1, 4096, dtype=np.float32).reshape(64, 64)
REFUSED = {
    "words.txt": (b"no image at all", "words.txt is no image that this browser reads"),
    "empty.png": (b"", "empty.png is empty"),
    "short.tif": (tiff(FLOATS)[:60], "short.tif begins as a TIFF"),
    "nan.tif": (tiff(np.where(FLOATS > 0.5, np.nan, FLOATS)), "nan.tif has pixels that are not a number"),
    "none.png": (damaged_png(0, 0), "none.png has no pixels: it is 0 x 0 px"),
    "cut.png": (damaged_png(500, 500), "cut.png is damaged"),
    "huge.png": (damaged_png(100_000, 100_000), "huge.png is 100,000 x 100,000 px, more than a browser has memory for"),
}


def test_what_is_no_image_is_refused_in_one_line_and_the_page_goes_on(
    opened: tuple[Page, list[str], list[Request]], own: NDArray[np.uint8]
) -> None:
    page, problems, _ = opened
    for name, (data, line) in REFUSED.items():
        view = give(page, name, data)
        expect(view).to_have_attribute("data-work", "refused")
        expect(page.locator(f"{VIEW} .nn-remark")).to_contain_text(line)
    flat = give(page, "flat.png", png(np.full((80, 90), 7, np.uint8)))
    expect(flat).to_have_attribute("data-nuclei", "0")
    expect(page.locator(f"{VIEW} .nn-remark")).to_contain_text("No nucleus was found")
    choose(page, "wide.png", png(np.tile(own[300:304, :500], (1, 200))))
    expect(page.locator(f"{VIEW} .nn-facts")).to_contain_text("100,000 × 4 px", timeout=SLOW_MS)
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator(f"{VIEW} .nn-remark")).to_contain_text("Canceled.")
    assert not faults(problems)


def test_files_of_several_channels_planes_and_types_are_read(
    opened: tuple[Page, list[str], list[Request]], own: NDArray[np.uint8]
) -> None:
    page, problems, _ = opened
    labels = segment(own, diameter_px=DIAMETER_PX)
    y, x = (int(place.mean()) for place in np.nonzero(labels == np.bincount(labels.ravel())[1:].argmax() + 1))
    top, left = max(0, min(y - 150, 500)), max(0, min(x - 200, 500))
    part = own[top : top + 300, left : left + 400]
    empty = np.zeros_like(part)
    expected = str(segment(part, diameter_px=DIAMETER_PX).max())
    assert expected != "0"
    facts, remark = page.locator(f"{VIEW} .nn-facts"), page.locator(f"{VIEW} .nn-remark")
    ome = {"axes": "CYX", "Channel": {"Name": ["Actin", "DAPI"]}, "PhysicalSizeX": 0.125, "PhysicalSizeXUnit": "µm"}
    view = give(
        page,
        "two.ome.tif",
        tiff(np.stack([empty, part.astype(np.uint16) * 9]), ome=True, metadata=ome, photometric="minisblack"),
    )
    expect(facts).to_contain_text("16 bit")
    expect(page.get_by_label("Pixels a micrometre")).to_have_value("8")
    view.evaluate("(root) => { root.dataset.nuclei = 'old' }")
    page.get_by_role("combobox", name="Channel").select_option(label="DAPI")
    expect(view).to_have_attribute("data-nuclei", expected, timeout=SLOW_MS)
    stack = give(page, "stack.tif", tiff(np.stack([empty, part, empty]), photometric="minisblack"))
    expect(remark).to_contain_text("The file has 3 planes; plane 2 is used.")
    expect(stack).to_have_attribute("data-nuclei", expected)
    colour = give(page, "colour.png", png(np.dstack([empty, empty, part])))
    expect(remark).to_contain_text("in colour; its blue channel is used")
    expect(colour).to_have_attribute("data-nuclei", expected)
    floats = give(page, "float.tif", tiff(part.astype(np.float32) / 255, compression="zlib"))
    expect(facts).to_contain_text("32 bit float")
    expect(floats).to_have_attribute("data-nuclei", expected)
    assert not faults(problems)
