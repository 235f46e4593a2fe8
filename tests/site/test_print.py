"""The book on paper and in archives: each file is opened as those who get it would, and holds the book."""

from __future__ import annotations

import json
import re
import zipfile
from typing import TYPE_CHECKING

import pytest
import typst
import yaml
from defusedxml import ElementTree
from reader import BOOK, PROJECT, copy_book, plain

from nnbook.book.article import print_book
from nnbook.errors import NnbookError

if TYPE_CHECKING:
    from pathlib import Path

WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
EMBED = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}embed"
HREF = "{http://www.w3.org/1999/xlink}href"
MANIFEST = "{https://manuscriptexchange.org/schema/manifest}"
FEWEST_IMAGES = 8
NOT_ON_PAPER = re.compile(r"anywidget|widgets/dist|\{number\}|\{published\}|\]\(#")


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a copy of the book in all formats, once."""
    project = copy_book(tmp_path_factory.mktemp("project"))
    out = tmp_path_factory.mktemp("out") / "print"
    files = print_book(project, out)
    assert {"book.typ", "book.pdf", "book.docx", "book.xml", "book.meca.zip"} <= {path.name for path in files}
    return out


@pytest.fixture(scope="module")
def titles() -> list[str]:
    """The chapters' titles; of the first, which has the book's, the short one."""
    toc = yaml.safe_load((PROJECT / "myst.yml").read_text())["project"]["toc"]
    chapters = [entry["file"] for entry in toc if "file" in entry]
    found = [
        re.findall(r"^title: (.*)$", (PROJECT / name).read_text(), re.MULTILINE)[0].strip('"') for name in chapters
    ]
    return ["Overview", *found[1:]]


@pytest.fixture(scope="module")
def values() -> list[str]:
    """Values that chapters name by role, as they are shown."""
    shown = {}
    for role, file in (("number", "numbers.json"), ("published", "published.json")):
        known = json.loads((BOOK / file).read_text(encoding="utf-8"))
        texts = "\n".join(path.read_text(encoding="utf-8") for path in (PROJECT / "chapters").glob("*.md"))
        for key in re.findall(rf"\{{{role}\}}`([\w.]+)`", texts):
            shown[key] = plain(known[key]["shown"])
    assert len(shown) > 20
    return list(shown.values())


def test_word_opens_a_document_with_chapters_values_tables_and_images(
    printed: Path, titles: list[str], values: list[str]
) -> None:
    with zipfile.ZipFile(printed / "book.docx") as package:
        assert package.testzip() is None
        document = ElementTree.fromstring(package.read("word/document.xml"))
        relations = ElementTree.fromstring(package.read("word/_rels/document.xml.rels"))
        names = set(package.namelist())
    paragraphs = list(document.iter(f"{WORD}p"))
    text = plain(" ".join("".join(run.text or "" for run in one.iter(f"{WORD}t")) for one in paragraphs))
    headings = {
        plain("".join(run.text or "" for run in one.iter(f"{WORD}t")))
        for one in paragraphs
        if (style := one.find(f"{WORD}pPr/{WORD}pStyle")) is not None and style.get(f"{WORD}val", "").startswith("Head")
    }
    assert set(titles) <= headings
    assert [value for value in values if value not in text] == []
    assert NOT_ON_PAPER.findall(text) == []
    assert len(list(document.iter(f"{WORD}tbl"))) > FEWEST_IMAGES
    targets = {one.get("Id"): one.get("Target") for one in relations}
    images = [targets[one.get(EMBED)] for one in document.iter() if one.get(EMBED)]
    assert len(images) >= FEWEST_IMAGES
    assert {f"word/{image}" for image in images} <= names


def test_jats_is_an_article_whose_references_and_images_are_there(
    printed: Path, titles: list[str], values: list[str]
) -> None:
    article = ElementTree.parse(printed / "book.xml").getroot()
    assert article.tag == "article"
    assert article.findtext("front/article-meta/title-group/article-title") == "NucleusNet, a living publication"
    assert article.find("front/article-meta/permissions/license") is not None
    assert set(titles) <= {plain("".join(title.itertext())) for title in article.findall("body//sec/title")}
    text = plain("".join(article.itertext()))
    assert [value for value in values if value not in text] == []
    assert NOT_ON_PAPER.findall(text) == []
    images = {graphic.get(HREF) for graphic in article.iter("graphic")}
    assert len(images) >= FEWEST_IMAGES
    assert [image for image in images if not (printed / image).is_file()] == []
    parts = {one.get("id") for one in article.iter() if one.get("id")}
    assert [one.get("rid") for one in article.iter("xref") if one.get("rid") not in parts] == []
    assert len(article.findall("back/ref-list/ref")) > 3


def test_meca_lists_what_it_holds(printed: Path) -> None:
    with zipfile.ZipFile(printed / "book.meca.zip") as bundle:
        assert bundle.testzip() is None
        manifest = ElementTree.fromstring(bundle.read("manifest.xml"))
        names = set(bundle.namelist())
        ElementTree.fromstring(bundle.read("book.xml"))
    held: dict[str, list[str]] = {}
    for item in manifest.iter(f"{MANIFEST}item"):
        held.setdefault(item.get("item-type", ""), []).extend(
            instance.get(HREF, "") for instance in item.iter(f"{MANIFEST}instance")
        )
    assert held["article-metadata"] == ["book.xml"]
    assert {"book.docx", "book.typ"} <= set(held["manuscript"])
    assert {"bundle/chapters/book.md", "bundle/build/book/notebooks/area.ipynb"} <= set(held["article-source"])
    files = [name for kind, listed in held.items() if kind != "article-source-directory" for name in listed]
    assert [name for name in files if name not in names] == []
    assert {name for name in names if not name.endswith("/")} - {"manifest.xml"} <= set(files)


def test_typst_sets_its_source_alone(printed: Path, titles: list[str], values: list[str]) -> None:
    source = (printed / "book.typ").read_text(encoding="utf-8")
    assert NOT_ON_PAPER.findall(source) == []
    assert "@preview" not in source + (printed / "myst-imports.typ").read_text()
    assert typst.compile(printed / "book.typ").startswith(b"%PDF-")
    assert (printed / "book.pdf").read_bytes().startswith(b"%PDF-")
    headings = json.loads(typst.query(printed / "book.typ", "heading.where(level: 1)", field="body"))
    assert set(titles) <= {plain(written(heading)) for heading in headings}
    assert re.findall(r'#link\("/', source) == []
    text = plain(re.sub(r"#super\[†\]|\\", "", source).replace("~", " "))
    text = text.replace("$times$", "×")
    # Typst itself makes a minus of a hyphen before a digit.
    assert [value for value in values if value.replace("−", "-") not in text] == []
    figures = re.findall(r"\*Figure~([\w]+)\.\*", source)
    assert len(figures) == len(set(figures)) >= FEWEST_IMAGES


def written(node: object) -> str:
    """The text of a piece of Typst's content, as a query gives it."""
    if isinstance(node, dict):
        if node.get("func") == "space":
            return " "
        return "".join(written(value) for key, value in node.items() if key in {"text", "children", "body", "child"})
    return "".join(map(written, node)) if isinstance(node, list) else str(node)


def test_a_view_without_a_placeholder_is_named(tmp_path: Path) -> None:
    project = copy_book(tmp_path / "project")
    chapter = project / "chapters" / "index.md"
    chapter.write_text(re.sub(r":placeholder: .*\n", "", chapter.read_text()), encoding="utf-8")
    with pytest.raises(NnbookError, match=r"book.typ:\n.*book\.md: the view fig:overview has no :placeholder:"):
        print_book(project, tmp_path / "print")
    assert not (tmp_path / "print").exists()
