from dataclasses import replace
from pathlib import Path

import pytest

from nnbook.errors import NnbookError
from nnbook.io.manifest import COLUMNS, Panorama, panorama_name, read_manifest, write_manifest

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
            ({"panorama": ""}, "panorama ''"),
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
            ({"source": "a,b"}, "stray commas"),
        ],
    )
    def test_a_bad_value_is_named_with_its_row(self, tmp_path: Path, change: dict[str, object], named: str) -> None:
        path = write_rows(tmp_path, {}, change)
        with pytest.raises(NnbookError) as caught:
            read_manifest(path)
        assert str(caught.value).startswith(f"{path}, row 3: ")
        assert named in str(caught.value)
        assert "\n" not in str(caught.value)

    @pytest.mark.parametrize("column", ["panorama", "image", "mask"])
    def test_what_stands_in_two_rows_is_named(self, tmp_path: Path, column: str) -> None:
        path = write_rows(tmp_path, {column: "same.tif"}, {}, {column: "same.tif"})
        with pytest.raises(NnbookError, match=f"row 4: {column} same.tif is in row 2 too"):
            read_manifest(path)

    def test_the_same_image_spelt_otherwise_is_the_same(self, tmp_path: Path) -> None:
        path = write_rows(tmp_path, {"image": "a/b.tif"}, {"image": "a/.//b.tif"})
        with pytest.raises(NnbookError, match=r"row 3: image a/b\.tif is in row 2 too"):
            read_manifest(path)

    def test_all_problems_are_told_at_once(self, tmp_path: Path) -> None:
        path = write_rows(tmp_path, {"width_px": 0}, {}, {"px_per_um": "x"}, {"panorama": "P1"})
        with pytest.raises(NnbookError) as caught:
            read_manifest(path)
        lines = str(caught.value).splitlines()
        assert [line.removeprefix(f"{path}, ").split(":")[0] for line in lines] == ["row 2", "row 4", "row 5"]

    @pytest.mark.parametrize(
        ("header", "named"),
        [
            (COLUMNS[:-2], "has no column image_sha256, source"),
            ((*COLUMNS, "colour"), "unknown columns colour"),
            ((*COLUMNS, "image"), "image twice"),
            ((), "has no column panorama"),
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
