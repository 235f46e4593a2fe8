"""Pixels of any format: an image that is not decoded yet, and what its values mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nnbook.errors import NnbookError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray


@dataclass(frozen=True)
class Pixels:
    """An image that was looked at, but is not decoded.

    Attributes
    ----------
    shape : (int, int)
        Height and width in px.
    decode : callable
        Returns its grey levels or labels, axes (y, x).
    """

    shape: tuple[int, int]
    decode: Callable[[], NDArray[Any]]


def decoded(pixels: Pixels, *, only: bool) -> Pixels:
    """Return an image decoded where only its pixels say whether it is one, as whether a picture in colours is grey."""
    if not only:
        return pixels
    array = pixels.decode()
    return Pixels(pixels.shape, lambda: array)


def check_memory(path: Path, size: int) -> None:
    """Refuse an image that does not fit into memory, before the machine is brought to a halt.

    Parameters
    ----------
    path : Path
        The file, for the message.
    size : int
        Its size in bytes once decoded.

    Raises
    ------
    NnbookError
        Where less is free.
    """
    import psutil

    free = psutil.virtual_memory().available
    if size > free:
        raise NnbookError(
            f"{path}: needs {size / 1e9:,.1f} GB of memory and {free / 1e9:,.1f} GB are free; crop or downsample it, "
            "or use a larger machine"
        )


def shown_palette(path: Path, palette: NDArray[Any]) -> NDArray[np.uint8]:
    """Return the grey level that a palette shows for each value.

    Parameters
    ----------
    path : Path
        The file, for the message.
    palette : numpy.ndarray
        Axes (value, colour), levels from 0 to 255 of red, green and blue.

    Returns
    -------
    numpy.ndarray
        uint8, a level a value. Of a palette of one hue, such as the blue that microscopes give DAPI, it is the
        brightest colour's level.

    Raises
    ------
    NnbookError
        Where the palette has several hues, so that no order of grey levels is meant.
    """
    colours = palette[:, :3].astype(np.int64)
    values = colours.max(axis=1)
    brightest = colours[values.argmax()]
    # Of one hue, every colour is a darker version of the brightest.
    expected = np.rint(values[:, None] * brightest / max(1, int(values.max())))
    if np.abs(colours - expected).max(initial=0) > 2:
        raise NnbookError(f"{path}: has a palette of several colours; export it as grey levels")
    shown: NDArray[np.uint8] = values.astype(np.uint8)
    return shown


def single_channel(path: Path, samples: NDArray[Any]) -> NDArray[Any]:
    """Return the grey levels of a picture whose red, green and blue are the same everywhere.

    Parameters
    ----------
    path : Path
        The file, for the message.
    samples : numpy.ndarray
        Axes (y, x, sample): grey and alpha, or red, green, blue, and maybe alpha.

    Returns
    -------
    numpy.ndarray
        Axes (y, x).

    Raises
    ------
    NnbookError
        Where it has colours or is transparent anywhere.
    """
    count = samples.shape[-1]
    colours = 3 if count >= 3 else 1
    alpha = samples[..., colours] if count > colours else None
    opaque = np.iinfo(samples.dtype).max if samples.dtype.kind == "u" else 1
    if alpha is not None and (alpha != opaque).any():
        raise NnbookError(f"{path}: is transparent in places; export the DAPI channel as grey levels")
    first = samples[..., 0]
    if any((samples[..., number] != first).any() for number in range(1, colours)):
        raise NnbookError(
            f"{path}: is a picture in colours; export the DAPI channel as grey levels, or choose one with channel blue"
        )
    return np.ascontiguousarray(first)


def upright(pixels: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Turn an image as its orientation tag says.

    Parameters
    ----------
    pixels : numpy.ndarray
        Axes (y, x), as stored.
    orientation : int
        From 1, as it is, to 8, as TIFF 6.0 and EXIF number them.

    Returns
    -------
    numpy.ndarray
        Axes (y, x), as a viewer shows it.
    """
    if orientation in {5, 6, 7, 8}:
        pixels = pixels.T
        # Once rows and columns are swapped, what is left is a flip.
        orientation = {5: 1, 6: 2, 7: 3, 8: 4}[orientation]
    flipped = {2: (1,), 3: (0, 1), 4: (0,)}.get(orientation, ())
    return np.ascontiguousarray(np.flip(pixels, flipped))
