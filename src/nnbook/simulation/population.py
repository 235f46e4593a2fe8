"""How experiments vary: counts, brightness and spread of runs, quarters and crops, and the conditions of imaging.

Counts, brightness and spread follow the published table of 1600 panoramas (100 runs of 16): the constants below were
estimated from it by nested analysis of variance, on the scales on which runs are closest to normal. The table showed:

- Runs differ most. The root of their count is nearly normal; their brightness has a long lower tail, so its quantiles
  are given; and sparse runs are somewhat brighter.
- Within a run, brightness changes with the coverslip's row of panoramas and not with its column: fields were taken in a
  snake by rows, and one profile over the four rows (dim at first, then level) explains 93 % of it, in some runs more
  than in others.
- The spread inside the masks follows from the brightness, up to 0.034 (runs) and 0.016 (panoramas) in
  log spread / mean.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from nnbook.errors import InvalidValueError
from nnbook.io.manifest import CROPS, QUARTERS
from nnbook.values import published

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

PUBLISHED_AREA_PX2: Final = published.TOTAL_AREA_PX2 / published.PANORAMAS
"""Mean area of a published panorama."""

# Between runs: the root of the count, the quantiles of the brightness, and what that leaves of log spread / mean.
RUN_ROOT_COUNT: Final = (25.97, 4.19)
RUN_MEAN_GREY: Final = 79.0
RUN_MEAN_GREY_DEVIATES: Final = (-2.58, -1.645, -0.674, 0.0, 0.674, 1.645, 2.58)
RUN_MEAN_GREY_QUANTILES: Final = (25.8, 44.5, 65.6, 81.1, 91.7, 109.6, 117.2)
RUN_COUNT_MEAN_CORRELATION: Final = -0.28
RUN_LOG_SPREAD: Final = (-0.185, 0.0336)
RUN_LOG_SPREAD_PER_GREY: Final = -0.00222

# Within a run, in logarithms: between its quarters, between a quarter's crops, and between the coverslip's four rows.
QUARTER_LOG_COUNT_SD: Final = 0.078
CROP_LOG_COUNT_SD: Final = 0.120
ROW_LOG_MEAN_PROFILES: Final = ((-0.823, 0.046, 0.294, 0.483), (0.268, -0.815, 0.036, 0.512))
ROW_LOG_MEAN_AMPLITUDES: Final = ((0.097, 0.087), (0.0, 0.033))
CROP_LOG_MEAN_SD: Final = 0.023
CROP_LOG_SPREAD_PER_LOG_MEAN: Final = -0.41
CROP_LOG_SPREAD_SD: Final = 0.0164


@dataclass(frozen=True)
class ImagingConditions:
    """How crowded and bright a panorama is, and how the microscope images it: the draw that its rendering follows.

    Attributes
    ----------
    per_mpx : float
        Nuclei a million px at `PX_PER_UM`, cut ones included.
    mean_grey, spread_grey : float
        Mean and standard deviation of the 8-bit image inside the masks.
    dark_grey : float
        Level of the detector without light.
    noise_grey : float
        Shot noise: variance in grey levels a grey level.
    contrast, size : float
        Contrast of chromatin and diameter of nuclei, relative to the usual.
    shading : float
        How much dimmer a field's corner is than its centre.
    """

    per_mpx: float
    mean_grey: float
    spread_grey: float
    dark_grey: float
    noise_grey: float
    contrast: float
    size: float
    shading: float


def draw_imaging_conditions(seed: int, run: int, quarter: str, crop: str) -> ImagingConditions:
    """Draw density, brightness and spread of one panorama: between runs and within them as in the published table.

    Runs are spread evenly over their distribution (Roberts' additive recurrence, shifted by the seed), so that ten of
    them already span it as a hundred do. Neighbours in time are no more alike than others, unlike the published runs.

    Parameters
    ----------
    seed, run : int
        The twin's seed, from 0, and the number of the experiment, from 1.
    quarter, crop : str
        One of `QUARTERS` and one of `CROPS`.

    Raises
    ------
    NnbookError
        Where an argument is out of range.
    """
    check_place(seed, run, quarter, crop)
    seed_rng, run_rng = random_stream(seed), random_stream(seed, run)
    root_count, mean, run_log_spread = _run_effects(seed_rng.random(3), run)
    amplitudes = [run_rng.normal(centre, sd) for centre, sd in ROW_LOG_MEAN_AMPLITUDES]
    quarter_counts = run_rng.normal(0, QUARTER_LOG_COUNT_SD, len(QUARTERS))
    conditions = {
        "dark_grey": run_rng.uniform(0.7, 2.1),
        "noise_grey": run_rng.uniform(0.3, 0.6),
        "contrast": run_rng.uniform(0.85, 1.15),
        "size": run_rng.normal(1, 0.025),
        "shading": run_rng.uniform(0.03, 0.10),
    }
    rng = random_stream(seed, run, quarter, crop)
    log_count = quarter_counts[QUARTERS.index(quarter)] + rng.normal(0, CROP_LOG_COUNT_SD)
    log_count -= (QUARTER_LOG_COUNT_SD**2 + CROP_LOG_COUNT_SD**2) / 2
    row = 2 * (quarter[0] == "B") + crop.startswith("bottom")
    log_mean = sum(a * profile[row] for a, profile in zip(amplitudes, ROW_LOG_MEAN_PROFILES, strict=True))
    log_mean += rng.normal(0, CROP_LOG_MEAN_SD)
    log_spread = run_log_spread + CROP_LOG_SPREAD_PER_LOG_MEAN * log_mean + rng.normal(0, CROP_LOG_SPREAD_SD)
    mean_grey = mean * math.exp(log_mean)
    return ImagingConditions(
        per_mpx=root_count**2 * math.exp(log_count) / (PUBLISHED_AREA_PX2 / 1e6),
        mean_grey=mean_grey,
        spread_grey=mean_grey * math.exp(log_spread),
        **conditions,
    )


def check_place(seed: int, run: int, quarter: str, crop: str) -> None:
    """Refuse a seed, run, quarter or crop that the twin does not have."""
    if seed < 0:
        raise InvalidValueError(f"seed is {seed}; give a whole number from 0", parameter="seed")
    if run < 1:
        raise InvalidValueError(f"run is {run}; give a whole number from 1", parameter="run")
    if quarter not in QUARTERS:
        raise InvalidValueError(
            f"quarter {quarter!r} is unknown; the twin has {', '.join(QUARTERS)}", parameter="quarter"
        )
    if crop not in CROPS:
        raise InvalidValueError(f"crop {crop!r} is unknown; the twin has {', '.join(CROPS)}", parameter="crop")


def random_stream(seed: int, run: int = 0, quarter: str = "", crop: str = "", purpose: int = 0) -> Generator:
    """Return the random numbers of one place and purpose: equal for equal arguments, and independent of all others."""
    place = (QUARTERS.index(quarter) + 1 if quarter else 0, CROPS.index(crop) + 1 if crop else 0)
    return np.random.default_rng([seed, run, *place, purpose])


def _run_effects(shift: NDArray[np.float64], run: int) -> tuple[float, float, float]:
    """Return a run's root of the count, its brightness in grey levels and its log spread / mean."""
    from scipy.special import ndtri

    ratio = 1.2207440846057596  # the root of x^4 = x + 1 gives the recurrence in three dimensions
    quantiles = (shift + run / ratio ** np.arange(1, 4)) % 1
    # Of ten runs, the third dimension is spread most evenly beside the first: it is the one that counts follow.
    first, third, second = ndtri(np.clip(quantiles, 0.002, 0.998))
    mean = float(np.interp(first, RUN_MEAN_GREY_DEVIATES, RUN_MEAN_GREY_QUANTILES))
    correlation = RUN_COUNT_MEAN_CORRELATION
    root_count = RUN_ROOT_COUNT[0] + RUN_ROOT_COUNT[1] * (correlation * first + math.sqrt(1 - correlation**2) * second)
    log_spread = RUN_LOG_SPREAD[0] + RUN_LOG_SPREAD_PER_GREY * (mean - RUN_MEAN_GREY) + RUN_LOG_SPREAD[1] * third
    return float(root_count), mean, float(log_spread)
