"""The stages of an edition, from panoramas to pyramids."""

from __future__ import annotations

import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from nnbook.cells.sample import PER_RUN, SEED, short_runs, write_sample
from nnbook.cells.store import MaskedPanorama
from nnbook.cells.writer import write_cells
from nnbook.errors import NnbookError
from nnbook.evaluation.truth import true_classes
from nnbook.io.edition import Edition, mask_path, truth_path
from nnbook.io.files import atomic_write, sha256, write_json
from nnbook.io.images import read_image, read_mask
from nnbook.io.results import read_results
from nnbook.measurement.rois import measure_files, write_measurements
from nnbook.provenance.dependencies import made_by
from nnbook.provenance.stage_record import file_states, is_current, remade
from nnbook.values import published
from nnbook.viewers.mosaic import write_mosaic
from nnbook.viewers.pyramid import write_preview, write_pyramid
from nnbook.viewers.tables import PREVIEWS, most_representative, nuclei_columns, panoramas_columns

if TYPE_CHECKING:
    from nnbook.evaluation.comparison import Judged
    from nnbook.io.manifest import Panorama

COMPARED_PX2 = 700_000_000
VARIED_PX2 = 17_000_000
"""Panoramas of about this area are compared with the truth, and settings are varied on: spread evenly over all."""

ACCURACY_TABLES = ("scores", "cases", "settings")


def segment_panoramas(panoramas: list[Panorama], folder: Path, model: Path | None) -> None:
    """Segment every panorama of an edition that comes without a mask into `masks/NAME_cp_masks.tif`."""
    from nnbook.segmentation.model import load_model
    from nnbook.segmentation.workflow import segment_files

    unmasked = {panorama.panorama: folder / panorama.image for panorama in panoramas if not panorama.mask}
    if unmasked:
        segment_files(unmasked, folder / "masks", load_model(model))


def measure_panoramas(panoramas: list[Panorama], folder: Path) -> None:
    """Measure an edition's panoramas into `rois.parquet` and `results.csv`, unless those are up to date."""
    record, rois_path, results_path = folder / "records/measure.json", folder / "rois.parquet", folder / "results.csv"
    files = {panorama.panorama: (folder / panorama.image, mask_path(panorama, folder)) for panorama in panoramas}
    depends = {
        **made_by(measure_panoramas),
        "files": file_states((path for pair in files.values() for path in pair), folder),
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
        "files": file_states(
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
    store = file_states([cells / "cells.json", cells / "cells.parquet"], folder)
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
    from nnbook.segmentation.model import SHIPPED_MODEL, load_model

    compared, varied = (_evenly(known, px2) for px2 in (COMPARED_PX2, VARIED_PX2))
    record, tables = folder / "records/accuracy.json", [folder / f"accuracy/{name}.csv" for name in ACCURACY_TABLES]
    depends = {
        **made_by(judge_panoramas),
        "files": file_states(
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
            with atomic_write(path) as written:
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
        depends = {**code, "files": file_states([image, mask], folder)}
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
    write_panoramas_json(results, by_image, folder, edition)
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
        depends = {**code, "files": file_states([image], folder)}
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


def write_panoramas_json(results: pd.DataFrame, panoramas: dict[str, Panorama], folder: Path, edition: Edition) -> None:
    """Write `pyramids/panoramas.json`: a column a value, an entry a panorama."""
    columns = panoramas_columns(results, panoramas)
    told = {"edition": edition.name, "note": edition.note, "columns": columns}
    write_json(folder / "pyramids" / "panoramas.json", told, indent=None)
