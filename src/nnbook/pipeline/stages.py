"""The stages of an edition, from panoramas to pyramids. Each makes what is out of date, and nothing else."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pandas as pd

from nnbook.cells.sample import PER_RUN, SEED, short_runs, write_sample
from nnbook.cells.store import MaskedPanorama
from nnbook.cells.writer import fitting_zoom, write_cells
from nnbook.errors import NnbookError
from nnbook.evaluation.hard_cases import TRUTH_COLUMNS
from nnbook.evaluation.metrics import mistakes
from nnbook.evaluation.places import places_of
from nnbook.io.files import write_json
from nnbook.io.images import read_image, read_mask
from nnbook.io.parquet import read_parquet
from nnbook.io.results import read_results
from nnbook.pipeline.measured import PARTS, ROIS, MaskedImage, gather_measurements, gather_rois, measure_files
from nnbook.provenance.mask_origin import check_mask_origins
from nnbook.provenance.stage import Stage, file_state, make, remove
from nnbook.provenance.units import EVERYTHING, Choice, Made, UnitsError, brought
from nnbook.simulation.truth import read_truth
from nnbook.values import published
from nnbook.viewers.channels import CHANNELS, INDEX_FILE, channels_bytes, write_channels
from nnbook.viewers.mosaic import write_mosaic
from nnbook.viewers.pyramid import write_preview, write_pyramid
from nnbook.viewers.tables import (
    NUCLEI,
    PREVIEWS,
    brief_columns,
    most_representative,
    nuclei_columns,
    panoramas_columns,
    read_panoramas,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from nnbook.evaluation.comparison import Judged
    from nnbook.io.edition import Edition
    from nnbook.io.manifest import Panorama
    from nnbook.provenance.units import Supply, Workers
    from nnbook.segmentation.model import Model

COMPARED_PX2 = 450_000_000
VARIED_PX2 = 17_000_000
"""Panoramas of about this area are compared with the truth, and settings are varied on: spread evenly over all."""

MOST_TILED_PX = 5_000_000_000
"""Where panoramas have more pixels than this in all, only the representatives have tiles: a site of 0.4 GB is large."""

MOST_CHANNELS_BYTES = 500_000_000
"""Of images of several channels, before compression: more would make the site too large."""

ACCURACY_TABLES = ("scores", "cases", "settings")
DRAWN_TABLES = ("scores", "cases", "nuclei")


def segment_panoramas(
    edition: Edition,
    panoramas: list[Panorama],
    model: Path | None,
    source: Path,
    *,
    overwrite: bool = False,
    workers: Workers = None,
) -> None:
    """Segment every panorama of an edition that comes without a mask into `masks/NAME_cp_masks.tif`.

    Each with the model of its row, below the folder `source`, else with the one that is given or shipped; and with the
    diameter of its row, else the published one where it is simulated, and the one found in the image where it is not.
    """
    failed: dict[str, NnbookError] = {}
    for how, images in by_model(edition, panoramas, model, source).items():
        try:
            segment_alike(images, edition, how, overwrite=overwrite, workers=workers)
        except UnitsError as error:
            failed |= error.failed
        except NnbookError as error:  # such as a model that can't be read
            failed |= dict.fromkeys(images, error)
    Made({}, failed).check()


def by_model(
    edition: Edition, panoramas: list[Panorama], model: Path | None, source: Path
) -> dict[tuple[Path | None, float | None], dict[str, Path]]:
    """Return the images of panoramas that come without a mask, by name, for each model and diameter."""
    groups: dict[tuple[Path | None, float | None], dict[str, Path]] = {}
    for one in panoramas:
        if not one.mask:
            diameter_px = one.diameter_px or (published.DIAMETER_PX if one.simulated else None)
            group = groups.setdefault((source / one.model if one.model else model, diameter_px), {})
            group[one.panorama] = edition.image_path(one)
    return groups


def segment_alike(
    images: dict[str, Path],
    edition: Edition,
    how: tuple[Path | None, float | None],
    *,
    overwrite: bool = False,
    workers: Workers = None,
) -> None:
    """Segment images by one model, with one diameter: see `by_model`."""
    from nnbook.segmentation.model import SHIPPED_MODEL
    from nnbook.segmentation.workflow import segment_files

    path, diameter_px = how
    model = _load_once(path or SHIPPED_MODEL, *_state(path or SHIPPED_MODEL))
    segment_files(images, edition.masks, model, diameter_px=diameter_px, overwrite=overwrite, workers=workers)


@lru_cache(maxsize=8)
def _load_once(path: Path, *state: int) -> Model:  # noqa: ARG001 - it tells versions of the file apart
    from nnbook.segmentation.model import load_model

    return load_model(path)


def _state(path: Path) -> list[int]:
    return file_state(path) if path.is_file() else []


def measure_panoramas(edition: Edition, panoramas: list[Panorama], workers: Workers = None) -> None:
    """Measure an edition's panoramas, and gather `rois.parquet` and `results.csv`."""
    results = measure_each(edition, panoramas, workers)
    results["run"] = [one.run for one in panoramas]
    results["passage"] = [one.passage for one in panoramas]
    gather_measurements([one.panorama for one in panoramas], results, edition.folder, record="records/measure.json")


def measure_each(edition: Edition, panoramas: list[Panorama], workers: Workers = None) -> pd.DataFrame:
    """Measure panoramas of an edition, each into `rois-parts/NAME/`; return a row of each."""
    check_mask_origins((edition.image_path(one), edition.mask_path(one)) for one in panoramas)
    return measure_unchecked(edition, panoramas, workers)


def measure_unchecked(edition: Edition, panoramas: list[Panorama], workers: Workers = None) -> pd.DataFrame:
    """Measure panoramas as `measure_each` does, whether their masks are of these images or not."""
    masked = {
        one.panorama: MaskedImage(
            edition.image_path(one),
            edition.mask_path(one),
            edition.px_per_um,
            edition.truth_path(one) if one.simulated else None,
        )
        for one in panoramas
    }
    # The twin's table is to be compared with the published one, which is of wider masks.
    rim_um = published.PUBLISHED_RIM_UM if edition.simulated else None
    return measure_files(masked, edition.folder, rim_um=rim_um, workers=workers)


def rois_tables(edition: Edition, panoramas: list[Panorama]) -> list[Path]:
    """Return where the nuclei of panoramas are that were measured each on its own."""
    return [edition.folder / PARTS / one.panorama / ROIS for one in panoramas]


def make_some(
    edition: Edition,
    panoramas: list[Panorama],
    model: Path | None,
    source: Path,
    *,
    overwrite: bool = False,
    workers: Workers = None,
    supply: Supply | None = None,
) -> None:
    """Segment, measure and cut some of an edition's panoramas, and gather nothing.

    How much larger than in panoramas nuclei are in cell images, where that isn't fixed, is found in these panoramas.
    Where all together ask for something else, cells are cut again when they are gathered.
    """
    segment_panoramas(edition, panoramas, model, source, overwrite=overwrite, workers=workers)
    measure_each(edition, panoramas, workers)
    cut_some(edition, panoramas, zoom=common_zoom(edition, panoramas), workers=workers, supply=supply)


def common_zoom(edition: Edition, panoramas: list[Panorama]) -> int:
    """Return how much larger in cell images nuclei of these panoramas are: see `nnbook.cells.writer.fitting_zoom`."""
    if edition.simulated:
        return 1
    with TemporaryDirectory() as folder:
        gather_rois(rois_tables(edition, panoramas), Path(folder) / ROIS)
        return fitting_zoom(Path(folder) / ROIS)


def cut_some(
    edition: Edition,
    panoramas: list[Panorama],
    *,
    zoom: int,
    workers: Workers = None,
    supply: Supply | None = None,
) -> None:
    """Cut the cells of some of an edition's panoramas, and gather nothing."""
    choice = Choice(frozenset(one.panorama for one in panoramas))
    with TemporaryDirectory() as folder:
        rois = Path(folder) / ROIS
        gather_rois(rois_tables(edition, panoramas), rois)
        _cut(edition, panoramas, rois, zoom=zoom, workers=workers, choice=choice, supply=supply)


def extract_cells(
    edition: Edition, panoramas: list[Panorama], workers: Workers = None, supply: Supply | None = None
) -> None:
    """Cut an edition's cells into the store `cells/`; a store of none where it has no panoramas."""
    # The frame is of NucleusNet's cells, in which those of a smaller scale are specks.
    zoom = fitting_zoom(edition.rois) if panoramas and not edition.simulated else 1
    about = _cut(edition, panoramas, edition.rois, zoom=zoom, workers=workers, supply=supply)
    left_out = ", ".join(f"{count:,} {reason.replace('_', ' ')}" for reason, count in about["left_out"].items())
    print(f"nnbook: {edition.cells} has {about['cells']:,} cells; left out: {left_out}", file=sys.stderr)


def _cut(
    edition: Edition,
    panoramas: list[Panorama],
    rois: Path,
    *,
    zoom: int,
    workers: Workers,
    choice: Choice = EVERYTHING,
    supply: Supply | None,
) -> dict[str, Any]:
    masked = [
        MaskedPanorama(one.panorama, one.run, one.passage, edition.image_path(one), edition.mask_path(one))
        for one in panoramas
    ]
    return write_cells(
        edition.cells,
        masked,
        rois if masked else None,
        edition=edition.name,
        note=edition.note if masked else f"{edition.note} Without panoramas there are no cell images.",
        px_per_um=edition.px_per_um,
        zoom=zoom,
        workers=workers,
        choice=choice,
        supply=supply,
    )


def sample_cells(edition: Edition) -> None:
    """Draw a sample of an edition's cells into `sample.parquet` and `sample.json`."""

    def work(folder: Path) -> None:
        if short := short_runs(write_sample(edition.cells, folder)):
            print(f"nnbook: fewer than {PER_RUN} cells, all of them drawn: {short}", file=sys.stderr)

    stage = Stage.of(
        write_sample,
        edition.folder,
        record="records/sample.json",
        writes=["sample.parquet", "sample.json"],
        reads=[edition.cells / "cells.json", edition.cells / "cells.parquet"],
        settings={"per_run": PER_RUN, "seed": SEED},
    )
    make(stage, work)


def lay_out_mosaic(edition: Edition) -> None:
    """Lay the sample of an edition's cells out in `mosaic/`."""
    name = edition.mosaic.name

    def work(folder: Path) -> None:
        about = write_mosaic(folder / name, edition.cells, edition.folder)
        count, size = _size(folder / name)
        grid = f"{len(about['rows'])} rows of {about['columns']} cells"
        print(f"nnbook: {edition.mosaic} has {grid} in {count:,} files, {size / 1e6:,.1f} MB", file=sys.stderr)

    stage = Stage.of(
        write_mosaic,
        edition.folder,
        record="records/mosaic.json",
        writes=[name],
        reads=[edition.cells / "cells.json", edition.cells / "cells.parquet", edition.folder / "sample.parquet"],
        holds=[f"{name}/mosaic.json", f"{name}/cells.json"],
    )
    make(stage, work)


def evaluate_panoramas(edition: Edition, panoramas: list[Panorama], model: Path | None) -> None:
    """Compare some panoramas' masks with the truth, where an edition has it, into `accuracy/`.

    `scores.csv` and `cases.csv` are of `nnbook.evaluation.comparison.compare_methods`. Of simulated panoramas,
    `settings.csv` is of `vary_settings`; of others, `nuclei.csv` has how far each outlined nucleus and its mask agree:
    see `nnbook.evaluation.drawn.overlap_of_nuclei`.
    """
    known = [one for one in panoramas if edition.truth_path(one).is_file() and not one.mask]
    if not known:
        remove(edition.folder, "records/accuracy.json", [edition.accuracy.name])
    elif edition.simulated:
        _evaluate_simulated(edition, known, model)
    else:
        _evaluate_drawn(edition, known)


def _evaluate_simulated(edition: Edition, known: list[Panorama], model: Path | None) -> None:
    from nnbook.evaluation.comparison import compare_methods, vary_settings
    from nnbook.io.progress import show_progress
    from nnbook.segmentation.model import SHIPPED_MODEL, load_model

    compared, varied = (_evenly(known, px2) for px2 in (COMPARED_PX2, VARIED_PX2))
    names = [f"{edition.accuracy.name}/{name}.csv" for name in ACCURACY_TABLES]

    def work(folder: Path) -> None:
        bar = show_progress(compared, desc="accuracy", unit="panorama")
        scores, cases = compare_methods(_judged(edition, one) for one in bar)
        settings = vary_settings([_judged(edition, one) for one in varied], load_model(model))
        _write_tables(folder, names, (scores, cases, settings))

    stage = Stage.of(
        evaluate_panoramas,
        edition.folder,
        record="records/accuracy.json",
        writes=names,
        reads=[model or SHIPPED_MODEL, *_compared_files(edition, compared)],
    )
    make(stage, work)


def _evaluate_drawn(edition: Edition, known: list[Panorama]) -> None:
    """Compare masks with outlines that were drawn by hand."""
    from nnbook.evaluation.comparison import Judged, compare_methods
    from nnbook.evaluation.drawn import describe_drawn, median_diameter, overlap_of_nuclei
    from nnbook.io.progress import show_progress

    names = [f"{edition.accuracy.name}/{name}.csv" for name in DRAWN_TABLES]

    def work(folder: Path) -> None:
        nuclei = []

        def judged() -> Iterator[Judged]:
            for one in show_progress(known, desc="accuracy", unit="panorama"):
                image, masks = read_image(edition.image_path(one)), read_mask(edition.mask_path(one))
                true = read_mask(edition.truth_path(one))
                described = describe_drawn(true)
                nuclei.append(overlap_of_nuclei(masks, true, described).assign(panorama=one.panorama))
                yield Judged(image, masks, true, described, median_diameter(true))

        scores, cases = compare_methods(judged(), "nnbook")
        _write_tables(folder, names, (scores, cases, pd.concat(nuclei)))

    stage = Stage.of(
        evaluate_panoramas,
        edition.folder,
        record="records/accuracy.json",
        writes=names,
        reads=_compared_files(edition, known),
        settings={"panoramas": [one.panorama for one in known]},
    )
    make(stage, work)


def _write_tables(folder: Path, names: Sequence[str], tables: Sequence[pd.DataFrame]) -> None:
    """Write the tables of a comparison, whose names have one folder."""
    (folder / names[0]).parent.mkdir()
    for name, table in zip(names, tables, strict=True):
        table.to_csv(folder / name, index=False, lineterminator="\n")


def _compared_files(edition: Edition, panoramas: list[Panorama]) -> list[Path]:
    return [
        path for one in panoramas for path in (edition.image_path(one), edition.mask_path(one), edition.truth_path(one))
    ]


def write_pyramids(edition: Edition, panoramas: list[Panorama], supply: Supply | None = None) -> None:
    """Write what viewers read into an edition's `pyramids/`.

    `index.json` lists the representatives, each with its tiles and `NAME/nuclei.json`, its nuclei; `panoramas.json`
    lists every panorama, each with `previews/NAME.jpg`. The tiles of those that are no representatives are in
    `NAME.zip`, since they are many, and their nuclei in `nuclei/NAME.json`; where all panoramas have more than
    `MOST_TILED_PX` they have none. Standard error says how many files there are, and their size. Addresses are relative
    to the file that holds them. Where images have gone, `supply` brings those that are needed.
    """
    from nnbook.io.progress import show_progress

    by_image = {Path(one.image).name: one for one in panoramas}
    results = read_results(edition.results)
    rois = read_parquet(edition.rois, "make it with 'nnbook measure'")
    nuclei_of = {str(name): rows for name, rows in rois.groupby("panorama", sort=False)}
    chosen = most_representative(results)
    representatives = {by_image[image].panorama for image in chosen["image"]}
    tiled = panoramas
    if sum(one.width_px * one.height_px for one in panoramas) > MOST_TILED_PX:
        tiled = [one for one in panoramas if one.panorama in representatives]
    tiles: dict[str, dict[str, Any]] = {}
    for panorama in show_progress(tiled, desc="pyramid", unit="panorama"):
        name = panorama.panorama
        zipped = name not in representatives
        where = f"{name}.zip" if zipped else name
        known = _make_pyramid(edition, panorama, where, supply)
        nuclei = f"{NUCLEI}/{name}.json" if zipped else f"{name}/nuclei.json"
        columns = nuclei_columns(nuclei_of.get(name, rois.iloc[:0]))
        write_json(edition.pyramids / nuclei, {"panorama": name, "columns": columns}, indent=None)
        tiles[name] = {"tiles": where, "nuclei": nuclei, "truth": known or None}
    entries: list[dict[str, Any]] = []
    for rank, row in enumerate(chosen.to_dict("records"), start=1):
        panorama = by_image[row["image"]]
        name = panorama.panorama
        truth = {"truth": f"{name}/truth.dzi", "mistakes": f"{name}/mistakes.json"} if tiles[name]["truth"] else {}
        entries.append(
            {
                "panorama": name,
                "width": panorama.width_px,
                "height": panorama.height_px,
                "px_per_um": panorama.px_per_um,
                "intensity": f"{name}/intensity.dzi",
                "labels": f"{name}/labels.dzi",
                "nuclei": f"{name}/nuclei.json",
                **truth,
                "rank": rank,
                "distance": round(row["distance"], 4),
                "num_rois": row["num_rois"],
                "mean_intensity": row["mean_intensity"],
                "std_intensity": row["std_intensity"],
            }
        )
    write_previews(edition, panoramas, supply)
    write_json(edition.pyramids / "index.json", {"edition": edition.name, "note": edition.note, "panoramas": entries})
    write_panoramas_json(edition, results, by_image, tiles)
    _remove_former_pyramids(edition, tiles)
    count, size = _size(edition.pyramids)
    print(f"nnbook: {edition.pyramids} has {count:,} files, {size / 1e6:,.1f} MB", file=sys.stderr)
    if len(tiled) < len(panoramas):
        print(
            f"nnbook: viewers zoom into {len(tiled)} of {len(panoramas)} panoramas, the representatives: tiles of all "
            f"would make the site too large (more than {MOST_TILED_PX / 1e9:g} gigapixels)",
            file=sys.stderr,
        )


def _remove_former_pyramids(edition: Edition, tiles: dict[str, dict[str, Any]]) -> None:
    """Remove pyramids of panoramas that an edition no longer has, or has in another form, and their records."""
    folder = edition.pyramids
    kept = {folder / name for name in (PREVIEWS, NUCLEI, CHANNELS)}
    kept |= {folder / entry[key] for entry in tiles.values() for key in ("tiles", "nuclei")}
    kept |= {edition.folder / f"records/pyramid-{name}.json" for name in tiles}
    found = [path for path in folder.iterdir() if path.is_dir() or path.suffix == ".zip"]
    found += [*folder.glob(f"{NUCLEI}/*.json"), *edition.folder.glob("records/pyramid-*.json")]
    for path in found:
        if path not in kept:
            remove(path.parent, path.stem + ".json" if path.is_dir() else path.name, [path.name])


def write_channel_images(edition: Edition, sources: Mapping[str, Path]) -> None:
    """Write the images of several channels or z planes into `pyramids/channels/`, and `pyramids/channels.json`.

    Parameters
    ----------
    edition : Edition
        Its `pyramids/panoramas.json` says where the tiles of masks are.
    sources : mapping of str to Path
        By the name of the panorama, the file of which it is one plane. They are written in this order, as long as all
        together take no more than `MOST_CHANNELS_BYTES`; standard error says how many are left out.
    """
    rows = {row["panorama"]: row for row in read_panoramas(edition.pyramids / "panoramas.json").to_dict("records")}
    entries: list[dict[str, Any]] = []
    size = 0
    for name, source in sources.items():
        many = channels_bytes(source)
        size += many
        if many == 0 or size > MOST_CHANNELS_BYTES:
            continue
        row = rows[name]
        where = f"{CHANNELS}/{name}.ome.zarr"
        written = f"{edition.pyramids.name}/{where}"
        stage = Stage.of(
            write_channels,
            edition.folder,
            record=f"records/channels-{name}.json",
            writes=[written],
            reads=[source],
            settings={"px_per_um": edition.px_per_um, "name": name},
            holds=[f"{written}/zarr.json"],
        )

        def work(folder: Path, written: str = written, source: Path = source, name: str = name) -> None:
            write_channels(folder / written, source, px_per_um=edition.px_per_um, name=name)

        make(stage, work)
        tiles = row.get("tiles")
        masks = {"masks": f"{tiles}/labels.dzi", "nuclei": row["nuclei"]} if isinstance(tiles, str) else {}
        entries.append({"panorama": name, "zarr": where, "px_per_um": edition.px_per_um, **masks})
    kept = {entry["panorama"] for entry in entries}
    for record in edition.folder.glob("records/channels-*.json"):
        name = record.stem.removeprefix("channels-")
        if name not in kept:
            remove(edition.folder, f"records/{record.name}", [f"{edition.pyramids.name}/{CHANNELS}/{name}.ome.zarr"])
    index = edition.pyramids / INDEX_FILE
    if entries:
        write_json(index, {"note": edition.note, "images": entries})
    else:
        index.unlink(missing_ok=True)
    if 0 < len(entries) < len(sources):
        print(
            f"nnbook: the view of channels has {len(entries)} of {len(sources)} images: all would make the site too "
            f"large (more than {MOST_CHANNELS_BYTES / 1e9:g} GB)",
            file=sys.stderr,
        )


def write_previews(edition: Edition, panoramas: list[Panorama], supply: Supply | None = None) -> None:
    """Write `pyramids/previews/NAME.jpg` of every panorama of an edition; remove those of others."""
    from nnbook.io.progress import show_progress

    previews = f"{edition.pyramids.name}/{PREVIEWS}"

    def write(panorama: Panorama) -> str | None:
        try:
            make_preview(edition, panorama, supply)
        except NnbookError as error:
            return str(error)
        return None

    with ThreadPoolExecutor(2) as pool:
        outcomes = list(
            show_progress(pool.map(write, panoramas), desc="preview", unit="panorama", total=len(panoramas))
        )
    if problems := [outcome for outcome in outcomes if outcome is not None]:
        raise NnbookError("\n".join(problems))
    kept = {one.panorama for one in panoramas}
    former = {path.stem for path in (edition.folder / previews).glob("*.jpg")}
    former |= {path.stem.removeprefix("preview-") for path in edition.folder.glob("records/preview-*.json")}
    for name in former - kept:
        remove(edition.folder, f"records/preview-{name}.json", [f"{previews}/{name}.jpg"])


def make_preview(edition: Edition, panorama: Panorama, supply: Supply | None = None) -> None:
    """Write the preview of one panorama where it is out of date."""
    image, name = edition.image_path(panorama), f"{edition.pyramids.name}/{PREVIEWS}/{panorama.panorama}.jpg"
    record = f"records/preview-{panorama.panorama}.json"

    def work(folder: Path) -> None:
        with brought(panorama.panorama, supply):
            _write_preview(folder / name, image)

    make(Stage.of(_write_preview, edition.folder, record, [name], reads=[image]), work)


def _write_preview(path: Path, image: Path) -> None:
    write_preview(path, read_image(image))


def write_panoramas_json(
    edition: Edition,
    results: pd.DataFrame,
    by_image: dict[str, Panorama],
    tiles: dict[str, dict[str, Any]] | None = None,
) -> None:
    """Write `pyramids/panoramas.json`: a column a value, an entry a panorama, as `brief_columns` has it.

    Where a manifest of the user's own tells no experiments apart, all panoramas are of run 1, which is no experiment.
    """
    columns = panoramas_columns(results, by_image, tiles)
    if by_image and not edition.simulated and len(set(columns["run"])) == 1:
        columns["run"] = [None] * len(results)
    table = {"edition": edition.name, "note": edition.note, "columns": brief_columns(columns)}
    write_json(edition.pyramids / "panoramas.json", table, indent=None)


def _make_pyramid(edition: Edition, panorama: Panorama, where: str, supply: Supply | None) -> bool:
    """Write a panorama's tiles as a folder or a zip; return whether the truth is among them."""
    image, mask, truth = edition.image_path(panorama), edition.mask_path(panorama), edition.truth_path(panorama)
    tiles = f"{edition.pyramids.name}/{where}"
    zipped = where.endswith(".zip")
    known = truth.is_file()

    def work(folder: Path) -> None:
        with brought(panorama.panorama, supply):
            _write_tiles(folder / tiles, image, mask, truth if known else None, zipped=zipped)

    stage = Stage.of(
        _write_tiles,
        edition.folder,
        record=f"records/pyramid-{panorama.panorama}.json",
        writes=[tiles],
        reads=[image, mask, *([truth] if known else [])],
        holds=[] if zipped else [f"{tiles}/intensity.dzi", f"{tiles}/labels.dzi"],
        others=[] if zipped else [f"{tiles}/nuclei.json"],
    )
    make(stage, work)
    return known


def _write_tiles(path: Path, image: Path, mask: Path, truth: Path | None, *, zipped: bool) -> None:
    """Write a panorama's tiles; where the truth is known, with that and what the mask gets wrong."""
    wrong = None
    if truth is not None:
        predicted, true = read_mask(mask), read_mask(truth)
        wrong = {"columns": places_of(mistakes(predicted, true), predicted, true)}
    write_pyramid(path, image, mask, truth=truth, mistakes=wrong, zipped=zipped)


def _judged(edition: Edition, panorama: Panorama) -> Judged:
    from nnbook.evaluation.comparison import Judged

    truth = edition.truth_path(panorama)
    return Judged(
        read_image(edition.image_path(panorama)),
        read_mask(edition.mask_path(panorama)),
        read_mask(truth),
        read_truth(truth.with_suffix(".csv"), TRUTH_COLUMNS),
        published.DIAMETER_PX,
    )


def _evenly(panoramas: list[Panorama], area_px2: int) -> list[Panorama]:
    """Return panoramas of about this area in all, spread evenly over a list."""
    count = max(1, area_px2 // max(panorama.width_px * panorama.height_px for panorama in panoramas))
    return panoramas[:: -(-len(panoramas) // count)]


def _size(folder: Path) -> tuple[int, int]:
    """Return how many files a folder holds, and their size in bytes."""
    sizes = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
    return len(sizes), sum(sizes)
