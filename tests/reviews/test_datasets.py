"""The registry of data sets: against the reviews' text, and what its loader refuses."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from nnbook.errors import InvalidValueError, NnbookError
from nnbook.reviews.datasets import DataSet, choose_datasets, find_dataset, known_datasets, read_datasets

if TYPE_CHECKING:
    from pathlib import Path

TEXTS = {"review": "deep-learning-nuclei-review.txt", "short-paper": "3d-plant-nuclei-short-paper.txt"}
ROWS = {"review": 19, "short-paper": 16}

ENTRY = """\
  - name: one
    title: One set
    tasks: [segmentation]
    dimensions: [2D]
    modality: fluorescence
    stain: unknown
    organism: unknown
    specimen: unknown
    images: 10
    nuclei: unknown
    annotation: manual
    address: https://example.org/one
    access: page
    licence: unknown
    listed: {review: {table: 1, row: 1}}
"""
TWO = ENTRY.replace("one", "two").replace("One", "Two").replace("row: 1", "row: 2")


def written(folder: Path, *entries: str) -> Path:
    path = folder / "sets.yml"
    path.write_text("datasets:\n" + "".join(entries), encoding="utf-8")
    return path


def squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text)


def words(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "", text.casefold().replace("colour", "color").replace("haem", "hem"))


def table_of(shared: Path, review: str) -> str:
    text = (shared / "sources" / TEXTS[review]).read_text(encoding="utf-8")
    start = text.index("Table 1. List of available" if review == "review" else "Table 1: Available datasets")
    return text[start : text.index("## 4 Conclusion", start) if review == "short-paper" else start + 9000]


def sides(dataset: DataSet, review: str, name: str, value: object) -> str:
    """Return what a review states for a field: what is taken, unless it is the other side of a contradiction."""
    for one in dataset.contradictions:
        if one.field == name:
            return dict(one.said).get(review, "")
    return str(value)


def test_every_row_of_both_tables_is_an_entry() -> None:
    for review, rows in ROWS.items():
        listed = [dict(one.listed).get(review, "") for one in known_datasets() if one.part_of is None]
        found = sorted(int(place.rpartition(" ")[2]) for place in listed if place.startswith("table 1"))
        assert found == list(range(1, rows + 1))


@pytest.mark.parametrize("dataset", known_datasets(), ids=lambda one: one.name)
def test_an_entry_is_what_the_reviews_print(dataset: DataSet, shared: Path) -> None:
    tables = ""
    for review, place in dataset.listed:
        if not place.startswith("table"):
            continue
        table = table_of(shared, review)
        address = sides(dataset, review, "address", dataset.address)
        assert squeezed(address) in squeezed(table)
        tables += table
    elsewhere = dict(dataset.elsewhere)
    for name, value in (("images", dataset.images), ("nuclei", dataset.nuclei)):
        if value is not None and name not in elsewhere and value < 10**6 and dataset.name not in SUMS:
            assert any(form in tables for form in forms(value)), f"{name} {value}"
    if "table" in dict(dataset.listed).get("review", ""):
        title = dataset.title.partition(" (")[0] if dataset.part_of else dataset.title
        assert words(title) in words(table_of(shared, "review"))


# 5,060 and 1,356; one nucleus an image, as the short paper's section 3 says of 413; those of EPFL in words.
SUMS = {"tcga-ten-cancers", "arabidopsis-cotyledon", "epfl-em"}
IN_WORDS = {30: "Thirty", 50: "Fifty", 52: "Fifty-two", 37: "37"}


def forms(value: int) -> list[str]:
    return [str(value), f"{value:,}", IN_WORDS.get(value, str(value))]


def test_rows_are_in_the_order_of_the_longer_table(shared: Path) -> None:
    table = squeezed(table_of(shared, "review"))
    places = [table.index(squeezed(one.address)) for one in known_datasets() if one.part_of is None]
    assert places == sorted(places)


def test_a_topic_is_the_one_that_the_reviews_print(shared: Path) -> None:
    text = " ".join(table_of(shared, "review").split())
    topics = re.findall(
        r"Nucleus (segmentation and classification|segmentation|classification) (2D and 3D|2D|3D)", text
    )
    assert {tuple(sorted(topic.split(" and "))) for topic, _ in topics} == {
        tuple(sorted(one.tasks)) for one in known_datasets()
    }


def test_addresses_that_the_reviews_print_differently_are_flagged() -> None:
    flagged = {one.name for one in known_datasets() for each in one.contradictions if each.field == "address"}
    assert flagged == {"isbi2009", "evican", "bsst265", "tcga-ten-cancers", "bbbc"}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("https://example.org/one", "example.org/one"), r":13: one: address is 'example.org/one', no web address"),
        (("https://example.org/one", "https://example"), r":13: one: address is 'https://example', no web address"),
        (("https://example.org/one", "https://example.org/a b"), r":13: one: address is"),
        (("https://example.org/one", "https://example.org/one."), r":13: one: .* without spaces or a full stop"),
        (("https://example.org/one", "https://ex[ample.org"), r":13: one: .*no web address"),
        (("images: 10", "images: ten"), r":10: one: images is 'ten'; write a whole number above 0"),
        (("images: 10", "images: yes"), r":10: one: images is True"),
        (
            ("licence: unknown", "licence: unknown\n    pictures: 10"),
            r":16: one: pictures is no field known here; use one of name, title",
        ),
        (("    images: 10\n", ""), r":2: one: has no images; add it, or write 'images: unknown'"),
        (
            ("modality: fluorescence", "modality: flourescence"),
            r":6: one: modality is 'flourescence'; use one of bright",
        ),
        (("tasks: [segmentation]", "tasks: segmentation"), r":4: one: tasks is 'segmentation'; write a list"),
        (("tasks: [segmentation]", "tasks: [tracking]"), r":4: one: tasks is 'tracking'; use one of segmentation"),
        (("name: one", "name: One set"), r":2: One set: name is 'One set'; write lower-case words joined by -"),
        (("{table: 1, row: 1}", "{table: 1}"), r":16: one: listed in line 16: review in line 16: has no row"),
        (("name: one", "name: [1, 2]"), r":2: \[1, 2\]: name is \[1, 2\]; write lower-case words"),
        (("{table: 1, row: 1}", "{table: [1], row: 1}"), r":16: one: listed .* table is \[1\]; write a whole number"),
        (("access: page", "access: files"), r":14: one: access is 'files' where files are named below"),
        (("access: page", "access: page\n    part_of: two"), r":15: one: part_of is two, which is no entry"),
        (
            ("access: page", "access: page\n    access: page"),
            r":15: is no YAML that can be read: access is there twice",
        ),
    ],
)
def test_a_malformed_entry_is_refused_by_line_and_name(tmp_path: Path, change: tuple[str, str], told: str) -> None:
    assert [one.name for one in read_datasets(written(tmp_path, ENTRY))] == ["one"]
    wrong = ENTRY.replace(*change)
    assert wrong != ENTRY
    with pytest.raises(NnbookError, match=re.escape(str(tmp_path / "sets.yml")) + told):
        read_datasets(written(tmp_path, wrong))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("name: two", "name: one"), r":17: one: the name one is in line 2, too"),
        (("https://example.org/two", "http://www.example.org/one/"), r":28: two: the address .* is in line 13, too"),
        (("title: Two", "title: one"), r":18: two: the title one set is in line 3, too"),
        (("row: 2", "row: 1"), r":31: two: row 1 of the review's table is in line 16, too"),
    ],
)
def test_two_rows_for_one_set_are_refused(tmp_path: Path, change: tuple[str, str], told: str) -> None:
    assert len(read_datasets(written(tmp_path, ENTRY, TWO))) == 2
    with pytest.raises(NnbookError, match=told):
        read_datasets(written(tmp_path, ENTRY, TWO.replace(*change)))


def test_each_fault_has_a_line(tmp_path: Path) -> None:
    wrong = ENTRY.replace("images: 10", "images: ten").replace("manual", "by hand")
    with pytest.raises(NnbookError) as caught:
        read_datasets(written(tmp_path, wrong))
    assert [line.split(":")[1] for line in str(caught.value).splitlines()] == ["10", "12"]


@pytest.mark.parametrize("content", ["", "sets: []", "datasets: []", "datasets: [one]", "- one", "datasets: {", "\xff"])
def test_what_is_no_registry_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "sets.yml"
    path.write_bytes(content.encode("latin-1"))
    with pytest.raises(NnbookError, match=re.escape(str(path))):
        read_datasets(path)


def test_sets_are_chosen_by_their_fields() -> None:
    sets = known_datasets()
    assert {one.name for one in choose_datasets(sets, dimension="3d", modality="confocal")} == {
        "mouse-blastocyst",
        "arabidopsis-cotyledon",
    }
    assert [one.name for one in choose_datasets(sets, organism="arabidopsis")] == ["arabidopsis-cotyledon"]
    assert choose_datasets(sets, task=None) == sets
    with pytest.raises(InvalidValueError, match="modality is 'x-ray'; use one of bright field"):
        choose_datasets(sets, modality="x-ray")


def test_a_name_that_is_none_gets_those_like_it() -> None:
    assert find_dataset("bbbc039", known_datasets()).images == 200
    with pytest.raises(InvalidValueError, match="dataset is 'monusegg', none that is known here; do you mean monuseg"):
        find_dataset("monusegg", known_datasets())


def test_a_character_that_no_text_has_is_refused_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "datasets.yml"
    path.write_bytes(b"datasets:\n  - name: a\x14b\n")
    with pytest.raises(NnbookError) as refused:
        read_datasets(path)
    assert str(refused.value).startswith(f"{path}: is no YAML that can be read:")
    assert "\n" not in str(refused.value)
