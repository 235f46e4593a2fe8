"""The file of a live figure."""

from __future__ import annotations

import base64
import json
import zlib
from typing import TYPE_CHECKING

import numpy as np
import pytest

from nnbook.errors import InvalidValueError
from nnbook.primer.live import Live, write_live

if TYPE_CHECKING:
    from pathlib import Path


def test_arrays_are_written_as_bytes_in_rows(tmp_path: Path) -> None:
    array = np.arange(6, dtype=np.uint8).reshape(2, 3).T  # not in the order of its memory
    path = write_live(Live("made", {"image": array}, {"x": 1}), tmp_path)
    assert path == tmp_path / "live" / "made.json"
    read = json.loads(path.read_text())
    assert read["facts"] == {"x": 1}
    assert read["arrays"]["image"]["shape"] == [3, 2]
    assert list(zlib.decompress(base64.b64decode(read["arrays"]["image"]["data"]))) == [0, 3, 1, 4, 2, 5]


def test_other_numbers_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidValueError, match="float64; give uint8"):
        write_live(Live("made", {"image": np.zeros((2, 2))}, {}), tmp_path)  # type: ignore[dict-item]
    assert not (tmp_path / "live").exists()
