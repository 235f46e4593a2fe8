"""What the package and its rooms hand out: the names, and that nothing is loaded before it is used."""

from __future__ import annotations

import importlib
import inspect
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nnbook

PACKAGE = Path(nnbook.__file__).parent
FACES = ["nnbook", *(f"nnbook.{stub.parent.name}" for stub in sorted(PACKAGE.glob("*/__init__.pyi")))]
HEAVY = ("torch", "cellpose", "numba", "numpy", "pandas", "matplotlib", "plotly", "zarr", "anywidget", "skimage")


def test_the_package_hands_out_its_names() -> None:
    assert sorted(nnbook.__all__) == [
        "CellBrowser", "Mosaic", "NnbookError", "NucleiScatter", "PanoramaViewer", "Scatter", "Segmenter",
        "__version__", "denoise", "evaluate", "link", "measure", "read_cells", "read_image", "read_mask", "segment",
        "simulate", "train",
    ]  # fmt: skip


@pytest.mark.parametrize("face", FACES)
def test_each_name_of_a_face_is_there_and_described(face: str) -> None:
    room = importlib.import_module(face)
    assert room.__all__
    for name in room.__all__:
        value = getattr(room, name)
        assert not isinstance(value, type(sys)), f"{face}.{name} is a module"
        if callable(value):
            assert value.__doc__, f"{face}.{name} has no docstring"
            assert value.__module__.startswith("nnbook."), f"{face}.{name} is of others"


@pytest.mark.parametrize("face", FACES)
def test_importing_a_face_loads_nothing_heavy(face: str) -> None:
    code = f"import sys, {face}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert face in loaded
    assert not loaded & set(HEAVY)


# Classes and functions of stages, which are the package's own: what a caller names has become a path by then.
OWN_PATHS = {"Cells", "Edition", "Stage", "make"}


@pytest.mark.parametrize("face", FACES)
def test_functions_take_a_path_as_text_too(face: str) -> None:
    room = importlib.import_module(face)
    for name in set(room.__all__) - OWN_PATHS:
        value = getattr(room, name)
        if callable(value) and not (isinstance(value, type) and issubclass(value, Exception)):
            parameters = inspect.signature(value).parameters.values()
            bare = [one.name for one in parameters if re.search(r"\bPath\b", str(one.annotation))]
            assert not bare, f"{face}.{name} takes {', '.join(bare)} as Path only"


def test_paths_are_the_same_as_text(tmp_path: Path) -> None:
    from nnbook.io import read_image, read_manifest, write_image, write_manifest
    from nnbook.simulation import simulate, simulate_manifest

    image = simulate(width_px=160, height_px=160)[0]
    write_image(f"{tmp_path}/a/image.tif", image)
    assert (read_image(tmp_path / "a" / "image.tif") == image).all()
    rows = simulate_manifest(1, 1, 160)
    write_manifest(f"{tmp_path}/manifest.csv", rows)
    assert read_manifest(f"{tmp_path}/manifest.csv") == read_manifest(tmp_path / "manifest.csv") == rows


ONE, TWO = np.array([[1]]), np.array([[1, 2]])


@pytest.mark.parametrize(
    ("call", "kind", "parameter"),
    [
        (lambda: nnbook.read_image("absent.tif"), FileNotFoundError, None),
        (lambda: nnbook.read_cells("absent"), FileNotFoundError, None),
        (lambda: nnbook.measure(ONE, ONE, px_per_um=0), ValueError, "px_per_um"),
        (lambda: nnbook.measure(ONE, TWO), ValueError, None),
        (lambda: nnbook.evaluate(ONE, ONE, [0.2]), ValueError, "thresholds"),
        (lambda: nnbook.simulate(width_px=3), ValueError, "width_px"),
        (lambda: nnbook.simulate(crop="middle"), ValueError, "crop"),
        (lambda: nnbook.segment(TWO, model="absent"), FileNotFoundError, None),
        (lambda: nnbook.segment(TWO, diameter_px=-1), ValueError, "diameter_px"),
        (lambda: nnbook.train([], "model"), ValueError, "data_sets"),
    ],
)
def test_what_is_wrong_is_of_the_kind_that_python_has_for_it(call: Any, kind: type[Exception], parameter: str) -> None:
    with pytest.raises(kind) as caught:
        call()
    assert isinstance(caught.value, nnbook.NnbookError)
    assert getattr(caught.value, "parameters", ()) == ((parameter,) if parameter else ())
    assert parameter is None or str(caught.value).startswith(f"{parameter} ")


def test_the_shipped_model_is_loaded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    from nnbook.segmentation import model

    loaded: list[object] = []
    load = model.load_model

    def counted() -> object:
        loaded.append(None)
        return load()

    monkeypatch.setattr(model, "load_model", counted)
    model.shipped_model.cache_clear()
    assert model.shipped_model() is model.shipped_model()
    assert len(loaded) == 1
