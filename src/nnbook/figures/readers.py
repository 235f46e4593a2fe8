"""What figures show, read from the files of an edition or of a model: the figures themselves open no files."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import pandas as pd

from nnbook.errors import NnbookError
from nnbook.figures.realism import SEPARATIONS, describe_nuclei
from nnbook.io.images import read_image, read_mask
from nnbook.io.tables import read_table
from nnbook.simulation.truth import KINDS, read_truth

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from nnbook.io.edition import Edition
    from nnbook.io.images import Image, Labels
    from nnbook.io.manifest import Panorama
    from nnbook.io.paths import PathLike

PANEL_PX: Final = 560
"""Panoramas on a contact sheet are reduced to at most this side."""

CASE_SIDE_UM: Final = 46.0
"""Side of the square that a hard case is shown in: it has room for two nuclei."""


INTERPHASE_NUCLEI: Final = 8
"""So many nuclei of a panorama are measured to compare them with published ones."""


class Panel(NamedTuple):
    """A panorama reduced to the size of a contact sheet.

    Attributes
    ----------
    name : str
        The panorama's name.
    image : numpy.ndarray
        Axes (y, x), float32, mean grey level of each block of pixels.
    labels : Labels
        Axes (y, x), int32, the label in the middle of each block.
    px_per_um : float
        Pixels of the reduced image a micrometre.
    """

    name: str
    image: NDArray[np.float32]
    labels: Labels
    px_per_um: float


class Case(NamedTuple):
    """A hard case, cut out of a panorama.

    Attributes
    ----------
    title : str
        What is hard about it.
    image : Image
        Axes (y, x), grey levels.
    masks, true : Labels
        Axes (y, x): the edition's masks, and the true ones.
    px_per_um : float
        Pixels a micrometre.
    """

    title: str
    image: Image
    masks: Labels
    true: Labels
    px_per_um: float


def panorama_name(image: str) -> str:
    """Return a panorama's name from the file name of its image.

    Parameters
    ----------
    image : str
        The file name; a name without its ending is returned as it is.

    Returns
    -------
    str
    """
    return image.removesuffix(".tif").removesuffix(".tiff").removesuffix(".png")


def read_panels(edition: Edition, names: Sequence[str], side_px: int = PANEL_PX) -> list[Panel]:
    """Read panoramas and their masks, reduced to the size of a contact sheet.

    Parameters
    ----------
    edition : Edition
        The edition.
    names : sequence of str
        Which panoramas, in the order wanted: their names or the file names of their images.
    side_px : int, optional
        The longest side of a reduced image, in px.

    Returns
    -------
    list of Panel
        One for each name, in the order of `names`; none where the edition has no images.

    Raises
    ------
    NnbookError
        Where a name is not in the manifest, or the size of a mask differs from that of its image.
    """
    known = {panorama.panorama: panorama for panorama in edition.panoramas()}
    if not known:
        return []
    panels = []
    for name in map(panorama_name, names):
        if name not in known:
            raise NnbookError(f"{edition.manifest}: has no panorama {name}, but the results do; measure again")
        path = edition.image_path(known[name])
        image, labels = read_image(path), read_mask(edition.mask_path(known[name]))
        if image.shape != labels.shape:
            raise NnbookError(f"{path}: has another size than its mask; segment it again")
        step = math.ceil(max(image.shape) / side_px)
        panels.append(
            Panel(name, _block_means(image, step), _block_middles(labels, step), known[name].px_per_um / step)
        )
    return panels


def read_cases(edition: Edition) -> list[Case]:
    """Find the first nucleus of each kind of hard case in an edition that has the truth, and cut it out.

    Parameters
    ----------
    edition : Edition
        The edition. The first nucleus is that of the first panorama in its manifest that has one.

    Returns
    -------
    list of Case
        Empty where the edition has no truth. A case that doesn't occur is left out.
    """
    panoramas = edition.panoramas()
    tables = [
        read_truth(path, tuple(KINDS)).assign(place=place)
        for place, panorama in enumerate(panoramas)
        if (path := edition.truth_path(panorama).with_suffix(".csv")).is_file()
    ]
    if not tables:
        return []
    table = pd.concat(tables, ignore_index=True)
    half = round(CASE_SIDE_UM * panoramas[0].px_per_um / 2)
    sizes = np.array([(panorama.width_px, panorama.height_px) for panorama in panoramas])[table["place"]]
    inside = (np.minimum(table["x_px"], sizes[:, 0] - table["x_px"]) > half) & (
        np.minimum(table["y_px"], sizes[:, 1] - table["y_px"]) > half
    )
    table = table[inside & ~table["cut"]]
    plain = (table["class"] == "interphase") & ~table["touching"]
    dim = table["brightness"] < table["brightness"].quantile(0.04)
    wanted = {
        "Touching": (table["class"] == "interphase") & table["touching"],
        "Anaphase": table["class"] == "anaphase",
        "Telophase": table["class"] == "telophase",
        "Micronuclei": table["class"] == "micronucleus",
        "Metaphase": table["class"] == "metaphase",
        "Prophase": table["class"] == "prophase",
        "Dim": plain & dim,
        "Out of focus": plain & (table["defocus_um"] > 1.2),
    }
    cases = []
    for title, rows in wanted.items():
        if rows.any():
            row = table[rows].iloc[0]
            cases.append(_cut_out(edition, panoramas[int(row["place"])], row, title, half))
    return cases


def read_appearance(edition: Edition) -> pd.DataFrame:
    """Measure dividing cells of a simulated edition, and of each panorama some nuclei in interphase.

    Parameters
    ----------
    edition : Edition
        The edition. Panoramas without a dividing cell are not opened.

    Returns
    -------
    pandas.DataFrame
        See `nnbook.figures.realism.describe_nuclei`; empty where the edition has no truth.
    """
    tables = []
    for panorama in edition.panoramas():
        path = edition.truth_path(panorama)
        truth = pd.read_csv(path.with_suffix(".csv")) if path.is_file() else pd.DataFrame({"class": []})
        dividing = truth["class"].isin(list(SEPARATIONS))
        if dividing.any():
            interphase = truth[~truth["cut"] & (truth["class"] == "interphase")].head(INTERPHASE_NUCLEI)
            chosen = pd.concat([truth[dividing], interphase])
            tables.append(describe_nuclei(read_image(edition.image_path(panorama)), read_mask(path), chosen))
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()


def _cut_out(edition: Edition, panorama: Panorama, row: Any, title: str, half: int) -> Case:
    y, x = round(row["y_px"]), round(row["x_px"])
    box = slice(y - half, y + half), slice(x - half, x + half)
    return Case(
        title,
        read_image(edition.image_path(panorama))[box],
        read_mask(edition.mask_path(panorama))[box],
        read_mask(edition.truth_path(panorama))[box],
        panorama.px_per_um,
    )


def read_history(path: PathLike) -> pd.DataFrame:
    """Read the losses and learning rates that `nnbook train` writes beside a model.

    Parameters
    ----------
    path : str or Path
        The table, such as `models/NAME.history.csv`.

    Returns
    -------
    pandas.DataFrame

    Raises
    ------
    NnbookError
        Where there is no such file, or it is damaged.
    """
    path = Path(path)
    if not path.is_file():
        raise NnbookError(f"{path}: no history of the training here; nnbook train writes it beside the model")
    columns = ("training_loss", "validation_loss", "learning_rate")
    return read_table(path, {"step": int, **dict.fromkeys(columns, float)}, "get it again with the model")


def _block_means(image: NDArray[Any], step: int) -> NDArray[np.float32]:
    height, width = (side - side % step for side in image.shape)
    blocks = image[:height, :width].reshape(height // step, step, width // step, step)
    return np.asarray(blocks.mean(axis=(1, 3)), np.float32)


def _block_middles(labels: Labels, step: int) -> Labels:
    height, width = (side - side % step for side in labels.shape)
    return labels[step // 2 : height : step, step // 2 : width : step]
