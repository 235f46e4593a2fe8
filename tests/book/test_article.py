from nnbook.book.article import join_chapters


def test_chapters_become_one_article() -> None:
    chapters = ["---\ntitle: One\nlabel: one_page\n---\n\n## A\n\nText.\n", "---\ntitle: 'Two: more'\n---\n## B\n"]
    assert join_chapters(chapters, "Book") == "(one_page)=\n# One\n\n## A\n\nText.\n\n# Two: more\n\n## B\n"
    assert join_chapters(["---\ntitle: Book\nshort_title: Overview\n---\nText."], "Book") == "# Overview\n\nText.\n"
