"""The manifest: which panoramas a book is about, where their files are, and how large a pixel is."""

from __future__ import annotations

import csv
import difflib
import re
import unicodedata
from dataclasses import dataclass, fields, replace
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, NamedTuple

from nnbook.errors import MissingFileError, NnbookError
from nnbook.io.files import atomic_write, check_regular, sha256
from nnbook.io.images import image_shape, mask_shape
from nnbook.io.planes import MAX, Plane
from nnbook.io.spreadsheet import plain_name, read_sheet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from nnbook.io.paths import PathLike
    from nnbook.io.spreadsheet import Sheet

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
        Its name, unique in the manifest: the stem of every file made from it. Left empty it is the image's, with `_`
        for what a name can't have.
    run : int
        The number of the experiment, in order of time. Left empty it is that of a name in the published form, else 1.
    quarter, crop : str
        Which quarter of the coverslip (TL, TR, BL, BR) and which crop of that quarter; empty where it doesn't apply.
    passage : str
        The passage of the cell line; empty where it isn't known.
    image, mask : str
        Paths below the manifest's folder. An empty mask is made by `nnbook segment`.
    width_px, height_px : int
        Size in px; left empty, that of the image.
    px_per_um : float
        Pixels a micrometre.
    image_sha256 : str
        64 hexadecimal digits, or empty where the image isn't pinned.
    source : str
        Where the image comes from: `twin:SEED` (simulated), an address (`https://`, `s3://`, or that of a file of a
        data set on the Hugging Face Hub, `hf://datasets/OWNER/NAME/PATH`), or empty (it is there already).
    channel, project : str
        Which channel of its file is the image, and which z plane or projection: see `nnbook.io.planes.Plane`. Empty
        where the file has one.
    truth : str
        Path of a label image of the outlines drawn by hand, below the manifest's folder; empty where there is none.
    condition, replicate : str
        How the cells were treated, and the independent repeat of it that they are of; empty where nothing is compared.
        Conditions that differ in capitals or spaces alone are refused, as spellings of one.
    model : str
        Path of a Cellpose 3 model below the manifest's folder; empty for the shipped one.
    diameter_px : float
        Diameter of the nuclei in px, for the network; 0, written `auto` or left empty, to look for it in the image.
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
    channel: str = ""
    project: str = ""
    truth: str = ""
    condition: str = ""
    replicate: str = ""
    model: str = ""
    diameter_px: float = 0.0

    @property
    def plane(self) -> Plane | None:
        """The plane of its file that is the image; None where none was chosen."""
        return Plane(self.channel or None, self.project or None) if self.channel or self.project else None

    def as_one_plane(self) -> Panorama:
        """Return the row of the same panorama once the chosen plane is a TIFF file of its own."""
        if self.plane is None:
            return self
        return replace(self, image=str(PurePosixPath(self.image).with_suffix(".tif")), channel="", project="")

    def as_in_edition(self) -> Panorama:
        """Return the row with the path that its image has below an edition's folder.

        An image of the user's own is named as its panorama there: files of one name in two folders stay apart, and no
        folder of theirs can be one that nnbook writes.
        """
        if self.source:
            return self
        return replace(self, image=f"images/{self.panorama}{PurePosixPath(self.image).suffix.lower()}")

    @property
    def simulated(self) -> bool:
        """Whether the virtual microscope made it."""
        return self.source.startswith("twin:")


COLUMNS = tuple(field.name for field in fields(Panorama))
OPTIONAL = ("truth", "condition", "replicate", "model", "diameter_px")
"""The columns that are only written where a row has something in them."""

NEEDED = ("image", "px_per_um")
"""The columns without which a manifest is none."""


def panorama_name(run: int, quarter: str, crop: str) -> str:
    """Return a panorama's name in the published form, such as `Run53TL_bottom_left`."""
    return f"Run{run}{quarter}_{crop}"


class ParsedManifest(NamedTuple):
    """What a manifest says, and what is wrong with it.

    Attributes
    ----------
    rows : dict of int to Panorama
        The rows without fault, by the line of the file that each begins in.
    problems : list of str
        A line for each thing that is wrong, with the file's name and the line.
    unused : list of str
        The columns that are the writer's own, as the header spells them.
    """

    rows: dict[int, Panorama]
    problems: list[str]
    unused: list[str]


def read_manifest(path: PathLike, folder: PathLike | None = None) -> list[Panorama]:
    """Read and check a manifest.

    Parameters
    ----------
    path : str or Path
        A table as spreadsheets write it: fields between commas, semicolons or tabs, in UTF-8, or in UTF-16 with a byte
        order mark. Its header has columns of `COLUMNS` in any order, in small letters or capitals, with spaces for
        underscores; `image` and `px_per_um` it must have. Further columns are not read.
    folder : str or Path, optional
        What the paths of images are below; by default the manifest's folder.

    Returns
    -------
    list of Panorama
        In the order of the file. What a row leaves out is filled in: `panorama` from the image's name, `run` from a
        name in the published form and else 1, the size from the image. Only for that are images looked at: see
        `image_problems`.

    Raises
    ------
    MissingFileError
        Where there is no such file.
    NnbookError
        With one line for each thing that is wrong, naming the file, the line and the column.
    """
    parsed = parse_manifest(path, folder)
    if parsed.problems:
        raise NnbookError("\n".join(parsed.problems))
    return list(parsed.rows.values())


def parse_manifest(path: PathLike, folder: PathLike | None = None) -> ParsedManifest:
    """Read a manifest as `read_manifest` does, but return what is wrong with rows instead of raising it.

    Parameters
    ----------
    path : str or Path
        See `read_manifest`.
    folder : str or Path, optional
        What the paths of images are below; by default the manifest's folder.

    Raises
    ------
    MissingFileError
        Where there is no such file.
    NnbookError
        Where it is no table, or its header is not that of a manifest.
    """
    path = Path(path)
    folder = path.parent if folder is None else Path(folder)
    sheet = _sheet(path)
    unused = [name for name, column in zip(sheet.header, sheet.columns, strict=True) if column is None]
    problems: list[str] = []
    rows: dict[int, Panorama] = {}
    first_line: dict[tuple[str, str], int] = {}
    spelt: dict[str, tuple[str, int]] = {}
    for number, text in sheet.rows.items():
        where = f"{path}, line {number}"
        panorama, wrong = (None, [text]) if isinstance(text, str) else _parse(text, folder)
        problems += [f"{where}: {problem}" for problem in wrong]
        if panorama is None:
            continue
        rows[number] = panorama
        for column in ("panorama", "image", "mask", "truth"):
            value = getattr(panorama, column)
            if value and (other := first_line.setdefault((column, value), number)) != number:
                problems.append(f"{where}: {column} {value} is in line {other} too; each may appear once")
        condition = panorama.condition
        other_spelling, number_of_other = spelt.setdefault(" ".join(condition.casefold().split()), (condition, number))
        if other_spelling != condition:
            problems.append(
                f"{where}: condition is {condition!r}, but {other_spelling!r} in line {number_of_other}; spell it the "
                "same, or give conditions that differ other names"
            )
    if not sheet.rows:
        problems.append(f"{path}: lists no panorama; add a row for each")
    return ParsedManifest(rows, problems, unused)


def write_manifest(path: PathLike, panoramas: Iterable[Panorama], *, brief: bool = False) -> None:
    """Write a manifest in one step.

    Parameters
    ----------
    path : str or Path
        The CSV file to write, or to replace.
    panoramas : iterable of Panorama
        Its rows, in this order.
    brief : bool, optional
        Whether to leave out every column in which no row has anything, for a person to read and edit.
    """
    rows = list(panoramas)
    may_lack = COLUMNS if brief else OPTIONAL
    columns = [name for name in COLUMNS if name not in may_lack or any(getattr(row, name) for row in rows)]
    with atomic_write(Path(path)) as written, written.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(
            [getattr(row, name) or "" if name in OPTIONAL else getattr(row, name) for name in columns] for row in rows
        )


def _sheet(path: Path) -> Sheet:
    if not path.exists() and not path.is_symlink() and path.parent.is_dir():
        raise MissingFileError(f"{path}: no such manifest; write one with the columns {' and '.join(NEEDED)}")
    sheet = read_sheet(path, COLUMNS)
    _check_header(path, sheet.header, sheet.columns)
    return sheet


def _check_header(path: Path, header: Sequence[str], columns: Sequence[str | None]) -> None:
    absent = [column for column in COLUMNS if column not in columns]
    for name in (name for name, column in zip(header, columns, strict=True) if column is None):
        # A mask or run that was not read would give other results without a word.
        words = {"masks": "mask", "runs": "run"} | {word: word for word in ("mask", "run")}
        meant = [words[word] for word in plain_name(name).split("_") if words.get(word) in absent]
        if meant := meant or difflib.get_close_matches(plain_name(name), absent, 1, 0.8):
            raise NnbookError(
                f"{path}: has no column {meant[0]}, but {name.strip()!r}; rename it, or write {meant[0]} too"
            )
    if missing := [column for column in NEEDED if column in absent]:
        raise NnbookError(f"{path}: has no column {', '.join(missing)}; its first line has to name the columns")
    if twice := [column for column in COLUMNS if columns.count(column) > 1]:
        raise NnbookError(f"{path}: has the column {', '.join(twice)} twice; remove one")


def _parse(text: dict[str, str], folder: Path) -> tuple[Panorama | None, list[str]]:
    """Return a row, or None and what is wrong with it."""
    values: dict[str, Any] = {}
    problems: list[str] = []
    for column, parse in PARSERS.items():
        try:
            values[column] = parse(_one_line(text[column], column), column)
        except ValueError as error:
            problems.append(str(error))
    for column in ("mask", "truth"):
        if values.get("image") and values["image"] == values.get(column):
            message = f"{column} is the image itself, {values[column]!r}; give the label image, or leave it empty"
            problems += [message]
    if values.get("replicate") and not values.get("condition"):
        problems.append(f"replicate is {values['replicate']!r}, but condition is empty; name the condition, too")
    if problems:
        return None, problems
    try:
        values["panorama"] = values["panorama"] or _name_of(values["image"])
        if not (values["width_px"] and values["height_px"]):
            plane = Plane(values["channel"] or None, values["project"] or None)
            values |= _size_of(folder / values["image"], values, plane)
    except (NnbookError, ValueError) as error:
        return None, [str(error)]
    published_name = NAME.fullmatch(values["panorama"])
    values["run"] = values["run"] or (int(published_name["run"]) if published_name else 1)
    return Panorama(**values), []


def _one_line(text: str, column: str) -> str:
    if any(unicodedata.category(sign) == "Cc" for sign in text):
        raise ValueError(f"{column} is {text!r}; take the line break or control character out of it")
    return text


def image_name(image: str) -> str:
    """Return the name of a panorama after that of its image, with `_` for what a name can't have; it may be empty."""
    return re.sub(r"[^A-Za-z0-9._-]+", "_", PurePosixPath(image).stem).lstrip("._-")


def _name_of(image: str) -> str:
    name = image_name(image)
    if not name:
        raise ValueError(f"panorama is empty, and no name can be made of image {image!r}; give one")
    return name


def _size_of(image: Path, values: dict[str, Any], plane: Plane) -> dict[str, int]:
    """Return what a row leaves out of its size."""
    if values["source"] and not image.exists():
        raise ValueError(f"width_px or height_px is empty, and {image} isn't here yet to read it from; give both")
    check_regular(image)
    height, width = image_shape(image, plane)
    if max(height, width) > MAX_SIDE_PX:
        raise ValueError(f"{image} has {width} x {height} px; at most {MAX_SIDE_PX:,} px a side are read")
    return {"width_px": values["width_px"] or width, "height_px": values["height_px"] or height}


def _name(text: str, column: str) -> str:
    if text and not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", text):
        raise ValueError(f"{column} {text!r} is no name; use letters, digits, '.', '_' and '-'")
    return text


def _one_of(known: Sequence[str]) -> Callable[[str, str], str]:
    def parse(text: str, column: str) -> str:
        if text not in {"", *known}:
            raise ValueError(f"{column} {text!r} is unknown; use {', '.join(known)} or leave it empty")
        return text

    return parse


def _sha256(text: str, column: str) -> str:
    if text and not re.fullmatch(r"[0-9a-f]{64}", text.lower()):
        raise ValueError(f"{column} {text!r} is no SHA-256; give 64 hexadecimal digits or leave it empty")
    return text.lower()


def _source(text: str, column: str) -> str:
    if text and not re.fullmatch(r"twin:\d+|(https?|s3)://\S+|hf://datasets/[^/\s]+/[^/\s]+/\S+", text):
        raise ValueError(
            f"{column} {text!r} is unknown; give twin:SEED, an address that begins with https://, s3:// or "
            "hf://datasets/, or leave it empty"
        )
    return text


def _project(text: str, column: str) -> str:
    if text and text != MAX and not text.isdecimal():
        raise ValueError(f"{column} is {text!r}; give max, the number of a z plane from 0, or leave it empty")
    return text


def _whole(most: int) -> Callable[[str, str], int | None]:
    def parse(text: str, column: str) -> int | None:
        if text and (not re.fullmatch(r"\d{1,9}", text) or not 1 <= int(text) <= most):
            raise ValueError(f"{column} is {text!r}; give a whole number from 1 to {most:,}")
        return int(text) if text else None

    return parse


def _scale(text: str, column: str) -> float:
    try:
        value = float(re.sub(r"^(\d+),(\d+)$", r"\1.\2", text))  # a decimal comma
    except ValueError:
        value = float("nan")
    if not 0 < value <= MAX_PX_PER_UM:
        raise ValueError(f"{column} is {text!r}; give pixels a micrometre, above 0 and at most {MAX_PX_PER_UM:g}")
    return value


def _diameter(text: str, column: str) -> float:
    if text.casefold() in {"", "auto"}:
        return 0.0
    try:
        value = float(re.sub(r"^(\d+),(\d+)$", r"\1.\2", text))  # a decimal comma
    except ValueError:
        value = float("nan")
    if value != 0 and not 1 <= value <= MAX_SIDE_PX:
        raise ValueError(f"{column} is {text!r}; give the diameter of the nuclei in px, or auto to look for it")
    return value


def _inside(text: str, column: str) -> str:
    path = PurePosixPath(text.replace("\\", "/"))
    if path == PurePosixPath() or path.is_absolute() or ".." in path.parts or re.match(r"[A-Za-z]:", text):
        raise ValueError(f"{column} is {text!r}; give a path below the manifest's folder, without '..'")
    return str(path)


PARSERS: dict[str, Callable[[str, str], object]] = {
    "panorama": _name,
    "run": _whole(10_000_000),
    "quarter": _one_of(QUARTERS),
    "crop": _one_of(CROPS),
    "passage": lambda text, _: text,
    "image": _inside,
    "mask": lambda text, column: _inside(text, column) if text else "",
    "width_px": _whole(MAX_SIDE_PX),
    "height_px": _whole(MAX_SIDE_PX),
    "px_per_um": _scale,
    "image_sha256": _sha256,
    "source": _source,
    "channel": lambda text, _: text,
    "project": _project,
    "truth": lambda text, column: _inside(text, column) if text else "",
    "condition": lambda text, _: text,
    "replicate": lambda text, _: text,
    "model": lambda text, column: _inside(text, column) if text else "",
    "diameter_px": _diameter,
}
"""What reads each column: gets its text and its name, and raises ValueError where it is wrong."""


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
        problems += _file_problems(panorama, image, folder, partial(image_shape, plane=panorama.plane))
        if not problems and panorama.image_sha256 and (problem := pin_problem(panorama, image, sha256(image))):
            problems.append(problem)
    for labels in (panorama.mask, panorama.truth):
        if labels:
            problems += _file_problems(panorama, folder / labels, folder, mask_shape)
    return problems


def pin_problem(panorama: Panorama, image: Path, digest: str) -> str | None:
    """Say that an image's SHA-256 is not the one that its row pins; None where it is, or none is pinned."""
    if panorama.image_sha256 in {"", digest}:
        return None
    return (
        f"{panorama.panorama}: {image} has another SHA-256 than the manifest; get the file again, or correct "
        "the manifest where the image was changed on purpose"
    )


def _file_problems(
    panorama: Panorama, path: Path, folder: Path, shape_of: Callable[[Path], tuple[int, int] | None]
) -> list[str]:
    try:
        check_regular(path)
        if not path.resolve().is_relative_to(folder.resolve()):
            return [f"{panorama.panorama}: {path} leads out of {folder}; copy the file there"]
        shape = shape_of(path)
    except NnbookError as error:
        return [f"{panorama.panorama}: {error}"]
    if shape is None:
        return []
    height, width = shape
    if (width, height) != (panorama.width_px, panorama.height_px):
        return [
            f"{panorama.panorama}: {path} has {width} x {height} px, but the manifest says {panorama.width_px} x "
            f"{panorama.height_px}; correct the one that is wrong"
        ]
    return []
