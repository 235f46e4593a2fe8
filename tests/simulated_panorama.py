"""A small panorama to simulate, and where it is."""

from __future__ import annotations

import pandas as pd

from nnbook.io.images import Image, Labels
from nnbook.simulation.panorama import simulate_panorama
from nnbook.simulation.population import ImagingConditions

SEED = 7
SMALL_PX = 320

Rendered = list[tuple[ImagingConditions, Image, Labels, pd.DataFrame]]
"""Panoramas, each with the conditions that were drawn for it."""


def simulate(
    seed: int = SEED, run: int = 2, quarter: str = "BL", crop: str = "top_right", side: int = SMALL_PX, **options: float
) -> tuple[Image, Labels, pd.DataFrame]:
    return simulate_panorama(seed, run, quarter, crop, width_px=side, height_px=side, **options)
