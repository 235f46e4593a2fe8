"""Training crops: nuclei turned, resized, bent and pasted beside others, with grey levels of many microscopes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from scipy.ndimage import center_of_mass, find_objects

from nnbook.errors import NnbookError
from nnbook.io.images import read_image, read_mask
from nnbook.segmentation.diameter import median_diameter
from nnbook.segmentation.dynamics import masks_to_flows
from nnbook.segmentation.grouping import labels_at_edge
from nnbook.segmentation.scale import grey_range, rescale
from nnbook.training.intensity import add_texture, vary_intensity

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.random import Generator
    from numpy.typing import NDArray

    from nnbook.io.images import Labels

STORED_DIAMETER: Final = 1.5
"""Examples are kept with nuclei of at most this many times the network's diameter: crops resize them further."""

SIZE_RANGE: Final = (0.5, 2.0)
SIZE_LOG_SD: Final = 0.3
ON_NUCLEUS_SHARE: Final = 0.75
"""Share of crops around a nucleus; the others are anywhere."""

COMPONENTS_WEIGHT: Final = 30.0
"""How many times as often a nucleus of several components (a telophase, one with micronuclei) is drawn: it is rare."""

BRIDGED_GAP: Final = 0.85
"""Components of a label farther apart than this share of the median diameter are trained on as nuclei of their own."""

FRAGMENT_SHARE: Final = 0.005
"""Components below this share of their label's area are fragments, slips of the pen, and become background."""

PASTE_SHARE: Final = 0.4
MOST_PASTED: Final = 9
"""Share of crops with copy-paste augmentation (nuclei of another image beside their own), and how many at most."""

IMAGE_EDGE_SHARE: Final = 0.4
IMAGE_EDGE_PX: Final = (4, 40)
"""Share of crops in which the image ends, along one side or two, and how far from the crop's own edge. There is a
sliver of a nucleus in most of these, and in few of the others."""

SMALL_WEIGHT: Final = 5.0
"""A pixel of a nucleus is weighted by the square root of how many times smaller than a typical one that is, from 1 to
this: otherwise slivers, rare and of few pixels, would be learnt last."""

EMPTY_SHARE: Final = 0.03
"""Share of crops that hold noise alone, for images and corners without nuclei."""

STRONG_SHARE: Final = 0.5
"""Share of crops of which nuclei are stretched and bent and have a texture of their own: shapes and chromatin of other
laboratories and cell lines."""

STRETCH_LOG_SD: Final = 0.12
BEND_PX: Final = 4.0
BEND_CELLS: Final = (3, 8)
"""How far nuclei are stretched in one direction and shrunk in the other; by how many px at most (standard deviation)
points of a coarse grid are moved, and how many of its cells a crop is wide."""

MARGIN_PX: Final = 24
"""Crops are drawn with this margin, so that a nucleus that the crop cuts has the flows of the whole. One that reaches
through the margin, whose centre isn't known, doesn't count."""

FLOW_LEVELS: Final = 127.0
WEIGHT_LEVELS: Final = 50.0
"""What 1 is in crops as they are kept: flows and weights in 8 bits."""


@dataclass(frozen=True)
class Example:
    """An image with its masks, ready for crops to be drawn from it.

    Attributes
    ----------
    image : float32, axes (y, x)
        Grey levels, the 1st percentile at 0 and the 99th at 1.
    labels : int32, axes (y, x)
        0 for background, 1..N for nuclei.
    centres : float32, axes (nucleus, x or y)
        Centroids of the nuclei, in px of `image`.
    probabilities : float64, axis (nucleus)
        Of each nucleus, to be drawn for a crop around it.
    diameter_px, original_diameter_px : float
        Median diameter of the nuclei, in px of `image` and of the file.
    """

    image: NDArray[np.float32]
    labels: Labels
    centres: NDArray[np.float32]
    probabilities: NDArray[np.float64]
    diameter_px: float
    original_diameter_px: float


def read_example(image_path: Path, mask_path: Path, diam_mean: float) -> Example:
    """Read an image and its mask at the scale that crops are drawn from.

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
    labels, several = bridge_components(_resize(labels, shape), diameter * scale)
    numbers = np.unique(labels[labels > 0])
    weights = np.where(np.isin(numbers, several), COMPONENTS_WEIGHT, 1.0)
    return Example(
        image=rescale(image, shape, *grey_range(image)),
        labels=labels,
        centres=np.array([point[::-1] for point in center_of_mass(labels > 0, labels, numbers)], dtype=np.float32),
        probabilities=weights / weights.sum(),
        diameter_px=diameter * scale,
        original_diameter_px=diameter,
    )


def bridge_components(labels: Labels, diameter_px: float) -> tuple[Labels, list[int]]:
    """Join the components of each label by a neck, so that every pixel of it has a path to its centre.

    Components without their label's centre would have no flow (Cellpose's diffusion doesn't cross background), and
    masks made from flows have one component each. So the gap is closed, as by hand one outline is drawn around both.
    Components too far apart become labels of their own, and fragments background.

    Parameters
    ----------
    labels : Labels
        Axes (y, x).
    diameter_px : float
        Median diameter of the nuclei.

    Returns
    -------
    labels : Labels
        A copy, every label of one component.
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
        _, components = cv2.connectedComponents((view == label).astype(np.uint8))
        areas = np.bincount(components.ravel())
        order = [int(k) for k in 1 + np.argsort(-areas[1:], kind="stable")]
        whole = (components == order[0]).astype(np.uint8)
        for k in order[1:]:
            component = components == k
            if areas[k] < max(4, FRAGMENT_SHARE * areas[1:].sum()):
                view[component] = 0
                continue
            gap = float(cv2.distanceTransform(1 - whole, cv2.DIST_L2, 5)[component].min())
            if gap > BRIDGED_GAP * diameter_px:
                view[component] = unused
                unused += 1
                continue
            whole = _close_gap(whole | component.astype(np.uint8), gap)
            several.append(label)
        view[(whole > 0) & (view == 0)] = label
    return out, sorted(set(several))


def _close_gap(components: NDArray[np.uint8], gap: float) -> NDArray[np.uint8]:
    """Close the gap between two components with a disc, the smallest one that makes them one."""
    import cv2

    for radius in range(max(2, math.ceil(gap)), 4 * math.ceil(gap) + 8):
        disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
        framed = cv2.copyMakeBorder(components, radius, radius, radius, radius, cv2.BORDER_CONSTANT, value=0)
        closed = cv2.morphologyEx(framed, cv2.MORPH_CLOSE, disc)[radius:-radius, radius:-radius]
        if cv2.connectedComponents(closed)[0] == 2:
            return np.asarray(closed)
    return components


class Crops(NamedTuple):
    """Crops as they are kept and sent between processes.

    Attributes
    ----------
    images : float16, axes (crop, y, x)
        Grey levels; not a number outside the image.
    flows : int8, axes (crop, component y or x, y, x)
        Unit vectors towards the centre of the nucleus along the diffusion of Cellpose, 127 times; 0 outside nuclei.
    nuclei : uint8, axes (crop, y, x)
        1 inside nuclei and 0 outside.
    weights : uint8, axes (crop, y, x)
        How much the pixel counts, 50 times: see `SMALL_WEIGHT`.
    sources : int32, axis (crop)
        From which data sets a crop is, 2 to the power of each one's number; `STRONG` where it is a strong one.
    """

    images: NDArray[np.float16]
    flows: NDArray[np.int8]
    nuclei: NDArray[np.uint8]
    weights: NDArray[np.uint8]
    sources: NDArray[np.int32]


STRONG: Final = 1 << 30


@dataclass
class _Crop:
    """A crop of an image with its margin: float32 grey levels and int32 labels."""

    image: NDArray[np.float32]
    labels: NDArray[np.int32]
    inside: NDArray[np.bool_]
    """Where the image is; outside it everything is 0, as in `nnbook.segmentation.network`."""


def draw_crops(
    data_sets: Sequence[Sequence[Example]], rng: Generator, count: int, crop_px: int, diam_mean: float, *, varied: bool
) -> Crops:
    """Draw crops of random images of random data sets.

    Parameters
    ----------
    data_sets : sequence of sequence of Example
        Each is drawn from equally often, and each image of it too.
    rng, crop_px, diam_mean, varied
        See `draw_crop`.
    count : int
        How many.
    """
    crops = Crops(
        np.empty((count, crop_px, crop_px), np.float16),
        np.empty((count, 2, crop_px, crop_px), np.int8),
        np.empty((count, crop_px, crop_px), np.uint8),
        np.empty((count, crop_px, crop_px), np.uint8),
        np.empty(count, np.int32),
    )
    for k in range(count):
        own, others = (int(rng.integers(len(data_sets))) for _ in "ab")
        example, paste_from = (data_sets[part][rng.integers(len(data_sets[part]))] for part in (own, others))
        pastes = varied and rng.random() < PASTE_SHARE
        strong = varied and rng.random() < STRONG_SHARE
        image, target = draw_crop(
            example, rng, crop_px, diam_mean, varied=varied, strong=strong, paste_from=paste_from if pastes else None
        )
        crops.images[k] = image
        crops.flows[k] = np.rint(FLOW_LEVELS * target[:2])
        crops.nuclei[k] = target[2]
        crops.weights[k] = np.rint(WEIGHT_LEVELS * target[3])
        crops.sources[k] = 1 << own | (1 << others if pastes else 0) | (STRONG if strong else 0)
    return crops


def draw_crop(
    example: Example,
    rng: Generator,
    crop_px: int,
    diam_mean: float,
    *,
    varied: bool,
    strong: bool = False,
    paste_from: Example | None = None,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Draw one crop: rotated, mirrored and shifted at random.

    Parameters
    ----------
    example : Example
        Where to draw from.
    rng : Generator
        The stream to draw from.
    crop_px : int
        Side of the crop.
    diam_mean : float
        The network's diameter in px, to which the example's median diameter is scaled.
    varied : bool
        Whether sizes and grey levels vary too (training) or not (validation).
    strong : bool
        Whether nuclei are stretched and bent and get a texture: see `STRONG_SHARE`.
    paste_from : Example, optional
        Whose nuclei are pasted beside those of the crop.

    Returns
    -------
    image : float32, axes (y, x)
        Grey levels; not a number outside the image.
    target : float32, axes (channel, y, x)
        The flow's y and x component; 1 inside nuclei and 0 outside; and how much the pixel counts, see
        `SMALL_WEIGHT`.
    """
    side = crop_px + 2 * MARGIN_PX
    size = math.exp(np.clip(rng.normal(0, SIZE_LOG_SD), *np.log(SIZE_RANGE))) if varied else 1.0
    crop = _warp(example, rng, side, size * diam_mean / example.diameter_px, strong=strong)
    if paste_from is not None:
        size *= math.exp(rng.normal(0, 0.15))
        _paste_nuclei(crop, _warp(paste_from, rng, side, size * diam_mean / paste_from.diameter_px), rng)
    if varied and rng.random() < IMAGE_EDGE_SHARE:
        _draw_image_edge(crop, rng)
    if varied and rng.random() < EMPTY_SHARE:
        crop.image[:], crop.labels[:] = 0, 0
    target = _target(crop, math.pi / 4 * diam_mean**2)
    middle = np.s_[MARGIN_PX:-MARGIN_PX, MARGIN_PX:-MARGIN_PX]
    image, labels = crop.image[middle], crop.labels[middle]
    if strong:
        image = add_texture(image, labels, rng)
    if varied:
        image = vary_intensity(image, labels, rng)
    return np.where(crop.inside[middle], image, np.float32(np.nan)), target[:, *middle]


def _target(crop: _Crop, typical_area: float) -> NDArray[np.float32]:
    """Return what the network is to learn of a crop, each component that is left of a nucleus with its own centre."""
    from skimage.measure import label

    crop.image[~crop.inside], crop.labels[~crop.inside] = 0, 0
    components = label(crop.labels, connectivity=2).astype(np.int32)
    target = np.empty((4, *components.shape), dtype=np.float32)
    target[:2] = masks_to_flows(components)
    target[2] = components > 0
    target[3] = _pixel_weights(components, typical_area)
    # The margin ends here, the image does not: where the centre of these is isn't known.
    beyond = np.unique(labels_at_edge(components))
    target[3][np.isin(components, beyond[beyond > 0])] = 0
    return target


def _pixel_weights(labels: NDArray[np.int32], typical_area: float) -> NDArray[np.float32]:
    areas = np.maximum(np.bincount(labels.ravel()), 1)
    areas[0] = typical_area
    return np.asarray(np.clip(np.sqrt(typical_area / areas), 1, SMALL_WEIGHT)[labels], dtype=np.float32)


def _warp(example: Example, rng: Generator, side: int, zoom: float, *, strong: bool = False) -> _Crop:
    import cv2

    angle = rng.uniform(0, 2 * math.pi)
    rotation = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    if rng.random() < 0.5:
        rotation[:, 0] *= -1
    # From the crop to the example, directions as (x, y).
    inverse = rotation.T / zoom
    if strong:
        stretch = math.exp(rng.normal(0, STRETCH_LOG_SD))
        inverse = inverse @ np.diag([stretch, 1 / stretch])
    origin = np.array(_crop_centre(example, rng, (side - 2 * MARGIN_PX) / zoom)) - inverse @ np.full(2, (side - 1) / 2)
    x, y = np.meshgrid(np.arange(side, dtype=np.float32), np.arange(side, dtype=np.float32))
    if strong:
        cells = int(rng.integers(*BEND_CELLS))
        # Neighbouring points move apart by less than their distance: nothing folds.
        amount = min(rng.uniform(0, BEND_PX), 0.15 * side / cells)
        moved = rng.normal(0, amount, (cells + 3, cells + 3, 2)).astype(np.float32)
        bend = cv2.resize(moved, (side, side), interpolation=cv2.INTER_CUBIC)
        x, y = x + bend[..., 0], y + bend[..., 1]
    map_x, map_y = (
        (row[0] * x + row[1] * y + shift).astype(np.float32) for row, shift in zip(inverse, origin, strict=True)
    )

    def warp(plane: NDArray[np.float32], how: int = cv2.INTER_LINEAR) -> NDArray[np.float32]:
        return np.asarray(cv2.remap(plane, map_x, map_y, how, borderMode=cv2.BORDER_CONSTANT, borderValue=0))

    # Only the part that the crop shows is converted.
    box = tuple(
        slice(max(0, math.floor(float(places.min())) - 2), max(1, math.ceil(float(places.max())) + 3))
        for places in (map_y, map_x)
    )
    map_y, map_x = map_y - np.float32(box[0].start), map_x - np.float32(box[1].start)
    image, numbers = example.image[box].astype(np.float32), example.labels[box].astype(np.float32)
    labels = warp(numbers, cv2.INTER_NEAREST)
    # Outlines stay smooth where small nuclei are enlarged; a pixel that this adds to them gets the label beside it.
    grown = cv2.dilate(labels, np.ones((2 * math.ceil(zoom) + 1,) * 2, np.uint8))
    nuclei = warp((numbers > 0).astype(np.float32)) >= 0.5
    whole = np.where(nuclei, np.where(labels > 0, labels, grown), 0).astype(np.int32)
    inside = warp(np.ones_like(image)) > 0.5
    return _Crop(warp(image), whole, inside)


def _draw_image_edge(crop: _Crop, rng: Generator) -> None:
    """Let the image end within the crop, along one side or two."""
    first = int(rng.integers(4))
    for turns in range(first, first + int(rng.integers(1, 3))):
        np.rot90(crop.inside, turns)[: MARGIN_PX + rng.integers(*IMAGE_EDGE_PX)] = False


def _paste_nuclei(crop: _Crop, source: _Crop, rng: Generator) -> None:
    """Paste whole nuclei of `source` beside nuclei of `crop`, touching or nearly. Light adds up, as in a microscope."""
    import cv2

    side = crop.labels.shape[0]
    boxes = [
        (label, box)
        for label, box in enumerate(find_objects(source.labels), start=1)
        if box and all(edge.start > 3 and edge.stop < side - 3 for edge in box)
    ]
    present = np.unique(crop.labels[crop.labels > 0])
    dark = np.percentile(source.image[source.labels == 0], 50) if (source.labels == 0).any() else source.image.min()
    for choice in rng.permutation(len(boxes))[: rng.integers(1, MOST_PASTED + 1)]:
        label, (rows, columns) = boxes[choice]
        box = slice(rows.start - 3, rows.stop + 3), slice(columns.start - 3, columns.stop + 3)
        mask = source.labels[box] == label
        soft = cv2.GaussianBlur(cv2.dilate(mask.astype(np.float32), np.ones((3, 3), np.uint8)), (0, 0), 1.0)
        light = np.clip(source.image[box] - dark, 0, None) * soft * math.exp(rng.normal(0, 0.4))
        place = _place_beside(crop.labels, mask, int(rng.choice(present)) if present.size else 0, rng)
        if place is None:
            continue
        here, there = _overlap(place, mask.shape, side)
        crop.image[here] += light[there]
        free = mask[there] & (crop.labels[here] == 0)
        crop.labels[here][free] = crop.labels.max() + 1


def _place_beside(
    labels: NDArray[np.int32], mask: NDArray[np.bool_], neighbour: int, rng: Generator
) -> tuple[int, int] | None:
    """Return where a mask's top left corner is once it is moved towards a nucleus until it touches something."""
    side = labels.shape[0]
    if neighbour == 0:
        return int(rng.integers(0, side - mask.shape[0])), int(rng.integers(0, side - mask.shape[1]))
    y, x = (float(np.mean(places)) for places in np.nonzero(labels == neighbour))
    angle = rng.uniform(0, 2 * math.pi)
    found = None
    for distance in range(side, 0, -1):
        place = (
            round(y + distance * math.sin(angle) - mask.shape[0] / 2),
            round(x + distance * math.cos(angle) - mask.shape[1] / 2),
        )
        here, there = _overlap(place, mask.shape, side)
        touches = int((mask[there] & (labels[here] > 0)).sum())
        if 2 * mask[there].sum() > mask.sum() and touches <= 0.08 * mask.sum():
            found = place
        if touches > rng.integers(0, 12):
            break
    return found


def _overlap(
    place: tuple[int, int], shape: tuple[int, ...], side: int
) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Return the part that a square frame and a box placed in it share: as slices of the frame, and of the box."""
    here, there = [], []
    for start, length in zip(place, shape, strict=True):
        first, last = min(max(start, 0), side), min(max(start + length, 0), side)
        here.append(slice(first, last))
        there.append(slice(first - start, last - start))
    return (here[0], here[1]), (there[0], there[1])


def _crop_centre(example: Example, rng: Generator, side: float) -> tuple[float, float]:
    """Draw where the crop's centre is in the example, as (x, y)."""
    height, width = example.image.shape
    if rng.random() < ON_NUCLEUS_SHARE and example.probabilities.size:
        x, y = (
            float(place) for place in example.centres[rng.choice(example.probabilities.size, p=example.probabilities)]
        )
        x, y = x + rng.uniform(-side / 3, side / 3), y + rng.uniform(-side / 3, side / 3)
    else:
        x, y = rng.uniform(0, width), rng.uniform(0, height)
    # Most of the crop shows the image.
    least = 0.3 * side
    return (
        float(np.clip(x, min(least, width / 2), max(width - least, width / 2))),
        float(np.clip(y, min(least, height / 2), max(height - least, height / 2))),
    )


def _resize(labels: Labels, shape: tuple[int, int]) -> Labels:
    """Bring labels to another size; each new pixel has the label of the old one at its centre."""
    rows, columns = (
        ((np.arange(new) + 0.5) * (old / new)).astype(int) for old, new in zip(labels.shape, shape, strict=True)
    )
    return np.asarray(labels[np.ix_(rows, columns)])
