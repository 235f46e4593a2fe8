import math

import pytest

from nnbook.errors import InvalidValueError
from nnbook.measurement.imaged_area import area
from nnbook.values import published


def test_published_area() -> None:
    found = area(241_083_171_855, 8.0453)
    assert round(found.cm2, 2) == 37.25 == published.CITED["area.cm2"].value
    assert round(found.square_side_cm, 1) == 6.1
    assert (found.px2, found.px_per_um) == (published.TOTAL_AREA_PX2, published.PX_PER_UM)


def test_one_square_centimetre_is_ten_thousand_um_a_side() -> None:
    found = area((10_000 * 4) ** 2, 4.0)
    assert found.cm2 == pytest.approx(1, rel=1e-12)
    assert found.square_side_cm == pytest.approx(1, rel=1e-12)


@pytest.mark.parametrize(
    ("px2", "scale", "named"),
    [(0, 8.0, "px2"), (-4, 8.0, "px2"), (4, 0.0, "px_per_um"), (4, -1.0, "px_per_um"), (4, math.nan, "px_per_um"),
     (4, math.inf, "px_per_um")],
)  # fmt: skip
def test_what_is_no_area_is_refused(px2: int, scale: float, named: str) -> None:
    with pytest.raises(InvalidValueError, match=f"^{named} is ") as caught:
        area(px2, scale)
    assert caught.value.parameters == (named,)
