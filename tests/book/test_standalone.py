from __future__ import annotations

import re
import resource
from typing import TYPE_CHECKING

import pytest

from nnbook.book import standalone
from nnbook.cli import main
from nnbook.segmentation import export

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

MOST_BYTES = 1_000_000


@pytest.fixture
def _small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts that are made in no time, and come to 8 MB."""

    def packed(_: Path) -> str:
        return "A" * 2_000_000

    def facts(_: Path) -> dict[str, str | float]:
        return {"sha256": "0" * 64, "diam_mean_px": 30.0}

    def exported(_: object, out: Path) -> Path:
        return out

    monkeypatch.setattr(export, "export_model", exported)
    monkeypatch.setattr(standalone, "_packed", packed)
    monkeypatch.setattr(standalone, "model_facts", facts)


@pytest.fixture
def fill_disk() -> Iterator[Callable[[], None]]:
    """Call it, and no file can become larger than 1 MB."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (MOST_BYTES, hard))
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.usefixtures("_small_parts")
def test_a_page_names_its_model_and_may_ask_no_host(tmp_path: Path) -> None:
    out = tmp_path / "new" / "segment.html"
    assert main(["try", "--out", str(out)]) == 0
    page = out.read_text(encoding="utf-8")
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', page)
    assert policy is not None
    assert "connect-src 'none'" in policy[1].replace("&#39;", "'")
    assert "default-src 'none'" in policy[1].replace("&#39;", "'")
    assert "model nnbook_nuclei, SHA-256" in page
    assert not re.search(r"(?:src|href)=", page), "all is inside"
    assert [one.name for one in out.parent.iterdir()] == ["segment.html"]


@pytest.mark.usefixtures("_small_parts")
def test_a_full_disk_leaves_the_page_that_was_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], fill_disk: Callable[[], None]
) -> None:
    out = tmp_path / "segment.html"
    out.write_text("former", encoding="utf-8")
    fill_disk()
    assert main(["try", "--out", str(out)]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("nnbook try: ")
    assert "has space" in line
    assert out.read_text(encoding="utf-8") == "former"
    assert [one.name for one in tmp_path.iterdir()] == ["segment.html"]


@pytest.mark.parametrize("name", ["segment.txt", "folder.html"])
def test_a_name_of_no_page_is_refused(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "folder.html").mkdir()
    assert main(["try", "--out", str(tmp_path / name)]) == 1
    assert "give the name of a file that ends with .html" in capsys.readouterr().err
    assert [one.name for one in tmp_path.iterdir()] == ["folder.html"]
