"""The command that simulates."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from nnbook.cli.options import add_command, print_values

if TYPE_CHECKING:
    import argparse

    from nnbook.cli.options import Commands


def add_twin(commands: Commands) -> None:
    """Add `nnbook twin`."""
    command = add_command(
        commands,
        "twin",
        _twin,
        "Simulate experiments: panoramas, truth masks, a truth table and a manifest.",
        "--out simulated --seed 1",
        "--out small --runs 1 --side 256   # seconds instead of a minute",
    )
    command.add_argument("--out", type=Path, required=True, help="folder to write to")
    command.add_argument("--seed", type=int, default=1)
    command.add_argument("--runs", type=int, default=10, help="experiments of 16 panoramas (default: %(default)s)")
    command.add_argument(
        "--side",
        dest="side_px",
        metavar="SIDE",
        type=int,
        default=3072,
        help="side of a panorama in px (default: %(default)s; real: 12275)",
    )


def _twin(call: argparse.Namespace) -> None:
    from nnbook.simulation.dataset import write_dataset

    rows = write_dataset(call.out, call.seed, call.runs, call.side_px)
    print_values(call, {"manifest": str(call.out / "manifest.csv"), "panoramas": len(rows)})
