"""The static stand-ins of the primer's live figures, for paper and for readers without JavaScript."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import matplotlib as mpl
import numpy as np

from nnbook.figures.sheets import panel_grid
from nnbook.figures.style import SHEET_STYLE
from nnbook.primer.filters import EDGES, convolve

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from nnbook.primer.live import Live

YELLOW: Final = "#ffe119"
"""The frame of what is looked at, as in the live figures."""

SIGNED: Final = mpl.colors.LinearSegmentedColormap.from_list("signed", ["#56b4ff", "#000000", "#ffaa28"])
"""Blue below 0, black at 0, orange above, as in the live figures."""


def convolution_sheet(live: Live) -> Figure:
    """Show a nucleus, a kernel and their convolution: see `nnbook.primer.filters.convolution`."""
    image, x, y = live.arrays["image"], live.facts["x"], live.facts["y"]
    result = convolve(image, EDGES)
    most = float(np.abs(result).max())
    with mpl.rc_context(SHEET_STYLE):
        figure, grid = panel_grid(1, 3, row_inches=2.3)
        before, middle, after = grid.flat
        _grey(before, image, "Image")
        _frame(before, x - 1, y - 1, 3)
        middle.set(xlim=(-0.5, 2.5), ylim=(2.5, -0.5), aspect="equal")
        for row, weights in enumerate(EDGES):
            for column, weight in enumerate(weights):
                middle.add_patch(mpl.patches.Rectangle((column - 0.5, row - 0.5), 1, 1, fill=False, color="#9aa4ae"))
                middle.text(column, row, f"{weight:g}".replace("-", "−"), ha="center", va="center", fontsize=14)
        middle.set_title("Kernel", fontsize=11, loc="left", pad=4)
        after.imshow(result, cmap=SIGNED, vmin=-most, vmax=most, interpolation="nearest")
        after.set_title("Feature map", fontsize=11, loc="left", pad=4)
        _frame(after, x, y, 1)
    return figure


def _grey(axes: Axes, image: NDArray[Any], title: str, most: float = 255) -> None:
    axes.imshow(image, cmap="gray", vmin=0, vmax=most, interpolation="nearest")
    axes.set_title(title, fontsize=11, loc="left", pad=4)


def _frame(axes: Axes, left: float, top: float, side: float, colour: str = YELLOW) -> None:
    place = (left - 0.5, top - 0.5)
    axes.add_patch(mpl.patches.Rectangle(place, side, side, fill=False, color=colour, linewidth=1.6, clip_on=False))
