"""Masks from panoramas with a Cellpose 3 network, fast and in bounded memory: `nnbook segment`.

The network, and the dynamics that turn its flows into masks, are Cellpose's (Stringer et al. 2021,
doi:10.1038/s41592-020-01018-x). Around them, everything happens at the network's scale, where nuclei have the diameter
that the network was trained with: a panorama of 12,275 px a side is 2408 px there. There, too,
components of one nucleus are joined (`nnbook.segmentation.grouping`) and doubtful masks are dropped. Only the outlines
are drawn at full resolution, along the interpolated edge of the cell probability.
"""

from __future__ import annotations

import ctypes
import importlib.metadata
import math
import sys
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from nnbook.errors import InvalidValueError, NnbookError
from nnbook.io.confidence import confidence_path, write_confidence
from nnbook.io.images import image_shape, read_image, write_mask
from nnbook.io.inputs import MASK_SUFFIX
from nnbook.io.planes import plane_settings
from nnbook.provenance.stage import Stage, keep, make, read_record, why_stale
from nnbook.provenance.units import Demand, make_units, pixels_of
from nnbook.segmentation.diameter import estimate_diameter
from nnbook.segmentation.masks import ConfidentMasks, full_masks
from nnbook.segmentation.model import Model, network_dtype
from nnbook.segmentation.network import at_network_scale, output_at_scale
from nnbook.segmentation.polarity import has_dark_nuclei
from nnbook.segmentation.scale import grey_range
from nnbook.values.published import CELLPROB_THRESHOLD, DIAMETER_PX, FLOW_THRESHOLD

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nnbook.io.images import Image, Labels
    from nnbook.io.paths import PathLike
    from nnbook.io.planes import Plane
    from nnbook.provenance.units import Workers


PROCESS_BYTES: Final = 1.1e9
BYTES_PER_PX: Final = 6.0
"""Memory of a process that segments: 1.8 GB at its peak for a panorama of 12,275 px, of which 0.6 GB are libraries and
0.4 GB each of two tiles.
"""

GPU_BYTES: Final = 3e9
"""Memory of a GPU that a process takes."""

WORTH_PX: Final = 300_000_000
"""Two panoramas of 12,275 px: fewer take less time in one process than others take to begin."""

NAMED: Final = 10
"""How many images without a nucleus are named."""


def segment_image(
    image: Image,
    model: Model,
    *,
    diameter_px: float | None = DIAMETER_PX,
    flow_threshold: float = FLOW_THRESHOLD,
    cellprob_threshold: float = CELLPROB_THRESHOLD,
) -> Labels:
    """Segment the nuclei of one panorama.

    Parameters
    ----------
    image : Image
        Axes (y, x), any grey levels: only their order and relative distance between the 1st and the 99th percentile
        count, so 8 and 16 bits or floats of the same panorama give the same masks.
    model : Model
        See `load_model`.
    diameter_px : float, optional
        Diameter of the nuclei in px; None to look for it, see `estimate_diameter`.
    flow_threshold : float
        Masks whose flows differ by more from the network's (mean squared error of unit vectors) are dropped; 0 keeps
        all.
    cellprob_threshold : float
        Pixels above it, a logit, belong to nuclei.

    Returns
    -------
    Labels
        Axes (y, x), 0 for background and 1..N for nuclei by their first pixel, row by row. The number of threads
        doesn't change it.

    Raises
    ------
    NnbookError
        Where the array is no image or a setting is out of range.
    """
    _check(diameter_px, flow_threshold, cellprob_threshold)
    if image.ndim != 2 or image.size == 0 or image.dtype.kind not in "uif":
        raise InvalidValueError(
            f"the image is {image.dtype} of shape {image.shape}; give one channel of grey levels, (y, x)"
        )
    if image.dtype.kind == "f" and not np.isfinite(image).all():
        raise InvalidValueError("the image has pixels that are not a number or infinite; replace them, then run again")
    thresholds = {"flow_threshold": flow_threshold, "cellprob_threshold": cellprob_threshold}
    return _masks_of_image(image, model, diameter_px, thresholds)[0].labels.astype(np.int32, copy=False)


def segment_files(
    images: Mapping[str, PathLike],
    out: PathLike,
    model: Model,
    *,
    diameter_px: float | None = DIAMETER_PX,
    flow_threshold: float = FLOW_THRESHOLD,
    cellprob_threshold: float = CELLPROB_THRESHOLD,
    plane: Plane | None = None,
    overwrite: bool = False,
    workers: Workers = None,
) -> list[Path]:
    """Segment image files, each that isn't up to date, and write `NAME_cp_masks.tif` for each.

    Images in which no nucleus was found, or nuclei look darker than the background, are named on standard error.

    Beside each mask is `NAME_cp_confidence.csv`, how likely each of its nuclei is right (`nnbook.io.confidence`), and
    `NAME_cp_masks.json`: the image's SHA-256 and everything else that the mask depends on. Where
    that is still the same, the mask stays as it is, corrections by hand included; else it is made again. A mask that is
    to be made again, but was corrected by hand or is not nnbook's, stays and is named.

    Parameters
    ----------
    images : mapping of str to str or Path
        Image files by the name that their masks get: see `nnbook.io.inputs.list_images`.
    out : str or Path
        The folder to write to.
    model, diameter_px, flow_threshold, cellprob_threshold
        See `segment_image`.
    plane : Plane, optional
        Which plane of each file is the image, where files have several.
    overwrite : bool
        Whether masks that were corrected by hand, or are not nnbook's, may be replaced.
    workers : Workers, optional
        A number of processes, each of which segments an image at a time with its share of the threads; or the address
        of a Dask scheduler, or its client or cluster, whose workers see the same files. By default as many processes
        as there are cores and memory for, where there is enough to do. Masks are the same either way.

    Returns
    -------
    list of Path
        The masks, in the order of `images`.

    Raises
    ------
    NnbookError
        At the end, with one line for each image that couldn't be segmented and each mask that stays; the others are
        done. At once where a setting is wrong.
    """
    out = Path(out)
    _check(diameter_px, flow_threshold, cellprob_threshold)
    thresholds = {"flow_threshold": flow_threshold, "cellprob_threshold": cellprob_threshold}
    settings = {
        "model": model.name,
        "model_sha256": model.sha256,
        "diam_mean_px": model.diam_mean,
        "diameter_px": diameter_px,
        "network_scale": None if diameter_px is None else model.diam_mean / diameter_px,
        **thresholds,
        **plane_settings(plane),
        "device": model.device,
        "dtype": network_dtype(model.device),
        "versions": {name: importlib.metadata.version(name) for name in ("cellpose", "torch", "numba")},
    }
    stages = {name: _mask_stage(name, Path(path), out, settings) for name, path in images.items()}
    changed = {name: stage for name, stage in stages.items() if why_stale(stage)}
    for name in stages.keys() - changed.keys():
        keep(stages[name])
    files = {name: Path(images[name]) for name in changed}
    made = make_units(
        partial(
            _segment_file,
            sent=_SentModel(model),
            diameter_px=diameter_px,
            plane=plane,
            thresholds=thresholds,
            overwrite=overwrite,
        ),
        {name: (files[name], stage) for name, stage in changed.items()},
        Demand(
            pixels_of(files, partial(image_shape, plane=plane)),
            PROCESS_BYTES,
            BYTES_PER_PX,
            WORTH_PX,
            most=_most_on_device(model.device),
        ),
        desc="segment",
        workers=workers,
        aside=out,
        others=stages.keys() - changed.keys(),
    )
    masks = [out / stage.writes[0] for name, stage in stages.items() if name not in made.failed]
    _name_doubtful(masks)
    made.check()
    return masks


def _mask_stage(name: str, path: Path, out: Path, settings: dict[str, Any]) -> Stage:
    """Return the stage that writes the mask of one image file."""
    mask = f"{name}{MASK_SUFFIX}"
    return Stage.of(
        segment_files,
        out,
        f"{mask}.json",
        [f"{mask}.tif", confidence_path(Path(f"{mask}.tif")).name],
        reads=[path],
        settings=settings,
        by_hand=True,
    )


def _name_doubtful(masks: list[Path]) -> None:
    """Name on standard error the images whose masks have no nucleus, and those that look inverted, by their records."""
    records = {mask.stem.removesuffix(MASK_SUFFIX): read_record(mask.with_suffix(".json")) for mask in masks}
    results = {name: record["result"] for name, record in records.items() if record is not None}
    _name(
        [name for name, result in results.items() if not result["nuclei"]], "no nucleus was found", "check the diameter"
    )
    dark = [name for name, result in results.items() if result.get("dark_nuclei")]
    _name(dark, "nuclei look darker than the background", "invert them if they are")


def _name(names: list[str], what: str, remedy: str) -> None:
    if names:
        more = f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
        images = f"{len(names):,} images" if len(names) > 1 else "1 image"
        print(f"nnbook: {what} in {images}: {', '.join(names[:NAMED])}{more}; {remedy}", file=sys.stderr)


def _segment_file(
    job: tuple[Path, Stage],
    *,
    sent: _SentModel,
    diameter_px: float | None,
    plane: Plane | None,
    thresholds: dict[str, float],
    overwrite: bool,
) -> None:
    """Segment one file that is not up to date; the diameter and the number of its nuclei go into the record."""
    path, stage = job
    model = sent.model
    _check_same_dtype(stage.settings["dtype"], model)

    def work(out: Path) -> dict[str, Any]:
        images = [read_image(path, plane)]
        dark = has_dark_nuclei(images[0])
        # Popped, so that the image can be freed while the network runs on its small copy.
        made, found = _masks_of_image(images.pop(), model, diameter_px, thresholds)
        write_mask(out / stage.writes[0], made.labels)
        write_confidence(out / stage.writes[0], made.boxes, made.confidence)
        return {"result": {"found_diameter_px": found, "nuclei": len(made.boxes), "dark_nuclei": dark}}

    try:
        make(stage, work, overwrite=overwrite)
    except NnbookError as error:
        if str(path) in str(error):
            raise
        raise type(error)(f"{path}: {error}") from error


class _SentModel:
    """A model that another process may be given: without what is made from its weights, which can't be pickled."""

    def __init__(self, model: Model) -> None:
        self.model = model

    def __reduce__(self) -> tuple[type[_SentModel], tuple[Model]]:
        return _SentModel, (replace(self.model),)


def _most_on_device(device: str) -> int | None:
    """Return how many processes can have a network on a device at a time, by the memory that is free there."""
    if device == "cpu":
        return None
    import torch

    return max(1, int(torch.cuda.mem_get_info()[0] // GPU_BYTES))


def _check_same_dtype(dtype: str, model: Model) -> None:
    """Refuse to make masks that would differ from those of other machines."""
    if (ours := network_dtype(model.device)) != dtype:
        raise NnbookError(
            f"the network computes in {ours} on this machine and in {dtype} on that of the command, so masks would "
            "differ; use machines with processors of one kind"
        )


def _masks_of_image(
    image: Image, model: Model, diameter_px: float | None, thresholds: dict[str, float]
) -> tuple[ConfidentMasks, float]:
    """Return the masks of one image, in 16 bits where they fit, and the diameter of its nuclei in px."""
    shape = (image.shape[0], image.shape[1])
    greys = grey_range(image)
    found = 0.0 if greys[0] == greys[1] else diameter_px or estimate_diameter(image, model)
    if found == 0:
        return ConfidentMasks(np.zeros(shape, np.int32), np.zeros(0), np.zeros((0, 5), np.int64)), found
    grey = at_network_scale(image, model, found, greys)
    del image
    output = output_at_scale(grey, model)
    _release_memory()
    return full_masks(output, shape, **thresholds, narrow=True), found


def _release_memory() -> None:
    """Return freed memory to the system: glibc keeps 0.4 GB that the network's layers took, and masks need as much."""
    with suppress(AttributeError):  # other C libraries have no such function
        ctypes.CDLL(None).malloc_trim(0)


def _check(diameter_px: float | None, flow_threshold: float, cellprob_threshold: float) -> None:
    if diameter_px is not None and not 1 <= diameter_px <= 100_000:
        raise InvalidValueError(
            f"diameter_px is {diameter_px:g}; give the nuclei's diameter, 1 to 100,000 px", parameter="diameter_px"
        )
    if not 0 <= flow_threshold < math.inf:
        raise InvalidValueError(
            f"flow_threshold is {flow_threshold:g}; give a number from 0, which keeps every mask",
            parameter="flow_threshold",
        )
    if not math.isfinite(cellprob_threshold):
        raise InvalidValueError(
            f"cellprob_threshold is {cellprob_threshold:g}; give a number, usually from -6 to 6",
            parameter="cellprob_threshold",
        )
