from pathlib import Path

import numba
import pytest
from numba.core.caching import CacheImpl

from nnbook.io import compiled as module
from nnbook.io.compiled import compiled


def double(x: int) -> int:
    return 2 * x


@pytest.fixture(autouse=True)
def said_before(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    module._say_not_kept.cache_clear()
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))


def test_without_a_folder_to_keep_it_in_code_is_compiled_all_the_same(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(CacheImpl, "_locator_classes", [])
    assert compiled(double)(4) == compiled(double)(4) == 8
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("nnbook: compiled code can't be kept (no folder for it can be written)")
    assert "set NUMBA_CACHE_DIR" in line


def test_kept_code_that_is_damaged_is_compiled_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert compiled(double)(4) == 8
    assert capsys.readouterr().err == ""
    (index,) = tmp_path.rglob("*.nbi")
    index.write_bytes(index.read_bytes()[:40])
    assert compiled(double)(5) == 10
    (line,) = capsys.readouterr().err.splitlines()
    assert f"UnpicklingError in {index.parent}" in line
