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

PUBLISHED: Final = "published"
"""The folder, in that of the book's own edition, of the published layer: what was released with NucleusNet."""

LIVE: Final = "live"
"""The folder, in that of the figures, of what live figures show: see `nnbook.primer.live`."""

FULL_SIZE: Final = "full-size"
"""The folder, in that of the book's own edition, of one simulated panorama as large as the published ones."""

TAKEN: Final = {
    PUBLISHED: "the name of a layer of the book",
    "book": "the link to the edition that the book shows",
    "nnbook": "the link to the program's own files",
}
"""Names that an edition's folder can't have, and why."""

DATA: Final = ("index", "panoramas", "cells", "mosaic")
"""What a layer may have: panoramas to zoom into, the table of panoramas, cells, and their mosaic."""

OWN_NAMES: Final = frozenset({
    "accuracy", "cells", "cells-parts", "edition.json", "edition.yml", "figures", "full-size", "hosted", "images",
    "layers.json", "manifest.csv", "masks", "mosaic", "notebooks", "numbers.json", "print", "provenance", "published",
    "published.json", "pyramids", "records", "results.csv", "rois-parts", "rois.parquet", "sample.json",
    "sample.parquet", "site", "steps.json", "truth",
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
    if edition in TAKEN:
        raise InvalidValueError(
            f"edition is {edition!r}, which is {TAKEN[edition]}; give another name", parameter="edition"
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
        One sentence that says where its images and numbers come from. A view that has nothing to show shows it.
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
    def label(self) -> str:
        """What a figure of several layers calls this one; empty for images of the user's own."""
        return "Published" if self.name == PUBLISHED else "Simulated" if self.simulated else ""

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
        """Return where a panorama's true mask is; of a simulated one, the table of its nuclei is beside it, as CSV."""
        return self.folder / "truth" / f"{panorama.panorama}.tif"

    def panoramas(self) -> list[Panorama]:
        """Return the rows of the manifest; none where there is none."""
        return read_manifest(self.manifest) if self.manifest.is_file() else []

    def has(self, data: str) -> bool:
        """Return whether it has one of `DATA`, and not an empty one."""
        if data == "panoramas":
            return self.results.is_file()
        path, key, kind = {
            "index": (self.pyramids / "index.json", "panoramas", list),
            "cells": (self.cells / "cells.json", "cells", int),
            "mosaic": (self.mosaic / "mosaic.json", "rows", list),
        }[data]
        return path.is_file() and bool(read_json(path, {key: kind}, "run 'nnbook run' again")[key])


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


def read_layers(data: str | None = None, folder: PathLike | None = None) -> list[Edition]:
    """Read the layers of a book: what was published, where the book has it, and then the edition itself.

    Parameters
    ----------
    data : str, optional
        One of `DATA`: only layers that have it, or the edition alone where none does.
    folder : str or Path, optional
        The edition's folder: see `read_edition`.

    Returns
    -------
    list of Edition
        At least one.
    """
    edition = read_edition(folder)
    published = edition.folder / PUBLISHED
    layers = [*([read_edition(published)] if (published / "edition.json").is_file() else []), edition]
    return [layer for layer in layers if data is None or layer.has(data)] or [edition]
