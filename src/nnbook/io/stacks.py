"""Files of several channels or z planes, as one array."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from nnbook.io.files import check_regular
from nnbook.io.images import read_image
from nnbook.io.pixels import check_memory
from nnbook.io.planes import Plane
from nnbook.io.tiff import tiff_planes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nnbook.io.paths import PathLike

TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


class ChannelPicture(NamedTuple):
    """An image of several channels, reduced to the size of a figure.

    Attributes
    ----------
    name : str
        The panorama's name.
    image : numpy.ndarray
        Axes (y, x, red green blue), uint8: the channels added up in their colours, in the z plane shown first.
    channels : list of (str, str)
        Names and colours of the channels that are shown.
    px_per_um : float
        Pixels of the reduced image a micrometre.
    """

    name: str
    image: NDArray[np.uint8]
    channels: list[tuple[str, str]]
    px_per_um: float


def read_stack(path: PathLike) -> tuple[NDArray[Any], list[str] | None, list[str | None] | None] | None:
    """Read all channels and z planes of a TIFF file.

    Parameters
    ----------
    path : str or Path
        An OME-TIFF, ImageJ or LSM file.

    Returns
    -------
    (numpy.ndarray, list of str or None, list of str or None), or None
        Axes (c, z, y, x), as stored; names and colours of the channels, such as `#ff00ff`, where the file says so.
        None where the file is no TIFF, or has one plane.

    Raises
    ------
    NnbookError
        As `nnbook.io.images.read_image`, or where the whole does not fit into memory.
    """
    path = Path(path)
    check_regular(path)
    with path.open("rb") as file:
        if not file.read(4).startswith(TIFF):
            return None
    try:
        channels, planes, names, colours = tiff_planes(path)
    except (ValueError, KeyError, IndexError, TypeError, OSError):
        return None  # read_image says what is wrong with it
    if channels * planes == 1:
        return None

    def plane(channel: int, z: int) -> NDArray[Any]:
        chosen = Plane(str(channel) if channels > 1 else None, str(z) if planes > 1 else None)
        return read_image(path, chosen)

    first = plane(0, 0)
    check_memory(path, first.nbytes * channels * planes)
    stack = np.empty((channels, planes, *first.shape), first.dtype)
    for channel in range(channels):
        for z in range(planes):
            stack[channel, z] = first if channel == z == 0 else plane(channel, z)
    return stack, names or None, colours if len(colours) == channels else None
