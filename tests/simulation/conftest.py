"""Panoramas that tests of several modules look at."""

from __future__ import annotations

import pytest
from simulated_panorama import SEED, Rendered

from nnbook.io.manifest import CROPS, QUARTERS
from nnbook.simulation.panorama import simulate_panorama
from nnbook.simulation.population import draw_imaging_conditions


@pytest.fixture(scope="package")
def rendered() -> Rendered:
    """Sixteen panoramas of 2048 px, each of another run: the conditions drawn for it, image, labels and truth."""
    panoramas = []
    for run in range(1, 17):
        place = (SEED, run, QUARTERS[run % 4], CROPS[run // 4 % 4])
        panoramas.append((draw_imaging_conditions(*place), *simulate_panorama(*place, width_px=2048, height_px=2048)))
    return panoramas
