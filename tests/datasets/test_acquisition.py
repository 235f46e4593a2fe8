"""Data sets fetched from a server on this machine, and what is refused of them."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import tifffile
from file_server import serving

from nnbook.datasets.acquisition import RECORD, get_dataset
from nnbook.errors import InvalidValueError, MissingFileError, NnbookError
from nnbook.io.files import sha256
from nnbook.io.images import read_image, read_mask
from nnbook.reviews.datasets import DataSet, Layout, SetFile, find_dataset, known_datasets

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TRUTH = np.zeros((40, 50), np.uint16)
TRUTH[5:15, 5:15], TRUTH[20:35, 20:40] = 1, 2


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[str, DataSet]]:
    """The address of a server, and a data set of one archive on it."""
    folder = tmp_path / "served"
    folder.mkdir()
    write_archive(folder / "set.zip")
    with serving(folder) as address:
        file = SetFile(f"{address}/set.zip", sha256(folder / "set.zip"))
        like = find_dataset("bsst265", known_datasets())
        yield address, replace(like, name="small", files=(file,), layout=Layout("labels", "raw/*.tif", "truth/*.tif"))


def write_archive(path: Path, *, also: str = "") -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name, pixels in (("raw/a.tif", TRUTH * 90), ("truth/a.tif", TRUTH)):
            data = io.BytesIO()
            tifffile.imwrite(data, pixels)
            archive.writestr(name, data.getvalue())
        archive.writestr("__MACOSX/raw/._a.tif", "of a Mac")
        if also:
            archive.writestr(also, "text")


def everything(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_a_set_is_fetched_checked_and_converted(served: tuple[str, DataSet], tmp_path: Path) -> None:
    _, dataset = served
    out = tmp_path / "out" / "small"
    found = get_dataset(dataset, str(out))
    assert everything(tmp_path / "out") == ["small/dataset.json", "small/images/a.tif", "small/labels/a.tif"]
    np.testing.assert_array_equal(read_image(out / "images" / "a.tif"), TRUTH * 90)
    np.testing.assert_array_equal(read_mask(out / "labels" / "a.tif"), TRUTH)
    assert (found["images"], found["nuclei"], found["shared_px"]) == (1, 2, 0)
    (file,) = dataset.files
    assert found["files"] == [{"file": file.address, "sha256": file.sha256, "known": True}]
    record = json.loads((out / RECORD).read_text())
    assert (record["licence"], record["layout"]) == ("CC0-1.0", "labels")
    assert get_dataset(dataset, out) == found, "an earlier one is replaced"


def test_a_set_whose_hash_changed_is_refused_and_nothing_is_written(
    served: tuple[str, DataSet], tmp_path: Path
) -> None:
    _, dataset = served
    out = tmp_path / "out" / "small"
    write_archive(tmp_path / "served" / "set.zip", also="raw/changed.txt")
    with pytest.raises(NnbookError, match=r"^small: http.*set.zip: its SHA-256 isn't the expected one; .* has changed"):
        get_dataset(dataset, out)
    assert everything(tmp_path / "out") == []
    with pytest.raises(NnbookError, match=r"^small: .*set.zip has another SHA-256 than the published file"):
        get_dataset(dataset, out, local=tmp_path / "served")
    assert everything(tmp_path / "out") == []


def test_a_hash_that_is_not_known_is_found_and_said(served: tuple[str, DataSet], tmp_path: Path) -> None:
    _, dataset = served
    (file,) = dataset.files
    found = get_dataset(replace(dataset, files=(replace(file, sha256=None),)), tmp_path / "out")
    assert found["files"] == [{"file": file.address, "sha256": file.sha256, "known": False}]


def test_files_that_one_has_are_checked_and_not_fetched(served: tuple[str, DataSet], tmp_path: Path) -> None:
    _, dataset = served
    gone = replace(dataset, files=(SetFile("https://example.org/set.zip", dataset.files[0].sha256),))
    assert get_dataset(gone, tmp_path / "packed", local=tmp_path / "served")["files"][0]["known"]
    with zipfile.ZipFile(tmp_path / "served" / "set.zip") as archive:
        archive.extractall(tmp_path / "unpacked")
    found = get_dataset(gone, tmp_path / "out", local=tmp_path / "unpacked")
    assert (found["images"], found["files"]) == (1, [])


def test_a_damaged_image_leaves_nothing_behind(served: tuple[str, DataSet], tmp_path: Path) -> None:
    address, dataset = served
    write_archive(tmp_path / "served" / "other.zip", also="raw/b.tif")
    unpinned = replace(dataset, files=(SetFile(f"{address}/other.zip", None),))
    with pytest.raises(NnbookError, match=r"b.tif: has no mask of its name"):
        get_dataset(unpinned, tmp_path / "out" / "small")
    assert everything(tmp_path / "out") == []


@pytest.mark.parametrize("name", ["../out.txt", "/etc/out.txt", "..\\out.txt"])
def test_an_archive_that_leads_out_of_itself_is_refused(name: str, served: tuple[str, DataSet], tmp_path: Path) -> None:
    address, dataset = served
    write_archive(tmp_path / "served" / "other.zip", also=name)
    with pytest.raises(NnbookError, match=r"which leads out of it"):
        get_dataset(replace(dataset, files=(SetFile(f"{address}/other.zip", None),)), tmp_path / "out" / "small")


def test_a_broken_archive_is_named(served: tuple[str, DataSet], tmp_path: Path) -> None:
    address, dataset = served
    data = bytearray((tmp_path / "served" / "set.zip").read_bytes())
    data[60] ^= 0xFF  # within the first image
    (tmp_path / "served" / "broken.zip").write_bytes(data)
    with pytest.raises(NnbookError, match=r"broken.zip: can't be unpacked .*get it again"):
        get_dataset(replace(dataset, files=(SetFile(f"{address}/broken.zip", None),)), tmp_path / "out")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        (
            "dsb2018",
            "dsb2018: can't be fetched by a program; log in at https://www.kaggle.com/.*, accept its .*--local",
        ),
        ("evican", "evican: can't be fetched by a program; find its files on https://edmond"),
        (
            "isbi2009",
            "isbi2009: can't be converted, as the layout of its masks isn't known here; find its",
        ),
    ],
)
def test_what_a_person_has_to_do_is_said(name: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(NnbookError, match=told):
        get_dataset(find_dataset(name, known_datasets()), tmp_path / "out")


def test_only_a_data_set_is_replaced(served: tuple[str, DataSet], tmp_path: Path) -> None:
    _, dataset = served
    own = tmp_path / "own"
    own.mkdir()
    (own / "thesis.txt").write_text("mine")
    with pytest.raises(InvalidValueError, match=r"out is .*own, which is there and no data set; name a new folder"):
        get_dataset(dataset, own)
    with pytest.raises(InvalidValueError, match=r"out is .*, within the files of the set"):
        get_dataset(dataset, tmp_path / "served" / "out", local=tmp_path / "served")
    with pytest.raises(MissingFileError, match=r"no such folder"):
        get_dataset(dataset, tmp_path / "out", local=tmp_path / "none")
    assert everything(own) == ["thesis.txt"]
