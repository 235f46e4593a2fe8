"""The page that segments, where there is a graphics card: it is used where it computes what the processor does.

Machines without a card have Chromium's WebGPU in software, which the page passes over; here it counts as a card. The
book's network takes it minutes, so the page is given one of a single layer. It is slower than any processor, too, so
the processor is held back where the two are compared.
"""

from __future__ import annotations

import json
import re
import shutil
from contextlib import contextmanager
from hashlib import sha256
from typing import TYPE_CHECKING, cast

import numpy as np
import pytest
from file_server import serving
from playwright.sync_api import expect
from reader import CHROMIUM_OPTIONS, open_page
from try_page import VIEW, saved_labels, segmented

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray
    from playwright.sync_api import Browser, Page

DIAMETER_PX = 30
NETWORK_DIAMETER_PX = 10
SETTINGS = f"try.diameter={DIAMETER_PX}&try.flow=0"
HELD_BACK_MS = 8000
"""The software takes a second for a tile of the network below, where a machine does nothing else."""

OPTIONS = [
    *(option for option in CHROMIUM_OPTIONS if option != "--disable-gpu"),
    "--enable-unsafe-webgpu",
    "--use-webgpu-adapter=swiftshader",
    "--enable-features=Vulkan",
]

# Software is a card.
CARD = "Object.defineProperty(GPUAdapterInfo.prototype, 'isFallbackAdapter', { get: () => false });"

# What goes before the worker's script: each worker's second answer is held back. The card proves itself on such a tile.
SLOW_PROCESSOR = f"""if (self.name === 'network') {{
    const post = self.postMessage.bind(self);
    let answers = 0;
    self.postMessage = (...given) => setTimeout(post, given[0].data && ++answers === 2 ? {HELD_BACK_MS} : 0, ...given);
}}
"""

# And what goes before the script for the card: one whose values are wrong, and one that is lost when the page says so.
WRONG_CARD = """const range = GPUBuffer.prototype.getMappedRange;
GPUBuffer.prototype.getMappedRange = function (...given) {
    const mapped = range.apply(this, given);
    if (this.usage & GPUBufferUsage.MAP_READ) new Float32Array(mapped)[7] += 0.01;
    return mapped;
};
"""
LOST_CARD = """let lose = false;
new BroadcastChannel('card').onmessage = () => { lose = true; };
let device = null;
const request = GPUAdapter.prototype.requestDevice;
GPUAdapter.prototype.requestDevice = async function (...given) { return (device = await request.apply(this, given)); };
const submit = GPUQueue.prototype.submit;
GPUQueue.prototype.submit = function (...given) {
    submit.apply(this, given);
    if (lose) device.destroy();
};
"""


def network() -> bytes:
    """Return a network of one layer: its flow points to what is brightest within 3 px, which it takes for nuclei."""
    import onnx

    y, x = np.mgrid[-3:4, -3:4].astype(np.float32)
    near = np.exp(-(x**2 + y**2) / 4)
    near /= near.sum()
    weights = np.zeros((3, 2, 7, 7), np.float16)
    weights[:, 0] = np.stack([40 * y * near, 40 * x * near, 20 * near])
    make, info = onnx.helper, onnx.helper.make_tensor_value_info
    constants = {"weights": weights, "bias": np.array([0, 0, -8], np.float32)}
    graph = make.make_graph(
        [
            make.make_node("Cast", ["weights"], ["kernel"], to=onnx.TensorProto.FLOAT),
            make.make_node("Conv", ["tile", "kernel", "bias"], ["output"], pads=[3] * 4),
        ],
        "layer",
        [info("tile", onnx.TensorProto.FLOAT, [1, 2, "height", "width"])],
        [info("output", onnx.TensorProto.FLOAT, [1, 3, "height", "width"])],
        [onnx.numpy_helper.from_array(values, name) for name, values in constants.items()],
    )
    made = make.make_model(graph, opset_imports=[make.make_opsetid("", 17)], ir_version=9)
    return cast("bytes", made.SerializeToString())


@pytest.fixture(scope="module")
def own() -> NDArray[np.uint8]:
    """Four nuclei."""
    y, x = np.mgrid[:96, :96]
    places = [(24, 26), (26, 70), (70, 22), (68, 72)]
    spots = [np.exp(-((y - top) ** 2 + (x - left) ** 2) / 128) for top, left in places]
    return cast("NDArray[np.uint8]", (255 * np.sum(spots, axis=0).clip(0, 1)).astype(np.uint8))


@pytest.fixture(scope="module")
def software(browser: Browser) -> Iterator[Browser]:
    """A browser with WebGPU in software."""
    launched = browser.browser_type.launch(executable_path=shutil.which("chromium"), args=OPTIONS)
    yield launched
    launched.close()


@contextmanager
def try_page(
    software: Browser, site: Path, folder: Path, *, counts: bool = True, card: str = "", processor: str = ""
) -> Iterator[tuple[Page, list[str]]]:
    """Open the page with the network above, and with what goes before its workers' scripts; does software count?"""
    for name in ("try", "assets"):
        shutil.copytree(site / name, folder / name)
    for file in (
        *site.glob("favicon.*"),
        *(site / "build").glob("segment*.*js*"),
        *(site / "build").glob("ort-*.wasm"),
    ):
        path = folder / file.relative_to(site)
        path.parent.mkdir(exist_ok=True)
        shutil.copy(file, path)
    build = folder / "build"
    about = json.loads((build / "segment.json").read_text(encoding="utf-8"))
    for name, before in ((about["worker"], processor), (about["webgpu"]["worker"], card)):
        (build / name).write_text(before + (build / name).read_text(encoding="utf-8"), encoding="utf-8")
    model = network()
    (build / about["model"]).write_bytes(model)
    about |= {"sha256": sha256(model).hexdigest(), "diam_mean_px": NETWORK_DIAMETER_PX, "examples": []}
    (build / "segment.json").write_text(json.dumps(about), encoding="utf-8")
    with (
        serving(folder) as address,
        open_page(software, f"{address}/try/?{SETTINGS}", policy=True, accept_downloads=True) as (page, problems),
    ):
        expect(page.locator(VIEW)).to_have_attribute("data-state", "waiting")
        if counts:
            page.evaluate(CARD)
        yield page, problems


def masks(page: Page, image: NDArray[np.uint8]) -> tuple[str, NDArray[np.int32]]:
    """Have an image segmented; return what the page says of it, and the masks."""
    segmented(page, image)
    labels = saved_labels(page)
    return page.locator(f"{VIEW} .nn-doing").inner_text(), labels


def masks_when(page: Page, image: NDArray[np.uint8], words: str) -> NDArray[np.int32]:
    """Have an image segmented until the page says so; the card proves itself after the first time."""
    for _ in range(60):
        said, labels = masks(page, image)
        if words in said:
            return labels
    pytest.fail(f"the page says {said!r}, and not {words!r}")


def test_a_card_that_has_proved_itself_computes_the_masks_and_one_that_is_lost_leaves_the_page_alive(
    software: Browser, site: Path, tmp_path: Path, own: NDArray[np.uint8]
) -> None:
    with try_page(software, site, tmp_path, card=LOST_CARD, processor=SLOW_PROCESSOR) as (page, problems):
        said, expected = masks(page, own)
        assert "4 nuclei" in said
        assert said.endswith("in this browser, on the processor"), "a card proves itself first"
        assert (masks_when(page, own, "on the graphics card") == expected).all()
        page.evaluate("new BroadcastChannel('card').postMessage('lose')")
        said, labels = masks(page, own)
        assert said.endswith("on the processor (the graphics card stopped working)")
        assert (labels == expected).all()
        expect(page.locator(f"{VIEW} .nn-remark")).to_contain_text(
            "The graphics card stopped working; this image and the next ones are computed by the processor."
        )
        said, labels = masks(page, own)
        assert said.endswith("on the processor (the graphics card stopped working)")
        assert (labels == expected).all()
        expect(page.locator(f"{VIEW} .nn-remark")).not_to_contain_text("graphics card")
    assert not problems


def test_a_card_that_computes_something_else_is_not_used(
    software: Browser, site: Path, tmp_path: Path, own: NDArray[np.uint8]
) -> None:
    with try_page(software, site, tmp_path, card=WRONG_CARD) as (page, problems):
        _, expected = masks(page, own)
        assert (masks_when(page, own, "on the processor (the graphics card computed something else)") == expected).all()
    assert not problems


def test_what_is_for_a_card_is_not_loaded_for_webgpu_in_software(
    software: Browser, site: Path, tmp_path: Path, own: NDArray[np.uint8]
) -> None:
    with try_page(software, site, tmp_path, counts=False) as (page, problems):
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        assert page.evaluate("navigator.gpu.requestAdapter().then(({ info }) => info.isFallbackAdapter)") is True
        said, _ = masks(page, own)
        assert said.endswith("in this browser, on the processor")
        assert [url for url in asked if re.search(r"/ort-[0-9a-f]{16}\.wasm$", url)]
        assert not [url for url in asked if "webgpu" in url]
    assert not problems
