import json
import re
import signal
from pathlib import Path

import pytest
import yaml
from simulated_store import write_store

from nnbook.book import website as site
from nnbook.book.website import lacking_table, problems_in, show_edition
from nnbook.cli import main
from nnbook.errors import NnbookError
from nnbook.io.edition import Edition, write_edition
from nnbook.io.files import write_json
from nnbook.values.published import CITED

CLEAN = """\x1b[32m📖 Built chapters/index.md in 51 ms.\x1b[39m
🌎 Building 3 pages as site
no warning here: 0 errors
"""


def test_clean_output_has_no_problem() -> None:
    assert problems_in(CLEAN) == []


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (
            "\x1b[33m⚠️  chapters/index.md:12 Cross reference target was not found: fig:a\x1b[39m",
            "chapters/index.md:12 Cross reference target was not found: fig:a",
        ),
        ("  \x1b[31m⛔️ chapters/a.md \x1b[1munknown directive\x1b[22m: figur\x1b[39m", "unknown directive: figur"),
        ("❌ widget: broken JSON", "widget: broken JSON"),
        ("\x1b[2mStatic file not found: build/book/pyramids\x1b[22m", "Static file not found: build/book/pyramids"),
    ],
)
def test_warnings_and_errors_are_found_without_colours(line: str, told: str) -> None:
    problems = problems_in(f"{CLEAN}{line}\n{CLEAN}")
    assert len(problems) == 1
    assert problems[0].endswith(told)
    assert "\x1b" not in problems[0]


def test_what_is_said_twice_is_reported_once() -> None:
    line = "⛔️ chapters/a.md unknown directive: figur"
    assert problems_in(f"{line}\n{CLEAN}  {line}\n") == [line]


def test_a_preview_says_nothing_of_views_that_are_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    hidden = [
        """\x1b[31m⛔️ Cannot find asset for 'esm' "/panorama-65208da7473e08c95a1654525cf5e877.mjs" in /b\x1b[39m""",
        """⛔️ chapters/a.md Cannot find asset for 'esm' "/build/cells-a9abc40f7c9ae72028e1c370694397a4.mjs" in /b""",
        """⛔️ a.md:81:314 No target for internal reference "#fig-cases&panorama=Run7BR_top_right&roi=3" was found.""",
    ]
    shown = [
        "📖 Built chapters/a.md in 352 ms.",
        """⛔️ chapters/a.md Cannot find asset for 'esm' "../widgets/dist/panorma.mjs" in /b""",
        """⛔️ chapters/a.md:3 No target for internal reference "#fig-cses" was found.""",
    ]
    myst = tmp_path / "myst"
    myst.write_text("\n".join(["#!/bin/sh", "cat <<'END'", *hidden, *shown, "END", "sleep 0.5"]), encoding="utf-8")
    myst.chmod(0o755)
    monkeypatch.setattr(site, "_myst", lambda: str(myst))
    monkeypatch.setattr(site, "parts_of", lambda _: "")
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    site.serve_site(tmp_path, tmp_path)
    assert capfd.readouterr().out.splitlines() == shown


def test_show_edition_switches_the_book(tmp_path: Path) -> None:
    for name in ("twin", "own"):
        folder = tmp_path / "build" / name
        write_edition(Edition(folder, name, f"This is {name}.", name == "twin", 8.0453, 1))
        assert show_edition(folder, tmp_path).name == name
        assert (tmp_path / "build" / "book").resolve() == folder.resolve()
        layers = json.loads((tmp_path / "build" / "book" / "layers.json").read_text())["layers"]
        assert layers == [{"name": name, "label": "Simulated" if name == "twin" else None, "folder": "", "has": []}]


def test_a_book_that_lacks_the_published_table_says_so(tmp_path: Path) -> None:
    twin, own = (Edition(tmp_path / name, name, "", name == "twin", 8.0453, 1) for name in ("twin", "own"))
    assert "LOCAL=FOLDER" in lacking_table(twin)
    assert lacking_table(own) == ""
    write_edition(Edition(tmp_path / "twin" / "published", "published", "", False, 8.0453, 1))
    assert "LOCAL=FOLDER" in lacking_table(twin), "it may have cells alone"
    (tmp_path / "twin" / "published" / "results.csv").touch()
    assert lacking_table(twin) == ""


def test_a_book_without_the_published_table_has_what_was_recorded_of_it(tmp_path: Path) -> None:
    twin = tmp_path / "build" / "twin"
    write_edition(Edition(twin, "twin", "A note.", True, 8.0453, 1))
    show_edition(twin, tmp_path)
    assert json.loads((twin / "recorded.json").read_text()) == {}, "there is no record"
    number = {"digits": 1, "tolerance": 0, "unit": "%", "value": 84.94}
    write_json(tmp_path / "data" / "record.json", {"numbers": {"published.variance": number, "variance": number}})
    show_edition(twin, tmp_path)
    assert json.loads((twin / "recorded.json").read_text()) == {"published.variance": "84.9%"}


def test_layers_and_what_they_have_are_listed_and_go_with_the_site(tmp_path: Path) -> None:
    twin = tmp_path / "build" / "twin"
    for folder, simulated in ((twin, True), (twin / "published", False), (twin / "full-size", True)):
        write_edition(Edition(folder, folder.name, "A note.", simulated, 8.0453, 1))
        write_json(folder / "pyramids" / "index.json", {"panoramas": [{"panorama": folder.name}] if simulated else []})
    (twin / "published" / "results.csv").touch()
    write_store(twin / "cells", {1: [90, 100, 110]})
    show_edition(twin, tmp_path)
    book = tmp_path / "build" / "book"
    published, simulated = json.loads((book / "layers.json").read_text())["layers"]
    assert published == {"name": "published", "label": "Published", "folder": "published/", "has": ["panoramas"]}
    assert simulated == {"name": "twin", "label": "Simulated", "folder": "", "has": ["index", "cells"]}
    assert static_files(tmp_path)[-2:] == ["build/book/site/opening", "build/book/site/published"]
    assert "build/book/figures/live" not in static_files(tmp_path)
    write_json(twin / "figures" / "live" / "pooling.json", {})
    show_edition(twin, tmp_path)
    assert "build/book/figures/live" in static_files(tmp_path)
    opening = json.loads((book / "site" / "opening" / "pyramids" / "index.json").read_text())
    assert opening["panoramas"] == [{"panorama": "full-size"}]


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """An edition with a store of cells."""
    folder = tmp_path / "build" / "own"
    write_edition(Edition(folder, "own", "Mine.", False, 8.0453, 1))
    write_store(folder / "cells", {1: [90, 100, 110]})
    return folder


def static_files(project: Path) -> list[str]:
    return list(yaml.safe_load((project / "build/book/edition.yml").read_text())["project"]["static_files"])


def test_cells_go_with_the_site_or_are_read_from_their_address(tmp_path: Path, own: Path) -> None:
    show_edition(own, tmp_path)
    assert static_files(tmp_path) == [
        "build/book/layers.json",
        "build/book/pyramids",
        "build/book/cells",
        "build/book/mosaic",
    ]
    show_edition(own, tmp_path, cells="https://host.example/own/cells/")
    assert static_files(tmp_path) == [
        "build/book/layers.json",
        "build/book/pyramids",
        "build/book/hosted/cells",
        "build/book/mosaic",
    ]
    about = json.loads((own / "cells" / "cells.json").read_text())
    part = {"cells": 2, "table_bytes": 900}
    drawn = {"seed": 1, "cells": [1, 0]}
    overview = {"table": "overview.parquet", **part}
    draw = {"thumbnails": "draw.zarr/thumbnails", **drawn}
    write_json(own / "cells" / "cells.json", {**about, "overview": overview, "draw": draw})
    show_edition(own, tmp_path, cells="https://host.example/own/cells/")
    hosted = own / "hosted" / "cells"
    assert [path.name for path in hosted.iterdir()] == ["cells.json"]
    told, about = (json.loads((folder / "cells.json").read_text()) for folder in (hosted, own / "cells"))
    assert told == about | {
        "images": "https://host.example/own/cells/cells.zarr/images",
        "thumbnails": "https://host.example/own/cells/cells.zarr/thumbnails",
        "table": "https://host.example/own/cells/cells.parquet",
        "overview": {"table": "https://host.example/own/cells/overview.parquet", **part},
        "draw": {"thumbnails": "https://host.example/own/cells/draw.zarr/thumbnails", **drawn},
    }


def test_a_store_too_large_for_a_site_asks_for_an_address(
    tmp_path: Path, own: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(site, "CELLS_BYTES", 20_000)
    assert main(["site", str(own), "--project", str(tmp_path)]) == 1
    assert re.search(r"cells: has 0.0 GB, too much for a site; .*--cells https://HOST/cells/", capsys.readouterr().err)
    assert not (tmp_path / "build" / "book").exists()
    monkeypatch.setattr(site, "build_site", lambda project: project / "_build" / "html")
    assert main(["site", str(own), "--project", str(tmp_path), "--cells", "https://host.example/cells"]) == 0
    assert "reads cells from https://host.example/cells; copy" in capsys.readouterr().err


@pytest.mark.parametrize("address", ["cells/", "file:///cells", "https://", "https://host.example/cells?version=2"])
def test_what_is_no_address_of_cells_is_told(tmp_path: Path, own: Path, address: str) -> None:
    with pytest.raises(NnbookError, match=r"is no address of a folder; give one such as https://HOST/cells/"):
        show_edition(own, tmp_path, cells=address)


def test_show_edition_gives_its_pages_the_cited_values(tmp_path: Path) -> None:
    folder = tmp_path / "build" / "own"
    write_edition(Edition(folder, "own", "This is own.", False, 8.0453, 1))
    show_edition(folder, tmp_path)
    assert (
        (tmp_path / "build" / "book" / "api.md")
        .read_text(encoding="utf-8")
        .startswith("---\ntitle: Python reference\n")
    )
    told = json.loads((tmp_path / "build" / "book" / "published.json").read_text(encoding="utf-8"))
    assert {key: value["shown"] for key, value in told.items()} == {key: cited.shown for key, cited in CITED.items()}


def test_show_edition_that_is_not_made_changes_nothing(tmp_path: Path) -> None:
    with pytest.raises(NnbookError, match="no such edition"):
        show_edition(tmp_path / "build" / "none", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_pages_say_which_notebooks_are_out_of_date(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "build" / "own"
    write_edition(Edition(folder, "own", "Ours.", simulated=False, px_per_um=8.0453, area_px2=1))
    (tmp_path / "notebooks").mkdir()
    show_edition(folder, tmp_path)
    assert "Out of date" not in (folder / "edition.yml").read_text()
    (tmp_path / "notebooks" / "area.md").write_text("# Area\n")
    show_edition(folder, tmp_path)
    assert "Out of date on these pages, call nnbook run: area." in (folder / "edition.yml").read_text()
    assert "'nnbook status' says why" in capsys.readouterr().err


def test_an_edition_without_a_figure_of_the_book_shows_a_notice_in_its_place(tmp_path: Path) -> None:
    folder = tmp_path / "build" / "own"
    write_edition(Edition(folder, "own", "Ours.", simulated=False, px_per_um=8.0453, area_px2=1))
    (tmp_path / "figures").mkdir()
    for name in ("drawn", "missing"):
        (tmp_path / "figures" / f"{name}.png").write_bytes(b"of another edition")
    (folder / "figures").mkdir()
    (folder / "figures" / "drawn.png").write_bytes(b"own")
    show_edition(folder, tmp_path)
    assert (folder / "figures" / "drawn.png").read_bytes() == b"own"
    assert (folder / "figures" / "missing.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "figures" / "missing.png").read_bytes() == b"of another edition", "the record stays"
