"""A store of cells that were never cut from a panorama: discs of noise, as many of each run as a test wants."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nnbook.cells.shards import create_group, encode, set_length, write_shard

SIDE = 256
PER_SHARD = 512


def disc(rng: np.random.Generator, level: float, radius: float = 60) -> NDArray[np.uint8]:
    """A cell image: grey levels around one inside a disc, zero outside."""
    y, x = np.mgrid[:SIDE, :SIDE]
    noise = rng.normal(level, level / 10, (SIDE, SIDE)).clip(1, 255).astype(np.uint8)
    return np.where((x - 128) ** 2 + (y - 128) ** 2 <= radius**2, noise, 0).astype(np.uint8)


def write_store(
    folder: Path, levels: Mapping[int, Sequence[float]], seed: int = 0
) -> tuple[NDArray[np.uint8], pd.DataFrame]:
    """Write a store: for each run, by its number, the grey level of each of its cells."""
    rng = np.random.default_rng(seed)
    images = [disc(rng, level) for run in sorted(levels) for level in levels[run]]
    table = pd.DataFrame(
        [
            {
                "cell": f"Run{run}TL_top_left_ROI_{roi}",
                "panorama": f"Run{run}TL_top_left",
                "run": run,
                "passage": f"P{10 + run}",
                "roi": roi,
                "area_um2": 100.0 + roi,
                "mean_intensity": float(level),
            }
            for run in sorted(levels)
            for roi, level in enumerate(levels[run], start=1)
        ],
        columns=["cell", "panorama", "run", "passage", "roi", "area_um2", "mean_intensity"],
    )
    table["class"] = np.array(["telophase" if roi == 1 else None for roi in table["roi"]], dtype=object)
    put_store(folder, images, table)
    return np.array(images), table


def put_store(folder: Path, images: Sequence[NDArray[np.uint8]] | NDArray[np.uint8], table: pd.DataFrame) -> None:
    """Write images and their table as a store."""
    folder.mkdir(parents=True)
    create_group(folder / "cells.zarr", {"images": (SIDE, PER_SHARD), "thumbnails": (64, PER_SHARD)}, {})
    for first in range(0, len(images), PER_SHARD):
        for name, step in (("images", 1), ("thumbnails", 4)):
            part = [encode(np.ascontiguousarray(image[::step, ::step])) for image in images[first : first + PER_SHARD]]
            write_shard(folder / "cells.zarr" / name, first // PER_SHARD, part, PER_SHARD)
    set_length(folder / "cells.zarr", len(images))
    table.to_parquet(folder / "cells.parquet", index=False)
    about = {
        "edition": "tiny",
        "note": "Discs of noise.",
        "px_per_um": 8.0453,
        "cell_px": SIDE,
        "cells": len(table),
        "images": "cells.zarr/images",
        "thumbnails": "cells.zarr/thumbnails",
        "table": "cells.parquet",
    }
    (folder / "cells.json").write_text(json.dumps(about), encoding="utf-8")
