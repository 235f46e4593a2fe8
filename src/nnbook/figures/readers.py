"""What figures show, read from the files of an edition or of a model: the figures themselves open no files."""

from __future__ import annotations

import math
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import pandas as pd

from nnbook.errors import NnbookError
from nnbook.figures.realism import SEPARATIONS, describe_nuclei
from nnbook.io.edition import FULL_SIZE, read_edition
from nnbook.io.images import read_image, read_mask
from nnbook.io.inputs import IMAGE_TYPES
from nnbook.io.parquet import read_parquet
from nnbook.io.tables import read_table
from nnbook.measurement.conditions import replicate_values
from nnbook.provenance.stage import is_same, read_record
from nnbook.simulation.truth import KINDS, read_truth

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from nnbook.io.edition import Edition
    from nnbook.io.images import Image, Labels
    from nnbook.io.manifest import Panorama
    from nnbook.io.paths import PathLike
    from nnbook.io.tables import Kind

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


class Opening(NamedTuple):
    """The panorama that opens the book.

    Attributes
    ----------
    whole : Panel
        All of it, reduced.
    close : Panel
        The part that its view moves in on.
    frame : (float, float, float, float)
        Where that part is: left, top, width and height in pixels of `whole`.
    """

    whole: Panel
    close: Panel
    frame: tuple[float, float, float, float]


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


class MaskRecord(NamedTuple):
    """How the mask of one panorama was made.

    Attributes
    ----------
    panorama : str
        The panorama's name.
    model : str
        The model's name.
    diameter_px : float or None
        The diameter of nuclei that was asked for, in px; None where it was looked for.
    found_px : float
        The diameter that was used; 0 where no nucleus was found.
    network_px : float
        The diameter that the network was trained with, to which nuclei are scaled.
    flow_threshold, cellprob_threshold : float
        See `nnbook.segmentation.workflow.segment_image`.
    by_hand : bool
        Whether the mask has been changed since.
    """

    panorama: str
    model: str
    diameter_px: float | None
    found_px: float
    network_px: float
    flow_threshold: float
    cellprob_threshold: float
    by_hand: bool


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
    path = PurePath(image)
    return path.stem if path.suffix.lower() in IMAGE_TYPES else image


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
    rows = edition.panoramas()
    if not rows:
        return []
    known = {row.panorama: row for row in rows} | {PurePath(row.image).name: row for row in rows}
    panels = []
    for given in names:
        if given not in known:
            raise NnbookError(f"{edition.manifest}: has no panorama {given}, but the results do; measure again")
        panorama = known[given]
        path = edition.image_path(panorama)
        image, labels = read_image(path), read_mask(edition.mask_path(panorama))
        if image.shape != labels.shape:
            raise NnbookError(f"{path}: has another size than its mask; segment it again")
        panels.append(_reduced(panorama, image, labels, side_px))
    return panels


def read_opening(edition: Edition, view: tuple[int, int, int], side_px: int = PANEL_PX) -> Opening | None:
    """Read the panorama that opens the book.

    Parameters
    ----------
    edition : Edition
        The edition. The panorama is the one of published size, where there is one, else its first.
    view : (int, int, int)
        Centre (x, y) and width of the view that it moves in on, in px. A panorama that is
        too small for it is shown in its middle.
    side_px : int, optional
        The longest side of a reduced image, in px.

    Returns
    -------
    Opening or None
        None where the edition has no images.
    """
    nested = edition.folder / FULL_SIZE
    opened = read_edition(nested) if (nested / "edition.json").is_file() else edition
    rows = opened.panoramas()
    if not rows:
        return None
    image, labels = read_image(opened.image_path(rows[0])), read_mask(opened.mask_path(rows[0]))
    height, width = image.shape
    x, y, wide = view
    half = min(wide, width, height) // 2
    if not (half <= x <= width - half and half <= y <= height - half):
        x, y = width // 2, height // 2
    box = np.s_[y - half : y + half, x - half : x + half]
    whole = _reduced(rows[0], image, labels, side_px)
    shrink = rows[0].px_per_um / whole.px_per_um
    frame = ((x - half) / shrink, (y - half) / shrink, 2 * half / shrink, 2 * half / shrink)
    return Opening(whole, _reduced(rows[0], image[box], labels[box], side_px), frame)


def _reduced(panorama: Panorama, image: Image, labels: Labels, side_px: int) -> Panel:
    """Reduce an image with its mask so that its longest side is about `side_px`."""
    step = math.ceil(max(image.shape) / side_px)
    return Panel(panorama.panorama, _block_means(image, step), _block_middles(labels, step), panorama.px_per_um / step)


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


def read_drawn_cases(edition: Edition, most: int = 8) -> list[Case]:
    """Cut out the outlined nuclei whose masks agree with them least.

    Parameters
    ----------
    edition : Edition
        The edition, with outlines drawn by hand.
    most : int, optional
        How many nuclei.

    Returns
    -------
    list of Case
        In order of overlap, the least first.

    Raises
    ------
    NnbookError
        Where the edition has no such outlines.
    """
    kinds: dict[str, Kind] = {"label": int, "x_px": float, "y_px": float, "iou": float}
    table = read_table(edition.accuracy / "nuclei.csv", kinds, "run 'nnbook run' again")
    table["panorama"] = table["panorama"].astype(str)
    rows = {row.panorama: row for row in edition.panoramas()}
    half = round(CASE_SIDE_UM * edition.px_per_um / 2)
    cases = []
    for row in table.sort_values(["iou", "panorama", "label"], kind="stable").head(most).to_dict("records"):
        panorama = rows[row["panorama"]]
        # At the edge the square is moved in, and is no larger than the panorama.
        left = max(0, min(round(row["x_px"]) - half, panorama.width_px - 2 * half))
        top = max(0, min(round(row["y_px"]) - half, panorama.height_px - 2 * half))
        title = f"{str(row['outcome']).capitalize()}, {row['iou']:.2f}"
        cases.append(_cut_box(edition, panorama, title, np.s_[top : top + 2 * half, left : left + 2 * half]))
    return cases


def read_mask_records(edition: Edition) -> list[MaskRecord]:
    """Read how masks were made, of the panoramas whose masks nnbook made, in the order of the manifest."""
    found = []
    for panorama in edition.panoramas():
        mask = edition.mask_path(panorama)
        record = read_record(mask.with_suffix(".json"))
        if panorama.mask or record is None:
            continue
        settings = record["settings"]
        found.append(
            MaskRecord(
                panorama.panorama,
                settings["model"],
                settings["diameter_px"],
                record["result"]["found_diameter_px"],
                settings["diam_mean_px"],
                settings["flow_threshold"],
                settings["cellprob_threshold"],
                not is_same(mask, record["outputs"][mask.name]),
            )
        )
    return found


def read_replicates(edition: Edition) -> pd.DataFrame:
    """Read the measures of each replicate of an edition's conditions: see `replicate_values`.

    Raises
    ------
    NnbookError
        Where the manifest has no condition.
    """
    panoramas = pd.DataFrame(
        [
            {
                "panorama": row.panorama,
                "condition": row.condition,
                "replicate": row.replicate,
                "area_mm2": row.width_px * row.height_px / row.px_per_um**2 / 1e6,
            }
            for row in edition.panoramas()
        ]
    )
    return replicate_values(read_parquet(edition.rois, "run 'nnbook run' again"), panoramas)


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
    return _cut_box(edition, panorama, title, (slice(y - half, y + half), slice(x - half, x + half)))


def _cut_box(edition: Edition, panorama: Panorama, title: str, box: tuple[slice, slice]) -> Case:
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
