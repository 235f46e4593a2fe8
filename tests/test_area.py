import json

import pytest

from nnbook.area import area
from nnbook.cli import main
from nnbook.errors import NnbookError


def test_the_published_area():
    value = area(241_083_171_855, 8.0453)
    assert round(value.cm2, 2) == 37.25
    assert round(value.square_side_cm, 1) == 6.1


def test_one_square_centimetre():
    value = area(10_000**2 * 4, 2.0)
    assert value.cm2 == pytest.approx(1.0)
    assert value.square_side_cm == pytest.approx(1.0)


def test_command_prints_the_agreed_json(capsys):
    assert main(["area", "--px2", "241083171855", "--json"]) == 0
    value = json.loads(capsys.readouterr().out)
    assert list(value) == ["px2", "cm2", "square_side_cm", "px_per_um"]
    assert value["px2"] == 241_083_171_855


@pytest.mark.parametrize(("px2", "px_per_um"), [(0, 8.0), (-4, 8.0), (10, 0.0), (10, -1.0), (10, float("nan"))])
def test_an_impossible_area_is_refused(px2, px_per_um):
    with pytest.raises(NnbookError, match="above 0"):
        area(px2, px_per_um)
