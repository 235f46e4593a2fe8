"""A lab's own book as it is written: plain files that refer to what its notebooks make, and nothing of NucleusNet."""

import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
import yaml
from jinja2 import UndefinedError

from nnbook.book.lint import lint_text
from nnbook.book.new import (
    NOTEBOOKS,
    STARTER,
    About,
    add_section,
    executed,
    facts_of,
    files_of_toc,
    fill,
    reminders,
    write_book,
)
from nnbook.cli import main
from nnbook.errors import NnbookError
from nnbook.io.images import write_image
from nnbook.io.manifest import Panorama, read_manifest, write_manifest


def row(name: str, **change: object) -> Panorama:
    given: dict[str, object] = {"run": 1, "mask": "", "truth": "", "condition": "", "replicate": "", **change}
    return Panorama(
        panorama=name, quarter="", crop="", passage="", image=f"{name}.tif", width_px=9, height_px=8, px_per_um=2.0,
        image_sha256="", source="", **given,  # type: ignore[arg-type]
    )  # fmt: skip


BOOKS = {
    "one": [row("a")],
    "several": [row("a"), row("b")],
    "everything": [
        row("a", truth="t/a.tif", condition="control", replicate="1"),
        row("b", run=2, condition="drug", replicate="1"),
    ],
    "given": [row("a", mask="m/a.tif"), row("b", mask="m/b.tif")],
    "channels": [row("a", channel="1"), row("b", project="max")],
    "some given": [row("a", mask="m/a.tif"), row("b", truth="t/b.tif")],
}


def book(folder: Path, name: str = "everything", **about: str) -> Path:
    return write_book(folder / "book", BOOKS[name], folder, About(**{"title": "Ours", **about}))


def text_of(folder: Path) -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted(folder.glob("*/*.md")))


@pytest.mark.parametrize("name", BOOKS)
def test_everything_that_a_chapter_refers_to_is_there(tmp_path: Path, name: str) -> None:
    folder = book(tmp_path, name, cells="U2OS", stain="Hoechst")
    text = text_of(folder)
    assert "<<" not in text
    assert lint_text(folder, []) == []
    labels = set(re.findall(r"^:(?:label|name): (\S+)|^label: (\S+)|^\((\S+)\)=|^#\| label: (\S+)", text, re.MULTILINE))
    there = {label for several in labels for label in several if label}
    assert set(re.findall(r"\]\(#([\w:-]+)\)", text)) <= there
    assert set(re.findall(r"\{figure\} #(\S+)", text)) <= there
    files = {path.relative_to(folder).as_posix() for path in folder.glob("chapters/*.md")}
    files |= {executed(path.stem) for path in folder.glob("notebooks/*.md")}
    assert files_of_toc(folder) == files
    assert reminders(folder, folder / "data" / "manifest.csv") == []
    keys = set(re.findall(r"\{number\}`([^`]+)`", text)) - {"rois.count"}
    code = text + (STARTER.parents[1] / "figures" / "own_images.py").read_text(encoding="utf-8")
    assert {key for key in keys if f'"{key}"' not in code} == set()
    assert {
        page
        for page in ("channels", "conditions", "outlines", "masks")
        if f"notebooks/{page}.ipynb" in "\n".join(files)
    } == {page for page in ("channels", "conditions", "outlines", "masks") if facts_of(BOOKS[name])[NOTEBOOKS[page]]}
    drawn = set(re.findall(r"edition\.figures / \"([\w-]+\.png)\"", text))
    assert set(re.findall(r"book/figures/([\w-]+\.png)", text)) <= drawn


@pytest.mark.parametrize("name", BOOKS)
def test_nothing_is_about_nucleusnet(tmp_path: Path, name: str) -> None:
    folder = book(tmp_path, name)
    whole = "".join(path.read_text(encoding="utf-8") for path in folder.rglob("*") if path.is_file())
    assert re.findall(r"NucleusNet|CV-1|DAPI|Barkley|[Ss]imulated|published|twin|Figure 4A|million|–", whole) == []
    assert "{published}" not in whole


def test_sections_without_data_are_not_there(tmp_path: Path) -> None:
    folder = book(tmp_path, "one")
    assert sorted(path.stem for path in folder.glob("chapters/*.md")) == [
        "index",
        "reproduce",
        "results",
        "segmentation",
    ]
    assert sorted(path.stem for path in folder.glob("notebooks/*.md")) == [
        "cells",
        "masks",
        "nuclei",
        "overview",
        "representatives",
    ]
    assert "fig-scatter" not in text_of(folder)
    assert "The panorama of this book" in text_of(folder)


TITLES = [
    "Plain",
    "A \"quoted\": 'one', [x] {y} #1 & <b> %&*!|>@`",
    "two\nlines\tand  spaces",
    "- list",
    "no",
    "1.0",
    "Zellkerne µ €",
]


@pytest.mark.parametrize("title", TITLES)
def test_any_title_is_what_myst_reads(tmp_path: Path, title: str) -> None:
    folder = book(tmp_path, title=title, cells="a*b{c}", stain="$x$")
    line = " ".join(title.split())
    configuration = yaml.safe_load((folder / "myst.yml").read_text(encoding="utf-8"))
    assert configuration["project"]["title"] == configuration["site"]["title"] == line
    head = (folder / "chapters" / "index.md").read_text(encoding="utf-8").split("---")[1]
    assert yaml.safe_load(head)["title"] == line
    assert r"of a\*b\{c\} cells, stained with \$x\$," in text_of(folder)


def test_authors_are_listed_and_nobody_is_made_up(tmp_path: Path) -> None:
    folder = write_book(tmp_path / "a", BOOKS["one"], tmp_path, About("Ours", (" A. One", "", "B: Two ")))
    configuration = yaml.safe_load((folder / "myst.yml").read_text(encoding="utf-8"))
    assert configuration["project"]["authors"] == [{"name": "A. One"}, {"name": "B: Two"}]
    other = yaml.safe_load((book(tmp_path) / "myst.yml").read_text(encoding="utf-8"))
    assert "authors" not in other["project"]
    assert "license" not in other["project"]
    assert other["project"]["id"] != configuration["project"]["id"]


def test_what_can_not_be_written_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "book").mkdir()
    (tmp_path / "book" / "notes.txt").write_text("mine")
    with pytest.raises(NnbookError, match="book: is there already; give the new book another name"):
        book(tmp_path)
    assert [path.name for path in (tmp_path / "book").iterdir()] == ["notes.txt"]
    for about in (About(""), About("a\x07"), About("a", ("\x00",))):
        with pytest.raises(NnbookError, match=r"title is empty|control character"):
            write_book(tmp_path / "other", BOOKS["one"], tmp_path, about)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["book"]


def test_make_gets_the_folder_of_images_whatever_it_is_called(tmp_path: Path) -> None:
    images = tmp_path / "im $HOME #1 'q'"
    images.mkdir()
    for folder, where in (("book", "../im $HOME #1 'q'"), ("deep/book", str(images))):
        written = write_book(tmp_path / folder, BOOKS["one"], images, About("Ours"))
        (written / "show.mk").write_text('include Makefile\nshow:\n\t@printf %s "$$IMAGES"\n')
        shown = subprocess.run(
            ["make", "--no-print-directory", "-f", "show.mk", "show"],
            cwd=written,
            capture_output=True,
            text=True,
            check=True,
        )
        assert shown.stdout == where


def test_a_notebook_in_no_table_of_contents_is_told_with_its_line(tmp_path: Path) -> None:
    folder = book(tmp_path, "several")
    (folder / "notebooks" / "mine.md").write_text("# Mine\n")
    assert reminders(folder, folder / "data" / "manifest.csv") == [
        "notebooks/mine.md is in no table of contents; add '- file: build/book/notebooks/mine.ipynb' under toc in "
        "myst.yml"
    ]


def test_a_section_can_come_later(tmp_path: Path) -> None:
    folder = book(tmp_path, "several")
    manifest = folder / "data" / "manifest.csv"
    with pytest.raises(NnbookError, match="the manifest has no condition for any panorama; write its column condition"):
        add_section(folder, "comparison", read_manifest(manifest))
    write_manifest(manifest, BOOKS["everything"])
    assert [line.rsplit("; ", 1)[1] for line in reminders(folder, manifest)] == [
        "call nnbook add comparison", "call nnbook add accuracy",
    ]  # fmt: skip
    assert add_section(folder, "comparison", read_manifest(manifest)) == [
        "- file: chapters/comparison.md", "- file: build/book/notebooks/conditions.ipynb",
    ]  # fmt: skip
    assert "<<" not in text_of(folder)
    with pytest.raises(NnbookError, match=r"comparison\.md: is there already"):
        add_section(folder, "comparison", read_manifest(manifest))
    assert "conditions.md is in no table of contents" in reminders(folder, manifest)[0]


def test_marks_of_the_starter() -> None:
    text = "a\n<% if has.x %>\nb\n<< w >>\n<% endif %>\n<< w >><% if has.x %>, f\ng<% endif +%>\n"
    words = {"w": "<< w >>{{ w }}"}
    assert fill(text, {"x": True}, words) == "a\nb\n<< w >>{{ w }}\n<< w >>{{ w }}, f\ng\n"
    assert fill(text, {"x": False}, words) == "a\n<< w >>{{ w }}\n"
    assert fill("t: << yaml(w) >>", {}, {"w": 'a: "b"'}) == 't: "a: \\"b\\""'
    with pytest.raises(UndefinedError, match="'y'"):
        fill("<% if has.y %><% endif %>", {"x": True}, {})


def test_the_commands_write_a_book_or_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    for name in ("control_1", "drug_1", "drug_2"):
        write_image(tmp_path / "in" / f"{name}.tif", np.zeros((8, 9), np.uint8))
    call = ["new", str(tmp_path / "book"), "--images", str(tmp_path / "in")]
    assert main(["new", str(tmp_path / "book")]) == 1
    assert "give one of --images, a folder, and --manifest" in capsys.readouterr().err
    assert main(call) == 1
    assert "doesn't say how large its pixels are; give --px-per-um" in capsys.readouterr().err
    assert not (tmp_path / "book").exists()
    assert main([*call, "--px-per-um", "2", "--pattern", "{condition}_{replicate}"]) == 0
    told = capsys.readouterr().err
    assert "control has one replicate: it is shown, but no interval" in told
    rows = read_manifest(tmp_path / "book" / "data" / "manifest.csv")
    assert [(one.condition, one.replicate) for one in rows] == [("control", "1"), ("drug", "1"), ("drug", "2")]
    assert main(["manifest", str(tmp_path / "in"), "--px-per-um", "2"]) == 0
    assert main(["manifest", str(tmp_path / "in"), "--px-per-um", "2"]) == 1
    assert "manifest.csv: is there already; remove it, or name another file as --out" in capsys.readouterr().err
    assert main(["new", str(tmp_path / "again"), "--manifest", str(tmp_path / "in" / "manifest.csv")]) == 0
    assert yaml.safe_load((tmp_path / "again" / "myst.yml").read_text())["project"]["title"] == "again"
