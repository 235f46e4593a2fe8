"""Drawing DAPI-stained nuclei: outlines, chromatin, mitotic figures, micronuclei and debris, one body at a time.

A *body* is one piece of chromatin with its own outline. An interphase nucleus is one body; an anaphase or telophase
pair and a nucleus with micronuclei are several that share a nucleus, hence a label. Every pixel of a body is a pure
function of the body and of the pixel's place, so a panorama drawn in strips of any height comes out the same.

Lengths are in px. They are made at `PX_PER_UM` and scaled to the panorama that is simulated.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

import numpy as np
from numba import njit

from nnbook.values.published import DIAMETER_PX, PX_PER_UM

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.random import Generator
    from numpy.typing import NDArray

Kernel = TypeVar("Kernel", bound="Callable[..., Any]")

MASK_MARGIN_PX: Final = 3.0
"""How far a truth mask reaches beyond the half-maximum outline: the published masks leave a rim of background."""

CLASSES: Final = ("interphase", "prophase", "metaphase", "anaphase", "telophase", "micronucleus")
"""What a nucleus of the truth table can be; `micronucleus` is an interphase nucleus with one or more micronuclei."""

MITOSES: Final = ("prophase", "metaphase", "anaphase", "telophase")

CLASS_SHARES: Final = (0.950, 0.008, 0.010, 0.005, 0.007, 0.020)
"""Share of each class: 3 % in mitosis, as in an asynchronous culture, and 2 % with micronuclei."""

OUTLINE_STEPS: Final = 256
NUCLEOLI: Final = 6

BODY: Final = np.dtype(
    [
        ("nucleus", np.int32),  # row in the table of nuclei; -1 is debris, which has no label
        ("x", np.float64),  # centre
        ("y", np.float64),
        ("cos", np.float64),  # of the angle from the x axis to the body's long axis
        ("sin", np.float64),
        ("bend", np.float64),  # curvature of the long axis in 1/px: how a plate becomes a crescent
        ("reach", np.float64),  # nothing is drawn farther than this from the centre
        ("level", np.float64),  # brightness relative to the nucleus's own
        ("edge", np.float64),  # half width of the soft edge
        ("blur", np.float64),  # standard deviation of the defocus that takes fine chromatin away
        ("scale", np.float64),  # px of this panorama a px at PX_PER_UM
        ("chromatin", np.float64),  # contrast of the chromatin, as a factor of log brightness
        ("threads", np.float64),  # contrast of condensed threads
        ("rim", np.float64),  # heterochromatin under the envelope
        ("dome", np.float64),  # how much thinner the nucleus is towards its edge
        ("noise", np.uint32),  # seed of its chromatin
        ("outline", np.float64, (OUTLINE_STEPS,)),  # half-maximum radius by angle from the long axis
        ("nucleoli", np.float64, (NUCLEOLI, 4)),  # place along and across, radius, depth; radius 0 is none
    ]
)
"""One body. Lengths in px, angles in radians, counter-clockwise in (x, y)."""

_ANGLES: Final = np.arange(OUTLINE_STEPS) * (2 * math.pi / OUTLINE_STEPS)
_DEBRIS: Final = -1


def compiled(kernel: Kernel) -> Kernel:
    """Compile a kernel to machine code when first called, keep the code on disk, and keep the kernel's type."""
    return cast("Kernel", njit(cache=True)(kernel))


def draw_class(rng: Generator) -> str:
    """Draw the class of a nucleus: one of `CLASSES`."""
    return CLASSES[int(rng.choice(len(CLASSES), p=CLASS_SHARES))]


def make_nucleus(
    kind: str, rng: Generator, *, scale: float, size: float, contrast: float
) -> tuple[NDArray[Any], dict[str, float]]:
    """Make the bodies of one nucleus about the origin.

    Parameters
    ----------
    kind : str
        One of `CLASSES`.
    rng : Generator
        The stream to draw from.
    scale : float
        Px of this panorama a px at `PX_PER_UM`.
    size : float
        The run's mean diameter relative to `DIAMETER_PX`.
    contrast : float
        The run's contrast of chromatin, 1 for the usual.

    Returns
    -------
    bodies : ndarray of BODY, shape (n,)
        With `nucleus` 0, to be set by the caller; the first body is the main one.
    facts : dict
        `dna_content` (1 for G1, 2 for G2 and mitosis), `defocus_um` and `offset`, the part of log brightness that does
        not come from the nucleus's own staining.
    """
    dna = _dna_content(rng) if kind in ("interphase", "micronucleus") else 2.0
    defocus_um = float(abs(rng.normal(0.0, 0.25)) + (rng.uniform(0.8, 2.5) if rng.random() < 0.06 else 0.0))
    makers = {"metaphase": _metaphase, "anaphase": _anaphase, "telophase": _telophase, "prophase": _prophase}
    parts = makers[kind](rng) if kind in makers else _interphase(rng, dna, size, contrast, kind == "micronucleus")
    bodies = np.array(parts, dtype=BODY)
    turn = rng.uniform(0, 2 * math.pi)
    _turn(bodies, turn)
    focus(bodies, defocus_um)
    bodies["noise"] = rng.integers(0, 2**32, len(bodies), dtype=np.uint32)
    resize(bodies, scale)
    offset = 0.35 * math.log(dna) - 0.30 * defocus_um
    return bodies, {"dna_content": dna, "defocus_um": defocus_um, "offset": offset}


def make_debris(rng: Generator, *, scale: float) -> NDArray[Any]:
    """Make one piece of debris about the origin: an apoptotic cluster, a speck, or a floating cell far out of focus.

    Returns
    -------
    ndarray of BODY, shape (n,)
        With `nucleus` -1: drawn, never labelled. Its levels are relative to the mean nucleus.
    """
    what = rng.random()
    parts = []
    if what < 0.15:
        for _ in range(int(rng.integers(3, 9))):
            radius = rng.lognormal(math.log(8.0), 0.5)
            part = _body(_outline(rng, radius, radius * rng.uniform(0.7, 1.0), 0.08), level=rng.uniform(1.5, 3.5))
            part["x"], part["y"] = rng.normal(0, 16, 2)
            part["edge"], part["dome"], part["chromatin"] = rng.uniform(4, 9), 0.5, 0.8
            parts.append(part)
    elif what < 0.85:
        for _ in range(1 + int(rng.poisson(2.5))):
            radius = rng.lognormal(math.log(2.6), 0.5)
            part = _body(_outline(rng, radius, radius * rng.uniform(0.4, 1.0), 0.2), level=rng.lognormal(-1.4, 0.8))
            part["x"], part["y"] = rng.normal(0, 40, 2)
            part["edge"] = rng.uniform(2.0, 4.0)
            parts.append(part)
    else:
        radius = rng.uniform(35, 75)
        part = _body(_outline(rng, radius, radius * rng.uniform(0.6, 1.0), 0.1), level=rng.uniform(0.06, 0.22))
        part["edge"], part["blur"], part["chromatin"] = radius * rng.uniform(0.5, 0.9), 12.0, 0.6
        parts.append(part)
    bodies = np.array(parts, dtype=BODY)
    bodies["nucleus"] = _DEBRIS
    _turn(bodies, rng.uniform(0, 2 * math.pi))
    bodies["noise"] = rng.integers(0, 2**32, len(bodies), dtype=np.uint32)
    resize(bodies, scale)
    return bodies


def resize(bodies: NDArray[Any], scale: float) -> None:
    """Scale bodies made at `PX_PER_UM` to the panorama's pixels, in place, and set their reach."""
    for length in ("x", "y", "edge", "blur", "outline"):
        bodies[length] *= scale
    bodies["nucleoli"][..., :3] *= scale
    bodies["bend"] /= scale
    bodies["scale"] = scale
    farthest = bodies["outline"].max(axis=1)
    bodies["reach"] = farthest + abs(bodies["bend"]) * farthest**2 + bodies["edge"] + MASK_MARGIN_PX * scale + 2


def focus(bodies: NDArray[Any], defocus_um: float) -> None:
    """Put bodies out of focus, in place: a softer edge and less fine chromatin."""
    blur_px = 0.9 * defocus_um * PX_PER_UM / 2
    bodies["blur"] = np.hypot(bodies["blur"], blur_px)
    bodies["edge"] = np.hypot(bodies["edge"], 1.8 * blur_px)


def outline_points(bodies: NDArray[Any], steps: int = 64) -> NDArray[np.float64]:
    """Return points on the outlines of all bodies, shape (bodies * steps, 2), columns x and y in px."""
    take = slice(None, None, OUTLINE_STEPS // steps)
    radius, angle = bodies["outline"][:, take], _ANGLES[take]
    along, across = radius * np.cos(angle), radius * np.sin(angle)
    across = across + bodies["bend"][:, None] * along**2
    cos, sin = bodies["cos"][:, None], bodies["sin"][:, None]
    x = bodies["x"][:, None] + along * cos - across * sin
    y = bodies["y"][:, None] + along * sin + across * cos
    return np.stack([x.ravel(), y.ravel()], axis=1)


def _dna_content(rng: Generator) -> float:
    """Draw the DNA content of a cycling cell: G1 55 %, S 20 % in between, G2 25 %."""
    phase = rng.random()
    return 1.0 if phase < 0.55 else float(rng.uniform(1, 2)) if phase < 0.75 else 2.0


def _body(outline: NDArray[np.float64], *, level: float) -> NDArray[Any]:
    body = np.zeros((), dtype=BODY)
    body["cos"], body["level"], body["edge"], body["outline"] = 1.0, level, 3.2, outline
    return body


def _outline(rng: Generator, long: float, short: float, rough: float) -> NDArray[np.float64]:
    """Draw an ellipse of the given half axes whose radius varies by `rough`, in the first seven Fourier orders."""
    radius = long * short / np.hypot(short * np.cos(_ANGLES), long * np.sin(_ANGLES))
    ripple = np.zeros(OUTLINE_STEPS)
    for order in range(2, 9):
        ripple += rng.normal(0, rough / (order - 1) ** 1.15) * np.cos(order * _ANGLES + rng.uniform(0, 2 * math.pi))
    return np.asarray(radius * np.exp(ripple))


def _dent(rng: Generator, outline: NDArray[np.float64], depth: float, width: float, at: float) -> NDArray[np.float64]:
    """Press a dent (or, of negative depth, a bleb) into an outline at an angle, as in a kidney-shaped nucleus."""
    away = np.angle(np.exp(1j * (_ANGLES - at)))
    return np.asarray(outline * (1 - depth * np.exp(-0.5 * (away / (width * rng.uniform(0.8, 1.2))) ** 2)))


def _interphase(rng: Generator, dna: float, size: float, contrast: float, micronuclei: bool) -> list[NDArray[Any]]:
    # Area grows with the DNA content; 0.15 centres it, so that the median stays at DIAMETER_PX.
    log_area = rng.normal(0, 0.24) + 0.8 * math.log(dna) - 0.15
    radius = DIAMETER_PX / 2 * size * math.exp(log_area / 2) - MASK_MARGIN_PX
    aspect = 1 + rng.gamma(3.0, 0.11)
    outline = _outline(rng, math.sqrt(aspect), 1 / math.sqrt(aspect), 0.05)
    shape = rng.random()
    if shape < 0.20:  # kidney: one dent on a long side
        outline = _dent(
            rng, outline, rng.uniform(0.12, 0.38), 0.42, math.pi / 2 * rng.choice([-1, 1]) + rng.normal(0, 0.4)
        )
    elif shape < 0.27:  # lobed
        for at in rng.uniform(0, 2 * math.pi, int(rng.integers(2, 4))):
            outline = _dent(rng, outline, rng.uniform(0.1, 0.28), 0.25, at)
    elif shape < 0.31:  # bleb
        outline = _dent(rng, outline, -rng.uniform(0.1, 0.22), 0.22, rng.uniform(0, 2 * math.pi))
    outline *= radius / math.sqrt(np.mean(outline**2))
    body = _body(outline, level=1.0)
    body["edge"] = rng.uniform(2.6, 4.4)
    body["chromatin"] = contrast * rng.lognormal(-0.1, 0.22)
    body["rim"] = rng.uniform(0.0, 0.32)
    body["dome"] = rng.uniform(0.05, 0.35)
    _add_nucleoli(rng, body, radius)
    parts = [body]
    if micronuclei:
        step = int(rng.integers(OUTLINE_STEPS))
        parts.append(_micronucleus(rng, outline, step))
        if rng.random() < 0.2:  # a second one, well away from the first
            step += int(rng.integers(OUTLINE_STEPS // 4, OUTLINE_STEPS * 3 // 4))
            parts.append(_micronucleus(rng, outline, step % OUTLINE_STEPS))
    return parts


def _add_nucleoli(rng: Generator, body: NDArray[Any], radius: float) -> None:
    count = min(1 + int(rng.binomial(5, 0.38)), NUCLEOLI)
    placed: list[tuple[float, float, float]] = []
    for slot in range(count):
        size = float(radius * rng.lognormal(math.log(0.14), 0.32))
        for _ in range(8):  # a nucleolus that finds no room is left out
            angle, out = rng.uniform(0, 2 * math.pi), 0.62 * math.sqrt(rng.random())
            r = out * np.interp(angle, _ANGLES, body["outline"], period=2 * math.pi)
            u, v = float(r * math.cos(angle)), float(r * math.sin(angle))
            if all(math.hypot(u - a, v - b) > 1.3 * (size + c) for a, b, c in placed):
                placed.append((u, v, size))
                body["nucleoli"][slot] = (u, v, size, rng.uniform(0.25, 1.15))
                break


def _micronucleus(rng: Generator, outline: NDArray[np.float64], step: int) -> NDArray[Any]:
    radius = rng.lognormal(math.log(10.0), 0.35)
    part = _body(_outline(rng, radius, radius * rng.uniform(0.8, 1.0), 0.03), level=rng.uniform(0.7, 1.2))
    # Two mask margins and a gap that no blur closes: the label must have two bodies.
    away = outline[step] + part["outline"].max() + 2 * MASK_MARGIN_PX + rng.uniform(5, 16)
    tangent = np.gradient(outline)[step] * OUTLINE_STEPS / (2 * math.pi)
    normal = _ANGLES[step] - math.atan2(tangent, outline[step])
    gap = away - outline[step]
    part["x"] = outline[step] * math.cos(_ANGLES[step]) + gap * math.cos(normal)
    part["y"] = outline[step] * math.sin(_ANGLES[step]) + gap * math.sin(normal)
    part["chromatin"], part["dome"] = 0.6, 0.3
    return part


def _prophase(rng: Generator) -> list[NDArray[Any]]:
    radius = DIAMETER_PX / 2 * rng.uniform(0.88, 1.05)
    aspect = rng.uniform(1.0, 1.25)
    body = _body(
        _outline(rng, radius * math.sqrt(aspect), radius / math.sqrt(aspect), 0.03), level=rng.uniform(1.2, 1.6)
    )
    body["chromatin"], body["threads"], body["dome"] = 0.7, rng.uniform(0.6, 1.0), 0.25
    return [body]


def _metaphase(rng: Generator) -> list[NDArray[Any]]:
    long, short = rng.uniform(54, 70), rng.uniform(14, 19)
    body = _body(_outline(rng, long, short, 0.10), level=rng.uniform(1.9, 2.6))
    body["bend"], body["chromatin"], body["threads"] = rng.normal(0, 0.0015), 0.45, 0.35
    return [body]


def _anaphase(rng: Generator) -> list[NDArray[Any]]:
    long, short = rng.uniform(40, 54), rng.uniform(11, 15)
    apart = 2 * short + rng.uniform(28, 62)
    bend = rng.normal(0.003, 0.003)
    return _pair(rng, long, short, apart, bend, level=rng.uniform(1.9, 2.6), rough=0.09)


def _telophase(rng: Generator) -> list[NDArray[Any]]:
    long, short = rng.uniform(38, 50), rng.uniform(19, 27)
    apart = 2 * short + rng.uniform(65, 130)
    return _pair(rng, long, short, apart, rng.normal(0.001, 0.003), level=rng.uniform(1.4, 2.0), rough=0.06)


def _pair(
    rng: Generator, long: float, short: float, apart: float, bend: float, *, level: float, rough: float
) -> list[NDArray[Any]]:
    """Make two sister bodies that face each other across the spindle's axis, each on its own side of it."""
    parts = []
    for side in (-1.0, 1.0):
        outline = _outline(rng, long * rng.uniform(0.92, 1.08), short * rng.uniform(0.9, 1.1), rough)
        part = _body(outline, level=level * rng.uniform(0.93, 1.07))
        part["y"], part["bend"] = side * apart / 2, -side * bend
        part["x"] = rng.normal(0, 4)
        tilt = rng.normal(0, 0.10)
        part["cos"], part["sin"] = math.cos(tilt), math.sin(tilt)
        part["chromatin"], part["threads"], part["dome"] = 0.45, 0.3, 0.15
        parts.append(part)
    return parts


def _turn(bodies: NDArray[Any], angle: float) -> None:
    cos, sin = math.cos(angle), math.sin(angle)
    x, y = bodies["x"].copy(), bodies["y"].copy()
    bodies["x"], bodies["y"] = x * cos - y * sin, x * sin + y * cos
    own_cos, own_sin = bodies["cos"].copy(), bodies["sin"].copy()
    bodies["cos"], bodies["sin"] = own_cos * cos - own_sin * sin, own_sin * cos + own_cos * sin


# ---- Kernels. Each pixel is a pure function of its place: no stream of random numbers runs through them. ----


@compiled
def scramble(a: int, b: int, seed: int) -> int:
    """Hash two coordinates and a seed to 32 well-mixed bits (the finaliser of MurmurHash3)."""
    h = np.uint32(a) * np.uint32(0x9E3779B1) ^ np.uint32(b) * np.uint32(0x85EBCA77) ^ np.uint32(seed)
    h = np.uint32(h ^ (h >> np.uint32(16))) * np.uint32(0x85EBCA6B)
    h = np.uint32(h ^ (np.uint32(h) >> np.uint32(13))) * np.uint32(0xC2B2AE35)
    return int(np.uint32(h ^ (np.uint32(h) >> np.uint32(16))))


@compiled
def gradient_noise(x: float, y: float, seed: int) -> float:
    """Return smooth noise with a period of about two units, mean 0 and standard deviation about 0.36 (Perlin 2002)."""
    fx, fy = math.floor(x), math.floor(y)
    u, v = x - fx, y - fy
    ix, iy = int(fx), int(fy)
    su, sv = u * u * u * (u * (u * 6 - 15) + 10), v * v * v * (v * (v * 6 - 15) + 10)
    a = _slope(scramble(ix, iy, seed), u, v)
    b = _slope(scramble(ix + 1, iy, seed), u - 1, v)
    c = _slope(scramble(ix, iy + 1, seed), u, v - 1)
    d = _slope(scramble(ix + 1, iy + 1, seed), u - 1, v - 1)
    return float(1.5 * (a + su * (b - a) + sv * (c - a + su * (a - b - c + d))))


@compiled
def _slope(bits: int, u: float, v: float) -> float:
    # Two uniform components from one hash: as good as a unit gradient here, and without a table.
    return ((bits & 0xFFFF) * (2.0 / 65535) - 1) * u + ((bits >> 16) * (2.0 / 65535) - 1) * v


@compiled
def _depth(body: Any, along: float, across: float) -> float:
    """Return the distance inside the body's outline in px, to first order; negative outside."""
    radius = math.sqrt(along * along + across * across)
    at = math.atan2(across, along) * (OUTLINE_STEPS / (2 * math.pi))
    if at < 0:
        at += OUTLINE_STEPS
    step = int(at)
    part = at - step
    step %= OUTLINE_STEPS
    here, there = body.outline[step], body.outline[(step + 1) % OUTLINE_STEPS]
    edge = here + part * (there - here)
    tangent = (there - here) * (OUTLINE_STEPS / (2 * math.pi)) / edge
    return float((edge - radius) / math.sqrt(1 + tangent * tangent))


@compiled
def _brightness(body: Any, along: float, across: float, depth: float) -> float:
    """Return the body's brightness at a place, relative to the nucleus's own."""
    # Edge: a cubic step is close to the integral of a confocal point spread, and ends.
    step = 0.5 + 0.5 * depth / body.edge
    if step <= 0:
        return 0.0
    cover = 1.0 if step >= 1 else step * step * (3 - 2 * step)
    scale, seed = body.scale, body.noise
    x, y, blur = along / scale, across / scale, body.blur / scale
    value = 0.0
    if body.chromatin > 0 or body.threads > 0:
        # Warped and turned so that no lattice shows; each octave fades as defocus blurs it.
        wx = x + 3.0 * gradient_noise(x / 30, y / 30, seed + 11)
        wy = y + 3.0 * gradient_noise(x / 30 + 7.7, y / 30 + 3.1, seed + 12)
        tx, ty = 0.8 * wx + 0.6 * wy, 0.8 * wy - 0.6 * wx
        coarse = gradient_noise(wx / 26, wy / 26, seed + 1) * math.exp(-((blur / 18) ** 2))
        middle = gradient_noise(tx / 12.0, ty / 12.0, seed + 2) * math.exp(-((blur / 9) ** 2))
        fading = math.exp(-((blur / 4.5) ** 2))
        fine = 0.0
        grain = 0.0
        if fading > 0.02:
            fine = gradient_noise(wx / 6.8, wy / 6.8, seed + 3) * fading
            grain = gradient_noise(tx / 3.8, ty / 3.8, seed + 4) * fading
        clump = max(0.0, middle + fine - 0.35)
        value += body.chromatin * (0.40 * coarse + 0.42 * middle + 0.58 * fine + 0.20 * grain + 0.3 * clump)
        if body.threads > 0:
            ridge = gradient_noise(tx / 8.0, ty / 8.0, seed + 5)
            value += body.threads * (0.35 - abs(ridge) * 1.6) * math.exp(-((blur / 6) ** 2))
        if body.rim > 0:
            under = (depth / scale - body.edge / scale - 1.0) / 3.5
            value += body.rim * (1 + 1.5 * middle) * math.exp(-0.5 * under * under - (blur / 5) ** 2)
    value = math.exp(value)
    if body.dome > 0:
        thin = max(0.0, 1 - depth / (26 * scale))
        value *= 1 - body.dome * thin * thin
    for slot in range(NUCLEOLI):
        size = body.nucleoli[slot, 2]
        if size > 0:
            du, dv = along - body.nucleoli[slot, 0], across - body.nucleoli[slot, 1]
            far = math.sqrt(du * du + dv * dv) / size
            if far < 2.6:
                far += 0.75 * gradient_noise(x / 13, y / 13, seed + 20 + slot)
                hole = 1 / (1 + math.exp((far - 1) * 5.5))
                dip = -body.nucleoli[slot, 3] * hole + 0.12 * math.exp(-(((far - 1.5) / 0.3) ** 2))
                value *= math.exp(dip * math.exp(-((blur / 9) ** 2)))
    return float(body.level * cover * value)


@compiled
def draw_bodies(  # noqa: PLR0917 - numba takes no keyword-only arguments
    signal: NDArray[np.float32],
    labels: NDArray[np.int32],
    depths: NDArray[np.float32],
    top: int,
    bodies: NDArray[Any],
    brightness: NDArray[np.float64],
) -> None:
    """Draw bodies into one strip of a panorama, in place.

    Parameters
    ----------
    signal : float32, axes (y, x)
        Grey levels are added to it.
    labels : int32, axes (y, x)
        Gets the nucleus's row number plus 1. Where nuclei overlap, a pixel goes to the one it is deepest inside of.
    depths : float32, axes (y, x)
        Distance inside the nucleus that a pixel belongs to, in px; below `-MASK_MARGIN_PX` at first.
    top : int
        The panorama's row that is the strip's first.
    bodies : ndarray of BODY
        Places in the panorama's px.
    brightness : float64, shape (n + 1,)
        Grey level of each nucleus; the last entry is for debris.
    """
    height, width = signal.shape
    for index in range(len(bodies)):
        body = bodies[index]
        first_y, last_y = max(0, int(body.y - body.reach) - top), min(height - 1, int(body.y + body.reach) + 1 - top)
        first_x, last_x = max(0, int(body.x - body.reach)), min(width - 1, int(body.x + body.reach) + 1)
        margin = MASK_MARGIN_PX * body.scale
        grey = brightness[body.nucleus]
        for row in range(first_y, last_y + 1):
            dy = row + top - body.y
            for column in range(first_x, last_x + 1):
                dx = column - body.x
                along = dx * body.cos + dy * body.sin
                across = dy * body.cos - dx * body.sin - body.bend * along * along
                depth = _depth(body, along, across)
                if depth > -body.edge:
                    signal[row, column] += grey * _brightness(body, along, across, depth)
                if body.nucleus >= 0 and depth > -margin and depth > depths[row, column]:
                    depths[row, column] = depth
                    labels[row, column] = body.nucleus + 1


@compiled
def sample_bodies(
    bodies: NDArray[Any], width: int, height: int, stride: int
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Sample the masks of bodies on a grid of the panorama: the nucleus, and the brightness there relative to its own.

    Returns
    -------
    nucleus : int32, shape (n,)
    relative : float32, shape (n,)
    """
    owners, values = [np.int32(0) for _ in range(0)], [np.float32(0) for _ in range(0)]
    for index in range(len(bodies)):
        body = bodies[index]
        first_y, last_y = max(0, int(body.y - body.reach)), min(height - 1, int(body.y + body.reach) + 1)
        first_x, last_x = max(0, int(body.x - body.reach)), min(width - 1, int(body.x + body.reach) + 1)
        margin = MASK_MARGIN_PX * body.scale
        for row in range(-(-first_y // stride) * stride, last_y + 1, stride):
            dy = row - body.y
            for column in range(-(-first_x // stride) * stride, last_x + 1, stride):
                dx = column - body.x
                along = dx * body.cos + dy * body.sin
                across = dy * body.cos - dx * body.sin - body.bend * along * along
                depth = _depth(body, along, across)
                if depth > -margin:
                    owners.append(np.int32(body.nucleus))
                    values.append(np.float32(_brightness(body, along, across, depth)))
    return np.array(owners, dtype=np.int32), np.array(values, dtype=np.float32)
