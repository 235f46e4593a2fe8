"""Training NuSeT's network: crops of real and synthetic images, its losses, RMSprop."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np

from nnbook.errors import InvalidValueError, NnbookError
from nnbook.nuset.anchors import anchor_targets, base_size, make_anchors, nuclei_boxes
from nnbook.nuset.normalisation import LEAST_SD, normalise
from nnbook.nuset.synthetic import draw_synthetic
from nnbook.segmentation.scale import rescale

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from nnbook.io.images import Image, Labels
    from nnbook.nuset.anchors import Targets

NUCLEUS_PX: Final = 32.0
"""Images are brought to a median nucleus of this diameter. The paper trains on images as they are, for five hours."""

BOUNDARY_WEIGHT: Final = 10.0
BOUNDARY_VARIANCE_PX2: Final = 5.0
"""w0 and sigma2 of the paper: background between two nuclei weighs up to 11 times as much as other background."""

ATTENTION_REACH: Final = 1 / 2
"""How far weights of attention reach from a labelled nucleus: their standard deviation, as a share of `NUCLEUS_PX`. The
paper shows such weights in a figure, without numbers."""

ROTATION_DEGREES: Final = 10.0
SMOOTH_L1: Final = 1 / 9
"""Where the loss of shifts turns from a square into a line, for the sigma of 3 of Faster R-CNN."""

SYNTHETIC_IMAGES: Final = 96
SYNTHETIC_PX: Final = 256
MOST_PX: Final = 1024
"""Of an image with many small nuclei, its upper left part is enough."""

LEAST_BOX_PX: Final = 4
MAX_GRADIENT: Final = 5.0


@dataclass(frozen=True)
class NusetSettings:
    """How to train; what the paper does is in brackets.

    Attributes
    ----------
    foreground : bool
        Whether images are normalised by their nuclei (yes), or as a whole.
    synthetic_share : float
        Share of synthetic crops (a half).
    proposals : bool
        Whether there is a region proposal network (yes). Without, and without the two above, it is a U-Net.
    steps, batch, crop_px : int
        How many batches, crops a batch, and their side in px, a multiple of 16 (30 epochs of 3408 whole images, one at
        a time).
    learning_rate : float
        Of RMSprop, falling to 0 as a cosine (5e-5, constant, and the best epoch is chosen).
    attention : float
        Weight that pixels in labelled nuclei and about them have more than others, for nuclei that are rare (0, and for
        mitotic figures not stated). See `attention_weights`.
    seed : int
        Of the first weights, crops, anchors and synthetic images.
    """

    foreground: bool = True
    synthetic_share: float = 0.5
    proposals: bool = True
    steps: int = 800
    batch: int = 4
    crop_px: int = 128
    learning_rate: float = 2e-3
    attention: float = 0.0
    seed: int = 1


@dataclass(frozen=True)
class Example:
    """An image at the network's scale, with its nuclei.

    Attributes
    ----------
    image : float32, axes (y, x)
        Standardised as a whole.
    foreground : (float, float)
        Mean and standard deviation of its nuclei in it.
    labels : Labels
        Axes (y, x).
    base_px : float
        Median longer side of the nuclei's boxes.
    """

    image: NDArray[np.float32]
    foreground: tuple[float, float]
    labels: Labels
    base_px: float


def make_example(image: Image, labels: Labels, diameter_px: float) -> Example:
    """Bring an image and its masks to the network's scale.

    Parameters
    ----------
    image : Image
        Axes (y, x).
    labels : Labels
        Axes (y, x), of one size.
    diameter_px : float
        Median diameter of the nuclei.
    """
    factor = NUCLEUS_PX / diameter_px
    longest = round(MOST_PX / factor)
    image, labels = image[:longest, :longest], labels[:longest, :longest]
    shape = (max(1, round(image.shape[0] * factor)), max(1, round(image.shape[1] * factor)))
    small = rescale(image, shape)
    masks = cv2.resize(labels.astype(np.int32), shape[::-1], interpolation=cv2.INTER_NEAREST_EXACT)
    return _example(small, np.asarray(masks, dtype=np.int32))


def _example(image: NDArray[np.float32], labels: Labels) -> Example:
    image = normalise(image)
    inside = image[labels > 0]
    mean, sd = (float(inside.mean()), float(inside.std())) if inside.size else (0.0, 1.0)
    return Example(image, (mean, max(sd, LEAST_SD)), labels, base_size(nuclei_boxes(labels), NUCLEUS_PX))


def boundary_weights(labels: Labels) -> NDArray[np.float32]:
    """Return weights of pixels: 1, and more in background near two nuclei (Ronneberger et al. 2015).

    Parameters
    ----------
    labels : Labels
        Axes (y, x).
    """
    nearest = np.full((2, *labels.shape), np.inf, np.float32)
    for label in np.unique(labels[labels > 0]).tolist():
        distance = cv2.distanceTransform((labels != label).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        nearer = distance < nearest[0]
        nearest[1] = np.where(nearer, nearest[0], np.minimum(nearest[1], distance))
        nearest[0] = np.where(nearer, distance, nearest[0])
    extra = BOUNDARY_WEIGHT * np.exp(-(nearest.sum(axis=0) ** 2) / (2 * BOUNDARY_VARIANCE_PX2))
    return np.asarray(1 + np.where(foreground_of(labels), 0, extra), dtype=np.float32)


def attention_weights(labels: Labels, attention: float) -> NDArray[np.float32]:
    """Return what weights of pixels have more in labelled nuclei, and less and less about them.

    Parameters
    ----------
    labels : Labels
        Axes (y, x), of the nuclei that are looked for.
    attention : float
        The weight inside of them.

    Returns
    -------
    float32, axes (y, x)
        0 everywhere where there is no nucleus.

    Examples
    --------
    >>> import numpy as np
    >>> attention_weights(np.array([[0, 1]], np.int32), 4.0).tolist()[0][1]
    4.0
    """
    if not labels.any():
        return np.zeros(labels.shape, np.float32)
    distance = cv2.distanceTransform((labels == 0).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    reach = ATTENTION_REACH * NUCLEUS_PX
    return np.asarray(attention * np.exp(-(distance**2) / (2 * reach**2)), dtype=np.float32)


def foreground_of(labels: Labels) -> NDArray[np.bool_]:
    """Return pixels of nuclei, without those beside another nucleus, so that nuclei are apart."""
    wide = labels.astype(np.float32)
    kernel = np.ones((3, 3), np.uint8)
    most = cv2.dilate(wide, kernel)
    least = cv2.erode(np.where(labels > 0, wide, np.float32(np.inf)), kernel)
    return np.asarray((labels > 0) & (most == labels) & (least == labels))


def train_nuset(
    data_sets: Sequence[Sequence[Example]], settings: NusetSettings, note: Callable[[str], None] | None = None
) -> Any:
    """Train a network.

    Equal data and settings draw equal crops; networks of two calls differ in the last digits of sums, and by what comes
    of that.

    Parameters
    ----------
    data_sets : sequence of sequence of Example
        Each is drawn from equally often, and each image of it too.
    settings : NusetSettings
        How to train.
    note : callable, optional
        Gets a line every 100 steps.

    Returns
    -------
    nnbook.nuset.network.NusetNetwork

    Raises
    ------
    InvalidValueError
        Where there is no example, or a setting is out of range.
    NnbookError
        Where the loss is no longer a number.
    """
    import torch

    from nnbook.nuset.network import NusetNetwork

    _check(data_sets, settings)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        network = NusetNetwork(proposals=settings.proposals)
    optimizer = torch.optim.RMSprop(network.parameters(), lr=settings.learning_rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, settings.steps)
    rng = np.random.default_rng(settings.seed)
    synthetic = [_example(*draw_synthetic(rng, SYNTHETIC_PX, NUCLEUS_PX)) for _ in range(SYNTHETIC_IMAGES)]
    network.train()
    start = time.perf_counter()
    mean = 0.0
    for step in range(1, settings.steps + 1):
        loss = _loss(network, draw_batch(data_sets, synthetic, settings, rng), rng, settings)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), MAX_GRADIENT)
        optimizer.step()
        schedule.step()
        mean += float(loss.detach()) / 100
        if step % 100 == 0 and note is not None:
            note(f"step {step}: loss {mean:.3f}, {time.perf_counter() - start:.0f} s")
            mean = 0.0
    if not np.isfinite(float(loss.detach())):
        raise NnbookError(f"the training loss is not a number after {settings.steps} steps; use a lower learning rate")
    return network.eval()


Crop = tuple["NDArray[np.float32]", "Labels", float]
"""Grey levels, nuclei, and the base size of anchors."""


def draw_batch(
    data_sets: Sequence[Sequence[Example]],
    synthetic: Sequence[Example],
    settings: NusetSettings,
    rng: np.random.Generator,
) -> list[Crop]:
    """Draw crops of real and synthetic images: a third as they are, a third mirrored, a third turned by 10 degrees."""
    crops = []
    for place in range(settings.batch):
        if place < round(settings.batch * settings.synthetic_share):
            example = synthetic[int(rng.integers(len(synthetic)))]
        else:
            part = data_sets[int(rng.integers(len(data_sets)))]
            example = part[int(rng.integers(len(part)))]
        crops.append(_crop(example, settings, rng))
    return crops


def _crop(example: Example, settings: NusetSettings, rng: np.random.Generator) -> Crop:
    side = settings.crop_px
    image, labels = example.image, example.labels
    mean, sd = example.foreground if settings.foreground else (0.0, 1.0)
    wide = side + 2 * round(0.1 * side)  # so that a turned crop has no empty corner
    short = [max(0, wide - one) for one in labels.shape]
    if any(short):
        ends = [(one // 2, one - one // 2) for one in short]
        image, labels = np.pad(image, ends, mode="symmetric"), np.pad(labels, ends, mode="symmetric")
    y, x = (int(rng.integers(one - wide + 1)) for one in labels.shape)
    image, labels = image[y : y + wide, x : x + wide], labels[y : y + wide, x : x + wide]
    change = int(rng.integers(3))
    if change == 1:
        image, labels = image[:, ::-1], labels[:, ::-1]
    elif change == 2:
        turn = cv2.getRotationMatrix2D((wide / 2, wide / 2), ROTATION_DEGREES, 1.0)
        size, edge = (wide, wide), cv2.BORDER_REFLECT
        image = np.asarray(cv2.warpAffine(image, turn, size, flags=cv2.INTER_LINEAR, borderMode=edge), np.float32)
        wide_labels = cv2.warpAffine(labels.astype(np.float32), turn, size, flags=cv2.INTER_NEAREST, borderMode=edge)
        labels = np.asarray(wide_labels, dtype=np.int32)
    inner = slice((wide - side) // 2, (wide - side) // 2 + side)
    return (
        np.ascontiguousarray((image[inner, inner] - mean) / sd, dtype=np.float32),
        np.ascontiguousarray(labels[inner, inner]).astype(np.int32),
        example.base_px,
    )


def _loss(network: Any, crops: list[Crop], rng: np.random.Generator, settings: NusetSettings) -> Any:
    """Return the sum of cross-entropy with weights of pixels, Dice loss, and the losses of proposals."""
    import torch
    from torch.nn import functional

    grey = torch.from_numpy(np.stack([image for image, _, _ in crops])[:, np.newaxis])
    logits, scores, shifts = network(grey)
    truth = torch.from_numpy(np.stack([foreground_of(labels) for _, labels, _ in crops]).astype(np.float32))
    weights = torch.from_numpy(
        np.stack([boundary_weights(labels) + attention_weights(labels, settings.attention) for _, labels, _ in crops])
    )
    loss = functional.binary_cross_entropy_with_logits(logits, truth, weight=weights)
    chance = logits.sigmoid()
    shared = 2 * (chance * truth).sum((1, 2)) + 1
    loss = loss + (1 - shared / ((chance**2).sum((1, 2)) + truth.sum((1, 2)) + 1)).mean()
    if scores is None:
        return loss
    for number, (_, labels, base) in enumerate(crops):
        boxes = nuclei_boxes(labels)
        boxes = boxes[((boxes[:, 2:] - boxes[:, :2]) >= LEAST_BOX_PX).all(axis=1)]
        targets: Targets = anchor_targets(make_anchors((settings.crop_px,) * 2, base), boxes, rng)
        chosen, positive = torch.from_numpy(targets.chosen), torch.from_numpy(targets.positive)
        own = functional.binary_cross_entropy_with_logits(scores[number, chosen], positive.float())
        if targets.positive.any():
            wanted = torch.from_numpy(targets.shifts)[positive]
            own = (
                own
                + functional.smooth_l1_loss(shifts[number, chosen][positive], wanted, beta=SMOOTH_L1, reduction="none")
                .sum(1)
                .mean()
            )
        loss = loss + own / len(crops)
    return loss


def _check(data_sets: Sequence[Sequence[Example]], settings: NusetSettings) -> None:
    if not data_sets or not all(data_sets):
        raise InvalidValueError("data_sets has none, or an empty one; give images with masks", parameter="data_sets")
    if settings.crop_px < 32 or settings.crop_px % 16:
        raise InvalidValueError(
            f"crop_px is {settings.crop_px}; give a multiple of 16 from 32: the network halves it four times",
            parameter="crop_px",
        )
    for name in ("steps", "batch"):
        if getattr(settings, name) < 1:
            raise InvalidValueError(f"{name} is {getattr(settings, name)}; give a whole number from 1", parameter=name)
    if not 0 <= settings.attention < np.inf:
        raise InvalidValueError(f"attention is {settings.attention:g}; give a weight from 0", parameter="attention")
    if not 0 <= settings.synthetic_share < 1:
        raise InvalidValueError(
            f"synthetic_share is {settings.synthetic_share:g}; give a share from 0, and below 1",
            parameter="synthetic_share",
        )
