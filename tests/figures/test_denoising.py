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
    assert table.header == (
        "Measure", "Photons a pixel", "Noisy", "nnbook denoise", "Gaussian", "Median", "Non-local means",
    )  # fmt: skip
    every = [row for row in [*measured["twin"], *measured["isbi2009_u2os"]] if row["method"] != "Truth"]
    assert 5 * len(table.rows) == 3 * len(every)
    assert len({row[:2] for row in table.rows}) == len(table.rows)
    rows = {row[:2]: row[2:] for row in table.rows}
    ours = denoising_row(measured, "nnbook denoise", 10)
    noisy = denoising_row(measured, "Noisy", 10)
    for title, key, form in (("PSNR (dB)", "psnr_db", "{:.1f}"), ("SSIM", "ssim", "{:.2f}"), ("F1", "f1", "{:.2f}")):
        assert rows[title, "10"][:2] == (form.format(noisy[key]), form.format(ours[key]))
        assert {level for measure, level in rows if measure == title} >= {"10, correlated", "2, U2OS"}
    assert "nnbook denoise 2 to 5.1 s" in table.note
    assert "Noisy" not in table.note  # takes no time
    structure = structure_table(measured)
    assert {row[0] for row in structure.rows} == set(table.header[2:])
    assert {row[1] for row in structure.rows} == {"2", "0.5"}
    assert all(len(row) == len(structure.header) for row in structure.rows)


def test_a_level_that_was_not_measured_is_an_error() -> None:
    with pytest.raises(StopIteration):
        denoising_row({"twin": []}, "Noisy", 3)
