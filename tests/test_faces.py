"""What the package and its rooms hand out: the names, and that nothing is loaded before it is used."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import nnbook

PACKAGE = Path(nnbook.__file__).parent
FACES = ["nnbook", *(f"nnbook.{stub.parent.name}" for stub in sorted(PACKAGE.glob("*/__init__.pyi")))]
HEAVY = ("torch", "cellpose", "numba", "numpy", "pandas", "matplotlib", "plotly", "zarr", "anywidget", "skimage")


def test_the_package_hands_out_its_names() -> None:
    assert sorted(nnbook.__all__) == [
        "CellBrowser", "Mosaic", "NnbookError", "PanoramaViewer", "Scatter", "__version__", "evaluate", "measure",
        "read_cells", "read_image", "read_mask", "segment", "simulate", "train",
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
