"""The examples in the help of commands: all of them parse, and those that work offline in seconds run."""

from __future__ import annotations

import argparse
import re
import shlex
import subprocess
from typing import TYPE_CHECKING

import pytest
from command_lines import check_parses

from nnbook.cli import main
from nnbook.cli.program import GROUPS
from nnbook.io.images import write_image, write_mask
from nnbook.simulation.panorama import simulate
from nnbook.values.published import PX_PER_UM

if TYPE_CHECKING:
    from pathlib import Path

NOT_RUN = {
    "twin --out simulated --seed 1": "takes a minute",
    "segment images/ --out masks --diameter auto": "runs the network at many scales, for minutes",
    "segment stacks/ --channel DAPI --project max --out masks": "the network takes seconds",
    "try": "exports the model; tests/site/test_standalone.py does",
    "train": "takes minutes",
    "denoise": "takes minutes",
    "compare": "starts a process for each method; tests/methods does",
    "gui": "runs until it is ended; tests/site/test_gui.py does",
    "cells --import pulled --out published": "needs what was pulled",
    "datasets get bbbc039 --out sets/bbbc039": "needs the network",
    "datasets get dsb2018 --local stage1_train --out sets/dsb2018": "needs that data set",
    "datasets check": "needs the network",
    "audit": "needs a repository",
    "pull": "needs the network",
    "push cells me/my-nuclei --licence cc-by-4.0 --public": "needs the network and a token",
    "run": "makes a whole edition",
    "notebook": "needs an edition that was made",
    "status": "needs an edition that was made",
    "check": "needs the book's folder",
    "site": "builds the book, with Node",
    "print": "builds the book, with Node",
    "crate": "needs an edition that was made",
    "new our-nuclei --images images --pattern '{condition}_{replicate}_*' --truth outlines": "needs such images",
    "add": "needs a book's folder",
    "completion": "one writes into the home folder; all three shells are tested below",
}


def helps() -> dict[str, str]:
    """Return the help of each command."""
    program = argparse.ArgumentParser()
    commands = program.add_subparsers()
    for registrars in GROUPS.values():
        for add in registrars:
            add(commands)
    return {name: command.format_help() for name, command in commands.choices.items()} | {"completion": ""}


HELPS = helps()


def examples_of(name: str, text: str) -> list[list[str]]:
    lines = re.findall(rf"^  nnbook ({name}\b.*)$", text.partition("\nexamples:\n")[2], re.MULTILINE)
    return [shlex.split(line, comments=True) for line in lines]


EXAMPLES = [example for name, text in HELPS.items() for example in examples_of(name, text)]


@pytest.mark.parametrize("name", sorted(HELPS))
def test_every_command_has_examples_in_its_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main([name, "--help"])
    assert caught.value.code == 0
    assert examples_of(name, capsys.readouterr().out) != []


def test_the_help_of_the_program_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--help"])
    assert caught.value.code == 0
    listed = capsys.readouterr().out
    assert [name for name in HELPS if not re.search(rf"^  {name}\b", listed, re.MULTILINE)] == []
    assert "95 % confidence" in " ".join(listed.split())


def is_run(example: list[str]) -> bool:
    return not (example[0] in NOT_RUN or shlex.join(example) in NOT_RUN)


def test_every_reason_is_of_an_example() -> None:
    named = {example[0] for example in EXAMPLES} | {shlex.join(example) for example in EXAMPLES} | {"completion"}
    assert NOT_RUN.keys() <= named
    assert len({example[0] for example in EXAMPLES if is_run(example)}) >= 12


@pytest.mark.parametrize("example", EXAMPLES, ids=shlex.join)
def test_examples_parse(example: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    check_parses(example, monkeypatch)


def test_examples_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """In the order of the program's help, in a folder that has one image and its true mask."""
    image, truth, _ = simulate(seed=12, width_px=640, height_px=512)
    write_image(tmp_path / "images" / "Run1TL_top_left.tif", image, px_per_um=PX_PER_UM)
    write_mask(tmp_path / "truth" / "Run1TL_top_left.tif", truth)
    monkeypatch.chdir(tmp_path)
    for example in filter(is_run, EXAMPLES):
        assert main(example) == 0, f"{shlex.join(example)}: {capsys.readouterr().err}"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_knows_commands_and_options(shell: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert {name for name in HELPS if name in script} == HELPS.keys()
    assert "cellprob-threshold" in script
    if shell == "bash":
        (tmp_path / "script").write_text(script, encoding="utf-8")
        ask = 'COMP_WORDS=(nnbook segment --diam); COMP_CWORD=2; _shtab_nnbook; echo "$COMPREPLY"'
        done = subprocess.run(
            ["bash", "-c", f"source {tmp_path}/script; {ask}"], capture_output=True, text=True, check=True
        )
        assert done.stdout == "--diameter\n"
