from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from simulated_store import write_store

from nnbook.cells.store import masked_panoramas, read_cells
from nnbook.cells.writer import write_cells
from nnbook.errors import NnbookError
from nnbook.io.images import write_mask


def test_two_masks_of_a_panorama_are_refused(tmp_path: Path) -> None:
    for name in ("Run1TL_top_left_cp_masks.tif", "Run1TL_top_left.tif"):
        write_mask(tmp_path / "masks" / name, np.ones((9, 9), np.int32))
    with pytest.raises(NnbookError, match=r"has the same stem as Run1TL_top_left\.tif; keep one"):
        masked_panoramas({"Run1TL_top_left": tmp_path / "Run1TL_top_left.tif"}, tmp_path / "masks")


def test_a_panorama_without_a_mask_or_a_run_is_named(tmp_path: Path) -> None:
    write_mask(tmp_path / "mine_cp_masks.tif", np.ones((9, 9), np.int32))
    images = {"mine": tmp_path / "mine.tif", "Run1TL_top_left": tmp_path / "Run1TL_top_left.tif"}
    with pytest.raises(NnbookError) as raised:
        masked_panoramas(images, tmp_path)
    mine, other = str(raised.value).splitlines()
    assert mine.endswith("mine.tif: its name has no run, as Run53TL_bottom_left has; rename it or give a manifest")
    assert other.endswith(f"Run1TL_top_left.tif: has no mask in {tmp_path}; make it with 'nnbook segment'")


@pytest.mark.parametrize("gone", ["cells.json", "cells.parquet", "cells.zarr/images/zarr.json"])
def test_a_store_that_lacks_a_file_is_refused(tmp_path: Path, gone: str) -> None:
    write_cells(tmp_path / "cells", [], None, edition="a", note="N.", px_per_um=8.0453)
    (tmp_path / "cells" / gone).unlink()
    with pytest.raises(NnbookError, match=r"cells: holds no store of cells( \(.+\))?; make one with 'nnbook cells'"):
        read_cells(tmp_path / "cells")


@pytest.mark.parametrize("damage", ["gone", "empty"])
@pytest.mark.parametrize("array", ["images", "thumbnails"])
def test_a_store_that_lacks_a_shard_is_refused(tmp_path: Path, array: str, damage: str) -> None:
    write_store(tmp_path / "cells", {1: [90, 120]})
    shard = tmp_path / "cells" / "cells.zarr" / array / "c" / "0" / "0" / "0"
    shard.unlink()
    if damage == "empty":
        shard.touch()
    with pytest.raises(NnbookError, match=f"{array}/c/0/0/0: is missing, and its cells would be black"):
        read_cells(tmp_path / "cells")


def test_damage_to_the_files_of_a_store_is_one_line(tmp_path: Path) -> None:
    write_store(tmp_path / "cells", {1: [90, 120]})
    random = np.random.default_rng(6)
    for name in ("cells.json", "cells.parquet", "cells.zarr/images/zarr.json"):
        path = tmp_path / "cells" / name
        whole = path.read_bytes()
        for number in range(12):
            damaged = bytearray(whole[: int(random.integers(len(whole)))] if number % 3 == 0 else whole)
            if damaged:
                damaged[int(random.integers(len(damaged)))] ^= 1 << int(random.integers(8))
            path.write_bytes(damaged)
            try:
                read_cells(tmp_path / "cells")
            except NnbookError as error:
                assert "\n" not in str(error)  # noqa: PT017 - not every flipped bit is noticed
        path.write_bytes(whole)
    assert len(read_cells(tmp_path / "cells")) == 2


def test_a_table_of_another_length_is_refused(tmp_path: Path) -> None:
    write_store(tmp_path / "cells", {1: [90, 120]})
    assert len(read_cells(tmp_path / "cells")) == 2
    path = tmp_path / "cells" / "cells.parquet"
    pd.read_parquet(path).iloc[1:].to_parquet(path)
    with pytest.raises(NnbookError, match="its table and its arrays differ in length"):
        read_cells(tmp_path / "cells")


def test_a_shard_that_ends_before_its_last_image_is_not_read_as_black(tmp_path: Path) -> None:
    images, _ = write_store(tmp_path / "cells", {1: [90, 120, 60]})
    shard = tmp_path / "cells" / "cells.zarr" / "images" / "c" / "0" / "0" / "0"
    offset = np.frombuffer(shard.read_bytes(), "<u8", 6)[4]
    shard.write_bytes(shard.read_bytes()[:offset])
    cells = read_cells(tmp_path / "cells")
    np.testing.assert_array_equal(cells.images[:2], images[:2])
    for which in (2, slice(None), np.array([2, 0]), (slice(1, 3), slice(0, 20))):
        with pytest.raises(NnbookError, match=r"images/c/0/0/0: is (cut off|damaged \(.+\)); make it again"):
            cells.images[which]


def test_a_flipped_bit_in_a_shard_is_a_line_that_names_it(tmp_path: Path) -> None:
    images, _ = write_store(tmp_path / "cells", {1: [90, 120, 60]})
    shard = tmp_path / "cells" / "cells.zarr" / "thumbnails" / "c" / "0" / "0" / "0"
    whole = shard.read_bytes()
    begin, size = np.frombuffer(whole, "<u8", 4)[2:]
    for place in (3, int(begin) + int(size) // 2):
        damaged = bytearray(whole)
        damaged[place] ^= 4
        shard.write_bytes(damaged)
        cells = read_cells(tmp_path / "cells")
        np.testing.assert_array_equal(cells.images[1], images[1])
        with pytest.raises(NnbookError, match=r"thumbnails/c/0/0/0: is damaged \([^\n]+\); make it again") as raised:
            cells.thumbnails[np.array([1])]
        assert "\n" not in str(raised.value)


def test_a_scale_that_is_another_in_the_store_is_refused(tmp_path: Path) -> None:
    write_cells(tmp_path / "cells", [], None, edition="a", note="N.", px_per_um=8.0453)
    path = tmp_path / "cells" / "cells.json"
    path.write_text(path.read_text().replace("8.0453", "8.0493"))
    with pytest.raises(NnbookError, match=r"cells\.json: has 8\.0493 px/µm, but .*zarr\.json 8\.0453"):
        read_cells(tmp_path / "cells")
