"""The commands that measure nuclei and panoramas, choose panoramas, and sum up their area."""

from __future__ import annotations

from dataclasses import asdict
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
from nnbook.errors import InvalidValueError
from nnbook.values import published

if TYPE_CHECKING:
    import argparse

    from nnbook.cli.options import Commands


def add_measure(commands: Commands) -> None:
    """Add `nnbook measure`."""
    command = add_command(
        commands,
        "measure",
        _measure,
        "Measure nuclei and panoramas: rois.parquet and results.csv.",
        "images/ --masks masks --out results",
        "images/ --masks masks --rim 1.86 --out wider   # brightness under wider masks, too",
    )
    add_images(command)
    add_plane(command)
    add_masks(command)
    command.add_argument("--out", type=Path, required=True, help="folder to write to")
    add_scale(command)
    command.add_argument(
        "--rim",
        type=float,
        dest="rim_um",
        metavar="UM",
        help="measure brightness also under masks that are wider by this many um, and sum panoramas up by it; "
        f"{published.PUBLISHED_RIM_UM:.2f} is as wide as NucleusNet's (default: none)",
    )
    add_workers(command)


def _measure(call: argparse.Namespace) -> None:
    from nnbook.io.inputs import list_images, listed_rows, masks_of
    from nnbook.io.scale import image_scales
    from nnbook.measurement.imaged_area import check_scale
    from nnbook.measurement.rim import check_rim
    from nnbook.pipeline.measured import PARTS, MaskedImage, gather_measurements, measure_files
    from nnbook.provenance.mask_origin import check_mask_origins

    if call.px_per_um is not None:
        check_scale(call.px_per_um)
    if call.rim_um is not None:
        check_rim(call.rim_um)
    choice, listed = choice_of(call), list_images(call.images)
    images = {name: listed[name] for name in choice.of(listed, [call.out / PARTS])}
    if not images:
        print_values(call, {"panoramas": 0, "num_rois": 0, "out": str(call.out)})
        return
    scales = image_scales(images, listed_rows(call.images), call.px_per_um)
    masks = masks_of(images, call.masks)
    masked = {name: MaskedImage(image, masks[name], scales[name]) for name, image in images.items()}
    check_mask_origins((one.image, one.mask) for one in masked.values())
    results = measure_files(masked, call.out, plane=plane_of(call), rim_um=call.rim_um, workers=workers_of(call))
    if choice.is_all:
        gather_measurements(list(masked), results, call.out)
    print_values(call, {"panoramas": len(results), "num_rois": int(results["num_rois"].sum()), "out": str(call.out)})


def add_representatives(commands: Commands) -> None:
    """Add `nnbook representatives`."""
    command = add_command(
        commands,
        "representatives",
        _representatives,
        "Find the panoramas nearest the centroid of count and brightness.",
        "results/results.csv -k 1",
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
    command = add_command(
        commands,
        "area",
        _area,
        "Turn pixels into square centimetres.",
        "--px2 241083171855 --px-per-um 8.0453",
        "small/manifest.csv",
    )
    pixels = command.add_mutually_exclusive_group(required=True)
    pixels.add_argument("manifest", type=Path, nargs="?")
    pixels.add_argument("--px2", type=int, help="a number of pixels instead of a manifest")
    command.add_argument("--px-per-um", type=float, help="pixels a micrometre, with --px2; a manifest has its own")


def _area(call: argparse.Namespace) -> None:
    from nnbook.measurement.imaged_area import area

    px2, px_per_um = call.px2, call.px_per_um
    if call.manifest:
        from nnbook.io.manifest import read_manifest
        from nnbook.io.scale import common_scale, row_scales

        rows = read_manifest(call.manifest)
        scales = row_scales(rows, px_per_um)
        px2 = sum(row.width_px * row.height_px for row in rows)
        px_per_um = common_scale(scales, call.manifest, "give each scale its own manifest")
    elif px_per_um is None:
        raise InvalidValueError("px_per_um is missing; say how many pixels are a micrometre", parameter="px_per_um")
    print_values(call, asdict(area(px2, px_per_um)))
