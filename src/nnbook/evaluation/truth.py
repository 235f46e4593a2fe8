"""What the truth of a simulated panorama says of the nuclei in a mask."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from nnbook.evaluation.metrics import partners
from nnbook.io.images import read_mask

if TYPE_CHECKING:
    from pathlib import Path

    from nnbook.io.images import Labels


def true_classes(labels: Labels, truth: Path) -> dict[int, str]:
    """Return what the nuclei of a mask are, where the truth knows.

    Parameters
    ----------
    labels : Labels
        The mask as segmented: axes (y, x).
    truth : Path
        The true mask, with the table of its nuclei beside it, as CSV: see `nnbook.simulation.dataset.write_panorama`.

    Returns
    -------
    dict of int to str
        One of `nnbook.simulation.nuclei.CLASSES` by label, for each nucleus that has a partner in the truth: see
        `nnbook.evaluation.metrics.partners`.

    Raises
    ------
    NnbookError
        Where the true mask can't be read or has another size.
    """
    classes = pd.read_csv(truth.with_suffix(".csv"), usecols=["label", "class"]).set_index("label")["class"]
    return {label: str(classes[true]) for label, true in partners(labels, read_mask(truth)).items()}
