"""Mitotic figures by NuSeT's network, trained with weights that draw attention to them (Yang et al. 2020).

Labels are those of figures alone, with both chromosome masses of a division under one label. A figure is rare, and to
the network most of an image is background. So only what is about figures is trained on, and pixels of a figure and
about it have more weight. What is detected are the network's proposals, each with its probability.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from nnbook.errors import NnbookError
from nnbook.nuset.anchors import decode, make_anchors, nuclei_boxes, suppress
from nnbook.nuset.normalisation import normalise
from nnbook.nuset.segmenter import MOST_IOU, run_network
from nnbook.nuset.training import NUCLEUS_PX, Example, make_example
from nnbook.segmentation.scale import grey_range, rescale

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from numpy.typing import NDArray

    from nnbook.io.images import Image, Labels

WINDOW_PX: Final = 256
"""Side of what is trained on about a figure, in px of the network."""

LEAST_PROBABILITY: Final = 0.05
"""Proposals that are less likely are no detections, whatever the threshold."""

BESIDE: Final = 1 / 4
"""A detection is of a figure where its middle is in the figure's box, or so many diameters beside it."""


class Detections(NamedTuple):
    """Mitotic figures that were detected, the likeliest first.

    Attributes
    ----------
    middles : float32, axes (figure, y or x)
        In px of the image.
    scores : float32, axis (figure)
        Probabilities, by the network.
    """

    middles: NDArray[np.float32]
    scores: NDArray[np.float32]


class Matched(NamedTuple):
    """Detections beside the truth. Those from any probability on, taken alone, are matched in the same way.

    Attributes
    ----------
    figure : int64, axis (detection)
        The true figure that each is the likeliest detection of, from 0; -1 where it is wrong.
    counted : bool, axis (detection)
        False for those on what nobody can tell, which are neither right nor wrong.
    """

    figure: NDArray[np.int64]
    counted: NDArray[np.bool_]


def label_figures(labels: Labels, figures: Sequence[Sequence[int]]) -> Labels:
    """Return labels of figures alone, 1..N in their order: masks of one figure get one label.

    Parameters
    ----------
    labels : Labels
        Axes (y, x), of all nuclei.
    figures : sequence of sequence of int
        Which labels each figure has.

    Examples
    --------
    >>> import numpy as np
    >>> from nnbook.nuset import label_figures
    >>> label_figures(np.array([[1, 2, 3, 4]], np.int32), [[4], [1, 3]]).tolist()
    [[2, 0, 2, 1]]
    """
    number = np.zeros(int(labels.max(initial=0)) + 1, np.int32)
    for place, own in enumerate(figures, start=1):
        number[list(own)] = place
    return np.asarray(number[labels], dtype=np.int32)


def figure_examples(image: Image, figures: Labels, diameter_px: float) -> list[Example]:
    """Cut what to train on about each figure of an image.

    Parameters
    ----------
    image : Image
        Axes (y, x).
    figures : Labels
        Axes (y, x): see `label_figures`.
    diameter_px : float
        Median diameter of all nuclei, in px.
    """
    whole = make_example(image, figures, diameter_px)
    cut = []
    for label in np.unique(whole.labels[whole.labels > 0]).tolist():
        rows, columns = np.nonzero(whole.labels == label)
        y, x = (max(0, round(float(middle.mean())) - WINDOW_PX // 2) for middle in (rows, columns))
        window = np.s_[y : y + WINDOW_PX, x : x + WINDOW_PX]
        cut.append(Example(whole.image[window], whole.foreground, whole.labels[window], NUCLEUS_PX))
    return cut


def detect_figures(image: Image, network: Any, diameter_px: float) -> Detections:
    """Detect mitotic figures.

    Parameters
    ----------
    image : Image
        Axes (y, x), any grey levels.
    network : nnbook.nuset.network.NusetNetwork
        With proposals, trained on what `figure_examples` cuts.
    diameter_px : float
        Median diameter of all nuclei, in px.
    """
    low, high = grey_range(image)
    if low == high:
        return Detections(np.zeros((0, 2), np.float32), np.zeros(0, np.float32))
    factor = NUCLEUS_PX / diameter_px
    size = (max(1, round(image.shape[0] * factor)), max(1, round(image.shape[1] * factor)))
    _, scores, shifts, shape = run_network(network, normalise(rescale(image, size)))
    if scores is None or shifts is None:
        raise NnbookError("the network has no proposals, which are what detects figures; train it with them")
    likely = scores > LEAST_PROBABILITY
    boxes = decode(make_anchors(shape, NUCLEUS_PX)[likely], shifts[likely])
    kept = suppress(boxes, scores[likely], MOST_IOU)
    middles = (boxes[kept, :2] + boxes[kept, 2:]) / 2 / np.array(size, np.float32) * np.array(image.shape, np.float32)
    inside = ((middles >= 0) & (middles < image.shape)).all(axis=1)
    return Detections(middles[inside].astype(np.float32), scores[likely][kept][inside])


def match_figures(detections: Detections, figures: Labels, uncertain: Labels, diameter_px: float) -> Matched:
    """Set detections beside the true figures: each figure takes the likeliest one in its box or close to it.

    Parameters
    ----------
    detections : Detections
        The likeliest first.
    figures, uncertain : Labels
        Axes (y, x): see `label_figures`. True ones, and what may be one or not.
    diameter_px : float
        Median diameter of all nuclei, in px.
    """
    true, doubtful = (_boxes(labels, BESIDE * diameter_px) for labels in (figures, uncertain))
    figure, counted = np.full(len(detections.scores), -1, np.int64), np.ones(len(detections.scores), bool)
    for place, middle in enumerate(detections.middles):
        on = np.flatnonzero(_holds(true, middle))
        if (free := on[~np.isin(on, figure)]).size:
            figure[place] = free[0]
        elif not on.size and _holds(doubtful, middle).any():
            counted[place] = False
    return Matched(figure, counted)


def precision_recall(counts: Mapping[str, Any]) -> dict[str, float]:
    """Return precision, recall and F1 of detections, of counts `right`, `wrong` and `figures`; NaN of nothing.

    Examples
    --------
    >>> from nnbook.nuset import precision_recall
    >>> precision_recall({"right": 3, "wrong": 1, "figures": 6})
    {'precision': 0.75, 'recall': 0.5, 'f1': 0.6}
    """
    right, wrong, figures = (float(counts[name]) for name in ("right", "wrong", "figures"))
    return {
        "precision": right / (right + wrong) if right + wrong else float("nan"),
        "recall": right / figures if figures else float("nan"),
        "f1": 2 * right / (right + wrong + figures) if right + wrong + figures else float("nan"),
    }


def _boxes(labels: Labels, margin: float) -> NDArray[np.float32]:
    boxes = nuclei_boxes(labels)
    return boxes + np.array([-margin, -margin, margin, margin], np.float32)


def _holds(boxes: NDArray[np.float32], middle: NDArray[np.float32]) -> NDArray[np.bool_]:
    return np.asarray(((boxes[:, :2] <= middle) & (middle < boxes[:, 2:])).all(axis=1))
