"""The command that checks a manifest."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from nnbook.cli.options import add_command, print_values
from nnbook.errors import NnbookError

if TYPE_CHECKING:
    import argparse

    from nnbook.cli.options import Commands


def add_validate(commands: Commands) -> None:
    """Add `nnbook validate`."""
    command = add_command(commands, "validate", _validate, "Check a manifest and the files that it names.")
    command.add_argument("manifest", type=Path)
    command.add_argument("--images", type=Path, help="folder that its paths are below (default: the manifest's)")


def _validate(call: argparse.Namespace) -> None:
    from nnbook.io.manifest import image_problems, read_manifest

    rows = read_manifest(call.manifest)
    folder = call.images or call.manifest.parent
    if problems := [problem for row in rows for problem in image_problems(row, folder)]:
        raise NnbookError("\n".join(problems))
    there = sum((folder / row.image).exists() for row in rows)
    print_values(call, {"manifest": str(call.manifest), "panoramas": len(rows), "images_at_hand": there})
