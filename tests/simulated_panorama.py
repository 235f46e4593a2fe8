"""A small panorama to simulate, and where it is."""

from __future__ import annotations

from nnbook.simulation.panorama import simulate_panorama

SEED = 7
SMALL_PX = 320


def simulate(seed=SEED, run=2, quarter="BL", crop="top_right", side=SMALL_PX, **options):
    return simulate_panorama(seed, run, quarter, crop, width_px=side, height_px=side, **options)
