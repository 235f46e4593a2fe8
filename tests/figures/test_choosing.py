from __future__ import annotations

import numpy as np

from nnbook.audit.repository import Repository
from nnbook.audit.scorecard import judge
from nnbook.figures.choosing import contradictions, counts_table, datasets_table, methods_plot, scorecard_table
from nnbook.reviews.datasets import known_datasets
from nnbook.reviews.methods import TASKS, count_methods, known_methods


def test_data_sets_are_listed_with_what_the_reviews_state() -> None:
    table = datasets_table(known_datasets())
    rows = {row[0]: row for row in table.rows}
    assert dict(zip(rows, table.links, strict=True))["bbbc039"] == "https://bbbc.broadinstitute.org/BBBC039"
    assert len(rows) == len(known_datasets())
    assert rows["monuseg"][1:4] == ("2D", "30", "~22,000")
    assert rows["bsst265*"][6:8] == ("files", "CC0-1.0")
    assert rows["kumar"][4] == "–"


def test_each_contradiction_is_a_row() -> None:
    found = contradictions([*known_datasets(), *known_methods()])
    remarks = {row[0]: row[1] for row in found.table.rows}
    assert "S-BSST265" in remarks["bsst265, address"]
    assert "The short paper: https://www.ebi.ac.uk/biostudies/files/S-B5ST265" in remarks["bsst265, address"]
    assert {"stardist, model", "qcanet, approach", "deepimagej, year"} <= remarks.keys()
    assert found._repr_html_().count("<li><strong>") == len(found.table.rows) == len(remarks)
    assert found._repr_mimebundle_()["text/html"].startswith("<ul>")


def test_counts_are_beside_what_the_text_names() -> None:
    rows = {row[0]: row[1:] for row in counts_table(count_methods(known_methods())).rows}
    assert rows["Methods of segmentation with open code in 3D"] == ("10", "10")
    assert rows["Papers on segmentation"] == ("101", "–")


def test_the_card_says_what_is_missing() -> None:
    table = scorecard_table(judge(Repository("made", ("LICENSE",), None, {"LICENSE": "MIT License"}, {"LICENSE": 11})))
    assert table.rows[0][:4] == ("Licence", "yes", "LICENSE", "–")
    assert table.rows[1][1:4] == ("no", "–", "requirements with ==, or a lock file")
    assert table.note.startswith("1 of 10 points")


def test_every_named_method_with_a_year_is_a_dot_in_each_of_its_tasks() -> None:
    methods = known_methods()
    figure = methods_plot(methods, count_methods(methods))
    above, below = figure.axes
    dots = [
        tuple(place)
        for line in below.lines
        if line.get_marker() == "o"
        for place in np.asarray(line.get_xydata()).tolist()
    ]
    assert len(dots) == len(set(dots)) == sum(len(one.tasks) for one in methods if one.kind == "method" and one.year)
    assert [label.get_text() for label in below.get_yticklabels()] == list(TASKS[::-1])
    (meanings,) = figure.legends
    assert [text.get_text() for text in meanings.get_texts()] == ["code and trained model", "code", "neither is said"]
    assert [text.get_text() for text in above.texts] == ["1 of 25", "5 of 31", "35 of 101"]
