"""What a method of segmentation is for `nnbook compare`: a name, what loads it, and what it then makes of an image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nnbook.errors import NnbookError

if TYPE_CHECKING:
    from collections.abc import Callable

    from nnbook.io.images import Image, Labels

    Segment = Callable[[Image, float], Labels]


class NeedsDownloadError(NnbookError):
    """A method's weights are not on this machine. It is skipped: nothing is ever downloaded."""


@dataclass(frozen=True)
class Method:
    """A method of segmentation.

    A package brings its own by an entry point of the group `nnbook.methods` that is one:

        [project.entry-points."nnbook.methods"]
        mine = "my_package.segmentation:METHOD"

    Attributes
    ----------
    name : str
        What the user types.
    title : str
        What tables call it.
    load : callable
        Gives the function that segments: from an image, axes (y, x), and the diameter of its nuclei in px to a label
        image of that size, 0 for background. Called once, in the process that segments. Raises `NeedsDownloadError`
        where weights are not on this machine.
    """

    name: str
    title: str
    load: Callable[[], Segment]
