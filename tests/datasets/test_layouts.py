"""Each layout that data sets come in, as a small made sample, and what is refused of it."""

from __future__ import annotations

import json
import zipfile
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest
import tifffile
from roifile import ImagejRoi

from nnbook.datasets.layouts import read_layout
from nnbook.datasets.run_lengths import read_counts, read_pairs
from nnbook.errors import MissingFileError, NnbookError
from nnbook.reviews.datasets import KINDS, Layout

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

SHAPE = (60, 80)
TRUTH = np.zeros(SHAPE, np.int32)
TRUTH[10:40, 20:50] = 1
TRUTH[15:35, 50:70] = 2  # touches the first
TRUTH[45:55, 5:15] = 3
IMAGE = (TRUTH > 0).astype(np.uint8) * 120 + np.arange(80, dtype=np.uint8)
BOXES = {1: (10, 20, 40, 50), 2: (15, 50, 35, 70), 3: (45, 5, 55, 15)}


def pairs(mask: NDArray[np.bool_]) -> str:
    """Encode run lengths as the Data Science Bowl has them."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.T.ravel().astype(np.int8), [0]])))
    return " ".join(f"{start + 1} {end - start}" for start, end in edges.reshape(-1, 2))


def outline(label: int) -> list[float]:
    top, left, bottom, right = BOXES[label]
    return [left, top, right, top, right, bottom, left, bottom]


def write_masks(folder: Path) -> Layout:
    for directory in ("images", "masks"):
        (folder / "a" / directory).mkdir(parents=True)
    colours = np.dstack([IMAGE, IMAGE, IMAGE, np.full(SHAPE, 255, np.uint8)])
    cv2.imwrite(str(folder / "a" / "images" / "a.png"), colours)
    for label in BOXES:
        cv2.imwrite(str(folder / "a" / "masks" / f"{label}.png"), np.equal(TRUTH, label).astype(np.uint8) * 255)
    (folder / "a" / "masks" / ".DS_Store").write_bytes(b"of a Mac")
    return Layout("masks", "*/images/*.png", "*/masks/*.png")


def write_labels(folder: Path) -> Layout:
    tifffile.imwrite(folder / "a_raw.tif", IMAGE)
    tifffile.imwrite(folder / "a_labels.tif", TRUTH.astype(np.uint16))
    return Layout("labels", "*_raw.tif", "*_labels.tif")


def write_components(folder: Path) -> Layout:
    tifffile.imwrite(folder / "a.tif", IMAGE)
    coded = np.array([0, 1, 2, 1], np.uint8)[TRUTH]  # apart, two nuclei may have one value
    (folder / "masks").mkdir()
    cv2.imwrite(str(folder / "masks" / "a.png"), np.dstack([coded * 0, coded * 0, coded, coded * 0 + 255]))
    return Layout("components", "*.tif", "masks/*.png")


def write_rois(folder: Path) -> Layout:
    tifffile.imwrite(folder / "a.tif", IMAGE)
    with zipfile.ZipFile(folder / "a_rois.zip", "w") as archive:
        for label in BOXES:
            points = np.array(outline(label)).reshape(-1, 2)
            archive.writestr(f"{label}.roi", ImagejRoi.frompoints(points).tobytes())
    return Layout("rois", "*.tif", "*_rois.zip")


def write_coco(folder: Path, **changes: Any) -> Layout:
    cv2.imwrite(str(folder / "a.png"), IMAGE)
    first, second = TRUTH == 1, TRUTH == 2
    annotations = [
        {"image_id": 7, "category_id": 2, "segmentation": {"size": list(SHAPE), "counts": compressed(first)}},
        {"image_id": 7, "category_id": 2, "segmentation": {"size": list(SHAPE), "counts": run_lengths(second)}},
        {"image_id": 7, "category_id": 2, "segmentation": [outline(3)]},
        {"image_id": 7, "category_id": 1, "segmentation": [outline(1)]},  # a cell, round the first nucleus
    ]
    content = {
        "images": [{"id": 7, "file_name": "images/a.png", "height": 60, "width": 80}],
        "annotations": annotations,
        "categories": [{"id": 1, "name": "Cell"}, {"id": 2, "name": "Nucleus"}],
    }
    (folder / "a.json").write_text(json.dumps(content | changes))
    return Layout("coco", "*.png", "*.json", "Nucleus")


def run_lengths(mask: NDArray[np.bool_]) -> list[int]:
    """Encode run lengths as COCO has them, of a mask whose first pixel is outside."""
    flat = mask.T.ravel()
    return [len(run) for run in np.split(flat, np.flatnonzero(np.diff(flat)) + 1)]


def compressed(mask: NDArray[np.bool_]) -> str:
    """Encode run lengths as COCO's own library does."""
    counts = run_lengths(mask)
    text = ""
    for index, count in enumerate(counts):
        value, more = count - (counts[index - 2] if index > 2 else 0), True
        while more:
            bits, value = value & 0x1F, value >> 5
            more = value != -1 if bits & 0x10 else value != 0
            text += chr((bits | (0x20 if more else 0)) + 48)
    return text


def write_rle(folder: Path) -> Layout:
    cv2.imwrite(str(folder / "a.png"), IMAGE)
    cv2.imwrite(str(folder / "b.png"), IMAGE)
    rows = [f"a,{pairs(np.equal(TRUTH, label))}" for label in BOXES]
    (folder / "labels.csv").write_text("\n".join(["ImageId,EncodedPixels", *rows, "b,", ""]))
    return Layout("rle", "*.png", "*.csv")


WRITERS: dict[str, Callable[[Path], Layout]] = {
    "masks": write_masks,
    "labels": write_labels,
    "components": write_components,
    "rois": write_rois,
    "coco": write_coco,
    "rle": write_rle,
}


def test_every_layout_has_a_sample() -> None:
    assert set(WRITERS) == set(KINDS)


@pytest.mark.parametrize("kind", WRITERS)
def test_a_layout_gives_image_and_labels(kind: str, tmp_path: Path) -> None:
    layout = WRITERS[kind](tmp_path)
    assert layout.kind == kind
    sample, *others = read_layout(str(tmp_path), layout)
    assert (sample.name, sample.shared_px) == ("a", 0)
    np.testing.assert_array_equal(sample.image, IMAGE)
    assert sample.labels.dtype == np.int32
    assert sorted(map(tuple, np.unique(np.stack([sample.labels, TRUTH]).reshape(2, -1), axis=1).T.tolist())) == sorted(
        [(0, 0), *((sample.labels[BOXES[one][:2]], one) for one in BOXES)]
    )
    assert [one.name for one in others] == (["b"] if kind == "rle" else [])
    assert all(not one.labels.any() for one in others)  # an image without nuclei has a row without run lengths


def test_a_volume_has_a_volume_of_labels(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a_raw.tif", np.stack([IMAGE] * 6), metadata={"axes": "ZYX"})
    tifffile.imwrite(tmp_path / "a_labels.tif", np.stack([TRUTH] * 6).astype(np.uint16), metadata={"axes": "ZYX"})
    (sample,) = read_layout(tmp_path, Layout("labels", "*_raw.tif", "*_labels.tif"))
    assert sample.image.shape == sample.labels.shape == (6, *SHAPE)
    tifffile.imwrite(tmp_path / "a_labels.tif", np.stack([TRUTH] * 5).astype(np.uint16), metadata={"axes": "ZYX"})
    with pytest.raises(NnbookError, match=r"a_labels.tif: is 80 x 60 x 5 px but its image 80 x 60 x 6"):
        list(read_layout(tmp_path, Layout("labels", "*_raw.tif", "*_labels.tif")))


def test_colours_become_their_luminance(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a_raw.png"), np.dstack([IMAGE * 0, IMAGE * 0 + 100, IMAGE]))  # blue, green, red
    tifffile.imwrite(tmp_path / "a_labels.tif", TRUTH.astype(np.uint8))
    (sample,) = read_layout(tmp_path, Layout("labels", "*_raw.png", "*_labels.tif"))
    np.testing.assert_array_equal(sample.image, np.rint(IMAGE * 0.299 + 58.7).astype(np.uint8))


def test_the_one_channel_that_is_not_empty_is_the_image(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a_raw.tif", np.stack([IMAGE * 0, IMAGE * 0, IMAGE]), photometric="rgb", planarconfig=2)
    tifffile.imwrite(tmp_path / "a_labels.tif", TRUTH.astype(np.uint8))
    (sample,) = read_layout(tmp_path, Layout("labels", "*_raw.tif", "*_labels.tif"))
    np.testing.assert_array_equal(sample.image, IMAGE)


def test_pixels_of_two_masks_go_to_the_smaller(tmp_path: Path) -> None:
    layout = write_masks(tmp_path)
    wide = np.zeros(SHAPE, np.uint8)
    wide[10:40, 20:53] = 255
    cv2.imwrite(str(tmp_path / "a" / "masks" / "1.png"), wide)
    (sample,) = read_layout(tmp_path, layout)
    assert sample.shared_px == 20 * 3
    np.testing.assert_array_equal(sample.labels == 2, TRUTH == 2)
    (tmp_path / "a" / "masks" / "1.png").rename(tmp_path / "a" / "masks" / "9.png")  # so not by their order
    (sample,) = read_layout(tmp_path, layout)
    np.testing.assert_array_equal(sample.labels == 1, TRUTH == 2)


def test_a_nucleus_that_is_outlined_twice_is_refused(tmp_path: Path) -> None:
    layout = write_masks(tmp_path)
    again = np.zeros(SHAPE, np.uint8)
    again[12:40, 22:50] = 255
    cv2.imwrite(str(tmp_path / "a" / "masks" / "4.png"), again)
    with pytest.raises(
        NnbookError, match=r"masks: mask 4.png has 784 of 784 px in common with mask 1.png; .* remove one"
    ):
        list(read_layout(tmp_path, layout))


def put(name: str, pixels: NDArray[Any]) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        (tifffile.imwrite if name.endswith("tif") else cv2.imwrite)(str(folder / name), pixels)

    return write


def say(name: str, content: str) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        (folder / name).write_text(content)

    return write


def table(*rows: str) -> Callable[[Path], None]:
    return say("labels.csv", "\n".join(["ImageId,EncodedPixels", *rows, ""]))


def coco(**changes: Any) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        write_coco(folder, **changes)

    return write


def annotated(segmentation: Any) -> Callable[[Path], None]:
    return coco(annotations=[{"image_id": 7, "category_id": 2, "segmentation": segmentation}])


SMALL = np.full((50, 80), 255, np.uint8)
SPOTS = np.pad(np.ones((10, 14), np.uint8), ((5, 5), (3, 3)))
SPOTS = np.tile(SPOTS, (3, 4))


@pytest.mark.parametrize(
    ("kind", "change", "told"),
    [
        ("masks", put("a/masks/2.png", SMALL), r"masks: mask 2.png is 80 x 50 px but the image 80 x 60; take that"),
        ("masks", put("a/masks/2.png", IMAGE * 0), r"masks: mask 2.png holds no pixel; remove it"),
        ("masks", say("a/masks/2.png", "text"), r"masks.2.png: can't be read as an image; it is damaged"),
        ("labels", put("a_labels.tif", SMALL // 255), r"a_labels.tif: is 80 x 50 px but its image 80 x 60; take that"),
        ("labels", put("a_labels.tif", SPOTS), r"a_labels.tif: is a binary mask"),
        ("labels", put("a_labels.tif", TRUTH + 0.5), r"a_labels.tif: holds float64 values"),
        ("labels", put("b_raw.tif", IMAGE), r"b_raw.tif: has no mask of its name; unpack the whole"),
        ("labels", put("b_labels.tif", IMAGE), r"b_labels.tif: has no image of its name"),
        ("labels", say("a_raw.tif", "II*\0"), r"a_raw.tif: can't be read as an image"),
        ("components", put("masks/a.png", SMALL), r"masks.a.png: is 80 x 50 px but its image 80 x 60"),
        ("rois", put("a.tif", IMAGE[:50]), r"a_rois.zip: ROI 3 leaves the image of 80 x 50 px"),
        ("rois", say("a_rois.zip", "PK\3\4"), r"a_rois.zip: can't be read as a ROI set"),
        (
            "coco",
            annotated([[20, 10, 81, 10, 50, 40]]),
            r"a.json: annotation 0: an outline leaves the image of 80 x 60 px",
        ),
        ("coco", annotated([[20, 10, 50, 10]]), r"annotation 0: an outline has fewer than three points"),
        ("coco", annotated([[20, 10, 50, 10, "x", 4]]), r"annotation 0: an outline has fewer than three points"),
        (
            "coco",
            annotated({"size": [60, 80], "counts": [10, 4791]}),
            r"its runs are 4,801 px long together, but its image",
        ),
        (
            "coco",
            annotated({"size": [80, 60], "counts": [4800]}),
            r"its run lengths are of \[80, 60\] px, not of \[60, 80",
        ),
        ("coco", annotated({"size": [60, 80], "counts": "0\n"}), r"have the character '\\n', which COCO's have not"),
        ("coco", annotated({"size": [60, 80], "counts": [-5, 4805]}), r"are no whole numbers from 0"),
        ("coco", coco(categories=[{"id": 1, "name": "Cell"}]), r"a.json: has no category Nucleus; it has Cell"),
        (
            "coco",
            coco(annotations=[{"image_id": 8, "category_id": 2, "segmentation": []}]),
            r"is of image 8, which it does",
        ),
        (
            "coco",
            coco(images=[{"id": 7, "file_name": "b.png", "height": 60, "width": 80}]),
            r"lists b.png, which is not",
        ),
        (
            "coco",
            coco(images=[{"id": 7, "file_name": "a.png", "height": 9, "width": 80}]),
            r"a.png: is 80 x 60 px but a.js",
        ),
        ("coco", say("a.json", "{"), r"a.json: can't be read as JSON"),
        ("rle", table("a,4800 2"), r"labels.csv:2: its run of 2 px from 4,800 is not"),
        ("rle", table("a,0 2"), r"labels.csv:2: its run of 2 px from 0 is not within"),
        ("rle", table("a,5 9 7 2"), r"run from 7 begins before .* ends, at 13"),
        ("rle", table("a,5 9 7"), r"labels.csv:2: its run lengths are '5 9 7'; they"),
        ("rle", table("c,5 9"), r"labels.csv:2: names the image c, which is not there"),
        ("rle", table("a,5 9"), r"b.png: has no row in labels.csv"),
        ("rle", say("labels.csv", "ImageId,Pixels\na,5 9\n"), r"labels.csv: has no column EncodedPixels"),
        ("rle", table("a"), r"labels.csv:2: has not as many fields as its header"),
        ("rle", table("a,1 9", "a,1 8"), r"mask of line 3 has 8 of 8 px in common with mask of"),
    ],
)
def test_what_is_wrong_is_refused_by_name(kind: str, change: Callable[[Path], None], told: str, tmp_path: Path) -> None:
    layout = WRITERS[kind](tmp_path)
    change(tmp_path)
    with pytest.raises(NnbookError, match=told):
        list(read_layout(tmp_path, layout))


@pytest.mark.parametrize("lacking", ["images", "masks"])
def test_an_empty_folder_is_refused(lacking: str, tmp_path: Path) -> None:
    layout = write_masks(tmp_path)
    for path in (tmp_path / "a" / lacking).iterdir():
        path.unlink()
    with pytest.raises(MissingFileError, match=rf"has no {lacking.removesuffix('s')} \*/{lacking}"):
        list(read_layout(tmp_path, layout))
    with pytest.raises(MissingFileError, match="no such folder"):
        list(read_layout(tmp_path / "none", layout))


def test_compressed_run_lengths_are_those_of_coco_s_own_library() -> None:
    """A box of 30 x 30 px at (20, 10), with a hole: encoded by pycocotools 2.0."""
    box = TRUTH == 1
    box[15:17, 25:30] = False
    text = "jU1n0n000000000WOTOb0l0^OTOb0l0^OTOb0l0^OTOb0l0^OTOb0l0700000000000000000000000000000000000000ng1"
    assert compressed(box) == text
    np.testing.assert_array_equal(read_counts(text, SHAPE), box)
    with pytest.raises(NnbookError, match="end within a number"):
        read_counts(text[:1], SHAPE)


def test_run_lengths_of_the_bowl_count_down_columns_from_1() -> None:
    mask = read_pairs("2 2 4 1", (3, 2))
    np.testing.assert_array_equal(mask, [[False, True], [True, False], [True, False]])
