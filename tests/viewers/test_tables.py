import json

import numpy as np
import pandas as pd

from nnbook.io.manifest import Panorama
from nnbook.measurement.rois import measure_panorama
from nnbook.viewers.tables import nuclei_columns, panoramas_columns

BLACK = Panorama("black", 7, "", "", "", "in/black.tif", "", 64, 64, 8.0, "", "")


def test_what_is_not_known_is_none() -> None:
    row = {"image": "black.tif", "num_rois": 0, "mean_intensity": np.nan, "std_intensity": np.nan}
    seen = {"image": "other.tif", "num_rois": 3, "mean_intensity": 5.5, "std_intensity": 1.0}
    columns = panoramas_columns(pd.DataFrame([row, seen]), {"black.tif": BLACK})
    assert columns["panorama"] == ["black", "other"]
    assert columns["run"] == [7, None]
    assert columns["quarter"] == columns["crop"] == columns["passage"] == [None, None]
    assert columns["width_px"] == columns["height_px"] == [64, None]
    assert columns["mean_intensity"] == [None, 5.5]
    assert columns["rank"] == [None, 1]
    assert columns["pyramid"] == [False, False]
    assert columns["preview"] == ["previews/black.jpg", None]
    assert json.loads(json.dumps(columns, allow_nan=False)) == columns


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


def test_nuclei_of_images_from_0_to_1_keep_their_brightness() -> None:
    labels = np.zeros((20, 20), np.int32)
    labels[2:5, 3:7] = 1
    rois = measure_panorama("P", np.full((20, 20), 0.0012345, np.float32), labels, 2.0)
    assert nuclei_columns(rois)["mean_intensity"] == [0.0012345]
