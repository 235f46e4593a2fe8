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
        "Write the Deep Zoom tiles of a panorama and of its mask; tell how many.",
        "images/Run1TL_top_left.tif --mask masks/Run1TL_top_left_cp_masks.tif --out tiles",
        "images/Run1TL_top_left.tif --out tiles.zip --zip",
    )
    command.add_argument("image", type=Path, help="a TIFF, PNG or CZI file; its grey levels become JPEG tiles")
    add_plane(command)
    command.add_argument("--mask", type=Path, help="its label image, which becomes lossless tiles")
    command.add_argument("--out", type=Path, required=True, help="folder to write, or file with --zip")
    command.add_argument(
        "--zip", action="store_true", help="write one uncompressed zip, read by ranges of bytes, instead of many files"
    )


def _pyramid(call: argparse.Namespace) -> None:
    from nnbook.viewers.pyramid import write_pyramid

    written = write_pyramid(call.out, call.image, call.mask, zipped=call.zip, plane=plane_of(call))
    print_values(call, {"out": str(call.out), **asdict(written)})
