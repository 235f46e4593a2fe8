"""What of an edition is out of date, and why, in plain words, without making or importing anything."""

from __future__ import annotations

import functools
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from nnbook.io.edition import FULL_SIZE, PUBLISHED
from nnbook.io.inputs import MASK_SUFFIX
from nnbook.io.manifest import read_manifest
from nnbook.provenance.dependencies import function_dependencies, recall, remember
from nnbook.provenance.notebooks import stale_notebooks
from nnbook.provenance.stage import changed_code, changed_files, changed_outputs, displayed, read_record

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from nnbook.io.paths import PathLike


DEPENDENCIES: Final = ".dependencies.json"
"""What code depends on, kept in the edition's folder: to find that out takes most of the time."""


class Stale(NamedTuple):
    """Something that the next `nnbook run` makes again.

    Attributes
    ----------
    what : str
        Such as `notebook area`, or `stage measure`.
    why : list of str
        At least one reason.
    """

    what: str
    why: list[str]


def status(
    manifest: PathLike | None, folder: PathLike, notebooks: PathLike, *, images: PathLike | None = None
) -> list[Stale]:
    """Find what of an edition is out of date.

    Parameters
    ----------
    manifest : str or Path or None
        The edition's manifest; None for an edition without one.
    folder : str or Path
        The edition's folder.
    notebooks : str or Path
        The folder of the text notebooks.
    images : str or Path, optional
        The folder that the manifest's paths are below; by default its own.

    Returns
    -------
    list of Stale
        In the order in which they are made; empty where all is up to date. What reads the outputs of something that is
        listed may follow it.

    Raises
    ------
    NnbookError
        Where the manifest or a module of the package can't be read.
    """
    manifest = None if manifest is None else Path(manifest)
    folder, notebooks = Path(folder), Path(notebooks)
    if not (folder / "edition.json").is_file():
        return [Stale("edition", [f"{displayed(folder)} was never made"])]
    recall(folder / DEPENDENCIES)
    rows = None if manifest is None else _rows(manifest, images)
    found = [] if manifest is None or rows is None else _of_manifest(manifest, rows, folder)
    by_stage: dict[str, list[list[str]]] = {}
    dependencies = functools.cache(function_dependencies)
    for name, path, below in _records(folder, rows):
        record = read_record(path)
        why = ["its record is of another version of nnbook"]
        if record is not None:
            why = changed_code(record["code"], dependencies(record["stage"]))
            why += changed_outputs(below, record) + changed_files(below, record)
        by_stage.setdefault(name, []).append(why)
    for name, reasons in by_stage.items():
        stale = [why for why in reasons if why]
        if stale:
            share = f" ({len(stale)} of {len(reasons)})" if len(reasons) > 1 else ""
            found.append(Stale(f"stage {name}{share}", list(dict.fromkeys(one for why in stale for one in why))))
    found += [Stale(f"notebook {name}", why) for name, why in stale_notebooks(notebooks, folder).items()]
    remember(folder / DEPENDENCIES)
    return found


def summary(found: Iterable[Stale], most: int = 4) -> str:
    """Put what is out of date into lines, with at most so many reasons each."""
    lines = []
    for what, why in found:
        lines += [f"{what}: {reason}" for reason in why[:most]]
        if len(why) > most:
            lines.append(f"{what}: and {len(why) - most} more")
    return "\n".join(lines)


def _rows(manifest: Path, images: PathLike | None = None) -> dict[str, Any]:
    return {
        row.panorama: replace(row.as_in_edition().as_one_plane(), image_sha256="")
        for row in read_manifest(manifest, images)
    }


def _of_manifest(manifest: Path, now: dict[str, Any], folder: Path) -> list[Stale]:
    made = folder / "manifest.csv"
    was = _rows(made) if made.is_file() else {}
    changed = [name for name in now if now[name] != was.get(name)]
    why = [f"{displayed(manifest)} has {len(changed)} other rows, {changed[0]} first"] if changed else []
    if gone := [name for name in was if name not in now]:
        why.append(f"{displayed(manifest)} no longer has {len(gone)} panoramas, {gone[0]} first")
    return [Stale("stage fetch", why)] if why else []


def _records(folder: Path, names: Collection[str] | None) -> Iterator[tuple[str, Path, Path]]:
    """List the records of an edition and of those nested in it: stage, record, and where the paths in it begin.

    Those of panoramas that a manifest no longer has are left out, for nothing is made of them: masks, which people
    correct, are kept.
    """
    yield from _own_records(folder, names)
    for nested in (PUBLISHED, FULL_SIZE):
        manifest = folder / nested / "manifest.csv"
        for name, record, below in _own_records(folder / nested, _rows(manifest) if manifest.is_file() else None):
            yield f"{nested} {name}", record, below


def _own_records(folder: Path, names: Collection[str] | None) -> Iterator[tuple[str, Path, Path]]:
    def has(panorama: str) -> bool:
        return names is None or not panorama or panorama in names

    for record in sorted(folder.glob("records/*.json")):
        name, _, panorama = record.stem.partition("-")
        if name != "notebook" and has(panorama):
            yield name, record, folder
    for parts, name in (("rois-parts", "measure"), ("cells-parts", "cells")):
        for record in sorted(folder.glob(f"{parts}/*/record.json")):
            if has(record.parent.name):
                yield name, record, record.parent
    for record in sorted(folder.glob("*/record.json")):
        yield record.parent.name, record, folder
    for record in sorted(folder.glob(f"masks/*{MASK_SUFFIX}.json")):
        if has(record.stem.removesuffix(MASK_SUFFIX)):
            yield "segment", record, record.parent
