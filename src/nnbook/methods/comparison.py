"""Methods of segmentation on the same images: accuracy, time and memory in one run (`nnbook compare`)."""

from __future__ import annotations

import math
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from nnbook.errors import InvalidValueError, MissingFileError, NnbookError, reason
from nnbook.evaluation.measures import DRAWS, count_measures, intervals, quotients
from nnbook.evaluation.metrics import count_matches, overlaps, score_counts
from nnbook.io.files import write_json
from nnbook.io.images import image_shape, mask_shape, read_image, read_mask, write_mask
from nnbook.io.inputs import MASK_SUFFIX, image_files, pair_files
from nnbook.io.processes import peak_bytes
from nnbook.methods.adapter import NeedsDownloadError
from nnbook.methods.pictures import write_picture
from nnbook.methods.registry import choose_methods
from nnbook.segmentation.diameter import estimate_diameter, median_diameter
from nnbook.segmentation.model import shipped_model

if TYPE_CHECKING:
    from collections.abc import Sequence
    from multiprocessing.connection import Connection

    from nnbook.io.images import Labels
    from nnbook.io.paths import PathLike

WARM_UP_PX: Final = 256
"""The first image's corner is segmented before anything is timed: what is compiled and loaded once isn't counted."""

SHOWN: Final = ("f1_0.50", "mean_ap", "pq", "aji", "touching_separated", "fn_rate", "fp_rate")
"""What has an interval in the table; `comparison.json` has all measures."""

NO_TRUTH: Final = "no true masks are given, so that there is no accuracy: time, memory and pictures alone"


@dataclass(frozen=True)
class Comparison:
    """What methods make of images.

    Attributes
    ----------
    methods : DataFrame
        A row a method: `method`, `title`, `images`, `failed`, `nuclei`, `seconds_per_mpx`, `load_seconds`, `peak_mb`,
        `why` (of the first failure, or why it was skipped); with truth the measures of `nnbook evaluate`, each of
        `SHOWN` also with `_low` and `_high`.
    images : DataFrame
        A row a method and image: `method`, `image`, `diameter_px`, `mpx`, `nuclei`, `seconds`, `error`, and with truth
        the measures.
    has_truth : bool
        Whether masks are compared with true ones.
    """

    methods: pd.DataFrame
    images: pd.DataFrame
    has_truth: bool


def compare_folder(
    folder: PathLike,
    methods: Sequence[str],
    out: PathLike,
    *,
    diameter_px: float | None = None,
    draws: int = DRAWS,
    seed: int = 1,
) -> Comparison:
    """Segment images with several methods, one after the other, and measure each.

    Each method has a process of its own, of which time and memory are measured. An image on which it fails counts as
    one without any nucleus found, and its row says why; the others go on. An image that can't be read, or whose truth
    can't or is of another size, is no method's fault: it is left out of the accuracy of all, and named on standard
    error. All methods get the same diameter.

    Parameters
    ----------
    folder : str or Path
        With `images` and `labels` in it, of the same names; or a folder of images, without truth.
    methods : sequence of str
        See `nnbook.methods.list_methods`. One whose weights would have to be downloaded is skipped, and named on
        standard error.
    out : str or Path
        The folder to write to: `METHOD/NAME_cp_masks.tif`, `pictures/NAME.png`, and `comparison.json`.
    diameter_px : float, optional
        Diameter of the nuclei in px. By default that of each image's median true nucleus; without truth the one that
        this book's model finds.
    draws, seed : int
        For the intervals: see `nnbook.evaluation.measures.intervals`.

    Returns
    -------
    Comparison

    Raises
    ------
    InvalidValueError
        Where a method is none, or a setting is out of range.
    NnbookError
        Where no image can be read.
    """
    chosen = choose_methods(methods)
    if diameter_px is not None and not 1 <= diameter_px <= 100_000:
        raise InvalidValueError(
            f"diameter_px is {diameter_px:g}; give the nuclei's diameter, 1 to 100,000 px", parameter="diameter_px"
        )
    out = Path(out)
    images, truth = _find(Path(folder))
    if not truth:
        print(f"nnbook: {NO_TRUTH}", file=sys.stderr)
    out.mkdir(parents=True, exist_ok=True)
    diameters, unreadable = _diameters(images, truth, diameter_px)
    if not diameters:
        raise NnbookError("\n".join(unreadable.values()))
    for name, why in unreadable.items():
        print(f"nnbook: {name} is LEFT OUT: {why}", file=sys.stderr)
    true = {name: truth[name] for name in diameters if name in truth}
    rows, summaries = [], []
    for method in chosen:
        found = _in_own_process(method.name, images, diameters, out / method.name)
        own = [
            {"method": method.name, "image": name, "diameter_px": diameters.get(name), **found["images"][name]}
            for name in images
            if name in found["images"]
        ]
        own += [{"method": method.name, "image": name, "error": why} for name, why in unreadable.items()]
        counts = _score(own, out / method.name, images, true) if found["skipped"] is None else []
        rows += own
        summaries.append(
            {"method": method.name, "title": method.title, **_summary(own, found), **_totals(counts, draws, seed)}
        )
        if found["skipped"] is not None:
            print(f"nnbook: {method.name} is SKIPPED: {found['skipped']}", file=sys.stderr)
    result = Comparison(pd.DataFrame(summaries), pd.DataFrame(rows), bool(truth))
    for name, path in images.items():
        if name in diameters:
            masks = {one.title: out / one.name / f"{name}{MASK_SUFFIX}.tif" for one in chosen}
            write_picture(out / "pictures" / f"{name}.png", path, truth.get(name), masks)
    report = {"has_truth": bool(truth), "draws": draws, "seed": seed}
    write_json(
        out / "comparison.json", {**report, "methods": _records(result.methods), "images": _records(result.images)}
    )
    return result


def _find(folder: Path) -> tuple[dict[str, Path], dict[str, Path]]:
    """Return images and true masks by name; no masks where there are none."""
    if not folder.is_dir():
        raise MissingFileError(f"{folder}: no such folder; give one with images/ and labels/ in it, or one of images")
    if not (folder / "images").is_dir():
        return image_files(folder), {}
    if not (folder / "labels").is_dir():
        return image_files(folder / "images"), {}
    pairs = pair_files(folder / "images", folder / "labels")
    return {name: pair[0] for name, pair in pairs.items()}, {name: pair[1] for name, pair in pairs.items()}


def _diameters(
    images: dict[str, Path], truth: dict[str, Path], diameter_px: float | None
) -> tuple[dict[str, float], dict[str, str]]:
    """Return the diameter for each image, and why the others can't be read."""
    found, unreadable = {}, {}
    for name, path in images.items():
        try:
            image = read_image(path)
            true = _read_truth(truth[name], path) if name in truth else None
            if diameter_px is not None:
                found[name] = diameter_px
            elif true is not None:
                found[name] = max(1.0, median_diameter(true))
            else:
                found[name] = max(1.0, estimate_diameter(image, shipped_model()))
        except NnbookError as error:
            unreadable[name] = str(error)
    return found, unreadable


def _read_truth(path: Path, image: Path) -> Labels:
    """Read the true masks of an image, which are of its size."""
    height, width = image_shape(image)
    shape = mask_shape(path)
    if shape is not None and shape != (height, width):
        raise NnbookError(
            f"{path}: is {shape[1]} x {shape[0]} px but its image {width} x {height}; take the true masks of this image"
        )
    return read_mask(path, (height, width))


def _in_own_process(name: str, images: dict[str, Path], diameters: dict[str, float], out: Path) -> dict[str, Any]:
    """Segment all images with one method, in a process that may fail without harm to the others."""
    context = get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    files = {one: images[one] for one in diameters}
    process = context.Process(target=_work, args=(sender, name, files, diameters, out))
    process.start()
    sender.close()
    found: dict[str, Any] = {"images": {}, "skipped": None, "load_seconds": math.nan, "peak_mb": math.nan}
    try:
        while True:
            key, value = receiver.recv()
            if key == "image":
                found["images"][value.pop("image")] = value
            else:
                found[key] = value
    except EOFError:
        pass
    finally:
        if sys.exc_info()[0] is not None:
            process.terminate()
        process.join()
    if found["skipped"] is None:
        ended = f"the method's process ended with status {process.exitcode}; it may lack memory"
        for one in files:
            found["images"].setdefault(one, {"error": found.get("failed", ended)})
    return found


def _work(sender: Connection, name: str, images: dict[str, Path], diameters: dict[str, float], out: Path) -> None:
    try:
        start = time.perf_counter()
        (method,) = choose_methods([name])
        segment = method.load()
        with suppress(Exception):  # what fails on the corner may not fail on the image
            first, path = next(iter(images.items()))
            segment(np.ascontiguousarray(read_image(path)[:WARM_UP_PX, :WARM_UP_PX]), diameters[first])
        sender.send(("load_seconds", time.perf_counter() - start))
    except NeedsDownloadError as error:
        sender.send(("skipped", str(error)))
        return
    except Exception as error:  # noqa: BLE001 - a method may raise whatever it likes: its row says so
        sender.send(("failed", reason(error)))
        return
    for one, path in images.items():
        sender.send(("image", {"image": one, **_segment_one(segment, path, diameters[one], out, one)}))
        sender.send(("peak_mb", peak_bytes() / 1e6))


def _segment_one(segment: Any, path: Path, diameter_px: float, out: Path, name: str) -> dict[str, Any]:
    mask = out / f"{name}{MASK_SUFFIX}.tif"
    try:
        image = read_image(path)
        start = time.perf_counter()
        labels = np.asarray(segment(image, diameter_px))
        seconds = time.perf_counter() - start
        write_mask(mask, _checked(labels, image.shape))
        read_mask(mask)  # refused where all round the image is one nucleus: then nothing can be scored or shown
    except Exception as error:  # noqa: BLE001 - a method may raise whatever it likes: its row says so
        mask.unlink(missing_ok=True)
        return {"error": f"{type(error).__name__}: {reason(error)}"}
    nuclei = int(np.count_nonzero(np.bincount(labels.ravel())[1:]))
    return {"mpx": image.size / 1e6, "nuclei": nuclei, "seconds": seconds, "error": None}


def _checked(labels: Any, shape: tuple[int, ...]) -> Any:
    if labels.shape != shape or labels.dtype.kind not in "ui":
        raise NnbookError(f"gave {labels.dtype} of shape {labels.shape}, and no labels of the image's size")
    return labels


def _score(
    rows: list[dict[str, Any]], masks: Path, images: dict[str, Path], truth: dict[str, Path]
) -> list[dict[str, Any]]:
    """Add measures to the rows of images whose truth is known, and return the counts of each."""
    counts = []
    for row in rows:
        if (name := row["image"]) not in truth:
            continue
        true = _read_truth(truth[name], images[name])
        path = masks / f"{name}{MASK_SUFFIX}.tif"
        made = np.zeros_like(true) if row["error"] is not None else read_mask(path)
        one = {**count_matches(made, true), **count_measures(made, true, overlaps(made, true))}
        row.update(_measures(one))
        counts.append(one)
    return counts


def _measures(counts: dict[str, Any]) -> dict[str, float]:
    return {**score_counts([counts]), **quotients(counts)}


def _summary(rows: list[dict[str, Any]], found: dict[str, Any]) -> dict[str, Any]:
    done = [row for row in rows if row.get("error") is None and "seconds" in row]
    failed = [row for row in rows if row.get("error") is not None]
    mpx = sum(row["mpx"] for row in done)
    return {
        "images": len(done),
        "failed": len(failed),
        "nuclei": sum(row["nuclei"] for row in done),
        "seconds_per_mpx": sum(row["seconds"] for row in done) / mpx if mpx else math.nan,
        "load_seconds": found["load_seconds"],
        "peak_mb": found["peak_mb"],
        "why": found["skipped"] or (f"{failed[0]['image']}: {failed[0]['error']}" if failed else ""),
        "skipped": found["skipped"] is not None,
    }


def _totals(counts: list[dict[str, Any]], draws: int, seed: int) -> dict[str, float]:
    """Return the measures over the nuclei of all images together, with intervals of those in `SHOWN`."""
    if not counts:
        return {}
    total = _measures({key: np.sum([one[key] for one in counts], axis=0) for key in counts[0]})
    for name, ends in intervals(counts, _measures, draws, seed).items():
        if name in SHOWN:
            total |= {f"{name}_low": ends[0], f"{name}_high": ends[1]}
    return total


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return rows without what is not a number, which JSON can't say."""
    names = [str(name) for name in table.columns]
    rows = [dict(zip(names, row, strict=True)) for row in table.itertuples(index=False, name=None)]
    return [{name: value for name, value in row.items() if not pd.isna(value)} for row in rows]
