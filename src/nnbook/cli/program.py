"""The program `nnbook`: its commands in their order, and its exit statuses."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

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
    from collections.abc import Iterator, Sequence

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


LACKS_MEMORY: Final = ("can't start new thread", "can't allocate memory", "out of memory")
"""What Python and torch say where there is too little of it, in a RuntimeError."""

INTERRUPTED: Final = 130
"""What shells say of a program that Ctrl-C ended."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    arguments : sequence of str, optional
        By default those that the process was called with.

    Returns
    -------
    int
        The exit status: 0 only when all was done, 1 where something is wrong with the data, 130 where it was
        interrupted, by Ctrl-C or SIGTERM. A wrong call exits with 2.
    """
    call = _parser().parse_args(arguments)
    try:
        with _interruptible():
            call.command(call)
    except NnbookError as error:  # before OSError, which some of them are too
        print(f"nnbook {call.name}: {name_option(error, call.parser)}", file=sys.stderr)
        return 1
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and not any(words in str(error) for words in LACKS_MEMORY):
            raise
        why = " ".join(str(error).split())
        print(
            f"nnbook {call.name}: there is too little memory ({why}); close other programs, or take smaller images",
            file=sys.stderr,
        )
        return 1
    except KeyboardInterrupt:
        print(f"nnbook {call.name}: interrupted; what is finished is kept, call again to go on", file=sys.stderr)
        return INTERRUPTED
    except OSError as error:
        print(f"nnbook {call.name}: {error}; check that the path is right, writable and has space", file=sys.stderr)
        return 1
    return 0


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let SIGTERM do what Ctrl-C does: else it leaves work under way behind, and the processes that do it."""
    if threading.current_thread() is not threading.main_thread():  # where signals can't be handled
        yield
        return
    former = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, former)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="nnbook", description="Simulate, segment, measure and show panoramas of nuclei."
    )
    parser.add_argument("--version", action="version", version=f"nnbook {__version__}")
    commands = parser.add_subparsers(dest="name", required=True, metavar="COMMAND")
    for add in REGISTRARS:
        add(commands)
    return parser
