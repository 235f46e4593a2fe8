"""One nucleus, made and drawn in the middle of a small frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nnbook.simulation import nuclei, rendering

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIDE_PX = 420


def draw(
    components: NDArray[Any], top: int = 0, bottom: int = SIDE_PX
) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Draw one nucleus (or debris) in the middle of a frame: signal and labels of the rows asked for."""
    components = components.copy()
    components["x"] += SIDE_PX / 2
    components["y"] += SIDE_PX / 2
    signal = np.zeros((bottom - top, SIDE_PX), dtype=np.float32)
    labels = np.zeros(signal.shape, dtype=np.int32)
    rendering.draw_components(signal, labels, np.full_like(signal, -np.inf), top, components, np.array([100.0, 100.0]))
    return signal, labels


def make(kind: str, seed: int, scale: float = 1.0) -> NDArray[Any]:
    rng = np.random.default_rng(seed)
    return nuclei.make_nucleus(kind, rng, scale=scale, size=1.0, contrast=1.0)[0]
