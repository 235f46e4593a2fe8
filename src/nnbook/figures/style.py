"""The book's figures and tables: each function takes a table or arrays and returns something that a notebook shows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from html import escape
from io import BytesIO
from textwrap import wrap
from typing import TYPE_CHECKING, Final

import matplotlib as mpl
import matplotlib.ticker
from matplotlib.figure import Figure
from PIL import Image as PillowImage

from nnbook.io.files import atomic_write

if TYPE_CHECKING:
    from pathlib import Path


VERMILION: Final = "#d55e00"
"""One of Okabe and Ito's colours: told apart from grey levels, and from viridis by its brightness, by every reader."""

NEUTRAL: Final = "#7a7a7a"
"""A grey that keeps a contrast of 4 to 1 and more on white and on near black: interactive figures show on both."""

STYLE: Final = mpl.RcParams(
    {
        "figure.dpi": 240,
        "figure.figsize": (6.0, 4.8),
        "font.size": 12,
        "axes.labelsize": 12,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "xtick.labelsize": 11,
        "ytick.labelsize": 11,
        "savefig.facecolor": "white",
    }
)
"""The look of all static figures: 12 pt at 6 inches is read on a phone and in print."""


@dataclass(frozen=True)
class Notice:
    """A sentence in place of a figure or table that this edition cannot show."""

    text: str

    def _repr_html_(self) -> str:
        return f"<p><em>{escape(self.text)}</em></p>"

    def __repr__(self) -> str:
        return self.text


@dataclass(frozen=True, repr=False)
class Picture:
    """A PNG file's bytes and the text for readers who do not see it."""

    png: bytes
    alt: str

    def __repr__(self) -> str:
        return self.alt  # a page takes an output's plain text for its alternative text

    def _repr_png_(self) -> tuple[bytes, dict[str, str]]:
        return self.png, {"alt": self.alt}


def picture(figure: Figure, path: Path, alt: str) -> Picture:
    """Write a static figure as a PNG file, in one step, and return it as the picture that a notebook shows.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        The figure.
    path : Path
        Where the static stand-in goes.
    alt : str
        What it shows, for readers who do not see it.

    Returns
    -------
    Picture
    """
    drawn = BytesIO()
    with mpl.rc_context(STYLE):
        figure.savefig(drawn, format="png", dpi=STYLE["figure.dpi"])
    # 256 colours are enough for a grey image with one colour on it or one colour map, at a third of the size.
    small = BytesIO()
    with PillowImage.open(drawn) as image:
        image.convert("RGB").quantize(256, dither=PillowImage.Dither.NONE).save(
            small, format="PNG", optimize=True, dpi=(STYLE["figure.dpi"],) * 2
        )
    with atomic_write(path) as written:
        written.write_bytes(small.getvalue())
    return Picture(small.getvalue(), alt)


def no_figure(path: Path, note: str) -> Picture:
    """Write a stand-in for a figure that an edition has nothing to draw from: a notice, with the edition's note."""
    return picture(notice_figure(f"There is no such figure here.\n{note}"), path, "A notice that there is no figure.")


def titled(figure: Figure, note: str, width: int) -> None:
    """Set the edition's note above a static figure, broken into lines of so many characters."""
    if note:
        figure.suptitle(wrapped(note, width=width), fontsize=10, x=0.01, ha="left", color="#444444")


def wrapped(note: str, by: str = "\n", width: int = 58) -> str:
    """Break a note into lines that fit a phone."""
    return by.join(wrap(note, width))


def panorama_of(image: str) -> str:
    """Return a panorama's name from its image's file name."""
    return image.removesuffix(".tif").removesuffix(".tiff").removesuffix(".png")


def round_length(most_um: float) -> float:
    """Return the largest of 1, 2, 5, 10, 20, 50 ... that is not above a length."""
    power = 10.0 ** math.floor(math.log10(most_um))
    return next(factor * power for factor in (5, 2, 1) if factor * power <= most_um)


def notice_figure(text: str) -> Figure:
    """Return a figure that says in words why there is nothing to draw."""
    figure = Figure(figsize=(6.0, 1.6))
    figure.text(0.5, 0.5, text, ha="center", va="center", wrap=True, color="#444444")
    return figure
