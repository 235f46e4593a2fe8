from pathlib import Path

import pytest

from nnbook.book.pages import problems_of_pages


@pytest.mark.parametrize(("shown", "problems"), [("<img src=''>", 0), ("", 1)])
def test_how_a_figure_was_made_is_nothing_of_the_figure_to_see(shown: str, problems: int, tmp_path: Path) -> None:
    made = '<details class="disclosure made"><summary>How</summary><details>more</details><p>Notebook</p></details>'
    page = f"<figure>{shown}<figcaption>Some nuclei.</figcaption>{made}</figure>"
    (tmp_path / "index.html").write_text(page, encoding="utf-8")
    assert len(problems_of_pages(tmp_path)) == problems


def test_links_that_lead_nowhere_are_found(tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "index.html").write_text('<h1 id="top">More</h1>', encoding="utf-8")
    links = ["/more/", "/more/#top", "more/#none", "#here", "#gone", "missing.png", "https://a.org/", "more"]
    page = '<p id="here">' + "".join(f'<a href="{link}">a</a>' for link in links) + "</p>"
    (tmp_path / "index.html").write_text(page, encoding="utf-8")
    assert problems_of_pages(tmp_path) == [
        "the first page: links to more/#none, but that page has no part of this name",
        "the first page: links to #gone, but that page has no part of this name",
        "the first page: links to missing.png, which the site does not have",
    ]


def test_a_failed_cell_and_empty_figures_are_found(tmp_path: Path) -> None:
    (tmp_path / "cells").mkdir()
    empty = "<figure><span> </span><figcaption><p>Some <b>nuclei</b>.</p></figcaption></figure>"
    page = f'<pre class="output output-error">E</pre><figure>{empty}{empty}</figure><figure><table></table></figure>'
    (tmp_path / "cells" / "index.html").write_text(page, encoding="utf-8")
    alone = "cells: a figure shows nothing but its caption: Some nuclei."
    assert problems_of_pages(tmp_path) == ["cells: a cell of its notebook failed", alone, alone, alone]
