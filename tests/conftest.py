"""What several test modules share."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

SHARED = Path(__file__).parents[2] / "shared"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real data beside the repository.

    Where it is missing in continuous integration, that fails, unless `WITHOUT_SHARED=yes` says that it can't be had.
    """
    if not SHARED.is_dir():
        reason = f"{SHARED}: no such folder; the tests against real data need it, and have NOT been run"
        if os.environ.get("CI") and os.environ.get("WITHOUT_SHARED") != "yes":
            pytest.fail(reason)
        pytest.skip(reason)
    return SHARED


OPENED: list[set[Path]] = []
"""Where the files that this process opens are noted; audit hooks stay for good."""


def _note_opened(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "open" and OPENED and isinstance(arguments[0], str | bytes | os.PathLike):
        OPENED[-1].add(Path(os.fsdecode(arguments[0])).resolve())


@pytest.fixture
def opened() -> Iterator[set[Path]]:
    """The files that this process opens, without links."""
    if not hasattr(sys, "_nnbook_notes_opened"):
        sys.addaudithook(_note_opened)
        sys._nnbook_notes_opened = True  # type: ignore[attr-defined]
    OPENED.append(set())
    yield OPENED[-1]
    OPENED.pop()
