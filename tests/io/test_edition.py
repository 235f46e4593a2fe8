from pathlib import Path

import pytest

from nnbook.errors import NnbookError
from nnbook.io.edition import (
    FOLDER_VARIABLE,
    Edition,
    edition_folder,
    edition_panoramas,
    read_edition,
    write_edition,
)

OWN = Edition(name="own", note='Our "own" µm.', simulated=False, px_per_um=8.0453, area_px2=2**40)


def test_round_trip_through_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_edition(tmp_path, OWN)
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    assert edition_folder() == tmp_path
    assert read_edition() == OWN
    assert edition_panoramas() == []


@pytest.mark.parametrize("content", [None, "{", "[]", '{"name": "own"}', '{"colour": 1}'])
def test_what_is_no_edition_is_named(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "edition.json").write_text(content)
    with pytest.raises(NnbookError, match="run 'make book'") as caught:
        read_edition(tmp_path)
    assert str(tmp_path / "edition.json") in str(caught.value)
