"""Training crops: nuclei turned, mirrored, resized and shifted, with the grey levels of many microscopes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from nnbook.errors import NnbookError
from nnbook.images import read_image, read_mask
from nnbook.rescale import grey_range, median_diameter, rescale

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.random import Generator
    from numpy.typing import NDArray

    from nnbook.images import Labels

STORED_DIAMETER: Final = 1.5
"""Examples are kept with nuclei of at most this many times the network's diameter: crops resize them further."""

SIZE_RANGE: Final = (0.5, 2.0)
SIZE_LOG_SD: Final = 0.3
ON_NUCLEUS_SHARE: Final = 0.75
"""Share of crops that are laid around a nucleus; the others fall anywhere."""

EMPTY_SHARE: Final = 0.03
"""Share of crops that hold noise alone, for images and corners without nuclei."""


@dataclass(frozen=True)
class Example:
    """An image with its masks, ready for crops to be drawn from it.

    Attributes
    ----------
    image : float32, axes (y, x)
        Grey levels, the 1st percentile at 0 and the 99th at 1.
    labels : int32, axes (y, x)
        0 for background, 1..N for nuclei.
    flows : float16, axes (component y or x, y, x)
        Unit vectors from each pixel of a nucleus towards its centre along the simulated diffusion of Cellpose.
    diameter_px, original_diameter_px : float
        Median diameter of the nuclei, in px of `image` and of the file.
    """

    image: NDArray[np.float32]
    labels: Labels
    flows: NDArray[np.float16]
    diameter_px: float
    original_diameter_px: float


def read_example(image_path: Path, mask_path: Path, diam_mean: float) -> Example:
    """Read an image and its mask, and compute the flows that the network is to learn.

    Parameters
    ----------
    image_path, mask_path : Path
        Files of one size. A mask without nuclei is fine.
    diam_mean : float
        The network's own diameter in px.

    Raises
    ------
    NnbookError
        As `read_image` and `read_mask`; also where the two differ in size.
    """
    image, labels = read_image(image_path), read_mask(mask_path)
    if image.shape != labels.shape:
        raise NnbookError(
            f"{mask_path}: has {labels.shape[1]} x {labels.shape[0]} px and its image {image.shape[1]} x "
            f"{image.shape[0]}; export the mask at the image's size"
        )
    diameter = median_diameter(labels) or diam_mean
    scale = min(1.0, STORED_DIAMETER * diam_mean / diameter)
    shape = (max(1, round(image.shape[0] * scale)), max(1, round(image.shape[1] * scale)))
    labels = _nearest(labels, shape)
    return Example(
        image=rescale(image, shape, *grey_range(image)),
        labels=labels,
        flows=_flows(labels),
        diameter_px=diameter * scale,
        original_diameter_px=diameter,
    )


def draw_crop(
    example: Example, rng: Generator, crop_px: int, diam_mean: float, *, varied: bool
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Draw one crop: turned, mirrored and shifted at random.

    Parameters
    ----------
    example : Example
        Where to draw from.
    rng : Generator
        The source of every draw.
    crop_px : int
        Side of the crop.
    diam_mean : float
        The network's diameter in px, which the example's median diameter is brought to.
    varied : bool
        Whether sizes and grey levels vary too (training) or not (validation).

    Returns
    -------
    image : float32, axes (y, x)
        Grey levels.
    target : float32, axes (channel, y, x)
        The flow's y and x component, and 1 inside nuclei and 0 outside.
    """
    import cv2

    size = math.exp(np.clip(rng.normal(0, SIZE_LOG_SD), *np.log(SIZE_RANGE))) if varied else 1.0
    zoom = size * diam_mean / example.diameter_px
    angle = rng.uniform(0, 2 * math.pi)
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    if rng.random() < 0.5:
        turn[:, 0] *= -1
    # `turn` maps directions (x, y) of the example to the crop; warpAffine wants the way back.
    back = turn.T / zoom
    middle = np.array(_centre(example, rng, crop_px / zoom)) - back @ np.full(2, (crop_px - 1) / 2)
    affine = np.column_stack([back, middle])

    def warp(plane: NDArray[np.float32], flags: int = cv2.INTER_LINEAR) -> NDArray[np.float32]:
        return np.asarray(cv2.warpAffine(plane, affine, (crop_px, crop_px), flags=flags | cv2.WARP_INVERSE_MAP))

    image = warp(example.image)
    labels = warp(example.labels.astype(np.float32), cv2.INTER_NEAREST)
    inside = warp((example.labels > 0).astype(np.float32)) >= 0.5
    flow_y, flow_x = (warp(component.astype(np.float32)) for component in example.flows)
    flow_x, flow_y = turn[0, 0] * flow_x + turn[0, 1] * flow_y, turn[1, 0] * flow_x + turn[1, 1] * flow_y
    length = np.hypot(flow_x, flow_y)
    flowing = inside & (length > 1e-3)
    target = np.zeros((3, crop_px, crop_px), dtype=np.float32)
    target[0, flowing] = flow_y[flowing] / length[flowing]
    target[1, flowing] = flow_x[flowing] / length[flowing]
    target[2] = inside
    if varied:
        if rng.random() < EMPTY_SHARE:
            image[:], target[:] = 0, 0
        image = vary_grey(image, labels.astype(np.int32), rng)
    return image, target


def vary_grey(image: NDArray[np.float32], labels: Labels, rng: Generator) -> NDArray[np.float32]:
    """Vary a crop's grey levels: nuclei, gamma, blur, background, contrast, brightness and noise. Never inverted.

    Parameters
    ----------
    image : float32, axes (y, x)
        Grey levels, most of them from 0 to 1.
    labels : int32, axes (y, x)
        Nuclei, for brightness that differs from one to the next.
    rng : Generator
        The source of every draw.
    """
    import cv2

    side = image.shape[0]
    if rng.random() < 0.3:
        own = np.exp(rng.normal(0, 0.35, int(labels.max()) + 1)).astype(np.float32)
        own[0] = 1
        image = image * np.asarray(cv2.GaussianBlur(own[labels], (0, 0), 0.7))
    if rng.random() < 0.5:
        low, span = image.min(), max(float(np.ptp(image)), 1e-3)
        image = low + span * ((image - low) / span) ** np.float32(math.exp(rng.uniform(-0.7, 0.7)))
    if rng.random() < 0.35:
        image = np.asarray(cv2.GaussianBlur(image, (0, 0), rng.uniform(0.4, 2.0)), dtype=np.float32)
    if rng.random() < 0.4:
        image = image + rng.uniform(0, 0.35) * _ramp(side, rng)
    image = image * math.exp(rng.normal(0, 0.3)) + rng.normal(0, 0.08)
    if rng.random() < 0.6:
        noise = rng.standard_normal((side, side), dtype=np.float32)
        if rng.random() < 0.5:
            noise = cv2.GaussianBlur(noise, (0, 0), 0.8) * 2.3
        # Shot noise: more of it where there is more light.
        image = image + rng.uniform(0.005, 0.12) * noise * np.sqrt(0.3 + np.clip(image, 0, 2))
    return image.astype(np.float32, copy=False)


def _ramp(side: int, rng: Generator) -> NDArray[np.float32]:
    """Background from 0 to 1 that rises across the crop, bent a little."""
    angle, bend = rng.uniform(0, 2 * math.pi), rng.uniform(-1, 1)
    y, x = np.mgrid[:side, :side] / side - 0.5
    along = x * math.cos(angle) + y * math.sin(angle)
    ramp = along + bend * (x**2 + y**2)
    ramp -= ramp.min()
    return np.asarray(ramp / ramp.max(), dtype=np.float32)


def _centre(example: Example, rng: Generator, side: float) -> tuple[float, float]:
    """Where the crop's centre falls in the example, as (x, y)."""
    height, width = example.image.shape
    if rng.random() < ON_NUCLEUS_SHARE and (inside := np.flatnonzero(example.labels)).size:
        y, x = divmod(int(inside[rng.integers(inside.size)]), width)
        return x + rng.uniform(-side / 3, side / 3), y + rng.uniform(-side / 3, side / 3)
    return rng.uniform(0, width), rng.uniform(0, height)


def _nearest(labels: Labels, shape: tuple[int, int]) -> Labels:
    rows, columns = (
        ((np.arange(new) + 0.5) * (old / new)).astype(int) for old, new in zip(labels.shape, shape, strict=True)
    )
    return np.asarray(labels[np.ix_(rows, columns)])


def _flows(labels: Labels) -> NDArray[np.float16]:
    if not labels.any():
        return np.zeros((2, *labels.shape), dtype=np.float16)
    import torch
    from cellpose.dynamics import labels_to_flows

    numbered = np.unique(labels, return_inverse=True)[1].reshape(labels.shape).astype(np.int32)
    if labels.all():
        numbered += 1  # then `unique` has given 0 to a nucleus
    flows = labels_to_flows([numbered], device=torch.device("cpu"))  # type: ignore[no-untyped-call]
    return np.asarray(flows[0][2:], dtype=np.float16)
