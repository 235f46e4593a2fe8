"""One image of a data set with its label image, and how masks that are apart become one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from nnbook.errors import NnbookError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from numpy.typing import NDArray

SAME: Final = 0.5
"""Two masks that share more than this part of the smaller one outline one nucleus twice."""


@dataclass(frozen=True)
class Sample:
    """An image with its label image.

    Attributes
    ----------
    name : str
        Of its files, without an ending.
    image : numpy.ndarray
        Axes (y, x), or (z, y, x) of a volume: grey levels as they are in the file, of colours their luminance.
    labels : numpy.ndarray
        Of the same axes and size, int32: 0 for background, and a number from 1 for each nucleus.
    shared_px : int
        Pixels that two masks had, of which one got each: see `join_masks`.
    """

    name: str
    image: NDArray[Any]
    labels: NDArray[np.int32]
    shared_px: int = 0


class Mask(NamedTuple):
    """The mask of one nucleus: what a message calls it, and its pixels, axes (y, x), bool."""

    name: str
    inside: NDArray[np.bool_]


def join_masks(where: Path, masks: Iterable[Mask], shape: tuple[int, int]) -> tuple[NDArray[np.int32], int]:
    """Put the masks of single nuclei into one label image.

    A pixel that two masks have goes to the smaller one, whose nucleus is in front, or would lose more of itself.

    Parameters
    ----------
    where : Path
        The file or folder that the masks are from, for messages.
    masks : iterable of Mask
        In the order of the labels that they get, from 1.
    shape : (int, int)
        Height and width of the image in px.

    Returns
    -------
    (numpy.ndarray, int)
        The label image, axes (y, x), int32, and how many pixels more than one mask had.

    Raises
    ------
    NnbookError
        Where a mask has another size or no pixel, or shares more than half of the smaller one's pixels with another.
    """
    labels = np.zeros(shape, np.int32)
    areas: list[int] = [0]
    names: list[str] = [""]
    shared = 0
    for label, mask in enumerate(masks, start=1):
        if mask.inside.shape != shape:
            size = " x ".join(map(str, mask.inside.shape[::-1]))
            raise NnbookError(
                f"{where}: mask {mask.name} is {size} px but the image {shape[1]} x {shape[0]}; take that image's masks"
            )
        area = int(np.count_nonzero(mask.inside))
        if area == 0:
            raise NnbookError(f"{where}: mask {mask.name} holds no pixel; remove it")
        held = labels[mask.inside]
        taken = mask.inside.copy()
        for other, pixels in zip(*np.unique(held[held > 0], return_counts=True), strict=True):
            smaller = min(area, areas[other])
            if pixels > SAME * smaller:
                raise NnbookError(
                    f"{where}: mask {mask.name} has {pixels:,} of {smaller:,} px in common with mask {names[other]}; "
                    "they outline one nucleus twice, so remove one"
                )
            shared += int(pixels)
            if areas[other] <= area:
                taken &= labels != other
        labels[taken] = label
        areas.append(area)
        names.append(mask.name)
    return labels, shared


def grey_levels(where: Path, pixels: NDArray[Any]) -> NDArray[Any]:
    """Return the grey levels of an image that may be in colours.

    Parameters
    ----------
    where : Path
        The file, for messages.
    pixels : numpy.ndarray
        Axes (y, x), (y, x, channel) or (channel, y, x), with at most 4 channels; a second and a fourth are opacity.

    Returns
    -------
    numpy.ndarray
        Axes (y, x), in the type that it had. The one channel that is not empty; else, where channels differ, their
        luminance (ITU-R BT.601: 0.299 red, 0.587 green, 0.114 blue).

    Raises
    ------
    NnbookError
        Where it has other axes, or its pixels are no grey levels.
    """
    if pixels.dtype.kind not in "uif" or pixels.size == 0:
        raise NnbookError(f"{where}: holds {pixels.dtype} values; an image has grey levels or colours")
    if pixels.ndim == 2:
        return pixels
    if pixels.ndim == 3 and pixels.shape[0] in {2, 3, 4} and pixels.shape[2] > 4:
        pixels = np.moveaxis(pixels, 0, 2)
    if pixels.ndim != 3 or pixels.shape[2] not in {1, 2, 3, 4}:
        axes = " x ".join(map(str, pixels.shape))
        raise NnbookError(f"{where}: has {axes} values; an image has rows, columns and at most 4 channels")
    colours = pixels[..., : {1: 1, 2: 1, 3: 3, 4: 3}[pixels.shape[2]]]
    filled = [channel for channel in np.moveaxis(colours, 2, 0) if channel.any()]
    if not filled or all((channel == filled[0]).all() for channel in filled[1:]):
        return np.ascontiguousarray(filled[0] if filled else colours[..., 0])
    luminance = colours.astype(np.float64) @ np.array([0.299, 0.587, 0.114])
    whole = pixels.dtype.kind in "ui"
    grey: NDArray[Any] = (np.rint(luminance) if whole else luminance).astype(pixels.dtype)
    return grey
