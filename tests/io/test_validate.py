from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnbook.io.files import sha256
from nnbook.io.images import write_image, write_mask
from nnbook.io.manifest import Panorama, image_problems


@pytest.fixture
def row(tmp_path: Path) -> Panorama:
    """A row whose files lie below tmp_path / "data" and are what it says."""
    folder = tmp_path / "data"
    write_image(folder / "a.tif", np.arange(1200, dtype=np.uint16).reshape(30, 40))
    write_mask(folder / "m.tif", np.eye(30, 40, dtype=np.int32))
    return Panorama("A", 1, "", "", "", "a.tif", "m.tif", 40, 30, 8.0, sha256(folder / "a.tif"), "")


def test_what_is_right_has_no_problem(row: Panorama, tmp_path: Path) -> None:
    assert image_problems(row, tmp_path / "data") == []


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"image": "b.tif"}, "b.tif: no such file"),
        ({"mask": "n.tif"}, "n.tif: no such file"),
        ({"image_sha256": "0" * 64}, "a.tif has another SHA-256"),
        ({"width_px": 41, "mask": ""}, "40 x 30 px, but the manifest says 41 x 30"),
        ({"image": "out.tif"}, "leads out of"),
        ({"mask": "out.tif"}, "leads out of"),
    ],
)
def test_one_line_tells_what_is_wrong(row: Panorama, tmp_path: Path, change: dict[str, Any], named: str) -> None:
    write_image(tmp_path / "secret.tif", np.zeros((30, 40), np.uint8))
    (tmp_path / "data" / "out.tif").symlink_to(tmp_path / "secret.tif")
    problems = image_problems(replace(row, **change), tmp_path / "data")
    assert len(problems) == 1
    assert problems[0].startswith("A: ")
    assert named in problems[0]


def test_image_and_mask_are_both_told(row: Panorama, tmp_path: Path) -> None:
    problems = image_problems(replace(row, height_px=31), tmp_path / "data")
    assert ["a.tif" in problems[0], "m.tif" in problems[1], len(problems)] == [True, True, 2]


def test_an_image_that_can_be_had_may_be_missing(row: Panorama, tmp_path: Path) -> None:
    assert image_problems(replace(row, image="later.tif", source="twin:1"), tmp_path / "data") == []
