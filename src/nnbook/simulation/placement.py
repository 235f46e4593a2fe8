"""Where nuclei and debris are: density, crowding, and which nuclei touch."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import pandas as pd

from nnbook.simulation import nuclei, rendering
from nnbook.simulation.rendering import compiled

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    from nnbook.simulation.population import ImagingConditions


CELL_PX: Final = 32
"""Pitch of the coarse maps of haze and density."""

TOUCHING_SHARE: Final = 0.045
"""Share of nuclei that are laid against another one; twice as many then touch."""

DEBRIS_PER_NUCLEUS: Final = 0.3


class Frame(NamedTuple):
    """A panorama's size in px, and its px a px at `PX_PER_UM`."""

    width: int
    height: int
    scale: float

    def coarse(self, pitch_px: float) -> tuple[int, int]:
        """Return the shape of a coarse map (y, x) of a pitch at `PX_PER_UM`, with room to interpolate and look over."""
        pitch = pitch_px * self.scale
        return int(self.height / pitch) + 5, int(self.width / pitch) + 5


class _Laid(NamedTuple):
    """The nuclei in place: points on their outlines about their centres, centres, and the points' largest distances."""

    points: list[NDArray[np.float64]]
    centres: NDArray[np.float64]
    reaches: NDArray[np.float64]

    def and_(self, outline: NDArray[np.float64], place: NDArray[np.float64]) -> _Laid:
        """Return these and one more."""
        reach = np.hypot(*outline.T).max()
        return _Laid([*self.points, outline], np.vstack([self.centres, place]), np.append(self.reaches, reach))


def place_nuclei(rng: Generator, conditions: ImagingConditions, frame: Frame) -> tuple[NDArray[Any], pd.DataFrame]:
    """Place nuclei: clustered, keeping apart, some laid against each other. Rows go from the top down."""
    expected = conditions.per_mpx * frame.width * frame.height / frame.scale**2 / 1e6
    count = int(expected) + int(rng.random() < expected % 1)
    crowding = _crowding(rng, frame)
    made: list[NDArray[Any]] = []
    facts: list[dict[str, Any]] = []
    laid = _Laid([], np.empty((0, 2)), np.empty(0))
    for _ in range(count):
        kind = nuclei.draw_class(rng)
        components, fact = nuclei.make_nucleus(
            kind, rng, scale=frame.scale, size=conditions.size, contrast=conditions.contrast
        )
        outline = nuclei.outline_points(components)
        against = rng.random() < TOUCHING_SHARE
        place = None
        if made and against and kind not in nuclei.MITOSES:  # a dividing cell rounds up and pushes others away
            place = _against(rng, outline, laid, frame)
        if place is None:
            place = _apart(rng, outline, laid, crowding, frame)
        components["x"] += place[0]
        components["y"] += place[1]
        made.append(components)
        laid = laid.and_(outline, place)
        cut = not _within(outline + place, frame)
        facts.append({"class": kind, "x": place[0], "y": place[1], "components": len(components), "cut": cut, **fact})
    order = np.argsort(laid.centres[:, 1], kind="stable")
    for row, index in enumerate(order):
        made[index]["nucleus"] = row
    columns = ["class", "x", "y", "components", "cut", "dna_content", "defocus_um", "offset"]
    from_top = [np.empty(0, dtype=rendering.COMPONENT), *(made[index] for index in order)]
    return np.concatenate(from_top), pd.DataFrame([facts[index] for index in order], columns=columns)


def _crowding(rng: Generator, frame: Frame) -> NDArray[np.float64]:
    """Return a coarse map of where cells settled, from 0 to 1: patches of about 2000 px."""
    smooth = smooth_noise(rng, frame, 4 * CELL_PX, 7.0)
    dense = np.exp(0.35 * smooth)
    return np.asarray(dense / dense.max())


def smooth_noise(rng: Generator, frame: Frame, pitch_px: float, sigma: float) -> NDArray[np.float64]:
    """Return a coarse map of smooth noise of mean 0 and variance 1, its pitch and its smoothness (in pitches) given."""
    noise = rng.standard_normal(frame.coarse(pitch_px))
    return blur(noise, sigma, "reflect") * (2 * sigma * math.sqrt(math.pi))


def blur(coarse: NDArray[np.float64], sigma: float, mode: str) -> NDArray[np.float64]:
    """Blur a coarse map with a Gaussian."""
    from skimage.filters import gaussian

    return np.asarray(gaussian(coarse, sigma, mode=mode))  # type: ignore[no-untyped-call]


def _apart(
    rng: Generator, outline: NDArray[np.float64], laid: _Laid, crowding: NDArray[np.float64], frame: Frame
) -> NDArray[np.float64]:
    """Find a place in sight of the frame where the nucleus touches no other, and seldom comes near one."""
    pitch = 4 * CELL_PX * frame.scale
    reach = np.hypot(*outline.T).max()
    place = np.zeros(2)
    for attempt in range(400):
        place = rng.uniform((-reach, -reach), (frame.width + reach, frame.height + reach))
        chance = rng.random(2)
        if not _in_sight(outline + place, frame):
            continue
        column, row = (np.maximum(place, 0) / pitch).astype(int)
        if attempt < 200 and chance[0] > crowding[row, column]:
            continue
        gap = _gap(outline, place, laid, 60 * frame.scale) / frame.scale
        # A soft core 25 px deep; on a crowded panorama it gives way, at last even to contact.
        if gap > 4 and (attempt > 200 or chance[1] < 1 - math.exp(-((gap / 25) ** 2))):
            break
    return place


def _against(rng: Generator, outline: NDArray[np.float64], laid: _Laid, frame: Frame) -> NDArray[np.float64] | None:
    """Find a place in contact with one other nucleus, or overlapping it a little, clear of all the rest."""
    for _ in range(12):
        other = int(rng.integers(len(laid.points)))
        angle = rng.uniform(0, 2 * math.pi)
        wanted = (-rng.uniform(8, 26) if rng.random() < 0.35 else rng.uniform(-4, 1)) * frame.scale
        line = np.array([math.cos(angle), math.sin(angle)])
        far = np.hypot(*outline.T).max() + laid.reaches[other]
        for _ in range(6):  # slide in along the line until the outlines are as far apart as wanted
            shift = far * line
            far += wanted - _clearance(outline + shift, laid.points[other], shift)
        place: NDArray[np.float64] = laid.centres[other] + far * line
        clear = _gap(outline, place, laid, 10 * frame.scale, but=other)
        if _in_sight(outline + place, frame) and clear > 6 * frame.scale:
            return place
    return None


def _in_sight(points: NDArray[np.float64], frame: Frame) -> bool:
    return bool(((points >= 0) & (points <= (frame.width - 1, frame.height - 1))).all(axis=1).any())


def _within(points: NDArray[np.float64], frame: Frame) -> bool:
    return bool(((points >= 0) & (points <= (frame.width - 1, frame.height - 1))).all())


def _gap(
    outline: NDArray[np.float64], place: NDArray[np.float64], laid: _Laid, enough: float, *, but: int = -1
) -> float:
    """Return the least distance from a nucleus's outline to the others' in px, `enough` where none is nearer.

    Where outlines overlap, minus how deep. One other, `but`, is left out.
    """
    least = enough
    apart = np.hypot(*(laid.centres - place).T) - laid.reaches - np.hypot(*outline.T).max()
    for index in np.flatnonzero(apart < enough):
        if index != but:
            shift = place - laid.centres[index]
            least = min(least, _clearance(outline + shift, laid.points[index], shift))
    return least


@compiled
def _clearance(a: NDArray[np.float64], b: NDArray[np.float64], shift: NDArray[np.float64]) -> float:
    """Return the distance between two sets of outline points; minus how deep where they overlap along `shift`."""
    best = np.inf
    for i in range(len(a)):
        for j in range(len(b)):
            dx, dy = a[i, 0] - b[j, 0], a[i, 1] - b[j, 1]
            best = min(best, dx * dx + dy * dy)
    length = math.hypot(shift[0], shift[1]) + 1e-9
    ux, uy = shift[0] / length, shift[1] / length
    # How far b has to be left behind along the line of centres before nothing of a lies beside it nearer.
    deepest = -np.inf
    for i in range(len(a)):
        along_a, across_a = a[i, 0] * ux + a[i, 1] * uy, a[i, 1] * ux - a[i, 0] * uy
        for j in range(len(b)):
            across_b = b[j, 1] * ux - b[j, 0] * uy
            if abs(across_a - across_b) < 4.0:
                deepest = max(deepest, b[j, 0] * ux + b[j, 1] * uy - along_a)
    return math.sqrt(best) if deepest < 0 else -deepest


def scatter_debris(rng: Generator, count: int, frame: Frame) -> NDArray[Any]:
    """Draw the debris of a panorama with so many nuclei, anywhere in the frame."""
    parts = [np.empty(0, dtype=rendering.COMPONENT)]
    for _ in range(int(rng.poisson(DEBRIS_PER_NUCLEUS * max(count, 1)))):
        components = nuclei.make_debris(rng, scale=frame.scale)
        components["x"] += rng.uniform(0, frame.width)
        components["y"] += rng.uniform(0, frame.height)
        parts.append(components)
    return np.concatenate(parts)
