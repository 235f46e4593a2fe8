"""Denoised copies of image files: `nnbook denoise`."""

from __future__ import annotations

import importlib.metadata
import os
import sys
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from nnbook.denoising.denoiser import (
    Denoiser,
    DenoisingSettings,
    check_images,
    check_settings,
    load_denoiser,
    train_denoiser,
    write_denoiser,
)
from nnbook.errors import InvalidValueError, NnbookError, all_of
from nnbook.io.images import read_image, write_image
from nnbook.io.planes import plane_settings
from nnbook.io.progress import show_progress
from nnbook.io.scale import image_scale
from nnbook.provenance.stage import Stage, make, recorded_result

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nnbook.io.paths import PathLike
    from nnbook.io.planes import Plane

MODEL: Final = "denoiser.pt"


def denoise_files(
    images: Mapping[str, PathLike],
    out: PathLike,
    settings: DenoisingSettings | None = None,
    *,
    model: PathLike | None = None,
    plane: Plane | None = None,
) -> list[Path]:
    """Denoise image files, each that isn't up to date, and write `NAME.tif` for each.

    The network is trained on all images together and kept as `denoiser.pt`, or was trained before. Beside each file is
    `NAME.json`, which records the SHA-256 of the noisy image and of the model, and the settings. Where they are the
    same, the file stays as it is: a call that was interrupted goes on. Type and scale are those of the noisy image.
    Images with pixels beyond the range of their type are named on standard error.

    Parameters
    ----------
    images : mapping of str to str or Path
        Image files by the name that their copies get: see `nnbook.io.inputs.list_images`.
    out : str or Path
        The folder to write to, another one than that of any image.
    settings : DenoisingSettings, optional
        How to train.
    model : str or Path, optional
        A `denoiser.pt` that was trained before.
    plane : Plane, optional
        Which plane of each file is the image, where files have several.

    Returns
    -------
    list of Path
        The denoised images, in the order of `images`.

    Raises
    ------
    InvalidValueError
        Where a setting is out of range, the folder is that of an image, or an image is too small, has one grey level
        alone or another range than the others.
    NnbookError
        Where files can't be read, with one line for each.
    """
    out, files = Path(out), {name: Path(path) for name, path in images.items()}
    settings = settings or DenoisingSettings()
    check_settings(settings)
    for path in files.values():
        if os.path.realpath(path.parent) == os.path.realpath(out):
            raise InvalidValueError(
                f"out is {out}, where {path.name} is; give another folder, so that noisy images stay", parameter="out"
            )
    model = Path(model) if model is not None else _train(files, out, settings, plane)
    denoiser = load_denoiser(model)
    made: list[Path] = []
    problems: list[NnbookError] = []
    for name, path in show_progress(files.items(), desc="denoise", unit="image"):
        stage = _stage(f"{name}.json", [f"{name}.tif"], out, [path, model], plane_settings(plane))
        try:
            make(stage, partial(_denoise_file, path, f"{name}.tif", denoiser=denoiser, plane=plane))
            made.append(out / f"{name}.tif")
        except NnbookError as error:
            problems.append(_named(path, error))
            continue
        if clipped := (recorded_result(stage) or {}).get("clipped_px"):
            print(
                f"nnbook: {path}: {clipped:,} px of it are beyond the range of its type and were set to its end",
                file=sys.stderr,
            )
    if problems:
        raise all_of(problems)
    return made


def _train(files: Mapping[str, Path], out: Path, settings: DenoisingSettings, plane: Plane | None) -> Path:
    """Train on files, unless that was done, and return the model's."""
    about = {**asdict(settings), **plane_settings(plane)}
    make(_stage(f"{MODEL}.json", [MODEL], out, list(files.values()), about), partial(_train_on, files, settings, plane))
    return out / MODEL


def _stage(record: str, writes: list[str], out: Path, reads: list[Path], settings: dict[str, Any]) -> Stage:
    versions = {name: importlib.metadata.version(name) for name in ("torch", "numpy")}
    return Stage.of(denoise_files, out, record, writes, reads=reads, settings={**settings, "versions": versions})


def _train_on(files: Mapping[str, Path], settings: DenoisingSettings, plane: Plane | None, out: Path) -> dict[str, Any]:
    images, problems = {}, []
    for path in files.values():
        try:
            images[str(path)] = read_image(path, plane)
            check_images({str(path): images[str(path)]}, settings.patch_px)
        except NnbookError as error:
            problems.append(_named(path, error))
    if problems:
        raise all_of(problems)
    denoiser = train_denoiser(images, settings)
    write_denoiser(out / MODEL, denoiser)
    last = denoiser.loss[-max(1, settings.steps // 10) :]
    return {"result": {"images": len(images), "first_loss": denoiser.loss[0], "last_loss": sum(last) / len(last)}}


def _denoise_file(path: Path, name: str, out: Path, *, denoiser: Denoiser, plane: Plane | None) -> dict[str, Any]:
    denoised = denoiser.denoise(read_image(path, plane))
    write_image(out / name, denoised.image, px_per_um=image_scale(path))
    return {"result": {"clipped_px": denoised.clipped_px}}


def _named(path: Path, error: NnbookError) -> NnbookError:
    """Return an error that names the file."""
    if str(path) in str(error):
        return error
    return NnbookError(f"{path}: {str(error).removeprefix('the image: ')}")
