"""The style of the book's figures, and the pictures that notebooks write and show."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypedDict

import font_source_sans_pro
import matplotlib as mpl
import numpy as np
from matplotlib import font_manager
from matplotlib.figure import Figure
from PIL import Image as PillowImage

from nnbook.io.files import atomic_write

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nnbook.io.paths import PathLike


VERMILION: Final = "#d55e00"
SKY_BLUE: Final = "#56b4e9"
BLUE: Final = "#0072b2"
"""Okabe and Ito's colours, which colour-blind readers can distinguish: vermilion for masks and for what a figure is
about, sky blue for the truth on images, blue for a second curve on white."""

NEUTRAL: Final = "#7a7a7a"
"""A grey with a contrast of at least 4 to 1 on white and on near black: interactive figures are shown on both."""

NOTE_GREY: Final = "#444444"
"""The colour of notes and notices on static figures, whose ground is white."""

for font in ("SourceSansPro", "SourceSansProBold", "SourceSansProIt"):
    font_manager.fontManager.addfont(font_source_sans_pro.font_files_ttf[font])

STYLE: Final = mpl.RcParams(
    {
        "font.family": ["Source Sans Pro", "DejaVu Sans"],
        "mathtext.fontset": "custom",
        "mathtext.rm": "Source Sans Pro",
        "mathtext.it": "Source Sans Pro:italic",
        "mathtext.bf": "Source Sans Pro:bold",
        "mathtext.cal": "Source Sans Pro:italic",
        "mathtext.sf": "Source Sans Pro",
        "mathtext.tt": "Source Sans Pro",
        "figure.dpi": 240,
        "figure.figsize": (6.0, 4.8),
        "font.size": 12,
        "axes.labelsize": 12,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "xtick.labelsize": 11,
        "ytick.labelsize": 11,
        "savefig.facecolor": "auto",
    }
)
"""The style of all static figures: 12 pt at 6 inches is legible on a phone and in print."""

SHEET_STYLE: Final = mpl.RcParams(
    dict(STYLE)
    | {
        "figure.facecolor": "#14171c",
        "axes.facecolor": "#14171c",
        **dict.fromkeys(
            ("text.color", "axes.labelcolor", "axes.edgecolor", "axes.titlecolor", "xtick.color", "ytick.color"),
            "#e6e8ec",
        ),
    }
)
"""The style of sheets of images, whose ground is nearly as dark as the images are, in every look of a page."""

PIXEL_STYLE: Final = mpl.RcParams({**SHEET_STYLE, "image.interpolation": "nearest"})
"""The same for images of few pixels: enlarged, they stay what they are, and files stay small."""

LEVELS: Final = np.rint(255 * (np.arange(32) / 31) ** 1.25).astype(np.uint8)
"""The levels that each channel of a picture has: 5 grey levels or less from any other, and closer together in the dark,
where most nuclei are. Noise that nobody sees would otherwise make up half of a file that is committed."""


@dataclass(frozen=True)
class Notice:
    """A sentence in place of a figure or table that this edition cannot show."""

    text: str

    def _repr_html_(self) -> str:
        return f"<p><em>{escape(self.text)}</em></p>"

    def __repr__(self) -> str:
        return self.text


class Link(TypedDict):
    """A part of a picture that leads somewhere.

    Attributes
    ----------
    box : list of float
        Left, top, width and height, as shares of the picture's.
    url : str
        Where it leads: a page of the book with a fragment, such as `/nucleusnet#fig1a&roi=12`.
    name : str
        What there is to see, for who does not see the picture.
    """

    box: list[float]
    url: str
    name: str


@dataclass(frozen=True, repr=False)
class Picture:
    """A PNG file's bytes, the text for readers who do not see it, whether it is a plot on white, and its links.

    A page shows a plot in the width of its text, whose type is then as large as the plot's, and turns it dark in its
    dark look.
    """

    png: bytes
    alt: str
    plot: bool = True
    links: tuple[Link, ...] = ()

    def __repr__(self) -> str:
        return self.alt  # a page takes an output's plain text for its alternative text

    def _repr_png_(self) -> tuple[bytes, dict[str, object]]:
        return self.png, {"alt": self.alt, "plot": self.plot} | ({"links": list(self.links)} if self.links else {})


def picture(figure: Figure, path: PathLike, alt: str) -> Picture:
    """Write a static figure as a small PNG file, and return it as the picture that a notebook shows.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        The figure. Axes that have a URL become links of the picture, named by their label.
    path : str or Path
        Where the static stand-in goes.
    alt : str
        What it shows, for readers who do not see it.

    Returns
    -------
    Picture
    """
    path = Path(path)
    drawn, small = BytesIO(), BytesIO()
    with mpl.rc_context(STYLE):
        figure.savefig(drawn, format="png", dpi=STYLE["figure.dpi"])
    with PillowImage.open(drawn) as image:
        with_palette(image).save(small, format="PNG", optimize=True, dpi=(STYLE["figure.dpi"],) * 2)
    with atomic_write(path) as written:
        written.write_bytes(small.getvalue())
    return Picture(small.getvalue(), alt, plot=figure.get_facecolor() == (1, 1, 1, 1), links=tuple(_links(figure)))


def _links(figure: Figure) -> Iterator[Link]:
    """Yield the links of a figure that has been drawn, whose axes are in their places."""
    for axes in figure.axes:
        if (url := axes.get_url()) is not None:
            place = axes.get_position()
            box = [round(share, 4) for share in (place.x0, 1 - place.y1, place.width, place.height)]
            yield Link(box=box, url=url, name=str(axes.get_label()))


def with_palette(image: PillowImage.Image) -> PillowImage.Image:
    """Reduce an image to `LEVELS`, and to a palette of at most 256 colours.

    The levels are the same for all images, so that two that are nearly equal stay so: a palette alone is fitted to each
    image, and its rare colours may differ much where little of the image does.

    Parameters
    ----------
    image : PIL.Image.Image
        Any image; what is transparent is drawn as its colour.

    Returns
    -------
    PIL.Image.Image
        An image with a palette.
    """
    nearest = np.abs(np.arange(256)[:, np.newaxis] - LEVELS.astype(int)).argmin(axis=1)
    reduced = PillowImage.fromarray(LEVELS[nearest][np.asarray(image.convert("RGB"))])
    # Means of the pixels of each colour, not the middles of boxes of colours: outlines keep their own.
    return reduced.quantize(256, dither=PillowImage.Dither.NONE, kmeans=1)


def no_figure(path: Path) -> Picture:
    """Write a notice in place of a figure that the edition has no data for.

    Parameters
    ----------
    path : Path
        Where the static stand-in goes.

    Returns
    -------
    Picture
    """
    return picture(notice_figure("There is no such figure here."), path, "A notice that there is no figure.")


def notice_figure(text: str) -> Figure:
    """Return a figure that says in words why there is nothing to draw.

    Parameters
    ----------
    text : str
        Why.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = Figure(figsize=(6.0, 1.6))
    figure.text(0.5, 0.5, text, ha="center", va="center", wrap=True, color=NOTE_GREY)
    return figure
