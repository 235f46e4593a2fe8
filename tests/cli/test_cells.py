import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nnbook.cells.store import read_cells
from nnbook.cli import main
from nnbook.io.images import write_image, write_mask
from nnbook.io.manifest import Panorama, write_manifest
from nnbook.pipeline.measured import MaskedImage, measure_files, write_measurements

Said = pytest.CaptureFixture[str]
NAMES = ("Run1TL_top_left", "Run1TL_top_right")


@pytest.fixture
def field(tmp_path: Path) -> Path:
    """A folder with two images of one nucleus each, their masks in `masks/`, and `rois.parquet` at 2 px/µm."""
    labels = np.zeros((60, 70), np.int32)
    labels[20:40, 10:30] = 1
    files = {}
    for name in NAMES:
        files[name] = MaskedImage(tmp_path / f"{name}.tif", tmp_path / "masks" / f"{name}_cp_masks.tif", 2.0)
        write_image(files[name].image, (labels * 100).astype(np.uint8))
        write_mask(files[name].mask, labels)
    write_measurements(tmp_path, list(files), measure_files(files, tmp_path), tmp_path)
    return tmp_path


def rows(*scales: float) -> list[Panorama]:
    return [
        Panorama(name, 1, "TL", "", "", f"{name}.tif", "", 70, 60, scale, "", "")
        for name, scale in zip(NAMES, scales, strict=True)
    ]


def cut(folder: Path, *more: str) -> int:
    call = ["cells", *more, "--masks", str(folder / "masks"), "--rois", str(folder / "rois.parquet")]
    return main([*call, "--out", str(folder / "cells"), "--json"])


def test_cells_have_the_scale_of_their_rows(field: Path, capsys: Said) -> None:
    write_manifest(field / "m.CSV", [replace(row, passage="P9") for row in rows(2.0, 2.0)])
    assert cut(field, str(field / "m.CSV")) == 0
    assert json.loads(capsys.readouterr().out)["cells"] == 2
    cells = read_cells(field / "cells")
    assert cells.px_per_um == 2.0
    assert cells.table["passage"].tolist() == ["P9", "P9"]


def test_panoramas_of_two_scales_are_refused_by_name(field: Path, capsys: Said) -> None:
    write_manifest(field / "m.csv", rows(2.0, 8.0453))
    assert cut(field, str(field / "m.csv")) == 1
    named = f"different px_per_um, 2 ({NAMES[0]}) and 8.0453 ({NAMES[1]}); cut the cells of each scale"
    assert named in capsys.readouterr().err
    assert not (field / "cells").exists()


def test_areas_that_were_measured_with_another_scale_are_refused(field: Path, capsys: Said) -> None:
    assert cut(field, str(field), "--px-per-um", "8.0453") == 1
    said = capsys.readouterr().err
    assert f"has {NAMES[0]} measured with 2 px/µm, but its scale is 8.0453; run 'nnbook measure' again" in said
    assert not (field / "cells").exists()
    rois = pd.read_parquet(field / "rois.parquet")
    rois["area_um2"] *= np.array([1, 1.001])
    rois.to_parquet(field / "rois.parquet")
    assert cut(field, str(field), "--px-per-um", "2") == 1
    assert f"has {NAMES[1]} measured with 1.999 px/µm" in capsys.readouterr().err
    assert cut(field, str(field / f"{NAMES[0]}.tif"), "--px-per-um", "2") == 0, "the other panorama doesn't count"


def test_without_any_scale_it_is_asked_for(field: Path, capsys: Said) -> None:
    assert cut(field, str(field)) == 1
    assert "doesn't say how large its pixels are; give --px-per-um" in capsys.readouterr().err


def test_measurements_that_are_no_file_are_refused(field: Path, capsys: Said) -> None:
    (field / "rois.parquet").unlink()
    os.mkfifo(field / "rois.parquet")
    assert cut(field, str(field), "--px-per-um", "2") == 1
    assert "rois.parquet: is a pipe, device or socket; copy its content" in capsys.readouterr().err
