"""Nuclei by a random forest on pixels, as ilastik classifies them (Berg et al. 2019, doi:10.1038/s41592-019-0582-9).

Features are an image blurred at several widths, its edges, and the curvature of its grey levels. Trees are extremely
randomised ones (Geurts et al. 2006, doi:10.1007/s10994-006-6226-1), which need no search for thresholds. What is
foreground is separated by a watershed on the distance to the background, since a forest on pixels knows of no nuclei.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import cv2
import numpy as np
from skimage.feature import multiscale_basic_features, peak_local_max

from nnbook.errors import MissingFileError, NnbookError, reason
from nnbook.io.files import atomic_write
from nnbook.nuset.segmenter import drop_small, split_components
from nnbook.segmentation.scale import grey_range, rescale

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nnbook.io.images import Image, Labels
    from nnbook.io.paths import PathLike

NUCLEUS_PX: Final = 16.0
"""Images are brought to nuclei of this diameter, so that widths of features mean the same in all of them."""

SIGMAS_PX: Final = (1.0, 8.0)
TREES: Final = 16
DEPTH: Final = 8
TRIED: Final = 12
LEAST_LEAF: Final = 20
SMOOTHING: Final = 1 / 20
SEED_DISTANCE: Final = 1 / 2.5
"""As shares of the diameter."""


class Forest(NamedTuple):
    """Complete binary trees: the children of node n are 2n + 1 and 2n + 2.

    Attributes
    ----------
    feature : int64, axes (tree, inner node)
        Which feature decides.
    threshold : float32, axes (tree, inner node)
        Pixels above go to the second child.
    share : float32, axes (tree, leaf)
        Share of training pixels there that are in nuclei.
    """

    feature: NDArray[np.int64]
    threshold: NDArray[np.float32]
    share: NDArray[np.float32]


def pixel_features(image: Image, diameter_px: float) -> NDArray[np.float32]:
    """Return the features of each pixel of an image at the forest's scale: float32, axes (y, x, feature)."""
    factor = NUCLEUS_PX / diameter_px
    shape = (max(16, round(image.shape[0] * factor)), max(16, round(image.shape[1] * factor)))
    small = rescale(image, shape, *grey_range(image))
    low, high = SIGMAS_PX
    made = multiscale_basic_features(np.clip(small, 0, 2), sigma_min=low, sigma_max=high)
    return np.asarray(made, dtype=np.float32)


def train_forest(features: NDArray[np.float32], inside: NDArray[np.bool_], seed: int = 1) -> Forest:
    """Train a forest.

    Parameters
    ----------
    features : float32, axes (pixel, feature)
        See `pixel_features`.
    inside : bool, axis (pixel)
        Whether each is in a nucleus.
    seed : int
        Of what is tried at each node.
    """
    rng = np.random.default_rng(seed)
    inner = 2**DEPTH - 1
    feature, threshold = np.zeros((TREES, inner), np.int64), np.full((TREES, inner), np.inf, np.float32)
    share = np.full((TREES, inner + 1), inside.mean(), np.float32)
    for tree in range(TREES):
        places: list[NDArray[np.int64]] = [np.arange(len(features))]
        for node in range(inner):
            here = places[node]
            split = _best_split(features, inside, here, rng)
            if split is not None:
                feature[tree, node], threshold[tree, node] = split
            above = features[here, feature[tree, node]] > threshold[tree, node]
            places += [here[~above], here[above]]
        for leaf, here in enumerate(places[inner:]):
            if len(here):
                share[tree, leaf] = inside[here].mean()
            elif leaf % 2:  # where nothing was split, all went to the first child
                share[tree, leaf] = share[tree, leaf - 1]
    return Forest(feature, threshold, share)


def _best_split(
    features: NDArray[np.float32], inside: NDArray[np.bool_], here: NDArray[np.int64], rng: np.random.Generator
) -> tuple[int, float] | None:
    """Return the best of some random splits by Gini's impurity; None where no split is worth it."""
    truth = inside[here]
    if len(here) < 2 * LEAST_LEAF or truth.all() or not truth.any():
        return None
    best, found = 1.0, None
    for column in rng.integers(features.shape[1], size=TRIED).tolist():
        values = features[here, column]
        least, most = float(values.min()), float(values.max())
        threshold = float(np.float32(rng.uniform(least, most)))
        above = values > threshold
        count = int(above.sum())
        if min(count, len(here) - count) < LEAST_LEAF:
            continue
        shares = truth[above].mean(), truth[~above].mean()
        impurity = count * shares[0] * (1 - shares[0]) + (len(here) - count) * shares[1] * (1 - shares[1])
        if impurity / len(here) < best:
            best, found = impurity / len(here), (column, threshold)
    return found


def foreground_share(features: NDArray[np.float32], forest: Forest) -> NDArray[np.float32]:
    """Return how likely each pixel is in a nucleus: float32, axes of `features` but the last."""
    flat = features.reshape(-1, features.shape[-1])
    rows = np.arange(len(flat))
    total = np.zeros(len(flat), np.float32)
    for feature, threshold, share in zip(*forest, strict=True):
        node = np.zeros(len(flat), np.int64)
        for _ in range(DEPTH):
            node = 2 * node + 1 + (flat[rows, feature[node]] > threshold[node])
        total += share[node - (2**DEPTH - 1)]
    return np.asarray(total.reshape(features.shape[:-1]) / len(forest.share), dtype=np.float32)


def segment_by_forest(image: Image, forest: Forest, diameter_px: float) -> Labels:
    """Segment the nuclei of an image.

    Parameters
    ----------
    image : Image
        Axes (y, x), any grey levels.
    forest : Forest
        See `read_forest`.
    diameter_px : float
        Diameter of the nuclei in px.

    Returns
    -------
    Labels
        Axes (y, x), 0 for background.
    """
    low, high = grey_range(image)
    if low == high:
        return np.zeros(image.shape, np.int32)
    share = foreground_share(pixel_features(image, diameter_px), forest)
    return separate_foreground(share, (image.shape[0], image.shape[1]), diameter_px)


def separate_foreground(
    share: NDArray[np.float32],
    shape: tuple[int, int],
    diameter_px: float,
    threshold: float = 0.5,
    seed_distance: float = SEED_DISTANCE,
) -> Labels:
    """Separate nuclei by a watershed on the distance to the background.

    Parameters
    ----------
    share : float32, axes (y, x)
        How likely each pixel is in a nucleus, at the forest's scale.
    shape : (int, int)
        Height and width of the image.
    diameter_px : float
        Diameter of the nuclei in px of the image.
    threshold : float
        What is above it is foreground.
    seed_distance : float
        The least distance of two nuclei's middles, as a share of the diameter.
    """
    inside = (cv2.resize(share, shape[::-1], interpolation=cv2.INTER_LINEAR) > threshold).astype(np.uint8)
    _, components = cv2.connectedComponents(inside, connectivity=4, ltype=cv2.CV_32S)
    distance = cv2.distanceTransform(inside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    distance = cv2.GaussianBlur(distance, (0, 0), SMOOTHING * diameter_px)
    spacing = max(1, round(seed_distance * diameter_px))
    middles = peak_local_max(distance, min_distance=spacing, labels=components)
    labels = split_components(np.asarray(components, dtype=np.int32), middles.astype(np.float32))
    return drop_small(labels)


def write_forest(path: PathLike, forest: Forest) -> None:
    """Write a forest to a file, `NAME.npz`, in small types."""
    with atomic_write(Path(path)) as written, written.open("wb") as file:
        np.savez_compressed(
            file,
            feature=forest.feature.astype(np.uint8),
            threshold=forest.threshold.astype(np.float16),
            share=forest.share.astype(np.float16),
        )


def read_forest(path: PathLike) -> Forest:
    """Read a forest that `write_forest` wrote.

    Raises
    ------
    MissingFileError
        Where there is no such file.
    NnbookError
        Where it is damaged, or holds another forest.
    """
    path = Path(path)
    if not path.is_file():
        raise MissingFileError(f"{path}: no such forest; train it with benchmarks/comparison.py")
    try:
        with np.load(path, allow_pickle=False) as stored:
            parts = [stored[name] for name in Forest._fields]
    except Exception as error:
        raise NnbookError(f"{path}: can't be read as a forest ({reason(error)[:200]}); get it again") from error
    inner = 2**DEPTH - 1
    if parts[0].shape != parts[1].shape or parts[0].shape[1:] != (inner,) or parts[2].shape[1:] != (inner + 1,):
        raise NnbookError(f"{path}: holds trees of another depth; train it with benchmarks/comparison.py")
    return Forest(parts[0].astype(np.int64), parts[1].astype(np.float32), parts[2].astype(np.float32))
