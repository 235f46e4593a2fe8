from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.ndimage import find_objects, label
from simulated_panorama import Rendered, simulate

from nnbook.errors import NnbookError
from nnbook.simulation import nuclei, panorama
from nnbook.simulation.rendering import MASK_MARGIN_PX
from nnbook.values.published import PX_PER_UM

MASK_PX = nuclei.NUCLEUS_DIAMETER_PX + 2 * MASK_MARGIN_PX


class TestTruth:
    def test_labels_are_consecutive_and_all_there(self, rendered: Rendered) -> None:
        for _, _, labels, truth in rendered:
            found = np.unique(labels)
            np.testing.assert_array_equal(found, np.arange(len(truth) + 1))
            np.testing.assert_array_equal(truth["label"], found[1:])

    def test_table_describes_the_masks(self, rendered: Rendered) -> None:
        _, _, labels, truth = rendered[3]
        for row in truth.to_dict("records"):
            y, x = np.nonzero(labels == row["label"])
            assert row["area_px"] == len(x)
            assert row["x_px"] == pytest.approx(x.mean(), abs=0.006)
            assert row["y_px"] == pytest.approx(y.mean(), abs=0.006)
            assert row["class"] in nuclei.CLASSES

    def test_whole_nuclei_have_their_components(self, rendered: Rendered) -> None:
        several = 0
        for _, _, labels, truth in rendered:
            boxes = find_objects(labels)
            for row in truth[~truth["cut"]].to_dict("records"):
                own = labels[boxes[row["label"] - 1]] == row["label"]
                assert label(own, np.ones((3, 3)))[1] == row["components"], row
                several += row["components"] > 1
        assert several >= 3

    def test_nuclei_have_the_published_size(self, rendered: Rendered) -> None:
        truth = pd.concat([panorama[3] for panorama in rendered])
        area = truth.loc[~truth["cut"] & (truth["class"] == "interphase"), "area_px"]
        assert 2 * np.sqrt(area.median() / np.pi) == pytest.approx(MASK_PX, rel=0.06)


class TestDeterminism:
    def test_same_seed_same_panorama(self) -> None:
        first, second = simulate(), simulate()
        np.testing.assert_array_equal(first[0], second[0])
        np.testing.assert_array_equal(first[1], second[1])
        pd.testing.assert_frame_equal(first[2], second[2])

    @pytest.mark.parametrize("other", [{"seed": 8}, {"run": 3}, {"quarter": "BR"}, {"crop": "top_left"}])
    def test_another_place_is_another_panorama(self, other: dict[str, Any]) -> None:
        assert (simulate()[0] != simulate(**other)[0]).mean() > 0.3

    def test_strips_leave_no_trace(self, monkeypatch: pytest.MonkeyPatch) -> None:
        whole = simulate(side=700)
        monkeypatch.setattr(panorama, "STRIP_PX", 96)
        strips = simulate(side=700)
        np.testing.assert_array_equal(whole[0], strips[0])
        np.testing.assert_array_equal(whole[1], strips[1])

    def test_another_pixel_size_scales_the_nuclei(self) -> None:
        truth = simulate(side=1024, px_per_um=PX_PER_UM / 2)[2]
        area = truth.loc[~truth["cut"], "area_px"].median()
        assert 2 * np.sqrt(area / np.pi) == pytest.approx(MASK_PX / 2, rel=0.2)

    def test_types(self) -> None:
        image, labels, truth = simulate()
        assert image.dtype == np.uint8
        assert labels.dtype == np.int32
        assert list(truth.columns) == list(panorama.TRUTH_COLUMNS)


def test_bad_places_are_named() -> None:
    with pytest.raises(NnbookError, match="quarter 'XX'"):
        simulate(quarter="XX")
    with pytest.raises(NnbookError, match="crop 'middle'"):
        simulate(crop="middle")
    with pytest.raises(NnbookError, match="run is 0"):
        simulate(run=0)
    with pytest.raises(NnbookError, match="px_per_um is 0"):
        simulate(px_per_um=0)
