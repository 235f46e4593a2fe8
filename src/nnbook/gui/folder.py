"""A folder of images segmented by any method, with records: as `nnbook segment` does by the book's own."""

from __future__ import annotations

import importlib.metadata
import sys
from functools import cache, partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from nnbook.errors import NnbookError, reason
from nnbook.io.confidence import confidence_path
from nnbook.io.images import read_image, write_mask
from nnbook.io.inputs import MASK_SUFFIX
from nnbook.io.planes import Plane, plane_settings
from nnbook.provenance.stage import Stage, keep, make, read_record, why_stale
from nnbook.provenance.units import HERE, make_units
from nnbook.segmentation.diameter import estimate_diameter
from nnbook.segmentation.masks import ConfidentMasks
from nnbook.segmentation.model import shipped_model
from nnbook.segmentation.polarity import has_dark_nuclei
from nnbook.segmentation.workflow import segment_files

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from nnbook.methods.adapter import Analyse, Method
    from nnbook.segmentation.model import Model


class ForFolder(NamedTuple):
    """How to segment the images of a folder.

    Attributes
    ----------
    method : Method
        Of segmentation.
    values : mapping of str to float
        Its settings.
    diameter_px : float or None
        Of the nuclei; None to look for it in each image.
    plane : Plane
        Which plane of files of several is the image.
    load_model : callable or None
        Of a method that is a network of Cellpose 3 with this book's masks, what loads it.
    """

    method: Method
    values: Mapping[str, float]
    diameter_px: float | None
    plane: Plane
    load_model: Callable[[], Model] | None


def segment_folder(images: Mapping[str, Path], out: Path, how: ForFolder) -> None:
    """Segment image files, each that isn't up to date, and write `NAME_cp_masks.tif` with its record for each.

    Parameters
    ----------
    images : mapping of str to Path
        By name.
    out : Path
        The folder to write to.
    how : ForFolder
        The method and its settings.

    Raises
    ------
    UnitsError
        At the end, for images that couldn't be segmented and masks that stay.
    """
    plane = None if how.plane == Plane() else how.plane
    if how.load_model is not None:
        values: dict[str, Any] = dict(how.values)
        segment_files(images, out, how.load_model(), diameter_px=how.diameter_px, plane=plane, **values)
        return
    settings = {
        "method": how.method.name,
        **how.values,
        "diameter_px": how.diameter_px,
        **plane_settings(plane),
        "version": importlib.metadata.version("nnbook"),
    }
    stages = {name: _stage(name, path, out, settings) for name, path in images.items()}
    changed = {name: stage for name, stage in stages.items() if why_stale(stage)}
    for name in stages.keys() - changed.keys():
        keep(stages[name])
    files = {name: images[name] for name in changed}
    made = make_units(
        partial(_segment_file, how=how, analysis=cache(how.method.analysis), plane=plane),
        {name: (files[name], stage) for name, stage in changed.items()},
        HERE._replace(worth_px=sys.maxsize),  # what a method keeps can't be sent to other processes
        desc="segment",
        aside=out,
        others=stages.keys() - changed.keys(),
    )
    made.check()


def result_of(mask: Path) -> dict[str, Any] | None:
    """Return what is recorded of a mask: `nuclei`, how many, and `dark_nuclei`; None where it was not made here."""
    record = read_record(mask.with_suffix(".json"))
    result = None if record is None else record["result"]
    return result if isinstance(result, dict) and {"nuclei", "dark_nuclei"} <= result.keys() else None


def _stage(name: str, path: Path, out: Path, settings: dict[str, Any]) -> Stage:
    mask = f"{name}{MASK_SUFFIX}"
    return Stage.of(segment_folder, out, f"{mask}.json", [f"{mask}.tif"], reads=[path], settings=settings, by_hand=True)


def _segment_file(
    job: tuple[Path, Stage], *, how: ForFolder, analysis: Callable[[], Analyse], plane: Plane | None
) -> None:
    path, stage = job

    def work(out: Path) -> dict[str, Any]:
        image = read_image(path, plane)
        diameter = float(how.diameter_px or estimate_diameter(image, shipped_model()))
        labels = np.zeros(image.shape, np.int32)
        if diameter:
            made = analysis()(image, diameter)(how.values, None)
            labels = np.asarray(made.labels if isinstance(made, ConfidentMasks) else made, np.int32)
        write_mask(out / stage.writes[0], labels)
        confidence_path(stage.folder / stage.writes[0]).unlink(missing_ok=True)  # of another method's masks
        nuclei = int(np.count_nonzero(np.bincount(labels.ravel())[1:]))
        return {"result": {"found_diameter_px": diameter, "nuclei": nuclei, "dark_nuclei": has_dark_nuclei(image)}}

    try:
        make(stage, work)
    except NnbookError as error:
        if str(path) in str(error) or str(stage.folder) in str(error):
            raise
        raise type(error)(f"{path}: {error}") from error
    except (OSError, MemoryError):
        raise
    except Exception as error:  # whatever a method raises, the others go on
        raise NnbookError(
            f"{path}: {how.method.title} fails on it ({type(error).__name__}: {reason(error)})"
        ) from error
