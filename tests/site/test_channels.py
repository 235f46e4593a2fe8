"""The view of images of several channels: OME-Zarr of versions 0.4 and 0.5 from hosts, in a browser."""

from __future__ import annotations

import json
import re
import shutil
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import numpy as np
import pytest
import tifffile
import zarr
from file_server import QuietHandler, serving
from playwright.sync_api import expect
from reader import PROJECT, open_page, pixels
from zarr.codecs import ZstdCodec

from nnbook.io.edition import Edition
from nnbook.io.files import write_json
from nnbook.pipeline.stages import write_channel_images
from nnbook.viewers.ome import write_ome_zarr
from nnbook.viewers.pyramid import write_pyramid

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from playwright.sync_api import Browser, Locator, Page

SIDE = 300
PLANES = 3
COLOURS = {"DNA": (255, 0, 255), "Actin": (0, 255, 0)}
PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval'">
<title>Channels</title>
<link rel="icon" href="data:,">
<body style="margin: 0; padding: 10px">
<main><h1 style="margin: 0">Channels</h1><div id="host"></div></main>
<script type="module">
  import widget from './channels.mjs';
  const values = { height: 420, address: false, ...JSON.parse(new URLSearchParams(location.search).get('model')) };
  const listeners = {};
  const model = {
    get: (name) => values[name],
    set: (name, value) => { values[name] = value; },
    on: (event, listener) => { (listeners[event] ??= []).push(listener); },
  };
  window.values = values;
  window.change = (name, value) => {
    values[name] = value;
    for (const listener of listeners[`change:${name}`] ?? []) listener();
  };
  const el = document.createElement('div');
  document.getElementById('host').append(el);
  widget.render({ model, el });
</script>
"""


class OpenHandler(QuietHandler):
    """A host that lets other sites read."""

    def end_headers(self) -> None:
        self.send_header("Access-Control-Allow-Origin", "*")
        super().end_headers()


def planes() -> np.ndarray[Any, np.dtype[np.uint16]]:
    """Axes (c, z, y, x): in each quarter of a plane, DNA alone, Actin alone, both at half, and nothing."""
    image = np.zeros((2, PLANES, SIDE, SIDE), np.uint16)
    half = SIDE // 2
    for z in range(PLANES):
        image[0, z, :half, :half] = image[1, z, :half, half:] = 4000
        image[:, z, half:, :half] = 2000
        image[0, z, half:, half:] = 1000 * z
    return image


def metadata(version: str) -> dict[str, Any]:
    space = [{"name": axis, "type": "space", "unit": "micrometer"} for axis in "zyx"]
    scales = [[1, 1, 0.5 * step, 0.5 * step] for step in (1, 2)]
    datasets = [
        {"path": str(at), "coordinateTransformations": [{"type": "scale", "scale": scale}]}
        for at, scale in enumerate(scales)
    ]
    windows = [
        {"label": name, "color": bytes(colour).hex(), "active": True, "window": {"start": 0, "end": 4000}}
        for name, colour in COLOURS.items()
    ]
    axes = [{"name": "c", "type": "channel"}, *space]
    return {
        "multiscales": [{"version": version, "axes": axes, "datasets": datasets}],
        "omero": {"channels": windows, "rdefs": {"defaultZ": 2}},
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write images of both versions, compressed as their writers do it, and what is none."""
    folder = tmp_path_factory.mktemp("channels")
    levels = [planes(), planes()[..., ::2, ::2]]
    fourth = zarr.create_group(folder / "fourth.ome.zarr", zarr_format=2)
    fifth = zarr.create_group(folder / "fifth.ome.zarr", zarr_format=3)
    from numcodecs import Blosc  # type: ignore[import-untyped]

    for at, level in enumerate(levels):
        fourth.create_array(
            str(at),
            data=level,
            chunks=(1, 1, 128, 128),
            compressors=Blosc(cname="lz4"),
            chunk_key_encoding={"name": "v2", "separator": "/"},
        )
        fifth.create_array(str(at), data=level, chunks=(1, 1, 64, 64), shards=(1, 1, 256, 256), compressors=ZstdCodec())
    fourth.attrs.update(metadata("0.4"))
    fifth.attrs["ome"] = {"version": "0.5", **metadata("0.5")}
    text = zarr.create_group(folder / "text.ome.zarr", zarr_format=3)
    for at in range(2):
        text.create_array(str(at), shape=(1, 1, 4, 4), chunks=(1, 1, 4, 4), dtype="complex64")
    text.attrs["ome"] = {"version": "0.5", **metadata("0.5")}
    bare = zarr.create_group(folder / "bare.ome.zarr", zarr_format=3)
    bare.attrs["ome"] = {"version": "0.5"}
    (folder / "index.html").write_text(PAGE, encoding="utf-8")
    for bundle in (PROJECT / "widgets" / "dist").glob("c[ho]*.mjs"):
        shutil.copyfile(bundle, folder / bundle.name)
    return folder


@pytest.fixture(scope="module")
def here(folder: Path) -> Iterator[str]:
    with serving(folder) as address:
        yield address


@pytest.fixture(scope="module")
def elsewhere(folder: Path) -> Iterator[str]:
    with serving(folder, OpenHandler) as address:
        yield address


@pytest.fixture(scope="module")
def closed(folder: Path) -> Iterator[str]:
    """A host that does not let other sites read."""
    with serving(folder) as address:
        yield address


def shown(browser: Browser, here: str, **model: Any) -> AbstractContextManager[tuple[Page, list[str]]]:
    return open_page(browser, f"{here}/index.html?{urlencode({'model': json.dumps(model)})}")


def quarters(view: Locator) -> list[tuple[int, ...]]:
    """Return the colour in the middle of each quarter of an image that is seen as a whole."""
    seen = pixels(view.locator(".nn-area").screenshot())
    height, width = seen.shape[:2]
    side = min(height, width)
    return [
        tuple(seen[height // 2 + y * side // 4, width // 2 + x * side // 4].tolist()) for y in (-1, 1) for x in (-1, 1)
    ]


def settled(view: Locator, colours: Sequence[tuple[int, ...]]) -> list[tuple[int, ...]]:
    """Return the colours of the quarters, once they are these or ten seconds have passed: a change is painted later."""
    until = time.monotonic() + 10
    while (seen := quarters(view)) != list(colours) and time.monotonic() < until:
        view.page.wait_for_timeout(50)
    return seen


@pytest.mark.parametrize("version", ["fourth", "fifth"])
def test_channels_of_another_host_add_up(browser: Browser, here: str, elsewhere: str, version: str) -> None:
    with shown(browser, here, zarr=f"{elsewhere}/{version}.ome.zarr", title="Three planes") as (page, problems):
        view = page.locator(".nn-channelview")
        view.get_by_role("button", name=f"Open from {elsewhere.removeprefix('http://')}").click()
        view.and_(page.locator("[data-state=ready]")).wait_for()
        expect(view.locator(".nn-facts")).to_have_text("300 × 300 px, 150 µm wide · 2 channels · 3 z planes")
        assert view.locator(".nn-scale-text").inner_text().endswith("µm")
        assert settled(view, colours := [(255, 0, 255), (0, 255, 0), (128, 128, 128), (128, 0, 128)]) == colours
        view.get_by_role("slider", name="z").fill("1")
        middle = [(255, 0, 255), (0, 255, 0), (128, 128, 128), (64, 0, 64)]
        assert settled(view, middle)[3] == middle[3]
        view.get_by_role("checkbox", name="Actin").uncheck()
        view.get_by_label("Colour of DNA").fill("#ff8000")
        page.wait_for_function("values.channels?.[0].colour === '#ff8000'")
        assert settled(view, colours := [(255, 128, 0), (0, 0, 0), (128, 64, 0), (64, 32, 0)]) == colours
        assert page.evaluate("[values.z, values.channels.map(({ shown }) => shown)]") == [1, [True, False]]
        page.evaluate("change('channels', null); change('z', 0)")
        assert settled(view, colours := [(255, 0, 255), (0, 255, 0), (128, 128, 128), (0, 0, 0)]) == colours
        # A file that is not there is a chunk of zeros, or metadata of the other version. No third host is asked.
        meant = re.compile(rf"asks another host: {elsewhere}/|status 404: {elsewhere}/|status of 404")
        assert [problem for problem in problems if not meant.search(problem)] == []


def labelled(folder: Path) -> None:
    """Write an image with three sets of labels of its own: one fits, one is of another size, one of another scale."""
    labels = np.zeros((SIDE, SIDE), np.int32)
    labels[20:120, 20:120] = 7
    path = folder / "labelled.ome.zarr"
    write_ome_zarr(path, np.full((SIDE, SIDE), 40, np.uint8), labels, px_per_um=2.0)
    group = zarr.open_group(path / "labels")
    nuclei: Any = group["nuclei"].attrs["ome"]
    for name, shape, um in (
        ("halves", (150, 150), 1.0),
        ("others", (SIDE, SIDE), 0.25),
        ("whole cells", (SIDE, SIDE), 0.5),
    ):
        one = group.create_group(name)
        one.create_array("0", data=np.full(shape, 3, np.int64), chunks=(128, 128))
        scale: Any = [{"path": "0", "coordinateTransformations": [{"type": "scale", "scale": [um, um]}]}]
        one.attrs["ome"] = {**nuclei, "multiscales": [{**nuclei["multiscales"][0], "datasets": scale}]}
    group.attrs["ome"] = {"version": "0.5", "labels": ["halves", "nuclei", "others", "whole cells"]}


def test_an_image_s_own_labels_are_its_masks(browser: Browser, here: str, folder: Path) -> None:
    labelled(folder)
    with shown(browser, here, zarr="labelled.ome.zarr", title="Ours") as (page, problems):
        view = page.locator(".nn-channelview")
        view.locator(".nn-overlay[data-masks=drawn]").wait_for()
        # Those that are not of the image are named, with what does not fit.
        expect(view.locator(".nn-remark")).to_have_text(
            "The labels “halves” are not shown: they are 150 × 150 px, and the image is 300 × 300 px. "
            "The labels “others” are not shown: by their scale they are 75 µm wide, and the image is 150 µm wide."
        )
        choice = view.get_by_role("combobox", name="Labels")
        assert choice.locator("option").all_inner_texts() == ["nuclei", "whole cells"]
        expect(choice).to_have_value("nuclei")
        box = view.locator(".nn-area").bounding_box()
        assert box is not None
        side = min(box["width"], box["height"])
        left, top = box["x"] + (box["width"] - side) / 2, box["y"] + (box["height"] - side) / 2

        def at(x: int, y: int) -> tuple[float, float]:
            return left + side * x / SIDE, top + side * y / SIDE

        page.mouse.move(*at(118, 118))
        expect(view.locator(".nn-readout")).to_contain_text("ROI 7")
        page.mouse.move(*at(123, 123))
        expect(view.locator(".nn-readout")).to_be_hidden()
        page.mouse.click(*at(70, 70))
        expect(view.locator(".nn-remark")).to_contain_text("ROI 7 is chosen.")
        page.mouse.move(0, 0)
        view.get_by_role("radio", name="Off").check(force=True)
        page.wait_for_function("values.masks === 'off'")
        view.get_by_role("radio", name="Outlined").check(force=True)
        choice.select_option("whole cells")
        page.wait_for_function("values.labels === 'whole cells'")
        page.mouse.move(*at(250, 250))
        expect(view.locator(".nn-readout")).to_contain_text("ROI 3")
        assert problems == []


def lab(folder: Path) -> None:
    """Write what a book reads of a lab's two files of several channels: as its edition does it."""
    image = planes()
    mask = np.zeros((SIDE, SIDE), np.int32)
    mask[20:120, 20:120] = 7
    sources = {}
    for at, name in enumerate(("control", "treated")):
        sources[name] = folder / f"{name}.ome.tif"
        written = np.roll(image, at * SIDE // 2, axis=3).swapaxes(0, 1)
        about = {"axes": "ZCYX", "Channel": {"Name": list(COLOURS)}}
        tifffile.imwrite(sources[name], written, ome=True, metadata=about)
        write_pyramid(folder / "lab" / "pyramids" / name, np.zeros((SIDE, SIDE), np.uint8), mask)
        nuclei = {"roi": [7], "x_px": [69.5], "y_px": [69.5], "area_um2": [2500.0 + at], "mean_intensity": [80.0]}
        write_json(folder / "lab" / "pyramids" / name / "nuclei.json", {"panorama": name, "columns": nuclei})
    names = list(sources)
    columns = {"panorama": names, "pyramid": True, "tiles": "*", "nuclei": "*/nuclei.json"}
    write_json(folder / "lab" / "pyramids" / "panoramas.json", {"columns": columns})
    edition = Edition(
        folder / "lab", "lab", "Two images of ours.", simulated=False, px_per_um=2.0, area_px2=2 * SIDE**2
    )
    write_channel_images(edition, sources)


def test_a_lab_s_own_files_are_shown_one_at_a_time(browser: Browser, here: str, folder: Path) -> None:
    lab(folder)
    listed = {"images": "lab/pyramids/channels.json"}
    with shown(browser, here, **listed) as (page, problems):
        view = page.locator(".nn-channelview")
        view.and_(page.locator("[data-state=ready]")).wait_for()
        expect(view.locator(".nn-facts")).to_have_text("300 × 300 px, 150 µm wide · 2 channels · 3 z planes")
        view.get_by_role("radio", name="Off").check(force=True)
        # Black and the full colour are at ends of what the file holds; of the stack, the middle plane is shown.
        assert settled(view, colours := [(255, 0, 255), (0, 255, 0), (128, 128, 128), (64, 0, 64)]) == colours
        view.get_by_role("radio", name="Filled").check(force=True)
        view.locator(".nn-overlay[data-masks=drawn]").wait_for()
        box = view.locator(".nn-area").bounding_box()
        assert box is not None
        side = min(box["width"], box["height"])
        place = [box["x"] + box["width"] / 2 - side / 4, box["y"] + box["height"] / 2 - side / 4]
        page.mouse.move(*place)
        expect(view.locator(".nn-readout")).to_contain_text(re.compile("ROI 7.*2500 µm² · mean 80"))
        page.mouse.click(*place)
        expect(view.locator(".nn-remark")).to_contain_text("ROI 7 is chosen: 2500 µm² · mean 80.")
        page.mouse.move(0, 0)
        view.get_by_role("combobox", name="Image").select_option("treated")
        expect(view.locator(".nn-remark")).to_have_text("")
        view.get_by_role("radio", name="Off").check(force=True)
        swapped = [(0, 255, 0), (255, 0, 255), (64, 0, 64), (128, 128, 128)]
        page.wait_for_function("values.panorama === 'treated'")
        assert settled(view, swapped) == swapped
        assert problems == []


@pytest.mark.parametrize(
    ("image", "told"),
    [
        ("none.ome.zarr", r"has no OME-Zarr image at this address: there is neither zarr\.json nor \.zattrs\.$"),
        ("bare.ome.zarr", "is no OME-Zarr image: it names no multiscales"),
        ("text.ome.zarr", "cannot be read: [^\n]*complex64"),
    ],
)
def test_what_is_no_image_is_one_line(browser: Browser, here: str, image: str, told: str) -> None:
    with shown(browser, here, zarr=image) as (page, _):
        message = page.locator(".nn-message p")
        expect(message).to_have_text(re.compile(told))
        expect(page.locator(".nn-channelview")).to_have_attribute("data-state", "error")


def test_a_host_that_lets_no_other_site_read_is_named(browser: Browser, here: str, closed: str) -> None:
    with shown(browser, here, zarr=f"{closed}/fifth.ome.zarr") as (page, _):
        page.get_by_role("button", name="Open from").click()
        expect(page.locator(".nn-message p")).to_have_text(
            f"{closed.removeprefix('http://')} does not answer: there is no network, or it does not let other sites "
            "show its images."
        )
