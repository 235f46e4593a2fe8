"""Diameters found against true ones: `python benchmarks/diameter.py DATA OUT.json [MODEL]`.

DATA holds the folders of `SETS`, each with `images` and `labels`. In each image with nuclei the diameter is looked for
as `nnbook segment --diameter auto` does; the true one is the median of the nuclei in its truth. All images count, those
that the model was trained on as well: none of them taught it a diameter. `extra` is what the search costs: the
network's pixels, as a share of those of the image at the network's scale.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from nnbook.io.files import write_json
from nnbook.io.images import read_image, read_mask
from nnbook.io.inputs import pair_files
from nnbook.segmentation.diameter import estimate_diameter, median_diameter
from nnbook.segmentation.model import Model, load_model, network_dtype
from nnbook.segmentation.network import network_shape
from nnbook.segmentation.scale import grey_range

if TYPE_CHECKING:
    import torch

SETS = {
    "dsb2018": "DSB2018",
    "isbi2009_u2os": "ISBI 2009, U2OS",
    "mnfinder_micronuclei": "MNFinder",
    "bbbc039_u2os": "BBBC039",
    "neubias_training": "NEUBIAS",
}


def count_pixels(model: Model) -> list[int]:
    """Return a list that gets the pixels of each tile that the network computes."""
    pixels: list[int] = []
    compute = model.compute

    def counted(tile: torch.Tensor) -> torch.Tensor:
        pixels.append(tile[0, 0].numel())
        return compute(tile)

    vars(model)["compute"] = counted
    return pixels


def main(data: Path, out: Path, weights: Path | None = None) -> None:
    """Look for the diameter in every image and write it beside the true one."""
    model = load_model(weights)
    pixels = count_pixels(model)
    images: list[dict[str, Any]] = []
    for folder, name in SETS.items():
        pairs = pair_files(data / folder / "images", data / folder / "labels")
        for image_path, mask_path in tqdm(pairs.values(), desc=name):
            image, true = read_image(image_path), median_diameter(read_mask(mask_path))
            low, high = grey_range(image)
            if not true or low == high:
                continue
            pixels.clear()
            found = estimate_diameter(image, model)
            height, width = network_shape(image.shape, model.diam_mean / true)
            row = {"images": name, "true_px": round(true, 1), "found_px": round(found, 1)}
            images.append({**row, "extra": round(sum(pixels) / (height * width), 3)})
    today = datetime.now(UTC).date().isoformat()
    write_json(
        out,
        {
            "date": today,
            "model_sha256": model.sha256,
            "dtype": network_dtype(),
            "note": f"Real images. Computed on {today} with model {model.sha256[:12]}.",
            "images": images,
        },
    )
    for name in SETS.values():
        rows = [row for row in images if row["images"] == name]
        ratios = [row["found_px"] / row["true_px"] for row in rows]
        off = sum(not 2 / 3 <= ratio <= 4 / 3 for ratio in ratios)
        print(name, len(rows), "off by more than a third:", off)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]) if len(sys.argv) > 3 else None)
