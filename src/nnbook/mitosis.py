"""Dividing cells: two sets of chromosomes under one mask, or under a mask each.

In anaphase and telophase the chromosomes form two bright bodies of like size with darker cytoplasm between them, and
NucleusNet counts both as one ROI. So a cell image with two such bodies is a candidate, by its pixels alone. Where a
model gave each body a mask, the two are sisters: small, alike, and nearest to each other. What they are in truth only
the twin can tell.
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
"""The smaller body has at least this share of the larger one's area: the sets of chromosomes are copies."""

BOTH_SHARE: Final = 0.9
"""The two have at least this share of all that is bright."""

LEAST_CONTRAST: Final = 0.7
"""What is bright exceeds the rest under the mask by at least this share of the mean."""

LEAST_BODY_UM2: Final = 10.0
"""Smaller bodies are specks."""

TELOPHASE_UM: Final = 12.0
"""Bodies whose middles are farther apart are called telophase, others anaphase."""

MOST_SISTER_UM2: Final = 110.0
"""Larger masks are nuclei, and no sisters."""

LIKE_SISTERS: Final = 0.75
"""The smaller of two sisters has at least this share of the other's area, and the dimmer of its mean grey level."""

SISTERS_UM: Final = (TELOPHASE_UM, 26.0)
"""How far apart the middles of sisters are."""

SISTER_COLUMNS: Final = ("panorama", "rois", "x_px", "y_px", "distance_um")

PAIR_COLUMNS: Final = ("index", "stage", "distance_um", "area_ratio", "contrast")


@dataclass(frozen=True)
class Bodies:
    """The two largest bright bodies of a cell image.

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
        Mean grey level of what is bright, less that of the rest under the mask, by that of both.
    """

    distance_px: float
    smaller_px2: int
    area_ratio: float
    both_share: float
    contrast: float


def bright_bodies(cell: NDArray[np.uint8]) -> Bodies | None:
    """Look for two bright bodies: connected pixels above Otsu's threshold of those under the mask.

    Parameters
    ----------
    cell : uint8, axes (y, x)
        A cell image, 0 outside the mask.

    Returns
    -------
    Bodies or None
        None where there is one body or none.
    """
    import cv2
    from skimage.filters import threshold_otsu

    inside = cell[cell > 0]
    if inside.size == 0 or inside.min() == inside.max():
        return None
    bright = cell > threshold_otsu(inside)  # type: ignore[no-untyped-call]
    count, _, stats, middles = cv2.connectedComponentsWithStats(bright.astype(np.uint8))
    if count < 3:
        return None
    areas = stats[1:, cv2.CC_STAT_AREA]
    first, second = (int(k) for k in np.argsort(-areas, kind="stable")[:2])
    levels = cell[bright]
    return Bodies(
        distance_px=float(np.hypot(*(middles[1 + first] - middles[1 + second]))),
        smaller_px2=int(areas[second]),
        area_ratio=float(areas[second] / areas[first]),
        both_share=float((areas[first] + areas[second]) / areas.sum()),
        contrast=float((levels.mean() - cell[(cell > 0) & ~bright].mean()) / inside.mean()),
    )


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
        `distance_um` (between the middles of both bodies), `area_ratio`, `contrast`.
    """
    rows = []
    for index, cell in enumerate(cells):
        bodies = bright_bodies(cell)
        if (
            bodies is None
            or bodies.smaller_px2 < LEAST_BODY_UM2 * px_per_um**2
            or bodies.area_ratio < LIKE_AREA
            or bodies.both_share < BOTH_SHARE
            or bodies.contrast < LEAST_CONTRAST
        ):
            continue
        distance_um = bodies.distance_px / px_per_um
        stage = "telophase" if distance_um > TELOPHASE_UM else "anaphase"
        rows.append((index, stage, distance_um, bodies.area_ratio, bodies.contrast))
    return pd.DataFrame(rows, columns=list(PAIR_COLUMNS))


def find_sisters(rois: pd.DataFrame, px_per_um: float) -> pd.DataFrame:
    """Find pairs of masks that are most likely the two halves of a telophase.

    Parameters
    ----------
    rois : pandas.DataFrame
        Rows of `nnbook.measure.measure_panorama`. Those at the border are left out.
    px_per_um : float
        Pixels a micrometre.

    Returns
    -------
    pandas.DataFrame
        A row a pair: `panorama`, `rois` (both labels), `x_px` and `y_px` (the point between them), `distance_um`
        (between their middles).
    """
    from scipy.spatial import KDTree

    small = rois[~rois["at_border"] & rois["area_um2"].between(LEAST_BODY_UM2, MOST_SISTER_UM2)]
    rows = []
    for name, masks in small.groupby("panorama", sort=False):
        if len(masks) < 2:
            continue
        middles = masks[["x_px", "y_px"]].to_numpy()
        nearest = KDTree(middles).query(middles, k=2)  # type: ignore[no-untyped-call]
        distances, neighbours = (found[:, 1] for found in nearest)
        alike = masks[["area_um2", "mean_intensity"]].to_numpy()
        for one, other in enumerate(neighbours):
            distance_um = distances[one] / px_per_um
            if (
                one < other
                and neighbours[other] == one
                and SISTERS_UM[0] <= distance_um <= SISTERS_UM[1]
                and (alike[[one, other]].min(axis=0) >= LIKE_SISTERS * alike[[one, other]].max(axis=0)).all()
            ):
                labels = tuple(int(roi) for roi in masks["roi"].iloc[[one, other]])
                rows.append((name, labels, *middles[[one, other]].mean(axis=0), distance_um))
    return pd.DataFrame(rows, columns=list(SISTER_COLUMNS))
