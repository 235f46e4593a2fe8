"""The nuclei of the primer, found by rule in an edition."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from nnbook.io.edition import Edition
from nnbook.io.images import write_image, write_mask
from nnbook.io.manifest import Panorama, write_manifest
from nnbook.primer.crops import CROWD_PX, FIELD_PX, NUCLEUS_PX, read_crops

if TYPE_CHECKING:
    from pathlib import Path

SIDE = 500
PLAIN = {"class": "interphase", "touching": False, "cut": False, "defocus_um": 0.1, "brightness": 100.0}
NUCLEI = {
    1: {**PLAIN, "x_px": 20, "y_px": 20},  # too near the edge
    2: {**PLAIN, "x_px": 250, "y_px": 100, "brightness": 190.0},
    3: {**PLAIN, "x_px": 120, "y_px": 120},
    4: {**PLAIN, "x_px": 250, "y_px": 250, "touching": True},
    5: {**PLAIN, "x_px": 275, "y_px": 250, "touching": True},
    6: {**PLAIN, "x_px": 380, "y_px": 120, "class": "anaphase"},
    7: {**PLAIN, "x_px": 380, "y_px": 380, "brightness": 10.0, "defocus_um": 2.0},
}


def edition_in(folder: Path, nuclei: dict[int, dict[str, object]]) -> Edition:
    """Write an edition of one panorama with squares for nuclei, each as bright as its label says."""
    true = np.zeros((SIDE, SIDE), np.int32)
    for number, row in nuclei.items():
        y, x = int(str(row["y_px"])), int(str(row["x_px"]))
        true[y - 10 : y + 10, x - 10 : x + 10] = number
    edition = Edition(folder, "twin", "", simulated=True, px_per_um=1.5, area_px2=SIDE**2)
    panorama = Panorama("Run1", 1, "TL", "top_left", "P1", "panoramas/Run1.tif", "", SIDE, SIDE, 1.5, "", "twin:1")
    write_manifest(edition.manifest, [panorama])
    for path in (edition.image_path(panorama), edition.mask_path(panorama), edition.truth_path(panorama)):
        path.parent.mkdir(parents=True, exist_ok=True)
    write_image(edition.image_path(panorama), (true * 20).astype(np.uint8))
    for path in (edition.mask_path(panorama), edition.truth_path(panorama)):
        write_mask(path, true)
    table = pd.DataFrame.from_dict(nuclei, orient="index").rename_axis("label").reset_index()
    table.to_csv(edition.truth_path(panorama).with_suffix(".csv"), index=False)
    return edition


def test_each_square_has_its_nucleus_in_the_middle(tmp_path: Path) -> None:
    crops = read_crops(edition_in(tmp_path, NUCLEI), 30, 30)
    assert crops is not None
    middles = {name: int(crop.true[len(crop.true) // 2, len(crop.true) // 2]) for name, crop in crops._asdict().items()}
    assert middles == {"nucleus": 3, "field": 3, "crowd": 4, "mitosis": 6, "dim": 7}
    assert {name: crop.grey.shape[0] for name, crop in crops._asdict().items()} == {
        "nucleus": NUCLEUS_PX, "field": FIELD_PX, "crowd": CROWD_PX, "mitosis": CROWD_PX, "dim": CROWD_PX,
    }  # fmt: skip
    assert set(np.unique(crops.crowd.true)) >= {4, 5}
    np.testing.assert_array_equal(crops.crowd.masks, crops.crowd.true)


def test_panoramas_are_brought_to_the_scale_of_the_network(tmp_path: Path) -> None:
    crops = read_crops(edition_in(tmp_path, NUCLEI), 40, 30)
    assert crops is not None
    assert crops.mitosis.px_per_um == 1.5 * 30 / 40
    assert (crops.mitosis.true == 6).sum() == (20 * 30 / 40) ** 2


def test_without_one_of_them_there_are_none(tmp_path: Path) -> None:
    few = {number: row for number, row in NUCLEI.items() if number != 6}
    assert read_crops(edition_in(tmp_path, few), 30, 30) is None
