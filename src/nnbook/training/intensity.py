"""Grey levels of training crops: brightness of nuclei, blur, light, noise and specks."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    from nnbook.io.images import Labels


def vary_intensity(image: NDArray[np.float32], labels: Labels, rng: Generator) -> NDArray[np.float32]:
    """Vary a crop's grey levels: nuclei, gamma, debris, blur, background, contrast, brightness and noise.

    They are never inverted: nuclei are bright in fluorescence.

    Parameters
    ----------
    image : float32, axes (y, x)
        Grey levels, most of them from 0 to 1.
    labels : int32, axes (y, x)
        Nuclei, each of which gets a brightness of its own.
    rng : Generator
        The stream to draw from.
    """
    image = _vary_optics(_vary_nuclei(image, labels, rng), rng)
    image = _vary_light(image, rng)
    if rng.random() < 0.6:
        image = _add_noise(image, rng)
    return image.astype(np.float32, copy=False)


def add_texture(image: NDArray[np.float32], labels: Labels, rng: Generator) -> NDArray[np.float32]:
    """Give nuclei chromatin of another kind and nucleoli, and the background fibres and clumps of debris.

    Parameters
    ----------
    image, labels, rng
        See `vary_intensity`.
    """
    import cv2

    side = image.shape[0]
    if rng.random() < 0.5:
        grain = _blur(rng.standard_normal(image.shape, dtype=np.float32), grain_px := rng.uniform(0.8, 4))
        grain *= np.float32(rng.uniform(0.1, 0.35) * 3.5 * grain_px)
        image = image * np.where(labels > 0, np.exp(np.clip(grain, -1, 1)), np.float32(1))
    if rng.random() < 0.25:  # nucleoli
        holes = np.zeros_like(image)
        for y, x in rng.uniform(0, side, (int(rng.integers(10, 60)), 2)):
            cv2.circle(holes, (int(x), int(y)), int(rng.integers(1, 4)), float(rng.uniform(0.2, 0.7)), -1)
        image = image * (1 - _blur(holes, rng.uniform(0.7, 1.5)) * (labels > 0))
    if rng.random() < 0.2:
        image = _add_debris(image, labels, rng)
    return image.astype(np.float32, copy=False)


def _add_debris(image: NDArray[np.float32], labels: Labels, rng: Generator) -> NDArray[np.float32]:
    """Add fibres, and clumps far smaller than a nucleus, in the background alone."""
    import cv2

    side = image.shape[0]
    drawn = np.zeros_like(image)
    for _ in range(int(rng.integers(1, 5))):
        level = float(rng.uniform(0.2, 1.5))
        start = rng.uniform(0, side, 2)
        if rng.random() < 0.4:
            steps = np.cumsum(rng.normal(rng.normal(0, 4, 2), 2, (int(rng.integers(4, 20)), 2)), axis=0)
            cv2.polylines(drawn, [np.rint(start + steps).astype(np.int32)], isClosed=False, color=level, thickness=1)
        else:
            for y, x in start + rng.normal(0, 2.5, (int(rng.integers(3, 9)), 2)):
                cv2.circle(drawn, (int(x), int(y)), int(rng.integers(1, 3)), level * float(rng.uniform(0.5, 1)), -1)
    return np.asarray(image + _blur(drawn, rng.uniform(0.5, 1.3)) * (labels == 0))


def _vary_nuclei(image: NDArray[np.float32], labels: Labels, rng: Generator) -> NDArray[np.float32]:
    import cv2

    if rng.random() < 0.5:
        own = np.exp(rng.normal(0, rng.uniform(0.2, 0.7), int(labels.max()) + 1)).astype(np.float32)
        own[0] = 1
        image = image * np.asarray(cv2.GaussianBlur(own[labels], (0, 0), 0.7))
    if rng.random() < 0.5:
        low, span = image.min(), max(float(np.ptp(image)), 1e-3)
        image = low + span * ((image - low) / span) ** np.float32(math.exp(rng.uniform(-0.7, 0.7)))
    return _add_specks(image, rng) if rng.random() < 0.15 else image


def _vary_optics(image: NDArray[np.float32], rng: Generator) -> NDArray[np.float32]:
    import cv2

    side = image.shape[0]
    if rng.random() < 0.35:
        image = _blur(image, rng.uniform(0.4, 2.2))
    if rng.random() < 0.15:  # a camera with larger pixels
        coarse = round(side / rng.uniform(1.3, 3.0))
        small = cv2.resize(image, (coarse, coarse), interpolation=cv2.INTER_AREA)
        image = np.asarray(cv2.resize(small, (side, side)), dtype=np.float32)
    if rng.random() < 0.2:  # light from out of focus
        image = image + np.float32(rng.uniform(0.1, 0.8)) * _blur(image[::-1, ::-1], rng.uniform(6, 25))
    return image


def _vary_light(image: NDArray[np.float32], rng: Generator) -> NDArray[np.float32]:
    side = image.shape[0]
    if rng.random() < 0.25:
        image = image * (1 - np.float32(rng.uniform(0, 0.7)) * _ramp(side, rng))
    if rng.random() < 0.4:
        image = image + np.float32(rng.uniform(0, 0.35)) * _ramp(side, rng)
    if rng.random() < 0.1:  # overexposed
        image = np.minimum(image, np.float32(rng.uniform(0.5, 1.0)))
    gain = math.exp(rng.uniform(-1.0, 1.8) if rng.random() < 0.1 else rng.normal(0, 0.3))
    return image * np.float32(gain) + np.float32(rng.normal(0, 0.08))


def _add_noise(image: NDArray[np.float32], rng: Generator) -> NDArray[np.float32]:
    noise = rng.standard_normal(image.shape, dtype=np.float32)
    if rng.random() < 0.5:
        noise = 2.3 * _blur(noise, 0.8)
    # Shot noise: stronger where there is more light.
    return np.asarray(image + np.float32(rng.uniform(0.005, 0.12)) * noise * np.sqrt(0.3 + np.clip(image, 0, 2)))


def _blur(image: NDArray[np.float32], sd_px: float) -> NDArray[np.float32]:
    import cv2

    return np.asarray(cv2.GaussianBlur(np.ascontiguousarray(image), (0, 0), sd_px), dtype=np.float32)


def _add_specks(image: NDArray[np.float32], rng: Generator) -> NDArray[np.float32]:
    """Add small bright debris, which has no label."""
    y, x = np.mgrid[: image.shape[0], : image.shape[1]].astype(np.float32)
    for _ in range(rng.integers(1, 9)):
        centre_y, centre_x = rng.uniform(0, image.shape[0], 2)
        width = rng.uniform(0.6, 2.5)
        image = image + rng.uniform(0.3, 2) * np.exp(-((y - centre_y) ** 2 + (x - centre_x) ** 2) / (2 * width**2))
    return image.astype(np.float32)


def _ramp(side: int, rng: Generator) -> NDArray[np.float32]:
    """Return a background from 0 to 1 that rises across the crop and is slightly curved."""
    angle, bend = rng.uniform(0, 2 * math.pi), rng.uniform(-1, 1)
    y, x = np.mgrid[:side, :side] / side - 0.5
    along = x * math.cos(angle) + y * math.sin(angle)
    ramp = along + bend * (x**2 + y**2)
    ramp -= ramp.min()
    return np.asarray(ramp / ramp.max(), dtype=np.float32)
