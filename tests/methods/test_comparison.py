"""Methods side by side: made ones, which a package on the path brings by entry points."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from nnbook.cli import main
from nnbook.errors import NnbookError
from nnbook.io.images import write_image, write_mask
from nnbook.methods.comparison import compare_folder
from nnbook.methods.registry import list_methods

PACKAGE = """
import os
import numpy as np
from nnbook.methods.adapter import Method, NeedsDownloadError

def right():
    return lambda image, diameter_px: (image // 10).astype(np.int32)

def fails():
    def segment(image, diameter_px):
        if image.max() > 20:
            raise ValueError("too bright\\nfor this one")
        return (image // 10).astype(np.int32)
    return segment

def inverts():
    return lambda image, diameter_px: (image == 0).astype(np.int32)

def dies():
    return lambda image, diameter_px: os._exit(9)

def absent():
    raise NeedsDownloadError("weights are not here; fetch them")

RIGHT = Method("right", "Always right", right)
FAILS = Method("fails", "Fails on one", fails)
INVERTS = Method("inverts", "Takes the background for a nucleus", inverts)
DIES = Method("dies", "Dies", dies)
ABSENT = Method("absent", "Not here", absent)
OTSU = Method("otsu", "A name that is taken", right)
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "package"
    (folder / "made_methods-1.dist-info").mkdir(parents=True)
    (folder / "made_methods.py").write_text(PACKAGE)
    (folder / "made_methods-1.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: made-methods\nVersion: 1\n"
    )
    names = "".join(
        f"{name.lower()} = made_methods:{name}\n" for name in ("RIGHT", "FAILS", "INVERTS", "DIES", "ABSENT", "OTSU")
    )
    (folder / "made_methods-1.dist-info" / "entry_points.txt").write_text(
        f"[nnbook.methods]\n{names}broken = no_such_module:METHOD\n"
    )
    monkeypatch.syspath_prepend(str(folder))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Two images, of 8 and of 16 bits and of different size, whose nuclei have ten times their label as grey level."""
    for name, kind, boxes in (("a", np.uint8, 2), ("b", np.uint16, 3)):
        labels = np.zeros((60, 50 + boxes), np.int32)
        for label in range(1, boxes + 1):
            labels[5 : 5 + 4 * label, 15 * label - 10 : 15 * label] = label
        write_image(tmp_path / "data" / "images" / f"{name}.tif", (10 * labels).astype(kind))
        write_mask(tmp_path / "data" / "labels" / f"{name}.tif", labels)
    return tmp_path / "data"


@pytest.mark.usefixtures("package")
def test_methods_are_compared_and_one_that_fails_or_dies_leaves_the_others(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = compare_folder(data, ["right", "fails", "inverts", "dies", "absent"], tmp_path / "out", draws=50)
    rows = made.methods.set_index("method")
    assert rows["images"].to_dict() == {"right": 2, "fails": 1, "inverts": 0, "dies": 0, "absent": 0}
    assert rows["failed"].to_dict() == {"right": 0, "fails": 1, "inverts": 2, "dies": 2, "absent": 0}
    assert rows["why"]["fails"] == "b: ValueError: too bright for this one"
    assert "its background is label 1" in rows["why"]["inverts"]
    assert "status 9" in rows["why"]["dies"]
    assert rows["pq"]["right"] == 1
    assert rows["f1_0.50"]["fails"] == pytest.approx(2 * 2 / (2 + 5)), "an image that failed has no nucleus found"
    assert rows["f1_0.50"]["dies"] == 0
    assert np.isnan(rows["pq"]["absent"])
    assert rows["seconds_per_mpx"]["right"] > 0
    assert rows["peak_mb"]["right"] > 20
    assert "absent is SKIPPED: weights are not here" in (said := capsys.readouterr().err)
    assert "no_such_module" in said
    assert "made_methods:OTSU is no Method of a name of its own" in said
    assert sorted(path.name for path in (tmp_path / "out" / "right").iterdir()) == ["a_cp_masks.tif", "b_cp_masks.tif"]
    assert sorted(path.name for path in (tmp_path / "out" / "pictures").iterdir()) == ["a.png", "b.png"]
    report = json.loads((tmp_path / "out" / "comparison.json").read_text())
    assert [row["method"] for row in report["methods"]] == ["right", "fails", "inverts", "dies", "absent"]
    assert len(report["images"]) == 8


@pytest.mark.usefixtures("package")
def test_an_image_in_colours_or_of_another_size_than_its_truth_is_left_out_and_has_why_in_its_row(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labels = np.zeros((40, 40), np.int32)
    labels[5:25, 5:25] = 1
    write_image(data / "images" / "c.tif", (10 * labels[:30]).astype(np.uint8))
    write_mask(data / "labels" / "c.tif", labels)
    colours = np.zeros((40, 40, 3), np.uint8)
    colours[..., 0] = 90
    assert cv2.imwrite(str(data / "images" / "d.png"), colours)
    write_mask(data / "labels" / "d.tif", labels)
    write_image(data / "images" / "e.tif", (10.0 * labels).astype(np.float32))
    write_mask(data / "labels" / "e.tif", labels)
    made = compare_folder(data, ["right"], tmp_path / "out", draws=20)
    rows = made.images.set_index("image")
    assert rows["error"].isna().to_dict() == {"a": True, "b": True, "c": False, "d": False, "e": True}
    assert "c.tif" in rows["error"]["c"]
    assert "d.png" in rows["error"]["d"]
    row = made.methods.iloc[0]
    assert (row["images"], row["failed"]) == (3, 2)
    assert "c.tif" in row["why"]
    assert row["pq"] == 1, "what no method could have got right is none's mistake"
    assert rows["true_nuclei"].isna().to_dict() == {"a": False, "b": False, "c": True, "d": True, "e": False}
    said = capsys.readouterr().err
    assert f"c is LEFT OUT: {data / 'labels' / 'c.tif'}: is 40 x 40 px but its image 40 x 30; take the true" in said
    assert "d is LEFT OUT" in said


@pytest.mark.usefixtures("package")
def test_without_truth_there_are_time_and_pictures_and_it_is_said(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    images = str(data / "images")
    call = ["compare", images, "--methods", "right", "--diameter", "10", "--out", str(tmp_path / "out"), "--json"]
    assert main(call) == 0
    said = capsys.readouterr()
    assert "no true masks are given" in said.err
    values = json.loads(said.out)
    assert values["has_truth"] is False
    assert values["methods"][0]["nuclei"] == 5
    assert "pq" not in values["methods"][0]
    assert (tmp_path / "out" / "pictures" / "a.png").is_file()


def test_a_method_that_is_none_is_named(data: Path, tmp_path: Path) -> None:
    with pytest.raises(NnbookError, match=r"methods has 'magic', which is none; choose among otsu, forest"):
        compare_folder(data, ["magic"], tmp_path / "out")
    with pytest.raises(NnbookError, match="no such folder"):
        compare_folder(data / "nowhere", ["otsu"], tmp_path / "out")
    with pytest.raises(NnbookError, match="name each once"):
        compare_folder(data, ["otsu", "otsu"], tmp_path / "out")
    assert {"otsu", "forest", "unet", "nuset", "cellpose", "nnbook"} <= list_methods().keys()
