"""Drawing nuclei: outlines, chromatin texture and masks of components, compiled.

Every pixel of a component is a pure function of the component and of the pixel's place. No stream of random numbers
runs through it, so a panorama drawn in strips of any height comes out the same.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from nnbook.io.compiled import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

MASK_MARGIN_PX: Final = 3.0
"""How far a truth mask extends beyond the half-maximum outline: as far as the soft edge does."""

OUTLINE_STEPS: Final = 256
NUCLEOLI: Final = 6
"""Points of an outline, and nucleoli that a component may have."""

COMPONENT: Final = np.dtype(
    [
        ("nucleus", np.int32),  # row in the table of nuclei; -1 is debris, which has no label
        ("x", np.float64),  # centre
        ("y", np.float64),
        ("cos", np.float64),  # of the angle from the x axis to the component's long axis
        ("sin", np.float64),
        ("bend", np.float64),  # curvature of the long axis in 1/px: how a plate becomes a crescent
        ("reach", np.float64),  # nothing is drawn farther than this from the centre
        ("level", np.float64),  # brightness relative to the nucleus's own
        ("edge", np.float64),  # half width of the soft edge
        ("halo", np.float64),  # light beside the outline, as a share of the light inside
        ("halo_px", np.float64),  # how far the halo extends
        ("lumps", np.float64),  # how far chromosome arms stand out from the outline
        ("fade", np.float64),  # place along the long axis from which the component is out of focus
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
"""One component. Lengths in px, angles in radians, counter-clockwise in (x, y)."""


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
def _depth(component: Any, along: float, across: float) -> float:
    """Return the distance inside the component's outline in px, to first order; negative outside."""
    radius = math.sqrt(along * along + across * across)
    at = math.atan2(across, along) * (OUTLINE_STEPS / (2 * math.pi))
    if at < 0:
        at += OUTLINE_STEPS
    step = int(at)
    part = at - step
    step %= OUTLINE_STEPS
    here, there = component.outline[step], component.outline[(step + 1) % OUTLINE_STEPS]
    edge = here + part * (there - here)
    tangent = (there - here) * (OUTLINE_STEPS / (2 * math.pi)) / edge
    return float((edge - radius) / math.sqrt(1 + tangent * tangent))


@compiled
def _brightness(component: Any, along: float, across: float, depth: float) -> float:
    """Return the component's brightness at a place, relative to the nucleus's own."""
    scale = component.scale
    x, y, blur = along / scale, across / scale, component.blur / scale
    light = 0.0
    if -depth < component.halo_px:
        near = min(1.0, 1 + depth / component.halo_px)
        light = component.halo * near * near * near * near
    # Edge: a cubic step is close to the integral of a confocal point spread, and ends.
    step = 0.5 + 0.5 * depth / component.edge
    lump = 0.0
    if component.lumps > 0 and depth > -component.edge - 2 * component.lumps:
        arms = gradient_noise((0.8 * x + 0.6 * y) / 13.0, (0.8 * y - 0.6 * x) / 13.0, component.noise + 6)
        finer = gradient_noise(x / 8.0, y / 8.0, component.noise + 7)
        fading = math.exp(-((blur / 8) ** 2))
        step += (arms + 0.25 * finer) * fading * component.lumps / component.edge
        lump = (arms + 0.8 * finer) * fading
    if step > 0:
        cover = 1.0 if step >= 1 else step * step * (3 - 2 * step)
        value = math.exp(0.76 * lump + _chromatin(component, x, y, blur, depth))
        if component.dome > 0:
            thin = max(0.0, 1 - depth / (26 * scale))
            value *= 1 - component.dome * thin * thin
        light = cover * value * _nucleoli(component, along, across, blur) + (1 - cover) * light
    if component.fade < np.inf:
        light *= 0.12 + 0.88 / (1 + math.exp((along - component.fade) / (4 * scale)))
    return float(component.level * light)


@compiled
def _chromatin(component: Any, x: float, y: float, blur: float, depth: float) -> float:
    """Return the logarithm of the chromatin's brightness at a place, which is in px at `PX_PER_UM`."""
    if component.chromatin <= 0 and component.threads <= 0:
        return 0.0
    scale, seed = component.scale, component.noise
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
    value = component.chromatin * (0.40 * coarse + 0.42 * middle + 0.58 * fine + 0.20 * grain + 0.3 * clump)
    if component.threads > 0:
        ridge = gradient_noise(tx / 8.0, ty / 8.0, seed + 5)
        value += component.threads * (0.35 - abs(ridge) * 1.6) * math.exp(-((blur / 6) ** 2))
    if component.rim > 0:
        under = (depth / scale - component.edge / scale - 1.0) / 3.5
        value += component.rim * (1 + 1.5 * middle) * math.exp(-0.5 * under * under - (blur / 5) ** 2)
    return float(value)


@compiled
def _nucleoli(component: Any, along: float, across: float, blur: float) -> float:
    """Return how bright the nucleoli leave a place, as a share."""
    x, y = along / component.scale, across / component.scale
    share = 1.0
    for slot in range(NUCLEOLI):
        size = component.nucleoli[slot, 2]
        if size > 0:
            du, dv = along - component.nucleoli[slot, 0], across - component.nucleoli[slot, 1]
            far = math.sqrt(du * du + dv * dv) / size
            if far < 2.6:
                far += 0.75 * gradient_noise(x / 13, y / 13, component.noise + 20 + slot)
                hole = 1 / (1 + math.exp((far - 1) * 5.5))
                dip = -component.nucleoli[slot, 3] * hole + 0.12 * math.exp(-(((far - 1.5) / 0.3) ** 2))
                share *= math.exp(dip * math.exp(-((blur / 9) ** 2)))
    return share


@compiled
def draw_components(  # noqa: PLR0917 - numba takes no keyword-only arguments
    signal: NDArray[np.float32],
    labels: NDArray[np.int32],
    depths: NDArray[np.float32],
    top: int,
    components: NDArray[Any],
    brightness: NDArray[np.float64],
) -> None:
    """Draw components into one strip of a panorama, in place.

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
    components : ndarray of COMPONENT
        Places in the panorama's px.
    brightness : float64, shape (n + 1,)
        Grey level of each nucleus; the last entry is for debris.
    """
    height, width = signal.shape
    for index in range(len(components)):
        component = components[index]
        first_y, last_y = (
            max(0, int(component.y - component.reach) - top),
            min(height - 1, int(component.y + component.reach) + 1 - top),
        )
        first_x, last_x = (
            max(0, int(component.x - component.reach)),
            min(width - 1, int(component.x + component.reach) + 1),
        )
        margin = MASK_MARGIN_PX * component.scale
        grey = brightness[component.nucleus]
        for row in range(first_y, last_y + 1):
            dy = row + top - component.y
            for column in range(first_x, last_x + 1):
                dx = column - component.x
                along = dx * component.cos + dy * component.sin
                across = dy * component.cos - dx * component.sin - component.bend * along * along
                depth = _depth(component, along, across)
                if depth > -component.halo_px or depth > -component.edge:
                    signal[row, column] += grey * _brightness(component, along, across, depth)
                if component.nucleus >= 0 and depth > -margin and depth > depths[row, column]:
                    depths[row, column] = depth
                    labels[row, column] = component.nucleus + 1


@compiled
def sample_components(
    components: NDArray[Any], width: int, height: int, stride: int, rim: float
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Sample the masks of components, widened by a rim, on a grid of the panorama.

    Returns
    -------
    nucleus : int32, shape (n,)
        Of each sample, the row of the table of nuclei.
    relative : float32, shape (n,)
        The brightness there, relative to the nucleus's own.
    """
    # Comprehensions over nothing give numba the types of empty lists.
    nuclei, relative = [np.int32(0) for _ in range(0)], [np.float32(0) for _ in range(0)]
    for index in range(len(components)):
        component = components[index]
        first_y, last_y = (
            max(0, int(component.y - component.reach)),
            min(height - 1, int(component.y + component.reach) + 1),
        )
        first_x, last_x = (
            max(0, int(component.x - component.reach)),
            min(width - 1, int(component.x + component.reach) + 1),
        )
        margin = (MASK_MARGIN_PX + rim) * component.scale
        for row in range(-(-first_y // stride) * stride, last_y + 1, stride):
            dy = row - component.y
            for column in range(-(-first_x // stride) * stride, last_x + 1, stride):
                dx = column - component.x
                along = dx * component.cos + dy * component.sin
                across = dy * component.cos - dx * component.sin - component.bend * along * along
                depth = _depth(component, along, across)
                if depth > -margin:
                    nuclei.append(np.int32(component.nucleus))
                    relative.append(np.float32(_brightness(component, along, across, depth)))
    return np.array(nuclei, dtype=np.int32), np.array(relative, dtype=np.float32)
