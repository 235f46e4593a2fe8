from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from nnbook.book.lint import (
    Finding,
    Value,
    citations_without_doi,
    lint_text,
    pictures_without_words,
    typed_numbers,
)
from nnbook.book.myst import read_myst
from nnbook.values.published import CITED

PROJECT = Path(__file__).parents[2]
VALUES = [
    Value("published", "area.cm2", 37.25, "cm²", 2),
    Value("published", "cells.images", 1_061_277, "", 0),
    Value("number", "rois.count", 6_421, "", 0),
    Value("published", "threshold", -2.0, "", 1),
    Value("published", "scale", 8.0453, "px/µm", 4),
]


@pytest.mark.parametrize(
    ("prose", "key"),
    [
        ("It covers 37.25 cm² of cells.", "{published}`area.cm2`"),
        ("It covers\n37.25\u00a0cm² of cells.", "{published}`area.cm2`"),
        ("There are 1,061,277 images.", "{published}`cells.images`"),
        ("There are 1061277 images.", "{published}`cells.images`"),
        ("| 6,421 |", "{number}`rois.count`"),
        ("A scale of 8.05 px/µm.", "{published}`scale`"),
        ("It covers 36.9 cm² of cells.", "area.cm2 is 37.25 cm²"),
        (":::{card} 6,421\nnuclei\n:::", "{number}`rois.count`"),
        (":::{figure} ../a.png\n:alt: A.\n\nThe 6,421 nuclei.\n:::", "{number}`rois.count`"),
    ],
)
def test_a_number_typed_by_hand_is_found_with_what_to_write(prose: str, key: str) -> None:
    found = typed_numbers("chapters/a.md", read_myst(f"# A title\n\nWords.\n\n{prose}\n"), VALUES)
    assert len(found) == 1
    assert key in found[0].message
    assert "typed by hand" in found[0].message
    assert found[0].line >= 5


@pytest.mark.parametrize(
    "prose",
    [
        "It covers {published}`area.cm2` of cells, 37.3 mm² of them here, and 42.1 cm² elsewhere.",
        "```python\nrois = 6421\n```",
        "```{code-cell} ipython3\n6421\n```",
        "Call `nnbook area --px2 6421` for it.",
        "$6421$ and [a link](https://example.org/6421), [@doi:10.1000/6421]",
        "```{math}\n6421\n```",
        ":::{figure} ../a.png\n:alt: All 6,421.\n:::",
        "With 64 cells, Figure 6421a, v6.421.3, 10.6421/x",
        "% typed: 6,421; the year of the calendar\nIn 6,421 nothing happened.",
        "<!-- 6,421 -->",
        "% 6,421 is what it was",
    ],
)
def test_what_is_no_typed_number_passes(prose: str) -> None:
    assert typed_numbers("a.md", read_myst(f"# A title\n\n{prose}\n"), VALUES) == []


def test_an_exemption_holds_for_what_it_names_in_the_paragraph_below() -> None:
    text = "% typed: 6,421; another count\nOf 6,421 and 37.25 cm².\n\nOf 6,421.\n"
    assert [
        (finding.line, finding.message.split(" is")[0]) for finding in typed_numbers("a.md", read_myst(text), VALUES)
    ] == [
        (2, "37.25 cm²"),
        (4, "6,421"),
    ]
    assert len(typed_numbers("a.md", read_myst("% typed: 6,421\nOf 6,421.\n"), VALUES)) == 1, "without a reason"


@pytest.mark.parametrize(
    "text",
    [
        "![](a.png)",
        "![ ](a.png)",
        '<img src="a.png">',
        '<img src="a.png" alt="">',
        ":::{figure} ../a.png\n:label: fig:a\n\nA caption.\n:::",
        ":::{figure} ../a.png\n:alt:\n\nA caption.\n:::",
        "```{image} a.png\n```",
        "::::{figure}\n:placeholder: a.png\n\n:::{anywidget} a.mjs\n{}\n:::\n::::",
    ],
)
def test_a_picture_without_words_is_found(text: str) -> None:
    found = pictures_without_words("chapters/a.md", read_myst(f"Words.\n\n{text}\n"))
    assert [finding.line for finding in found] == [3]
    assert "no alternative text" in found[0].message


@pytest.mark.parametrize(
    "text", ["![A nucleus](a.png)", '<img src="a.png" alt="A nucleus">', ":::{figure} ../a.png\n:alt: A nucleus.\n:::",
             ":::{figure} #tbl:a\n:kind: table\n\nA caption.\n:::"]
)  # fmt: skip
def test_a_picture_with_words_passes(text: str) -> None:
    assert pictures_without_words("a.md", read_myst(text)) == []


def test_a_citation_without_doi_or_address_is_found() -> None:
    text = "@book{one,\n  doi = {10.1000/1}\n}\n@book{two,\n  title = {No doi},\n}\n@misc{three, url = {https://a.org}\n}\n"
    assert citations_without_doi("a.bib", text.replace("{three, ", "{three,\n")) == [
        Finding("a.bib", 4, "two has no doi; add it, or a url where there is none")
    ]


@pytest.fixture
def book(tmp_path: Path) -> Path:
    """The text of the book, as it is committed."""
    for name in ("chapters", "notebooks"):
        shutil.copytree(PROJECT / name, tmp_path / name)
    shutil.copyfile(PROJECT / "myst.yml", tmp_path / "myst.yml")
    return tmp_path


CITED_VALUES = [Value("published", key, one.value, one.unit, one.digits) for key, one in CITED.items()]


def test_the_book_has_no_fault(book: Path) -> None:
    assert lint_text(book, CITED_VALUES) == []


FAULTS = {
    "typed number": ("chapters/index.md", "\nThere are 1,061,277 images.\n", "1,061,277 is typed by hand"),
    "typed in a notebook": ("notebooks/area.md", "\nThere are 1,061,277 images.\n", "1,061,277 is typed by hand"),
    "contrary number": ("chapters/index.md", "\nIt covers 37.3 cm² of cells.\n", "37.3 cm² is typed by hand"),
    "figure of no notebook": ("chapters/index.md", "\n:::{figure} #fig:none\nWords.\n:::\n", "labelled fig:none"),
    "stand-in of no notebook": (
        "chapters/index.md",
        "\n:::{figure} ../build/book/figures/none.png\n:alt: Nothing.\n:::\n",
        "no notebook draws none.png",
    ),
    "citation without doi": ("chapters/references.bib", "\n@book{none,\n  title = {None}\n}\n", "none has no doi"),
    "image without words": ("chapters/index.md", "\n![](a.jpg)\n", "no alternative text"),
}


@pytest.mark.parametrize("kind", FAULTS)
def test_a_fault_in_the_book_is_found_where_it_is(book: Path, kind: str) -> None:
    name, text, told = FAULTS[kind]
    path = book / name
    before = path.read_text()
    path.write_text(before + text)
    found = lint_text(book, CITED_VALUES)
    assert [(finding.path, told in finding.message) for finding in found] == [(name, True)]
    assert found[0].line > before.count("\n")


def test_an_output_that_no_page_shows_is_found(book: Path) -> None:
    notebook = book / "notebooks" / "more.md"
    notebook.write_text((book / "notebooks" / "speed.md").read_text().replace("tbl:speed", "tbl:more"))
    found = lint_text(book, CITED_VALUES)
    assert [(finding.path, "no page shows tbl:more" in finding.message) for finding in found] == [
        ("notebooks/more.md", True)
    ]
    chapter = book / "chapters" / "segmentation.md"
    chapter.write_text(chapter.read_text() + "\n:::{figure} #tbl:more\n:kind: table\n\nMore.\n:::\n")
    assert lint_text(book, CITED_VALUES) == []
