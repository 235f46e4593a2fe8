"""Image files by name: those of folders and manifests, and which mask belongs to which image."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from nnbook.errors import MissingFileError, NnbookError
from nnbook.io.manifest import read_manifest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nnbook.io.paths import PathLike

MASK_SUFFIX: Final = "_cp_masks"
"""What follows an image's stem in the name of its mask, as Cellpose names them."""

IMAGE_TYPES: Final = (".tif", ".tiff", ".png")


def list_images(paths: Sequence[PathLike]) -> dict[str, Path]:
    """List images by name: those of one manifest, or image files and those of folders.

    Parameters
    ----------
    paths : sequence of str or Path
        A CSV manifest alone; or image files, and folders of them, in any order.

    Returns
    -------
    dict of str to Path
        Image files by the panorama's name in the manifest, else by their own name without ending.

    Raises
    ------
    MissingFileError
        Where there is no such manifest or folder.
    NnbookError
        As `read_manifest` and `image_files`; also where two images have one name.
    """
    named = [Path(path) for path in paths]
    if len(named) == 1 and named[0].suffix == ".csv":
        return manifest_images(named[0])
    images: dict[str, Path] = {}
    for path in named:
        for name, image in (image_files(path) if path.is_dir() else {path.stem: path}).items():
            if name in images:
                raise NnbookError(
                    f"{image}: has the same name as {images[name]}; their masks would overwrite each other"
                )
            images[name] = image
    return images


def image_files(folder: PathLike) -> dict[str, Path]:
    """List a folder's TIFF and PNG files by stem, without `MASK_SUFFIX`, in the order of their names.

    Parameters
    ----------
    folder : str or Path
        The folder, without those in it.

    Returns
    -------
    dict of str to Path
        Files by stem.

    Raises
    ------
    MissingFileError
        Where there is no such folder.
    NnbookError
        Where there is no image in it, or two files of one stem.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise MissingFileError(f"{folder}: no such folder; give the one that holds the images or masks")
    files: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in IMAGE_TYPES or path.name.startswith("."):
            continue
        stem = path.stem.removesuffix(MASK_SUFFIX)
        if stem in files:
            raise NnbookError(f"{path}: has the same stem as {files[stem].name}; keep one of the two in the folder")
        files[stem] = path
    if not files:
        raise NnbookError(f"{folder}: holds no TIFF or PNG file; give the folder that holds the images or masks")
    return files


def pair_files(first: PathLike, second: PathLike) -> dict[str, tuple[Path, Path]]:
    """Match the files of two folders by stem: images with masks, or predicted masks with true ones.

    Parameters
    ----------
    first, second : str or Path
        Folders of TIFF and PNG files. `a_cp_masks.tif` and `a.png` have the same stem.

    Returns
    -------
    dict of str to (Path, Path)
        By stem, in the order of the names.

    Raises
    ------
    NnbookError
        As `image_files`; also with one line for each file that has no partner.
    """
    ones, others = image_files(first), image_files(second)
    problems = [f"{ones[stem]}: has no partner in {second}; add it or remove this" for stem in ones.keys() - others]
    problems += [f"{others[stem]}: has no partner in {first}; add it or remove this" for stem in others.keys() - ones]
    if problems:
        raise NnbookError("\n".join(sorted(problems)))
    return {stem: (path, others[stem]) for stem, path in ones.items()}


def manifest_images(manifest: PathLike) -> dict[str, Path]:
    """List the panoramas of a manifest for `segment_files`: image files by the panorama's name.

    Parameters
    ----------
    manifest : str or Path
        See `nnbook.io.manifest.read_manifest`, which also says what raises `NnbookError`.

    Returns
    -------
    dict of str to Path
        In the order of the manifest.
    """
    manifest = Path(manifest)
    return {row.panorama: manifest.parent / row.image for row in read_manifest(manifest)}
