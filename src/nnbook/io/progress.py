"""How far a long task is: a bar in a terminal, and elsewhere a line now and then."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final, TypeVar, overload

from tqdm import tqdm

if TYPE_CHECKING:
    from collections.abc import Iterable

Item = TypeVar("Item")

LINE_SECONDS: Final = 10.0
"""The least time between two lines, but for the last."""


@overload
def show_progress(
    items: Iterable[Item],
    *,
    desc: str,
    unit: str,
    total: int | None = None,
    initial: int = 0,
    leave: bool = True,
    disable: bool = False,
) -> tqdm[Item]: ...


@overload
def show_progress(
    items: None = None,
    *,
    desc: str,
    unit: str,
    total: int | None = None,
    initial: int = 0,
    leave: bool = True,
    disable: bool = False,
) -> tqdm[Any]: ...


def show_progress(
    items: Iterable[Any] | None = None,
    *,
    desc: str,
    unit: str,
    total: int | None = None,
    initial: int = 0,
    leave: bool = True,
    disable: bool = False,
) -> tqdm[Any]:
    """Show on standard error how far a task is.

    In a terminal that is a bar. Elsewhere, such as in a log, it is a line at most every `LINE_SECONDS`, and a last one
    with the time that the task took.

    Parameters
    ----------
    items : iterable, optional
        What the task goes through; without it the caller calls `update` of what is returned, in a `with` statement.
    desc : str
        What the task does.
    unit : str
        What one item is.
    total : int, optional
        How many items there are, where `items` has no length.
    initial : int, optional
        How many of them are done already.
    leave : bool, optional
        Whether the bar stays in the terminal at the end.
    disable : bool, optional
        Whether to show nothing.

    Returns
    -------
    tqdm
        Gives the items.
    """
    kind: type[tqdm[Any]] = tqdm if sys.stderr.isatty() else _Lines
    return kind(items, desc=desc, unit=unit, total=total, initial=initial, leave=leave, disable=disable)


def say(bar: tqdm[Any], line: str) -> None:
    """Write a line to standard error while a bar is shown there."""
    if isinstance(bar, _Lines):
        print(line, file=sys.stderr, flush=True)
    else:
        tqdm.write(line, file=sys.stderr)


class _Lines(tqdm):  # type: ignore[type-arg]  # only its stub is generic
    """Writes whole lines: a bar that is redrawn fills a log with copies of itself."""

    def __init__(self, items: Iterable[Any] | None, **options: Any) -> None:
        # The time decides alone when a line is due: with its own estimate of how many items that takes, tqdm would
        # miss it where they become slower.
        super().__init__(items, mininterval=LINE_SECONDS, miniters=1, **options)

    def display(self, msg: str | None = None, pos: int | None = None) -> None:  # noqa: ARG002 - tqdm's signature
        if msg is None and self.n > self.initial:  # neither at the very beginning, nor to clear what is shown
            self._write("{desc}: {n_fmt}/{total_fmt} [{elapsed}<{remaining}, {rate_fmt}{postfix}]")

    def set_postfix_str(self, s: str = "", refresh: bool = True) -> None:  # noqa: ARG002 - the next line has it
        super().set_postfix_str(s, refresh=False)

    def close(self) -> None:
        if not getattr(self, "disable", True):  # as tqdm asks it: closing comes once, even where beginning failed
            end = "{n_fmt} after {elapsed}"
            if self.total is not None:
                end = "{n_fmt}/{total_fmt} " + ("done in {elapsed}" if self.n >= self.total else "after {elapsed}")
            self._write("{desc}: " + end)
            self.leave = False  # tqdm would end the bar's line
        super().close()

    def _write(self, form: str) -> None:
        print(self.format_meter(**{**self.format_dict, "bar_format": form}), file=self.fp, flush=True)
