"""Work that processes of their own do in tests: they import this module."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from nnbook.errors import MissingFileError, PassingError


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
