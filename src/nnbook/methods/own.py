"""The methods that come with nnbook. Each imports what it needs when it is loaded."""

from __future__ import annotations

import os
from dataclasses import replace
from functools import partial
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from nnbook.errors import reason
from nnbook.methods.adapter import Method, NeedsDownloadError
from nnbook.methods.analysis import (
    BRIGHTNESS,
    CELLPROB,
    FLOW,
    LOGIT,
    SCORE,
    SEPARATION,
    SHARE,
    analyse_by_book,
    analyse_by_cellpose,
    analyse_by_forest,
    analyse_by_nuset,
    analyse_by_otsu,
)

if TYPE_CHECKING:
    from nnbook.io.images import Image, Labels
    from nnbook.methods.adapter import Analyse, Segment
    from nnbook.nuset.segmenter import Nuset

WEIGHTS: Final = Path(str(resources.files("nnbook.methods") / "weights"))
NUSET_WEIGHTS: Final = WEIGHTS / "nuset.npz"
FOREST_WEIGHTS: Final = WEIGHTS / "forest.npz"
"""Trained by `benchmarks/nuset.py` and `benchmarks/comparison.py`; their card is `models/README.md`."""

STARDIST_FOLDER: Final = "NNBOOK_STARDIST_MODEL"
"""The environment variable that names the folder of a StarDist network: one that its package trained, or its own."""

STARDIST_PERCENTILES: Final = (1.0, 99.8)
"""Grey levels that become 0 and 1, as in StarDist's own examples."""


def _otsu() -> Segment:
    from nnbook.evaluation.baseline import otsu_watershed

    return otsu_watershed


def _book() -> Segment:
    from nnbook.segmentation.model import shipped_model
    from nnbook.segmentation.workflow import segment_image

    model = shipped_model()
    return lambda image, diameter_px: segment_image(image, model, diameter_px=diameter_px)


def _stock() -> Segment:
    from nnbook.segmentation.model import SHIPPED_MODEL

    return _cellpose(SHIPPED_MODEL)


def _downloaded(name: str) -> Segment:
    return _cellpose(_local(name), threshold=0.0)


def _local(name: str) -> Path:
    """Return where a model of Cellpose's own is on this machine."""
    folder = os.environ.get("CELLPOSE_LOCAL_MODELS_PATH") or Path.home() / ".cellpose" / "models"  # as Cellpose has it
    path = Path(folder) / name
    if not path.is_file():
        raise NeedsDownloadError(
            f"Cellpose's own weights are not in {path}; fetch them with 'cellpose --pretrained_model {name}'"
        )
    return path


def _book_analysis() -> Analyse:
    from nnbook.segmentation.model import shipped_model

    return analyse_by_book(shipped_model())


def _stock_analysis() -> Analyse:
    from cellpose.models import CellposeModel

    from nnbook.segmentation.model import SHIPPED_MODEL

    return analyse_by_cellpose(CellposeModel(pretrained_model=str(SHIPPED_MODEL)))


def _downloaded_analysis(name: str) -> Analyse:
    from cellpose.models import CellposeModel

    return analyse_by_cellpose(CellposeModel(pretrained_model=str(_local(name))))


def _cellpose(path: Path, threshold: float | None = None) -> Segment:
    from cellpose.models import CellposeModel

    from nnbook.values.published import CELLPROB_THRESHOLD, FLOW_THRESHOLD

    model = CellposeModel(pretrained_model=str(path))
    cellprob_threshold = CELLPROB_THRESHOLD if threshold is None else threshold

    def segment(image: Image, diameter_px: float) -> Labels:
        masks, _, _ = model.eval(
            image,
            channels=[0, 0],
            diameter=diameter_px,
            flow_threshold=FLOW_THRESHOLD,
            cellprob_threshold=cellprob_threshold,
        )
        return np.asarray(masks, dtype=np.int32)

    return segment


def _stardist() -> Segment:
    folder = os.environ.get(STARDIST_FOLDER)
    if not folder or not (Path(folder) / "config.json").is_file():
        raise NeedsDownloadError(
            f"no network of StarDist is at hand; name its folder, with config.json in it, in {STARDIST_FOLDER}"
        )
    try:
        from csbdeep.utils import normalize
        from stardist.models import StarDist2D
    except ImportError as error:
        raise NeedsDownloadError(
            f"StarDist can't be imported ({reason(error)}); install it with 'pip install stardist tensorflow-cpu'"
        ) from error
    from nnbook.nuset.training import NUCLEUS_PX

    path = Path(folder).resolve()
    model = StarDist2D(None, name=path.name, basedir=str(path.parent))

    def segment(image: Image, diameter_px: float) -> Labels:
        grey = normalize(image.astype(np.float32), *STARDIST_PERCENTILES)
        labels, _ = model.predict_instances(grey, scale=NUCLEUS_PX / diameter_px)
        return np.asarray(labels, dtype=np.int32)

    return segment


def _nuset(network: str, coarse: str | None, *, seeded: bool) -> Nuset:
    from nnbook.nuset.segmenter import Nuset
    from nnbook.nuset.weights import read_networks

    networks: dict[str, Any] = read_networks(NUSET_WEIGHTS)
    return Nuset(networks[network], networks[coarse] if coarse else None, seeded)


def _by_nuset(name: str, title: str, network: str, coarse: str | None, *, seeded: bool) -> Method:
    """Describe a NuSeT with or without some of its pieces."""
    nuset = partial(_nuset, network, coarse, seeded=seeded)

    def load() -> Segment:
        from nnbook.nuset.segmenter import segment_nuset

        loaded = nuset()
        return lambda image, diameter_px: segment_nuset(image, loaded, diameter_px)

    settings = (LOGIT, SCORE) if seeded else (LOGIT,)
    return Method(name, title, load, settings, lambda: analyse_by_nuset(nuset()))


def _forest() -> Segment:
    from nnbook.methods.forest import read_forest, segment_by_forest

    forest = read_forest(FOREST_WEIGHTS)
    return lambda image, diameter_px: segment_by_forest(image, forest, diameter_px)


def _forest_analysis() -> Analyse:
    from nnbook.methods.forest import read_forest

    return analyse_by_forest(read_forest(FOREST_WEIGHTS))


ITS_OWN_CELLPROB: Final = replace(CELLPROB, usual=0.0)
"""Cellpose's own weights are trained for this threshold."""

OWN: Final = (
    Method("otsu", "Otsu and watershed", _otsu, (BRIGHTNESS, SEPARATION), lambda: analyse_by_otsu),
    Method("forest", "Random forest on pixels", _forest, (SHARE, SEPARATION), _forest_analysis),
    _by_nuset("unet", "U-Net", "unet", None, seeded=False),
    _by_nuset("nuset-whole", "NuSeT, whole-image normalisation", "whole-synthetic", None, seeded=False),
    _by_nuset(
        "nuset-foreground",
        "NuSeT, foreground normalisation",
        "foreground-synthetic",
        "whole-synthetic",
        seeded=False,
    ),
    _by_nuset("nuset", "NuSeT, with seeded watershed", "foreground-synthetic", "whole-synthetic", seeded=True),
    Method("cellpose", "Cellpose's dynamics, this book's weights", _stock, (FLOW, CELLPROB), _stock_analysis),
    Method("nnbook", "This book", _book, (FLOW, CELLPROB), _book_analysis),
    *(
        Method(
            name,
            f"Cellpose, its own {name}",
            partial(_downloaded, name),
            (FLOW, ITS_OWN_CELLPROB),
            partial(_downloaded_analysis, name),
        )
        for name in ("cyto3", "nuclei")
    ),
    Method("stardist", "StarDist", _stardist),
)
