"""Among which planes of a file a reader can choose: channels, and planes of a stack."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import tifffile

from nnbook.io.files import check_regular
from nnbook.io.microscopes import czi_axes, is_czi
from nnbook.io.planes import COLOURS, MAX, UNNAMED, Plane
from nnbook.io.png import RGB, RGB_ALPHA, SIGNATURE
from nnbook.io.tiff import COLOUR, tiff_planes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nnbook.io.paths import PathLike

PIGMENTS = COLOURS[:3]


class Choices(NamedTuple):
    """Among which planes of a file a reader can choose.

    Attributes
    ----------
    channels : tuple of str
        Their names, or numbers from 0 where the file has none; empty where there is one.
    planes : int
        How many planes a stack has; 1 of other files. Pages that a file does not explain are planes.
    in_colour : bool
        Whether the channels are red, green and blue.
    """

    channels: tuple[str, ...] = ()
    planes: int = 1
    in_colour: bool = False

    def plane(self, channel: int, z: int | None) -> Plane:
        """Return the plane of a channel, by its number, and of a place in the stack, or None for the greatest value."""
        names = [name.casefold() for name in self.channels]
        chosen = None
        if names:
            at = min(max(channel, 0), len(names) - 1)
            chosen = self.channels[at] if names.count(names[at]) == 1 else str(at)
        along = None
        if self.planes > 1:
            along = MAX if z is None else str(min(max(z, 0), self.planes - 1))
        return Plane(chosen, along)

    def channel_at(self, plane: Plane) -> int | None:
        """Return the number of the channel that a plane is of; None where the file has none of that name."""
        if plane.channel is None:
            return None
        wanted = plane.channel.strip().casefold()
        found = [at for at, name in enumerate(self.channels) if name.casefold() == wanted]
        if len(found) == 1:
            return found[0]
        return int(wanted) if wanted.isdecimal() and int(wanted) < len(self.channels) else None


def list_choices(path: PathLike) -> Choices:
    """Return among which planes of a file a reader can choose.

    Parameters
    ----------
    path : str or Path
        A TIFF, PNG or CZI file. Of any other, and of a damaged one, there is nothing to choose: `read_image` says what
        is wrong with it.

    Returns
    -------
    Choices
    """
    path = Path(path)
    check_regular(path)
    try:
        if is_czi(path):
            return _choices(*czi_axes(path))
        with path.open("rb") as file:
            head = file.read(26)
        if head.startswith(SIGNATURE):
            return Choices(PIGMENTS, 1, in_colour=True) if head[25] in {RGB, RGB_ALPHA} else Choices()
        with tifffile.TiffFile(path) as tiff:
            series = [one for one in tiff.series if not one.keyframe.is_reduced] or tiff.series
            sizes = dict(zip(series[0].axes, series[0].shape, strict=True))
            if sizes.get("S", 1) > 2 and tiff.pages.first.photometric in COLOUR and sizes.get("C", 1) == 1:
                return Choices(PIGMENTS, _planes(sizes), in_colour=True)
        return _choices(sizes, tiff_planes(path).names)
    except Exception:  # noqa: BLE001 - decoders raise whatever they like on broken files
        return Choices()


def _choices(sizes: Mapping[str, int], names: Sequence[str]) -> Choices:
    count = next((sizes[axis] for axis in "CS" if sizes.get(axis, 1) > 1), 1)
    named = [(names[at] if at < len(names) else "") or str(at) for at in range(count)]
    return Choices(tuple(named) if count > 1 else (), _planes(sizes))


def _planes(sizes: Mapping[str, int]) -> int:
    unnamed = [size for axis, size in sizes.items() if axis in UNNAMED and size > 1]
    return sizes.get("Z", 1) if sizes.get("Z", 1) > 1 or len(unnamed) != 1 else unnamed[0]
