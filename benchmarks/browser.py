"""Masks of the page *Try it*, in Chromium, against the package's: `python benchmarks/browser.py IMAGES OUT.json`.

IMAGES is a folder of images such as `isbi2009_u2os/images`. The site is that in `_build/html`. Seconds are of the page,
from the grey levels to the measured nuclei, with the network loaded; they are printed, and not written, since they are
only worth something of a machine that does nothing else.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import numpy as np
from measured_on import heading
from playwright.sync_api import expect, sync_playwright

PROJECT = Path(__file__).parents[1]
sys.path.insert(0, str(PROJECT / "tests"))

from file_server import serving  # noqa: E402
from reader import CHROMIUM_OPTIONS, SITE  # noqa: E402
from try_page import VIEW, give, saved_labels  # noqa: E402

from nnbook.evaluation.metrics import evaluate  # noqa: E402
from nnbook.io.files import write_json  # noqa: E402
from nnbook.io.images import read_image  # noqa: E402
from nnbook.segmentation.panorama import segment  # noqa: E402

DIAMETER_PX = 85.0
"""Of the nuclei of isbi2009_u2os, about."""


def main(folder: Path, out: Path) -> None:
    """Segment images in the browser and by the package, and write how far they agree."""
    measured_on = heading("torch")
    rows: list[dict[str, str | float]] = []
    counted: list[tuple[int, int]] = []
    ious: list[float] = []
    with serving(SITE) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=CHROMIUM_OPTIONS)
        page = browser.new_page(bypass_csp=True)
        page.goto(f"{address}/try/?try.diameter={DIAMETER_PX}")
        page.locator(f"{VIEW} .nn-first").wait_for()
        for path in sorted(folder.glob("*.png")):
            view = give(page, path.name, path.read_bytes())
            expect(view).to_have_attribute("data-masks", "done")  # and not those of the image before
            seconds = float(str(view.get_attribute("data-seconds")))
            made = saved_labels(page)
            expected = segment(read_image(path), diameter_px=DIAMETER_PX)
            counted.append((int(made.max()), int(expected.max())))
            ious.append(float(evaluate(made, expected)["mean_iou"]))
            made_count, expected_count = counted[-1]
            print(
                f"{path.name}: mean IoU {ious[-1]:.4f}, {made_count} and {expected_count} nuclei, {seconds:.1f} s",
                flush=True,
            )
            rows.append(
                {
                    "image": path.name,
                    "nuclei": made_count,
                    "package": expected_count,
                    "mean_iou": round(ious[-1], 4),
                }
            )
        browser.close()
    nuclei, package = (sum(counts) for counts in zip(*counted, strict=True))
    mean = float(np.average(ious, weights=[counts[1] for counts in counted]))
    write_json(
        out,
        {
            **measured_on,
            "images": rows,
            "nuclei": nuclei,
            "package": package,
            "mean_iou": round(mean, 4),
        },
    )
    if mean < 0.99 or abs(nuclei - package) > 0.01 * package:
        raise SystemExit(
            f"the page's masks differ from the package's: mean IoU {mean:.4f}, {nuclei} and {package} nuclei"
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
