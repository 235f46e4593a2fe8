"""Cells: how fast they are cut, written and read: `python benchmarks/cells.py build/twin OUT.json [CELLS]`.

Three comparisons, each method in a process of its own, one after the other:

- cutting: from panorama and mask files to what is kept. The twin's panoramas are compressed; stitching programs write
  theirs bare, so that both are timed. Beside nnbook: scikit-image's properties and rotation, and a TIFF file a cell.
- keeping: the same cell images written in several forms, then single ones read at random.
- many: a store of CELLS cells (a million by default), the twin's own under new names, again and again. Each panorama is
  cut and compressed once, so that this times the store and not the cutting; then single cells are read at random.

CPU seconds are those of all threads together, and change less than the clock where the machine does other work;
`load_before` tells how many threads wanted to run before any of this did.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import tifffile
import zarr
from measured_on import heading
from skimage.measure import regionprops
from skimage.transform import rotate
from zarr.codecs import GzipCodec

from nnbook.cells import writer as stage
from nnbook.cells.shards import create_group, encode, set_length, write_shard
from nnbook.cells.store import MaskedPanorama, cell_name, read_cells
from nnbook.cells.writer import CELLS_PER_SHARD, write_cells
from nnbook.io.edition import read_edition
from nnbook.io.files import write_json
from nnbook.io.images import read_image
from nnbook.io.processes import peak_bytes

if TYPE_CHECKING:
    from nnbook.io.manifest import Panorama
    from nnbook.io.planes import Plane

TURNS = 3
"""Of which the fastest counts, where cells are cut."""

READ_AT_RANDOM = 2_000
KEPT = 4_096
SLOW_PANORAMAS = 24
"""As many of the twin's panoramas are cut by the slow way."""

SCALE = 8.0453


def peak_mb() -> float:
    """Return the most memory that this process has held."""
    return round(peak_bytes() / 1e6, 1)


def bare_copies(panoramas: list[Panorama], edition: Path, folder: Path) -> Path:
    """Write the panoramas again without compression."""
    folder.mkdir()
    for one in panoramas:
        tifffile.imwrite(folder / f"{one.panorama}.tif", read_image(edition / one.image), metadata=None)
    return folder


def repeated(
    panoramas: list[Panorama], edition: Path, images: Path | None, times: int, out: Path
) -> list[MaskedPanorama]:
    """List the panoramas again and again, as later runs; their nuclei, too, in `rois.parquet`."""
    rois = pq.read_table(edition / "rois.parquet")
    names = rois["panorama"].to_pylist()
    listed = []
    runs = max(one.run for one in panoramas)
    with pq.ParquetWriter(out, rois.schema) as writer:
        for turn in range(times):
            new = {
                one.panorama: one.panorama.replace(f"Run{one.run}", f"Run{one.run + turn * runs}") for one in panoramas
            }
            column = pa.array([new[name] for name in names], rois.schema.field("panorama").type)
            place = rois.schema.get_field_index("panorama")
            writer.write_table(rois.set_column(place, rois.schema.field(place), column), row_group_size=65_536)
            for one in panoramas:
                image = images / f"{one.panorama}.tif" if images else edition / one.image
                listed.append(
                    MaskedPanorama(
                        new[one.panorama],
                        one.run + turn * runs,
                        one.passage,
                        image,
                        read_edition(edition).mask_path(one),
                    )
                )
    return listed


def cut_with_nnbook(listed: list[MaskedPanorama], rois: Path, out: Path) -> int:
    """Make a store."""
    told = write_cells(out, listed, rois, edition="benchmark", note="Simulated.", px_per_um=SCALE)
    return int(told["cells"])


def cut_with_scikit_image(listed: list[MaskedPanorama], _rois: Path, out: Path) -> int:
    """Turn each nucleus by its moments (scikit-image has no minimum-area rectangle), and write a TIFF file of it."""
    out.mkdir()
    count = 0
    for one in listed[:SLOW_PANORAMAS]:
        image, labels = tifffile.imread(one.image), tifffile.imread(one.mask)
        for found in regionprops(labels):
            top, left, bottom, right = found.bbox
            if min(top, left) == 0 or bottom == labels.shape[0] or right == labels.shape[1]:
                continue
            frame = np.zeros((384, 384), np.uint8)
            height, width = found.image.shape
            if max(height, width) > 384:
                continue
            y, x = (384 - height) // 2, (384 - width) // 2
            frame[y : y + height, x : x + width] = image[top:bottom, left:right] * found.image
            turned = rotate(frame, 90 - np.degrees(found.orientation), preserve_range=True)
            tifffile.imwrite(out / f"{one.panorama}_ROI_{found.label}.tif", turned[64:320, 64:320].astype(np.uint8))
            count += 1
    return count


CUTTERS = {"nnbook": cut_with_nnbook, "scikit-image, a TIFF a cell": cut_with_scikit_image}


def cut(method: str, listed: list[MaskedPanorama], rois: Path, out: Path) -> dict[str, Any]:
    """Cut the cells of panoramas by one method."""
    if method == "nnbook":  # what is compiled once is not timed
        cut_with_nnbook(listed[:1], rois, out.with_name("warm"))
    start, cpu = time.perf_counter(), time.process_time()
    cells = CUTTERS[method](listed, rois, out)
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    return {
        "method": method,
        "cells": cells,
        "seconds": round(seconds, 1),
        "cpu_seconds": round(cpu, 1),
        "cells_a_second": round(cells / seconds),
        "cpu_ms_a_cell": round(1e3 * cpu / cells, 3),
        "peak_mb": peak_mb(),
    }


def write_many(listed: list[MaskedPanorama], rois: Path, out: Path) -> dict[str, Any]:
    """Make a store of the same cells again and again, with each panorama cut once."""
    done: dict[Path, Any] = {}
    cut_panorama = stage._cut_panorama  # noqa: SLF001 - what is timed is all the rest

    def cut_once(one: MaskedPanorama, nuclei: pa.Table, schema: pa.Schema, plane: Plane | None, zoom: int) -> Any:
        if one.image not in done:
            done[one.image] = cut_panorama(one, nuclei, schema, plane, zoom)
        batch, out = done[one.image]
        table = batch.table
        new = {
            "cell": [cell_name(one.panorama, roi) for roi in table["roi"].to_pylist()],
            "panorama": [one.panorama] * len(table),
            "run": [one.run] * len(table),
        }
        columns = [
            pa.array(new[name], table.schema.field(name).type) if name in new else table[name]
            for name in table.column_names
        ]
        return batch._replace(table=pa.table(columns, schema=table.schema)), out

    stage._cut_panorama = cut_once  # noqa: SLF001
    start, cpu = time.perf_counter(), time.process_time()
    cells = cut_with_nnbook(listed, rois, out)
    return {
        "cells": cells,
        "seconds": round(time.perf_counter() - start, 1),
        "cpu_seconds": round(time.process_time() - cpu, 1),
        "peak_mb": peak_mb(),
    }


def keep_in_shards(images: np.ndarray[Any, Any], out: Path) -> None:
    """Write as nnbook does."""
    create_group(out, {"images": (256, CELLS_PER_SHARD)}, {})
    with ThreadPoolExecutor(2) as pool:
        for first in range(0, len(images), CELLS_PER_SHARD):
            packed = list(pool.map(encode, images[first : first + CELLS_PER_SHARD]))
            write_shard(out / "images", first // CELLS_PER_SHARD, packed, CELLS_PER_SHARD)
    set_length(out, len(images))


def keep_with_zarr(images: np.ndarray[Any, Any], out: Path, **options: Any) -> None:
    """Write as zarr-python does, as many cells at a time as a shard has."""
    array = zarr.open_group(out, mode="w").create_array(
        "images", shape=images.shape, dtype="uint8", chunks=(1, 256, 256), **options
    )
    for first in range(0, len(images), CELLS_PER_SHARD):
        array[first : first + CELLS_PER_SHARD] = images[first : first + CELLS_PER_SHARD]


def keep_with_zarr_in_shards(images: np.ndarray[Any, Any], out: Path) -> None:
    """Write the same form as nnbook with zarr-python alone."""
    keep_with_zarr(images, out, shards=(CELLS_PER_SHARD, 256, 256), compressors=GzipCodec(level=1))


def keep_with_bare_zarr(images: np.ndarray[Any, Any], out: Path) -> None:
    """Write a file a cell without compression."""
    keep_with_zarr(images, out, compressors=None)


def keep_as_tiff(images: np.ndarray[Any, Any], out: Path) -> None:
    """Write a folder of TIFF files."""
    out.mkdir()
    for number, image in enumerate(images):
        tifffile.imwrite(out / f"{number}.tif", image)


KEEPERS = {
    "nnbook, sharded Zarr": keep_in_shards,
    "zarr-python, the same form": keep_with_zarr_in_shards,
    "zarr-python, a bare file a cell": keep_with_bare_zarr,
    "tifffile, a bare file a cell": keep_as_tiff,
}


def keep(method: str, images: np.ndarray[Any, Any], out: Path) -> dict[str, Any]:
    """Write cells by one method, then read single ones at random."""
    start, cpu = time.perf_counter(), time.process_time()
    KEEPERS[method](images, out)
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    places = np.random.default_rng(1).integers(0, len(images), READ_AT_RANDOM).tolist()
    begin = time.perf_counter()
    if "tifffile" in method:
        same = all(np.array_equal(tifffile.imread(out / f"{place}.tif"), images[place]) for place in places)
    else:
        array = zarr.open_group(out, mode="r")["images"]
        same = all(np.array_equal(np.asarray(array[place]), images[place]) for place in places)
    assert same, method
    read = time.perf_counter() - begin
    return {
        "method": method,
        "cells_written_a_second": round(len(images) / seconds),
        "cpu_ms_a_cell": round(1e3 * cpu / len(images), 3),
        "cells_read_at_random_a_second": round(READ_AT_RANDOM / read),
        **size_of(out, len(images)),
    }


def size_of(folder: Path, cells: int) -> dict[str, int]:
    """Count files, and bytes a cell."""
    files = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
    return {"files": len(files), "bytes_a_cell": round(sum(files) / cells)}


def read_back(store: Path, original: Path) -> dict[str, Any]:
    """Open a store of repeated cells; read single ones at random, and compare them with the twin's."""
    start = time.perf_counter()
    cells = read_cells(store)
    opened = time.perf_counter() - start
    with_memory = peak_mb()
    first = read_cells(original)
    twin = {(row.x_px, row.y_px, row.area_um2, row.roi): place for place, row in enumerate(first.table.itertuples())}
    places = np.random.default_rng(2).integers(0, len(cells), READ_AT_RANDOM)
    rows = cells.table.iloc[places]
    seconds = []
    for place, row in zip(places.tolist(), rows.itertuples(), strict=True):
        begin = time.perf_counter()
        image = cells.images[place]
        seconds.append(time.perf_counter() - begin)
        assert np.array_equal(image, first.images[twin[row.x_px, row.y_px, row.area_um2, row.roi]]), place
    return {
        "open_seconds": round(opened, 2),
        "open_peak_mb": with_memory,
        "read_at_random": READ_AT_RANDOM,
        "median_ms": round(1e3 * float(np.median(seconds)), 2),
        "p99_ms": round(1e3 * float(np.percentile(seconds, 99)), 2),
    }


def apart(function: Any, *arguments: Any) -> Any:
    """Call a function in a process of its own."""
    with get_context("spawn").Pool(1) as pool:
        return pool.apply(function, arguments)


def main(edition: Path, out: Path, count: int) -> None:
    """Measure everything, and write it with ratios to nnbook."""
    panoramas = read_edition(edition).panoramas()
    per_turn = int(read_cells(edition / "cells").about["cells"])
    told: dict[str, Any] = {
        **heading("tifffile", "zarr", "scikit-image"),
        "cutting": [],
    }
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        bare = bare_copies(panoramas, edition, folder / "bare")
        for images, form in ((None, "compressed"), (bare, "bare")):
            listed = repeated(panoramas, edition, images, 2, folder / "rois.parquet")
            for method in CUTTERS:
                results = []
                for _ in range(TURNS):
                    results.append(apart(cut, method, listed, folder / "rois.parquet", folder / "out"))
                    print(form, results[-1], file=sys.stderr)
                    shutil.rmtree(folder / "out")
                fastest = min(results, key=lambda result: result["seconds"])
                told["cutting"].append({"panoramas": form, **fastest})
        for ours, theirs in zip(told["cutting"][::2], told["cutting"][1::2], strict=True):
            theirs["times_our_cpu"] = round(theirs["cpu_ms_a_cell"] / ours["cpu_ms_a_cell"], 1)

        store = read_cells(edition / "cells")
        kept = np.concatenate([store.images[:], store.images[:]])[:KEPT]
        told["keeping"] = {"cells": len(kept), "methods": []}
        for method in KEEPERS:
            result = apart(keep, method, kept, folder / "kept")
            told["keeping"]["methods"].append(result)
            print(result, file=sys.stderr)
            shutil.rmtree(folder / "kept")
        for result in told["keeping"]["methods"]:
            ours = told["keeping"]["methods"][0]
            result["times_our_bytes"] = round(result["bytes_a_cell"] / ours["bytes_a_cell"], 2)
            result["times_our_cpu"] = round(result["cpu_ms_a_cell"] / ours["cpu_ms_a_cell"], 2)

        times = -(-count // per_turn)
        listed = repeated(panoramas, edition, bare, times, folder / "rois.parquet")
        few = apart(write_many, listed[: 10 * len(panoramas)], folder / "rois.parquet", folder / "few")
        shutil.rmtree(folder / "few")
        result = apart(write_many, listed, folder / "rois.parquet", folder / "many")
        result |= size_of(folder / "many", result["cells"])
        result |= apart(read_back, folder / "many", edition / "cells")
        told["many"] = {"panoramas": len(listed), **result, "peak_mb_of_fewer": {few["cells"]: few["peak_mb"]}}
        print(told["many"], file=sys.stderr)
    write_json(out, told)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 1_000_000)
