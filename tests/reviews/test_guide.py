"""The guided choice: where it leads, how it is drawn, and what its loader refuses."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest

from nnbook.errors import NnbookError
from nnbook.reviews.guide import as_html, ends, known_guide, read_guide
from nnbook.values.table import MIME

if TYPE_CHECKING:
    from pathlib import Path

    from nnbook.reviews.guide import Answer

TREE = """\
question: What do you want?
answers:
  - answer: To segment
    task: segmentation
    because: it is said
    source: review, Image segmentation
    next:
      question: Flat, or stacks?
      answers:
        - answer: Flat
          dimension: 2D
          because: it is said
          source: review
          methods: [cellpose]
          this_book: {fits: yes, because: it does}
        - answer: Stacks
          dimension: 3D
          because: it is said
          source: review
          methods: [nnunet, cellpose]
          this_book: {fits: no, because: it does not}
  - answer: No
    because: it is said
    source: review
    methods: [noise2void]
    this_book: {fits: no, because: it does not}
"""


def end_of(*way: str) -> Answer:
    """Return the end that answers lead to, each by a word of it."""
    found = [
        end for path, end in ends(known_guide()) if all(word in step for word, step in zip(way, path, strict=True))
    ]
    (end,) = found
    return end


def test_stacks_without_code_and_processor_lead_to_notebooks_in_the_cloud() -> None:
    end = end_of("begins and ends", "Stacks", "No", "No")
    assert [method.name for method in end.methods] == ["zerocostdl4mic"]
    assert end.this_book is False


def test_the_review_s_advice_for_each_case() -> None:
    flat = ("begins and ends", "Flat")
    assert [one.name for one in end_of(*flat, "Yes").methods] == ["deepcell", "cellpose", "nucleaizer"]
    assert [one.name for one in end_of("begins", "Stacks", "Yes", "Yes").methods] == [
        "deepcell", "cellpose", "qcanet", "nuset",
    ]  # fmt: skip
    assert [one.name for one in end_of("begins", "Stacks", "Yes", "No").methods] == ["nnunet"]
    assert end_of(*flat, "No", "No").this_book is True


def test_it_says_where_this_book_s_own_tool_is_the_answer() -> None:
    assert {end.this_book for _, end in ends(known_guide())} == {True, False}
    for way, end in ends(known_guide()):
        assert end.methods, way
        assert end.because and end.source and end.this_book_because, way  # noqa: PT018


def test_every_source_is_a_section_of_a_review(shared: Path) -> None:
    review = (shared / "sources" / "deep-learning-nuclei-review.txt").read_text(encoding="utf-8")
    for _, end in ends(known_guide()):
        for source in end.source.split("; "):
            name, _, section = source.partition(", ")
            assert section in review if name == "review" else source == "short paper, section 2"


class Tree(HTMLParser):
    """Holds that elements are closed in their order, and counts them."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.counts: dict[str, int] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert not {name for name, _ in attrs} - {"href"}
        self.open.append(tag)
        self.counts[tag] = self.counts.get(tag, 0) + 1

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_it_is_a_tree_of_details_without_scripts() -> None:
    html = as_html(known_guide())
    tree = Tree()
    tree.feed(html)
    assert tree.open == []
    assert tree.counts["details"] == tree.counts["summary"] == tree.counts["dd"] > len(list(ends(known_guide())))
    assert "script" not in tree.counts
    assert '<a href="https://github.com/MIC-DKFZ/nnUNet">nnU-Net</a>' in html
    text = repr(known_guide())
    assert text.startswith("What do you want to know of your nuclei?\n- Where each")
    assert "-> nnU-Net\n" in text


def test_on_paper_it_is_a_table_of_its_ends() -> None:
    shown = known_guide()._repr_mimebundle_()
    rows = shown[MIME]["rows"]
    assert len(rows) == len(list(ends(known_guide())))
    assert rows[0][0].endswith(" / Flat (2D) / Yes")
    assert rows[0][1:3] == ["DeepCell, Cellpose, NucleAIzer", "no"]
    assert "<details>" in shown["text/html"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("[noise2void]", "[noise3void]"), r":25: No: methods has noise3void, which is none of methods.yml"),
        (("[cellpose]", "[nnunet]"), r":14: Flat: methods has nnunet, which is not for 2D"),
        (("[cellpose]", "[noise2void]"), r":14: Flat: methods has noise2void, which is not for segmentation"),
        (("[cellpose]", "[]"), r":14: Flat: methods is \[\]; write a list"),
        (("    because: it is said\n    source: review\n", "    source: review\n"), r":22: No: has no because; add it"),
        (("task: segmentation", "tasks: segmentation"), r":4: To segment: tasks is no field known here"),
        (("dimension: 2D", "dimension: 4D"), r":11: Flat: dimension is '4D'; use one of 2D, 3D"),
        (("answer: Stacks", "answer: Flat"), r":16: Flat, or stacks\?: has the answer Flat twice"),
        (("          methods: [cellpose]\n", ""), r":10: Flat: leads to 'next', a question, or to 'methods'"),
        (("          this_book: {fits: yes, because: it does}\n", ""), r":10: Flat: needs 'this_book' where it has"),
        (("{fits: yes, because", "{fits: maybe, because"), r":15: Flat: this_book in line 15: fits is 'maybe'"),
        (("question: Flat, or stacks?", "asked: Flat?"), r":8: a question: asked is no field known here"),
    ],
)
def test_a_malformed_tree_is_refused_by_line_and_step(tmp_path: Path, change: tuple[str, str], told: str) -> None:
    path = tmp_path / "guide.yml"
    path.write_text(TREE, encoding="utf-8")
    assert [way for way, _ in ends(read_guide(str(path)))] == [
        ("To segment", "Flat"),
        ("To segment", "Stacks"),
        ("No",),
    ]
    wrong = TREE.replace(*change)
    assert wrong != TREE
    path.write_text(wrong, encoding="utf-8")
    with pytest.raises(NnbookError, match=re.escape(str(path)) + told):
        read_guide(path)


def test_a_question_needs_two_answers(tmp_path: Path) -> None:
    path = tmp_path / "guide.yml"
    path.write_text(TREE[: TREE.index("  - answer: No")], encoding="utf-8")
    with pytest.raises(NnbookError, match=r":2: What do you want\?: needs two answers or more"):
        read_guide(path)
