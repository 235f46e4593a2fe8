"""The published cell images in the book: NucleusNet-10K, from the Hugging Face Hub to a store and a mosaic."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from nnbook.cells.imported import import_cells
from nnbook.errors import NnbookError
from nnbook.io.edition import write_edition
from nnbook.pipeline.stages import lay_out_mosaic, sample_cells

if TYPE_CHECKING:
    from pathlib import Path

    from nnbook.io.edition import Edition

DATASET: Final = "RussellBarkley/msa-em-figures"
"""NucleusNet-10K: 10,000 images, 100 of each experiment, with the columns `image` and `filename`."""


PULLED: Final = f".pulled/{DATASET.partition('/')[2]}"
"""Where its images are kept, in the folder of all editions: no edition can have such a name."""


def make_published_cells(edition: Edition, pulled: Path) -> None:
    """Bring the published cell images into an edition: `cells/`, `sample.parquet` and `mosaic/`.

    Parameters
    ----------
    edition : Edition
        The published layer's. Its name and its scale are those of the store.
    pulled : Path
        The folder that the images are pulled into. Once all of them are there, the hub is not asked again.

    Raises
    ------
    NnbookError
        Where the data set can't be had, or is not what is expected. What the edition has already stays.
    """
    from nnbook.hub.download import pull

    try:
        record = pull(DATASET, pulled)
    except NnbookError as error:
        raise NnbookError(
            f"the published cell images ({DATASET}) are not here: {error}; 'nnbook pull {DATASET} --out {pulled}' "
            "brings them"
        ) from error
    write_edition(edition)
    about = import_cells(edition.cells, pulled, edition=edition.name, px_per_um=edition.px_per_um)
    print(
        f"nnbook: {edition.cells} has {about['cells']:,} cells of {DATASET}, commit {record['commit'][:8]}",
        file=sys.stderr,
    )
    sample_cells(edition)
    lay_out_mosaic(edition)
