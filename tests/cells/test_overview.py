"""Some of the rows of a table of very many cells."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nnbook.cells import overview
from nnbook.cells.overview import write_overview
from nnbook.io.parquet import write_parquet


def table_of(rng: np.random.Generator, count: int) -> pd.DataFrame:
    columns = {
        name: rng.normal(100, 20, count).astype(np.float32)
        for name in ("x_px", "area_um2", "mean_intensity", "std_intensity", "rim_um")
    }
    columns["mean_intensity"][7] = 0  # a texture of none
    columns["rim_um"][:] = np.nan
    columns["area_um2"][::3] = np.nan
    return pd.DataFrame({"cell": [f"c{at}" for at in range(count)], **columns})


def test_an_overview_has_rows_at_random_and_the_ends_of_each_measurement(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overview, "ROWS", 60)
    table = table_of(np.random.default_rng(3), 1000)
    write_parquet(tmp_path / "cells.parquet", table, row_group_size=130)
    told = write_overview(tmp_path / "cells.parquet", tmp_path / "overview.parquet")
    part = pd.read_parquet(tmp_path / "overview.parquet")
    assert told == {
        "table": "overview.parquet",
        "cells": len(part),
        "table_bytes": (tmp_path / "overview.parquet").stat().st_size,
    }
    rows = part.pop("row")
    assert part.columns.tolist() == ["area_um2", "mean_intensity", "std_intensity", "rim_um"]
    assert (np.diff(rows) > 0).all()
    pd.testing.assert_frame_equal(part, table.loc[rows, part.columns].reset_index(drop=True))
    texture = (table["std_intensity"] / table["mean_intensity"]).where(table["mean_intensity"] > 0)
    ends = {
        at
        for values in (table["area_um2"], table["mean_intensity"], table["std_intensity"], texture)
        for at in (values.idxmin(), values.idxmax())
    }
    assert ends <= set(rows)
    assert 60 <= len(rows) <= 60 + len(ends)
    assert [np.count_nonzero(rows // 250 == quarter) > 5 for quarter in range(4)] == [True] * 4, "from all of the table"
    before = (tmp_path / "overview.parquet").read_bytes()
    write_overview(tmp_path / "cells.parquet", tmp_path / "overview.parquet")
    assert (tmp_path / "overview.parquet").read_bytes() == before
