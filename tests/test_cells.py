import json

import numpy as np
import pandas as pd
import pytest

from nnbook.cells import MaskedPanorama, read_cells, write_cells
from nnbook.images import write_image, write_mask
from nnbook.measure import measure_panorama

SCALE = 8.0453


def scene(folder, name, seed=1):
    """A panorama of 12 ellipses, one of them cut by the edge and one larger than the frame, with its mask."""
    rng = np.random.default_rng(seed)
    image, labels = rng.integers(5, 250, (700, 900), np.uint8), np.zeros((700, 900), np.int32)
    y, x = np.mgrid[:700, :900]
    places = [(80 + 110 * (k % 4), 90 + 120 * (k // 4), 40, 25) for k in range(10)] + [(600, 0, 30, 20)]
    for number, (cx, cy, a, b) in enumerate([*places, (700, 500, 140, 40)]):
        turn = rng.uniform(0, np.pi)
        u, v = (x - cx) * np.cos(turn) + (y - cy) * np.sin(turn), (y - cy) * np.cos(turn) - (x - cx) * np.sin(turn)
        labels[(u / a) ** 2 + (v / b) ** 2 <= 1] = 3 * number + 2
    write_image(folder / f"{name}.tif", image)
    write_mask(folder / f"{name}_cp_masks.tif", labels)
    return image, labels


def scenes(folder, *names):
    tables = []
    for seed, name in enumerate(names):
        tables.append(measure_panorama(name, *scene(folder, name, seed), SCALE))
    pd.concat(tables).to_parquet(folder / "rois.parquet", index=False, row_group_size=7)
    return [
        MaskedPanorama(name, int(name[3]), "P12", folder / f"{name}.tif", folder / f"{name}_cp_masks.tif")
        for name in names
    ]


def write(folder, panoramas, **options):
    return write_cells(
        folder / "cells", panoramas, folder / "rois.parquet", edition="twin", note="N.", px_per_um=SCALE, **options
    )


def test_a_store_has_a_row_and_an_image_a_cell_in_order_of_run(tmp_path):
    panoramas = scenes(tmp_path, "Run2TL_top_left", "Run1TL_top_left", "Run1BL_bottom_left")
    told = write(tmp_path, panoramas)
    cells = read_cells(tmp_path / "cells")
    assert told == cells.about == json.loads((tmp_path / "cells" / "cells.json").read_text())
    assert told["left_out"] == {"at_border": 3, "larger_than_frame": 3}
    assert told["runs"] == [
        {"run": 1, "passage": "P12", "first": 0, "cells": 20},
        {"run": 2, "passage": "P12", "first": 20, "cells": 10},
    ]
    assert cells.images.shape == (30, 256, 256)
    assert cells.thumbnails.shape == (30, 64, 64)
    assert cells.table["cell"].iloc[[0, 10, 20]].tolist() == [
        "Run1TL_top_left_ROI_2",
        "Run1BL_bottom_left_ROI_2",
        "Run2TL_top_left_ROI_2",
    ]
    areas = (cells.table["area_um2"] * SCALE**2).round().to_numpy()
    assert [np.count_nonzero(cells.images[i]) for i in range(30)] == pytest.approx(areas, rel=0.02)
    image = cells.images[5].astype(int)
    means = (image.reshape(64, 4, 64, 4).sum(axis=(1, 3)) + 8) // 16
    np.testing.assert_array_equal(cells.thumbnails[5], means)


def test_without_panoramas_there_is_a_store_of_no_cells(tmp_path):
    write_cells(tmp_path / "cells", [], None, edition="published", note="None here.", px_per_um=SCALE)
    cells = read_cells(tmp_path / "cells")
    assert (len(cells), cells.images.shape, cells.thumbnails.shape) == (0, (0, 256, 256), (0, 64, 64))
    assert cells.about["note"] == "None here."
    assert cells.about["runs"] == []
