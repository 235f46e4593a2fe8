"""Anchors of the region proposal network (Ren et al. 2015, arXiv:1506.01497), sized by an image's median nucleus.

Boxes are (y0, x0, y1, x1) in px of the network, ends not included.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from scipy.ndimage import find_objects

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nnbook.io.images import Labels

STRIDE_PX: Final = 16
SCALES: Final = (0.5, 1.0, 2.0)
RATIOS: Final = (0.5, 1.0, 2.0)
ANCHORS: Final = len(SCALES) * len(RATIOS)
"""At each place: sizes as multiples of the median nucleus, and heights as multiples of widths."""

POSITIVE, NEGATIVE = 0.7, 0.3
"""An anchor is on a nucleus from this intersection over union of boxes, or where none is nearer to the nucleus; and
beside all below that. Those between teach nothing."""

SAMPLED: Final = 256
"""Anchors of an image that count in the loss; at most half of them are on nuclei."""


class Targets(NamedTuple):
    """What the proposer is to give for an image.

    Attributes
    ----------
    chosen : int64, axis (chosen)
        Anchors that count.
    positive : bool, axis (chosen)
        Whether each is on a nucleus.
    shifts : float32, axes (chosen, 4)
        From the anchor to the box of its nucleus; 0 where it has none.
    """

    chosen: NDArray[np.int64]
    positive: NDArray[np.bool_]
    shifts: NDArray[np.float32]


def nuclei_boxes(labels: Labels) -> NDArray[np.float32]:
    """Return the boxes of nuclei: float32, axes (nucleus, 4)."""
    boxes = [(y.start, x.start, y.stop, x.stop) for y, x in filter(None, find_objects(labels))]
    return np.array(boxes, dtype=np.float32).reshape(-1, 4)


def base_size(boxes: NDArray[np.float32], otherwise: float) -> float:
    """Return the median of the longer sides of boxes, as NuSeT sizes anchors; another value where there are none."""
    if not len(boxes):
        return otherwise
    return float(np.median(np.maximum(boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1])))


def make_anchors(shape: tuple[int, int], base: float) -> NDArray[np.float32]:
    """Place anchors in the middle of each field of 16 px: float32, axes (row, column and kind, 4)."""
    middle_y, middle_x = (np.arange(side // STRIDE_PX) * STRIDE_PX + STRIDE_PX / 2 for side in shape)
    sides = [(base * scale * ratio**0.5, base * scale / ratio**0.5) for scale in SCALES for ratio in RATIOS]
    height, width = np.array(sides, dtype=np.float32).T
    y, x = (grid[..., np.newaxis] for grid in np.meshgrid(middle_y, middle_x, indexing="ij"))
    boxes = np.stack([y - height / 2, x - width / 2, y + height / 2, x + width / 2], axis=-1)
    return np.asarray(boxes.reshape(-1, 4), dtype=np.float32)


def boxes_iou(ones: NDArray[np.float32], others: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the intersection over union of each box with each other one."""
    least = np.maximum(ones[:, np.newaxis, :2], others[:, :2])
    most = np.minimum(ones[:, np.newaxis, 2:], others[:, 2:])
    shared = np.prod(np.clip(most - least, 0, None), axis=2)
    areas = [np.prod(boxes[:, 2:] - boxes[:, :2], axis=1) for boxes in (ones, others)]
    return np.asarray(shared / (areas[0][:, np.newaxis] + areas[1] - shared), dtype=np.float32)


def anchor_targets(anchors: NDArray[np.float32], boxes: NDArray[np.float32], rng: np.random.Generator) -> Targets:
    """Choose anchors that count in the loss, and say what each is to give.

    Parameters
    ----------
    anchors, boxes : float32, axes (box, 4)
        See `make_anchors` and `nuclei_boxes`.
    rng : numpy.random.Generator
        Chooses among the anchors.
    """
    if not len(boxes):
        chosen = rng.permutation(len(anchors))[:SAMPLED]
        return Targets(chosen, np.zeros(len(chosen), bool), np.zeros((len(chosen), 4), np.float32))
    iou = boxes_iou(anchors, boxes)
    nearest = iou.argmax(axis=1)
    best = iou.max(axis=1)
    positive = best >= POSITIVE
    own = (iou == iou.max(axis=0)) & (iou > 0)
    positive |= own.any(axis=1)
    nearest = np.where(own.any(axis=1), own.argmax(axis=1), nearest)
    on = rng.permutation(np.flatnonzero(positive))[: SAMPLED // 2]
    beside = rng.permutation(np.flatnonzero(~positive & (best < NEGATIVE)))[: SAMPLED - len(on)]
    shifts = np.zeros((len(on) + len(beside), 4), np.float32)
    shifts[: len(on)] = encode(anchors[on], boxes[nearest[on]])
    return Targets(np.concatenate([on, beside]), np.arange(len(shifts)) < len(on), shifts)


def encode(anchors: NDArray[np.float32], boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the shifts from anchors to boxes: of the middle in sides of the anchor, and logarithms of the sides."""
    middle, side = _middle_and_side(anchors)
    box_middle, box_side = _middle_and_side(boxes)
    return np.asarray(np.concatenate([(box_middle - middle) / side, np.log(box_side / side)], axis=1), dtype=np.float32)


def decode(anchors: NDArray[np.float32], shifts: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the boxes that shifts lead to from anchors."""
    middle, side = _middle_and_side(anchors)
    middle = middle + shifts[:, :2] * side
    half = side * np.exp(np.clip(shifts[:, 2:], -3, 3)) / 2
    return np.asarray(np.concatenate([middle - half, middle + half], axis=1), dtype=np.float32)


def suppress(boxes: NDArray[np.float32], scores: NDArray[np.float32], most_iou: float) -> NDArray[np.int64]:
    """Return which boxes are left where those are dropped that overlap a better one by more."""
    order = np.argsort(-scores, kind="stable")
    kept = []
    while len(order):
        kept.append(int(order[0]))
        order = order[1:]
        order = order[boxes_iou(boxes[kept[-1] : kept[-1] + 1], boxes[order])[0] <= most_iou]
    return np.array(kept, dtype=np.int64)


def _middle_and_side(boxes: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    return (boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]
