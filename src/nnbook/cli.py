"""The command line: each command parses, calls one function, and prints."""

from __future__ import annotations

import argparse
import json
import os
import sys
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from nnbook import __version__
from nnbook.errors import NnbookError
from nnbook.values import published

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    arguments : sequence of str, optional
        By default those that the process was called with.

    Returns
    -------
    int
        The exit status: 0 only when all was done, 1 where something is wrong with the data. A wrong call exits with 2.
    """
    parsed = _parser().parse_args(arguments)
    try:
        parsed.command(parsed)
    except NnbookError as error:
        print(f"nnbook {parsed.name}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"nnbook {parsed.name}: interrupted; what is finished is kept, call again to go on", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"nnbook {parsed.name}: {error}; check that the path is right, writable and has space", file=sys.stderr)
        return 1
    return 0


def _twin(call: argparse.Namespace) -> None:
    from nnbook.simulation.dataset import write_dataset

    rows = write_dataset(call.out, call.seed, call.runs, call.side)
    _print(call, {"manifest": str(call.out / "manifest.csv"), "panoramas": len(rows)})


def _validate(call: argparse.Namespace) -> None:
    from nnbook.io.manifest import image_problems, read_manifest

    rows = read_manifest(call.manifest)
    folder = call.images or call.manifest.parent
    if problems := [problem for row in rows for problem in image_problems(row, folder)]:
        raise NnbookError("\n".join(problems))
    there = sum((folder / row.image).exists() for row in rows)
    _print(call, {"manifest": str(call.manifest), "panoramas": len(rows), "images_at_hand": there})


def _segment(call: argparse.Namespace) -> None:
    from nnbook.segmentation.model import load_model
    from nnbook.segmentation.workflow import segment_files

    diameter = None if call.diameter == "auto" else call.diameter
    masks = segment_files(
        _images(call.images),
        call.out,
        load_model(call.model),
        diameter_px=diameter,
        flow_threshold=call.flow_threshold,
        cellprob_threshold=call.cellprob_threshold,
    )
    _print(call, {"masks": [str(mask) for mask in masks]})


def _measure(call: argparse.Namespace) -> None:
    from nnbook.io.inputs import MASK_SUFFIX
    from nnbook.measurement.rois import measure_files, write_measurements

    images = _images(call.images)
    rois, results = measure_files(
        {name: (image, call.masks / f"{name}{MASK_SUFFIX}.tif") for name, image in images.items()}, call.px_per_um
    )
    write_measurements(rois, results, call.out)
    _print(call, {"panoramas": len(results), "num_rois": int(results["num_rois"].sum()), "out": str(call.out)})


def _cells(call: argparse.Namespace) -> None:
    from nnbook.cells.store import masked_panoramas
    from nnbook.cells.writer import write_cells
    from nnbook.io.manifest import read_manifest

    images = _images(call.images)
    rows = read_manifest(call.images[0]) if call.images[0].suffix == ".csv" else []
    told = write_cells(
        call.out,
        masked_panoramas(images, call.masks, rows),
        call.rois,
        edition=call.out.name,
        note="Simulated edition: cut from panoramas that a virtual microscope drew."
        if any(row.simulated for row in rows)
        else "Cell images cut by 'nnbook cells'.",
        px_per_um=rows[0].px_per_um if rows else call.px_per_um,
    )
    _print(call, {"cells": told["cells"], **told["left_out"], "out": str(call.out)})


def _sample(call: argparse.Namespace) -> None:
    from nnbook.cells.sample import short_runs, write_sample

    about = write_sample(call.cells, call.out, call.per_run, call.seed)
    short = {"fewer_than_asked": short_runs(about)} if short_runs(about) else {}
    _print(
        call, {"cells": about["cells"], "runs": len(about["runs"]), "seed": call.seed, **short, "out": str(call.out)}
    )


def _mosaic(call: argparse.Namespace) -> None:
    from nnbook.viewers.mosaic import write_mosaic

    about = write_mosaic(call.out, call.cells, call.sample)
    _print(call, {"rows": len(about["rows"]), "columns": about["columns"], "out": str(call.out)})


def _export(call: argparse.Namespace) -> None:
    from nnbook.cells.export import write_dataset, write_tiffs
    from nnbook.cells.store import read_cells

    cells = read_cells(call.cells)
    count = write_tiffs(cells, call.tiff) if call.tiff else write_dataset(cells, call.dataset)
    _print(call, {"cells": count, "out": str(call.tiff or call.dataset)})


def _representatives(call: argparse.Namespace) -> None:
    from nnbook.io.results import read_results
    from nnbook.measurement.selection import centroid, representatives

    results = read_results(call.table)
    chosen = representatives(results, call.k)
    columns = ["image", "num_rois", "mean_intensity", "distance"]
    middle = centroid(results)
    if call.json:
        _print(call, {"centroid": middle.to_dict(), "panoramas": chosen[columns].to_dict("records")})
        return
    print(f"centroid: {middle['num_rois']:.2f} nuclei, mean intensity {middle['mean_intensity']:.4f}")
    print(chosen[columns].to_string(index=False))


def _area(call: argparse.Namespace) -> None:
    from nnbook.io.manifest import read_manifest
    from nnbook.measurement.imaged_area import area

    px2, px_per_um = call.px2, call.px_per_um
    if call.manifest:
        rows = read_manifest(call.manifest)
        px2 = sum(row.width_px * row.height_px for row in rows)
        if len({row.px_per_um for row in rows}) > 1:
            raise NnbookError(
                f"{call.manifest}: has panoramas of different px_per_um; give each scale its own manifest"
            )
        px_per_um = rows[0].px_per_um
    _print(call, asdict(area(px2, px_per_um)))


def _pyramid(call: argparse.Namespace) -> None:
    from nnbook.viewers.pyramid import write_pyramid

    written = write_pyramid(call.out, call.image, call.mask, zipped=call.zip)
    _print(call, {"out": str(call.out), **asdict(written)})


def _evaluate(call: argparse.Namespace) -> None:
    from nnbook.evaluation.hard_cases import judge_folders
    from nnbook.evaluation.metrics import evaluate_folders

    table, total = evaluate_folders(call.predicted, call.true)
    cases = judge_folders(call.predicted, call.true)
    if call.json:
        judged = {} if cases is None else {"cases": cases.to_dict("records")}
        _print(call, {"total": total, "images": table.to_dict("records"), **judged})
        return
    print(table.to_string(index=False))
    _print(call, total)
    if cases is not None:
        print(cases.to_string(index=False, formatters={"share": "{:.3f}".format}))


def _train(call: argparse.Namespace) -> None:
    from nnbook.training.loop import TrainingSettings, train

    settings = TrainingSettings(steps=call.steps, seed=call.seed)
    pairs = [(Path(images), Path(masks)) for images, masks in call.data]
    model = train(pairs, call.out, settings, from_model=call.from_model)
    _print(call, {"model": str(model)})


def _pull(call: argparse.Namespace) -> None:
    # The library `datasets` would load torch, which takes longer than all else and which nothing here needs.
    os.environ.setdefault("USE_TORCH", "0")
    from nnbook.hub.download import pull

    record = pull(
        call.dataset,
        call.out,
        n=call.n,
        seed=call.seed,
        revision=call.revision,
        cells_per_shard=call.cells_per_shard,
    )
    shown = {key: record[key] for key in ("dataset", "commit", "seed", "cells", "shards")}
    _print(call, {**shown, "out": str(call.out)})


def _push(call: argparse.Namespace) -> None:
    from nnbook.hub.upload import push, write_dataset

    if call.dry_run:
        cells = write_dataset(call.cells, call.dry_run, call.dataset, licence=call.licence, about=call.about)
        _print(call, {"dataset": call.dataset, "cells": cells, "dry_run": str(call.dry_run)})
        return
    _print(
        call,
        push(
            call.cells,
            call.dataset,
            licence=call.licence,
            about=call.about,
            public=call.public,
            overwrite=call.overwrite,
        ),
    )


def _run(call: argparse.Namespace) -> None:
    from nnbook.pipeline.editions import PUBLISHED, run, run_published

    folder = call.build / call.edition
    if call.edition == PUBLISHED:
        run_published(folder, call.notebooks, local=call.local, cell_seconds=call.cell_seconds)
    else:
        run(
            call.manifest,
            folder,
            call.notebooks,
            model=call.model,
            local=call.local,
            cell_seconds=call.cell_seconds,
        )
    _print(call, {"edition": str(folder)})


def _notebook(call: argparse.Namespace) -> None:
    from nnbook.io.edition import read_edition
    from nnbook.io.files import locked
    from nnbook.provenance.notebooks import execute_notebooks

    folder = call.build / call.edition
    read_edition(folder)
    with locked(folder):
        executed = execute_notebooks(call.notebooks, folder, call.notebook, cell_seconds=call.cell_seconds)
    _print(call, {"executed": [str(folder / "notebooks" / f"{name}.ipynb") for name in executed]})


def _status(call: argparse.Namespace) -> None:
    from nnbook.pipeline.editions import PUBLISHED
    from nnbook.provenance.staleness import status, summary

    manifest = None if call.edition == PUBLISHED else call.manifest
    found = status(manifest, call.build / call.edition, call.notebooks)
    if call.json:
        print(json.dumps([one._asdict() for one in found], indent=2))
    else:
        print(summary(found) if found else f"{call.build / call.edition} is up to date")


def _check(call: argparse.Namespace) -> None:
    from nnbook.book.check import accept, compare, known_values, read_record
    from nnbook.book.lint import lint_text

    found = []
    if not call.accept:
        read_record(call.project)  # before the book is made, not after
    if not call.text:
        with _built(call) as folder:
            if call.accept:
                print(f"nnbook: {accept(call.project, folder)} is written; commit it with figures/", file=sys.stderr)
            found = compare(call.project, folder, call.build / "check")
    faults = lint_text(call.project, known_values(call.project))
    if call.json:
        print(json.dumps({"drifts": [one._asdict() for one in found], "faults": [one._asdict() for one in faults]}))
    if found or faults:
        meant = ["if what differs is meant, accept it with 'nnbook check --built --accept'"] if found else []
        raise NnbookError("\n".join(map(str, [*found, *faults, *meant])))
    if not call.json:
        _print(call, {"agrees": "the text" if call.text else "the book, with its record"})


@contextmanager
def _built(call: argparse.Namespace) -> Iterator[Path]:
    """Give the folder of an edition: as it is, if that is asked for and it is up to date, else made from nothing."""
    from nnbook.pipeline.editions import PUBLISHED, run, run_published
    from nnbook.provenance.notebooks import stale_notebooks

    if call.built:
        folder = call.build / call.edition
        if stale := stale_notebooks(call.notebooks, folder):
            raise NnbookError(f"{folder}: {', '.join(stale)} is out of date; call 'nnbook run' first")
        yield folder
        return
    call.build.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".check-", dir=call.build) as scratch:
        folder = Path(scratch) / call.edition
        if call.edition == PUBLISHED:
            run_published(folder, call.notebooks, local=call.local)
        else:
            run(call.manifest, folder, call.notebooks, model=call.model, local=call.local)
        yield folder


def _site(call: argparse.Namespace) -> None:
    from nnbook.book.website import build_site, check_cells_fit, serve_site, show_edition

    if not call.cells:
        check_cells_fit(call.edition)
    show_edition(call.edition, call.project, cells=call.cells)
    if call.cells:
        print(f"nnbook: the site reads cells from {call.cells}; copy {call.edition / 'cells'} there", file=sys.stderr)
    if call.serve:
        serve_site(call.project, call.edition)
    else:
        _print(call, {"site": str(build_site(call.project))})


def _print_book(call: argparse.Namespace) -> None:
    from nnbook.book.article import print_book
    from nnbook.book.website import show_edition

    show_edition(call.edition, call.project)
    _print(call, {"files": [str(path) for path in print_book(call.project, call.out or call.edition / "print")]})


def _crate(call: argparse.Namespace) -> None:
    from nnbook.book.crate import write_crate

    told = write_crate(call.project, call.edition, call.out)
    _print(call, {**told, "out": str(call.out)})


def _images(paths: Sequence[Path]) -> dict[str, Path]:
    """List images by name: from one manifest, or from files and folders of files."""
    from nnbook.io.inputs import image_files, manifest_images

    if len(paths) == 1 and paths[0].suffix == ".csv":
        return manifest_images(paths[0])
    images: dict[str, Path] = {}
    for path in paths:
        found = image_files(path) if path.is_dir() else {path.stem: path}
        if not found:
            raise NnbookError(f"{path}: has no TIFF or PNG files; name image files, a folder of them, or a manifest")
        for name, image in found.items():
            if name in images:
                raise NnbookError(
                    f"{image}: has the same name as {images[name]}; their masks would overwrite each other"
                )
            images[name] = image
    return images


def _print(call: argparse.Namespace, value: dict[str, Any]) -> None:
    if call.json:
        print(json.dumps(value, indent=2, default=str))
        return
    for key, entry in value.items():
        print(f"{key}: {len(entry) if isinstance(entry, list) else entry}")


def _diameter(text: str) -> float | str:
    return text if text == "auto" else float(text)


def _parser() -> argparse.ArgumentParser:  # noqa: PLR0915 - a list of options, told in order
    parser = argparse.ArgumentParser(
        prog="nnbook", description="Simulate, segment, measure and show panoramas of nuclei."
    )
    parser.add_argument("--version", action="version", version=f"nnbook {__version__}")
    commands = parser.add_subparsers(dest="name", required=True, metavar="COMMAND")

    def add(name: str, function: Any, text: str) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=text, description=text)
        command.set_defaults(command=function)
        command.add_argument("--json", action="store_true", help="print the values as JSON")
        return command

    def model_option(command: argparse.ArgumentParser) -> None:
        command.add_argument("--model", type=Path, help="a Cellpose 3 model (default: the one in models/)")

    twin = add("twin", _twin, "Simulate experiments: panoramas, truth masks, a truth table and a manifest.")
    twin.add_argument("--out", type=Path, required=True, help="folder to write to")
    twin.add_argument("--seed", type=int, default=1)
    twin.add_argument("--runs", type=int, default=10, help="experiments of 16 panoramas (default: %(default)s)")
    twin.add_argument("--side", type=int, default=2048, help="side of a panorama in px (default: 2048; real: 12275)")

    validate = add("validate", _validate, "Check a manifest and the files that it names.")
    validate.add_argument("manifest", type=Path)
    validate.add_argument("--images", type=Path, help="folder that its paths are below (default: the manifest's)")

    segment = add("segment", _segment, "Mask the nuclei of panoramas: NAME_cp_masks.tif for each.")
    segment.add_argument("images", type=Path, nargs="+", help="a manifest, or image files and folders")
    segment.add_argument("--out", type=Path, required=True, help="folder to write to")
    model_option(segment)
    segment.add_argument(
        "--diameter",
        type=_diameter,
        default=published.DIAMETER_PX,
        help="of a nucleus in px, or 'auto' (default: 152.91)",
    )
    segment.add_argument("--flow-threshold", type=float, default=published.FLOW_THRESHOLD)
    segment.add_argument("--cellprob-threshold", type=float, default=published.CELLPROB_THRESHOLD)

    measure = add("measure", _measure, "Measure nuclei and panoramas: rois.parquet and results.csv.")
    measure.add_argument("images", type=Path, nargs="+", help="a manifest, or image files and folders")
    measure.add_argument("--masks", type=Path, required=True, help="folder of NAME_cp_masks.tif")
    measure.add_argument("--out", type=Path, required=True, help="folder to write to")
    measure.add_argument("--px-per-um", type=float, default=published.PX_PER_UM, help="default: %(default)s")

    cells = add("cells", _cells, "Cut the single-cell images of masked nuclei into a store; call again to go on.")
    cells.add_argument("images", type=Path, nargs="+", help="a manifest, or image files and folders")
    cells.add_argument("--masks", type=Path, required=True, help="folder of NAME_cp_masks.tif")
    cells.add_argument("--rois", type=Path, required=True, help="the rois.parquet that 'nnbook measure' made of them")
    cells.add_argument("--out", type=Path, required=True, help="folder to write: cells.zarr, cells.parquet, cells.json")
    cells.add_argument(
        "--px-per-um", type=float, default=published.PX_PER_UM, help="without a manifest (default: %(default)s)"
    )

    sample = add("sample", _sample, "Draw so many cells of each run from a store: sample.parquet and sample.json.")
    sample.add_argument("cells", type=Path, help="the folder that 'nnbook cells' wrote")
    sample.add_argument("--out", type=Path, required=True, help="folder to write to")
    sample.add_argument(
        "--per-run", type=int, default=published.IMAGES_PER_EXPERIMENT_IN_10K, help="default: %(default)s"
    )
    sample.add_argument("--seed", type=int, default=1, help="default: 1")

    mosaic = add("mosaic", _mosaic, "Lay a sample of cells out as Deep Zoom tiles, runs by row, and once normalised.")
    mosaic.add_argument("cells", type=Path, help="the folder that 'nnbook cells' wrote")
    mosaic.add_argument("--sample", type=Path, required=True, help="the folder that 'nnbook sample' wrote to")
    mosaic.add_argument("--out", type=Path, required=True, help="folder to write")

    export = add("export", _export, "Write a store of cells as TIFF files, or as a Hugging Face dataset.")
    export.add_argument("cells", type=Path, help="the store, such as build/twin/cells")
    form = export.add_mutually_exclusive_group(required=True)
    form.add_argument("--tiff", type=Path, metavar="FOLDER", help="a new folder: NAME_ROI_N.tif for each cell")
    form.add_argument(
        "--dataset", type=Path, metavar="FOLDER", help="a new folder: Parquet files of image and filename"
    )

    chosen = add(
        "representatives", _representatives, "Find the panoramas nearest the centroid of count and brightness."
    )
    chosen.add_argument("table", type=Path, help="a results.csv")
    chosen.add_argument("-k", type=int, default=published.REPRESENTATIVES, help="how many (default: %(default)s)")

    area = add("area", _area, "Turn pixels into square centimetres.")
    pixels = area.add_mutually_exclusive_group(required=True)
    pixels.add_argument("manifest", type=Path, nargs="?")
    pixels.add_argument("--px2", type=int, help="a number of pixels instead of a manifest")
    area.add_argument("--px-per-um", type=float, default=published.PX_PER_UM, help="with --px2 (default: %(default)s)")

    pyramid = add("pyramid", _pyramid, "Write the Deep Zoom tiles of a panorama and of its mask; tell how many.")
    pyramid.add_argument("image", type=Path, help="a TIFF or PNG file; its grey levels become JPEG tiles")
    pyramid.add_argument("--mask", type=Path, help="its label image, which becomes lossless tiles")
    pyramid.add_argument("--out", type=Path, required=True, help="folder to write, or file with --zip")
    pyramid.add_argument(
        "--zip", action="store_true", help="write one uncompressed zip, read by ranges of bytes, instead of many files"
    )

    evaluate = add("evaluate", _evaluate, "Compare predicted with true masks.")
    evaluate.add_argument("predicted", type=Path, metavar="PRED", help="folder of NAME_cp_masks.tif")
    evaluate.add_argument(
        "true",
        type=Path,
        metavar="TRUE",
        help="folder of label images NAME.tif or NAME.png; with NAME.csv beside them, hard cases are judged too",
    )

    train = add("train", _train, "Train a Cellpose 3 model; call again to go on after an interruption.")
    train.add_argument(
        "--data",
        nargs=2,
        action="append",
        required=True,
        metavar=("IMAGES", "MASKS"),
        help="may be given several times",
    )
    train.add_argument("--out", type=Path, required=True, help="the model file to write")
    train.add_argument("--from", dest="from_model", type=Path, help="a Cellpose 3 model to go on from")
    train.add_argument("--steps", type=int, default=1200)
    train.add_argument("--seed", type=int, default=1)

    pull = add(
        "pull", _pull, "Draw cell images from a data set on the Hugging Face Hub, without downloading all of it."
    )
    pull.add_argument("dataset", help="its id, such as RussellBarkley/NucleusNet")
    pull.add_argument("--out", type=Path, required=True, help="folder to write to; call again to go on")
    pull.add_argument("-n", type=int, help="how many cells (default: all)")
    pull.add_argument("--seed", type=int, default=1, help="of the draw (default: 1)")
    pull.add_argument("--revision", default="main", help="branch, tag or commit (default: main)")
    pull.add_argument(
        "--cells-per-shard", type=int, default=100, help="fewer spread the draw wider and read more (default: 100)"
    )

    push = add("push", _push, "Make a data set on the Hugging Face Hub from cell images.")
    push.add_argument("cells", type=Path, help="a store of cells, or a folder of their TIFF files")
    push.add_argument("dataset", help="its id, owner/name")
    push.add_argument("--licence", required=True, help="the hub's name for it, such as cc-by-4.0")
    push.add_argument("--about", help="what the cells are, for the data set's card")
    push.add_argument("--public", action="store_true", help="make a new data set public (default: private)")
    push.add_argument("--overwrite", action="store_true", help="replace what the data set holds")
    push.add_argument("--dry-run", type=Path, metavar="FOLDER", help="write what would be sent into a folder instead")

    def edition_options(command: argparse.ArgumentParser) -> None:
        command.add_argument(
            "--edition", default="twin", help="its name; 'published' takes the released table (default: twin)"
        )
        command.add_argument(
            "--build", type=Path, default=Path("build"), help="folder of all editions (default: build)"
        )
        command.add_argument("--notebooks", type=Path, default=Path("notebooks"))

    def limit_option(command: argparse.ArgumentParser) -> None:
        command.add_argument(
            "--cell-seconds", type=float, default=600, help="how long a cell of a notebook may take (default: 600)"
        )

    def manifest_argument(command: argparse.ArgumentParser) -> None:
        command.add_argument("manifest", type=Path, nargs="?", default=Path("data/manifest.csv"))

    run = add("run", _run, "Make every stage of an edition that is not up to date.")
    manifest_argument(run)
    edition_options(run)
    limit_option(run)
    run.add_argument("--local", type=Path, help="folder with the published results.csv, instead of its address")
    model_option(run)

    notebook = add("notebook", _notebook, "Execute notebooks of an edition again, and leave the others alone.")
    notebook.add_argument("notebook", nargs="+", help="its name, such as 'area'")
    edition_options(notebook)
    limit_option(notebook)

    status = add("status", _status, "Tell what of an edition is out of date, and why; exit status 0 either way.")
    manifest_argument(status)
    edition_options(status)

    check = add(
        "check",
        _check,
        "Make the book from nothing, compare it with the committed record, and read its text.",
    )
    manifest_argument(check)
    edition_options(check)
    check.add_argument("--project", type=Path, default=Path(), help="the folder of myst.yml (default: this one)")
    check.add_argument("--local", type=Path, help="folder with the published results.csv, instead of its address")
    model_option(check)
    check.add_argument("--built", action="store_true", help="compare what is built already")
    check.add_argument("--text", action="store_true", help="read the text only, which takes a second")
    check.add_argument(
        "--accept", action="store_true", help="make what was built the record: data/record.json and figures/"
    )

    site = add("site", _site, "Build the book's site from an edition, strictly.")
    site.add_argument("edition", type=Path, help="the edition's folder, such as build/twin")
    site.add_argument("--project", type=Path, default=Path(), help="the folder of myst.yml (default: this one)")
    site.add_argument(
        "--cells", metavar="ADDRESS", help="where on the web the edition's folder cells/ is, if not in the site"
    )
    site.add_argument("--serve", action="store_true", help="serve a live preview instead")
    printed = add(
        "print", _print_book, "Write the book as Typst, PDF, Word, JATS and a MECA bundle, with static figures."
    )
    printed.add_argument("edition", type=Path, help="the edition's folder, such as build/twin")
    printed.add_argument("--project", type=Path, default=Path(), help="the folder of myst.yml (default: this one)")
    printed.add_argument("--out", type=Path, help="the folder for the files (default: print/ of the edition)")
    crate = add("crate", _crate, "Write an edition, and all that it was made with, as an RO-Crate.")
    crate.add_argument("edition", type=Path, help="the edition's folder, such as build/twin")
    crate.add_argument("--project", type=Path, default=Path(), help="the folder of myst.yml (default: this one)")
    crate.add_argument("--out", type=Path, required=True, help="the crate's folder")
    return parser
