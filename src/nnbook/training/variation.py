"""Variation of whole batches, where the network is: another look at a crop costs next to nothing there.

Crops are turned by quarters and mirrored, their flows with them, and their grey levels vary once more. What needs the
outlines of nuclei is done before, in `nnbook.training.crops` and `nnbook.training.intensity`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch.nn import functional

if TYPE_CHECKING:
    from torch import Generator, Tensor

BLUR_PX = 6
"""Half the side of the kernel that blurs."""


def vary_batch(images: Tensor, targets: Tensor, generator: Generator, *, greys: bool = True) -> tuple[Tensor, Tensor]:
    """Turn, mirror and vary crops.

    Parameters
    ----------
    images : Tensor, axes (crop, y, x)
        Grey levels; not a number outside the image.
    targets : Tensor, axes (crop, channel, y, x)
        See `nnbook.training.crops.draw_crop`.
    generator : Generator
        The stream to draw from, on the same device.

    Returns
    -------
    images, targets : Tensor
        Of the same shapes; images are 0 outside.
    """
    turned = [_turn(*part, turns % 4, mirrored=turns >= 4) for turns, part in _eighths(images, targets, generator)]
    images, targets = torch.cat([one[0] for one in turned]), torch.cat([one[1] for one in turned])
    inside = ~torch.isnan(images)
    images = torch.where(inside, images, 0.0)
    return (vary_greys(images, generator) * inside if greys else images), targets


def _eighths(images: Tensor, targets: Tensor, generator: Generator) -> list[tuple[int, tuple[Tensor, Tensor]]]:
    """Divide a batch into up to eight parts, one for each way to turn and mirror; which come first is random."""
    first = int(torch.randint(8, (), generator=generator, device=images.device)) if len(images) < 8 else 0
    parts = zip(images.tensor_split(8), targets.tensor_split(8), strict=True)
    return [((first + k) % 8, part) for k, part in enumerate(parts) if len(part[0])]


def _turn(images: Tensor, targets: Tensor, turns: int, *, mirrored: bool) -> tuple[Tensor, Tensor]:
    """Turn by so many quarters, y to x, then mirror x; flows are vectors and turn with the image."""
    images, targets = torch.rot90(images, turns, (-2, -1)), torch.rot90(targets, turns, (-2, -1))
    flow_y, flow_x, rest = targets[:, 0], targets[:, 1], targets[:, 2:]
    for _ in range(turns % 4):
        flow_y, flow_x = -flow_x, flow_y
    if mirrored:
        images, rest, flow_y, flow_x = (part.flip(-1) for part in (images, rest, flow_y, -flow_x))
    return images, torch.cat([flow_y[:, None], flow_x[:, None], rest], dim=1)


def vary_greys(images: Tensor, generator: Generator) -> Tensor:
    """Vary gamma, haze, uneven light, blur, contrast and noise of each crop of a batch; nuclei stay bright."""
    count, side = len(images), images.shape[-1]
    device = images.device

    def uniform(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand((count, 1, 1), generator=generator, device=device)

    def some(share: float) -> Tensor:
        return (torch.rand((count, 1, 1), generator=generator, device=device) < share).float()

    low, high = images.amin((1, 2), keepdim=True), images.amax((1, 2), keepdim=True)
    span = (high - low).clamp_min(1e-3)
    gamma = torch.exp(some(0.4) * uniform(-0.6, 0.6))
    images = low + span * ((images - low) / span).clamp(0, 1) ** gamma
    images = images + some(0.25) * uniform(0, 0.6) * _haze(images, span)
    axis = torch.linspace(-0.5, 0.5, side, device=device)
    angle = uniform(0, 2 * math.pi)
    ramp = torch.cos(angle) * axis[None, None, :] + torch.sin(angle) * axis[None, :, None]
    images = images * (1 + some(0.25) * uniform(0, 0.8) * ramp) + some(0.25) * uniform(0, 0.3) * (ramp + 0.5)
    sharpness = some(0.3)
    images = torch.lerp(images, _blur(images, uniform(0.5, 1.8)), sharpness)
    contrast = torch.exp(0.15 * torch.randn((count, 1, 1), generator=generator, device=device))
    images = images * contrast + some(0.5) * uniform(-0.1, 0.1)
    noise = torch.randn(images.shape, generator=generator, device=device)
    return images + some(0.5) * uniform(0, 0.06) * noise * torch.sqrt(0.3 + images.clamp(0, 2))


def _haze(images: Tensor, span: Tensor) -> Tensor:
    """Return light from far out of focus: another crop's, so that it says nothing about where nuclei are."""
    others = images.roll(1, dims=0).flip(-2)
    coarse = functional.avg_pool2d(others[:, None], 16, stride=8, ceil_mode=True, padding=4)
    smooth = functional.interpolate(coarse, size=images.shape[-2:], mode="bilinear", align_corners=False)[:, 0]
    darkest = smooth.amin((1, 2), keepdim=True)
    return (smooth - darkest) / (smooth.amax((1, 2), keepdim=True) - darkest).clamp_min(1e-3) * span


def _blur(images: Tensor, sd_px: Tensor) -> Tensor:
    """Blur each crop of a batch by its own Gaussian."""
    offsets = torch.arange(-BLUR_PX, BLUR_PX + 1, device=images.device, dtype=images.dtype)
    kernels = torch.exp(-(offsets**2) / (2 * sd_px[:, 0] ** 2))
    kernels = kernels / kernels.sum(-1, keepdim=True)
    padded = functional.pad(images[None], (BLUR_PX,) * 4, mode="replicate")
    across = functional.conv2d(padded, kernels[:, None, None, :], groups=len(images))
    return functional.conv2d(across, kernels[:, None, :, None], groups=len(images))[0]
