"""A view of a panorama as a picture, made in Python as the browser would show it: no browser has to be open."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import pandas as pd
from PIL import Image as Picture
from PIL import ImageDraw, ImageFont

from nnbook.viewers.palette import COLOURS, colour_index, colour_neighbours, rgb

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nnbook.viewers.traits import View

OUTLINE: Final = 2.2
"""Width of an outline in px of a picture that is `PLAIN_PX` wide; wider pictures have wider ones."""

PLAIN_PX: Final = 800
SQUARE: Final = 3
"""From so many px a px of the panorama on, these are drawn as squares."""

FINER: Final = 2
"""Masks are drawn so many times finer, and averaged: their edges are smooth."""

CLEAR: Final = (0, 0, 0, 0)
WHITE: Final = (255, 255, 255, 255)
SHADOW: Final = (0, 0, 0, 0xD0)


class Part(NamedTuple):
    """Pixels of a panorama: the first one's corner is at `left`, `top`, each is `step` wide, in px of the panorama."""

    pixels: NDArray[Any]
    left: int
    top: int
    step: int


class Box(NamedTuple):
    """A rectangle in px of a panorama, with the first pixel's corner at 0."""

    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True)
class Overlay:
    """Masks over an image: with a colour they all have it, otherwise neighbours differ."""

    part: Part
    style: str
    opacity: float
    overview: NDArray[Any] | None
    chosen: int | None = None
    colour: str | None = None


@dataclass(frozen=True)
class Shown:
    """What a picture is made of.

    Attributes
    ----------
    size : (int, int)
        Width and height of the panorama in px.
    part : Part
        The grey levels (uint8) or colours of what is drawn.
    table : numpy.ndarray or None
        The colour of each grey level; None where the pixels are colours.
    overlays : list of Overlay
        From below.
    px_per_um : float or None
    """

    size: tuple[int, int]
    part: Part
    table: NDArray[np.uint8] | None
    overlays: list[Overlay] = field(default_factory=list)
    px_per_um: float | None = None


def box_of(view: View, size: tuple[int, int], width: int, height: int | None) -> tuple[Box, int]:
    """Return what part of a panorama a picture shows, and the picture's height in px.

    Parameters
    ----------
    view : list of float, or None
        Centre and width, in px of the panorama; None is all of it.
    size : (int, int)
        Width and height of the panorama in px.
    width : int
        Of the picture, in px.
    height : int, optional
        Of the picture, in px; by default the panorama's proportions.
    """
    across, down = size
    tall = height or max(1, round(width * down / across))
    seen = view[2] if view else max(across, down * width / tall)
    x, y = (view[0], view[1]) if view else (across / 2, down / 2)
    half, half_height = seen / 2, seen / 2 * tall / width
    return Box(x - half, y - half_height, x + half, y + half_height), tall


def draw(shown: Shown, box: Box, width: int, height: int) -> Picture.Image:
    """Draw a part of a panorama with its masks and its scale bar.

    Parameters
    ----------
    shown : Shown
        Image and masks.
    box : Box
        The part.
    width, height : int
        Of the picture, in px.

    Returns
    -------
    PIL.Image.Image
        RGB. Black beside the panorama.
    """
    picture = _image(shown, box, width, height)
    for overlay in shown.overlays:
        picture = Picture.alpha_composite(picture, _masks(overlay, shown.size, box, width, height))
    picture = picture.convert("RGB")
    if shown.px_per_um is not None:
        _scale_bar(picture, shown.px_per_um * width / (box.right - box.left))
    return picture


def _image(shown: Shown, box: Box, width: int, height: int) -> Picture.Image:
    scale = width / (box.right - box.left)
    across, down = shown.size
    # Whole pixels of the picture that are on the panorama.
    left, right = max(0, math.ceil(-box.left * scale)), min(width, math.floor((across - box.left) * scale + 1e-6))
    top, bottom = max(0, math.ceil(-box.top * scale)), min(height, math.floor((down - box.top) * scale + 1e-6))
    picture = Picture.new("RGBA", (width, height), (0, 0, 0, 255))
    if right <= left or bottom <= top:
        return picture
    inside = Box(
        *(
            box.left + at / scale if n % 2 == 0 else box.top + at / scale
            for n, at in enumerate((left, top, right, bottom))
        )
    )
    part = shown.part
    rows, columns = part.pixels.shape[:2]
    window = (
        max(0.0, (inside.left - part.left) / part.step),
        max(0.0, (inside.top - part.top) / part.step),
        min(float(columns), (inside.right - part.left) / part.step),
        min(float(rows), (inside.bottom - part.top) / part.step),
    )
    how = Picture.Resampling.NEAREST if scale * part.step >= SQUARE else Picture.Resampling.BILINEAR
    pixels = Picture.fromarray(part.pixels).resize((right - left, bottom - top), how, window)
    colours = np.asarray(pixels) if shown.table is None else shown.table[np.asarray(pixels)]
    picture.paste(Picture.fromarray(colours), (left, top))
    return picture


def _masks(overlay: Overlay, size: tuple[int, int], box: Box, width: int, height: int) -> Picture.Image:
    labels, inside = _sampled(overlay.part, size, box, (width * FINER, height * FINER))
    inks, colours = (COLOURS, _colours(overlay, labels)) if overlay.colour is None else ([overlay.colour], labels * 0)
    stroke = max(1, round(OUTLINE * max(1.0, width / PLAIN_PX) * FINER))
    painted = inside & (labels > 0)
    if overlay.style == "off":
        painted[:] = False
    elif overlay.style == "outline":
        painted &= _edge(labels, stroke)
    alpha = round(255 * overlay.opacity)
    pens = [*((*rgb(ink), alpha) for ink in inks), CLEAR, WHITE, SHADOW]
    clear, white, shadow = range(len(inks), len(pens))
    drawn = np.where(painted, colours, clear).astype(np.uint8)
    if overlay.chosen is not None:
        chosen = labels == overlay.chosen
        drawn[_near(chosen, stroke) & ~chosen & inside] = shadow
        drawn[chosen & _edge(labels, stroke) & inside] = white
    return Picture.fromarray(np.array(pens, np.uint8)[drawn], "RGBA").reduce(FINER)


def _colours(overlay: Overlay, labels: NDArray[Any]) -> NDArray[np.uint8]:
    """Return the place in `COLOURS` of every label."""
    near = {} if overlay.overview is None else colour_neighbours(overlay.overview)
    table: NDArray[np.uint8] = np.zeros(int(labels.max()) + 1, np.uint8)
    for label in pd.unique(labels.ravel()).tolist():
        table[label] = near.get(label, colour_index(label))
    return np.take(table, labels)


def _sampled(
    part: Part, size: tuple[int, int], box: Box, shape: tuple[int, int]
) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Return the label at the middle of every pixel of a picture, and which of these are on the panorama.

    Labels go on beyond the panorama as at its border, so that no outline is drawn there.
    """
    width, height = shape
    scale = width / (box.right - box.left)
    places = []
    for first, start, most, count, length in (
        (box.top, part.top, size[1], height, part.pixels.shape[0]),
        (box.left, part.left, size[0], width, part.pixels.shape[1]),
    ):
        pixel = np.floor(first + (np.arange(count) + 0.5) / scale)
        # A level of labels keeps every `step`th pixel, the first included: the nearest one kept is found by rounding.
        at = np.floor((pixel - start) / part.step + 0.5).clip(0, length - 1).astype(np.intp)
        places.append((at, (pixel >= 0) & (pixel < most)))
    (rows, in_rows), (columns, in_columns) = places
    return part.pixels[np.ix_(rows, columns)], np.outer(in_rows, in_columns)


def _edge(labels: NDArray[Any], stroke: int) -> NDArray[np.bool_]:
    """Return which pixels of nuclei are within a stroke of another label."""
    edge = np.zeros(labels.shape, bool)
    edge[stroke:] |= labels[stroke:] != labels[:-stroke]
    edge[:-stroke] |= labels[:-stroke] != labels[stroke:]
    edge[:, stroke:] |= labels[:, stroke:] != labels[:, :-stroke]
    edge[:, :-stroke] |= labels[:, :-stroke] != labels[:, stroke:]
    return edge


def _near(mask: NDArray[np.bool_], stroke: int) -> NDArray[np.bool_]:
    near = mask.copy()
    near[stroke:] |= mask[:-stroke]
    near[:-stroke] |= mask[stroke:]
    near[:, stroke:] |= mask[:, :-stroke]
    near[:, :-stroke] |= mask[:, stroke:]
    return near


def scale_length(px_per_um: float, most: float) -> tuple[float, str]:
    """Return a length in um for a scale bar of at most so many px, 1, 2 or 5 times a power of ten, and its text."""
    longest = most / px_per_um
    power = 10.0 ** math.floor(math.log10(longest))
    length = power * next((step for step in (5, 2, 1) if step * power <= longest * (1 + 1e-9)), 1)
    value, unit = (length / 1000, "mm") if length >= 1000 else (length * 1000, "nm") if length < 1 else (length, "µm")
    return length, f"{value:.3g} {unit}"


def _scale_bar(picture: Picture.Image, px_per_um: float) -> None:
    ratio = max(1.0, picture.width / PLAIN_PX)
    length, text = scale_length(px_per_um, min(160 * ratio, picture.width * 0.3))
    pen = ImageDraw.Draw(picture)
    left, bottom, across = 14 * ratio, picture.height - 14 * ratio, length * px_per_um
    pen.rectangle([left - ratio, bottom - 5 * ratio, left + across + ratio, bottom + ratio], fill="black")
    pen.rectangle([left, bottom - 4 * ratio, left + across, bottom], fill="white")
    font = ImageFont.load_default(13 * ratio)
    # Pillow's own type has no micro sign: a u with a descender is one.
    plain = text.replace("µ", "u")
    middle, base = left + across / 2, bottom - 9 * ratio
    start = middle - pen.textlength(plain, font) / 2
    halo = max(1, round(ratio))
    if "µ" in text:
        at = start + pen.textlength(plain[: text.index("µ")], font) + ratio * 0.8
        stem = [at, base - 6 * ratio, at + 1.2 * ratio, base + 2.6 * ratio]
        pen.rectangle([stem[0] - halo, stem[1], stem[2] + halo, stem[3] + halo], fill="black")
    pen.text((start, base), plain, "white", font, "ls", stroke_width=halo, stroke_fill="black")
    if "µ" in text:
        pen.rectangle(stem, fill="white")
