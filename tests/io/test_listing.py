"""A manifest from a folder of images: names, groups, scales and outlines, and what is refused."""

import time
from pathlib import Path

import numpy as np
import pytest

from nnbook.errors import NnbookError
from nnbook.io.images import write_image, write_mask
from nnbook.io.listing import _names, list_panoramas
from nnbook.io.manifest import read_manifest, write_manifest


def images(folder: Path, *names: str, px_per_um: float | None = None) -> Path:
    for name in names:
        write_image(folder / name, np.zeros((8, 10), np.uint8), px_per_um=px_per_um)
    return folder


def test_sizes_scales_and_names_are_those_of_the_files(tmp_path: Path) -> None:
    images(tmp_path, "b field.tif", "a.TIF", px_per_um=2.5)
    images(tmp_path, "a_cp_masks.tif", ".hidden.tif", "deep/c.tif")
    rows, folder = list_panoramas(tmp_path)
    assert [(row.panorama, row.image, row.run) for row in rows] == [("a", "a.TIF", 1), ("b_field", "b field.tif", 1)]
    assert {(row.width_px, row.height_px, row.px_per_um) for row in rows} == {(10, 8, 2.5)}
    assert folder == tmp_path
    write_manifest(tmp_path / "manifest.csv", rows, brief=True)
    assert (tmp_path / "manifest.csv").read_text().splitlines()[0] == "panorama,run,image,width_px,height_px,px_per_um"
    assert read_manifest(tmp_path / "manifest.csv") == rows


@pytest.mark.parametrize(
    "pattern",
    ["{condition}_{replicate}_*", "{condition}_?_f*", r"(?P<condition>[a-z ]+)_(?P<replicate>\d)_.*"],
)
def test_a_pattern_tells_conditions_and_replicates_and_each_replicate_is_a_run(tmp_path: Path, pattern: str) -> None:
    images(tmp_path, "control_1_f0.tif", "control_2_f1.tif", "drug a_1_f2.tif", "drug a_1_f3.tif")
    rows = list_panoramas(tmp_path, px_per_um=2, pattern=pattern).rows
    assert [row.condition for row in rows] == ["control", "control", "drug a", "drug a"]
    if "replicate" in pattern:
        assert [row.replicate for row in rows] == ["1", "2", "1", "1"]
        assert [row.run for row in rows] == [1, 2, 3, 3]


def test_folders_are_conditions_and_files_of_one_name_are_named_after_their_paths(tmp_path: Path) -> None:
    images(tmp_path, "control/f.tif", "treated/f.tif", "treated/previews.tif")
    rows = list_panoramas(tmp_path, px_per_um=2, pattern="{condition}/*", taken={"previews"}).rows
    assert [row.panorama for row in rows] == ["control_f", "treated_f", "previews-2"]
    assert [row.condition for row in rows] == ["control", "treated", "treated"]


def test_the_run_of_a_pattern_and_of_a_published_name(tmp_path: Path) -> None:
    images(tmp_path, "day07_a.tif", "day08_b.tif")
    assert [row.run for row in list_panoramas(tmp_path, px_per_um=2, pattern="day{run}_*").rows] == [7, 8]
    images(tmp_path / "own", "Run53TL_bottom_left.tif")
    assert [row.run for row in list_panoramas(tmp_path / "own", px_per_um=2).rows] == [53]


def test_outlines_of_some_images_are_found_and_paths_are_below_both_folders(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    images(tmp_path / "images", "a.tif", "b.tif")
    write_mask(tmp_path / "truth" / "a_cp_masks.tif", np.ones((8, 10), np.int32))
    rows, folder = list_panoramas(tmp_path / "images", px_per_um=2, truth=tmp_path / "truth")
    assert [(row.image, row.truth) for row in rows] == [("images/a.tif", "truth/a_cp_masks.tif"), ("images/b.tif", "")]
    assert folder == tmp_path
    assert "has outlines of 1 of 2 images" in capsys.readouterr().err
    write_mask(tmp_path / "truth" / "a_cp_masks.tif", np.ones((8, 9), np.int32))
    with pytest.raises(NnbookError, match=r"a_cp_masks\.tif: has another size than .*a\.tif; give the outlines"):
        list_panoramas(tmp_path / "images", px_per_um=2, truth=tmp_path / "truth")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"px_per_um": None}, "doesn't say how large its pixels are; give px_per_um"),
        ({"px_per_um": -2.0}, "px_per_um is -2; give pixels a micrometre, above 0"),
        ({"pattern": "x{condition}"}, "which does not fit any image in .*, such as control_1"),
        ({"pattern": "control_{run}"}, "which does not fit 1 of 2 images in .*, such as treated_0"),
        ({"pattern": "{foo}_*"}, r"\{foo\} is no group; there are \{run\}, \{condition\}, \{replicate\}"),
        ({"pattern": "{condition}_{condition}"}, "names a group twice"),
        ({"pattern": "*_{replicate}"}, "has a replicate and no condition"),
        ({"pattern": "(?P<condition>"}, "no regular expression"),
        ({"pattern": "*_{run}"}, "the run '0'; experiments are numbered from 1"),
        ({"truth": "none"}, "no such folder; give the one that holds the outlines"),
        ({"truth": "truth"}, "holds no label image of the images' names, such as control_1.tif"),
    ],
)
def test_what_can_be_no_manifest_is_one_line(tmp_path: Path, change: dict[str, object], told: str) -> None:
    images(tmp_path, "control_1.png", "treated_0.png")
    (tmp_path / "truth").mkdir()
    given: dict[str, object] = {"px_per_um": 2.0, **change}
    if "truth" in change:
        given["truth"] = tmp_path / str(change["truth"])
    with pytest.raises(NnbookError, match=told) as caught:
        list_panoramas(tmp_path, **given)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


def test_folders_without_images_and_names_that_clash_are_refused(tmp_path: Path) -> None:
    with pytest.raises(NnbookError, match="no such folder"):
        list_panoramas(tmp_path / "none")
    (tmp_path / "empty").mkdir()
    with pytest.raises(NnbookError, match="holds no TIFF, PNG or CZI image"):
        list_panoramas(tmp_path / "empty")
    images(tmp_path / "empty" / "deep", "a.tif")
    with pytest.raises(NnbookError, match="has images only in folders below; give pattern"):
        list_panoramas(tmp_path / "empty")
    images(tmp_path / "two", "a.tif", "a.png")
    with pytest.raises(NnbookError, match=r"a\.tif: has the same name as a\.png; keep one"):
        list_panoramas(tmp_path / "two", px_per_um=2)


def test_images_of_two_scales_are_named(tmp_path: Path) -> None:
    images(tmp_path, "a.tif", px_per_um=2)
    images(tmp_path, "b.tif", px_per_um=4)
    with pytest.raises(NnbookError, match=r"different px_per_um, 2 \(a\) and 4 \(b\); make a book of each scale"):
        list_panoramas(tmp_path)


def test_naming_costs_the_same_for_each_of_many_files() -> None:
    def seconds(count: int) -> float:
        files = [Path(f"/images/{number:05}.tif") for number in range(count)]
        began = time.process_time()
        assert len(set(_names(Path("/images"), files, ()))) == count
        return time.process_time() - began

    few = min(seconds(1_000) for _ in range(5))
    assert seconds(16_000) < 16 * few * 4
