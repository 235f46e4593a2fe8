"""Outlines of masks for other programs, which have the area of their pixels."""

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from roifile import ROI_TYPE, ImagejRoi

from nnbook.io.images import Labels, read_mask
from nnbook.io.outlines import polygons_of, write_geojson, write_roi_set
from nnbook.measurement.rois import measure_panorama


def area_of(ring: Any) -> float:
    """Return the area of an outline; above 0 where it goes clockwise as an image is seen."""
    x, y = np.array(ring, float).T
    return float(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2


@given(arrays(bool, st.tuples(st.integers(1, 9), st.integers(1, 9))))
def test_outlines_enclose_the_pixels_and_no_others(inside: np.ndarray[Any, Any]) -> None:
    drawn = np.zeros(inside.shape, int)
    y, x = np.mgrid[: inside.shape[0], : inside.shape[1]] + 0.5
    for outline, *holes in polygons_of(inside):
        assert area_of(outline) > 0
        assert all(area_of(hole) < 0 for hole in holes)
        for ring, sign in ((outline, 1), *((hole, -1) for hole in holes)):
            assert len(set(ring)) == len(ring), "none comes to a corner twice, which GeoJSON does not allow"
            crossed = np.zeros(inside.shape, bool)
            for (ax, ay), (bx, by) in zip(ring, [*ring[1:], ring[0]], strict=True):
                crossed ^= (ax == bx) & (ax < x) & (min(ay, by) < y) & (y < max(ay, by))
            drawn += sign * crossed
    np.testing.assert_array_equal(drawn, inside)


def rois_in(path: Path) -> dict[str, ImagejRoi]:
    """Return the ROIs of a set by the names that they have themselves."""
    with zipfile.ZipFile(path) as archive:
        rois = [ImagejRoi.frombytes(archive.read(name)) for name in archive.namelist()]
    return {roi.name: roi for roi in rois}


def rings() -> Labels:
    """A nucleus within the hole of another, one with a hole, one of one pixel, and one at the edge in two pieces."""
    labels = np.zeros((30, 40), np.int32)
    labels[2:14, 2:16], labels[4:12, 5:13], labels[6:9, 7:10] = 1, 0, 2
    labels[16:24, 20:30], labels[18:20, 22:25] = 3, 0
    labels[26, 3] = 4
    labels[0:4, 36:], labels[8:12, 36:] = 11, 11
    return labels


def test_areas_in_files_are_counts_of_pixels_with_holes_left_out(tmp_path: Path) -> None:
    labels = rings()
    nuclei = measure_panorama("a", labels.astype(np.uint8), labels, 1.0)
    write_geojson(tmp_path / "a.geojson", labels, nuclei)
    write_geojson(tmp_path / "b.geojson", labels, nuclei)
    assert (tmp_path / "a.geojson").read_bytes() == (tmp_path / "b.geojson").read_bytes()
    features = json.loads((tmp_path / "a.geojson").read_text())["features"]
    assert len({feature["id"] for feature in features}) == len(features) == 5
    for feature, area in zip(features, nuclei["area_px"], strict=True):
        parts = feature["geometry"]["coordinates"]
        polygons = [parts] if feature["geometry"]["type"] == "Polygon" else parts
        assert all(ring[0] == ring[-1] for polygon in polygons for ring in polygon)
        assert sum(area_of(ring[:-1]) for polygon in polygons for ring in polygon) == area
    write_roi_set(tmp_path / "a.zip", labels, nuclei)
    rois = rois_in(tmp_path / "a.zip")
    assert list(rois) == ["01", "02", "03", "04", "11-1", "11-2"]
    kinds = {name: roi.roitype for name, roi in rois.items()}
    assert kinds == {name: ROI_TYPE.RECT if name in {"01", "03"} else ROI_TYPE.POLYGON for name in rois}
    areas = {name: sum(map(area_of, roi.coordinates(multi=True))) for name, roi in rois.items()}
    assert areas == {"01": 104, "02": 9, "03": 74, "04": 1, "11-1": 16, "11-2": 16}
    drawn = read_mask(tmp_path / "a.zip", (30, 40))
    np.testing.assert_array_equal(np.where(drawn >= 5, 11, drawn), labels)


@pytest.mark.parametrize("width", [60_535, 60_540])
def test_rois_far_to_the_right_are_where_they_are(tmp_path: Path, width: int) -> None:
    labels = np.zeros((3, width), np.int32)
    labels[1:, -3:] = 1
    write_roi_set(tmp_path / "a.zip", labels, measure_panorama("a", labels.astype(np.uint8), labels, 1.0))
    (outline,) = rois_in(tmp_path / "a.zip")["1"].coordinates(multi=True)
    assert np.max(outline, axis=0).tolist() == [width, 3]
