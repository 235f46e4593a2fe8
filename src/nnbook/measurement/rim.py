"""Wider masks: each nucleus with a rim of what is round it, as the published masks have one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from nnbook.errors import InvalidValueError
from nnbook.io.compiled import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nnbook.io.images import Labels, NarrowLabels

MOST_RIM_PX: Final = 1000.0
"""The time grows with the rim."""


def check_rim(rim_um: float) -> None:
    """Refuse a rim that is not above 0."""
    if not 0 < rim_um < np.inf:
        raise InvalidValueError(f"rim_um is {rim_um:g}; give a number of um above 0", parameter="rim_um")


def widen(labels: Labels, rim_px: float) -> Labels:
    """Widen each mask by a rim, never into another: a pixel of background gets the label nearest to it.

    Parameters
    ----------
    labels : Labels
        Axes (y, x), int32: 0 is background.
    rim_px : float
        How far a mask is widened at most, in px: the Euclidean distance between centres of pixels.

    Returns
    -------
    Labels
        A new array of the same shape. Of labels that are equally near, the lowest is taken.

    Raises
    ------
    InvalidValueError
        Where the rim is not between 0 and 1,000 px.

    Notes
    -----
    Exact, in two passes over the distance along columns and then along rows (Meijster, Roerdink & Hesselink 2000), as
    far as the rim; the time grows with the pixels near nuclei times the rim.
    """
    return widened_rows(labels, rim_px, 0, labels.shape[0])


def widened_rows(labels: Labels | NarrowLabels, rim_px: float, top: int, end: int) -> Labels:
    """Return rows `top` to `end`, exclusive, of a widened mask, for which no more than those need memory: see `widen`.

    Parameters
    ----------
    labels : Labels or NarrowLabels
        Axes (y, x), the whole mask.
    rim_px : float
        As in `widen`.
    top, end : int
        The first row, and the one after the last.

    Returns
    -------
    Labels
        Axes (y, x), int32.
    """
    if not 0 <= rim_px <= MOST_RIM_PX:
        raise InvalidValueError(f"the rim is {rim_px:g} px; give 0 to {MOST_RIM_PX:,.0f} px", parameter="rim_um")
    # No row depends on one that is further away than the rim.
    first = max(0, top - int(rim_px))
    near = np.ascontiguousarray(labels[first : end + int(rim_px)], dtype=np.int32)
    widened: Labels = _widen(near, float(rim_px))
    return widened[top - first : end - first]


@compiled
def _widen(labels: Labels, rim: float) -> Labels:
    height, width = labels.shape
    reach = int(rim)
    widened = labels.copy()
    above = np.full(width, -reach - 1)  # of each column, the row of the nearest nucleus at or above this row
    below = np.full(width, -1)  # and of the nearest one at or below; where that is beyond the rim, the first row beyond
    squares = np.empty(width)  # squared distance to the nearest of the two, or infinite
    nearest = np.zeros(width, np.int32)  # and its label
    for y in range(height):
        last = min(y + reach + 1, height)
        for x in range(width):
            if labels[y, x] != 0:
                above[x] = y
            row = max(below[x], y)
            while row < last and labels[row, x] == 0:
                row += 1
            below[x] = row
            up, down = y - above[x], row - y if row < last else reach + 1
            squares[x] = min(up, down) ** 2 if min(up, down) <= reach else np.inf
            if up <= min(down, reach):
                nearest[x] = labels[above[x], x]
            if down <= reach and (down < up or (down == up and labels[row, x] < nearest[x])):
                nearest[x] = labels[row, x]
        _widen_along_row(widened[y], squares, nearest, reach, rim * rim)
    return widened


@compiled
def _widen_along_row(
    row: NDArray[np.int32], squares: NDArray[np.float64], nearest: NDArray[np.int32], reach: int, most: float
) -> None:
    """Give each pixel of background in a row the label that is nearest by its columns' squared distances, in place."""
    width = len(row)
    near = 0  # how many columns within the rim have a nucleus within it
    for x in range(min(reach, width)):
        near += squares[x] <= most
    for x in range(width):
        if x + reach < width:
            near += squares[x + reach] <= most
        if x - reach - 1 >= 0:
            near -= squares[x - reach - 1] <= most
        if near == 0 or row[x] != 0:
            continue
        best, label = most, 0
        for column in range(max(0, x - reach), min(width, x + reach + 1)):
            square = squares[column] + (column - x) * (column - x)
            if square < best or (square == best and (label == 0 or nearest[column] < label)):
                best, label = square, nearest[column]
        row[x] = label
