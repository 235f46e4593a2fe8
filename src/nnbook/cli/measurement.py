"""The commands that measure nuclei and panoramas, choose panoramas, and sum up their area."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from nnbook.cli.options import add_command, add_images, add_masks, print_values
from nnbook.errors import NnbookError
from nnbook.values import published

if TYPE_CHECKING:
    import argparse

    from nnbook.cli.options import Commands


def add_measure(commands: Commands) -> None:
    """Add `nnbook measure`."""
    command = add_command(commands, "measure", _measure, "Measure nuclei and panoramas: rois.parquet and results.csv.")
    add_images(command)
    add_masks(command)
    command.add_argument("--out", type=Path, required=True, help="folder to write to")
    command.add_argument("--px-per-um", type=float, default=published.PX_PER_UM, help="default: %(default)s")


def _measure(call: argparse.Namespace) -> None:
    from nnbook.io.inputs import MASK_SUFFIX, list_images
    from nnbook.measurement.rois import measure_files, write_measurements
    from nnbook.provenance.mask_origin import check_mask_origins

    images = list_images(call.images)
    check_mask_origins((image, call.masks / f"{name}{MASK_SUFFIX}.tif") for name, image in images.items())
    rois, results = measure_files(
        {name: (image, call.masks / f"{name}{MASK_SUFFIX}.tif") for name, image in images.items()}, call.px_per_um
    )
    write_measurements(rois, results, call.out)
    print_values(call, {"panoramas": len(results), "num_rois": int(results["num_rois"].sum()), "out": str(call.out)})


def add_representatives(commands: Commands) -> None:
    """Add `nnbook representatives`."""
    command = add_command(
        commands,
        "representatives",
        _representatives,
        "Find the panoramas nearest the centroid of count and brightness.",
    )
    command.add_argument("table", type=Path, help="a results.csv")
    command.add_argument("-k", type=int, default=published.REPRESENTATIVES, help="how many (default: %(default)s)")


def _representatives(call: argparse.Namespace) -> None:
    from nnbook.io.results import read_results
    from nnbook.measurement.selection import centroid, representatives

    results = read_results(call.table)
    chosen = representatives(results, call.k)
    columns = ["image", "num_rois", "mean_intensity", "distance"]
    middle = centroid(results)
    if call.json:
        print_values(call, {"centroid": middle.to_dict(), "panoramas": chosen[columns].to_dict("records")})
        return
    print(f"centroid: {middle['num_rois']:.2f} nuclei, mean intensity {middle['mean_intensity']:.4f}")
    print(chosen[columns].to_string(index=False))


def add_area(commands: Commands) -> None:
    """Add `nnbook area`."""
    command = add_command(commands, "area", _area, "Turn pixels into square centimetres.")
    pixels = command.add_mutually_exclusive_group(required=True)
    pixels.add_argument("manifest", type=Path, nargs="?")
    pixels.add_argument("--px2", type=int, help="a number of pixels instead of a manifest")
    command.add_argument(
        "--px-per-um", type=float, default=published.PX_PER_UM, help="with --px2 (default: %(default)s)"
    )


def _area(call: argparse.Namespace) -> None:
    from nnbook.measurement.imaged_area import area

    px2, px_per_um = call.px2, call.px_per_um
    if call.manifest:
        from nnbook.io.manifest import read_manifest

        rows = read_manifest(call.manifest)
        px2 = sum(row.width_px * row.height_px for row in rows)
        if len({row.px_per_um for row in rows}) > 1:
            raise NnbookError(
                f"{call.manifest}: has panoramas of different px_per_um; give each scale its own manifest"
            )
        px_per_um = rows[0].px_per_um
    print_values(call, asdict(area(px2, px_per_um)))
