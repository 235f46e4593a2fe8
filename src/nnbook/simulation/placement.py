"""Where nuclei and debris are: density, crowding, and which nuclei touch."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import pandas as pd

from nnbook.io.compiled import compiled
from nnbook.simulation import nuclei
from nnbook.simulation.grid import GRID_PX, smooth_noise
from nnbook.simulation.rendering import COMPONENT

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    from nnbook.simulation.grid import Frame
    from nnbook.simulation.population import ImagingConditions

DENSITY_PX: Final = 4 * GRID_PX
"""Pitch of the map of density, in px at `PX_PER_UM`."""

CONTACT_SHARE: Final = 0.045
"""Share of nuclei that are placed in contact with another one; twice as many then touch."""

DEBRIS_PER_NUCLEUS: Final = 0.3


class _PlacedNuclei(NamedTuple):
    """Nuclei with a place: points on their outlines about their centres, centres, and the points' largest distances."""

    outlines: list[NDArray[np.float64]]
    centres: NDArray[np.float64]
    radii: NDArray[np.float64]

    def plus(self, outline: NDArray[np.float64], centre: NDArray[np.float64]) -> _PlacedNuclei:
        """Return these and one more."""
        radius = np.hypot(*outline.T).max()
        return _PlacedNuclei(
            [*self.outlines, outline], np.vstack([self.centres, centre]), np.append(self.radii, radius)
        )


def place_nuclei(rng: Generator, conditions: ImagingConditions, frame: Frame) -> tuple[NDArray[Any], pd.DataFrame]:
    """Make the nuclei of a panorama and place them: clustered, most of them apart, some in contact.

    Parameters
    ----------
    rng : Generator
        The stream to draw from.
    conditions : ImagingConditions
        How many nuclei there are, how large, and of which contrast.
    frame : Frame
        The panorama.

    Returns
    -------
    components : ndarray of COMPONENT, shape (n,)
        Those of all nuclei; `nucleus` is a row of the table.
    table : DataFrame
        A row a nucleus, from the top down: `class`, the centre `x` and `y` in px, `components` (how many), `cut`
        (whether its outline leaves the frame), `dna_content`, `defocus_um` and `offset` (see `make_nucleus`).
    """
    expected = conditions.per_mpx * frame.width * frame.height / frame.scale**2 / 1e6
    count = int(expected) + int(rng.random() < expected % 1)
    density = _density(rng, frame)
    made: list[NDArray[Any]] = []
    rows: list[dict[str, Any]] = []
    placed = _PlacedNuclei([], np.empty((0, 2)), np.empty(0))
    for _ in range(count):
        kind = nuclei.draw_class(rng)
        components, properties = nuclei.make_nucleus(
            kind, rng, scale=frame.scale, size=conditions.size, contrast=conditions.contrast
        )
        outline = nuclei.outline_points(components)
        in_contact = rng.random() < CONTACT_SHARE
        centre = None
        if made and in_contact and kind not in nuclei.MITOSES:  # a dividing cell rounds up and pushes others away
            centre = _place_in_contact(rng, outline, placed, frame)
        if centre is None:
            centre = _place_apart(rng, outline, placed, density, frame)
        components["x"] += centre[0]
        components["y"] += centre[1]
        made.append(components)
        placed = placed.plus(outline, centre)
        cut = not _inside_frame(outline + centre, frame).all()
        rows.append(
            {"class": kind, "x": centre[0], "y": centre[1], "components": len(components), "cut": cut, **properties}
        )
    order = np.argsort(placed.centres[:, 1], kind="stable")
    for row, index in enumerate(order):
        made[index]["nucleus"] = row
    columns = ["class", "x", "y", "components", "cut", "dna_content", "defocus_um", "offset"]
    from_top = [np.empty(0, dtype=COMPONENT), *(made[index] for index in order)]
    return np.concatenate(from_top), pd.DataFrame([rows[index] for index in order], columns=columns)


def scatter_debris(rng: Generator, count: int, frame: Frame) -> NDArray[Any]:
    """Draw the debris of a panorama with so many nuclei, anywhere in the frame."""
    debris = [np.empty(0, dtype=COMPONENT)]
    for _ in range(int(rng.poisson(DEBRIS_PER_NUCLEUS * max(count, 1)))):
        components = nuclei.make_debris(rng, scale=frame.scale)
        components["x"] += rng.uniform(0, frame.width)
        components["y"] += rng.uniform(0, frame.height)
        debris.append(components)
    return np.concatenate(debris)


def _density(rng: Generator, frame: Frame) -> NDArray[np.float64]:
    """Return a coarse map of how densely cells settled, from 0 to 1: patches of about 2000 px."""
    density = np.exp(0.35 * smooth_noise(rng, frame, DENSITY_PX, 7.0))
    return np.asarray(density / density.max())


def _place_apart(
    rng: Generator, outline: NDArray[np.float64], placed: _PlacedNuclei, density: NDArray[np.float64], frame: Frame
) -> NDArray[np.float64]:
    """Find a centre where part of the nucleus is in the frame and it touches no other, and seldom comes near one."""
    pitch = DENSITY_PX * frame.scale
    radius = np.hypot(*outline.T).max()
    centre = np.zeros(2)
    for attempt in range(400):
        centre = rng.uniform((-radius, -radius), (frame.width + radius, frame.height + radius))
        chance = rng.random(2)
        if not _inside_frame(outline + centre, frame).any():
            continue
        column, row = (np.maximum(centre, 0) / pitch).astype(int)
        if attempt < 200 and chance[0] > density[row, column]:
            continue
        gap = _gap(outline, centre, placed, 60 * frame.scale) / frame.scale
        # A soft core 25 px deep; on a crowded panorama it gives way, at last even to contact.
        if gap > 4 and (attempt > 200 or chance[1] < 1 - math.exp(-((gap / 25) ** 2))):
            break
    return centre


def _place_in_contact(
    rng: Generator, outline: NDArray[np.float64], placed: _PlacedNuclei, frame: Frame
) -> NDArray[np.float64] | None:
    """Find a centre where the nucleus touches one other or overlaps it a little, and is clear of all the rest."""
    for _ in range(12):
        other = int(rng.integers(len(placed.outlines)))
        angle = rng.uniform(0, 2 * math.pi)
        wanted = (-rng.uniform(8, 26) if rng.random() < 0.35 else rng.uniform(-4, 1)) * frame.scale
        direction = np.array([math.cos(angle), math.sin(angle)])
        distance = np.hypot(*outline.T).max() + placed.radii[other]
        for _ in range(6):  # move along the line until the outlines are as far apart as wanted
            shift = distance * direction
            distance += wanted - _outline_gap(outline + shift, placed.outlines[other], shift)
        centre: NDArray[np.float64] = placed.centres[other] + distance * direction
        gap = _gap(outline, centre, placed, 10 * frame.scale, skipped=other)
        if _inside_frame(outline + centre, frame).any() and gap > 6 * frame.scale:
            return centre
    return None


def _inside_frame(points: NDArray[np.float64], frame: Frame) -> NDArray[np.bool_]:
    return np.asarray(((points >= 0) & (points <= (frame.width - 1, frame.height - 1))).all(axis=1))


def _gap(
    outline: NDArray[np.float64],
    centre: NDArray[np.float64],
    placed: _PlacedNuclei,
    farthest: float,
    *,
    skipped: int = -1,
) -> float:
    """Return the least distance in px from a nucleus's outline to the others', or `farthest` where none is nearer.

    Where outlines overlap it is negative, by how deep they do. The nucleus `skipped` is left out.
    """
    least = farthest
    at_least = np.hypot(*(placed.centres - centre).T) - placed.radii - np.hypot(*outline.T).max()
    for index in np.flatnonzero(at_least < farthest):
        if index != skipped:
            shift = centre - placed.centres[index]
            least = min(least, _outline_gap(outline + shift, placed.outlines[index], shift))
    return least


@compiled
def _outline_gap(a: NDArray[np.float64], b: NDArray[np.float64], shift: NDArray[np.float64]) -> float:
    """Return the distance between two sets of outline points; minus how deep where they overlap along `shift`."""
    best = np.inf
    for i in range(len(a)):
        for j in range(len(b)):
            dx, dy = a[i, 0] - b[j, 0], a[i, 1] - b[j, 1]
            best = min(best, dx * dx + dy * dy)
    length = math.hypot(shift[0], shift[1]) + 1e-9
    ux, uy = shift[0] / length, shift[1] / length
    # How far a would have to move along the line of centres for no point of it to be behind a point of b beside it.
    deepest = -np.inf
    for i in range(len(a)):
        along_a, across_a = a[i, 0] * ux + a[i, 1] * uy, a[i, 1] * ux - a[i, 0] * uy
        for j in range(len(b)):
            across_b = b[j, 1] * ux - b[j, 0] * uy
            if abs(across_a - across_b) < 4.0:
                deepest = max(deepest, b[j, 0] * ux + b[j, 1] * uy - along_a)
    return math.sqrt(best) if deepest < 0 else -deepest
