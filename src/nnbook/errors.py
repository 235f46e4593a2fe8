"""The exceptions that a user of nnbook is meant to read."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class NnbookError(Exception):
    """Something that the user can mend: one line that names the thing, what is wrong with it, and what to do.

    The command line prints the line and exits with status 1; every other exception is a defect of nnbook.

    Examples
    --------
    >>> import nnbook
    >>> try:
    ...     nnbook.read_image("missing.tif")
    ... except nnbook.NnbookError as error:
    ...     print(error)
    missing.tif: no such file; check the name, or the path in the manifest
    """


class InvalidValueError(NnbookError, ValueError):
    """A value or setting that a function can't work with.

    Parameters
    ----------
    message : str
        The line. Where a parameter is at fault it has the parameter's name, as in "px_per_um is -1; give a number above
        0": the command line replaces that name by the option's.
    parameter : str, optional
        That name; several are separated by a space.

    Attributes
    ----------
    parameters : tuple of str
        The parameters at fault, as the function that raises this spells them; none where it is the content of an array,
        a table or a file.
    """

    def __init__(self, message: str, *, parameter: str = "") -> None:
        super().__init__(message)
        self.parameters = tuple(parameter.split())


class MissingFileError(NnbookError, FileNotFoundError):
    """A file or folder that isn't there. It is an OSError too, so catch NnbookError before OSError."""


class PassingError(NnbookError):
    """Something that may be over when it is tried again, such as a host that does not answer."""


class KilledError(PassingError):
    """A process was killed while it worked on something, such as by a system that is out of memory."""


def lacks_memory(error: BaseException) -> bool:
    """Tell whether something failed for too little memory: Python and torch say so in a RuntimeError, too."""
    words = ("can't start new thread", "can't allocate memory", "out of memory")
    return isinstance(error, MemoryError | KilledError) or (
        isinstance(error, RuntimeError) and any(word in str(error) for word in words)
    )


def reason(error: BaseException) -> str:
    """Return in one line why something failed, for a message: libraries give several lines, or none."""
    return " ".join(str(error).split()) or type(error).__name__


def all_of(errors: Sequence[NnbookError]) -> NnbookError:
    """Put errors of many files into one, with a line for each; the parameters at fault are those of all."""
    lines = "\n".join(map(str, errors))
    names = [name for error in errors if isinstance(error, InvalidValueError) for name in error.parameters]
    return InvalidValueError(lines, parameter=" ".join(dict.fromkeys(names))) if names else NnbookError(lines)
