from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nnbook.errors import MissingFileError, NnbookError
from nnbook.values.entries import Entry, read_entries

if TYPE_CHECKING:
    from pathlib import Path


def test_every_mapping_knows_its_lines(tmp_path: Path) -> None:
    path = tmp_path / "a.yml"
    path.write_text("# first\na:\n  - name: one\n    more: {b: 1,\n      c: 2}\n", encoding="utf-8")
    content = read_entries(path)
    (one,) = content["a"]
    assert (content.line, content.lines) == (2, {"a": 2})
    assert (one.line, one.lines) == (3, {"name": 3, "more": 4})
    assert isinstance(one["more"], Entry)
    assert one["more"].lines == {"b": 4, "c": 5}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: 1\nb: 2\na: 3\n", r"a.yml:3: is no YAML that can be read: a is there twice; keep one"),
        ("a:\n  b: {c: 1,\n    c: 2}\n", r"a.yml:3: .*c is there twice"),
        ("a: [1\n", r"a.yml:2: is no YAML"),
        ("- a\n", r"a.yml: holds no mapping"),
        ("", r"a.yml: holds no mapping"),
        ("a: !!python/object:os.system {}\n", r"a.yml:1: is no YAML"),
    ],
)
def test_what_is_no_mapping_is_refused_with_its_line(text: str, told: str, tmp_path: Path) -> None:
    path = tmp_path / "a.yml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(NnbookError, match=told):
        read_entries(path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match=r"none.yml: no such file"):
        read_entries(tmp_path / "none.yml")
    with pytest.raises(NnbookError, match=r"can't be read"):
        read_entries(tmp_path)
