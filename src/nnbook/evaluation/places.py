"""Where mistakes of masks are, for views that mark them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.ndimage import find_objects

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from nnbook.io.images import Labels


def places_of(found: Mapping[str, NDArray[np.int64]], predicted: Labels, true: Labels) -> dict[str, list[Any]]:
    """Return mistakes as columns, with the centroids of the nuclei or masks that they are about.

    Parameters
    ----------
    found : mapping of str to numpy.ndarray
        The labels by kind, as `mistakes` gives them.
    predicted, true : Labels
        Masks and truth, axes (y, x).

    Returns
    -------
    dict of str to list
        `kind`, `label`, `x_px` and `y_px`, to a tenth.

    Examples
    --------
    >>> import numpy as np
    >>> from nnbook.evaluation.metrics import mistakes
    >>> true = np.zeros((8, 8), np.int32)
    >>> true[2:5, 1:4] = 1
    >>> masks = np.zeros_like(true)
    >>> places_of(mistakes(masks, true), masks, true)
    {'kind': ['missed'], 'label': [1], 'x_px': [2.0], 'y_px': [3.0]}
    """
    columns: dict[str, list[Any]] = {"kind": [], "label": [], "x_px": [], "y_px": []}
    for kind, labels in found.items():
        of = true if kind in {"missed", "split"} else predicted
        # Within their boxes: sums over all of a panorama take seconds, and most panoramas have no mistake.
        boxes = find_objects(of) if len(labels) else []
        for label in labels.tolist():
            rows, across = boxes[label - 1]
            y, x = (float(place.mean()) for place in np.nonzero(of[rows, across] == label))
            values = (kind, label, round(x + across.start, 1), round(y + rows.start, 1))
            for column, value in zip(columns.values(), values, strict=True):
                column.append(value)
    return columns
