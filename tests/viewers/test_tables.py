import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from nnbook.errors import NnbookError
from nnbook.io.edition import Edition
from nnbook.io.files import write_json
from nnbook.io.images import write_mask
from nnbook.io.manifest import Panorama, write_manifest
from nnbook.io.parquet import write_parquet
from nnbook.measurement.rois import measure_panorama
from nnbook.viewers.tables import brief_columns, nuclei_columns, panoramas_columns, read_panoramas, steps

BLACK = Panorama("black", 7, "", "", "", "in/black.tif", "", 64, 64, 8.0, "", "")


def test_what_is_not_known_is_none() -> None:
    row = {"image": "black.tif", "num_rois": 0, "mean_intensity": np.nan, "std_intensity": np.nan}
    seen = {"image": "other.tif", "num_rois": 3, "mean_intensity": 5.5, "std_intensity": 1.0}
    columns = panoramas_columns(pd.DataFrame([row, seen]), {"black.tif": BLACK})
    assert columns["panorama"] == ["black", "other"]
    assert columns["run"] == [7, None]
    assert columns["passage"] == [None, None]
    assert columns["width_px"] == columns["height_px"] == [64, None]
    assert columns["mean_intensity"] == [None, 5.5]
    assert columns["rank"] == [None, 1]
    assert columns["pyramid"] == [False, False]
    assert columns["preview"] == ["previews/black.jpg", None]
    assert not {"tiles", "nuclei", "truth"} & columns.keys()
    assert json.loads(json.dumps(columns, allow_nan=False)) == columns


def test_every_panorama_with_tiles_says_where_they_are() -> None:
    row = {"image": "black.tif", "num_rois": 0, "mean_intensity": np.nan, "std_intensity": np.nan}
    tiles = {"black": {"tiles": "black.zip", "nuclei": "nuclei/black.json", "truth": True}}
    seen = {"image": "other.tif", "num_rois": 3, "mean_intensity": 5.5, "std_intensity": 1.0}
    columns = panoramas_columns(pd.DataFrame([row, seen]), {"black.tif": BLACK}, tiles)
    assert (columns["pyramid"], columns["truth"]) == ([True, False], [True, None])
    assert (columns["tiles"], columns["nuclei"]) == (["black.zip", None], ["nuclei/black.json", None])
    assert columns["px_per_um"] == [8.0, None]


def test_what_views_fetch_of_16_000_panoramas_is_less_than_1_5_mb() -> None:
    """Of every second one the truth is known, so that no column of addresses but that of previews is one value."""
    count = 160
    names = [f"Run{1000 + at}TL_top_left" for at in range(count)]
    row = {"num_rois": 914, "mean_intensity": 1 / 0.0157, "std_intensity": 1 / 0.0177}
    results = pd.DataFrame([{"image": f"{name}.tif", **row} for name in names])
    rows = {f"{name}.tif": replace(BLACK, panorama=name, run=at, passage="P12") for at, name in enumerate(names)}
    tiles: dict[str, dict[str, Any]] = {
        name: {"tiles": f"{name}.zip", "nuclei": f"nuclei/{name}.json", "truth": True} for name in names[::2]
    }
    tiles |= {name: {"tiles": name, "nuclei": f"{name}/nuclei.json", "truth": None} for name in names[1::2]}
    table = json.dumps(brief_columns(panoramas_columns(results, rows, tiles)), separators=(",", ":"))
    assert len(table) / count * 16_000 < 1_500_000


def test_brief_columns_are_read_as_they_were(tmp_path: Path) -> None:
    row = {"num_rois": 914, "mean_intensity": 60.0, "std_intensity": 50.0}
    names = ["zip", "nuclei", "a", "seen"]
    results = pd.DataFrame([{"image": f"{name}.tif", **row} for name in names])
    rows = {f"{name}.tif": replace(BLACK, panorama=name) for name in names[:3]}
    tiles = {
        name: {"tiles": f"{name}.zip", "nuclei": f"nuclei/{name}.json", "truth": None} for name in ("zip", "nuclei")
    }
    columns = panoramas_columns(results, rows, tiles)
    brief = brief_columns(columns)
    assert (brief["num_rois"], brief["truth"]) == (914, None), "once, not of each"
    assert brief["preview"][:3] == ["previews/*.jpg"] * 3
    path = tmp_path / "panoramas.json"
    write_json(path, {"columns": brief})
    assert read_panoramas(path).to_dict("list") == columns
    write_json(path, {"columns": columns})
    assert read_panoramas(path).to_dict("list") == columns, "as earlier versions wrote it"
    for damage, words in (
        (({"run": [1]}), "column run"),
        ({"pyramid": "all"}, "pyramid"),
        ({"panorama": "a"}, "panorama"),
    ):
        write_json(path, {"columns": brief | damage})
        with pytest.raises(NnbookError, match=words):
            read_panoramas(path)


def test_nuclei_have_classes_only_where_some_are_known() -> None:
    image, labels = np.full((20, 20), 7, np.uint8), np.zeros((20, 20), np.int32)
    labels[2:5, 3:7], labels[10:12, 10:12] = 9, 2
    rois = measure_panorama("P", image, labels, 2.0)
    columns = nuclei_columns(rois)
    assert "class" not in columns
    assert (columns["roi"], columns["area_um2"], columns["left_px"]) == ([2, 9], [1, 3], [10, 3])
    assert (columns["x_px"], columns["y_px"]) == ([10.5, 4.5], [10.5, 3])
    rois["class"] = [None, "anaphase"]
    assert nuclei_columns(rois)["class"] == [None, "anaphase"]
    assert "confidence" not in nuclei_columns(rois.assign(confidence=[np.nan, np.nan]))
    assert nuclei_columns(rois.assign(confidence=[np.nan, 0.123456789]))["confidence"] == [None, 0.123457]


def test_nuclei_of_images_from_0_to_1_keep_their_brightness() -> None:
    labels = np.zeros((20, 20), np.int32)
    labels[2:5, 3:7] = 1
    rois = measure_panorama("P", np.full((20, 20), 0.0012345, np.float32), labels, 2.0)
    assert nuclei_columns(rois)["mean_intensity"] == [0.0012345]


def test_the_first_nucleus_of_each_class_is_one_of_a_panorama_that_can_be_zoomed_into(tmp_path: Path) -> None:
    edition = Edition(tmp_path, "twin", "", simulated=True, px_per_um=8.0, area_px2=1)
    columns = {"panorama": ["a", "b", "c", "b", "a"], "roi": [1, 2, 1, 1, 9], "x_px": [9.6, 20, 30, 40, 50]}
    classes = ["interphase", "telophase", "anaphase", "telophase", None]
    write_parquet(edition.rois, pd.DataFrame(columns | {"y_px": [5.0] * 5, "class": classes}))
    assert steps(edition) == {}
    write_json(edition.pyramids / "index.json", {"panoramas": [{"panorama": "b"}, {"panorama": "a"}]})
    assert steps(edition) == {
        "telophase": {"panorama": "b", "roi": 1, "view": [40, 5, 640]},
        "interphase": {"panorama": "a", "roi": 1, "view": [10, 5, 640]},
    }


def test_a_step_leads_to_two_nuclei_that_touch(tmp_path: Path) -> None:
    edition = Edition(tmp_path, "twin", "", simulated=True, px_per_um=8.0, area_px2=1)
    columns = {"panorama": ["a"] * 3, "roi": [1, 2, 3], "x_px": [9.6, 20, 30], "y_px": [5.0, 6, 9]}
    other = {"class": ["interphase"] * 3, "at_border": [False, False, True]}
    write_parquet(edition.rois, pd.DataFrame(columns | other))
    write_json(edition.pyramids / "index.json", {"panoramas": [{"panorama": "a"}]})
    panorama = replace(BLACK, panorama="a", image="in/a.tif", width_px=4, height_px=3)
    write_manifest(edition.manifest, [panorama])
    for middle, found in ((0, False), (3, False), (2, True)):
        rows = [[1, middle, 2, 2], [1, middle, 2, 3], [1, 1, 0, 3]]
        write_mask(edition.mask_path(panorama), np.array(rows, np.int32))
        assert ("touching" in steps(edition)) is found
    assert steps(edition)["touching"] == {"panorama": "a", "roi": 1, "view": [15, 6, 640]}
    last = pd.DataFrame(columns | other).tail(1).assign(panorama="b", **{"class": "telophase"})
    write_parquet(edition.rois, pd.concat([pd.DataFrame(columns | other), last]))
    for pyramid in (False, True):
        table = {"panorama": ["c", "b", "a"], "pyramid": [False, pyramid, True]}
        write_json(edition.pyramids / "panoramas.json", {"columns": table})
        assert ("telophase" in steps(edition)) is pyramid, "it can be zoomed into"
    wrong = {"kind": ["missed", "spurious", "spurious"], "label": [2, 3, 1]}
    write_json(edition.pyramids / "a" / "mistakes.json", {"columns": wrong})
    assert steps(edition)["spurious"] == {"panorama": "a", "roi": 3, "view": [30, 9, 640]}
    assert "merged" not in steps(edition)
