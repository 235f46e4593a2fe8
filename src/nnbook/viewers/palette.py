"""The colours of nuclei and of grey levels: those of the views in the browser, for pictures made in Python.

In `widgets/`, `panorama/palette.ts`, `panorama/colouring.ts` and `shared/colourmaps.ts` say why they are these.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

COLOURS: Final = (
    "#998811", "#0099bb", "#2255dd", "#bb1100", "#66ccee", "#ffbb55",
    "#bb6677", "#bb77ff", "#00ffbb", "#ff8877", "#aa2299", "#eeee00",
)  # fmt: skip

STOPS: Final = {
    "grey": "000000 ffffff",
    "cividis": "00224e 002e6a 1a386f 32436d 434e6c 535a6d 61656f 6f7073 7d7c78 8c8878 9b9476 aba072 bcae6c cdbb63 "
    "dec958 f0d846 fee838",
    "viridis": "440154 48186a 472d7b 424086 3b528b 33638d 2c728e 26828e 21918c 1fa088 28ae80 3fbc73 5ec962 84d44b "
    "addc30 d8e219 fde725",
    "inferno": "000004 0b0724 210c4a 3d0965 57106e 71196e 8a226a a32c61 bc3754 d24644 e45a31 f1731d f98e09 fcac11 "
    "f9cb35 f2ea69 fcffa4",
}
"""Colours of evenly spaced levels from black to white, between which they are linear."""

GAP: Final = 0.9
"""Nuclei whose edges are closer than this share of their radii are neighbours."""


def rgb(colour: str) -> tuple[int, int, int]:
    """Return red, green and blue, 0 to 255, of a colour such as `#ff8800`."""
    red, green, blue = bytes.fromhex(colour.removeprefix("#"))
    return red, green, blue


def is_colour(colour: object) -> bool:
    """Return whether a value is a colour such as `#ff8800`."""
    return isinstance(colour, str) and re.fullmatch(r"#[0-9A-Fa-f]{6}", colour) is not None


def grey_table(contrast: list[float] | None, colour: str, *, invert: bool) -> NDArray[np.uint8]:
    """Return the colour that each of 256 grey levels is shown in.

    Parameters
    ----------
    contrast : list of float, or None
        Grey levels shown as black and as white, and the gamma between them.
    colour : str
        A key of `STOPS`.
    invert : bool
        Whether dark and bright change places.

    Returns
    -------
    numpy.ndarray
        Axes (level, colour), 256 x 3, uint8.
    """
    black, white, gamma = contrast or (0, 255, 1)
    levels = np.clip((np.arange(256) - round(black)) / (round(white) - round(black)), 0, 1) ** gamma
    stops = np.array([rgb(stop) for stop in STOPS[colour].split()], np.float64)
    places = np.linspace(0, 1, len(stops))
    shown = 1 - levels if invert else levels
    table: NDArray[np.uint8] = np.stack(
        [np.floor(np.interp(shown, places, stops[:, at]) + 0.5) for at in range(3)], 1
    ).astype(np.uint8)
    return table


def colour_index(label: int) -> int:
    """Return the place in `COLOURS` of a label that has no neighbours."""
    block = label // len(COLOURS)
    bits = ((block ^ (block >> 16)) * 0x45D9F3B) & 0xFFFFFFFF
    bits = ((bits ^ (bits >> 15)) * 0x2C1B3C6D) & 0xFFFFFFFF
    return (label + (bits ^ (bits >> 14))) % len(COLOURS)


def colour_neighbours(overview: NDArray[Any]) -> dict[int, int]:
    """Return places in `COLOURS` for the labels of a mask, such that neighbours differ.

    Parameters
    ----------
    overview : numpy.ndarray
        Axes (y, x), whole numbers: the level of the mask's pyramid that is one tile, as the browser has it.

    Returns
    -------
    dict of int to int
        By label. One that is too small for the overview is not in it: it keeps that of `colour_index`.
    """
    rows, columns = np.nonzero(overview)
    labels, places = np.unique(overview[rows, columns], return_inverse=True)
    count = np.bincount(places, minlength=len(labels))
    y, x = (np.bincount(places, at, len(labels)) / np.maximum(count, 1) for at in (rows, columns))
    radius = np.sqrt(count / np.pi)
    order = np.argsort(y, kind="stable")
    heights = y[order].tolist()
    chosen = np.full(len(labels), -1)
    for at, label in enumerate(labels.tolist()):
        limit = (radius[at] + radius.max()) * (1 + GAP)
        near = order[bisect_left(heights, y[at] - limit) : bisect_right(heights, y[at] + limit)]
        distance = np.hypot(x[near] - x[at], y[near] - y[at])
        taken = set(chosen[near[distance < (radius[near] + radius[at]) * (1 + GAP)]].tolist())
        own = colour_index(label)
        others = ((own + 5 * step) % len(COLOURS) for step in range(len(COLOURS)))
        chosen[at] = next((colour for colour in others if colour not in taken), own)
    return dict(zip(labels.tolist(), chosen.tolist(), strict=True))
