"""A server that answers range requests, which Python's own does not, and keeps count of what was asked for."""

from __future__ import annotations

import re
from http import HTTPStatus
from pathlib import Path
from typing import ClassVar, NamedTuple

from file_server import QuietHandler

RANGE = re.compile(r"bytes=(\d*)-(\d*)")


class Asked(NamedTuple):
    """A request that was answered with a part of a file: of bytes `first` to before `end`."""

    path: str
    first: int
    end: int


class RangeHandler(QuietHandler):
    """Serves files and parts of them."""

    protocol_version = "HTTP/1.1"  # one connection serves many requests, as those of real hosts do
    parts: ClassVar[list[Asked]] = []

    def do_GET(self) -> None:  # noqa: N802 - its name in the standard library
        found = RANGE.fullmatch(self.headers.get("Range", ""))
        path = Path(self.translate_path(self.path))
        if found is None or not path.is_file():
            super().do_GET()
            return
        size = path.stat().st_size
        first, last = found.groups()
        start = int(first) if first else max(0, size - int(last))
        end = min(size, int(last) + 1) if first and last else size
        self.parts.append(Asked(self.path, start, end))
        with path.open("rb") as file:
            file.seek(start)
            data = file.read(end - start)
        self.send_response(HTTPStatus.PARTIAL_CONTENT)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Content-Range", f"bytes {start}-{end - 1}/{size}")
        self.end_headers()
        self.wfile.write(data)
