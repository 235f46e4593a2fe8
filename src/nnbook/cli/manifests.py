"""The command that checks a manifest."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from nnbook.cli.options import add_command, print_values

if TYPE_CHECKING:
    import argparse

    from nnbook.cli.options import Commands


def add_validate(commands: Commands) -> None:
    """Add `nnbook validate`."""
    command = add_command(
        commands,
        "validate",
        _validate,
        "Check a manifest and the files that it names.",
        "small/manifest.csv",
    )
    command.add_argument("manifest", type=Path)
    command.add_argument("--images", type=Path, help="folder that its paths are below (default: the manifest's)")


def _validate(call: argparse.Namespace) -> None:
    from nnbook.pipeline.validation import validate_manifest

    rows = validate_manifest(call.manifest, call.images)
    folder = call.images or call.manifest.parent
    there = sum((folder / row.image).exists() for row in rows)
    print_values(call, {"manifest": str(call.manifest), "panoramas": len(rows), "images_at_hand": there})
