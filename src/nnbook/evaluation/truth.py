"""What the truth of a simulated panorama says of the nuclei in a mask."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from nnbook.evaluation.metrics import partners
from nnbook.io.images import read_mask
from nnbook.simulation.dataset import _paths

if TYPE_CHECKING:
    from pathlib import Path

    from nnbook.io.images import Labels
    from nnbook.io.manifest import Panorama


def true_classes(panorama: Panorama, labels: Labels, folder: Path) -> dict[int, str]:
    """Tell what the nuclei of a mask are, where the truth knows.

    Parameters
    ----------
    panorama : Panorama
        A simulated row that `write_panorama` has written.
    labels : Labels
        Its mask as segmented: axes (y, x).
    folder : Path
        The manifest's folder.

    Returns
    -------
    dict of int to str
        One of `nnbook.simulation.nuclei.CLASSES` by label, for each nucleus that has a partner in the truth: see
        `nnbook.evaluation.metrics.partners`.

    Raises
    ------
    NnbookError
        Where the truth mask can't be read or has another size.
    """
    _, mask, table = _paths(panorama, folder)
    classes = pd.read_csv(table, usecols=["label", "class"]).set_index("label")["class"]
    return {label: str(classes[true]) for label, true in partners(labels, read_mask(mask)).items()}
