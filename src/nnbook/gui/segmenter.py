"""The view with which images are segmented and masks corrected by hand, in JupyterLab and other hosts of widgets."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import traitlets

from nnbook.errors import InvalidValueError, MissingFileError, NnbookError
from nnbook.gui.jobs import Job, apply_to_folder, how_to_train, load_trained, train_on_masks, trained_method
from nnbook.gui.session import Session, mask_beside
from nnbook.io.inputs import list_images
from nnbook.io.planes import Plane
from nnbook.methods.adapter import NeedsDownloadError
from nnbook.methods.registry import list_methods
from nnbook.viewers.traits import camera, choice, number
from nnbook.viewers.widgets import ImageView, PanoramaViewer

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from nnbook.io.images import Image, Labels
    from nnbook.io.paths import PathLike

OWN_WEIGHTS = ("cyto3", "nuclei")
"""Methods whose weights may have to be downloaded, which is never done: without them they are not offered."""


class Segmenter(ImageView):
    """Segment images by any method, correct masks by hand, and train on them: the book's page, with a kernel behind it.

    Parameters
    ----------
    images : numpy.ndarray, str, Path, PanoramaViewer, or a sequence of paths
        An array, axes (y, x); image files or folders of them; or a viewer, whose image is taken.
    folder : str or Path, optional
        Where models that are trained are written; by default the folder of the first image, or the present one.
    **traits
        Initial state: any of the attributes below.

    Attributes
    ----------
    image : str or None
        The name of the image that is open; to be set where there are several.
    method : str
        The method of segmentation: see `nnbook.methods.list_methods`.
    settings : dict of str to float
        The method's own settings, such as `{"cellprob_threshold": -2}`; those left out are as usual.
    diameter : float or None
        Diameter of the nuclei in px; None to look for it.
    channel, project : str or None
        Of files of several planes, which one is the image, as `nnbook segment` takes them: a channel's name or number
        from 0, and `max` or the number of a z plane. A choice in the view sets them; without one the view shows the
        first channel and the middle plane, and says so, and `segment` refuses such a file.
    scale : float or None
        Pixels a micrometre.
    masks : {'fill', 'outline', 'off'}
        How masks are drawn.
    roi, view, contrast, invert, colour, height
        As those of `PanoramaViewer`.

    All of them follow what is done in the view, and change it when they are set.

    Raises
    ------
    MissingFileError
        Where a file isn't there, or the views' JavaScript hasn't been built.
    InvalidValueError
        Where an array is no image, or an argument is out of range.
    NnbookError
        Where no image is in a folder.

    Examples
    --------
    >>> import nnbook
    >>> segmenter = nnbook.Segmenter("panorama.tif", method="otsu", diameter=152.91)
    >>> segmenter.image, segmenter.method
    ('panorama', 'otsu')
    >>> segmenter.segment().shape
    (768, 1024)
    >>> len(segmenter.nuclei) == len(set(segmenter.labels[segmenter.labels > 0].tolist()))
    True
    """

    engine = traitlets.Unicode("kernel", read_only=True).tag(sync=True)
    images: traitlets.List[dict[str, Any]] = traitlets.List(read_only=True).tag(sync=True)
    methods: traitlets.List[dict[str, Any]] = traitlets.List(read_only=True).tag(sync=True)
    folder = traitlets.Unicode("", read_only=True).tag(sync=True)
    image = traitlets.Unicode(None, allow_none=True).tag(sync=True)
    method = traitlets.Unicode("nnbook").tag(sync=True)
    settings: traitlets.Dict[str, float] = traitlets.Dict().tag(sync=True)
    diameter = number(None, 1, 100_000, "a number of px")
    channel = traitlets.Unicode(None, allow_none=True).tag(sync=True)
    project = traitlets.Unicode(None, allow_none=True).tag(sync=True)
    scale = number(None, 0.0001, 100_000, "pixels a micrometre")
    masks = choice("fill", "outline", "off")
    view = camera("image")

    def __init__(self, images: Any = (), *, folder: PathLike | None = None, **traits: Any) -> None:
        named = _named(images)
        methods = _methods_here()
        if (wanted := traits.get("method", "nnbook")) in OWN_WEIGHTS and wanted not in methods:
            list_methods()[wanted].load()  # says what is to be downloaded, and how
        if wanted not in methods:
            raise InvalidValueError(f"method is {wanted!r}; choose one of {', '.join(methods)}", parameter="method")
        first = next(iter(named.values()), None)
        self._folder = Path(folder) if folder is not None else first.parent if isinstance(first, Path) else Path()
        if not self._folder.is_dir():
            raise MissingFileError(f"{self._folder}: no such folder; give one that is there")
        wanted = Plane(traits.get("channel"), traits.get("project"))
        self._session = Session(named, methods, self._say, self._offer)
        self._session.wanted = wanted
        self._job: Job | None = None
        super().__init__("segment", lambda _path: None, **{"image": next(iter(named), None), **traits})
        self.set_trait("folder", str(self._folder))
        self._offer()

    @property
    def labels(self) -> Labels | None:
        """The masks as they are, axes (y, x), corrections included; None where there are none yet."""
        return self._session.labels

    @property
    def nuclei(self) -> pd.DataFrame:
        """The nuclei of these masks, a row each: see `nnbook.measure`."""
        import pandas as pd

        opened = self._session.opened
        return pd.DataFrame([] if opened is None else list(opened.nuclei.values()))

    def segment(self) -> Labels:
        """Segment the image that is chosen by the method and the settings that are chosen, and return its masks.

        Raises
        ------
        InvalidValueError
            Where a setting is out of range.
        NnbookError
            Where the image can't be read, or is one of several planes among which `channel` and `project` don't choose.
        """
        if self.image is None:
            raise InvalidValueError("image is None; give the segmenter an image", parameter="image")
        source = self._session.images[self.image]
        opened = self._session.opened
        if opened is None or opened.name != self.image or not self._session.is_current(opened):
            self._session.open(self.image, strict=True)
        self._session.make(self._wanted())
        labels = self._session.labels
        if labels is None:
            raise NnbookError(f"{source}: has no masks")
        return labels

    def save(self, *, kind: str = "masks", replace: bool = False) -> list[str]:
        """Write the masks beside the image; return the names of the files.

        Parameters
        ----------
        kind : {'masks', 'rois', 'geojson'}
            A label image with a table of the nuclei, `NAME_cp_masks.tif` and `NAME_nuclei.csv`; a ROI set of ImageJ,
            `NAME_rois.zip`; or detections for QuPath, `NAME.geojson`.
        replace : bool
            Whether files that were not saved here may be replaced.

        Raises
        ------
        NnbookError
            Where such files are there, or the image's file was replaced since it was opened.
        """
        kept = self._session.keep(replace, kind)
        return list(kept["names"]) if isinstance(kept, dict) else []

    @traitlets.observe("channel", "project")
    def _choose_plane(self, _change: Any) -> None:
        if "_session" in vars(self):
            self._session.wanted = Plane(self.channel, self.project)

    def _wanted(self) -> dict[str, Any]:
        return {"method": self.method, "values": dict(self.settings), "diameter": self.diameter}

    def _say(self, message: dict[str, Any], buffers: Any) -> None:
        self.send(message, buffers=list(buffers))

    def _offer(self) -> None:
        """Say which images and methods there are."""
        with self.hold_sync():
            self.set_trait("images", [{"name": name, "masks": has} for name, has in self._kept().items()])
            self.set_trait("methods", [_described(method) for method in self._session.methods.values()])

    def _kept(self) -> dict[str, bool]:
        return {
            name: isinstance(source, Path) and mask_beside(source).is_file()
            for name, source in self._session.images.items()
        }

    def _answer(self, widget: Any, content: dict[str, Any], buffers: list[Any]) -> None:
        if content.get("kind") != "call":
            super()._answer(widget, content, buffers)
            return
        method, given = content.get("method"), content.get("given") or []
        if method not in {"train", "apply", "stop"}:
            self._session.handle(content, buffers)
            return
        answer: dict[str, Any] = {"kind": "answer", "id": content.get("id"), "given": None}
        try:
            if method == "stop":
                if self._job is not None:
                    self._job.stopped.set()
            else:
                self._begin(str(method), given[0])
        except NnbookError as error:
            answer |= {"problem": str(error)}
        self.send(answer)

    def _begin(self, kind: str, given: Any) -> None:
        if self._job is not None and self._job.is_running:
            raise NnbookError("training or segmenting is still under way; stop it first, or wait until it ends")
        job = Job(kind, lambda message: self.send({**message, "kind": "job", "job": message["kind"]}))
        if kind == "train":
            marked = [self._session.images[name] for name, has in self._kept().items() if has]
            images = [image for image in marked if isinstance(image, Path)]
            path = _free(self._folder / "trained_nuclei")
            settings = how_to_train(int(given))
            work = lambda job: self._trained(train_on_masks(job, images, path, settings), path)  # noqa: E731
        else:
            folder = Path(str(given) or ".")
            if not folder.is_dir():
                raise MissingFileError(f"{folder}: no such folder; give one of images")
            how = self._session.for_folder(self._wanted())
            work = lambda job: apply_to_folder(job, folder, how)  # noqa: E731
        self._job = job
        job.begin(work)

    def _trained(self, text: str, path: Path) -> str:
        """Offer a model that was trained as a method."""
        if path.is_file():
            method = trained_method(path)
            self._session.methods[method.name] = method
            self._session.networks[method.name] = lambda: load_trained(path)
            self._offer()
        return text

    def close(self) -> None:
        """Let go of the image, and end what is under way."""
        own = vars(self)  # without them, where what was given is refused
        if own.get("_job") is not None:
            own["_job"].stopped.set()
        if "_session" in own:
            own["_session"].close()
        super().close()


def _named(images: Any) -> Mapping[str, Path | Image]:
    """Name the images that were given."""
    if isinstance(images, PanoramaViewer):
        return images.shown_image()
    if isinstance(images, str | os.PathLike):
        return _files([images])
    if hasattr(images, "ndim"):
        return {"image": images}
    return _files(list(images))


def _files(paths: list[PathLike]) -> dict[str, Path | Image]:
    for path in map(Path, paths):
        if not path.exists():
            raise MissingFileError(f"{path}: no such file or folder; check the name")
    return dict(list_images(paths).items()) if paths else {}


def _methods_here() -> dict[str, Any]:
    """Return the methods whose weights are on this machine."""
    methods = list_methods()
    for name in OWN_WEIGHTS:
        try:
            methods[name].load()
        except NeedsDownloadError:
            del methods[name]
    return methods


def _described(method: Any) -> dict[str, Any]:
    settings = [
        {
            "name": one.name,
            "title": one.title,
            "least": one.least,
            "most": one.most,
            "step": one.step,
            "usual": one.usual,
        }
        for one in method.settings
    ]
    return {"name": method.name, "title": method.title, "settings": settings}


def _free(path: Path) -> Path:
    """Return a path that nothing has, numbered where need be."""
    paths = (path if at == 1 else path.with_name(f"{path.name}_{at}") for at in range(1, 10_000))
    return next(one for one in paths if not one.exists())
