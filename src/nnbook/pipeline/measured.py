"""Measurements of files: each panorama's on its own, and gathered into one table of nuclei and one of panoramas.

The nuclei of a panorama are measured, written and recorded below `rois-parts`: so one panorama that changed costs one,
and no more than a row group of the gathered table is in memory.
"""

from __future__ import annotations

import hashlib
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import pandas as pd

from nnbook.errors import NnbookError
from nnbook.evaluation.truth import true_classes
from nnbook.io.confidence import confidence_path, read_confidence
from nnbook.io.files import atomic_write, keep_folders
from nnbook.io.images import image_shape, read_image, read_narrow_mask
from nnbook.io.parquet import open_parquet, write_groups, write_parquet
from nnbook.io.planes import plane_settings
from nnbook.io.results import write_results
from nnbook.measurement.imaged_area import check_scale
from nnbook.measurement.rim import check_rim
from nnbook.measurement.rois import measure_panorama, summarise
from nnbook.provenance.stage import Stage, keep, make, recorded_result, why_stale
from nnbook.provenance.units import Demand, make_units, pixels_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pyarrow as pa

    from nnbook.io.paths import PathLike
    from nnbook.io.planes import Plane
    from nnbook.provenance.units import Workers

PARTS: Final = "rois-parts"
"""The folder, beside the gathered tables, of those of single panoramas."""

PROCESS_BYTES: Final = 0.5e9
BYTES_PER_PX: Final = 6.0
"""Memory of a process that measures."""

WORTH_PX: Final = 1_500_000_000
"""Ten panoramas of 12,275 px, as for `nnbook.segmentation.workflow.WORTH_PX`: measuring takes less time."""

ROIS: Final = "rois.parquet"
RESULTS: Final = "results.csv"
ROWS_PER_GROUP: Final = 65_536
"""So that a range of rows can be read alone."""

TYPES: Final = {
    "panorama": "string",
    **dict.fromkeys(("roi", "area_px"), "int64"),
    **dict.fromkeys(("area_um2", "x_px", "y_px", "mean_intensity", "std_intensity"), "float64"),
    **dict.fromkeys(("left_px", "top_px", "width_px", "height_px"), "int64"),
    "at_border": "bool",
    "wide_area_px": "int64",
    **dict.fromkeys(("wide_mean_intensity", "wide_std_intensity", "confidence"), "float64"),
    "class": "string",
}
"""The columns that a table of nuclei may have, in order, with their types in Arrow."""


class MaskedImage(NamedTuple):
    """A panorama to measure.

    Attributes
    ----------
    image, mask : Path
        Its files.
    px_per_um : float
        Pixels a micrometre.
    truth : Path or None
        Where it is simulated, its true mask, with the table of its nuclei beside it: it gives nuclei their class.
    """

    image: Path
    mask: Path
    px_per_um: float
    truth: Path | None = None


def measure_files(
    panoramas: Mapping[str, MaskedImage],
    out: PathLike,
    *,
    plane: Plane | None = None,
    rim_um: float | None = None,
    workers: Workers = None,
) -> pd.DataFrame:
    """Measure panoramas, each that isn't up to date, and write `rois-parts/NAME/rois.parquet` for each.

    A panorama without a nucleus is named on standard error.

    Parameters
    ----------
    panoramas : mapping of str to MaskedImage
        By their names.
    out : str or Path
        The folder to write below.
    plane : Plane, optional
        Which plane of each image file is the image, where files have several.
    rim_um : float, optional
        How far masks are widened for brightness: see `nnbook.measurement.rois.measure_panorama`. Mean and spread of
        panoramas are then those under the widened masks.
    workers : Workers, optional
        Who measures: see `nnbook.segmentation.workflow.segment_files`.

    Returns
    -------
    pandas.DataFrame
        A row a panorama: see `nnbook.measurement.rois.summarise`.

    Raises
    ------
    InvalidValueError
        Where a scale or the rim is not above 0.
    NnbookError
        Where two image files have one name; or at the end with a line for each panorama whose files are wrong, and the
        others are measured.
    """
    _check(panoramas, rim_um)
    out = Path(out)
    stages = {name: _part_stage(name, one, out, plane=plane, rim_um=rim_um) for name, one in panoramas.items()}
    changed = {name: stage for name, stage in stages.items() if why_stale(stage)}
    for name in stages.keys() - changed.keys():
        keep(stages[name])
    make_units(
        partial(_make_part, plane=plane, rim_um=rim_um),
        {name: (name, panoramas[name], stage) for name, stage in changed.items()},
        Demand(
            pixels_of({name: panoramas[name].image for name in changed}, partial(image_shape, plane=plane)),
            PROCESS_BYTES,
            BYTES_PER_PX,
            WORTH_PX,
            threads=2,
        ),
        desc="measure",
        workers=workers,
        aside=out / PARTS,
        others=stages.keys() - changed.keys(),
    ).check()
    results = pd.DataFrame([recorded_result(stage) for stage in stages.values()])
    for name in [name for name, count in zip(stages, results["num_rois"], strict=True) if not count]:
        print(f"nnbook: {name} has no nucleus; its mean and standard deviation stay empty", file=sys.stderr)
    return results.astype({"mean_intensity": float, "std_intensity": float})


def measure_file(
    name: str, one: MaskedImage, *, plane: Plane | None = None, rim_um: float | None = None
) -> pd.DataFrame:
    """Measure one panorama.

    Parameters
    ----------
    name : str
        Its name.
    one : MaskedImage
        Its files.
    plane, rim_um
        See `measure_files`.

    Returns
    -------
    pandas.DataFrame
        A row a nucleus: see `nnbook.measurement.rois.measure_panorama`. Where nnbook made the mask there is a column
        `confidence`, the probability that it is right, which is missing for nuclei that were drawn or changed by hand.
        Where the class of any nucleus is known there is a column `class`, which is None for the others.

    Raises
    ------
    NnbookError
        Where one of the files is wrong.
    """
    pixels = read_image(one.image, plane)
    labels = read_narrow_mask(one.mask, (pixels.shape[0], pixels.shape[1]))
    table = measure_panorama(name, pixels, labels, one.px_per_um, rim_um)
    if (confidence := read_confidence(one.mask, table)) is not None:
        table["confidence"] = confidence
    if one.truth is not None and (known := true_classes(labels, one.truth)):
        table["class"] = [known.get(roi) for roi in table["roi"]]
    return table


def _part_stage(
    name: str, one: MaskedImage, out: Path, *, plane: Plane | None = None, rim_um: float | None = None
) -> Stage:
    """Return the stage that measures one panorama into `rois-parts/NAME/`."""
    reads = [one.image, one.mask]
    if (confidence := confidence_path(one.mask.resolve())).is_file():
        reads.append(confidence)
    if one.truth is not None:
        reads += [one.truth, one.truth.with_suffix(".csv")]
    return Stage.of(
        _write_part,
        out / PARTS / name,
        record="record.json",
        writes=[ROIS],
        reads=reads,
        settings={
            "panorama": name,
            "image": one.image.name,
            "px_per_um": one.px_per_um,
            "rim_um": rim_um,
            **plane_settings(plane),
        },
    )


def _make_part(job: tuple[str, MaskedImage, Stage], *, plane: Plane | None, rim_um: float | None) -> None:
    """Measure one panorama that isn't up to date: see `measure_files`."""
    name, one, stage = job

    make(stage, lambda folder: _write_part(folder, name, one, plane, rim_um))


def _write_part(folder: Path, name: str, one: MaskedImage, plane: Plane | None, rim_um: float | None) -> dict[str, Any]:
    """Write the nuclei of one panorama; return its row of the results."""
    rois = measure_file(name, one, plane=plane, rim_um=rim_um)
    write_parquet(folder / ROIS, _as_arrow(rois))
    summary = summarise(one.image.name, rois)
    # JSON has no number for the mean of nothing.
    return {"result": {key: None if pd.isna(value) else value for key, value in summary.items()}}


def gather_measurements(
    names: Sequence[str], results: pd.DataFrame, folder: PathLike, *, record: str = f"{PARTS}/record.json"
) -> None:
    """Gather `rois.parquet` and `results.csv` from the parts of panoramas, where they are out of date.

    Parameters
    ----------
    names : sequence of str
        The panoramas, in order. Parts of others are removed.
    results : pandas.DataFrame
        What `measure_files` returned, and maybe further columns.
    folder : str or Path
        The one that `measure_files` wrote below.
    record : str, optional
        The name of the record of what was gathered.
    """
    folder = Path(folder)
    stage = Stage.of(
        write_measurements,
        folder,
        record=record,
        writes=[ROIS, RESULTS],
        reads=[folder / PARTS / name / ROIS for name in names],
        settings={"results": hashlib.sha256(results.to_csv(index=False).encode()).hexdigest()},
    )
    make(stage, lambda out: write_measurements(folder, names, results, out))


def write_measurements(parts: PathLike, names: Sequence[str], results: pd.DataFrame, folder: PathLike) -> None:
    """Write `rois.parquet` and `results.csv`: see `gather_measurements`.

    Parameters
    ----------
    parts : str or Path
        The folder that `measure_files` wrote below.
    names, results
        See `gather_measurements`.
    folder : str or Path
        Made where it is missing.
    """
    parts, folder = Path(parts) / PARTS, Path(folder)
    gather_rois([parts / name / ROIS for name in names], folder / ROIS)
    write_results(folder / RESULTS, results)
    keep_folders(parts, names)


def gather_rois(tables: Sequence[Path], out: Path) -> None:
    """Write the tables of nuclei of panoramas as one, of which no more than a row group is in memory."""
    import pyarrow as pa

    present = {column for table in tables for column in _columns(table)}
    schema = pa.schema([(name, kind) for name, kind in TYPES.items() if name in present])

    def rows() -> Iterator[pa.Table]:
        for path in tables:
            with open_parquet(path, "delete it, and measure again") as file:
                part = file.read(use_threads=False)  # most are small
            columns = [part[name] if name in part.column_names else pa.nulls(len(part)) for name in schema.names]
            yield pa.table(columns, names=schema.names).cast(schema)

    with atomic_write(out) as written:
        write_groups(written, rows(), schema, ROWS_PER_GROUP)


def _columns(table: Path) -> list[str]:
    with open_parquet(table, "delete it, and measure again") as file:
        return list(file.schema_arrow.names)


def _as_arrow(rois: pd.DataFrame) -> pa.Table:
    import pyarrow as pa

    schema = pa.schema([(name, TYPES[name]) for name in TYPES if name in rois])
    return pa.Table.from_pandas(rois[schema.names], schema=schema, preserve_index=False).replace_schema_metadata(None)


def _check(panoramas: Mapping[str, MaskedImage], rim_um: float | None) -> None:
    if rim_um is not None:
        check_rim(rim_um)
    by_name: dict[str, Path] = {}
    for one in panoramas.values():
        check_scale(one.px_per_um)
        if (other := by_name.setdefault(one.image.name, one.image)) is not one.image:
            raise NnbookError(
                f"{one.image}: is named as {other}; rename one, for results.csv tells images apart by name"
            )
