"""The program `nnbook`: its commands in their order, and its exit statuses."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from nnbook import __version__
from nnbook.cli import (
    book,
    cells,
    editions,
    evaluation,
    hub,
    manifests,
    measurement,
    segmentation,
    simulation,
    training,
    viewers,
)
from nnbook.cli.options import name_option
from nnbook.errors import NnbookError

if TYPE_CHECKING:
    from collections.abc import Sequence

REGISTRARS = (
    simulation.add_twin,
    manifests.add_validate,
    segmentation.add_segment,
    measurement.add_measure,
    cells.add_cells,
    cells.add_sample,
    viewers.add_mosaic,
    cells.add_export,
    measurement.add_representatives,
    measurement.add_area,
    viewers.add_pyramid,
    evaluation.add_evaluate,
    training.add_train,
    hub.add_pull,
    hub.add_push,
    editions.add_run,
    editions.add_notebook,
    editions.add_status,
    book.add_check,
    book.add_site,
    book.add_print,
    book.add_crate,
)
"""Each adds one command, in the order in which `nnbook --help` lists them."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    arguments : sequence of str, optional
        By default those that the process was called with.

    Returns
    -------
    int
        The exit status: 0 only when all was done, 1 where something is wrong with the data. A wrong call exits with 2.
    """
    call = _parser().parse_args(arguments)
    try:
        call.command(call)
    except NnbookError as error:  # before OSError, which some of them are too
        print(f"nnbook {call.name}: {name_option(error, call.parser)}", file=sys.stderr)
        return 1
    except MemoryError as error:
        print(
            f"nnbook {call.name}: there is too little memory ({error}); close other programs, or take smaller images",
            file=sys.stderr,
        )
        return 1
    except KeyboardInterrupt:
        print(f"nnbook {call.name}: interrupted; what is finished is kept, call again to go on", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"nnbook {call.name}: {error}; check that the path is right, writable and has space", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="nnbook", description="Simulate, segment, measure and show panoramas of nuclei."
    )
    parser.add_argument("--version", action="version", version=f"nnbook {__version__}")
    commands = parser.add_subparsers(dest="name", required=True, metavar="COMMAND")
    for add in REGISTRARS:
        add(commands)
    return parser
