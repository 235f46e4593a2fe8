"""Corrections of masks by hand: each is kept as the labels that it replaced, so that it can be taken back.

The page on which readers segment images does the same in TypeScript: see widgets/segment/edits.ts.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from nnbook.errors import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from nnbook.io.images import Labels

    Box = tuple[slice, slice]


class Patch(NamedTuple):
    """Rows and columns of the masks, and the labels there before and after a correction."""

    box: Box
    before: NDArray[np.int32]
    after: NDArray[np.int32]


class Corrections:
    """Masks as they are corrected: labels that are there are kept, new nuclei get labels after the highest.

    Parameters
    ----------
    labels : Labels
        Axes (y, x), which is changed in place.

    Attributes
    ----------
    labels : Labels
        The masks as they are.
    """

    def __init__(self, labels: Labels) -> None:
        self.labels = labels
        self._highest = int(labels.max(initial=0))
        self._done: list[list[Patch]] = []
        self._undone: list[list[Patch]] = []

    @property
    def count(self) -> int:
        """How many corrections there are."""
        return len(self._done)

    @property
    def undone(self) -> int:
        """How many were taken back, and can be done again."""
        return len(self._undone)

    def make(self, edit: dict[str, Any], boxes: Mapping[int, Box]) -> list[Box]:
        """Make a correction, as widgets/segment/protocol.ts describes it; places are in px of the image.

        Parameters
        ----------
        edit : dict
            `kind` is `delete` (of `roi`), `merge` (of `rois`), `split` (of `roi`, by a `line`), `draw` (a nucleus in an
            `outline`) or `brush` (along a `path` of a `radius`, which adds to `roi` or, with `erase`, takes away).
        boxes : mapping of int to (slice, slice)
            Where each nucleus is.

        Returns
        -------
        list of (slice, slice)
            Where labels changed.

        Raises
        ------
        InvalidValueError
            Where it is no correction, or changes nothing.
        """
        try:
            patches = [self._patch(box, edit) for box in self._boxes(edit, boxes)]
        except (KeyError, TypeError, ValueError) as error:
            raise InvalidValueError("this is no correction of masks; draw it again") from error
        patches = [patch for patch in patches if (patch.before != patch.after).any()]
        if not patches:
            raise InvalidValueError("this correction changes nothing: no nucleus is there, or others have its place")
        if edit["kind"] in {"split", "draw"}:
            self._highest += 1
        self._done.append(patches)
        self._undone = []
        return self._put(patches, after=True)

    def undo(self) -> list[Box]:
        """Take the last correction back; return where labels changed."""
        if not self._done:
            return []
        self._undone.append(self._done.pop())
        return self._put(self._undone[-1][::-1], after=False)

    def redo(self) -> list[Box]:
        """Make the correction again that was taken back last; return where labels changed."""
        if not self._undone:
            return []
        self._done.append(self._undone.pop())
        return self._put(self._done[-1], after=True)

    def _put(self, patches: list[Patch], *, after: bool) -> list[Box]:
        for patch in patches:
            self.labels[patch.box] = patch.after if after else patch.before
        return [patch.box for patch in patches]

    def _boxes(self, edit: dict[str, Any], boxes: Mapping[int, Box]) -> list[Box]:
        match edit["kind"]:
            case "delete" | "split":
                return [boxes[edit["roi"]]]
            case "merge":
                return [boxes[roi] for roi in edit["rois"] if roi != min(edit["rois"])]
            case "draw":
                return self._box_round(edit["outline"], 0)
            case "brush":
                return self._box_round(edit["path"], float(edit["radius"]))
            case _:
                raise ValueError

    def _patch(self, box: Box, edit: dict[str, Any]) -> Patch:
        before = self.labels[box].copy()
        after = before.copy()
        origin = np.array([box[1].start, box[0].start], float)
        match edit["kind"]:
            case "delete":
                after[before == edit["roi"]] = 0
            case "merge":
                after[np.isin(before, edit["rois"])] = min(edit["rois"])
            case "split":
                (ax, ay), (bx, by) = np.array(edit["line"], float) - origin
                y, x = np.mgrid[: before.shape[0], : before.shape[1]] + 0.5
                beyond = (bx - ax) * (y - ay) - (by - ay) * (x - ax) > 0
                if (mine := before == edit["roi"]).any() and (mine & beyond).any() and (mine & ~beyond).any():
                    after[mine & beyond] = self._highest + 1
            case "draw":
                after[_enclosed(np.array(edit["outline"], float) - origin, before.shape) & (before == 0)] = (
                    self._highest + 1
                )
            case "brush":
                painted = _painted(np.array(edit["path"], float) - origin, float(edit["radius"]), before.shape)
                erase = bool(edit["erase"])
                after[painted & (before == (edit["roi"] if erase else 0))] = 0 if erase else edit["roi"]
        return Patch(box, before, after)

    def _box_round(self, points: Sequence[Sequence[float]], margin: float) -> list[Box]:
        places = np.array(points, float).reshape(-1, 2)
        if not np.isfinite(places).all() or not margin >= 0:
            raise ValueError
        left, top = np.floor(places.min(axis=0) - margin)
        right, bottom = np.ceil(places.max(axis=0) + margin)
        height, width = self.labels.shape
        rows = slice(max(0, int(top)), min(height, int(bottom)))
        columns = slice(max(0, int(left)), min(width, int(right)))
        return [(rows, columns)] if rows.start < rows.stop and columns.start < columns.stop else []


def _enclosed(outline: NDArray[np.float64], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Return the pixels whose middles an outline of (x, y) encloses, by the even-odd rule."""
    y, x = np.mgrid[: shape[0], : shape[1]] + 0.5
    inside = np.zeros(shape, bool)
    for (ax, ay), (bx, by) in zip(outline, np.roll(outline, -1, axis=0), strict=True):
        if ay != by:
            inside ^= ((ay > y) != (by > y)) & (x < (bx - ax) * (y - ay) / (by - ay) + ax)
    return inside


def _painted(path: NDArray[np.float64], radius: float, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Return the pixels whose middles are within a radius of a path of (x, y)."""
    y, x = np.mgrid[: shape[0], : shape[1]] + 0.5
    near = np.hypot(x - path[0, 0], y - path[0, 1]) <= radius
    for (ax, ay), (bx, by) in itertools.pairwise(path):
        length = (bx - ax) ** 2 + (by - ay) ** 2
        share = np.clip(((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / length, 0, 1) if length else np.zeros(shape)
        near |= np.hypot(ax + share * (bx - ax) - x, ay + share * (by - ay) - y) <= radius
    return np.asarray(near, bool)
