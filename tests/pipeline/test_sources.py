import gc
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from file_server import QuietHandler, serving

from nnbook.errors import NnbookError, PassingError
from nnbook.io.files import sha256
from nnbook.io.images import read_image, read_mask, write_image, write_mask
from nnbook.io.manifest import Panorama, read_manifest
from nnbook.io.scale import image_scale
from nnbook.io.web import download, download_into
from nnbook.pipeline.sources import fetch_panoramas, published_results
from nnbook.pipeline.validation import validate_manifest
from nnbook.simulation.dataset import simulate_manifest
from nnbook.simulation.panorama import simulate_panorama
from nnbook.values import published


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """The address of a server on this machine that serves tmp_path / "served"."""
    (tmp_path / "served").mkdir()
    with serving(tmp_path / "served") as address:
        yield address


def here(path: Path) -> list[str]:
    return sorted(file.name for file in path.iterdir()) if path.exists() else []


def own(name: str, **change: Any) -> Panorama:
    row = Panorama(name, 1, "", "", "", f"in/{name}.tif", f"in/{name}_m.tif", 20, 10, 8.0, "", "")
    return replace(row, **change)


def test_brings_what_is_right_and_names_what_is_not(tmp_path: Path) -> None:
    data, folder = tmp_path / "data", tmp_path / "edition"
    image = np.arange(200, dtype=np.uint16).reshape(10, 20)
    for name in ("good", "changed", "small"):
        write_image(data / "in" / f"{name}.tif", image[:9] if name == "small" else image)
        write_mask(data / "in" / f"{name}_m.tif", (image[:9] if name == "small" else image).astype(np.int32))
    twin = simulate_manifest(3, 1, 256)[0]
    rows = [own("changed", image_sha256="0" * 64), twin, own("small"), own("gone"), own("good")]
    with pytest.raises(NnbookError) as caught:
        fetch_panoramas(rows, data, folder)
    lines = str(caught.value).splitlines()
    assert {line.split(":")[0] for line in lines} == {"changed", "small", "gone"}
    assert "SHA-256" in lines[0]

    drawn, _, _ = simulate_panorama(3, twin.run, twin.quarter, twin.crop, width_px=256, height_px=256)
    np.testing.assert_array_equal(read_image(folder / twin.image), drawn)
    np.testing.assert_array_equal(read_image(folder / "images" / "good.tif"), image)
    np.testing.assert_array_equal(read_mask(folder / "masks" / "good_cp_masks.tif"), image)
    assert here(folder / "images") == ["good.tif"]
    assert here(folder / "masks") == ["good_cp_masks.tif"]

    fetched = fetch_panoramas([twin, own("good")], data, folder)
    assert [row.image_sha256 for row in fetched] == [sha256(folder / row.image) for row in fetched]
    assert (folder / "images" / "good.tif").is_symlink(), "a local image is linked, not copied"


def test_files_that_are_unchanged_are_not_opened_again(
    tmp_path: Path, opened: set[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    data, folder = tmp_path / "data", tmp_path / "edition"
    for name in ("plain", "plane", "drawn"):
        write_image(data / "in" / f"{name}.tif", np.zeros((10, 20), np.uint8), px_per_um=2.0)
        write_mask(data / "in" / f"{name}_m.tif", np.ones((10, 20), np.int32))
    np.save(data / "in" / "m_seg.npy", {"masks": np.ones((10, 20), np.uint16)})  # type: ignore[arg-type]
    rows = [
        own("plain", image_sha256=sha256(data / "in" / "plain.tif")),
        own("plane", project="0"),
        own("drawn", mask="in/m_seg.npy"),
        simulate_manifest(3, 1, 256)[0],
    ]
    first = fetch_panoramas(rows, data, folder)
    said = capsys.readouterr().err.splitlines()[-1]
    opened.clear()
    assert fetch_panoramas(rows, data, folder) == first
    assert [path.name for path in opened if tmp_path in path.parents and path.suffix != ".json"] == []
    assert "plain.tif: says 2 px/µm itself, but 8 is used" in said
    assert capsys.readouterr().err.splitlines()[-1] == said

    write_image(data / "in" / "plain.tif", np.ones((10, 20), np.uint8))
    write_mask(data / "in" / "plane_m.tif", np.ones((10, 21), np.int32))
    with pytest.raises(NnbookError) as caught:
        fetch_panoramas(rows, data, folder)
    assert [line.split()[0] for line in str(caught.value).splitlines()] == ["plain:", "plane:"]


def test_published_table_from_a_local_folder(shared: Path, tmp_path: Path) -> None:
    path = tmp_path / "published" / "results.csv"
    assert published_results(path, shared / "data" / "nucleusnet") == path
    assert sha256(path) == published.RESULTS_SHA256
    assert here(path.parent) == ["results.csv"]


@pytest.mark.parametrize("there", [True, False])
def test_another_local_table_is_refused(tmp_path: Path, there: bool) -> None:
    (tmp_path / "local").mkdir()
    if there:
        (tmp_path / "local" / "results.csv").write_text("image,num_rois\n")
    with pytest.raises(NnbookError, match="SHA-256" if there else "no such file") as caught:
        published_results(tmp_path / "out" / "results.csv", tmp_path / "local")
    assert str(tmp_path / "local" / "results.csv") in str(caught.value)
    assert here(tmp_path / "out") == []


def test_the_table_is_downloaded_once(tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    served, path = tmp_path / "served" / "results.csv", tmp_path / "out" / "results.csv"
    served.write_text("image,num_rois,mean_intensity,std_intensity\n")
    monkeypatch.setattr(published, "RESULTS_ADDRESS", f"{address}/results.csv")
    monkeypatch.setattr(published, "RESULTS_SHA256", sha256(served))
    published_results(path)
    assert path.read_bytes() == served.read_bytes()
    served.unlink()
    assert published_results(path) == path, "a table that is there already is asked for again"


def test_a_changed_download_leaves_what_was_there(tmp_path: Path, address: str) -> None:
    (tmp_path / "served" / "a.csv").write_text("changed")
    path = tmp_path / "out" / "a.csv"
    path.parent.mkdir()
    path.write_text("old")
    with pytest.raises(NnbookError, match=r"a\.csv: its SHA-256 isn't the expected one"):
        download(f"{address}/a.csv", path, "0" * 64)
    assert path.read_text() == "old"
    assert here(path.parent) == ["a.csv"]


@pytest.mark.parametrize(
    ("answers", "tries", "told"),
    [
        ([503, 500], 3, None),
        (["short", 429], 3, None),
        ([403], 1, "the host answers 403"),
        ([503] * 3, 3, "the host answers 503"),
    ],
)
def test_what_a_host_answers_is_asked_again_only_where_that_may_help(
    tmp_path: Path, answers: list[int | str], tries: int, told: str | None
) -> None:
    asked: list[str] = []

    class Faulty(QuietHandler):
        def do_GET(self) -> None:  # noqa: N802 - as the library calls it
            asked.append(self.path)
            answer = answers[len(asked) - 1] if len(asked) <= len(answers) else 200
            if isinstance(answer, int) and answer != 200:
                self.send_error(answer)
                return
            self.send_response(200)
            self.send_header("Content-Length", "9")
            self.end_headers()
            self.wfile.write(b"nine" if answer == "short" else b"ninebytes")

    path = tmp_path / "a.tif"
    with serving(tmp_path, Faulty) as address:
        if told is None:
            download(f"{address}/a.tif", path, "")
            assert path.read_bytes() == b"ninebytes"
        else:
            with pytest.raises(NnbookError, match=told) as caught:
                download(f"{address}/a.tif", path, "")
            assert isinstance(caught.value, PassingError) == (tries > 1)
            assert here(tmp_path) == []
            del caught
    assert len(asked) == tries
    gc.collect()


def test_a_bucket_needs_a_package_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "s3fs", None)
    monkeypatch.delitem(sys.modules["fsspec.registry"]._registry, "s3", raising=False)
    with pytest.raises(NnbookError, match=r"^s3://images/a\.tif: needs the package s3fs; install it with: pip install"):
        download("s3://images/a.tif", tmp_path / "a.tif", "")


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A bucket `images` of moto's server on this machine."""
    import s3fs
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    for name, value in {
        "ENDPOINT_URL": f"http://{host}:{port}",
        "ACCESS_KEY_ID": "a",
        "SECRET_ACCESS_KEY": "b",
    }.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    try:
        s3fs.S3FileSystem.clear_instance_cache()
        store = s3fs.S3FileSystem(skip_instance_cache=True)
        store.mkdir("images")
        yield store
        store.rm("images", recursive=True)  # moto keeps it in this process
    finally:
        s3fs.S3FileSystem.clear_instance_cache()
        server.stop()


@pytest.mark.filterwarnings("ignore")  # of moto and botocore
def test_panoramas_come_from_a_bucket(tmp_path: Path, bucket: Any) -> None:
    image = np.arange(200, dtype=np.uint16).reshape(10, 20)
    write_image(tmp_path / "a.tif", image)
    bucket.put(str(tmp_path / "a.tif"), "images/a.tif")
    digest = sha256(tmp_path / "a.tif")
    rows = [
        own("a", image="own/a.tif", mask="", source="s3://images/a.tif", image_sha256=digest),
        own("b", image="own/b.tif", mask="", source="s3://images/none.tif"),
        own("c", image="own/c.tif", mask="", source="s3://images/a.tif", image_sha256="0" * 64),
    ]
    folder = tmp_path / "edition"
    with pytest.raises(NnbookError) as caught:
        fetch_panoramas(rows, tmp_path, folder)
    lines = str(caught.value).splitlines()
    assert lines[0].startswith("s3://images/none.tif: can't be downloaded (FileNotFoundError)")
    assert lines[1].startswith("s3://images/a.tif: its SHA-256 isn't the expected one")
    np.testing.assert_array_equal(read_image(folder / "own" / "a.tif"), image)
    (fetched,) = fetch_panoramas(rows[:1], tmp_path, folder)
    assert fetched.image_sha256 == digest


@pytest.mark.filterwarnings("ignore")  # of moto and botocore
def test_a_file_that_is_replaced_in_a_bucket_while_it_comes_is_no_mixture(
    tmp_path: Path, bucket: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import s3fs

    monkeypatch.setattr(s3fs.S3FileSystem, "default_block_size", 1_000)
    monkeypatch.setattr("nnbook.io.web.BLOCK_BYTES", 250)
    bucket.pipe_file("images/a.tif", b"old" * 3_000)
    replaced: list[bool] = []

    def come(_: int) -> None:
        if not replaced:
            bucket.pipe_file("images/a.tif", b"new" * 3_000)
            replaced.append(True)

    download_into("s3://images/a.tif", tmp_path / "a.tif", "", come)
    assert replaced
    assert (tmp_path / "a.tif").read_bytes() == b"new" * 3_000


@pytest.mark.filterwarnings("ignore")  # of botocore and aiohttp, whose connections are cut
@pytest.mark.parametrize(
    ("fault", "times", "told"),
    [
        ("short", 1, None),
        (500, 1, None),
        ("short", 99, "can't be downloaded ("),
        ("silent", 99, "can't be downloaded ("),
        (500, 99, "can't be downloaded (the host answers 500"),
        (403, 99, "can't be downloaded (the host answers 403"),
        (400, 99, "can't be downloaded (the host answers 400"),  # as of a credential that has expired
    ],
)
def test_a_bucket_that_fails_is_asked_again_only_where_that_may_help(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: int | str, times: int, told: str | None
) -> None:
    import s3fs

    done = threading.Event()
    asked: list[str] = []

    class Bucket(QuietHandler):
        def do_HEAD(self) -> None:  # noqa: N802 - as the library calls it
            self.answer(b"")

        def do_GET(self) -> None:  # noqa: N802
            self.answer(b"ninebytes")

        def answer(self, data: bytes) -> None:
            asked.append(self.command)
            fails = len(asked) <= times if fault != "short" else 0 < asked.count("GET") <= times and data != b""
            if fails and fault == "silent":
                done.wait(5)
            elif fails and isinstance(fault, int):
                self.send_error(fault)
            else:
                self.send_response(206 if data else 200)
                self.send_header("Content-Length", "9")
                self.end_headers()
                self.wfile.write(data[:4] if fails else data)

    monkeypatch.setattr("nnbook.io.web.TIMEOUT_S", 0.3)
    monkeypatch.setattr(s3fs.S3FileSystem, "retries", 2)
    for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY"):
        monkeypatch.setenv(f"AWS_{name}", "a")
    path = tmp_path / "a.tif"
    with serving(tmp_path, Bucket) as address:
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        s3fs.S3FileSystem.clear_instance_cache()
        try:
            if told is None:
                download("s3://images/a.tif", path, "")
                assert path.read_bytes() == b"ninebytes"
            else:
                with pytest.raises(NnbookError) as caught:
                    download("s3://images/a.tif", path, "")
                assert told in str(caught.value)
                helps = fault in {"short", "silent", 500}
                assert isinstance(caught.value, PassingError) == helps
                assert helps or asked in (["HEAD"], ["HEAD"] * 2)  # the second for the bucket's region
                assert helps or str(caught.value).endswith("; get the right to read it, or a new credential")
                assert here(tmp_path) == []
        finally:
            done.set()
            s3fs.S3FileSystem.clear_instance_cache()


@pytest.mark.parametrize("wrong", ["images.org/a.tif", "file:///a.tif", "htp://images.org/a.tif"])
def test_what_is_no_web_address_is_told(tmp_path: Path, wrong: str) -> None:
    with pytest.raises(NnbookError, match="is no web address"):
        download(wrong, tmp_path / "a.tif", "")


@pytest.mark.parametrize("missing", ["file", "server"])
def test_a_network_failure_is_one_clear_line(
    tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    # Nothing ever listens on port 1 of this machine.
    table = f"{address}/none.csv" if missing == "file" else "http://127.0.0.1:1/results.csv"
    monkeypatch.setattr(published, "RESULTS_ADDRESS", table)
    with pytest.raises(NnbookError, match="can't be downloaded") as caught:
        published_results(tmp_path / "out" / "results.csv")
    assert str(caught.value).startswith(table)
    assert "\n" not in str(caught.value)
    assert here(tmp_path / "out") == []
    del caught
    gc.collect()


def test_a_simulated_panorama_is_drawn_again_by_other_code_and_kept_by_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    twin = simulate_manifest(3, 1, 256)[0]
    image = tmp_path / twin.image

    def drawn_anew(row: Panorama) -> bool:
        before = image.stat().st_mtime_ns if image.exists() else 0
        fetch_panoramas([row], tmp_path, tmp_path)
        return image.stat().st_mtime_ns != before

    assert drawn_anew(twin)
    assert not drawn_anew(twin)
    assert drawn_anew(replace(twin, source="twin:4"))
    monkeypatch.setattr("nnbook.provenance.stage._code", lambda _: {"numpy": "1.0"})
    assert drawn_anew(replace(twin, source="twin:4"))
    write_image(image, np.zeros((256, 256), np.uint8))
    (tmp_path / "records" / f"twin-{twin.panorama}.json").unlink()
    assert drawn_anew(replace(twin, source="twin:4")), "it was cut off: nobody knows what made the image"
    assert read_image(image).any()


def test_the_chosen_plane_becomes_a_file_of_its_own(tmp_path: Path) -> None:
    data, folder = tmp_path / "data", tmp_path / "edition"
    stack = np.random.default_rng(2).integers(0, 4096, (3, 2, 10, 20)).astype(np.uint16)
    (data / "in").mkdir(parents=True)
    names = {"axes": "ZCYX", "Channel": {"Name": ["DAPI", "GFP"]}}
    tifffile.imwrite(data / "in" / "a.ome.tif", stack, ome=True, metadata=names)
    mask = np.zeros((10, 20), np.uint16)
    mask[2:5, 3:9] = 1
    np.save(data / "in" / "a_seg.npy", {"masks": mask})  # type: ignore[arg-type]
    (data / "m.csv").write_text(
        "image,mask,px_per_um,channel,project\nin/a.ome.tif,in/a_seg.npy,8,gfp,max\n", encoding="utf-8"
    )
    (row,) = read_manifest(data / "m.csv")
    assert (row.width_px, row.height_px) == (20, 10)
    assert validate_manifest(data / "m.csv") == [row]
    (fetched,) = fetch_panoramas([row], data, folder)
    assert (fetched.image, fetched.plane) == ("images/a.ome.tif", None)
    np.testing.assert_array_equal(read_image(folder / fetched.image), stack[:, 1].max(axis=0))
    assert image_scale(folder / fetched.image) == 8.0
    np.testing.assert_array_equal(read_mask(folder / "masks" / "a.ome_cp_masks.tif"), mask)

    written = (folder / fetched.image).stat()
    assert fetch_panoramas([row], data, folder) == [fetched]
    assert (folder / fetched.image).stat() == written, "nothing was out of date"
    (other,) = fetch_panoramas([replace(row, channel="0", project="2")], data, folder)
    np.testing.assert_array_equal(read_image(folder / other.image), stack[2, 0])


def test_a_manifest_that_does_not_choose_a_plane_is_named_with_its_line(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((2, 9, 8), np.uint8), ome=True, metadata={"axes": "CYX"})
    (tmp_path / "m.csv").write_text("image,px_per_um,project\na.tif,8,mean\n", encoding="utf-8")
    with pytest.raises(NnbookError, match=r"line 2: project is 'mean'; give max"):
        read_manifest(tmp_path / "m.csv")
    (tmp_path / "m.csv").write_text("image,px_per_um\na.tif,8\n", encoding="utf-8")
    with pytest.raises(NnbookError, match=r"line 2: .*a\.tif: has 2 channels \(0, 1\); choose with channel 0"):
        validate_manifest(tmp_path / "m.csv")
