import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

from nnbook.errors import NnbookError
from nnbook.io.images import Labels
from nnbook.methods import Shown, write_linked


def boxes(*places: tuple[int, int, int, int]) -> Labels:
    """Draw rectangles (y, x, height, width), numbered from 1, on 40 x 60 px."""
    labels = np.zeros((40, 60), np.int32)
    for label, (y, x, height, width) in enumerate(places, start=1):
        labels[y : y + height, x : x + width] = label
    return labels


def test_mistakes_have_their_places_and_the_nuclei_that_they_are_about(tmp_path: Path) -> None:
    true = boxes((0, 0, 10, 20), (20, 0, 10, 10), (20, 10, 10, 10), (0, 40, 10, 10))
    made = boxes((0, 0, 10, 12), (0, 12, 10, 8), (20, 0, 10, 20), (30, 50, 6, 6))
    path = write_linked(
        tmp_path,
        np.zeros((40, 60), np.uint8),
        true,
        {"a": Shown("A", made), "b": Shown("B", true)},
        title="T",
        px_per_um=8,
    )
    told = json.loads(path.read_text(encoding="utf-8"))
    assert (told["width"], told["height"], told["nuclei"]) == (60, 40, 4)
    one, other = told["methods"]
    columns = one["columns"]
    assert dict(zip(columns["kind"], columns["label"], strict=True)) == {
        "missed": 4,
        "spurious": 4,
        "split": 1,
        "merged": 3,
    }
    assert (columns["x_px"][0], columns["y_px"][0]) == (44.5, 4.5)
    assert one["nuclei"] == {"missed": [4], "split": [1], "merged": [2, 3]}
    assert other["columns"]["kind"] == []


def test_each_method_has_its_tiles_and_the_image_is_there_once(tmp_path: Path) -> None:
    labels = boxes((0, 0, 10, 20))
    for name in ("former", "a"):
        write_linked(tmp_path, np.zeros((40, 60), np.uint8), labels, {name: Shown("A", labels)}, title="T", px_per_um=8)
    folder = tmp_path / "live" / "methods"
    assert sorted(path.name for path in folder.iterdir()) == ["a.zip", "methods.json", "truth.zip"]
    with zipfile.ZipFile(folder / "truth.zip") as truth, zipfile.ZipFile(folder / "a.zip") as masks:
        top = "labels_files/6/0_0.png"
        assert masks.read("labels.dzi")
        assert masks.read(top).startswith(b"\x89PNG")
        assert {"intensity.dzi", top} <= set(truth.namelist())
        assert "intensity.dzi" not in masks.namelist()


def test_masks_of_another_size_are_refused_and_nothing_is_written(tmp_path: Path) -> None:
    labels = boxes()
    with pytest.raises(NnbookError, match="segment this image again"):
        write_linked(
            tmp_path, np.zeros((40, 60), np.uint8), labels, {"a": Shown("A", labels[:30])}, title="T", px_per_um=8
        )
    assert list(tmp_path.iterdir()) == []
