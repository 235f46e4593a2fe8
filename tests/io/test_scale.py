import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from nnbook.errors import InvalidValueError, MissingFileError, NnbookError
from nnbook.io.images import write_image
from nnbook.io.manifest import Panorama
from nnbook.io.scale import common_scale, image_scale, image_scales

Said = pytest.CaptureFixture[str]
GREY = np.zeros((8, 9), np.uint8)
NANO = {"PhysicalSizeX": 124.3, "PhysicalSizeXUnit": "nm", "PhysicalSizeY": 0.1243, "PhysicalSizeYUnit": "µm"}
MILLI = {"PhysicalSizeX": 0.0005, "PhysicalSizeXUnit": "mm", "PhysicalSizeY": 0.0005, "PhysicalSizeYUnit": "mm"}
OTHER_DOWN = {"PhysicalSizeX": 0.125, "PhysicalSizeY": 0.25}


def tiff(path: Path, **options: Any) -> Path:
    tifffile.imwrite(path, GREY, **options)
    return path


@pytest.mark.parametrize(
    ("options", "scale"),
    [
        ({"ome": True, "metadata": {"PhysicalSizeX": 0.125, "PhysicalSizeY": 0.125}}, 8.0),
        ({"ome": True, "metadata": {"PhysicalSizeX": 0.25}}, 4.0),
        ({"ome": True, "metadata": NANO}, 8.04505),
        ({"ome": True, "metadata": MILLI}, 2.0),
        ({"ome": True, "metadata": {"PhysicalSizeX": 1.0, "PhysicalSizeXUnit": "pixel"}}, None),
        ({"ome": True, "metadata": {"PhysicalSizeX": 0.0}}, None),
        ({"imagej": True, "resolution": (8.0453, 8.0453), "metadata": {"unit": "um"}}, 8.0453),
        ({"imagej": True, "resolution": (8.0453, 8.0453), "metadata": {"unit": "micron"}}, 8.0453),
        ({"imagej": True, "resolution": (8.0453, 8.0453), "metadata": {"unit": "\\u00B5m"}}, 8.0453),
        ({"imagej": True, "resolution": (8045.3, 8045.3), "metadata": {"unit": "mm"}}, 8.0453),
        ({"imagej": True, "resolution": (80453, 80453), "metadata": {"unit": "cm"}}, 8.0453),
        ({"imagej": True, "resolution": (8.0, 8.0), "metadata": {"unit": "pixel"}}, None),
        ({"imagej": True, "resolution": (8.0, 8.0)}, None),
        ({"imagej": True, "resolution": (8.0, 8.0), "metadata": {"unit": "inch"}}, None),
        ({"resolution": (80453, 80453), "resolutionunit": "CENTIMETER"}, 8.0453),
        ({"resolution": (72, 72), "resolutionunit": "INCH"}, None),
        ({"resolution": (28.35, 28.35), "resolutionunit": "CENTIMETER"}, None),
        ({"resolution": (80453, 80453), "resolutionunit": "NONE"}, None),
        ({}, None),
    ],
)
def test_a_tiff_says_its_scale_or_nothing(tmp_path: Path, options: dict[str, Any], scale: float | None) -> None:
    assert image_scale(tiff(tmp_path / "a.tif", **options)) == scale


def test_a_resolution_of_0_by_0_says_nothing(tmp_path: Path) -> None:
    path = tiff(tmp_path / "a.tif", resolution=(80453, 80453), resolutionunit="CENTIMETER")
    with tifffile.TiffFile(path, mode="r+") as opened:
        opened.pages.first.tags["XResolution"].overwrite((0, 0))
    assert image_scale(path) is None


def test_what_nnbook_writes_is_read_again(tmp_path: Path) -> None:
    write_image(tmp_path / "a.tif", GREY, px_per_um=8.0453)
    assert image_scale(tmp_path / "a.tif") == 8.0453


def test_images_of_different_scales_in_one_description_say_nothing(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "a.ome.tif", ome=True) as writer:
        writer.write(GREY, metadata={"PhysicalSizeX": 0.125})
        writer.write(GREY, metadata={"PhysicalSizeX": 0.5})
    assert image_scale(tmp_path / "a.ome.tif") is None


@pytest.mark.parametrize(
    "options",
    [
        {"ome": True, "metadata": OTHER_DOWN},
        {"resolution": (80_000, 40_000), "resolutionunit": "CENTIMETER"},
        {"imagej": True, "resolution": (8, 4), "metadata": {"unit": "um"}},
    ],
)
def test_pixels_that_are_not_square_are_named(tmp_path: Path, options: dict[str, Any]) -> None:
    with pytest.raises(NnbookError, match=r"a\.tif: has 8 px/µm across but 4 down"):
        image_scale(tiff(tmp_path / "a.tif", **options))


def test_what_is_no_tiff_says_nothing(tmp_path: Path) -> None:
    import skimage.io

    skimage.io.imsave(tmp_path / "a.png", GREY, check_contrast=False)
    (tmp_path / "text.tif").write_text("II*\0no TIFF")
    (tmp_path / "empty.tif").touch()
    assert [image_scale(tmp_path / name) for name in ("a.png", "text.tif", "empty.tif")] == [None] * 3
    with pytest.raises(MissingFileError, match=r"none\.tif: no such file"):
        image_scale(tmp_path / "none.tif")
    os.mkfifo(tmp_path / "pipe.tif")
    with pytest.raises(NnbookError, match=r"pipe\.tif: is a pipe"):
        image_scale(tmp_path / "pipe.tif")


def row(name: str, px_per_um: float) -> Panorama:
    return Panorama(name, 1, "", "", "", f"{name}.tif", "", 9, 8, px_per_um, "", "")


def images(folder: Path, *names: str, px_per_um: float | None = None) -> dict[str, Path]:
    for name in names:
        write_image(folder / f"{name}.tif", GREY, px_per_um=px_per_um)
    return {name: folder / f"{name}.tif" for name in names}


class TestScales:
    def test_the_row_decides(self, tmp_path: Path, capsys: Said) -> None:
        assert image_scales(images(tmp_path, "a", "b"), [row("a", 2.0), row("b", 8.0)]) == {"a": 2.0, "b": 8.0}
        assert capsys.readouterr().err == ""

    def test_what_was_given_holds_for_all(self, tmp_path: Path, capsys: Said) -> None:
        assert image_scales(images(tmp_path, "a", "b"), px_per_um=4.0) == {"a": 4.0, "b": 4.0}
        assert image_scales(images(tmp_path, "a"), [row("a", 4.0)], px_per_um=4.0) == {"a": 4.0}
        assert capsys.readouterr().err == ""

    def test_what_contradicts_a_row_is_an_error(self, tmp_path: Path) -> None:
        with pytest.raises(InvalidValueError, match=r"px_per_um is 8\.0453, but the manifest says 2 for b") as caught:
            image_scales(images(tmp_path, "a", "b"), [row("a", 8.0453), row("b", 2.0)], px_per_um=8.0453)
        assert caught.value.parameters == ("px_per_um",)

    def test_a_file_that_contradicts_its_row_is_one_line(self, tmp_path: Path, capsys: Said) -> None:
        files = images(tmp_path, "a", "b", "c", px_per_um=4.0)
        assert image_scales(files, [row("a", 8.0), row("b", 4.001), row("c", 8.0)])["a"] == 8.0
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith(f"nnbook: {files['a']}: says 4 px/µm itself, but 8 is used, as given; correct")
        assert line.endswith("(and 1 more)")
        image_scales(files, px_per_um=2.0)
        assert "says 4 px/µm itself, but 2 is used" in capsys.readouterr().err

    def test_pixels_that_are_not_square_are_a_warning_where_the_scale_is_given(
        self, tmp_path: Path, capsys: Said
    ) -> None:
        file = tiff(tmp_path / "a.tif", resolution=(80_000, 40_000), resolutionunit="CENTIMETER")
        assert image_scales({"a": file}, px_per_um=8.0) == {"a": 8.0}
        assert "has 8 px/µm across but 4 down" in capsys.readouterr().err
        with pytest.raises(NnbookError, match="across but 4 down"):
            image_scales({"a": file})

    def test_without_row_and_option_the_file_decides_and_is_named(self, tmp_path: Path, capsys: Said) -> None:
        files = images(tmp_path, "a", "b", px_per_um=4.0) | images(tmp_path, "c", px_per_um=8.0453)
        assert image_scales(files) == {"a": 4.0, "b": 4.0, "c": 8.0453}
        assert capsys.readouterr().err.splitlines() == [
            f"nnbook: {files['a']}: 4 px/µm, as it says itself (and 1 more)",
            f"nnbook: {files['c']}: 8.0453 px/µm, as it says itself",
        ]

    def test_a_scale_that_nobody_gives_is_asked_for(self, tmp_path: Path) -> None:
        files = images(tmp_path, "a", px_per_um=4.0) | images(tmp_path, "b", "c")
        with pytest.raises(InvalidValueError, match=r"b\.tif: doesn't say how large its pixels are; give px_per_um"):
            image_scales(files)

    def test_a_file_that_cannot_be_read_is_named_for_that(self, tmp_path: Path) -> None:
        (tmp_path / "a.tif").write_text("text")
        with pytest.raises(NnbookError) as caught:
            image_scales({"a": tmp_path / "a.tif", "b": tmp_path / "b.tif"})
        assert [line.split(": ")[1].split(";")[0] for line in str(caught.value).splitlines()] == [
            "is no TIFF, PNG or CZI file",
            "no such file",
        ]


def test_scales_in_common_or_named() -> None:
    assert common_scale({"a": 8.0, "b": 8.0}, "m.csv", "part them") == 8.0
    with pytest.raises(NnbookError) as caught:
        common_scale({"a": 8.0453, "b": 2.0}, "m.csv", "part them")
    assert str(caught.value) == "m.csv: panoramas have different px_per_um, 8.0453 (a) and 2 (b); part them"
