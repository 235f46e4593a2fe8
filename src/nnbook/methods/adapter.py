"""What a method of segmentation is for `nnbook compare`: a name, what loads it, and what it then makes of an image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nnbook.errors import NnbookError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nnbook.io.images import Image, Labels
    from nnbook.segmentation.masks import ConfidentMasks

    Segment = Callable[[Image, float], Labels]
    Part = tuple[slice, slice]  # rows and columns of an image
    Draw = Callable[[Mapping[str, float], Part | None], Labels | ConfidentMasks]
    Analyse = Callable[[Image, float], Draw]


class NeedsDownloadError(NnbookError):
    """A method's weights are not on this machine. It is skipped: nothing is ever downloaded."""


@dataclass(frozen=True)
class Setting:
    """A number of a method that moves its masks.

    Attributes
    ----------
    name, title : str
        What code and readers call it.
    least, most, step, usual : float
        What it may be, in which steps, and what it is where nobody says otherwise.
    """

    name: str
    title: str
    least: float
    most: float
    step: float
    usual: float


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
    settings : tuple of Setting
        What can be set besides the diameter, where there is `load_analysis`.
    load_analysis : callable, optional
        Gives the function that does once what takes long: from an image and the diameter to a function that draws
        masks. That one is given the settings by their names and, where only these are wanted, rows and columns of the
        image, and gives the labels there; near their edges they may differ from those of the whole. A method that
        knows how likely each nucleus is right gives `nnbook.segmentation.masks.ConfidentMasks` of the whole.
    """

    name: str
    title: str
    load: Callable[[], Segment]
    settings: tuple[Setting, ...] = ()
    load_analysis: Callable[[], Analyse] | None = None

    def analysis(self) -> Analyse:
        """Load what analyses an image; a method without settings segments all of it at once."""
        if self.load_analysis is not None:
            return self.load_analysis()
        segment = self.load()

        def analyse(image: Image, diameter_px: float) -> Draw:
            labels = segment(image, diameter_px)
            return lambda _settings, part: labels if part is None else labels[part]

        return analyse
