"""The nuclei that the primer shows: squares of simulated panoramas at the network's scale, with their truth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import pandas as pd

from nnbook.io.images import read_image, read_mask
from nnbook.segmentation.scale import grey_range, rescale
from nnbook.simulation.truth import KINDS, read_truth

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nnbook.io.edition import Edition
    from nnbook.io.images import Labels

NUCLEUS_PX: Final = 48
"""Side of the square of one nucleus, in px of the network's scale: its pixels are large enough to be seen."""

CROWD_PX: Final = 96
"""Side of the square of nuclei that touch, in px of the network's scale."""

FIELD_PX: Final = 144
"""Side of the square that has room for all that one number deep in the network depends on."""

WHITE_PERCENTILE: Final = 99.7
"""The percentile of a square's grey levels that is shown as white."""

IN_FOCUS_UM: Final = 0.15
"""A nucleus is sharp where the focus is no further off."""


class Crop(NamedTuple):
    """A square of a panorama, brought to the network's scale.

    Attributes
    ----------
    panorama : str
        The panorama's name.
    grey : numpy.ndarray
        Axes (y, x), float32: grey levels with the panorama's 1st percentile at 0 and its 99th at 1, not clipped.
    true : Labels
        Axes (y, x), int32: the true nuclei, 0 for background.
    masks : Labels
        Axes (y, x), int32: the edition's masks.
    px_per_um : float
        Pixels of the square a micrometre.
    """

    panorama: str
    grey: NDArray[np.float32]
    true: Labels
    masks: Labels
    px_per_um: float

    @property
    def image(self) -> NDArray[np.uint8]:
        """The grey levels as they are shown, axes (y, x): 0 for black, 255 for the square's `WHITE_PERCENTILE`."""
        white = float(np.percentile(self.grey, WHITE_PERCENTILE))
        return np.rint(np.clip(255 * self.grey / white, 0, 255)).astype(np.uint8)


class Crops(NamedTuple):
    """The squares that the primer's figures show.

    Attributes
    ----------
    nucleus : Crop
        One nucleus in interphase, in focus and of middling brightness; side `NUCLEUS_PX`.
    crowd : Crop
        Nuclei that touch; side `CROWD_PX`.
    mitosis : Crop
        The same side; a cell in anaphase or telophase in its middle.
    dim : Crop
        The same side; a nucleus that is dim and out of focus in its middle.
    field : Crop
        The surroundings of the first; side `FIELD_PX`.
    """

    nucleus: Crop
    crowd: Crop
    mitosis: Crop
    dim: Crop
    field: Crop


def read_crops(edition: Edition, diameter_px: float, network_px: float) -> Crops | None:
    """Cut the nuclei of the primer out of an edition's panoramas.

    Nobody chose them: each is the first in the order of the manifest that fulfils its rule.

    Parameters
    ----------
    edition : Edition
        The edition.
    diameter_px : float
        Diameter of nuclei in its panoramas, in px.
    network_px : float
        Diameter of nuclei at the network's scale, in px.

    Returns
    -------
    Crops or None
        None where the edition has no truth, or lacks one of these nuclei.
    """
    panoramas = edition.panoramas()
    tables = [
        read_truth(path, tuple(KINDS)).assign(place=place)
        for place, panorama in enumerate(panoramas)
        if (path := edition.truth_path(panorama).with_suffix(".csv")).is_file()
    ]
    if not tables:
        return None
    table = pd.concat(tables, ignore_index=True)
    scale = diameter_px / network_px
    sizes = np.array([(panorama.width_px, panorama.height_px) for panorama in panoramas])[table["place"]]
    nearest_edge = np.minimum(table[["x_px", "y_px"]], sizes - table[["x_px", "y_px"]].to_numpy()).min(axis=1)
    table = table[(nearest_edge > scale * FIELD_PX / 2) & ~table["cut"]]
    table["neighbours"] = _touching_beside(table, scale * (CROWD_PX - network_px) / 2)
    plain = (table["class"] == "interphase") & ~table["touching"]
    low, middle, high = (table["brightness"].quantile(share) for share in (0.1, 0.4, 0.6))
    wanted = {
        "nucleus": plain & (table["defocus_um"] < IN_FOCUS_UM) & table["brightness"].between(middle, high),
        "crowd": table["neighbours"] == table["neighbours"].max(),
        "mitosis": table["class"].isin(["anaphase", "telophase"]),
        "dim": plain & (table["brightness"] < low) & (table["defocus_um"] > 8 * IN_FOCUS_UM),
    }
    if not all(rows.any() for rows in wanted.values()):
        return None
    crops = {}
    for name, rows in wanted.items():
        row = table[rows].iloc[0]
        panorama = panoramas[int(row["place"])]
        if name == "nucleus":
            crops["field"] = _cut_out(edition, panorama, row, FIELD_PX, scale)
        crops[name] = _cut_out(edition, panorama, row, NUCLEUS_PX if name == "nucleus" else CROWD_PX, scale)
    return Crops(**crops)


def _touching_beside(table: pd.DataFrame, half_px: float) -> pd.Series:
    """Count the touching nuclei of interphase that are whole in a square around each of them; 0 for all others."""
    counts = pd.Series(0, index=table.index)
    touching = table[table["touching"] & (table["class"] == "interphase")]
    for _, rows in touching.groupby("place"):
        places = rows[["x_px", "y_px"]].to_numpy()
        apart = np.abs(places[:, None] - places[None]).max(axis=2)
        counts[rows.index] = (apart < half_px).sum(axis=1)
    return counts


def _cut_out(edition: Edition, panorama: Any, row: Any, side: int, scale: float) -> Crop:
    image = read_image(edition.image_path(panorama))
    span = round(side * scale)
    top, left = (round(row[axis] - span / 2) for axis in ("y_px", "x_px"))
    box = np.s_[top : top + span, left : left + span]
    grey = rescale(image[box], (side, side), *grey_range(image))
    middles = ((np.arange(side) + 0.5) * span / side).astype(int)
    true, masks = (
        read_mask(path)[box][np.ix_(middles, middles)]
        for path in (edition.truth_path(panorama), edition.mask_path(panorama))
    )
    return Crop(panorama.panorama, grey, true, masks, panorama.px_per_um * side / span)


def renumbered(labels: Labels) -> NDArray[np.uint8]:
    """Return labels numbered from 1 without gaps, axes (y, x); at most 255 of them."""
    return np.searchsorted(np.union1d(np.unique(labels), [0]), labels).astype(np.uint8)
