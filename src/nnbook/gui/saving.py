"""What is saved with masks beside an image: a table of the nuclei, and a record of what the masks were made from."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from nnbook.errors import NnbookError
from nnbook.io.files import atomic_write, write_json
from nnbook.io.planes import Plane, plane_settings
from nnbook.provenance.stage import file_entry, read_record, was_read

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from nnbook.io.choices import Choices

TABLE_SUFFIX: Final = "_nuclei.csv"
ROIS_SUFFIX: Final = "_rois.zip"
GEOJSON_SUFFIX: Final = ".geojson"

STAGE: Final = "nnbook gui"
"""What records of masks say that were made in the view."""

NAMES: Final = {
    "roi": "roi",
    "area_px": "area",
    "x_px": "x",
    "y_px": "y",
    "left_px": "left",
    "top_px": "top",
    "width_px": "width",
    "height_px": "height",
    "mean_intensity": "mean",
    "std_intensity": "sd",
}
"""Columns of `nnbook measure`, and what the view calls them: see widgets/segment/masks.ts."""


def nuclei_table(name: str, nuclei: Sequence[Mapping[str, Any]], plane: Plane, px_per_um: float | None) -> pd.DataFrame:
    """Return a row a nucleus, with the columns that the page on which readers segment images saves.

    Parameters
    ----------
    name : str
        Of the image.
    nuclei : sequence of mapping
        As the view has them.
    plane : Plane
        Which plane of a file of several the image is; `channel` and `project` are columns where it is one.
    px_per_um : float or None
        Pixels a micrometre. Without it there is no column `area_um2`.
    """
    columns = ["image", *plane_settings(plane), *NAMES, "confidence"]
    rows = [
        {
            "image": name,
            **plane_settings(plane),
            **{column: one[key] for column, key in NAMES.items()},
            "confidence": one["confidence"],
        }
        for one in nuclei
    ]
    table = pd.DataFrame(rows, columns=columns)
    table["confidence"] = table["confidence"].astype(float)
    if px_per_um is not None:
        table.insert(columns.index("area_px") + 1, "area_um2", table["area_px"] / px_per_um**2)
    return table


def write_nuclei(path: Path, table: pd.DataFrame) -> None:
    """Write a table of nuclei."""
    with atomic_write(path) as written:
        table.to_csv(written, index=False, lineterminator="\n")


def write_record(image: Path, mask: Path, plane: Plane, made: Mapping[str, Any] | None, corrections: int) -> None:
    """Write beside a mask which image, and which plane of it, it was made from, and how.

    Masks that were read from a file and corrected keep the record that they have. The record names no output, so that
    `nnbook segment` never takes a mask that was saved by hand for one of its own.

    Parameters
    ----------
    image, mask : Path
        The files.
    plane : Plane
        Of the image.
    made : mapping or None
        The method and its settings; None where the masks were read from a file.
    corrections : int
        By hand.
    """
    path = mask.with_suffix(".json")
    record = read_record(path)
    if made is None and record is not None and was_read(image, record):
        return
    settings = {**(made or {}), **plane_settings(plane), "corrections": corrections}
    write_json(
        path,
        {
            "stage": STAGE,
            "code": {},
            "settings": settings,
            "files": {os.path.relpath(image, mask.parent): file_entry(image)},
            "absent": [],
            "listed": {},
            "result": None,
            "outputs": {},
            "by_hand": True,
        },
    )


def recorded_plane(mask: Path) -> Plane | None:
    """Return which plane of its image a mask is recorded to be of; None without a record."""
    record = read_record(mask.with_suffix(".json"))
    return None if record is None else Plane(record["settings"].get("channel"), record["settings"].get("project"))


def check_record(image: Path, mask: Path, plane: Plane, choices: Choices) -> None:
    """Hold that a mask was made from this image and this plane of it, where that was recorded.

    Parameters
    ----------
    image, mask : Path
        The files.
    plane : Plane
        Of the image.
    choices : Choices
        Among which planes one can choose.

    Raises
    ------
    NnbookError
        Where it was made from another one.
    """
    record, was = read_record(mask.with_suffix(".json")), recorded_plane(mask)
    if record is None or was is None:
        return
    if record["stage"] == STAGE and not was_read(image, record):
        raise NnbookError(f"{mask}: was made from another image than {image} is now; segment it again")
    if (choices.channel_at(was), was.project) != (choices.channel_at(plane), plane.project):
        raise NnbookError(f"{mask}: is of {_worded(was)}, and {_worded(plane)} is shown; its masks are left out")


def _worded(plane: Plane) -> str:
    return " and ".join(f"{name} {value}" for name, value in plane_settings(plane).items()) or "the only plane"
