from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from nnbook.errors import NnbookError
from nnbook.figures.readers import read_cases, read_history, read_opening, read_panels
from nnbook.io.edition import Edition, read_edition, write_edition
from nnbook.io.images import write_image, write_mask
from nnbook.io.manifest import Panorama, write_manifest
from nnbook.segmentation.model import SHIPPED_MODEL
from nnbook.simulation.dataset import write_panorama

if TYPE_CHECKING:
    from pathlib import Path


def edition(folder: Path, *panoramas: Panorama) -> Edition:
    found = Edition(folder, "own", "Ours.", simulated=False, px_per_um=8.0, area_px2=64)
    if panoramas:
        write_manifest(found.manifest, list(panoramas))
    return found


def panorama(name: str, side: int) -> Panorama:
    return Panorama(name, 1, "TL", "top_left", "", f"panoramas/{name}.tif", "", side, side, 8.0, "", "twin:1")


def test_panels_are_reduced_with_their_masks_and_scale(tmp_path: Path) -> None:
    image = np.arange(64, dtype=np.uint8).reshape(8, 8)
    labels = np.zeros((8, 8), np.int32)
    labels[:, 4:] = 7
    for name in ("a", "b"):
        write_image(tmp_path / "panoramas" / f"{name}.tif", image)
        write_mask(tmp_path / "masks" / f"{name}_cp_masks.tif", labels)
    panels = read_panels(edition(tmp_path, panorama("a", 8), panorama("b", 8)), ["b.tif", "a"], side_px=4)
    assert [panel.name for panel in panels] == ["b", "a"]
    assert panels[0].px_per_um == 4.0
    assert panels[0].image.shape == panels[0].labels.shape == (4, 4)
    assert panels[0].image[0, 0] == image[:2, :2].mean()
    assert panels[0].labels[0].tolist() == [0, 0, 7, 7]


def test_panels_of_sides_that_the_step_does_not_divide(tmp_path: Path) -> None:
    write_image(tmp_path / "panoramas" / "a.tif", np.ones((11, 7), np.uint8))
    write_mask(tmp_path / "masks" / "a_cp_masks.tif", np.ones((11, 7), np.int32))
    (reduced,) = read_panels(edition(tmp_path, panorama("a", 8)), ["a"], side_px=5)
    assert reduced.image.shape == reduced.labels.shape == (3, 2)


def test_panels_of_an_edition_without_images(tmp_path: Path) -> None:
    assert read_panels(edition(tmp_path), ["a.tif"]) == []


def test_panels_refuse_an_unknown_name_and_a_mask_of_another_size(tmp_path: Path) -> None:
    with pytest.raises(NnbookError, match="has no panorama b"):
        read_panels(edition(tmp_path, panorama("a", 8)), ["b.tif"])
    write_image(tmp_path / "panoramas" / "a.tif", np.ones((8, 8), np.uint8))
    write_mask(tmp_path / "masks" / "a_cp_masks.tif", np.ones((8, 9), np.int32))
    with pytest.raises(NnbookError, match="another size"):
        read_panels(edition(tmp_path, panorama("a", 8)), ["a.tif"])


def test_cases_are_the_first_of_their_kind_away_from_the_frame(tmp_path: Path) -> None:
    panorama = Panorama(
        panorama="Run2BL_top_right", run=2, quarter="BL", crop="top_right", passage="P1",
        image="panoramas/Run2BL_top_right.tif", mask="", width_px=2048, height_px=2048, px_per_um=8.0453,
        image_sha256="", source="twin:1",
    )  # fmt: skip
    assert read_cases(edition(tmp_path / "none", panorama)) == []
    write_panorama(panorama, tmp_path)
    truth = pd.read_csv(tmp_path / "truth" / "Run2BL_top_right.csv")
    write_mask(tmp_path / "masks" / "Run2BL_top_right_cp_masks.tif", np.ones((2048, 2048), dtype=np.int32))
    found = read_cases(edition(tmp_path, panorama))
    assert found
    for one in found:
        middle = one.true[one.true.shape[0] // 2 - 20 :, one.true.shape[1] // 2 - 20 :][:40, :40]
        assert one.masks.shape == one.true.shape == one.image.shape == (370, 370)
        # A pair's middle may be its gap; of all others it is the nucleus.
        assert one.title in {"Anaphase", "Telophase"} or (middle > 0).any()
    assert len({one.title for one in found}) == len(found)
    assert ("Touching" in {one.title for one in found}) <= bool(truth["touching"].any())


def test_the_shipped_model_has_its_history() -> None:
    history = read_history(SHIPPED_MODEL.with_name(f"{SHIPPED_MODEL.name}.history.csv"))
    assert history["validation_loss"].min() < history["validation_loss"].iloc[0]


def test_a_missing_history_is_named(tmp_path: Path) -> None:
    with pytest.raises(NnbookError, match=r"none\.csv: no history"):
        read_history(tmp_path / "none.csv")


def test_the_opening_is_the_panorama_of_published_size_where_there_is_one(tmp_path: Path) -> None:
    image = np.arange(1024, dtype=np.uint16).reshape(32, 32)
    for folder in (tmp_path, tmp_path / "full-size"):
        write_image(folder / "panoramas" / "a.tif", image)
        write_mask(folder / "masks" / "a_cp_masks.tif", (image > 500).astype(np.int32))
        write_edition(edition(folder, panorama("a", 32)))
    write_image(tmp_path / "full-size" / "panoramas" / "a.tif", image + 1)
    opening = read_opening(read_edition(tmp_path), view=(20, 8, 10), side_px=10)
    assert opening is not None
    assert opening.close.image[0, 0] == image[3, 15] + 1
    assert opening.close.image.shape == (10, 10)
    assert opening.whole.image.shape == (8, 8)
    assert list(opening.frame) == [15 / 4, 3 / 4, 10 / 4, 10 / 4]
    far = read_opening(read_edition(tmp_path), view=(6480, 2760, 1100), side_px=8)
    assert far is not None
    assert list(far.frame) == [0, 0, 8, 8]
    assert read_opening(edition(tmp_path / "none"), view=(20, 8, 10)) is None
