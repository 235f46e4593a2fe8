from typing import Any

import numpy as np
import pandas as pd
import pytest

from nnbook.errors import NnbookError
from nnbook.io.images import Image, Labels
from nnbook.measurement.rois import ROI_COLUMNS, measure, measure_panorama, summarise

SCALE = 8.0453


def scene() -> Labels:
    """Nuclei that skip numbers, touch each other and every border, and one of a single pixel."""
    labels = np.zeros((37, 53), np.int32)
    labels[0:6, 10:19] = 2  # top
    labels[5:20, 19:30] = 3
    labels[12:16, 30:33] = 9  # touches 3
    labels[30:37, 0:8] = 14  # bottom left corner
    labels[20:25, 50:53] = 700  # right
    labels[27, 27] = 41
    return labels


def grey(dtype: str, top: float) -> Image:
    return np.random.default_rng(3).uniform(0, top, (37, 53)).astype(dtype)


def naive(image: Image, labels: Labels) -> list[dict[str, Any]]:
    """Measure as the definitions say, one nucleus after the other."""
    rows = []
    for label in sorted(set(labels.ravel().tolist()) - {0}):
        y, x = np.nonzero(labels == label)
        values = image[y, x].astype(np.longdouble)
        mean = values.sum() / len(values)
        rows.append(
            {
                "panorama": "P",
                "roi": label,
                "area_px": len(x),
                "area_um2": len(x) / SCALE / SCALE,
                "x_px": x.mean(),
                "y_px": y.mean(),
                "mean_intensity": float(mean),
                "std_intensity": float(np.sqrt(((values - mean) ** 2).sum() / len(values))),
                "left_px": x.min(),
                "top_px": y.min(),
                "width_px": x.max() - x.min() + 1,
                "height_px": y.max() - y.min() + 1,
                "at_border": bool(
                    x.min() == 0 or y.min() == 0 or x.max() == labels.shape[1] - 1 or y.max() == labels.shape[0] - 1
                ),
            }
        )
    return rows


@pytest.mark.parametrize(
    ("dtype", "top"), [("uint8", 256), ("uint16", 4096), ("uint16", 65536), ("float32", 1.0), ("int32", 2e9)]
)
def test_agrees_with_the_definitions(dtype: str, top: float) -> None:
    image, labels = grey(dtype, top), scene()
    found, expected = measure_panorama("P", image, labels, SCALE), naive(image, labels)
    assert list(found.columns) == ROI_COLUMNS
    assert found["roi"].tolist() == [2, 3, 9, 14, 41, 700]
    for column in ROI_COLUMNS:
        wanted = [row[column] for row in expected]
        if found[column].dtype.kind == "f":
            np.testing.assert_allclose(found[column], wanted, rtol=1e-9, atol=1e-9 * top, err_msg=column)
        else:
            assert found[column].tolist() == wanted, column


def test_summary_is_over_all_masked_pixels() -> None:
    image, labels = grey("uint16", 4096), scene()
    row = summarise("P.tif", measure_panorama("P", image, labels, SCALE))
    inside = image[labels > 0].astype(float)
    assert row["image"] == "P.tif"
    assert row["num_rois"] == 6
    assert row["mean_intensity"] == pytest.approx(inside.mean(), rel=1e-12)
    assert row["std_intensity"] == pytest.approx(inside.std(), rel=1e-12)
    assert row["area_um2"] == pytest.approx(inside.size / SCALE**2)


@pytest.mark.parametrize(
    ("dtype", "level"), [("uint8", 255), ("uint16", 65_535), ("int32", 1_999_999_999), ("float32", 0.1)]
)
def test_a_nucleus_of_one_grey_level_has_no_spread(dtype: str, level: float) -> None:
    image = np.full((37, 53), level, dtype)
    found = measure_panorama("P", image, scene(), SCALE)
    assert found["std_intensity"].tolist() == [0.0] * 6
    np.testing.assert_allclose(found["mean_intensity"], float(image[0, 0]), rtol=1e-14)


def test_a_small_spread_about_a_high_level_is_not_lost() -> None:
    image = np.full((37, 53), 1_900_000_000, np.int32)
    image[::2] += 2
    found, expected = measure_panorama("P", image, scene(), SCALE), naive(image, scene())
    np.testing.assert_allclose(found["std_intensity"], [row["std_intensity"] for row in expected], rtol=1e-9)


def test_one_pixel_is_a_nucleus() -> None:
    image = grey("uint8", 256)
    row = measure_panorama("P", image, scene(), SCALE).set_index("roi").loc[41]
    assert (row["x_px"], row["y_px"], row["width_px"], row["height_px"], row["area_px"]) == (27, 27, 1, 1, 1)
    assert (row["mean_intensity"], row["std_intensity"]) == (image[27, 27], 0)


def test_a_very_high_label_needs_no_more_memory() -> None:
    labels = scene()
    labels[labels == 700] = 2**31 - 1
    found = measure_panorama("P", grey("uint8", 256), labels, SCALE)
    plain = measure_panorama("P", grey("uint8", 256), scene(), SCALE)
    assert found["roi"].tolist() == [2, 3, 9, 14, 41, 2**31 - 1]
    assert found.drop(columns="roi").equals(plain.drop(columns="roi"))


def test_an_empty_mask_has_a_row_without_brightness() -> None:
    rois = measure_panorama("P", grey("uint8", 256), np.zeros((37, 53), np.int32), SCALE)
    assert rois.empty
    assert list(rois.columns) == ROI_COLUMNS
    row = summarise("P.tif", rois)
    assert (row["num_rois"], row["area_um2"]) == (0, 0)
    assert np.isnan(row["mean_intensity"])
    assert np.isnan(row["std_intensity"])


def test_another_size_names_both() -> None:
    with pytest.raises(NnbookError, match=r"^P: .*60 x 37 px.*53 x 37 px"):
        measure_panorama("P", np.zeros((37, 60), np.uint8), scene(), SCALE)


@pytest.mark.parametrize("scale", [0.0, -8.0, float("nan"), float("inf")])
def test_a_scale_that_cannot_be_is_refused(scale: float) -> None:
    with pytest.raises(NnbookError, match="px_per_um is"):
        measure_panorama("P", grey("uint8", 256), scene(), scale)


@pytest.mark.parametrize("kind", ["<f2", ">f2", ">f4", ">u2", ">i4"])
def test_grey_levels_of_any_type_and_byte_order_are_measured(kind: str) -> None:
    labels = np.zeros((20, 30), np.int32)
    labels[2:8, 3:9], labels[10:18, 12:25] = 1, 2
    image = np.arange(600).reshape(20, 30) % 200
    expected = measure(image.astype(np.float32), labels, px_per_um=8.0)
    found = measure(image.astype(kind), labels.astype(">i4"), px_per_um=8.0)
    pd.testing.assert_frame_equal(found, expected)
