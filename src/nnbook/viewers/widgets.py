"""The book's interactive views for JupyterLab and other hosts of Jupyter widgets, to look at your own images.

Images, tiles and tables reach the browser as messages from the kernel, so that a view works wherever the kernel runs;
tiles of arrays are cut when they are asked for, and nothing is written to disk.
"""

from __future__ import annotations

import json
import os
import re
import zipfile
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anywidget
import numpy as np
import traitlets

from nnbook.cells.store import read_cells
from nnbook.errors import InvalidValueError, MissingFileError, NnbookError
from nnbook.io.files import parse_json
from nnbook.io.images import as_image, as_mask
from nnbook.measurement.imaged_area import check_scale
from nnbook.measurement.rois import measure
from nnbook.viewers.pyramid import LivePyramid
from nnbook.viewers.tables import nuclei_columns, panoramas_columns, read_columns, read_mosaic

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from nnbook.io.images import Image, Labels
    from nnbook.io.paths import PathLike

    Read = Callable[[str], bytes | None]

BUNDLES = resources.files("nnbook.viewers") / "bundles"
"""The views' JavaScript, which `make` builds: the same files that the book's pages load."""

REMEDY = "write it again with 'nnbook run'"
"""What to do where a file of pyramids is damaged."""

IN_ZIP = re.compile(r"(.*?\.zip)/(.+)", re.IGNORECASE)
"""The address of a file in a zip of tiles: `NAME.zip/intensity.dzi`."""

LAYERS = ("intensity.dzi", "labels.dzi", "nuclei.json")
"""The files of a panorama, by their names in an index."""


class _View(anywidget.AnyWidget):
    """A view whose files come from the kernel: the message `{kind: 'file', id, path}` is answered with the bytes.

    With `from`, and perhaps `to`, it is answered with a part of them, and the size of the file; `from` below 0 counts
    from the end.
    """

    _esm = traitlets.Unicode().tag(sync=True)
    address = traitlets.Bool(False, read_only=True).tag(sync=True)  # whether the page's address holds the state
    height = traitlets.Int(None, min=1, allow_none=True).tag(sync=True)
    panorama = traitlets.Unicode(None, allow_none=True).tag(sync=True)
    roi = traitlets.Int(None, min=1, allow_none=True).tag(sync=True)

    def __init__(self, bundle: str, read: Read, **traits: Any) -> None:
        script = BUNDLES / f"{bundle}.mjs"
        if not script.is_file():
            raise MissingFileError(f"{script}: no such file; run 'make widgets/dist/.done' in the checkout of nnbook")
        if unknown := sorted(set(traits) - set(self.trait_names())):
            raise InvalidValueError(
                f"{type(self).__name__} has no {', '.join(unknown)}; see its documentation", parameter=unknown[0]
            )
        self._read = read
        super().__init__(_esm=script.read_text(encoding="utf-8"), **traits)
        self.on_msg(self._answer)

    def _answer(self, _widget: Any, content: dict[str, Any], _buffers: list[Any]) -> None:
        if content.get("kind") != "file":
            return
        answer, path = {"kind": "file", "id": content.get("id")}, str(content.get("path"))
        try:
            data = self._read(path) if "from" not in content else None
            part = self._part(path, int(content["from"]), content.get("to")) if "from" in content else None
        except (NnbookError, OSError) as error:
            self.send({**answer, "error": str(error)})
            return
        if part is not None:
            self.send({**answer, "size": part[1]}, buffers=[part[0]])
        elif data is None:
            self.send({**answer, "error": f"{path}: no such file"})
        else:
            self.send(answer, buffers=[data])

    def _part(self, path: str, first: int, end: int | None) -> tuple[bytes, int] | None:
        """Return a part of a file and the size of the file; None where there is no such file."""
        data = self._read(path)
        return None if data is None else (data[first:end], len(data))


class _ImageView(_View):
    """A view of images, whose contrast can be set."""

    contrast = traitlets.List(traitlets.Float(), None, minlen=3, maxlen=3, allow_none=True).tag(sync=True)
    invert = traitlets.Bool(False).tag(sync=True)
    colour = traitlets.Enum(["grey", "cividis", "viridis", "inferno"], "grey").tag(sync=True)


class PanoramaViewer(_ImageView):
    """A panorama at every magnification with its masks: the book's viewer, for an image of your own.

    Parameters
    ----------
    image : numpy.ndarray, str or Path
        One of:

        - an array, axes (y, x), one channel, of any integer or floating-point type. 8-bit grey levels are shown as they
          are, others stretched from their 0.1th to their 99.9th percentile;
        - a TIFF or PNG file of one;
        - a pyramid that `nnbook pyramid` wrote, as a folder or zip, or a folder of several, as `build/twin/pyramids`.
    masks : numpy.ndarray, str or Path, optional
        An array, axes (y, x), of the image's shape, whole numbers: 0 for background, 1 to 16,777,215 for nuclei. Or a
        TIFF or PNG file of one, such as Cellpose's. A pyramid has its own.
    px_per_um : float, optional
        Pixels a micrometre. Without it there is no scale bar and no area in um2.
    name : str, optional
        What the panorama is called; by default the file's name, or `image`.
    **traits
        Initial state: any of the attributes below but `masks`.

    Attributes
    ----------
    panorama : str or None
        Name of the panorama shown; to be set where there are several.
    roi : int or None
        The nucleus chosen: its label in the masks.
    view : list of float, or None
        What is seen: x and y of its centre and its width, in px of the panorama, with the first pixel's corner at 0.
        None shows all.
    contrast : list of float, or None
        Grey levels shown as black and as white (0 to 255, of the 8-bit image shown) and gamma; None for 0, 255, 1.
    invert : bool
        Whether dark and bright change places.
    colour : {'grey', 'cividis', 'viridis', 'inferno'}
        The colours that grey levels are shown in.
    masks : {'fill', 'outline', 'off'}
        How masks are drawn.
    opacity : float or None
        Of the masks, 0 to 1; None is what suits how they are drawn.
    by : str or None
        The column of `rois` that masks are coloured by; None gives neighbours different colours.
    truth : bool
        Whether the truth is shown with the masks, where a pyramid has it.
    swipe : float or None
        Share of the width at which image and masks meet, or masks and truth; None shows them over one another.
    ruler : list of float, or None
        The line of the ruler: x and y of its two ends, in px of the panorama.
    height : int or None
        Height of the view in CSS px.

    All of them follow what is done in the view, and move it when they are set.

    Raises
    ------
    MissingFileError
        Where a file isn't there, or the views' JavaScript hasn't been built.
    InvalidValueError
        Where an array is no image or mask, image and masks differ in size, or an argument is out of range.
    NnbookError
        Where a file can't be read as an image, mask or pyramid.

    Examples
    --------
    >>> import nnbook
    >>> viewer = nnbook.PanoramaViewer("panorama.tif", "panorama_cp_masks.tif", px_per_um=8.0453)
    >>> viewer.roi = 2
    >>> int(viewer.selected["roi"])
    2
    >>> viewer.view = [512, 384, 300]  # centre and width in px: the view moves there
    """

    index = traitlets.Unicode("kernel:index.json", read_only=True).tag(sync=True)
    view = traitlets.List(traitlets.Float(), None, minlen=3, maxlen=3, allow_none=True).tag(sync=True)
    masks = traitlets.Enum(["fill", "outline", "off"], "fill").tag(sync=True)
    opacity = traitlets.Float(None, min=0, max=1, allow_none=True).tag(sync=True)
    by = traitlets.Unicode(None, allow_none=True).tag(sync=True)
    truth = traitlets.Bool(False).tag(sync=True)
    swipe = traitlets.Float(None, min=0, max=1, allow_none=True).tag(sync=True)
    ruler = traitlets.List(traitlets.Float(), None, minlen=4, maxlen=4, allow_none=True).tag(sync=True)

    def __init__(
        self,
        image: Image | PathLike,
        masks: Labels | PathLike | None = None,
        *,
        px_per_um: float | None = None,
        name: str | None = None,
        **traits: Any,
    ) -> None:
        if px_per_um is not None:
            check_scale(px_per_um)
        stored = Path(image) if isinstance(image, str | os.PathLike) else None
        if stored is not None and (stored.is_dir() or stored.suffix.lower() == ".zip"):
            if masks is not None:
                raise InvalidValueError(f"{stored}: a pyramid has masks of its own; leave out masks", parameter="masks")
            panoramas: _Arrays | _Stored = _stored(stored, name, px_per_um)
        else:
            pixels, labels = as_image(image), None if masks is None else as_mask(masks)
            panoramas = _Arrays(pixels, labels, name or (stored.stem if stored else "image"), px_per_um)
        super().__init__("panorama", panoramas.read, **{"panorama": panoramas.names[0], **traits})
        self._panoramas = panoramas

    @property
    def rois(self) -> pd.DataFrame | None:
        """The measured nuclei of the panorama shown, a row each; None where it has not been measured.

        `roi` is the label; `x_px` and `y_px` the centroid; `left_px`, `top_px`, `width_px`, `height_px` the bounding
        box; `area_um2` where the scale is known; `mean_intensity` and `std_intensity` (population SD) are grey levels
        of the image as it was given; `class` where known.
        """
        return self._panoramas.rois(self.panorama)

    @property
    def selected(self) -> pd.Series | None:
        """The row of `rois` of the nucleus chosen, or None."""
        return _row(self.rois, "roi", self.roi)


class Scatter(_View):
    """Count against mean brightness, a point a panorama, coloured by spread: the book's scatter, for your own table.

    Parameters
    ----------
    table : pandas.DataFrame
        A row a panorama, as `nnbook.io.results.read_results` gives it: `image` (its file's name), `num_rois` (nuclei),
        `mean_intensity` and `std_intensity` (grey levels, NaN where there is no nucleus), and if known `run` and
        `passage`.
    **traits
        Initial state: any of the attributes below.

    Attributes
    ----------
    panorama : str or None
        Name of the panorama chosen: its image's without suffix.
    roi : int or None
        The nucleus chosen in it, by another view.
    axes : list of float, or None
        What is seen: least and most nuclei, least and most grey level. None shows all.
    by : {'std', 'run', 'passage'}
        What colours show.
    lasso : list of (float, float), or None
        Corners of a polygon, in nuclei and grey levels.
    height : int or None
        Height of the view in CSS px.

    All of them follow what is done in the view, and change it when they are set.

    Raises
    ------
    InvalidValueError
        Where the table lacks a column, has no panorama with a nucleus, or an argument is out of range.
    MissingFileError
        Where the views' JavaScript hasn't been built.

    Examples
    --------
    >>> import nnbook
    >>> from nnbook.io import read_results
    >>> scatter = nnbook.Scatter(read_results("results.csv"), by="run")
    >>> scatter.panorama = "Run1TL_top_left"
    >>> int(scatter.selected["num_rois"])
    5
    """

    panoramas = traitlets.Unicode("kernel:panoramas.json", read_only=True).tag(sync=True)
    axes = traitlets.List(traitlets.Float(), None, minlen=4, maxlen=4, allow_none=True).tag(sync=True)
    by = traitlets.Enum(["std", "run", "passage"], "std").tag(sync=True)
    lasso = traitlets.List(traitlets.List(traitlets.Float(), minlen=2, maxlen=2), None, minlen=3, allow_none=True).tag(
        sync=True
    )

    def __init__(self, table: pd.DataFrame, **traits: Any) -> None:
        needed = ["image", "num_rois", "mean_intensity", "std_intensity"]
        if missing := [column for column in needed if column not in table]:
            raise InvalidValueError(
                f"the table has no column {', '.join(missing)}; a results table has {', '.join(needed)}",
                parameter="table",
            )
        listed = _json({"note": "", "columns": panoramas_columns(table, {})})
        super().__init__("scatter", {"panoramas.json": listed}.get, **traits)
        self._table = table.assign(panorama=[Path(image).stem for image in table["image"]])

    @property
    def selected(self) -> pd.Series | None:
        """The row of the table of the panorama chosen, or None."""
        return _row(self._table, "panorama", self.panorama)

    @property
    def lassoed(self) -> pd.DataFrame:
        """The rows of the table inside the lasso; none where there is no lasso."""
        from skimage.measure import points_in_poly

        points = self._table[["num_rois", "mean_intensity"]].fillna(-1.0).to_numpy(np.float64)
        corners = np.array(self.lasso or np.zeros((0, 2)))
        inside: NDArray[np.bool_] = points_in_poly(points, corners)
        return self._table[inside]


class _StoreView(_View):
    """A view of the cells of a store."""

    cells = traitlets.Unicode("kernel:cells.json", read_only=True).tag(sync=True)
    gate = traitlets.Unicode(None, allow_none=True).tag(sync=True)

    def __init__(self, bundle: str, cells: PathLike, **traits: Any) -> None:
        folder = Path(cells)
        self._table = read_cells(folder).table
        self._folder = folder.resolve()
        super().__init__(bundle, _folder_reader(folder), **traits)

    @property
    def selected(self) -> pd.Series | None:
        """The row of the store's table of the cell chosen, or None."""
        return _row(self._table[self._table["panorama"] == self.panorama], "roi", self.roi)

    @property
    def gated(self) -> pd.DataFrame:
        """The rows of the store's table inside the gate; none where there is no gate."""
        from skimage.measure import points_in_poly

        (x, y), corners = _read_gate(self.gate)
        columns = self._table.assign(texture=self._table["std_intensity"] / self._table["mean_intensity"])
        if corners is None or not {x, y} <= set(columns):
            return self._table[:0]
        points = columns[[x, y]].to_numpy(np.float64)
        inside: NDArray[np.bool_] = points_in_poly(np.nan_to_num(points, nan=-np.inf), corners)
        return self._table[inside]

    def _part(self, path: str, first: int, end: int | None) -> tuple[bytes, int] | None:
        """Read a part of a file, which may be large, and no more."""
        file = (self._folder / path).resolve()
        if not (file.is_relative_to(self._folder) and file.is_file()):
            return None
        size = file.stat().st_size
        start = max(0, size + first) if first < 0 else min(first, size)
        with file.open("rb") as opened:
            opened.seek(start)
            return opened.read(max(0, min(size if end is None else end, size) - start)), size


class NucleiScatter(_StoreView):
    """Nuclei by two of their measurements, a point each, or binned where they are many: for a store of your own.

    Parameters
    ----------
    cells : str or Path
        A store that `nnbook cells` wrote, such as `build/twin/cells`.
    **traits
        Initial state: any of the attributes below.

    Attributes
    ----------
    x, y : str
        The measurements across and upwards: `area_um2`, `mean_intensity`, `std_intensity`, `texture` (the quotient of
        the two before), `orientation_deg` or `rim_um`.
    by : str
        What colours show: `count` (how many nuclei there are), `run`, or a measurement.
    axes : list of float, or None
        What is seen: least and most of `x`, least and most of `y`. None shows all.
    gate : str or None
        A lasso: its two measurements, and the corners of a polygon, such as
        `area_um2,mean_intensity;20,90;90,90;60,240`.
    panorama, roi : str or None, int or None
        The nucleus chosen: its panorama, and its label in the mask.
    height : int or None
        Height of the view in CSS px.

    All of them follow what is done in the view, and change it when they are set.

    Raises
    ------
    MissingFileError
        Where there is no store, or the views' JavaScript hasn't been built.
    NnbookError
        Where the store is damaged.

    Examples
    --------
    >>> import nnbook
    >>> nuclei = nnbook.NucleiScatter("cells", y="texture", by="run")
    >>> nuclei.gate = "area_um2,mean_intensity;0,0;1000,0;1000,255;0,255"
    >>> len(nuclei.gated)
    2
    """

    x = traitlets.Unicode("area_um2").tag(sync=True)
    y = traitlets.Unicode("mean_intensity").tag(sync=True)
    by = traitlets.Unicode("count").tag(sync=True)
    axes = traitlets.List(traitlets.Float(), None, minlen=4, maxlen=4, allow_none=True).tag(sync=True)

    def __init__(self, cells: PathLike, **traits: Any) -> None:
        super().__init__("nuclei", cells, **traits)


class CellBrowser(_StoreView, _ImageView):
    """A draw of cells at random, to be looked through: the book's cell browser, for a store of your own.

    Parameters
    ----------
    cells : str or Path
        A store that `nnbook cells` wrote, such as `build/twin/cells`.
    per_run : int, optional
        So many cells are drawn from each run; without it 10,000 from all, or all where there are fewer.
    **traits
        Initial state: any of the attributes below.

    Attributes
    ----------
    draw : int or None
        The seed of the draw, the same in every browser; None makes one afresh.
    sort : str or None
        The measurement by which cells are ordered, such as `area_um2`; `-area_um2` has the largest first.
    filter : str or None
        Which cells of the draw are shown, such as `area_um2:100..200;mean_intensity:..80;class:telophase`.
    find : str or None
        What is in the names of the cells shown in place of a draw: of their panorama, or their own.
    like : str or None
        The name of a cell, such as `Run1TL_top_left_ROI_2`: the hundred most like it are shown in place of a draw.
    gate : str or None
        A lasso in the plane of two measurements: only cells inside are shown. See `NucleiScatter`.
    run : int or None
        The only run whose cells are shown.
    size : float
        Width of a cell in CSS px, 40 to 232.
    at : int or None
        Place of the first cell in view, from 1.
    panorama, roi : str or None, int or None
        The nucleus chosen: its panorama, and its label in the mask.
    contrast, invert, colour, height
        As those of `PanoramaViewer`.

    All of them follow what is done in the view, and change it when they are set.

    Raises
    ------
    MissingFileError
        Where there is no store, or the views' JavaScript hasn't been built.
    NnbookError
        Where the store is damaged.

    Examples
    --------
    >>> import nnbook
    >>> browser = nnbook.CellBrowser("cells", draw=1, sort="-area_um2")
    >>> browser.panorama, browser.roi = "Run1TL_top_left", 2
    >>> browser.selected["cell"]
    'Run1TL_top_left_ROI_2'
    """

    per_run = traitlets.Int(None, min=1, allow_none=True).tag(sync=True)
    draw = traitlets.Int(None, min=1, max=2**32 - 1, allow_none=True).tag(sync=True)
    sort = traitlets.Unicode(None, allow_none=True).tag(sync=True)
    filter = traitlets.Unicode(None, allow_none=True).tag(sync=True)
    find = traitlets.Unicode(None, allow_none=True).tag(sync=True)
    like = traitlets.Unicode(None, allow_none=True).tag(sync=True)
    run = traitlets.Int(None, min=1, allow_none=True).tag(sync=True)
    size = traitlets.Float(72.0, min=40, max=232).tag(sync=True)
    at = traitlets.Int(None, min=1, allow_none=True).tag(sync=True)

    def __init__(self, cells: PathLike, **traits: Any) -> None:
        super().__init__("cells", cells, **traits)


class Mosaic(_ImageView):
    """A sample of cells as one image to zoom into, a run in each row: the book's mosaic, for one of your own.

    Parameters
    ----------
    mosaic : str or Path
        A folder that `nnbook mosaic` wrote, such as `build/twin/mosaic`.
    **traits
        Initial state: any of the attributes below.

    Attributes
    ----------
    view : list of float, or None
        What is seen: x and y of its centre and its width, in px of the mosaic, with the first pixel's corner at 0. None
        shows all.
    normalised : bool
        Whether runs are shown at equal brightness.
    panorama, roi : str or None, int or None
        The nucleus whose cell is chosen: its panorama, and its label in the mask.
    contrast, invert, colour, height
        As those of `PanoramaViewer`.

    All of them follow what is done in the view, and change it when they are set.

    Raises
    ------
    MissingFileError
        Where there is no mosaic, or the views' JavaScript hasn't been built.
    NnbookError
        Where the mosaic is damaged.

    Examples
    --------
    >>> import nnbook
    >>> mosaic = nnbook.Mosaic("mosaic", normalised=True)
    >>> mosaic.panorama, mosaic.roi = "Run1TL_top_left", 2
    >>> int(mosaic.selected["run"])
    1
    """

    mosaic = traitlets.Unicode("kernel:mosaic.json", read_only=True).tag(sync=True)
    view = traitlets.List(traitlets.Float(), None, minlen=3, maxlen=3, allow_none=True).tag(sync=True)
    normalised = traitlets.Bool(False).tag(sync=True)

    def __init__(self, mosaic: PathLike, **traits: Any) -> None:
        mosaic = Path(mosaic)
        read = _folder_reader(mosaic)
        if not (mosaic / "mosaic.json").is_file():
            raise MissingFileError(f"{mosaic}: holds no whole mosaic; make one with 'nnbook mosaic'")
        self._table = read_mosaic(mosaic, read)
        super().__init__("mosaic", read, **traits)

    @property
    def selected(self) -> pd.Series | None:
        """The row of the cell chosen, or None: `panorama`, `run`, `roi` and what was measured."""
        return _row(self._table[self._table["panorama"] == self.panorama], "roi", self.roi)


class _Arrays:
    """One panorama in memory: the files that a viewer asks for, and its nuclei."""

    def __init__(self, image: Image, labels: Labels | None, name: str, px_per_um: float | None) -> None:
        self.names = [name]
        self._image, self._labels, self._px_per_um = image, labels, px_per_um
        self._pyramid = LivePyramid(name, image, labels)
        self._measured: pd.DataFrame | None = None

    def read(self, path: str) -> bytes | None:
        if path == "index.json":
            height, width = self._image.shape
            layers = LAYERS if self._labels is not None else LAYERS[:1]
            return _index(self.names[0], width, height, self._px_per_um, layers)
        if path == "nuclei.json" and (rois := self.rois(self.names[0])) is not None:
            return _json({"panorama": self.names[0], "columns": nuclei_columns(rois)})
        return self._pyramid.read(path)

    def rois(self, _panorama: str | None) -> pd.DataFrame | None:
        if self._measured is None and self._labels is not None:
            self._measured = measure(self._image, self._labels, px_per_um=self._px_per_um, name=self.names[0])
        return self._measured


class _Stored:
    """Panoramas that nnbook wrote: files by their path beside the index, and nuclei."""

    def __init__(self, read: Read, where: Path) -> None:
        self.read = read
        self._where = where
        index = parse_json(where / "index.json", read("index.json") or b"", {"panoramas": [{"panorama": str}]}, REMEDY)
        self._nuclei = {entry["panorama"]: entry.get("nuclei") for entry in index["panoramas"]}
        if not self._nuclei:
            raise NnbookError(f"{where}: has no panoramas; name a folder that holds some")
        self.names = list(self._nuclei)

    def rois(self, panorama: str | None) -> pd.DataFrame | None:
        path = self._nuclei.get(panorama or "")
        data = self.read(str(path)) if path else None
        return read_columns(self._where / str(path), data, REMEDY) if data else None


def _stored(where: Path, name: str | None, px_per_um: float | None) -> _Stored:
    """Open a pyramid or a folder of several: those have an index, and one alone is given one."""
    read = _zip_reader(where) if where.suffix.lower() == ".zip" else _folder_reader(where)
    if read("index.json") is not None:
        return _Stored(read, where)
    size = {key: int(value) for key, value in re.findall(r'(Width|Height)="(\d+)"', (read(LAYERS[0]) or b"").decode())}
    if len(size) != 2:
        raise MissingFileError(f"{where}: has no {LAYERS[0]}; name a pyramid that 'nnbook pyramid' wrote")
    layers = [layer for layer in LAYERS if read(layer) is not None]
    index = _index(name or where.stem, size["Width"], size["Height"], px_per_um, layers)
    return _Stored(lambda path: index if path == "index.json" else read(path), where)


def _index(name: str, width: int, height: int, px_per_um: float | None, layers: Sequence[str]) -> bytes:
    files = {Path(layer).stem: layer for layer in layers}
    entry = {"panorama": name, "width": width, "height": height, "px_per_um": px_per_um, **files}
    return _json({"note": "", "panoramas": [entry]})


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), allow_nan=False).encode()


def _folder_reader(folder: Path) -> Read:
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


def _row(table: pd.DataFrame | None, column: str, value: Any) -> pd.Series | None:
    rows = table[table[column] == value] if table is not None else None
    return None if rows is None or rows.empty else rows.iloc[0]


def _read_gate(text: str | None) -> tuple[tuple[str, str], NDArray[np.float64] | None]:
    """Read a gate: its two measurements and its corners, as (corner, xy); None for the corners where it is none."""
    number = r"-?\d+(?:\.\d+)?"
    if not re.fullmatch(rf"\w+,\w+(?:;{number},{number}){{3,}}", text or ""):
        return ("", ""), None
    (x, y), *corners = (pair.split(",") for pair in (text or "").split(";"))
    return (x, y), np.array(corners, np.float64)
