"""Tasks, what is hard about nuclei, and ways to separate those that touch, each with what a method makes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from scipy.ndimage import binary_dilation, binary_erosion, center_of_mass, distance_transform_edt, find_objects, label
from skimage.filters import threshold_otsu
from skimage.segmentation import watershed

from nnbook.evaluation.baseline import otsu_watershed
from nnbook.evaluation.metrics import partners
from nnbook.primer.crops import renumbered
from nnbook.primer.live import Live
from nnbook.segmentation.masks import compute_masks
from nnbook.segmentation.network import run_network
from nnbook.segmentation.scale import rescale
from nnbook.values.published import CELLPROB_THRESHOLD, FLOW_THRESHOLD

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from nnbook.io.images import Labels
    from nnbook.primer.crops import Crop, Crops
    from nnbook.segmentation.model import Model

BORDER_PX: Final = 2
"""Width of the class of borders, in px of the network's scale."""

COARSER: Final = 4
"""How many times larger the pixels of another microscope are."""

WAYS: Final = (
    "A threshold alone",
    "A watershed of the distance",
    "Centre, border, background",
    "A map of the way to the centre",
    "First a box, then the nucleus in it",
    "Centres and foreground apart",
)
"""What is done to nuclei that touch, in the order of the figure; the last four are those of the review."""

WAY_NOTES: Final = (
    "What is bright is one piece where nuclei touch.",
    "The piece is cut where it narrows: how deep the waist is decides.",
    "Without their borders centres are apart from each other, and a watershed gives the borders back.",
    "Pixels whose lines end at one place are one nucleus.",
    "In its box each nucleus has a threshold of its own.",
    "One prediction counts nuclei, another outlines them, and a watershed from the centres unites the two.",
)
"""What each way relies on."""

DIFFICULTIES: Final = ("Nuclei", "Noise", "Microscope", "Annotation", "Method", "Use")


def tasks(crops: Mapping[str, Crop], classes: Mapping[str, str]) -> Live:
    """Return what the figure of tasks shows.

    Parameters
    ----------
    crops, classes : mapping of str
        By what a reader calls them: the squares, of one scale, and the class of the nuclei in each.

    Returns
    -------
    Live
        For each crop K from 0 `imageK` and `trueK`, axes (y, x). Facts: `names`, `classes` and `px_per_um`.
    """
    arrays: dict[str, NDArray[np.uint8]] = {}
    for number, crop in enumerate(crops.values()):
        arrays |= {f"image{number}": crop.image, f"true{number}": renumbered(crop.true)}
    px_per_um = next(iter(crops.values())).px_per_um
    facts = {"names": list(crops), "classes": [classes[name] for name in crops], "px_per_um": px_per_um}
    return Live("tasks", arrays, facts)


def ways(crops: Mapping[str, Crop], model: Model) -> Live:
    """Return what the figure of ways to separate nuclei shows.

    Parameters
    ----------
    crops : mapping of str to Crop
        Squares, by what a reader calls them.
    model : Model
        The network.

    Returns
    -------
    Live
        For each crop K from 0 `imageK` and `trueK`, axes (y, x), and `labelsK`, axes (way, y, x), the masks of each of
        `WAYS`. What each works from: `foregroundK`, the pixels above Otsu's threshold; `distanceK`, the distance to the
        background of those that the watershed divides; `classesK`, 1 for centres and 2 for borders; `flowK`, axes
        (component, y, x), 128 for 0, 255 for 1, y before x; `probabilityK`. Facts: `names`, `ways`, `notes`; `rightK`,
        how many nuclei each way got right; `boxesK` and `centresK`, in px, four and two numbers a nucleus.
    """
    arrays: dict[str, NDArray[np.uint8]] = {}
    facts: dict[str, Any] = {"names": list(crops), "ways": list(WAYS), "notes": list(WAY_NOTES)}
    for number, crop in enumerate(crops.values()):
        output = run_network(crop.grey, model)
        masks = _masks(output)
        foreground = crop.grey > threshold_otsu(crop.grey)
        sure = output[2] > CELLPROB_THRESHOLD
        classes = border_classes(crop.true)
        classical = otsu_watershed(crop.image, model.diam_mean)
        distance = _distance(classical > 0)
        labels = (
            label(foreground)[0],
            classical,
            watershed(-_distance(classes > 0), label(classes == 1)[0], mask=classes > 0),
            masks,
            in_boxes(crop.grey, masks),
            from_centres(sure, masks),
        )
        arrays |= {
            f"image{number}": crop.image,
            f"true{number}": renumbered(crop.true),
            f"labels{number}": np.stack([renumbered(one) for one in labels]),
            f"foreground{number}": foreground.astype(np.uint8),
            f"distance{number}": _bytes(distance / max(distance.max(), 1)),
            f"classes{number}": classes,
            f"flow{number}": np.rint(128 + 127 * np.clip(output[:2] / 5, -1, 1)).astype(np.uint8),
            f"probability{number}": _bytes(1 / (1 + np.exp(-output[2]))),
        }
        facts[f"right{number}"] = [len(partners(np.asarray(one, np.int32), crop.true)) for one in labels]
        facts[f"boxes{number}"] = [edge for box in _boxes(masks) for edge in box]
        facts[f"centres{number}"] = [round(float(place), 1) for centre in _centres(masks) for place in centre]
    return Live("ways", arrays, facts)


def difficulties(crops: Crops, model: Model) -> Live:
    """Return what the figure of difficulties shows.

    Parameters
    ----------
    crops : Crops
        See `nnbook.primer.crops.read_crops`.
    model : Model
        The network.

    Returns
    -------
    Live
        `image`, `true` and `labels`, axes (difficulty, y, x), in the order of `DIFFICULTIES`. Facts: `names`; `notes`,
        what is seen in each; `methods`, what made the labels; `truths`, what the outlines are.
    """
    crowd, mitosis, dim = crops.crowd, crops.mitosis, crops.dim
    coarse, coarse_labels = _coarse(crowd, model)
    wide, narrow = (_outlined(crowd.true, steps) for steps in (1, -1))
    agreement = ((wide > 0) & (narrow > 0)).sum() / ((wide > 0) | (narrow > 0)).sum()
    bright = dim.grey > threshold_otsu(dim.grey)
    middle = dim.true == dim.true[tuple(side // 2 for side in dim.true.shape)]
    joined = otsu_watershed(crowd.image, model.diam_mean)
    shown = (
        (mitosis, None, otsu_watershed(mitosis.image, model.diam_mean), "Threshold and watershed", None),
        (dim, None, label(bright)[0], "Threshold", None),
        (crowd, coarse, coarse_labels, "The book's network, which takes the pixels for those it knows", None),
        (crowd, None, narrow, "The same nuclei, outlined one pixel further in", wide),
        (crowd, None, joined, "Threshold and watershed, given the diameter", None),
        (crowd, None, crowd.masks, "nnbook segment, called once", None),
    )
    nuclei = [len(np.unique(crop.true)) - 1 for crop in (crowd, dim)]
    found, kept = len(partners(coarse_labels, crowd.true)), bright[middle].mean()
    moved_um = 1 / crowd.px_per_um
    notes = (
        "One dividing nucleus in two parts: a method that knows bright from dark counts two.",
        f"One threshold for all keeps only {kept:.0%} of the nucleus that is dim and out of focus, and gives "
        f"{label(bright)[1]} masks for {nuclei[1]} nuclei.",
        f"The same nuclei with {COARSER} times larger pixels. Where nobody says so, the network finds {found} of "
        f"{nuclei[0]}.",
        f"Two outlines, {moved_um:.1f} µm further out and as far further in: both can be defended, and they have "
        f"{agreement:.0%} of their area in common.",
        f"A classical method with the right setting gives {joined.max()} masks for {nuclei[0]} nuclei.",
        "One command, without a graphics card and without training: the masks of this book.",
    )
    return Live(
        "difficulties",
        {
            "image": np.stack([crop.image if image is None else image for crop, image, *_ in shown]),
            "true": np.stack([renumbered(crop.true if other is None else other) for crop, *_, other in shown]),
            "labels": np.stack([renumbered(labels) for _, _, labels, *_ in shown]),
        },
        {
            "names": list(DIFFICULTIES),
            "notes": list(notes),
            "methods": [method for *_, method, _ in shown],
            "truths": ["blue: the truth" if other is None else "blue: another outline" for *_, other in shown],
        },
    )


def border_classes(true: Labels) -> NDArray[np.uint8]:
    """Return the classes that a network of the first way learns: 0 background, 1 centre, 2 border, axes (y, x)."""
    classes = np.zeros(true.shape, np.uint8)
    for number in np.unique(true[true > 0]):
        nucleus = true == number
        classes[nucleus] = 2
        classes[binary_erosion(nucleus, iterations=BORDER_PX)] = 1
    return classes


def in_boxes(grey: NDArray[np.float32], masks: Labels) -> Labels:
    """Threshold each nucleus within its box alone: the third way, with the boxes of masks.

    Parameters
    ----------
    grey : numpy.ndarray
        Axes (y, x).
    masks : Labels
        Axes (y, x); only their boxes count.

    Returns
    -------
    Labels
        Axes (y, x): in each box the pixels above its own threshold that are nearest to its middle.
    """
    result = np.zeros(masks.shape, np.int32)
    nearest = np.full(masks.shape, np.inf)
    for number, (left, top, width, height) in enumerate(_boxes(masks), start=1):
        box = np.s_[top : top + height, left : left + width]
        y, x = np.mgrid[:height, :width]
        apart = np.hypot((y - (height - 1) / 2) / height, (x - (width - 1) / 2) / width)
        inside = (grey[box] > threshold_otsu(grey[box])) & (apart < 0.5) & (apart < nearest[box])
        result[box][inside] = number
        nearest[box][inside] = apart[inside]
    return result


def from_centres(foreground: NDArray[np.bool_], masks: Labels) -> Labels:
    """Divide a foreground among centres: the fourth way, with the centres of masks; axes (y, x)."""
    seeds = np.zeros(masks.shape, np.int32)
    for number, (x, y) in enumerate(_centres(masks), start=1):
        seeds[round(y), round(x)] = number
    return np.asarray(watershed(-_distance(foreground), seeds, mask=foreground), np.int32)


def _masks(output: NDArray[np.float32]) -> Labels:
    return compute_masks(output, flow_threshold=FLOW_THRESHOLD, cellprob_threshold=CELLPROB_THRESHOLD)[0]


def _coarse(crop: Crop, model: Model) -> tuple[NDArray[np.uint8], Labels]:
    """Return a square with larger pixels, and the masks of the network at that scale, both at the square's size."""
    height, width = (side // COARSER for side in crop.grey.shape)
    small = rescale(crop.grey, (height, width))
    labels = _masks(run_network(small, model))
    white = np.percentile(crop.grey, 99.7)
    block = np.ones((COARSER, COARSER), np.int32)
    return np.kron(_bytes(small / white), block).astype(np.uint8), np.kron(labels, block)


def _outlined(true: Labels, steps: int) -> Labels:
    """Move the outline of each nucleus outwards by so many px, or inwards."""
    result = np.zeros_like(true)
    move = binary_dilation if steps > 0 else binary_erosion
    for number in np.unique(true[true > 0]):
        moved = move(true == number, iterations=abs(steps))
        result[moved & ((true == number) | (true == 0))] = number
    return result


def _distance(inside: NDArray[np.bool_]) -> NDArray[np.float64]:
    return np.asarray(distance_transform_edt(inside))


def _boxes(masks: Labels) -> list[tuple[int, int, int, int]]:
    """Return left, top, width and height of each mask, in px."""
    boxes = [box for box in find_objects(masks) if box is not None]
    return [(x.start, y.start, x.stop - x.start, y.stop - y.start) for y, x in boxes]


def _centres(masks: Labels) -> list[tuple[float, float]]:
    """Return x and y of the centre of each mask, in px."""
    numbers = np.unique(masks[masks > 0])
    return [(x, y) for y, x in center_of_mass(masks > 0, masks, numbers)]


def _bytes(shares: NDArray[Any]) -> NDArray[np.uint8]:
    return np.asarray(np.rint(255 * np.clip(shares, 0, 1)), np.uint8)
