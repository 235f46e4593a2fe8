import math

import pytest

from nnbook.errors import NnbookError
from nnbook.values.formatting import KEY, shown


@pytest.mark.parametrize(
    ("value", "unit", "digits", "expected"),
    [
        (37.2462, "cm²", 2, "37.25\u00a0cm²"),
        (8.0453, "px/µm", 4, "8.0453\u00a0px/µm"),
        (1_061_277, "", 0, "1,061,277"),
        (241_083_171_855, "px²", 0, "241,083,171,855\u00a0px²"),
        (-2.0, "", 0, "−2"),
        (-0.04, "", 1, "0.0"),
        (60, "%", 0, "60%"),
        (100, "×", 0, "100×"),
        (298.31, "1/mm²", 1, "298.3/mm²"),
        (80.49, "grey levels", 2, "80.49\u00a0grey\u00a0levels"),
        (None, "cm²", 2, "–"),
        (0.999, "", 2, "1.00"),
    ],
)
def test_a_number_is_set_in_the_form_of_the_field(value: float | None, unit: str, digits: int, expected: str) -> None:
    assert shown(value, unit, digits) == expected


@pytest.mark.parametrize("unit", ["cm2", "um", "µm^2", "px / µm", "px/", "/mm²", "1", "²", "px/µm/s"])
def test_an_unknown_unit_is_refused(unit: str) -> None:
    with pytest.raises(NnbookError, match="is no unit known here"):
        shown(1, unit)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_is_refused(value: float) -> None:
    with pytest.raises(NnbookError, match="give a finite value, or None"):
        shown(value)


@pytest.mark.parametrize("value", [True, "37.25"])
def test_what_is_no_number_is_refused(value: float) -> None:
    with pytest.raises(NnbookError, match="is no number"):
        shown(value)


def test_fewer_than_no_digits_are_refused() -> None:
    with pytest.raises(NnbookError, match="digits is -1"):
        shown(1.0, "", -1)


@pytest.mark.parametrize(
    ("key", "well_formed"),
    [("area.cm2", True), ("rois.without_image", True), ("Area", False), ("area..cm2", False), ("2nd", False)],
)
def test_keys_are_lower_case_words(key: str, well_formed: bool) -> None:
    assert bool(KEY.fullmatch(key)) is well_formed
