"""Synthetic training images as NuSeT's: blobs like nuclei that overlap, beside polygons and lines that are none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import cv2
import numpy as np
from skimage.segmentation import watershed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nnbook.io.images import Labels

HARMONICS: Final = 4
"""A blob's radius is a circle's with so many waves round it."""


def draw_synthetic(rng: np.random.Generator, side_px: int, nucleus_px: float) -> tuple[NDArray[np.float32], Labels]:
    """Draw an image with blobs, polygons and lines of random brightness, blurred and with noise.

    The paper names what is drawn and not how often; counts, sizes and contrasts are chosen here.

    Parameters
    ----------
    rng : numpy.random.Generator
        Draws everything.
    side_px : int
        Side of the image.
    nucleus_px : float
        Typical diameter of blobs, which vary by image from 0.6 to 1.6 of it.

    Returns
    -------
    image : float32, axes (y, x)
        Grey levels.
    labels : Labels
        The blobs, those that overlap separated by a watershed from their middles.
    """
    diameter = nucleus_px * rng.uniform(0.6, 1.6)
    image = np.zeros((side_px, side_px), np.float32)
    level = rng.uniform(0.3, 1.0)
    for _ in range(int(rng.integers(0, 4))):
        _draw_artifact(rng, image, diameter, level)
    middles, foreground = _draw_blobs(rng, image, diameter, level)
    seeds = np.zeros(image.shape, np.int32)
    for label, (y, x) in enumerate(middles, start=1):
        seeds[int(np.clip(y, 0, side_px - 1)), int(np.clip(x, 0, side_px - 1))] = label
    distance = cv2.distanceTransform(foreground.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    labels = watershed(-distance, seeds, mask=foreground).astype(np.int32)
    image = cv2.GaussianBlur(image, (0, 0), float(rng.uniform(0.02, 0.08)) * diameter + 0.3).astype(np.float32)
    image += rng.uniform(0.0, 0.3) + rng.normal(0, rng.uniform(0.005, 0.08), image.shape)
    return image.astype(np.float32), labels


def _draw_blobs(
    rng: np.random.Generator, image: NDArray[np.float32], diameter: float, level: float
) -> tuple[list[tuple[float, float]], NDArray[np.bool_]]:
    side = len(image)
    middles: list[tuple[float, float]] = []
    foreground = np.zeros(image.shape, bool)
    for _ in range(int(rng.integers(3, max(4, int(0.6 * (side / diameter) ** 2))))):
        y, x = rng.uniform(0, side, 2)
        if middles and rng.random() < 0.4:  # beside another one, touching or overlapping it
            angle, apart = rng.uniform(0, 2 * np.pi), diameter * rng.uniform(0.7, 1.0)
            beside = middles[int(rng.integers(len(middles)))]
            y, x = beside[0] + apart * np.sin(angle), beside[1] + apart * np.cos(angle)
        if any((y - a) ** 2 + (x - b) ** 2 < (0.65 * diameter) ** 2 for a, b in middles) or not (
            0 <= y < side and 0 <= x < side
        ):
            continue
        mask = np.zeros(image.shape, np.uint8)
        cv2.fillPoly(mask, [_outline(rng, y, x, diameter / 2)], 1)
        inside = mask > 0
        texture = cv2.GaussianBlur(rng.normal(0, 1, image.shape).astype(np.float32), (0, 0), diameter / 8)
        brightness = level * rng.uniform(0.5, 1.5)
        image[inside] = np.maximum(image[inside], brightness * (1 + 0.5 * diameter / 8 * texture[inside]))
        foreground |= inside
        middles.append((float(y), float(x)))
    return middles, foreground


def _outline(rng: np.random.Generator, y: float, x: float, radius: float) -> NDArray[np.int32]:
    angle = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    around = np.full(angle.shape, radius * rng.uniform(0.8, 1.2))
    for wave in range(2, 2 + HARMONICS):
        around *= 1 + rng.normal(0, 0.25 / wave) * np.cos(wave * angle + rng.uniform(0, 2 * np.pi))
    points = np.stack([x + around * np.cos(angle), y + around * np.sin(angle)], axis=1)
    return np.asarray(np.rint(points), dtype=np.int32)


def _draw_artifact(rng: np.random.Generator, image: NDArray[np.float32], diameter: float, level: float) -> None:
    side = len(image)
    brightness = float(level * rng.uniform(0.3, 3.0))
    if rng.random() < 0.5:
        start, end = (tuple(int(one) for one in rng.uniform(0, side, 2)) for _ in range(2))
        cv2.line(image, start, end, brightness, int(rng.integers(1, max(2, int(diameter / 5)))))
        return
    corners = rng.uniform(0, side, 2) + rng.normal(0, diameter * rng.uniform(0.3, 1.5), (int(rng.integers(3, 7)), 2))
    cv2.fillPoly(image, [np.rint(corners).astype(np.int32)], brightness)
