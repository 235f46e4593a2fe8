import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nnbook.figures.denoising import CROPS, denoising_crops, denoising_row, denoising_table, structure_table

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def test_crops_are_shown_with_their_differences() -> None:
    with Image.open(BENCHMARKS / "denoising.png") as image:
        crops = np.asarray(image)
    assert crops.shape == (256, 256 * len(CROPS))
    figure = denoising_crops(crops)
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles == [*CROPS, "Denoised less truth", "Gaussian less truth"]
    denoised, truth, difference = (np.asarray(figure.axes[number].images[0].get_array()) for number in (1, 3, 4))
    np.testing.assert_array_equal(difference, denoised - truth)


def test_tables_have_each_method_at_each_level_of_noise() -> None:
    measured = json.loads((BENCHMARKS / "denoising.json").read_text(encoding="utf-8"))
    table = denoising_table(measured)
    every = [*measured["twin"], *measured["isbi2009_u2os"]]
    assert len(table.rows) == sum(row["method"] != "Truth" for row in every)
    ours = denoising_row(measured, "nnbook denoise", 10)
    (row,) = [row for row in table.rows if row[:2] == ("nnbook denoise", "10")]
    assert row[2:5] == (f"{ours['psnr_db']:.1f}", f"{ours['ssim']:.3f}", f"{ours['f1']:.3f}")
    assert "10, correlated" in {row[1] for row in table.rows}
    noisy = next(row for row in table.rows if row[0] == "Noisy")
    assert noisy[5] == "–"  # takes no time
    structure = structure_table(measured)
    assert {row[0] for row in structure.rows} == {row[0] for row in table.rows}
    assert {row[1] for row in structure.rows} == {"2", "0.5"}
    assert all(len(row) == len(structure.header) for row in structure.rows)


def test_a_level_that_was_not_measured_is_an_error() -> None:
    with pytest.raises(StopIteration):
        denoising_row({"twin": []}, "Noisy", 3)
