"""Files of microscopes that only an optional reader knows: Zeiss CZI, by bioio."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nnbook.errors import NnbookError
from nnbook.io.pixels import Pixels, check_memory
from nnbook.io.planes import Plane, select_plane

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


def open_czi(path: Path, plane: Plane | None) -> Pixels:
    """Look at a CZI file without decoding its pixels; tiles of one scene are stitched as ZEN placed them.

    Parameters
    ----------
    path : Path
        The file.
    plane : Plane, optional
        Which of its planes is the image.

    Returns
    -------
    Pixels

    Raises
    ------
    NnbookError
        Where the reader is not installed, or the file holds no single plane.
    """
    image = _open(path)
    if len(image.scenes) > 1:
        raise NnbookError(f"{path}: has {len(image.scenes)} scenes; export each as a file")
    sizes = dict(image.dims.items())
    selection = select_plane(path, sizes, [str(name) for name in image.channel_names or ()], plane or Plane())

    def decode() -> NDArray[Any]:
        check_memory(path, sizes["Y"] * sizes["X"] * np.dtype(image.dtype).itemsize)
        at = selection.indices
        if selection.projected is None:
            return np.asarray(image.get_image_dask_data("YX", **at).compute())
        stack = image.get_image_dask_data("ZYX", **at)
        greatest = np.asarray(stack[0].compute())
        for one in stack[1:]:
            greatest = np.maximum(greatest, np.asarray(one.compute()))
        return greatest

    return Pixels((sizes["Y"], sizes["X"]), decode)


def is_czi(path: Path) -> bool:
    """Return whether a file begins as CZI files do."""
    with path.open("rb") as file:
        return file.read(10) == b"ZISRAWFILE"


def czi_axes(path: Path) -> tuple[dict[str, int], list[str]]:
    """Return the sizes of a CZI file's axes by their letters, and the names of its channels."""
    image = _open(path)
    return dict(image.dims.items()), [str(name) for name in image.channel_names or ()]


def czi_scale(path: Path) -> tuple[float, float] | None:
    """Return the pixels per micrometre, across and down, that a CZI file says; None where it says none."""
    sizes_um = _open(path).physical_pixel_sizes
    return (1 / float(sizes_um.X), 1 / float(sizes_um.Y)) if sizes_um.X and sizes_um.Y else None


def _open(path: Path) -> Any:
    try:
        from bioio import BioImage
        from bioio_czi import Reader
    except ImportError as error:
        raise NnbookError(
            f"{path}: is a CZI file, whose reader is not installed; install it with 'pip install nnbook[czi]', or "
            "export the file as OME-TIFF"
        ) from error
    return BioImage(path, reader=Reader)
