"""The network that denoises: a weighted mean of the pixels around, and a small U-Net that corrects it.

The mean leaves out the pixel itself, and its weights are learnt; it is why a few hundred steps are enough. The U-Net
has no residual, no topmost skip connection, and pooling that blurs (Zhang 2019, arXiv:1904.11486): these keep N2V2
(Höck et al. 2022, doi:10.1007/978-3-031-25069-9_33) from the checkerboards of Noise2Void. Nothing is normalised by
batch: most patches are background, and what a grey level is must not depend on how many of a batch are.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

CHANNELS: Final = 16
"""Of the first level; each further one has twice as many."""

DONUT_PX: Final = 5
DONUT_SD_PX: Final = 1.5
"""The weighted mean is over pixels so far away in each direction, and its weights begin as this Gaussian."""

STEP_PX: Final = 4
"""The network halves its input twice: sides are multiples of this."""

MARGIN_PX: Final = 40
"""A prediction depends on nothing that is farther from its pixel; a multiple of `STEP_PX`."""


def new_network() -> UNet:
    """Return a network with random weights."""
    return UNet().to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


class UNet(nn.Module):
    """Axes (image, 1, y, x) to the same: standardised grey levels."""

    def __init__(self) -> None:
        super().__init__()
        self.first = _block(1, CHANNELS)
        self.second = _block(CHANNELS, 2 * CHANNELS)
        self.deepest = _block(2 * CHANNELS, 4 * CHANNELS)
        self.second_up = _block(6 * CHANNELS, 2 * CHANNELS)
        self.first_up = _block(2 * CHANNELS, CHANNELS)
        self.last = nn.Conv2d(CHANNELS, 1, 1)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)  # type: ignore[arg-type]
        self.surroundings = nn.Parameter(_gaussian())

    def forward(self, images: Tensor) -> Tensor:
        """Return what is predicted of each pixel."""
        second = self.second(_pool(self.first(images)))
        deepest = self.deepest(_pool(second))
        joined = torch.cat([_enlarge(deepest), second], dim=1)
        correction: Tensor = self.last(self.first_up(_enlarge(self.second_up(joined))))
        return self._from_surroundings(images) + correction

    def _from_surroundings(self, images: Tensor) -> Tensor:
        kernel = self.surroundings.clone()
        kernel[:, :, DONUT_PX, DONUT_PX] = 0
        return functional.conv2d(functional.pad(images, (DONUT_PX,) * 4, mode="reflect"), kernel)


def _gaussian() -> Tensor:
    line = torch.exp(-(torch.arange(-DONUT_PX, DONUT_PX + 1) ** 2) / (2 * DONUT_SD_PX**2))
    kernel = torch.outer(line, line)
    kernel[DONUT_PX, DONUT_PX] = 0
    return (kernel / kernel.sum())[None, None]


def _block(channels_in: int, channels_out: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for before in (channels_in, channels_out):
        layer = nn.Conv2d(before, channels_out, 3, padding=1)
        nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
        layers += [layer, nn.ReLU(inplace=True)]
    return nn.Sequential(*layers)


def _pool(features: Tensor) -> Tensor:
    """Halve: the greatest of each 2 x 2 px, blurred before every second one is taken."""
    greatest = functional.max_pool2d(functional.pad(features, (0, 1, 0, 1), mode="replicate"), 2, stride=1)
    line = torch.tensor([0.25, 0.5, 0.25], dtype=features.dtype, device=features.device)
    channels = features.shape[1]
    kernel = torch.outer(line, line).expand(channels, 1, 3, 3)
    padded = functional.pad(greatest, (1, 1, 1, 1), mode="replicate")
    return functional.conv2d(padded, kernel, stride=2, groups=channels)


def _enlarge(features: Tensor) -> Tensor:
    return functional.interpolate(features, scale_factor=2, mode="bilinear", align_corners=False)
