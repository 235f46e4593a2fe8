"""Dividing cells: two sets of chromosomes under one mask.

In anaphase and telophase the chromosomes form two bright components of like size with darker cytoplasm between them, and
NucleusNet counts both as one ROI. So a cell image with two such components is a candidate, by its pixels alone: components that
stand out of a mask around both, or the two pieces of a mask that leaves the cytoplasm out (`nnbook.segmentation.grouping`). What they
are in truth only the twin can tell.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

LIKE_AREA: Final = 0.6
"""The smaller component has at least this share of the larger one's area: the sets of chromosomes are copies."""

BOTH_SHARE: Final = 0.9
"""The two have at least this share of all that is bright."""

LEAST_CONTRAST: Final = 0.7
"""What is bright exceeds the rest under the mask by at least this share of the mean."""

LEAST_COMPONENT_UM2: Final = 10.0
"""Smaller components are specks."""

TELOPHASE_UM: Final = 12.0
"""Components whose middles are farther apart are called telophase, others anaphase."""

PAIR_COLUMNS: Final = ("index", "stage", "distance_um", "area_ratio", "contrast")


@dataclass(frozen=True)
class Components:
    """The two largest bright components of a cell image.

    Attributes
    ----------
    distance_px : float
        Between their middles.
    smaller_px2 : int
        The smaller area.
    area_ratio : float
        The smaller area by the larger one.
    both_share : float
        Share of the two in the area of all that is bright.
    contrast : float
        Mean grey level of what is bright, less that of the rest under the mask, by that of both; 1, as if the rest were
        black, where the mask leaves out the rest.
    """

    distance_px: float
    smaller_px2: int
    area_ratio: float
    both_share: float
    contrast: float


def bright_components(cell: NDArray[np.uint8]) -> Components | None:
    """Look for two bright components: the pieces of a mask in two, or what is above Otsu's threshold of those under it.

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
    # A micronucleus is a piece too, but an unlike one.
    bright = cell > 0
    areas, middles = _pieces(bright)
    apart = len(areas) > 1 and areas[1] >= LIKE_AREA * areas[0]
    if not apart:
        bright = cell > threshold_otsu(inside)  # type: ignore[no-untyped-call]
        areas, middles = _pieces(bright)
        if len(areas) < 2:
            return None
    bright_mean = cell[bright].mean()
    rest_mean = 0.0 if apart else cell[(cell > 0) & ~bright].mean()
    return Components(
        distance_px=float(np.hypot(*(middles[0] - middles[1]))),
        smaller_px2=int(areas[1]),
        area_ratio=float(areas[1] / areas[0]),
        both_share=float((areas[0] + areas[1]) / areas.sum()),
        contrast=float((bright_mean - rest_mean) / inside.mean()),
    )


def _pieces(mask: NDArray[np.bool_]) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """Return areas and middles (x, y) of connected pixels, the largest first."""
    import cv2

    _, _, stats, middles = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    order = 1 + np.argsort(-stats[1:, cv2.CC_STAT_AREA], kind="stable")
    return stats[order, cv2.CC_STAT_AREA], middles[order]


def find_pairs(cells: Iterable[NDArray[np.uint8]], px_per_um: float) -> pd.DataFrame:
    """Find the cell images that show a dividing cell with two sets of chromosomes.

    Parameters
    ----------
    cells : iterable of uint8, axes (y, x)
        Cell images, 0 outside the mask.
    px_per_um : float
        Pixels a micrometre.

    Returns
    -------
    pandas.DataFrame
        A row a candidate: `index` (its place among the cells), `stage` (`anaphase` or `telophase`, by the distance),
        `distance_um` (between the middles of both components), `area_ratio`, `contrast`.
    """
    rows = []
    for index, cell in enumerate(cells):
        components = bright_components(cell)
        if (
            components is None
            or components.smaller_px2 < LEAST_COMPONENT_UM2 * px_per_um**2
            or components.area_ratio < LIKE_AREA
            or components.both_share < BOTH_SHARE
            or components.contrast < LEAST_CONTRAST
        ):
            continue
        distance_um = components.distance_px / px_per_um
        stage = "telophase" if distance_um > TELOPHASE_UM else "anaphase"
        rows.append((index, stage, distance_um, components.area_ratio, components.contrast))
    return pd.DataFrame(rows, columns=list(PAIR_COLUMNS))
