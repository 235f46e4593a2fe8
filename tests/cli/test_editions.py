from pathlib import Path

import pytest

from nnbook.cli import main

Said = pytest.CaptureFixture[str]


@pytest.mark.parametrize("name", ["../../x", "..", ".", "", "/abs", "a/b", "a\\b", "a\nb", ".hidden", "-x/y"])
@pytest.mark.parametrize(
    "call",
    [["run", "m.csv"], ["status", "m.csv"], ["notebook", "area"], ["check", "--built"]],
    ids=lambda call: call[0],
)
def test_an_edition_that_would_be_elsewhere_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Said, call: list[str], name: str
) -> None:
    folder = tmp_path / "one" / "two"
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "record.json").write_text('{"numbers": {}, "tables": {}, "pictures": {}}')
    monkeypatch.chdir(folder)
    assert main([*call, f"--edition={name}"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"nnbook {call[0]}: --edition is {name!r}; give a name that begins with a letter or digit")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["data", "one", "record.json", "two"]


def test_the_name_of_a_layer_is_no_name_of_an_edition(tmp_path: Path, capsys: Said) -> None:
    assert main(["run", "--edition", "published", "--build", str(tmp_path)]) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("nnbook run: --edition is 'published', which is the name of a layer of the book")
