"""The microscope: haze, cytoplasm, staining, shading and noise of the fields."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from nnbook.simulation import nuclei, rendering
from nnbook.simulation.placement import CELL_PX, Frame, blur, smooth_noise
from nnbook.simulation.rendering import compiled

if TYPE_CHECKING:
    import pandas as pd
    from numpy.random import Generator
    from numpy.typing import NDArray

    from nnbook.simulation.population import ImagingConditions


FIELD_PX: Final = 1024
FIELD_OVERLAP: Final = 0.05


def draw_haze(rng: Generator, facts: pd.DataFrame, conditions: ImagingConditions, frame: Frame) -> NDArray[np.float32]:
    """Return a coarse map of background light in grey levels: unbound stain, and light from outside the section."""
    cells = np.zeros(frame.coarse(CELL_PX))
    np.add.at(cells, _cell_of(facts, cells.shape, frame), 1.0)
    # One nucleus spread over a cell component of 25 um has height 1 at its centre.
    glow = blur(cells, 3.2, "constant") * (2 * math.pi * 3.2**2)
    slow, patchy = smooth_noise(rng, frame, CELL_PX, 12.0), smooth_noise(rng, frame, CELL_PX, 2.0)
    level = 0.018 * np.exp(0.35 * slow) + 0.030 * glow * np.exp(0.25 * patchy)
    return np.asarray(conditions.mean_grey * level, dtype=np.float32)


def _cell_of(facts: pd.DataFrame, shape: tuple[int, ...], frame: Frame) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the row and the column of each nucleus's centre in a coarse map of pitch `CELL_PX`."""
    pitch = CELL_PX * frame.scale
    row = np.clip(facts["y"].to_numpy(dtype=np.float64) / pitch, 0, shape[0] - 1).round().astype(np.int64)
    column = np.clip(facts["x"].to_numpy(dtype=np.float64) / pitch, 0, shape[1] - 1).round().astype(np.int64)
    return row, column


def stain(
    rng: Generator,
    components: NDArray[Any],
    facts: pd.DataFrame,
    conditions: ImagingConditions,
    haze: NDArray[np.float32],
    *,
    frame: Frame,
) -> NDArray[np.float64]:
    """Return each nucleus's grey level (and, last, debris's), so that mean and spread in the masks are as drawn.

    Staining follows a gamma distribution over nuclei, its quantiles dealt out evenly. Its level and its width are
    solved for from a sample of the panorama's own masks, saturation and noise included.
    """
    from scipy.special import ndtri

    count = len(facts)
    if not count:
        return np.array([conditions.mean_grey])
    deviate = ndtri((rng.permutation(count) + rng.random(count)) / count)
    deviate[facts["class"].isin(nuclei.MITOSES)] *= 0.6  # condensed chromatin is bright in every cell
    offset = facts["offset"].to_numpy(dtype=np.float64)
    owner, relative = rendering.sample_components(components, frame.width, frame.height, max(2, round(6 * frame.scale)))
    behind = conditions.dark_grey + haze[_cell_of(facts, haze.shape, frame)].astype(np.float64)
    grey = _fit_staining(
        owner, relative, deviate, offset, behind, conditions.mean_grey, conditions.spread_grey, conditions.noise_grey
    )
    return np.append(grey, np.median(grey))


@compiled
def _staining(
    deviate: NDArray[np.float64], offset: NDArray[np.float64], level: float, width: float
) -> NDArray[np.float64]:
    """Return grey levels from normal deviates: about gamma-distributed (Wilson & Hilferty 1931), never quite dark."""
    root = np.maximum(1 - width * width / 9 + width * deviate / 3, 0.44)
    return np.asarray(level * np.exp(offset) * root * root * root)


@compiled
def _fit_staining(  # noqa: PLR0917 - numba takes no keyword-only arguments
    owner: NDArray[np.int32],
    relative: NDArray[np.float32],
    deviate: NDArray[np.float64],
    offset: NDArray[np.float64],
    behind: NDArray[np.float64],
    mean: float,
    spread: float,
    noise: float,
) -> NDArray[np.float64]:
    """Find the staining by bisection: the mean grows with its level, and then the spread with its width."""
    narrow, wide = 0.1, 2.4
    grey = np.empty(len(deviate))
    for _ in range(16):
        width = (narrow + wide) / 2
        low, high = math.log(mean / 20), math.log(mean * 20)
        spread_now = 0.0
        for _ in range(18):
            level = (low + high) / 2
            grey = _staining(deviate, offset, math.exp(level), width)
            total, squares = 0.0, 0.0
            for k in range(len(owner)):
                clean = behind[owner[k]] + grey[owner[k]] * relative[k]
                value = min(clean, 255.0)
                total += value
                squares += value * value + (noise * clean if clean < 255.0 else 0.0)
            mean_now = total / max(len(owner), 1)
            spread_now = math.sqrt(max(squares / max(len(owner), 1) - mean_now * mean_now, 0.0))
            if mean_now < mean:
                low = level
            else:
                high = level
        if spread_now < spread:
            narrow = width
        else:
            wide = width
    return grey


def shading(
    rng: Generator, conditions: ImagingConditions, frame: Frame
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32], NDArray[np.float64], NDArray[np.float64]]:
    """Return the fields' shading along x and along y, each field's gain, and the place of every column and row in them.

    A place is the field's number plus, in the overlap before the next field, how far blending has gone.
    """
    stride = FIELD_PX * (1 - FIELD_OVERLAP)
    blend = FIELD_PX * FIELD_OVERLAP
    profiles, places = [], []
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
        places.append(field + weight)
    gains = rng.normal(1, 0.012, (int(places[1][-1]) + 2, int(places[0][-1]) + 2)).astype(np.float32)
    return profiles[0], profiles[1], gains, places[0], places[1]


@compiled
def expose(  # noqa: PLR0917 - numba takes no keyword-only arguments
    image: NDArray[np.uint8],
    signal: NDArray[np.float32],
    top: int,
    haze: NDArray[np.float32],
    pitch: float,
    shade_x: NDArray[np.float32],
    shade_y: NDArray[np.float32],
    gains: NDArray[np.float32],
    place_x: NDArray[np.float64],
    place_y: NDArray[np.float64],
    dark: float,
    noise: float,
    seed: int,
) -> None:
    """Expose one strip: haze, shading and gain of the fields, shot and read noise, 8 bits."""
    height, width = signal.shape
    for row in range(height):
        y = row + top
        at_y = y / pitch
        iy = int(at_y)
        wy = at_y - iy
        jy = int(place_y[y])
        vy = place_y[y] - jy
        for column in range(width):
            at_x = column / pitch
            ix = int(at_x)
            wx = at_x - ix
            upper = haze[iy, ix] + wx * (haze[iy, ix + 1] - haze[iy, ix])
            lower = haze[iy + 1, ix] + wx * (haze[iy + 1, ix + 1] - haze[iy + 1, ix])
            jx = int(place_x[column])
            vx = place_x[column] - jx
            left = gains[jy, jx] + vy * (gains[jy + 1, jx] - gains[jy, jx])
            right = gains[jy, jx + 1] + vy * (gains[jy + 1, jx + 1] - gains[jy, jx + 1])
            light = (signal[row, column] + upper + wy * (lower - upper)) * (1 + shade_x[column] + shade_y[y])
            light *= left + vx * (right - left)
            # The sum of the four 16-bit numbers of two hashes is near enough to normal, and the same in any strip.
            a, b = rendering.scramble(column, y, seed), rendering.scramble(y, column, seed + 77)
            deviate = ((a & 0xFFFF) + (a >> 16) + (b & 0xFFFF) + (b >> 16)) * (1 / 65535) - 2
            deviate *= math.sqrt(3.0)
            value = dark + light + deviate * math.sqrt(noise * light + 0.8)
            image[row, column] = np.uint8(min(255.0, max(0.0, value + 0.5)))
