"""Work that processes of their own do in tests: they import this module."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

from nnbook.errors import MissingFileError, PassingError

if TYPE_CHECKING:
    from multiprocessing.connection import Connection


def work(job: tuple[str, str]) -> tuple[str, int]:
    """Do what a job says, and note in its file that it was tried; return its threads and process."""
    kind, file = job
    with Path(file).open("a", encoding="utf-8") as notes:
        notes.write("x")
    tries = Path(file).stat().st_size
    if kind == "kill" or (kind == "kill once" and tries == 1):
        os.kill(os.getpid(), signal.SIGKILL)
    if kind == "slow":
        time.sleep(0.3)
    if kind == "exit":
        os._exit(3)
    if kind == "bad":
        raise MissingFileError(f"{file}: no such image; get it")
    if kind == "defect":
        raise ZeroDivisionError("seven by nothing")
    if kind == "passes" and tries < 3:
        raise PassingError("the host says nothing")
    if kind == "never passes":
        raise ConnectionResetError(104, "Connection reset by peer")
    if kind == "full":
        raise OSError(28, "No space left on device", file)
    return os.environ.get("NUMBA_NUM_THREADS", ""), os.getpid()


def steps_without_end(sender: Connection, folder: Path, model_path: Path, _settings: object) -> None:
    """Stand in for training that takes hours."""
    assert len(list((folder / "masks").iterdir())) == 2
    for file in (model_path.with_name(f"{model_path.name}.checkpoint"), model_path.with_name("other")):
        file.touch()
    for step in range(1, 100_000):
        sender.send(step)
        time.sleep(0.02)
