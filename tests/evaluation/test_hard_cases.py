from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nnbook.errors import NnbookError
from nnbook.evaluation.hard_cases import judge_cases, judge_folders
from nnbook.io.images import Labels, write_mask

PAIR, MICRO, LEFT, RIGHT, CUT = 1, 2, 3, 4, 5


@pytest.fixture
def true() -> Labels:
    """A pair of two components, a nucleus with a micronucleus, two that touch, and one that the frame cuts."""
    labels = np.zeros((60, 120), dtype=np.int32)
    labels[5:15, 5:15] = labels[5:15, 20:30] = PAIR
    labels[5:25, 50:70] = MICRO
    labels[10:14, 73:77] = MICRO
    labels[35:50, 10:25], labels[35:50, 25:40] = LEFT, RIGHT
    labels[50:60, 100:120] = CUT
    return labels


@pytest.fixture
def truth() -> pd.DataFrame:
    kinds = ["telophase", "micronucleus", "interphase", "interphase", "interphase"]
    return pd.DataFrame(
        {
            "label": [PAIR, MICRO, LEFT, RIGHT, CUT],
            "class": kinds,
            "touching": [False, False, True, True, False],
            "cut": [False, False, False, False, True],
        }
    )


def shares(judged: pd.DataFrame) -> dict[str, float]:
    return judged.groupby("case")["right"].mean().to_dict()  # type: ignore[return-value]


def test_the_truth_itself_is_right_in_every_case(true: Labels, truth: pd.DataFrame) -> None:
    judged = judge_cases(true, true, truth)
    assert len(judged) == 2 + 2 * 2  # the cut one isn't judged, a touching one twice
    assert judged["right"].all()


def test_a_pair_in_two_masks_is_wrong(true: Labels, truth: pd.DataFrame) -> None:
    predicted = true.copy()
    predicted[5:15, 20:30] = 9
    found = shares(judge_cases(predicted, true, truth))
    assert found["pair kept as one"] == 0
    assert found["micronuclei with their nucleus"] == 1


def test_a_pair_joined_over_its_gap_is_right(true: Labels, truth: pd.DataFrame) -> None:
    predicted = true.copy()
    predicted[5:15, 5:30] = PAIR
    assert shares(judge_cases(predicted, true, truth))["pair kept as one"] == 1


@pytest.mark.parametrize("alone", [0, 9])
def test_a_micronucleus_left_out_or_apart_is_wrong(true: Labels, truth: pd.DataFrame, alone: int) -> None:
    predicted = true.copy()
    predicted[10:14, 73:77] = alone
    assert shares(judge_cases(predicted, true, truth))["micronuclei with their nucleus"] == 0


def test_touching_nuclei_in_one_mask_are_wrong(true: Labels, truth: pd.DataFrame) -> None:
    predicted = np.where(true == RIGHT, LEFT, true)
    found = shares(judge_cases(predicted, true, truth))
    assert found["touching, each with a mask"] == 0


def test_folders_with_tables(true: Labels, truth: pd.DataFrame, tmp_path: Path) -> None:
    for folder in ("true", "predicted"):
        write_mask(tmp_path / folder / "one.tif", true)
    assert judge_folders(tmp_path / "predicted", tmp_path / "true") is None
    truth.to_csv(tmp_path / "true" / "one.csv", index=False)
    table = judge_folders(tmp_path / "predicted", tmp_path / "true")
    assert table is not None
    assert table.set_index("case")["nuclei"].to_dict() == {
        "interphase": 2,
        "touching, each with a mask": 2,
        "pair kept as one": 1,
        "micronuclei with their nucleus": 1,
    }
    truth.drop(columns="class").to_csv(tmp_path / "true" / "one.csv", index=False)
    with pytest.raises(NnbookError, match=r"one\.csv: has no column class"):
        judge_folders(tmp_path / "predicted", tmp_path / "true")
