from pathlib import Path

import numpy as np
import pytest

from nnbook.errors import NnbookError
from nnbook.io.images import write_image
from nnbook.io.inputs import image_files, list_images, masks_of, pair_files, pair_masks
from nnbook.io.manifest import Panorama, write_manifest
from nnbook.simulation.dataset import simulate_manifest


def images(folder: Path, *names: str) -> Path:
    for name in names:
        write_image(folder / name, np.zeros((8, 9), np.uint8))
    return folder


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
    with pytest.raises(NnbookError, match="empty: holds no TIFF, PNG or CZI file"):
        list_images([tmp_path / "empty"])


def test_masks_are_named_after_panoramas(tmp_path: Path) -> None:
    row = Panorama("Run1TL_top_left", 1, "TL", "top_left", "", "raw/x.tif", "", 10, 10, 8.0453, "", "")
    write_manifest(tmp_path / "manifest.csv", [row])
    assert list_images([tmp_path / "manifest.csv"]) == {"Run1TL_top_left": tmp_path / "raw" / "x.tif"}


@pytest.mark.parametrize("name", ["m.csv", "m.CSV", "m.Csv", "m.tsv", "m.TXT"])
def test_a_manifest_is_one_whatever_its_ending_is_like(tmp_path: Path, name: str) -> None:
    row = Panorama("A", 1, "", "", "", "x.tif", "", 10, 10, 8.0453, "", "")
    write_manifest(tmp_path / name, [row])
    assert list_images([tmp_path / name]) == {"A": tmp_path / "x.tif"}
    with pytest.raises(NnbookError, match=f"{name}: is a manifest; give it alone"):
        list_images([tmp_path / "y.tif", tmp_path / name])


class TestMasksBesideImages:
    """The folder that images are in may be the one that their masks are written to."""

    def test_they_are_no_images(self, tmp_path: Path) -> None:
        folder = images(tmp_path, "b.tif", "a.png.tif", "a.png_cp_masks.tif", "b_cp_masks.png", "gone_cp_masks.tif")
        for name in ("results.csv", "b_cp_masks.json", ".b_cp_masks.tif", ".results.csv.lock"):
            (folder / name).touch()
        found = {"a.png": folder / "a.png.tif", "b": folder / "b.tif"}
        assert image_files(folder) == list_images([folder]) == found
        assert masks_of(found, folder) == {"a.png": folder / "a.png_cp_masks.tif", "b": folder / "b_cp_masks.png"}
        assert masks_of({"b": folder / "b.tif"}, folder) == {"b": folder / "b_cp_masks.png"}

    def test_they_are_no_images_where_a_pattern_names_them(self, tmp_path: Path) -> None:
        folder = images(tmp_path, "a.tif", "a_cp_masks.tif")
        assert list_images([folder / "a.tif", folder / "a_cp_masks.tif"]) == {"a": folder / "a.tif"}
        assert list_images([folder / "a_cp_masks.tif"]) == {"a_cp_masks": folder / "a_cp_masks.tif"}

    def test_an_image_is_not_taken_for_its_own_mask(self, tmp_path: Path) -> None:
        folder = images(tmp_path, "a.tif", "b.tif")
        with pytest.raises(NnbookError) as caught:
            masks_of(list_images([folder]), folder)
        assert [line.split(";")[0] for line in str(caught.value).splitlines()] == [
            f"{folder / name}.tif: has no mask in {folder}" for name in "ab"
        ]
        images(tmp_path, "a_cp_masks.tif")
        with pytest.raises(NnbookError, match=r"^[^\n]*b\.tif: has no mask in [^\n]*$"):
            masks_of(list_images([folder]), folder)

    def test_files_of_cellpose_and_roi_sets_are_masks_where_there_is_no_other(self, tmp_path: Path) -> None:
        folder = images(tmp_path, "a.tif", "b.tif", "c.tif", "c_cp_masks.png")
        for name in ("a_seg.npy", "a_rois.zip", "b_rois.zip", "c_seg.npy"):
            (folder / name).touch()
        assert masks_of(list_images([folder]), folder) == {
            "a": folder / "a_seg.npy",
            "b": folder / "b_rois.zip",
            "c": folder / "c_cp_masks.png",
        }

    def test_pairs_of_one_folder_are_images_with_masks(self, tmp_path: Path) -> None:
        folder = images(tmp_path, "a.tif", "a_cp_masks.tif")
        assert pair_files(folder, folder) == {"a": (folder / "a.tif", folder / "a_cp_masks.tif")}

    def test_what_may_be_one_of_two_masks_is_refused(self, tmp_path: Path) -> None:
        folder, other = images(tmp_path, "a.tif", "a_cp_masks.tif"), images(tmp_path / "other", "a.tif")
        named = r"a_cp_masks\.tif: has the same stem as a\.tif; keep one"
        with pytest.raises(NnbookError, match=named):
            masks_of({"a": other / "a.tif"}, folder)
        with pytest.raises(NnbookError, match=named):
            pair_masks(folder, other)
        (folder / "a.tif").unlink()
        assert pair_masks(folder, other) == {"a": (folder / "a_cp_masks.tif", other / "a.tif")}

    def test_a_folder_of_masks_alone_has_no_images(self, tmp_path: Path) -> None:
        with pytest.raises(NnbookError, match="holds masks alone"):
            list_images([images(tmp_path, "a_cp_masks.tif")])
