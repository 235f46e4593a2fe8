"""The code of README.md: Python runs, commands parse, and those that work offline in seconds run, on small files."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from command_lines import check_parses
from small_files import NAME, write_files

from nnbook.cli import main

ROOT = Path(__file__).parents[1]
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE | re.DOTALL)
PYTHON = [code for language, code in BLOCKS if language == "python"]
LINES = [
    shlex.split(line, comments=True) for language, code in BLOCKS if language == "sh" for line in code.splitlines()
]
COMMANDS = [line[1:] for line in LINES if line[0] == "nnbook"]
UVX = [line[line.index("nnbook") + 1 :] for line in LINES if line[0] == "uvx"]
TARGETS = [line[1:] for line in LINES if line[0] == "make"]

NOT_RUN = {
    "status": "needs an edition that was made",
    "run": "makes a whole edition",
    "notebook": "needs an edition that was made",
    "train": "takes minutes",
    "denoise": "takes a minute",
    "gui": "runs until it is ended",
    "segment new/ --model mine --out masks": "needs the model that was trained",
    "export-model --model mine --out mine.onnx": "needs the model that was trained",
    "try --model mine --out segment.html": "needs the model that was trained",
    "site": "builds the book, with Node",
    "datasets get bbbc039 --out sets/bbbc039": "needs the network",
    "datasets get dsb2018 --local stage1_train --out sets/dsb2018": "needs that data set",
    "datasets check": "needs the network",
    "audit": "needs a repository",
    "pull": "needs the network",
    "cells --import ten-thousand --out published": "needs what was pulled",
    "push": "needs the network and a token; its dry run is run",
    "crate": "needs an edition that was made",
}
SHORTER = {
    "segment image.tif": "segment image.tif --out apart",  # all that is in masks is compared with the truth later
    "-k 10": "-k 1",  # there is one panorama
    " --diameter auto": "",  # runs the network at many scales, for minutes
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_files(tmp_path_factory.mktemp("readme"))


def is_run(command: list[str]) -> bool:
    text = shlex.join(command)
    return "--dry-run" in command or not (command[0] in NOT_RUN or text in NOT_RUN)


def test_every_block_is_read_and_every_reason_is_of_a_command() -> None:
    assert {language for language, _ in BLOCKS} == {"python", "sh"}
    assert [line for line in LINES if line[0] not in {"nnbook", "make", "uvx"}] == [["pip", "install", "nnbook-*.whl"]]
    assert [command for command in UVX if command not in COMMANDS] == []
    named = {command[0] for command in COMMANDS} | {shlex.join(command) for command in COMMANDS}
    assert NOT_RUN.keys() <= named
    assert len(PYTHON) >= 4
    assert sum(map(is_run, COMMANDS)) >= 10


@pytest.mark.parametrize("code", PYTHON, ids=lambda code: code.splitlines()[0])
def test_python_runs(code: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setattr("nnbook.viewers.widgets.BUNDLES", folder / "bundles")
    exec(compile(code, "README.md", "exec"), {"__name__": "__main__"})  # noqa: S102 - our own text


@pytest.mark.parametrize("command", COMMANDS, ids=shlex.join)
def test_commands_parse(command: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    check_parses(command, monkeypatch)


def test_commands_run(tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the order of the text, in a folder that has images and true masks only."""
    for name in ("images", "truth"):  # one image, for the network takes seconds
        (tmp_path / name).mkdir()
        shutil.copy(folder / name / f"{NAME}.tif", tmp_path / name)
    shutil.copytree(tmp_path / "images", tmp_path / "data" / "images")
    shutil.copytree(tmp_path / "truth", tmp_path / "data" / "labels")
    shutil.copytree(folder / "stacks", tmp_path / "stacks")
    shutil.copy(folder / "images" / f"{NAME}.tif", tmp_path / "image.tif")
    monkeypatch.chdir(tmp_path)
    for command in filter(is_run, COMMANDS):
        text = shlex.join(command)
        for asked, run in SHORTER.items():
            text = text.replace(asked, run)
        assert main(shlex.split(text)) == 0, text


@pytest.mark.parametrize("target", TARGETS, ids=shlex.join)
def test_make_knows_the_target(target: list[str]) -> None:
    done = subprocess.run(["make", "--dry-run", *target], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
