"""Whether the files of a manifest are what it says they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnbook.errors import NnbookError
from nnbook.io.files import sha256
from nnbook.io.images import image_shape

if TYPE_CHECKING:
    from pathlib import Path

    from nnbook.io.manifest import Panorama


def problems_of(panorama: Panorama, folder: Path) -> list[str]:
    """Check one panorama's image, and its mask where the manifest names one.

    Parameters
    ----------
    panorama : Panorama
        A row of the manifest.
    folder : Path
        The folder that the row's paths are below. Links that lead out of it are refused.

    Returns
    -------
    list of str
        A line for each thing that is wrong; empty where all is well. An image that isn't there yet is well where the
        row names a source to get it from.
    """
    problems = []
    image = folder / panorama.image
    if image.exists() or not panorama.source:
        problems += _problems_of_file(panorama, image, folder)
        if not problems and panorama.image_sha256 and sha256(image) != panorama.image_sha256:
            problems.append(
                f"{panorama.panorama}: {image} has another SHA-256 than the manifest; get the file again, or correct "
                "the manifest where the image was changed on purpose"
            )
    if panorama.mask:
        problems += _problems_of_file(panorama, folder / panorama.mask, folder)
    return problems


def _problems_of_file(panorama: Panorama, path: Path, folder: Path) -> list[str]:
    if not path.resolve().is_relative_to(folder.resolve()):
        return [f"{panorama.panorama}: {path} leads out of {folder}; copy the file there"]
    try:
        height, width = image_shape(path)
    except NnbookError as error:
        return [f"{panorama.panorama}: {error}"]
    if (width, height) != (panorama.width_px, panorama.height_px):
        return [
            f"{panorama.panorama}: {path} has {width} x {height} px, but the manifest says {panorama.width_px} x "
            f"{panorama.height_px}; correct the one that is wrong"
        ]
    return []
