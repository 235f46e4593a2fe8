"""The kernel that notebooks are executed in: it notes which files they read, and refuses to write where they may not.

Both go by Python's audit events, which its own functions for files raise. A library that opens files without Python is
out of sight: that its files exist is asked through Python almost always, and a file that was asked for counts as read.
What it writes is not refused.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import sysconfig
import tempfile
from stat import S_ISREG
from typing import Any

from nnbook.errors import NnbookError

AUDIT_VARIABLE = "NNBOOK_AUDIT"
"""The environment variable that says to the kernel what to audit, as JSON: see `audit`."""

WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
CHANGES = {
    "os.chmod": ((0, 2),),
    "os.link": ((1, 3),),
    "os.mkdir": ((0, 2),),
    "os.remove": ((0, 1),),
    "os.rename": ((0, 2), (1, 3)),
    "os.rmdir": ((0, 1),),
    "os.symlink": ((1, 2),),
    "os.truncate": ((0, None),),
    "os.utime": ((0, 3),),
}
"""Events of changed files: where, among their arguments, paths are, and the folders that those are relative to."""

CACHES = ("IPYTHONDIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "MPLCONFIGDIR", "NUMBA_CACHE_DIR", "XDG_CACHE_HOME")
PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
PLACES = (*sysconfig.get_paths().values(), sys.prefix, "/dev", "/etc", "/lib", "/proc", "/run", "/sys", "/usr")
INSTALLED = tuple({form(path) + os.sep for path in PLACES for form in (os.path.abspath, os.path.realpath)})
"""Where there is no data but what was installed."""


def main() -> None:
    """Start a Jupyter kernel that audits itself."""
    audit(**json.loads(os.environ[AUDIT_VARIABLE]))
    from ipykernel.kernelapp import IPKernelApp

    IPKernelApp.launch_instance()


def audit(log: str, guarded: list[str], output: str) -> None:
    """Audit this process from now on, which can't be undone.

    Parameters
    ----------
    log : str
        A file to append to, a line of JSON for each thing that is noted: `["read", path, ...]` with the file's size,
        times and inode as `nnbook.provenance.stage.file_state` has them, `["absent", path]`, `["listed", path]`, and
        `["wrote", path]` below `output`; with absolute paths, each once.
    guarded : list of str
        Real paths of folders that hold the book: nothing in them may be written.
    output : str
        The real path of the one folder in them that may be written. Elsewhere only temporary files and caches may.
    """
    auditing = _Audit(os.open(log, os.O_WRONLY | os.O_APPEND), guarded, output)
    for able in (os.supports_fd, os.supports_dir_fd, os.supports_follow_symlinks):
        able.add(auditing.stat)
    os.stat = auditing.stat
    sys.addaudithook(auditing.hear)


class _Audit:
    """What is noted already, and where writing is allowed."""

    def __init__(self, journal: int, guarded: list[str], output: str) -> None:
        self.journal, self.output = journal, output + os.sep
        self.noted: set[tuple[str, str]] = set()
        self.roots = tuple(folder + os.sep for folder in guarded)
        caches = [os.environ[name] for name in CACHES if name in os.environ]
        hidden = os.path.join(os.path.realpath(os.path.expanduser("~")), ".")
        self.free = (*(os.path.realpath(path) + os.sep for path in (tempfile.gettempdir(), "/dev", *caches)), hidden)
        self.installed = tuple(path for path in INSTALLED if not any(root.startswith(path) for root in self.roots))
        self.real_stat = os.stat

    def hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Note or refuse what an audit event is about."""
        if event == "open":
            path, mode, flags = arguments
            if isinstance(path, int) or path is None:
                return
            if (flags or 0) & WRITES or set(mode or "") & set("wax+"):
                self.check(os.path.realpath(os.fsdecode(path)))
            else:
                self.read(os.path.abspath(os.fsdecode(path)))
        elif event in {"os.listdir", "os.scandir"}:
            # An import lists the folders that it looks through, and reads what it finds.
            asks = sys._getframe(1).f_code.co_filename  # noqa: SLF001 - there is no other way to tell who asks
            if not isinstance(arguments[0], int) and "importlib" not in asks:
                self.note("listed", os.path.abspath(os.fsdecode(arguments[0] or ".")))
        elif event in CHANGES:
            for path, folder in CHANGES[event]:
                if not isinstance(arguments[path], int):
                    below = -1 if folder is None else arguments[folder]
                    # The last part may be a link, which is what is changed and not what it leads to.
                    parent, name = os.path.split(os.path.join(_folder(below), os.fsdecode(arguments[path])))
                    self.check(os.path.join(os.path.realpath(parent), name))

    def stat(self, path: Any, *arguments: Any, **options: Any) -> Any:
        """Ask for a file's state. It raises no audit event, yet whether a file is there decides what is shown."""
        try:
            status = self.real_stat(path, *arguments, **options)
        except FileNotFoundError:
            if options.get("dir_fd") is None:
                self.note("absent", os.path.abspath(os.fsdecode(path)))
            raise
        if not isinstance(path, int) and options.get("dir_fd") is None:
            self.read(os.path.abspath(os.fsdecode(path)))
        return status

    def read(self, path: str) -> None:
        if os.sep + "__pycache__" + os.sep in path:  # compiled code is that of its source
            if not path.endswith(".pyc"):
                return
            path = importlib.util.source_from_cache(path)
        if not (path.startswith(PACKAGE) and path.endswith(".py")):  # code counts by what the notebook depends on of it
            self.note("read", path)

    def note(self, kind: str, path: str) -> None:
        if (kind, path) in self.noted or (path + os.sep).startswith((*self.installed, self.output)):
            return
        # Outside of the book, temporary files and caches are no data, and many a package looks for what isn't there.
        if not path.startswith(self.roots) and (kind != "read" or path.startswith(self.free)):
            return
        self.noted.add((kind, path))
        state = []
        if kind == "read":
            try:
                status = self.real_stat(path)
            except OSError:
                return
            if not S_ISREG(status.st_mode):
                return
            state = [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino]
        self.append(kind, path, *state)

    def append(self, *entry: Any) -> None:
        os.write(self.journal, (json.dumps(entry) + "\n").encode())

    def check(self, path: str) -> None:
        if os.sep + "__pycache__" in path:
            return
        if (path + os.sep).startswith(self.output):
            if ("wrote", path) not in self.noted:
                self.noted.add(("wrote", path))
                self.append("wrote", path)
            return
        if path.startswith(self.roots) or not path.startswith(self.free):
            raise NnbookError(f"{path}: a notebook may write to {self.output} only; write there, or to temporary files")


def _folder(descriptor: int) -> str:
    """Return the folder that a relative path begins in."""
    return os.getcwd() if descriptor < 0 else os.readlink(f"/proc/self/fd/{descriptor}")


if __name__ == "__main__":
    main()
