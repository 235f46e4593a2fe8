"""What of an edition is out of date, and why, in plain words. Nothing is made, and nothing is imported to tell."""

from __future__ import annotations

import functools
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from nnbook.io.inputs import MASK_SUFFIX
from nnbook.io.manifest import read_manifest
from nnbook.provenance.dependencies import code_hash, function_dependencies
from nnbook.provenance.notebook_record import differences, shown
from nnbook.provenance.notebooks import stale_notebooks
from nnbook.provenance.stage_record import file_state

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path


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


def status(manifest: Path | None, folder: Path, notebooks: Path) -> list[Stale]:
    """Tell what of an edition is out of date.

    Parameters
    ----------
    manifest : Path or None
        The edition's manifest; None for an edition without one.
    folder : Path
        The edition's folder.
    notebooks : Path
        The folder of the text notebooks.

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
    if not (folder / "edition.json").is_file():
        return [Stale("edition", [f"{shown(folder)} was never made"])]
    found = _of_manifest(manifest, folder) if manifest else []
    reached_now = functools.cache(function_dependencies)
    by_stage: dict[str, list[list[str]]] = {}
    for record in sorted(folder.glob("records/*.json")):
        if not record.name.startswith("notebook-"):
            name, why = _of_record(record, folder, reached_now)
            by_stage.setdefault(name, []).append(why)
    if masks := _of_masks(folder):
        found.append(masks)
    for name, reasons in by_stage.items():
        stale = [why for why in reasons if why]
        if stale:
            share = f" ({len(stale)} of {len(reasons)})" if len(reasons) > 1 else ""
            found.append(Stale(f"stage {name}{share}", list(dict.fromkeys(one for why in stale for one in why))))
    return found + [Stale(f"notebook {name}", why) for name, why in stale_notebooks(notebooks, folder).items()]


def told(found: Iterable[Stale], most: int = 4) -> str:
    """Put what is out of date into lines, with at most so many reasons each."""
    lines = []
    for what, why in found:
        lines += [f"{what}: {reason}" for reason in why[:most]]
        if len(why) > most:
            lines.append(f"{what}: and {len(why) - most} more")
    return "\n".join(lines)


def _of_manifest(manifest: Path, folder: Path) -> list[Stale]:
    def rows(path: Path) -> dict[str, Any]:
        return {row.panorama: replace(row, image_sha256="") for row in read_manifest(path)}

    made = folder / "manifest.csv"
    was, now = rows(made) if made.is_file() else {}, rows(manifest)
    changed = [name for name in now if now[name] != was.get(name)]
    why = [f"{shown(manifest)} has {len(changed)} other rows, {changed[0]} first"] if changed else []
    if gone := [name for name in was if name not in now]:
        why.append(f"{shown(manifest)} no longer has {len(gone)} panoramas, {gone[0]} first")
    return [Stale("stage fetch", why)] if why else []


def _of_masks(folder: Path) -> Stale | None:
    """Tell which masks that were made here are of other code than there is now."""
    records = sorted(folder.glob(f"masks/*{MASK_SUFFIX}.json"))
    code = code_hash("nnbook.segmentation.workflow.segment_files") if records else ""
    stale = [path for path in records if json.loads(path.read_text(encoding="utf-8")).get("code") != code]
    if not stale:
        return None
    return Stale(f"stage segment ({len(stale)} of {len(records)})", ["what segment_files reaches changed"])


def _of_record(record: Path, folder: Path, reached_now: Callable[[str], dict[str, str]]) -> tuple[str, list[str]]:
    """Tell which stage a record is of, and why that is out of date."""
    name = record.stem.split("-")[0]
    try:
        was = json.loads(record.read_text(encoding="utf-8"))
        why = differences(was["code"], reached_now(was["stage"]))
        for path, state in was["files"].items():
            file = folder / path
            if not file.exists():
                why.append(f"{shown(file)} is gone")
            elif file_state(file) != state:
                why.append(f"{shown(file)} changed")
    except (ValueError, KeyError, TypeError, AttributeError):
        return name, ["its record is of another version of nnbook"]
    return name, why
