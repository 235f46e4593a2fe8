from pathlib import Path

import pytest

from nnbook.errors import NnbookError
from nnbook.io.edition import FOLDER_VARIABLE, Edition, read_edition, write_edition


def test_round_trip_through_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = Edition(tmp_path, "own", 'Our "own" µm.', simulated=False, px_per_um=8.0453, area_px2=2**40)
    write_edition(own)
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    assert read_edition() == own
    assert own.panoramas() == []


def test_an_edition_that_was_moved_finds_its_files(tmp_path: Path) -> None:
    write_edition(Edition(tmp_path / "here", "own", "", simulated=False, px_per_um=8.0, area_px2=1))
    (tmp_path / "here").rename(tmp_path / "there")
    assert read_edition(tmp_path / "there").results == tmp_path / "there" / "results.csv"


@pytest.mark.parametrize("content", [None, "{", "[]", '{"name": "own"}', '{"colour": 1}'])
def test_what_is_no_edition_is_named(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "edition.json").write_text(content)
    with pytest.raises(NnbookError, match="run 'make book'") as caught:
        read_edition(tmp_path)
    assert str(tmp_path / "edition.json") in str(caught.value)
