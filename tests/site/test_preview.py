"""The live preview: what an author writes shows within seconds, and nothing of it stays behind."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import psutil
import pytest
from reader import BOOK, copy_book

from nnbook.io.files import write_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# On a quiet machine each takes two seconds; one that does other things beside is no fault of the preview's.
PATIENCE_SECONDS = 60
ANSI = re.compile(r"\x1b\[[0-9;]*m")
ADDRESS = re.compile(r"http://(?:localhost|127\.0\.0\.1):\d+")
NUMBER = "987,654,321"
Found = TypeVar("Found")
SENTENCE = "A sentence that was written while the preview ran."


def until(found: Callable[[], Found]) -> Found:
    """Ask again and again, until there is an answer or the time is over."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not (answer := found()) and time.monotonic() < end:
        time.sleep(0.1)
    return answer


@pytest.fixture
def preview(tmp_path: Path) -> Iterator[tuple[Path, subprocess.Popen[bytes], str]]:
    """A copy of the book, the command that serves it, and the address that the command printed."""
    project, log = copy_book(tmp_path / "book"), tmp_path / "log"
    # MyST can't copy a linked folder twice, as it does whenever it builds all of a site again.
    for linked in [path for path in (project / "build" / "book").iterdir() if path.is_symlink()]:
        folder = linked.resolve()
        linked.unlink()
        linked.mkdir()
        for file in [*folder.glob("*.json"), *folder.glob("cells.parquet")]:
            shutil.copyfile(file, linked / file.name)
    command: list[str | Path] = [
        Path(sys.executable).parent / "nnbook",
        "site",
        f"build/{BOOK.resolve().name}",
        "--serve",
    ]
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=project, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    try:
        found = until(lambda: ADDRESS.findall(_read_log(log)))
        assert found, log.read_text(encoding="utf-8")
        yield project, process, found[-1]
    finally:
        family = []
        if process.poll() is None:
            family = [*psutil.Process(process.pid).children(recursive=True), psutil.Process(process.pid)]
        for member in family:
            member.kill()
        process.wait()


def test_an_edit_shows_and_nothing_stays_behind(preview: tuple[Path, subprocess.Popen[bytes], str]) -> None:
    project, process, address = preview
    assert until(lambda: "NucleusNet" in _read(address)), "the preview did not answer"
    assert SENTENCE not in _read(address)
    chapter = project / "chapters" / "index.md"
    chapter.write_text(f"{chapter.read_text(encoding='utf-8')}\n{SENTENCE}\n", encoding="utf-8")
    assert until(lambda: SENTENCE in _read(address)), "the edit did not show"
    family = psutil.Process(process.pid).children(recursive=True)
    assert len(family) >= 2, "MyST and the theme's server"
    process.send_signal(signal.SIGINT)
    process.wait(PATIENCE_SECONDS)
    _, alive = psutil.wait_procs(family, timeout=PATIENCE_SECONDS)
    assert alive == []
    with pytest.raises(URLError):
        urlopen(address, timeout=5)


def test_pages_of_other_sites_and_other_names_are_refused(preview: tuple[Path, subprocess.Popen[bytes], str]) -> None:
    _, process, address = preview
    assert until(lambda: "NucleusNet" in _read(address)), "the preview did not answer"
    ports = {
        connection.laddr.port
        for member in psutil.Process(process.pid).children(recursive=True)
        for connection in member.net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN
    }
    assert len(ports) == 2, "MyST's content server and the theme's"
    for port in ports:
        own = f"http://localhost:{port}"
        with urlopen(Request(f"{own}/config.json", headers={"Origin": own}), timeout=5) as answer:
            assert answer.status == 200
        for headers in ({"Origin": "https://other.example"}, {"Host": "other.example"}):
            with pytest.raises(HTTPError, match="403") as refused:
                urlopen(Request(f"{own}/config.json", headers=headers), timeout=5)
            refused.value.close()


def test_a_number_of_a_new_run_shows(preview: tuple[Path, subprocess.Popen[bytes], str]) -> None:
    project, _, address = preview
    assert until(lambda: "NucleusNet" in _read(address)), "the preview did not answer"
    path = project / "build" / "book" / "numbers.json"
    numbers = json.loads(path.read_text(encoding="utf-8"))
    numbers["published.variance.count"]["shown"] = NUMBER
    assert NUMBER not in _read(address)
    write_json(path, numbers)
    assert until(lambda: NUMBER in _read(address)), "the number did not show"


def _read_log(log: Path) -> str:
    return ANSI.sub("", log.read_text(encoding="utf-8", errors="replace"))


def _read(address: str) -> str:
    try:
        with urlopen(address, timeout=5) as answer:
            text: str = answer.read().decode("utf-8")
            return text
    except OSError as error:
        if close := getattr(error, "close", None):
            close()
        return ""
