"""Images of several channels and z planes for the viewer, which reads them as OME-Zarr from the kernel."""

from __future__ import annotations

import math
import re
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from nnbook.errors import InvalidValueError, NnbookError
from nnbook.io.files import atomic_write, read_json
from nnbook.io.images import read_image
from nnbook.io.planes import Plane
from nnbook.io.stacks import ChannelPicture, read_stack
from nnbook.io.tiff import tiff_planes
from nnbook.measurement.rois import measure
from nnbook.viewers.palette import rgb
from nnbook.viewers.pyramid import LivePyramid, check_sizes
from nnbook.viewers.snapshot import Part
from nnbook.viewers.sources import as_json, folder_reader, overview_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from nnbook.io.images import Labels
    from nnbook.io.paths import PathLike
    from nnbook.viewers.snapshot import Box

    Stack = NDArray[Any]

CHUNK_PX: Final = 512
PLANES_KEPT: Final = 24
"""Planes of smaller levels that are kept in memory, once they were asked for."""

COLOURS: Final = ("#ff00ff", "#00ff00", "#ffd400", "#2f6bff", "#00ffff", "#ff6a00")
"""Of channels that have none of their own; see widgets/channels/omezarr.ts."""

AXES: Final = ("cyx", "zyx", "czyx", "zcyx", "yx")
SHOWN: Final = {"u": 4, "i": 4, "f": 4}
"""The most bytes of a value that the browser is given."""

FOLDER: Final = "image.ome.zarr"

CHANNELS: Final = "channels"
"""The folder of images of several channels in an edition's folder of pyramids."""

INDEX_FILE: Final = "channels.json"
"""Beside it, what lists them."""

REMEDY: Final = "run 'nnbook run' again"


def as_stack(image: Any, axes: str | None, channel_names: Sequence[str] | None) -> Stack:
    """Return an image with axes (c, z, y, x), of values that a browser reads.

    Parameters
    ----------
    image : numpy.ndarray
        Numbers along `axes`.
    axes : str, optional
        `cyx`, `zyx`, `czyx`, `zcyx` or `yx`; by default `yx` of two, and `cyx` of three where channels have names.
    channel_names : sequence of str, optional
        A name a channel.

    Raises
    ------
    InvalidValueError
        Where the axes are not those of the array, names are too few or too many, or it holds no finite numbers.
    """
    array = np.asarray(image)
    known = axes or ("yx" if array.ndim == 2 else "cyx" if array.ndim == 3 and channel_names is not None else "")
    shape = " x ".join(map(str, array.shape))
    if known not in AXES or len(known) != array.ndim or 0 in array.shape:
        raise InvalidValueError(
            f"axes is {axes!r} and the image has shape {shape}; give axes such as cyx (channels), or czyx (z too)",
            parameter="axes",
        )
    if array.dtype.kind not in "uif" or not (array.dtype.kind != "f" or np.isfinite(array).all()):
        raise InvalidValueError(f"the image holds {array.dtype} values, or NaN; it has to hold finite numbers")
    order = [known.index(axis) for axis in "czyx" if axis in known]
    stack = array.transpose(order)
    for place, axis in enumerate("cz"):
        if axis not in known:
            stack = np.expand_dims(stack, place)
    if channel_names is not None and len(channel_names) != len(stack):
        raise InvalidValueError(
            f"channel_names has {len(channel_names)} names, and the image {len(stack)} channels; give one a channel",
            parameter="channel_names",
        )
    if stack.dtype.itemsize > SHOWN[stack.dtype.kind] or stack.dtype == np.float16:
        stack = stack.astype(np.float32)
    return stack


class Channels:
    """One image of several channels or z planes in memory, as the files of an OME-Zarr 0.5.

    Parameters
    ----------
    stack : numpy.ndarray
        Axes (c, z, y, x).
    labels : Labels, optional
        Its masks, axes (y, x).
    name : str
        What it is called.
    px_per_um : float, optional
        Pixels a micrometre.
    channel_names, colours : sequence of str, optional
        One a channel.
    """

    def __init__(
        self,
        stack: Stack,
        labels: Labels | None,
        name: str,
        px_per_um: float | None,
        *,
        channel_names: Sequence[str] | None = None,
        colours: Sequence[str | None] | None = None,
    ) -> None:
        check_sizes(name, stack.shape[2:], None if labels is None else labels.shape)
        self.names = [name]
        self.zarr = f"kernel:{FOLDER}"
        self.masks = None if labels is None else "kernel:masks/labels.dzi"
        self._stack, self._labels, self._px_per_um = stack, labels, px_per_um
        self._pyramid = None if labels is None else LivePyramid(name, None, labels)
        self._measured: pd.DataFrame | None = None
        self._levels = 1 + max(0, math.ceil(math.log2(max(stack.shape[2:]) / CHUNK_PX)))
        self._plane = lru_cache(PLANES_KEPT)(self._made_plane)
        self.channels: list[dict[str, Any]] = [
            {
                "name": channel_names[at] if channel_names is not None else f"Channel {at + 1}",
                "colour": (colours[at] if colours else None) or ("#ffffff" if len(stack) == 1 else COLOURS[at % 6]),
                "range": _range(stack[at]),
                "shown": at < len(COLOURS),
            }
            for at in range(len(stack))
        ]

    def read(self, path: str) -> bytes | None:
        """Return a file by its path; None where there is none."""
        if path.startswith("masks/") and self._pyramid is not None:
            return self._pyramid.read(path.removeprefix("masks/"))
        inside = path.removeprefix(f"{FOLDER}/")
        if inside == path:
            return None
        if inside == "zarr.json":
            return as_json({"zarr_format": 3, "node_type": "group", "attributes": {"ome": self._metadata()}})
        level = re.fullmatch(r"(\d{1,2})/zarr\.json", inside)
        if level and int(level[1]) < self._levels:
            return as_json(self._array(int(level[1])))
        chunk = re.fullmatch(r"(\d{1,2})/c/(\d{1,4})/(\d{1,6})/(\d{1,6})/(\d{1,6})", inside)
        return self._chunk(*map(int, chunk.groups())) if chunk else None

    def write(self, folder: Path) -> None:
        """Write the image as OME-Zarr 0.5 into a folder that is not there yet."""
        import zarr
        from zarr.codecs import ZstdCodec

        root = zarr.create_group(folder, zarr_format=3, attributes={"ome": self._metadata()})
        for level in range(self._levels):
            array = root.create_array(
                str(level),
                shape=(*self._stack.shape[:2], *self._plane(level, 0, 0).shape),
                dtype=self._stack.dtype,
                chunks=(1, 1, CHUNK_PX, CHUNK_PX),
                compressors=ZstdCodec(level=3),
                dimension_names=tuple("czyx"),
                config={"write_empty_chunks": True},
            )
            for channel, z in np.ndindex(self._stack.shape[:2]):
                array[channel, z] = self._plane(level, channel, z)

    def rois(self, _panorama: str | None) -> pd.DataFrame | None:
        """Return the nuclei as measured in the first channel's middle plane, a row each; None without masks."""
        if self._measured is None and self._labels is not None:
            plane = self._stack[0, self._stack.shape[1] // 2]
            self._measured = measure(plane, self._labels, px_per_um=self._px_per_um, name=self.names[0])
        return self._measured

    def size(self, _panorama: str | None) -> tuple[int, int]:
        """Return width and height in px."""
        height, width = self._stack.shape[2:]
        return width, height

    def scale(self, _panorama: str | None) -> float | None:
        """Return pixels a micrometre, where known."""
        return self._px_per_um

    def labels(self, _panorama: str | None, _box: Box, _step: float) -> Part | None:
        """Return labels, as `snapshot.Overlay` wants them; None where there are no masks."""
        return None if self._labels is None else Part(self._labels, 0, 0, 1)

    def overview(self, _panorama: str | None) -> NDArray[Any]:
        """Return the level of the masks' pyramid that is one tile."""
        return overview_of(np.zeros((1, 1), np.int32) if self._labels is None else self._labels)

    def colours(self, channels: Sequence[dict[str, Any]], z: int | None, step: float) -> Part:
        """Return the channels added up in their colours, at no fewer px than the image has at a step."""
        level = min(self._levels - 1, max(0, math.floor(math.log2(max(step, 1)) + 1e-9)))
        plane = self._stack.shape[1] // 2 if z is None else min(z, self._stack.shape[1] - 1)
        planes = np.stack([self._plane(level, at, plane) for at in range(len(self._stack))])
        return Part(composite(planes, channels), 0, 0, 2**level)

    def _made_plane(self, level: int, channel: int, z: int) -> Stack:
        if level == 0:
            plane: Stack = self._stack[channel, z]
            return plane
        finer = self._plane(level - 1, channel, z)
        rows, columns = (np.arange(0, size, 2) for size in finer.shape)
        sums = np.add.reduceat(np.add.reduceat(finer.astype(np.float64), rows, 0), columns, 1)
        counts = np.outer(*(np.minimum(2, size - np.arange(0, size, 2)) for size in finer.shape))
        means = sums / counts
        shrunk: Stack = (np.rint(means) if finer.dtype.kind in "ui" else means).astype(finer.dtype)
        return shrunk

    def _metadata(self) -> dict[str, Any]:
        scale = 1.0 if self._px_per_um is None else 1 / self._px_per_um
        space = {"type": "space"} | ({} if self._px_per_um is None else {"unit": "micrometer"})
        axes = [{"name": "c", "type": "channel"}, *({"name": axis, **space} for axis in "zyx")]
        datasets = [
            {
                "path": str(level),
                "coordinateTransformations": [
                    {"type": "scale", "scale": [1.0, 1.0, scale * 2**level, scale * 2**level]}
                ],
            }
            for level in range(self._levels)
        ]
        channels = [
            {
                "label": channel["name"],
                "color": channel["colour"].removeprefix("#"),
                "active": channel["shown"],
                "window": dict(zip(("start", "end"), channel["range"], strict=True)),
            }
            for channel in self.channels
        ]
        return {
            "version": "0.5",
            "multiscales": [{"name": self.names[0], "axes": axes, "datasets": datasets}],
            "omero": {"channels": channels, "rdefs": {"defaultZ": self._stack.shape[1] // 2}},
        }

    def _array(self, level: int) -> dict[str, Any]:
        height, width = (math.ceil(size / 2**level) for size in self._stack.shape[2:])
        return {
            "zarr_format": 3,
            "node_type": "array",
            "shape": [*self._stack.shape[:2], height, width],
            "data_type": self._stack.dtype.name,
            "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [1, 1, CHUNK_PX, CHUNK_PX]}},
            "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
            "fill_value": 0,
            "codecs": [{"name": "bytes", "configuration": {"endian": "little"}}],
            "attributes": {},
        }

    def _chunk(self, level: int, channel: int, z: int, row: int, column: int) -> bytes | None:
        channels, planes = self._stack.shape[:2]
        if level >= self._levels or channel >= channels or z >= planes:
            return None
        rows, columns = (slice(at * CHUNK_PX, (at + 1) * CHUNK_PX) for at in (row, column))
        part = self._plane(level, channel, z)[rows, columns]
        if part.size == 0:
            return None
        chunk = np.zeros((CHUNK_PX, CHUNK_PX), self._stack.dtype.newbyteorder("<"))
        chunk[: part.shape[0], : part.shape[1]] = part
        return chunk.tobytes()


class Hosted:
    """An OME-Zarr image that the browser reads: of a folder through the kernel, or of a host at its address.

    Parameters
    ----------
    where : str or Path
        The folder, or an address that begins with http.
    name : str, optional
        What it is called; by default the last part of its path.
    px_per_um : float, optional
        Pixels a micrometre; by default what the image says.

    Raises
    ------
    NnbookError
        Where a folder holds no OME-Zarr image.
    """

    masks: str | None = None
    channels: Final[list[dict[str, Any]]] = []

    def __init__(self, where: str | Path, name: str | None, px_per_um: float | None) -> None:
        self._where = str(where)
        title = re.sub(r"(\.ome)?\.zarr$", "", self._where.rstrip("/").rpartition("/")[2])
        self.names = [name or title or "image"]
        self._px_per_um = px_per_um
        self.zarr = self._where if isinstance(where, str) else f"kernel:{FOLDER}"
        self._read = None if isinstance(where, str) else folder_reader(where)

    def read(self, path: str) -> bytes | None:
        """Return a file of the folder by its path; None where there is none."""
        inside = path.removeprefix(f"{FOLDER}/")
        return None if self._read is None or inside == path else self._read(inside)

    def rois(self, _panorama: str | None) -> None:
        """Return None: it is not measured."""

    def size(self, _panorama: str | None) -> tuple[int, int]:
        """Refuse: only the browser knows the image."""
        raise NnbookError(f"{self._where}: is read by the browser alone; give the image as an array for this")

    def scale(self, _panorama: str | None) -> float | None:
        """Return pixels a micrometre, where they were given."""
        return self._px_per_um

    def labels(self, _panorama: str | None, _box: Box, _step: float) -> None:
        """Return None: there are no masks."""

    def overview(self, panorama: str | None) -> NDArray[Any]:
        """Refuse, as `size`."""
        raise NnbookError(f"{self._where}: has no masks that nnbook knows of {panorama}")

    def colours(self, _channels: Sequence[dict[str, Any]], _z: int | None, _step: float) -> Part:
        """Refuse, as `size`."""
        raise NnbookError(f"{self._where}: is read by the browser alone; give the image as an array for this")


def write_channels(folder: PathLike, image: PathLike, *, px_per_um: float, name: str) -> None:
    """Write all channels and z planes of an image file as OME-Zarr 0.5, as the view of channels reads it from a site.

    Parameters
    ----------
    folder : str or Path
        Appears in one step, or replaces what was there.
    image : str or Path
        An OME-TIFF, ImageJ or LSM file of several channels or z planes.
    px_per_um : float
        Pixels a micrometre.
    name : str
        What the image is called.

    Raises
    ------
    NnbookError
        Where the file can't be read, has one plane alone, or does not fit into memory.
    """
    found = read_stack(image)
    if found is None:
        raise NnbookError(f"{image}: has one plane alone; leave channel and project out of its row")
    stack, names, colours = found
    written = Channels(as_stack(stack, "czyx", names), None, name, px_per_um, channel_names=names, colours=colours)
    with atomic_write(Path(folder)) as path:
        written.write(path)


def channels_bytes(image: PathLike) -> int:
    """Return how many bytes all planes of an image file take; 0 where it has one alone, or is no TIFF file."""
    path = Path(image)
    try:
        channels, planes, *_ = tiff_planes(path)
    except (ValueError, KeyError, IndexError, TypeError, OSError):
        return 0
    if channels * planes == 1:
        return 0
    first = read_image(path, Plane("0" if channels > 1 else None, "0" if planes > 1 else None))
    return channels * planes * first.nbytes


def read_channels(folder: PathLike, most_px: int = 900) -> list[ChannelPicture]:
    """Read the images of several channels that a folder of pyramids has, for a figure.

    Parameters
    ----------
    folder : str or Path
        An edition's `pyramids`.
    most_px : int
        About the longest side of each picture.

    Returns
    -------
    list of ChannelPicture
        In the order of `channels.json`; none where there is no such file.

    Raises
    ------
    NnbookError
        Where a file is damaged.
    """
    import zarr

    listed = Path(folder) / INDEX_FILE
    if not listed.is_file():
        return []
    pictures = []
    for entry in read_json(listed, {"images": [{"panorama": str, "zarr": str, "px_per_um": (int, float)}]}, REMEDY)[
        "images"
    ]:
        group = zarr.open_group(listed.parent / entry["zarr"], mode="r")
        about: Any = group.attrs["ome"]
        paths = [dataset["path"] for dataset in about["multiscales"][0]["datasets"]]
        levels: list[Any] = [group[path] for path in paths]
        level = next((one for one in levels if max(one.shape[2:]) <= 2 * most_px), levels[-1])
        plane = np.asarray(level[:, about["omero"]["rdefs"]["defaultZ"]])
        looks = [
            {
                "colour": f"#{channel['color']}",
                "range": [channel["window"]["start"], channel["window"]["end"]],
                "shown": channel["active"],
                "name": channel["label"],
            }
            for channel in about["omero"]["channels"]
        ]
        pictures.append(
            ChannelPicture(
                entry["panorama"],
                composite(plane, looks),
                [(look["name"], look["colour"]) for look in looks if look["shown"]],
                entry["px_per_um"] * level.shape[3] / levels[0].shape[3],
            )
        )
    return pictures


def composite(planes: Stack, looks: Sequence[dict[str, Any]]) -> NDArray[np.uint8]:
    """Return channels, axes (c, y, x), added up in their colours: axes (y, x, red green blue)."""
    sums: NDArray[np.float32] = np.zeros((*planes.shape[1:], 3), np.float32)
    for plane, look in zip(planes, looks, strict=False):
        if look["shown"]:
            low, high = look["range"]
            share = np.clip((plane.astype(np.float32) - low) / (high - low), 0, 1)
            sums += share[..., None] * np.array(rgb(look["colour"]), np.float32)
    added: NDArray[np.uint8] = np.rint(np.minimum(sums, 255)).astype(np.uint8)
    return added


def is_zarr(path: Path) -> bool:
    """Return whether a folder is an OME-Zarr image: a group of Zarr 3 or 2 with attributes."""
    return (path / "zarr.json").is_file() or (path / ".zattrs").is_file()


def _range(channel: Stack) -> list[float]:
    """Return the values shown as black and as the full colour: the 0.1th and the 99.9th percentile."""
    step = max(1, int(np.sqrt(channel.size / 1e6)))
    low, high = (float(value) for value in np.percentile(channel[..., ::step, ::step], [0.1, 99.9]))
    return [low, high] if low < high else [low, low + 1]
