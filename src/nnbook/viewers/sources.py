"""Where a view's panoramas come from: arrays in memory, of which tiles are cut when asked for, or what is on disk."""

from __future__ import annotations

import io
import json
import math
import re
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image as Picture

from nnbook.errors import MissingFileError, NnbookError
from nnbook.io.files import parse_json
from nnbook.io.images import to_8_bits
from nnbook.measurement.rois import measure
from nnbook.viewers.pyramid import LABEL_TILE_PX, LivePyramid
from nnbook.viewers.snapshot import Part
from nnbook.viewers.tables import nuclei_columns, read_columns

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from nnbook.io.images import Image, Labels
    from nnbook.viewers.snapshot import Box

    Read = Callable[[str], bytes | None]

REMEDY = "write it again with 'nnbook run'"
"""What to do where a file of pyramids is damaged."""

IN_ZIP = re.compile(r"(.*?\.zip)/(.+)", re.IGNORECASE)
"""The address of a file in a zip of tiles: `NAME.zip/intensity.dzi`."""

LAYERS = ("intensity.dzi", "labels.dzi", "nuclei.json")
"""The files of a panorama, by their names in an index."""


class Arrays:
    """One panorama in memory: the files that a viewer asks for, and its nuclei.

    Parameters
    ----------
    image : Image
        Axes (y, x).
    labels : Labels, optional
        Its masks, axes (y, x).
    name : str
        What it is called.
    px_per_um : float, optional
        Pixels a micrometre.
    """

    def __init__(self, image: Image, labels: Labels | None, name: str, px_per_um: float | None) -> None:
        self.names = [name]
        self.px_per_um = px_per_um
        self.image, self._labels = image, labels
        self._pyramid = LivePyramid(name, image, labels)
        self._measured: pd.DataFrame | None = None

    def read(self, path: str) -> bytes | None:
        """Return a file by its path beside the index; None where there is none."""
        if path == "index.json":
            width, height = self.size(None)
            layers = LAYERS if self._labels is not None else LAYERS[:1]
            return _index(self.names[0], width, height, self.px_per_um, layers)
        if path == "nuclei.json" and (rois := self.rois(None)) is not None:
            return as_json({"panorama": self.names[0], "columns": nuclei_columns(rois)})
        return self._pyramid.read(path)

    def rois(self, _panorama: str | None) -> pd.DataFrame | None:
        """Return the measured nuclei, a row each; None where there are no masks."""
        if self._measured is None and self._labels is not None:
            self._measured = measure(self.image, self._labels, px_per_um=self.px_per_um, name=self.names[0])
        return self._measured

    def size(self, _panorama: str | None) -> tuple[int, int]:
        """Return width and height in px."""
        height, width = self.image.shape
        return width, height

    def scale(self, _panorama: str | None) -> float | None:
        """Return pixels a micrometre, where known."""
        return self.px_per_um

    def grey(self, _panorama: str | None, _box: Box, _step: float) -> Part:
        """Return grey levels of 8 bits, as `snapshot.Shown` wants them."""
        return Part(to_8_bits(self.image), 0, 0, 1)

    def labels(self, _panorama: str | None, _box: Box, _step: float) -> Part | None:
        """Return labels, as `snapshot.Overlay` wants them; None where there are no masks."""
        return None if self._labels is None else Part(self._labels, 0, 0, 1)

    def overview(self, _panorama: str | None) -> NDArray[Any]:
        """Return the level of the masks' pyramid that is one tile."""
        return overview_of(np.zeros((1, 1), np.int32) if self._labels is None else self._labels)


class Stored:
    """Panoramas that nnbook wrote: files by their path beside the index, and nuclei.

    Parameters
    ----------
    read : callable
        Returns a file by its path beside the index; None where there is none.
    where : Path
        Where they are, for messages.

    Raises
    ------
    NnbookError
        Where the index is damaged or names no panorama.
    """

    def __init__(self, read: Read, where: Path) -> None:
        self.read = read
        self._where = where
        index = parse_json(where / "index.json", read("index.json") or b"", {"panoramas": [{"panorama": str}]}, REMEDY)
        self._entries: dict[str, dict[str, Any]] = {entry["panorama"]: entry for entry in index["panoramas"]}
        if not self._entries:
            raise NnbookError(f"{where}: has no panoramas; name a folder that holds some")
        self.names = list(self._entries)

    def rois(self, panorama: str | None) -> pd.DataFrame | None:
        """Return the measured nuclei of a panorama, a row each; None where it has not been measured."""
        path = self._entries.get(panorama or "", {}).get("nuclei")
        data = self.read(str(path)) if path else None
        return read_columns(self._where / str(path), data, REMEDY) if data else None

    def size(self, panorama: str | None) -> tuple[int, int]:
        """Return width and height in px."""
        return self._descriptor(panorama, "intensity")[:2]

    def scale(self, panorama: str | None) -> float | None:
        """Return pixels a micrometre, where known."""
        scale = self._entry(panorama).get("px_per_um")
        return float(scale) if scale else None

    def grey(self, panorama: str | None, box: Box, step: float) -> Part:
        """Return grey levels of 8 bits, as `snapshot.Shown` wants them."""
        return self._stitched(panorama, "intensity", box, step)

    def labels(self, panorama: str | None, box: Box, step: float) -> Part | None:
        """Return labels, as `snapshot.Overlay` wants them; None where there are no masks."""
        return self._stitched(panorama, "labels", box, step) if self._entry(panorama).get("labels") else None

    def overview(self, panorama: str | None) -> NDArray[Any]:
        """Return the level of the masks' pyramid that is one tile."""
        width, height, *_ = self._descriptor(panorama, "labels")
        return self._stitched(panorama, "labels", None, overview_step(width, height)).pixels

    def _entry(self, panorama: str | None) -> dict[str, Any]:
        return self._entries.get(panorama or "") or self._entries[self.names[0]]

    def _descriptor(self, panorama: str | None, layer: str) -> tuple[int, int, int, int, str]:
        """Return width, height, the side of a tile and its overlap, and the path of the layer's tiles."""
        path = str(self._entry(panorama).get(layer))
        text = (self.read(path) or b"").decode(errors="replace")
        found = {key: int(value) for key, value in re.findall(r'(Width|Height|TileSize|Overlap)="(\d{1,7})"', text)}
        suffix = re.search(r'Format="(\w+)"', text)
        if not {"Width", "Height", "TileSize"} <= found.keys() or suffix is None:
            raise NnbookError(f"{self._where / path}: is damaged; {REMEDY}")
        tiles = f"{path.removesuffix('.dzi')}_files/{{level}}/{{column}}_{{row}}.{suffix[1]}"
        return found["Width"], found["Height"], found["TileSize"], found.get("Overlap", 0), tiles

    def _stitched(self, panorama: str | None, layer: str, box: Box | None, step: float) -> Part:
        """Put the tiles together that touch a box, or all, of the smallest level with at least a px a step."""
        width, height, side, overlap, tiles = self._descriptor(panorama, layer)
        top = (max(width, height) - 1).bit_length()
        level = max(0, top - max(0, math.floor(math.log2(max(step, 1)) + 1e-9)))
        shrink = 2 ** (top - level)
        across, down = (math.ceil(size / shrink) for size in (width, height))
        left, upper, right, lower = box or (0, 0, width, height)
        columns = range(
            max(0, int(left // (side * shrink))), min(math.ceil(across / side), int(right // (side * shrink)) + 1)
        )
        rows = range(
            max(0, int(upper // (side * shrink))), min(math.ceil(down / side), int(lower // (side * shrink)) + 1)
        )
        first = (columns.start * side, rows.start * side)
        shape = (min(down, rows.stop * side) - first[1], min(across, columns.stop * side) - first[0])
        pixels = np.zeros(shape, np.uint8 if layer == "intensity" else np.int32)
        for row in rows:
            for column in columns:
                tile = self._tile(tiles.format(level=level, column=column, row=row))
                # A tile overlaps those beside it, also on its left and above where there are some.
                tile = tile[overlap if row else 0 :, overlap if column else 0 :][:side, :side]
                x, y = column * side - first[0], row * side - first[1]
                place = pixels[y : y + side, x : x + side]
                place[:] = tile[: place.shape[0], : place.shape[1]]
        return Part(pixels, first[0] * shrink, first[1] * shrink, shrink)

    def _tile(self, path: str) -> NDArray[Any]:
        try:
            values = np.asarray(Picture.open(io.BytesIO(self.read(path) or b"")))
        except OSError as error:
            raise NnbookError(f"{self._where / path}: can't be read; {REMEDY}") from error
        if values.ndim == 2:
            return values
        weights = np.array([1, 256, 65536], np.int32)
        labels: NDArray[Any] = values[..., :3].astype(np.int32) @ weights
        return labels


def overview_step(width: int, height: int) -> int:
    """Return of how many px one is, in the level of a mask's pyramid that is one tile."""
    return int(2 ** max(0, math.ceil(math.log2(max(width, height) / LABEL_TILE_PX))))


def overview_of(labels: NDArray[Any]) -> NDArray[Any]:
    """Return the level of a mask's pyramid that is one tile."""
    step = overview_step(labels.shape[1], labels.shape[0])
    return labels[::step, ::step]


def stored(where: Path, name: str | None, px_per_um: float | None) -> Stored:
    """Open a pyramid or a folder of several: those have an index, and one alone is given one.

    Parameters
    ----------
    where : Path
        A folder or a zip.
    name : str, optional
        What one alone is called; by default its file's name.
    px_per_um : float, optional
        Pixels a micrometre, of one alone.

    Raises
    ------
    NnbookError
        Where there is no pyramid.
    """
    read = _zip_reader(where) if where.suffix.lower() == ".zip" else folder_reader(where)
    if read("index.json") is not None:
        return Stored(read, where)
    size = {key: int(value) for key, value in re.findall(r'(Width|Height)="(\d+)"', (read(LAYERS[0]) or b"").decode())}
    if len(size) != 2:
        raise MissingFileError(f"{where}: has no {LAYERS[0]}; name a pyramid that 'nnbook pyramid' wrote")
    layers = [layer for layer in LAYERS if read(layer) is not None]
    index = _index(name or where.stem, size["Width"], size["Height"], px_per_um, layers)
    return Stored(lambda path: index if path == "index.json" else read(path), where)


def _index(name: str, width: int, height: int, px_per_um: float | None, layers: Sequence[str]) -> bytes:
    files = {Path(layer).stem: layer for layer in layers}
    entry = {"panorama": name, "width": width, "height": height, "px_per_um": px_per_um, **files}
    return as_json({"note": "", "panoramas": [entry]})


def as_json(value: Any) -> bytes:
    """Return a value as JSON without white space."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False).encode()


def folder_reader(folder: Path) -> Read:
    """Make a function that returns a file of a folder by its path in it; None where there is none."""

    def read(path: str) -> bytes | None:
        if "\0" in path:
            return None
        file = (folder / path).resolve()
        if not file.is_relative_to(folder.resolve()):
            return None
        if (inside := IN_ZIP.fullmatch(path)) is not None and (folder / inside[1]).is_file():
            return _zip_reader(folder / inside[1])(inside[2])
        return file.read_bytes() if file.is_file() else None

    return read


def _zip_reader(path: Path) -> Read:
    try:
        archive = zipfile.ZipFile(path)
    except FileNotFoundError:
        raise MissingFileError(f"{path}: no such file; write it with 'nnbook pyramid --zip'") from None
    except (OSError, zipfile.BadZipFile) as error:
        raise NnbookError(f"{path}: can't be read as a zip ({error}); write it with 'nnbook pyramid --zip'") from error
    names = set(archive.namelist())
    return lambda name: archive.read(name) if name in names else None
