"""The twin: a virtual microscope that simulates NucleusNet's experiments, images and exact ground truth alike.

How bright and crowded a panorama is, is drawn (`nnbook.simulation.population`); nuclei are made and placed
(`nuclei`, `placement`), then drawn strip by strip (`rendering`) and exposed (`imaging`).

A panorama is a pure function of seed, run, quarter, crop and size: it can be simulated alone, in any order and process.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from nnbook.errors import InvalidValueError
from nnbook.io.compiled import compiled
from nnbook.io.manifest import MAX_SIDE_PX
from nnbook.simulation.grid import GRID_PX, Frame
from nnbook.simulation.imaging import draw_haze, draw_shading, expose, stain
from nnbook.simulation.placement import place_nuclei, scatter_debris
from nnbook.simulation.population import check_place, draw_imaging_conditions, random_stream
from nnbook.simulation.rendering import draw_components
from nnbook.values.published import PX_PER_UM

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nnbook.io.images import Image, Labels

MIN_SIDE_PX: Final = 160
"""A panorama is at least as wide and high as a nucleus."""

STRIP_PX: Final = 1024
"""Height of the strips that are drawn one after the other, which bounds the memory for signal and depth."""

TRUTH_COLUMNS: Final = (
    "label", "class", "x_px", "y_px", "area_px", "components", "touching", "cut", "dna_content", "defocus_um",
    "brightness",
)  # fmt: skip


def simulate_panorama(
    seed: int,
    run: int,
    quarter: str,
    crop: str,
    *,
    width_px: int,
    height_px: int,
    px_per_um: float = PX_PER_UM,
) -> tuple[Image, Labels, pd.DataFrame]:
    """Simulate one panorama: its image, its truth mask and its table of nuclei.

    Nuclei that the frame cuts are kept as cut objects, and it is the number of labels, not of centres, that follows the
    published count an area, whatever the panorama's size.

    Parameters
    ----------
    seed, run : int
        The twin's seed, from 0, and the number of the experiment, from 1.
    quarter, crop : str
        One of `QUARTERS` and one of `CROPS`.
    width_px, height_px : int
        Size, at least `MIN_SIDE_PX` each.
    px_per_um : float
        Pixels a micrometre.

    Returns
    -------
    image : uint8, axes (y, x)
        Grey levels, saturated at 255.
    labels : int32, axes (y, x)
        0 for background, 1..N for nuclei, from the top down. Debris has no label.
    truth : DataFrame
        A row a nucleus: `label`; `class`, one of `nnbook.simulation.nuclei.CLASSES`; `x_px` and `y_px`, the mask's
        centroid, and `area_px`; `components`, how many it has (in the frame or beyond it); `touching`, whether its mask
        meets another nucleus's; `cut`, whether the frame cuts it; `dna_content`, 1 to 2; `defocus_um`; `brightness`,
        its own grey level.

    Raises
    ------
    InvalidValueError
        Where an argument is out of range.
    """
    check_place(seed, run, quarter, crop)
    check_side(width_px, "width_px")
    check_side(height_px, "height_px")
    if not 0.5 <= px_per_um <= 50:
        raise InvalidValueError(
            f"px_per_um is {px_per_um:g}; the twin simulates 0.5 to 50 pixels a micrometre", parameter="px_per_um"
        )
    conditions = draw_imaging_conditions(seed, run, quarter, crop)
    rng = random_stream(seed, run, quarter, crop, 1)
    frame = Frame(width_px, height_px, px_per_um / PX_PER_UM)
    components, table = place_nuclei(rng, conditions, frame)
    debris = scatter_debris(rng, len(table), frame)
    haze = draw_haze(rng, table, conditions, frame)
    brightness = stain(rng, components, table, conditions, haze, frame=frame)
    shading = draw_shading(rng, conditions, frame)
    noise_seed = int(rng.integers(2**32))

    drawn = np.concatenate([components, debris])
    image = np.empty((height_px, width_px), dtype=np.uint8)
    labels = np.zeros((height_px, width_px), dtype=np.int32)
    for top in range(0, height_px, STRIP_PX):
        rows = slice(top, min(top + STRIP_PX, height_px))
        signal = np.zeros((rows.stop - top, width_px), dtype=np.float32)
        depths = np.full_like(signal, -np.inf)
        near = drawn[(drawn["y"] + drawn["reach"] >= top) & (drawn["y"] - drawn["reach"] <= rows.stop)]
        draw_components(signal, labels[rows], depths, top, near, brightness)
        expose(
            image[rows],
            signal,
            top,
            haze,
            GRID_PX * frame.scale,
            *shading,
            conditions.dark_grey,
            conditions.noise_grey,
            noise_seed,
        )
    return image, labels, _truth_table(labels, table, brightness)


def simulate(
    seed: int = 1,
    *,
    width_px: int = 1024,
    height_px: int = 1024,
    px_per_um: float = PX_PER_UM,
    run: int = 1,
    quarter: str = "TL",
    crop: str = "top_left",
) -> tuple[Image, Labels, pd.DataFrame]:
    """Simulate one panorama with its exact truth: `simulate_panorama` with a default for each argument.

    Parameters
    ----------
    seed : int
        Another seed, from 0, is another data set.
    width_px, height_px : int
        Size, at least `MIN_SIDE_PX` each.
    px_per_um : float
        Pixels a micrometre, 0.5 to 50; by default NucleusNet's.
    run, quarter, crop : int, str, str
        The number of the experiment, from 1, one of `nnbook.io.manifest.QUARTERS` and one of `CROPS`: each place has
        imaging conditions of its own.

    Returns
    -------
    image : uint8, axes (y, x)
        Grey levels.
    labels : int32, axes (y, x)
        The true mask: 0 for background, 1..N for nuclei.
    truth : DataFrame
        A row a nucleus.

    Raises
    ------
    InvalidValueError
        Where an argument is out of range.

    Examples
    --------
    >>> import nnbook
    >>> image, mask, truth = nnbook.simulate(seed=7, width_px=512, height_px=512)
    >>> image.shape, image.dtype
    ((512, 512), dtype('uint8'))
    >>> len(truth) == mask.max()
    np.True_
    """
    return simulate_panorama(seed, run, quarter, crop, width_px=width_px, height_px=height_px, px_per_um=px_per_um)


def check_side(side_px: int, parameter: str = "side_px") -> None:
    """Refuse a side that the twin cannot simulate, under the name of the parameter that it is."""
    if not MIN_SIDE_PX <= side_px <= MAX_SIDE_PX:
        raise InvalidValueError(
            f"{parameter} is {side_px}; the twin simulates {MIN_SIDE_PX} to {MAX_SIDE_PX:,} px", parameter=parameter
        )


def _truth_table(labels: Labels, table: pd.DataFrame, brightness: NDArray[np.float64]) -> pd.DataFrame:
    """Measure the masks; drop nuclei that others cover entirely and number the rest anew, in place."""
    sums, touching, cut = _measure(labels, len(table))
    visible = sums[:, 0] > 0
    if not visible.all():
        numbers = np.concatenate([[0], np.cumsum(visible) * visible]).astype(np.int32)
        np.take(numbers, labels, out=labels)
    table = table[visible]
    area = sums[visible, 0]
    return pd.DataFrame(
        {
            "label": np.arange(1, len(table) + 1),
            "class": table["class"].to_numpy(),
            "x_px": (sums[visible, 1] / area).round(2),
            "y_px": (sums[visible, 2] / area).round(2),
            "area_px": area.astype(np.int64),
            "components": table["components"].to_numpy(dtype=np.int64),
            "touching": touching[visible],
            "cut": cut[visible] | table["cut"].to_numpy(dtype=bool),
            "dna_content": table["dna_content"].to_numpy(dtype=np.float64).round(3),
            "defocus_um": table["defocus_um"].to_numpy(dtype=np.float64).round(3),
            "brightness": brightness[:-1][visible].round(2),
        },
        columns=list(TRUTH_COLUMNS),
    )


@compiled
def _measure(labels: NDArray[np.int32], count: int) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_]]:
    """Return area and sums of x and y of each label, whether it meets another, and whether the frame cuts it."""
    height, width = labels.shape
    sums = np.zeros((count, 3))
    touching, cut = np.zeros(count, dtype=np.bool_), np.zeros(count, dtype=np.bool_)
    for y in range(height):
        for x in range(width):
            label = labels[y, x]
            if label == 0:
                continue
            sums[label - 1, 0] += 1
            sums[label - 1, 1] += x
            sums[label - 1, 2] += y
            if x == 0 or x == width - 1 or y == 0 or y == height - 1:
                cut[label - 1] = True
            for dy, dx in ((0, 1), (1, -1), (1, 0), (1, 1)):
                if y + dy < height and 0 <= x + dx < width:
                    other = labels[y + dy, x + dx]
                    if other > 0 and other != label:
                        touching[label - 1] = True
                        touching[other - 1] = True
    return sums, touching, cut
