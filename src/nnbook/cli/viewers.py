"""The commands that write the tiles of the viewers."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from nnbook.cli.options import add_command, add_plane, plane_of, print_values

if TYPE_CHECKING:
    import argparse

    from nnbook.cli.options import Commands


def add_mosaic(commands: Commands) -> None:
    """Add `nnbook mosaic`."""
    command = add_command(
        commands,
        "mosaic",
        _mosaic,
        "Lay a sample of cells out as Deep Zoom tiles, runs by row, and once normalised.",
        "cells --sample . --out mosaic",
    )
    command.add_argument("cells", type=Path, help="the folder that 'nnbook cells' wrote")
    command.add_argument("--sample", type=Path, required=True, help="the folder that 'nnbook sample' wrote to")
    command.add_argument("--out", type=Path, required=True, help="folder to write")


def _mosaic(call: argparse.Namespace) -> None:
    from nnbook.viewers.mosaic import write_mosaic

    about = write_mosaic(call.out, call.cells, call.sample)
    print_values(call, {"rows": len(about["rows"]), "columns": about["columns"], "out": str(call.out)})


def add_pyramid(commands: Commands) -> None:
    """Add `nnbook pyramid`."""
    command = add_command(
        commands,
        "pyramid",
        _pyramid,
        "Write a panorama and its mask at all sizes: as Deep Zoom tiles for web pages, or as OME-Zarr or OME-TIFF.",
        "images/Run1TL_top_left.tif --mask masks/Run1TL_top_left_cp_masks.tif --out tiles",
        "images/Run1TL_top_left.tif --out tiles.zip --zip",
        "images/Run1TL_top_left.tif --ome-zarr --out Run1TL_top_left.ome.zarr --px-per-um 8.0453",
    )
    command.add_argument("image", type=Path, help="a TIFF, PNG or CZI file")
    add_plane(command)
    command.add_argument("--mask", type=Path, help="its label image, whose labels are kept as they are")
    command.add_argument("--out", type=Path, required=True, help="folder to write; with --zip or --ome-tiff, a file")
    form = command.add_mutually_exclusive_group()
    form.add_argument(
        "--zip",
        action="store_true",
        help="Deep Zoom in one uncompressed zip, read by ranges of bytes, instead of many files",
    )
    form.add_argument("--ome-zarr", action="store_true", help="OME-Zarr 0.5, with the mask as its labels")
    form.add_argument("--ome-tiff", action="store_true", help="a pyramidal OME-TIFF, with the mask as second image")
    command.add_argument(
        "--px-per-um", type=float, help="pixels a micrometre, for OME (default: what the image says itself)"
    )


def _pyramid(call: argparse.Namespace) -> None:
    if call.ome_zarr or call.ome_tiff:
        from nnbook.viewers.ome import write_ome_tiff, write_ome_zarr

        write = write_ome_zarr if call.ome_zarr else write_ome_tiff
        levels = write(call.out, call.image, call.mask, px_per_um=call.px_per_um, plane=plane_of(call))
        print_values(call, {"out": str(call.out), "levels": levels})
        return
    if call.px_per_um is not None:
        call.parser.error("--px-per-um is for --ome-zarr and --ome-tiff; Deep Zoom tiles have no scale")
    from nnbook.viewers.pyramid import write_pyramid

    written = write_pyramid(call.out, call.image, call.mask, zipped=call.zip, plane=plane_of(call))
    print_values(call, {"out": str(call.out), **asdict(written)})
