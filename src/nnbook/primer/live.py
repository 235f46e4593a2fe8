"""The file of a live figure: a JSON object with its arrays, which the primer's view reads."""

from __future__ import annotations

import base64
import json
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from nnbook.errors import InvalidValueError
from nnbook.io.edition import LIVE
from nnbook.io.files import atomic_write

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from nnbook.io.paths import PathLike

VERSION: Final = 1


class Live(NamedTuple):
    """What a live figure shows.

    Attributes
    ----------
    figure : str
        The kind of figure, as in `widgets/primer/index.ts`; also the name of its file.
    arrays : mapping of str to numpy.ndarray
        By name, uint8.
    facts : mapping of str
        What else the figure knows, as JSON can hold it.
    """

    figure: str
    arrays: Mapping[str, NDArray[np.uint8]]
    facts: Mapping[str, Any]


def write_live(live: Live, figures: PathLike) -> Path:
    """Write a live figure's file into an edition's folder of figures.

    Parameters
    ----------
    live : Live
        What it shows.
    figures : str or Path
        The folder of figures; the file is in `live/` there.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    InvalidValueError
        Where an array is not of uint8.
    """
    for name, array in live.arrays.items():
        if array.dtype != np.uint8:
            raise InvalidValueError(f"{live.figure}: {name} is {array.dtype}; give uint8", parameter="arrays")
    path = Path(figures) / LIVE / f"{live.figure}.json"
    arrays = {name: {"shape": list(array.shape), "data": _packed(array)} for name, array in live.arrays.items()}
    written = {"version": VERSION, "figure": live.figure, "facts": dict(live.facts), "arrays": arrays}
    with atomic_write(path) as new:
        new.write_text(json.dumps(written, separators=(",", ":"), allow_nan=False) + "\n", encoding="utf-8")
    return path


def _packed(array: NDArray[np.uint8]) -> str:
    """Return an array's bytes in rows, deflated, in base 64."""
    return base64.b64encode(zlib.compress(np.ascontiguousarray(array).tobytes(), 9)).decode()
