import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from simulated_store import write_store

from nnbook.book import website
from nnbook.book.publication import MADE_FROM, PRINTED, complete_site, llms_text, state_of
from nnbook.book.website import show_edition
from nnbook.cli import main
from nnbook.errors import InvalidValueError
from nnbook.io.edition import Edition, write_edition
from nnbook.io.files import write_json

ADDRESS = "https://example.org/book"


@pytest.fixture(autouse=True)
def _no_base(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("BASE_URL", "READTHEDOCS_CANONICAL_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An edition with cells, of a book of its own."""
    folder = tmp_path / "build" / "own"
    write_edition(Edition(folder, "own", "Mine.", False, 8.0453, 1))
    write_store(folder / "cells", {1: [90, 100]})
    write_myst(tmp_path)
    return folder


def write_myst(project: Path, *, address: object = None, github: object = None) -> None:
    about = {
        "title": 'Nuclei: a "book"',
        "authors": [{"name": "Ada Example"}, {"name": "nnbook contributors"}],
        "license": {"content": "CC-BY-4.0", "code": "MIT"},
        "toc": [],
    }
    settings = {
        "project": {**about, **({"github": github} if github else {})},
        "site": {"options": {"address": address}} if address else {},
    }
    (project / "myst.yml").write_text(yaml.safe_dump(settings), encoding="utf-8")


def options(project: Path) -> dict[str, Any]:
    told: dict[str, Any] = yaml.safe_load((project / "build" / "book" / "edition.yml").read_text("utf-8"))
    return dict(told["site"]["options"])


def test_what_is_not_known_is_not_claimed(tmp_path: Path, folder: Path) -> None:
    (tmp_path / "binder").mkdir()  # of a repository whose address nobody gave
    show_edition(folder, tmp_path)
    assert options(tmp_path) == {"dataset": "build/book/dataset.json"}
    described = json.loads((folder / "dataset.json").read_text("utf-8"))
    assert "url" not in described
    assert described["distribution"][0]["contentUrl"] == "cells.parquet"


def test_cells_are_described_with_what_the_book_knows(tmp_path: Path, folder: Path) -> None:
    write_myst(tmp_path, address=f"{ADDRESS}/")
    show_edition(folder, tmp_path)
    described = json.loads((folder / "dataset.json").read_text("utf-8"))
    assert described["name"] == 'Nuclei: a "book": cells of the own edition'
    assert described["license"] == "https://spdx.org/licenses/CC-BY-4.0"
    assert described["url"] == f"{ADDRESS}/"
    assert described["creator"] == [
        {"@type": "sc:Person", "name": "Ada Example"},
        {"@type": "sc:Organization", "name": "nnbook contributors"},
    ]
    assert described["distribution"][0]["contentUrl"] == f"{ADDRESS}/build/cells/cells.parquet"
    show_edition(folder, tmp_path, cells="https://host.example/cells/")
    described = json.loads((folder / "dataset.json").read_text("utf-8"))
    assert described["distribution"][0]["contentUrl"] == "https://host.example/cells/cells.parquet"


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (
            {"address": "example.org/book"},
            "myst.yml: address, of site.options, is 'example.org/book', which is no address",
        ),
        ({"address": "https://"}, "is 'https://', which is no address of a site"),
        ({"address": "https://example.org/book?v=1"}, "which is no address of a site; give one such as https://"),
        ({"address": 7}, "is 7, which is no address of a site"),
        ({"github": "nucleusnet"}, "github, of project, is 'nucleusnet', which is no repository; give owner/name"),
        ({"github": "https://gitlab.com/lab/book"}, "which is no repository; give owner/name"),
        ({"github": "lab/book.git"}, "which is no repository; give owner/name"),
    ],
)
def test_a_wrong_setting_is_one_line_and_changes_nothing(
    tmp_path: Path, folder: Path, settings: dict[str, Any], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write_myst(tmp_path, **settings)
    assert main(["site", str(folder), "--project", str(tmp_path)]) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert told in line
    assert not (tmp_path / "build" / "book").exists()
    assert not (folder / "edition.yml").exists()


@pytest.mark.parametrize("github", ["lab/book", "https://github.com/lab/book"])
def test_a_repository_that_has_a_configuration_opens_on_binder(tmp_path: Path, folder: Path, github: str) -> None:
    write_myst(tmp_path, github=github)
    show_edition(folder, tmp_path)
    assert "on_binder" not in options(tmp_path)
    (tmp_path / "binder").mkdir()
    show_edition(folder, tmp_path)
    assert options(tmp_path)["on_binder"] is True


def test_an_address_with_a_path_goes_with_its_base(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_myst(tmp_path, address=ADDRESS)  # with neither base nor slash
    monkeypatch.setattr(website, "build_site", lambda project: project / "_build" / "html")
    call = ["site", str(folder), "--project", str(tmp_path)]
    assert main(call) == 0
    [line] = capsys.readouterr().err.splitlines()
    assert line.endswith(f"for {ADDRESS}, build it with BASE_URL=/book")
    assert main([*call, "--archive-of", ADDRESS]) == 0
    monkeypatch.setenv("BASE_URL", "/book")
    assert main(call) == 0
    assert capsys.readouterr().err == ""
    monkeypatch.setenv("BASE_URL", "/other")
    with pytest.raises(InvalidValueError, match=r"BASE_URL is /other, but .* build with BASE_URL=/book, or correct"):
        show_edition(folder, tmp_path)
    show_edition(folder, tmp_path, archive_of=ADDRESS)  # which is elsewhere


def test_an_archived_version_says_which_and_where_the_current_one_is(tmp_path: Path, folder: Path) -> None:
    write_myst(tmp_path, address=ADDRESS)
    show_edition(folder, tmp_path, archive_of=ADDRESS)
    told = options(tmp_path)
    assert told["archive_of"] == f"{ADDRESS}/"
    assert "version" not in told
    assert "url" not in json.loads((folder / "dataset.json").read_text("utf-8")), "cells are not at the current address"
    (tmp_path / "CITATION.cff").write_text("version: 1.2.0\n", encoding="utf-8")
    show_edition(folder, tmp_path, archive_of=ADDRESS)
    assert options(tmp_path)["version"] == "1.2.0"


def test_a_wrong_address_of_the_current_version_is_told(
    tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["site", str(folder), "--project", str(tmp_path), "--archive-of", "example.org"]) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("nnbook site: --archive-of, the current version's address, is 'example.org', which is no")
    assert not (tmp_path / "build" / "book").exists()


def test_only_what_was_printed_of_this_state_is_linked(
    tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chapter = tmp_path / "chapters" / "index.md"
    chapter.parent.mkdir()
    chapter.write_text("One.", encoding="utf-8")
    show_edition(folder, tmp_path)
    assert not options(tmp_path).keys() & PRINTED.keys()
    (folder / "print").mkdir()
    for name in ("book.pdf", "book.xml"):
        (folder / "print" / name).touch()
    write_json(folder / "print" / MADE_FROM, {"state": state_of(tmp_path)})
    show_edition(folder, tmp_path)
    linked = {form: path for form, path in options(tmp_path).items() if form in PRINTED}
    assert linked == {"pdf": "build/book/print/book.pdf", "jats": "build/book/print/book.xml"}
    assert capsys.readouterr().err == ""
    chapter.write_text("Two.", encoding="utf-8")
    show_edition(folder, tmp_path)
    assert not options(tmp_path).keys() & PRINTED.keys()
    assert "print: is of another state of the book, and no page links it; call make print" in capsys.readouterr().err


@pytest.fixture
def html(tmp_path: Path) -> Path:
    """What MyST writes of a site of two pages."""
    html = tmp_path / "_build" / "html"
    pages = [{"title": "Notebooks", "level": 1}, {"slug": "notebooks.area", "title": "Area", "level": 2}]
    book = {"title": "Nuclei", "description": "A book.", "index": "index", "pages": pages, "github": "https://x.y/z"}
    write_json(html / "config.json", {"options": {}, "projects": [book]})
    export = {"format": "md", "url": "/build/index-1.md"}
    write_json(
        html / "index.json", {"frontmatter": {"title": "Start", "description": "All\nof it.", "exports": [export]}}
    )
    text = {"type": "paragraph", "children": [{"type": "text", "value": "Of 1.5 px. More."}]}
    heading = {"type": "heading", "children": [{"type": "text", "value": "Area"}]}
    mdast = {"type": "root", "children": [{"type": "block", "children": [heading, text]}]}
    write_json(html / "notebooks.area.json", {"frontmatter": {"title": "Area"}, "mdast": mdast})
    return html


def test_llms_text_has_every_page_in_a_line(html: Path) -> None:
    lines = llms_text(html).splitlines()
    assert lines[:3] == ["# Nuclei", "", "> A book."]
    assert "- [Start](/): All of it. ([Markdown](/build/index-1.md))" in lines
    assert "- [Area](/notebooks/area/): Of 1.5 px." in lines
    assert "- [Sources](https://x.y/z): text, notebooks and code" in lines
    assert any(line.startswith("- `nnbook segment IMAGES --out masks`:") for line in lines)


def test_llms_text_has_whole_addresses_where_they_are_known(html: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = json.loads((html / "config.json").read_text("utf-8"))
    write_json(html / "config.json", {**told, "options": {"address": ADDRESS}})
    assert f"[Start]({ADDRESS}/): All of it. ([Markdown]({ADDRESS}/build/index-1.md))" in llms_text(html)
    archived = {"address": ADDRESS, "archive_of": f"{ADDRESS}/"}
    write_json(html / "config.json", {**told, "options": archived})
    assert f"This is an archived version; the current one is at {ADDRESS}/." in llms_text(html)
    assert "[Start](/): All of it." in llms_text(html)
    monkeypatch.setenv("BASE_URL", "/v1")
    assert "[Area](/v1/notebooks/area/)" in llms_text(html)


def test_a_site_has_the_description_beside_its_cells(tmp_path: Path, folder: Path, html: Path) -> None:
    show_edition(folder, tmp_path)
    write_json(html / "build" / "cells" / "cells.json", {"cells": 2, "table": "cells.parquet"})
    complete_site(tmp_path, html)
    described = json.loads((html / "build" / "cells" / "croissant.json").read_text("utf-8"))
    assert described == json.loads((folder / "dataset.json").read_text("utf-8"))
    text = (html / "llms.txt").read_text("utf-8")
    assert "[Table of cells](/build/cells/cells.parquet): Parquet" in text
    assert "[Croissant metadata](/build/cells/croissant.json)" in text


def test_a_site_has_no_printed_book_of_a_former_build(tmp_path: Path, html: Path) -> None:
    told = json.loads((html / "config.json").read_text("utf-8"))
    write_json(html / "config.json", {**told, "options": {"pdf": f"/book-{'b' * 32}.pdf"}})
    (html / "build").mkdir()
    for name in (f"book-{'a' * 32}.pdf", f"book-{'b' * 32}.pdf", f"book-{'a' * 32}.meca.zip", "book-1.md"):
        (html / "build" / name).touch()
    complete_site(tmp_path, html)
    assert {path.name for path in (html / "build").iterdir()} == {f"book-{'b' * 32}.pdf", "book-1.md"}


def test_decompressors_are_beside_the_view_of_channels_that_loads_them(tmp_path: Path, html: Path) -> None:
    (html / "build").mkdir()
    complete_site(tmp_path, html)
    assert list((html / "build").glob("codec-*")) == []
    (html / "build" / f"channels-{'a' * 32}.mjs").touch()
    complete_site(tmp_path, html)
    assert {path.name for path in (html / "build").glob("codec-*")} == {
        "codec-blosc.mjs",
        "codec-lz4.mjs",
        "codec-zstd.mjs",
    }


def test_a_book_that_is_built_is_completed(tmp_path: Path, html: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (html / "index.html").write_text("<p>Start</p>", encoding="utf-8")
    monkeypatch.setattr(website, "run_myst", lambda *_: ("", False))
    website.build_site(tmp_path)
    assert (html / "llms.txt").read_text("utf-8").startswith("# Nuclei")
