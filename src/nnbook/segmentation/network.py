"""The network over a whole image: its scale, overlapping tiles, and the taper that blends them."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from nnbook.errors import InvalidValueError
from nnbook.provenance.units import free_memory
from nnbook.segmentation.scale import grey_range, rescale

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from nnbook.io.images import Image
    from nnbook.segmentation.model import Model

TILE_PX: Final = 656
"""Largest side of a tile. Larger tiles overlap less, but no longer fit the processor's cache."""

TILE_BYTES: Final = 0.4e9
"""Memory that a tile of that size takes at most while a processor computes it."""

TILE_OVERLAP_PX: Final = 40
TAPER_PX: Final = 7.5
PADDING_PX: Final = 8
NETWORK_STEP_PX: Final = 16
"""Overlap, taper and padding of tiles as in Cellpose."""

MAX_NETWORK_PX: Final = 400_000_000
"""Most pixels of an image at the network's scale; more means a wrong diameter."""


class Output(NamedTuple):
    """What the network makes of an image, at the network's scale.

    Attributes
    ----------
    channels : float32, axes (channel, y, x)
        See `run_network`.
    grey : float32, axes (y, x)
        The image itself: grey levels with the 1st percentile at 0 and the 99th at 1.
    diameter_px : float
        Diameter of a nucleus at this scale.
    """

    channels: NDArray[np.float32]
    grey: NDArray[np.float32]
    diameter_px: float


def network_output(image: Image, model: Model, diameter_px: float) -> Output:
    """Bring an image to the network's scale and run the network.

    Parameters
    ----------
    image, model
        See `segment_image`.
    diameter_px : float
        Diameter of the nuclei in px.
    """
    return output_at_scale(at_network_scale(image, model, diameter_px, grey_range(image)), model)


def at_network_scale(image: Image, model: Model, diameter_px: float, greys: tuple[float, float]) -> NDArray[np.float32]:
    """Bring an image to the network's scale, with the first of two grey levels at 0 and the second at 1."""
    return rescale(image, network_shape(image.shape, model.diam_mean / diameter_px), *greys)


def output_at_scale(grey: NDArray[np.float32], model: Model) -> Output:
    """Run the network over an image at its scale, see `at_network_scale`."""
    return Output(run_network(grey, model), grey, model.diam_mean)


def run_network(image: NDArray[np.float32], model: Model) -> NDArray[np.float32]:
    """Run the network over an image at its scale, in overlapping tiles.

    On a processor each tile is computed by one thread, and as many at a time as PyTorch has threads: how a convolution
    rounds in bfloat16 depends on how many threads share it, so that masks would depend on the machine's cores.

    Parameters
    ----------
    image : float32, axes (y, x)
        Grey levels with the 1st percentile at 0 and the 99th at 1, nuclei with the network's diameter.
    model : Model
        See `load_model`.

    Returns
    -------
    float32, axes (channel, y, x)
        Five times the unit flow's y and x component, and the logit of the cell probability. Where tiles overlap, their
        mean weighted by Cellpose's taper, a logistic function of the distance to the tile's edge.
    """
    before, after = zip(*(_padding(side) for side in image.shape), strict=True)
    padded = np.pad(image, tuple(zip(before, after, strict=True)))
    (rows, height), (columns, width) = (_tiles(side) for side in padded.shape)
    taper = np.outer(_taper(height), _taper(width)).astype(np.float32)
    total = np.zeros((3, *padded.shape), dtype=np.float32)
    weight = np.zeros(padded.shape, dtype=np.float32)
    places = [np.s_[..., y : y + height, x : x + width] for y in rows for x in columns]
    for place, output in zip(places, _outputs(padded, places, model), strict=True):
        total[place] += output * taper
        weight[place] += taper
    total /= weight
    return total[:, before[0] : before[0] + image.shape[0], before[1] : before[1] + image.shape[1]]


def _outputs(image: NDArray[np.float32], places: list[Any], model: Model) -> Iterator[NDArray[np.float32]]:
    """Compute tiles; yield what becomes of each, axes (channel, y, x), in their order."""
    import torch

    def compute(place: Any) -> NDArray[np.float32]:
        # The network takes two channels; the second, a nuclear stain beside another, stays empty.
        grey = torch.from_numpy(image[place])
        return np.asarray(model.compute(torch.stack((grey, torch.zeros_like(grey)))[None])[0].numpy())

    threads = torch.get_num_threads()
    if model.device != "cpu" or threads == 1:
        yield from map(compute, places)
        return
    at_a_time = min(threads, len(places), 1 + int(free_memory() / 2 // TILE_BYTES))
    pool = ThreadPoolExecutor(at_a_time, initializer=torch.set_num_threads, initargs=(1,))
    try:
        yield from pool.map(compute, places)
    finally:
        pool.shutdown(cancel_futures=True)
        torch.set_num_threads(threads)  # what threads that begin later have


def network_shape(shape: tuple[int, ...], scale: float) -> tuple[int, int]:
    """Return height and width of an image at the network's scale; refuse one that is too large there."""
    height, width = (max(1, int(side * scale)) for side in shape)
    if height * width > MAX_NETWORK_PX:
        raise InvalidValueError(
            f"an image of {shape[1]} x {shape[0]} px would be {width} x {height} px at the network's scale; "
            "give the nuclei's true diameter in px"
        )
    return height, width


def _padding(side: int) -> tuple[int, int]:
    """Return how many zeros go before and after: at least 8 px each, up to a multiple of 16 px in all."""
    missing = -side % NETWORK_STEP_PX
    return PADDING_PX + missing // 2, PADDING_PX + missing - missing // 2


def _tiles(side: int) -> tuple[list[int], int]:
    """Return where tiles start along one axis, and their side: as few and as small as possible, spread evenly."""
    count = max(1, math.ceil((side - TILE_OVERLAP_PX) / (TILE_PX - TILE_OVERLAP_PX)))
    needed = math.ceil((side + (count - 1) * TILE_OVERLAP_PX) / count)
    tile = needed + -needed % NETWORK_STEP_PX
    return [int(start) for start in np.linspace(0, side - tile, count)], tile


def _taper(side: int) -> NDArray[np.float64]:
    """Return the weights of a tile's pixels along one axis: a half 20 px from the edge."""
    offset = np.abs(np.arange(side) - (side - 1) / 2)
    return np.asarray(1 / (1 + np.exp((offset - (side / 2 - TILE_OVERLAP_PX / 2)) / TAPER_PX)))
