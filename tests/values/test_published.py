from pathlib import Path

import pytest
import yaml

from nnbook.errors import NnbookError
from nnbook.values import published
from nnbook.values.published import CITED, FILE, SOURCES, read_cited

ENTRY = """sources:
  book: {authors: A. Author, title: A book, kind: book, address: https://example.org}
values:
"""


def written(folder: Path, values: str) -> Path:
    path = folder / "published.yml"
    path.write_text(ENTRY + values, encoding="utf-8")
    return path


def test_every_cited_value_agrees_with_the_facts_that_the_published_work_states(shared: Path) -> None:
    facts = yaml.safe_load((shared / "published.yml").read_text(encoding="utf-8"))
    dataset, settings, fields = facts["dataset"], facts["segmentation"], facts["acquisition"]
    stated = {
        "cells.images": dataset["single_cell_images"],
        "panoramas.count": dataset["panoramas"],
        "experiments.count": dataset["experiments"],
        "passages.count": dataset["passages"],
        "rois.count": dataset["rois_in_results_table"],
        "area.px2": dataset["total_area_px2"],
        "area.scale": dataset["px_per_um"],
        "area.cm2": dataset["total_area_cm2"],
        "sample.images": dataset["nucleusnet10k_images"],
        "sample.per_experiment": dataset["images_per_experiment_in_10k"],
        "cells.side": dataset["cell_image_px"],
        "fields.side": fields["field_px"],
        "segmentation.diameter": settings["diameter_px"],
        "segmentation.flow_threshold": settings["flow_threshold"],
        "segmentation.cellprob_threshold": settings["cellprob_threshold"],
        "selection.count": facts["selection"]["k"],
    }
    assert {key: CITED[key].value for key in stated} == stated
    assert (CITED["fields.grid"].shown, CITED["fields.quarter"].shown) == ("50", "25")


def test_constants_are_the_cited_values() -> None:
    assert CITED["area.scale"].value == published.PX_PER_UM
    assert CITED["cells.side"].value == published.CELL_IMAGE_PX
    assert isinstance(published.CELL_IMAGE_PX, int)
    assert SOURCES["results"].address == published.RESULTS_ADDRESS


def test_values_are_written_once() -> None:
    """No module repeats a cited value that is long enough to be told from others by chance."""
    long = [cited for cited in CITED.values() if cited.digits > 1 or cited.value > 1_000_000]
    told = [str(cited.value) for cited in long if len(str(cited.value).replace(".", "").strip("0")) > 2]
    assert {"152.91", "1.98", "1061277"} <= {*told}
    code = "\n".join(path.read_text(encoding="utf-8") for path in FILE.parents[1].rglob("*.py"))
    code = code.replace("_", "")
    assert [value for value in told if f"Final = {value}" in code] == []


def test_values_are_shown_in_the_field_s_form() -> None:
    assert CITED["area.cm2"].shown == "37.25\u00a0cm²"
    assert CITED["segmentation.cellprob_threshold"].shown == "−2"


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ("  a.b: {value: 1, title: One, source: paper}", "a.b: has the source paper, which is not listed"),
        ("  a.b: {value: 1, source: book}", "a.b: .*title"),
        ("  a.b: {value: 1, title: One, source: book, units: px}", "a.b: .*units"),
        ("  a.b: {value: 1, title: One, source: book, unit: pixel}", "'pixel' is no unit"),
        ("  a.b: {value: .nan, title: One, source: book}", "nan cannot be shown"),
        ("  a.b: {value: '1', title: One, source: book}", "'1' is no number"),
        ("  A.b: {value: 1, title: One, source: book}", "A.b: is no key"),
        (
            "  a.b: {value: 1, title: One, source: book}\n  a.b: {value: 2, title: Two, source: book}",
            "a.b is there twice",
        ),
        ("  a.b: {value: [", "no YAML"),
    ],
)
def test_a_malformed_entry_is_named(values: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(NnbookError, match=told) as caught:
        read_cited(written(tmp_path, values))
    assert str(tmp_path) in str(caught.value)


def test_every_problem_has_a_line(tmp_path: Path) -> None:
    wrong = "  a: {value: 1, title: One, source: paper}\n  b: {value: 1, title: One, source: paper}\n"
    with pytest.raises(NnbookError) as caught:
        read_cited(written(tmp_path, wrong))
    assert len(str(caught.value).splitlines()) == 2
