import numpy as np
import pytest

from nnbook.errors import NnbookError
from nnbook.measure import measure_panorama, summarise

SCALE = 8.0453


def blobs(rng, shape=(90, 110)):
    """Labels 1, 2 and 7: three rectangles, the last at the border and partly over the second."""
    labels = np.zeros(shape, np.int32)
    labels[10:30, 12:44] = 1
    labels[40:70, 50:90] = 2
    labels[60:90, 80:110] = 7
    return labels


@pytest.mark.parametrize(
    ("dtype", "high"), [(np.uint8, 256), (np.uint16, 4096), (np.uint16, 65536), (np.int32, 2**31), (np.float32, 1)]
)
def test_measurements_equal_those_of_a_loop_over_nuclei(dtype, high):
    rng = np.random.default_rng(3)
    labels = blobs(rng)
    image = (rng.random(labels.shape) * (high - 1)).astype(dtype)
    rois = measure_panorama("p", image, labels, SCALE)
    assert rois["roi"].tolist() == [1, 2, 7]
    for row in rois.to_dict("records"):
        y, x = np.nonzero(labels == row["roi"])
        values = image[y, x].astype(np.float64)
        assert row["area_px"] == len(y)
        assert row["area_um2"] == pytest.approx(len(y) / SCALE**2)
        assert (row["x_px"], row["y_px"]) == (pytest.approx(x.mean()), pytest.approx(y.mean()))
        assert row["mean_intensity"] == pytest.approx(values.mean(), rel=1e-12)
        assert row["std_intensity"] == pytest.approx(values.std(), rel=1e-7)
        assert (row["left_px"], row["top_px"]) == (x.min(), y.min())
        assert (row["width_px"], row["height_px"]) == (np.ptp(x) + 1, np.ptp(y) + 1)
        assert row["at_border"] == (row["roi"] == 7)


def test_summary_is_over_all_pixels_inside_masks():
    rng = np.random.default_rng(4)
    labels = blobs(rng)
    image = rng.integers(0, 256, labels.shape, dtype=np.uint8)
    summary = summarise("p.tif", measure_panorama("p", image, labels, SCALE))
    inside = image[labels > 0].astype(np.float64)
    assert summary["image"] == "p.tif"
    assert summary["num_rois"] == 3
    assert summary["mean_intensity"] == pytest.approx(inside.mean(), rel=1e-12)
    assert summary["std_intensity"] == pytest.approx(inside.std(), rel=1e-12)
    assert summary["area_um2"] == pytest.approx(inside.size / SCALE**2)


def test_a_panorama_without_a_nucleus_has_a_count_but_no_brightness():
    image = np.ones((20, 20), np.uint8)
    summary = summarise("p.tif", measure_panorama("p", image, np.zeros((20, 20), np.int32), SCALE))
    assert summary["num_rois"] == 0
    assert np.isnan(summary["mean_intensity"])
    assert np.isnan(summary["std_intensity"])


def test_a_nucleus_of_one_pixel_and_one_of_one_grey_level_have_no_spread():
    labels = np.zeros((20, 20), np.int32)
    labels[3, 4] = 1
    labels[8:14, 8:14] = 2
    image = np.full((20, 20), 0.1, np.float32)
    rois = measure_panorama("p", image, labels, SCALE)
    assert rois["area_px"].tolist() == [1, 36]
    assert rois["std_intensity"].tolist() == pytest.approx([0.0, 0.0], abs=1e-9)


def test_a_mask_of_another_size_is_named():
    with pytest.raises(NnbookError, match="p: the image is 20 x 10 px but its mask 10 x 10 px|its mask is 10 x 10 px"):
        measure_panorama("p", np.zeros((10, 20), np.uint8), np.zeros((10, 10), np.int32), SCALE)
