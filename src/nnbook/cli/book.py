"""The commands that check the book and write it: as a site, for print, and as a crate."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from nnbook.cli.options import (
    add_command,
    add_edition,
    add_images_folder,
    add_local,
    add_manifest,
    add_model,
    edition_folder,
    print_json,
    print_values,
)
from nnbook.errors import NnbookError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from nnbook.cli.options import Commands


def add_check(commands: Commands) -> None:
    """Add `nnbook check`."""
    command = add_command(
        commands,
        "check",
        _check,
        "Make the book from nothing, compare it with the committed record, and read its text.",
        "--text",
        "--built",
    )
    add_manifest(command)
    add_images_folder(command)
    add_edition(command)
    _add_project(command)
    add_local(command)
    add_model(command)
    command.add_argument("--built", action="store_true", help="compare what is built already")
    command.add_argument("--text", action="store_true", help="read the text only, which takes a second")
    command.add_argument(
        "--accept", action="store_true", help="make what was built the record: data/record.json and figures/"
    )


def _check(call: argparse.Namespace) -> None:
    from nnbook.book.check import accept, compare, known_values, read_record
    from nnbook.book.lint import lint_text

    found = []
    if not call.accept:
        read_record(call.project)  # before the book is made, not after
    if not call.text:
        with _built(call) as folder:
            if call.accept:
                print(f"nnbook: {accept(call.project, folder)} is written; commit it with figures/", file=sys.stderr)
            found = compare(call.project, folder, call.build / "check")
    faults = lint_text(call.project, known_values(call.project))
    if call.json:
        drifts, lacks = ([one._asdict() for one in several] for several in (found, faults))
        print_json({"drifts": drifts, "faults": lacks}, indent=None)
    if found or faults:
        meant = ["if what differs is meant, accept it with 'nnbook check --built --accept'"] if found else []
        raise NnbookError("\n".join(map(str, [*found, *faults, *meant])))
    if not call.json:
        print_values(call, {"agrees": "the text" if call.text else "the book, with its record"})


@contextmanager
def _built(call: argparse.Namespace) -> Iterator[Path]:
    """Give the folder of an edition: as it is, if that is asked for and it is up to date, else made from nothing."""
    from nnbook.pipeline.editions import run
    from nnbook.provenance.notebooks import stale_notebooks

    folder = edition_folder(call)
    if call.built:
        if stale := stale_notebooks(call.notebooks, folder):
            raise NnbookError(f"{folder}: {', '.join(stale)} is out of date; call 'nnbook run' first")
        yield folder
        return
    call.build.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".check-", dir=call.build) as scratch:
        folder = Path(scratch) / call.edition
        run(call.manifest, folder, call.notebooks, images=call.images, model=call.model, local=call.local)
        yield folder


def add_site(commands: Commands) -> None:
    """Add `nnbook site`."""
    command = add_command(
        commands,
        "site",
        _site,
        "Build the book's site from an edition, strictly.",
        "build/twin",
        "build/twin --serve",
        "build/mine --cells https://example.org/cells/",
    )
    _add_edition_folder(command)
    _add_project(command)
    command.add_argument(
        "--cells", metavar="ADDRESS", help="where on the web the edition's folder cells/ is, if not in the site"
    )
    command.add_argument(
        "--archive-of",
        metavar="ADDRESS",
        help="where the current version is, for a site to be archived: its pages say so, and claim no address",
    )
    command.add_argument("--serve", action="store_true", help="serve a live preview instead")


def _site(call: argparse.Namespace) -> None:
    from nnbook.book.new import reminders
    from nnbook.book.publication import lacking_base
    from nnbook.book.website import build_site, check_cells_fit, lacking_table, serve_site, show_edition

    if not call.cells:
        check_cells_fit(call.edition)
    shown = show_edition(call.edition, call.project, cells=call.cells, archive_of=call.archive_of)
    if call.cells:
        print(f"nnbook: the site reads cells from {call.cells}; copy {call.edition / 'cells'} there", file=sys.stderr)
    for line in reminders(call.project, shown.manifest):
        print(f"nnbook: {line}", file=sys.stderr)
    if call.serve:
        serve_site(call.project, call.edition)
    else:
        print_values(call, {"site": str(build_site(call.project))})
        if lacking := lacking_table(shown):
            print(f"nnbook: {lacking}", file=sys.stderr)
        if not call.archive_of and (lacking := lacking_base(call.project)):
            print(f"nnbook: {lacking}", file=sys.stderr)


def add_print(commands: Commands) -> None:
    """Add `nnbook print`."""
    command = add_command(
        commands,
        "print",
        _print,
        "Write the book as Typst, PDF, Word, JATS and a MECA bundle, with static figures.",
        "build/twin --out paper",
    )
    _add_edition_folder(command)
    _add_project(command)
    command.add_argument("--out", type=Path, help="the folder for the files (default: print/ of the edition)")


def _print(call: argparse.Namespace) -> None:
    from nnbook.book.article import print_book
    from nnbook.book.website import show_edition

    show_edition(call.edition, call.project)
    files = print_book(call.project, call.out or call.edition / "print")
    print_values(call, {"files": [str(path) for path in files]})


def add_crate(commands: Commands) -> None:
    """Add `nnbook crate`."""
    command = add_command(
        commands,
        "crate",
        _crate,
        "Write an edition, and all that it was made with, as an RO-Crate.",
        "build/twin --out my-crate",
    )
    _add_edition_folder(command)
    _add_project(command)
    command.add_argument("--out", type=Path, required=True, help="the crate's folder")


def _crate(call: argparse.Namespace) -> None:
    from nnbook.book.crate import write_crate

    summary = write_crate(call.project, call.edition, call.out)
    print_values(call, {**summary, "out": str(call.out)})


def _add_edition_folder(command: argparse.ArgumentParser) -> None:
    command.add_argument("edition", type=Path, help="the edition's folder, such as build/twin")


def _add_project(command: argparse.ArgumentParser) -> None:
    command.add_argument("--project", type=Path, default=Path(), help="the folder of myst.yml (default: this one)")
