"""The comparison of conditions as figure and tables: whatever is missing is said in words."""

import numpy as np
import pandas as pd
import pytest

from nnbook.figures.conditions import conditions_plot, differences_table, replicates_table


def values_of(*rows: tuple[str, str, float, float, float]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["condition", "replicate", "density", "area_um2", "mean_intensity"])
    return table.assign(panoramas=2, nuclei=50)


TWO = values_of(
    ("control", "1", 400, 200.5, 0.021), ("control", "2", 500, 210, 0.025),
    ("drug $a", "1", 300, 260, 0.05), ("drug $a", "2", 350, 230, 0.045),
)  # fmt: skip
NAN = float("nan")


def test_tables_have_means_differences_and_intervals() -> None:
    first, *_ = differences_table(TWO).rows
    assert first[:3] == ("Nuclei in the imaged area (1/mm²)", "drug $a", "−125 (−28%)")
    assert first[4:] == ("325 (2)", "450 (2)")
    low, high = (float(end.replace("−", "-").replace(",", "")) for end in first[3].split(" to "))
    assert low < -125 < high
    assert differences_table(TWO).note == ""
    assert replicates_table(TWO).rows[2] == ("drug $a", "1", "2", "50", "300", "260", "0.0500")


@pytest.mark.parametrize(
    ("values", "note"),
    [
        (TWO.head(3), "No interval can be given where drug $a has one replicate."),
        (TWO.iloc[[0, 2]], "No interval can be given where drug $a and control have one replicate."),
        (TWO.head(2), "All panoramas are of one condition, control, so there is nothing to compare it with."),
        (values_of(("a", "", 3, NAN, NAN), ("b", "1", 4, 5, 6), ("b", "2", 4, 5, 7)), "No interval can be given"),
    ],
)
def test_what_can_not_be_given_is_said_and_never_nan(values: pd.DataFrame, note: str) -> None:
    table = differences_table(values)
    assert note in table.note
    texts = repr(table) + repr(replicates_table(values))
    assert "nan" not in texts
    assert "–" not in texts
    figure = conditions_plot(values)
    figure.savefig("/dev/null", format="png", dpi=20)
    assert len(figure.axes) == (6 if values["condition"].nunique() > 1 else 3)


def test_the_figure_shows_each_replicate_and_names_with_signs_of_mathematics() -> None:
    figure = conditions_plot(TWO)
    figure.savefig("/dev/null", format="png", dpi=20)
    assert [np.asarray(line.get_ydata()).tolist() for line in figure.axes[0].lines] == [[400, 500], [300, 350]]
    assert [tick.get_text() for tick in figure.axes[-1].get_xticklabels()] == [r"drug \$a"]
