import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nnbook.errors import MissingFileError, NnbookError
from nnbook.io.files import atomic_write, check_regular, keep_folders, read_json, write_json


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


FORM = {"cells": int, "scale": (int, float), "runs": [{"run": int, "passage": (str, type(None))}]}


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "can't be read as JSON (Expecting value"),
        ('{"cells": NaN}', "can't be read as JSON (NaN is no number)"),
        ("[" * 100_000, "can't be read as JSON ("),
        ('"\xff"', "can't be read as JSON ('utf-8' codec"),
        ("[]", "is damaged, its content is '[]'"),
        ('{"cells": 1, "runs": []}', "is damaged, scale is missing"),
        ('{"cells": true, "scale": 1, "runs": []}', "is damaged, cells is 'True'"),
        ('{"cells": 1, "scale": 1, "runs": {}}', "is damaged, runs is '{}'"),
        ('{"cells": 1, "scale": 1.5, "runs": [{"run": 1, "passage": null}, {"run": 1}]}', "passage is missing"),
    ],
)
def test_json_that_lacks_what_is_needed_of_it_is_one_line(tmp_path: Path, content: str, problem: str) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(content.encode("latin-1"))
    with pytest.raises(NnbookError) as raised:
        read_json(path, FORM, "make it again")
    message = str(raised.value)
    assert message.startswith(f"{path}: ")
    assert problem in message
    assert message.endswith("; make it again")
    assert "\n" not in message


def test_json_may_have_more_than_is_needed_of_it(tmp_path: Path) -> None:
    value = {"cells": 1, "scale": 2.5, "runs": [{"run": 1, "passage": None, "more": [1]}], "more": {}}
    write_json(tmp_path / "a.json", value)
    assert read_json(tmp_path / "a.json", FORM, "") == value


def test_true_is_of_a_form_that_names_it_alone_or_beside_others(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"tiled": True})
    for form in (bool, (bool, list)):
        assert read_json(tmp_path / "a.json", {"tiled": form}, "") == {"tiled": True}
    for other in (int, (int, float)):
        with pytest.raises(NnbookError, match="tiled is 'True'"):
            read_json(tmp_path / "a.json", {"tiled": other}, "")


def test_writing_a_file_does_not_list_the_folder_that_it_goes_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the cost of a file would grow with the number of files in its folder."""
    listed: list[str] = []

    def noting(function: Callable[..., Any]) -> Callable[..., Any]:
        def noted(path: Any = ".") -> Any:
            listed.append(str(path))
            return function(path)

        return noted

    for name in ("listdir", "scandir"):
        monkeypatch.setattr(os, name, noting(getattr(os, name)))
    for name in ("a", "b"):
        with atomic_write(tmp_path / name) as written:
            written.write_text("1")
    assert str(tmp_path) not in listed
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]


def test_a_folder_of_work_that_other_work_takes_away_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`Path.mkdir` fails where the folder is there as it makes it, and gone as it looks again."""
    (tmp_path / ".unfinished" / "other").mkdir(parents=True)
    look = Path.is_dir
    taken: list[Path] = []

    def late(path: Path, **how: Any) -> bool:
        if path.name == ".unfinished" and not taken:
            taken.append(path)
            shutil.rmtree(path)
        return look(path, **how)

    monkeypatch.setattr(Path, "is_dir", late)
    write_json(tmp_path / "a.json", {"roi": [1]})
    assert taken
    assert names(tmp_path) == ["a.json"]


def test_a_link_of_the_name_of_work_is_named(tmp_path: Path) -> None:
    (tmp_path / ".unfinished").symlink_to("gone")
    with pytest.raises(FileExistsError, match=r"\.unfinished"):
        write_json(tmp_path / "a.json", {"roi": [1]})


def test_folders_of_other_names_go_and_what_others_write_meanwhile_stays(tmp_path: Path) -> None:
    for name in ("a", "former"):
        (tmp_path / name).mkdir()
    with atomic_write(tmp_path / "failed.json") as written:
        keep_folders(tmp_path, ["a"])
        written.write_text("{}")
    assert names(tmp_path) == ["a", "failed.json"]
