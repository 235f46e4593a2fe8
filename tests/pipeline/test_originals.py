"""Images that come from addresses: fetched ahead within a bound of disk space, forgotten, and fetched again."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import fsspec
import numpy as np
import pytest
from file_server import QuietHandler, serving

from nnbook.cli import main
from nnbook.errors import NnbookError
from nnbook.io.files import sha256
from nnbook.io.images import write_image, write_mask
from nnbook.io.manifest import Panorama, write_manifest
from nnbook.pipeline import editions
from nnbook.pipeline.editions import run
from nnbook.provenance import units
from nnbook.values import published

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

NAMES = [f"p{number:02}" for number in range(6)]
MADE = ("results.csv", "rois.parquet", "cells/cells.parquet", "cells/cells.json", "manifest.csv")


class Remote:
    """A server of images, what it was asked for, and an edition of them."""

    def __init__(self, folder: Path, address: str, asked: list[str]) -> None:
        self.served, self.address, self.asked = folder / "served", address, asked
        self.folder = folder
        self.answers: dict[str, list[int]] = {}
        self.originals = {name: (self.served / f"{name}.tif").read_bytes() for name in NAMES}

    def rows(self, edition: Path) -> list[Panorama]:
        """Write masks into an edition's folder, and return rows whose images come from the server."""
        labels = np.zeros((64, 64), np.int32)
        for label in range(3):
            labels[8 + 18 * label :, 20:][:12, :14] = label + 1
        for name in NAMES:
            write_mask(edition / "drawn" / f"{name}.tif", labels)
        row = Panorama("", 7, "", "", "", "", "", 64, 64, 8.0, "", "")
        return [
            replace(
                row,
                panorama=name,
                image=f"in/{name}.tif",
                mask=f"drawn/{name}.tif",
                source=f"{self.address}/{name}.tif",
            )
            for name in NAMES
        ]

    def manifest(self, edition: Path, **change: Any) -> Path:
        path = self.folder / f"{edition.name}.csv"
        write_manifest(path, [replace(row, **change) for row in self.rows(edition)])
        return path

    def images(self) -> list[str]:
        """Return of which images the bytes were asked for since the last call, in order."""
        names = [path.strip("/").removesuffix(".tif") for path in self.asked]
        self.asked.clear()
        return names

    @property
    def size(self) -> int:
        """Bytes of each image."""
        return max(path.stat().st_size for path in self.served.iterdir())


@pytest.fixture(autouse=True)
def _little(monkeypatch: pytest.MonkeyPatch) -> None:
    for stage in ("execute_notebooks", "sample_cells", "lay_out_mosaic"):
        monkeypatch.setattr(editions, stage, lambda *_, **__: [])
    monkeypatch.setattr(units, "DELAYS_S", (0.01, 0.02))
    monkeypatch.setattr(published, "REPRESENTATIVES", 2)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Remote]:
    folder = tmp_path_factory.mktemp("remote")
    rng = np.random.default_rng(5)
    for name in NAMES:
        write_image(folder / "served" / f"{name}.tif", rng.integers(5, 250, (64, 64), np.uint8))
    asked: list[str] = []
    answers: dict[str, list[int]] = {}

    class Handler(QuietHandler):
        def do_GET(self) -> None:  # noqa: N802 - as the library calls it
            asked.append(self.path)
            if waiting := answers.get(self.path):
                self.send_error(waiting.pop(0))
            else:
                super().do_GET()

    with serving(folder / "served", Handler) as address:
        found = Remote(folder, address, asked)
        found.answers = answers
        yield found


@pytest.fixture
def remote(server: Remote, tmp_path: Path) -> Remote:
    """The server, where everything can be had."""
    server.folder = tmp_path
    for name, image in server.originals.items():
        (server.served / f"{name}.tif").write_bytes(image)
    server.answers.clear()
    server.asked.clear()
    return server


@pytest.fixture(scope="module")
def whole(server: Remote, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An edition of all panoramas whose images stay."""
    folder = tmp_path_factory.mktemp("whole") / "own"
    server.folder = folder.parent
    server.asked.clear()
    with pytest.MonkeyPatch.context() as patch:
        for stage in ("execute_notebooks", "sample_cells", "lay_out_mosaic"):
            patch.setattr(editions, stage, lambda *_, **__: [])
        patch.setattr(published, "REPRESENTATIVES", 2)
        run(server.manifest(folder), folder, folder)
    assert here(folder) == NAMES, "by default all stay"
    assert sorted(server.images()) == NAMES, "each is fetched once"
    return folder


def made_of(folder: Path) -> dict[str, bytes]:
    files = [*(folder / name for name in MADE), *(folder / "cells" / "cells.zarr").rglob("*")]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files if path.is_file()}


def times(folder: Path) -> dict[Path, int]:
    """Return when files were written, but for records, which follow the states of files."""
    return {
        path: path.stat().st_mtime_ns
        for path in folder.rglob("*")
        if path.is_file() and path.name != "manifest.csv" and "record" not in path.relative_to(folder).as_posix()
    }


def here(folder: Path) -> list[str]:
    return sorted(path.stem for path in (folder / "in").glob("*.tif"))


def most_on_disk(folder: Path, call: Callable[[], None]) -> int:
    """Return the most bytes that images of a folder, and what is being fetched, had while a call ran."""
    seen, done = [0], threading.Event()

    def look() -> None:
        while not done.wait(0.0005):
            with suppress(FileNotFoundError):  # it goes while it is looked at
                paths = [*folder.glob("*.tif"), *folder.glob(".unfinished/*/*.tif")]
                seen.append(sum(path.stat().st_size for path in paths))

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        call()
    finally:
        done.set()
        watcher.join()
    return max(seen)


def test_images_take_no_more_disk_than_they_may_and_the_next_run_fetches_nothing(
    tmp_path: Path, whole: Path, remote: Remote
) -> None:
    small = tmp_path / "own"
    disk = 3 * remote.size  # two that figures show, and the first
    manifest = remote.manifest(small)
    most = most_on_disk(small / "in", lambda: run(manifest, small, tmp_path, disk=disk))
    assert 2 * remote.size < most <= disk
    assert made_of(small) == made_of(whole)
    shown = here(small)
    assert 2 <= len(shown) <= 3
    assert "p00" in shown

    remote.images()
    before = times(small)
    run(manifest, small, tmp_path, disk=disk)
    assert remote.images() == []
    assert times(small) == before
    run(manifest, small, tmp_path)
    assert remote.images() == [], "nor where all may stay: nothing is to be done"
    assert here(small) == shown

    gone = next(name for name in NAMES if name not in shown)
    (small / "rois-parts" / gone / "record.json").unlink()
    run(manifest, small, tmp_path, disk=disk)
    assert set(remote.images()) - set(shown) == {gone}, "what it is needed for brings it again"
    assert made_of(small) == made_of(whole)

    write_image(remote.served / f"{gone}.tif", np.zeros((64, 64), np.uint8))
    (small / "rois-parts" / gone / "record.json").unlink()
    with pytest.raises(
        NnbookError, match=rf"/{gone}\.tif: isn't the file any more that came from there before"
    ) as caught:
        run(manifest, small, tmp_path, disk=disk)
    assert f"delete {small / 'in' / gone}.tif.original.json" in str(caught.value)
    assert not (small / "in" / f"{gone}.tif").exists()


def test_images_of_the_users_own_stay(tmp_path: Path, remote: Remote) -> None:
    edition = tmp_path / "own"
    manifest = remote.manifest(edition)
    changed, before = edition / "in" / "p04.tif", edition / "in" / "p05.tif"
    write_image(before, np.full((64, 64), 7, np.uint8))
    run(manifest, edition, tmp_path)
    write_image(changed, np.full((64, 64), 8, np.uint8))
    own = {path: sha256(path) for path in (changed, before)}
    run(manifest, edition, tmp_path, disk=3 * remote.size, to="memory://originals/own")
    assert {path: sha256(path) for path in own} == own
    copied = fsspec.filesystem("memory").cat_file("/originals/own/results.csv")
    assert copied == (edition / "results.csv").read_bytes()
    with pytest.raises(NnbookError, match="to is for a call for all panoramas"):
        run(manifest, edition, tmp_path, choice=units.Choice(part=(1, 2)), to="memory://originals/own")
    assert len(here(edition)) < len(NAMES)


def test_what_does_not_fit_is_named(
    tmp_path: Path, remote: Remote, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(published, "REPRESENTATIVES", 3)
    edition = tmp_path / "build" / "own"
    call = ["run", str(remote.manifest(edition)), "--build", str(tmp_path / "build"), "--edition", "own"]
    assert main([*call, "--disk", f"{remote.size - 1}B"]) == 1
    lines = capsys.readouterr().err.splitlines()
    first = f"nnbook run: p00: {remote.address}/p00.tif has "
    assert any(line.startswith(first) and "and --disk is " in line for line in lines)
    assert here(edition) == []
    assert main([*call, "--disk", f"{2 * remote.size}B"]) == 1
    assert "panoramas that figures and the site show have" in capsys.readouterr().err
    assert (edition / "results.csv").is_file(), "all else is made"
    assert here(edition) == []
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"project": "max"}, "p00: is one plane of its file"),
        ({"truth": "drawn/p00.tif", "mask": ""}, "p00: has outlines to compare with"),
    ]
    for change, told in wrong:
        rows = [replace(remote.rows(edition)[0], **change)]
        write_manifest(tmp_path / "own.csv", rows)
        assert main([*call[:1], str(tmp_path / "own.csv"), *call[2:], "--disk", "1GB"]) == 1
        assert f"{told}, for which its image has to stay; leave --disk out" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main([*call, "--disk", "much"])
    assert "'much' is no size" in capsys.readouterr().err


def test_a_server_that_fails_costs_its_panoramas_until_it_serves_again(
    tmp_path: Path, whole: Path, remote: Remote, capsys: pytest.CaptureFixture[str]
) -> None:
    edition = tmp_path / "own"
    remote.answers |= {"/p02.tif": [500] * 100, "/p03.tif": [403] * 100, "/p04.tif": [503, 503]}
    manifest, disk = remote.manifest(edition), 3 * remote.size
    with pytest.raises(NnbookError) as caught:
        run(manifest, edition, tmp_path, disk=disk)
    lines = dict(zip(["p02", "p03"], str(caught.value).splitlines(), strict=True))
    assert "p02.tif: can't be downloaded (the host answers 500)" in lines["p02"]
    assert lines["p02"].endswith("(tried 3 times)")
    assert lines["p03"] == (
        f"{remote.address}/p03.tif: can't be downloaded (the host answers 403); get the right to read it, or a new "
        "credential"
    )
    asked = remote.images()
    assert (asked.count("p02"), asked.count("p03")) == (9, 1), "asking again does not help without a right"
    assert not (edition / "results.csv").exists()
    made = {path.parent.name: path.stat().st_mtime_ns for path in edition.glob("cells-parts/*/record.json")}
    assert sorted(made) == [name for name in NAMES if name not in lines]
    remote.answers.clear()
    run(manifest, edition, tmp_path, disk=disk)
    assert "make: 2/2 " in capsys.readouterr().err
    now = {path.parent.name: path.stat().st_mtime_ns for path in edition.glob("cells-parts/*/record.json")}
    assert {name: now[name] for name in made} == made, "what was done stays"
    assert made_of(edition) == made_of(whole)


def test_the_next_images_come_while_others_are_worked_on(
    tmp_path: Path, remote: Remote, monkeypatch: pytest.MonkeyPatch
) -> None:
    there: list[int] = []

    def work(job: tuple[Panorama, int | None], **_: Any) -> None:
        edition = tmp_path / "own"
        until = time.monotonic() + 20
        while len(here(edition)) < min(3, len(NAMES) - len(there)) and time.monotonic() < until:
            time.sleep(0.005)
        there.append(len(here(edition)))
        raise NnbookError(f"{job[0].panorama}: enough")

    monkeypatch.setattr("nnbook.pipeline.panoramas._make_panorama", work)
    with pytest.raises(NnbookError, match="p00: enough"):
        run(remote.manifest(tmp_path / "own"), tmp_path / "own", tmp_path, disk=4 * remote.size)
    assert len(there) == len(NAMES)
    assert min(there[:3]) >= 3
    assert max(there) <= 4
