"""What commands share: how one is added, options of several, how values are printed and errors worded.

An option's `dest` is the name of the parameter that its value is given to, which is how errors find the option.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nnbook.errors import InvalidValueError, NnbookError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable
    from typing import TypeAlias

    Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001 - argparse names its type no other way


def add_command(
    commands: Commands, name: str, handler: Callable[[argparse.Namespace], None], text: str
) -> argparse.ArgumentParser:
    """Add a command, which has the option `--json` like all others.

    Parameters
    ----------
    commands : argparse action
        What `ArgumentParser.add_subparsers` returns.
    name : str
        What the user types.
    handler : callable
        Does the command's work.
    text : str
        What the command does, for its help and for the list of all.

    Returns
    -------
    argparse.ArgumentParser
        Of the command, for its own arguments.
    """
    command = commands.add_parser(name, help=text, description=text)
    command.set_defaults(command=handler, parser=command)
    command.add_argument("--json", action="store_true", help="print the values as JSON")
    return command


def add_images(command: argparse.ArgumentParser) -> None:
    """Add the images that `nnbook.io.inputs.list_images` lists."""
    command.add_argument("images", type=Path, nargs="+", help="a manifest, or image files and folders")


def add_masks(command: argparse.ArgumentParser) -> None:
    """Add the folder of the images' masks."""
    command.add_argument("--masks", type=Path, required=True, help="folder of NAME_cp_masks.tif")


def add_model(command: argparse.ArgumentParser) -> None:
    """Add the model that segments."""
    command.add_argument("--model", type=Path, help="a Cellpose 3 model (default: the one in models/)")


def add_overwrite(command: argparse.ArgumentParser) -> None:
    """Add whether masks may be replaced that were corrected by hand, or that nnbook did not make."""
    command.add_argument(
        "--overwrite", action="store_true", help="replace also masks that were corrected by hand or are not nnbook's"
    )


def add_manifest(command: argparse.ArgumentParser) -> None:
    """Add the manifest that an edition is made from."""
    command.add_argument("manifest", type=Path, nargs="?", default=Path("data/manifest.csv"))


def add_edition(command: argparse.ArgumentParser) -> None:
    """Add the name of an edition, and where it and its notebooks are."""
    command.add_argument(
        "--edition", default="twin", help="its name; 'published' takes the released table (default: twin)"
    )
    command.add_argument("--build", type=Path, default=Path("build"), help="folder of all editions (default: build)")
    command.add_argument("--notebooks", type=Path, default=Path("notebooks"))


def add_local(command: argparse.ArgumentParser) -> None:
    """Add the folder that replaces the address of the published table."""
    command.add_argument("--local", type=Path, help="folder with the published results.csv, instead of its address")


def name_option(error: NnbookError, parser: argparse.ArgumentParser) -> str:
    """Word an error for who called a command: a parameter at fault gets the name of its option.

    Parameters
    ----------
    error : NnbookError
        Of its kinds, `nnbook.errors.InvalidValueError` may have a parameter.
    parser : argparse.ArgumentParser
        Of the command.

    Returns
    -------
    str
        The error's message. What is no option of the command keeps its name.
    """
    message = str(error)
    if not isinstance(error, InvalidValueError) or error.parameter is None:
        return message
    options = parser._actions  # noqa: SLF001 - argparse lists them nowhere else
    option = next((option for option in options if option.dest == error.parameter), None)
    if option is None:
        return message
    name = option.option_strings[-1] if option.option_strings else str(option.metavar or option.dest)
    # Where it is a word of its own: not within a path, a longer name, or an option.
    return re.sub(rf"(?<![\w./-]){re.escape(error.parameter)}(?![\w/-]|\.\w)", name, message)


def print_values(call: argparse.Namespace, values: dict[str, Any]) -> None:
    """Print what a command found or wrote: as JSON where that is asked for, else a line a value."""
    if call.json:
        print(json.dumps(values, indent=2, default=str))
        return
    for key, value in values.items():
        print(f"{key}: {len(value) if isinstance(value, list) else value}")
