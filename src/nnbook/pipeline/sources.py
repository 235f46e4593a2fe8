"""Where an edition's files come from: simulated, downloaded, or linked from the manifest's folder."""

from __future__ import annotations

import shutil
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from nnbook.errors import MissingFileError, NnbookError
from nnbook.io.files import atomic_write, sha256
from nnbook.io.images import is_drawn, read_image, read_mask, write_image, write_mask
from nnbook.io.inputs import MASK_SUFFIX
from nnbook.io.manifest import image_problems, pin_problem
from nnbook.io.originals import has_gone, note_original, note_path, read_original
from nnbook.io.planes import plane_settings
from nnbook.io.scale import image_scale, warn_of_scales
from nnbook.io.web import download, download_into
from nnbook.provenance.stage import Stage, file_state, make, recorded_result, recorded_sha256, why_stale
from nnbook.provenance.units import Demand, Made, make_units
from nnbook.simulation.dataset import make_panorama, panorama_stage
from nnbook.values import published

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from nnbook.io.manifest import Panorama
    from nnbook.provenance.units import Workers

HUB: Final = "hf://"
"""Addresses of the Hugging Face Hub."""

PROCESS_BYTES: Final = 0.4e9
BYTES_PER_PX: Final = 12.0
"""Memory of a process that simulates."""

WORTH_PX: Final = 3_000_000
"""Simulated panoramas of this area in all are worth processes of their own. Files of others are only looked at."""


def fetch_panoramas(
    panoramas: list[Panorama], manifest_folder: Path, folder: Path, *, workers: Workers = None
) -> list[Panorama]:
    """Bring every image of a manifest into an edition's folder, and check it; files that are unchanged are not opened.

    Files that say another scale than their rows are named on standard error.

    Parameters
    ----------
    panoramas : list of Panorama
        The manifest's rows.
    manifest_folder : Path
        Where images without a source are.
    folder : Path
        The edition's folder. An image goes to `panorama.as_in_edition().image` below it, a mask that the manifest names
        to `masks/NAME_cp_masks.tif`, where `nnbook segment` would write it, and the truth to `truth/NAME.tif`. What is
        there already is kept.
    workers : Workers, optional
        Who does it: see `nnbook.segmentation.workflow.segment_files`.

    Returns
    -------
    list of Panorama
        The rows, each with the path of its image below the edition's folder, and its SHA-256.

    Raises
    ------
    NnbookError
        At the end, with a line for each image that is missing or isn't what the manifest says; the others are in place.
    """
    stages = {row.panorama: _first_stage(row, manifest_folder, folder) for row in panoramas}
    fetch = partial(_fetch_panorama, manifest_folder=manifest_folder, folder=folder)
    changed = {name for name, stage in stages.items() if why_stale(stage)}
    made = make_units(
        fetch,
        {row.panorama: (row, stages[row.panorama]) for row in panoramas if row.panorama in changed},
        Demand(
            [row.width_px * row.height_px for row in panoramas if row.panorama in changed and row.simulated],
            PROCESS_BYTES,
            BYTES_PER_PX,
            WORTH_PX,
            threads=1 if any(row.simulated for row in panoramas) else 2,
        ),
        desc="fetch",
        workers=workers,
        aside=folder,
        others=stages.keys() - changed,
    )
    found, problems = made.outcomes, made.failed
    for row in panoramas:
        if row.panorama not in changed:
            try:
                found[row.panorama] = fetch((row, stages[row.panorama]))
            except NnbookError as error:
                problems[row.panorama] = error
    Made({}, {row.panorama: problems[row.panorama] for row in panoramas if row.panorama in problems}).check()
    _warn_of_scales({row: stages[row.panorama] for row in panoramas}, manifest_folder, folder)
    return [found[row.panorama] for row in panoramas]


def _first_stage(panorama: Panorama, manifest_folder: Path, folder: Path) -> Stage:
    """Return the stage that simulates a panorama, or checks the files that its row names.

    The second writes nothing but its record, which has the image's SHA-256: so files that are unchanged are not read
    again. A mask counts as unchanged by its state alone, for what is checked of it costs less than its SHA-256.
    """
    if panorama.simulated:
        return panorama_stage(panorama, folder)
    source_folder = _source_folder(panorama, manifest_folder, folder)
    mask, truth = source_folder / panorama.mask, source_folder / panorama.truth
    return Stage.of(
        _check_files,
        folder,
        record=f"records/image-{panorama.panorama}.json",
        writes=[],
        reads=[source_folder / panorama.image],
        settings={
            "width_px": panorama.width_px,
            "height_px": panorama.height_px,
            "mask": file_state(mask) if panorama.mask and mask.is_file() else None,
            "truth": file_state(truth) if panorama.truth and truth.is_file() else None,
            **plane_settings(panorama.plane),
        },
    )


def image_source(panorama: Panorama, manifest_folder: Path, folder: Path) -> Path:
    """Return where the image file is that a row of a manifest names: see `fetch_panoramas`."""
    return _source_folder(panorama, manifest_folder, folder) / panorama.image


def _source_folder(panorama: Panorama, manifest_folder: Path, folder: Path) -> Path:
    """Return the folder that a row's paths are below: the edition's where the image is downloaded to there."""
    return folder if panorama.source else manifest_folder


def _check_files(panorama: Panorama, source_folder: Path) -> dict[str, Any]:
    """Check a row's files; return what later runs need to know of them."""
    if problems := image_problems(replace(panorama, image_sha256=""), source_folder):
        raise NnbookError("\n".join(problems))
    known: dict[str, Any] = {
        f"drawn_{name}": bool(path) and is_drawn(source_folder / path)
        for name, path in (("mask", panorama.mask), ("truth", panorama.truth))
    }
    try:
        known["px_per_um"] = image_scale(source_folder / panorama.image)
    except NnbookError as error:
        known["no_px_per_um"] = str(error)
    return {"result": known}


def is_remote(panorama: Panorama) -> bool:
    """Tell whether a panorama's image comes from an address."""
    return bool(panorama.source) and not panorama.simulated


def is_fetched(panorama: Panorama, folder: Path) -> bool:
    """Tell whether a panorama's image came from its address and was checked, and is in the edition or has gone."""
    image = folder / panorama.image
    return (image.is_file() or has_gone(image)) and not why_stale(_first_stage(panorama, folder, folder))


def fetch_panorama(panorama: Panorama, folder: Path) -> Panorama:
    """Fetch and check one panorama whose image comes from an address: see `fetch_panoramas`."""
    return _fetch_panorama((panorama, _first_stage(panorama, folder, folder)), manifest_folder=folder, folder=folder)


def download_original(panorama: Panorama, image: Path, come: Callable[[int], None] = lambda _: None) -> None:
    """Download a panorama's image, which has to be what it was before, and note where it came from.

    Parameters
    ----------
    panorama : Panorama
        The manifest's row.
    image : Path
        The file; it appears in one step.
    come : callable, optional
        Is told how many bytes have come so far; what it raises ends the download.

    Raises
    ------
    NnbookError
        What `nnbook.io.web.download` raises.
    """
    address = panorama.source
    with atomic_write(image) as written:
        _download_into(address, written, panorama.image_sha256, come)
        digest = sha256(written)
        if (was := read_original(image)) is not None and not panorama.image_sha256 and was.sha256 != digest:
            raise NnbookError(
                f"{address}: isn't the file any more that came from there before, from which masks or tables were "
                f"made; to go on with this one, delete {note_path(image)}"
            )
        note_original(written, image, address, digest)


def _download_into(address: str, path: Path, expected_sha256: str, come: Callable[[int], None]) -> None:
    if address.startswith(HUB):
        from nnbook.hub.files import download_from_hub

        download_from_hub(address, path, expected_sha256, come)
    else:
        download_into(address, path, expected_sha256, come)


def _fetch_panorama(job: tuple[Panorama, Stage], *, manifest_folder: Path, folder: Path) -> Panorama:
    panorama, stage = job
    if panorama.simulated:
        found = make_panorama(panorama, stage)
        if panorama.image_sha256 and found.image_sha256 != panorama.image_sha256:
            image = folder / panorama.image
            raise NnbookError(
                f"{panorama.panorama}: {image} isn't what the manifest pins; delete it to simulate it again"
            )
        return found
    source_folder = _source_folder(panorama, manifest_folder, folder)
    image = source_folder / panorama.image
    if panorama.source and not image.is_file() and (not has_gone(image) or why_stale(stage)):
        download_original(panorama, image)
    make(stage, lambda _: _check_files(panorama, source_folder))
    digest = recorded_sha256(stage, image)
    if problem := pin_problem(panorama, image, digest):
        raise NnbookError(problem)
    return _bring_panorama(replace(panorama, image_sha256=digest), stage, source_folder, folder)


def _bring_panorama(panorama: Panorama, stage: Stage, source_folder: Path, folder: Path) -> Panorama:
    for kind, path, name in (
        ("mask", panorama.mask, f"masks/{panorama.panorama}{MASK_SUFFIX}.tif"),
        ("truth", panorama.truth, f"truth/{panorama.panorama}.tif"),
    ):
        if path:
            _bring_labels(panorama, source_folder / path, folder, name, drawn=_known(stage)[f"drawn_{kind}"])
        elif kind == "truth":
            # Of an earlier manifest, or of an earlier panorama of this name.
            (folder / name).unlink(missing_ok=True)
    source = source_folder / panorama.image
    brought = panorama.as_in_edition()
    if panorama.plane is not None:
        return _extract_plane(brought, source, folder)
    _link(source, folder / brought.image)
    return brought


def _known(stage: Stage) -> dict[str, Any]:
    """Return what `_check_files` found out."""
    return dict(recorded_result(stage) or {})


def _warn_of_scales(stages: Mapping[Panorama, Stage], manifest_folder: Path, folder: Path) -> None:
    """Name the files that contradict the scales of their rows, by what was found out when they were checked."""
    real = [row for row in stages if not row.simulated]
    files = {row.panorama: _source_folder(row, manifest_folder, folder) / row.image for row in real}
    known = {files[row.panorama]: _known(stages[row]) for row in real}

    def scale_of(path: Path) -> float | None:
        if why := known[path].get("no_px_per_um"):
            raise NnbookError(why)
        return known[path].get("px_per_um")

    warn_of_scales(files, {row.panorama: row.px_per_um for row in real}, scale_of)


def _extract_plane(panorama: Panorama, source: Path, folder: Path) -> Panorama:
    """Write the chosen plane of a file into an edition's folder, as a file of its own."""
    extracted = panorama.as_one_plane()

    def work(out: Path) -> None:
        write_image(out / extracted.image, read_image(source, panorama.plane), px_per_um=panorama.px_per_um)

    stage = Stage.of(
        _extract_plane,
        folder,
        record=f"records/plane-{panorama.panorama}.json",
        writes=[extracted.image],
        reads=[source],
        settings={**plane_settings(panorama.plane), "px_per_um": panorama.px_per_um},
    )
    make(stage, work)
    return replace(extracted, image_sha256=recorded_sha256(stage, folder / extracted.image))


def _bring_labels(panorama: Panorama, source: Path, folder: Path, name: str, *, drawn: bool) -> None:
    """Link a label image into an edition's folder; one that is no image is drawn there."""
    if not drawn:
        _link(source, folder / name)
        return
    shape = (panorama.height_px, panorama.width_px)
    stage = Stage.of(
        _bring_labels,
        folder,
        record=f"records/{name.split('/', maxsplit=1)[0].removesuffix('s')}-{panorama.panorama}.json",
        writes=[name],
        reads=[source],
        settings={"shape": list(shape)},
    )
    make(stage, lambda out: write_mask(out / name, read_mask(source, shape)))


def published_results(path: Path, local: Path | None = None) -> Path:
    """Get NucleusNet's published results table.

    Parameters
    ----------
    path : Path
        Where to put it. A file that is there already and has the right SHA-256 stays.
    local : Path, optional
        A folder that stands in for the public address: its `results.csv` is copied.

    Returns
    -------
    Path
        `path`.

    Raises
    ------
    NnbookError
        Where the table can't be had, or has another SHA-256 than the published one; `path` is then left as it was.
    """
    if path.is_file() and sha256(path) == published.RESULTS_SHA256:
        return path
    if local is None:
        try:
            download(published.RESULTS_ADDRESS, path, published.RESULTS_SHA256)
        except NnbookError as error:
            raise NnbookError(
                f"{error}; or name a folder that has it: --local FOLDER, or LOCAL=FOLDER of make"
            ) from error
        return path
    source = local / "results.csv"
    if not source.is_file():
        raise MissingFileError(f"{source}: no such file; name the folder that holds the published results.csv")
    if sha256(source) != published.RESULTS_SHA256:
        raise NnbookError(f"{source}: its SHA-256 isn't that of the published table; get the file again")
    with atomic_write(path) as written:
        shutil.copyfile(source, written)
    return path


def _link(source: Path, path: Path) -> None:
    if path.resolve() != source.resolve():
        with atomic_write(path) as written:
            written.symlink_to(source.resolve())
