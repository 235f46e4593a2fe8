from __future__ import annotations

import numpy as np
from simulated_panorama import SEED, Rendered, simulate

from nnbook.simulation.population import draw_imaging_conditions


def test_count_an_area_does_not_depend_on_the_size() -> None:
    conditions = draw_imaging_conditions(SEED, 2, "BL", "top_right")
    counts = [len(simulate(run=2, side=side)[2]) / (side**2 / 1e6) for side in (1024, 2048, 3000)]
    np.testing.assert_allclose(counts, conditions.per_mpx, atol=1.0)


def test_touching_and_cut_are_what_the_masks_show(rendered: Rendered) -> None:
    touching = 0
    for _, _, labels, truth in rendered:
        padded = np.pad(labels, 1)
        for row in truth.to_dict("records"):
            own = padded == row["label"]
            ring = np.zeros_like(own)
            y, x = np.nonzero(own)
            for dy in (-1, 0, 1):
                for dx in (-1, 0, 1):
                    ring[y + dy, x + dx] = True
            others = padded[ring & ~own]
            assert row["touching"] == bool(others.any())
            on_frame = y.min() == 1 or x.min() == 1 or y.max() == len(labels) or x.max() == len(labels)
            assert row["cut"] >= on_frame
            touching += row["touching"]
    share = touching / sum(len(panorama[3]) for panorama in rendered)
    assert 0.03 < share < 0.16
