"""A manifest from a folder of images: their sizes and scale, names, and groups by a pattern of their names."""

from __future__ import annotations

import os
import re
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from nnbook.errors import InvalidValueError, MissingFileError, NnbookError, all_of
from nnbook.io.images import image_shape, mask_shape
from nnbook.io.inputs import IMAGE_TYPES, MASK_SUFFIX, OTHER_MASKS
from nnbook.io.manifest import MAX_PX_PER_UM, NAME, Panorama, image_name
from nnbook.io.scale import common_scale, image_scales

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from nnbook.io.paths import PathLike
    from nnbook.io.planes import Plane

GROUPS: Final = {"run": r"\d+", "condition": r"[^/]+?", "replicate": r"[^/]+?"}
"""What a pattern can name, and what each stands for in a file's path."""

EXAMPLE: Final = "'{condition}_{replicate}_*'"


class Listing(NamedTuple):
    """What a folder of images holds.

    Attributes
    ----------
    rows : list of Panorama
        One for each image, in the order of their paths.
    folder : Path
        What the paths of the rows are below.
    """

    rows: list[Panorama]
    folder: Path


def list_panoramas(
    folder: PathLike,
    *,
    px_per_um: float | None = None,
    pattern: str = "",
    truth: PathLike | None = None,
    plane: Plane | None = None,
    taken: Collection[str] = (),
) -> Listing:
    """Describe the images of a folder as the rows of a manifest.

    Parameters
    ----------
    folder : str or Path
        Of images. Hidden files, and masks that are named as Cellpose names them, are left out.
    px_per_um : float, optional
        Pixels a micrometre of all of them; by default what each file says itself.
    pattern : str, optional
        What names tell, as `{condition}_{replicate}_*`: `{run}` is a number, `{condition}` and `{replicate}` are texts
        without a slash, as short as they can be, `*` is any text without a slash, and `?` one character. With a slash,
        as in `{condition}/*`, it is of files in folders below. Or a regular expression with groups of these names. File
        endings are not part of it.
    truth : str or Path, optional
        A folder of label images drawn by hand, `NAME.tif` or `NAME_cp_masks.tif` and the like. Not every image needs
        one.
    plane : Plane, optional
        Which plane of each file is the image, where files have several.
    taken : collection of str, optional
        Names that no panorama can have.

    Returns
    -------
    Listing
        Names of panoramas are those of files, and where these are not unique those of paths. The run is that of the
        pattern, else a number for each replicate, else that of a published name, else 1.

    Raises
    ------
    MissingFileError
        Where there is no such folder, or no image in it.
    InvalidValueError
        Where the pattern is none or does not fit each image, no scale is known, or two files are called the same.
    NnbookError
        Where a file can't be read, or scales differ.
    """
    folder = Path(folder)
    if px_per_um is not None and not 0 < px_per_um <= MAX_PX_PER_UM:
        raise InvalidValueError(
            f"px_per_um is {px_per_um:g}; give pixels a micrometre, above 0 and at most {MAX_PX_PER_UM:g}",
            parameter="px_per_um",
        )
    expression = _expression(pattern) if pattern else None
    files = _images(folder, below="/" in pattern)
    groups = _groups(folder, files, expression, pattern)
    names = _names(folder, files, taken)
    scales = image_scales(dict(zip(names, files, strict=True)), px_per_um=px_per_um)
    common_scale(scales, folder, "make a book of each scale")
    outlines = {} if truth is None else _outlines(files, Path(truth))
    root = Path(os.path.commonpath([_absolute(Path(path)) for path in (folder, *([truth] if truth else []))]))
    runs = _runs(names, groups)
    rows: list[Panorama] = []
    problems: list[NnbookError] = []
    for name, path, group, run in zip(names, files, groups, runs, strict=True):
        try:
            height, width = image_shape(path, plane)
            drawn = outlines.get(path)
            shape = None if drawn is None else mask_shape(drawn)
        except NnbookError as error:
            problems.append(error)
            continue
        if shape not in {None, (height, width)}:
            problems.append(NnbookError(f"{drawn}: has another size than {path}; give the outlines of this image"))
        rows.append(
            Panorama(
                panorama=name,
                run=run,
                quarter="",
                crop="",
                passage="",
                image=_below(path, root),
                mask="",
                width_px=width,
                height_px=height,
                px_per_um=scales[name],
                image_sha256="",
                source="",
                channel=(plane.channel if plane else None) or "",
                project=(plane.project if plane else None) or "",
                truth=_below(drawn, root) if drawn else "",
                condition=group.get("condition", ""),
                replicate=group.get("replicate", ""),
            )
        )
    if problems:
        raise all_of(problems)
    return Listing(rows, root)


def _images(folder: Path, *, below: bool) -> list[Path]:
    """List a folder's images, those in folders below it as well where they are asked for."""
    if not folder.is_dir():
        raise MissingFileError(f"{folder}: no such folder; give the one that holds the images")

    def are_images(paths: Sequence[Path]) -> list[Path]:
        return [
            path
            for path in sorted(paths)
            if path.suffix.lower() in IMAGE_TYPES
            and not path.stem.endswith(MASK_SUFFIX)
            and not any(part.startswith(".") for part in path.relative_to(folder).parts)
            and path.is_file()
        ]

    files = are_images(list(folder.rglob("*") if below else folder.iterdir()))
    if not files:
        if not below and are_images(list(folder.rglob("*"))):
            raise MissingFileError(
                f"{folder}: has images only in folders below; give pattern, such as '{{condition}}/*', or '*/*'"
            )
        raise MissingFileError(f"{folder}: holds no TIFF, PNG or CZI image; give the folder that holds the images")
    by_stem: dict[Path, Path] = {}
    for path in files:
        if (other := by_stem.setdefault(path.with_suffix(""), path)) != path:
            raise InvalidValueError(f"{path}: has the same name as {other.name}; keep one of the two in the folder")
    return files


def _expression(pattern: str) -> re.Pattern[str]:
    if "(?P<" in pattern:
        try:
            found = re.compile(pattern)
        except re.error as error:
            raise InvalidValueError(
                f"pattern is {pattern!r}, no regular expression ({error}); give one, or such as {EXAMPLE}",
                parameter="pattern",
            ) from error
    else:
        parts = [
            "[^/]*"
            if part == "*"
            else "[^/]"
            if part == "?"
            else _group(part, pattern)
            if part[0] in "{}"
            else re.escape(part)
            for part in re.findall(r"\{[^{}]*\}|[*?{}]|[^*?{}]+", pattern)
        ]
        try:
            found = re.compile("".join(parts))
        except re.error as error:
            raise InvalidValueError(
                f"pattern is {pattern!r}, which names a group twice; name each once", parameter="pattern"
            ) from error
    if unknown := sorted(found.groupindex.keys() - GROUPS):
        raise InvalidValueError(
            f"pattern is {pattern!r}, and {unknown[0]} is no group; there are {', '.join(GROUPS)}", parameter="pattern"
        )
    if "replicate" in found.groupindex and "condition" not in found.groupindex:
        raise InvalidValueError(
            f"pattern is {pattern!r}, which has a replicate and no condition; name both, or say run instead",
            parameter="pattern",
        )
    return found


def _group(part: str, pattern: str) -> str:
    name = part[1:-1]
    if name not in GROUPS:
        raise InvalidValueError(
            f"pattern is {pattern!r}, and {part} is no group; there are {', '.join(f'{{{one}}}' for one in GROUPS)}",
            parameter="pattern",
        )
    return f"(?P<{name}>{GROUPS[name]})"


def _groups(
    folder: Path, files: Sequence[Path], expression: re.Pattern[str] | None, pattern: str
) -> list[Mapping[str, str]]:
    """Return what the pattern finds in the path of each file."""
    if expression is None:
        return [{} for _ in files]
    paths = [_below(path.with_suffix(""), folder) for path in files]
    found = [expression.fullmatch(path) for path in paths]
    others = [path for path, match in zip(paths, found, strict=True) if match is None]
    if others:
        share = "any image" if len(others) == len(files) else f"{len(others)} of {len(files)} images"
        raise InvalidValueError(
            f"pattern is {pattern!r}, which does not fit {share} in {folder}, such as {others[0]}; correct it, or move "
            "what it does not fit elsewhere",
            parameter="pattern",
        )
    return [{name: text.strip() for name, text in match.groupdict("").items()} for match in found if match]


def _names(folder: Path, files: Sequence[Path], taken: Collection[str]) -> list[str]:
    """Name panoramas after their files; where two would be called the same, after their paths, or with a number."""
    stems = [image_name(path.name) for path in files]
    paths = [image_name(_below(path, folder).replace("/", "_")) for path in files]
    count = Counter(stems)
    used, names = set(taken), []
    last: Counter[str] = Counter()
    for stem, path in zip(stems, paths, strict=True):
        wanted = (stem if count[stem] == 1 else path) or "panorama"
        name = wanted
        while name in used:
            last[wanted] += 1
            name = f"{wanted}-{last[wanted] + 1}"
        used.add(name)
        names.append(name)
    return names


def _runs(names: Sequence[str], groups: Sequence[Mapping[str, str]]) -> list[int]:
    """Return the number of each panorama's experiment: of the pattern, of its name, else a number a replicate."""
    order: dict[tuple[str, str], int] = {}
    runs = []
    for name, group in zip(names, groups, strict=True):
        published_name = NAME.fullmatch(name)
        if "run" in group:
            if not re.fullmatch(r"0*[1-9]\d{0,6}", group["run"]):
                raise InvalidValueError(
                    f"pattern gives {name} the run {group['run']!r}; experiments are numbered from 1",
                    parameter="pattern",
                )
            runs.append(int(group["run"]))
        elif "replicate" in group:
            place = (group["condition"], group["replicate"])
            runs.append(order.setdefault(place, len(order) + 1))
        else:
            runs.append(int(published_name["run"]) if published_name else 1)
    return runs


def _outlines(files: Sequence[Path], folder: Path) -> dict[Path, Path]:
    """Find the label images of images in a folder; name on standard error how many have none."""
    if not folder.is_dir():
        raise MissingFileError(f"{folder}: no such folder; give the one that holds the outlines drawn by hand as truth")
    by_stem: dict[str, Path] = {}
    ends = (*OTHER_MASKS, *(f"{mask}{end}" for mask in (MASK_SUFFIX, "") for end in IMAGE_TYPES))
    images = {os.path.realpath(path) for path in files}
    for path in sorted(folder.iterdir()):
        end = next((end for end in ends if path.name.lower().endswith(end.lower())), None)
        if end is not None and path.name[0] != "." and os.path.realpath(path) not in images:
            by_stem.setdefault(path.name[: -len(end)], path)
    found = {path: by_stem[path.stem] for path in files if path.stem in by_stem}
    if not found:
        raise MissingFileError(
            f"{folder}: holds no label image of the images' names, such as {files[0].stem}.tif; give the folder of the "
            "outlines as truth"
        )
    if len(set(found.values())) < len(found):
        raise InvalidValueError(
            f"{folder}: has one label image for several images of one name; give images other names"
        )
    if len(found) < len(files):
        print(f"nnbook: {folder}: has outlines of {len(found)} of {len(files)} images", file=sys.stderr)
    return found


def _below(path: Path, root: Path) -> str:
    return Path(os.path.relpath(_absolute(path), _absolute(root))).as_posix()


def _absolute(path: Path) -> str:
    return os.path.abspath(path)  # noqa: PTH100 - links stay as they are
