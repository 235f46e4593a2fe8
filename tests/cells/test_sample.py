import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from simulated_store import write_store

from nnbook.cells.sample import draw, read_sample, short_runs, write_sample
from nnbook.cli import main
from nnbook.errors import NnbookError


def table_of(sizes: dict[int, int]) -> pd.DataFrame:
    return pd.DataFrame({"run": np.repeat(list(sizes), list(sizes.values()))})


def drawn_of(table: pd.DataFrame, run: int, per_run: int = 5, seed: int = 3) -> list[int]:
    """What is drawn of a run, counted from its first cell."""
    rows = draw(table, per_run, seed)
    runs = table["run"].to_numpy()
    drawn: list[int] = (rows[runs[rows] == run] - np.flatnonzero(runs == run)[0]).tolist()
    return drawn


def test_a_run_gives_as_many_different_cells_as_asked_for_and_no_more_than_it_has() -> None:
    table = table_of({1: 40, 2: 3, 7: 5})
    rows = draw(table, 5, 3)
    assert table["run"].iloc[rows].value_counts().to_dict() == {1: 5, 2: 3, 7: 5}
    assert len(set(rows.tolist())) == len(rows) == 13
    assert table["run"].iloc[rows].is_monotonic_increasing


def test_a_seed_draws_the_same_cells_each_time_and_another_one_others() -> None:
    table = table_of({1: 1000, 2: 1000})
    np.testing.assert_array_equal(draw(table, 50, 8), draw(table, 50, 8))
    assert len(set(draw(table, 50, 8)) & set(draw(table, 50, 9))) < 20
    assert drawn_of(table, 1, 50) != drawn_of(table, 2, 50), "runs of equal size are drawn from alike"


def test_a_runs_draw_does_not_depend_on_other_runs() -> None:
    alone = drawn_of(table_of({4: 60}), 4)
    assert drawn_of(table_of({1: 9, 4: 60, 5: 100}), 4) == alone
    assert drawn_of(table_of({8: 7, 4: 60}), 4) == alone


def test_a_smaller_draw_is_the_beginning_of_a_larger_one() -> None:
    table = table_of({1: 60, 2: 60})
    assert drawn_of(table, 2, 5) == drawn_of(table, 2, 30)[:5]


def test_every_cell_is_as_likely_as_any_other() -> None:
    table = table_of({1: 20})
    counts = np.bincount(np.concatenate([draw(table, 5, seed) for seed in range(2000)]), minlength=20)
    assert counts.sum() == 10_000
    assert np.abs(counts - 500).max() < 5 * np.sqrt(500 * 0.75), "five standard deviations of a fair draw"


@pytest.mark.parametrize(("per_run", "seed", "said"), [(0, 1, "at least 1"), (5, -1, "whole number from 0")])
def test_what_no_sample_can_be(per_run: int, seed: int, said: str) -> None:
    with pytest.raises(NnbookError, match=said):
        draw(table_of({1: 9}), per_run, seed)


def test_without_cells_there_is_an_empty_sample() -> None:
    assert draw(table_of({})).tolist() == []


def test_a_draw_is_recorded_with_its_seed_and_its_store(tmp_path: Path) -> None:
    _, table = write_store(tmp_path / "cells", {1: [50] * 6, 3: [90] * 2})
    about = write_sample(tmp_path / "cells", tmp_path, per_run=4, seed=7)
    assert about == json.loads((tmp_path / "sample.json").read_text())
    assert (about["seed"], about["per_run"], about["cells"]) == (7, 4, 6)
    assert about["runs"] == [
        {"run": 1, "passage": "P11", "cells": 4, "of": 6},
        {"run": 3, "passage": "P13", "cells": 2, "of": 2},
    ]
    assert short_runs(about) == "run 3 (2)"
    sample, again = read_sample(tmp_path, tmp_path / "cells")
    assert again == about
    assert sample["row"].tolist() == draw(table, 4, 7).tolist()
    assert sample["cell"].tolist() == table["cell"].iloc[sample["row"]].tolist()


def test_a_sample_of_other_cells_is_none_of_this_store(tmp_path: Path) -> None:
    write_store(tmp_path / "cells", {1: [50] * 6})
    write_store(tmp_path / "more", {1: [50] * 7})
    write_sample(tmp_path / "cells", tmp_path)
    with pytest.raises(NnbookError, match=r"was drawn from other cells than \S+more holds; draw again"):
        read_sample(tmp_path, tmp_path / "more")
    with pytest.raises(NnbookError, match="draw one with 'nnbook sample'"):
        read_sample(tmp_path / "cells", tmp_path / "cells")


def test_the_command_tells_which_runs_had_too_few(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_store(tmp_path / "cells", {1: [50] * 6, 3: [90] * 2})
    assert main(["sample", str(tmp_path / "cells"), "--out", str(tmp_path), "--per-run", "3", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["cells"], told["runs"], told["seed"], told["fewer_than_asked"]) == (5, 2, 1, "run 3 (2)")
    assert main(["sample", str(tmp_path / "none"), "--out", str(tmp_path)]) == 1
    assert "make one with 'nnbook cells'" in capsys.readouterr().err
