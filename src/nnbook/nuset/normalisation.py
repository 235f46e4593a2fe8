"""Grey levels as NuSeT's network takes them: standardised by the whole image, or by its nuclei alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEAST_SD = 1e-5


def normalise(image: NDArray[Any], foreground: NDArray[np.bool_] | None = None) -> NDArray[np.float32]:
    """Subtract a mean and divide by a standard deviation: of the whole image, or of the foreground.

    The paper takes the mean of the foreground, its code the median; this is the mean.

    Parameters
    ----------
    image : axes (y, x)
        Grey levels.
    foreground : bool, axes (y, x), optional
        Pixels of nuclei; where there are none, as without.

    Returns
    -------
    float32, axes (y, x)
    """
    levels = image[foreground] if foreground is not None and foreground.any() else image
    mean, sd = float(levels.mean(dtype=np.float64)), float(levels.std(dtype=np.float64))
    return ((image.astype(np.float64) - mean) / max(sd, LEAST_SD)).astype(np.float32)
