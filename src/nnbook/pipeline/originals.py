"""The images of a manifest that come from addresses: fetched when something needs them, within a bound of disk space.

Without a bound they stay where they came to. With one, those that nothing is working on go where others need their
place, and all go at the end, but for those that figures and the site show.
"""

from __future__ import annotations

import threading
from collections import Counter
from typing import TYPE_CHECKING, Final, Self

from nnbook.errors import InvalidValueError, NnbookError
from nnbook.io.originals import has_gone, may_go, read_original
from nnbook.io.web import remote_bytes
from nnbook.pipeline.sources import HUB, download_original, fetch_panorama, is_remote

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

    from nnbook.io.manifest import Panorama

GB: Final = 1e9


def check_disk(panoramas: Sequence[Panorama], disk: int | None) -> None:
    """Refuse a bound of disk space that a manifest's images can't be kept within.

    Raises
    ------
    NnbookError
        With a line for each panorama whose image has to stay, or of which more than the image is needed.
    """
    if disk is None:
        return
    if disk < 1:
        raise InvalidValueError(f"disk is {disk}; give a number of bytes above 0", parameter="disk")
    remote = [row for row in panoramas if is_remote(row)]
    if not remote:
        raise InvalidValueError(
            "disk is for images that come from an address, and the manifest has none; leave it out", parameter="disk"
        )
    problems = [f"{row.panorama}: is one plane of its file, {STAYS}" for row in remote if row.plane is not None]
    problems += [f"{row.panorama}: has outlines to compare with, {STAYS}" for row in remote if row.truth]
    if problems:
        raise InvalidValueError("\n".join(problems), parameter="disk")


STAYS: Final = "for which its image has to stay; leave disk out"


class Originals:
    """The images of panoramas that come from addresses; a `with` block ends with those gone that may go.

    Files that were there already, or were changed since they came, are the user's own: they stay, and do not count.

    Parameters
    ----------
    panoramas : sequence of Panorama
        The manifest's rows.
    folder : Path
        The edition's folder.
    disk : int, optional
        How many bytes they may take together: see `check_disk`. Without it, none goes.
    """

    def __init__(self, panoramas: Sequence[Panorama], folder: Path, disk: int | None = None) -> None:
        self._rows = {row.panorama: row for row in panoramas if is_remote(row)}
        self._folder, self._disk = folder, disk
        self._turn = threading.Lock()
        self._changed = threading.Condition()
        self._stops = 0
        self._held: Counter[str] = Counter()
        self._kept: set[str] = set()
        # By name, those that may go, and those that are on their way; the longest unused first.
        self._bytes: dict[str, int] = {}
        if disk is not None:
            self._bytes = {name: self._path(name).stat().st_size for name in self._rows if may_go(self._path(name))}

    def __contains__(self, panorama: str) -> bool:
        """Whether an image comes from an address."""
        return panorama in self._rows

    def bring(self, name: str) -> None:
        """Fetch a panorama's image where it isn't there, check it, and keep it until it is released.

        Waits until there is place for it. A panorama whose image comes from no address is let be.

        Raises
        ------
        NnbookError
            Where it can't be had, or is larger than the bound.
        """
        if (row := self._rows.get(name)) is None:
            return
        with self._changed:
            self._held[name] += 1
            stops = self._stops
        try:
            if not self._path(name).is_file():
                self._download(row, stops)
            fetch_panorama(row, self._folder)
        except BaseException:
            self.release(name)
            raise

    def release(self, name: str) -> None:
        """Let an image go when its place is needed, unless something else needs it too."""
        if name not in self._rows:
            return
        with self._changed:
            self._held[name] -= 1
            if name in self._bytes:
                self._bytes[name] = self._bytes.pop(name)
            self._changed.notify_all()

    def keep(self, names: Collection[str]) -> None:
        """Fetch the images of panoramas that figures and the site show, and let them stay at the end.

        Raises
        ------
        InvalidValueError
            Where they are larger than the bound together.
        """
        remote = [name for name in names if name in self._rows]
        if self._disk is not None:
            paths = [self._path(name) for name in remote]
            counted = [read_original(path) for path in paths if may_go(path) or has_gone(path)]
            size = sum(original.bytes for original in counted if original is not None)
            if size > self._disk:
                raise InvalidValueError(
                    f"disk is {_gb(self._disk)}, and the images of the {len(remote)} panoramas that figures and the "
                    f"site show have {_gb(size)} together; give that much, all else is made",
                    parameter="disk",
                )
        for name in remote:
            self._kept.add(name)
            self.bring(name)

    def stop(self) -> None:
        """End downloads that are under way: nobody waits for them any more."""
        with self._changed:
            self._stops += 1
            self._changed.notify_all()

    def __enter__(self) -> Self:
        if self._disk is not None:
            self._take("", 0, self._disk, self._stops)
        return self

    def __exit__(self, *_: object) -> None:
        if self._disk is not None:
            for name in self._bytes.keys() - self._kept:
                self._forget(name)

    def _path(self, name: str) -> Path:
        return self._folder / self._rows[name].image

    def _download(self, row: Panorama, stops: int) -> None:
        name, image = row.panorama, self._path(row.panorama)
        most: int | None = None
        if self._disk is not None:
            most = _most_bytes(row, image, self._disk)
            self._take(name, most, self._disk, stops)

        def come(count: int) -> None:
            if self._stops != stops:
                raise NnbookError(f"{name}: was being fetched when the call ended; call again")
            if most is not None and count > most:
                raise NnbookError(f"{name}: {row.source} is larger than its host says; look at the file there")

        try:
            download_original(row, image, come)
        finally:
            with self._changed:
                if self._bytes.pop(name, None) is not None and image.is_file():
                    self._bytes[name] = image.stat().st_size
                self._changed.notify_all()

    def _take(self, name: str, size: int, disk: int, stops: int) -> None:
        """Wait until so many bytes more fit, and take them; those who wait get them in turn."""
        with self._turn, self._changed:
            while sum(self._bytes.values()) + size > disk:
                if (other := next((one for one in self._bytes if self._held[one] <= 0), None)) is not None:
                    self._forget(other)
                elif self._stops != stops:
                    raise NnbookError(f"{name}: was to be fetched when the call ended; call again")
                else:
                    self._changed.wait()
            self._bytes[name] = size

    def _forget(self, name: str) -> None:
        self._bytes.pop(name)
        if name and may_go(self._path(name)):
            self._path(name).unlink()


def _most_bytes(row: Panorama, image: Path, disk: int) -> int:
    """Return how many bytes an image may take: all that there are where its host does not say its size."""
    before = read_original(image)
    size = before.bytes if before is not None else _remote_bytes(row.source)
    if size is not None and size > disk:
        raise InvalidValueError(
            f"{row.panorama}: {row.source} has {_gb(size)}, and disk is {_gb(disk)}; give as much", parameter="disk"
        )
    return disk if size is None else size


def _gb(size: int) -> str:
    return f"{size / GB:.3g} GB"


def _remote_bytes(address: str) -> int | None:
    from nnbook.hub.files import bytes_on_hub

    return bytes_on_hub(address) if address.startswith(HUB) else remote_bytes(address)
