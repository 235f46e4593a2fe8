import os
from pathlib import Path

import pytest

from nnbook.errors import MissingFileError, NnbookError
from nnbook.io.files import atomic_write, check_regular, write_json


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_what_fails_half_way_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError), atomic_write(path) as written:
        written.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old"
    assert names(tmp_path) == ["a.txt"]


def test_a_folder_is_replaced_whole(tmp_path: Path) -> None:
    for content in ("old", "new"):
        with atomic_write(tmp_path / "folder") as written:
            written.mkdir()
            (written / content).touch()
    assert names(tmp_path / "folder") == ["new"]
    assert names(tmp_path) == ["folder"]


def test_json_with_a_value_that_is_none_of_its_own_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "a.json", {"mean": float("nan")})
    assert names(tmp_path) == []


def test_json_that_says_the_same_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_json(path, {"roi": [1, 2]}, indent=None)
    assert path.read_text() == '{"roi":[1,2]}\n'
    os.utime(path, ns=(1, 1))
    write_json(path, {"roi": [1, 2]}, indent=None)
    assert path.stat().st_mtime_ns == 1
    write_json(path, {"roi": [1, 3]}, indent=None)
    assert path.read_text() == '{"roi":[1,3]}\n'


def test_what_is_no_file_is_named_for_what_it_is(tmp_path: Path) -> None:
    (tmp_path / "a.tif").touch()
    (tmp_path / "folder.tif").mkdir()
    os.mkfifo(tmp_path / "pipe.tif")
    (tmp_path / "circle.tif").symlink_to("circle.tif")
    (tmp_path / "link.tif").symlink_to("gone.tif")
    check_regular(tmp_path / "a.tif")
    for path, named in {
        tmp_path / "folder.tif": "is a folder",
        tmp_path / "pipe.tif": "is a pipe, device or socket",
        Path("/dev/zero"): "is a pipe, device or socket",
        tmp_path / "circle.tif": "symbolic links",
        tmp_path / ("a" * 300): "name too long",
    }.items():
        with pytest.raises(NnbookError, match=f"(?i){named}") as caught:
            check_regular(path)
        assert str(caught.value).startswith(f"{path}: ")
        assert "\n" not in str(caught.value)
    for name, named in {"none.tif": "no such file", "a.tif/b": "no such file", "link.tif": "a link to a file"}.items():
        with pytest.raises(MissingFileError, match=named):
            check_regular(tmp_path / name)
