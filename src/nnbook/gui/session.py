"""What the view of segmentation asks of a kernel: one image at a time, its masks by any method, and corrections.

What a method does once to an image is kept, so that its settings move masks at once: those of the part that is in view
come first, from a thread of their own, and then those of the whole image.
"""

from __future__ import annotations

import json
import math
import shutil
import tempfile
import threading
import time
import zlib
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from nnbook.errors import InvalidValueError, NnbookError, lacks_memory, reason
from nnbook.gui.corrections import Corrections
from nnbook.gui.folder import ForFolder
from nnbook.gui.opening import read_first
from nnbook.gui.picture import Picture, tile_of_labels
from nnbook.gui.saving import (
    GEOJSON_SUFFIX,
    NAMES,
    ROIS_SUFFIX,
    TABLE_SUFFIX,
    check_record,
    nuclei_table,
    write_nuclei,
    write_record,
)
from nnbook.io.choices import Choices, list_choices
from nnbook.io.confidence import PLACE, confidence_path, read_confidence, write_confidence
from nnbook.io.files import sha256
from nnbook.io.images import as_image, read_image, read_mask, write_mask
from nnbook.io.inputs import MASK_SUFFIX
from nnbook.io.outlines import write_geojson, write_roi_set
from nnbook.io.planes import MAX, Plane
from nnbook.io.scale import image_scale
from nnbook.measurement.rois import measure_panorama
from nnbook.provenance.mask_origin import check_mask_origins
from nnbook.provenance.stage import file_state
from nnbook.segmentation.diameter import estimate_diameter
from nnbook.segmentation.masks import ConfidentMasks
from nnbook.segmentation.model import shipped_model
from nnbook.segmentation.polarity import has_dark_nuclei

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from nnbook.io.images import Image, Labels
    from nnbook.methods.adapter import Draw, Method, Part
    from nnbook.segmentation.model import Model

    Message = dict[str, Any]
    Buffers = Sequence[bytes | memoryview]

PART_DIAMETERS: Final = 6
"""Masks of so many diameters across, in the middle of what is in view, come before those of the whole image."""

WORTH_PX: Final = 500_000
"""An image of fewer pixels is masked as soon as a part of it."""

SETTINGS: Final = ("method", "values", "diameter")
"""What masks are made with: the name of the method, its own settings, and the diameter in px or None."""

DARK_NUCLEI: Final = (
    "Nuclei look darker than the background, and methods look for bright ones; invert the image if they are."
)
"""What is said of an inverted image, of which masks are none, or the gaps between nuclei."""


class CanceledError(Exception):
    """Work that is not wanted any more."""


class KeptError(NnbookError):
    """Masks that somebody else wrote, which are not replaced unasked."""


@dataclass
class Opened:
    """An image that is open, with its masks.

    Attributes
    ----------
    name : str
        What it is called.
    image : Image
        Axes (y, x).
    path : Path or None
        Its file, where it is one.
    state, digest
        State and SHA-256 of the file as it was read.
    beside : bool
        Whether masks are written beside the file.
    choices : Choices
        Among which planes of the file one can choose.
    plane, wanted : Plane
        Which one this is, and which was asked for.
    said : str
        What is to be said of that, and of nuclei that look dark.
    px_per_um : float or None
        Pixels a micrometre, where the file says it.
    """

    name: str
    image: Image
    path: Path | None = None
    state: list[int] = field(default_factory=list)
    digest: str = ""
    beside: bool = True
    choices: Choices = field(default_factory=Choices)
    plane: Plane = field(default_factory=Plane)
    wanted: Plane = field(default_factory=Plane)
    said: str = ""
    px_per_um: float | None = None
    picture: Picture = field(init=False)
    corrections: Corrections | None = None
    nuclei: dict[int, dict[str, Any]] = field(default_factory=dict)
    early: tuple[Part, Labels] | None = None
    made_with: str = ""
    made: Message | None = None
    kept: dict[str, str] = field(default_factory=dict)
    diameter_px: float = 0.0
    seconds: float = 0.0

    def __post_init__(self) -> None:
        self.picture = Picture(self.image)

    def check(self) -> None:
        """Refuse to go on with an image whose file was replaced meanwhile."""
        if self.path is None:
            return
        if not self.path.is_file():
            raise NnbookError(f"{self.path}: is gone since it was opened; put it back, or open another image")
        if (now := file_state(self.path)) == self.state:
            return
        if sha256(self.path) != self.digest:
            raise NnbookError(
                f"{self.path}: was replaced since it was opened, so these are masks of another image; open it again"
            )
        self.state = now


class Session:
    """Answers what a view asks.

    Parameters
    ----------
    images : mapping of str to Path or Image
        Images by name: files, or arrays with axes (y, x).
    methods : mapping of str to Method
        Methods by name.
    say : callable
        Sends a message with its buffers to the view.
    changed : callable
        Called when masks were written, or a method has come.

    Attributes
    ----------
    wanted : Plane
        Which plane is the image, of files with several.
    networks : dict of str to callable
        By the names of methods that are networks of Cellpose 3 with this book's masks, what loads them.
    """

    def __init__(
        self,
        images: Mapping[str, Path | Image],
        methods: Mapping[str, Method],
        say: Callable[[Message, Buffers], None],
        changed: Callable[[], None],
    ) -> None:
        self.images = dict(images)
        self.methods = dict(methods)
        self.say, self.changed = say, changed
        self.wanted = Plane()
        self.networks: dict[str, Callable[[], Model]] = {"nnbook": shipped_model}
        self.opened: Opened | None = None
        self.version = 0
        self._round = 0
        self._analyses: dict[str, Any] = {}
        self._analysed: tuple[str, Draw | None, float] = ("", None, 0.0)
        self._found_px = 0.0
        self._lock = threading.RLock()
        self._whole = ThreadPoolExecutor(1, "whole")
        self._part = ThreadPoolExecutor(1, "part")
        self._dropped: Path | None = None

    def handle(self, message: Message, buffers: Buffers) -> None:
        """Answer a call, now or from a thread."""
        method = message.get("method")
        quick: dict[str, Callable[..., Any]] = {
            "tile": self._tile,
            "labels": self._labels,
            "grey": self._grey,
            "cancel": self._cancel,
            "edit": self._edit,
            "undo": self._undo,
            "redo": self._redo,
            "keep": self.keep,
        }
        act = quick.get(str(method))
        given = message.get("given") or []
        if act is not None:
            self._answer(message, lambda: act(*given))
        elif method == "open":
            self._round += 1
            _, name, choice = given
            self._whole.submit(self._answer, message, lambda: self.open(str(name), buffers, choice))
        elif method in {"segment", "rethreshold"}:
            # A view of a page names its model, which the kernel has itself.
            settings = given[1] if method == "segment" else given[0]
            self._begin(message, {name: settings.get(name) for name in SETTINGS}, message.get("seen"))

    def close(self) -> None:
        """End what is under way."""
        self._round += 1
        self._whole.shutdown(wait=False, cancel_futures=True)
        self._part.shutdown(wait=False, cancel_futures=True)
        if self._dropped is not None:
            shutil.rmtree(self._dropped, ignore_errors=True)

    def open(
        self,
        name: str,
        buffers: Buffers = (),
        choice: Mapping[str, Any] | None = None,
        *,
        strict: bool = False,
    ) -> Message:
        """Open an image by its name, or one that was dropped into the view with its bytes.

        Parameters
        ----------
        name : str
            Of the image.
        buffers : sequence of bytes
            The file, where it was dropped.
        choice : mapping, optional
            Which plane of a file of several was chosen in the view: see widgets/segment/protocol.ts.
        strict : bool
            Refuse a file of several planes among which nobody has chosen, as `nnbook segment` does; else one is shown,
            and said to be.
        """
        now = self.opened
        if not buffers and choice is None and now is not None and now.name == name and self.is_current(now):
            return self._about(now)
        source: Any = self._keep_dropped(name, buffers[0]) if buffers else self.images.get(name)
        if source is None:
            raise NnbookError(f"{name}: is none of the images; choose one of {', '.join(self.images)}")
        try:
            opened = self._read(name, source, choice, strict=strict)
        except NnbookError as error:
            raise type(error)(str(error).replace(f"{self._dropped}/", "")) from error
        opened.beside = not buffers
        with self._lock:
            self.opened = opened
            self._analysed = ("", None, 0.0)
            self._found_px = 0.0
        opened.said = _joined(opened.said, DARK_NUCLEI if has_dark_nuclei(opened.image) else "")
        return {**self._about(opened), "remark": _joined(opened.said, self._open_masks(opened))}

    def is_current(self, opened: Opened) -> bool:
        """Return whether an image that is open is still that of its file, and the plane of it that is wanted."""
        return self.wanted in (opened.wanted, opened.plane) and self._is_same(opened)

    def keep(self, replace: bool = False, kind: str = "masks") -> Any:
        """Write masks beside the image.

        Parameters
        ----------
        replace : bool
            Whether files that were not saved here may be replaced.
        kind : {'masks', 'rois', 'geojson'}
            A label image with a table of the nuclei, a ROI set of ImageJ, or detections for QuPath.

        Returns
        -------
        dict or bytes
            The names of the files; the file itself, where the image is no file of this machine.
        """
        opened = self._wanted()
        if opened.corrections is None:
            raise NnbookError("there are no masks yet; wait until they are made")
        if opened.path is None:
            raise NnbookError(f"{opened.name}: is an array, and no file; write its masks with nnbook.io.write_mask")
        opened.check()
        with self._lock:
            labels = opened.corrections.labels.copy()
            table = nuclei_table(opened.name, list(opened.nuclei.values()), opened.plane, opened.px_per_um)
            corrections = opened.corrections.count
        files = self._files(opened, labels, table, corrections, kind)
        if opened.beside and not replace:
            for path in files:
                if path.exists() and sha256(path) != opened.kept.get(path.name):
                    raise KeptError(f"{path}: is there already, and was not saved here")
        for path, write in files.items():
            write()
            opened.kept[path.name] = sha256(path)
        if not opened.beside:
            return next(iter(files)).read_bytes()
        self.changed()
        return {"names": [path.name for path in files]}

    def _files(
        self, opened: Opened, labels: Labels, table: pd.DataFrame, corrections: int, kind: str
    ) -> dict[Path, Callable[[], None]]:
        """Return the files of a kind, each with what writes it."""
        path = opened.path
        if path is None or kind not in {"masks", "rois", "geojson"}:
            raise InvalidValueError(f"kind is {kind!r}; give masks, rois or geojson", parameter="kind")
        mask = mask_beside(path)
        if kind == "rois":
            rois = path.with_name(f"{path.stem}{ROIS_SUFFIX}")
            return {rois: lambda: write_roi_set(rois, labels, table)}
        if kind == "geojson":
            outlines = path.with_name(f"{path.stem}{GEOJSON_SUFFIX}")
            return {outlines: lambda: write_geojson(outlines, labels, table, opened.px_per_um)}
        rows = path.with_name(f"{path.stem}{TABLE_SUFFIX}")

        def write() -> None:
            write_mask(mask, labels)
            write_record(path, mask, opened.plane, opened.made, corrections)
            sure = table[table["confidence"].notna()]
            if len(sure):
                write_confidence(mask, sure[list(PLACE)].to_numpy(np.int64), sure["confidence"].to_numpy(float))
            else:
                confidence_path(mask).unlink(missing_ok=True)

        return {mask: write, rows: lambda: write_nuclei(rows, table)}

    def make(self, settings: Message) -> Message:
        """Make masks of the image that is open, whole."""
        self._round += 1
        return self._make(self._round, settings, json.dumps(settings, sort_keys=True))

    @property
    def labels(self) -> Labels | None:
        """The masks as they are; None where there are none yet."""
        opened = self.opened
        return None if opened is None or opened.corrections is None else opened.corrections.labels

    def for_folder(self, settings: Mapping[str, Any]) -> ForFolder:
        """Return what segments a folder by a method with its settings, as the image that is open is segmented.

        Raises
        ------
        InvalidValueError
            Where there is no such method, or a setting is out of range.
        """
        method = self._method(settings)
        plane = self.wanted if self.opened is None else self.opened.plane
        return ForFolder(
            method, self._values(method, settings), settings.get("diameter"), plane, self.networks.get(method.name)
        )

    def _answer(self, message: Message, act: Callable[[], Any]) -> None:
        answer: Message = {"kind": "answer", "id": message.get("id")}
        buffers: list[bytes | memoryview] = []
        try:
            given = act()
            if isinstance(given, bytes):
                buffers, given = [given], None
            elif isinstance(given, tuple):
                given, buffers = given[0], [given[1]]
            answer["given"] = given
        except CanceledError:
            answer |= {"problem": "", "canceled": True}
        except NnbookError as error:
            answer |= {"problem": str(error), "kept": isinstance(error, KeptError)}
        except Exception as error:  # noqa: BLE001 - a method may raise whatever it likes; the view says so
            answer["problem"] = worded(error)
        self.say(answer, buffers)

    def _wanted(self) -> Opened:
        if self.opened is None:
            raise CanceledError
        return self.opened

    def _tile(self, level: int, column: int, row: int) -> tuple[Message, bytes]:
        tile = self._wanted().picture.tile(level, column, row)
        return {"of": "grey", "width": tile.shape[1], "height": tile.shape[0]}, tile.tobytes()

    def _labels(self, version: int, level: int, column: int, row: int) -> tuple[Message, bytes]:
        with self._lock:
            opened = self._wanted()
            if version != self.version:
                raise CanceledError
            labels = self.labels
            if labels is None:
                labels = np.broadcast_to(np.int32(0), opened.image.shape)
            tile, place = tile_of_labels(labels, level, column, row)
            tile = tile.astype(np.uint32)
            if opened.early is not None:
                _lay_over(tile, place, *opened.early)
        # A megabyte takes a browser longer to receive than to inflate.
        return {"of": "labels", "width": tile.shape[1], "height": tile.shape[0]}, zlib.compress(tile, 1)

    def _grey(self, x: int, y: int) -> float:
        return float(self._wanted().image[y, x])

    def _cancel(self) -> None:
        self._round += 1

    def _edit(self, edit: dict[str, Any]) -> Message:
        return self._correct(lambda masks, boxes: masks.make(edit, boxes))

    def _undo(self) -> Message:
        return self._correct(lambda masks, _boxes: masks.undo())

    def _redo(self) -> Message:
        return self._correct(lambda masks, _boxes: masks.redo())

    def _correct(self, act: Callable[[Corrections, Mapping[int, Part]], list[Part]]) -> Message:
        opened = self._wanted()
        if opened.corrections is None or opened.early is not None:
            raise NnbookError("masks are being made; correct them as soon as they are there")
        opened.check()
        with self._lock:
            boxes = {roi: box_of(nucleus) for roi, nucleus in opened.nuclei.items()}
            for box in act(opened.corrections, boxes):
                _measure_again(opened, box)
            opened.nuclei = dict(sorted(opened.nuclei.items()))
            return self._segmented(opened)

    def _begin(self, message: Message, settings: Message, seen: Any) -> None:
        """Make masks: of the part that is in view first, where that is sooner."""
        self._round += 1
        turn = self._round
        key = json.dumps(settings, sort_keys=True)
        opened = self.opened
        if opened is not None and opened.corrections is not None and opened.made_with in {"", key}:
            opened.made_with = key  # nothing has changed, or they were written before
            with self._lock:
                self._answer(message, lambda: self._segmented(opened))
            return
        first = None
        if opened is not None and (part := part_in_view(opened.image.shape, seen, self._diameter(settings))):
            first = self._part.submit(self._make_part, turn, settings, part)

        def make() -> Message:
            if first is not None:
                wait([first])  # side by side both would be late
            return self._make(turn, settings, key)

        self._whole.submit(self._answer, message, make)

    def _diameter(self, settings: Message) -> float:
        return float(settings.get("diameter") or self._found_px or 0)

    def _make_part(self, turn: int, settings: Message, part: Part) -> None:
        opened, (key, draw, _) = self.opened, self._analysed
        if turn != self._round or opened is None or draw is None or key != self._key(settings):
            return
        try:
            labels, _ = _with_confidence(draw(self._values(self._method(settings), settings), part))
        except Exception:  # noqa: BLE001 - the whole image fails likewise, and is reported
            return
        with self._lock:
            if turn != self._round or opened is not self.opened:
                return
            opened.early = part, labels
            self.version += 1
            self.say({"kind": "early", "version": self.version, "nuclei": int(len(np.unique(labels)) - 1)}, [])

    def _make(self, turn: int, settings: Message, key: str) -> Message:
        start = time.perf_counter()
        opened = self._wanted()
        opened.check()
        self._check(turn)
        method = self._method(settings)
        diameter = float(settings.get("diameter") or 0)
        if not diameter:
            if not self._found_px:
                self._progress("Looking for the diameter")
                self._found_px = self._estimate(opened.image)
            diameter = self._found_px
        draw = self._analysed[1]
        if diameter and (draw is None or self._analysed[0] != self._key(settings)):
            self._progress("Segmenting")
            draw = self._analysis(method)(opened.image, diameter)
            self._check(turn)
            self._analysed = self._key(settings), draw, diameter
        values = self._values(method, settings)
        self._check(turn)
        if diameter and draw is not None:
            labels, confidence = _with_confidence(draw(values, None))
        else:
            labels, confidence = np.zeros((opened.image.shape[0], opened.image.shape[1]), np.int32), None
        nuclei = _measured(measure_panorama(opened.name, opened.image, labels, 1.0), confidence)
        with self._lock:
            self._check(turn)
            opened.corrections, opened.nuclei, opened.early = Corrections(labels), nuclei, None
            opened.made_with, opened.diameter_px = key, diameter
            opened.made = {"method": method.name, **values, "diameter_px": diameter}
            opened.seconds = time.perf_counter() - start
            return self._segmented(opened)

    def _segmented(self, opened: Opened) -> Message:
        self.version += 1
        masks = opened.corrections
        return {
            "version": self.version,
            "nuclei": list(opened.nuclei.values()),
            "diameter": opened.diameter_px,
            "seconds": opened.seconds,
            "device": "in the kernel",
            "edits": masks.count if masks else 0,
            "undone": masks.undone if masks else 0,
        }

    def _key(self, settings: Message) -> str:
        return f"{settings.get('method')} {settings.get('diameter')}"

    def _method(self, settings: Mapping[str, Any]) -> Method:
        name = str(settings.get("method"))
        if name not in self.methods:
            raise InvalidValueError(f"method is {name!r}; choose one of {', '.join(self.methods)}", parameter="method")
        return self.methods[name]

    def _values(self, method: Method, settings: Mapping[str, Any]) -> dict[str, float]:
        given = settings.get("values") or {}
        values = {}
        for setting in method.settings:
            value = float(given.get(setting.name, setting.usual))
            if not setting.least <= value <= setting.most:
                raise InvalidValueError(
                    f"{setting.name} is {value:g}; give {setting.least:g} to {setting.most:g}", parameter=setting.name
                )
            values[setting.name] = value
        return values

    def _analysis(self, method: Method) -> Any:
        if method.name not in self._analyses:
            self._progress(f"Loading {method.title}")
            self._analyses[method.name] = method.analysis()
        return self._analyses[method.name]

    def _estimate(self, image: Image) -> float:
        return float(estimate_diameter(image, shipped_model()))

    def _check(self, turn: int) -> None:
        if turn != self._round:
            raise CanceledError

    def _progress(self, what: str, share: float = 0.0) -> None:
        self.say({"kind": "progress", "what": what, "share": share}, [])

    def _keep_dropped(self, name: str, data: bytes | memoryview) -> Path:
        if self._dropped is None:
            self._dropped = Path(tempfile.mkdtemp(prefix="nnbook-"))
        path = self._dropped / Path(name).name
        path.write_bytes(data)
        return path

    def _is_same(self, opened: Opened) -> bool:
        try:
            opened.check()
        except NnbookError:
            return False
        return True

    def _read(self, name: str, source: Path | Image, choice: Mapping[str, Any] | None, *, strict: bool) -> Opened:
        if not isinstance(source, Path):
            return Opened(name, as_image(source), wanted=self.wanted)
        choices, said = list_choices(source), ""
        wanted = self.wanted
        if choice is not None:
            wanted = choices.plane(int(choice["channel"]), None if choice.get("greatest") else int(choice["z"]))
        if strict:
            plane = wanted
            image = read_image(source, None if plane == Plane() else plane)
        else:
            image, plane, said = read_first(source, choices, wanted)
        state, digest = file_state(source), sha256(source)
        opened = Opened(name, image, source, state, digest, choices=choices, plane=plane, wanted=wanted, said=said)
        try:
            opened.px_per_um = image_scale(source)
        except NnbookError:
            opened.px_per_um = None
        return opened

    def _open_masks(self, opened: Opened) -> str:
        """Take the masks that are beside an image; return what is to be said of them."""
        if opened.path is None or not (mask := mask_beside(opened.path)).is_file():
            return ""
        try:
            check_mask_origins([(opened.path, mask)])
            check_record(opened.path, mask, opened.plane, opened.choices)
            labels = read_mask(mask, (opened.image.shape[0], opened.image.shape[1]))
            found = measure_panorama(opened.name, opened.image, labels, 1.0)
            confidence = read_confidence(mask, found)
        except NnbookError as error:
            return str(error)
        opened.corrections = Corrections(labels.copy())
        opened.nuclei = _measured(found, confidence)
        own = (mask, opened.path.with_name(f"{opened.path.stem}{TABLE_SUFFIX}"))
        opened.kept = {path.name: sha256(path) for path in own if path.is_file()}
        return f"These are the masks of {mask.name}; a setting that you move makes them anew."

    def _about(self, opened: Opened) -> Message:
        image = opened.image
        kinds = {"u": "bit", "i": "bit signed", "f": "bit float"}
        choices, plane = opened.choices, opened.plane
        named = list(choices.channels) if plane.channel is not None else []
        return {
            "name": opened.name,
            "width": image.shape[1],
            "height": image.shape[0],
            "kind": f"{8 * image.dtype.itemsize} {kinds[image.dtype.kind]}",
            "channels": named or ["image"],
            "planes": choices.planes,
            "choice": {
                "channel": choices.channel_at(plane) or 0,
                "z": int(plane.project) if plane.project and plane.project.isdecimal() else choices.planes // 2,
                "greatest": plane.project == MAX,
            },
            "plane": {"channel": plane.channel, "project": plane.project},
            "pxPerUm": opened.px_per_um,
            "remark": opened.said,
            "range": [0, 255],
        }


def mask_beside(image: Path) -> Path:
    """Return where the masks of an image are that are saved beside it."""
    return image.with_name(f"{image.stem}{MASK_SUFFIX}.tif")


def part_in_view(shape: tuple[int, ...], seen: Any, diameter_px: float) -> Part | None:
    """Return which part of an image is masked first; None where the whole is as soon done.

    Parameters
    ----------
    shape : tuple of int
        Height and width of the image.
    seen : sequence of float
        Left, top, width and height of what is in view, in px.
    diameter_px : float
        Diameter of the nuclei; 0 where it is not known yet.
    """
    if not diameter_px or math.prod(shape) < WORTH_PX or not isinstance(seen, list | tuple) or len(seen) != 4:
        return None
    left, top, width, height = map(float, seen)
    axes = []
    for start, length, side in ((top, height, shape[0]), (left, width, shape[1])):
        first, last = max(0.0, start), min(float(side), start + length)
        middle, half = (first + last) / 2, min(last - first, PART_DIAMETERS * diameter_px) / 2
        axes.append(slice(max(0, int(middle - half)), min(side, math.ceil(middle + half))))
    rows, columns = axes
    return (rows, columns) if rows.start < rows.stop and columns.start < columns.stop else None


def box_of(nucleus: Mapping[str, Any]) -> Part:
    """Return where a nucleus is."""
    left, top = nucleus["left"], nucleus["top"]
    return slice(top, top + nucleus["height"]), slice(left, left + nucleus["width"])


def _joined(*sentences: str) -> str:
    return " ".join(filter(None, sentences))


def worded(error: BaseException) -> str:
    """Word an error of code that is not nnbook's."""
    if lacks_memory(error):
        return "there is too little memory for this; close other programs, or take a smaller image"
    return f"this could not be done ({type(error).__name__}: {reason(error)[:160]})"


def _lay_over(tile: Any, place: Part, part: Part, labels: Labels) -> None:
    """Put labels of a part of an image over a tile, of which every so many pixels are there."""
    step = place[0].step
    inside, source = [], []
    for where, of, count in zip(place, part, tile.shape, strict=True):
        first = max(0, -(-(of.start - where.start) // step))
        last = min(count, -(-(of.stop - where.start) // step))
        if first >= last:
            return
        inside.append(slice(first, last))
        begin = where.start + first * step - of.start
        source.append(slice(begin, begin + (last - first - 1) * step + 1, step))
    tile[tuple(inside)] = labels[tuple(source)]


def _with_confidence(made: Any) -> tuple[Labels, NDArray[np.float64] | None]:
    """Return labels, and how likely each is right where the method knows."""
    if isinstance(made, ConfidentMasks):
        return np.asarray(made.labels, np.int32), made.confidence
    return np.asarray(made, np.int32), None


def _measured(table: pd.DataFrame, confidence: NDArray[np.float64] | None = None) -> dict[int, dict[str, Any]]:
    """Return the nuclei of a table as the view has them: see widgets/segment/masks.ts."""
    rows = table[list(NAMES)].rename(columns=NAMES).to_dict("records")
    sure: list[float | None] = [None] * len(rows)
    if confidence is not None:
        sure = [float(one) if math.isfinite(one) else None for one in confidence]
    return {
        int(row["roi"]): {**{str(key): value for key, value in row.items()}, "confidence": one}
        for row, one in zip(rows, sure, strict=True)
    }


def _measure_again(opened: Opened, box: Part) -> None:
    """Measure the nuclei of which a part of the masks may have changed."""
    if opened.corrections is None:
        return
    labels = opened.corrections.labels
    touched = set(np.unique(labels[box]).tolist()) - {0}
    rows, columns = box
    for roi, one in opened.nuclei.items():
        its_rows, its_columns = box_of(one)
        if _meet(rows, its_rows) and _meet(columns, its_columns):
            touched.add(roi)
    known = [box_of(opened.nuclei[roi]) for roi in touched if roi in opened.nuclei]
    all_rows, all_columns = ([one[axis] for one in [box, *known]] for axis in (0, 1))
    top, left = min(one.start for one in all_rows), min(one.start for one in all_columns)
    around = np.s_[top : max(one.stop for one in all_rows), left : max(one.stop for one in all_columns)]
    part = np.where(np.isin(labels[around], list(touched)), labels[around], 0).astype(np.int32)
    fresh = _measured(measure_panorama(opened.name, opened.image[around], part, 1.0))
    for roi in touched:
        opened.nuclei.pop(roi, None)
    for roi, one in fresh.items():
        one |= {"left": one["left"] + left, "top": one["top"] + top, "x": one["x"] + left, "y": one["y"] + top}
        opened.nuclei[roi] = one


def _meet(one: slice, other: slice) -> bool:
    return bool(one.start < other.stop and other.start < one.stop)
