from pathlib import Path
from typing import Any

import pytest

from nnbook.errors import NnbookError
from nnbook.io.tables import read_table

KINDS: dict[str, Any] = {"n": int, "x": float, "yes": bool, "kind": ("a", "b")}


def test_columns_have_the_values_of_their_kinds(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("n,x,yes,kind,other\n1,2,True,a,\n3,4.5,False,b,?\n")
    table = read_table(path, KINDS, "")
    assert table["n"].tolist() == [1, 3]
    assert table["x"].tolist() == [2, 4.5]
    assert table["yes"].tolist() == [True, False]
    path.write_text("n,x,yes,kind\n1,2,0,a\n1,2,1,a\n")
    assert read_table(path, KINDS, "")["yes"].tolist() == [False, True]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "can't be read as a CSV table (No columns to parse from file)"),
        ("n,x,yes,kind\n1,2,True\n", "kind is 'nan' in its row 1"),
        ("n,x,yes\n1,2,True\n", "has no column kind"),
        ("n,x,yes,kind\n1,2,True,a\n1,2,True,a,5\n", "can't be read as a CSV table ("),
        ("n,x,yes,kind\n7,1,2,True,a\n", "has more fields in its rows than in its header"),
        ("n,x,yes,kind\n1.5,2,True,a\n", "n is '1.5' in its row 1"),
        ("n,x,yes,kind\n1,2,True,a\n1,inf,True,a\n", "x is 'inf' in its row 2"),
        ("n,x,yes,kind\n1,2,True,a\n1,2..5,True,a\n", "x is '2..5' in its row 2"),
        ("n,x,yes,kind\n1,2,Tru,a\n", "yes is 'Tru' in its row 1"),
        ("n,x,yes,kind\n1,2,True,A\n", "kind is 'A' in its row 1"),
        ("n,x,yes,kind\n1,2,True,a\n1,2,True,a", "may be cut off, its last line has no end"),
    ],
)
def test_what_is_no_such_table_is_one_line(tmp_path: Path, content: str, problem: str) -> None:
    path = tmp_path / "t.csv"
    path.write_text(content)
    with pytest.raises(NnbookError) as raised:
        read_table(path, KINDS, "make it")
    assert str(raised.value).startswith(f"{path}: {problem}")
    assert "; make it" in str(raised.value)
    assert "\n" not in str(raised.value)
