"""Methods on the same images: `python benchmarks/comparison.py DATA OUT.json [--only SET]`.

`nnbook compare` on images of DSB2018 that are held out, on some of isbi2009_u2os, which nothing is trained on, and on
parts of the twin's panoramas, each with the true diameter. One crop of each, with the masks of all methods, is kept in
OUT.npz for the book's figure. `--only` measures one set anew and leaves the others in both files as they are. Takes
half an hour on one thread, the twin alone three minutes.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from measured_on import heading

from nnbook.errors import NnbookError
from nnbook.evaluation.measures import MEASURES
from nnbook.evaluation.metrics import mistakes
from nnbook.io.files import sha256, write_json
from nnbook.io.images import read_image, read_mask, write_image, write_mask
from nnbook.io.inputs import MASK_SUFFIX, pair_files
from nnbook.methods.comparison import SHOWN, compare_folder
from nnbook.methods.own import FOREST_WEIGHTS, NUSET_WEIGHTS
from nnbook.segmentation.model import SHIPPED_MODEL
from nnbook.segmentation.scale import grey_range
from nnbook.simulation.panorama import simulate_panorama
from nnbook.training.loop import TrainingSettings, held_out

METHODS = ("otsu", "forest", "unet", "nuset-whole", "nuset-foreground", "nuset", "cellpose", "nnbook")
SETS = {"dsb2018": "DSB2018, held out", "isbi2009_u2os": "ISBI 2009, U2OS", "twin": "Simulated panoramas"}
DSB2018_IMAGES = 20
ISBI_IMAGES = 5
TWIN_SEED = 1
TWIN_RUNS = (2, 4, 6, 9)
TWIN_PX = 2048
"""The most crowded runs of the twin, each with one panorama of this side."""

CROP_DIAMETERS = 7.0
CROP_PX = 192
"""The crop of the figure is so many nuclei wide, and brought to so many pixels."""

KEPT = ("title", "images", "failed", "nuclei", "seconds_per_mpx", "load_seconds", "peak_mb", "true_nuclei",
        "mean_iou", "ap_0.50", "splits", "merges", "missed", "spurious", *MEASURES)  # fmt: skip


def gather(data: Path, name: str, folder: Path) -> Path:
    """Put the images and true masks of a set into a folder, as `nnbook compare` takes them."""
    for part in ("images", "labels"):
        (folder / name / part).mkdir(parents=True)
    if name == "twin":
        for run in TWIN_RUNS:
            image, true, _ = simulate_panorama(TWIN_SEED, run, "TL", "top_left", width_px=TWIN_PX, height_px=TWIN_PX)
            write_image(folder / name / "images" / f"run{run}.tif", image)
            write_mask(folder / name / "labels" / f"run{run}.tif", true)
        return folder / name
    pairs = pair_files(data / name / "images", data / name / "labels")
    share = TrainingSettings().validation_share
    apart = [stem for stem in pairs if held_out(stem, share)]
    chosen = apart[:DSB2018_IMAGES] if name == "dsb2018" else list(pairs)[:ISBI_IMAGES]
    for stem in chosen:
        for part, path in zip(("images", "labels"), pairs[stem], strict=True):
            (folder / name / part / path.name).symlink_to(path.resolve())
    return folder / name


def most_touching(table: Any) -> str:
    """Return the image with most nuclei that touch: there is something to separate."""
    return str(table.loc[table["touching_nuclei"].idxmax(), "image"])


def crop_of(
    image_path: Path, true_path: Path, masks: dict[str, Path], diameter_px: float
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the part of an image with most mistakes of all methods, with all masks of it, and those mistakes."""
    true, image = read_mask(true_path), read_image(image_path)
    made = {name: read_mask(path) for name, path in masks.items()}
    side = int(min(CROP_DIAMETERS * diameter_px, *image.shape))
    wrong = np.zeros(image.shape, np.float64)
    for labels in made.values():
        found = mistakes(labels, true)
        for kind, of_kind in found.items():
            wrong += np.isin(true if kind in {"missed", "split"} else labels, of_kind) & (true > 0)
    step = max(1, side // 6)
    corners = [
        (y, x) for y in range(0, image.shape[0] - side + 1, step) for x in range(0, image.shape[1] - side + 1, step)
    ]
    y, x = max(corners, key=lambda at: wrong[at[0] : at[0] + side, at[1] : at[1] + side].sum())
    rows = np.minimum((np.arange(CROP_PX) * side) // CROP_PX, side - 1)
    at = np.ix_(y + rows, x + rows)
    low, high = grey_range(image)
    grey = np.clip((image[at].astype(np.float64) - low) / max(high - low, 1e-9), 0, 1) * 255
    arrays: dict[str, Any] = {"image": grey.astype(np.uint8)}
    numbers: dict[str, list[int]] = {}
    for name, labels in {"truth": true, **made}.items():
        there = np.unique(labels[at])
        there = there[there > 0]
        arrays[name] = np.where(labels[at] > 0, np.searchsorted(there, labels[at]) + 1, 0).astype(np.uint8)
        numbers[name] = there.tolist()
    kinds: dict[str, dict[str, list[int]]] = {}
    for name, labels in made.items():
        # Of the whole image, so that a nucleus that the crop cuts is not taken for a missed one.
        kinds[name] = {
            kind: [place for place, number in enumerate(numbers[of], start=1) if number in set(of_kind.tolist())]
            for kind, of_kind in mistakes(labels, true).items()
            for of in ["truth" if kind in {"missed", "split"} else name]
        }
    return arrays, kinds


def before(out: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the sets and crops that were measured before, where the weights are the same."""
    found = json.loads(out.read_text(encoding="utf-8"))
    if found["weights_sha256"] != weights():
        raise NnbookError(f"{out}: was measured with other weights; leave --only out")
    with np.load(out.with_suffix(".npz")) as stored:
        return found["sets"], dict(stored)


def _rounded(value: float) -> float | None:
    """Round; JSON has no number for a share of nothing, as of nuclei that touch where none do."""
    return None if np.isnan(value) else round(float(value), 4)


def weights() -> dict[str, str]:
    """Return the hashes of the weights that methods have."""
    return {path.name: sha256(path) for path in (SHIPPED_MODEL, NUSET_WEIGHTS, FOREST_WEIGHTS)}


def main(data: Path, out: Path, only: str | None) -> None:
    """Compare on all sets or one, and write what was found with what it depends on."""
    sets, crops = before(out) if only else ({}, {})
    with tempfile.TemporaryDirectory() as temporary:
        for name, title in SETS.items():
            if only not in {None, name}:
                continue
            head = heading("torch", "cellpose", "scikit-image", "numba")
            folder = gather(data, name, Path(temporary))
            made = compare_folder(folder, METHODS, Path(temporary) / f"{name}-out")
            rows = made.methods.set_index("method")
            sets[name] = {
                "title": title,
                **head,
                "threads": torch.get_num_threads(),
                "images": len(pair_files(folder / "images", folder / "labels")),
                "mpx": round(float(made.images[made.images["method"] == METHODS[0]]["mpx"].sum()), 2),
                "methods": {
                    method: {
                        **{key: row[key] if isinstance(row[key], str) else _rounded(row[key]) for key in KEPT},
                        "f1_0.50": _rounded(row["f1_0.50"]),
                        "mean_ap": _rounded(row["mean_ap"]),
                        "intervals": {key: [_rounded(row[f"{key}_{end}"]) for end in ("low", "high")] for key in SHOWN},
                    }
                    for method, row in rows.iterrows()
                },
            }
            short = {
                m: {k: r[k] for k in ("pq", "f1_0.50", "seconds_per_mpx")} for m, r in sets[name]["methods"].items()
            }
            print(json.dumps(short), flush=True)
            chosen = most_touching(made.images)
            image, true = pair_files(folder / "images", folder / "labels")[chosen]
            masks = {
                method: Path(temporary) / f"{name}-out" / method / f"{chosen}{MASK_SUFFIX}.tif" for method in METHODS
            }
            diameter = float(made.images[made.images["image"] == chosen]["diameter_px"].iloc[0])
            arrays, kinds = crop_of(image, true, masks, diameter)
            crops |= {f"{name}/{key}": value for key, value in arrays.items()}
            sets[name]["crop"] = {"image": chosen, "mistakes": kinds}
            # After each set, so that an interruption leaves those that are done.
            np.savez_compressed(out.with_suffix(".npz"), **crops)
            kept = {name: sets[name] for name in SETS if name in sets}
            write_json(out, {"weights_sha256": weights(), "sets": kept})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Compare methods on the same images.")
    parser.add_argument("data", type=Path, help="the folder that has dsb2018/ and isbi2009_u2os/")
    parser.add_argument("out", type=Path, help="the JSON file to write; crops go beside it")
    parser.add_argument("--only", choices=SETS, help="measure this set alone")
    given = parser.parse_args()
    main(given.data, given.out, given.only)
