"""How likely each nucleus of a mask is right: the table beside a mask that nnbook made."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from nnbook.io.files import atomic_write
from nnbook.io.inputs import MASK_SUFFIX

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from nnbook.io.paths import PathLike

CONFIDENCE_SUFFIX: Final = "_cp_confidence.csv"
PLACE: Final = ("area_px", "left_px", "top_px", "width_px", "height_px")
"""By these a nucleus is known again in a mask that was corrected by hand since, whatever its number is now."""


def confidence_path(mask: PathLike) -> Path:
    """Return where the table of a mask file is: `NAME_cp_confidence.csv` beside `NAME_cp_masks.tif`."""
    mask = Path(mask)
    return mask.with_name(mask.stem.removesuffix(MASK_SUFFIX) + CONFIDENCE_SUFFIX)


def write_confidence(mask: PathLike, boxes: NDArray[np.int64], confidence: NDArray[np.float64]) -> None:
    """Write the table of a mask.

    Parameters
    ----------
    mask : str or Path
        The mask's file.
    boxes : int64, axes (label, value)
        `PLACE` of each nucleus, by label.
    confidence : float64, axis (label)
        From 0 to 1.
    """
    # Without pandas, which takes 0.3 s to import: segmentation needs it for nothing else.
    rows = [[*PLACE, "confidence"]]
    rows += [[*box, value] for box, value in zip(boxes.tolist(), confidence.round(3).tolist(), strict=True)]
    with atomic_write(confidence_path(mask)) as written:
        written.write_text("".join(",".join(map(str, row)) + "\n" for row in rows), encoding="utf-8")


def read_confidence(mask: PathLike, nuclei: pd.DataFrame) -> NDArray[np.float64] | None:
    """Return the confidence of the nuclei of a mask.

    Parameters
    ----------
    mask : str or Path
        The mask's file.
    nuclei : pandas.DataFrame
        `PLACE` of each of its nuclei, as it is now.

    Returns
    -------
    float64, a value a nucleus, or None
        Not a number for nuclei that were drawn or changed by hand since. None where there is no table.

    Raises
    ------
    NnbookError
        Where the table is damaged.
    """
    import pandas as pd

    from nnbook.io.tables import read_table

    path = confidence_path(Path(mask).resolve())  # a mask that a manifest names is a link in the edition
    if not path.is_file():
        return None
    table = read_table(path, {**dict.fromkeys(PLACE, int), "confidence": float}, "make it again with nnbook segment")
    known = table.drop_duplicates(list(PLACE)).set_index(list(PLACE))["confidence"]
    return known.reindex(pd.MultiIndex.from_frame(nuclei[list(PLACE)])).to_numpy(float)
