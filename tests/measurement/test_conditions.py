"""Conditions compared by their replicates: values worked by hand, and SciPy's."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from nnbook.errors import NnbookError
from nnbook.measurement.conditions import differences, reference_of, replicate_values


def values_of(**groups: list[float]) -> pd.DataFrame:
    rows = [(name, str(number), value) for name, own in groups.items() for number, value in enumerate(own)]
    return pd.DataFrame(rows, columns=["condition", "replicate", "area_um2"])


def test_the_interval_is_the_one_worked_by_hand() -> None:
    # Means 12 and 5; variances 4 and 1, over 3 and 3: error sqrt(5/3) = 1.29099, freedom (5/3)^2 / (16/9/2 + 1/9/2)
    # = 2.94118, whose quantile of 97.5 % is 3.21776.
    (found,) = differences(values_of(drug=[10, 12, 14], control=[4, 5, 6]), "area_um2")
    assert (found.condition, found.reference, found.mean, found.reference_mean, found.value) == (
        "drug", "control", 12, 5, 7,
    )  # fmt: skip
    assert found.interval == pytest.approx((7 - 3.21776 * 1.29099, 7 + 3.21776 * 1.29099), abs=2e-3)


def test_the_interval_is_scipys() -> None:
    rng = np.random.default_rng(5)
    groups = {name: rng.normal(mean, spread, count).tolist() for name, mean, spread, count in (
        ("a", 10, 1, 4), ("b", 12, 3, 7), ("c", 9, 0.2, 2),
    )}  # fmt: skip
    found = differences(values_of(**groups), "area_um2")
    assert [one.condition for one in found] == ["b", "c"]
    for one in found:
        expected = stats.ttest_ind(groups[one.condition], groups["a"], equal_var=False).confidence_interval(0.95)
        assert one.interval == pytest.approx((expected.low, expected.high))


@pytest.mark.parametrize(
    ("groups", "why"),
    [
        ({"a": [1, 2], "b": [3]}, "no interval can be given where b has one replicate"),
        ({"a": [1], "b": [3]}, "no interval can be given where b and a have one replicate"),
        ({"a": [1, 1], "b": [3, 3]}, "no interval can be given where the replicates of b and a do not differ"),
    ],
)
def test_where_no_interval_can_be_given_it_says_why(groups: dict[str, list[float]], why: str) -> None:
    (found,) = differences(values_of(**groups), "area_um2")
    assert (found.interval, found.why) == (None, why)
    assert np.isfinite(found.value)


def test_a_replicate_without_a_value_does_not_count() -> None:
    (found,) = differences(values_of(a=[1, 2], b=[3, np.nan, 5]), "area_um2")
    assert (found.replicates, found.mean) == (2, 4)
    assert differences(values_of(a=[1, 2], b=[np.nan]), "area_um2") == []


def test_a_control_is_the_reference_wherever_it_stands() -> None:
    assert reference_of(["drug", "DMSO", "other"]) == "DMSO"
    assert reference_of(["drug", "other"]) == "drug"


def test_each_replicate_gives_one_value_however_many_nuclei_and_panoramas_it_has() -> None:
    panoramas = pd.DataFrame(
        [("p1", "control", "2", 0.5), ("p2", "control", "10", 0.5), ("p3", "drug", "", 0.5), ("p4", "drug", "", 1.5),
         ("p5", "", "", 9)],
        columns=["panorama", "condition", "replicate", "area_mm2"],
    )  # fmt: skip
    rois = pd.DataFrame(
        [("p1", 10, 50, False), ("p1", 30, 70, False), ("p1", 500, 9, True), ("p3", 20, 40, False),
         ("p4", 22, 44, False), ("p4", 60, 48, False)],
        columns=["panorama", "area_um2", "mean_intensity", "at_border"],
    )  # fmt: skip
    values = replicate_values(rois, panoramas)
    assert values["condition"].tolist() == ["control", "control", "drug"]
    assert values["replicate"].tolist() == ["2", "10", ""], "in order of their numbers"
    assert values["density"].tolist() == [6, 0, 1.5], "nuclei a mm2 of all panoramas, cut ones too"
    assert values["nuclei"].tolist() == [3, 0, 3]
    assert values["area_um2"].tolist() == pytest.approx([20, np.nan, 22], nan_ok=True)
    assert values["mean_intensity"].tolist() == pytest.approx([60, np.nan, 44], nan_ok=True)
    with pytest.raises(NnbookError, match="no panorama has a condition"):
        replicate_values(rois, panoramas.assign(condition=""))
