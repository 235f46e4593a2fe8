"""Measurements: a row for each nucleus, and a row for each panorama."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from nnbook.errors import InvalidValueError, NnbookError
from nnbook.io.compiled import compiled
from nnbook.io.images import as_image, as_mask
from nnbook.io.labels import compact_labels
from nnbook.io.parquet import read_parquet
from nnbook.measurement.imaged_area import check_scale
from nnbook.measurement.rim import check_rim, widened_rows

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray

    from nnbook.io.images import Image, Labels, NarrowLabels
    from nnbook.io.paths import PathLike

ROI_COLUMNS = [
    "panorama",
    "roi",
    "area_px",
    "area_um2",
    "x_px",
    "y_px",
    "mean_intensity",
    "std_intensity",
    "left_px",
    "top_px",
    "width_px",
    "height_px",
    "at_border",
]

WIDE_COLUMNS = ["wide_area_px", "wide_mean_intensity", "wide_std_intensity"]
"""What a rim adds: pixels and grey levels under the widened mask."""

ROWS_AT_ONCE = 512
"""Rows of a mask that are widened and measured at once."""

SAME_SCALE = 1e-4
"""By which share the scale that areas give may differ from the one that is said: less than rounding in a manifest."""


def measure(
    image: Image | PathLike,
    mask: Labels | PathLike,
    *,
    px_per_um: float | None = None,
    name: str | None = None,
    rim_um: float | None = None,
) -> pd.DataFrame:
    """Measure every nucleus of one image.

    Parameters
    ----------
    image : numpy.ndarray, str or Path
        Axes (y, x), one channel of grey levels of any integer or floating-point type, or a TIFF or PNG file of one.
    mask : numpy.ndarray, str or Path
        Axes (y, x), the image's shape, whole numbers: 0 for background, every other value a nucleus. Or a file of one.
    px_per_um : float, optional
        Pixels a micrometre. Without it there is no column `area_um2`.
    name : str, optional
        What the column `panorama` says; by default the image file's name without its ending, or `image`.
    rim_um : float, optional
        How far masks are widened for a second measurement of brightness: see `measure_panorama`. Needs `px_per_um`.

    Returns
    -------
    pandas.DataFrame
        A row a nucleus: see `measure_panorama`.

    Raises
    ------
    MissingFileError
        Where a file isn't there.
    InvalidValueError
        Where an array is no image or mask, the two differ in size, the scale or the rim is not above 0, or there is a
        rim and no scale.
    NnbookError
        Where a file can't be read as an image or mask.

    Examples
    --------
    >>> import nnbook
    >>> rois = nnbook.measure("panorama.tif", "panorama_cp_masks.tif", px_per_um=8.0453)
    >>> len(rois)
    5
    >>> rois.columns[:4].tolist()
    ['panorama', 'roi', 'area_px', 'area_um2']
    """
    if px_per_um is not None:
        check_scale(px_per_um)
    elif rim_um is not None:
        raise InvalidValueError("px_per_um is missing; a rim in um needs it", parameter="px_per_um")
    if name is None:
        name = Path(image).stem if isinstance(image, str | os.PathLike) else "image"
    pixels = as_image(image)
    scale = 1.0 if px_per_um is None else px_per_um
    table = measure_panorama(name, pixels, as_mask(mask, pixels), scale, rim_um)
    return table.drop(columns="area_um2") if px_per_um is None else table


def measure_panorama(
    panorama: str, image: Image, labels: Labels | NarrowLabels, px_per_um: float, rim_um: float | None = None
) -> pd.DataFrame:
    """Measure every nucleus of a panorama in one pass over its pixels, or in two with a rim.

    Parameters
    ----------
    panorama : str
        The panorama's name, for the first column.
    image : Image
        Axes (y, x), any integer or floating-point type; grey levels are used as they are.
    labels : Labels or NarrowLabels
        Axes (y, x), int32 or uint16, the same shape: 0 is background. Labels may skip numbers.
    px_per_um : float
        Pixels a micrometre.
    rim_um : float, optional
        Widen each mask by this much, never into another (see `nnbook.measurement.rim.widen`), and measure brightness
        under the wider masks, too. `nnbook.values.PUBLISHED_RIM_UM` makes brightness comparable with NucleusNet's.

    Returns
    -------
    pandas.DataFrame
        A row for each label that has a pixel, ordered by label. `roi` is the label; `x_px` and `y_px` are the centroid,
        with the centre of the first pixel at 0; `std_intensity` is the population standard deviation; `left_px`,
        `top_px`, `width_px` and `height_px` are the bounding box; `at_border` is true where the nucleus touches the
        edge of the panorama, where it may be cut. With a rim there are three more columns, of the widened mask:
        `wide_area_px`, `wide_mean_intensity` and `wide_std_intensity`; all others are of the mask as it is.

    Raises
    ------
    InvalidValueError
        Where image and mask differ in size, or the scale or the rim is not above 0.
    """
    check_scale(px_per_um)
    if rim_um is not None:
        check_rim(rim_um)
    if image.shape != labels.shape:
        raise InvalidValueError(
            f"{panorama}: the image is {_size(image)} but its mask is {_size(labels)}; segment this image again"
        )
    names, labels = compact_labels(labels)
    sums, mean, std = _measure_labels(image, labels, len(names))
    roi = np.flatnonzero(sums[:, 0])
    area = sums[roi, 0]
    height, width = labels.shape
    left, top, right, bottom = sums[roi, 3], sums[roi, 4], sums[roi, 5], sums[roi, 6]
    table = pd.DataFrame(
        {
            "panorama": panorama,
            "roi": names[roi].astype(np.int64),
            "area_px": area,
            "area_um2": area / px_per_um**2,
            "x_px": sums[roi, 1] / area,
            "y_px": sums[roi, 2] / area,
            "mean_intensity": mean[roi],
            "std_intensity": std[roi],
            "left_px": left,
            "top_px": top,
            "width_px": right - left + 1,
            "height_px": bottom - top + 1,
            "at_border": (left == 0) | (top == 0) | (right == width - 1) | (bottom == height - 1),
        },
        columns=ROI_COLUMNS,
    )
    if rim_um is not None:
        sums, mean, std = _measure_labels(image, labels, len(names), rim_um * px_per_um)
        table = table.assign(**dict(zip(WIDE_COLUMNS, (sums[roi, 0], mean[roi], std[roi]), strict=True)))
    return table


def _measure_labels(
    image: Image, labels: Labels | NarrowLabels, count: int, rim_px: float | None = None
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Return of labels 0 to `count` - 1, widened or not, the sums of `_accumulate`, and mean and spread of grey levels.

    A few rows at a time, so that no second mask is in memory.
    """
    # Grey levels are summed as differences from the nucleus's first pixel, so that no small spread about a high level
    # is rounded away. Whole numbers are summed exactly: the square of 16 bits over 2^31 pixels still fits into 64.
    kind = np.int64 if image.dtype.kind in "ui" and image.dtype.itemsize <= 2 else np.float64
    first, total, squares = np.zeros((3, count), kind)
    height, width = labels.shape
    sums = np.zeros((count, 7), np.int64)
    sums[:, 3], sums[:, 4] = width, height
    for top in range(0, height, ROWS_AT_ONCE):
        end = min(top + ROWS_AT_ONCE, height)
        if rim_px is None:
            rows = np.ascontiguousarray(labels[top:end], dtype=np.int32)
        else:
            rows = widened_rows(labels, rim_px, top, end)
        _accumulate(image[top:end], rows, top, first, total, squares, sums)
    area = np.maximum(sums[:, 0], 1)
    above_first = total / area
    variance = squares / area - above_first**2
    # Rounding can leave a variance of -1e-12 where all pixels are equal.
    return sums, first + above_first, np.sqrt(np.maximum(variance, 0.0))


def summarise(image_name: str, rois: pd.DataFrame) -> dict[str, Any]:
    """Sum up one panorama from the rows of its nuclei.

    Parameters
    ----------
    image_name : str
        The image's file name, as the published table has it.
    rois : pandas.DataFrame
        From `measure_panorama`.

    Returns
    -------
    dict
        `image`, `num_rois`, and `mean_intensity` and `std_intensity` over all pixels inside masks (population standard
        deviation), widened ones where they were measured with a rim; both are NaN where there is no nucleus. Then
        `area_um2`, the area of the masks as they are.
    """
    under = "wide_" if WIDE_COLUMNS[0] in rois else ""
    area = rois[f"{under}area_px"].to_numpy(np.float64)
    mean, std = np.nan, np.nan
    if area.sum() > 0:
        means = rois[f"{under}mean_intensity"].to_numpy()
        mean = np.average(means, weights=area)
        # The variance over all pixels: that within nuclei plus that between them.
        std = np.sqrt(np.average(rois[f"{under}std_intensity"].to_numpy() ** 2 + (means - mean) ** 2, weights=area))
    return {
        "image": image_name,
        "num_rois": len(rois),
        "mean_intensity": mean,
        "std_intensity": std,
        "area_um2": float(rois["area_um2"].sum()),
    }


@compiled
def _accumulate(  # noqa: PLR0917 - numba takes no keyword-only arguments
    image: Image,
    labels: Labels,
    top: int,
    first: NDArray[Any],
    total: NDArray[Any],
    squares: NDArray[Any],
    sums: NDArray[np.int64],
) -> None:
    """Gather rows, of which `top` is the first, into `sums` of each label: pixels, x, y, left, top, right, bottom.

    `first` gets its first pixel's grey level; `total` and `squares` the sums of the differences from it and of their
    squares.
    """
    for y in range(labels.shape[0]):
        for x in range(labels.shape[1]):
            label = labels[y, x]
            if label == 0:
                continue
            row = sums[label]
            value = first.dtype.type(image[y, x])
            if row[0] == 0:
                first[label] = value
            row[0] += 1
            row[1] += x
            row[2] += top + y
            row[3] = min(row[3], x)
            row[4] = min(row[4], top + y)
            row[5] = max(row[5], x)
            row[6] = max(row[6], top + y)
            above = value - first[label]
            total[label] += above
            squares[label] += above * above


def longest_border(labels: Labels) -> tuple[int, int] | None:
    """Find the two nuclei of a mask that touch along the longest border.

    Parameters
    ----------
    labels : numpy.ndarray, (height, width), int32
        0 is background.

    Returns
    -------
    tuple of int, or None
        Their labels, the smaller one first; None where no two touch, side by side.

    Examples
    --------
    >>> longest_border(np.array([[1, 1, 0], [2, 2, 3]]))
    (1, 2)
    """
    beside = [(labels[:, :-1], labels[:, 1:]), (labels[:-1], labels[1:])]
    borders = [
        np.sort(np.stack([one[where], other[where]], axis=1), axis=1)
        for one, other in beside
        for where in [(one != other) & (one > 0) & (other > 0)]
    ]
    pairs, lengths = np.unique(np.concatenate(borders), axis=0, return_counts=True)
    if not len(pairs):
        return None
    one, other = pairs[lengths.argmax()].tolist()
    return one, other


def _size(array: Image | Labels | NarrowLabels) -> str:
    return f"{array.shape[1]} x {array.shape[0]} px"


def check_rois_scale(rois: PathLike, names: Collection[str], px_per_um: float) -> None:
    """Refuse measurements that were made with another scale.

    Parameters
    ----------
    rois : str or Path
        `rois.parquet`, as `nnbook measure` writes it.
    names : collection of str
        The panoramas that count.
    px_per_um : float
        Pixels a micrometre of these panoramas.

    Raises
    ------
    NnbookError
        Where there is no such table, or the areas of one of these panoramas' nuclei in px and um2 give another scale.
    """
    rois = Path(rois)
    table = read_parquet(rois, "make it with 'nnbook measure'", ["panorama", "area_px", "area_um2"])
    table = table[table["panorama"].isin(list(names))]
    area_px, area_um2 = (table[column].to_numpy(np.float64) for column in ("area_px", "area_um2"))
    with np.errstate(all="ignore"):
        scales = np.sqrt(area_px / area_um2)
    if len(other := np.flatnonzero(~(np.abs(scales - px_per_um) <= SAME_SCALE * px_per_um))):
        raise NnbookError(
            f"{rois}: has {table['panorama'].iloc[other[0]]} measured with {scales[other[0]]:.6g} px/µm, but its scale "
            f"is {px_per_um:.6g}; run 'nnbook measure' again"
        )
