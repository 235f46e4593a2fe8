"""What is wrong with a manifest and its files: `nnbook validate`."""

from __future__ import annotations

import math
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nnbook.errors import NnbookError
from nnbook.io.images import read_image, read_mask
from nnbook.io.inputs import other_image
from nnbook.io.manifest import image_problems, parse_manifest
from nnbook.io.scale import warn_of_scales
from nnbook.pipeline.editions import edition_problems
from nnbook.viewers.pyramid import MAX_LABEL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from nnbook.io.manifest import Panorama
    from nnbook.io.paths import PathLike


def validate_manifest(manifest: PathLike, images: PathLike | None = None) -> list[Panorama]:
    """Check a manifest and decode every file that it names, so that no later stage finds what is wrong with them.

    What contradicts the manifest but stops no stage is named on standard error: a file that says another scale, and
    columns that are not read. Two files are decoded at a time.

    Parameters
    ----------
    manifest : str or Path
        See `nnbook.io.manifest.read_manifest`.
    images : str or Path, optional
        The folder that its paths are below; by default the manifest's.

    Returns
    -------
    list of Panorama
        The manifest's rows.

    Raises
    ------
    MissingFileError
        Where there is no such manifest.
    NnbookError
        With a line for each thing that is wrong.
    """
    manifest = Path(manifest)
    folder = manifest.parent if images is None else Path(images)
    parsed = parse_manifest(manifest, folder)
    rows = parsed.rows
    if unused := [name for name in parsed.unused if name]:
        print(f"nnbook: {manifest}: columns that are not read: {', '.join(unused)}", file=sys.stderr)
    problems = [*parsed.problems, *edition_problems(manifest, rows)]
    for number, found in zip(rows, _all_problems(list(rows.values()), folder), strict=True):
        problems += [f"{manifest}, line {number}: {problem}" for problem in found]
    warn_of_scales(
        {row.panorama: folder / row.image for row in rows.values()},
        {row.panorama: row.px_per_um for row in rows.values()},
    )
    if problems:
        raise NnbookError("\n".join(problems))
    return list(rows.values())


def check_rows(rows: Sequence[Panorama], folder: PathLike) -> None:
    """Decode every file that rows name, as `validate_manifest` does; raise NnbookError with a line for each fault."""
    if problems := [problem for found in _all_problems(rows, Path(folder)) for problem in found]:
        raise NnbookError("\n".join(problems))


def _all_problems(rows: Sequence[Panorama], folder: Path) -> Iterator[list[str]]:
    from nnbook.io.progress import show_progress

    with ThreadPoolExecutor(2) as pool:
        work = pool.map(lambda row: _file_problems(row, folder), rows)
        yield from show_progress(work, desc="validate", unit="panorama", total=len(rows))


def _file_problems(row: Panorama, folder: Path) -> list[str]:
    """Look at a row's files, then decode those in which nothing wrong was seen; one array is in memory at a time."""
    problems = image_problems(row, folder)
    image = folder / row.image
    if image.exists() and not _names(problems, image):
        problems += _decoding_problems(row, image, partial(read_image, plane=row.plane), math.inf)
    for labels in filter(None, (row.mask, row.truth)):
        if (folder / labels).is_file() and (other := other_image(image, folder / labels)) is not None:
            problems.append(
                f"{row.panorama}: {folder / labels} is named for {other}, and not for {image}; correct the manifest, "
                "or give the file another name"
            )
    for labels in (row.mask, row.truth):
        if labels and not _names(problems, folder / labels):
            problems += _decoding_problems(
                row, folder / labels, partial(read_mask, shape=(row.height_px, row.width_px)), MAX_LABEL
            )
    if row.model and not (folder / row.model).is_file():
        problems.append(f"{row.panorama}: {folder / row.model}: no such model; correct the column model")
    return problems


def _names(problems: Iterable[str], path: Path) -> bool:
    return any(f"{path}:" in problem or f"{path} " in problem for problem in problems)


def _decoding_problems(row: Panorama, path: Path, read: Callable[[Path], NDArray[Any]], most: float) -> list[str]:
    try:
        array = read(path)
    except NnbookError as error:
        return [f"{row.panorama}: {error}"]
    height, width = array.shape
    if (width, height) != (row.width_px, row.height_px):
        return [
            f"{row.panorama}: {path} has {width} x {height} px, but the manifest says {row.width_px} x "
            f"{row.height_px}; correct the one that is wrong"
        ]
    if array.max(initial=0) > most:
        return [f"{row.panorama}: {path} has a label above {most:,}, which no pyramid holds; number nuclei from 1"]
    return []
