"""Masks by NuSeT (Yang et al. 2020, doi:10.1371/journal.pcbi.1008193): two passes, proposals, a seeded watershed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import cv2
import numpy as np
from skimage.segmentation import watershed

from nnbook.nuset.anchors import STRIDE_PX, base_size, decode, make_anchors, nuclei_boxes, suppress
from nnbook.nuset.normalisation import normalise
from nnbook.nuset.training import NUCLEUS_PX
from nnbook.segmentation.scale import grey_range, rescale

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nnbook.io.images import Image, Labels

LEAST_SHARE: Final = 1 / 5
"""Nuclei below this share of the image's mean area are dropped."""

LEAST_SCORE: Final = 0.4
MOST_IOU: Final = 0.3
"""Of proposals: those less likely are dropped, and those that overlap a likelier one by more. Chosen on training
images; the paper's code has 0.99 and 0.1, for a network that was trained for hours."""


@dataclass(frozen=True)
class Nuset:
    """A trained network and the pieces of the method that are on.

    Attributes
    ----------
    network : nnbook.nuset.network.NusetNetwork
        Gives the masks.
    coarse : NusetNetwork or None
        Of the first pass: its foreground normalises the image for `network`. None where that takes the image
        normalised as a whole, in one pass.
    seeded : bool
        Whether a watershed from the proposals separates nuclei; else each component of the foreground is one.
    """

    network: Any
    coarse: Any = None
    seeded: bool = True


def segment_nuset(
    image: Image, nuset: Nuset, diameter_px: float, foreground: NDArray[np.bool_] | None = None
) -> Labels:
    """Segment the nuclei of an image.

    Parameters
    ----------
    image : Image
        Axes (y, x), any grey levels.
    nuset : Nuset
        The method.
    diameter_px : float
        Diameter of the nuclei in px: the network sees the image with nuclei of 32 px.
    foreground : bool, axes (y, x), optional
        Pixels of nuclei, known from elsewhere, which take the place of the first pass.

    Returns
    -------
    Labels
        Axes (y, x), 0 for background.
    """
    seen = analyse_nuset(image, nuset, diameter_px, foreground)
    return np.zeros(image.shape, np.int32) if seen is None else draw_nuset(seen)


class Seen(NamedTuple):
    """What the networks make of an image, at their scale.

    Attributes
    ----------
    logits : float32, axes (y, x)
        Above 0 inside nuclei.
    scores, shifts : float32, axes (anchor,) and (anchor, 4)
        Of proposals: see `propose`. None where no watershed separates nuclei.
    size : (int, int)
        Height and width that the network saw.
    shape : (int, int)
        Height and width of the image.
    """

    logits: NDArray[np.float32]
    scores: NDArray[np.float32] | None
    shifts: NDArray[np.float32] | None
    size: tuple[int, int]
    shape: tuple[int, int]


def analyse_nuset(
    image: Image, nuset: Nuset, diameter_px: float, foreground: NDArray[np.bool_] | None = None
) -> Seen | None:
    """Run the networks over an image: see `segment_nuset`. None for an image that is the same everywhere."""
    low, high = grey_range(image)
    if low == high:
        return None
    factor = NUCLEUS_PX / diameter_px
    small = rescale(image, (max(1, round(image.shape[0] * factor)), max(1, round(image.shape[1] * factor))))
    inner = None
    if foreground is not None:
        inner = cv2.resize(foreground.astype(np.uint8), small.shape[::-1], interpolation=cv2.INTER_NEAREST_EXACT) > 0
    elif nuset.coarse is not None:
        inner = run_network(nuset.coarse, normalise(small))[0] > 0
    logits, scores, shifts, size = run_network(nuset.network, normalise(small, inner))
    shape = (image.shape[0], image.shape[1])
    return Seen(logits, *((scores, shifts) if nuset.seeded else (None, None)), size, shape)


def draw_nuset(seen: Seen, threshold: float = 0.0, least_score: float = LEAST_SCORE) -> Labels:
    """Draw masks of what the networks have seen.

    Parameters
    ----------
    seen : Seen
        See `analyse_nuset`.
    threshold : float
        The logit above which a pixel is inside a nucleus.
    least_score : float
        Proposals that are less likely are dropped.
    """
    logits = seen.logits - np.float32(threshold)
    inside = logits > 0
    _, components = cv2.connectedComponents(inside.astype(np.uint8), connectivity=4, ltype=cv2.CV_32S)
    labels = np.asarray(components, dtype=np.int32)
    if seen.scores is not None and seen.shifts is not None:
        labels = split_components(labels, propose(labels, seen.scores, seen.shifts, seen.size, least_score))
    return _full_size(drop_small(labels), logits, seen.shape)


def propose(
    components: Labels,
    scores: NDArray[np.float32],
    shifts: NDArray[np.float32],
    shape: tuple[int, int],
    least_score: float = LEAST_SCORE,
) -> NDArray[np.float32]:
    """Return the middles of proposed nuclei, likeliest first: float32, axes (nucleus, y or x).

    Parameters
    ----------
    components : Labels
        Axes (y, x), of the foreground; their median size is that of anchors.
    scores : float32, axis (anchor)
        Probabilities.
    shifts : float32, axes (anchor, 4)
        From anchors to boxes.
    shape : (int, int)
        Height and width that the network saw.
    least_score : float
        Those less likely are dropped.
    """
    anchors = make_anchors(shape, base_size(nuclei_boxes(components), NUCLEUS_PX))
    likely = scores > least_score
    boxes = decode(anchors[likely], shifts[likely])
    boxes = boxes[suppress(boxes, scores[likely], MOST_IOU)]
    return (boxes[:, :2] + boxes[:, 2:]) / 2


def split_components(components: Labels, middles: NDArray[np.float32]) -> Labels:
    """Separate nuclei by a watershed on the distance to the background, from the middles of proposals.

    Parameters
    ----------
    components : Labels
        Axes (y, x), of the foreground. One in which no middle is stays whole.
    middles : float32, axes (nucleus, y or x)
        Those outside of the foreground are left out.
    """
    seeds = np.zeros(components.shape, np.int32)
    places = np.floor(middles).astype(int)
    inside = ((places >= 0) & (places < components.shape)).all(axis=1)
    for label, (y, x) in enumerate(places[inside].tolist(), start=1):
        if components[y, x]:
            seeds[y, x] = label
    count = int(components.max(initial=0))
    seeded = np.zeros(count + 1, bool)
    seeded[np.unique(components[seeds > 0])] = True
    whole = ~seeded[components] & (components > 0)
    distance = cv2.distanceTransform((components > 0).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    separated = watershed(-distance, seeds, mask=(components > 0) & ~whole).astype(np.int32)
    return np.asarray(np.where(whole, components + len(middles) + 1, separated), dtype=np.int32)


def drop_small(labels: Labels) -> Labels:
    """Drop nuclei below a fifth of the image's mean area, and number the rest from 1."""
    areas = np.bincount(labels.ravel())
    areas[0] = 0
    there = areas > 0
    if not there.any():
        return np.zeros_like(labels)
    kept = there & (areas >= LEAST_SHARE * areas[there].mean())
    return np.asarray(np.where(kept, np.cumsum(kept), 0)[labels], dtype=np.int32)


def run_network(
    network: Any, grey: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32] | None, NDArray[np.float32] | None, tuple[int, int]]:
    """Return logits of the image, probabilities and shifts of anchors, and the size with which the network saw it."""
    import torch

    height, width = grey.shape
    padded = np.pad(grey, ((0, -height % STRIDE_PX), (0, -width % STRIDE_PX)), mode="symmetric")
    with torch.inference_mode():
        logits, scores, shifts = network(torch.from_numpy(np.ascontiguousarray(padded))[None, None])
    shape = (padded.shape[0], padded.shape[1])
    found = (None, None) if scores is None else (scores[0].sigmoid().numpy(), shifts[0].numpy())
    return logits[0, :height, :width].numpy(), *found, shape


def _full_size(labels: Labels, logits: NDArray[np.float32], shape: tuple[int, int]) -> Labels:
    """Bring masks to the image's size: outlines are those of the interpolated foreground."""
    if labels.shape == shape:
        return labels
    size = (shape[1], shape[0])
    inside = cv2.resize(logits, size, interpolation=cv2.INTER_LINEAR) > 0
    large = cv2.resize(labels, size, interpolation=cv2.INTER_NEAREST_EXACT)
    factor = max(1.0, shape[0] / labels.shape[0])
    # What the finer outline adds gets the label beside it, at most a pixel of the network away.
    wide = cv2.dilate(large.astype(np.float32), np.ones((3, 3), np.uint8), iterations=int(np.ceil(factor)))
    return np.asarray(np.where(inside, np.where(large > 0, large, wide), 0), dtype=np.int32)
