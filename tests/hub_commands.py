"""nnbook's commands against a hub on this machine, and the cells and data sets that tests pull and push."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import tifffile
from hub_server import Handler

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


TIFF = tiff(cell(1))
