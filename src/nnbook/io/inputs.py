"""Image files by name: those of folders and manifests, and which mask belongs to which image."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from nnbook.errors import MissingFileError, NnbookError
from nnbook.io.manifest import read_manifest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from nnbook.io.manifest import Panorama
    from nnbook.io.paths import PathLike

MASK_SUFFIX: Final = "_cp_masks"
"""What follows an image's stem in the name of its mask, as Cellpose names them."""

IMAGE_TYPES: Final = (".tif", ".tiff", ".png", ".lsm", ".czi")

OTHER_MASKS: Final = ("_seg.npy", "_rois.zip", "_RoiSet.zip", ".zip")
"""What follows an image's stem in names of Cellpose's own files, and of ROI sets of Cellpose and ImageJ."""

MANIFEST_TYPES: Final = (".csv", ".tsv", ".txt")
"""Endings of manifests, in capitals too: Excel calls a table with tabs .txt."""


def other_image(image: Path, labels: Path) -> Path | None:
    """Return the image that a label image is named for, where that is another one of the image's folder.

    Parameters
    ----------
    image : Path
        The image that the labels are given with.
    labels : Path
        Masks or truth, such as `b_cp_masks.tif` or `truth/b.tif`: named for `b.tif`, where that is beside `image`.

    Returns
    -------
    Path or None
        None where the name says nothing.
    """
    stem = labels.stem.removesuffix(MASK_SUFFIX)
    if stem in {image.stem, image.stem.removesuffix(".ome")}:
        return None
    names = (f"{stem}{middle}{end}" for middle in ("", ".ome") for end in IMAGE_TYPES)
    found = (image.with_name(name) for name in names)
    return next((path for path in found if path.is_file() and not path.samefile(labels)), None)


def list_images(paths: Sequence[PathLike]) -> dict[str, Path]:
    """List images by name: those of one manifest, or image files and those of folders.

    Parameters
    ----------
    paths : sequence of str or Path
        A manifest alone; or image files, and folders of them, in any order. A mask that is given with its image, as in
        `folder/*.tif`, is left out.

    Returns
    -------
    dict of str to Path
        Image files by the panorama's name in the manifest, else by their own name without ending.

    Raises
    ------
    MissingFileError
        Where there is no such manifest or folder.
    NnbookError
        As `read_manifest` and `image_files`; also where two images have one name, or a manifest isn't given alone.
    """
    named = [Path(path) for path in paths]
    if rows := listed_rows(named):
        return {row.panorama: named[0].parent / row.image for row in rows}
    given = {(path.parent, path.stem) for path in named}
    images: dict[str, Path] = {}
    for path in named:
        if _is_manifest(path):
            raise NnbookError(f"{path}: is a manifest; give it alone, for it names all of its images")
        if path.stem.endswith(MASK_SUFFIX) and (path.parent, path.stem.removesuffix(MASK_SUFFIX)) in given:
            continue
        for name, image in (image_files(path) if path.is_dir() else {path.stem: path}).items():
            if name in images:
                raise NnbookError(
                    f"{image}: has the same name as {images[name]}; their masks would overwrite each other"
                )
            images[name] = image
    return images


def listed_rows(paths: Sequence[PathLike]) -> list[Panorama]:
    """Return the rows of a manifest that is given alone; none where image files and folders are given."""
    named = [Path(path) for path in paths]
    return read_manifest(named[0]) if len(named) == 1 and _is_manifest(named[0]) else []


def image_files(folder: PathLike) -> dict[str, Path]:
    """List a folder's images by stem, in the order of their names; masks beside them, `NAME_cp_masks.tif`, are none.

    Parameters
    ----------
    folder : str or Path
        The folder, without those in it.

    Returns
    -------
    dict of str to Path
        TIFF and PNG files by stem.

    Raises
    ------
    MissingFileError
        Where there is no such folder.
    NnbookError
        Where there is no image in it, or two files of one stem.
    """
    files = _files(folder)
    images = [path for path in files if not path.stem.endswith(MASK_SUFFIX)]
    if files and not images:
        raise NnbookError(f"{folder}: holds masks alone; give the folder of their images")
    return _by_stem(folder, images)


def masks_of(images: Mapping[str, Path], folder: PathLike) -> dict[str, Path]:
    """Find the masks of images in a folder.

    Parameters
    ----------
    images : mapping of str to Path
        Image files by name.
    folder : str or Path
        A folder of masks, `NAME_cp_masks.tif` or `NAME.tif`; for an image that has none of these, `NAME_seg.npy`, else
        `NAME_rois.zip`. It may be the one that the images are in: they are not taken for masks.

    Returns
    -------
    dict of str to Path
        Mask files by the same names.

    Raises
    ------
    MissingFileError
        Where there is no such folder.
    NnbookError
        With a line for each image that has no mask, or two.
    """
    found, problems = {}, []
    by_stem: dict[str, list[Path]] = {}
    for path in _without(_files(folder), images.values()):
        by_stem.setdefault(path.stem.removesuffix(MASK_SUFFIX), []).append(path)
    for name, image in images.items():
        match by_stem.get(name, []):
            case []:
                others = [path for end in OTHER_MASKS if (path := Path(folder) / f"{name}{end}").is_file()]
                if others:
                    found[name] = others[0]
                else:
                    problems.append(f"{image}: has no mask in {folder}; make it with 'nnbook segment'")
            case [mask]:
                found[name] = mask
            case [first, second, *_]:
                problems.append(_same_stem(second, first))
    if problems:
        raise NnbookError("\n".join(problems))
    return found


def pair_files(images: PathLike, masks: PathLike) -> dict[str, tuple[Path, Path]]:
    """Match a folder's images with the masks of another, or of the same, by stem.

    Parameters
    ----------
    images, masks : str or Path
        Folders of TIFF and PNG files: see `image_files` and `masks_of`. `a.png` and `a_cp_masks.tif` have one stem.

    Returns
    -------
    dict of str to (Path, Path)
        By stem, in the order of the names.

    Raises
    ------
    NnbookError
        As `image_files`; also with one line for each file that has no partner.
    """
    ones = image_files(images)
    return _paired(ones, _by_stem(masks, _without(_files(masks), ones.values())), images, masks)


def pair_masks(predicted: PathLike, true: PathLike) -> dict[str, tuple[Path, Path]]:
    """Match a folder's predicted masks with another's true ones by stem, as `pair_files` does images with masks."""
    return _paired(_by_stem(predicted, _files(predicted)), _by_stem(true, _files(true)), predicted, true)


def _paired(
    ones: dict[str, Path], others: dict[str, Path], first: PathLike, second: PathLike
) -> dict[str, tuple[Path, Path]]:
    problems = [f"{ones[stem]}: has no partner in {second}; add it or remove this" for stem in ones.keys() - others]
    problems += [f"{others[stem]}: has no partner in {first}; add it or remove this" for stem in others.keys() - ones]
    if problems:
        raise NnbookError("\n".join(sorted(problems)))
    return {stem: (path, others[stem]) for stem, path in ones.items()}


def _is_manifest(path: Path) -> bool:
    return path.suffix.lower() in MANIFEST_TYPES


def _files(folder: PathLike) -> list[Path]:
    """List a folder's TIFF and PNG files, without hidden ones."""
    folder = Path(folder)
    if not folder.is_dir():
        raise MissingFileError(f"{folder}: no such folder; give the one that holds the images or masks")
    return [path for path in sorted(folder.iterdir()) if path.suffix.lower() in IMAGE_TYPES and path.name[0] != "."]


def _without(files: Iterable[Path], others: Iterable[Path]) -> list[Path]:
    """Leave out the files that others are, by whatever path."""
    left_out = {os.path.realpath(path) for path in others}
    return [path for path in files if os.path.realpath(path) not in left_out]


def _same_stem(path: Path, other: Path) -> str:
    return f"{path}: has the same stem as {other.name}; keep one of the two in the folder"


def _by_stem(folder: PathLike, paths: Sequence[Path]) -> dict[str, Path]:
    files: dict[str, Path] = {}
    for path in paths:
        stem = path.stem.removesuffix(MASK_SUFFIX)
        if stem in files:
            raise NnbookError(_same_stem(path, files[stem]))
        files[stem] = path
    if not files:
        raise NnbookError(f"{folder}: holds no TIFF, PNG or CZI file; give the folder that holds the images or masks")
    return files
