"""The command `nnbook gui`, and the page that it serves."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROGRAM = "import sys; from nnbook.cli import main; sys.exit(main())"
COMMAND = [sys.executable, "-c", PROGRAM, "gui"]


@contextmanager
def gui_served(folder: Path, method: str, *, before: str = "") -> Iterator[str]:
    """Start the command with a folder of images, after some code; yield the address that it prints, then end it."""
    command = [sys.executable, "-c", before + PROGRAM, "gui", str(folder), "--method", method, "--no-browser", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        text = ""
        for line in process.stdout:
            text += line
            if line == "}\n":
                break
        try:
            yield json.loads(text)["address"]
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=30) == 0, "to be ended is how it is meant to end"
