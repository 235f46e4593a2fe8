"""The whole pipeline: every stage of an edition that is not up to date."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from nnbook.errors import NnbookError
from nnbook.io.edition import Edition, write_edition
from nnbook.io.files import locked, write_json
from nnbook.io.manifest import Panorama, read_manifest, write_manifest
from nnbook.io.results import read_results
from nnbook.pipeline.sources import fetch_panoramas, published_results
from nnbook.pipeline.stages import (
    evaluate_panoramas,
    extract_cells,
    lay_out_mosaic,
    measure_panoramas,
    sample_cells,
    segment_panoramas,
    write_panoramas_json,
    write_pyramids,
)
from nnbook.provenance.notebooks import CELL_SECONDS, execute_notebooks
from nnbook.values import published
from nnbook.viewers.tables import PREVIEWS

if TYPE_CHECKING:
    from nnbook.io.paths import PathLike

PUBLISHED = "published"
PUBLISHED_NOTE = (
    "Published edition: the results table that was released with NucleusNet. Its panoramas are not part of this build."
)
TWIN_NOTE = "Simulated edition: every image here was drawn by a virtual microscope, and every number comes from those."
OWN_NOTE = "Edition {name}: images and numbers come from the manifest {manifest}."
TAKEN = {PREVIEWS, "index.json", "panoramas.json"}
"""Names in the folder of pyramids that no panorama can have."""


def run(
    manifest: PathLike,
    folder: PathLike,
    notebooks: PathLike,
    *,
    model: PathLike | None = None,
    local: PathLike | None = None,
    cell_seconds: float = CELL_SECONDS,
    overwrite: bool = False,
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
    model : str or Path, optional
        A Cellpose 3 model; by default the shipped one.
    local : str or Path, optional
        A folder that stands in for the public address of the published table.
    cell_seconds : float, optional
        How long a cell of a notebook may take.
    overwrite : bool
        Whether masks that were corrected by hand, or are not nnbook's, may be replaced where they are out of date.

    Raises
    ------
    NnbookError
        With a line for each thing that is wrong. What was fine stays, and the next run goes on from there. Also where
        another process is making this edition.
    """
    manifest, folder, notebooks = Path(manifest), Path(folder), Path(notebooks)
    model = None if model is None else Path(model)
    local = None if local is None else Path(local)
    rows = read_manifest(manifest)
    if len({row.px_per_um for row in rows}) > 1:
        raise NnbookError(f"{manifest}: has panoramas of different px_per_um; make an edition of each scale")
    names = [Path(row.image).name for row in rows]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise NnbookError(f"{manifest}: has several images named {', '.join(twice)}; give each another name")
    if taken := sorted(TAKEN & {row.panorama for row in rows}):
        raise NnbookError(f"{manifest}: has a panorama named {taken[0]}, as nnbook's own files; give it another name")
    with locked(folder):
        _make_stages(rows, manifest, folder, model=model, local=local, overwrite=overwrite)
        execute_notebooks(notebooks, folder, cell_seconds=cell_seconds)


def _make_stages(
    rows: list[Panorama], manifest: Path, folder: Path, *, model: Path | None, local: Path | None, overwrite: bool
) -> None:
    panoramas = fetch_panoramas(rows, manifest.parent, folder)
    simulated = all(panorama.simulated for panorama in panoramas)
    edition = Edition(
        folder,
        name=folder.name,
        note=TWIN_NOTE if simulated else OWN_NOTE.format(name=folder.name, manifest=manifest.name),
        simulated=simulated,
        px_per_um=panoramas[0].px_per_um,
        area_px2=sum(panorama.width_px * panorama.height_px for panorama in panoramas),
    )
    write_manifest(edition.manifest, panoramas)
    write_edition(edition)
    segment_panoramas(edition, panoramas, model, overwrite=overwrite)
    measure_panoramas(edition, panoramas)
    extract_cells(edition, panoramas)
    sample_cells(edition)
    lay_out_mosaic(edition)
    evaluate_panoramas(edition, panoramas, model)
    write_pyramids(edition, panoramas)
    try:
        published_results(folder.parent / PUBLISHED / "results.csv", local)
    except NnbookError as error:
        print(f"nnbook: the book will lack the published table beside this edition's. {error}", file=sys.stderr)


def run_published(
    folder: PathLike, notebooks: PathLike, *, local: PathLike | None = None, cell_seconds: float = CELL_SECONDS
) -> None:
    """Make the published edition: its released table instead of images, then the notebooks.

    Parameters
    ----------
    folder, notebooks, local, cell_seconds
        As in `run`.
    """
    folder, notebooks = Path(folder), Path(notebooks)
    local = None if local is None else Path(local)
    with locked(folder):
        _make_published_stages(folder, local)
        execute_notebooks(notebooks, folder, cell_seconds=cell_seconds)


def _make_published_stages(folder: Path, local: Path | None) -> None:
    edition = Edition(
        folder,
        name=PUBLISHED,
        note=PUBLISHED_NOTE,
        simulated=False,
        px_per_um=published.PX_PER_UM,
        area_px2=published.TOTAL_AREA_PX2,
    )
    published_results(edition.results, local)
    write_edition(edition)
    write_json(edition.pyramids / "index.json", {"edition": edition.name, "note": edition.note, "panoramas": []})
    write_panoramas_json(edition, read_results(edition.results), {})
    extract_cells(edition, [])
    sample_cells(edition)
    lay_out_mosaic(edition)
