"""The classical segmentation of nuclei, for comparison: Otsu's threshold and a watershed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nnbook.segmentation.scale import grey_range

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nnbook.io.images import Image, Labels

SMOOTHING = 1 / 40
SEED_DISTANCE = 1 / 2.5
LEAST_AREA = 1 / 20
"""As shares of the nuclei's diameter (of their area, the last): what a careful user of the method would set."""


def otsu_watershed(image: Image, diameter_px: float) -> Labels:
    """Mask nuclei by brightness alone, and separate those that touch where their outline narrows.

    Foreground is what is brighter than Otsu's threshold (Otsu 1979, doi:10.1109/TSMC.1979.4310076) after smoothing,
    with holes filled. It is separated by a watershed on the distance to the background, from the peaks of that distance
    (Vincent & Soille 1991, doi:10.1109/34.87344).

    Parameters
    ----------
    image : Image
        Axes (y, x), any grey levels.
    diameter_px : float
        Diameter of the nuclei in px.

    Returns
    -------
    Labels
        Axes (y, x), 0 for background.
    """
    low, high = grey_range(image)
    if low == high:
        return np.zeros(image.shape, dtype=np.int32)
    smooth, level = otsu_level(image, diameter_px)
    return separate_above(smooth, level, diameter_px)


def otsu_level(image: Image, diameter_px: float) -> tuple[NDArray[np.float32], float]:
    """Smooth an image, float32, axes (y, x), and find Otsu's threshold in it."""
    import cv2
    from skimage.filters import threshold_otsu

    smooth = cv2.GaussianBlur(image.astype(np.float32), (0, 0), SMOOTHING * diameter_px)
    return np.asarray(smooth, np.float32), float(threshold_otsu(smooth))


def separate_above(
    smooth: NDArray[np.float32], level: float, diameter_px: float, seed_distance: float = SEED_DISTANCE
) -> Labels:
    """Mask what is brighter than a grey level, and separate it by a watershed: see `otsu_watershed`.

    Parameters
    ----------
    smooth : float32, axes (y, x)
        A smoothed image.
    level : float
        The grey level.
    diameter_px : float
        Diameter of the nuclei in px.
    seed_distance : float
        The least distance of two nuclei's middles, as a share of the diameter.
    """
    import cv2
    from scipy.ndimage import binary_fill_holes
    from skimage.feature import peak_local_max
    from skimage.morphology import remove_small_objects
    from skimage.segmentation import watershed

    foreground = binary_fill_holes(smooth > level)
    least = round(LEAST_AREA * np.pi / 4 * diameter_px**2)
    foreground = remove_small_objects(foreground, max_size=least)
    distance = cv2.distanceTransform(foreground.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    distance = cv2.GaussianBlur(distance, (0, 0), 2 * SMOOTHING * diameter_px)
    _, components = cv2.connectedComponents(foreground.astype(np.uint8))
    spacing = max(1, round(seed_distance * diameter_px))
    peaks = peak_local_max(distance, min_distance=spacing, labels=components)
    seeds = np.zeros(smooth.shape, dtype=np.int32)
    seeds[tuple(peaks.T)] = np.arange(1, len(peaks) + 1)
    labels = watershed(-distance, seeds, mask=foreground)
    return np.asarray(labels, dtype=np.int32)
