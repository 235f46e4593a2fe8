"""The diameter of nuclei: measured on masks, and estimated on images."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from nnbook.segmentation.masks import compute_masks
from nnbook.segmentation.network import network_shape, run_network
from nnbook.segmentation.scale import grey_range, rescale
from nnbook.values.published import CELLPROB_THRESHOLD, FLOW_THRESHOLD

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nnbook.io.images import Image, Labels
    from nnbook.segmentation.model import Model

PART_SHARE: Final = 0.4
PART_SIDES_PX: Final = (192, 416)
"""Share of an image that is segmented to estimate its diameter, and the least and greatest side of it at the network's
scale."""

COARSENESS: Final = 1.2
"""A guess is tried on a copy this much coarser than for segmentation. There the network still finds nuclei, a part of
the same size has twice as many of them, and those of a guess that is too small are not split into their texture, whose
diameter is another one that would agree with itself."""

GUESSES: Final = 3
LARGER: Final = 1.4
SMALLER: Final = 1.25
"""A diameter up to so many times larger or smaller than the guess that it was found from is the estimate; else it is
the next guess, up to three. Less is allowed downwards, where the copy was coarser than meant."""

FALLBACK_GUESSES_PX: Final = (10.0, 20.0, 40.0, 80.0, 160.0)
"""Guesses where the image's bright components give none, or one that leads to nothing certain."""

SURROUND_PX: Final = 16.0
"""Standard deviation of the surroundings in px of the overview, above which small nuclei in uneven light rise."""

SURE_LOGIT: Final = 3.0
"""An estimate is certain where the masks that it comes from exceed the cell probability threshold by this much, on
average, as a logit. Parts of nuclei, which a guess that is too small leads to, are below 2; real nuclei are above 4."""

LEAST_DIAMETER_PX: Final = 5.0
"""Smaller components are taken for noise."""

OVERVIEW_SIDE_PX: Final = 1024
"""Longer side of the copy of the image in which its bright components are measured."""


def estimate_diameter(image: Image, model: Model) -> float:
    """Estimate the diameter of an image's nuclei.

    The first guess is the typical diameter of bright components, those above Otsu's threshold. The part of the image
    with most bright pixels is segmented on a copy that is `COARSENESS` times coarser than the guess asks for, and the
    median diameter of its masks is the estimate, or the next guess where the two differ by more than `LARGER` or
    `SMALLER`. Where that leads to nothing certain (see `SURE_LOGIT`), or the typical bright component is wider
    than half the image, the guess is that of what is brighter than its surroundings, and then `FALLBACK_GUESSES_PX` are
    tried: the estimate with most evidence is taken, or, where none is certain, that of the surroundings.

    Parameters
    ----------
    image : Image
        Axes (y, x).
    model : Model
        See `load_model`.

    Returns
    -------
    float
        Median diameter in px of circles of the masks' areas; 0 where no nucleus is found.
    """
    low, high = grey_range(image)
    if low == high:
        return 0.0
    foreground, shrink = bright_overview(image, (low, high), OVERVIEW_SIDE_PX, blur_px=1)
    first = _typical_diameter(foreground) / shrink
    plausible = first <= min(image.shape) / 2
    estimates = [_refine(image, foreground, (low, high), model, first)] if plausible else []
    if estimates and estimates[0].is_sure:
        return estimates[0].diameter_px
    # Speckle or texture gave the guess; or uneven light has joined all components into one; or it is one large nucleus.
    local, shrink = bright_overview(image, (low, high), OVERVIEW_SIDE_PX, blur_px=1, surround_px=SURROUND_PX)
    by_contrast = _refine(image, local, (low, high), model, _typical_diameter(local) / shrink)
    if by_contrast.is_sure:
        return by_contrast.diameter_px
    guesses = [guess for guess in FALLBACK_GUESSES_PX if guess <= 2 * min(image.shape)] + [first] * (not plausible)
    estimates += [by_contrast, *(_refine(image, foreground, (low, high), model, guess) for guess in guesses)]
    if by_contrast.converged and not any(one.is_sure for one in estimates):
        return by_contrast.diameter_px
    return max(estimates, key=lambda one: one.evidence).diameter_px


def median_diameter(labels: Labels) -> float:
    """Return the median diameter in px of a mask's nuclei, of circles of their areas; 0 where there is no nucleus."""
    areas = np.bincount(labels.ravel())[1:]
    areas = areas[areas > 0]
    return 2 * math.sqrt(float(np.median(areas)) / math.pi) if areas.size else 0.0


class _Estimate(NamedTuple):
    """A diameter in px, 0 for no nucleus; masks that it is of, and how far they exceed the threshold, as a logit."""

    diameter_px: float
    logit: float
    nuclei: int
    converged: bool

    @property
    def is_sure(self) -> bool:
        return self.converged and self.logit >= SURE_LOGIT

    @property
    def evidence(self) -> float:
        """Several nuclei of one size are better evidence than one, which may be uneven light."""
        return self.logit * math.log1p(self.nuclei) * self.converged


def _refine(
    image: Image, foreground: NDArray[np.bool_], greys: tuple[float, float], model: Model, guess: float
) -> _Estimate:
    """Segment a coarse copy as if a guess were right, and again with the diameter found, until the two agree."""
    estimate = _Estimate(0.0, 0.0, 0, converged=False)
    for _ in range(GUESSES):
        if guess < LEAST_DIAMETER_PX:
            return _Estimate(0.0, 0.0, 0, converged=False)
        scale = model.diam_mean / (guess * COARSENESS)
        side = min(max(math.sqrt(PART_SHARE * image.size) * scale, PART_SIDES_PX[0]), PART_SIDES_PX[1])
        part = _brightest_part(image, foreground, math.ceil(side / scale))
        output = run_network(rescale(part, network_shape(part.shape, scale), *greys), model)
        labels, _ = compute_masks(output, flow_threshold=FLOW_THRESHOLD, cellprob_threshold=CELLPROB_THRESHOLD)
        found = median_diameter(labels) / scale
        inside = output[2][labels > 0]
        logit = float(inside.mean(dtype=np.float64)) - CELLPROB_THRESHOLD if inside.size else 0.0
        converged = guess / SMALLER <= found <= guess * LARGER
        estimate = _Estimate(
            found if found >= LEAST_DIAMETER_PX else 0.0, logit, int(np.unique(labels[labels > 0]).size), converged
        )
        if converged:
            break
        guess = found
    return estimate


def bright_overview(
    image: Image, greys: tuple[float, float], side_px: int, *, blur_px: float, surround_px: float | None = None
) -> tuple[NDArray[np.bool_], float]:
    """Return which pixels of an overview are above Otsu's threshold, and how many px of it are one of the image.

    Parameters
    ----------
    image : Image
        Axes (y, x).
    greys : (float, float)
        From `grey_range`.
    side_px : int
        Longer side of the overview; an image that is smaller keeps its size.
    blur_px : float
        Standard deviation of the blur before the threshold, in px of the overview.
    surround_px : float, optional
        Standard deviation of the surroundings, whose mean is subtracted from each pixel.
    """
    import cv2
    from skimage.filters import threshold_otsu

    shrink = min(1.0, side_px / max(image.shape))
    overview = rescale(image, network_shape(image.shape, shrink), *greys)
    overview = np.clip(cv2.GaussianBlur(overview, (0, 0), blur_px), 0, 1)
    if surround_px is not None:
        overview -= cv2.GaussianBlur(overview, (0, 0), surround_px)
    return overview > threshold_otsu(overview), shrink


def _typical_diameter(foreground: NDArray[np.bool_]) -> float:
    """Return the typical diameter in px of connected components, of circles of their areas; 0 where there is none.

    It is the median weighted by the diameters: neither specks of noise nor a few clumps decide it.
    """
    import cv2

    areas = cv2.connectedComponentsWithStats(foreground.astype(np.uint8))[2][1:, cv2.CC_STAT_AREA]
    diameters = 2 * np.sqrt(areas / math.pi)
    diameters = diameters[diameters >= LEAST_DIAMETER_PX]
    return float(np.quantile(diameters, 0.5, weights=diameters, method="inverted_cdf")) if diameters.size else 0.0


def _brightest_part(image: Image, foreground: NDArray[np.bool_], side: int) -> Image:
    """Return the square of this side with most foreground."""
    import cv2

    shrink = foreground.shape[0] / image.shape[0]
    width = max(1, min(round(side * shrink), *foreground.shape))
    share = cv2.blur(foreground.astype(np.float32), (width, width), borderType=cv2.BORDER_CONSTANT)
    centre = np.unravel_index(int(np.argmax(share)), foreground.shape)
    box = []
    for place, length in zip(centre, image.shape, strict=True):
        start = min(max(0, round(int(place) / shrink - side / 2)), max(0, length - side))
        box.append(slice(start, start + side))
    return image[tuple(box)]
