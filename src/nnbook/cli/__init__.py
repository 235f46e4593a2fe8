"""The command line: each command parses, calls one function, and prints."""

from nnbook.cli.program import main

__all__ = ["main"]
