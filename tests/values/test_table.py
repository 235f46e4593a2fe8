from nnbook.values.table import MIME, Table


def test_a_notebook_gets_the_cells_of_a_table_beside_the_html_that_shows_them() -> None:
    table = Table(("Name", "Value"), (("<b>", "10"), ("x", "5")), frozenset({1}), "a & b")
    bundle = table._repr_mimebundle_()
    assert bundle[MIME] == {"header": ["Name", "Value"], "rows": [["<b>", "10"], ["x", "5"]]}
    assert '<td style="text-align: left">&lt;b&gt;</td><td style="text-align: right">10</td>' in bundle["text/html"]
    assert bundle["text/html"].endswith("<p><small>a &amp; b</small></p>")
    assert bundle["text/plain"].splitlines() == ["Name  Value", "<b>      10", "x         5", "a & b"]


def test_the_first_cell_of_a_row_leads_to_its_address() -> None:
    table = Table(("Name", "Value"), (("a", "1"), ("b", "2")), links=("https://example.org/?a=1&b=2", None))
    html = table._repr_html_()
    assert '<td style="text-align: left"><a href="https://example.org/?a=1&amp;b=2">a</a></td>' in html
    assert html.count("<a ") == 1
    assert repr(table).splitlines()[1] == "a     1"
