"""An edition: everything that the pipeline makes from one manifest, and where each of its files is."""

from __future__ import annotations

import os
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from nnbook.errors import InvalidValueError, MissingFileError, NnbookError
from nnbook.io.files import read_json, write_json
from nnbook.io.inputs import MASK_SUFFIX
from nnbook.io.manifest import read_manifest

if TYPE_CHECKING:
    from nnbook.io.manifest import Panorama
    from nnbook.io.paths import PathLike

FOLDER_VARIABLE = "NNBOOK_EDITION"
"""The environment variable that names the folder of the edition that a notebook reads."""

DEFAULT_FOLDER = Path("build/twin")

OWN_NAMES: Final = frozenset({
    "accuracy", "cells", "edition.json", "edition.yml", "figures", "manifest.csv", "masks", "mosaic", "notebooks",
    "numbers.json", "print", "provenance", "published.json", "pyramids", "records", "results.csv", "rois.parquet",
    "sample.json", "sample.parquet", "truth",
})  # fmt: skip
"""The files and folders that nnbook makes in an edition's folder, and replaces: no image can be in them."""

FORM: Final = {"name": str, "note": str, "simulated": bool, "px_per_um": (int, float), "area_px2": int}
"""What `edition.json` says."""


def check_edition_name(edition: str) -> None:
    """Refuse what is no name of a folder: an empty one, one that leads elsewhere, and a hidden one.

    Raises
    ------
    InvalidValueError
        Which names `edition`.
    """
    if not re.fullmatch(r"[^\W_][^/\\:\x00-\x1f\x7f]*", edition):
        raise InvalidValueError(
            f"edition is {edition!r}; give a name that begins with a letter or digit and has no separator",
            parameter="edition",
        )


@dataclass(frozen=True)
class Edition:
    """What an edition is called, and where its files are.

    Attributes
    ----------
    folder : Path
        The folder of all its files.
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

    folder: Path
    name: str
    note: str
    simulated: bool
    px_per_um: float
    area_px2: int

    @property
    def manifest(self) -> Path:
        """The manifest of the panoramas that are at hand; an edition that has a table alone has none."""
        return self.folder / "manifest.csv"

    @property
    def results(self) -> Path:
        """The table of panoramas: see `nnbook.io.results.read_results`."""
        return self.folder / "results.csv"

    @property
    def rois(self) -> Path:
        """The table of nuclei, a Parquet file: see `nnbook.measurement.rois.measure_panorama`."""
        return self.folder / "rois.parquet"

    @property
    def masks(self) -> Path:
        """The folder of masks."""
        return self.folder / "masks"

    @property
    def cells(self) -> Path:
        """The store of cells: see `nnbook.cells.store.read_cells`."""
        return self.folder / "cells"

    @property
    def mosaic(self) -> Path:
        """The folder of the mosaic of a sample of cells."""
        return self.folder / "mosaic"

    @property
    def pyramids(self) -> Path:
        """The folder of what viewers of panoramas read."""
        return self.folder / "pyramids"

    @property
    def accuracy(self) -> Path:
        """The folder of the tables that compare masks with the truth."""
        return self.folder / "accuracy"

    @property
    def figures(self) -> Path:
        """The folder of static figures."""
        return self.folder / "figures"

    def image_path(self, panorama: Panorama) -> Path:
        """Return where a panorama's image is."""
        return self.folder / panorama.image

    def mask_path(self, panorama: Panorama) -> Path:
        """Return where a panorama's mask is, whether it was segmented or came with the manifest."""
        return self.masks / f"{panorama.panorama}{MASK_SUFFIX}.tif"

    def truth_path(self, panorama: Panorama) -> Path:
        """Return where a simulated panorama's true mask is; the table of its nuclei is beside it, as CSV."""
        return self.folder / "truth" / f"{panorama.panorama}.tif"

    def panoramas(self) -> list[Panorama]:
        """Return the rows of the manifest; none where there is none."""
        return read_manifest(self.manifest) if self.manifest.is_file() else []


def write_edition(edition: Edition) -> None:
    """Write an edition's description into its folder."""
    described = asdict(edition)
    del described["folder"]
    write_json(edition.folder / "edition.json", described)


def read_edition(folder: PathLike | None = None) -> Edition:
    """Read an edition's description.

    Parameters
    ----------
    folder : str or Path, optional
        By default the one that the environment variable `NNBOOK_EDITION` names, else `build/twin`.

    Returns
    -------
    Edition

    Raises
    ------
    NnbookError
        Where the pipeline has not made this edition yet.
    """
    folder = Path(os.environ.get(FOLDER_VARIABLE, DEFAULT_FOLDER) if folder is None else folder)
    path = folder / "edition.json"
    if not path.is_file():
        raise MissingFileError(f"{path}: no such edition; run 'make book' (or 'nnbook run') first")
    described = read_json(path, FORM, "run 'make book' (or 'nnbook run') again")
    if unknown := sorted(described.keys() - FORM.keys()):
        raise NnbookError(f"{path}: has an unknown {unknown[0]!r}; run 'make book' (or 'nnbook run') again")
    return Edition(folder=folder, **described)
