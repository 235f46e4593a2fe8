"""What the linked viewer of methods reads: one image, its true nuclei, and each method's masks with their mistakes."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from nnbook.evaluation.metrics import mistakes, overlaps
from nnbook.evaluation.places import places_of
from nnbook.io.edition import LIVE
from nnbook.io.files import atomic_write, write_json
from nnbook.viewers.pyramid import LABEL_TILE_PX, LivePyramid, check_sizes, tile_names, write_pyramid

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from nnbook.io.images import Image, Labels
    from nnbook.io.paths import PathLike

FOLDER: Final = "methods"
"""The folder, in that of what live figures show, of the viewer's files."""


class Shown(NamedTuple):
    """A method in the viewer.

    Attributes
    ----------
    title : str
        What the viewer calls it.
    masks : Labels
        Axes (y, x), of the image's size; 0 for background.
    """

    title: str
    masks: Labels


def write_linked(
    figures: PathLike, image: Image, true: Labels, methods: Mapping[str, Shown], *, title: str, px_per_um: float
) -> Path:
    """Write what the linked viewer shows into an edition's folder of figures.

    Parameters
    ----------
    figures : str or Path
        The folder of figures. The files are in `live/methods/` there: `methods.json`, `truth.zip` with the tiles of the
        image and of its true nuclei, and `NAME.zip` with those of a method's masks.
    image : Image
        Axes (y, x).
    true : Labels
        The true nuclei, of the image's size.
    methods : mapping of str to Shown
        By name; the viewer keeps their order.
    title : str
        What the image is.
    px_per_um : float
        Pixels a micrometre.

    Returns
    -------
    Path
        `methods.json`: with the mistakes of each method, their places, and which true nuclei they are about.

    Raises
    ------
    InvalidValueError
        Where masks have another size than the image. Then nothing is written.
    """
    for name, shown in {"truth": Shown("Truth", true), **methods}.items():
        check_sizes(name, image.shape, shown.masks.shape)
    folder = Path(figures) / LIVE / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    for former in folder.glob("*.zip"):
        if former.stem not in {"truth", *methods}:
            former.unlink()
    write_pyramid(folder / "truth.zip", image, true, zipped=True)
    for name, shown in methods.items():
        _write_masks(folder / f"{name}.zip", shown.masks)
    described = {
        "version": 1,
        "title": title,
        "width": image.shape[1],
        "height": image.shape[0],
        "px_per_um": px_per_um,
        "nuclei": int(np.unique(true[true > 0]).size),
        "methods": [
            {"name": name, "title": shown.title, **_wrong(shown.masks, true)} for name, shown in methods.items()
        ],
    }
    path = folder / "methods.json"
    write_json(path, described, indent=None)
    return path


def _write_masks(path: Path, masks: Labels) -> None:
    """Write the tiles of masks alone as a zip; `write_pyramid` has an image beside them, which is here but once."""
    pyramid = LivePyramid(path.stem, None, masks)
    height, width = masks.shape
    names = ["labels.dzi", *(f"labels_files/{tile}.png" for tile in tile_names(width, height, LABEL_TILE_PX))]
    with atomic_write(path) as written, zipfile.ZipFile(written, "x", zipfile.ZIP_STORED) as archive:
        for name in names:
            archive.writestr(zipfile.ZipInfo(name), pyramid.read(name) or b"")


def _wrong(masks: Labels, true: Labels) -> dict[str, Any]:
    """Return the mistakes of masks as columns, and for each true nucleus that one is about, which one."""
    found = mistakes(masks, true)
    about = {kind: found[kind].tolist() for kind in ("missed", "split")}
    return {
        "columns": places_of(found, masks, true),
        "nuclei": {**about, "merged": _held(masks, true, found["merged"])},
    }


def _held(masks: Labels, true: Labels, merged: NDArray[np.int64]) -> list[int]:
    """Return the true nuclei of which merged masks have most."""
    p, t, area = overlaps(masks, true)
    area_of = dict(zip(*np.unique(true, return_counts=True), strict=True))
    most = np.array([2 * shared > area_of[label] for label, shared in zip(t, area, strict=True)], bool)
    return [int(label) for label in np.unique(t[most & (t > 0) & np.isin(p, merged)])]
