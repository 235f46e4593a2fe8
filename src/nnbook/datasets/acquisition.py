"""Data sets as their authors publish them, fetched and converted to images and label images."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlsplit

import numpy as np

from nnbook.datasets.layouts import JUNK, read_layout
from nnbook.errors import InvalidValueError, MissingFileError, NnbookError, reason
from nnbook.io.files import atomic_write, sha256, write_json
from nnbook.io.images import write_image, write_mask
from nnbook.io.web import download

if TYPE_CHECKING:
    from nnbook.datasets.sample import Sample
    from nnbook.io.paths import PathLike
    from nnbook.reviews.datasets import DataSet, SetFile

RECORD: Final = "dataset.json"
"""What a converted data set says of itself, and by which it is known as one."""

HOW: Final = {
    "page": "find its files on {address}",
    "account": "log in at {address}, accept its terms, and download it there",
    "request": "ask for it at {address}",
    "files": "it is at {address}",
}
"""How a person gets a data set, by the way in which it is accessed."""


def get_dataset(dataset: DataSet, out: PathLike, *, local: PathLike | None = None) -> dict[str, Any]:
    """Fetch a data set, and write its images and label images.

    Parameters
    ----------
    dataset : DataSet
        Of the registry, see `nnbook.reviews.find_dataset`.
    out : str or Path
        The folder to write: `images/NAME.tif` and `labels/NAME.tif`, as `nnbook train` and `nnbook evaluate` take them,
        and `dataset.json`. An earlier one that was written like this is replaced in one step.
    local : str or Path, optional
        A folder with the set's files, or with what was in them: nothing is fetched then. So a set is converted that one
        has to log in for, or to ask for.

    Returns
    -------
    dict of str to Any
        `name`, `licence`, `images` and `nuclei` (how many), `shared_px` (pixels of two masks, see
        `nnbook.datasets.sample.join_masks`), `files` (each with `file`, `sha256` and `known`, whether that SHA-256 was
        known beforehand).

    Raises
    ------
    InvalidValueError
        Where `out` is something else than a data set of this form, or is in `local`.
    NnbookError
        Where the set has no files that can be fetched, how they are laid out is not known, a file can't be had, has
        another SHA-256 or is damaged, or an image or mask is refused (see `read_layout`). Nothing is written then.
    """
    out, folder = Path(out), None if local is None else Path(local)
    if out.exists() and not (out / RECORD).is_file():
        raise InvalidValueError(f"out is {out}, which is there and no data set; name a new folder", parameter="out")
    if folder is not None and out.resolve().is_relative_to(folder.resolve()):
        raise InvalidValueError(f"out is {out}, within the files of the set; name another folder", parameter="out")
    how = HOW[dataset.access].format(address=dataset.address)
    if dataset.layout is None:
        raise NnbookError(f"{dataset.name}: can't be converted, as the layout of its masks isn't known here; {how}")
    if folder is None and not dataset.files:
        raise NnbookError(f"{dataset.name}: can't be fetched by a program; {how}, and give its folder with --local")
    if folder is not None and not folder.is_dir():
        raise MissingFileError(f"{folder}: no such folder; name the one with the set's files")
    with atomic_write(out) as written:
        work = written.with_name("files")
        files, unpacked = _bring_files(dataset, work, folder)
        samples = read_layout(unpacked, dataset.layout)
        counts = _write_samples(samples, written)
        found = {"name": dataset.name, "licence": dataset.licence, **counts, "files": files}
        about = {"title": dataset.title, "address": dataset.address, "layout": dataset.layout.kind}
        write_json(written / RECORD, {**found, **about})
    return found


def _bring_files(dataset: DataSet, work: Path, local: Path | None) -> tuple[list[dict[str, Any]], Path]:
    """Bring a set's files into a work folder and unpack them; return what is known of them, and where they are."""
    names = [_file_name(file) for file in dataset.files]
    if local is not None and (not names or not all((local / name).is_file() for name in names)):
        return [], local  # unpacked already
    unpacked = work / "unpacked"
    unpacked.mkdir(parents=True)
    files = []
    for file, name in zip(dataset.files, names, strict=True):
        path = work / name if local is None else local / name
        if local is None:
            _download(dataset, file, path)
        found = sha256(path)
        if file.sha256 and found != file.sha256:
            raise NnbookError(
                f"{dataset.name}: {path} has another SHA-256 than the published file; get it again from {file.address}"
            )
        files.append({"file": file.address, "sha256": found, "known": bool(file.sha256)})
        _unpack(path, unpacked)
        if local is None:
            path.unlink()
    return files, unpacked


def _download(dataset: DataSet, file: SetFile, path: Path) -> None:
    try:
        download(file.address, path, file.sha256 or "")
    except NnbookError as error:
        raise NnbookError(f"{dataset.name}: {error}") from error


def _file_name(file: SetFile) -> str:
    return PurePosixPath(unquote(urlsplit(file.address).path)).name or "file"


def _unpack(path: Path, folder: Path) -> None:
    """Unpack a zip file, or put a file that is none beside the others."""
    if not zipfile.is_zipfile(path):
        shutil.copyfile(path, folder / path.name)
        return
    try:
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                parts = PurePosixPath(name.replace("\\", "/"))
                if ".." in parts.parts or parts.is_absolute():
                    raise NnbookError(f"{path}: holds {name}, which leads out of it; do not use this file")
            members = [member for member in archive.infolist() if not JUNK.search(member.filename)]
            needed, free = sum(member.file_size for member in members), shutil.disk_usage(folder).free
            if needed > free:
                raise NnbookError(f"{path}: unpacks to {needed:,} bytes and {free:,} are free; make room")
            archive.extractall(folder, members)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        raise NnbookError(f"{path}: can't be unpacked ({reason(error)}); get it again") from error


def _write_samples(samples: Any, folder: Path) -> dict[str, int]:
    from nnbook.io.progress import show_progress

    counts = {"images": 0, "nuclei": 0, "shared_px": 0}
    with show_progress(desc="convert", unit="image") as bar:
        for sample in samples:
            _write_sample(sample, folder)
            counts["images"] += 1
            counts["nuclei"] += int(np.count_nonzero(np.unique(sample.labels)))
            counts["shared_px"] += sample.shared_px
            bar.update()
    return counts


def _write_sample(sample: Sample, folder: Path) -> None:
    image = folder / "images" / f"{sample.name}.tif"
    if image.exists():
        raise NnbookError(f"{sample.name}: two images of the set get this name; rename the files, and use --local")
    write_image(image, sample.image)
    write_mask(folder / "labels" / f"{sample.name}.tif", sample.labels)
