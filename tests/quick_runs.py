"""Whole runs of tiny panoramas, segmented by no network, and what they leave."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pytest

from nnbook.cli import main
from nnbook.io.manifest import Panorama, write_manifest
from nnbook.pipeline import editions, stages
from nnbook.provenance import units
from nnbook.segmentation import workflow
from nnbook.segmentation.masks import ConfidentMasks
from nnbook.segmentation.model import Model
from nnbook.values import published

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from nnbook.io.images import Image

SIDE_PX: Final = 64


def fast_masks(*_: object) -> tuple[ConfidentMasks, float]:
    """Take three squares for nuclei, whatever the image."""
    labels = np.zeros((SIDE_PX, SIDE_PX), np.int32)
    tops = [8, 26, 44]
    for number, top in enumerate(tops, start=1):
        labels[top : top + 12, 20:34] = number
    return ConfidentMasks(labels, np.full(3, 0.5), np.array([(168, 20, top, 14, 12) for top in tops])), 14.0


@contextmanager
def quick_runs() -> Iterator[pytest.MonkeyPatch]:
    """Segment by no network, draw no figures, and wait little before something is tried again."""
    model = Model("m", "0", None, 30.0, 30.0)
    with pytest.MonkeyPatch.context() as patch:
        for stage in ("execute_notebooks", "sample_cells", "lay_out_mosaic"):
            patch.setattr(editions, stage, lambda *_, **__: [])
        patch.setattr(units, "DELAYS_S", (0.01, 0.02))
        patch.setattr(published, "REPRESENTATIVES", 2)
        patch.setattr(stages, "_load_once", lambda *_: model)
        patch.setattr(workflow, "_masks_of_image", fast_masks)
        patch.setattr(workflow, "has_dark_nuclei", lambda _: False)
        patch.setattr(workflow, "network_dtype", lambda _: "float32")
        yield patch


def noise(seed: int) -> Image:
    """Return a panorama that no other seed has."""
    return np.random.default_rng(seed).integers(5, 250, (SIDE_PX, SIDE_PX), np.uint8)


def make_edition(folder: Path, names: Collection[str], source: str = "") -> int:
    """Make the edition `own` of panoramas `in/NAME.tif` by the command, maybe from an address; return its status."""
    row = Panorama("", 7, "", "", "", "", "", SIDE_PX, SIDE_PX, 8.0, "", "")
    images = {name: f"in/{name}.tif" for name in names}
    write_manifest(
        folder / "own.csv",
        [
            replace(row, panorama=name, image=image, source=f"{source}/{name}.tif" if source else "")
            for name, image in images.items()
        ],
    )
    return main(["run", str(folder / "own.csv"), "--build", str(folder), "--edition", "own"])


def made(folder: Path) -> dict[str, int]:
    """Return when the cells of panoramas were made."""
    return {path.parent.name: path.stat().st_mtime_ns for path in folder.glob("own/cells-parts/*/cells.parquet")}


def set_aside(printed: str, names: Collection[str]) -> dict[str, str]:
    """Return the lines that a run ends with, by the panorama that each names; there are no others."""
    lines = printed.rpartition("nnbook run: ")[2].splitlines()
    found = {name: line for line in lines for name in names if name in line}
    assert len(lines) == len(found), lines
    return found


def contents(folder: Path) -> dict[str, Any]:
    """Return the bytes of every file; of notes and records, all but when files were changed."""
    return {
        path.relative_to(folder).as_posix(): _told(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.endswith(".lock")
    }


def _told(path: Path) -> Any:
    data = path.read_bytes()
    if path.name.endswith(".original.json"):
        return {name: value for name, value in json.loads(data).items() if name != "modified_ns"}
    if path.suffix == ".json" and b'"by_hand"' in data:
        record = json.loads(data)
        for part in ("files", "outputs"):
            record[part] = {name: entry[-2:] if len(entry) == 4 else entry[-1] for name, entry in record[part].items()}
        return record
    return data
