"""What methods make of one image, side by side: outlines on its most crowded part."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np

from nnbook.io.files import atomic_write
from nnbook.io.images import read_image, read_mask
from nnbook.segmentation.scale import grey_range

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from nnbook.io.images import Labels

SIDE_PX: Final = 384
BAR_PX: Final = 26
COLUMNS: Final = 3
OUTLINE: Final = (0, 94, 213)
TRUTH: Final = (233, 180, 86)
INK: Final = (236, 232, 230)
GROUND: Final = (28, 23, 20)
"""Colours as OpenCV has them: blue, green, red. Vermilion for masks, sky blue for the truth."""


def write_picture(path: Path, image_path: Path, truth: Path | None, masks: Mapping[str, Path]) -> None:
    """Write a picture of an image under several methods.

    Parameters
    ----------
    path : Path
        The PNG file to write.
    image_path : Path
        The image.
    truth : Path or None
        Its true masks.
    masks : mapping of str to Path
        Masks by the name under which they are shown; a file that is missing is left out.
    """
    image = read_image(image_path)
    shown = {"Truth": truth} if truth is not None else {}
    labels = {name: read_mask(file) for name, file in {**shown, **masks}.items() if file is not None and file.is_file()}
    low, high = grey_range(image)
    grey = np.clip((image.astype(np.float32) - low) / max(high - low, 1e-9), 0, 1) ** 0.7 * 255
    y, x = _crowded(next(iter(labels.values()), np.zeros(image.shape, np.int32)))
    box = np.s_[y : y + SIDE_PX, x : x + SIDE_PX]
    crop = _enlarged(grey[box].astype(np.uint8))
    panels = [_panel("Image", crop, None, OUTLINE)]
    for name, found in labels.items():
        panels.append(_panel(name, crop, _enlarged(found[box]), TRUTH if name == "Truth" else OUTLINE))
    panels += [np.full_like(panels[0], GROUND)] * (-len(panels) % COLUMNS)
    rows = [np.hstack(panels[start : start + COLUMNS]) for start in range(0, len(panels), COLUMNS)]
    with atomic_write(path) as written:
        written.write_bytes(cv2.imencode(".png", np.vstack(rows))[1].tobytes())


def _crowded(labels: Labels) -> tuple[int, int]:
    """Return the upper left corner of the part with most pixels of nuclei."""
    step = SIDE_PX // 4
    corners = [
        (y, x)
        for y in range(0, max(1, labels.shape[0] - SIDE_PX + 1), step)
        for x in range(0, max(1, labels.shape[1] - SIDE_PX + 1), step)
    ]
    return max(corners, key=lambda at: np.count_nonzero(labels[at[0] : at[0] + SIDE_PX, at[1] : at[1] + SIDE_PX]))


def _enlarged(crop: NDArray[Any]) -> NDArray[Any]:
    """Repeat the pixels of an image that is smaller than a panel."""
    times = max(1, SIDE_PX // max(crop.shape))
    return np.repeat(np.repeat(crop, times, axis=0), times, axis=1)


def _panel(
    name: str, grey: NDArray[np.uint8], labels: Labels | None, colour: tuple[int, int, int]
) -> NDArray[np.uint8]:
    panel = np.full((SIDE_PX + BAR_PX, SIDE_PX + 4, 3), GROUND, np.uint8)
    inside = panel[BAR_PX : BAR_PX + grey.shape[0], : grey.shape[1]]
    inside[:] = grey[..., np.newaxis]
    if labels is not None:
        edge = np.zeros(labels.shape, bool)
        edge[1:] |= labels[1:] != labels[:-1]
        edge[:, 1:] |= labels[:, 1:] != labels[:, :-1]
        inside[edge] = colour
    cv2.putText(panel, name, (4, 18), cv2.FONT_HERSHEY_SIMPLEX, 0.5, INK, 1, cv2.LINE_AA)
    return panel
