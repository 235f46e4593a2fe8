import builtins
import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnbook.errors import NnbookError
from nnbook.io.images import image_shape, read_image
from nnbook.io.planes import Plane
from nnbook.io.scale import image_scale

SHAPE = (40, 60)


@pytest.fixture(scope="module")
def czi(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CZI file of two channels and three z planes, each of one grey level: 10 c + z."""
    from pylibCZIrw.czi import create_czi

    path = tmp_path_factory.mktemp("czi") / "a.czi"
    with create_czi(str(path)) as file:
        for c in range(2):
            for z in range(3):
                file.write(np.full((*SHAPE, 1), 10 * c + z, np.uint16), plane={"C": c, "Z": z, "T": 0})
        file.write_metadata("a", channel_names={0: "DAPI", 1: "GFP"}, scale_x=0.125e-6, scale_y=0.125e-6)
    return path


@pytest.mark.parametrize(("plane", "expected"), [(Plane("DAPI", "max"), 2), (Plane("gfp", "1"), 11)])
def test_the_chosen_plane_is_read(czi: Path, plane: Plane, expected: int) -> None:
    np.testing.assert_array_equal(read_image(czi, plane), np.full(SHAPE, expected, np.uint16))
    assert image_shape(czi, plane) == SHAPE


def test_without_a_choice_the_message_lists_what_is_there(czi: Path) -> None:
    with pytest.raises(NnbookError, match=r"has 2 channels \(0 DAPI, 1 GFP\) and 3 z planes"):
        read_image(czi)


def test_the_scale_is_the_files(czi: Path) -> None:
    assert image_scale(czi) == 8.0


def test_a_damaged_file_is_named(czi: Path, tmp_path: Path) -> None:
    (tmp_path / "b.czi").write_bytes(czi.read_bytes()[:400])
    with pytest.raises(NnbookError, match=r"b\.czi: can't be read as an image"):
        read_image(tmp_path / "b.czi")


def test_without_the_reader_the_message_says_what_to_install(czi: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = builtins.__import__

    def without(name: str, *rest: Any, **more: Any) -> Any:
        if name.startswith("bioio"):
            raise ImportError(name)
        return known(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(
        NnbookError, match=r"is a CZI file, whose reader is not installed; install it with 'pip install"
    ):
        read_image(czi)


def test_the_reader_is_installed_here() -> None:
    assert importlib.util.find_spec("bioio_czi"), "requirements.txt has it: install that"
