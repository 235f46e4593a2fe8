"""The whole pipeline: every stage of an edition that is not up to date."""

from __future__ import annotations

import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from nnbook.cells.sample import PER_RUN, SEED, short_runs, write_sample
from nnbook.cells.writer import MaskedPanorama, write_cells
from nnbook.errors import NnbookError
from nnbook.io.edition import Edition, write_edition
from nnbook.io.files import aside, locked, sha256, write_json
from nnbook.io.images import read_image, read_mask
from nnbook.io.inputs import MASK_SUFFIX
from nnbook.io.manifest import Panorama, read_manifest, write_manifest
from nnbook.io.results import read_results, write_results
from nnbook.measurement.rois import measure_panorama, summarise
from nnbook.pipeline.sources import fetch_panoramas, published_results
from nnbook.provenance.dependencies import made_by
from nnbook.provenance.notebooks import CELL_SECONDS, execute_notebooks
from nnbook.provenance.stage_record import is_current, remade, states_of
from nnbook.simulation.panorama import true_classes
from nnbook.values import published
from nnbook.viewers.mosaic import write_mosaic
from nnbook.viewers.pyramid import write_preview, write_pyramid
from nnbook.viewers.tables import PREVIEWS, most_representative, nuclei_columns, panoramas_columns

if TYPE_CHECKING:
    from collections.abc import Callable

    from nnbook.io.images import Labels

if TYPE_CHECKING:
    from nnbook.evaluation.comparison import Judged

COMPARED_PX2 = 700_000_000
VARIED_PX2 = 17_000_000
"""Panoramas of about this area are compared with the truth, and settings are varied on: spread evenly over all."""

ACCURACY_TABLES = ("scores", "cases", "settings")

PUBLISHED = "published"
PUBLISHED_NOTE = (
    "Published edition: the results table that was released with NucleusNet. Its panoramas are not part of this build."
)
TWIN_NOTE = "Simulated edition: every image here was drawn by a virtual microscope, and every number comes from those."
OWN_NOTE = "Edition {name}: images and numbers come from the manifest {manifest}."
TAKEN = {PREVIEWS, "index.json", "panoramas.json"}
"""Names in the folder of pyramids that no panorama can have."""


def run(
    manifest: Path,
    folder: Path,
    notebooks: Path,
    *,
    model: Path | None = None,
    local: Path | None = None,
    cell_seconds: float = CELL_SECONDS,
) -> None:
    """Make an edition from a manifest: every stage that is not up to date, then the notebooks.

    Parameters
    ----------
    manifest : Path
        See `nnbook.io.manifest`.
    folder : Path
        The edition's folder, whose name is the edition's name.
    notebooks : Path
        The folder of the text notebooks.
    model : Path, optional
        A Cellpose 3 model; by default the shipped one.
    local : Path, optional
        A folder that stands in for the public address of the published table.
    cell_seconds : float, optional
        How long a cell of a notebook may take.

    Raises
    ------
    NnbookError
        With a line for each thing that is wrong. What was fine stays, and the next run goes on from there. Also where
        another process is making this edition.
    """
    rows = read_manifest(manifest)
    if len({row.px_per_um for row in rows}) > 1:
        raise NnbookError(f"{manifest}: has panoramas of different px_per_um; make an edition of each scale")
    names = [Path(row.image).name for row in rows]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise NnbookError(f"{manifest}: has several images named {', '.join(twice)}; give each another name")
    if taken := sorted(TAKEN & {row.panorama for row in rows}):
        raise NnbookError(f"{manifest}: has a panorama named {taken[0]}, as nnbook's own files; give it another name")
    with locked(folder):
        _make_stages(rows, manifest, folder, model=model, local=local)
        execute_notebooks(notebooks, folder, cell_seconds=cell_seconds)


def _make_stages(rows: list[Panorama], manifest: Path, folder: Path, *, model: Path | None, local: Path | None) -> None:
    panoramas = fetch_panoramas(rows, manifest.parent, folder)
    write_manifest(folder / "manifest.csv", panoramas)
    simulated = all(panorama.simulated for panorama in panoramas)
    edition = Edition(
        name=folder.name,
        note=TWIN_NOTE if simulated else OWN_NOTE.format(name=folder.name, manifest=manifest.name),
        simulated=simulated,
        px_per_um=panoramas[0].px_per_um,
        area_px2=sum(panorama.width_px * panorama.height_px for panorama in panoramas),
    )
    write_edition(folder, edition)
    segment_panoramas(panoramas, folder, model)
    measure_panoramas(panoramas, folder)
    cut_cells(panoramas, folder, edition)
    lay_out_cells(folder)
    judge_panoramas(panoramas, folder, model)
    write_pyramids(panoramas, folder, edition)
    try:
        published_results(folder.parent / PUBLISHED / "results.csv", local)
    except NnbookError as error:
        print(f"nnbook: the book will lack the published table beside this edition's. {error}", file=sys.stderr)


def run_published(
    folder: Path, notebooks: Path, *, local: Path | None = None, cell_seconds: float = CELL_SECONDS
) -> None:
    """Make the published edition: its released table instead of images, then the notebooks.

    Parameters
    ----------
    folder, notebooks, local, cell_seconds
        As in `run`.
    """
    with locked(folder):
        _make_published_stages(folder, local)
        execute_notebooks(notebooks, folder, cell_seconds=cell_seconds)


def _make_published_stages(folder: Path, local: Path | None) -> None:
    published_results(folder / "results.csv", local)
    edition = Edition(
        name=PUBLISHED,
        note=PUBLISHED_NOTE,
        simulated=False,
        px_per_um=published.PX_PER_UM,
        area_px2=published.TOTAL_AREA_PX2,
    )
    write_edition(folder, edition)
    write_json(folder / "pyramids" / "index.json", {"edition": edition.name, "note": edition.note, "panoramas": []})
    _write_panoramas_json(read_results(folder / "results.csv"), {}, folder, edition)
    cut_cells([], folder, edition)
    lay_out_cells(folder)


def segment_panoramas(panoramas: list[Panorama], folder: Path, model: Path | None) -> None:
    """Segment every panorama of an edition that comes without a mask into `masks/NAME_cp_masks.tif`."""
    from nnbook.segmentation.workflow import load_model, segment_files

    unmasked = {panorama.panorama: folder / panorama.image for panorama in panoramas if not panorama.mask}
    if unmasked:
        segment_files(unmasked, folder / "masks", load_model(model))


def measure_panoramas(panoramas: list[Panorama], folder: Path) -> None:
    """Measure an edition's panoramas into `rois.parquet` and `results.csv`, unless those are up to date."""
    record, rois_path, results_path = folder / "records/measure.json", folder / "rois.parquet", folder / "results.csv"
    files = {panorama.panorama: (folder / panorama.image, mask_path(panorama, folder)) for panorama in panoramas}
    depends = {
        **made_by(measure_panoramas),
        "files": states_of((path for pair in files.values() for path in pair), folder),
        "px_per_um": panoramas[0].px_per_um,
    }
    if is_current(record, depends, [rois_path, results_path]):
        return
    simulated = {panorama.panorama: panorama for panorama in panoramas if panorama.simulated}
    with remade(record, depends):
        rois, results = measure_files(
            files,
            panoramas[0].px_per_um,
            lambda name, labels: true_classes(simulated[name], labels, folder) if name in simulated else {},
        )
        runs = {Path(panorama.image).name: panorama for panorama in panoramas}
        results["run"] = [runs[image].run for image in results["image"]]
        results["passage"] = [runs[image].passage for image in results["image"]]
        write_measurements(rois, results, folder)


def measure_files(
    files: dict[str, tuple[Path, Path]],
    px_per_um: float,
    classes: Callable[[str, Labels], dict[int, str]] = lambda _name, _labels: {},
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Measure image files with their masks.

    Parameters
    ----------
    files : dict of str to (Path, Path)
        Image and mask by the panorama's name.
    px_per_um : float
        Pixels a micrometre.
    classes : callable, optional
        Tells from a panorama's name and mask what its nuclei are: a class by label, for those that are known.

    Returns
    -------
    (pandas.DataFrame, pandas.DataFrame)
        A row a nucleus (`nnbook.measurement.rois.measure_panorama`) and a row a panorama (`nnbook.measurement.rois.summarise`). Where the
        class of any nucleus is known, the rows of nuclei have a column `class`, which is None for the others. A
        panorama without a nucleus has a row too, and is named on standard error.

    Raises
    ------
    NnbookError
        With a line for each panorama whose files are wrong.
    """
    from tqdm import tqdm

    def measure(name: str) -> pd.DataFrame | str:
        image, mask = files[name]
        try:
            pixels, labels = read_image(image), read_mask(mask)
            table = measure_panorama(name, pixels, labels, px_per_um)
            if known := classes(name, labels):
                table["class"] = [known.get(roi) for roi in table["roi"]]
            return table
        except NnbookError as error:
            return str(error)

    with ThreadPoolExecutor(2) as pool:
        outcomes = list(tqdm(pool.map(measure, files), desc="measure", unit="panorama", total=len(files)))
    if problems := [outcome for outcome in outcomes if isinstance(outcome, str)]:
        raise NnbookError("\n".join(problems))
    tables = {name: outcome for name, outcome in zip(files, outcomes, strict=True) if isinstance(outcome, pd.DataFrame)}
    for name, table in tables.items():
        if table.empty:
            print(f"nnbook: {name} has no nucleus; its mean and standard deviation stay empty", file=sys.stderr)
    results = pd.DataFrame([summarise(files[name][0].name, table) for name, table in tables.items()])
    found = [table for table in tables.values() if not table.empty] or list(tables.values())[:1]
    rois = pd.concat(found, ignore_index=True)
    if "class" in rois:
        rois["class"] = rois["class"].astype(object).where(rois["class"].notna(), None)
    return rois, results


def write_measurements(rois: pd.DataFrame, results: pd.DataFrame, folder: Path) -> None:
    """Write `rois.parquet` and `results.csv` into a folder, each in one step."""
    with aside(folder / "rois.parquet") as written:
        rois.to_parquet(written, index=False, row_group_size=65_536)  # so that a range of rows can be read alone
    write_results(folder / "results.csv", results)


def cut_cells(panoramas: list[Panorama], folder: Path, edition: Edition) -> None:
    """Cut an edition's cells into `cells/`, unless that is up to date; a store of none where it has no panoramas."""
    record, cells, rois = folder / "records/cells.json", folder / "cells", folder / "rois.parquet"
    masked = [
        MaskedPanorama(one.panorama, one.run, one.passage, folder / one.image, mask_path(one, folder))
        for one in panoramas
    ]
    depends = {
        **made_by(cut_cells),
        "panoramas": [[one.panorama, one.run, one.passage] for one in masked],
        "files": states_of(
            [*(path for one in masked for path in (one.image, one.mask)), *([rois] * bool(masked))], folder
        ),
        "edition": asdict(edition),
    }
    if is_current(record, depends, [cells / "cells.json", cells / "cells.parquet", cells / "cells.zarr"]):
        return
    note = edition.note if masked else f"{edition.note} Without panoramas there are no cell images."
    with remade(record, depends):
        told = write_cells(
            cells, masked, rois if masked else None, edition=edition.name, note=note, px_per_um=edition.px_per_um
        )
    left_out = ", ".join(f"{count:,} {reason.replace('_', ' ')}" for reason, count in told["left_out"].items())
    print(f"nnbook: {cells} has {told['cells']:,} cells; left out: {left_out}", file=sys.stderr)


def lay_out_cells(folder: Path) -> None:
    """Draw a sample of an edition's cells into `sample.parquet`, and lay it out in `mosaic/`, unless up to date."""
    cells, mosaic = folder / "cells", folder / "mosaic"
    record, drawn = folder / "records/sample.json", [folder / "sample.parquet", folder / "sample.json"]
    store = states_of([cells / "cells.json", cells / "cells.parquet"], folder)
    depends = {**made_by(write_sample), "files": store, "per_run": PER_RUN, "seed": SEED}
    if not is_current(record, depends, drawn):
        with remade(record, depends):
            short = short_runs(write_sample(cells, folder))
        if short:
            print(f"nnbook: fewer than {PER_RUN} cells, all of them drawn: {short}", file=sys.stderr)
    record = folder / "records/mosaic.json"
    depends = {**made_by(write_mosaic), "files": store, "sample": sha256(drawn[0])}
    if not is_current(record, depends, [mosaic / "mosaic.json", mosaic / "cells.json"]):
        with remade(record, depends):
            told = write_mosaic(mosaic, cells, folder)
        sizes = [path.stat().st_size for path in mosaic.rglob("*") if path.is_file()]
        size = (
            f"{len(told['rows'])} rows of {told['columns']} cells in {len(sizes):,} files, {sum(sizes) / 1e6:,.1f} MB"
        )
        print(f"nnbook: {mosaic} has {size}", file=sys.stderr)


def judge_panoramas(panoramas: list[Panorama], folder: Path, model: Path | None) -> None:
    """Compare some panoramas' masks with the truth, where an edition has it, into `accuracy/`, unless up to date.

    `scores.csv` and `cases.csv` are of `nnbook.evaluation.comparison.compare_methods`, `settings.csv` of `vary_settings`.
    """
    known = [panorama for panorama in panoramas if truth_path(panorama, folder).is_file() and not panorama.mask]
    if not known:
        return
    from tqdm import tqdm

    from nnbook.evaluation.comparison import compare_methods, vary_settings
    from nnbook.segmentation.workflow import SHIPPED_MODEL, load_model

    compared, varied = (_evenly(known, px2) for px2 in (COMPARED_PX2, VARIED_PX2))
    record, tables = folder / "records/accuracy.json", [folder / f"accuracy/{name}.csv" for name in ACCURACY_TABLES]
    depends = {
        **made_by(judge_panoramas),
        "files": states_of(
            [
                model or SHIPPED_MODEL,
                *(
                    path
                    for one in compared
                    for path in (folder / one.image, mask_path(one, folder), truth_path(one, folder))
                ),
            ],
            folder,
        ),
    }
    if is_current(record, depends, tables):
        return
    bar = tqdm(compared, desc="accuracy", unit="panorama")
    with remade(record, depends):
        scores, cases = compare_methods((_judged(one, folder) for one in bar), published.DIAMETER_PX)
        settings = vary_settings([_judged(one, folder) for one in varied], load_model(model))
        for path, table in zip(tables, (scores, cases, settings), strict=True):
            with aside(path) as written:
                table.to_csv(written, index=False, lineterminator="\n")


def _judged(panorama: Panorama, folder: Path) -> Judged:
    from nnbook.evaluation.comparison import Judged

    truth = truth_path(panorama, folder)
    return Judged(
        read_image(folder / panorama.image),
        read_mask(mask_path(panorama, folder)),
        read_mask(truth),
        pd.read_csv(truth.with_suffix(".csv")),
    )


def _evenly(panoramas: list[Panorama], area_px2: int) -> list[Panorama]:
    count = max(1, area_px2 // max(panorama.width_px * panorama.height_px for panorama in panoramas))
    return panoramas[:: -(-len(panoramas) // count)]


def write_pyramids(panoramas: list[Panorama], folder: Path, edition: Edition) -> None:
    """Write what viewers read into an edition's `pyramids/`, as far as it is not up to date.

    `index.json` lists the representatives, each with its tiles and `NAME/nuclei.json`, its nuclei; `panoramas.json`
    lists every panorama, each with `previews/NAME.jpg`. How many files there are, and their size, is told on standard
    error. Addresses are relative to the file that holds them.
    """
    from tqdm import tqdm

    shown = folder / "pyramids"
    by_image = {Path(panorama.image).name: panorama for panorama in panoramas}
    results = read_results(folder / "results.csv")
    rois = pd.read_parquet(folder / "rois.parquet")
    entries: list[dict[str, Any]] = []
    code = made_by(write_pyramid)
    chosen = most_representative(results)
    for rank, row in enumerate(tqdm(chosen.to_dict("records"), desc="pyramid", unit="panorama"), start=1):
        panorama = by_image[row["image"]]
        name = panorama.panorama
        image, mask = folder / panorama.image, mask_path(panorama, folder)
        record, tiles = folder / f"records/pyramid-{name}.json", shown / name
        depends = {**code, "files": states_of([image, mask], folder)}
        if not is_current(record, depends, [tiles / "intensity.dzi", tiles / "labels.dzi"]):
            with remade(record, depends):
                write_pyramid(tiles, image, mask)
        nuclei = nuclei_columns(rois[rois["panorama"] == name])
        write_json(tiles / "nuclei.json", {"panorama": name, "columns": nuclei}, indent=None)
        entries.append(
            {
                "panorama": name,
                "width": panorama.width_px,
                "height": panorama.height_px,
                "px_per_um": panorama.px_per_um,
                "intensity": f"{name}/intensity.dzi",
                "labels": f"{name}/labels.dzi",
                "nuclei": f"{name}/nuclei.json",
                "rank": rank,
                "distance": round(row["distance"], 4),
                "num_rois": row["num_rois"],
                "mean_intensity": round(row["mean_intensity"], 4),
                "std_intensity": round(row["std_intensity"], 4),
            }
        )
    write_previews(panoramas, folder)
    write_json(shown / "index.json", {"edition": edition.name, "note": edition.note, "panoramas": entries})
    _write_panoramas_json(results, by_image, folder, edition)
    kept = {PREVIEWS, *(entry["panorama"] for entry in entries)}
    for tiles in shown.iterdir():
        if tiles.is_dir() and tiles.name not in kept:
            shutil.rmtree(tiles)
    for record in folder.glob("records/pyramid-*.json"):
        if record.stem.removeprefix("pyramid-") not in kept:
            record.unlink()
    sizes = [path.stat().st_size for path in shown.rglob("*") if path.is_file()]
    print(f"nnbook: {shown} has {len(sizes):,} files, {sum(sizes) / 1e6:,.1f} MB", file=sys.stderr)


def write_previews(panoramas: list[Panorama], folder: Path) -> None:
    """Write `pyramids/previews/NAME.jpg` of every panorama of an edition that has none up to date; remove others."""
    from tqdm import tqdm

    previews = folder / "pyramids" / PREVIEWS
    code = made_by(write_previews)

    def write(panorama: Panorama) -> str | None:
        image, record = folder / panorama.image, folder / f"records/preview-{panorama.panorama}.json"
        preview = previews / f"{panorama.panorama}.jpg"
        depends = {**code, "files": states_of([image], folder)}
        if not is_current(record, depends, [preview]):
            try:
                with remade(record, depends):
                    write_preview(preview, read_image(image))
            except NnbookError as error:
                return str(error)
        return None

    with ThreadPoolExecutor(2) as pool:
        outcomes = list(tqdm(pool.map(write, panoramas), desc="preview", unit="panorama", total=len(panoramas)))
    if problems := [outcome for outcome in outcomes if outcome is not None]:
        raise NnbookError("\n".join(problems))
    kept = {panorama.panorama for panorama in panoramas}
    for preview in previews.glob("*.jpg"):
        if preview.stem not in kept:
            preview.unlink()


def _write_panoramas_json(
    results: pd.DataFrame, panoramas: dict[str, Panorama], folder: Path, edition: Edition
) -> None:
    columns = panoramas_columns(results, panoramas)
    told = {"edition": edition.name, "note": edition.note, "columns": columns}
    write_json(folder / "pyramids" / "panoramas.json", told, indent=None)


def truth_path(panorama: Panorama, folder: Path) -> Path:
    """Return where the twin keeps a panorama's true mask; the table of its nuclei lies beside it, as CSV."""
    return folder / "truth" / f"{panorama.panorama}.tif"


def mask_path(panorama: Panorama, folder: Path) -> Path:
    """Return where an edition keeps a panorama's mask, be it segmented or brought along."""
    return folder / "masks" / f"{panorama.panorama}{MASK_SUFFIX}.tif"
