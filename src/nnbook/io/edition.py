"""An edition: everything that the pipeline made from one manifest, as notebooks and figures read it."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from nnbook.errors import NnbookError
from nnbook.io.files import write_json
from nnbook.io.inputs import MASK_SUFFIX
from nnbook.io.manifest import Panorama, read_manifest
from nnbook.io.results import read_results

if TYPE_CHECKING:
    import pandas as pd

FOLDER_VARIABLE = "NNBOOK_EDITION"
"""The environment variable that tells a notebook which edition's folder to read."""

DEFAULT_FOLDER = Path("build/twin")


@dataclass(frozen=True)
class Edition:
    """What an edition is called, and where its files are.

    Attributes
    ----------
    name : str
        `twin`, `published`, or the name that the user gave.
    note : str
        One sentence that every page of the book shows, saying where its images and numbers come from.
    simulated : bool
        Whether the images were drawn by the virtual microscope.
    px_per_um : float
        Pixels a micrometre, the same for all panoramas.
    area_px2 : int
        The imaged area: the sum of width times height over all panoramas, in px2.
    """

    name: str
    note: str
    simulated: bool
    px_per_um: float
    area_px2: int


def write_edition(folder: Path, edition: Edition) -> None:
    """Write an edition's description into its folder."""
    write_json(folder / "edition.json", asdict(edition))


def edition_folder() -> Path:
    """Return the folder of the edition that the notebooks of this process show."""
    return Path(os.environ.get(FOLDER_VARIABLE, DEFAULT_FOLDER))


def read_edition(folder: Path | None = None) -> Edition:
    """Read an edition's description.

    Parameters
    ----------
    folder : Path, optional
        By default the one named by the environment variable `NNBOOK_EDITION`, else `build/twin`.

    Returns
    -------
    Edition

    Raises
    ------
    NnbookError
        Where the pipeline hasn't made this edition yet.
    """
    path = (folder or edition_folder()) / "edition.json"
    if not path.is_file():
        raise NnbookError(f"{path}: no such edition; run 'make book' (or 'nnbook run') first")
    try:
        return Edition(**json.loads(path.read_text(encoding="utf-8")))
    except (TypeError, ValueError) as error:
        raise NnbookError(f"{path}: describes no edition ({error}); run 'make book' (or 'nnbook run') again") from error


def edition_results(folder: Path | None = None) -> pd.DataFrame:
    """Return an edition's results, a row a panorama: see `nnbook.io.results.read_results`."""
    return read_results((folder or edition_folder()) / "results.csv")


def edition_panoramas(folder: Path | None = None) -> list[Panorama]:
    """Return an edition's panoramas; an empty list where it has a table but no images, as the published one."""
    path = (folder or edition_folder()) / "manifest.csv"
    return read_manifest(path) if path.is_file() else []


def truth_path(panorama: Panorama, folder: Path) -> Path:
    """Return where the twin keeps a panorama's true mask; the table of its nuclei lies beside it, as CSV."""
    return folder / "truth" / f"{panorama.panorama}.tif"


def mask_path(panorama: Panorama, folder: Path) -> Path:
    """Return where an edition keeps a panorama's mask, be it segmented or brought along."""
    return folder / "masks" / f"{panorama.panorama}{MASK_SUFFIX}.tif"
