"""Whether a build agrees with the committed record: numbers, tables and figures, each within a stated tolerance."""

from __future__ import annotations

import json
import math
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
from PIL import Image

from nnbook.book.lint import Value
from nnbook.errors import MissingFileError, NnbookError
from nnbook.io.files import atomic_write, write_json
from nnbook.provenance.notebook_record import LABEL
from nnbook.values.computed import read_numbers
from nnbook.values.formatting import shown
from nnbook.values.published import CITED
from nnbook.values.table import MIME as TABLE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nnbook.io.paths import PathLike

RECORD: Final = "data/record.json"

SHARE: Final = 0.02
"""By how much a value that comes from masks may differ, as a share of it.

Simulated images and the network's outputs are equal to the last bit only on one kind of machine: grey levels differ by
one here and there, outlines by a pixel, and now and then a nucleus is found or lost."""

PLOT_SHARE: Final = 0.005
"""The share of a plot's pixels that may differ. Sheets of cells have their own tolerance in the record, see README."""

LEVELS: Final = 32
"""A pixel differs where one of its channels does by more than this."""

FROM_NO_IMAGE: Final = {"edition.json", "manifest.csv", "published/results.csv", "published/edition.json"}
"""Inputs of numbers that must be the same everywhere."""

NUMBER: Final = re.compile(r"[−-]?\d[\d,]*(?:\.\d+)?")


class Drift(NamedTuple):
    """A difference from the record that is larger than its tolerance.

    Attributes
    ----------
    key : str
        Such as `number area.cm2`, `table tbl:area, row 3` or `figure scatter`.
    recorded, now : str
        What the record says, and what the build has.
    tolerance : str
        What would have passed.
    """

    key: str
    recorded: str
    now: str
    tolerance: str

    def __str__(self) -> str:
        return f"{self.key}: recorded {self.recorded}, now {self.now}; tolerance {self.tolerance}"


def compare(project: PathLike, folder: PathLike, pictures: PathLike) -> list[Drift]:
    """Compare a built edition with the committed record.

    Parameters
    ----------
    project : str or Path
        The book's folder, with `data/record.json` and `figures/`.
    folder : str or Path
        The edition's folder.
    pictures : str or Path
        A folder for pictures of where figures differ, written for those that differ too much.

    Returns
    -------
    list of Drift

    Raises
    ------
    NnbookError
        If there is no record, or it is of another edition.
    """
    project, folder, pictures = Path(project), Path(folder), Path(pictures)
    record, now = read_record(project), read_build(folder)
    if record["edition"] != folder.name:
        raise NnbookError(f"{project / RECORD}: is of the edition {record['edition']}, not of {folder.name}")
    found = []
    for kind in ("numbers", "tables", "figures"):
        for key in sorted(record[kind].keys() | now[kind].keys()):
            one = f"{kind[:-1]} {key}"
            if key not in now[kind]:
                found.append(Drift(one, "there", "not there", "none"))
            elif key not in record[kind]:
                found.append(Drift(one, "not there", "there", "none"))
            elif kind == "numbers":
                found += _number_drift(one, record[kind][key], now[kind][key])
            elif kind == "tables":
                found += _table_drifts(one, record[kind][key], now[kind][key])
            else:
                tolerance = record[kind][key]["tolerance"]
                found += _figure_drift(one, project, folder, pictures / f"{key}.png", tolerance)
    return found


def accept(project: PathLike, folder: PathLike) -> Path:
    """Make the present build of an edition the committed record: `data/record.json`, and the stand-ins in `figures/`.

    Recorded tolerances are kept, and so are pictures that differ by no more than half of theirs: each that is replaced
    stays in the repository's history.

    Returns
    -------
    Path
        The record.
    """
    project, folder = Path(project), Path(folder)
    path, now = project / RECORD, read_build(folder)
    before = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    for kind in ("numbers", "tables", "figures"):
        for key, entry in now[kind].items():
            allowed = before.get(kind, {}).get(key, {})
            entry.update({name: allowed[name] for name in ("tolerance", "other_rows") if name in allowed})
    for key in now["figures"]:
        drawn, kept = folder / "figures" / f"{key}.png", project / "figures" / f"{key}.png"
        if not kept.is_file() or compare_pictures(kept, drawn)[0] > now["figures"][key]["tolerance"] / 2:
            with atomic_write(kept) as written:
                shutil.copyfile(drawn, written)
    for kept in (project / "figures").glob("*.png"):
        if kept.stem not in now["figures"]:
            kept.unlink()
    write_json(path, now)
    return path


def read_record(project: Path) -> dict[str, Any]:
    """Read the committed record."""
    path = project / RECORD
    if not path.is_file():
        raise MissingFileError(f"{path}: there is no record; write one with 'nnbook check --accept'")
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise NnbookError(
            f"{path}: the record can't be read ({error}); write it again with 'nnbook check --accept'"
        ) from error


def known_values(project: Path) -> list[Value]:
    """Return the values that the book knows by a key: those of the record and those of published work."""
    recorded = read_record(project)["numbers"].items()
    return [
        *(Value("number", key, one["value"], one["unit"], one["digits"]) for key, one in recorded if one["value"]),
        *(Value("published", key, one.value, one.unit, one.digits) for key, one in CITED.items()),
    ]


def recorded_of_published(project: Path) -> dict[str, str]:
    """Return, by key, what the record has of values computed from published data, as shown; none without a record."""
    if not (project / RECORD).is_file():
        return {}
    numbers = read_record(project)["numbers"].items()
    return {
        key: shown(number["value"], number["unit"], number["digits"])
        for key, number in numbers
        if key.startswith("published.")
    }


def read_build(folder: Path) -> dict[str, Any]:
    """Return what a built edition holds, in the form of the record: sorted, and a line for each row of a table."""
    numbers = {
        key: {
            "digits": number["digits"],
            "tolerance": _tolerance(number),
            "unit": number["unit"],
            "value": number["value"] if number["value"] is None else float(f"{number['value']:.10g}"),
        }
        for key, number in read_numbers(folder).items()
    }
    tables = {
        label: {"other_rows": 0, "rows": [" | ".join(row) for row in rows], "tolerance": SHARE}
        for path in sorted(folder.glob("notebooks/*.ipynb"))
        for label, rows in _tables_in(path)
    }
    figures = {path.stem: {"tolerance": PLOT_SHARE} for path in sorted(folder.glob("figures/*.png"))}
    return {"edition": folder.name, "figures": figures, "numbers": numbers, "tables": dict(sorted(tables.items()))}


def compare_pictures(one: Path, other: Path) -> tuple[float, Image.Image]:
    """Compare two pictures.

    Returns
    -------
    (float, PIL.Image.Image)
        The share of pixels that differ, 1 where the sizes do; and the second picture, faded, with those in red.
    """
    with Image.open(one) as first, Image.open(other) as second:
        if first.size != second.size:
            return 1.0, second.convert("RGB")
        pixels = [np.asarray(picture.convert("RGB")).astype(np.int16) for picture in (first, second)]
    differs = np.abs(pixels[0] - pixels[1]).max(axis=2) > LEVELS
    shown = (255 - (255 - pixels[1]) // 3).astype(np.uint8)
    shown[differs] = (213, 0, 0)
    return float(differs.mean()), Image.fromarray(shown)


def _figure_drift(key: str, project: Path, folder: Path, shown: Path, tolerance: float) -> Iterator[Drift]:
    name = key.removeprefix("figure ")
    kept, drawn = project / "figures" / f"{name}.png", folder / "figures" / f"{name}.png"
    if not kept.is_file():
        yield Drift(key, f"in {kept.name}, which is not in figures/", "drawn", "none")
        return
    share, picture = compare_pictures(kept, drawn)
    if share > tolerance:
        with atomic_write(shown) as written:
            picture.save(written)
        now = f"{share:.2%} of its pixels differ, in red in {shown}"
        yield Drift(key, f"in figures/{kept.name}", now, f"{tolerance:.2%}")


def _number_drift(key: str, was: dict[str, Any], now: dict[str, Any]) -> Iterator[Drift]:
    one, other = was["value"], now["value"]
    same = one == other if None in {one, other} else math.isclose(one, other, rel_tol=1e-9, abs_tol=was["tolerance"])
    if not same or was["unit"] != now["unit"]:
        recorded, found = (f"{number['value']} {number['unit']}".strip() for number in (was, now))
        yield Drift(key, recorded, found, f"{was['tolerance']:g}")


def _table_drifts(key: str, was: dict[str, Any], now: dict[str, Any]) -> Iterator[Drift]:
    before, after, share = was["rows"], now["rows"], was["tolerance"]
    if len(before) != len(after):
        yield Drift(key, f"{len(before)} rows", f"{len(after)} rows", "none")
    pairs = list(enumerate(zip(before, after, strict=False)))
    other_rows = [(at, one, other) for at, (one, other) in pairs if not _same_row(one, other, share)]
    if len(other_rows) > (may := was["other_rows"]):
        for at, one, other in other_rows:
            yield Drift(f"{key}, row {at}", one, other, f"{share:.1%} or 2 in the last digit, but in {may} rows")


def _same_row(one: str, other: str, share: float) -> bool:
    """Return whether rows have the same words and their numbers differ by at most a share, or 2 in the last digit."""
    numbers = [NUMBER.findall(row) for row in (one, other)]
    if NUMBER.sub("#", one) != NUMBER.sub("#", other):
        return False
    for first, second in zip(*numbers, strict=True):
        a, b = (float(text.replace(",", "").replace("−", "-")) for text in (first, second))
        last = 10.0 ** -min(len(text.partition(".")[2]) for text in (first, second))
        if abs(a - b) > max(share * max(abs(a), abs(b)), 2.001 * last):
            return False
    return True


def _tolerance(number: dict[str, Any]) -> float:
    """Return by how much a number may differ: not at all where no image is behind it, else by `SHARE`."""
    if number["value"] is None or set(number["inputs"]) <= FROM_NO_IMAGE:
        return 0.0
    return float(f"{max(SHARE * abs(number['value']), 10.0 ** -number['digits']):.2g}")


def _tables_in(path: Path) -> Iterator[tuple[str, list[list[str]]]]:
    """List the labelled tables of an executed notebook, each with its header as the first row."""
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        if label := LABEL.search("".join(cell["source"])):
            for output in cell.get("outputs", []):
                if table := output.get("data", {}).get(TABLE):
                    yield label[1], [table["header"], *table["rows"]]
