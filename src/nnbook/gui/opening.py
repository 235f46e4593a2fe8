"""Which plane of a file of several is shown where nobody has chosen, and what is said of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nnbook.errors import NnbookError
from nnbook.io.images import read_image
from nnbook.io.planes import MAX, Plane

if TYPE_CHECKING:
    from pathlib import Path

    from nnbook.io.choices import Choices
    from nnbook.io.images import Image


def read_first(path: Path, choices: Choices, wanted: Plane) -> tuple[Image, Plane, str]:
    """Read the plane that is wanted, or else the first channel and the middle of a stack, as the page does.

    Of a picture in colours it is the brightest channel, most likely that of the nuclei.

    Parameters
    ----------
    path : Path
        The file.
    choices : Choices
        What there is.
    wanted : Plane
        What was chosen; what is not in this file is not looked for.

    Returns
    -------
    (Image, Plane, str)
        The image, which plane it is, and what is to be said of it: which plane is shown is never silent.

    Raises
    ------
    NnbookError
        As `read_image`.
    """
    channel = choices.channel_at(wanted)
    missing = "" if wanted.channel is None or channel is not None else f"The file has no channel {wanted.channel}."
    z = _place(choices, wanted)
    if choices.in_colour and channel is None:
        grey = Plane(None, choices.plane(0, z).project)
        try:
            return read_image(path, grey), grey, missing
        except NnbookError:
            shown = [read_image(path, choices.plane(at, z)) for at in range(len(choices.channels))]
        channel = int(np.argmax([float(one.mean()) for one in shown]))
    plane = choices.plane(channel or 0, z)
    image = read_image(path, None if plane == Plane() else plane)
    return image, plane, " ".join(filter(None, [missing, _said(choices, channel or 0, z)]))


def _place(choices: Choices, wanted: Plane) -> int | None:
    """Return a place in a stack; None for the greatest value along it."""
    if wanted.project == MAX:
        return None
    within = wanted.project is not None and int(wanted.project) < choices.planes
    return int(str(wanted.project)) if within else choices.planes // 2


def _said(choices: Choices, channel: int, z: int | None) -> str:
    parts = []
    if choices.in_colour:
        parts.append(f"The file is in colour; its {choices.channels[channel]} channel is used.")
    elif choices.channels:
        names = ", ".join(choices.channels)
        parts.append(f"The file has {len(choices.channels)} channels ({names}); {choices.channels[channel]} is used.")
    if choices.planes > 1:
        which = "the greatest value along them" if z is None else f"plane {z + 1}"
        parts.append(f"The file has {choices.planes} planes; {which} is used.")
    return " ".join(parts)
