"""The masks of one panorama, given as an array or as a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnbook.io.images import as_image
from nnbook.segmentation.model import Model, load_model, shipped_model
from nnbook.segmentation.workflow import segment_image
from nnbook.values.published import CELLPROB_THRESHOLD, DIAMETER_PX, FLOW_THRESHOLD

if TYPE_CHECKING:
    from nnbook.io.images import Image, Labels
    from nnbook.io.paths import PathLike


def segment(
    image: Image | PathLike,
    *,
    model: Model | PathLike | None = None,
    diameter_px: float | None = DIAMETER_PX,
    flow_threshold: float = FLOW_THRESHOLD,
    cellprob_threshold: float = CELLPROB_THRESHOLD,
) -> Labels:
    """Segment the nuclei of one image.

    Parameters
    ----------
    image : numpy.ndarray, str or Path
        Axes (y, x), one channel of grey levels of any integer or floating-point type, or a TIFF or PNG file of one.
    model : Model, str or Path, optional
        A Cellpose 3 model (`nnbook.segmentation.load_model`) or its file, which is loaded for this call. By default the
        model that comes with nnbook, which is loaded once.
    diameter_px : float, optional
        Diameter of the nuclei in px; None to estimate it from the image.
    flow_threshold : float
        Masks whose flows differ by more from the network's (mean squared error of unit vectors) are dropped; 0 keeps
        all.
    cellprob_threshold : float
        Pixels above it, a logit, belong to nuclei.

    Returns
    -------
    Labels
        Axes (y, x), int32, the image's shape: 0 for background and 1..N for nuclei, by their first pixel, row by row.

    Raises
    ------
    MissingFileError
        Where the image's or the model's file isn't there.
    InvalidValueError
        Where the array is no image or a setting is out of range.
    NnbookError
        Where a file can't be read as an image or model.

    Examples
    --------
    >>> import nnbook
    >>> masks = nnbook.segment("panorama.tif")
    >>> masks.shape, masks.dtype
    ((512, 640), dtype('int32'))
    >>> int(masks.max())  # nuclei
    20
    """
    if model is None:
        model = shipped_model()
    elif not isinstance(model, Model):
        model = load_model(model)
    return segment_image(
        as_image(image),
        model,
        diameter_px=diameter_px,
        flow_threshold=flow_threshold,
        cellprob_threshold=cellprob_threshold,
    )
