import os
import re
import shutil
from dataclasses import replace
from pathlib import Path
from threading import Lock, get_ident
from typing import Any

import numpy as np
import pytest
import tifffile

from nnbook.cli import main
from nnbook.errors import NnbookError
from nnbook.io.files import sha256
from nnbook.io.images import read_image, write_image, write_mask
from nnbook.io.manifest import Panorama, write_manifest
from nnbook.io.planes import Plane
from nnbook.pipeline.validation import validate_manifest

Said = pytest.CaptureFixture[str]


@pytest.fixture
def row(tmp_path: Path) -> Panorama:
    """A row whose files are below tmp_path and are what it says."""
    write_image(tmp_path / "in" / "a.tif", np.arange(1200, dtype=np.uint16).reshape(30, 40))
    write_mask(tmp_path / "in" / "m.tif", np.eye(30, 40, dtype=np.int32))
    return Panorama("A", 1, "", "", "", "in/a.tif", "in/m.tif", 40, 30, 8.0, sha256(tmp_path / "in" / "a.tif"), "")


def problems(folder: Path, *rows: Panorama) -> list[str]:
    """Return what is wrong with a manifest of these rows, without its name."""
    write_manifest(folder / "m.csv", rows)
    with pytest.raises(NnbookError) as caught:
        validate_manifest(folder / "m.csv")
    return [line.removeprefix(f"{folder / 'm.csv'}").removeprefix(", ") for line in str(caught.value).splitlines()]


def test_what_is_right_is_returned_without_a_word(tmp_path: Path, row: Panorama, capsys: Said) -> None:
    later = replace(row, panorama="B", image="in/b.tif", mask="", image_sha256="", source="twin:1")
    write_manifest(tmp_path / "m.csv", [row, later])
    assert validate_manifest(tmp_path / "m.csv") == [row, later]
    assert [line for line in capsys.readouterr().err.splitlines() if not line.startswith("validate: 2/2 done")] == []


def test_the_images_may_be_below_another_folder(tmp_path: Path, row: Panorama, capsys: Said) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "m.csv").write_text("image;px_per_um\nin/a.tif;8,0\n")
    assert main(["validate", str(tmp_path / "other" / "m.csv")]) == 1
    assert "in/a.tif: no such file" in capsys.readouterr().err
    assert main(["validate", str(tmp_path / "other" / "m.csv"), "--images", str(tmp_path)]) == 0
    assert "panoramas: 1\nimages_at_hand: 1" in capsys.readouterr().out
    (found,) = validate_manifest(tmp_path / "other" / "m.csv", tmp_path)
    assert (found.width_px, found.height_px) == (row.width_px, row.height_px)


def test_pixels_that_can_not_be_decoded_are_named(tmp_path: Path, row: Panorama) -> None:
    """The headers are whole, so that only decoding finds them."""
    for name in ("a.tif", "m.tif"):
        with tifffile.TiffFile(tmp_path / "in" / name) as tiff:
            offset, size = tiff.pages.first.dataoffsets[0], tiff.pages.first.databytecounts[0]
        data = bytearray((tmp_path / "in" / name).read_bytes())
        data[offset : offset + size] = bytes(size)
        (tmp_path / "in" / name).write_bytes(data)
    image, mask = problems(tmp_path, replace(row, image_sha256=""))
    assert image.startswith(f"line 2: A: {tmp_path / 'in' / 'a.tif'}: can't be read")
    assert mask.startswith(f"line 2: A: {tmp_path / 'in' / 'm.tif'}: can't be read")


def test_the_truth_of_another_image_of_the_same_size_is_named(tmp_path: Path, row: Panorama) -> None:
    (tmp_path / "truth").mkdir()
    labels = np.zeros((row.height_px, row.width_px), np.int32)
    for name in ("a", "b"):
        write_mask(tmp_path / "truth" / f"{name}.tif", labels)
    shutil.copyfile(tmp_path / row.image, (tmp_path / row.image).with_name("b.tif"))
    right = replace(row, truth="truth/a.tif")
    write_manifest(tmp_path / "m.csv", [right])
    assert validate_manifest(tmp_path / "m.csv") == [right]
    (problem,) = problems(tmp_path, replace(row, truth="truth/b.tif"))
    assert re.search(r"truth/b\.tif is named for .*in/b\.tif, and not for .*in/a\.tif; correct the manifest", problem)


def test_values_that_no_stage_takes_are_named(tmp_path: Path, row: Panorama) -> None:
    image = np.ones((30, 40), np.float32)
    image[3, 4] = np.nan
    write_image(tmp_path / "in" / "a.tif", image)
    tifffile.imwrite(tmp_path / "in" / "m.tif", np.full((30, 40), -1, np.int32))
    told = problems(tmp_path, replace(row, image_sha256=""))
    assert ["not a number" in told[0], "labels below 0" in told[1], len(told)] == [True, True, 2]
    labels = np.zeros((30, 40), np.int32)
    labels[3, 4] = 2**24
    write_image(tmp_path / "in" / "a.tif", np.ones((30, 40), np.uint8))
    write_mask(tmp_path / "in" / "m.tif", labels)
    (told_of_mask,) = problems(tmp_path, replace(row, image_sha256=""))
    assert "m.tif has a label above 16,777,215, which no pyramid holds" in told_of_mask


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"image": "in/none.tif"}, "none.tif: no such file"),
        ({"mask": "in/none.tif"}, "none.tif: no such file"),
        ({"mask": "in"}, "in: is a folder"),
        ({"image": "in/pipe.tif"}, "pipe.tif: is a pipe"),
        ({"mask": "in/circle.tif"}, "circle.tif: can't be opened (Too many levels of symbolic links)"),
        ({"mask": "in/zero.tif"}, "zero.tif: is a pipe, device or socket"),
        ({"height_px": 31, "mask": ""}, "40 x 30 px, but the manifest says 40 x 31"),
        ({"image_sha256": "0" * 64}, "another SHA-256"),
        ({"panorama": "previews"}, "a panorama can't be named previews, as nnbook's own files"),
        (
            {"image": "masks/A_cp_masks.tif", "source": "https://example.org/a.tif"},
            "would be in the edition's masks, where nnbook's own files are",
        ),
    ],
)
def test_what_a_later_stage_would_refuse_is_one_line(
    tmp_path: Path, row: Panorama, change: dict[str, Any], named: str
) -> None:
    os.mkfifo(tmp_path / "in" / "pipe.tif")
    (tmp_path / "in" / "circle.tif").symlink_to("circle.tif")
    (tmp_path / "in" / "zero.tif").symlink_to("/dev/zero")
    (tmp_path / "masks").mkdir()
    (tmp_path / "masks" / "A_cp_masks.tif").write_bytes((tmp_path / "in" / "a.tif").read_bytes())
    (told,) = problems(tmp_path, replace(row, **change))
    assert told.startswith("line 2: ")
    assert named in told


@pytest.mark.usefixtures("row")
def test_everything_is_named_with_its_line_at_once(tmp_path: Path, capsys: Said) -> None:
    write_image(tmp_path / "in" / "b" / "a.tif", np.zeros((30, 40), np.uint8), px_per_um=4.0)
    text = (
        "image;px_per_um;colour;panorama\n"
        "\n"
        'in/a.tif;8,0;"two\nlines";A\n'
        "in/none.tif;8,0;;N\n"
        "in/b/a.tif;8,0;;B\n"
        "in/b/a.tif;x;;C\n"
        "in/b/../a.tif;8,0;;D\n"
    )
    (tmp_path / "m.csv").write_text(text)
    assert main(["validate", str(tmp_path / "m.csv")]) == 1
    said = capsys.readouterr().err
    told = [line.split("m.csv, ")[1].split(":")[0] for line in said.splitlines() if "m.csv, line" in line]
    assert sorted(told) == ["line 5", "line 7", "line 8"]
    assert f"nnbook: {tmp_path / 'm.csv'}: columns that are not read: colour\n" in said
    assert "in/b/a.tif: says 4 px/µm itself, but 8 is used" in said


def test_scales_that_no_edition_takes_are_named(tmp_path: Path, row: Panorama) -> None:
    write_image(tmp_path / "in" / "b.tif", np.zeros((30, 40), np.uint8))
    other = replace(row, panorama="B", image="in/b.tif", mask="", image_sha256="", px_per_um=2.0)
    (told,) = problems(tmp_path, row, other)
    assert told == ": panoramas have different px_per_um, 8 (A) and 2 (B); make an edition of each scale"


def test_two_files_at_a_time_are_decoded(tmp_path: Path, row: Panorama, monkeypatch: pytest.MonkeyPatch) -> None:
    lock, at_once, most, decoded = Lock(), 0, 0, []

    def counted(path: Path, plane: Plane | None) -> Any:
        nonlocal at_once, most
        with lock:
            at_once += 1
            most = max(most, at_once)
            decoded.append((path.name, get_ident()))
        array = read_image(path, plane)
        with lock:
            at_once -= 1
        return array

    monkeypatch.setattr("nnbook.pipeline.validation.read_image", counted)
    rows = []
    for number in range(6):
        write_image(tmp_path / "in" / f"{number}.tif", np.zeros((30, 40), np.uint8))
        rows.append(replace(row, panorama=f"P{number}", image=f"in/{number}.tif", mask="", image_sha256=""))
    write_manifest(tmp_path / "m.csv", rows)
    validate_manifest(tmp_path / "m.csv")
    assert sorted(name for name, _ in decoded) == [f"{number}.tif" for number in range(6)]
    assert most <= 2
    assert len({thread for _, thread in decoded}) <= 2
