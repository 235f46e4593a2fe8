import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from simulated_store import SIDE, put_store, write_store
from skimage.io import imread

from nnbook.cells.sample import read_sample, write_sample
from nnbook.cli import main
from nnbook.viewers.mosaic import DECIMALS, brightness_of, gains_of, read_grid, write_mosaic

Made = tuple[Path, NDArray[np.uint8], pd.DataFrame, dict[str, Any]]

LEVELS = {1: [40, 50, 60, 50], 2: [100, 90], 5: [200, 210, 190, 205]}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A store of three runs, one of which has too few cells, and its mosaic."""
    folder = tmp_path_factory.mktemp("mosaic")
    images, table = write_store(folder / "plain", LEVELS)
    table = table.assign(std_intensity=table["mean_intensity"] / 7, elongation=1 + table["roi"] / 7)
    put_store(folder / "cells", list(images), table)
    write_sample(folder / "cells", folder, per_run=3, seed=2)
    about = write_mosaic(folder / "mosaic", folder / "cells", folder)
    return folder, images, table, about


def whole(dzi: Path) -> NDArray[np.uint8]:
    """Put the tiles of a pyramid's full size together."""
    height, width, tile, overlap = (
        int(re.findall(rf'{name}="(\d+)"', dzi.read_text())[0]) for name in ("Height", "Width", "TileSize", "Overlap")
    )
    levels = dzi.with_name(f"{dzi.stem}_files")
    level = max(int(path.name) for path in levels.iterdir())
    image = np.zeros((height, width), np.uint8)
    for path in (levels / str(level)).iterdir():
        column, row = (max(0, int(number) * tile - overlap) for number in path.stem.split("_"))
        pixels = imread(path)
        image[row : row + pixels.shape[0], column : column + pixels.shape[1]] = pixels
    return image


def cells_of(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    rows, columns = (side // SIDE for side in image.shape)
    return image.reshape(rows, SIDE, columns, SIDE).swapaxes(1, 2)


def test_runs_are_rows_in_order_of_time_and_cells_stand_in_the_order_drawn(made: Made) -> None:
    folder, images, _, about = made
    sample, _ = read_sample(folder, folder / "cells")
    assert [(row["run"], row["passage"], row["cells"]) for row in about["rows"]] == [
        (1, "P11", 3),
        (2, "P12", 2),
        (5, "P15", 3),
    ]
    assert about["columns"] == 3
    shown = cells_of(whole(folder / "mosaic" / about["intensity"]))
    assert shown.shape[:2] == (3, 3)
    places = [(row, column) for row, size in enumerate([3, 2, 3]) for column in range(size)]
    for (row, column), at in zip(places, sample["row"], strict=True):
        difference = np.abs(shown[row, column].astype(int) - images[at])
        assert difference.mean() < 2, (row, column)
    assert not shown[1, 2].any(), "a run of too few cells has black ones at the end of its row"


def test_cells_are_named_in_the_order_of_the_grid(made: Made) -> None:
    folder, _, table, about = made
    sample, _ = read_sample(folder, folder / "cells")
    told = json.loads((folder / "mosaic" / about["cells"]).read_text())
    columns = told["columns"]
    names = [
        f"{told['panoramas'][code]}_ROI_{roi}" for code, roi in zip(columns["panorama"], columns["roi"], strict=True)
    ]
    assert names == table["cell"].iloc[sample["row"]].tolist()
    assert columns["class"] == [kind if isinstance(kind, str) else None for kind in sample["class"]]
    assert columns["mean_intensity"] == pytest.approx(sample["mean_intensity"].tolist())
    cells = table.iloc[sample["row"]]
    measured = {name: decimals for name, decimals in DECIMALS.items() if name in cells}
    assert {"std_intensity", "elongation"} <= set(measured) <= set(columns)
    for name, decimals in measured.items():
        assert columns[name] == pytest.approx(cells[name].round(decimals).tolist()), name


def test_outside_of_masks_both_are_black(made: Made) -> None:
    folder, *_, about = made
    outside = np.hypot(*np.mgrid[-128:128, -128:128]) > 60 + 12  # JPEG's blocks of 8 px reach over the edge
    for name in ("intensity", "normalised"):
        shown = cells_of(whole(folder / "mosaic" / about[name]))
        assert shown[..., outside].max() <= 1, name


def test_normalised_rows_are_equally_bright_and_raw_ones_are_not(made: Made) -> None:
    folder, *_, about = made
    inside = np.hypot(*np.mgrid[-128:128, -128:128]) < 40

    def medians(name: str) -> list[float]:
        shown = cells_of(whole(folder / "mosaic" / about[name]))
        sizes = [row["cells"] for row in about["rows"]]
        return [np.median(shown[row, :size][..., inside].mean(axis=1)) for row, size in enumerate(sizes)]

    assert medians("intensity") == pytest.approx([50, 95, 200], rel=0.05)
    assert medians("normalised") == pytest.approx([95, 95, 95], rel=0.01)
    brightness = [row["brightness"] for row in about["rows"]]
    assert brightness == pytest.approx(medians("intensity"), rel=0.02)
    assert [row["gain"] * level for row, level in zip(about["rows"], brightness, strict=True)] == pytest.approx(
        [np.median(brightness)] * 3, rel=0.001
    )


def histogram(*levels: list[int]) -> NDArray[np.int64]:
    return np.array([np.bincount(cell, minlength=256) for cell in levels])


def test_brightness_is_that_of_the_middle_cell_inside_its_mask() -> None:
    dark, middle, bright = [0, 0, 10, 20], [0, 30, 30, 30], [250] * 4
    assert brightness_of(histogram(dark, middle, bright)) == 30
    assert brightness_of(histogram(dark, middle, bright, [0] * 4)) == 30, "a black cell counts for nothing"
    assert np.isnan(brightness_of(histogram([0] * 4)))


def test_gains_bring_all_runs_to_the_middle_one() -> None:
    gains = gains_of(np.array([40.0, 50.0, 200.0, np.nan]))
    assert gains.tolist() == [50 / 40, 1, 50 / 200, 1]


def test_what_a_gain_makes_white_is_counted_once(tmp_path: Path) -> None:
    levels = np.zeros((4, SIDE, SIDE), np.uint8)
    levels[0, :10] = 50  # a run of brightness 50, with one bright cell that its gain of 2 lifts above white
    levels[1, :10] = 50
    levels[2, :5], levels[2, 5:10] = 250, 255
    levels[3, :10] = 150
    names = ["cell", "panorama", "run", "passage", "roi", "area_um2", "mean_intensity"]
    rows = [[f"c{at}", "p", run, "", at, 1.0, 1.0] for at, run in enumerate([1, 1, 1, 2])]
    put_store(tmp_path / "cells", levels, pd.DataFrame(rows, columns=names))
    write_sample(tmp_path / "cells", tmp_path)
    about = write_mosaic(tmp_path / "mosaic", tmp_path / "cells", tmp_path)
    assert [row["gain"] for row in about["rows"]] == [2, pytest.approx(100 / 150, abs=1e-4)]
    assert about["clipped"] == pytest.approx(5 / 40)
    assert about["saturated"] == 1, "as measured, whatever the gain"
    brightest = cells_of(whole(tmp_path / "mosaic" / "normalised.dzi"))[0, :, :4, 20:-20].mean(axis=(1, 2))
    assert sorted(brightest.round()) == [100, 100, 255], "white, as 500 would be"


def test_without_cells_there_is_only_the_note(tmp_path: Path) -> None:
    put_store(
        tmp_path / "cells",
        [],
        pd.DataFrame(columns=["cell", "panorama", "run", "passage", "roi", "area_um2", "mean_intensity"]),
    )
    write_sample(tmp_path / "cells", tmp_path)
    about = write_mosaic(tmp_path / "mosaic", tmp_path / "cells", tmp_path)
    assert (about["rows"], about["columns"], about["note"]) == ([], 0, "Discs of noise.")
    assert "intensity" not in about
    assert sorted(path.name for path in (tmp_path / "mosaic").iterdir()) == ["cells.json", "mosaic.json"]


def test_the_command_writes_it_and_leaves_nothing_beside(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_store(tmp_path / "cells", {1: [50] * 2})
    assert main(["mosaic", str(tmp_path / "cells"), "--sample", str(tmp_path), "--out", str(tmp_path / "m")]) == 1
    assert "draw one with 'nnbook sample'" in capsys.readouterr().err
    write_sample(tmp_path / "cells", tmp_path)
    call = ["mosaic", str(tmp_path / "cells"), "--sample", str(tmp_path), "--out", str(tmp_path / "m"), "--json"]
    assert main(call) == 0
    assert json.loads(capsys.readouterr().out) == {"rows": 1, "columns": 2, "out": str(tmp_path / "m")}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cells", "m", "sample.json", "sample.parquet"]


def test_the_same_sample_gives_the_same_files(made: Made, tmp_path: Path) -> None:
    folder, *_ = made
    write_mosaic(tmp_path / "mosaic", folder / "cells", folder)
    first, second = (
        {path.relative_to(at).as_posix(): path.read_bytes() for path in at.rglob("*") if path.is_file()}
        for at in (folder / "mosaic", tmp_path / "mosaic")
    )
    assert first == second


def test_the_grid_of_thumbnails_has_the_first_cells_drawn(tmp_path: Path) -> None:
    images, _ = write_store(tmp_path / "cells", LEVELS)
    write_sample(tmp_path / "cells", tmp_path, per_run=3, seed=2)
    sample, _ = read_sample(tmp_path, tmp_path / "cells")
    grid = read_grid(tmp_path / "cells", tmp_path, 2)
    assert grid.shape == (3, 2, 64, 64)
    rows = np.array([sample.loc[sample["run"] == run, "row"].head(2) for run in LEVELS])
    np.testing.assert_array_equal(grid, images[rows][:, :, ::4, ::4])
    wide = read_grid(tmp_path / "cells", tmp_path, 9)
    assert wide.shape[1] == 3
    assert not wide[1, 2].any(), "the run of two cells"
