"""The commands that cut, sample and export cell images."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from nnbook.cli.options import (
    add_command,
    add_images,
    add_masks,
    add_plane,
    add_scale,
    add_workers,
    choice_of,
    plane_of,
    print_values,
    workers_of,
)
from nnbook.values import published

if TYPE_CHECKING:
    import argparse

    from nnbook.cli.options import Commands


def add_cells(commands: Commands) -> None:
    """Add `nnbook cells`."""
    command = add_command(
        commands,
        "cells",
        _cells,
        "Cut the single-cell images of masked nuclei into a store, or make one of images that are cut already; call "
        "again to go on.",
        "images/ --masks masks --rois results/rois.parquet --out cells",
        "--import pulled --out published",
    )
    add_images(command, needed=False)
    add_plane(command)
    add_masks(command, needed=False)
    command.add_argument("--rois", type=Path, help="the rois.parquet that 'nnbook measure' made of them")
    command.add_argument(
        "--import",
        dest="imported",
        type=Path,
        metavar="FOLDER",
        help="instead of images, masks and ROIs: a folder of cell images, as 'nnbook pull' brings it",
    )
    command.add_argument(
        "--out", type=Path, required=True, help="folder to write: cells.zarr, cells.parquet, cells.json"
    )
    add_scale(command)
    add_workers(command)


def _cells(call: argparse.Namespace) -> None:
    cut = {"images": call.images, "--masks": call.masks, "--rois": call.rois}
    if call.imported is None:
        if missing := [name for name, value in cut.items() if not value]:
            call.parser.error(f"the following arguments are required: {', '.join(missing)} (or --import)")
        _cut(call)
        return
    cut |= {"--channel": call.channel, "--project": call.project}
    if given := [name for name, value in cut.items() if value not in ([], None)]:
        call.parser.error(f"--import takes a folder of cell images alone; leave out {', '.join(given)}")
    from nnbook.cells.imported import import_cells

    scale = published.PX_PER_UM if call.px_per_um is None else call.px_per_um
    about = import_cells(call.out, call.imported, edition=call.out.name, px_per_um=scale)
    print_values(call, {"cells": about["cells"], **about["left_out"], "out": str(call.out)})


def _cut(call: argparse.Namespace) -> None:
    from nnbook.cells.store import masked_panoramas
    from nnbook.cells.writer import write_cells
    from nnbook.io.inputs import list_images, listed_rows
    from nnbook.io.scale import common_scale, image_scales
    from nnbook.measurement.imaged_area import check_scale

    if call.px_per_um is not None:
        check_scale(call.px_per_um)
    images, rows = list_images(call.images), listed_rows(call.images)
    scales = image_scales(images, rows, call.px_per_um)
    about = write_cells(
        call.out,
        masked_panoramas(images, call.masks, rows),
        call.rois,
        edition=call.out.name,
        note="Simulated edition: cut from panoramas that a virtual microscope drew."
        if any(row.simulated for row in rows)
        else "Cell images cut by 'nnbook cells'.",
        px_per_um=common_scale(scales, call.out, "cut the cells of each scale into a store of their own"),
        plane=plane_of(call),
        workers=workers_of(call),
        choice=choice_of(call),
    )
    print_values(call, {"cells": about["cells"], **about["left_out"], "out": str(call.out)})


def add_sample(commands: Commands) -> None:
    """Add `nnbook sample`."""
    command = add_command(
        commands,
        "sample",
        _sample,
        "Draw so many cells of each run from a store: sample.parquet and sample.json.",
        "cells --out . --per-run 100 --seed 1",
    )
    command.add_argument("cells", type=Path, help="the folder that 'nnbook cells' wrote")
    command.add_argument("--out", type=Path, required=True, help="folder to write to")
    command.add_argument(
        "--per-run", type=int, default=published.IMAGES_PER_EXPERIMENT_IN_10K, help="default: %(default)s"
    )
    command.add_argument("--seed", type=int, default=1, help="default: 1")


def _sample(call: argparse.Namespace) -> None:
    from nnbook.cells.sample import short_runs, write_sample

    about = write_sample(call.cells, call.out, call.per_run, call.seed)
    short = {"fewer_than_asked": short_runs(about)} if short_runs(about) else {}
    print_values(
        call, {"cells": about["cells"], "runs": len(about["runs"]), "seed": call.seed, **short, "out": str(call.out)}
    )


def add_export(commands: Commands) -> None:
    """Add `nnbook export`."""
    command = add_command(
        commands,
        "export",
        _export,
        "Write a store of cells as TIFF files, or as a Hugging Face dataset.",
        "cells --tiff tiffs",
        "cells --dataset parquet",
    )
    command.add_argument("cells", type=Path, help="the store, such as build/twin/cells")
    form = command.add_mutually_exclusive_group(required=True)
    form.add_argument("--tiff", type=Path, metavar="FOLDER", help="a new folder: NAME_ROI_N.tif for each cell")
    form.add_argument(
        "--dataset", type=Path, metavar="FOLDER", help="a new folder: Parquet files of image and filename"
    )


def _export(call: argparse.Namespace) -> None:
    from nnbook.cells.export import write_dataset, write_tiffs
    from nnbook.cells.store import read_cells

    cells = read_cells(call.cells)
    count = write_tiffs(cells, call.tiff) if call.tiff else write_dataset(cells, call.dataset)
    print_values(call, {"cells": count, "out": str(call.tiff or call.dataset)})
