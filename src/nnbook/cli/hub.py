"""The commands that exchange cell images with the Hugging Face Hub."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from nnbook.cli.options import add_command, print_values

if TYPE_CHECKING:
    import argparse

    from nnbook.cli.options import Commands


def add_pull(commands: Commands) -> None:
    """Add `nnbook pull`."""
    command = add_command(
        commands,
        "pull",
        _pull,
        "Draw cell images from a data set on the Hugging Face Hub, without downloading all of it.",
        "RussellBarkley/NucleusNet -n 1000 --seed 7 --out pulled",
    )
    command.add_argument("dataset", help="its id, such as RussellBarkley/NucleusNet")
    command.add_argument("--out", type=Path, required=True, help="folder to write to; call again to go on")
    command.add_argument("-n", type=int, help="how many cells (default: all)")
    command.add_argument("--seed", type=int, default=1, help="of the draw (default: 1)")
    command.add_argument("--revision", default="main", help="branch, tag or commit (default: main)")
    command.add_argument(
        "--cells-per-shard", type=int, default=100, help="fewer spread the draw wider and read more (default: 100)"
    )


def _pull(call: argparse.Namespace) -> None:
    from nnbook.hub.download import pull

    record = pull(
        call.dataset,
        call.out,
        n=call.n,
        seed=call.seed,
        revision=call.revision,
        cells_per_shard=call.cells_per_shard,
    )
    shown = {key: record[key] for key in ("dataset", "commit", "seed", "cells", "shards")}
    print_values(call, {**shown, "out": str(call.out)})


def add_push(commands: Commands) -> None:
    """Add `nnbook push`."""
    command = add_command(
        commands,
        "push",
        _push,
        "Make a data set on the Hugging Face Hub from cell images.",
        'cells me/my-nuclei --licence cc-by-4.0 --about "CV-1 cells, DAPI" --dry-run look',
        "cells me/my-nuclei --licence cc-by-4.0 --public",
    )
    command.add_argument("cells", type=Path, help="a store of cells, or a folder of their TIFF files")
    command.add_argument("dataset", help="its id, owner/name")
    command.add_argument("--licence", required=True, help="the hub's name for it, such as cc-by-4.0")
    command.add_argument("--about", help="what the cells are, for the data set's card")
    command.add_argument("--public", action="store_true", help="make a new data set public (default: private)")
    command.add_argument("--overwrite", action="store_true", help="replace what the data set holds")
    command.add_argument(
        "--dry-run", type=Path, metavar="FOLDER", help="write what would be sent into a folder instead"
    )


def _push(call: argparse.Namespace) -> None:
    from nnbook.hub.upload import push, write_dataset

    if call.dry_run:
        cells = write_dataset(call.cells, call.dry_run, call.dataset, licence=call.licence, about=call.about)
        print_values(call, {"dataset": call.dataset, "cells": cells, "dry_run": str(call.dry_run)})
        return
    print_values(
        call,
        push(
            call.cells,
            call.dataset,
            licence=call.licence,
            about=call.about,
            public=call.public,
            overwrite=call.overwrite,
        ),
    )
