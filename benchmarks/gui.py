"""How soon masks follow a setting of `nnbook gui`, in headless Chromium: `python benchmarks/gui.py IMAGE OUT.json`.

IMAGE is a real one; a simulated panorama of SIDE_PX is measured beside it. For each method a setting is moved to and
fro, each time when all masks of the move before are there. A move takes from the slider's event to the frame in which
new masks are drawn on the part that is in view, which is zoomed into. Moves after which the masks look as before are
counted, and should be none. Figures are worth something only of a machine that does nothing else: `load_before` says
how much it did.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from measured_on import heading
from playwright.sync_api import expect, sync_playwright

from nnbook.io.files import write_json
from nnbook.io.images import image_shape, write_image
from nnbook.simulation.panorama import simulate_panorama

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from gui_server import gui_served
from reader import CHROMIUM_OPTIONS
from try_page import VIEW

if TYPE_CHECKING:
    from playwright.sync_api import Page

SETTINGS = {"otsu": ("Threshold, as a share of Otsu's", "0.9", "1.1"), "nnbook": ("Cell probability", "-3", "-1")}
"""By method, which of its settings is moved, and from where to where."""

SIDE_PX = 4096
MOVES = 20
WITHIN_S = 0.3
ZOOMS = 3
SLOW_MS = 600_000

MOVE = """async (root, [name, value]) => {
    const canvas = root.querySelector('.nn-overlay');
    const picture = () => {
        const small = new OffscreenCanvas(64, 64).getContext('2d');
        small.drawImage(canvas, 0, 0, 64, 64);
        return small.getImageData(0, 0, 64, 64).data.join();
    };
    const before = picture();
    const slider = root.querySelector(`.nn-method-settings input[aria-label="${name}"]`);
    let first = '';
    const seconds = await new Promise((done) => {
        const start = performance.now();
        const seen = new MutationObserver(() => {
            if (first === '' && ['early', 'done'].includes(root.dataset.masks)) first = root.dataset.masks;
            if (first === '' || canvas.dataset.masks !== 'drawn') return;
            seen.disconnect();
            requestAnimationFrame(() => done((performance.now() - start) / 1000));
        });
        root.dataset.masks = 'asked';
        seen.observe(root, { attributes: true, attributeFilter: ['data-masks'], subtree: true });
        slider.value = value;
        slider.dispatchEvent(new Event('input', { bubbles: true }));
    });
    return { seconds, first, changed: picture() !== before };
}"""


def measure(page: Page, setting: str, low: str, high: str) -> dict[str, Any]:
    """Move a setting of the method that is chosen."""
    view = page.locator(VIEW)
    moves = []
    for turn in range(MOVES + 1):
        moves.append(view.evaluate(MOVE, [setting, (low, high)[turn % 2]]))
        expect(view).to_have_attribute("data-masks", "done", timeout=SLOW_MS)
        expect(page.locator(f"{VIEW} .nn-overlay")).to_have_attribute("data-masks", "drawn", timeout=SLOW_MS)
        page.wait_for_timeout(300)
    moves = moves[1:]  # the first one compiles
    seconds = [move["seconds"] for move in moves]
    return {
        "moves": len(moves),
        "median_s": round(float(np.median(seconds)), 3),
        "p95_s": round(float(np.percentile(seconds, 95)), 3),
        "most_s": round(max(seconds), 3),
        "within": sum(one <= WITHIN_S for one in seconds),
        "part_first": sum(move["first"] == "early" for move in moves),
        "unchanged": sum(not move["changed"] for move in moves),
    }


def main(image: Path, out: Path) -> None:
    """Measure each method on each image, and write the figures with what they depend on."""
    report: dict[str, Any] = {**heading("torch"), "within_s": WITHIN_S, "images": {}}
    with tempfile.TemporaryDirectory() as temporary:
        simulated = Path(temporary) / "simulated.tif"
        write_image(simulated, simulate_panorama(7, 1, "TR", "top_left", width_px=SIDE_PX, height_px=SIDE_PX)[0])
        for path in (image, simulated):
            height, width = image_shape(path)
            methods: dict[str, Any] = {}
            report["images"][path.stem] = {"width": width, "height": height, "methods": methods}
            for method, setting in SETTINGS.items():
                methods[method] = _in_browser(path, method, *setting)
                print(path.stem, method, methods[method], flush=True)
                write_json(out, report)


def _in_browser(path: Path, method: str, *setting: str) -> dict[str, Any]:
    """Serve a folder with this image alone, and measure in a page that shows it."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(path, folder)
        with gui_served(Path(folder), method) as address, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=CHROMIUM_OPTIONS)
            page = browser.new_page(viewport={"width": 1280, "height": 800})
            page.goto(address)
            page.locator(f"{VIEW} .nn-overlay").wait_for(timeout=SLOW_MS)
            expect(page.locator(VIEW)).to_have_attribute("data-masks", "done", timeout=SLOW_MS)
            page.locator(f"{VIEW} [role=application]").focus()
            for _ in range(ZOOMS):
                page.keyboard.press("+")
            page.wait_for_timeout(1000)
            return measure(page, *setting)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
