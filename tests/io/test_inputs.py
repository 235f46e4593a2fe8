from pathlib import Path

import numpy as np
import pytest

from nnbook.errors import NnbookError
from nnbook.io.images import write_image
from nnbook.io.inputs import list_images, manifest_images
from nnbook.io.manifest import Panorama, write_manifest
from nnbook.simulation.dataset import simulate_manifest


def images(folder: Path, *names: str) -> None:
    for name in names:
        write_image(folder / name, np.zeros((8, 9), np.uint8))


def test_files_and_folders_are_listed_in_the_order_given(tmp_path: Path) -> None:
    images(tmp_path, "z.tif", "folder/b.tif", "folder/a.tif")
    assert list_images([tmp_path / "z.tif", tmp_path / "folder"]) == {
        "z": tmp_path / "z.tif",
        "a": tmp_path / "folder" / "a.tif",
        "b": tmp_path / "folder" / "b.tif",
    }


def test_a_manifest_lists_its_panoramas_by_their_names(tmp_path: Path) -> None:
    rows = simulate_manifest(1, 1, 300)[:2]
    write_manifest(tmp_path / "manifest.csv", rows)
    assert list_images([tmp_path / "manifest.csv"]) == {row.panorama: tmp_path / row.image for row in rows}


def test_two_images_of_one_name_are_refused(tmp_path: Path) -> None:
    images(tmp_path, "one/a.tif", "two/a.tif")
    with pytest.raises(NnbookError, match=r"two/a\.tif: has the same name as .*one/a\.tif"):
        list_images([tmp_path / "one", tmp_path / "two"])


def test_a_folder_without_images_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(NnbookError, match="empty: holds no TIFF or PNG file"):
        list_images([tmp_path / "empty"])


def test_masks_are_named_after_panoramas(tmp_path: Path) -> None:
    row = Panorama("Run1TL_top_left", 1, "TL", "top_left", "", "raw/x.tif", "", 10, 10, 8.0453, "", "")
    write_manifest(tmp_path / "manifest.csv", [row])
    assert manifest_images(tmp_path / "manifest.csv") == {"Run1TL_top_left": tmp_path / "raw" / "x.tif"}
