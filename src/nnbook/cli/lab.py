"""The commands that make a lab's own book: its manifest, the book, and chapters that it gets later."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from nnbook.cli.options import add_command, add_images_folder, add_manifest, add_plane, plane_of, print_values
from nnbook.errors import InvalidValueError, MissingFileError

if TYPE_CHECKING:
    import argparse

    from nnbook.cli.options import Commands
    from nnbook.io.listing import Listing
    from nnbook.io.manifest import Panorama


def add_new(commands: Commands) -> None:
    """Add `nnbook new`."""
    command = add_command(
        commands,
        "new",
        _new,
        "Write a book of your own images. What is not given is asked for on a terminal.",
        "our-nuclei --images images --px-per-um 8.0453 --title 'Our nuclei'",
        "our-nuclei --images images --pattern '{condition}_{replicate}_*' --truth outlines",
    )
    command.add_argument("folder", metavar="NAME", type=Path, help="the book's folder, which must not be there yet")
    command.add_argument("--images", type=Path, help="folder of the images, which are referred to and not copied")
    command.add_argument("--manifest", type=Path, help="instead of a folder of images: a manifest of them")
    _add_listing(command)
    command.add_argument("--title", help="the book's title (default: its folder's name)")
    command.add_argument("--authors", help="names, with commas between them")
    command.add_argument("--cells", help="which cells they are, such as U2OS")
    command.add_argument("--stain", help="what stains the nuclei, such as 'Hoechst 33342'")


def _new(call: argparse.Namespace) -> None:
    from nnbook.book.new import About, check_new, facts_of, write_book

    check_new(call.folder)
    if call.images is None and call.manifest is None and (asked := _asked("Folder of the images")):
        call.images = Path(asked).expanduser()
    if (call.images is None) == (call.manifest is None):
        raise InvalidValueError("give one of images, a folder, and manifest", parameter="images manifest")
    if call.images is not None:
        if call.px_per_um is None and sys.stdin.isatty():
            call.px_per_um = _number(_asked("Pixels a micrometre (empty: what each file says itself)"))
        if call.pattern is None:
            call.pattern = _asked(
                "Pattern of file names with conditions, such as {condition}_{replicate}_* (empty: none)"
            )
    listing = _validated(call)
    title = call.title if call.title is not None else _asked("Title of the book") or call.folder.resolve().name
    authors = call.authors if call.authors is not None else _asked("Authors, with commas between them")
    about = About(
        title,
        authors.split(","),
        call.cells if call.cells is not None else _asked("Which cells (empty: not said)"),
        call.stain if call.stain is not None else _asked("Stain of the nuclei (empty: not said)"),
    )
    written = write_book(call.folder, listing.rows, listing.folder, about)
    facts = facts_of(listing.rows)
    if facts["conditions"]:
        _name_single_replicates(listing.rows)
    print_values(call, {"book": str(written), "panoramas": len(listing.rows)})
    print(f"nnbook: call 'make book' in {written}", file=sys.stderr)


def _validated(call: argparse.Namespace) -> Listing:
    """Return the manifest's rows, once each file that they name has been decoded."""
    from nnbook.io.listing import Listing
    from nnbook.pipeline.validation import check_rows, validate_manifest

    if call.manifest is not None:
        return Listing(validate_manifest(call.manifest), call.manifest.parent)
    listing = _listed(call)
    check_rows(listing.rows, listing.folder)
    return listing


def add_manifest_writer(commands: Commands) -> None:
    """Add `nnbook manifest`."""
    command = add_command(
        commands,
        "manifest",
        _manifest,
        "Write the manifest of a folder of images.",
        "images --px-per-um 8.0453 --out manifest.csv",
    )
    command.add_argument("images", metavar="FOLDER", type=Path)
    _add_listing(command)
    command.add_argument(
        "--out", type=Path, help="the file (default: manifest.csv in the folder of images and outlines)"
    )


def _manifest(call: argparse.Namespace) -> None:
    from nnbook.io.manifest import write_manifest

    listing = _listed(call)
    out = call.out or listing.folder / "manifest.csv"
    if out.exists():
        raise InvalidValueError(f"{out}: is there already; remove it, or name another file as out", parameter="out")
    if not out.parent.is_dir():
        raise MissingFileError(f"{out.parent}: no such folder; make it first, or name another file")
    write_manifest(out, listing.rows, brief=True)
    _name_single_replicates(listing.rows)
    print_values(call, {"manifest": str(out), "panoramas": len(listing.rows), "paths_below": str(listing.folder)})


def add_add(commands: Commands) -> None:
    """Add `nnbook add`."""
    command = add_command(
        commands,
        "add",
        _add,
        "Write a chapter, with its notebook, that a book's manifest has something for only now.",
        "comparison data/manifest.csv --images ../images",
    )
    command.add_argument("section", choices=("comparison", "accuracy"))
    add_manifest(command)
    add_images_folder(command)
    command.add_argument("--project", type=Path, default=Path(), help="the book's folder (default: this one)")


def _add(call: argparse.Namespace) -> None:
    from nnbook.book.new import add_section
    from nnbook.io.manifest import read_manifest

    lines = add_section(call.project, call.section, read_manifest(call.manifest, call.images))
    print_values(call, {"lines": lines})
    print("nnbook: add these lines under toc in myst.yml", file=sys.stderr)


def _add_listing(command: argparse.ArgumentParser) -> None:
    command.add_argument("--px-per-um", type=float, help="pixels a micrometre (default: what each file says itself)")
    command.add_argument(
        "--pattern",
        help="what file names tell: {run}, {condition} and {replicate}, with * and ? between them, such as "
        "'{condition}_{replicate}_*', or '{condition}/*' for folders; or a regular expression with such groups",
    )
    command.add_argument("--truth", type=Path, help="folder of label images drawn by hand, named as the images")
    add_plane(command)


def _listed(call: argparse.Namespace) -> Listing:
    from nnbook.io.listing import list_panoramas
    from nnbook.pipeline.editions import TAKEN

    return list_panoramas(
        call.images,
        px_per_um=call.px_per_um,
        pattern=call.pattern or "",
        truth=call.truth,
        plane=plane_of(call),
        taken=TAKEN,
    )


def _name_single_replicates(rows: list[Panorama]) -> None:
    """Name on standard error the conditions of which no interval can be given."""
    replicates: dict[str, set[str]] = {}
    for row in rows:
        if row.condition:
            replicates.setdefault(row.condition, set()).add(row.replicate)
    single = [condition for condition, names in replicates.items() if len(names) == 1]
    if single:
        print(
            f"nnbook: {', '.join(single)} {'has' if len(single) == 1 else 'have'} one replicate: it is shown, but no "
            "interval of a difference from it can be given",
            file=sys.stderr,
        )


def _asked(question: str) -> str:
    """Ask on a terminal; empty where there is none."""
    if not sys.stdin.isatty():
        return ""
    print(f"{question}: ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip()


def _number(text: str) -> float | None:
    if not text:
        return None
    try:
        return float(re.sub(r"^(\d+),(\d+)$", r"\1.\2", text))  # a decimal comma
    except ValueError:
        raise InvalidValueError(f"px_per_um is {text!r}; give pixels a micrometre", parameter="px_per_um") from None
