"""Training crops: nuclei turned, mirrored, resized and crowded, with the grey levels of many microscopes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.ndimage import center_of_mass, find_objects  # type: ignore[attr-defined]

from nnbook.errors import NnbookError
from nnbook.io.images import read_image, read_mask
from nnbook.segmentation.diameter import median_diameter
from nnbook.segmentation.dynamics import masks_to_flows
from nnbook.segmentation.scale import grey_range, rescale
from nnbook.training.intensity import vary_grey

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.random import Generator
    from numpy.typing import NDArray

    from nnbook.io.images import Labels

STORED_DIAMETER: Final = 1.5
"""Examples are kept with nuclei of at most this many times the network's diameter: crops resize them further."""

SIZE_RANGE: Final = (0.5, 2.0)
SIZE_LOG_SD: Final = 0.3
ON_NUCLEUS_SHARE: Final = 0.75
"""Share of crops that are laid around a nucleus; the others fall anywhere."""

COMPONENTS_WEIGHT: Final = 30.0
"""A nucleus of several components (a telophase, one with micronuclei) is drawn this many times as often: it is rare."""

BRIDGED_GAP: Final = 0.85
"""Components of one label farther apart than this share of the median diameter are trained on as nuclei of their own."""

FRAGMENT_SHARE: Final = 0.005
"""Pieces below this share of their label are slips of the pen: nobody's nucleus."""

PASTE_SHARE: Final = 0.4
MOST_PASTED: Final = 6
"""Share of crops in which nuclei of another image are set against those that are there, and how many at most."""

FRAMED_SHARE: Final = 0.4
FRAME_PX: Final = (4, 40)
"""Share of crops that an image ends in, along one side or two, and how far from their edge. There is a sliver of a
nucleus in most of these, and in few of the others."""

SMALL_WEIGHT: Final = 5.0
"""A pixel of a nucleus counts as the square root of how many times smaller than a typical one that is, from 1 to this:
else slivers, of few pixels and rare, would be learnt last."""

EMPTY_SHARE: Final = 0.03
"""Share of crops that hold noise alone, for images and corners without nuclei."""


@dataclass(frozen=True)
class Example:
    """An image with its masks, ready for crops to be drawn from it.

    Attributes
    ----------
    image : float32, axes (y, x)
        Grey levels, the 1st percentile at 0 and the 99th at 1.
    labels : int32, axes (y, x)
        0 for background, 1..N for nuclei.
    flows : float16, axes (component y or x, y, x)
        Unit vectors from each pixel of a nucleus towards its centre along the simulated diffusion of Cellpose.
    centres : float32, axes (nucleus, x or y)
        Where crops are laid around, in px of `image`.
    shares : float64, axis (nucleus)
        How often each of them is, 1 in all.
    diameter_px, original_diameter_px : float
        Median diameter of the nuclei, in px of `image` and of the file.
    """

    image: NDArray[np.float32]
    labels: Labels
    flows: NDArray[np.float16]
    centres: NDArray[np.float32]
    shares: NDArray[np.float64]
    diameter_px: float
    original_diameter_px: float


def read_example(image_path: Path, mask_path: Path, diam_mean: float) -> Example:
    """Read an image and its mask, and compute the flows that the network is to learn.

    Parameters
    ----------
    image_path, mask_path : Path
        Files of one size. A mask without nuclei is fine.
    diam_mean : float
        The network's own diameter in px.

    Raises
    ------
    NnbookError
        As `read_image` and `read_mask`; also where the two differ in size.
    """
    image, labels = read_image(image_path), read_mask(mask_path)
    if image.shape != labels.shape:
        raise NnbookError(
            f"{mask_path}: has {labels.shape[1]} x {labels.shape[0]} px and its image {image.shape[1]} x "
            f"{image.shape[0]}; export the mask at the image's size"
        )
    diameter = median_diameter(labels) or diam_mean
    scale = min(1.0, STORED_DIAMETER * diam_mean / diameter)
    shape = (max(1, round(image.shape[0] * scale)), max(1, round(image.shape[1] * scale)))
    labels, several = bridge_components(_nearest(labels, shape), diameter * scale)
    numbers = np.unique(labels[labels > 0])
    weights = np.where(np.isin(numbers, several), COMPONENTS_WEIGHT, 1.0)
    return Example(
        image=rescale(image, shape, *grey_range(image)),
        labels=labels,
        flows=masks_to_flows(labels).astype(np.float16),
        centres=np.array([point[::-1] for point in center_of_mass(labels > 0, labels, numbers)], dtype=np.float32),
        shares=weights / weights.sum(),
        diameter_px=diameter * scale,
        original_diameter_px=diameter,
    )


def bridge_components(labels: Labels, diameter_px: float) -> tuple[Labels, list[int]]:
    """Join the components of one label by a neck, so that every pixel of it has a way to its centre.

    A label in pieces would have no flow in those without its centre (Cellpose's diffusion doesn't cross background),
    and masks made along flows are in one piece. So the gap is closed, as a hand that draws one outline around both
    components does. Pieces too far apart become labels of their own, and fragments background.

    Parameters
    ----------
    labels : Labels
        Axes (y, x).
    diameter_px : float
        Median diameter of the nuclei.

    Returns
    -------
    labels : Labels
        A copy, every label in one piece.
    several : list of int
        The labels that were joined.
    """
    import cv2

    out = labels.copy()
    several: list[int] = []
    unused = int(labels.max(initial=0)) + 1
    margin = math.ceil(diameter_px) + 2
    for label, box in enumerate(find_objects(labels), start=1):
        if box is None:
            continue
        if cv2.connectedComponents((labels[box] == label).astype(np.uint8))[0] == 2:
            continue
        around = tuple(slice(max(0, side.start - margin), side.stop + margin) for side in box)
        view = out[around]
        _, pieces = cv2.connectedComponents((view == label).astype(np.uint8))
        areas = np.bincount(pieces.ravel())
        order = [int(k) for k in 1 + np.argsort(-areas[1:], kind="stable")]
        whole = (pieces == order[0]).astype(np.uint8)
        for k in order[1:]:
            piece = pieces == k
            if areas[k] < max(4, FRAGMENT_SHARE * areas[1:].sum()):
                view[piece] = 0
                continue
            gap = float(cv2.distanceTransform(1 - whole, cv2.DIST_L2, 5)[piece].min())
            if gap > BRIDGED_GAP * diameter_px:
                view[piece] = unused
                unused += 1
                continue
            whole = _joined(whole | piece.astype(np.uint8), gap)
            several.append(label)
        view[(whole > 0) & (view == 0)] = label
    return out, sorted(set(several))


def _joined(components: NDArray[np.uint8], gap: float) -> NDArray[np.uint8]:
    """Close the gap between two components by a disc, the least one that leaves them in one piece."""
    import cv2

    for radius in range(max(2, math.ceil(gap)), 4 * math.ceil(gap) + 8):
        disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
        framed = cv2.copyMakeBorder(components, radius, radius, radius, radius, cv2.BORDER_CONSTANT, value=0)
        closed = cv2.morphologyEx(framed, cv2.MORPH_CLOSE, disc)[radius:-radius, radius:-radius]
        if cv2.connectedComponents(closed)[0] == 2:
            return np.asarray(closed)
    return components


@dataclass
class _Crop:
    """What lies in one frame: float32 grey levels, labels, and float32 flows (component, y, x)."""

    image: NDArray[np.float32]
    labels: NDArray[np.int32]
    flows: NDArray[np.float32]
    seen: NDArray[np.bool_]
    """Where the image is; beyond its end, as in `nnbook.segmentation.workflow`, all is 0."""


def draw_crop(
    example: Example,
    rng: Generator,
    crop_px: int,
    diam_mean: float,
    *,
    varied: bool,
    guests: Example | None = None,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Draw one crop: turned, mirrored and shifted at random.

    Parameters
    ----------
    example : Example
        Where to draw from.
    rng : Generator
        The source of every draw.
    crop_px : int
        Side of the crop.
    diam_mean : float
        The network's diameter in px, which the example's median diameter is brought to.
    varied : bool
        Whether sizes and grey levels vary too (training) or not (validation).
    guests : Example, optional
        Where nuclei are taken from that are set against those of the crop, in `PASTE_SHARE` of varied crops.

    Returns
    -------
    image : float32, axes (y, x)
        Grey levels.
    target : float32, axes (channel, y, x)
        The flow's y and x component; 1 inside nuclei and 0 outside; and how much the pixel counts, see
        `SMALL_WEIGHT`.
    """
    size = math.exp(np.clip(rng.normal(0, SIZE_LOG_SD), *np.log(SIZE_RANGE))) if varied else 1.0
    crop = _warp(example, rng, crop_px, size * diam_mean / example.diameter_px)
    if varied and guests is not None and rng.random() < PASTE_SHARE:
        size *= math.exp(rng.normal(0, 0.15))
        _set_against(crop, _warp(guests, rng, crop_px, size * diam_mean / guests.diameter_px), rng)
    if varied and rng.random() < FRAMED_SHARE:
        _end_within(crop, rng)
    _cut(crop)
    inside = crop.labels > 0
    length = np.hypot(*crop.flows)
    flowing = inside & (length > 1e-3)
    target = np.zeros((4, crop_px, crop_px), dtype=np.float32)
    target[:2, flowing] = crop.flows[:, flowing] / length[flowing]
    target[2] = inside
    target[3] = _weights(crop.labels, math.pi / 4 * diam_mean**2)
    image = crop.image
    if varied:
        if rng.random() < EMPTY_SHARE:
            image[:], target[:3] = 0, 0
        image = np.where(crop.seen, vary_grey(image, crop.labels, rng), np.float32(0))
    return image, target


def _weights(labels: NDArray[np.int32], typical_area: float) -> NDArray[np.float32]:
    areas = np.maximum(np.bincount(labels.ravel()), 1)
    areas[0] = typical_area
    return np.asarray(np.clip(np.sqrt(typical_area / areas), 1, SMALL_WEIGHT)[labels], dtype=np.float32)


def _warp(example: Example, rng: Generator, crop_px: int, zoom: float) -> _Crop:
    import cv2

    angle = rng.uniform(0, 2 * math.pi)
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    if rng.random() < 0.5:
        turn[:, 0] *= -1
    # `turn` maps directions (x, y) of the example to the crop; warpAffine wants the way back.
    back = turn.T / zoom
    middle = np.array(_centre(example, rng, crop_px / zoom)) - back @ np.full(2, (crop_px - 1) / 2)
    affine = np.column_stack([back, middle])

    def warp(plane: NDArray[np.float32], flags: int = cv2.INTER_LINEAR) -> NDArray[np.float32]:
        return np.asarray(cv2.warpAffine(plane, affine, (crop_px, crop_px), flags=flags | cv2.WARP_INVERSE_MAP))

    labels = warp(example.labels.astype(np.float32), cv2.INTER_NEAREST).astype(np.int32)
    # Outlines are smooth where small nuclei are enlarged; a pixel that they take in belongs to the label beside it.
    grown = cv2.dilate(labels.astype(np.float32), np.ones((2 * math.ceil(zoom) + 1,) * 2, np.uint8)).astype(np.int32)
    inside = warp((example.labels > 0).astype(np.float32)) >= 0.5
    labels = np.where(inside, np.where(labels > 0, labels, grown), 0)
    flow_y, flow_x = (warp(component.astype(np.float32)) for component in example.flows)
    flows = np.stack([turn[1, 0] * flow_x + turn[1, 1] * flow_y, turn[0, 0] * flow_x + turn[0, 1] * flow_y])
    seen = warp(np.ones_like(example.image)) > 0.5
    return _Crop(warp(example.image), labels, flows.astype(np.float32), seen)


def _end_within(crop: _Crop, rng: Generator) -> None:
    """Let the image end within the crop."""
    first = int(rng.integers(4))
    for turns in range(first, first + int(rng.integers(1, 3))):
        np.rot90(crop.seen, turns)[: rng.integers(*FRAME_PX)] = False


def _cut(crop: _Crop) -> None:
    """Cut away what lies beyond the image, and give each piece that is left of a nucleus its own middle."""
    from skimage.measure import label

    cut = np.isin(crop.labels, crop.labels[~crop.seen]) & crop.seen & (crop.labels > 0)
    crop.image[~crop.seen], crop.labels[~crop.seen] = 0, 0
    pieces = label(np.where(cut, crop.labels, 0), connectivity=1)  # type: ignore[no-untyped-call]
    crop.flows[:, cut] = masks_to_flows(pieces.astype(np.int32))[:, cut]


def _set_against(crop: _Crop, guests: _Crop, rng: Generator) -> None:
    """Set whole nuclei of `guests` against nuclei of `crop`, touching or nearly. Light adds up, as in a microscope."""
    import cv2

    side = crop.labels.shape[0]
    boxes = [
        (label, box)
        for label, box in enumerate(find_objects(guests.labels), start=1)
        if box and all(edge.start > 3 and edge.stop < side - 3 for edge in box)
    ]
    hosts = np.unique(crop.labels[crop.labels > 0])
    dark = np.percentile(guests.image[guests.labels == 0], 50) if (guests.labels == 0).any() else guests.image.min()
    for choice in rng.permutation(len(boxes))[: rng.integers(1, MOST_PASTED + 1)]:
        label, (rows, columns) = boxes[choice]
        box = slice(rows.start - 3, rows.stop + 3), slice(columns.start - 3, columns.stop + 3)
        mask = guests.labels[box] == label
        soft = cv2.GaussianBlur(cv2.dilate(mask.astype(np.float32), np.ones((3, 3), np.uint8)), (0, 0), 1.0)
        light = np.clip(guests.image[box] - dark, 0, None) * soft * math.exp(rng.normal(0, 0.4))
        place = _beside(crop.labels, mask, int(rng.choice(hosts)) if hosts.size else 0, rng)
        if place is None:
            continue
        here, there = _overlapping(place, mask.shape, side)
        crop.image[here] += light[there]
        free = mask[there] & (crop.labels[here] == 0)
        crop.labels[here][free] = crop.labels.max() + 1
        for component, flow in zip(crop.flows, guests.flows, strict=True):
            component[here][free] = flow[box][there][free]


def _beside(labels: NDArray[np.int32], mask: NDArray[np.bool_], host: int, rng: Generator) -> tuple[int, int] | None:
    """Where a mask's top left corner comes to lie when it is pushed towards a host until it touches something."""
    side = labels.shape[0]
    if host == 0:
        return int(rng.integers(0, side - mask.shape[0])), int(rng.integers(0, side - mask.shape[1]))
    y, x = (float(np.mean(places)) for places in np.nonzero(labels == host))
    angle = rng.uniform(0, 2 * math.pi)
    found = None
    for distance in range(side, 0, -1):
        place = (
            round(y + distance * math.sin(angle) - mask.shape[0] / 2),
            round(x + distance * math.cos(angle) - mask.shape[1] / 2),
        )
        here, there = _overlapping(place, mask.shape, side)
        touches = int((mask[there] & (labels[here] > 0)).sum())
        if 2 * mask[there].sum() > mask.sum() and touches <= 0.08 * mask.sum():
            found = place
        if touches > rng.integers(0, 12):
            break
    return found


def _overlapping(
    place: tuple[int, int], shape: tuple[int, ...], side: int
) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Slices of a square frame and of a box laid into it that fall on each other."""
    here, there = [], []
    for start, length in zip(place, shape, strict=True):
        first, last = min(max(start, 0), side), min(max(start + length, 0), side)
        here.append(slice(first, last))
        there.append(slice(first - start, last - start))
    return (here[0], here[1]), (there[0], there[1])


def _centre(example: Example, rng: Generator, side: float) -> tuple[float, float]:
    """Where the crop's centre falls in the example, as (x, y)."""
    height, width = example.image.shape
    if rng.random() < ON_NUCLEUS_SHARE and example.shares.size:
        x, y = (float(place) for place in example.centres[rng.choice(example.shares.size, p=example.shares)])
        x, y = x + rng.uniform(-side / 3, side / 3), y + rng.uniform(-side / 3, side / 3)
    else:
        x, y = rng.uniform(0, width), rng.uniform(0, height)
    # Most of the crop shows the image.
    least = 0.3 * side
    return (
        float(np.clip(x, min(least, width / 2), max(width - least, width / 2))),
        float(np.clip(y, min(least, height / 2), max(height - least, height / 2))),
    )


def _nearest(labels: Labels, shape: tuple[int, int]) -> Labels:
    rows, columns = (
        ((np.arange(new) + 0.5) * (old / new)).astype(int) for old, new in zip(labels.shape, shape, strict=True)
    )
    return np.asarray(labels[np.ix_(rows, columns)])
