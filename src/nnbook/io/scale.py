"""The scale of images, in pixels a micrometre: what the manifest says, what was given, and what a file says itself."""

from __future__ import annotations

import contextlib
import html
import math
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import tifffile

from nnbook.errors import InvalidValueError, NnbookError
from nnbook.io.files import check_regular
from nnbook.io.images import image_shape
from nnbook.io.manifest import MAX_PX_PER_UM
from nnbook.io.microscopes import czi_scale, is_czi

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from nnbook.io.manifest import Panorama
    from nnbook.io.paths import PathLike

UM_PER_UNIT: Final = {
    **dict.fromkeys(("nm", "nanometer", "nanometre"), 1e-3),
    **dict.fromkeys(("um", "micron", "microns", "micrometer", "micrometre", "micrometers", "micrometres"), 1.0),
    **dict.fromkeys(("mm", "millimeter", "millimetre"), 1e3),
    **dict.fromkeys(("cm", "centimeter", "centimetre"), 1e4),
    **dict.fromkeys(("m", "meter", "metre"), 1e6),
}
UM_PER_TAG: Final = {3: 1e4, 4: 1e3, 5: 1.0}
"""Micrometres by the value of TIFF's tag ResolutionUnit: 3 is a centimetre; of 1 (none) and 2 (inch), which programs
write by default, nothing follows."""

LEAST_PX_PER_UM: Final = 0.05
"""What is below it is the resolution of a printer or a screen, not of a microscope: 300 dots an inch are 0.012."""

SQUARE: Final = 1e-3
CONTRADICTS: Final = 5e-3
"""By which share two scales must differ: for a pixel not to be square, and for a file to contradict the manifest, in
which values may be rounded."""


def image_scale(path: PathLike) -> float | None:
    """Return the scale that a TIFF or CZI file says itself.

    Parameters
    ----------
    path : str or Path
        An image file.

    Returns
    -------
    float or None
        Pixels a micrometre, to six digits: from the metadata of OME, ImageJ, LSM or CZI, else from the resolution that
        the tags give in centimetres. None where none of them says any, where it is that of a printer or screen, and
        for files of other formats.

    Raises
    ------
    MissingFileError
        Where there is no such file.
    NnbookError
        Where the scale across differs from the scale down.
    """
    path = Path(path)
    check_regular(path)
    try:
        with tifffile.TiffFile(path) as tiff:
            said = _ome_scale(tiff) or _imagej_scale(tiff) or _lsm_scale(tiff) or _tag_scale(tiff)
    except tifffile.TiffFileError:
        said = czi_scale(path) if is_czi(path) else None
    except Exception:  # noqa: BLE001 - readers raise whatever they like on damaged metadata
        return None
    if said is None:
        return None
    across, down = said
    if not math.isclose(across, down, rel_tol=SQUARE):
        raise NnbookError(
            f"{path}: has {across:.5g} px/µm across but {down:.5g} down; nnbook takes square pixels, so resample it or "
            "correct its metadata"
        )
    return float(f"{across:.6g}") if LEAST_PX_PER_UM <= across <= MAX_PX_PER_UM else None


def image_scales(
    images: Mapping[str, Path], rows: Sequence[Panorama] = (), px_per_um: float | None = None
) -> dict[str, float]:
    """Find the scale of each image: what its row says, else what was given, else what the file says itself.

    A file that contradicts its row, or what was given, is named on standard error; so is the scale that files say where
    it is used.

    Parameters
    ----------
    images : mapping of str to Path
        Image files by name.
    rows : sequence of Panorama, optional
        The manifest's rows of these images.
    px_per_um : float, optional
        What was given for all of them.

    Returns
    -------
    dict of str to float
        Pixels a micrometre by name.

    Raises
    ------
    InvalidValueError
        Where what was given contradicts a row, or a file says nothing and nothing else does.
    NnbookError
        Where a file that has to say its scale can't be read, or its pixels are not square.
    """
    known = row_scales(rows, px_per_um)
    if px_per_um is not None:
        known = dict.fromkeys(images, px_per_um) | known
    if known:
        warn_of_scales(images, known)
        return {name: known[name] for name in images}
    return _own_scales(images)


def row_scales(rows: Sequence[Panorama], px_per_um: float | None = None) -> dict[str, float]:
    """Return the scale of each row by its name.

    Raises
    ------
    InvalidValueError
        Where the one that was given contradicts a row.
    """
    for row in rows:
        if px_per_um is not None and not math.isclose(px_per_um, row.px_per_um, rel_tol=1e-9):
            raise InvalidValueError(
                f"px_per_um is {px_per_um:g}, but the manifest says {row.px_per_um:g} for {row.panorama}; leave it "
                "out, or correct the manifest",
                parameter="px_per_um",
            )
    return {row.panorama: row.px_per_um for row in rows}


def warn_of_scales(
    images: Mapping[str, Path],
    scales: Mapping[str, float],
    scale_of: Callable[[Path], float | None] = image_scale,
) -> None:
    """Name on standard error the files that contradict the scales used for them; what isn't there is passed over.

    Parameters
    ----------
    images : mapping of str to Path
        Image files by name.
    scales : mapping of str to float
        Pixels a micrometre, as used, by name.
    scale_of : callable, optional
        Gives the scale that a file says itself, as `image_scale` does.
    """
    contrary: dict[tuple[float, float], list[Path]] = {}
    for name, path in images.items():
        if not path.is_file():
            continue
        try:
            said = scale_of(path)
        except NnbookError as error:
            print(f"nnbook: {error}", file=sys.stderr)
            continue
        if said is not None and not math.isclose(said, scales[name], rel_tol=CONTRADICTS):
            contrary.setdefault((said, scales[name]), []).append(path)
    for (said, used), paths in contrary.items():
        print(
            f"nnbook: {paths[0]}: says {said:g} px/µm itself, but {used:g} is used, as given; correct the one that is "
            f"wrong{_and_more(paths)}",
            file=sys.stderr,
        )


def common_scale(scales: Mapping[str, float], where: object, remedy: str) -> float:
    """Return the scale that images have in common.

    Raises
    ------
    NnbookError
        Where they have different ones: begins with `where`, names two of them, and ends with `remedy`.
    """
    first, *others = scales.items()
    for name, scale in others:
        if not math.isclose(scale, first[1], rel_tol=1e-9):
            raise NnbookError(
                f"{where}: panoramas have different px_per_um, {first[1]:g} ({first[0]}) and {scale:g} ({name}); "
                f"{remedy}"
            )
    return first[1]


def _own_scales(images: Mapping[str, Path]) -> dict[str, float]:
    scales: dict[str, float] = {}
    files: dict[float, list[Path]] = {}
    silent: list[Path] = []
    problems: list[str] = []
    for name, path in images.items():
        try:
            said = image_scale(path)
            if said is None:
                with contextlib.suppress(InvalidValueError):  # which plane is the image is asked elsewhere
                    image_shape(path)  # a file that can't be read is named for that
                silent.append(path)
            else:
                scales[name] = said
                files.setdefault(said, []).append(path)
        except NnbookError as error:
            problems.append(str(error))
    if problems:
        raise NnbookError("\n".join(problems))
    if silent:
        raise InvalidValueError(
            f"{silent[0]}: doesn't say how large its pixels are; give px_per_um, pixels a micrometre, or a manifest"
            f"{_and_more(silent)}",
            parameter="px_per_um",
        )
    for said, paths in files.items():
        print(f"nnbook: {paths[0]}: {said:g} px/µm, as it says itself{_and_more(paths)}", file=sys.stderr)
    return scales


def _and_more(paths: Sequence[Path]) -> str:
    return f" (and {len(paths) - 1} more)" if len(paths) > 1 else ""


def _ome_scale(tiff: tifffile.TiffFile) -> tuple[float, float] | None:
    # Read as text, not as XML, which may name entities that grow without end.
    found = [_pixels_scale(tag) for tag in re.findall(r"<(?:\w+:)?Pixels\b[^>]*>", tiff.ome_metadata or "")]
    return found[0] if len(set(found)) == 1 else None


def _pixels_scale(tag: str) -> tuple[float, float] | None:
    said = dict(re.findall(r"""\b(PhysicalSize[XY](?:Unit)?)\s*=\s*["']([^"']*)""", tag))
    sizes = [
        float(said[f"PhysicalSize{axis}"]) * _um_per_unit(said.get(f"PhysicalSize{axis}Unit", "um"))
        for axis in "XY"
        if f"PhysicalSize{axis}" in said
    ]
    return (1 / sizes[0], 1 / sizes[-1]) if sizes and all(0 < size < math.inf for size in sizes) else None


def _imagej_scale(tiff: tifffile.TiffFile) -> tuple[float, float] | None:
    about = tiff.imagej_metadata
    resolution = _resolution(tiff)
    if not about or resolution is None:
        return None
    across = _um_per_unit(about.get("unit", ""))
    down = _um_per_unit(about["yunit"]) if "yunit" in about else across
    return (resolution[0] / across, resolution[1] / down) if across and down else None


def _lsm_scale(tiff: tifffile.TiffFile) -> tuple[float, float] | None:
    about = tiff.lsm_metadata if tiff.is_lsm else None
    sizes = [float(about[f"VoxelSize{axis}"]) * 1e6 for axis in "XY"] if about else []
    return (1 / sizes[0], 1 / sizes[1]) if sizes and all(0 < size < math.inf for size in sizes) else None


def _tag_scale(tiff: tifffile.TiffFile) -> tuple[float, float] | None:
    tag, resolution = tiff.pages.first.tags.get("ResolutionUnit"), _resolution(tiff)
    um = UM_PER_TAG.get(int(tag.value), 0.0) if tag is not None else 0.0
    return (resolution[0] / um, resolution[1] / um) if resolution and um else None


def _resolution(tiff: tifffile.TiffFile) -> tuple[float, float] | None:
    """Return the pixels a unit that the tags give, across and down."""
    values = []
    for name in ("XResolution", "YResolution"):
        tag = tiff.pages.first.tags.get(name)
        numerator, denominator = tag.value if tag is not None else (0, 0)
        if not numerator or not denominator:
            return None
        values.append(numerator / denominator)
    return values[0], values[1]


def _um_per_unit(unit: Any) -> float:
    """Return the micrometres of a unit as programs write it; 0 where it is no length."""
    name = html.unescape(str(unit)).replace("\\u00B5", "u").replace("\\u03BC", "u")
    return UM_PER_UNIT.get(re.sub("Â?[µμ]", "u", name).strip(' "\0').lower(), 0.0)
