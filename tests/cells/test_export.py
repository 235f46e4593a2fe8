from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tifffile

from nnbook.cells import export
from nnbook.cells.store import Cells, MaskedPanorama, read_cells
from nnbook.cells.writer import write_cells
from nnbook.cli import main
from nnbook.errors import NnbookError
from nnbook.io.images import write_image, write_mask
from nnbook.measurement.rois import measure_panorama

SCALE = 8.0453


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seven cells of two panoramas."""
    folder, tables, panoramas = tmp_path_factory.mktemp("store"), [], []
    for run, count in ((3, 3), (12, 4)):
        name = f"Run{run}BL_bottom_left"
        image = np.random.default_rng(run).integers(1, 256, (300, 300), np.uint8)
        labels = np.zeros((300, 300), np.int32)
        for number in range(count):
            labels[20 + 70 * number : 50 + 70 * number, 40 : 140 + number] = number + 5
        write_image(folder / f"{name}.tif", image)
        write_mask(folder / f"{name}_cp_masks.tif", labels)
        tables.append(measure_panorama(name, image, labels, SCALE))
        panoramas.append(MaskedPanorama(name, run, "", folder / f"{name}.tif", folder / f"{name}_cp_masks.tif"))
    pd.concat(tables).to_parquet(folder / "rois.parquet", index=False)
    write_cells(folder / "cells", panoramas, folder / "rois.parquet", edition="e", note="N.", px_per_um=SCALE)
    return folder / "cells"


@pytest.fixture
def few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "CELLS_AT_A_TIME", 2)
    monkeypatch.setattr(export, "CELLS_PER_FILE", 5)


def test_a_folder_of_tiffs_has_the_published_names_and_the_same_pixels(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", str(store), "--tiff", str(tmp_path / "tiff")]) == 0
    assert capsys.readouterr().out == f"cells: 7\nout: {tmp_path / 'tiff'}\n"
    cells = read_cells(store)
    assert sorted(path.name for path in (tmp_path / "tiff").iterdir()) == sorted(
        [f"Run3BL_bottom_left_ROI_{roi}.tif" for roi in (5, 6, 7)]
        + [f"Run12BL_bottom_left_ROI_{roi}.tif" for roi in (5, 6, 7, 8)]
    )
    for row, name in enumerate(cells.table["cell"]):
        with tifffile.TiffFile(tmp_path / "tiff" / f"{name}.tif") as tiff:
            page = tiff.pages.first
            assert (page.shape, page.dtype) == ((256, 256), np.dtype(np.uint8))
            assert page.get_resolution(5) == pytest.approx((SCALE, SCALE), rel=1e-6), "pixels a micrometre"
            np.testing.assert_array_equal(page.asarray(), cells.images[row])


@pytest.mark.usefixtures("few_at_a_time")
def test_a_dataset_on_disk_loads_with_the_published_columns(store: Path, tmp_path: Path) -> None:
    from datasets import Image, load_dataset

    assert main(["export", str(store), "--dataset", str(tmp_path / "set")]) == 0
    files = sorted(path.name for path in (tmp_path / "set" / "data").iterdir())
    assert files == ["train-00000-of-00002.parquet", "train-00001-of-00002.parquet"]
    loaded = load_dataset(str(tmp_path / "set"), split="train", cache_dir=str(tmp_path / "cache"))
    assert loaded.column_names == ["image", "filename"]
    assert isinstance(loaded.features["image"], Image)
    cells = read_cells(store)
    assert loaded["filename"][:] == [f"{name}.tif" for name in cells.table["cell"]]
    for row in range(7):
        np.testing.assert_array_equal(np.asarray(loaded[row]["image"]), cells.images[row])


def test_a_store_of_no_cells_is_a_dataset_of_none(tmp_path: Path) -> None:
    write_cells(tmp_path / "cells", [], None, edition="published", note="N.", px_per_um=SCALE)
    cells = read_cells(tmp_path / "cells")
    assert export.write_dataset(cells, tmp_path / "set") == 0
    assert export.write_tiffs(cells, tmp_path / "tiff") == 0
    assert list((tmp_path / "tiff").iterdir()) == []


@pytest.mark.parametrize("write", [export.write_tiffs, export.write_dataset])
def test_a_folder_that_is_there_is_not_touched(
    store: Path, tmp_path: Path, write: Callable[[Cells, Path], int]
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("keep")
    with pytest.raises(NnbookError, match=r"mine: is there already; name a new folder"):
        write(read_cells(store), tmp_path / "mine")
    assert (tmp_path / "mine" / "notes.txt").read_text() == "keep"
