"""A Cellpose 3 network for inference on a processor: its layers fused where that gives the same numbers.

In a `CPnet` every convolution comes after a batch normalisation and a rectifier. Here a normalisation that follows a
convolution, or precedes one of a single pixel, is part of that convolution's weights, and oneDNN rectifies and adds
while it writes a convolution's result, instead of in passes of their own over memory. One tile at a time mostly stays
in the processor's cache.

In bfloat16, which has 8 bits of precision, a channel whose values are far from 0 beside what they differ by would lose
most of what it says. So the mean that a normalisation is to subtract is subtracted by the convolution before it, in
float32, and what rounding takes from a bias is added in the next normalisation. The first convolutions, which take
differences between the image's pixels, compute in float32; that costs little, since the image has two channels.
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
        down_blocks, up_blocks = list(network.downsample.down), list(network.upsample.up)[::-1]
        downs: list[_Down] = []
        for block, reader in zip(down_blocks, (*down_blocks[1:], up_blocks[0]), strict=True):
            left_out = downs[-1].left_out if downs else torch.zeros(())
            downs.append(_Down(block, reader.proj[0], left_out, dtype, is_first=not downs))
        deepest = left_out = downs[-1].left_out
        last_layer = network.output[0]
        ups: list[_Up] = []
        for block, level, reader in zip(
            up_blocks, reversed(downs), (*(block.proj[0] for block in up_blocks[1:]), last_layer), strict=True
        ):
            ups.append(_Up(block, reader, left_out, level.left_out, dtype))
            left_out = ups[-1].left_out
        last_affine = _affine(last_layer, left_out)
        last = _Convolution(network.output[2], dtype)

    def run(tile: Tensor) -> Tensor:
        with torch.inference_mode():
            x = tile.contiguous(memory_format=torch.channels_last)
            levels: list[Tensor] = []
            for down in downs:
                x = down(functional.max_pool2d(x, 2) if levels else x)
                levels.append(x)
            style = x.float().mean((0, 2, 3)) + deepest
            style /= style.square().sum().sqrt()
            for up, level in zip(ups, reversed(levels), strict=True):
                x = up(x, level, style)
            return last(_rectified(x, last_affine)).float()

    return run


class _Convolution:
    """A convolution with the normalisation before it (one of a single pixel) or after it.

    Its result lacks `left_out`, a value a channel: about what it is made with, exactly what the rounded bias leaves.
    """

    def __init__(
        self,
        layer: Any,
        dtype: torch.dtype,
        *,
        before: Affine | None = None,
        after: Affine | None = None,
        left_out: Tensor | None = None,
    ) -> None:
        weight, bias = layer.weight, layer.bias
        self.factor = after[0] if after else torch.ones_like(bias)
        if before:
            bias = bias + weight[:, :, 0, 0] @ before[1]
            weight = weight * before[0][:, None, None]
        if after:
            bias = bias * after[0] + after[1]
            weight = weight * after[0][:, None, None, None]
        self.bias = bias if left_out is None else bias - left_out
        self.left_out = bias - self.bias.to(dtype).float()
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
    """A `resdown` block: two residual steps of two convolutions.

    Its input lacks a value a channel, and so does its result: the mean that the normalisation which reads it subtracts.
    """

    def __init__(self, block: Any, reader: Any, left_out: Tensor, dtype: torch.dtype, *, is_first: bool) -> None:
        norms, layers = [layer[0] for layer in block.conv], [layer[2] for layer in block.conv]
        self.dtype = dtype
        outer = torch.float32 if is_first else dtype
        self.projection = _Convolution(block.proj[1], outer, before=_affine(block.proj[0], left_out))
        first = _Convolution(layers[0], outer, after=_affine(norms[1]))
        second = _Convolution(layers[1], dtype, left_out=norms[2].running_mean - self.projection.left_out)
        between = second.left_out + self.projection.left_out
        third = _Convolution(layers[2], dtype, after=_affine(norms[3]))
        fourth = _Convolution(layers[3], dtype, left_out=reader.running_mean - between)
        self.affines = _affine(norms[0], left_out), _affine(norms[2], between)
        self.convolutions = first, second, third, fourth
        self.left_out = fourth.left_out + between

    def __call__(self, x: Tensor) -> Tensor:
        first, second, third, fourth = self.convolutions
        inner = first(_rectified(x, self.affines[0]), rectify=True).to(self.dtype)
        x = second(inner, plus=self.projection(x).to(self.dtype))
        return fourth(third(_rectified(x, self.affines[1]), rectify=True), plus=x)


class _Up:
    """A `resup` block: as `_Down`, plus the output of a block on the way down, and the style as offsets of channels."""

    def __init__(self, block: Any, reader: Any, left_out: Tensor, level_left_out: Tensor, dtype: torch.dtype) -> None:
        first_step, *steps = block.conv
        norms = [first_step[0], *(step.conv[0] for step in steps)]
        layers = [first_step[2], *(step.conv[2] for step in steps)]
        self.styles = [step.full for step in steps]
        self.projection = _Convolution(block.proj[1], dtype, before=_affine(block.proj[0], left_out))
        first = _Convolution(layers[0], dtype, left_out=norms[1].running_mean - level_left_out)
        joined = first.left_out + level_left_out
        second = _Convolution(layers[1], dtype, left_out=norms[2].running_mean - self.projection.left_out)
        between = second.left_out + self.projection.left_out
        third = _Convolution(layers[2], dtype, after=_affine(norms[3]))
        fourth = _Convolution(layers[3], dtype, left_out=reader.running_mean - between)
        self.affines = _affine(norms[0], left_out), _affine(norms[1], joined), _affine(norms[2], between)
        self.convolutions = first, second, third, fourth
        self.left_out = fourth.left_out + between

    def __call__(self, x: Tensor, level: Tensor, style: Tensor) -> Tensor:
        first, second, third, fourth = self.convolutions
        offsets = [layer(style) for layer in self.styles]
        # What works on single pixels is done before they are repeated, for a quarter of the work.
        projected, rectified = self.projection(x), _rectified(x, self.affines[0])
        if x.shape[2] < level.shape[2]:
            projected, rectified = _twice(projected), _twice(rectified)
        x = first(rectified, plus=level)
        x = second(_rectified(x, self.affines[1], offsets[0]), plus=projected)
        inner = third(_rectified(x, self.affines[2], offsets[1]), rectify=True, offset=offsets[2])
        return fourth(inner, plus=x)


def _twice(x: Tensor) -> Tensor:
    return functional.interpolate(x, scale_factor=2, mode="nearest")


def _affine(layer: Any, left_out: Tensor | float = 0.0) -> Affine:
    """Return what a batch normalisation does to each channel of a tensor that lacks a value a channel."""
    factor = layer.weight / torch.sqrt(layer.running_var + layer.eps)
    return factor, layer.bias - (layer.running_mean - left_out) * factor


def _rectified(x: Tensor, affine: Affine, offset: Tensor | None = None) -> Tensor:
    factor, summand = affine
    if offset is not None:
        summand = summand + offset * factor
    mean, variance = torch.zeros_like(factor), torch.ones_like(factor)
    return torch.batch_norm(
        x, factor, summand, mean, variance, training=False, momentum=0.0, eps=0.0, cudnn_enabled=False
    ).relu_()
