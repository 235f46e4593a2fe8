"""Pulling from and pushing to a hub on this machine, with the real client libraries, in processes of their own."""

import errno
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import tifffile
import zarr
from filelock import FileLock
from hub_server import Handler, Hub, HubServer
from PIL import Image

from nnbook.errors import NnbookError
from nnbook.hub.client import _PatientClient, explain, pause_of
from nnbook.hub.download import cell_file_name, draw_from_shards, tiff_of
from nnbook.io.files import sha256

ID = "lab/nuclei"

# The libraries take a second to import: a process that has them forks for each command. A hub's pauses are cut short.
WORKER = """
import json, os, sys, traceback
import datasets, huggingface_hub, pandas, PIL.Image, tifffile
import nnbook.hub.client, nnbook.hub.download, nnbook.hub.upload
from datasets.packaged_modules.parquet import parquet
from nnbook.cli import main

def tell_outside(event, details):
    host = details[1][0] if event == "socket.connect" else details[0] if event == "socket.getaddrinfo" else "127.0.0.1"
    if host != "127.0.0.1":
        print(event, host, file=open(sys.argv[1], "a"))

sys.addaudithook(tell_outside)
for line in sys.stdin:
    call = json.loads(line)
    pid = os.fork()
    if not pid:
        for number, name in ((1, "out"), (2, "err")):
            os.dup2(os.open(call[name], os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
        os.environ.update(call["environment"])
        for name, value in call["hub"].items():
            setattr(nnbook.hub.client, name, value)
        status = 70
        try:
            status = main(call["arguments"])
        except SystemExit as exit:
            status = exit.code
        except BaseException:
            traceback.print_exc()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    print(pid, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
"""


@dataclass
class Outcome:
    status: int
    out: str
    err: str

    @property
    def told(self) -> str:
        """The one line that a failed command ends with; the rest is progress."""
        lines = [line for line in self.err.replace("\r", "\n").splitlines() if line.startswith("nnbook ")]
        assert len(lines) == 1, self.err
        assert "Traceback" not in self.err
        return lines[0]


class Commands:
    """Runs nnbook's commands against the hub."""

    def __init__(self, folder: Path, address: str) -> None:
        self.folder, self.hub_home = folder, folder / "hf"
        environment = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
        environment |= {"HF_ENDPOINT": address, "HF_HOME": str(self.hub_home), "USE_TORCH": "0"}
        self.outside = folder / "outside"
        self.process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", WORKER, str(self.outside)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        self.running: Callable[[int], None] = lambda _: None

    def __call__(self, *arguments: object, token: str = "", patience_s: float = 3) -> Outcome:
        out, err = self.folder / "stdout", self.folder / "stderr"
        call = {
            "arguments": [str(argument) for argument in arguments],
            "environment": {"HF_TOKEN": token},
            "hub": {"PATIENCE_S": patience_s, "PAUSES_S": [0.01] * 3},
            "out": str(out),
            "err": str(err),
        }
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print(json.dumps(call), file=self.process.stdin, flush=True)
        self.running(int(self.process.stdout.readline()))
        return Outcome(int(self.process.stdout.readline()), out.read_text(), err.read_text())

    def close(self) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.stdout.close()
        assert self.process.wait(10) == 0


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Hub, Commands]]:
    hub = Hub()
    with HubServer(hub) as server:
        commands = Commands(tmp_path_factory.mktemp("commands"), server.address)
        yield hub, commands
        commands.close()
        assert not commands.outside.exists(), f"others were asked: {commands.outside.read_text()}"


@pytest.fixture
def hub(served: tuple[Hub, Commands]) -> Hub:
    hub, commands = served
    hub.repositories.clear()
    hub.uploaded.clear()
    hub.requests.clear()
    hub.fail, hub.sent, commands.running = None, 0, lambda _: None
    return hub


@pytest.fixture
def nnbook(served: tuple[Hub, Commands]) -> Commands:
    return served[1]


def cell(seed: int, *, noise: int = 20) -> np.ndarray[Any, np.dtype[np.uint8]]:
    image = np.zeros((256, 256), np.uint8)
    image[100 : 100 + noise, 100 : 100 + noise] = np.random.default_rng(seed).integers(1, 255, (noise, noise))
    return image


def tiff(image: np.ndarray[Any, Any], **options: Any) -> bytes:
    file = io.BytesIO()
    tifffile.imwrite(file, image, metadata=None, **options)
    return file.getvalue()


def parquet(
    images: list[Any], names: list[Any], *, group: int = 10, kind: str = "Image", **columns: list[Any]
) -> bytes:
    """Return a Parquet file as the library `datasets` writes it."""
    plain = {"filename": names, **columns}
    types = {"image": {"_type": kind} if kind == "Image" else {"_type": "Value", "dtype": kind}}
    values = {name: pa.array(entries) for name, entries in plain.items()}
    types |= {name: {"_type": "Value", "dtype": str(array.type)} for name, array in values.items()}
    image = pa.struct({"bytes": pa.binary(), "path": pa.string()}) if kind == "Image" else pa.string()
    entries = [{"bytes": data, "path": None} for data in images] if kind == "Image" else images
    table = pa.table({"image": pa.array(entries, image), **values})
    info = json.dumps({"info": {"features": types}})
    file = io.BytesIO()
    pq.write_table(table.replace_schema_metadata({"huggingface": info}), file, row_group_size=group, compression="none")
    return file.getvalue()


def names_of(*runs: int, cells: int = 30) -> list[str]:
    return [f"Run{run}TL_top_left_ROI_{roi}.tif" for run in runs for roi in range(1, cells + 1)]


def collection(*runs: int, cells: int = 30, group: int = 10) -> dict[str, bytes]:
    """Return the files of a data set: a Parquet file a run, in row groups."""
    return {
        f"data/train-{at:05}-of-{len(runs):05}.parquet": parquet(
            [tiff(cell(1000 * run + roi)) for roi in range(1, cells + 1)],
            names_of(run, cells=cells),
            group=group,
            run=[run] * cells,
        )
        for at, run in enumerate(runs)
    }


def here(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def tiffs(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("*.tif")}


def cells_folder(folder: Path, *runs: int, cells: int = 30) -> Path:
    folder.mkdir()
    for run in runs:
        for roi, name in enumerate(names_of(run, cells=cells), 1):
            (folder / name).write_bytes(tiff(cell(1000 * run + roi)))
    return folder


def answers(status: int, times: int = 1_000_000, *, only: str = "", **headers: str) -> Callable[[Handler], bool]:
    """Make the hub answer its next requests, or those to an address, by a status."""
    left = [times]

    def fail(request: Handler) -> bool:
        if left[0] == 0 or only not in request.route or "agent-harnesses" in request.route:
            return False
        left[0] -= 1
        request.refuse(status, **{"Retry-After": "0", **{key.replace("_", "-"): text for key, text in headers.items()}})
        return True

    return fail


def breaks_off(times: int, *, only: str) -> Callable[[Handler], bool]:
    """Make the hub close the connection in the middle of its answers to some requests."""
    left = [times]

    def fail(request: Handler) -> bool:
        if left[0] == 0 or only not in request.route or request.command == "HEAD":
            return False
        left[0] -= 1
        request.break_off(b"half of it")
        return True

    return fail


def test_what_is_pushed_is_pulled(hub: Hub, nnbook: Commands, tmp_path: Path) -> None:
    made = cells_folder(tmp_path / "made", 2, 11)
    call = ["push", made, ID, "--licence", "cc-by-4.0", "--about", "Simulated cells, for a test.", "--json"]
    pushed = nnbook(*call, token=hub.token)
    assert pushed.status == 0, pushed.err
    said = json.loads(pushed.out)
    repository = hub.repositories[ID]
    assert (said["cells"], said["private"], repository.private) == (60, True, True), "a new data set is private"
    assert said["commit"] == repository.head
    card = repository.commits[repository.head]["README.md"].decode()
    front = card.split("---")[1]
    assert "license: cc-by-4.0" in front
    assert "n<1K" in front
    assert "- simulated" in front
    assert "Simulated cells, for a test." in card
    assert "Barkley" in card

    pulled = nnbook("pull", ID, "--out", tmp_path / "out", "--json", token=hub.token)
    assert pulled.status == 0, pulled.err
    assert tiffs(tmp_path / "out") == tiffs(made)
    assert here(tmp_path / "out") == sorted([*names_of(2, 11), "cells.parquet", "pull.json"])
    table = pd.read_parquet(tmp_path / "out" / "cells.parquet")
    assert [f"{name}.tif" for name in table["cell"]] == names_of(2, 11), "rows are in order of run and ROI"
    assert table["run"].tolist() == [2] * 30 + [11] * 30
    record = json.loads((tmp_path / "out" / "pull.json").read_text())
    assert record["commit"] == said["commit"]
    assert record["files"] == {name: sha256(made / name) for name in names_of(2, 11)}

    # The token went to the hub, and nowhere else.
    assert {request.token for request in hub.requests} >= {hub.token}
    for outcome in (pushed, pulled):
        assert hub.token not in outcome.out + outcome.err
    written = [path for folder in (tmp_path, nnbook.folder) for path in folder.rglob("*") if path.is_file()]
    assert len(written) > 120
    assert not [path for path in written if hub.token.encode() in path.read_bytes()]


def test_a_draw_reads_a_part_and_follows_its_seed(hub: Hub, nnbook: Commands, tmp_path: Path) -> None:
    files = {
        f"data/train-{at}.parquet": parquet(
            [tiff(cell(60 * at + row)) for row in range(60)], [f"{at}_{row}.tif" for row in range(60)], group=20
        )
        for at in range(3)
    }
    hub.add(ID, files)
    size = sum(map(len, files.values()))
    assert size > 10e6, "less would be read ahead"

    def draw(out: str, seed: int) -> set[str]:
        call = ["pull", ID, "--out", tmp_path / out, "-n", 15, "--seed", seed]
        assert nnbook(*call).status == 0
        record = json.loads((tmp_path / out / "pull.json").read_text())
        assert [(shard["size"], shard["cells"]) for shard in record["shards"]] == [(20, 15)]
        return set(record["files"])

    first = draw("a", 1)
    assert hub.sent < size / 3, "most of the data set stays where it is"
    assert len(first) == 15
    assert draw("b", 1) == first
    assert draw("c", 2) != first


def test_a_revision_can_be_pinned(hub: Hub, nnbook: Commands, tmp_path: Path) -> None:
    old = hub.add(ID, collection(1))
    new = hub.add(ID, collection(7))
    for revision, commit, run in ((old, old, 1), ("main", new, 7)):
        out = tmp_path / revision
        assert nnbook("pull", ID, "--out", out, "--revision", revision).status == 0
        assert sorted(tiffs(out)) == sorted(names_of(run))
        assert json.loads((out / "pull.json").read_text())["commit"] == commit


def test_a_killed_pull_goes_on(hub: Hub, nnbook: Commands, tmp_path: Path) -> None:
    files = collection(1, 2, 3)
    hub.add(ID, files)
    call = ["pull", ID, "-n", 50, "--seed", 4, "--cells-per-shard", 10, "--out"]
    assert nnbook(*call, tmp_path / "whole").status == 0

    pids: list[int] = []
    nnbook.running = pids.append
    journal = tmp_path / "out" / "pull.jsonl"

    def kill(request: Handler) -> bool:
        # In the middle of the draw: when data are asked for after two shards are in place.
        if request.route.endswith(".parquet") and journal.exists() and journal.read_bytes().count(b"\n") == 3:
            os.kill(pids[0], signal.SIGKILL)
        return False

    hub.fail = kill
    assert nnbook(*call, tmp_path / "out").status == -signal.SIGKILL
    there = tiffs(tmp_path / "out")
    assert 20 <= len(there) < 50
    with journal.open("ab") as file:
        file.write(b'{"shard": 3, "si')  # as a write that was cut off
    hub.fail = None
    hub.add(ID, collection(9))  # what is begun is finished from the commit it was begun with
    other = nnbook("pull", ID, "-n", 7, "--out", tmp_path / "out")
    assert "out: holds another pull, which isn't finished; take another folder" in other.told
    written = {name: (tmp_path / "out" / name).stat().st_mtime_ns for name in sorted(there)[:20]}
    again = nnbook(*call, tmp_path / "out")
    assert again.status == 0, again.err
    assert tiffs(tmp_path / "out") == tiffs(tmp_path / "whole")
    for name in ("pull.json", "cells.parquet"):
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    kept = [name for name, time in written.items() if (tmp_path / "out" / name).stat().st_mtime_ns == time]
    assert len(kept) == 20
    assert not journal.exists()

    hub.requests.clear()
    assert nnbook(*call, tmp_path / "out").status == 0
    assert not [request for request in hub.requests if "resolve" in request.path], (
        "what is finished is not pulled again"
    )


def test_a_rate_limit_is_waited_out(hub: Hub, nnbook: Commands, tmp_path: Path) -> None:
    hub.add(ID, collection(1))
    asked: list[float] = []
    limit = answers(429, 1, Retry_After="1")

    def fail(request: Handler) -> bool:
        asked.append(time.monotonic())
        return limit(request)

    hub.fail = fail
    outcome = nnbook("pull", ID, "--out", tmp_path / "out")
    assert outcome.status == 0, outcome.err
    pauses = np.diff(asked)
    assert (pauses >= 1).sum() == 1, "one pause for the refusal, as long as the hub asks for"
    assert "rate limit, waiting" in outcome.err
    assert len(tiffs(tmp_path / "out")) == 30


@pytest.mark.parametrize("only", ["/api/datasets", ".parquet"])
def test_a_rate_limit_that_stays_ends_with_one_line(hub: Hub, nnbook: Commands, tmp_path: Path, only: str) -> None:
    hub.add(ID, collection(1))
    hub.fail = answers(429, only=only, RateLimit='"api";r=0;t=290', Retry_After="")
    outcome = nnbook("pull", ID, "--out", tmp_path / "out")
    assert outcome.status == 1
    assert "rate limit is reached (429), and it asks for a pause of 290 s; call again later" in outcome.told
    assert "127.0.0.1" in outcome.told
    assert tiffs(tmp_path / "out") == {}


def test_a_broken_connection_is_made_again(hub: Hub, nnbook: Commands, tmp_path: Path) -> None:
    hub.add(ID, collection(1, 2))
    hub.fail = breaks_off(2, only=".parquet")
    outcome = nnbook("pull", ID, "--out", tmp_path / "out")
    assert outcome.status == 0, outcome.err
    assert len(tiffs(tmp_path / "out")) == 60


def test_a_connection_that_keeps_breaking_ends_with_one_line(hub: Hub, nnbook: Commands, tmp_path: Path) -> None:
    hub.add(ID, collection(1, 2))
    served = hub.repositories[ID].commits[hub.repositories[ID].head]
    whole = len(served["data/train-00000-of-00002.parquet"])

    def fail(request: Handler) -> bool:
        # The second file's end, which tells its shards, comes through; its cells don't.
        wanted = request.headers.get("Range", "")
        if "00001-of" in request.route and int(wanted.split("=")[1].split("-")[0]) < whole // 2 and hub.sent > whole:
            request.break_off(b"half of it")
            return True
        return False

    hub.fail = fail
    outcome = nnbook("pull", ID, "--out", tmp_path / "out")
    assert outcome.status == 1
    assert "broke off 4 times (RemoteProtocolError); call again later, what is finished is kept" in outcome.told
    done = tiffs(tmp_path / "out")
    assert sorted(done) == sorted(names_of(1))
    hub.fail = None
    assert nnbook("pull", ID, "--out", tmp_path / "out").status == 0
    assert sorted(tiffs(tmp_path / "out")) == sorted(names_of(1, 2))


@pytest.mark.parametrize(
    ("call", "fail", "token", "told"),
    [
        (["pull", "lab/none"], None, "", "lab/none: doesn't exist or is private; check the id"),
        (["pull", "lab/none"], None, "right", "lab/none: doesn't exist or is private; check the id"),
        (["pull", ID], None, "wrong", f"{ID}: the hub refuses the token (401); log in"),
        (["pull", ID], answers(403, X_Error_Code="GatedRepo"), "", f"{ID}: is gated; accept its terms"),
        (["pull", ID, "--revision", "v9"], None, "", f"{ID}: has no such revision; give a branch, tag or commit"),
        (["pull", ID], answers(503), "", "broke off 4 times (status 503)"),
        (["pull", "nuclei"], None, "", "nuclei: is no id of a data set"),
        (["pull", "../../nuclei"], None, "", "../../nuclei: is no id of a data set"),
        (["pull", ID, "-n", "31"], None, "", "-n 31: the data set has 30 cells; ask for no more"),
        (["pull", ID, "-n", "0"], None, "", "-n 0: must be at least 1"),
    ],
)
def test_what_the_hub_refuses_is_one_line(
    hub: Hub, nnbook: Commands, tmp_path: Path, call: list[str], fail: Any, token: str, told: str
) -> None:
    hub.add(ID, collection(1))
    hub.fail = fail
    sent = {"right": hub.token, "wrong": "hf_another", "": ""}[token]
    outcome = nnbook(*call, "--out", tmp_path / "out", token=sent)
    assert outcome.status == 1
    assert told in outcome.told
    assert outcome.out == ""
    assert not sent or sent not in outcome.err
    assert "pull.json" not in here(tmp_path / "out")


TIFF = tiff(cell(1))


@pytest.mark.parametrize(
    ("image", "name", "told"),
    [
        (tiff(cell(1)[:255]), "a.tif", "a.tif: is 256 x 255 px, mode L, 1 page(s); a cell image has 256 x 256 px"),
        (TIFF[: len(TIFF) // 2], "a.tif", "a.tif: can't be read as an image; it is cut off"),
        (None, "a.tif", "a.tif has no image in column 'image'"),
        (TIFF, "../a.tif", "names a cell '../a.tif', which is no plain file name"),
        (TIFF, "/tmp/a.tif", "names a cell '/tmp/a.tif', which is no plain file name"),  # noqa: S108
        (TIFF, "RUN1TL_TOP_LEFT_ROI_1.png", "has two cells of the name RUN1TL_TOP_LEFT_ROI_1.tif"),
    ],
)
def test_a_wrong_cell_is_one_line_and_goes_nowhere(
    hub: Hub, nnbook: Commands, tmp_path: Path, image: bytes | None, name: str | None, told: str
) -> None:
    hub.add(ID, {"data/train-0.parquet": parquet([TIFF, image], [names_of(1)[0], name], group=1)})
    outcome = nnbook("pull", ID, "--out", tmp_path / "pulled" / "out")
    assert outcome.status == 1
    assert told in outcome.told
    assert ID in outcome.told
    assert here(tmp_path) == ["pulled"]
    assert here(tmp_path / "pulled") == [".out.lock", "out"]
    assert here(tmp_path / "pulled" / "out") == [names_of(1)[0], "pull.jsonl"]
    assert not Path("/tmp/a.tif").exists()  # noqa: S108


@pytest.mark.parametrize(
    ("file", "told"),
    [
        (parquet(["text"], ["a.tif"], kind="string"), "its column 'image' holds no images"),
        (collection(1)["data/train-00000-of-00001.parquet"][:-100], "can't be used (ArrowInvalid"),
        (b"", "can't be used"),
    ],
)
def test_a_wrong_table_is_one_line(hub: Hub, nnbook: Commands, tmp_path: Path, file: bytes, told: str) -> None:
    hub.add(ID, {"data/train-0.parquet": file})
    outcome = nnbook("pull", ID, "--out", tmp_path / "out")
    assert outcome.status == 1
    assert f"{ID}: {told}" in outcome.told
    assert here(tmp_path / "out") == []


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ({"picture": ["a"], "filename": ["a.tif"]}, "has no column 'image' but picture, filename"),
        ({"image": [{"bytes": TIFF, "path": None}], "name": ["a"]}, "names a cell 'None', which is no plain file name"),
    ],
)
def test_a_missing_column_is_named(
    hub: Hub, nnbook: Commands, tmp_path: Path, columns: dict[str, list[Any]], told: str
) -> None:
    file = io.BytesIO()
    pq.write_table(pa.table(columns), file)
    hub.add(ID, {"data/train-0.parquet": file.getvalue()})
    outcome = nnbook("pull", ID, "--out", tmp_path / "out")
    assert outcome.status == 1
    assert told in outcome.told


def test_other_formats_are_pulled_too(hub: Hub, nnbook: Commands, tmp_path: Path) -> None:
    image = cell(5)
    png = io.BytesIO()
    Image.fromarray(image).save(png, "PNG")
    lines = ["file_name,filename,run", *(f"{at}.png,cell_{at}.png,{at}" for at in range(3))]
    files = {f"{at}.png": png.getvalue() for at in range(3)}
    hub.add(ID, {"metadata.csv": "\n".join(lines).encode(), **files})
    hub.add("lab/plain", files)
    for dataset, name in ((ID, "cell_{}.tif"), ("lab/plain", "{}.tif")):
        out = tmp_path / dataset
        outcome = nnbook("pull", dataset, "--out", out)
        assert outcome.status == 0, outcome.err
        assert sorted(tiffs(out)) == [name.format(at) for at in range(3)]
        np.testing.assert_array_equal(tifffile.imread(out / name.format(1)), image)


def test_a_folder_in_other_use_is_left_alone(hub: Hub, nnbook: Commands, tmp_path: Path) -> None:
    hub.add(ID, collection(1))
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    assert "mine: holds other files; take a new or empty folder" in nnbook("pull", ID, "--out", tmp_path / "mine").told
    assert here(tmp_path / "mine") == ["notes.txt"]

    assert nnbook("pull", ID, "--out", tmp_path / "out").status == 0
    other = nnbook("pull", ID, "-n", 5, "--out", tmp_path / "out")
    assert "out: holds another pull (see pull.json); take another folder" in other.told

    with FileLock(tmp_path / ".busy.lock"):
        assert "busy: another process is writing it" in nnbook("pull", ID, "--out", tmp_path / "busy").told


def test_a_store_is_pushed_with_its_measurements(hub: Hub, nnbook: Commands, tmp_path: Path) -> None:
    note, store = "Simulated edition: every image here was drawn.", tmp_path / "store"
    images = np.stack([cell(at) for at in range(3)])
    for name, array in (("images", images), ("thumbnails", images[:, ::4, ::4])):
        zarr.create_array(store / "cells.zarr" / name, data=array)
    measured = pd.DataFrame({"cell": ["a_ROI_1", "a_ROI_3", "b_ROI_2"], "run": [1, 1, 2], "area_um2": [9.5, 8.25, 7.0]})
    measured.to_parquet(store / "cells.parquet")
    about = {"note": note, "px_per_um": 8.0453, "cells": 3, "left_out": {"at_border": 11, "larger_than_frame": 2}}
    places = {"images": "cells.zarr/images", "thumbnails": "cells.zarr/thumbnails", "table": "cells.parquet"}
    (store / "cells.json").write_text(json.dumps(about | places))
    outcome = nnbook("push", store, ID, "--licence", "cc0-1.0", "--dry-run", tmp_path / "dry")
    assert outcome.status == 0, outcome.err
    assert hub.requests == []
    card = (tmp_path / "dry" / "README.md").read_text()
    for said in (note, "- simulated\n", "nucleus, simulated", "8.0453 px/µm", "at border: 11", "larger than frame: 2"):
        assert said in card
    [file] = (tmp_path / "dry" / "data").iterdir()
    pushed = pq.read_table(file).to_pandas()
    assert pushed["filename"].tolist() == ["a_ROI_1.tif", "a_ROI_3.tif", "b_ROI_2.tif"]
    assert [image["path"] for image in pushed["image"]] == pushed["filename"].tolist()
    for image, pixels in zip(pushed["image"], images, strict=True):
        np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(image["bytes"]))), pixels)
    pd.testing.assert_frame_equal(pushed[["run", "area_um2"]], measured[["run", "area_um2"]])


def test_push_refuses_before_it_sends(hub: Hub, nnbook: Commands, tmp_path: Path) -> None:
    made = cells_folder(tmp_path / "made", 1)
    call = ["push", made, ID, "--licence", "mit", "--about", "Simulated cells."]
    assert f"{ID}: there is no token to write with; log in" in nnbook(*call).told
    assert hub.requests == [], "without a token, nothing is asked"
    assert f"{ID}: the hub refuses the token (401)" in nnbook(*call, token="hf_another").told  # noqa: S106
    assert "is no licence's name on the hub" in nnbook(*call, "--licence", "CC BY", token=hub.token).told
    assert "say so, for the data set's card, with --about" in nnbook(*call[:5], token=hub.token).told
    (made / "Run1TL_top_left_ROI_99.tif").write_bytes(TIFF[:500])
    assert "ROI_99.tif: can't be read as an image" in nnbook(*call, token=hub.token).told
    (made / "Run1TL_top_left_ROI_99.tif").unlink()
    hub.fail = answers(403, only="/api/repos/create")
    assert f"{ID}: the hub forbids it (403); use a token that has the right to" in nnbook(*call, token=hub.token).told
    assert hub.repositories == {}
    assert hub.uploaded == {}


def test_push_replaces_only_when_told(hub: Hub, nnbook: Commands, tmp_path: Path) -> None:
    old = hub.add(ID, collection(7))
    made = cells_folder(tmp_path / "made", 1)
    call = ["push", made, ID, "--licence", "mit", "--about", "Simulated cells.", "--public"]
    refused = nnbook(*call, token=hub.token)
    assert refused.status == 1
    assert f"{ID}: holds 1 file(s) already; take another name, or allow --overwrite" in refused.told
    assert hub.repositories[ID].head == old

    dry = nnbook(*call, "--dry-run", tmp_path / "dry", "--json")
    assert json.loads(dry.out) == {"dataset": ID, "cells": 30, "dry_run": str(tmp_path / "dry")}
    assert hub.repositories[ID].head == old

    pushed = nnbook(*call, "--overwrite", token=hub.token)
    assert pushed.status == 0, pushed.err
    files = hub.repositories[ID].commits[hub.repositories[ID].head]
    assert sorted(files) == [".gitattributes", "README.md", "data/train-00000-of-00001.parquet"]
    dried = {path.relative_to(tmp_path / "dry").as_posix(): path.read_bytes() for path in tmp_path.glob("dry/**/*.*")}
    assert {name: files[name] for name in dried} == dried, "a dry run writes what is pushed"
    assert len(dried) == 2
    assert hub.repositories[ID].commits[old], "history keeps what was replaced"


def test_a_broken_push_goes_on(hub: Hub, nnbook: Commands, tmp_path: Path) -> None:
    made = cells_folder(tmp_path / "made", 1)
    call = ["push", made, ID, "--licence", "mit", "--about", "Simulated cells.", "--public"]
    hub.fail = answers(500, 1, only="/upload/")
    assert nnbook(*call, token=hub.token, patience_s=30).status == 0, "an upload that breaks is made again"
    assert not hub.repositories[ID].private
    hub.repositories.clear()
    hub.uploaded.clear()

    hub.fail = answers(500, only="/commit/")
    broken = nnbook(*call, token=hub.token)
    assert broken.status == 1
    assert "broke off while making the commit (status 500); look whether it is on the data set's page" in broken.told
    assert len(hub.uploaded) == 1
    hub.fail = None
    hub.requests.clear()
    again = nnbook(*call, token=hub.token)
    assert again.status == 0, again.err
    assert not [request for request in hub.requests if request.method == "PUT"], "what was sent is not sent again"

    def change(request: Handler) -> bool:
        if "/commit/" in request.route:
            hub.add(ID, collection(5))
        return False

    hub.fail = change
    lost = nnbook(*call, "--overwrite", token=hub.token)
    assert lost.status == 1
    assert f"{ID}: was changed at the same time by someone else (412)" in lost.told


def test_nothing_at_the_address_is_told_at_once() -> None:
    # Nothing ever listens on port 1 of this machine.
    with (
        _PatientClient() as client,
        pytest.raises(NnbookError, match=r"127\.0\.0\.1: can't be reached \(ConnectError\)"),
    ):
        client.get("http://127.0.0.1:1/api/datasets/lab/nuclei")


@pytest.mark.parametrize(
    ("headers", "pause"),
    [
        ({"Retry-After": "7"}, 7),
        ({"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0),
        ({"Retry-After": "soon"}, 30),
        ({"RateLimit": '"api";r=0;t=55'}, 55),
        ({}, 30),
    ],
)
def test_the_pause_that_a_hub_asks_for(headers: dict[str, str], pause: float) -> None:
    assert pause_of(httpx2.Headers(headers)) == pause


def test_shards_give_alike_and_the_rest_makes_up_for_small_ones() -> None:
    sizes = {0: 500, 1: 30, 2: 500}

    def drawn(n: int, cells_per_shard: int) -> list[tuple[int, int, int]]:
        steps: list[tuple[int, int, int]] = []

        def take(shard: int, first: int, count: int) -> tuple[int, int]:
            steps.append((shard, first, min(count, sizes[shard] - first)))
            return steps[-1][2], sizes[shard]

        draw_from_shards([2, 0, 1], n, cells_per_shard, take)
        return steps

    assert drawn(150, 100) == [(2, 0, 100), (0, 0, 50)]
    assert drawn(300, 10) == [(2, 0, 100), (0, 0, 100), (1, 0, 30), (2, 100, 35), (0, 100, 35)]
    assert sum(count for _, _, count in drawn(1030, 1)) == 1030
    with pytest.raises(NnbookError, match="-n 1031: the data set has 1030 cells"):
        drawn(1031, 1)


def test_a_tiff_stays_as_it_is_and_another_format_becomes_one() -> None:
    assert tiff_of(TIFF, "a") is TIFF
    image, png = cell(3), io.BytesIO()
    Image.fromarray(image).save(png, "PNG")
    np.testing.assert_array_equal(tifffile.imread(io.BytesIO(tiff_of(png.getvalue(), "a"))), image)
    assert tiff_of(png.getvalue(), "a") == tiff_of(png.getvalue(), "b"), "the same pixels give the same bytes"
    assert cell_file_name("Run1TL_top_left_ROI_2.tiff", ID) == "Run1TL_top_left_ROI_2.tif"
    assert cell_file_name("v1.2", ID) == "v1.2.tif"


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (tiff(np.stack([cell(1)] * 3, axis=-1), photometric="rgb"), "mode RGB"),
        (tiff(cell(1).astype(np.uint16)), "mode I;16"),
        (tiff(np.stack([cell(1), cell(2)]), photometric="minisblack"), r"2 page\(s\)"),
        (tiff(np.zeros((40_000, 10), np.uint8)), "is 10 x 40000 px"),
        (b"<html>busy</html>", "can't be read as an image; it is cut off, damaged or no TIFF"),
        (b"", "can't be read as an image"),
    ],
)
def test_what_is_no_cell_image_is_refused(data: bytes, told: str) -> None:
    with pytest.raises(NnbookError, match=told):
        tiff_of(data, "a.tif")


@pytest.mark.parametrize(
    "name", ["", ".", "..", ".tif", "a/b.tif", "a\\b.tif", "/a.tif", "a\n.tif", "a\0.tif", "a" * 300, "..\\a", None, 7]
)
def test_what_is_no_plain_name_is_refused(name: object) -> None:
    with pytest.raises(NnbookError, match="which is no plain file name"):
        cell_file_name(name, ID)


def test_an_error_that_has_the_token_is_told_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    told = str(explain(ValueError("the header 'Bearer hf_secret' is wrong"), ID))
    assert told.startswith(f"{ID}: can't be used (ValueError: the header 'Bearer TOKEN' is wrong)")


def test_a_full_disk_is_no_matter_of_the_hub() -> None:
    error = OSError(errno.ENOSPC, "No space left on device")
    assert explain(error, ID) is error


def test_the_command_line_starts_without_the_libraries() -> None:
    code = "import sys, nnbook.cli; print(sorted({'datasets', 'huggingface_hub', 'httpx2'} & set(sys.modules)))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"
