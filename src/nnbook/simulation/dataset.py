"""Simulated data sets: manifests, and panoramas with their true masks on disk."""

from __future__ import annotations

from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from nnbook.errors import InvalidValueError, NnbookError
from nnbook.io.files import atomic_write
from nnbook.io.images import write_image, write_mask
from nnbook.io.manifest import CROPS, OPTIONAL, QUARTERS, Panorama, panorama_name, read_manifest, write_manifest
from nnbook.provenance.stage import Stage, make, recorded_sha256, why_stale
from nnbook.provenance.units import HERE, make_units
from nnbook.simulation.panorama import check_side, simulate_panorama
from nnbook.simulation.population import check_place
from nnbook.values.published import PX_PER_UM

if TYPE_CHECKING:
    from nnbook.io.paths import PathLike


SIDE_PX: Final = 3072
"""Side of a panorama of the small twin."""

PUBLISHED_SIDE_PX: Final = 12_275
"""Side of the square of the published panoramas' mean area."""

FEW: Final = 4
"""Panoramas that are simulated in one process sooner than others begin."""

FIRST_PASSAGE: Final = 12
PASSAGES_PER_RUN: Final = 0.21
"""The published 100 runs came from 21 passages."""


def simulate_manifest(seed: int, runs: int, side_px: int) -> list[Panorama]:
    """Return the rows of a twin's manifest: 16 panoramas a run, named as published, without simulating any.

    Raises
    ------
    NnbookError
        Where an argument is out of range.
    """
    if runs < 1:
        raise InvalidValueError(f"runs is {runs}; a twin has at least 1 experiment", parameter="runs")
    check_side(side_px)
    panoramas = []
    for run in range(1, runs + 1):
        for quarter in QUARTERS:
            for crop in CROPS:
                check_place(seed, run, quarter, crop)
                name = panorama_name(run, quarter, crop)
                panoramas.append(
                    Panorama(
                        panorama=name,
                        run=run,
                        quarter=quarter,
                        crop=crop,
                        passage=f"P{FIRST_PASSAGE + int((run - 1) * PASSAGES_PER_RUN)}",
                        image=f"panoramas/{name}.tif",
                        mask="",
                        width_px=side_px,
                        height_px=side_px,
                        px_per_um=PX_PER_UM,
                        image_sha256="",
                        source=f"twin:{seed}",
                    )
                )
    return panoramas


def panorama_stage(panorama: Panorama, folder: Path) -> Stage:
    """Return the stage that simulates one row of a manifest: see `write_panorama`.

    Raises
    ------
    NnbookError
        Where the row is not one of the twin.
    """
    if not panorama.simulated:
        raise InvalidValueError(
            f"{panorama.panorama}: its source is {panorama.source!r}; the twin simulates twin:SEED only"
        )
    return Stage.of(
        write_panorama,
        folder,
        record=f"records/twin-{panorama.panorama}.json",
        writes=_output_names(panorama),
        settings={
            name: value for name, value in asdict(replace(panorama, image_sha256="")).items() if name not in OPTIONAL
        },
    )


def make_panorama(panorama: Panorama, stage: Stage) -> Panorama:
    """Simulate one row of a manifest, unless it is there and up to date; return the row with the image's SHA-256."""
    make(stage, partial(write_panorama, panorama))
    return replace(panorama, image_sha256=recorded_sha256(stage, stage.folder / panorama.image))


def write_panorama(panorama: Panorama, folder: PathLike) -> None:
    """Simulate one row of a manifest and write its image, true mask and truth table.

    Parameters
    ----------
    panorama : Panorama
        A row whose `source` is `twin:SEED`.
    folder : str or Path
        The manifest's folder. The image goes to `panorama.image` below it; the mask and the rows of the truth table go
        to `truth/NAME.tif` and `truth/NAME.csv`.

    Raises
    ------
    NnbookError
        Where the row asks for what the twin cannot simulate.
    """
    folder = Path(folder)
    image_path, mask_path, table_path = (folder / name for name in _output_names(panorama))
    image, labels, truth = simulate_panorama(
        int(panorama.source.removeprefix("twin:")),
        panorama.run,
        panorama.quarter,
        panorama.crop,
        width_px=panorama.width_px,
        height_px=panorama.height_px,
        px_per_um=panorama.px_per_um,
    )
    truth.insert(0, "panorama", panorama.panorama)
    write_mask(mask_path, labels)
    with atomic_write(table_path) as written:
        truth.to_csv(written, index=False, lineterminator="\n")
    write_image(image_path, image, px_per_um=panorama.px_per_um)


def write_dataset(
    out: PathLike, seed: int, runs: int = 10, side_px: int = SIDE_PX, *, processes: int = 2
) -> list[Panorama]:
    """Simulate a whole twin: `panoramas/`, `truth/`, `truth.csv` and `manifest.csv`, all below one folder.

    What an interrupted call has finished is kept, and the bytes are those of a call that runs through. No more than one
    panorama a process is held in memory.

    Parameters
    ----------
    out : str or Path
        The folder; made where missing.
    seed : int
        The twin's seed, from 0.
    runs : int
        How many experiments, of 16 panoramas each.
    side_px : int
        Width and height of a panorama; `PUBLISHED_SIDE_PX` is the published size.
    processes : int
        How many panoramas are simulated at a time.

    Returns
    -------
    list of Panorama
        The manifest's rows, each image pinned by its SHA-256.

    Raises
    ------
    NnbookError
        Where an argument is out of range, or the folder holds another twin.
    """
    out = Path(out)
    planned = simulate_manifest(seed, runs, side_px)
    manifest = out / "manifest.csv"
    _check_same_twin(manifest, planned)
    write_manifest(manifest, planned)
    jobs = {row.panorama: (row, panorama_stage(row, out)) for row in planned}
    stale = sum(bool(why_stale(stage)) for _, stage in jobs.values())
    made = make_units(
        _make_job,
        jobs,
        HERE,
        desc="twin",
        # Processes take as long to begin as a few small panoramas.
        workers=processes if processes > 1 and stale >= FEW else None,
    )
    made.check()
    written = made.outcomes
    with atomic_write(out / "truth.csv") as path, path.open("w", encoding="utf-8", newline="") as file:
        for number, panorama in enumerate(planned):
            text = (out / _output_names(panorama)[2]).read_text(encoding="utf-8")
            file.write(text if number == 0 else text.partition("\n")[2])
    rows = [written[panorama.panorama] for panorama in planned]
    write_manifest(manifest, rows)
    return rows


def _make_job(job: tuple[Panorama, Stage]) -> Panorama:
    return make_panorama(*job)


def _output_names(panorama: Panorama) -> list[str]:
    """Return the names of a panorama's image, true mask and truth table."""
    return [panorama.image, f"truth/{panorama.panorama}.tif", f"truth/{panorama.panorama}.csv"]


def _check_same_twin(manifest: Path, planned: list[Panorama]) -> None:
    if not manifest.is_file():
        return
    there = {row.panorama: replace(row, image_sha256="") for row in read_manifest(manifest)}
    if any(there.get(row.panorama, row) != row for row in planned):
        raise NnbookError(f"{manifest}: is another twin's (seed or size differs); delete its folder or choose another")
