import pytest

from nnbook.cli import main
from nnbook.errors import NnbookError
from nnbook.images import write_image
from nnbook.manifest import COLUMNS, read_manifest, write_manifest
from nnbook.twin import simulate_manifest, simulate_panorama

ROW = {
    "panorama": "Run1TL_top_left",
    "run": "1",
    "quarter": "TL",
    "crop": "top_left",
    "passage": "P12",
    "image": "panoramas/a.tif",
    "mask": "",
    "width_px": "256",
    "height_px": "256",
    "px_per_um": "8.0453",
    "image_sha256": "",
    "source": "",
}


def write(path, *rows):
    lines = [",".join(COLUMNS), *(",".join((ROW | row)[column] for column in COLUMNS) for row in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_a_manifest_comes_back_as_it_was(tmp_path):
    rows = simulate_manifest(1, 2, 512)
    write_manifest(tmp_path / "manifest.csv", rows)
    assert read_manifest(tmp_path / "manifest.csv") == rows


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"width_px": "-5"}, "width_px is '-5'"),
        ({"height_px": "0"}, "height_px is '0'"),
        ({"width_px": "9999999"}, "width_px is '9999999'"),
        ({"px_per_um": "nan"}, "px_per_um is 'nan'"),
        ({"px_per_um": "0"}, "px_per_um is '0'"),
        ({"image": "../a.tif"}, "without '..'"),
        ({"image": "/etc/a.tif"}, "below the manifest's folder"),
        ({"image": ""}, "image is ''"),
        ({"mask": "C:\\a.tif"}, "mask is"),
        ({"image_sha256": "abc"}, "no SHA-256"),
        ({"source": "ftp://x"}, "source 'ftp://x'"),
        ({"quarter": "XX"}, "quarter 'XX'"),
        ({"crop": "middle"}, "crop 'middle'"),
        ({"panorama": "<img>"}, "is no name"),
        ({"run": "one"}, "run is 'one'"),
        ({"passage": "P1,P2"}, "more or fewer fields"),
    ],
)
def test_a_bad_row_is_named_with_its_number(tmp_path, change, told):
    path = write(tmp_path / "manifest.csv", {"panorama": "fine", "image": "fine.tif"}, change)
    with pytest.raises(NnbookError, match="row 3") as caught:
        read_manifest(path)
    assert told in str(caught.value)


def test_everything_wrong_is_told_at_once(tmp_path):
    path = write(tmp_path / "manifest.csv", {"run": "0"}, {"width_px": "x"})
    with pytest.raises(NnbookError) as caught:
        read_manifest(path)
    assert len(str(caught.value).splitlines()) == 2


@pytest.mark.parametrize("column", ["panorama", "image"])
def test_a_duplicate_is_named(tmp_path, column):
    other = {"panorama": "b", "image": "b.tif"} | {column: ROW[column]}
    with pytest.raises(NnbookError, match=f"row 3: {column} .* stands in row 2 too"):
        read_manifest(write(tmp_path / "manifest.csv", {}, other))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a,b\n1,2\n", "has no column"),
        (",".join((*COLUMNS, "more")), "unknown columns more"),
        (",".join(COLUMNS), "lists no"),
    ],
)
def test_a_table_of_another_kind_is_named(tmp_path, text, told):
    (tmp_path / "manifest.csv").write_text(text)
    with pytest.raises(NnbookError, match=told):
        read_manifest(tmp_path / "manifest.csv")


@pytest.fixture
def image(tmp_path):
    pixels, _, _ = simulate_panorama(1, 1, "TL", "top_left", width_px=256, height_px=256)
    write_image(tmp_path / "panoramas" / "a.tif", pixels)
    return tmp_path / "panoramas" / "a.tif"


def test_validate_passes_a_manifest_whose_files_are_as_it_says(tmp_path, image, capsys):
    assert image.is_file()
    assert main(["validate", str(write(tmp_path / "manifest.csv", {}))]) == 0
    assert "panoramas: 1" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"image": "panoramas/b.tif"}, "no such file"),
        ({"width_px": "255"}, "256 x 256 px, but the manifest says 255 x 256"),
        ({"image_sha256": "0" * 64}, "another SHA-256"),
        ({"mask": "panoramas/mask.tif"}, "no such file"),
        ({"image": "out.tif"}, "leads out of"),
    ],
)
def test_validate_names_a_file_that_is_not_as_the_manifest_says(
    tmp_path, tmp_path_factory, image, change, told, capsys
):
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "out.tif"
    elsewhere.write_bytes(image.read_bytes())
    (tmp_path / "out.tif").symlink_to(elsewhere)
    assert main(["validate", str(write(tmp_path / "manifest.csv", change))]) == 1
    message = capsys.readouterr().err
    assert told in message
    assert "Run1TL_top_left" in message
