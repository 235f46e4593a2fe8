"""The program `nnbook`: its commands in their order, and its exit statuses."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import nnbook
from nnbook.cli import (
    book,
    cells,
    denoising,
    editions,
    evaluation,
    gui,
    hub,
    lab,
    manifests,
    measurement,
    reviews,
    segmentation,
    simulation,
    training,
    viewers,
)
from nnbook.cli.completion import add_completion
from nnbook.cli.extras import lacking_extra
from nnbook.cli.options import name_option
from nnbook.errors import NnbookError, lacks_memory

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

GROUPS: Final = {
    "panoramas and masks": (
        simulation.add_twin,
        lab.add_manifest_writer,
        manifests.add_validate,
        denoising.add_denoise,
        segmentation.add_segment,
        segmentation.add_try,
        gui.add_gui,
        measurement.add_measure,
        measurement.add_representatives,
        measurement.add_area,
        evaluation.add_evaluate,
        evaluation.add_compare,
        training.add_train,
        segmentation.add_model_exporter,
    ),
    "cells": (cells.add_cells, cells.add_sample, cells.add_export),
    "tiles for the views": (viewers.add_mosaic, viewers.add_pyramid),
    "other data sets and methods": (reviews.add_datasets, reviews.add_audit),
    "Hugging Face Hub": (hub.add_pull, hub.add_push),
    "the book": (
        lab.add_new,
        lab.add_add,
        editions.add_run,
        editions.add_notebook,
        editions.add_status,
        book.add_check,
        book.add_site,
        book.add_print,
        book.add_crate,
    ),
}
"""What adds each command, by subject, in the order in which `nnbook --help` lists them."""


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
    call = _Program().parse_args(arguments)
    try:
        with _interruptible():
            call.command(call)
    except NnbookError as error:  # before OSError, which some of them are too
        print(f"nnbook {call.name}: {name_option(error, call.parser)}", file=sys.stderr)
        return 1
    except ModuleNotFoundError as error:
        line = lacking_extra(error)
        if line is None:
            raise
        print(f"nnbook {call.name}: {line}", file=sys.stderr)
        return 1
    except (MemoryError, RuntimeError) as error:
        if not lacks_memory(error):
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


class _Version(argparse.Action):
    """Prints the version, which is only looked up when it is asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        print(f"nnbook {nnbook.__version__}")
        parser.exit()


class _Program(argparse.ArgumentParser):
    """The parser of the program, whose help lists the commands by subject instead of in one list."""

    def __init__(self) -> None:
        super().__init__(prog="nnbook", description="Simulate, segment, measure and show panoramas of nuclei.")
        self.add_argument("--version", action=_Version, nargs=0, help="print the version and stop")
        self._commands = self.add_subparsers(
            dest="name", required=True, metavar="COMMAND", parser_class=argparse.ArgumentParser
        )
        self._groups: dict[str, list[argparse.Action]] = {}
        for subject, registrars in GROUPS.items():
            for add in registrars:
                add(self._commands)
            self._groups[subject] = self._not_grouped()
        add_completion(self._commands, self)
        self._groups["the shell"] = self._not_grouped()

    def _not_grouped(self) -> list[argparse.Action]:
        grouped = [id(action) for actions in self._groups.values() for action in actions]
        listed = self._commands._choices_actions  # noqa: SLF001 - what argparse lists in its help
        return [action for action in listed if id(action) not in grouped]

    def format_help(self) -> str:
        formatter = self._get_formatter()
        formatter.add_usage(self.usage, self._actions, self._mutually_exclusive_groups)
        formatter.add_text(self.description)
        options = [action for action in self._actions if action.option_strings]
        for title, actions in {**self._groups, "options": options}.items():
            formatter.start_section(title)
            formatter.add_arguments(actions)
            formatter.end_section()
        formatter.add_text("'nnbook COMMAND --help' shows the options of a command, and examples.")
        return formatter.format_help()
