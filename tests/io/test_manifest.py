import codecs
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nnbook.errors import NnbookError
from nnbook.io.images import write_image
from nnbook.io.manifest import COLUMNS, Panorama, panorama_name, parse_manifest, read_manifest, write_manifest

GOOD = Panorama(
    panorama="Run53TL_bottom_left",
    run=53,
    quarter="TL",
    crop="bottom_left",
    passage="P22",
    image="panoramas/Run53TL_bottom_left.tif",
    mask="",
    width_px=40,
    height_px=30,
    px_per_um=8.0453,
    image_sha256="",
    source="",
)
OTHER = replace(
    GOOD,
    panorama="B",
    image="panoramas/b.tif",
    mask="masks/b.png",
    passage="",
    quarter="",
    crop="",
    px_per_um=0.1 + 0.2,
    image_sha256="0123456789abcdef" * 4,
    source="https://example.org/b.tif",
)


def write_rows(folder: Path, *rows: dict[str, object]) -> Path:
    """Write a manifest whose rows are good but for what is given."""
    path = folder / "manifest.csv"
    lines = [",".join(COLUMNS)]
    for number, row in enumerate(rows):
        values = {column: getattr(GOOD, column) for column in COLUMNS}
        values |= {"panorama": f"P{number}", "image": f"p{number}.tif"} | row
        lines.append(",".join(str(value) for value in values.values()))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


class TestReading:
    def test_round_trip(self, tmp_path: Path) -> None:
        write_manifest(tmp_path / "manifest.csv", [GOOD, OTHER])
        assert read_manifest(tmp_path / "manifest.csv") == [GOOD, OTHER]

    def test_columns_of_the_writers_own_are_passed_over(self, tmp_path: Path) -> None:
        path = tmp_path / "manifest.csv"
        path.write_text('notes,image,px_per_um,image_2,,\n"two\nlines, it, says",a.tif,8,b.tif,,\n,c.tif,0,,,\n')
        write_image(tmp_path / "a.tif", np.zeros((8, 9), np.uint8))
        parsed = parse_manifest(path)
        assert (parsed.unused, list(parsed.rows)) == (["notes", "image_2"], [2])
        assert [problem.split(":")[0] for problem in parsed.problems] == [f"{path}, line 4"]

    def test_columns_in_any_order_and_a_byte_order_mark(self, tmp_path: Path) -> None:
        order = COLUMNS[::-1]
        text = ",".join(order) + "\r\n" + ",".join(str(getattr(GOOD, column)) for column in order) + "\r\n"
        (tmp_path / "manifest.csv").write_bytes(b"\xef\xbb\xbf" + text.encode())
        assert read_manifest(tmp_path / "manifest.csv") == [GOOD]

    def test_published_name(self) -> None:
        assert panorama_name(GOOD.run, GOOD.quarter, GOOD.crop) == GOOD.panorama

    @pytest.mark.parametrize(
        ("change", "named"),
        [
            ({"panorama": "../a"}, "panorama '../a'"),
            ({"run": "first"}, "run is 'first'"),
            ({"quarter": "XX"}, "quarter 'XX'"),
            ({"crop": "middle"}, "crop 'middle'"),
            ({"width_px": -5}, "width_px is '-5'"),
            ({"height_px": 0}, "height_px is '0'"),
            ({"width_px": 200_001}, "width_px is '200001'"),
            ({"height_px": "1e4"}, "height_px is '1e4'"),
            ({"height_px": "9" * 5000}, "height_px is"),
            ({"px_per_um": 0}, "px_per_um is '0'"),
            ({"px_per_um": -8}, "px_per_um is '-8'"),
            ({"px_per_um": "nan"}, "px_per_um is 'nan'"),
            ({"px_per_um": "inf"}, "px_per_um is 'inf'"),
            ({"px_per_um": "8 px"}, "px_per_um is '8 px'"),
            ({"px_per_um": ""}, "px_per_um is ''"),
            ({"image": "../a.tif"}, "image is '../a.tif'"),
            ({"image": "a/../../a.tif"}, "without '..'"),
            ({"image": "..\\a.tif"}, "without '..'"),
            ({"image": "/a.tif"}, "image is '/a.tif'"),
            ({"image": "C:\\a.tif"}, "below the manifest's folder"),
            ({"image": ""}, "image is ''"),
            ({"mask": "../m.tif"}, "mask is '../m.tif'"),
            ({"image_sha256": "abc"}, "image_sha256 'abc'"),
            ({"source": "ftp://example.org/a"}, "source 'ftp://example.org/a'"),
            ({"source": "twin:-1"}, "source 'twin:-1'"),
            ({"source": ",,,x"}, "has more fields than the header; check for stray commas"),
        ],
    )
    def test_a_bad_value_is_named_with_its_row(self, tmp_path: Path, change: dict[str, object], named: str) -> None:
        path = write_rows(tmp_path, {}, change)
        with pytest.raises(NnbookError) as caught:
            read_manifest(path)
        assert str(caught.value).startswith(f"{path}, line 3: ")
        assert named in str(caught.value)
        assert "\n" not in str(caught.value)

    @pytest.mark.parametrize("column", ["panorama", "image", "mask"])
    def test_what_stands_in_two_rows_is_named(self, tmp_path: Path, column: str) -> None:
        path = write_rows(tmp_path, {column: "same.tif"}, {}, {column: "same.tif"})
        with pytest.raises(NnbookError, match=f"line 4: {column} same.tif is in line 2 too"):
            read_manifest(path)

    @pytest.mark.parametrize("other", ["control", "Control ", "CONTROL"])
    def test_a_condition_spelt_in_two_ways_is_not_taken_for_two(self, tmp_path: Path, other: str) -> None:
        rows: list[dict[str, object]] = [{"condition": name} for name in ("Control A", "Drug", f"{other} a")]
        path = write_rows(tmp_path, *rows)
        with pytest.raises(
            NnbookError, match=r"line 4: condition is '.*', but 'Control A' in line 2; spell it the same"
        ):
            read_manifest(path)
        assert len(read_manifest(write_rows(tmp_path, *rows[:2], {"condition": "Control A"}))) == 3

    def test_the_same_image_spelt_otherwise_is_the_same(self, tmp_path: Path) -> None:
        path = write_rows(tmp_path, {"image": "a/b.tif"}, {"image": "a/.//b.tif"})
        with pytest.raises(NnbookError, match=r"line 3: image a/b\.tif is in line 2 too"):
            read_manifest(path)

    def test_all_problems_are_told_at_once(self, tmp_path: Path) -> None:
        path = write_rows(tmp_path, {"width_px": 0}, {}, {"px_per_um": "x"}, {"panorama": "P1"})
        with pytest.raises(NnbookError) as caught:
            read_manifest(path)
        lines = str(caught.value).splitlines()
        assert [line.removeprefix(f"{path}, ").split(":")[0] for line in lines] == ["line 2", "line 4", "line 5"]

    @pytest.mark.parametrize(
        ("header", "named"),
        [
            (("panorama", "run"), "has no column image, px_per_um"),
            (("image", "run"), "has no column px_per_um"),
            ((*COLUMNS, "image"), "image twice"),
            ((*COLUMNS, "Px per um"), "px_per_um twice"),
            ((), "has no column image"),
            (("image", "px_per_um", "pasage"), "has no column passage, but 'pasage'; rename it"),
            (("imgae", "px_per_um"), "has no column image, but 'imgae'"),
            (("image", "px_per_mm"), "has no column px_per_um, but 'px_per_mm'"),
            (("image", "px_per_um", "Masks"), "has no column mask, but 'Masks'"),
            (("image", "px_per_um", "mask file"), "has no column mask, but 'mask file'"),
            (("image", "px_per_um", "run number"), "has no column run, but 'run number'"),
        ],
    )
    def test_a_header_that_is_none_is_named(self, tmp_path: Path, header: tuple[str, ...], named: str) -> None:
        path = tmp_path / "manifest.csv"
        path.write_text(",".join(header) + "\n")
        with pytest.raises(NnbookError, match=named) as caught:
            read_manifest(path)
        assert str(path) in str(caught.value)

    @pytest.mark.parametrize(
        ("content", "named"),
        [
            (None, "no such manifest"),
            (",".join(COLUMNS).encode() + b"\n", "lists no panorama"),
            (",".join(COLUMNS).encode() + "\nRün".encode("latin-1"), "UTF-8"),
            (",".join(COLUMNS).encode() + b'\n"' + b"x" * 200_000, "field"),
        ],
    )
    def test_a_file_that_is_no_manifest_is_named(self, tmp_path: Path, content: bytes | None, named: str) -> None:
        path = tmp_path / "manifest.csv"
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(NnbookError, match=named) as caught:
            read_manifest(path)
        assert str(path) in str(caught.value)


SHORT = Panorama("a", 1, "", "", "", "a.tif", "", 9, 8, 8.0453, "", "")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with two images of 9 x 8 px."""
    for name in ("a.tif", "My image (1).tif"):
        write_image(tmp_path / name, np.zeros((8, 9), np.uint8))
    return tmp_path


def read(folder: Path, content: str | bytes) -> list[Panorama]:
    path = folder / "manifest.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_manifest(path)


class TestManifestsOfPeople:
    """What spreadsheets and hands make of a table."""

    @pytest.mark.parametrize(
        "content",
        [
            "image,px_per_um\na.tif,8.0453\n",
            "image;px_per_um\na.tif;8,0453\n",
            "image;px_per_um\na.tif;8.0453\n",
            "image\tpx_per_um\na.tif\t8,0453\n",
            'image,px_per_um\na.tif,"8,0453"\n',
            "sep=,\nimage,px_per_um\na.tif,8.0453\n",
            "sep=;\r\nimage;px_per_um\r\na.tif;8,0453\r\n",
            "SEP=\t\nimage\tpx_per_um\na.tif\t8.0453\n",
            '"sep=|"\nimage|px_per_um\na.tif|8.0453\n',
            "sep=;;\nimage;px_per_um;\na.tif;8,0453;\n",
            " Image , Px per µm \n a.tif , 8.0453 \n",
            "IMAGE,PX-PER-UM\na.tif,8.0453",
            '"image","px_per_um"\n"a.tif", "8.0453"\n',
            "\n\nimage,px_per_um\n\na.tif,8.0453\n\n\n",
            "image,px_per_um,,\n,,,\na.tif,8.0453,,\n , ,,\n",
            "image,px_per_um\ra.tif,8.0453\r",
            "image,px_per_um,notes\na.tif,8.0453\n",
            "image,px_per_um,notes\na.tif,8.0453,,,\n",
            "image,px_per_um,width_px,height_px,panorama,run\na.tif,8.0453,,,,\n",
            "image,px_per_um,width_px\na.tif,8.0453,9\n",
            codecs.BOM_UTF8 + b"image;px_per_um\r\na.tif;8,0453\r\n",
            "image\tpx_per_um\r\na.tif\t8,0453\r\n".encode("utf-16"),
            codecs.BOM_UTF16_BE + "image\tpx_per_um\r\na.tif\t8,0453\r\n".encode("utf-16-be"),
        ],
    )
    def test_two_columns_are_enough_in_any_form(self, folder: Path, content: str | bytes) -> None:
        assert read(folder, content) == [SHORT]

    def test_what_is_left_out_comes_from_the_image_and_its_name(self, folder: Path) -> None:
        write_image(folder / "in" / "Run53TL_bottom_left.tif", np.zeros((3, 4), np.uint8))
        text = "image;px_per_um;Run\nMy image (1).tif;2;\nin/Run53TL_bottom_left.tif;2;\na.tif;2;7\n"
        first, second, third = read(folder, text)
        assert (first.panorama, first.run, first.width_px, first.height_px) == ("My_image_1_", 1, 9, 8)
        assert (second.panorama, second.run, second.width_px) == ("Run53TL_bottom_left", 53, 4)
        assert (third.panorama, third.run) == ("a", 7)

    def test_a_row_that_is_full_needs_no_image(self, tmp_path: Path) -> None:
        assert read(tmp_path, "image,px_per_um,width_px,height_px\na.tif,8.0453,9,8\n") == [SHORT]

    @pytest.mark.parametrize(
        ("content", "named"),
        [
            ("image,px_per_um\n\nb.tif,8\n", "line 3: {folder}/b.tif: no such file"),
            ("sep=,\nimage,px_per_um\na.tif,0\n", "line 3: px_per_um is '0'"),
            ('image,px_per_um,notes\na.tif,8,"1\n2\n3"\n\nb.tif,0,\n', "line 6: px_per_um is '0'"),
            ('image,px_per_um\n"a\n.tif",8\n', "line 2: image is 'a\\n.tif'; take the line break"),
            ('image,px_per_um,panorama\na.tif,8,"x\r\ny"\n', "line 2: panorama is 'x\\r\\ny'; take the line break"),
            ('image,px_per_um,passage\na.tif,8,"P\n1"\n', "line 2: passage is 'P\\n1'; take the line break"),
            ('image,px_per_um\n"a.tif,8\nb.tif,8\n', "line 2: unexpected end of data; check for an open quote"),
            ("image,px_per_um,notes\na.tif,8,\na.tif,8", "line 3: has fewer fields than the header, and is the last"),
            ("image,px_per_um\na.tif,8,0453\n", "line 2: has more fields than the header; check for stray commas"),
            ("image,px_per_um\n\u56f3.tif,8\n", "line 2: panorama is empty, and no name can be made of image"),
            ("image,px_per_um,mask\na.tif,8,./a.tif\n", "line 2: mask is the image itself"),
            ("image,px_per_um,source\nb.tif,8,https://e.org/b.tif\n", "b.tif isn't here yet to read it from"),
            ("image,px_per_um\r\na.tif,8\r\nZ\u00fcrich.tif,8\r\n".encode("cp1252"), "line 3: is not UTF-8 text"),
            ("image,px_per_um\na.tif,8\n".encode("utf-16-le"), "is not UTF-8 text, nor UTF-16"),
            (b"PK\x03\x04\x14\0\x06\0\x08\xff", "is not UTF-8 text; save it as CSV"),
        ],
    )
    def test_what_is_wrong_is_named_with_its_line(self, folder: Path, content: str | bytes, named: str) -> None:
        with pytest.raises(NnbookError) as caught:
            read(folder, content)
        assert str(caught.value).startswith(f"{folder / 'manifest.csv'}")
        assert named.format(folder=folder) in str(caught.value)
        assert "\n" not in str(caught.value)

    def test_every_fault_of_a_row_is_a_line(self, folder: Path) -> None:
        with pytest.raises(NnbookError) as caught:
            read(folder, "image,px_per_um,run,quarter\n\na.tif,-1,0,XY\nb.tif,8,1,,,x\n")
        told = [line.split("manifest.csv, ")[1].split(" is")[0] for line in str(caught.value).splitlines()]
        assert told[:3] == ["line 3: run", "line 3: quarter 'XY'", "line 3: px_per_um"]
        assert told[3].startswith("line 4: has more fields")

    def test_what_is_no_file_is_refused_at_once(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe.csv")
        (tmp_path / "circle.csv").symlink_to("circle.csv")
        for path in (tmp_path / "pipe.csv", tmp_path / "circle.csv", tmp_path, Path("/dev/zero")):
            with pytest.raises(NnbookError, match=r"is a pipe|links|is a folder") as caught:
                read_manifest(path)
            assert str(caught.value).startswith(f"{path}: ")

    def test_an_image_that_is_no_file_is_named(self, folder: Path) -> None:
        os.mkfifo(folder / "pipe.tif")
        with pytest.raises(NnbookError, match=r"line 2: .*pipe\.tif: is a pipe"):
            read(folder, "image,px_per_um\npipe.tif,8\n")
