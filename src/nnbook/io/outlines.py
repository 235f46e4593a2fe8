"""Masks as outlines, for other programs: ROI sets of ImageJ, and GeoJSON of QuPath.

The page on which readers segment images writes the same, as `tests/shared_cases.py` holds both to: see
widgets/segment/outputs.ts.
"""

from __future__ import annotations

import json
import uuid
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from nnbook.io.files import atomic_write

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pandas as pd

    from nnbook.io.images import Labels
    from nnbook.io.paths import PathLike

    Ring = list[tuple[int, int]]
    Polygon = list[Ring]

DATE: Final = (2025, 1, 1, 0, 0, 0)
"""Of the files in a zip file, so that the same masks give the same bytes."""

NAMESPACE: Final = uuid.UUID("5f0c3a0e-6f5e-4b0e-9a53-0d6b2f1f7d43")
"""Of the identifiers of detections, by which a file that is read twice has the same ones."""

VERSION: Final = 227
"""Of ImageJ's ROI files, whichever a newer reader and writer of them would take."""

MOST_WHOLE: Final = 60_535
"""Farther right or down, ImageJ takes coordinates of 16 bits for negative ones, so they are written as floats, too."""

MOVE, LINE, CLOSE = 0.0, 1.0, 4.0
"""Parts of an outline in a ROI of several, as Java's `PathIterator` has them."""


def write_roi_set(path: PathLike, labels: Labels, nuclei: pd.DataFrame) -> None:
    """Write masks as a ROI set for the manager of ImageJ and Fiji, a ROI for each piece of a nucleus.

    A piece without holes is a polygon; one with holes is a composite ROI, which has the nucleus' pixels and no others.

    Parameters
    ----------
    path : str or Path
        The zip file to write, or to replace.
    labels : Labels
        Axes (y, x), 0 for background.
    nuclei : pandas.DataFrame
        `roi`, `left_px`, `top_px`, `width_px` and `height_px` of each: see `nnbook.measure`.
    """
    path = Path(path)
    digits = len(str(int(nuclei["roi"].max()))) if len(nuclei) else 1
    with atomic_write(path) as written, zipfile.ZipFile(written, "w") as archive:
        for nucleus in nuclei.to_dict("records"):
            polygons = _polygons(labels, nucleus)
            for number, polygon in enumerate(polygons, start=1):
                name = f"{int(nucleus['roi']):0{digits}d}" + (f"-{number}" if len(polygons) > 1 else "")
                archive.writestr(zipfile.ZipInfo(f"{name}.roi", DATE), _roi(polygon, name))


def _roi(polygon: Polygon, name: str) -> bytes:
    from roifile import ROI_OPTIONS, ROI_TYPE, ImagejRoi

    outline, *holes = (np.array(ring, np.int32) for ring in polygon)
    roi = ImagejRoi.frompoints(outline, name=name)
    roi.version = VERSION
    roi.right, roi.bottom = roi.right - 1, roi.bottom - 1  # corners of pixels, and not pixels
    if holes:
        path = np.array([value for ring in polygon for value in _path(ring)], np.float32)
        roi.roitype, roi.options = ROI_TYPE.RECT, ROI_OPTIONS(0)
        roi.n_coordinates, roi.integer_coordinates, roi.subpixel_coordinates = 0, None, None
        roi.multi_coordinates, roi.shape_roi_size = path, len(path)
    else:
        roi.roitype = ROI_TYPE.POLYGON
        roi.options = ROI_OPTIONS.SUB_PIXEL_RESOLUTION if outline.max() > MOST_WHOLE else ROI_OPTIONS(0)
    return roi.tobytes()


def _path(ring: Ring) -> list[float]:
    (x, y), *others = ring
    return [MOVE, x, y, *(value for u, v in others for value in (LINE, u, v)), CLOSE]


def write_geojson(path: PathLike, labels: Labels, nuclei: pd.DataFrame, px_per_um: float | None = None) -> None:
    """Write masks as detections with measurements, as QuPath reads them (GeoJSON); coordinates are in px.

    Parameters
    ----------
    path : str or Path
        The file to write, or to replace.
    labels : Labels
        Axes (y, x), 0 for background.
    nuclei : pandas.DataFrame
        As those of `write_roi_set`, with `area_px`, `mean_intensity`, `std_intensity` and, where it is known,
        `confidence`, which is not a number where it is not.
    px_per_um : float, optional
        Pixels a micrometre. Without it areas are in px.
    """
    features = [_detection(labels, nucleus, px_per_um) for nucleus in nuclei.to_dict("records")]
    with atomic_write(Path(path)) as written:
        written.write_text(
            json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False), encoding="utf-8"
        )


def _detection(labels: Labels, nucleus: Mapping[Any, Any], px_per_um: float | None) -> dict[str, Any]:
    polygons = [
        [[list(corner) for corner in [*ring, ring[0]]] for ring in polygon] for polygon in _polygons(labels, nucleus)
    ]
    single = len(polygons) == 1
    area = int(nucleus["area_px"])
    measurements = {"Area px^2": area} if px_per_um is None else {"Area µm^2": area / px_per_um**2}
    measurements |= {"Mean intensity": nucleus["mean_intensity"], "Std intensity": nucleus["std_intensity"]}
    if (sure := nucleus.get("confidence")) is not None and np.isfinite(sure):
        measurements["Confidence"] = sure
    name = f"ROI {int(nucleus['roi'])}"
    return {
        "type": "Feature",
        "id": str(uuid.uuid5(NAMESPACE, json.dumps([name, polygons], separators=(",", ":")))),
        "geometry": {
            "type": "Polygon" if single else "MultiPolygon",
            "coordinates": polygons[0] if single else polygons,
        },
        "properties": {"objectType": "detection", "name": name, "measurements": measurements},
    }


def _polygons(labels: Labels, nucleus: Mapping[Any, Any]) -> list[Polygon]:
    left, top = int(nucleus["left_px"]), int(nucleus["top_px"])
    part = labels[top : top + int(nucleus["height_px"]), left : left + int(nucleus["width_px"])]
    found = polygons_of(part == int(nucleus["roi"]))
    return [[[(x + left, y + top) for x, y in ring] for ring in polygon] for polygon in found]


def polygons_of(inside: np.ndarray[Any, np.dtype[np.bool_]]) -> list[Polygon]:
    """Return the outlines of an area along the sides of its pixels, which enclose its pixels and no others.

    Parameters
    ----------
    inside : bool, axes (y, x)
        The area. Pixels that touch by a corner alone are two pieces.

    Returns
    -------
    list of list of list of (int, int)
        For each piece its outline, and then those of its holes: corners (x, y) where an outline turns, of which none
        comes twice. Outlines go clockwise as an image is seen, those of holes the other way, as GeoJSON has them.
    """
    is_in = np.pad(inside, 1)
    rows = is_in.tolist()
    visited: set[tuple[int, int]] = set()
    polygons: list[Polygon] = []
    holes: list[tuple[int, int, list[Ring]]] = []
    # The upper side of a pixel, with the area below it: an outline goes along it to the right.
    for y, x in _places(is_in[1:] & ~is_in[:-1]):
        if (x, y) in visited:
            continue
        rings = sorted(_simple(_follow(rows, x, y, visited)), key=_area, reverse=True)
        if _area(rings[0]) > 0:
            polygons.append(rings)
        else:
            holes.append((x, y, rings))
    for x, y, rings in holes:
        around = [polygon for polygon in polygons if _encloses(polygon[0], x, y)]
        min(around, key=lambda polygon: _area(polygon[0])).extend(rings)
    return polygons


def _simple(ring: Ring) -> list[Ring]:
    """Part an outline where it comes to a corner again: there a hole touches it."""
    if len(set(ring)) == len(ring):
        return [ring]
    rings, way = [], list[tuple[int, int]]()
    for corner in ring:
        if corner in way:
            first = way.index(corner)
            rings.append(way[first:])
            del way[first:]
        way.append(corner)
    return [*rings, way]


def _encloses(ring: Ring, x: int, y: int) -> bool:
    """Return whether an outline goes round a pixel."""
    sides = zip(ring, [*ring[1:], ring[0]], strict=True)
    return sum(ax == bx <= x and min(ay, by) <= y < max(ay, by) for (ax, ay), (bx, by) in sides) % 2 == 1


def _places(upper: np.ndarray[Any, np.dtype[np.bool_]]) -> Iterable[tuple[int, int]]:
    """Return rows and columns, without the border, of the pixels with nothing above them."""
    y, x = np.nonzero(upper)
    return zip(y.tolist(), (x - 1).tolist(), strict=True)


def _follow(rows: list[list[bool]], x: int, y: int, visited: set[tuple[int, int]]) -> Ring:
    """Go round an area with it on the right, from the upper left corner of a pixel; `rows` have a border of 1."""
    ring: Ring = []
    u, v, dx, dy = x, y, 1, 0
    before = (0, 0)
    while True:
        if (dx, dy) != before:
            ring.append((u, v))
        before = (dx, dy)
        if dx == 1:
            visited.add((u, v))
        u, v = u + dx, v + dy
        # The pixels ahead: their upper left corner is the middle of the four about this one.
        above, below = rows[v], rows[v + 1]
        if dx == 1:
            ahead_left, ahead_right = above[u + 1], below[u + 1]
        elif dx == -1:
            ahead_left, ahead_right = below[u], above[u]
        elif dy == 1:
            ahead_left, ahead_right = below[u + 1], below[u]
        else:
            ahead_left, ahead_right = above[u], above[u + 1]
        if not ahead_right:
            dx, dy = -dy, dx
        elif ahead_left:
            dx, dy = dy, -dx
        if (u, v, dx) == (x, y, 1):
            return ring


def _area(ring: Ring) -> int:
    """Return twice an area, which is above 0 where the outline goes round it, and not round a hole in it."""
    return sum(ax * by - bx * ay for (ax, ay), (bx, by) in zip(ring, [*ring[1:], ring[0]], strict=True))
