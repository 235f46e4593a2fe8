"""What commands share: how one is added, options of several, how values are printed and errors worded.

An option's `dest` is the name of the parameter that its value is given to, which is how errors find the option.
"""

from __future__ import annotations

import argparse
import json
import math
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nnbook.errors import InvalidValueError, NnbookError

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from nnbook.io.planes import Plane
    from nnbook.provenance.units import Choice, Workers

    Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001 - argparse names its type no other way


class _Help(argparse.HelpFormatter):
    """Fills paragraphs as argparse does, but leaves the examples of a command as they are written."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return text if text.startswith("examples:\n") else super()._fill_text(text, width, indent)


def add_command(
    commands: Commands, name: str, handler: Callable[[argparse.Namespace], None], text: str, *examples: str
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
    *examples : str
        Calls without `nnbook`, for the end of its help; tests/cli/test_examples.py parses all and runs most.

    Returns
    -------
    argparse.ArgumentParser
        Of the command, for its own arguments.
    """
    shown = "".join(f"  nnbook {name} {example}".rstrip() + "\n" for example in examples)
    epilog = f"examples:\n{shown}" if shown else None
    command = commands.add_parser(
        name, help=text.replace("%", "%%"), description=text, epilog=epilog, formatter_class=_Help
    )
    command.set_defaults(command=handler, parser=command)
    command.add_argument("--json", action="store_true", help="print the values as JSON")
    return command


def add_images(command: argparse.ArgumentParser, *, needed: bool = True) -> None:
    """Add the images that `nnbook.io.inputs.list_images` lists."""
    command.add_argument(
        "images", type=Path, nargs="+" if needed else "*", help="a manifest, or image files and folders"
    )


def add_masks(command: argparse.ArgumentParser, *, needed: bool = True) -> None:
    """Add the folder of the images' masks."""
    command.add_argument(
        "--masks", type=Path, required=needed, help="folder of NAME_cp_masks.tif; may be that of images"
    )


def add_plane(command: argparse.ArgumentParser) -> None:
    """Add which plane of files with several is the image: see `plane_of`."""
    command.add_argument(
        "--channel", help="of files with several: a channel's name, such as DAPI, or its number from 0"
    )
    command.add_argument("--project", help="of z stacks: max, or the number of one z plane from 0")


def plane_of(call: argparse.Namespace) -> Plane | None:
    """Return the plane that was chosen; None where none was."""
    from nnbook.io.planes import Plane

    return Plane(call.channel, call.project) if (call.channel, call.project) != (None, None) else None


def add_scale(command: argparse.ArgumentParser) -> None:
    """Add the scale of images that no manifest gives it for: see `nnbook.io.scale.image_scales`."""
    command.add_argument(
        "--px-per-um", type=float, help="pixels a micrometre (default: what the manifest says, else each file itself)"
    )


def add_model(command: argparse.ArgumentParser) -> None:
    """Add the model that segments."""
    command.add_argument("--model", type=Path, help="a Cellpose 3 model (default: the one in models/)")


def add_overwrite(command: argparse.ArgumentParser) -> None:
    """Add whether masks may be replaced that were corrected by hand, or that nnbook did not make."""
    command.add_argument(
        "--overwrite", action="store_true", help="replace also masks that were corrected by hand or are not nnbook's"
    )


def add_workers(command: argparse.ArgumentParser) -> None:
    """Add which panoramas are worked on, and by whom: see `workers_of` and `choice_of`."""
    who = command.add_mutually_exclusive_group()
    who.add_argument("--workers", type=_workers, help="processes (default: as many as there are cores and memory for)")
    who.add_argument(
        "--scheduler", metavar="ADDRESS", help="instead: of a Dask scheduler, whose workers see the same files"
    )
    command.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="NAME",
        help="work on this panorama alone, which may be repeated; 'failed' for those that failed before",
    )
    command.add_argument(
        "--part",
        type=_part,
        default=(1, 1),
        metavar="N/ALL",
        help="work on one part of the panoramas, such as 3/20, as other calls do on others; a call without gathers all",
    )


def _workers(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of processes; give one from 1")
    return int(text)


def _part(text: str) -> tuple[int, int]:
    number, _, parts = text.partition("/")
    if not (number.isdecimal() and parts.isdecimal() and 1 <= int(number) <= int(parts)):
        raise argparse.ArgumentTypeError(f"{text!r} is no part; give such as 3/20, the third of twenty")
    return int(number), int(parts)


def workers_of(call: argparse.Namespace) -> Workers:
    """Return who is to work."""
    return call.scheduler or call.workers


def choice_of(call: argparse.Namespace) -> Choice:
    """Return on which panoramas."""
    from nnbook.provenance.units import Choice

    return Choice(frozenset(call.only), call.part)


def add_manifest(command: argparse.ArgumentParser) -> None:
    """Add the manifest that an edition is made from."""
    command.add_argument("manifest", type=Path, nargs="?", default=Path("data/manifest.csv"))


def add_images_folder(command: argparse.ArgumentParser) -> None:
    """Add the folder that a manifest's paths are below."""
    command.add_argument("--images", type=Path, help="folder that its paths are below (default: the manifest's)")


def add_edition(command: argparse.ArgumentParser) -> None:
    """Add the name of an edition, and where it and its notebooks are."""
    command.add_argument("--edition", default="twin", help="its name (default: %(default)s)")
    command.add_argument("--build", type=Path, default=Path("build"), help="folder of all editions (default: build)")
    command.add_argument("--notebooks", type=Path, default=Path("notebooks"))


def edition_folder(call: argparse.Namespace) -> Path:
    """Return the folder of the edition that a call names.

    Raises
    ------
    InvalidValueError
        Where the name is none, or would lead out of the folder of editions.
    """
    from nnbook.io.edition import check_edition_name

    check_edition_name(call.edition)
    folder: Path = call.build / call.edition
    return folder


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
    options = parser._actions  # noqa: SLF001 - argparse lists them nowhere else
    for parameter in error.parameters if isinstance(error, InvalidValueError) else ():
        option = next((option for option in options if option.dest == parameter), None)
        if option is not None:
            name = option.option_strings[-1] if option.option_strings else str(option.metavar or option.dest)
            # Where it is a word of its own: not within a path, a longer name, or an option.
            message = re.sub(rf"(?<![\w./-]){re.escape(parameter)}(?![\w/-]|\.\w)", name, message)
    return message


def print_values(call: argparse.Namespace, values: dict[str, Any]) -> None:
    """Print what a command found or wrote: as JSON where that is asked for, else a line a value."""
    if call.json:
        print_json(values)
        return
    for key, value in values.items():
        print(f"{key}: {len(value) if isinstance(value, list) else value}")


def print_json(value: Any, *, indent: int | None = 2) -> None:
    """Print a value as JSON, in which a number that is none is null."""
    print(json.dumps(_plain(value), indent=indent, default=str, allow_nan=False))


def _plain(value: Any) -> Any:
    """Return what JSON can say: NaN and infinity become None, numbers of NumPy Python's."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if hasattr(value, "item") and getattr(value, "ndim", None) == 0:
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value
