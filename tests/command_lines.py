"""Whether a command line is one that the program takes, without running it."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

import pytest

from nnbook.cli import main

if TYPE_CHECKING:
    from collections.abc import Sequence


class ParsedError(Exception):
    """Raised in the place of running a command that was parsed."""


def check_parses(arguments: Sequence[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Parse the arguments of a command as `nnbook` does; fail where it refuses them."""
    parse = argparse.ArgumentParser.parse_args

    def stop(parser: argparse.ArgumentParser, *arguments: object) -> None:
        parse(parser, *arguments)  # type: ignore[call-overload]
        raise ParsedError

    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", stop)
    with pytest.raises(ParsedError):
        main(list(arguments))
