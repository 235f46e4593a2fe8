"""What builds sites is found in a checkout; tests/test_wheel.py finds it in an installed package."""

from __future__ import annotations

from pathlib import Path

import pytest

from nnbook.book.parts import parts_of, site_parts
from nnbook.errors import MissingFileError

PROJECT = Path(__file__).parents[2]
LINKS = PROJECT / "src" / "nnbook" / "book" / "shipped"


def test_parts_are_links_to_the_checkout() -> None:
    links = {path.relative_to(LINKS).as_posix(): path.readlink() for path in LINKS.rglob("*") if path.is_symlink()}
    assert links.keys() == {"plugins", "templates", "theme/build", "theme/public", "theme/template.yml"}
    assert [name for name in links if (LINKS / name).resolve() != PROJECT / name] == []


def test_a_part_that_was_not_built_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nnbook.book.parts.resources.files", lambda _package: tmp_path)
    with pytest.raises(MissingFileError, match=r"server\.mjs: no such file; run 'make theme/build/server\.mjs'"):
        site_parts()
    (tmp_path / "shipped" / "theme" / "build").mkdir(parents=True)
    (tmp_path / "shipped" / "theme" / "build" / "server.mjs").touch()
    with pytest.raises(MissingFileError, match=r"public/assets: no such file; run 'make --always-make theme/build/ser"):
        site_parts()
    (tmp_path / "shipped" / "theme" / "public" / "assets").mkdir(parents=True)
    monkeypatch.setattr("nnbook.book.parts.BUNDLES", tmp_path / "bundles")
    with pytest.raises(MissingFileError, match=r"panorama\.mjs: no such file; run 'make widgets/dist/\.done'"):
        site_parts()


def test_a_part_of_the_own_book_that_was_not_built_is_named(tmp_path: Path) -> None:
    (tmp_path / "theme" / "build").mkdir(parents=True)
    for name in ("template.yml", "build/server.mjs"):
        (tmp_path / "theme" / name).touch()
    with pytest.raises(MissingFileError, match=r"theme/public/assets: no such file"):
        parts_of(tmp_path)
