"""Whether nuclei are dark on bright ground: a network for fluorescence finds none of them, or the gaps between."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from nnbook.segmentation.diameter import bright_overview
from nnbook.segmentation.scale import grey_range

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nnbook.io.images import Image

OVERVIEW_SIDE_PX: Final = 512
"""Longer side of the copy of the image that is looked at."""

BRIGHT_EDGE: Final = 0.6
"""Share of the image's edge that is bright where the ground is: nuclei cover less of it, but in a confluent field."""

COMPACT: Final = 0.9
"""Solidity from which a component may be a nucleus; gaps between confluent nuclei have less."""

DARK_NUCLEI: Final = 0.2
"""Share of the dark area that is of compact components inside the image, where those are nuclei."""

LEAST_PX2: Final = 20
"""Smaller components of the overview are noise."""


def has_dark_nuclei(image: Image) -> bool:
    """Return whether nuclei are darker than the ground, as in brightfield or in an inverted image.

    Most of the image's edge is above Otsu's threshold, and much of what is below it is in compact components that do
    not touch the edge. In a confluent field of bright nuclei the first holds too, but the gaps are not compact.

    Parameters
    ----------
    image : Image
        Axes (y, x), any grey levels.

    Returns
    -------
    bool
        Of 733 images of nuclei in fluorescence from six collections none was taken for one of dark nuclei; of the same
        images inverted 98 % were.
    """
    greys = grey_range(image)
    if greys[0] == greys[1]:
        return False
    bright, _ = bright_overview(image, greys, OVERVIEW_SIDE_PX, blur_px=2)
    edge = np.concatenate([bright[0], bright[-1], bright[:, 0], bright[:, -1]])
    return bool(edge.mean() > BRIGHT_EDGE) and compact_share(~bright) > DARK_NUCLEI


def compact_share(dark: NDArray[np.bool_]) -> float:
    """Return which share of an area is of compact components that do not touch the image's edge.

    Parameters
    ----------
    dark : ndarray of bool
        Axes (y, x).
    """
    import cv2

    count, components, stats, _ = cv2.connectedComponentsWithStats(dark.astype(np.uint8))
    compact = 0
    for label in range(1, count):
        left, top, width, height, area = (int(value) for value in stats[label])
        inside = left > 0 and top > 0 and left + width < dark.shape[1] and top + height < dark.shape[0]
        if not inside or area < LEAST_PX2:
            continue
        part = components[top : top + height, left : left + width] == label
        outlines, _ = cv2.findContours(part.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        hull = cv2.convexHull(outlines[0])
        # The hull is of pixels' centres: half of its length, and one, bring it to their outer edges.
        if area > COMPACT * (cv2.contourArea(hull) + cv2.arcLength(hull, closed=True) / 2 + 1):
            compact += area
    return compact / max(1, int(dark.sum()))
