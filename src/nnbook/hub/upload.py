"""A data set on the Hugging Face Hub, made from a store or a folder of cell images."""

from __future__ import annotations

import re
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from nnbook import __version__
from nnbook.cells.export import pngs, write_parquet
from nnbook.cells.store import NUMBER
from nnbook.cells.tiffs import CELL_NAME
from nnbook.errors import InvalidValueError, NnbookError
from nnbook.hub.client import check_id, connect, explained
from nnbook.hub.download import TABLE, tiff_of
from nnbook.io.files import atomic_write
from nnbook.io.parquet import read_parquet
from nnbook.values import published

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pandas as pd
    from huggingface_hub import HfApi

    from nnbook.io.paths import PathLike

_LICENCE = re.compile(r"[a-z0-9][a-z0-9.-]*")

_COLUMNS = {
    "image": "the cell image: 256 x 256 px, 8 bits, zero outside the nucleus's mask",
    "filename": "its name",
    "panorama": "the stitched image that the nucleus lies in",
    "run": "number of the experiment, in order of time",
    "passage": "passage of the cell line",
    "roi": "label of the nucleus in its panorama's mask",
    "x_px": "centroid of the nucleus in its panorama, in px from the left",
    "y_px": "centroid of the nucleus in its panorama, in px from the top",
    "area_um2": "area of the mask in µm²",
    "mean_intensity": "mean grey level inside the mask",
    "std_intensity": "standard deviation of the grey levels inside the mask",
    "rim_um": "how far the mask runs beyond the nucleus, in µm",
    "orientation_deg": "angle in degrees by which the nucleus was turned, anticlockwise",
    "elongation": "long side of the nucleus's minimum-area rectangle over the short one",
    "class": "kind of nucleus, where known",
}


class _Cells(NamedTuple):
    """Cells to push: a table with column `filename`, the image files of some rows, and what is known of all of them."""

    table: pd.DataFrame
    images: Callable[[Sequence[int]], list[bytes]]
    facts: dict[str, Any]


def push(
    cells: PathLike,
    dataset: str,
    *,
    licence: str,
    about: str | None = None,
    public: bool = False,
    overwrite: bool = False,
) -> dict[str, Any]:
    """Make a data set on the hub from cell images, in one commit.

    What is sent is first written into the temporary folder (TMPDIR), some 11 kB a cell, and deleted afterwards.

    Parameters
    ----------
    cells : str or Path
        A store of cells (`nnbook cells`), or a folder of TIFF files of cells (as `nnbook pull` leaves it).
    dataset : str
        The id, `owner/name`. A new data set is private unless `public`; one that is there keeps its visibility.
    licence : str
        The hub's name for the licence, such as `cc-by-4.0`.
    about : str, optional
        What the cells are, for the data set's card. Needed where the folder doesn't say.
    public : bool
        Whether a new data set is public. What has once been public can't be taken back, so it isn't by default.
    overwrite : bool
        Whether files that the data set holds may be replaced by these. Its history keeps them.

    Returns
    -------
    dict
        dataset, commit, address, cells, files, private.

    Raises
    ------
    NnbookError
        Where there is no token, the hub refuses, the data set holds files already, or a file is no cell image. Files
        that were sent by then need not be sent again by the next call.
    """
    cells = Path(cells)
    check_id(dataset)
    hub = connect()
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete, get_token
    from huggingface_hub.errors import RepositoryNotFoundError

    from nnbook.io.progress import show_progress

    if not get_token():
        raise NnbookError(f"{dataset}: there is no token to write with; log in with 'hf auth login', or set HF_TOKEN")
    with explained(dataset), tempfile.TemporaryDirectory(prefix="nnbook-push-") as folder:
        try:
            old = _files(hub, dataset)
        except RepositoryNotFoundError as error:
            if error.response.status_code != 404:
                raise
            old = None
        if old and not overwrite:
            raise InvalidValueError(
                f"{dataset}: holds {len(old)} file(s) already; take another name, or set overwrite",
                parameter="overwrite",
            )
        made = Path(folder) / "dataset"
        count = write_dataset(cells, made, dataset, licence=licence, about=about)
        if old is None:
            hub.create_repo(dataset, repo_type="dataset", private=not public)
        parent = hub.dataset_info(dataset)
        new = {path.relative_to(made).as_posix(): path for path in sorted(made.rglob("*")) if path.is_file()}
        added = [CommitOperationAdd(path_in_repo=name, path_or_fileobj=path) for name, path in new.items()]
        for addition in show_progress(added, desc="push", unit="file"):
            hub.preupload_lfs_files(dataset, [addition], repo_type="dataset", free_memory=False)
        commit = hub.create_commit(
            dataset,
            [*added, *(CommitOperationDelete(path_in_repo=name) for name in (old or []) if name not in new)],
            commit_message=f"{count:,} cell images, by nnbook {__version__}",
            repo_type="dataset",
            parent_commit=parent.sha,
        )
        return {
            "dataset": dataset,
            "commit": commit.oid,
            "address": f"{hub.endpoint}/datasets/{dataset}",
            "cells": count,
            "files": list(new),
            "private": bool(parent.private),
        }


def _files(hub: HfApi, dataset: str) -> list[str]:
    """Return what a data set holds, but for the file that the hub itself puts into each."""
    return [file.rfilename for file in hub.dataset_info(dataset).siblings or [] if file.rfilename != ".gitattributes"]


def write_dataset(cells: Path, folder: Path, dataset: str, *, licence: str, about: str | None = None) -> int:
    """Write what `push` sends: a card and Parquet files.

    Parameters
    ----------
    cells, dataset, licence, about
        As for `push`.
    folder : Path
        The folder that is to appear.

    Returns
    -------
    int
        Number of cells.
    """
    check_id(dataset)
    if not _LICENCE.fullmatch(licence):
        raise InvalidValueError(
            f"licence is {licence!r}, which the hub doesn't know; give one such as cc-by-4.0 or mit",
            parameter="licence",
        )
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise NnbookError(f"{folder}: is there already; take a new or empty folder")
    source = _read_cells(cells)
    if not len(source.table):
        raise NnbookError(f"{cells}: holds no cell; make some with 'nnbook cells'")
    if not about and "note" not in source.facts:
        raise InvalidValueError(
            f"about is empty, and {cells} doesn't say what its cells are; say so, for the data set's card",
            parameter="about",
        )
    with atomic_write(folder) as written:
        write_parquet(written / "data", source.table, source.images)
        (written / "README.md").write_text(_card(source, dataset, licence, about), encoding="utf-8")
    return len(source.table)


def _read_cells(folder: Path) -> _Cells:
    if (folder / "cells.json").is_file():
        return _read_store(folder)
    return _read_tiffs(folder)


def _read_store(folder: Path) -> _Cells:
    from nnbook.cells.store import read_cells

    cells = read_cells(folder)
    table = cells.table.drop(columns=NUMBER, errors="ignore")
    table.insert(0, "filename", table.pop("cell") + ".tif")
    return _Cells(table.dropna(axis="columns", how="all"), partial(pngs, cells), cells.about)


def _read_tiffs(folder: Path) -> _Cells:
    import pandas as pd

    paths = sorted(path for path in folder.glob("*.tif") if path.is_file()) if folder.is_dir() else []
    if not paths:
        raise NnbookError(f"{folder}: is no store of cells and holds no TIFF file; name one of 'nnbook cells'")
    if (folder / TABLE).is_file():
        table = read_parquet(folder / TABLE, "delete it, or copy it again")
        if "cell" not in table:
            raise NnbookError(f"{folder / TABLE}: has no column cell; delete it, or copy it again")
        if set(table["cell"]) != {path.stem for path in paths}:
            raise NnbookError(
                f"{folder / TABLE}: its cells aren't those of the folder's TIFF files; delete it, or copy all"
            )
        table = table.drop(columns=NUMBER, errors="ignore")
        table.insert(0, "filename", table.pop("cell") + ".tif")
    else:
        table = pd.DataFrame({"filename": [path.name for path in paths]})
        named = [CELL_NAME.fullmatch(path.stem) for path in paths]
        if all(named):
            found = pd.DataFrame([match.groupdict() for match in named if match])
            table = table.assign(panorama=found["panorama"], run=found["run"].astype(int), roi=found["roi"].astype(int))
            table = table.sort_values(["run", "panorama", "roi"], ignore_index=True)
    names = table["filename"].tolist()

    def images(rows: Sequence[int]) -> list[bytes]:
        return [tiff_of((folder / names[row]).read_bytes(), str(folder / names[row])) for row in rows]

    return _Cells(table, images, {})


def _card(source: _Cells, dataset: str, licence: str, about: str | None) -> str:
    """Return the data set's card: what machines read of it, then what people do."""
    from huggingface_hub import DatasetCardData

    facts, count = source.facts, len(source.table)
    simulated = "simulated" in f"{facts.get('note', '')} {about or ''}".lower()
    title = f"{dataset.split('/')[1]}: {count:,} single-cell images of the nucleus{', simulated' if simulated else ''}"
    data = DatasetCardData(
        license=licence,
        pretty_name=title,
        size_categories=[_size_category(count)],
        tags=["biology", "microscopy", "cell-nucleus", "dapi", *(["simulated"] if simulated else [])],
        configs=[{"config_name": "default", "data_files": [{"split": "train", "path": "data/train-*.parquet"}]}],
    )
    side = published.CELL_IMAGE_PX
    settings = [f"Images: {side} x {side} px, one channel, 8 bits, one nucleus each"]
    if facts:
        settings.append(
            "Each nucleus is centred, and turned so that its outline's minimum-area rectangle is lengthwise"
        )
    if "px_per_um" in facts:
        settings.append(f"Scale: {facts['px_per_um']} px/µm")
    if "run" in source.table:
        settings.append(f"Experiments: {source.table['run'].nunique()}")
    for why, number in facts.get("left_out", {}).items():
        settings.append(f"Nuclei that gave no image, being {why.replace('_', ' ')}: {number:,}")
    columns = [f"| `{name}` | {_COLUMNS.get(name, '')} |" for name in ["image", *source.table.columns]]
    paragraphs = [
        f"---\n{data.to_yaml()}\n---",
        f"# {title}",
        *(text for text in (about, facts.get("note")) if text),
        "\n".join(["## Columns", "", "| column | what |", "|---|---|", *columns]),
        "\n".join(["## Settings", "", *(f"- {setting}" for setting in settings)]),
        f'## Use\n\n```python\nfrom datasets import load_dataset\n\ncells = load_dataset("{dataset}", split="train", '
        "streaming=True)\n```",
        f"`nnbook pull {dataset} -n 1000 --out cells` brings a draw of them as TIFF files.",
        "## Citation\n\nMade with nnbook, the living publication of NucleusNet. Cite nnbook for its program; and where "
        "the images or values are NucleusNet's, cite NucleusNet: Russell Barkley, *NucleusNet: one million single-cell "
        "microscopy images*, https://huggingface.co/datasets/RussellBarkley/NucleusNet.",
    ]
    return "\n\n".join(paragraphs) + "\n"


def _size_category(count: int) -> str:
    """Return the hub's name for a number of rows."""
    for limit, name in ((1e3, "n<1K"), (1e4, "1K<n<10K"), (1e5, "10K<n<100K"), (1e6, "100K<n<1M"), (1e7, "1M<n<10M")):
        if count < limit:
            return name
    return "10M<n<100M"
