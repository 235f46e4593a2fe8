"""A draw of cell images from a data set on the Hugging Face Hub, as a folder of TIFF files."""

from __future__ import annotations

import hashlib
import heapq
import io
import json
import math
import re
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from nnbook.errors import InvalidValueError, NnbookError
from nnbook.hub.client import check_id, connect, explained
from nnbook.io.files import atomic_write, locked, read_json, sha256, write_json
from nnbook.io.parquet import write_parquet
from nnbook.io.progress import show_progress
from nnbook.values import published

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from datasets import IterableDataset
    from numpy.typing import NDArray

    from nnbook.io.paths import PathLike

CELLS_PER_SHARD = 100
"""How many cells a draw takes from one shard, as NucleusNet-10K takes a hundred from each experiment."""

READ_AHEAD_BYTES = 2**20
"""What is read beyond each range asked for: a row group has a few MB, and the library would read five more."""

RECORD, JOURNAL, TABLE, _WRITING = "pull.json", "pull.jsonl", "cells.parquet", ".writing"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._ +-]{0,200}")
_OWN_COLUMNS = {"image", "filename", "cell", "sha256"}
_IMAGE_FORMATS = ("TIFF", "PNG", "JPEG")


def pull(
    dataset: str,
    folder: PathLike,
    *,
    n: int | None = None,
    seed: int = 1,
    revision: str = "main",
    cells_per_shard: int = CELLS_PER_SHARD,
) -> dict[str, Any]:
    """Stream a draw of cell images from a data set on the Hugging Face Hub into a folder.

    A data set consists of shards: the row groups of its Parquet files, or its files where they are of another kind. A
    shard is read as a whole, so single cells drawn from everywhere would mean to read all of it. The draw is one in two
    stages instead: shards in random order, and from each `cells_per_shard` cells at random, until there are `n`. Each
    shard counts the same, and within a shard each cell has the same chance. It is no draw of `n` independent cells:
    those of one shard often come from neighbouring panoramas, so that means over the draw scatter more than their
    number suggests. Fewer cells a shard make this better, and read more. The record says how many cells each shard
    holds and gave, from which chances follow. The libraries' cache (HF_HOME) gets the data set's card, and no image.

    Parameters
    ----------
    dataset : str
        Its id, such as `RussellBarkley/NucleusNet`. It has a column `image` (uint8, 256 x 256 px, one channel), and a
        column `filename` or images that know the name of their file.
    folder : str or Path
        Where the cells go: a TIFF file each, named by `filename`; `cells.parquet`, with a row a cell and the data set's
        other columns of text, numbers and booleans; and `pull.json`, the record, with the SHA-256 of each file. A call
        that was interrupted goes on when it is made again.
    n : int, optional
        Number of cells; by default all.
    seed : int
        The same seed and revision give the same cells.
    revision : str
        A branch, tag or commit. The record says which commit it was; a call that goes on keeps to that one.
    cells_per_shard : int
        Cells taken from a shard; more where there are too few shards.

    Returns
    -------
    dict
        The record: dataset, revision, commit, split, n, seed, cells_per_shard, cells, shards, files.

    Raises
    ------
    NnbookError
        Where the data set can't be had or holds something that is no cell image, or the folder is in other use.
    """
    folder = Path(folder)
    check_id(dataset)
    for name, value, least in (("n", n, 1), ("seed", seed, 0), ("cells_per_shard", cells_per_shard, 1)):
        if value is not None and value < least:
            raise InvalidValueError(f"{name} is {value}; give a whole number from {least}", parameter=name)
    asked = {
        "dataset": dataset,
        "revision": revision,
        "n": n,
        "seed": seed,
        "cells_per_shard": cells_per_shard,
    }
    with _journal(folder, asked) as (journal, begun, steps):
        if not begun and (finished := _finished(folder, asked)):
            return finished
        with explained(dataset):
            stream, header = _open_stream(asked, begun, journal)
            cells, shards = _pull_cells(stream, header, folder, journal, steps)
            return _write_record(header, cells, shards, folder)


def _open_stream(asked: dict[str, Any], header: dict[str, Any], journal: BinaryIO) -> tuple[Any, dict[str, Any]]:
    """Open a data set for streaming, at the commit that the journal names or, with none, at the revision asked for."""
    hub = connect()
    from datasets import config, disable_progress_bars
    from datasets.load import load_dataset

    # Waiting is done in one place, by the client. The download count asks a host of its own, with the data set's name.
    config.STREAMING_READ_MAX_RETRIES = config.STREAMING_OPEN_MAX_RETRIES = 1
    config.STREAMING_READ_RETRY_INTERVAL = config.STREAMING_OPEN_RETRY_INTERVAL = 0
    config.STREAMING_READ_SERVER_UNAVAILABLE_RETRY_INTERVAL = config.STREAMING_READ_RATE_LIMIT_RETRY_INTERVAL = 0
    config.HF_UPDATE_DOWNLOAD_COUNTS = False
    disable_progress_bars()

    dataset = asked["dataset"]
    commit = header.get("commit") or hub.dataset_info(dataset, revision=asked["revision"]).sha
    reading = {"hf": {"endpoint": hub.endpoint, "block_size": READ_AHEAD_BYTES}}
    splits = load_dataset(f"hf://datasets/{dataset}", revision=commit, streaming=True, storage_options=reading)
    split = next(iter(splits)) if len(splits) == 1 else "train"
    if split not in splits:
        raise NnbookError(
            f"{dataset}: has no split 'train' but {', '.join(map(str, splits))}; nnbook pulls from 'train'"
        )
    stream = splits[split]
    _check_columns(dataset, stream)
    if not header:
        header = {**asked, "commit": commit, "split": split}
        _note(journal, header)
    return stream.decode(False).reshard(), header


def _check_columns(dataset: str, stream: IterableDataset) -> None:
    from datasets import Image

    features = stream.features
    if features is None:  # a format without a schema: each row is checked instead
        return
    if "image" not in features:
        raise NnbookError(f"{dataset}: has no column 'image' but {', '.join(features)}; take a data set of cell images")
    image = features["image"]
    if not isinstance(image, Image) and not (isinstance(image, dict) and "bytes" in image):
        raise NnbookError(f"{dataset}: its column 'image' holds no images; take a data set of cell images")


def _pull_cells(
    stream: IterableDataset, header: dict[str, Any], folder: Path, journal: BinaryIO, steps: list[dict[str, Any]]
) -> tuple[list[dict[str, Any]], list[dict[str, int]]]:
    """Write the cells of a draw into the folder; return a row a cell, and how many each shard holds and gave."""
    names: set[str] = set()
    cells: list[dict[str, Any]] = []
    shards: dict[int, dict[str, int]] = {}
    replay = iter(steps)
    total = header["n"] or (stream.info.splits or {}).get(header["split"], None)
    with show_progress(total=getattr(total, "num_examples", total), desc="pull", unit="cell") as bar:

        def take(shard: int, first: int, count: int | None) -> tuple[int, int]:
            step = next(replay, None)
            if step is None:
                step = {"shard": shard, "size": 0, "cells": []}
                for row, size in _rows(stream.shard(stream.num_shards, shard), header["seed"], shard, first, count):
                    step["size"] = size
                    if row is not None:
                        step["cells"].append(_write_cell(row, header, folder, names))
                        bar.update()
                _note(journal, step)
            else:
                bar.update(len(step["cells"]))
                names.update(_folded(cell["filename"]) for cell in step["cells"])
            shards.setdefault(shard, {"shard": shard, "size": step["size"], "cells": 0})["cells"] += len(step["cells"])
            cells.extend(step["cells"])
            return len(step["cells"]), step["size"]

        if header["n"] is None:
            for shard in range(stream.num_shards):
                take(shard, 0, None)
        else:
            order = np.random.default_rng(header["seed"]).permutation(stream.num_shards).tolist()
            draw_from_shards(order, header["n"], header["cells_per_shard"], take)
    return cells, list(shards.values())


def draw_from_shards(
    order: Sequence[int], n: int, cells_per_shard: int, take: Callable[[int, int, int], tuple[int, int]]
) -> None:
    """Draw `n` cells from shards whose sizes are only known once they are read, the same number from each.

    Parameters
    ----------
    order : sequence of int
        The shards in the order in which they are read.
    n : int
        Number of cells.
    cells_per_shard : int
        Cells from one shard, more where the shards are too few.
    take : callable
        `take(shard, first, count)` takes up to `count` more cells of a shard of which `first` are taken already, and
        returns how many it took and how many the shard holds.

    Raises
    ------
    NnbookError
        Where all shards together have fewer than `n` cells.
    """
    taken: dict[int, int] = {}
    sizes: dict[int, int] = {}
    while (left := n - sum(taken.values())) > 0:
        # A second time round, those shards that have more make up for those that had too few.
        able = [shard for shard in order if shard not in sizes or taken[shard] < sizes[shard]]
        if not able:
            raise InvalidValueError(
                f"n is {n}; the data set has {sum(sizes.values())} cells, so ask for no more", parameter="n"
            )
        quota = max(cells_per_shard, math.ceil(left / len(able)))
        for shard in able:
            count = min(quota, n - sum(taken.values()))
            if count == 0:
                break
            got, sizes[shard] = take(shard, taken.get(shard, 0), count)
            taken[shard] = taken.get(shard, 0) + got


def _rows(
    rows: IterableDataset, seed: int, shard: int, first: int, count: int | None
) -> Iterator[tuple[dict[str, Any] | None, int]]:
    """Yield the drawn rows of a shard, in the shard's order, with its size; and at the end none, with its size."""
    size = 0
    if count is None:
        for size, row in enumerate(rows, 1):
            yield row, size
    else:
        random = np.random.default_rng([seed, shard])

        def keyed() -> Iterator[tuple[float, int, dict[str, Any]]]:
            nonlocal size
            for row in rows:
                yield random.random(), size, row
                size += 1

        chosen = heapq.nsmallest(first + count, keyed())[first:]
        for _, _, row in sorted(chosen, key=lambda entry: entry[1]):
            yield row, size
    yield None, size


def _write_cell(row: dict[str, Any], header: dict[str, Any], folder: Path, names: set[str]) -> dict[str, Any]:
    """Check a row of the data set and write its image; return the row without it, with the file's SHA-256."""
    dataset = header["dataset"]
    if "image" not in row:
        raise NnbookError(f"{dataset}: has no column 'image' but {', '.join(row)}; take a data set of cell images")
    name = cell_file_name(row["filename"] if "filename" in row else _own_name(row["image"]), dataset)
    if _folded(name) in names:
        raise NnbookError(f"{dataset}: has two cells of the name {name}; one would overwrite the other")
    names.add(_folded(name))
    data = tiff_of(_image_bytes(row["image"], header, name), f"{dataset}: {name}")
    # Ten times as fast as a temporary folder for each. One name is enough, since one process writes here.
    written = folder / _WRITING
    written.write_bytes(data)
    written.replace(folder / name)
    others = {key: value for key, value in row.items() if key not in _OWN_COLUMNS and _is_plain(value)}
    return {"filename": name, "sha256": hashlib.sha256(data).hexdigest(), **others}


def _own_name(image: object) -> object:
    """Return the name that an image's file had before it became a part of the data set."""
    path = image.get("path") if isinstance(image, dict) else None
    return path.rpartition("/")[2] if isinstance(path, str) else None


def cell_file_name(name: object, dataset: str) -> str:
    """Return the name of a cell's TIFF file: the data set's own, with the suffix `.tif`.

    Raises
    ------
    NnbookError
        Where it is anything but the plain name of one file: it comes from others, and must not lead elsewhere.
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise NnbookError(f"{dataset}: names a cell {str(name)[:80]!r}, which is no plain file name; tell its author")
    stem, dot, suffix = name.rpartition(".")
    return f"{stem if dot and suffix.lower() in {'tif', 'tiff', 'png', 'jpg', 'jpeg'} else name}.tif"


def tiff_of(data: bytes, name: str) -> bytes:
    """Check that an image file is a cell image, and return it as a TIFF file: as it is where it is one already.

    Parameters
    ----------
    data : bytes
        A TIFF, PNG or JPEG file.
    name : str
        What to call it in an error.

    Raises
    ------
    NnbookError
        Where it is no image, cut off, or not 256 x 256 px of one channel of 8 bits.
    """
    from PIL import Image

    side = published.CELL_IMAGE_PX
    problem = ""
    try:
        with Image.open(io.BytesIO(data), formats=_IMAGE_FORMATS) as image:
            kind, frames = image.format, getattr(image, "n_frames", 1)
            if image.size == (side, side) and image.mode == "L" and frames == 1:
                pixels = np.asarray(image)
            else:  # of which only the header has been read: an image of another size is never decoded
                problem = f"is {image.width} x {image.height} px, mode {image.mode}, {frames} page(s)"
    except Exception as error:  # decoders raise whatever they like on broken files
        raise NnbookError(f"{name}: can't be read as an image; it is cut off, damaged or no TIFF or PNG") from error
    if problem:
        raise NnbookError(f"{name}: {problem}; a cell image has {side} x {side} px of one channel of 8 bits")
    return data if kind == "TIFF" else _tiff(pixels)


def _tiff(pixels: NDArray[np.uint8]) -> bytes:
    """Return a cell image, uint8 with axes (y, x), as the bytes of a TIFF file; the same pixels give the same bytes."""
    import tifffile

    file = io.BytesIO()
    tifffile.imwrite(
        file, pixels, compression="zlib", predictor=True, photometric="minisblack", metadata=None, software=False
    )
    return file.getvalue()


def _image_bytes(image: Any, header: dict[str, Any], name: str) -> bytes:
    dataset = header["dataset"]
    if isinstance(image, dict) and isinstance(image.get("bytes"), bytes):
        return bytes(image["bytes"])
    # A folder of images is streamed by its files' addresses: only those of this very data set are followed.
    path = image.get("path") if isinstance(image, dict) else None
    own = f"hf://datasets/{dataset}@{header['commit']}/"
    if isinstance(path, str) and path.startswith(own) and ".." not in path:
        from huggingface_hub import HfFileSystem

        return bytes(HfFileSystem().read_bytes(path))
    raise NnbookError(f"{dataset}: {name} has no image in column 'image'; tell its author")


def _is_plain(value: object) -> bool:
    return value is None or isinstance(value, (str, int, bool)) or (isinstance(value, float) and math.isfinite(value))


def _folded(name: str) -> str:
    """Return the same text for names that are one file where a file system ignores case."""
    return name.casefold()


@contextmanager
def _journal(folder: Path, asked: dict[str, Any]) -> Iterator[tuple[BinaryIO, dict[str, Any], list[dict[str, Any]]]]:
    """Open a folder's journal: a line for what was asked, and one for each shard whose cells are in place.

    The folder is locked meanwhile, so that two calls never write to it. The journal goes once the record is written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / JOURNAL
    if not path.exists() and not (folder / RECORD).exists() and any(folder.iterdir()):
        raise NnbookError(f"{folder}: holds other files; take a new or empty folder")
    with locked(folder), path.open("a+b") as journal:
        journal.seek(0)
        lines: list[dict[str, Any]] = []
        good = 0
        for line in journal:
            # The last line may have been cut off in the middle of a write, and files deleted since.
            entry = _noted(line)
            if entry is None or not all(_is_there(folder, cell) for cell in entry.get("cells", [])):
                break
            lines.append(entry)
            good += len(line)
        journal.truncate(good)
        if lines and any(lines[0][key] != value for key, value in asked.items()):
            raise NnbookError(f"{folder}: holds another pull, which isn't finished; take another folder")
        try:
            yield journal, lines[0] if lines else {}, lines[1:]
        except BaseException:
            if journal.seek(0, io.SEEK_END) == 0:
                path.unlink(missing_ok=True)
            raise
        path.unlink(missing_ok=True)


def _noted(line: bytes) -> dict[str, Any] | None:
    """Return an entry of the journal; None where its line is not whole."""
    try:
        entry = json.loads(line) if line.endswith(b"\n") else None
    except ValueError:
        return None
    return entry if isinstance(entry, dict) else None


def _note(journal: BinaryIO, entry: dict[str, Any]) -> None:
    journal.write(json.dumps(entry).encode() + b"\n")
    journal.flush()


def _is_there(folder: Path, cell: dict[str, Any]) -> bool:
    path = folder / cell["filename"]
    return path.is_file() and sha256(path) == str(cell["sha256"])


def _finished(folder: Path, asked: dict[str, Any]) -> dict[str, Any] | None:
    """Return the record of a pull that is finished, where it is the one asked for and all of its files are there."""
    path = folder / RECORD
    if not path.is_file():
        return None
    record: dict[str, Any] = read_json(path, {"files": dict}, f"delete {folder} to pull it again")
    if any(record.get(key) != value for key, value in asked.items()):
        raise NnbookError(f"{folder}: holds another pull (see {RECORD}); take another folder")
    for name, digest in record["files"].items():
        if not _is_there(folder, {"filename": name, "sha256": digest}):
            raise NnbookError(f"{folder / name}: is gone or isn't what was pulled; delete {folder} to pull it again")
    return record


def _write_record(
    header: dict[str, Any], cells: list[dict[str, Any]], shards: list[dict[str, int]], folder: Path
) -> dict[str, Any]:
    import pandas as pd

    table = pd.DataFrame(cells)
    table.insert(0, "cell", table["filename"].str.removesuffix(".tif"))
    with atomic_write(folder / TABLE) as written:
        write_parquet(written, table.drop(columns=["filename", "sha256"]))
    record = {
        **header,
        "cells": len(cells),
        "shards": shards,
        "table_sha256": sha256(folder / TABLE),
        "files": {cell["filename"]: cell["sha256"] for cell in cells},
    }
    (folder / _WRITING).unlink(missing_ok=True)
    write_json(folder / RECORD, record)
    return record
