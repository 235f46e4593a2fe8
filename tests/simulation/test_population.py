"""The draws of counts, brightness and spread, held against the published table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from simulated_panorama import SEED

from nnbook.io.manifest import CROPS, QUARTERS, panorama_name
from nnbook.simulation.population import PUBLISHED_AREA_PX2, draw_imaging_conditions

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def published(shared: Path) -> pd.DataFrame:
    return pd.read_csv(shared / "data/nucleusnet/results.csv")


def draw_results(seed: int, runs: int) -> pd.DataFrame:
    """A table of results as published, of what is drawn for so many runs."""
    rows = []
    for run in range(1, runs + 1):
        for quarter in QUARTERS:
            for crop in CROPS:
                conditions = draw_imaging_conditions(seed, run, quarter, crop)
                count = round(conditions.per_mpx * PUBLISHED_AREA_PX2 / 1e6)
                image = f"{panorama_name(run, quarter, crop)}.tif"
                rows.append((image, count, conditions.mean_grey, conditions.spread_grey))
    return pd.DataFrame(rows, columns=["image", "num_rois", "mean_intensity", "std_intensity"])


@pytest.fixture(scope="module")
def drawn() -> pd.DataFrame:
    return draw_results(SEED, 100)


def decompose(table: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Standard deviations between runs, between quarters of a run and between crops of a quarter, in logarithms."""
    place = table["image"].str.extract(r"Run(?P<run>\d+)(?P<quarter>TL|TR|BL|BR)_")
    values = pd.DataFrame(
        {
            "count": np.log(table["num_rois"]),
            "mean": np.log(table["mean_intensity"]),
            "spread": np.log(table["std_intensity"] / table["mean_intensity"]),
        }
    )
    of_run = values.groupby(place["run"]).transform("mean")
    of_quarter = values.groupby([place["run"], place["quarter"]]).transform("mean")
    runs = place["run"].nunique()
    crop = ((values - of_quarter) ** 2).sum() / (12 * runs)
    quarter = ((of_quarter - of_run) ** 2).sum() / (3 * runs)
    run = ((of_run - values.mean()) ** 2).sum() / (runs - 1)
    levels = {"run": (run - quarter) / 16, "quarter": (quarter - crop) / 4, "crop": crop}
    return pd.DataFrame(levels).clip(lower=0) ** 0.5, (values - of_run).corr()


@pytest.mark.parametrize(
    ("column", "of_mean", "of_sd"),
    [("num_rois", 0.05, 0.12), ("mean_intensity", 0.03, 0.08), ("std_intensity", 0.03, 0.10)],
)
def test_moments(published: pd.DataFrame, drawn: pd.DataFrame, column: str, of_mean: float, of_sd: float) -> None:
    assert drawn[column].mean() == pytest.approx(published[column].mean(), rel=of_mean)
    assert drawn[column].std() == pytest.approx(published[column].std(), rel=of_sd)


@pytest.mark.parametrize("column", ["num_rois", "mean_intensity", "std_intensity"])
def test_quantiles(published: pd.DataFrame, drawn: pd.DataFrame, column: str) -> None:
    for share in (0.05, 0.25, 0.5, 0.75, 0.95):
        assert drawn[column].quantile(share) == pytest.approx(published[column].quantile(share), rel=0.10)


def test_spread_between_and_within_runs(published: pd.DataFrame, drawn: pd.DataFrame) -> None:
    theirs, correlation = decompose(published)
    ours, own_correlation = decompose(drawn)
    pd.testing.assert_frame_equal(ours, theirs, rtol=0.25)
    assert own_correlation.loc["mean", "spread"] == pytest.approx(correlation.loc["mean", "spread"], abs=0.1)


def test_correlations(published: pd.DataFrame, drawn: pd.DataFrame) -> None:
    columns = ["num_rois", "mean_intensity", "std_intensity"]
    theirs, ours = published[columns].corr(), drawn[columns].corr()
    assert ours.iloc[0, 1] == pytest.approx(theirs.iloc[0, 1], abs=0.12)
    assert ours.iloc[1, 2] == pytest.approx(theirs.iloc[1, 2], abs=0.02)


def test_brightness_changes_with_the_row_of_the_coverslip(published: pd.DataFrame, drawn: pd.DataFrame) -> None:
    def rows(table: pd.DataFrame) -> pd.Series[float]:
        row = 2 * table["image"].str.contains(r"(?:BL|BR)_") + table["image"].str.contains("_bottom_")
        log = np.log(table["mean_intensity"])
        means: pd.Series[float] = (log - log.mean()).groupby(row).mean()
        return means

    np.testing.assert_allclose(rows(drawn), rows(published), atol=0.03)


def test_ten_runs_span_what_a_hundred_do(published: pd.DataFrame) -> None:
    means = [draw_results(seed, 10)["mean_intensity"] for seed in range(6)]
    for drawn in means:
        assert drawn.mean() == pytest.approx(published["mean_intensity"].mean(), rel=0.12)
        assert drawn.std() == pytest.approx(published["mean_intensity"].std(), rel=0.30)
