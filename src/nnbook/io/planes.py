"""Which plane of a file is the image: files of microscopes hold several channels, and stacks along z."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from nnbook.errors import InvalidValueError, NnbookError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

MAX: Final = "max"
COLOURS: Final = ("red", "green", "blue", "alpha")
KINDS: Final = {"T": "time points", "R": "tiles", "P": "positions", "V": "views", "H": "phases", "E": "wavelengths"}
UNNAMED: Final = frozenset("IQ")
"""Axes of files of several pages that do not say what the pages are."""


@dataclass(frozen=True)
class Plane:
    """Which plane of each file is the image.

    Attributes
    ----------
    channel : str, optional
        A channel's name as the file has it, such as `DAPI`, in any case; or its number, from 0. None where files have
        one channel.
    project : str, optional
        `max`, the greatest value along z; or the number of one z plane, from 0. None where files are no stacks.
    """

    channel: str | None = None
    project: str | None = None

    def __post_init__(self) -> None:
        if self.project is not None and self.project != MAX and not self.project.isdecimal():
            raise InvalidValueError(
                f"project is {self.project!r}; give max, or the number of a z plane from 0", parameter="project"
            )
        if self.channel is not None and not self.channel.strip():
            raise InvalidValueError(
                "channel is empty; give a channel's name, or its number from 0", parameter="channel"
            )


def plane_settings(plane: Plane | None) -> dict[str, str]:
    """Return what was chosen, for the record of what was made from it."""
    return {name: value for name, value in asdict(plane or Plane()).items() if value is not None}


class Selection(NamedTuple):
    """Where in a file the chosen plane is.

    Attributes
    ----------
    indices : dict of str to int
        The index along every axis that is not part of the image.
    projected : str or None
        The axis along which the greatest value is taken.
    """

    indices: dict[str, int]
    projected: str | None


def select_plane(path: Path, sizes: Mapping[str, int], channels: Sequence[str], plane: Plane) -> Selection:
    """Find the chosen plane in a file of several.

    Parameters
    ----------
    path : Path
        The file, for messages.
    sizes : mapping of str to int
        Sizes of its axes by their letters: Y, X, C (channel), S (sample: red, green, blue), Z, T (time), and I or Q for
        pages that the file does not explain.
    channels : sequence of str
        Names of its channels, as far as it has them.
    plane : Plane
        What was chosen.

    Returns
    -------
    Selection

    Raises
    ------
    InvalidValueError
        Where a choice is missing or not in the file; the message lists what is there.
    NnbookError
        Where the file has an axis that nobody can choose along.
    """
    many = {axis: size for axis, size in sizes.items() if axis not in "YX" and size > 1}
    channel_axis, stack_axis = _axes(path, many, plane)
    # Both choices are checked before either is asked for, so that one message lists everything that is there.
    there = _listed(many, channel_axis, stack_axis, channels)
    hints = [f"channel {(channels[0] if channels else '') or 0}"] if channel_axis and plane.channel is None else []
    hints += ["project max"] if stack_axis and plane.project is None else []
    if hints:
        raise InvalidValueError(f"{path}: has {there}; choose with {' and '.join(hints)}", parameter="channel project")
    indices = dict.fromkeys((axis for axis in sizes if axis not in "YX"), 0)
    if channel_axis is not None:
        indices[channel_axis] = _channel(path, many[channel_axis], channels, str(plane.channel), there)
    elif plane.channel is not None and not _is_only(plane.channel, channels):
        raise InvalidValueError(
            f"{path}: has {(channels[0] if channels else '') or 'one plane'} alone, and channel is {plane.channel!r}; "
            "leave it out",
            parameter="channel",
        )
    projected = None
    if stack_axis is not None and plane.project == MAX:
        projected = stack_axis
    elif stack_axis is not None:
        indices[stack_axis] = _within(path, str(plane.project), many[stack_axis], "project", there)
    elif plane.project not in {None, MAX, "0"}:
        raise InvalidValueError(
            f"{path}: has one z plane, and project is {plane.project}; leave it out", parameter="project"
        )
    return Selection({axis: at for axis, at in indices.items() if axis != projected}, projected)


def _axes(path: Path, many: Mapping[str, int], plane: Plane) -> tuple[str | None, str | None]:
    """Return along which axis channels are, and along which z planes; refuse a file that has any other."""
    channel_axis = next((axis for axis in "CS" if axis in many), None)
    stack_axis = "Z" if "Z" in many else None
    others = [axis for axis in many if axis not in {channel_axis, stack_axis}]
    if len(others) == 1 and others[0] in UNNAMED:
        if channel_axis is None and plane.channel is not None:
            return others[0], stack_axis
        if stack_axis is None and plane.project is not None:
            return channel_axis, others[0]
        raise InvalidValueError(
            f"{path}: has {many[others[0]]} pages and does not say what they are; choose one with channel 0, or, "
            "where they are a z stack, give project max",
            parameter="channel project",
        )
    if others:
        what = ", ".join(f"{many[axis]} {KINDS.get(axis, f'planes along {axis}')}" for axis in others)
        raise NnbookError(f"{path}: has {what}; export each as a file")
    return channel_axis, stack_axis


def _channel(path: Path, count: int, names: Sequence[str], chosen: str, there: str) -> int:
    found = [number for number, name in enumerate(names) if name.casefold() == chosen.strip().casefold()]
    if len(found) == 1:
        return found[0]
    if chosen.strip().isdecimal():
        return _within(path, chosen.strip(), count, "channel", there)
    why = "several are called so; give its number" if found else "choose one of them"
    raise InvalidValueError(f"{path}: has {there}, and channel is {chosen!r}; {why}", parameter="channel")


def _within(path: Path, chosen: str, count: int, parameter: str, there: str) -> int:
    if int(chosen) >= count:
        raise InvalidValueError(
            f"{path}: has {there}, and {parameter} is {chosen}; give a number from 0 to {count - 1}",
            parameter=parameter,
        )
    return int(chosen)


def _is_only(chosen: str, names: Sequence[str]) -> bool:
    return chosen.strip() == "0" or [name.casefold() for name in names] == [chosen.strip().casefold()]


def _listed(many: Mapping[str, int], channel_axis: str | None, stack_axis: str | None, names: Sequence[str]) -> str:
    parts = []
    if channel_axis is not None:
        count = many[channel_axis]
        known = [f"{number} {names[number]}".strip() if number < len(names) else str(number) for number in range(count)]
        parts.append(f"{count} channels ({', '.join(known)})")
    if stack_axis is not None:
        parts.append(f"{many[stack_axis]} z planes")
    return " and ".join(parts)
