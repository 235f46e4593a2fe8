"""Readers for the layouts in which data sets of nuclei come: each gives images with label images."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from nnbook.datasets.run_lengths import read_counts, read_pairs
from nnbook.datasets.sample import Mask, Sample, grey_levels, join_masks
from nnbook.errors import MissingFileError, NnbookError, reason
from nnbook.io.files import check_regular, read_json
from nnbook.io.images import read_mask

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from numpy.typing import NDArray

    from nnbook.io.paths import PathLike
    from nnbook.reviews.datasets import Layout

    Key = tuple[str, ...]

JUNK: Final = re.compile(r"(^|/)(__MACOSX/|\.)")
"""What archives made on a Mac have beside their files, and what is hidden."""

TIFF: Final = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
CSV_COLUMNS: Final = ("ImageId", "EncodedPixels")


def read_layout(folder: PathLike, layout: Layout) -> Iterator[Sample]:
    """Read the images and masks below a folder.

    Parameters
    ----------
    folder : str or Path
        Where a data set's files are unpacked.
    layout : Layout
        How they are laid out there; `kind` is one of

        - "labels": for each image a label image, or a volume of the same axes,
        - "components": for each image a picture in whose first channel neighbouring nuclei have other values; of a
          binary mask, nuclei that touch are one,
        - "masks": for each image the masks of its nuclei, one a file, of which each pixel above 0 is inside,
        - "rois": for each image a ROI set of ImageJ,
        - "coco": JSON files as COCO defines them, with polygons or run lengths,
        - "rle": a table of run lengths as the Data Science Bowl has it, a row a nucleus.

        What the patterns' * stand for pairs images with their masks; with "masks" only the first does.

    Yields
    ------
    Sample
        In the order of their names.

    Raises
    ------
    MissingFileError
        Where no image, or no mask, is below the folder.
    NnbookError
        Where an image or mask can't be read, a mask is missing, has another size or is beyond its image, or two masks
        outline one nucleus; the message names the file.
    """
    folder = Path(folder)
    images = _files(folder, layout.images, "image")
    labels = _files(folder, layout.labels, "mask")
    if layout.kind == "coco":
        yield from _read_coco(images, labels.values(), layout.category)
        return
    if layout.kind == "rle":
        yield from _read_tables(images, labels.values())
        return
    if layout.kind == "masks":
        for key, path in images.items():
            masks = [mask for other, mask in labels.items() if other[0] == key[0]]
            yield _read_masks(_name(key), path, masks)
        return
    read: Callable[[Path, tuple[int, int]], NDArray[np.int32]] = {
        "labels": lambda path, _: _read_labels(path),
        "components": lambda path, _: _read_components(path),
        "rois": read_mask,
    }[layout.kind]
    for key, path in _paired(images, labels):
        pixels = _pixels(path)
        truth = read(labels[key], _shape(path, pixels))
        if truth.ndim == 2:
            pixels = grey_levels(path, pixels)
        if truth.shape != pixels.shape:
            sizes = [" x ".join(map(str, one.shape[::-1])) for one in (truth, pixels)]
            raise NnbookError(f"{labels[key]}: is {sizes[0]} px but its image {sizes[1]}; take that image's mask")
        yield Sample(_name(key), pixels, truth)


def _files(folder: Path, pattern: str, what: str) -> dict[Key, Path]:
    """Return the files of a pattern below a folder, by what its * stand for."""
    if not folder.is_dir():
        raise MissingFileError(f"{folder}: no such folder; name the one in which the data set is unpacked")
    form = re.compile("([^/]*)".join(map(re.escape, pattern.split("*"))))
    found = {}
    for path in sorted(folder.rglob("*")):
        below = path.relative_to(folder).as_posix()
        if path.is_file() and not JUNK.search(below) and (match := form.fullmatch(below)):
            found[match.groups()] = path
    if not found:
        raise MissingFileError(f"{folder}: has no {what} {pattern}; unpack the data set's archive there")
    return found


def _name(key: Key) -> str:
    """Return the name of a sample: what its patterns' * stand for, each once."""
    return "_".join(dict.fromkeys(key)).replace(" ", "_") or "image"


def _paired(images: Mapping[Key, Path], labels: Mapping[Key, Path]) -> Iterator[tuple[Key, Path]]:
    """Return images that have masks; refuse both of which one has no other."""
    for one, others, what in ((images, labels, "mask"), (labels, images, "image")):
        if alone := [path for key, path in one.items() if key not in others]:
            more = f", and {len(alone) - 1:,} more files have none" if len(alone) > 1 else ""
            raise NnbookError(f"{alone[0]}: has no {what} of its name{more}; unpack the whole data set")
    yield from images.items()


def _pixels(path: Path) -> NDArray[Any]:
    """Read an image file as it is: also colours and volumes, which panoramas are not."""
    import cv2
    import tifffile

    check_regular(path)
    data = path.read_bytes()
    try:
        if data.startswith(TIFF):
            return np.asarray(tifffile.imread(path)).squeeze()
        found = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except Exception as error:  # decoders raise whatever they like on broken files
        raise NnbookError(f"{path}: can't be read as an image ({reason(error)}); it is damaged or no image") from error
    if found is None:
        raise NnbookError(f"{path}: can't be read as an image; it is damaged or no image")
    # OpenCV has blue first.
    return found if found.ndim == 2 else np.concatenate([found[..., 2::-1], found[..., 3:]], axis=2)


def _shape(path: Path, pixels: NDArray[Any]) -> tuple[int, int]:
    """Return height and width of an image in rows and columns; of a volume, those of a plane."""
    shape = grey_levels(path, pixels).shape if pixels.ndim < 3 or min(pixels.shape) <= 4 else pixels.shape[1:]
    return shape[0], shape[1]


def _read_labels(path: Path) -> NDArray[np.int32]:
    """Read a label image, or a volume of labels."""
    with path.open("rb") as file:
        is_tiff = file.read(4) in TIFF
    volume = _pixels(path) if is_tiff else np.zeros(0)
    if volume.ndim != 3:
        return read_mask(path)
    if volume.dtype.kind not in "ui" or volume.min() < 0 or volume.max() > np.iinfo(np.int32).max:
        raise NnbookError(f"{path}: holds {volume.dtype} values; labels are whole numbers from 0 to 2,147,483,647")
    return volume.astype(np.int32)


def _read_components(path: Path) -> NDArray[np.int32]:
    """Give numbers to the components of equal value in a picture's first channel."""
    from skimage.measure import label

    pixels = _pixels(path)
    if pixels.ndim == 3:
        pixels = pixels[..., 0]
    if pixels.ndim != 2 or pixels.dtype.kind not in "uib":
        raise NnbookError(f"{path}: holds {pixels.dtype} values of {pixels.ndim} axes; a mask has rows and columns")
    return np.asarray(label(pixels), np.int32)


def _read_masks(name: str, path: Path, masks: list[Path]) -> Sample:
    if not masks:
        raise NnbookError(f"{path}: has no mask of its name; unpack the whole data set")
    image = grey_levels(path, _pixels(path))
    inside = (Mask(mask.name, grey_levels(mask, _pixels(mask)) > 0) for mask in masks)
    labels, shared = join_masks(masks[0].parent, inside, (image.shape[0], image.shape[1]))
    return Sample(name, image, labels, shared)


def _read_tables(images: Mapping[Key, Path], tables: Any) -> Iterator[Sample]:
    """Read tables of run lengths, with a row a nucleus; an image without nuclei has one row without run lengths."""
    runs: dict[str, list[tuple[Path, int, str]]] = {}
    for table in tables:
        for line, image, text in _rows(table):
            runs.setdefault(image, []).append((table, line, text))
    by_name = {path.stem: (key, path) for key, path in images.items()}
    for image, rows in runs.items():
        if image not in by_name:
            table, line, _ = rows[0]
            raise NnbookError(
                f"{table}:{line}: names the image {image}, which is not there; unpack it beside the others"
            )
    for image, (key, path) in by_name.items():
        if image not in runs:
            raise NnbookError(f"{path}: has no row in {', '.join(table.name for table in tables)}; take its own table")
        pixels = grey_levels(path, _pixels(path))
        shape = (pixels.shape[0], pixels.shape[1])
        table = runs[image][0][0]
        labels, shared = join_masks(table, _masks_of_rows(runs[image], shape), shape)
        yield Sample(_name(key), pixels, labels, shared)


def _rows(table: Path) -> Iterator[tuple[int, str, str]]:
    """Return the rows of a table of run lengths: line, image, and run lengths."""
    check_regular(table)
    csv.field_size_limit(2**31 - 1)  # the run lengths of a large nucleus are long
    try:
        with table.open(encoding="utf-8", newline="") as file:
            rows = csv.DictReader(file)
            if missing := [name for name in CSV_COLUMNS if name not in (rows.fieldnames or ())]:
                raise NnbookError(
                    f"{table}: has no column {missing[0]}; run lengths are in {' and '.join(CSV_COLUMNS)}"
                )
            for row in rows:
                image, text = (row[name] for name in CSV_COLUMNS)
                if not image or text is None or None in row:
                    raise NnbookError(f"{table}:{rows.line_num}: has not as many fields as its header; mend that line")
                yield rows.line_num, image, text
    except (csv.Error, UnicodeDecodeError) as error:
        raise NnbookError(f"{table}: can't be read as a CSV table ({reason(error)}); get it again") from error


def _masks_of_rows(rows: list[tuple[Path, int, str]], shape: tuple[int, int]) -> Iterator[Mask]:
    for table, line, text in rows:
        if not text.strip() and len(rows) == 1:
            return
        try:
            yield Mask(f"of line {line}", read_pairs(text, shape))
        except NnbookError as error:
            raise NnbookError(f"{table}:{line}: {error}; get the table again") from error


def _read_coco(images: Mapping[Key, Path], files: Any, category: str | None) -> Iterator[Sample]:
    """Read the images that COCO files list, with the masks of one category, or of the only one."""
    by_name = {path.name: (key, path) for key, path in images.items()}
    for file in files:
        content = read_json(
            file,
            {
                "images": [{"id": int, "file_name": str, "height": int, "width": int}],
                "annotations": [{"image_id": int, "category_id": int, "segmentation": (list, dict)}],
                "categories": [{"id": int, "name": str}],
            },
            "get it again, or export it as COCO",
        )
        chosen = _category(file, content["categories"], category)
        listed = {image["id"]: image for image in content["images"]}
        annotations: dict[int, list[tuple[int, Any]]] = {image: [] for image in listed}
        for number, one in enumerate(content["annotations"]):
            if one["image_id"] not in annotations:
                raise NnbookError(f"{file}: annotation {number} is of image {one['image_id']}, which it does not list")
            if one["category_id"] == chosen:
                annotations[one["image_id"]].append((number, one["segmentation"]))
        for image, entry in sorted(listed.items(), key=lambda item: item[1]["file_name"]):
            name = Path(entry["file_name"]).name
            if name not in by_name:
                raise NnbookError(f"{file}: lists {name}, which is not there; unpack it beside the others")
            key, path = by_name[name]
            pixels = grey_levels(path, _pixels(path))
            shape = (pixels.shape[0], pixels.shape[1])
            if shape != (entry["height"], entry["width"]):
                raise NnbookError(
                    f"{path}: is {shape[1]} x {shape[0]} px but {file.name} says {entry['width']} x {entry['height']}; "
                    "take that file's images"
                )
            masks = _masks_of_annotations(file, annotations[image], shape)
            labels, shared = join_masks(file, masks, shape)
            yield Sample(_name(key), pixels, labels, shared)


def _category(file: Path, categories: list[dict[str, Any]], wanted: str | None) -> int:
    names = {one["name"]: int(one["id"]) for one in categories}
    if wanted is None and len(names) == 1:
        return next(iter(names.values()))
    if wanted not in names:
        known = ", ".join(names) or "none"
        raise NnbookError(f"{file}: has no category {wanted or 'that is the only one'}; it has {known}")
    return names[wanted]


def _masks_of_annotations(file: Path, annotations: list[tuple[int, Any]], shape: tuple[int, int]) -> Iterator[Mask]:
    for number, segmentation in annotations:
        try:
            inside = _mask_of(segmentation, shape)
        except NnbookError as error:
            raise NnbookError(f"{file}: annotation {number}: {error}; take the images that it was made for") from error
        yield Mask(f"of annotation {number}", inside)


def _mask_of(segmentation: Any, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Return the mask of an annotation: run lengths, or the outlines of a nucleus's parts."""
    if isinstance(segmentation, dict):
        counts, size = segmentation.get("counts"), segmentation.get("size")
        if not isinstance(counts, str | list) or size != list(shape):
            raise NnbookError(f"its run lengths are of {size} px, not of {list(shape)}")
        return read_counts(counts, shape)
    from skimage.draw import polygon2mask

    inside = np.zeros(shape, np.bool_)
    for outline in segmentation:
        points = np.asarray(outline, np.float64) if _are_numbers(outline) else np.zeros(0)
        if points.size < 6 or points.size % 2:
            raise NnbookError("an outline has fewer than three points, or is no list of x and y")
        points = points.reshape(-1, 2)
        if points.min() < 0 or (points > shape[::-1]).any():
            raise NnbookError(f"an outline leaves the image of {shape[1]} x {shape[0]} px")
        # Coordinates are of pixels' corners; a pixel is inside where its centre is.
        inside |= polygon2mask(shape, points[:, ::-1] - 0.5)
    return inside


def _are_numbers(values: Any) -> bool:
    return isinstance(values, list) and all(
        isinstance(one, int | float) and not isinstance(one, bool) and np.isfinite(one) for one in values
    )
