"""The manifest: which panoramas a book is about, where their files are, and how large a pixel is."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass, fields
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from nnbook.errors import MissingFileError, NnbookError
from nnbook.io.files import atomic_write, sha256
from nnbook.io.images import image_shape

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nnbook.io.paths import PathLike

QUARTERS = ("TL", "TR", "BL", "BR")
CROPS = ("top_left", "top_right", "bottom_left", "bottom_right")
MAX_SIDE_PX = 200_000
MAX_PX_PER_UM = 1_000.0

NAME = re.compile(r"Run(?P<run>[1-9]\d*)(?P<quarter>TL|TR|BL|BR)_(?P<crop>(?:top|bottom)_(?:left|right))")
"""A panorama's published name, such as `Run53TL_bottom_left`: run 53, its top left quarter, that quarter's crop."""


@dataclass(frozen=True)
class Panorama:
    """One row of a manifest.

    Attributes
    ----------
    panorama : str
        Its name, unique in the manifest: the stem of every file made from it.
    run : int
        The number of the experiment, in order of time.
    quarter, crop : str
        Which quarter of the coverslip (TL, TR, BL, BR) and which crop of that quarter; empty where it doesn't apply.
    passage : str
        The passage of the cell line; empty where it isn't known.
    image, mask : str
        Paths below the manifest's folder. An empty mask is made by `nnbook segment`.
    width_px, height_px : int
        Size in px.
    px_per_um : float
        Pixels a micrometre.
    image_sha256 : str
        64 hexadecimal digits, or empty where the image isn't pinned.
    source : str
        Where the image comes from: `twin:SEED` (simulated), an `https://` address, or empty (it is there already).
    """

    panorama: str
    run: int
    quarter: str
    crop: str
    passage: str
    image: str
    mask: str
    width_px: int
    height_px: int
    px_per_um: float
    image_sha256: str
    source: str

    @property
    def simulated(self) -> bool:
        """Whether the virtual microscope made it."""
        return self.source.startswith("twin:")


COLUMNS = tuple(field.name for field in fields(Panorama))


def panorama_name(run: int, quarter: str, crop: str) -> str:
    """Return a panorama's name in the published form, such as `Run53TL_bottom_left`."""
    return f"Run{run}{quarter}_{crop}"


def read_manifest(path: PathLike) -> list[Panorama]:
    """Read and check a manifest.

    Parameters
    ----------
    path : str or Path
        A CSV file in UTF-8 with the columns of `COLUMNS`, in any order.

    Returns
    -------
    list of Panorama
        In the order of the file. Whether the images are there is not checked: see `image_problems`.

    Raises
    ------
    MissingFileError
        Where there is no such file.
    NnbookError
        With one line for each thing that is wrong, naming the file, the row and the column.
    """
    path = Path(path)
    rows = _rows(path)
    problems: list[str] = []
    panoramas: list[Panorama] = []
    first_row: dict[tuple[str, str], int] = {}
    for number, row in enumerate(rows, start=2):
        where = f"{path}, row {number}"
        try:
            panorama = _parse(row)
        except ValueError as error:
            problems.append(f"{where}: {error}")
            continue
        for column in ("panorama", "image", "mask"):
            value = getattr(panorama, column)
            if value and (other := first_row.setdefault((column, value), number)) != number:
                problems.append(f"{where}: {column} {value} is in row {other} too; each may appear once")
        panoramas.append(panorama)
    if not panoramas and not problems:
        problems.append(f"{path}: lists no panorama; add a row for each")
    if problems:
        raise NnbookError("\n".join(problems))
    return panoramas


def write_manifest(path: PathLike, panoramas: Iterable[Panorama]) -> None:
    """Write a manifest in one step.

    Parameters
    ----------
    path : str or Path
        The CSV file to write, or to replace.
    panoramas : iterable of Panorama
        Its rows, in this order.
    """
    with atomic_write(Path(path)) as written, written.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows([getattr(panorama, column) for column in COLUMNS] for panorama in panoramas)


def _rows(path: Path) -> list[dict[str, str | None]]:
    reader = csv.DictReader(_text(path).splitlines())
    try:
        header, rows = list(reader.fieldnames or []), list(reader)
    except csv.Error as error:
        raise NnbookError(f"{path}, row {reader.line_num}: {error}; check for an open quote") from error
    if missing := [column for column in COLUMNS if column not in header]:
        raise NnbookError(f"{path}: has no column {', '.join(missing)}; a manifest has {', '.join(COLUMNS)}")
    if twice := [column for column in COLUMNS if header.count(column) > 1]:
        raise NnbookError(f"{path}: has the column {', '.join(twice)} twice; remove one")
    if unknown := [column for column in header if column not in COLUMNS]:
        raise NnbookError(f"{path}: has unknown columns {', '.join(unknown)}; remove or rename them")
    return rows


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise MissingFileError(f"{path}: no such manifest; write one with the columns {', '.join(COLUMNS)}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise NnbookError(f"{path}: can't be read as UTF-8 text ({error}); save it as CSV in UTF-8") from error


def _parse(row: dict[str, str | None]) -> Panorama:
    if None in row.values() or None in row:
        raise ValueError("has more or fewer fields than the header; check for stray commas or quotes")
    text = {column: (row[column] or "").strip() for column in COLUMNS}
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", text["panorama"]):
        raise ValueError(f"panorama {text['panorama']!r} is no name; use letters, digits, '.', '_' and '-'")
    if text["quarter"] not in ("", *QUARTERS):
        raise ValueError(f"quarter {text['quarter']!r} is unknown; use {', '.join(QUARTERS)} or leave it empty")
    if text["crop"] not in ("", *CROPS):
        raise ValueError(f"crop {text['crop']!r} is unknown; use {', '.join(CROPS)} or leave it empty")
    if text["image_sha256"] and not re.fullmatch(r"[0-9a-f]{64}", text["image_sha256"]):
        raise ValueError(
            f"image_sha256 {text['image_sha256']!r} is no SHA-256; give 64 hexadecimal digits or leave it empty"
        )
    if text["source"] and not re.fullmatch(r"twin:\d+|https://\S+", text["source"]):
        raise ValueError(
            f"source {text['source']!r} is unknown; give twin:SEED, an https:// address, or leave it empty"
        )
    return Panorama(
        panorama=text["panorama"],
        run=_whole(text["run"], "run", 10_000_000),
        quarter=text["quarter"],
        crop=text["crop"],
        passage=text["passage"],
        image=_inside(text["image"], "image"),
        mask=_inside(text["mask"], "mask") if text["mask"] else "",
        width_px=_whole(text["width_px"], "width_px", MAX_SIDE_PX),
        height_px=_whole(text["height_px"], "height_px", MAX_SIDE_PX),
        px_per_um=_scale(text["px_per_um"]),
        image_sha256=text["image_sha256"],
        source=text["source"],
    )


def _whole(text: str, column: str, most: int) -> int:
    if not re.fullmatch(r"\d{1,9}", text) or not 1 <= int(text) <= most:
        raise ValueError(f"{column} is {text!r}; give a whole number from 1 to {most:,}")
    return int(text)


def _scale(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not 0 < value <= MAX_PX_PER_UM:
        raise ValueError(f"px_per_um is {text!r}; give pixels a micrometre, above 0 and at most {MAX_PX_PER_UM:g}")
    return value


def _inside(text: str, column: str) -> str:
    path = PurePosixPath(text.replace("\\", "/"))
    if not text or path.is_absolute() or ".." in path.parts or re.match(r"[A-Za-z]:", text):
        raise ValueError(f"{column} is {text!r}; give a path below the manifest's folder, without '..'")
    return str(path)


def image_problems(panorama: Panorama, folder: PathLike) -> list[str]:
    """Check one panorama's image, and its mask where the manifest names one.

    Parameters
    ----------
    panorama : Panorama
        A row of the manifest.
    folder : str or Path
        The folder that the row's paths are below. Links that lead out of it are refused.

    Returns
    -------
    list of str
        A line for each thing that is wrong; empty where nothing is. An image may be missing where the row names a
        source to get it from.
    """
    folder = Path(folder)
    problems = []
    image = folder / panorama.image
    if image.exists() or not panorama.source:
        problems += _file_problems(panorama, image, folder)
        if not problems and panorama.image_sha256 and sha256(image) != panorama.image_sha256:
            problems.append(
                f"{panorama.panorama}: {image} has another SHA-256 than the manifest; get the file again, or correct "
                "the manifest where the image was changed on purpose"
            )
    if panorama.mask:
        problems += _file_problems(panorama, folder / panorama.mask, folder)
    return problems


def _file_problems(panorama: Panorama, path: Path, folder: Path) -> list[str]:
    if not path.resolve().is_relative_to(folder.resolve()):
        return [f"{panorama.panorama}: {path} leads out of {folder}; copy the file there"]
    try:
        height, width = image_shape(path)
    except NnbookError as error:
        return [f"{panorama.panorama}: {error}"]
    if (width, height) != (panorama.width_px, panorama.height_px):
        return [
            f"{panorama.panorama}: {path} has {width} x {height} px, but the manifest says {panorama.width_px} x "
            f"{panorama.height_px}; correct the one that is wrong"
        ]
    return []
