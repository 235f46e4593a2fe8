from __future__ import annotations

import pytest

from nnbook.book.myst import Directive, Link, Picture, Words, read_myst


def words_of(text: str) -> list[tuple[int, list[str]]]:
    return [(part.line, part.text.split()) for part in read_myst(text) if isinstance(part, Words) and part.text.strip()]


def test_a_header_and_code_have_no_words_and_lines_keep_their_numbers() -> None:
    text = "---\ntitle: 6,421\n---\n\nFirst `code` line.\n\n````\n```\n6,421\n```\n````\nLast.\n"
    assert words_of(text) == [(5, ["First", "line."]), (12, ["Last."])]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("One {number}`a.b` two $x$ three.\nFour `a\nb` five.",
         [(1, ["One", "two", "three."]), (2, ["Four"]), (3, ["five."])]),
        ("- a\n- b\n  c", [(1, ["a"]), (2, ["b"]), (3, ["c"])]),
        ("| a | b |\n|---|---|\n| c | d |", [(1, ["a"]), (1, ["b"]), (3, ["c"]), (3, ["d"])]),
        ("Twin\n: The *default*.\n  More.", [(1, ["Twin"]), (2, ["The", "default", "."]), (3, ["More."])]),
        ("A.[^1]\n\n[^1]: A note\n    of two lines.", [(1, ["A."]), (3, ["A", "note"]), (4, ["of", "two", "lines."])]),
        ("See [the page](#a) and <https://a.org/1>, [@doi:10.1000/1] or https://b.org.",
         [(1, ["See", "the", "page", "and", ",", "or"])]),
        ("<div>\nA <b>bold</b> word\n</div>\n<!-- not\nthis -->", [(2, ["A", "bold", "word"])]),
        ("$$\nx\n$$\n\n(a)=\n% A comment\n\n![A nucleus](a.png)", [(8, ["A", "nucleus"])]),
    ],
)  # fmt: skip
def test_words_are_what_a_reader_reads(text: str, words: list[tuple[int, list[str]]]) -> None:
    assert words_of(text) == words


NESTED = """# Title

::::{figure} #fig:a
:label: fig:b
:placeholder: ../figures/a.png

:::{anywidget} ../a.mjs
{ "number": 6421 }
:::

A caption.
::::

```{code-cell} ipython3
#| label: fig:a
draw()
```
"""


def test_directives_are_read_with_their_options_and_what_is_inside() -> None:
    parts = read_myst(NESTED)
    figure, widget, cell = (part for part in parts if isinstance(part, Directive))
    assert (figure.line, figure.name, figure.argument) == (3, "figure", "#fig:a")
    assert figure.options == {"label": "fig:b", "placeholder": "../figures/a.png"}
    assert (widget.line, widget.name, widget.argument) == (7, "anywidget", "../a.mjs")
    assert (cell.line, cell.name, cell.content) == (14, "code-cell", "#| label: fig:a\ndraw()")
    assert words_of(NESTED) == [(1, ["Title"]), (11, ["A", "caption."])]


def test_a_title_of_a_directive_is_read_and_an_address_is_not() -> None:
    assert words_of(":::{card} A *title*\nWords.\n:::\n:::{figure} ../a.png\n:::") == [
        (1, ["A", "title"]),
        (2, ["Words."]),
    ]


def test_pictures_and_links_are_read_with_their_lines() -> None:
    text = 'A [link](b.md),\n![alt](a.png) and\n<img src="b.png" alt="A nucleus"> or <img src="c.png">\n[](#fig:a)'
    assert [part for part in read_myst(text) if isinstance(part, Picture | Link)] == [
        Link(1, "b.md"),
        Picture(2, "a.png", "alt"),
        Picture(3, "", "A nucleus"),
        Picture(3, "", ""),
        Link(4, "#fig:a"),
    ]


def test_a_comment_exempts_the_paragraph_below_it() -> None:
    text = "% typed: 512, 1,024; sides of fields\nOne,\ntwo.\n\nThree.\n\n% typed: 7\nNo reason."
    exempt = {part.line: set(part.exempt) for part in read_myst(text) if isinstance(part, Words)}
    assert exempt == {2: {"512", "1,024"}, 3: {"512", "1,024"}, 5: set(), 8: set()}
