"""The classes of the nuclei in a mask, from the truth of a simulated panorama."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from nnbook.errors import NnbookError
from nnbook.evaluation.metrics import partners
from nnbook.io.images import read_narrow_mask
from nnbook.simulation.truth import read_truth

if TYPE_CHECKING:
    from nnbook.io.images import Labels, NarrowLabels
    from nnbook.io.paths import PathLike


def true_classes(labels: Labels | NarrowLabels, truth: PathLike) -> dict[int, str]:
    """Return the classes of a mask's nuclei, as far as the truth has them.

    Parameters
    ----------
    labels : Labels or NarrowLabels
        The mask as segmented: axes (y, x).
    truth : str or Path
        The true mask, with the table of its nuclei beside it, as CSV: see `nnbook.simulation.dataset.write_panorama`.

    Returns
    -------
    dict of int to str
        One of `nnbook.simulation.nuclei.CLASSES` by label, for each nucleus that has a partner in the truth: see
        `nnbook.evaluation.metrics.partners`.

    Raises
    ------
    NnbookError
        Where the true mask or its table can't be read, the mask has another size, or the table lacks one of its labels.
    """
    truth = Path(truth)
    path = truth.with_suffix(".csv")
    classes = read_truth(path, ("label", "class")).set_index("label")["class"].to_dict()
    found = partners(labels, read_narrow_mask(truth))
    if missing := [true for true in found.values() if true not in classes]:
        raise NnbookError(f"{path}: has no row of label {missing[0]}, which is in {truth}; make both again")
    return {label: str(classes[true]) for label, true in found.items()}
