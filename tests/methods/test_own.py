"""The methods that come with nnbook, with the weights that are shipped."""

from pathlib import Path

import pytest

from nnbook.evaluation.metrics import evaluate
from nnbook.methods.adapter import NeedsDownloadError
from nnbook.methods.own import FOREST_WEIGHTS, NUSET_WEIGHTS, OWN
from nnbook.simulation.panorama import simulate_panorama

LARGEST = 250_000
SMALL = ("otsu", "forest", "unet", "nuset-whole", "nuset-foreground", "nuset")


def test_weights_are_small() -> None:
    assert FOREST_WEIGHTS.stat().st_size + NUSET_WEIGHTS.stat().st_size < LARGEST


def test_each_finds_the_nuclei_of_a_panorama() -> None:
    image, true, _ = simulate_panorama(1, 2, "BL", "top_right", width_px=640, height_px=640)
    found = {method.name: evaluate(method.load()(image, 152.91), true) for method in OWN if method.name in SMALL}
    assert found.keys() == set(SMALL)
    assert {name: one["pixel_f1"] for name, one in found.items() if one["pixel_f1"] < 0.8} == {}
    assert all(one["f1_0.50"] > 0.5 for one in found.values())


def test_weights_that_are_not_here_are_not_fetched(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CELLPOSE_LOCAL_MODELS_PATH", str(tmp_path))
    (method,) = [method for method in OWN if method.name == "cyto3"]
    with pytest.raises(NeedsDownloadError, match="are not in"):
        method.load()
    assert list(tmp_path.iterdir()) == []
