"""Where an edition's files come from: simulated, downloaded, or linked from the manifest's folder."""

from __future__ import annotations

import shutil
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from multiprocessing import get_context
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from nnbook.errors import InvalidValueError, MissingFileError, NnbookError
from nnbook.io.files import atomic_write, sha256
from nnbook.io.images import is_drawn, read_image, read_mask, write_image, write_mask
from nnbook.io.inputs import MASK_SUFFIX
from nnbook.io.manifest import image_problems
from nnbook.io.planes import plane_settings
from nnbook.provenance.stage import Stage, make
from nnbook.simulation.dataset import make_panorama, panorama_stage
from nnbook.values import published

if TYPE_CHECKING:
    from pathlib import Path

    from nnbook.io.manifest import Panorama


def fetch_panoramas(panoramas: list[Panorama], manifest_folder: Path, folder: Path) -> list[Panorama]:
    """Bring every image of a manifest into an edition's folder, and check it.

    Parameters
    ----------
    panoramas : list of Panorama
        The manifest's rows.
    manifest_folder : Path
        Where images without a source are.
    folder : Path
        The edition's folder. An image goes to `panorama.image` below it, and a mask that the manifest names to
        `masks/NAME_cp_masks.tif`, where `nnbook segment` would write it. What is there already is kept.

    Returns
    -------
    list of Panorama
        The rows, each with the SHA-256 of its image.

    Raises
    ------
    NnbookError
        At the end, with a line for each image that is missing or isn't what the manifest says; the others are in place.
    """
    from nnbook.io.progress import show_progress

    fetched: list[Panorama] = []
    problems: list[str] = []
    # Each panorama is a process's work of its own: the twin draws one alone and in any order.
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        fetch = partial(_fetch_panorama, manifest_folder=manifest_folder, folder=folder)
        stages = [panorama_stage(panorama, folder) if panorama.simulated else None for panorama in panoramas]
        work = pool.map(fetch, panoramas, stages)
        for outcome in show_progress(work, desc="fetch", unit="panorama", total=len(panoramas)):
            if isinstance(outcome, list):
                problems += outcome
            else:
                fetched.append(outcome)
    if problems:
        raise NnbookError("\n".join(problems))
    return fetched


def _fetch_panorama(
    panorama: Panorama, simulation: Stage | None, *, manifest_folder: Path, folder: Path
) -> Panorama | list[str]:
    try:
        if simulation is not None:
            found = make_panorama(panorama, simulation)
            if panorama.image_sha256 and found.image_sha256 != panorama.image_sha256:
                image = folder / panorama.image
                return [f"{panorama.panorama}: {image} isn't what the manifest pins; delete it to simulate it again"]
            return found
        if panorama.source:
            return _download_panorama(panorama, folder)
        if problems := image_problems(panorama, manifest_folder):
            return problems
        return _bring_panorama(panorama, manifest_folder, folder)
    except NnbookError as error:
        return [str(error)]


def _bring_panorama(panorama: Panorama, manifest_folder: Path, folder: Path) -> Panorama:
    if panorama.mask:
        _bring_mask(panorama, manifest_folder / panorama.mask, folder)
    if panorama.plane is not None:
        return _extract_plane(panorama, manifest_folder / panorama.image, folder)
    _link(manifest_folder / panorama.image, folder / panorama.image)
    return replace(panorama, image_sha256=panorama.image_sha256 or sha256(folder / panorama.image))


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
    return replace(extracted, image_sha256=sha256(folder / extracted.image))


def _bring_mask(panorama: Panorama, source: Path, folder: Path) -> None:
    """Link a mask into an edition's folder; one that is no image is drawn there."""
    name = f"masks/{panorama.panorama}{MASK_SUFFIX}.tif"
    if not is_drawn(source):
        _link(source, folder / name)
        return
    shape = (panorama.height_px, panorama.width_px)
    stage = Stage.of(
        _bring_mask,
        folder,
        record=f"records/mask-{panorama.panorama}.json",
        writes=[name],
        reads=[source],
        settings={"shape": list(shape)},
    )
    make(stage, lambda out: write_mask(out / name, read_mask(source, shape)))


def _download_panorama(panorama: Panorama, folder: Path) -> Panorama | list[str]:
    path = folder / panorama.image
    if not path.is_file():
        download(panorama.source, path, panorama.image_sha256)
    if problems := image_problems(panorama, folder):
        return problems
    if panorama.plane is not None:
        return _extract_plane(panorama, path, folder)
    return replace(panorama, image_sha256=panorama.image_sha256 or sha256(path))


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


def download(address: str, path: Path, expected_sha256: str) -> None:
    """Download a file in one step: nothing appears at `path` unless it came whole and, where pinned, unchanged.

    Raises
    ------
    NnbookError
        Where the address is none or can't be reached, or the SHA-256 is another.
    """
    import pooch

    if urlsplit(address).scheme not in {"http", "https"}:
        raise InvalidValueError(f"{address}: is no web address; give one that begins with https://")
    with atomic_write(path) as written:
        try:
            pooch.retrieve(
                address,
                known_hash=f"sha256:{expected_sha256}" if expected_sha256 else None,
                fname=written.name,
                path=written.parent,
                downloader=pooch.HTTPDownloader(timeout=20),
            )
        except ValueError as error:
            raise NnbookError(f"{address}: its SHA-256 isn't the expected one; the file there has changed") from error
        except OSError as error:
            raise NnbookError(
                f"{address}: can't be downloaded ({type(error).__name__}); check the address and the network"
            ) from error


def _link(source: Path, path: Path) -> None:
    if path.resolve() != source.resolve():
        with atomic_write(path) as written:
            written.symlink_to(source.resolve())
