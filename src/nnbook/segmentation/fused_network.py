"""A Cellpose 3 network for inference on a processor: its layers fused where that gives the same numbers.

In a `CPnet` every convolution comes after a batch normalisation and a rectifier. Here a normalisation that follows a
convolution, or precedes one of a single pixel, is part of that convolution's weights, and oneDNN rectifies and adds
while it writes a convolution's result, instead of in passes of their own over memory. One tile at a time mostly stays
in the processor's cache.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch.nn import functional

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    Affine = tuple[Tensor, Tensor]
    """Factor and summand of each channel."""


def is_supported() -> bool:
    """Return whether this build of torch has the convolutions that this module is made of."""
    available: bool = torch.backends.mkldnn.is_available()
    return available and hasattr(torch.ops.mkldnn, "_convolution_pointwise")


def fuse(network: Any, dtype: torch.dtype) -> Callable[[Tensor], Tensor]:
    """Return a function that computes what `network(tile)[0]` does.

    Parameters
    ----------
    network : cellpose.resnet_torch.CPnet
        With its weights, in float32, two-dimensional.
    dtype : torch.dtype
        What to compute in: bfloat16 or float32.

    Returns
    -------
    callable
        From one tile, float32, axes (1, channel, y, x), sides multiples of 8, to float32, axes (1, 3, y, x).
    """
    with torch.inference_mode():
        downs = [_Down(block, dtype) for block in network.downsample.down]
        ups = [_Up(block, dtype) for block in network.upsample.up]
        last_affine = _affine(network.output[0])
        last = _Convolution(network.output[2], dtype)

    def run(tile: Tensor) -> Tensor:
        with torch.inference_mode():
            x = tile.to(dtype).contiguous(memory_format=torch.channels_last)
            levels: list[Tensor] = []
            for down in downs:
                x = down(functional.max_pool2d(x, 2) if levels else x)
                levels.append(x)
            style = x.float().mean((0, 2, 3))
            style /= style.square().sum().sqrt()
            for up, level in zip(reversed(ups), reversed(levels), strict=True):
                x = up(x, level, style)
            return last(_rectified(x, last_affine)).float()

    return run


class _Convolution:
    """A convolution with the normalisation before it (one of a single pixel) or after it."""

    def __init__(
        self, layer: Any, dtype: torch.dtype, *, before: Affine | None = None, after: Affine | None = None
    ) -> None:
        weight, self.bias = layer.weight, layer.bias
        self.factor = after[0] if after else torch.ones_like(self.bias)
        if before:
            self.bias = self.bias + weight[:, :, 0, 0] @ before[1]
            weight = weight * before[0][:, None, None]
        if after:
            self.bias = self.bias * after[0] + after[1]
            weight = weight * after[0][:, None, None, None]
        self.weight = weight.to(dtype).contiguous(memory_format=torch.channels_last)
        self.padding = list(layer.padding)

    def __call__(
        self, x: Tensor, *, rectify: bool = False, plus: Tensor | None = None, offset: Tensor | None = None
    ) -> Tensor:
        """Convolve, then add an `offset` a channel (before the normalisation), rectify, or add `plus`."""
        bias = (self.bias if offset is None else self.bias + offset * self.factor).to(x.dtype)
        window = (self.padding, [1, 1], [1, 1], 1)
        convolve = torch.ops.mkldnn._convolution_pointwise  # noqa: SLF001 - torch has no public name for it
        if plus is None:
            result = convolve(x, self.weight, bias, *window, "relu" if rectify else "none", [], "")
        else:
            result = convolve.binary(x, plus, self.weight, bias, *window, "add", 1.0, None, [], None)
        return result  # type: ignore[no-any-return]


class _Down:
    """A `resdown` block: two residual steps of two convolutions."""

    def __init__(self, block: Any, dtype: torch.dtype) -> None:
        affines = [_affine(layer[0]) for layer in block.conv]
        self.affines = affines[0], affines[2]
        self.projection = _Convolution(block.proj[1], dtype, before=_affine(block.proj[0]))
        self.convolutions = [
            _Convolution(layer[2], dtype, after=after)
            for layer, after in zip(block.conv, (affines[1], None, affines[3], None), strict=True)
        ]

    def __call__(self, x: Tensor) -> Tensor:
        first, second, third, fourth = self.convolutions
        x = second(first(_rectified(x, self.affines[0]), rectify=True), plus=self.projection(x))
        return fourth(third(_rectified(x, self.affines[1]), rectify=True), plus=x)


class _Up:
    """A `resup` block: as `_Down`, plus the output of a block on the way down, and the style as offsets of channels."""

    def __init__(self, block: Any, dtype: torch.dtype) -> None:
        first, *others = block.conv
        affines = [_affine(first[0]), *(_affine(layer.conv[0]) for layer in others)]
        self.affines = affines[:3]
        self.styles = [layer.full for layer in others]
        self.projection = _Convolution(block.proj[1], dtype, before=_affine(block.proj[0]))
        self.convolutions = [
            _Convolution(layer, dtype, after=after)
            for layer, after in zip(
                (first[2], *(layer.conv[2] for layer in others)), (None, None, affines[3], None), strict=True
            )
        ]

    def __call__(self, x: Tensor, level: Tensor, style: Tensor) -> Tensor:
        first, second, third, fourth = self.convolutions
        offsets = [layer(style) for layer in self.styles]
        # What works on single pixels is done before they are repeated, for a quarter of the work.
        projected, rectified = self.projection(x), _rectified(x, self.affines[0])
        if x.shape[2] < level.shape[2]:
            projected, rectified = _twice(projected), _twice(rectified)
        x = first(rectified, plus=level)
        x = second(_rectified(x, self.affines[1], offsets[0]), plus=projected)
        between = third(_rectified(x, self.affines[2], offsets[1]), rectify=True, offset=offsets[2])
        return fourth(between, plus=x)


def _twice(x: Tensor) -> Tensor:
    return functional.interpolate(x, scale_factor=2, mode="nearest")


def _affine(layer: Any) -> Affine:
    """Return what a batch normalisation does to each channel."""
    factor = layer.weight / torch.sqrt(layer.running_var + layer.eps)
    return factor, layer.bias - layer.running_mean * factor


def _rectified(x: Tensor, affine: Affine, offset: Tensor | None = None) -> Tensor:
    factor, summand = affine
    if offset is not None:
        summand = summand + offset * factor
    mean, variance = torch.zeros_like(factor), torch.ones_like(factor)
    return torch.batch_norm(
        x, factor, summand, mean, variance, training=False, momentum=0.0, eps=0.0, cudnn_enabled=False
    ).relu_()
