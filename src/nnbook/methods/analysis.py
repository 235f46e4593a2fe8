"""What nnbook's methods do once to an image, and what they then draw for any settings and any part of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from nnbook.methods.adapter import Setting
from nnbook.segmentation.scale import grey_range
from nnbook.values.published import CELLPROB_THRESHOLD, FLOW_THRESHOLD

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nnbook.io.images import Image, Labels
    from nnbook.methods.adapter import Analyse, Draw, Part
    from nnbook.methods.forest import Forest
    from nnbook.nuset.segmenter import Nuset
    from nnbook.segmentation.masks import ConfidentMasks
    from nnbook.segmentation.model import Model

FLOW: Final = Setting("flow_threshold", "Flow threshold", 0, 3, 0.05, FLOW_THRESHOLD)
CELLPROB: Final = Setting("cellprob_threshold", "Cell probability", -6, 6, 0.1, CELLPROB_THRESHOLD)
BRIGHTNESS: Final = Setting("brightness", "Threshold, as a share of Otsu's", 0.2, 3, 0.05, 1)
SEPARATION: Final = Setting("separation", "Distance of nuclei, in diameters", 0.1, 1, 0.05, 0.4)
SHARE: Final = Setting("share", "Probability of foreground", 0.05, 0.95, 0.05, 0.5)
LOGIT: Final = Setting("logit", "Foreground threshold", -4, 4, 0.1, 0)
SCORE: Final = Setting("score", "Least score of proposals", 0.05, 0.95, 0.05, 0.4)

MARGIN: Final = 1.5
"""So many diameters round a part are looked at, so that nuclei that reach into it are whole."""


def nothing_in(image: Image) -> Draw | None:
    """Return what draws no mask, for an image that is the same everywhere; None for others."""
    low, high = grey_range(image)
    if low < high:
        return None
    return lambda _settings, part: np.zeros(image.shape, np.int32)[part or ...]


def analyse_by_book(model: Model) -> Analyse:
    """Return what analyses an image by a Cellpose 3 network, and draws masks as `segment_image` does."""
    from nnbook.segmentation.masks import full_masks
    from nnbook.segmentation.network import Output, network_output

    def analyse(image: Image, diameter_px: float) -> Draw:
        if (nothing := nothing_in(image)) is not None:
            return nothing
        output = network_output(image, model, diameter_px)
        shape = (image.shape[0], image.shape[1])

        def draw(settings: Mapping[str, float], part: Part | None) -> Labels | ConfidentMasks:
            if part is None:
                made = full_masks(output, shape, **dict[str, Any](settings))
                return made._replace(labels=made.labels.astype(np.int32, copy=False))
            around = Around(part, shape, output.grey.shape, MARGIN * output.diameter_px)
            cut = Output(
                np.ascontiguousarray(output.channels[:, *around.small]),
                np.ascontiguousarray(output.grey[around.small]),
                output.diameter_px,
            )
            return full_masks(cut, around.shape, **dict[str, Any](settings)).labels.astype(np.int32, copy=False)[
                around.inner
            ]

        return draw

    return analyse


def analyse_by_cellpose(model: Any) -> Analyse:
    """Return what analyses an image by stock Cellpose, and draws masks by its own dynamics."""
    from cellpose.dynamics import resize_and_compute_masks

    def analyse(image: Image, diameter_px: float) -> Draw:
        _, (_, flow, cellprob), _ = model.eval(image, channels=[0, 0], diameter=diameter_px, compute_masks=False)
        steps = 200 * diameter_px / float(model.diam_mean)  # as `eval` has it

        def draw(settings: Mapping[str, float], part: Part | None) -> Labels:
            around = Around(part or np.s_[0:, 0:], image.shape, image.shape, MARGIN * diameter_px)
            masks = resize_and_compute_masks(
                np.ascontiguousarray(flow[:, *around.small]),
                np.ascontiguousarray(cellprob[around.small]),
                niter=steps,
                device=model.device,
                **settings,
            )
            return np.asarray(masks, np.int32)[around.inner]

        return draw

    return analyse


def analyse_by_otsu(image: Image, diameter_px: float) -> Draw:
    """Smooth an image and find Otsu's threshold; see `nnbook.evaluation.baseline.otsu_watershed`."""
    from nnbook.evaluation.baseline import otsu_level, separate_above

    if (nothing := nothing_in(image)) is not None:
        return nothing
    smooth, otsu = otsu_level(image, diameter_px)
    dark = grey_range(image)[0]

    def draw(settings: Mapping[str, float], part: Part | None) -> Labels:
        around = Around(part or np.s_[0:, 0:], image.shape, image.shape, MARGIN * diameter_px)
        level = dark + settings["brightness"] * (otsu - dark)
        found = separate_above(smooth[around.small], level, diameter_px, settings["separation"])
        return found[around.inner]

    return draw


def analyse_by_forest(forest: Forest) -> Analyse:
    """Return what classifies an image's pixels by a forest."""
    from nnbook.methods.forest import NUCLEUS_PX, foreground_share, pixel_features, separate_foreground

    def analyse(image: Image, diameter_px: float) -> Draw:
        if (nothing := nothing_in(image)) is not None:
            return nothing
        share = foreground_share(pixel_features(image, diameter_px), forest)

        def draw(settings: Mapping[str, float], part: Part | None) -> Labels:
            around = Around(part or np.s_[0:, 0:], image.shape, share.shape, MARGIN * NUCLEUS_PX)
            found = separate_foreground(
                np.ascontiguousarray(share[around.small]),
                around.shape,
                diameter_px,
                settings["share"],
                settings["separation"],
            )
            return found[around.inner]

        return draw

    return analyse


def analyse_by_nuset(nuset: Nuset) -> Analyse:
    """Return what runs the networks of a NuSeT over an image."""
    from nnbook.nuset.segmenter import LEAST_SCORE, analyse_nuset, draw_nuset

    def analyse(image: Image, diameter_px: float) -> Draw:
        seen = analyse_nuset(image, nuset, diameter_px)

        def draw(settings: Mapping[str, float], part: Part | None) -> Labels:
            if seen is None:
                return np.zeros(image.shape, np.int32)[part or ...]
            labels = draw_nuset(seen, settings["logit"], settings.get("score", LEAST_SCORE))
            return labels if part is None else labels[part]

        return draw

    return analyse


class Around:
    """A part of an image with what is round it, at the image's scale and at another one.

    Parameters
    ----------
    part : (slice, slice)
        Rows and columns of the image.
    shape, small : tuple of int
        Height and width of the image, and of it at the other scale.
    margin : float
        How far round the part to look, in px at the other scale.

    Attributes
    ----------
    small : (slice, slice)
        Rows and columns at the other scale, with the margin.
    shape : (int, int)
        How many rows and columns these are at the image's scale.
    inner : (slice, slice)
        Where the part is in them.
    """

    def __init__(self, part: Part, shape: tuple[int, ...], small: tuple[int, ...], margin: float) -> None:
        axes = [_around(*one, margin) for one in zip(part, shape, small, strict=True)]
        self.small = (axes[0][0], axes[1][0])
        self.shape = (axes[0][1], axes[1][1])
        self.inner = (axes[0][2], axes[1][2])


def _around(part: slice, length: int, small: int, margin: float) -> tuple[slice, int, slice]:
    start, stop, _ = part.indices(length)
    factor = small / length
    first = max(0, int(start * factor - margin))
    last = min(small, int(np.ceil(stop * factor + margin)))
    begin, end = round(first / factor), round(last / factor)
    return slice(first, last), end - begin, slice(start - begin, stop - begin)
