"""Cell images that others cut: what is read from their names, measured in them, and refused."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest
import tifffile
from numpy.typing import NDArray
from published_images import NAMES, SIDE, published_cell, write_images

from nnbook.cells import imported, writer
from nnbook.cells.export import write_dataset, write_tiffs
from nnbook.cells.imported import import_cells, mask_of, measure_cell
from nnbook.cells.sample import write_sample
from nnbook.cells.shards import write_shard
from nnbook.cells.store import read_cells
from nnbook.cells.tiffs import decode_cell
from nnbook.cli import main
from nnbook.errors import NnbookError
from nnbook.values import published
from nnbook.viewers.mosaic import read_grid, write_mosaic

Said = pytest.CaptureFixture[str]


def disc(radius: float) -> NDArray[np.bool_]:
    y, x = np.mgrid[:SIDE, :SIDE]
    inside: NDArray[np.bool_] = np.hypot(x - 128, y - 128) <= radius
    return inside


@pytest.fixture
def images(tmp_path: Path) -> Path:
    return write_images(tmp_path / "images")


def test_names_say_run_panorama_and_roi_and_cells_are_in_their_order(images: Path, tmp_path: Path) -> None:
    about = import_cells(tmp_path / "cells", images, edition="published")
    cells = read_cells(tmp_path / "cells")
    assert cells.table["cell"].tolist() == list(NAMES)
    assert cells.table["panorama"].tolist() == ["Run2BL_bottom_left"] * 3 + ["Run2TL_top_left"] * 2 + [
        "Run100BL_bottom_left"
    ]
    assert cells.table["run"].tolist() == [2, 2, 2, 2, 2, 100]
    assert cells.table["roi"].tolist() == [9, 10, 268, 1, 3, 268]
    assert about["runs"] == [
        {"run": 2, "passage": None, "first": 0, "cells": 5},
        {"run": 100, "passage": None, "first": 5, "cells": 1},
    ]
    assert (about["px_per_um"], about["left_out"]) == (published.PX_PER_UM, {"empty": 0})
    assert about["note"] == "Cell images of the folder images."
    assert "source" not in about
    assert not {"x_px", "y_px", "class"} & set(cells.table)
    for row, name in enumerate(NAMES):
        assert np.array_equal(cells.images[row], tifffile.imread(images / f"{name}.tif")), name


def test_what_is_measured_is_under_the_mask_zeros_included() -> None:
    cell = np.where(disc(60), 2, 0).astype(np.uint8)
    cell[disc(40)] = 200
    cell[100:110, 120:150] = 0  # a nucleolus as dark as black
    cell[128, 66:70] = 0  # a gap at the edge
    found = measure_cell(cell)
    assert found is not None
    mask, nucleus = disc(60), disc(40)
    assert found.area_px2 == pytest.approx(np.count_nonzero(mask), abs=4)
    levels = cell[mask]
    assert (found.mean, found.sd) == pytest.approx((levels.mean(), levels.std()), rel=1e-3)
    lit = np.count_nonzero(nucleus) - 300
    assert found.rim_px == pytest.approx(60 - np.sqrt(lit / np.pi), abs=0.1)


@pytest.mark.parametrize(
    ("name", "mask_px", "mean", "sd"), [("anaphase", 21684, 54.1, 73.3), ("telophase", 34546, 18.9, 44.3)]
)
def test_real_cells_are_measured_as_published_yml_has_them(
    shared: Path, name: str, mask_px: int, mean: float, sd: float
) -> None:
    cell = cv2.imread(str(shared / "data" / "nucleusnet" / "crops" / f"{name}.png"), cv2.IMREAD_GRAYSCALE)
    assert cell is not None
    found = measure_cell(cell.astype(np.uint8))
    assert found is not None
    assert found.area_px2 == pytest.approx(mask_px, rel=1e-3), "its few zeros are under the mask"
    assert found.area_px2 > np.count_nonzero(cell)
    assert (found.mean, found.sd) == pytest.approx((mean, sd), rel=2e-3)
    assert min(abs(found.orientation_deg), 180 - abs(found.orientation_deg)) < 5, "its author turned it"
    assert found.rim_px > 18


def test_a_mask_that_crosses_the_frame_is_not_filled_beyond_its_edge() -> None:
    cell = np.zeros((SIDE, SIDE), np.uint8)
    cell[100:140] = 7
    cell[110:115, 50:60] = 0
    assert np.array_equal(
        mask_of(cell), np.repeat((np.arange(SIDE) >= 100) & (np.arange(SIDE) < 140), SIDE).reshape(cell.shape)
    )


def test_a_uniform_cell_has_no_rim_and_one_of_a_pixel_is_a_cell() -> None:
    flat = measure_cell(np.where(disc(20), 50, 0).astype(np.uint8))
    assert flat is not None
    assert (flat.rim_px, flat.sd) == (0, 0)
    point = np.zeros((SIDE, SIDE), np.uint8)
    point[7, 9] = 3
    found = measure_cell(point)
    assert found is not None
    assert (found.area_px2, found.mean, found.rim_px) == (1, 3, 0)
    assert measure_cell(np.zeros((SIDE, SIDE), np.uint8)) is None


@pytest.mark.parametrize("turn", [-170, -100, -30, 0, 45, 140])
def test_the_orientation_is_by_how_much_a_nucleus_has_yet_to_be_turned(turn: float) -> None:
    y, x = np.mgrid[:SIDE, :SIDE] - 127.5
    across, down = np.cos(np.radians(turn)), -np.sin(np.radians(turn))
    along, aside = x * across + y * down, y * across - x * down
    inside = (along / 90) ** 2 + (aside / 45) ** 2 <= 1
    cell = np.where(inside, np.where(along > 0, 180, 90), 0).astype(np.uint8)
    found = measure_cell(cell)
    assert found is not None
    assert (found.orientation_deg + turn + 180) % 360 - 180 == pytest.approx(0, abs=1.5)


def test_what_nnbook_cut_comes_back_as_it_measured_it(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    for number in range(3):
        tifffile.imwrite(tmp_path / "a" / f"Run1TL_top_left_ROI_{number + 1}.tif", published_cell(number))
    import_cells(tmp_path / "first", tmp_path / "a", edition="e", px_per_um=2.0)
    write_tiffs(read_cells(tmp_path / "first"), tmp_path / "b")
    import_cells(tmp_path / "second", tmp_path / "b", edition="e", px_per_um=2.0)
    for part in ("cells.parquet", "cells.zarr/images/c/0/0/0"):
        assert (tmp_path / "first" / part).read_bytes() == (tmp_path / "second" / part).read_bytes()
    assert read_cells(tmp_path / "second").px_per_um == 2.0


def test_every_reader_takes_such_a_store(images: Path, tmp_path: Path, shown: Any) -> None:
    store = tmp_path / "cells"
    import_cells(store, images, edition="published")
    about = write_sample(store, tmp_path, per_run=2)
    assert [(run["run"], run["passage"], run["cells"], run["of"]) for run in about["runs"]] == [
        (2, None, 2, 5),
        (100, None, 1, 1),
    ]
    mosaic = write_mosaic(tmp_path / "mosaic", store, tmp_path)
    assert [row["run"] for row in mosaic["rows"]] == [2, 100]
    columns = json.loads((tmp_path / "mosaic" / "cells.json").read_text())["columns"]
    assert {"panorama", "roi", "area_um2", "mean_intensity", "rim_um"} <= set(columns)
    assert {"x_px", "class", "image_number"}.isdisjoint(columns)
    assert read_grid(store, tmp_path, 12).shape == (2, 2, 64, 64)
    cells = read_cells(store)
    assert write_dataset(cells, tmp_path / "dataset") == len(NAMES)
    browser, view = shown.CellBrowser(store), shown.Mosaic(tmp_path / "mosaic")
    for widget in (browser, view):
        widget.panorama, widget.roi = "Run100BL_bottom_left", 268
        assert widget.selected["run"] == 100


@pytest.fixture
def shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The widgets in Python, without their JavaScript."""
    from nnbook.viewers import widgets

    for name in ("cells", "mosaic"):
        (tmp_path / f"{name}.mjs").touch()
    monkeypatch.setattr(widgets, "BUNDLES", tmp_path)
    return widgets


def files_of(folder: Path) -> dict[Path, bytes]:
    return {path.relative_to(folder): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_an_import_that_was_cut_off_goes_on_to_the_same_bytes_and_is_then_up_to_date(
    images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "CELLS_PER_SHARD", 2)
    import_cells(tmp_path / "whole", images, edition="e")
    (tmp_path / "other").mkdir()
    store = tmp_path / "other" / "whole"
    calls = iter(range(100))

    def dying(*arguments: Any) -> Path:
        if next(calls) == 5:
            raise KeyboardInterrupt
        return write_shard(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(writer, "write_shard", dying)
        with pytest.raises(KeyboardInterrupt):
            import_cells(store, images, edition="e")
    read: list[str] = []

    def noted(data: bytes, name: str, formats: tuple[str, ...]) -> tuple[NDArray[np.uint8], str]:
        read.append(name)
        return decode_cell(data, name, formats)

    monkeypatch.setattr(imported, "decode_cell", noted)
    import_cells(store, images, edition="e")
    assert 0 < len(read) < len(NAMES), "what was written is not read again"
    whole, after = files_of(tmp_path / "whole"), files_of(store)
    for files in (whole, after):
        files.pop(Path("record.json"))
    assert after == whole
    read.clear()
    import_cells(store, images, edition="e")
    assert read == [], "up to date"
    tifffile.imwrite(images / f"{NAMES[0]}.tif", published_cell(77))
    import_cells(store, images, edition="e")
    assert np.array_equal(read_cells(store).images[0], published_cell(77))


def test_empty_images_are_named_counted_and_left_out(images: Path, tmp_path: Path, capsys: Said) -> None:
    for roi in (5, 6):
        tifffile.imwrite(images / f"Run2TL_top_left_ROI_{roi}.tif", np.zeros((SIDE, SIDE), np.uint8))
    call = ["cells", "--import", str(images), "--out", str(tmp_path / "cells")]
    for _ in ("made", "up to date"):
        assert main(call) == 0
        said = capsys.readouterr()
        assert said.out == f"cells: 6\nempty: 2\nout: {tmp_path / 'cells'}\n"
        assert (
            "images: 2 images have nothing but zeros, and are left out: "
            "Run2TL_top_left_ROI_5.tif, Run2TL_top_left_ROI_6.tif\n" in said.err
        )
    assert read_cells(tmp_path / "cells").table["cell"].tolist() == list(NAMES)


def pulled(folder: Path, **changes: Any) -> None:
    record = {
        "dataset": "RussellBarkley/msa-em-figures",
        "revision": "main",
        "commit": "0123456789abcdef",
        "licence": "cc-by-4.0",
        "files": {f"{name}.tif": "" for name in NAMES},
    }
    (folder / "pull.json").write_text(json.dumps(record | changes))


def test_a_pull_says_where_its_images_are_from(images: Path, tmp_path: Path) -> None:
    pulled(images)
    about = import_cells(tmp_path / "a", images, edition="e")
    assert about["source"] == {
        "dataset": "RussellBarkley/msa-em-figures",
        "revision": "main",
        "commit": "0123456789abcdef",
        "licence": "cc-by-4.0",
    }
    assert about["note"] == (
        "Cell images of RussellBarkley/msa-em-figures on Hugging Face, commit 01234567, cc-by-4.0."
    )
    pulled(images, licence=None)
    assert import_cells(tmp_path / "b", images, edition="e")["note"].endswith("commit 01234567.")


def first(folder: Path) -> Path:
    return folder / f"{NAMES[0]}.tif"


def lose_one(folder: Path) -> None:
    pulled(folder)
    first(folder).unlink()


def empty(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink()


def add_others(folder: Path) -> None:
    for number in range(9):
        (folder / f"{number}.tif").touch()


def tiny(shape: tuple[int, ...], kind: str = "uint8") -> NDArray[Any]:
    return np.ones(shape, kind)


BAD: dict[str, tuple[Callable[[Path], object], str]] = {
    "of another size": (lambda folder: tifffile.imwrite(first(folder), tiny((256, 255))), "is 255 x 256 px, mode L"),
    "of 16 bits": (lambda folder: tifffile.imwrite(first(folder), tiny((256, 256), "uint16")), "mode I;16, 1 page"),
    "in colour": (
        lambda folder: tifffile.imwrite(first(folder), tiny((256, 256, 3)), photometric="rgb"),
        "mode RGB, 1 page",
    ),
    "of two pages": (
        lambda folder: tifffile.imwrite(first(folder), tiny((2, 256, 256)), photometric="minisblack"),
        "mode L, 2 page",
    ),
    "cut off": (
        lambda folder: first(folder).write_bytes(first(folder).read_bytes()[:9000]),
        "can't be read as an image; it is cut off, damaged or no TIFF",
    ),
    "no TIFF": (
        lambda folder: first(folder).write_bytes(cv2.imencode(".png", published_cell(1))[1].tobytes()),
        "can't be read as an image; it is cut off, damaged or no TIFF",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_no_cell_image_is_one_line_that_names_it(case: str, images: Path, tmp_path: Path) -> None:
    damage, told = BAD[case]
    damage(images)
    with pytest.raises(NnbookError) as caught:
        import_cells(tmp_path / "cells", images, edition="e")
    (line,) = str(caught.value).splitlines()
    assert line.startswith(f"{first(images)}: ")
    assert told in line
    assert not (tmp_path / "cells").exists()


FOLDERS: dict[str, tuple[Callable[[Path], object], str]] = {
    "nothing": (empty, "holds no TIFF file"),
    "another name": (
        lambda folder: (folder / "cell 7.tif").write_bytes(first(folder).read_bytes()),
        "1 of its 7 TIFF files have names of another form than Run100BL_bottom_left_ROI_268.tif: cell 7.tif",
    ),
    "many other names": (
        add_others,
        "9 of its 15 TIFF files have names of another form than Run100BL_bottom_left_ROI_268.tif: 0.tif, 1.tif, 2.tif, "
        "3.tif, 4.tif and 4 more",
    ),
    "one ROI twice": (
        lambda folder: (folder / f"{NAMES[0]}.TIFF").write_bytes(first(folder).read_bytes()),
        f"is of the same ROI as {NAMES[0]}.TIFF",
    ),
    "an unfinished pull": (lambda folder: (folder / "pull.jsonl").touch(), "its pull isn't finished"),
    "a damaged record": (lambda folder: (folder / "pull.json").write_text("{"), "pull.json: can't be read as JSON"),
    "a record of something else": (
        lambda folder: (folder / "pull.json").write_text("[1]"),
        "pull.json: is damaged, its content is '[1]'; pull again",
    ),
    "a file gone since": (
        lose_one,
        f"lacks 1 of the files that were pulled: {NAMES[0]}.tif",
    ),
    "a file added since": (
        lambda folder: pulled(folder, files={f"{name}.tif": "" for name in NAMES[1:]}),
        f"holds 1 TIFF files that pull.json doesn't list: {NAMES[0]}.tif",
    ),
}


@pytest.mark.parametrize("case", FOLDERS)
def test_a_folder_that_is_no_set_of_cells_is_one_line(case: str, images: Path, tmp_path: Path) -> None:
    damage, told = FOLDERS[case]
    damage(images)
    with pytest.raises(NnbookError) as caught:
        import_cells(tmp_path / "cells", images, edition="e")
    (line,) = str(caught.value).splitlines()
    assert told in line


def test_many_bad_images_are_a_few_lines(tmp_path: Path) -> None:
    folder = tmp_path / "images"
    folder.mkdir()
    for number in range(1, 9):
        tifffile.imwrite(folder / f"Run1TL_top_left_ROI_{number}.tif", tiny((16, 16)))
    with pytest.raises(NnbookError) as caught:
        import_cells(tmp_path / "cells", folder, edition="e")
    lines = str(caught.value).splitlines()
    assert len(lines) == 6
    assert "is 16 x 16 px" in lines[0]
    assert lines[-1] == "and 3 more of this folder"


def test_a_store_never_replaces_its_images(images: Path, tmp_path: Path) -> None:
    for folder in (images, tmp_path):
        with pytest.raises(NnbookError, match="holds the images, and would be replaced"):
            import_cells(folder, images, edition="e")
    assert len(list(images.iterdir())) == len(NAMES)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "the following arguments are required: images, --masks, --rois (or --import)"),
        (["image.tif", "--masks", "m"], "the following arguments are required: --rois (or --import)"),
        (["image.tif", "--import", "i"], "--import takes a folder of cell images alone; leave out images"),
        (["--import", "i", "--channel", "0", "--rois", "r"], "leave out --rois, --channel"),
    ],
)
def test_the_command_cuts_or_imports(arguments: list[str], told: str, capsys: Said) -> None:
    with pytest.raises(SystemExit) as status:
        main(["cells", *arguments, "--out", "cells"])
    assert status.value.code == 2
    assert told in capsys.readouterr().err


def test_the_scale_is_the_published_one_unless_it_is_given(images: Path, tmp_path: Path, capsys: Said) -> None:
    call = ["cells", "--import", str(images), "--out", str(tmp_path / "cells"), "--json"]
    assert main(call) == 0
    published_um2 = read_cells(tmp_path / "cells").table["area_um2"]
    assert json.loads(capsys.readouterr().out) == {"cells": 6, "empty": 0, "out": str(tmp_path / "cells")}
    assert main([*call, "--px-per-um", "4"]) == 0
    wider = read_cells(tmp_path / "cells").table["area_um2"]
    assert np.allclose(wider, published_um2 * (published.PX_PER_UM / 4) ** 2)
    assert main([*call, "--px-per-um", "0"]) == 1
    assert "--px-per-um is 0" in capsys.readouterr().err


def test_hidden_files_and_others_are_none_of_the_cells(images: Path, tmp_path: Path) -> None:
    (images / "._Run2TL_top_left_ROI_1.tif").write_bytes(os.urandom(9))
    pd.DataFrame({"cell": ["x"]}).to_parquet(images / "cells.parquet")
    assert import_cells(tmp_path / "cells", images, edition="e")["cells"] == len(NAMES)
