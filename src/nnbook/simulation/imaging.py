"""The microscope: staining of nuclei, haze, shading of the fields, and exposure with noise."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from nnbook.io.compiled import compiled
from nnbook.simulation.grid import GRID_PX, blur, smooth_noise
from nnbook.simulation.nuclei import MITOSES
from nnbook.simulation.rendering import MASK_MARGIN_PX, sample_components, scramble
from nnbook.values.published import MASK_RIM_PX

if TYPE_CHECKING:
    import pandas as pd
    from numpy.random import Generator
    from numpy.typing import NDArray

    from nnbook.simulation.grid import Frame
    from nnbook.simulation.population import ImagingConditions

FIELD_PX: Final = 1024
FIELD_OVERLAP: Final = 0.05
"""Side of a microscope's field, and the share of it in which neighbouring fields are blended."""


RIM_PX: Final = 0.96 * (MASK_RIM_PX - MASK_MARGIN_PX)
"""Brightness and spread are fitted to masks that are this much wider: the published table is of such masks. The
distance from an outline is known to first order, and comes out a little too small."""

WIDTHS: Final = (0.05, 0.45)
"""Least and most variation of staining between nuclei of one panorama, as a share of the mean."""


class Shading(NamedTuple):
    """How brightly the fields of a panorama are lit.

    Attributes
    ----------
    along_x, along_y : float32, shape (width,) and (height,)
        Relative change of the light; the two are added.
    gains : float32, axes (field row, field column)
        Factor of each field.
    field_x, field_y : float64, shape (width,) and (height,)
        The number of the field that a column or row is in, plus how far it is blended with the next one.
    """

    along_x: NDArray[np.float32]
    along_y: NDArray[np.float32]
    gains: NDArray[np.float32]
    field_x: NDArray[np.float64]
    field_y: NDArray[np.float64]


def draw_haze(rng: Generator, table: pd.DataFrame, conditions: ImagingConditions, frame: Frame) -> NDArray[np.float32]:
    """Return a coarse map of background light in grey levels: unbound stain, cytoplasm, and light from out of focus."""
    nuclei = np.zeros(frame.grid_shape(GRID_PX))
    np.add.at(nuclei, _grid_place(table, nuclei.shape, frame), 1.0)
    # One nucleus, spread over a cell 25 um wide, has height 1 at its centre.
    glow = blur(nuclei, 3.2, "constant") * (2 * math.pi * 3.2**2)
    slow, patchy = smooth_noise(rng, frame, GRID_PX, 12.0), smooth_noise(rng, frame, GRID_PX, 2.0)
    level = 0.006 * np.exp(0.35 * slow) + 0.011 * glow * np.exp(0.25 * patchy)
    return np.asarray(conditions.mean_grey * level, dtype=np.float32)


def _grid_place(
    table: pd.DataFrame, shape: tuple[int, ...], frame: Frame
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the row and the column of each nucleus's centre in a coarse map of pitch `GRID_PX`."""
    pitch = GRID_PX * frame.scale
    row = np.clip(table["y"].to_numpy(dtype=np.float64) / pitch, 0, shape[0] - 1).round().astype(np.int64)
    column = np.clip(table["x"].to_numpy(dtype=np.float64) / pitch, 0, shape[1] - 1).round().astype(np.int64)
    return row, column


def stain(
    rng: Generator,
    components: NDArray[Any],
    table: pd.DataFrame,
    conditions: ImagingConditions,
    haze: NDArray[np.float32],
    *,
    frame: Frame,
) -> NDArray[np.float64]:
    """Return each nucleus's grey level (and, last, debris's), for the mean and the spread in the masks that were drawn.

    Staining follows a gamma distribution over nuclei, whose quantiles are spread evenly over them. Its level and its
    width are fitted to a sample of the panorama's own masks, saturation and noise included.
    """
    from scipy.special import ndtri

    count = len(table)
    if not count:
        return np.array([conditions.mean_grey])
    deviate = ndtri((rng.permutation(count) + rng.random(count)) / count)
    deviate[table["class"].isin(MITOSES)] *= 0.6  # condensed chromatin is bright in every cell
    offset = table["offset"].to_numpy(dtype=np.float64)
    nucleus, relative = sample_components(components, frame.width, frame.height, max(2, round(6 * frame.scale)), RIM_PX)
    background = conditions.dark_grey + haze[_grid_place(table, haze.shape, frame)].astype(np.float64)
    grey = _fit_staining(
        nucleus,
        relative,
        deviate,
        offset,
        background,
        conditions.mean_grey,
        conditions.spread_grey,
        conditions.noise_grey,
    )
    return np.append(grey, np.median(grey))


@compiled
def _staining(
    deviate: NDArray[np.float64], offset: NDArray[np.float64], level: float, width: float
) -> NDArray[np.float64]:
    """Return grey levels from normal deviates: about gamma-distributed (Wilson & Hilferty 1931), never quite 0."""
    root = np.maximum(1 - width * width / 9 + width * deviate / 3, 0.44)
    return np.asarray(level * np.exp(offset) * root * root * root)


@compiled
def _fit_staining(  # noqa: PLR0917 - numba takes no keyword-only arguments
    nucleus: NDArray[np.int32],
    relative: NDArray[np.float32],
    deviate: NDArray[np.float64],
    offset: NDArray[np.float64],
    background: NDArray[np.float64],
    mean: float,
    spread: float,
    noise: float,
) -> NDArray[np.float64]:
    """Find the staining by bisection: the mean grows with its level, and then the spread with its width."""
    narrow, wide = WIDTHS
    grey = np.empty(len(deviate))
    for _ in range(16):
        width = (narrow + wide) / 2
        low, high = math.log(mean / 20), math.log(mean * 20)
        spread_now = 0.0
        for _ in range(18):
            level = (low + high) / 2
            grey = _staining(deviate, offset, math.exp(level), width)
            total, squares = 0.0, 0.0
            for k in range(len(nucleus)):
                clean = background[nucleus[k]] + grey[nucleus[k]] * relative[k]
                value = min(clean, 255.0)
                total += value
                squares += value * value + (noise * clean if clean < 255.0 else 0.0)
            mean_now = total / max(len(nucleus), 1)
            spread_now = math.sqrt(max(squares / max(len(nucleus), 1) - mean_now * mean_now, 0.0))
            if mean_now < mean:
                low = level
            else:
                high = level
        if spread_now < spread:
            narrow = width
        else:
            wide = width
    return grey


def draw_shading(rng: Generator, conditions: ImagingConditions, frame: Frame) -> Shading:
    """Draw the shading of a panorama's fields, which are tiled from a place and tilted by an angle of its own."""
    stride = FIELD_PX * (1 - FIELD_OVERLAP)
    blend = FIELD_PX * FIELD_OVERLAP
    profiles, fields = [], []
    for length in (frame.width, frame.height):
        phase = rng.uniform(0, stride)
        tilt = rng.normal(0, 0.25) * conditions.shading
        at = np.arange(length) + phase
        field = np.floor(at / stride)
        inside = at - field * stride
        weight = np.clip((inside - (stride - blend)) / blend, 0, 1)

        def dimming(u: NDArray[np.float64], tilt: float = tilt) -> NDArray[np.float64]:
            return np.asarray(tilt * u - conditions.shading / 2 * (u * u - 1 / 3))

        here, there = dimming(2 * inside / FIELD_PX - 1), dimming(2 * (inside - stride) / FIELD_PX - 1)
        profiles.append(((1 - weight) * here + weight * there).astype(np.float32))
        fields.append(field + weight)
    gains = rng.normal(1, 0.012, (int(fields[1][-1]) + 2, int(fields[0][-1]) + 2)).astype(np.float32)
    return Shading(profiles[0], profiles[1], gains, fields[0], fields[1])


@compiled
def expose(  # noqa: PLR0917 - numba takes no keyword-only arguments
    image: NDArray[np.uint8],
    signal: NDArray[np.float32],
    top: int,
    haze: NDArray[np.float32],
    pitch: float,
    along_x: NDArray[np.float32],
    along_y: NDArray[np.float32],
    gains: NDArray[np.float32],
    field_x: NDArray[np.float64],
    field_y: NDArray[np.float64],
    dark: float,
    noise: float,
    seed: int,
) -> None:
    """Expose one strip: haze, shading and gain of the fields, shot and read noise, 8 bits.

    Parameters
    ----------
    image : uint8, axes (y, x)
        The strip, to be written to.
    signal : float32, axes (y, x)
        Light of the nuclei in it.
    top : int
        The panorama's row that is the strip's first.
    haze : float32, axes (y, x)
        A coarse map of the whole panorama; `pitch` px of the panorama are one of it.
    along_x, along_y, gains, field_x, field_y
        See `Shading`.
    dark, noise : float
        See `ImagingConditions`.
    seed : int
        Of the noise, which depends on it and on a pixel's place alone.
    """
    height, width = signal.shape
    for row in range(height):
        y = row + top
        at_y = y / pitch
        iy = int(at_y)
        wy = at_y - iy
        jy = int(field_y[y])
        vy = field_y[y] - jy
        for column in range(width):
            at_x = column / pitch
            ix = int(at_x)
            wx = at_x - ix
            upper = haze[iy, ix] + wx * (haze[iy, ix + 1] - haze[iy, ix])
            lower = haze[iy + 1, ix] + wx * (haze[iy + 1, ix + 1] - haze[iy + 1, ix])
            jx = int(field_x[column])
            vx = field_x[column] - jx
            left = gains[jy, jx] + vy * (gains[jy + 1, jx] - gains[jy, jx])
            right = gains[jy, jx + 1] + vy * (gains[jy + 1, jx + 1] - gains[jy, jx + 1])
            light = (signal[row, column] + upper + wy * (lower - upper)) * (1 + along_x[column] + along_y[y])
            light *= left + vx * (right - left)
            # The sum of the four 16-bit numbers of two hashes is close enough to normal, and the same in any strip.
            a, b = scramble(column, y, seed), scramble(y, column, seed + 77)
            deviate = ((a & 0xFFFF) + (a >> 16) + (b & 0xFFFF) + (b >> 16)) * (1 / 65535) - 2
            deviate *= math.sqrt(3.0)
            value = dark + light + deviate * math.sqrt(noise * light + 0.8)
            image[row, column] = np.uint8(min(255.0, max(0.0, value + 0.5)))
