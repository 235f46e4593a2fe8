"""nnbook's pyramids against what one would write instead: `python benchmarks/pyramid.py SIDE_PX OUT.json`.

Each method makes the intensity and label tiles of one simulated panorama from its two TIFF files, in a process of its
own, one after the other, in turns; the fastest turn counts. Reported for each: seconds, the process's peak memory,
files, bytes, and how many times as long as nnbook it took.
"""

from __future__ import annotations

import math
import shutil
import sys
import tempfile
import time
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pyvips
import tifffile
from PIL import Image

from nnbook.io.files import write_json
from nnbook.io.images import write_image, write_mask
from nnbook.io.processes import peak_bytes
from nnbook.simulation.panorama import simulate_panorama
from nnbook.viewers.pyramid import INTENSITY_TILE_PX, LABEL_TILE_PX, write_pyramid

PLACE = (12, 3, "BR", "top_left")
TURNS = 3


def ours(image: Path, mask: Path, out: Path) -> None:
    """Write both layers at once, straight from the files."""
    write_pyramid(out, image, mask)


def ours_zipped(image: Path, mask: Path, out: Path) -> None:
    """Write the same into one file."""
    write_pyramid(out, image, mask, zipped=True)


def plain_pyvips(image: Path, mask: Path, out: Path) -> None:
    """Read both arrays with tifffile, and give them to pyvips with its defaults, labels as three 8-bit channels."""
    out.mkdir()
    pyvips.Image.new_from_array(tifffile.imread(image)).dzsave(str(out / "intensity"), suffix=".jpg[Q=85]")
    labels = tifffile.imread(mask)
    rgb = np.stack([labels & 255, labels >> 8, np.zeros_like(labels)], axis=-1).astype(np.uint8)
    pyvips.Image.new_from_array(rgb).dzsave(str(out / "labels"), suffix=".png", region_shrink="nearest")


def tifffile_and_pillow(image: Path, mask: Path, out: Path) -> None:
    """Cut tiles of the same size with NumPy, and write them with Pillow."""
    grey, labels = tifffile.imread(image), tifffile.imread(mask)
    rgb = np.stack([labels & 255, labels >> 8, np.zeros_like(labels)], axis=-1).astype(np.uint8)
    for layer, pixels, side in (("intensity", grey, INTENSITY_TILE_PX), ("labels", rgb, LABEL_TILE_PX)):
        options: dict[str, Any]
        suffix, options = (".jpg", {"quality": 85}) if layer == "intensity" else (".png", {})
        shown = pixels
        for level in range(math.ceil(math.log2(max(grey.shape))), -1, -1):
            folder = out / f"{layer}_files" / str(level)
            folder.mkdir(parents=True)
            for top in range(0, shown.shape[0], side):
                for left in range(0, shown.shape[1], side):
                    tile = Image.fromarray(shown[top : top + side, left : left + side])
                    tile.save(folder / f"{left // side}_{top // side}{suffix}", **options)
            small = shown[::2, ::2]
            if layer == "intensity":
                whole = shown[: shown.shape[0] // 2 * 2, : shown.shape[1] // 2 * 2].astype(np.uint16)
                small[: whole.shape[0] // 2, : whole.shape[1] // 2] = (
                    whole[::2, ::2] + whole[1::2, ::2] + whole[::2, 1::2] + whole[1::2, 1::2]
                ) // 4
            shown = np.ascontiguousarray(small)


METHODS = {
    "nnbook": ours,
    "nnbook --zip": ours_zipped,
    "pyvips with its defaults": plain_pyvips,
    "tifffile and Pillow": tifffile_and_pillow,
}


def measure(method: str, folder: Path) -> dict[str, Any]:
    """Run one method once."""
    out = folder / "out"
    start = time.perf_counter()
    METHODS[method](folder / "image.tif", folder / "mask.tif", out)
    seconds = time.perf_counter() - start
    files = [out] if out.is_file() else [file for file in out.rglob("*") if file.is_file()]
    result = {
        "seconds": round(seconds, 2),
        "peak_gb": round(peak_bytes() / 1e9, 2),
        "files": len(files),
        "bytes": sum(file.stat().st_size for file in files),
    }
    out.unlink() if out.is_file() else shutil.rmtree(out)
    return result


def main(side_px: int, out: Path) -> None:
    """Measure every method and write ratios to nnbook's."""
    results: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        image, labels, _ = simulate_panorama(*PLACE, width_px=side_px, height_px=side_px)
        write_image(folder / "image.tif", image)
        write_mask(folder / "mask.tif", labels)
        for turn in range(TURNS):
            for method in METHODS:
                with get_context("spawn").Pool(1) as pool:
                    result = pool.apply(measure, (method, folder))
                print(turn, method, result, file=sys.stderr)
                if turn == 0 or result["seconds"] < results[method]["seconds"]:
                    results[method] = result
    for result in results.values():
        result["times_as_long"] = round(result["seconds"] / results["nnbook"]["seconds"], 2)
    write_json(out, {"side_px": side_px, "turns": TURNS, "results": results})


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
