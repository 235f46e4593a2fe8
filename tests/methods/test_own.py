"""The methods that come with nnbook, with the weights that are shipped."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from nnbook.evaluation.metrics import evaluate
from nnbook.methods.adapter import Method, NeedsDownloadError
from nnbook.methods.own import FOREST_WEIGHTS, NUSET_WEIGHTS, OWN, STARDIST_FOLDER
from nnbook.segmentation.masks import ConfidentMasks
from nnbook.simulation.panorama import simulate_panorama

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from nnbook.io.images import Labels
    from nnbook.methods.adapter import Draw, Part

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


def test_stardist_is_skipped_by_name_without_its_network_or_its_package(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (method,) = [method for method in OWN if method.name == "stardist"]
    for folder in ("", str(tmp_path)):
        monkeypatch.setenv(STARDIST_FOLDER, folder)
        with pytest.raises(NeedsDownloadError, match=r"with config\.json in it, in NNBOOK_STARDIST_MODEL"):
            method.load()
    (tmp_path / "config.json").write_text("{}")
    monkeypatch.setenv(STARDIST_FOLDER, str(tmp_path))
    monkeypatch.setitem(sys.modules, "csbdeep", None)
    with pytest.raises(NeedsDownloadError, match="install it with 'pip install stardist"):
        method.load()


def test_stardist_sees_nuclei_of_the_size_that_it_was_trained_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    seen: dict[str, Any] = {}

    class Network:
        def __init__(self, config: None, name: str, basedir: str) -> None:
            seen.update(config=config, name=name, basedir=basedir)

        def predict_instances(self, grey: Any, scale: float) -> tuple[Any, dict[str, Any]]:
            seen.update(scale=scale, greatest=float(grey.max()))
            return (grey > 0.5).astype(np.uint16), {}

    package = ModuleType("csbdeep.utils")
    vars(package)["normalize"] = lambda grey, *_ends: (grey - grey.min()) / (grey.max() - grey.min())
    models = ModuleType("stardist.models")
    vars(models)["StarDist2D"] = Network
    for name, module in {"csbdeep": ModuleType("csbdeep"), "csbdeep.utils": package,
                         "stardist": ModuleType("stardist"), "stardist.models": models}.items():  # fmt: skip
        monkeypatch.setitem(sys.modules, name, module)
    (tmp_path / "network").mkdir()
    (tmp_path / "network" / "config.json").write_text("{}")
    monkeypatch.setenv(STARDIST_FOLDER, str(tmp_path / "network"))
    (method,) = [method for method in OWN if method.name == "stardist"]
    labels = method.load()(np.array([[0, 0], [40, 80]], np.uint8), 64.0)
    assert seen == {"config": None, "name": "network", "basedir": str(tmp_path), "scale": 0.5, "greatest": 1.0}
    assert labels.tolist() == [[0, 0], [0, 1]]
    assert labels.dtype == np.int32


def labels_drawn(draw: Draw) -> Callable[[dict[str, float], Part | None], Labels]:
    """Draw labels alone, of a method that knows how likely each is right, too."""

    def drawn(settings: dict[str, float], part: Part | None) -> Labels:
        made = draw(settings, part)
        return made.labels if isinstance(made, ConfidentMasks) else made

    return drawn


def test_masks_drawn_of_what_is_kept_are_those_of_the_method_and_a_part_is_as_the_whole() -> None:
    image, _, _ = simulate_panorama(1, 2, "BL", "top_right", width_px=480, height_px=480)
    part = np.s_[100:300, 150:400]
    for method in OWN:
        if method.name not in {"otsu", "forest", "unet", "nuset", "nnbook"}:
            continue
        draw = labels_drawn(method.analysis()(image, 152.91))
        usual = {setting.name: setting.usual for setting in method.settings}
        whole = draw(usual, None)
        assert (whole == method.load()(image, 152.91)).all(), method.name
        assert whole.max() > 1, method.name
        differ = (draw(usual, part) > 0) != (whole[part] > 0)
        assert differ.mean() < 0.02, method.name
        for setting in method.settings:
            moved = [draw({**usual, setting.name: value}, part) for value in (setting.least, setting.most)]
            assert (moved[0] != moved[1]).any() or setting.name in {"score", "separation", "flow_threshold"}
    plain = Method("plain", "Plain", lambda: lambda grey, diameter_px: (grey > diameter_px).astype(np.int32))
    assert (labels_drawn(plain.analysis()(image, 50))({}, part) == (image[part] > 50)).all()
