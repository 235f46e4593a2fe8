"""The registry of methods: against the reviews' text and counts, and what its loader refuses."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from nnbook.errors import NnbookError
from nnbook.reviews.methods import GIVEN, LISTS, Method, count_methods, known_methods, read_methods

if TYPE_CHECKING:
    from pathlib import Path

TEXTS = ("deep-learning-nuclei-review.txt", "3d-plant-nuclei-short-paper.txt")

ENTRY = """\
methods:
  - name: one
    title: One method
    kind: method
    tasks: [segmentation]
    dimensions: [3D]
    approach: unknown
    paper: One et al., 2020
    year: 2020
    code: yes
    model: yes
    data: unknown
    documentation: unknown
    environment: unknown
    interface: unknown
    named: {review: Image segmentation}
    lists: [segmentation_model_3d]
    trained_on: [dsb2018]
"""


def squeezed(text: str) -> str:
    return re.sub(r"[\s]+", "", text)


@pytest.mark.parametrize("method", known_methods(), ids=lambda one: one.name)
def test_a_method_is_what_the_reviews_print(method: Method, shared: Path) -> None:
    review, short_paper = ((shared / "sources" / name).read_text(encoding="utf-8") for name in TEXTS)
    both = squeezed(review + short_paper)
    named = dict(method.named)
    if method.paper in NUMBERED:
        assert squeezed(NUMBERED[method.paper]) in squeezed(short_paper)
    elif method.paper is not None:
        assert squeezed(method.paper) in squeezed(review)
    for address in (method.address, *(getattr(method, name).address for name in GIVEN)):
        assert squeezed(address).rstrip("/").removeprefix("https://") in both
    assert method.year is None or str(method.year) in (method.paper or "")
    assert ("short-paper" in named) == (squeezed(SHORT.get(method.name, "not named there")) in squeezed(short_paper))
    if (section := named.get("review")) is not None:
        assert section in review


# Papers that the short paper alone cites, by numbers.
NUMBERED = {
    "Bannon et al., 2021": "[1] D. Bannon, E. Moen, M. Schwartz, et al.",
    "Hollandi et al., 2020": "[7] R. Hollandi, A. Szkalicity, T. Toth, et al.",
}

SHORT = {
    "deepcell": "DeepCell [1]",
    "cellpose": "CellPose [10]",
    "nucleaizer": "NucleAIzer [7]",
    "deepimagej": "DeepImageJ [5]",
    "unet-plugin": "U-Net [4] plugins",
    "mask-rcnn": "Mask R-CNN [6]",
    "deepcell-kiosk": "DeepCell Kiosk",
}


def test_the_review_s_lists_are_recounted() -> None:
    counts = {count.key.removeprefix("reviews."): count for count in count_methods(known_methods())}
    assert {name for name, count in counts.items() if count.listed is not None} == set(LISTS)
    assert {name: count.listed for name, count in counts.items() if name in LISTS} == {
        name: count.cited for name, count in counts.items() if name in LISTS
    }


@pytest.mark.parametrize(
    ("key", "printed"),
    [
        ("papers", "is based on {} publications"),
        ("papers_2019_2021", "({} of which were published between 2019 and 2021)"),
        ("detection", "We found {} publications for 2D and 3D nuclei detection"),
        ("segmentation", "We found {} recent publications"),
        ("segmentation_code", "only {} provide an open-source implementation"),
        ("usable", "we identify fewer than {} that biologists can use"),
    ],
)
def test_a_count_is_the_one_that_the_review_prints(key: str, printed: str, shared: Path) -> None:
    text = squeezed((shared / "sources" / TEXTS[0]).read_text(encoding="utf-8"))
    (count,) = [one for one in count_methods(()) if one.key == f"reviews.{key}"]
    assert squeezed(printed.format(count.cited)) in text


def test_counts_by_task_have_methods_in_common() -> None:
    """More than the papers there are: QCANet is of two tasks, for example."""
    counts = {count.key: count.cited for count in count_methods(())}
    total = sum(counts[f"reviews.{task}"] for task in ("classification", "detection", "segmentation"))
    assert total + counts["reviews.denoising_code"] > counts["reviews.papers"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("code: yes", "code: github"), r":10: one: code is 'github'; write yes, no or an address"),
        (("code: yes", "codes: yes"), r":10: one: codes is no field known here"),
        (("    year: 2020\n", ""), r":2: one: has no year; add it, or write 'year: unknown'"),
        (("year: 2020", "year: '2020'"), r":9: one: year is '2020'; write a whole number"),
        (("interface: unknown", "interface: [mouse]"), r":15: one: interface is 'mouse'; use one of online"),
        (("{review: Image segmentation}", "{paper: Methods}"), r":16: one: named in line 16: paper is no field"),
        (("{review: Image segmentation}", "{}"), r":16: one: named is empty; name the review"),
        (("[dsb2018]", "[dsb2019]"), r":18: one: trained_on has dsb2019, which is no data set"),
        (("model: yes", "model: unknown"), r":17: one: is in the list segmentation_model_3d, but has not model"),
        (("dimensions: [3D]", "dimensions: [2D]"), r":17: one: is in the list segmentation_model_3d, but has not 3D"),
        (("tasks: [segmentation]", "tasks: [detection]"), r":17: one: .* has not the task segmentation"),
    ],
)
def test_a_malformed_entry_is_refused_by_line_and_name(tmp_path: Path, change: tuple[str, str], told: str) -> None:
    path = tmp_path / "methods.yml"
    path.write_text(ENTRY, encoding="utf-8")
    (method,) = read_methods(str(path))
    assert (method.code.said, method.data.said, method.interface) == (True, None, None)
    path.write_text(ENTRY.replace(*change), encoding="utf-8")
    with pytest.raises(NnbookError, match=re.escape(str(path)) + told):
        read_methods(path)


def test_two_entries_for_one_method_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "methods.yml"
    path.write_text(ENTRY + ENTRY.partition("\n")[2], encoding="utf-8")
    with pytest.raises(NnbookError, match=r":19: .* the name one is in line 2, too"):
        read_methods(path)
