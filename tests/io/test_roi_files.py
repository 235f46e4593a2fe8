import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from roifile import ROI_TYPE, ImagejRoi

from nnbook.errors import NnbookError
from nnbook.io.images import mask_shape, read_image, read_mask

SHAPE = (40, 60)
SQUARES = {"0001-0009": (5, 3, 15, 12), "0002-0030": (30, 20, 41, 33)}
"""Left, top, right, bottom."""


def corners(left: int, top: int, right: int, bottom: int) -> list[tuple[int, int]]:
    return [(left, top), (right, top), (right, bottom), (left, bottom)]


def roi_set(path: Path, outlines: dict[str, Any], kind: ROI_TYPE = ROI_TYPE.TRACED) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, outline in outlines.items():
            roi = ImagejRoi.frompoints(outline)
            roi.roitype = kind
            archive.writestr(f"{name}.roi", roi.tobytes())
    return path


def drawn() -> np.ndarray[Any, Any]:
    mask = np.zeros(SHAPE, np.int32)
    for label, (left, top, right, bottom) in enumerate(SQUARES.values(), start=1):
        mask[top:bottom, left:right] = label
    return mask


def test_a_roi_set_is_drawn_with_every_pixel_whose_centre_is_inside(tmp_path: Path) -> None:
    path = roi_set(tmp_path / "RoiSet.zip", {name: corners(*box) for name, box in SQUARES.items()})
    np.testing.assert_array_equal(read_mask(path, SHAPE), drawn())
    assert mask_shape(path) is None


def test_a_round_roi_has_the_area_of_its_outline(tmp_path: Path) -> None:
    angle = np.linspace(0, 2 * np.pi, 90, endpoint=False)
    outline = np.stack([30 + 12.3 * np.cos(angle), 20 + 12.3 * np.sin(angle)], axis=1).astype(np.float32)
    mask = read_mask(roi_set(tmp_path / "r.zip", {"a": outline}, ROI_TYPE.FREEHAND), SHAPE)
    assert np.count_nonzero(mask) == pytest.approx(np.pi * 12.3**2, rel=0.02)
    y, x = np.nonzero(mask)
    assert (y.mean() + 0.5, x.mean() + 0.5) == pytest.approx((20, 30), abs=0.1)


@pytest.mark.parametrize(
    ("outlines", "kind", "expected"),
    [
        ({"a": corners(5, 3, 15, 12), "b": corners(10, 3, 20, 12)}, ROI_TYPE.TRACED, "ROI b overlaps another"),
        ({"a": corners(50, 3, 70, 12)}, ROI_TYPE.TRACED, "ROI a leaves the image of 60 x 40 px"),
        ({"a": corners(5, 3, 15, 12)}, ROI_TYPE.POLYLINE, r"ROI a is no area \(polyline\)"),
        ({}, ROI_TYPE.TRACED, "holds 0 ROIs"),
    ],
)
def test_what_is_no_set_of_nuclei_is_named(tmp_path: Path, outlines: Any, kind: ROI_TYPE, expected: str) -> None:
    path = roi_set(tmp_path / "r.zip", outlines, kind)
    with pytest.raises(NnbookError, match=expected):
        read_mask(path, SHAPE)


def test_a_roi_set_needs_the_size_of_its_image(tmp_path: Path) -> None:
    path = roi_set(tmp_path / "r.zip", {"a": corners(5, 3, 15, 12)})
    with pytest.raises(NnbookError, match="is a ROI set, which has no size"):
        read_mask(path)
    with pytest.raises(NnbookError, match="is a ROI set file, not an image"):
        read_image(path)


def test_the_masks_of_a_cellpose_file_are_read(tmp_path: Path) -> None:
    held = {
        "masks": drawn().astype(np.uint16),
        "outlines": drawn().astype(np.uint16),
        "flows": [np.zeros((2, *SHAPE), np.float32), [], None],
        "filename": "a.tif",
        "est_diam": np.float64(30.0),
        "chan_choose": [0, 0],
        "ismanual": np.zeros(2, bool),
    }
    np.save(tmp_path / "a_seg.npy", held)  # type: ignore[arg-type]
    np.testing.assert_array_equal(read_mask(tmp_path / "a_seg.npy"), drawn())
    assert mask_shape(tmp_path / "a_seg.npy") == SHAPE


class Harmful:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (os.environ["NNBOOK_TEST_HARM"],)


def test_a_cellpose_file_runs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NNBOOK_TEST_HARM", str(tmp_path / "harm"))
    np.save(tmp_path / "a_seg.npy", {"masks": drawn(), "more": Harmful()})  # type: ignore[arg-type]
    with pytest.raises(NnbookError, match=r"a_seg\.npy: can't be read as a file of Cellpose \(asks for posix\.mkdir\)"):
        read_mask(tmp_path / "a_seg.npy")
    assert not (tmp_path / "harm").exists()
    np.load(tmp_path / "a_seg.npy", allow_pickle=True)
    assert (tmp_path / "harm").exists(), "what the file would have run"


def test_a_mask_of_another_size_is_named(tmp_path: Path) -> None:
    np.save(tmp_path / "a_seg.npy", drawn())
    with pytest.raises(NnbookError, match="is 60 x 40 px but its image 61 x 40"):
        read_mask(tmp_path / "a_seg.npy", (40, 61))


def test_a_roi_of_which_the_name_is_damaged_is_not_left_out(tmp_path: Path) -> None:
    path = roi_set(tmp_path / "RoiSet.zip", {name: corners(*box) for name, box in SQUARES.items()})
    whole = path.read_bytes()
    path.write_bytes(whole[: whole.rindex(b".roi")] + b".rox" + whole[whole.rindex(b".roi") + 4 :])
    with pytest.raises(NnbookError, match="can't be read as a ROI set"):
        read_mask(path, SHAPE)


def test_a_list_of_rois_that_is_damaged_leaves_none_out(tmp_path: Path) -> None:
    path = roi_set(tmp_path / "RoiSet.zip", {name: corners(*box) for name, box in SQUARES.items()})
    damaged = bytearray(path.read_bytes())
    damaged[damaged.index(b"PK\1\2") + 32] = 80  # how long the first entry's comment is: the second one is part of it
    path.write_bytes(damaged)
    assert len(zipfile.ZipFile(path).namelist()) == 1
    with pytest.raises(NnbookError, match=r"can't be read as a ROI set \(its list of ROIs is damaged\)"):
        read_mask(path, SHAPE)
