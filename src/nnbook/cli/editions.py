"""The commands that make an edition and say what of it is out of date."""

from __future__ import annotations

import argparse
import re
from typing import TYPE_CHECKING

from nnbook.cli.options import (
    add_command,
    add_edition,
    add_images_folder,
    add_local,
    add_manifest,
    add_model,
    add_overwrite,
    add_workers,
    choice_of,
    edition_folder,
    print_json,
    print_values,
    workers_of,
)

if TYPE_CHECKING:
    from nnbook.cli.options import Commands


def add_run(commands: Commands) -> None:
    """Add `nnbook run`."""
    command = add_command(
        commands,
        "run",
        _run,
        "Make every stage of an edition that is not up to date.",
        "",
        "experiment/manifest.csv --edition mine",
        "experiment/manifest.csv --edition mine --part 3/20   # on one of twenty machines that see the same files",
        "remote/manifest.csv --edition mine --disk 20GB   # of images at addresses, no more than so much at a time",
    )
    add_manifest(command)
    add_images_folder(command)
    add_edition(command)
    _add_cell_seconds(command)
    add_local(command)
    add_model(command)
    add_overwrite(command)
    add_workers(command)
    command.add_argument(
        "--disk",
        type=_bytes,
        metavar="SIZE",
        help="of images that come from addresses keep no more than so much, such as 20GB, and fetch the next ones "
        "meanwhile (default: all stay)",
    )
    command.add_argument(
        "--to", metavar="ADDRESS", help="at the end copy masks, tables and cells there, such as s3://bucket/folder"
    )
    command.add_argument(
        "--cells10k", action="store_true", help="bring NucleusNet-10K's cell images from the Hugging Face Hub, too"
    )


def _bytes(text: str) -> int:
    if (size := re.fullmatch(r"(\d+(?:\.\d+)?) ?([kMGT]?)B", text)) is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no size; give such as 20GB, 500MB or 1.5TB")
    return int(float(size[1]) * 1000 ** " kMGT".index(size[2] or " "))


def _run(call: argparse.Namespace) -> None:
    from nnbook.pipeline.editions import run

    folder = edition_folder(call)
    run(
        call.manifest,
        folder,
        call.notebooks,
        images=call.images,
        model=call.model,
        local=call.local,
        cell_seconds=call.cell_seconds,
        overwrite=call.overwrite,
        cells10k=call.cells10k,
        workers=workers_of(call),
        choice=choice_of(call),
        disk=call.disk,
        to=call.to,
    )
    print_values(call, {"edition": str(folder)})


def add_notebook(commands: Commands) -> None:
    """Add `nnbook notebook`."""
    command = add_command(
        commands,
        "notebook",
        _notebook,
        "Execute notebooks of an edition again, and leave the others alone.",
        "area",
        "area scatter --edition mine",
    )
    command.add_argument("notebook", nargs="+", help="its name, such as 'area'")
    add_edition(command)
    _add_cell_seconds(command)


def _notebook(call: argparse.Namespace) -> None:
    from nnbook.io.edition import read_edition
    from nnbook.io.files import locked
    from nnbook.provenance.notebooks import execute_notebooks

    folder = edition_folder(call)
    read_edition(folder)
    with locked(folder):
        executed = execute_notebooks(call.notebooks, folder, call.notebook, cell_seconds=call.cell_seconds)
    print_values(call, {"executed": [str(folder / "notebooks" / f"{name}.ipynb") for name in executed]})


def add_status(commands: Commands) -> None:
    """Add `nnbook status`."""
    command = add_command(
        commands,
        "status",
        _status,
        "Tell what of an edition is out of date, and why; exit status 0 either way.",
        "",
        "experiment/manifest.csv --edition mine",
    )
    add_manifest(command)
    add_images_folder(command)
    add_edition(command)


def _status(call: argparse.Namespace) -> None:
    from nnbook.provenance.staleness import status, summary

    folder = edition_folder(call)
    found = status(call.manifest, folder, call.notebooks, images=call.images)
    if call.json:
        print_json([one._asdict() for one in found])
    else:
        print(summary(found) if found else f"{folder} is up to date")


def _add_cell_seconds(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--cell-seconds", type=float, default=600, help="how long a cell of a notebook may take (default: 600)"
    )
