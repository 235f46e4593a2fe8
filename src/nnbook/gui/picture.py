"""An image as a browser asks for it: tiles of 8-bit grey levels and of labels, at full size and at halves of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np

from nnbook.io.images import to_8_bits

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nnbook.io.images import Image

TILE_PX: Final = 512
"""Side of a tile in px of its level; see widgets/segment/display.ts."""


def highest_level(shape: tuple[int, ...]) -> int:
    """Return the level at which an image has its full size; each below has half of it, rounded up."""
    return (max(*shape, 1) - 1).bit_length()


class Picture:
    """The grey levels of an image as they are shown.

    Parameters
    ----------
    image : Image
        Axes (y, x).
    """

    def __init__(self, image: Image) -> None:
        self._levels = [to_8_bits(image)]
        self._highest = highest_level(image.shape)

    def tile(self, level: int, column: int, row: int) -> NDArray[np.uint8]:
        """Return a tile, axes (y, x); empty where there is none."""
        halvings = self._highest - level
        if halvings < 0:
            return np.zeros((0, 0), np.uint8)
        while len(self._levels) <= halvings:
            height, width = self._levels[-1].shape
            size = ((width + 1) // 2, (height + 1) // 2)
            self._levels.append(np.asarray(cv2.resize(self._levels[-1], size, interpolation=cv2.INTER_AREA), np.uint8))
        return self._levels[halvings][_place(column, row)]


def tile_of_labels(labels: Any, level: int, column: int, row: int) -> tuple[Any, tuple[slice, slice]]:
    """Return a tile of labels, every so many pixels one, and which pixels of the labels these are."""
    shrink = 2 ** max(0, highest_level(labels.shape) - level)
    rows, columns = _place(column, row)
    place = (
        slice(rows.start * shrink, rows.stop * shrink, shrink),
        slice(columns.start * shrink, columns.stop * shrink, shrink),
    )
    return labels[place], place


def _place(column: int, row: int) -> tuple[slice, slice]:
    return slice(row * TILE_PX, (row + 1) * TILE_PX), slice(column * TILE_PX, (column + 1) * TILE_PX)
