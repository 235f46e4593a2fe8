"""A repository as its files: their paths and sizes, and the lines of those that are text."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from nnbook.errors import MissingFileError, NnbookError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from nnbook.io.paths import PathLike

SKIPPED: Final = frozenset(
    {".git", ".hg", ".svn", ".venv", "venv", "env", "node_modules", "__pycache__", ".tox", ".nox", ".mypy_cache",
     ".pytest_cache", ".ruff_cache", ".ipynb_checkpoints", "build", "_build", "dist", "site-packages"}
)  # fmt: skip
"""Folders of what is made or installed, which are no part of a repository that git does not list."""

SIGNS: Final = re.compile(
    r"readme(\.\w+)?|licen[cs]e(\.\w+)?|copying(\.\w+)?|pyproject\.toml|setup\.(py|cfg)|requirements\.txt|environment\.ya?ml"
    r"|package\.json|description|cmakelists\.txt|makefile|dockerfile|pom\.xml|build\.gradle(\.kts)?",
    re.IGNORECASE,
)
"""Files at the top of a folder that are of a repository, also where it was downloaded without its history."""

MAX_TEXT_BYTES: Final = 1_000_000
MAX_FILES: Final = 200_000


class Line(NamedTuple):
    """A line of a file: its path below the repository, its number from 1, and what it says; 0 is the whole file."""

    path: str
    number: int
    text: str


@dataclass(frozen=True)
class Repository:
    """A repository's files.

    Attributes
    ----------
    name : str
        Of its folder.
    files : tuple of str
        Paths below the folder, in their order.
    root : Path, optional
        The folder; None where `texts` and `sizes` have all that is asked.
    texts : dict of str to str
        What is in text files, as far as it has been read.
    sizes : dict of str to int
        Bytes of files, as far as they were asked for: a file that isn't looked at is no reason for another verdict.
    """

    name: str
    files: tuple[str, ...]
    root: Path | None = None
    texts: dict[str, str] = field(default_factory=dict, compare=False)
    sizes: dict[str, int] = field(default_factory=dict, compare=False)

    def matching(self, pattern: str) -> list[str]:
        """Return the paths that a regular expression matches as a whole, whatever their case, nearest the top first."""
        form = re.compile(pattern, re.IGNORECASE)
        found = [path for path in self.files if form.fullmatch(path)]
        return sorted(found, key=lambda path: (path.count("/"), path.casefold()))

    def size(self, path: str) -> int:
        """Return the bytes of a file; 0 of one that git has and the folder has not."""
        if path not in self.sizes:
            file = None if self.root is None else self.root / path
            self.sizes[path] = file.stat().st_size if file is not None and file.is_file() else 0
        return self.sizes[path]

    def text(self, path: str) -> str:
        """Return what is in a text file; nothing of one that is large, or is none."""
        if path not in self.texts:
            data = b""
            if self.root is not None and 0 < self.size(path) <= MAX_TEXT_BYTES:
                try:
                    data = (self.root / path).read_bytes()
                except OSError:
                    data = b""
            self.texts[path] = "" if b"\0" in data else data.decode("utf-8", errors="replace")
        return self.texts[path]

    def lines(self, paths: Iterable[str], pattern: str) -> Iterator[Line]:
        """Find the lines of files in which a regular expression matches, whatever the case."""
        form = re.compile(pattern, re.IGNORECASE)
        for path in paths:
            for number, line in enumerate(self.text(path).splitlines(), start=1):
                if form.search(line):
                    yield Line(path, number, " ".join(line.split())[:120])

    def first(self, paths: Iterable[str], pattern: str) -> Line | None:
        """Return the first of these lines; None where there is none."""
        return next(self.lines(paths, pattern), None)


def read_repository(folder: PathLike) -> Repository:
    """List a repository's files: those that git has, else all but what is made or installed.

    Parameters
    ----------
    folder : str or Path
        The top of a checkout, or of an unpacked archive of one.

    Returns
    -------
    Repository

    Raises
    ------
    MissingFileError
        Where there is no such folder.
    NnbookError
        Where it is no repository: without history, a README, a licence, or a file that says how it is built; or where
        it holds more than 200,000 files.
    """
    root = Path(folder)
    if not root.is_dir():
        raise MissingFileError(f"{root}: no such folder; name the top of a repository")
    tracked = _tracked(root)
    if tracked is None and not any(SIGNS.fullmatch(path.name) for path in root.iterdir() if path.is_file()):
        raise NnbookError(
            f"{root}: is no repository, as it has no history, README, licence, or file that says how it is built; name "
            "the top of one"
        )
    paths = tracked or list(_walked(root))
    if len(paths) > MAX_FILES:
        raise NnbookError(f"{root}: holds more than {MAX_FILES:,} files; name the top of a repository, not of a disk")
    return Repository(root.resolve().name, tuple(sorted(paths)), root)


def _tracked(root: Path) -> list[str] | None:
    """Return the files that git has below a folder; None where it is no top of a checkout, or git isn't installed."""
    if _git(root, "rev-parse", "--show-cdup") != "\n":  # the way up to the top, which is none there
        return None
    names = _git(root, "ls-files", "-z")
    return None if names is None else [name for name in names.split("\0") if name]


def _git(root: Path, *arguments: str) -> str | None:
    command = ["git", "-C", str(root), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, check=True, timeout=60)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.decode("utf-8", errors="replace")


def _walked(root: Path) -> Iterator[str]:
    count = 0
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name not in SKIPPED and not name.endswith(".egg-info")]
        for name in names:
            count += 1
            if count > MAX_FILES + 1:
                return
            yield (Path(folder) / name).relative_to(root).as_posix()
