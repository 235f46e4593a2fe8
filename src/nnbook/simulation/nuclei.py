"""Making DAPI-stained nuclei: outlines, chromatin, mitotic figures, micronuclei and debris.

A *component* is one piece of chromatin with its own outline. An interphase nucleus is one component; an anaphase or
telophase pair has two and a nucleus with micronuclei has several, under one label. Components are made here and drawn
by `nnbook.simulation.rendering`. Lengths are in px: made at `PX_PER_UM`, and scaled to the panorama that is simulated.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from nnbook.simulation.rendering import COMPONENT, MASK_MARGIN_PX, NUCLEOLI, OUTLINE_STEPS
from nnbook.values.published import DIAMETER_PX, MASK_RIM_PX, PX_PER_UM

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

CLASSES: Final = ("interphase", "prophase", "metaphase", "anaphase", "telophase", "micronucleus")
"""The classes of a nucleus in the truth table; `micronucleus` is an interphase nucleus with one or more micronuclei."""

MITOSES: Final = ("prophase", "metaphase", "anaphase", "telophase")

CLASS_SHARES: Final = (0.950, 0.008, 0.010, 0.005, 0.007, 0.020)
"""Share of each class: 3 % in mitosis, as in an asynchronous culture, and 2 % with micronuclei."""

NUCLEUS_DIAMETER_PX: Final = DIAMETER_PX - 2 * MASK_RIM_PX
"""Of the median nucleus, at half its maximum: a published mask has a rim round the nucleus."""

LOG_AREA_SD: Final = 0.22
"""Standard deviation of log area among nuclei of equal DNA content."""

HALO: Final = 0.13
HALO_PX: Final = 36.0
"""Light from out of focus beside a nucleus: its share of the light inside, and how far it extends. Published images of
dividing cells show it."""

DEBRIS: Final = -1
"""The number of a nucleus that components of debris have: they are drawn, and never labelled."""

_ANGLES: Final = np.arange(OUTLINE_STEPS) * (2 * math.pi / OUTLINE_STEPS)


def draw_class(rng: Generator) -> str:
    """Draw the class of a nucleus: one of `CLASSES`."""
    return CLASSES[int(rng.choice(len(CLASSES), p=CLASS_SHARES))]


def make_nucleus(
    kind: str, rng: Generator, *, scale: float, size: float, contrast: float
) -> tuple[NDArray[Any], dict[str, float]]:
    """Make the components of one nucleus about the origin.

    Parameters
    ----------
    kind : str
        One of `CLASSES`.
    rng : Generator
        The stream to draw from.
    scale : float
        Px of this panorama a px at `PX_PER_UM`.
    size : float
        The run's mean diameter relative to `NUCLEUS_DIAMETER_PX`.
    contrast : float
        The run's contrast of chromatin, 1 for the usual.

    Returns
    -------
    components : ndarray of COMPONENT, shape (n,)
        With `nucleus` 0, to be set by the caller; the first component is the main one.
    properties : dict
        `dna_content` (1 for G1, 2 for G2 and mitosis), `defocus_um` and `offset`, the part of log brightness that does
        not come from the nucleus's own staining.
    """
    dna = _dna_content(rng) if kind in ("interphase", "micronucleus") else 2.0
    defocus_um = float(abs(rng.normal(0.0, 0.25)) + (rng.uniform(0.8, 2.5) if rng.random() < 0.05 else 0.0))
    makers = {"metaphase": _metaphase, "anaphase": _anaphase, "telophase": _telophase, "prophase": _prophase}
    spread = rng.normal(0, LOG_AREA_SD)
    if kind in makers:
        defocus_um = min(defocus_um, 1.2)  # the masses are as thick as that
        made = makers[kind](rng)
    else:
        # Area grows with the DNA content; 0.15 centres it, so that the median stays at NUCLEUS_DIAMETER_PX.
        radius = NUCLEUS_DIAMETER_PX / 2 * size * math.exp((spread + 0.8 * math.log(dna) - 0.15) / 2)
        made = _interphase(rng, radius, contrast, kind == "micronucleus")
    components = np.array(made, dtype=COMPONENT)
    _rotate(components, rng.uniform(0, 2 * math.pi))
    defocus(components, defocus_um)
    components["halo"] *= rng.uniform(0.8, 1.2)
    components["noise"] = rng.integers(0, 2**32, len(components), dtype=np.uint32)
    resize(components, scale)
    # What DNA there is, is spread over the area: a nucleus that is larger for its DNA content is dimmer.
    dense = 0.0 if kind in MITOSES else 0.2 * math.log(dna) - 0.6 * spread
    offset = dense - 0.25 * defocus_um
    return components, {"dna_content": dna, "defocus_um": defocus_um, "offset": offset}


def make_debris(rng: Generator, *, scale: float) -> NDArray[Any]:
    """Make one piece of debris about the origin: an apoptotic cluster, specks, or a floating cell far out of focus.

    Returns
    -------
    ndarray of COMPONENT, shape (n,)
        With `nucleus` set to `DEBRIS`. Levels are relative to the median nucleus.
    """
    kind = rng.random()
    made = []
    if kind < 0.15:  # an apoptotic cluster
        for _ in range(int(rng.integers(3, 9))):
            radius = rng.lognormal(math.log(8.0), 0.5)
            outline = _outline(rng, radius, radius * rng.uniform(0.7, 1.0), 0.08)
            component = _component(outline, level=rng.uniform(1.0, 2.2))
            component["x"], component["y"] = rng.normal(0, 16, 2)
            component["edge"], component["dome"], component["chromatin"] = rng.uniform(4, 9), 0.5, 0.8
            made.append(component)
    elif kind < 0.85:  # specks
        for _ in range(1 + int(rng.poisson(2.5))):
            radius = rng.lognormal(math.log(2.6), 0.5)
            outline = _outline(rng, radius, radius * rng.uniform(0.4, 1.0), 0.2)
            component = _component(outline, level=rng.lognormal(-1.4, 0.8))
            component["x"], component["y"] = rng.normal(0, 40, 2)
            component["edge"] = rng.uniform(2.0, 4.0)
            made.append(component)
    else:  # a floating cell
        radius = rng.uniform(35, 75)
        outline = _outline(rng, radius, radius * rng.uniform(0.6, 1.0), 0.1)
        component = _component(outline, level=rng.uniform(0.04, 0.14))
        component["edge"], component["blur"], component["chromatin"] = radius * rng.uniform(0.5, 0.9), 12.0, 0.6
        made.append(component)
    components = np.array(made, dtype=COMPONENT)
    components["nucleus"] = DEBRIS
    _rotate(components, rng.uniform(0, 2 * math.pi))
    components["noise"] = rng.integers(0, 2**32, len(components), dtype=np.uint32)
    resize(components, scale)
    return components


def resize(components: NDArray[Any], scale: float) -> None:
    """Scale components made at `PX_PER_UM` to the panorama's pixels, in place, and set their `reach`."""
    for length in ("x", "y", "edge", "halo_px", "lumps", "fade", "blur", "outline"):
        components[length] *= scale
    components["nucleoli"][..., :3] *= scale
    components["bend"] /= scale
    components["scale"] = scale
    farthest = components["outline"].max(axis=1)
    beside = np.maximum(components["halo_px"], components["edge"] + 2 * components["lumps"] + MASK_MARGIN_PX * scale)
    components["reach"] = farthest + abs(components["bend"]) * farthest**2 + beside + 2


def defocus(components: NDArray[Any], defocus_um: float) -> None:
    """Put components out of focus, in place: a softer edge and less fine chromatin."""
    blur_px = 0.9 * defocus_um * PX_PER_UM / 2
    components["blur"] = np.hypot(components["blur"], blur_px)
    components["edge"] = np.hypot(components["edge"], 1.8 * blur_px)


def outline_points(components: NDArray[Any], steps: int = 64) -> NDArray[np.float64]:
    """Return points on the outlines of all components, shape (components * steps, 2), columns x and y in px."""
    every = OUTLINE_STEPS // steps
    radius, angle = components["outline"][:, ::every], _ANGLES[::every]
    along, across = radius * np.cos(angle), radius * np.sin(angle)
    across = across + components["bend"][:, None] * along**2
    cos, sin = components["cos"][:, None], components["sin"][:, None]
    x = components["x"][:, None] + along * cos - across * sin
    y = components["y"][:, None] + along * sin + across * cos
    return np.stack([x.ravel(), y.ravel()], axis=1)


def _dna_content(rng: Generator) -> float:
    """Draw the DNA content of a cycling cell: 1 in G1 (55 %), between 1 and 2 in S (20 %), 2 in G2 (25 %)."""
    phase = rng.random()
    return 1.0 if phase < 0.55 else float(rng.uniform(1, 2)) if phase < 0.75 else 2.0


def _component(outline: NDArray[np.float64], *, level: float) -> NDArray[Any]:
    component = np.zeros((), dtype=COMPONENT)
    component["cos"], component["level"], component["edge"], component["outline"] = 1.0, level, 3.2, outline
    component["halo"] = HALO * min(1.0, math.sqrt(np.mean(outline**2)) / 25)  # of a small body, little light spreads
    component["halo_px"], component["fade"] = HALO_PX, np.inf
    return component


def _outline(rng: Generator, long: float, short: float, roughness: float) -> NDArray[np.float64]:
    """Draw an ellipse of the given half axes whose radius varies by `roughness`, in Fourier orders 2 to 8."""
    radius = long * short / np.hypot(short * np.cos(_ANGLES), long * np.sin(_ANGLES))
    ripple = np.zeros(OUTLINE_STEPS)
    for order in range(2, 9):
        ripple += rng.normal(0, roughness / (order - 1) ** 1.15) * np.cos(order * _ANGLES + rng.uniform(0, 2 * math.pi))
    return np.asarray(radius * np.exp(ripple))


def _dented(
    rng: Generator, outline: NDArray[np.float64], depth: float, width: float, angle: float
) -> NDArray[np.float64]:
    """Return an outline with a dent (of negative depth: a bleb) at an angle, as in a kidney-shaped nucleus."""
    offset = np.angle(np.exp(1j * (_ANGLES - angle)))
    return np.asarray(outline * (1 - depth * np.exp(-0.5 * (offset / (width * rng.uniform(0.8, 1.2))) ** 2)))


def _interphase(rng: Generator, radius: float, contrast: float, micronuclei: bool) -> list[NDArray[Any]]:
    aspect = 1 + rng.gamma(3.0, 0.11)
    outline = _outline(rng, math.sqrt(aspect), 1 / math.sqrt(aspect), 0.05)
    shape = rng.random()
    if shape < 0.20:  # kidney: one dent on a long side
        outline = _dented(
            rng, outline, rng.uniform(0.12, 0.38), 0.42, math.pi / 2 * rng.choice([-1, 1]) + rng.normal(0, 0.4)
        )
    elif shape < 0.27:  # lobed
        for angle in rng.uniform(0, 2 * math.pi, int(rng.integers(2, 4))):
            outline = _dented(rng, outline, rng.uniform(0.1, 0.28), 0.25, angle)
    elif shape < 0.31:  # bleb
        outline = _dented(rng, outline, -rng.uniform(0.1, 0.22), 0.22, rng.uniform(0, 2 * math.pi))
    outline *= radius / math.sqrt(np.mean(outline**2))
    component = _component(outline, level=1.0)
    component["edge"] = rng.uniform(2.6, 4.4)
    component["chromatin"] = contrast * rng.lognormal(-0.18, 0.22)
    component["rim"] = rng.uniform(0.0, 0.22)
    component["dome"] = rng.uniform(0.05, 0.35)
    _add_nucleoli(rng, component, radius)
    made = [component]
    if micronuclei:
        step = int(rng.integers(OUTLINE_STEPS))
        made.append(_micronucleus(rng, outline, step))
        if rng.random() < 0.2:  # a second one, well away from the first
            step += int(rng.integers(OUTLINE_STEPS // 4, OUTLINE_STEPS * 3 // 4))
            made.append(_micronucleus(rng, outline, step % OUTLINE_STEPS))
    return made


def _add_nucleoli(rng: Generator, component: NDArray[Any], radius: float) -> None:
    count = min(1 + int(rng.binomial(5, 0.38)), NUCLEOLI)
    placed: list[tuple[float, float, float]] = []
    for slot in range(count):
        size = float(radius * rng.lognormal(math.log(0.14), 0.32))
        for _ in range(8):  # a nucleolus that finds no room is left out
            angle, share = rng.uniform(0, 2 * math.pi), 0.62 * math.sqrt(rng.random())
            r = share * np.interp(angle, _ANGLES, component["outline"], period=2 * math.pi)
            u, v = float(r * math.cos(angle)), float(r * math.sin(angle))
            if all(math.hypot(u - a, v - b) > 1.3 * (size + c) for a, b, c in placed):
                placed.append((u, v, size))
                component["nucleoli"][slot] = (u, v, size, rng.uniform(0.25, 1.15))
                break


def _micronucleus(rng: Generator, outline: NDArray[np.float64], step: int) -> NDArray[Any]:
    """Make a micronucleus beside a nucleus, off the point of its outline at an angular step."""
    radius = rng.lognormal(math.log(10.0), 0.35)
    component = _component(_outline(rng, radius, radius * rng.uniform(0.8, 1.0), 0.03), level=rng.uniform(0.7, 1.2))
    # Two mask margins and a gap that no blur closes: the label must have two components.
    distance = outline[step] + component["outline"].max() + 2 * MASK_MARGIN_PX + rng.uniform(5, 16)
    tangent = np.gradient(outline)[step] * OUTLINE_STEPS / (2 * math.pi)
    normal = _ANGLES[step] - math.atan2(tangent, outline[step])
    gap = distance - outline[step]
    component["x"] = outline[step] * math.cos(_ANGLES[step]) + gap * math.cos(normal)
    component["y"] = outline[step] * math.sin(_ANGLES[step]) + gap * math.sin(normal)
    component["chromatin"], component["dome"] = 0.6, 0.3
    return component


def _prophase(rng: Generator) -> list[NDArray[Any]]:
    radius = NUCLEUS_DIAMETER_PX / 2 * rng.uniform(1.0, 1.2)
    aspect = rng.uniform(1.0, 1.25)
    component = _component(
        _outline(rng, radius * math.sqrt(aspect), radius / math.sqrt(aspect), 0.03), level=rng.uniform(1.2, 1.6)
    )
    component["chromatin"], component["threads"], component["dome"] = 0.7, rng.uniform(0.3, 0.55), 0.25
    return [component]


def _metaphase(rng: Generator) -> list[NDArray[Any]]:
    component = _chromosomes(rng, rng.uniform(50, 66), rng.uniform(14, 19), level=rng.uniform(1.2, 1.6))
    component["bend"] = rng.normal(0, 0.0015)
    return [component]


def _anaphase(rng: Generator) -> list[NDArray[Any]]:
    long, short = rng.uniform(42, 53), rng.uniform(16, 23)
    distance = 2 * short + rng.uniform(22, 46)
    return _chromosome_masses(
        rng, long, short, distance, bend=rng.normal(0.002, 0.002), unlike=0.15, level=rng.uniform(1.45, 1.9)
    )


def _telophase(rng: Generator) -> list[NDArray[Any]]:
    long, short = rng.uniform(27.4, 37.2), rng.uniform(9.5, 14)
    distance = 2 * short + rng.uniform(75, 150)
    return _chromosome_masses(
        rng, long, short, distance, bend=rng.normal(0.001, 0.002), unlike=0.4, level=rng.uniform(1.86, 2.52)
    )


def _chromosome_masses(
    rng: Generator, long: float, short: float, distance: float, *, bend: float, unlike: float, level: float
) -> list[NDArray[Any]]:
    """Make the two chromosome masses of a dividing nucleus, which face each other across the spindle's equator.

    They are copies of each other, but not in the focal plane: in a share `unlike` of cells part of one is out of focus.
    """
    made = []
    for side in (-1.0, 1.0):
        component = _chromosomes(
            rng, long * rng.uniform(0.9, 1.05), short * rng.uniform(0.86, 1.08), level=level * rng.uniform(0.92, 1.08)
        )
        component["y"], component["bend"] = side * distance / 2, -side * bend
        component["x"] = rng.normal(0, 5)
        tilt = rng.normal(0, 0.10)
        component["cos"], component["sin"] = math.cos(tilt), math.sin(tilt)
        made.append(component)
    if rng.random() < unlike:
        made[int(rng.integers(2))]["fade"] = rng.uniform(-0.5, 0.4) * long
    return made


def _chromosomes(rng: Generator, long: float, short: float, *, level: float) -> NDArray[Any]:
    """Make a mass of condensed chromosomes: arms stand out from it, and show in it as lumps."""
    component = _component(_outline(rng, long, short, 0.10), level=level)
    component["edge"], component["lumps"] = 0.4 * short, rng.uniform(0.26, 0.38) * short
    component["blur"] = 3.6
    component["chromatin"], component["threads"], component["dome"] = 0.6, 0.1, 0.25
    return component


def _rotate(components: NDArray[Any], angle: float) -> None:
    cos, sin = math.cos(angle), math.sin(angle)
    x, y = components["x"].copy(), components["y"].copy()
    components["x"], components["y"] = x * cos - y * sin, x * sin + y * cos
    own_cos, own_sin = components["cos"].copy(), components["sin"].copy()
    components["cos"], components["sin"] = own_cos * cos - own_sin * sin, own_sin * cos + own_cos * sin
