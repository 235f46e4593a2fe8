"""The book's interactive views for JupyterLab and other hosts of Jupyter widgets, to look at your own images.

Images, tiles and tables reach the browser as messages from the kernel, so that a view works wherever the kernel runs;
tiles of arrays are cut when they are asked for, and nothing is written to disk.
"""

from __future__ import annotations

import os
import re
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anywidget
import numpy as np
import traitlets

from nnbook.cells.store import read_cells
from nnbook.errors import InvalidValueError, MissingFileError, NnbookError
from nnbook.io.files import atomic_write
from nnbook.io.images import as_image, as_mask
from nnbook.io.inputs import other_image
from nnbook.io.stacks import read_stack
from nnbook.measurement.imaged_area import check_scale
from nnbook.provenance.mask_origin import check_mask_origins
from nnbook.segmentation.diameter import estimate_diameter
from nnbook.segmentation.model import shipped_model
from nnbook.segmentation.workflow import segment_image
from nnbook.values.published import CELLPROB_THRESHOLD, FLOW_THRESHOLD
from nnbook.viewers.channels import Channels, Hosted, as_stack, is_zarr
from nnbook.viewers.palette import grey_table, is_colour
from nnbook.viewers.pyramid import LivePyramid, check_sizes
from nnbook.viewers.snapshot import FINER, Overlay, Part, Shown, box_of, draw
from nnbook.viewers.sources import Arrays, Stored, as_json, folder_reader, stored
from nnbook.viewers.tables import panoramas_columns, read_mosaic
from nnbook.viewers.traits import (
    MAX_PX,
    camera,
    channel_looks,
    choice,
    corners,
    flag,
    is_filter,
    is_order,
    names,
    number,
    numbers,
    text,
    whole_number,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from nnbook.io.images import Image, Labels
    from nnbook.io.paths import PathLike
    from nnbook.viewers.sources import Read

BUNDLES = resources.files("nnbook.viewers") / "bundles"
"""The views' JavaScript, which `make` builds: the same files that the book's pages load."""


OPACITY = {"fill": 0.5, "outline": 1.0, "off": 0.0}
"""Of masks, where nothing else is said; see widgets/panorama/toolbar.ts."""

OVERLAY_COLOURS = ("#ffe119", "#ff00ff", "#00ffff", "#ff8800", "#00ff00", "#ffffff")
"""Of further label images, in their order: far apart for colour-blind readers, too."""


MEASUREMENTS = ("area_um2", "mean_intensity", "std_intensity", "texture", "elongation", "orientation_deg", "rim_um")
"""By which nuclei are laid out; see widgets/nuclei."""


class View(anywidget.AnyWidget):
    """A view whose files come from the kernel: the message `{kind: 'file', id, path}` is answered with the bytes.

    With `from`, and perhaps `to`, it is answered with a part of them, and the size of the file; `from` below 0 counts
    from the end.
    """

    _esm = traitlets.Unicode().tag(sync=True)
    address = traitlets.Bool(False, read_only=True).tag(sync=True)  # whether the page's address holds the state
    height = whole_number(1)
    panorama = text("the name of a panorama")
    roi = whole_number(1)

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

    def __setattr__(self, name: str, value: Any) -> None:
        # A misspelt trait would change nothing, and say nothing.
        if not name.startswith("_") and not hasattr(type(self), name):
            raise InvalidValueError(f"{type(self).__name__} has no {name}; see its documentation", parameter=name)
        super().__setattr__(name, value)

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


class ImageView(View):
    """A view of images, whose contrast can be set."""

    contrast = numbers(
        3,
        lambda black, white, gamma: 0 <= black < white <= 255 and 0.1 <= gamma <= 5,
        "the grey levels shown as black and as white, 0 to 255, and a gamma of 0.1 to 5",
    )
    invert = flag("whether dark and bright change places")
    colour = choice("grey", "cividis", "viridis", "inferno")


class PanoramaViewer(ImageView):
    """A panorama at every magnification with its masks: the book's viewer, for an image of your own.

    Parameters
    ----------
    image : numpy.ndarray, str or Path
        One of:

        - an array, axes (y, x), one channel, of any integer or floating-point type. 8-bit grey levels are shown as they
          are, others stretched from their 0.1th to their 99.9th percentile;
        - a TIFF or PNG file of one;
        - a pyramid that `nnbook pyramid` wrote, as a folder or zip, or a folder of several, as `build/twin/pyramids`;
        - an array of several channels or z planes, with `axes`; channels are shown in colours that add up;
        - an OME-TIFF or ImageJ file of several, whose names and colours of channels are taken;
        - an OME-Zarr image of version 0.4 or 0.5: a folder, or an address that begins with `http`, which the browser
          asks for its parts, so its host has to let other sites read. Labels of its own that fit it are its masks.
    masks : numpy.ndarray, str or Path, optional
        An array, axes (y, x), of the image's shape, whole numbers: 0 for background, 1 to 16,777,215 for nuclei. Or a
        TIFF or PNG file of one, such as Cellpose's. A pyramid has its own.
    px_per_um : float, optional
        Pixels a micrometre. Without it there is no scale bar and no area in um2.
    name : str, optional
        What the panorama is called; by default the file's name, or `image`.
    axes : str, optional
        Of an array of several channels (c) or z planes: `cyx`, `zyx`, `czyx` or `zcyx`.
    channel_names : sequence of str, optional
        A name a channel. An array of three axes then has axes `cyx`.
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
    channels : list of dict, or None
        Of an image of several, how each channel is shown, in their order: `name`; `colour`, such as `#ff00ff`; `range`,
        the values shown as black and as the full colour; `shown`. None is how the image says, else in colours that are
        told apart by colour-blind readers.
    z : int or None
        Of a z stack, the plane shown, from 0; None is the middle one, or the one that an OME-Zarr image says.
    shown_labels : list of str
        The names of the label images of `add_labels` that are outlined over the image.
    height : int or None
        The most that the image is high, in CSS px: an image that is wider takes no more than it needs.

    All of them follow what is done in the view, and move it when they are set. `contrast`, `invert` and `colour` are of
    images of one channel, `channels` and `z` of the others.

    Raises
    ------
    MissingFileError
        Where a file isn't there, or the views' JavaScript hasn't been built.
    InvalidValueError
        Where an array is no image or mask, image and masks differ in size, masks are named for another image, or an
        argument is out of range.
    NnbookError
        Where a file can't be read as an image, mask or pyramid, or masks were made from another image.

    Examples
    --------
    >>> import nnbook
    >>> viewer = nnbook.PanoramaViewer("panorama.tif", "panorama_cp_masks.tif", px_per_um=8.0453)
    >>> viewer.roi = 2
    >>> int(viewer.selected["roi"])
    2
    >>> viewer.view = [512, 384, 300]  # centre and width in px: the view moves there
    >>> viewer.add_labels("truth.tif", name="truth")  # outlined over the masks, to compare
    >>> viewer.shown_labels
    ['truth']
    >>> viewer.save_png("nucleus.png", width=1200)
    >>> masks = viewer.segment(diameter_px=152.91)  # outlined, too
    >>> viewer.shown_labels
    ['truth', 'segmented']
    """

    index = traitlets.Unicode("kernel:index.json", read_only=True).tag(sync=True)
    view = camera("panorama")
    masks = choice("fill", "outline", "off")
    opacity = number(None, 0, 1, "a number")
    by = text("a column of rois")
    truth = flag("whether the truth is shown with the masks")
    swipe = number(None, 0, 1, "a share of the width")
    ruler = numbers(
        4, lambda *ends: all(0 <= end < MAX_PX for end in ends), "x and y of both ends of a line, in px of the panorama"
    )
    channels = channel_looks()
    z = whole_number(0)
    zarr = traitlets.Unicode(None, allow_none=True, read_only=True).tag(sync=True)  # of several channels: the image
    masks_address = traitlets.Unicode(None, allow_none=True, read_only=True).tag(sync=True)
    codecs = traitlets.Unicode("kernel:codecs/", read_only=True).tag(sync=True)  # decompressors, where an image has any
    title = traitlets.Unicode(None, allow_none=True, read_only=True).tag(sync=True)
    px_per_um = traitlets.Float(None, allow_none=True, read_only=True).tag(sync=True)
    # Those of add_labels: name, colour, where they are, and the panorama that they belong to.
    label_images: traitlets.List[dict[str, str]] = traitlets.List(read_only=True).tag(sync=True)
    shown_labels = names("the names of label images")

    def __init__(
        self,
        image: Image | PathLike,
        masks: Labels | PathLike | None = None,
        *,
        px_per_um: float | None = None,
        name: str | None = None,
        axes: str | None = None,
        channel_names: Sequence[str] | None = None,
        **traits: Any,
    ) -> None:
        if px_per_um is not None:
            check_scale(px_per_um)
        panoramas = _source(image, masks, px_per_um, name, axes=axes, channel_names=channel_names)
        self._panoramas = panoramas
        self._image = Path(image) if isinstance(image, str | os.PathLike) and Path(image).is_file() else None
        self._further: dict[str, tuple[Labels, LivePyramid]] = {}
        self._count = 0
        bundle = "channels" if isinstance(panoramas, Channels | Hosted) else "panorama"
        super().__init__(bundle, self._file, **{"panorama": panoramas.names[0], **traits})
        if isinstance(panoramas, Channels | Hosted):
            self.set_trait("zarr", panoramas.zarr)
            self.set_trait("masks_address", panoramas.masks)
            self.set_trait("title", panoramas.names[0])
            self.set_trait("px_per_um", px_per_um)

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

    def shown_image(self) -> dict[str, Any]:
        """Return the image that is shown by its name: its file, or its array.

        Raises
        ------
        InvalidValueError
            Where it is a pyramid or has several channels: there is no one image of grey levels.
        """
        if not isinstance(self._panoramas, Arrays):
            raise InvalidValueError(
                f"{self._shown_name}: is a pyramid or has several channels; give the file of one channel instead"
            )
        return {self._shown_name: self._image if self._image is not None else self._panoramas.image}

    def segment(
        self,
        method: Callable[[Image, float], Labels] | None = None,
        *,
        diameter_px: float | None = None,
        flow_threshold: float = FLOW_THRESHOLD,
        cellprob_threshold: float = CELLPROB_THRESHOLD,
        name: str = "segmented",
    ) -> Labels:
        """Segment the image that is shown, and outline the masks over it.

        To move settings and to correct masks by hand, give the viewer to `nnbook.Segmenter`.

        Parameters
        ----------
        method : callable, optional
            Gives labels from an image and a diameter in px, such as `nnbook.methods.list_methods()["otsu"].load()`. By
            default it is the model that comes with nnbook.
        diameter_px : float, optional
            Diameter of the nuclei in px; by default it is looked for.
        flow_threshold, cellprob_threshold : float
            As those of `nnbook.segment`; another method has none of them.
        name : str
            What the masks are called: see `add_labels`.

        Returns
        -------
        Labels
            Axes (y, x), 0 for background.

        Raises
        ------
        InvalidValueError
            Where what is shown is a pyramid or has several channels, or a setting is out of range.
        """
        image = as_image(next(iter(self.shown_image().values())))
        model = shipped_model()
        if method is None:
            thresholds = {"flow_threshold": flow_threshold, "cellprob_threshold": cellprob_threshold}
            labels = segment_image(image, model, diameter_px=diameter_px, **thresholds)
        else:
            labels = as_mask(method(image, diameter_px or max(1.0, estimate_diameter(image, model))))
        self.add_labels(labels, name=name)
        return labels

    def add_labels(
        self, labels: Labels | PathLike, *, name: str, colour: str | None = None, shown: bool = True
    ) -> None:
        """Outline further labels over the panorama, such as the truth or the masks of another method.

        Parameters
        ----------
        labels : numpy.ndarray, str or Path
            An array, axes (y, x), of the panorama's shape, or a file of it; as `masks` of the viewer.
        name : str
            What they are called beside the switch that shows them. Labels of that name are replaced.
        colour : str, optional
            Of their outlines, such as `#ffcc00`; by default one that the others don't have.
        shown : bool
            Whether they are outlined at first; later `shown_labels` says which are.

        Raises
        ------
        InvalidValueError
            Where the labels have another size than the panorama shown, are no label image or are named for another
            image, or name or colour is none.
        NnbookError
            Where the file can't be read, or its record says that it was made from another image.
        """
        if self._image is not None:
            _check_origin(self._image, labels)
        array = as_mask(labels)
        if not isinstance(name, str) or not 0 < len(name) <= 200:
            raise InvalidValueError(f"name is {name!r}; give a text of at most 200 letters", parameter="name")
        width, height = self._panoramas.size(self.panorama)
        check_sizes(name, (height, width), array.shape)
        if colour is not None and not is_colour(colour):
            raise InvalidValueError(f"colour is {colour!r}; give one such as #ffcc00", parameter="colour")
        others = [one for one in self.label_images if one["name"] != name]
        taken = {one["colour"] for one in others}
        ink = colour or next((one for one in OVERLAY_COLOURS if one not in taken), OVERLAY_COLOURS[0])
        self._count += 1
        folder = f"labels{self._count}"
        kept = {one["labels"].partition("/")[0] for one in others}
        self._further = {key: value for key, value in self._further.items() if key in kept}
        self._further[folder] = (array, LivePyramid(name, None, array))
        entry = {"name": name, "colour": ink, "labels": f"{folder}/labels.dzi", "panorama": self._shown_name}
        with self.hold_sync():
            self.set_trait("label_images", [*others, entry])
            still = [one for one in self.shown_labels if one != name]
            self.shown_labels = [*still, name] if shown else still

    def save_png(self, path: PathLike, *, width: int = 1600, height: int | None = None) -> None:
        """Save the present view as a picture, with masks and scale bar as they are shown.

        It is made in Python: no browser has to be open, and it may be larger than any screen.

        Parameters
        ----------
        path : str or Path
            The PNG file to write, or to replace.
        width : int
            Of the picture in px, 16 to 20,000.
        height : int, optional
            Of the picture in px; by default it has the panorama's proportions.

        Raises
        ------
        InvalidValueError
            Where `width` or `height` is out of range.
        NnbookError
            Where tiles of a pyramid are damaged.
        """
        for parameter, value in (("width", width), ("height", height)):
            fits = isinstance(value, int | np.integer) and not isinstance(value, bool) and 16 <= value <= 20_000
            if not fits and not (parameter == "height" and value is None):
                raise InvalidValueError(f"{parameter} is {value!r}; give 16 to 20000 px", parameter=parameter)
        source, panorama = self._panoramas, self.panorama
        size = source.size(panorama)
        box, tall = box_of(self.view, size, int(width), None if height is None else int(height))
        overlays = []
        if (masks := source.labels(panorama, box, (box.right - box.left) / width / FINER)) is not None:
            opacity = self.opacity if self.opacity is not None else OPACITY[self.masks]
            overview = source.overview(panorama) if self.masks != "off" else np.zeros((1, 1), np.int32)
            overlays.append(Overlay(masks, self.masks, opacity, overview, self.roi))
        for entry in self.label_images:
            if entry["name"] in self.shown_labels and entry["panorama"] == self._shown_name:
                labels, _ = self._further[entry["labels"].partition("/")[0]]
                overlays.append(Overlay(Part(labels, 0, 0, 1), "outline", 1, None, None, entry["colour"]))
        step = (box.right - box.left) / width
        if isinstance(source, Channels | Hosted):
            part, table = source.colours(self.channels or source.channels, self.z, step), None
        else:
            part, table = source.grey(panorama, box, step), grey_table(self.contrast, self.colour, invert=self.invert)
        picture = draw(Shown(size, part, table, overlays, source.scale(panorama)), box, int(width), tall)
        with atomic_write(Path(path)) as written:
            picture.save(written, "PNG")

    @property
    def _shown_name(self) -> str:
        """The panorama that is shown: the first where `panorama` names none of them."""
        known = self._panoramas.names
        return self.panorama if self.panorama in known else known[0]

    def _file(self, path: str) -> bytes | None:
        key, _, rest = path.partition("/")
        if key == "codecs" and re.fullmatch(r"codec-(blosc|lz4|zstd)\.mjs", rest):
            return (BUNDLES / rest).read_bytes()
        return self._further[key][1].read(rest) if key in self._further else self._panoramas.read(path)


class Scatter(View):
    """Count against mean brightness, a point a panorama, coloured by spread: the book's scatter, for your own table.

    Parameters
    ----------
    table : pandas.DataFrame
        A row a panorama, as `nnbook.io.results.read_results` gives it: `image` (its file's name), `num_rois` (nuclei),
        `mean_intensity` and `std_intensity` (grey levels, NaN where there is no nucleus), and if known `run` and
        `passage`.
    **traits
        Initial state: any of the attributes below but `table`.

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
        Corners of a polygon, in nuclei and grey levels, at most 200.
    table : bool
        Whether the table is shown in place of the plane.
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
    axes = numbers(
        4,
        lambda left, right, bottom, top: left < right and bottom < top,
        "the least and the most nuclei, and the least and the most grey level",
    )
    by = choice("std", "run", "passage")
    lasso = corners()
    table = flag("whether the table is shown in place of the plane")

    def __init__(self, table: pd.DataFrame, **traits: Any) -> None:
        needed = ["image", "num_rois", "mean_intensity", "std_intensity"]
        if missing := [column for column in needed if column not in table]:
            raise InvalidValueError(
                f"the table has no column {', '.join(missing)}; a results table has {', '.join(needed)}",
                parameter="table",
            )
        listed = as_json({"note": "", "columns": panoramas_columns(table, {})})
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


class _StoreView(View):
    """A view of the cells of a store."""

    cells = traitlets.Unicode("kernel:cells.json", read_only=True).tag(sync=True)
    gate = text(
        "two measurements and the corners of a polygon, such as area_um2,mean_intensity;20,90;90,90;60,240",
        lambda gate: _read_gate(gate)[1] is not None,
        4000,
    )

    def __init__(self, bundle: str, cells: PathLike, **traits: Any) -> None:
        folder = Path(cells)
        self._table = read_cells(folder).table
        self._folder = folder.resolve()
        super().__init__(bundle, folder_reader(folder), **traits)

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
        the two before), `elongation`, `orientation_deg` or `rim_um`.
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
    5
    """

    x = choice("area_um2", *MEASUREMENTS)
    y = choice("mean_intensity", *MEASUREMENTS)
    by = choice("count", "run", *MEASUREMENTS)
    axes = numbers(
        4,
        lambda left, right, bottom, top: left < right and bottom < top,
        "the least and the most of x, and the least and the most of y",
    )

    def __init__(self, cells: PathLike, **traits: Any) -> None:
        super().__init__("nuclei", cells, **traits)


class CellBrowser(_StoreView, ImageView):
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

    per_run = whole_number(1)
    draw = whole_number(1, 2**32 - 1)
    sort = text("a column of the store's table such as area_um2, or -area_um2 for the largest first", is_order)
    filter = text("ranges of columns such as area_um2:100..200;mean_intensity:..80;class:telophase", is_filter, 1000)
    find = text("a part of the names of cells")
    like = text("the name of a cell, such as PANORAMA_ROI_12")
    run = whole_number(1)
    size = number(72.0, 40, 232, "CSS px")
    at = whole_number(1)

    def __init__(self, cells: PathLike, **traits: Any) -> None:
        super().__init__("cells", cells, **traits)

    @traitlets.validate("sort")
    def _check_sort(self, proposal: Any) -> str | None:
        order: str | None = proposal["value"]
        columns = list(self._table.select_dtypes("number").columns)
        if order is not None and order.lstrip("-") not in columns:
            raise InvalidValueError(
                f"sort is {order!r}, and the store has no such column; give one of {', '.join(columns)}",
                parameter="sort",
            )
        return order


class Mosaic(ImageView):
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
    height : int or None
        The most that the mosaic is high, in CSS px: one of few runs is a strip, as high as its rows are at full width.
    contrast, invert, colour
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
    view = camera("mosaic")
    normalised = flag("whether runs are shown at equal brightness")

    def __init__(self, mosaic: PathLike, **traits: Any) -> None:
        mosaic = Path(mosaic)
        read = folder_reader(mosaic)
        if not (mosaic / "mosaic.json").is_file():
            raise MissingFileError(f"{mosaic}: holds no whole mosaic; make one with 'nnbook mosaic'")
        self._table = read_mosaic(mosaic, read)
        super().__init__("mosaic", read, **traits)

    @property
    def selected(self) -> pd.Series | None:
        """The row of the cell chosen, or None: `panorama`, `run`, `roi` and what was measured."""
        return _row(self._table[self._table["panorama"] == self.panorama], "roi", self.roi)


def _source(
    image: Any,
    masks: Labels | PathLike | None,
    px_per_um: float | None,
    name: str | None,
    *,
    axes: str | None,
    channel_names: Sequence[str] | None,
) -> Arrays | Stored | Channels | Hosted:
    """Find out what a viewer was given."""
    if isinstance(image, str) and re.match(r"https?://", image):
        _without_masks(image, masks, "an OME-Zarr image")
        return Hosted(image, name, px_per_um)
    path = Path(image) if isinstance(image, str | os.PathLike) else None
    if path is not None and path.is_dir() and is_zarr(path):
        _without_masks(path, masks, "an OME-Zarr image")
        return Hosted(path, name, px_per_um)
    if path is not None and (path.is_dir() or path.suffix.lower() == ".zip"):
        _without_masks(path, masks, "a pyramid")
        return stored(path, name, px_per_um)
    if path is not None:
        _check_origin(path, masks)
    labels = None if masks is None else as_mask(masks)
    title = name or (path.stem.removesuffix(".ome") if path else "image")
    if path is not None and (found := read_stack(path)) is not None:
        stack, known, colours = found
        named = channel_names or known
        return Channels(as_stack(stack, "czyx", named), labels, title, px_per_um, channel_names=named, colours=colours)
    if path is None and (axes is not None or channel_names is not None):
        stack = as_stack(image, axes, channel_names)
        return Channels(stack, labels, title, px_per_um, channel_names=channel_names)
    return Arrays(as_image(image), labels, title, px_per_um)


def _check_origin(image: Path, labels: Any) -> None:
    """Refuse labels of which it is known that they are of another image: by their record, or by their name."""
    if not isinstance(labels, str | os.PathLike) or not Path(labels).is_file():
        return
    check_mask_origins([(image, labels)])
    if (other := other_image(image, Path(labels))) is not None:
        raise InvalidValueError(f"{labels}: is named for {other}, and not for {image}; give the labels of this image")


def _without_masks(where: PathLike, masks: object, what: str) -> None:
    if masks is not None:
        raise InvalidValueError(f"{where}: {what} has masks of its own; leave out masks", parameter="masks")


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
