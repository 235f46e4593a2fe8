"""Cells: NucleusNet's single-cell images, cut from panoramas and masks into one store.

`nnbook.cells.extraction` says how one is cut. A nucleus that touches its panorama's edge gives no cell, for it may be
cut off there, and one that does not fit into the frame gives none either; both are counted.

A store is a folder:

- `cells.zarr`: a Zarr 3 group of two sharded arrays, `images` (N, 256, 256) and `thumbnails` (N, 64, 64);
- `cells.parquet`: a row a cell, in the same order, whose column `image_number` is the number of its image;
- `cells.json`: what it holds, and what was left out;
- `croissant.json`: the same for machines, see `nnbook.cells.croissant`;
- `overview.parquet`, where there are very many cells: some of the rows, see `nnbook.cells.overview`;
- `draw.zarr`, where there are very many: thumbnails of those that a view shows first, see `nnbook.cells.draw`.

Cells are in order of run, then of the manifest, then of label: so a run is one range of rows.

The cells of a panorama are cut, written and recorded on their own, below `NAME-parts` beside the store NAME, and begin
a shard of their own. The store's shards are links to those of its parts: so it costs no second copy, and one panorama
that changed costs one. The last shard of a part has fewer images than the others, so numbers of images skip.
"""

from __future__ import annotations

import hashlib
from collections import Counter, UserDict
from functools import lru_cache, partial
from itertools import pairwise
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

import numpy as np

from nnbook.cells import croissant, draw, overview
from nnbook.cells.extraction import CELL_PX, THUMBNAIL_PX, extract_cells, thumbnails_of
from nnbook.cells.shards import create_group, encode, set_length, shard_path, write_shard
from nnbook.cells.store import FORM, NUMBER, REMEDY, MaskedPanorama, cell_name
from nnbook.errors import NnbookError, all_of
from nnbook.io.files import NO_SPACE, keep_folders, link_or_copy, locked, read_json, write_json
from nnbook.io.images import image_shape, mask_shape, read_image, read_narrow_mask, to_8_bits
from nnbook.io.originals import has_gone
from nnbook.io.parquet import decoding, open_parquet, read_parquet, write_groups, write_parquet
from nnbook.io.planes import plane_settings
from nnbook.measurement.rois import check_rois_scale
from nnbook.provenance.mask_origin import check_mask_origins
from nnbook.provenance.stage import Stage, keep, make, recorded_result, why_stale
from nnbook.provenance.units import EVERYTHING, Demand, make_units, pixels_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import pyarrow as pa
    from numpy.typing import NDArray

    from nnbook.io.paths import PathLike
    from nnbook.io.planes import Plane
    from nnbook.provenance.units import Choice, Supply, Workers


CELLS_PER_SHARD: Final = 128
"""Few: a browser whose host hands out whole files only fetches 130 kB for a thumbnail, and 1.8 MB for an image."""

ROWS_PER_GROUP: Final = 65_536
ROWS_PER_PAGE: Final = 4_096
CUT_AT_ONCE: Final = 64
"""Nuclei of a panorama, so that few cell images are in memory uncompressed."""

IN_PAGES: Final = {
    "compression": "snappy",
    "write_page_index": True,
    "max_rows_per_page": ROWS_PER_PAGE,
}
"""How the table is written, so that a browser reads single columns, and few rows of them, by ranges of bytes."""

BOX: Final = ("left_px", "top_px", "width_px", "height_px")
NUCLEUS: Final = ("panorama", "roi", *BOX, "at_border")
MEASURED: Final = ("x_px", "y_px", "area_um2", "mean_intensity", "std_intensity")
"""Columns of `rois.parquet`: those that say where to cut a nucleus, and those that its cell keeps."""

MEASURE: Final = "make it with 'nnbook measure'"
"""What to do where that table is damaged."""

MOST_ZOOM: Final = 8
LEFT_BY_ZOOM: Final = 0.005
TURNED: Final = 1.25
"""What `fitting_zoom` allows: a nucleus across its box's diagonal is longer than the box is wide."""

PROCESS_BYTES: Final = 0.5e9
BYTES_PER_PX: Final = 6.0
"""Memory of a process that cuts."""

WORTH_PX: Final = 1_500_000_000
"""See `nnbook.pipeline.measured.WORTH_PX`."""

LEFT_OUT: Final = ("at_border", "larger_than_frame")
"""Why a nucleus gives no cell."""

SIZES: Final = ("images", "thumbnails")
"""The arrays of a store, and of a part."""


def write_cells(
    folder: PathLike,
    panoramas: Sequence[MaskedPanorama],
    rois: PathLike | None,
    *,
    edition: str,
    note: str,
    px_per_um: float,
    plane: Plane | None = None,
    zoom: int = 1,
    workers: Workers = None,
    choice: Choice = EVERYTHING,
    supply: Supply | None = None,
) -> dict[str, Any]:
    """Cut the cells of panoramas into a store; a call that was interrupted goes on when it is made again.

    Parameters
    ----------
    folder : str or Path
        The store, which appears in one step once it is whole, or replaces what was there. The cells of each panorama
        are kept below `NAME-parts` beside it.
    panoramas : sequence of MaskedPanorama
        In the manifest's order. Images of more than 8 bits are brought to 8 by `nnbook.io.images.to_8_bits`.
    rois : str or Path or None
        `rois.parquet` of `nnbook.measurement.rois`, with the nuclei of all these panoramas; None where there are none.
    edition, note : str
        The edition's name, and the sentence that says where its images come from.
    px_per_um : float
        Pixels a micrometre, the same for all panoramas.
    plane : Plane, optional
        Which plane of each image file is the image, where files have several.
    zoom : int, optional
        How many times larger than in their panorama nuclei are in the images, whose scale is so much larger: see
        `fitting_zoom`.
    workers : Workers, optional
        Who cuts: see `nnbook.segmentation.workflow.segment_files`.
    choice : Choice, optional
        Which panoramas' cells to cut. Where any is left out, the store stays as it is.
    supply : Supply, optional
        Brings images that have gone: see `nnbook.io.originals`.

    Returns
    -------
    dict
        What `cells.json` says; of some panoramas, how many `cells` they gave, and what was `left_out`.

    Raises
    ------
    NnbookError
        Where a file can't be read, a mask is of another size than its panorama or not the one that was measured, areas
        were measured with another scale, the disk is full, or another process is writing this store.
    """
    folder = Path(folder)
    rois = None if rois is None else Path(rois)
    ordered = sorted(panoramas, key=lambda one: one.run)
    names = [one.panorama for one in ordered]
    about = {"edition": edition, "note": note, "px_per_um": px_per_um * zoom}
    how = {**plane_settings(plane), **({"zoom": zoom} if zoom > 1 else {})}

    nuclei_of, schema = _open_rois(rois, names)
    if rois is not None:
        check_rois_scale(rois, names, px_per_um)

    def part(one: MaskedPanorama) -> Part:
        settings = {"run": one.run, "passage": one.passage, "nuclei": _digest(nuclei_of(one.panorama)), **how}
        return Part(one.panorama, [one.image, one.mask], settings, partial(job_of, one))

    def job_of(one: MaskedPanorama) -> Job:
        return partial(_cut_panorama, one, nuclei_of(one.panorama), schema, plane, zoom)

    def check(changed: Sequence[str]) -> None:
        wanted = set(changed)
        some = [one for one in ordered if one.panorama in wanted]
        _check_files(some, plane)
        check_mask_origins((one.image, one.mask) for one in some)

    source = Source(schema, list(map(part, ordered)), check, LEFT_OUT, partial(image_shape, plane=plane))
    return write_store(folder, write_cells, _cut_panorama, source, about, workers=workers, choice=choice, supply=supply)


class Batch(NamedTuple):
    """Consecutive cells: a row each, and their compressed images and thumbnails."""

    table: pa.Table
    images: list[bytes]
    thumbnails: list[bytes]


Job: TypeAlias = "Callable[[], tuple[Batch, Counter[str]]]"
"""Makes the cells of a part, and counts by reason what gave none."""


class Part(NamedTuple):
    """Cells that are made together: those of a panorama, or of a run of cells that were cut elsewhere.

    Attributes
    ----------
    name : str
        Its panorama's or run's.
    reads : sequence of Path
        The files that they come from.
    settings : dict
        Whatever else they depend on, as JSON.
    job_of : callable
        Returns the job that makes them, which another process may be given.
    """

    name: str
    reads: Sequence[Path]
    settings: dict[str, Any]
    job_of: Callable[[], Job]


class Source(NamedTuple):
    """Where the cells of a store come from.

    Attributes
    ----------
    schema : pyarrow.Schema
        The columns of their table, with `run` and `passage` among them.
    parts : sequence of Part
        In order of run.
    check : callable
        Checks the files of parts, by their names, before the first of them is made.
    left_out : sequence of str
        For which reasons there may be no cell.
    shape_of : callable
        Returns height and width of the first file that a part reads.
    """

    schema: pa.Schema
    parts: Sequence[Part]
    check: Callable[[Sequence[str]], None]
    left_out: Sequence[str]
    shape_of: Callable[[Path], tuple[int, int]]


class _Made(NamedTuple):
    """A part that is there.

    Attributes
    ----------
    folder : Path
        Where its table and its shards are.
    cells : int
        How many it has.
    left_out : dict of str to int
        What gave no cell, by reason.
    digest : str
        A hash of its images.
    """

    folder: Path
    cells: int
    left_out: dict[str, int]
    digest: str


def write_store(
    folder: Path,
    function: Callable[..., Any],
    function_of_parts: Callable[..., Any],
    source: Source,
    about: dict[str, Any],
    *,
    workers: Workers = None,
    choice: Choice = EVERYTHING,
    supply: Supply | None = None,
) -> dict[str, Any]:
    """Write a store of cells where it is out of date: what is the same wherever cells come from.

    Parameters
    ----------
    folder : Path
        The store. Its parts are below `NAME-parts` beside it; those that are up to date are kept as they are.
    function, function_of_parts : callable
        The functions whose work the store and a part are.
    source : Source
        Where cells come from.
    about : dict
        What `cells.json` says first: `edition`, `note`, `px_per_um` and maybe more, as JSON.
    workers : Workers, optional
        Who makes parts.
    choice, supply
        Which parts to make, and what brings the images that they need: see `write_cells`.

    Returns
    -------
    dict
        See `write_cells`.

    Raises
    ------
    NnbookError
        What checking the files or a job raises; also where the disk is full, or another process is writing this store.
    """
    parts = parts_folder(folder)
    try:
        if not choice.is_all:
            chosen = set(choice.of([part.name for part in source.parts], [parts]))
            some = source._replace(parts=[part for part in source.parts if part.name in chosen])
            made = _make_parts(some, parts, function_of_parts, workers, supply)
            return {"cells": sum(part.cells for part in made), "left_out": _left_out(some, made)}
        with locked(folder):
            made = _make_parts(source, parts, function_of_parts, workers, supply)
            files = ["cells.json", "cells.parquet", "cells.zarr"]
            if overview.has_overview(sum(part.cells for part in made)):
                files += [overview.FILE, draw.FOLDER]
            stage = Stage.of(
                function,
                folder.parent,
                record=f"{folder.name}/record.json",
                writes=[folder.name],
                reads=[part.folder / "cells.parquet" for part in made],
                settings={
                    **about,
                    "parts": [
                        [part.name, one.digest, one.left_out] for part, one in zip(source.parts, made, strict=True)
                    ],
                },
                holds=[f"{folder.name}/{name}" for name in files],
            )
            make(stage, lambda out: _gather(out / folder.name, made, source, about))
            keep_folders(parts, {part.name for part in source.parts})
            metadata: dict[str, Any] = read_json(folder / "cells.json", FORM, REMEDY)
            return metadata
    except OSError as error:
        if error.errno not in NO_SPACE:
            raise
        raise NnbookError(
            f"{folder}: there is no space for it ({error.strerror}); free some and call again, it goes on from here"
        ) from error


def parts_folder(folder: Path) -> Path:
    """Return the folder of the parts of a store."""
    return folder.with_name(f"{folder.name}-parts")


def _make_parts(
    source: Source, parts: Path, function: Callable[..., Any], workers: Workers, supply: Supply | None
) -> list[_Made]:
    """Make the parts that are out of date; return all of them in order."""
    stages = {part.name: _part_stage(part, parts, function) for part in source.parts}
    changed = [part for part in source.parts if why_stale(stages[part.name])]
    others = stages.keys() - {part.name for part in changed}
    for name in others:
        keep(stages[name])
    if changed:
        source.check([part.name for part in changed])
    make_units(
        _make_part,
        _Jobs({part.name: (part, stages[part.name]) for part in changed}),
        Demand(
            pixels_of({part.name: Path(part.reads[0]) for part in changed}, source.shape_of),
            PROCESS_BYTES,
            BYTES_PER_PX,
            WORTH_PX,
            threads=2,
        ),
        desc="cells",
        workers=workers,
        aside=parts,
        others=others,
        supply=supply,
    ).check()
    return [_Made(stage.folder, **recorded_result(stage)) for stage in stages.values()]


class _Jobs(UserDict[str, Any]):
    """Jobs of parts by name, each put together when it is begun: it holds the nuclei of a panorama."""

    def __getitem__(self, name: str) -> tuple[Job, Stage]:
        part, stage = self.data[name]
        return part.job_of(), stage


def _part_stage(part: Part, parts: Path, function: Callable[..., Any]) -> Stage:
    return Stage.of(
        function,
        parts / part.name,
        record="record.json",
        writes=["cells.parquet", *SIZES],
        reads=part.reads,
        settings=part.settings,
    )


def _make_part(job: tuple[Job, Stage]) -> None:
    cut, stage = job

    def work(folder: Path) -> dict[str, Any]:
        batch, left_out = cut()
        for name, stored in zip(SIZES, (batch.images, batch.thumbnails), strict=True):
            (folder / name).mkdir()
            for shard, first in enumerate(range(0, len(stored), CELLS_PER_SHARD)):
                write_shard(folder / name, shard, stored[first : first + CELLS_PER_SHARD], CELLS_PER_SHARD)
        write_parquet(folder / "cells.parquet", batch.table)
        digest = hashlib.sha256(b"".join(batch.images)).hexdigest()
        return {"result": {"cells": len(batch.images), "left_out": left_out, "digest": digest}}

    make(stage, work)


def _check_files(panoramas: Sequence[MaskedPanorama], plane: Plane | None) -> None:
    """Look at every file that is there before the first is read whole."""
    problems: list[NnbookError] = []
    for one in panoramas:
        if has_gone(one.image):
            continue
        try:
            image, mask = image_shape(one.image, plane), mask_shape(one.mask)
        except NnbookError as error:
            problems.append(error)
            continue
        if mask is not None and image != mask:
            problems.append(
                NnbookError(
                    f"{one.mask}: is {mask[1]} x {mask[0]} px but {one.image} {image[1]} x {image[0]} px; "
                    "segment this image again"
                )
            )
    if problems:
        raise all_of(problems)


def _open_rois(rois: Path | None, names: Sequence[str]) -> tuple[Callable[[str], pa.Table], pa.Schema]:
    """Return what gives the nuclei of a panorama by its name, and the columns of the cells' table.

    Of `rois.parquet` only the row groups at hand are in memory.
    """
    import pyarrow as pa

    if rois is None:
        return lambda name: pa.table({"panorama": [name]}).slice(1), _schema(with_class=False)
    file = open_parquet(rois, MEASURE, {*NUCLEUS, *MEASURED}, read_dictionary=["panorama"])
    columns = file.schema_arrow.names
    with decoding(rois, MEASURE):
        column = file.read(columns=["panorama"])["panorama"].unify_dictionaries().combine_chunks()
    codes = column.indices.to_numpy()
    firsts = np.flatnonzero(np.diff(codes, prepend=-1))
    known = column.dictionary.to_pylist()
    ranges = {known[codes[first]]: (int(first), int(end)) for first, end in pairwise([*firsts, len(codes)])}
    if len(ranges) < len(firsts):
        raise NnbookError(f"{rois}: isn't in order of panorama; make it again with 'nnbook measure'")
    if ranges and names and not ranges.keys() & set(names):
        raise NnbookError(f"{rois}: has no nucleus of any of these panoramas; measure them with 'nnbook measure'")
    ends = np.cumsum([0, *(file.metadata.row_group(group).num_rows for group in range(file.num_row_groups))])
    starts, ends = ends[:-1], ends[1:]
    read_group = lru_cache(maxsize=2)(file.read_row_group)
    reading = Lock()  # a file can't be read by several threads

    def nuclei_of(name: str) -> pa.Table:
        first, end = ranges.get(name, (0, 0))
        groups = np.flatnonzero((starts < end) & (ends > first))
        if not len(groups):
            return file.schema_arrow.empty_table()
        with reading, decoding(rois, MEASURE):
            rows = pa.concat_tables([read_group(group) for group in groups])
        return rows.slice(first - starts[groups[0]], end - first)

    return nuclei_of, _schema(with_class="class" in columns)


def _digest(nuclei: pa.Table) -> str:
    """Return a hash of what a part takes from the table of nuclei."""
    found = hashlib.sha256()
    for name in NUCLEUS[1:] + MEASURED:
        found.update(np.ascontiguousarray(nuclei[name].to_numpy()).astype("<f8").tobytes())
    if "class" in nuclei.column_names and nuclei["class"].null_count < len(nuclei):
        found.update("\n".join(map(str, nuclei["class"].to_pylist())).encode())
    return found.hexdigest()


def _schema(*, with_class: bool) -> pa.Schema:
    import pyarrow as pa

    types = {
        "cell": pa.string(),
        "panorama": pa.string(),
        "run": pa.int32(),
        "passage": pa.string(),
        "roi": pa.int32(),
        **dict.fromkeys(MEASURED, pa.float32()),
        "orientation_deg": pa.float32(),
        "elongation": pa.float32(),
        **({"class": pa.string()} if with_class else {}),
    }
    return pa.schema(list(types.items()))


def fitting_zoom(rois: PathLike) -> int:
    """Return how many times larger than in their panoramas nuclei can be, so that nearly all fit the frame.

    Parameters
    ----------
    rois : str or Path
        `rois.parquet` of `nnbook.measurement.rois`.

    Returns
    -------
    int
        From 1 to `MOST_ZOOM`: so many that all but `LEFT_BY_ZOOM` of the nuclei that no edge cuts have a box which,
        times `TURNED`, is no longer than the frame.
    """
    table = read_parquet(Path(rois), MEASURE)
    whole = table[~table["at_border"].astype(bool)]
    if whole.empty:
        return 1
    extent = float(whole[["width_px", "height_px"]].max(axis=1).quantile(1 - LEFT_BY_ZOOM))
    return max(1, min(MOST_ZOOM, int(CELL_PX / (TURNED * extent))))


def _cut_panorama(
    one: MaskedPanorama, nuclei: pa.Table, schema: pa.Schema, plane: Plane | None, zoom: int
) -> tuple[Batch, Counter[str]]:
    """Cut the cells of one panorama; count the nuclei that give none."""
    import pyarrow as pa

    image = to_8_bits(read_image(one.image, plane))
    labels = read_narrow_mask(one.mask, (image.shape[0], image.shape[1]))
    whole = np.flatnonzero(~nuclei["at_border"].to_numpy())
    rois = nuclei["roi"].to_numpy()[whole]
    boxes = np.stack([nuclei[side].to_numpy()[whole] for side in BOX], axis=1)
    fits, orientations, elongations = [np.zeros(0, np.bool_)], [np.zeros(0)], [np.zeros(0)]
    images: list[bytes] = []
    thumbnails: list[bytes] = []
    for first in range(0, len(whole), CUT_AT_ONCE):
        some = slice(first, first + CUT_AT_ONCE)
        try:
            cut = extract_cells(image, labels, rois[some], boxes[some], zoom=zoom)
        except NnbookError as error:
            raise NnbookError(f"{one.mask}: {error}") from error
        fits.append(cut.fits)
        orientations.append(cut.orientations_deg)
        elongations.append(cut.elongations)
        images += map(encode, cut.images)
        thumbnails += map(encode, thumbnails_of(cut.images))
    rows = whole[np.concatenate(fits)]
    kept = nuclei.take(pa.array(rows))
    columns = {
        **{name: kept[name] for name in kept.column_names},
        "cell": [cell_name(one.panorama, roi) for roi in kept["roi"].to_pylist()],
        "panorama": [one.panorama] * len(rows),
        "run": [one.run] * len(rows),
        "passage": [one.passage or None] * len(rows),
        "orientation_deg": np.concatenate(orientations),
        "elongation": np.concatenate(elongations),
    }
    table = pa.table({name: columns[name] for name in schema.names}).cast(schema)
    out = Counter(at_border=len(nuclei) - len(whole), larger_than_frame=len(whole) - len(rows))
    return Batch(table, images, thumbnails), out


def _gather(store: Path, made: Sequence[_Made], source: Source, about: dict[str, Any]) -> None:
    """Put a store together: links to the shards of its parts, and the table and the metadata of all cells."""
    store.mkdir()
    group = store / "cells.zarr"
    arrays = {"images": (CELL_PX, CELLS_PER_SHARD), "thumbnails": (THUMBNAIL_PX, CELLS_PER_SHARD)}
    create_group(group, arrays, {"px_per_um": about["px_per_um"]})
    shards: list[int] = []
    numbers: list[NDArray[np.int32]] = []
    for part in made:
        first = len(shards)
        for shard in range(-(-part.cells // CELLS_PER_SHARD)):
            for name in SIZES:
                linked = shard_path(group / name, first + shard)
                linked.parent.mkdir(parents=True)
                link_or_copy(shard_path(part.folder / name, shard), linked)
            shards.append(min(CELLS_PER_SHARD, part.cells - shard * CELLS_PER_SHARD))
        numbers.append(first * CELLS_PER_SHARD + np.arange(part.cells, dtype=np.int32))
    count = sum(part.cells for part in made)
    runs = _write_table(store / "cells.parquet", made, numbers, source.schema)
    set_length(group, max((int(part[-1]) + 1 for part in numbers if len(part)), default=0))
    metadata = {
        **about,
        "cell_px": CELL_PX,
        "thumbnail_px": THUMBNAIL_PX,
        "cells": count,
        "left_out": _left_out(source, made),
        "runs": runs,
        "images": "cells.zarr/images",
        "thumbnails": "cells.zarr/thumbnails",
        "table": "cells.parquet",
        # With it a browser finds the table's end in one request, also where a host keeps the size to itself.
        "table_bytes": (store / "cells.parquet").stat().st_size,
        # With it a browser finds an image without reading the table.
        "shards": shards,
    }
    if overview.has_overview(count):
        metadata["overview"] = overview.write_overview(store / "cells.parquet", store / overview.FILE)
        metadata["draw"] = draw.write_draw(store, np.concatenate(numbers), runs, CELLS_PER_SHARD)
    write_json(store / "cells.json", metadata)
    write_json(store / croissant.FILE, croissant.describe_store(store, metadata))


def _left_out(source: Source, made: Sequence[_Made]) -> dict[str, int]:
    return {reason: sum(part.left_out[reason] for part in made) for reason in source.left_out}


def _write_table(
    path: Path, made: Sequence[_Made], numbers: Sequence[NDArray[np.int32]], schema: pa.Schema
) -> list[dict[str, Any]]:
    """Write the table of all cells; return where each run is in it."""
    import pyarrow as pa

    whole = schema.append(pa.field(NUMBER, pa.int32()))
    runs: dict[int, dict[str, Any]] = {}

    def rows() -> Iterator[pa.Table]:
        count = 0
        for part, images in zip(made, numbers, strict=True):
            table = _read_table(part.folder)
            columns = [
                images if name == NUMBER else table[name] if name in table.column_names else pa.nulls(part.cells)
                for name in whole.names
            ]
            table = pa.table(columns, names=whole.names).cast(whole)
            for run, passage in zip(table["run"].to_pylist(), table["passage"].to_pylist(), strict=True):
                entry = runs.setdefault(run, {"run": run, "passage": passage, "first": count, "cells": 0})
                entry["cells"] += 1
                count += 1
            yield table

    texts = [name for name in whole.names if pa.types.is_string(whole.field(name).type) and name != "cell"]
    write_groups(path, rows(), whole, ROWS_PER_GROUP, use_dictionary=texts, **IN_PAGES)
    return list(runs.values())


def _read_table(part: Path) -> pa.Table:
    with open_parquet(part / "cells.parquet", "delete it, and call again") as file:
        return file.read(use_threads=False)  # most are small
