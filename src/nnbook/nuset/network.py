"""The network of NuSeT: a U-Net, and a region proposal network on the features of its lowest level."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import torch
from torch import nn
from torch.nn import functional

from nnbook.nuset.anchors import ANCHORS

if TYPE_CHECKING:
    from torch import Tensor

CHANNELS: Final = (8, 8, 12, 16, 24)
"""Of each level. The paper's network has a thousand at its lowest; these make weights that a book can carry."""

START_LOGIT: Final = -2.0
"""Of anchors, before training: few of them are on a nucleus."""


class NusetNetwork(nn.Module):
    """From standardised grey levels, axes (image, 1, y, x), sides multiples of 16, to logits and proposals.

    Parameters
    ----------
    proposals : bool
        Whether it proposes regions; without, it is a U-Net.
    """

    def __init__(self, *, proposals: bool) -> None:
        super().__init__()
        downwards = zip((1, *CHANNELS), CHANNELS, strict=False)
        self.down = nn.ModuleList([_block(before, after) for before, after in downwards])
        self.up = nn.ModuleList(
            [_block(CHANNELS[level] + CHANNELS[level + 1], CHANNELS[level]) for level in reversed(range(4))]
        )
        self.last = nn.Conv2d(CHANNELS[0], 1, 1)
        self.proposer = _Proposer(CHANNELS[-1]) if proposals else None

    def forward(self, grey: Tensor) -> tuple[Tensor, Tensor | None, Tensor | None]:
        """Return logits of the foreground, axes (image, y, x), and of each anchor the logit and the shift.

        These have the axes (image, anchor) and (image, anchor, 4), as `nnbook.nuset.anchors.make_anchors` orders
        anchors; None without proposals.
        """
        kept = []
        features = grey
        for level, block in enumerate(self.down):
            features = block(functional.max_pool2d(features, 2) if level else features)
            kept.append(features)
        found = self.proposer(features) if self.proposer is not None else (None, None)
        for block, skipped in zip(self.up, reversed(kept[:-1]), strict=True):
            features = functional.interpolate(features, scale_factor=2.0, mode="nearest")
            features = block(torch.cat([features, skipped], dim=1))
        return (self.last(features)[:, 0], *found)


class _Proposer(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.shared = nn.Conv2d(channels, channels, 3, padding=1)
        self.logits = nn.Conv2d(channels, ANCHORS, 1)
        self.shifts = nn.Conv2d(channels, 4 * ANCHORS, 1)
        nn.init.normal_(self.shifts.weight, std=0.01)
        nn.init.constant_(self.logits.bias, START_LOGIT)  # type: ignore[arg-type]

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        features = functional.relu(self.shared(features))
        logits = self.logits(features).permute(0, 2, 3, 1).flatten(1)
        shifts = self.shifts(features).permute(0, 2, 3, 1).reshape(len(features), -1, 4)
        return logits, shifts


def _block(before: int, after: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for channels in (before, after):
        layers += [nn.Conv2d(channels, after, 3, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers)
