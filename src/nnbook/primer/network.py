"""The book's own network from inside: what each layer depends on, its feature maps, and its skip connections."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from nnbook.primer.live import Live
from nnbook.segmentation.masks import compute_masks
from nnbook.values.published import CELLPROB_THRESHOLD, FLOW_THRESHOLD

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import torch
    from numpy.typing import NDArray

    from nnbook.primer.crops import Crop
    from nnbook.segmentation.model import Model

CONVOLUTIONS: Final = 4
"""Convolutions of 3 x 3 at each level of the encoder."""

LEVELS: Final = 4
"""Levels of the encoder; a pooling is between each and the next."""

STRONGEST: Final = 99.8
"""The percentile of an influence that is shown as the full colour."""


class Layer(NamedTuple):
    """A layer of the encoder.

    Attributes
    ----------
    kind : str
        `convolution` or `pooling`.
    level : int
        From 1; each pooling begins the next.
    side_px : int
        Side of the square of the image that one of its numbers depends on, in px of the network's scale.
    step_px : int
        How far apart its numbers are, in px of the network's scale.
    """

    kind: str
    level: int
    side_px: int
    step_px: int


def encoder_layers() -> list[Layer]:
    """Return the layers of the encoder with their receptive fields.

    A convolution of 3 x 3 adds two of its input's steps to the side, a pooling of 2 x 2 one, and doubles the step
    (Araujo, Norris and Sim 2019, doi:10.23915/distill.00021).

    Returns
    -------
    list of Layer
    """
    layers, side, step = [], 1, 1
    for level in range(1, LEVELS + 1):
        if level > 1:
            side, step = side + step, 2 * step
            layers.append(Layer("pooling", level, side, step))
        for _ in range(CONVOLUTIONS):
            side += 2 * step
            layers.append(Layer("convolution", level, side, step))
    return layers


def receptive_field(crop: Crop, model: Model) -> Live:
    """Return what the figure of the receptive field shows.

    Parameters
    ----------
    crop : Crop
        A square that is larger than the largest receptive field.
    model : Model
        The network.

    Returns
    -------
    Live
        `image`, axes (y, x). `influence`, axes (level, y, x): by how much the numbers in the middle of the last feature
        map of a level change with each pixel, 255 for the most. Facts: for each layer, `kinds`, `levels`, `sides` and
        `steps`; `px_per_um`.
    """
    layers = encoder_layers()
    return Live(
        "receptive",
        {"image": crop.image, "influence": _influence(crop.grey, model)},
        {
            "panorama": crop.panorama,
            "px_per_um": crop.px_per_um,
            "kinds": [layer.kind for layer in layers],
            "levels": [layer.level for layer in layers],
            "sides": [layer.side_px for layer in layers],
            "steps": [layer.step_px for layer in layers],
        },
    )


def _influence(grey: NDArray[np.float32], model: Model) -> NDArray[np.uint8]:
    import torch

    image = _tile(grey).requires_grad_()
    maps = model.network.downsample(image)
    found = []
    for values in maps:
        middle = values[0, :, values.shape[2] // 2, values.shape[3] // 2]
        (gradient,) = torch.autograd.grad(middle.abs().sum(), image, retain_graph=True)
        strength = gradient[0, 0].abs().numpy()
        found.append(np.clip(255 * np.sqrt(strength / np.percentile(strength[strength > 0], STRONGEST)), 0, 255))
    return np.asarray(np.rint(np.stack(found)), np.uint8)


def skips(crops: Mapping[str, Crop], model: Model) -> Live:
    """Return what the figure of the skip connections shows.

    Parameters
    ----------
    crops : mapping of str to Crop
        Squares of one size, a multiple of 16 px, by what a reader calls them.
    model : Model
        The network.

    Returns
    -------
    Live
        For each crop K from 0 and each level L from 1, `encoderK.L`, axes (y, x), and `decoderK.L`, axes (state, y, x):
        one feature map, at the contrast that it has with all skip connections. `probabilityK` and `masksK`, axes
        (state, y, x): cell probability, 255 for 1, and labels. States are the switches of the skip connections as bits:
        1 for that of level 1, 2 of level 2, 4 of level 3. `imageK` and `trueK` are the crop. Facts: `names`.
    """
    arrays: dict[str, NDArray[np.uint8]] = {}
    for number, crop in enumerate(crops.values()):
        arrays |= {f"image{number}": crop.image, f"true{number}": crop.true.astype(np.uint8)}
        arrays |= {f"{name.format(number)}": array for name, array in _maps_of(crop.grey, model).items()}
    return Live("skips", arrays, {"names": list(crops), "panoramas": [crop.panorama for crop in crops.values()]})


def _maps_of(grey: NDArray[np.float32], model: Model) -> dict[str, NDArray[np.uint8]]:
    """Return the maps of one image in all states, by name with a place for its number."""
    states = [state[::-1] for state in product((False, True), repeat=LEVELS - 1)]
    runs = [_run(grey, model, kept) for kept in states]
    encoder, whole, _ = runs[-1]
    arrays = {}
    for level in range(LEVELS):
        arrays[f"encoder{{}}.{level + 1}"] = _scaled(*_most_varied(encoder[level]))
        channel, low, high = _most_varied(whole[level])
        number = int(np.flatnonzero((whole[level] == channel).all(axis=(1, 2)))[0])
        # A level depends on the switches of its own and of coarser ones alone, yet all states are named alike.
        arrays[f"decoder{{}}.{level + 1}"] = np.stack([_scaled(run[1][level][number], low, high) for run in runs])
    outputs = np.stack([output for _, _, output in runs])
    arrays["probability{}"] = np.rint(255 / (1 + np.exp(-outputs[:, 2]))).astype(np.uint8)
    thresholds = {"flow_threshold": FLOW_THRESHOLD, "cellprob_threshold": CELLPROB_THRESHOLD}
    arrays["masks{}"] = np.stack([compute_masks(output, **thresholds)[0] for output in outputs]).astype(np.uint8)
    return arrays


def _run(grey: NDArray[np.float32], model: Model, kept: tuple[bool, ...]) -> tuple[list[Any], list[Any], Any]:
    """Run the network with some of its skip connections: the maps of encoder and decoder by level, and the output."""
    import torch

    network = model.network
    with torch.inference_mode():
        encoder = network.downsample(_tile(grey))
        style = network.make_style(encoder[-1])
        decoder = list(_decode(network.upsample, encoder, style, kept))
        output = network.output(decoder[-1])
    maps = [[values[0].numpy() for values in part] for part in (encoder, decoder[::-1])]
    return maps[0], maps[1], output[0].numpy()


def _decode(upsample: Any, encoder: Any, style: Any, kept: tuple[bool, ...]) -> Iterator[torch.Tensor]:
    """Yield the decoder's maps from the coarsest to the finest; a connection that is not kept carries zeros."""
    values = upsample.up[-1](encoder[-1], encoder[-1], style)
    yield values
    for level in range(LEVELS - 2, -1, -1):
        beside = encoder[level] if kept[level] else encoder[level] * 0
        values = upsample.up[level](upsample.upsampling(values), beside, style)
        yield values


def _tile(grey: NDArray[np.float32]) -> torch.Tensor:
    """Return an image as the network takes it, axes (1, channel, y, x): the second channel stays empty."""
    import torch

    return torch.from_numpy(np.stack([grey, np.zeros_like(grey)])[np.newaxis])


def _most_varied(maps: NDArray[np.float32]) -> tuple[NDArray[np.float32], float, float]:
    """Return the feature map that varies most, axes (y, x), with its least and greatest value."""
    chosen = maps[int(maps.var(axis=(1, 2)).argmax())]
    return chosen, float(chosen.min()), float(chosen.max())


def _scaled(values: NDArray[np.float32], low: float, high: float) -> NDArray[np.uint8]:
    """Return greys of 0 to 255 in steps of 5, which nobody sees and a smaller file holds."""
    return (5 * np.rint(np.clip(51 * (values - low) / max(high - low, 1e-9), 0, 51))).astype(np.uint8)
