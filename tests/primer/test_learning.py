"""The loss of a threshold, over-fitting, and the numbers of labels."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from nnbook.errors import InvalidValueError
from nnbook.primer.crops import renumbered
from nnbook.primer.learning import NUCLEI, TRAINED, fit_polynomial, overfitting, root_mean_square, threshold_loss


def test_a_threshold_that_decides_nothing_has_the_loss_of_a_coin() -> None:
    image = np.array([[10, 200], [20, 180]], np.uint8)
    inside = image > 100
    losses = threshold_loss(image, inside, [100, 100, 100], [1e9, 2, 40])
    assert losses[0] == pytest.approx(math.log(2))
    assert losses[1] < 1e-9 < losses[2] < losses[0]


def nuclei(count: int) -> pd.DataFrame:
    rng = np.random.default_rng(2)
    area = rng.permutation(np.linspace(80, 400, count))
    rows = {"area_um2": area, "mean_intensity": 1e6 / area, "at_border": False, "class": "interphase"}
    return pd.DataFrame(rows)


def test_nuclei_of_the_training_are_spread_over_all_areas() -> None:
    cut = nuclei(1).assign(at_border=True)
    dividing = nuclei(1).assign(**{"class": "anaphase"})
    facts = overfitting(pd.concat([cut, dividing, nuclei(NUCLEI), nuclei(5)])).facts
    assert (len(facts["train_x"]), len(facts["valid_x"])) == (TRAINED, NUCLEI - TRAINED)
    assert (facts["train_x"][0], facts["train_x"][-1]) == (80, 400)
    assert facts["train_y"] == facts["valid_y"][:TRAINED] == [1000] * TRAINED


def test_too_few_nuclei_are_refused() -> None:
    with pytest.raises(InvalidValueError, match="there are 12 whole nuclei"):
        overfitting(nuclei(12))


def test_a_polynomial_of_degree_nine_goes_through_ten_points() -> None:
    x, y = np.arange(10.0), np.array([3, 1, 4, 1, 5, 9, 2, 6, 5, 3.0])
    errors = [root_mean_square(fit_polynomial(x, y, degree), x, y) for degree in (0, 5, 9)]
    assert errors[0] == pytest.approx(y.std())
    assert errors[0] > errors[1] > errors[2]
    assert errors[2] < 1e-9


def test_labels_are_numbered_without_gaps_and_background_stays() -> None:
    np.testing.assert_array_equal(renumbered(np.array([[7, 0], [300, 7]])), [[1, 0], [2, 1]])
    np.testing.assert_array_equal(renumbered(np.array([[7, 7]])), [[1, 1]])
