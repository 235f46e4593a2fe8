"""Dividing cells: two chromosome masses under one mask.

In anaphase and telophase the chromosomes form two masses with darker cytoplasm between them, and NucleusNet counts both
as one ROI. So a cell image with two bright components is a candidate, by its pixels alone: components above a threshold
under a mask around both, or those of the mask itself where it leaves the cytoplasm out
(`nnbook.segmentation.grouping`). What is measured is how far the two are apart, an early or a late separation; the
stage of mitosis is known for the twin alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

LIKE_AREA: Final = 0.25
"""The smaller component has at least this share of the larger one's area: the two chromosome masses are copies, but
part of one may be out of focus."""

BOTH_SHARE: Final = 0.9
"""The two have at least this share of all that is bright."""

LEAST_CONTRAST: Final = 0.7
"""What is bright exceeds the rest under the mask by at least this share of the mean."""

LEAST_COMPONENT_UM2: Final = 6.0
"""Smaller components are specks."""

MOST_COMPONENT_UM2: Final = 90.0
"""Larger components are whole nuclei: two neighbours under one mask."""

LATE_UM: Final = 12.0
"""Pairs whose centres are farther apart are called late, others early."""

PAIR_COLUMNS: Final = ("index", "separation", "distance_um", "area_ratio", "contrast")


@dataclass(frozen=True)
class Components:
    """The two largest bright components of a cell image.

    Attributes
    ----------
    distance_px : float
        Between their centres.
    smaller_px2 : int
        The smaller area.
    larger_px2 : int
        The larger area.
    area_ratio : float
        The smaller area by the larger one.
    both_share : float
        Share of the two in the area of all that is bright.
    contrast : float
        Mean grey level of what is bright, less that of the rest under the mask, by that of both; with
        the rest taken as black where the mask leaves it out.
    """

    distance_px: float
    smaller_px2: int
    larger_px2: int
    area_ratio: float
    both_share: float
    contrast: float


def bright_components(cell: NDArray[np.uint8]) -> Components | None:
    """Measure two bright components: those of a mask in two, or those above Otsu's threshold of the pixels under it.

    Parameters
    ----------
    cell : uint8, axes (y, x)
        A cell image, 0 outside the mask.

    Returns
    -------
    Components or None
        None where there is one component or none.
    """
    from skimage.filters import threshold_otsu

    inside = cell[cell > 0]
    if inside.size == 0 or inside.min() == inside.max():
        return None
    # A micronucleus is a component of the mask, too, but a much smaller one.
    bright = cell > 0
    areas, centres = _components(bright)
    separate = len(areas) > 1 and areas[1] >= LIKE_AREA * areas[0]
    if not separate:
        bright = cell > threshold_otsu(inside)
        areas, centres = _components(bright)
        if len(areas) < 2:
            return None
    bright_mean = cell[bright].mean()
    rest_mean = 0.0 if separate else cell[(cell > 0) & ~bright].mean()
    return Components(
        distance_px=float(np.hypot(*(centres[0] - centres[1]))),
        smaller_px2=int(areas[1]),
        larger_px2=int(areas[0]),
        area_ratio=float(areas[1] / areas[0]),
        both_share=float((areas[0] + areas[1]) / areas.sum()),
        contrast=float((bright_mean - rest_mean) / inside.mean()),
    )


def _components(mask: NDArray[np.bool_]) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """Return areas and centres (x, y) of connected components, the largest first."""
    import cv2

    _, _, stats, centres = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    order = 1 + np.argsort(-stats[1:, cv2.CC_STAT_AREA], kind="stable")
    return stats[order, cv2.CC_STAT_AREA], centres[order]


def find_pairs(cells: Iterable[NDArray[np.uint8]], px_per_um: float) -> pd.DataFrame:
    """Find the cell images that show a dividing cell with two chromosome masses.

    Parameters
    ----------
    cells : iterable of uint8, axes (y, x)
        Cell images, 0 outside the mask.
    px_per_um : float
        Pixels a micrometre.

    Returns
    -------
    pandas.DataFrame
        A row a candidate: `index` (its place among the cells), `separation` (`early` or `late`, by the distance),
        `distance_um` (between the centres of both components), `area_ratio`, `contrast`.
    """
    rows = []
    for index, cell in enumerate(cells):
        components = bright_components(cell)
        if (
            components is None
            or components.smaller_px2 < LEAST_COMPONENT_UM2 * px_per_um**2
            or components.larger_px2 > MOST_COMPONENT_UM2 * px_per_um**2
            or components.area_ratio < LIKE_AREA
            or components.both_share < BOTH_SHARE
            or components.contrast < LEAST_CONTRAST
        ):
            continue
        distance_um = components.distance_px / px_per_um
        separation = "late" if distance_um > LATE_UM else "early"
        rows.append((index, separation, distance_um, components.area_ratio, components.contrast))
    return pd.DataFrame(rows, columns=list(PAIR_COLUMNS))
