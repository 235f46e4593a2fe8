"""Small files of every kind, by the names that examples and the README use: simulated, masked, measured and cut."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import tifffile

from nnbook.cells.sample import write_sample
from nnbook.cells.store import MaskedPanorama
from nnbook.cells.writer import write_cells
from nnbook.io.images import write_image, write_mask
from nnbook.io.inputs import MASK_SUFFIX
from nnbook.pipeline.measured import MaskedImage, measure_files, write_measurements
from nnbook.simulation.panorama import simulate
from nnbook.values.published import PX_PER_UM
from nnbook.viewers.mosaic import write_mosaic

if TYPE_CHECKING:
    from pathlib import Path

    from nnbook.io.images import Image, Labels

NAME = "Run1TL_top_left"
VIEWS = ("CellBrowser", "Mosaic", "NucleiScatter", "PanoramaViewer", "Scatter", "Segmenter", "link")


def write_files(folder: Path) -> Path:
    """Fill a folder and return it.

    `panorama.tif` with its mask and its truth, and `stacks/` with it as a stack of two channels; `images/` and
    `masks/` with the same under a published name, and a second field; what the commands write from them:
    `results/`, `cells/`, `sample/`, `mosaic/`; `truth/`, true masks by the names of predicted ones. The predicted
    masks are the true ones, less a pixel's rim, so that no network runs.
    """
    for number, (name, crop) in enumerate({NAME: "top_left", "Run1TL_top_right": "top_right"}.items()):
        image, truth, _ = simulate(seed=12, width_px=1024, height_px=768, crop=crop)
        mask = _shrunk(truth)
        write_image(folder / "images" / f"{name}.tif", image, px_per_um=PX_PER_UM)
        write_mask(folder / "masks" / f"{name}{MASK_SUFFIX}.tif", mask)
        write_mask(folder / "truth" / f"{name}.tif", truth)
        if number == 0:
            write_image(folder / "panorama.tif", image, px_per_um=PX_PER_UM)
            write_mask(folder / f"panorama{MASK_SUFFIX}.tif", mask)
            write_mask(folder / "truth.tif", truth)
            _write_stack(folder / "stacks" / "stack.ome.tif", image)
    files = {
        path.stem: (path, folder / "masks" / f"{path.stem}{MASK_SUFFIX}.tif")
        for path in sorted((folder / "images").iterdir())
    }
    to_measure = {name: MaskedImage(image, mask, PX_PER_UM) for name, (image, mask) in files.items()}
    results = measure_files(to_measure, folder / "results")
    write_measurements(folder / "results", list(files), results, folder / "results")
    (folder / "results.csv").write_bytes((folder / "results" / "results.csv").read_bytes())
    masked = [MaskedPanorama(name, 1, "", image, mask) for name, (image, mask) in files.items()]
    rois = folder / "results" / "rois.parquet"
    write_cells(folder / "cells", masked, rois, edition="small", note="Simulated.", px_per_um=PX_PER_UM)
    write_sample(folder / "cells", folder / "sample", per_run=4)
    write_mosaic(folder / "mosaic", folder / "cells", folder / "sample")
    (folder / "bundles").mkdir()
    for bundle in ("cells", "channels", "mosaic", "nuclei", "panorama", "scatter", "segment"):
        (folder / "bundles" / f"{bundle}.mjs").write_text("export default { render() {} }\n")
    return folder


def _write_stack(path: Path, image: Image) -> None:
    path.parent.mkdir()
    stack = np.stack([np.stack([image // 2, image // 9]), np.stack([image, image // 8])])
    tifffile.imwrite(path, stack, ome=True, metadata={"axes": "ZCYX", "Channel": {"Name": ["DAPI", "GFP"]}})


def _shrunk(truth: Labels) -> Labels:
    from scipy.ndimage import grey_dilation, grey_erosion

    inner = (grey_erosion(truth, 3) == truth) & (grey_dilation(truth, 3) == truth)
    return np.where(inner, truth, 0).astype(np.int32)
