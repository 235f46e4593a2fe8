"""The command that completes others in a shell."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from nnbook.cli.options import add_command

if TYPE_CHECKING:
    import argparse

    from nnbook.cli.options import Commands

SHELLS: Final = ("bash", "zsh", "fish")


def add_completion(commands: Commands, program: argparse.ArgumentParser) -> None:
    """Add `nnbook completion`, which knows all commands of a program that have been added to it."""

    def complete(call: argparse.Namespace) -> None:
        import shtab

        for parser in (program, *commands.choices.values()):
            for action in parser._actions:  # noqa: SLF001 - argparse lists them nowhere else
                if action.type is Path:
                    action.complete = shtab.FILE  # type: ignore[attr-defined]  # where shtab looks for it
        print(shtab.complete(program, call.shell))

    command = add_command(
        commands,
        "completion",
        complete,
        "Write the script with which a shell completes commands, options and paths.",
        "bash > ~/.local/share/bash-completion/completions/nnbook",
        "zsh > ~/.zfunc/_nnbook   # in a folder of fpath",
        "fish > ~/.config/fish/completions/nnbook.fish",
    )
    command.add_argument("shell", choices=SHELLS, help="the shell")
