"""The whole pipeline: every stage of an edition that is not up to date."""

from __future__ import annotations

import os
import sys
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

from nnbook.cells.writer import parts_folder
from nnbook.errors import InvalidValueError, MissingFileError, NnbookError
from nnbook.io.edition import FULL_SIZE, OWN_NAMES, PUBLISHED, Edition, write_edition
from nnbook.io.files import locked, read_json, write_json
from nnbook.io.inputs import MASK_SUFFIX
from nnbook.io.manifest import Panorama, parse_manifest, read_manifest, write_manifest
from nnbook.io.results import read_results
from nnbook.io.scale import common_scale
from nnbook.pipeline.copies import copy_edition
from nnbook.pipeline.measured import PARTS
from nnbook.pipeline.originals import Originals, check_disk
from nnbook.pipeline.panoramas import make_panoramas
from nnbook.pipeline.published_cells import PULLED, make_published_cells
from nnbook.pipeline.sources import fetch_panoramas, image_source, is_fetched, published_results
from nnbook.pipeline.stages import (
    evaluate_panoramas,
    extract_cells,
    lay_out_mosaic,
    make_some,
    measure_panoramas,
    sample_cells,
    segment_panoramas,
    write_channel_images,
    write_panoramas_json,
    write_pyramids,
)
from nnbook.provenance.notebooks import CELL_SECONDS, execute_notebooks
from nnbook.provenance.units import EVERYTHING, Choice, Made, UnitsError
from nnbook.values import published
from nnbook.viewers.channels import CHANNELS, INDEX_FILE
from nnbook.viewers.tables import NUCLEI, PREVIEWS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nnbook.io.paths import PathLike
    from nnbook.provenance.units import Workers

PUBLISHED_NOTE = "The table of results that was released with NucleusNet. Its panoramas are not part of this build."
TWIN_NOTE = "Every image was drawn by a virtual microscope."
OWN_NOTE = "The images that {manifest} lists."
TAKEN = {PREVIEWS, NUCLEI, CHANNELS, INDEX_FILE, "index.json", "panoramas.json"}
"""Names in the folder of pyramids that no panorama can have."""


def run(
    manifest: PathLike,
    folder: PathLike,
    notebooks: PathLike,
    *,
    images: PathLike | None = None,
    model: PathLike | None = None,
    local: PathLike | None = None,
    cell_seconds: float = CELL_SECONDS,
    overwrite: bool = False,
    cells10k: bool = False,
    workers: Workers = None,
    choice: Choice = EVERYTHING,
    disk: int | None = None,
    to: str | None = None,
) -> None:
    """Make an edition from a manifest: every stage that is not up to date, then the notebooks.

    Parameters
    ----------
    manifest : str or Path
        See `nnbook.io.manifest`.
    folder : str or Path
        The edition's folder, whose name is the edition's name.
    notebooks : str or Path
        The folder of the text notebooks.
    images : str or Path, optional
        The folder that the manifest's paths are below; by default its own.
    model : str or Path, optional
        A Cellpose 3 model for panoramas whose row names none; by default the shipped one.
    local : str or Path, optional
        A folder that stands in for the public address of the published table.
    cell_seconds : float, optional
        How long a cell of a notebook may take.
    overwrite : bool
        Whether masks that were corrected by hand, or are not nnbook's, may be replaced where they are out of date.
    cells10k : bool
        Whether to bring the published cell images, of which NucleusNet-10K has 10,000, into the published layer. Where
        they can't be had, that is said at the end. What is there once is kept up to date.
    workers : Workers, optional
        Who fetches, segments, measures and cuts panoramas: see `nnbook.segmentation.workflow.segment_files`.
    choice : Choice, optional
        Which panoramas. Where any is left out, those that were chosen are segmented, measured and cut, and the next
        call for all gathers them and makes the rest.
    disk : int, optional
        How many bytes images that come from addresses may take: see `nnbook.pipeline.originals`. They are fetched when
        their turn comes, and go when that of others does; by default they stay.
    to : str, optional
        An address that masks, tables and cells are copied to at the end: see `nnbook.pipeline.copies.copy_edition`.

    Raises
    ------
    NnbookError
        With a line for each thing that is wrong. What was fine stays, and the next run goes on from there. Also where
        another process is making this edition.
    """
    manifest, folder, notebooks = Path(manifest), Path(folder), Path(notebooks)
    model = None if model is None else Path(model)
    local = None if local is None else Path(local)
    source = manifest.parent if images is None else Path(images)
    if not source.is_dir():
        raise MissingFileError(
            f"{source}: no such folder, below which the manifest's paths are; name another by --images, or by IMAGES= "
            "of make"
        )
    parsed = parse_manifest(manifest, source)
    if problems := parsed.problems + edition_problems(manifest, parsed.rows, folder, source):
        raise NnbookError("\n".join(problems))
    rows = list(parsed.rows.values())
    if cells10k and not all(row.simulated for row in rows):
        raise InvalidValueError(
            f"cells10k is for NucleusNet's own book, and {manifest} has images of yours; leave it out",
            parameter="cells10k",
        )
    check_disk(rows, disk)
    if to is not None and not choice.is_all:
        raise InvalidValueError("to is for a call for all panoramas, which gathers them; leave it out", parameter="to")
    missing = []
    work = _Work(rows, source, folder, model, overwrite, workers)
    if not choice.is_all:
        chosen = _chosen(rows, choice, folder)
        with Originals(chosen, folder, disk) as originals:
            _make_some(work, chosen, originals)
        return
    with locked(folder), Originals(rows, folder, disk) as originals:
        _make_stages(work, manifest, originals)
        if all(row.simulated for row in rows):
            missing = make_published(folder / PUBLISHED, local, cells10k=cells10k)
        execute_notebooks(notebooks, folder, cell_seconds=cell_seconds)
        if to is not None:
            copied = copy_edition(folder, to)
            print(f"nnbook: {to} is as {folder} is; {len(copied):,} files were copied", file=sys.stderr)
    for line in missing:
        print(f"nnbook: {line}", file=sys.stderr)


def edition_problems(
    manifest: Path, rows: Mapping[int, Panorama], folder: Path | None = None, source: Path | None = None
) -> list[str]:
    """Find what keeps the panoramas of a manifest from being an edition.

    Parameters
    ----------
    manifest : Path
        The manifest's file.
    rows : mapping of int to Panorama
        Its rows by line.
    folder : Path, optional
        The edition's folder, where it is known.
    source : Path, optional
        The folder that paths are below; by default the manifest's.

    Returns
    -------
    list of str
        A line for each thing that is wrong; empty where nothing is.
    """
    problems = []
    first_line: dict[str, int] = {}
    for number, row in rows.items():
        where, name = f"{manifest}, line {number}", Path(row.as_in_edition().image).name
        if row.panorama in TAKEN:
            problems.append(f"{where}: a panorama can't be named {row.panorama}, as nnbook's own files; rename it")
        if (other := first_line.setdefault(name, number)) != number:
            problems.append(f"{where}: its image is named {name} as that in line {other}; results.csv needs two names")
        problems += [f"{where}: {problem}" for problem in _misplaced(source or manifest.parent, row, folder)]
    if rows:
        try:
            common_scale(
                {row.panorama: row.px_per_um for row in rows.values()}, manifest, "make an edition of each scale"
            )
        except NnbookError as error:
            problems.append(str(error))
    if folder is not None and _within(manifest, folder) == "manifest.csv" and not (folder / "edition.json").is_file():
        problems.append(f"{manifest}: would be replaced by the edition's own manifest; move it out of {folder}")
    return problems


def _misplaced(source: Path, row: Panorama, folder: Path | None) -> list[str]:
    """Say which of a row's files nnbook would replace, or replace by links to them."""
    if row.source and _is_own(row.image) and PurePosixPath(row.image).parts[0] != "images":
        return [
            f"image {row.image} would be in the edition's {PurePosixPath(row.image).parts[0]}, where nnbook's own "
            "files are; move it to another folder"
        ]
    if folder is None:
        return []
    mask_path = f"masks/{row.panorama}{MASK_SUFFIX}.tif"
    return [
        f"{column} {path} is in {folder}, among nnbook's own files; move it to another folder"
        for column, path in (("image", row.image), ("mask", row.mask), ("truth", row.truth))
        if path
        and (place := _within(source / path, folder)) is not None
        and _is_own(place)
        and (column, place) != ("mask", mask_path)
    ]


def _is_own(path: str) -> bool:
    """Return whether a path below an edition's folder is that of what nnbook writes there."""
    first = PurePosixPath(path).parts[0].casefold()
    return first in OWN_NAMES or first.startswith(".")


def _within(path: Path, folder: Path) -> str | None:
    """Return where a file is below a folder, without links; None where it is not there."""
    real = Path(os.path.realpath(path))  # which bears links in a circle
    root = Path(os.path.realpath(folder))
    return real.relative_to(root).as_posix() if real.is_relative_to(root) and real != root else None


class _Work(NamedTuple):
    """What is made of a manifest, and how: see `run`."""

    rows: list[Panorama]
    source: Path
    folder: Path
    model: Path | None
    overwrite: bool
    workers: Workers


def _make_stages(work: _Work, manifest: Path, originals: Originals) -> None:
    rows, source, folder = work.rows, work.source, work.folder
    panoramas, failed = _make_panoramas(work, rows, originals)
    if failed:
        # Gathered without them, the others would be taken for all.
        _finish_some(work, panoramas, originals)
        raise UnitsError({row.panorama: failed[row.panorama] for row in rows if row.panorama in failed})
    edition = _edition(folder, panoramas, OWN_NOTE.format(manifest=manifest.name))
    _describe(edition, panoramas)
    segment_panoramas(edition, panoramas, work.model, source, overwrite=work.overwrite, workers=work.workers)
    measure_panoramas(edition, panoramas, work.workers)
    extract_cells(edition, panoramas, work.workers, originals)
    sample_cells(edition)
    lay_out_mosaic(edition)
    evaluate_panoramas(edition, panoramas, work.model)
    write_pyramids(edition, panoramas, originals)
    write_channel_images(edition, {row.panorama: image_source(row, source, folder) for row in rows if row.plane})
    # A lab's folder may have a file of that name.
    if edition.simulated and (full_size := manifest.with_name(f"{FULL_SIZE}.csv")).is_file():
        _make_full_size(full_size, folder / FULL_SIZE, work.model)
    # Figures show representatives, and the first panorama.
    index = read_json(edition.pyramids / "index.json", {"panoramas": list}, "run 'nnbook run' again")
    originals.keep(dict.fromkeys([panoramas[0].panorama, *(one["panorama"] for one in index["panoramas"])]))


def _make_panoramas(
    work: _Work, some: list[Panorama], originals: Originals
) -> tuple[list[Panorama], dict[str, NnbookError]]:
    """Bring images and make what is of each panorama on its own; return those that were made, and why others failed."""
    failed: dict[str, NnbookError] = {}
    here = [row for row in some if row.panorama not in originals]
    try:
        brought = fetch_panoramas(here, work.source, work.folder, workers=work.workers)
    except UnitsError as error:
        failed = error.failed
        here = [row for row in here if row.panorama not in failed]
        brought = fetch_panoramas(here, work.source, work.folder, workers=work.workers)
    remote = [row for row in some if row.panorama in originals]
    lacking = {row.panorama for row in remote if not is_fetched(row, work.folder)}
    ready = {row.panorama: row for row in brought}
    ready |= {row.panorama: row.as_in_edition().as_one_plane() for row in remote}
    made = make_panoramas(
        _edition(work.folder, work.rows, ""),
        [ready[row.panorama] for row in some if row.panorama in ready],
        work.model,
        work.source,
        overwrite=work.overwrite,
        workers=work.workers,
        supply=originals if remote else None,
        lacking=lacking,
    )
    failed |= made.failed
    fetched = fetch_panoramas([row for row in remote if row.panorama not in failed], work.source, work.folder)
    ready |= {row.panorama: row for row in fetched}
    return [ready[row.panorama] for row in some if row.panorama not in failed], failed


def _chosen(rows: list[Panorama], choice: Choice, folder: Path) -> list[Panorama]:
    edition = _edition(folder, rows, "")
    by_name = {row.panorama: row for row in rows}
    units = [folder, edition.masks, folder / PARTS, parts_folder(edition.cells)]
    return [by_name[name] for name in choice.of(by_name, units)]


def _make_some(work: _Work, some: list[Panorama], originals: Originals) -> None:
    """Make what is of single panoramas, some of all rows. Calls for others may run at the same time."""
    panoramas, failed = _make_panoramas(work, some, originals)
    _finish_some(work, panoramas, originals)
    Made({}, failed).check()


def _finish_some(work: _Work, panoramas: list[Panorama], originals: Originals) -> None:
    """Make what panoramas still lack that were worked on, of all rows."""
    if not panoramas:
        print("nnbook: no panorama is left to work on", file=sys.stderr)
        return
    make_some(
        _edition(work.folder, work.rows, ""),
        panoramas,
        work.model,
        work.source,
        overwrite=work.overwrite,
        workers=work.workers,
        supply=originals,
    )
    print(
        f"nnbook: {len(panoramas):,} of {len(work.rows):,} panoramas are made; the next call for all gathers them",
        file=sys.stderr,
    )


def _edition(folder: Path, panoramas: list[Panorama], note: str) -> Edition:
    simulated = all(panorama.simulated for panorama in panoramas)
    return Edition(
        folder,
        name=folder.name,
        note=TWIN_NOTE if simulated else note,
        simulated=simulated,
        px_per_um=panoramas[0].px_per_um,
        area_px2=sum(panorama.width_px * panorama.height_px for panorama in panoramas),
    )


def _describe(edition: Edition, panoramas: list[Panorama]) -> None:
    """Write the manifest and the description of an edition."""
    write_manifest(edition.manifest, panoramas)
    write_edition(edition)


def _make_full_size(manifest: Path, folder: Path, model: Path | None) -> None:
    """Make the simulated panorama as large as the published ones, with its masks, that the book opens with."""
    panoramas = fetch_panoramas(read_manifest(manifest), manifest.parent, folder)
    edition = _edition(folder, panoramas, TWIN_NOTE)
    _describe(edition, panoramas)
    segment_panoramas(edition, panoramas, model, manifest.parent)
    measure_panoramas(edition, panoramas)
    write_pyramids(edition, panoramas)


def make_published(folder: Path, local: Path | None = None, *, cells10k: bool = False) -> list[str]:
    """Make the published layer of a book, as far as its table and its cell images can be had.

    Parameters
    ----------
    folder : Path
        The layer's folder.
    local : Path, optional
        A folder that stands in for the public address of the table.
    cells10k : bool, optional
        Whether to bring cell images, too. Those that are there are kept up to date either way.

    Returns
    -------
    list of str
        A line for each part that can't be had, which is left out.

    Raises
    ------
    NnbookError
        Where `local` has no such table.
    """
    edition = Edition(
        folder,
        name=PUBLISHED,
        note=PUBLISHED_NOTE,
        simulated=False,
        px_per_um=published.PX_PER_UM,
        area_px2=published.TOTAL_AREA_PX2,
    )
    missing = []
    try:
        published_results(edition.results, local)
        write_edition(edition)
        write_json(edition.pyramids / "index.json", {"edition": edition.name, "note": edition.note, "panoramas": []})
        write_panoramas_json(edition, read_results(edition.results), {})
    except NnbookError as error:
        if local is not None:
            raise
        missing.append(f"the book lacks the published table of NucleusNet: {error}")
    if cells10k or (edition.cells / "cells.json").is_file():
        try:
            make_published_cells(edition, folder.parent.parent / PULLED)
        except NnbookError as error:
            missing.append(f"the book lacks published cells: {error}")
    return missing
