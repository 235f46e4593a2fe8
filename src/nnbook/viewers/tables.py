"""Tables as viewers read them: JSON with a list for each column."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from nnbook.errors import NnbookError
from nnbook.io.files import parse_json, read_json
from nnbook.io.images import read_mask
from nnbook.io.manifest import NAME
from nnbook.io.parquet import read_parquet
from nnbook.measurement.rois import longest_border
from nnbook.measurement.selection import measured, representatives
from nnbook.values import published

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nnbook.io.edition import Edition
    from nnbook.io.manifest import Panorama

PREVIEWS = "previews"
"""The folder of previews, beside the table of panoramas."""

NUCLEI = "nuclei"
"""The folder of nuclei of panoramas whose tiles are in a zip."""

ADDRESSES = ("preview", "tiles", "nuclei")
"""Columns of addresses."""

TILES = ("tiles", "nuclei", "truth")
"""Where the tiles of a panorama are, a folder or a zip, and its nuclei; whether the truth is among the tiles."""

NAMED = "*"
"""Stands for a panorama's name in the addresses of `panoramas.json`; no name has it."""

REMAKE = "make it again with 'nnbook mosaic'"
"""What to do where a file of a mosaic is damaged."""

NUCLEUS_DECIMALS = {"x_px": 2, "y_px": 2, "area_um2": 2}
STEP_VIEW_PX = 640
"""Width of the view of one nucleus that a step of the text leads to."""

INDEX = {"panoramas": [{"panorama": str}]}
LISTED = {"columns": {"panorama": [str], "pyramid": (bool, list)}}
MISTAKES = {"columns": {"kind": [str], "label": [int]}}
REMEDY = "make it with 'nnbook run'"

BRIGHTNESS = ["mean_intensity", "std_intensity"]
NUCLEUS_COLUMNS = [
    "roi", "x_px", "y_px", "left_px", "top_px", "width_px", "height_px", "area_um2", "mean_intensity", "std_intensity",
]  # fmt: skip

NOT_SHOWN = ("area_px", "wide_area_px", "wide_mean_intensity", "wide_std_intensity")
"""Measurements that a viewer does not show: the area in um2 says the same, and wide masks are for comparison."""


def nuclei_columns(rois: pd.DataFrame) -> dict[str, list[Any]]:
    """Return the nuclei of one panorama as columns for a viewer, in order of `roi`.

    Parameters
    ----------
    rois : pandas.DataFrame
        Rows of `nnbook.measurement.rois.measure_panorama`, with a column `class` where it is known of some.

    Returns
    -------
    dict of str to list
        `roi` (the label), `x_px`, `y_px`, `left_px`, `top_px`, `width_px`, `height_px`, `area_um2`, `mean_intensity`,
        `std_intensity`; `class`, a name or None, where that of any nucleus is known; and whatever else was measured,
        such as `confidence`. No `area_um2` where `rois` has none.
    """
    known = "class" in rois and bool(rois["class"].notna().any())
    further = [
        str(name)
        for name in rois.select_dtypes("number")
        if name not in {*NUCLEUS_COLUMNS, *NOT_SHOWN} and bool(rois[name].notna().any())
    ]
    columns = [name for name in [*NUCLEUS_COLUMNS, *(["class"] if known else []), *further] if name in rois]
    nuclei = rois.sort_values("roi")[columns].round(NUCLEUS_DECIMALS)
    for name in [*BRIGHTNESS, *further]:
        nuclei[name] = nuclei[name].map(_shown)
    return _columns(nuclei)


def _shown(value: float) -> float:
    """Return a measurement with as many digits as a view shows; an image may have grey levels below 1."""
    return float(f"{value:.6g}")


def panoramas_columns(
    results: pd.DataFrame, panoramas: dict[str, Panorama], tiles: Mapping[str, Mapping[str, Any]] | None = None
) -> dict[str, list[Any]]:
    """Return all panoramas of an edition as columns for a viewer, in the order of the results.

    Parameters
    ----------
    results : pandas.DataFrame
        See `nnbook.io.results.read_results`.
    panoramas : dict of str to Panorama
        Rows of the manifest by the image's file name; empty where an edition has a table alone. The run is then taken
        from the published form of the name.
    tiles : mapping of str to mapping, optional
        By the name of the panorama, what of `TILES` there is.

    Returns
    -------
    dict of str to list
        `panorama`, `run`, `passage`, `width_px`, `height_px`, `px_per_um`, `num_rois`, `mean_intensity`,
        `std_intensity`, `rank` (of the representatives, from 1), `pyramid` (whether there is a full one), `preview`
        (its address), and `TILES`; None for what is not known or not there. Nothing else: views fetch all of it, and
        there may be 16,000 panoramas; see `brief_columns`.
    """
    ranks = {image: rank for rank, image in enumerate(most_representative(results)["image"], start=1)}
    rows = []
    for row in results.to_dict("records"):
        panorama = panoramas.get(row["image"])
        name = panorama.panorama if panorama else Path(row["image"]).stem
        place: dict[Any, Any] = vars(panorama) if panorama else row
        if panorama is None and (published_name := NAME.fullmatch(name)):
            place = {**row, "run": int(published_name["run"])}
        rank = ranks.get(row["image"])
        rows.append(
            {
                "panorama": name,
                **{key: place.get(key) or None for key in ("run", "passage", "width_px", "height_px", "px_per_um")},
                "num_rois": row["num_rois"],
                **{key: _shown(row[key]) for key in BRIGHTNESS},
                "rank": rank,
                "pyramid": name in (tiles or {}),
                "preview": f"{PREVIEWS}/{name}.jpg" if panorama else None,
                **({key: tiles.get(name, {}).get(key) for key in TILES} if tiles else {}),
            }
        )
    return _columns(pd.DataFrame(rows, dtype=object))


def brief_columns(columns: Mapping[str, list[Any]]) -> dict[str, Any]:
    """Return the columns of panoramas as `panoramas.json` has them, where what follows from the others is left out.

    Parameters
    ----------
    columns : mapping of str to list
        See `panoramas_columns`.

    Returns
    -------
    dict of str to list or value
        In an address, `*` in place of the panorama's name; and one value in place of a list that repeats it. Names are
        always a list.

    Examples
    --------
    >>> brief_columns({"panorama": ["a", "b"], "run": [1, 1], "tiles": ["a", "b.zip"]})
    {'panorama': ['a', 'b'], 'run': 1, 'tiles': ['*', '*.zip']}
    """
    brief: dict[str, Any] = {}
    for name, entries in columns.items():
        values = entries
        if name in ADDRESSES:
            values = [
                # In its last place: that of a folder before it may hold a short name by chance.
                None if value is None else NAMED.join(value.rsplit(panorama, 1))
                for value, panorama in zip(entries, columns["panorama"], strict=True)
            ]
        same = name != "panorama" and len(values) > 0 and all(value == values[0] for value in values)
        brief[name] = values[0] if same else values
    return brief


def read_panoramas(path: Path) -> pd.DataFrame:
    """Read what a `panoramas.json` says of each panorama.

    Parameters
    ----------
    path : Path
        The file, whose columns may be brief: see `brief_columns`.

    Returns
    -------
    pandas.DataFrame
        A row a panorama, with the columns of `panoramas_columns` that the file has, and None for what is not known.

    Raises
    ------
    NnbookError
        Where the file is missing or damaged.
    """
    columns = read_json(path, LISTED, REMEDY)["columns"]
    names: list[str] = columns["panorama"]
    whole: dict[str, list[Any]] = {}
    for column, values in columns.items():
        entries = values if isinstance(values, list) else [values] * len(names)
        if len(entries) != len(names):
            raise NnbookError(f"{path}: is damaged, its column {column} has another length; {REMEDY}")
        whole[column] = [
            entry.replace(NAMED, name, 1) if column in ADDRESSES and isinstance(entry, str) else entry
            for entry, name in zip(entries, names, strict=True)
        ]
    if not all(isinstance(known, bool) for known in whole["pyramid"]):
        raise NnbookError(f"{path}: is damaged, its column pyramid says not of each whether there is one; {REMEDY}")
    return pd.DataFrame(whole, dtype=object)


def read_columns(path: Path, data: bytes, remedy: str) -> pd.DataFrame:
    """Return the table that a viewer reads from a file, `{columns: {name: [value, ...]}}`.

    Parameters
    ----------
    path : Path
        The file, for messages.
    data : bytes
        What it holds.
    remedy : str
        What to do where it is damaged.

    Raises
    ------
    NnbookError
        Where it is damaged.
    """
    columns = parse_json(path, data, {"columns": dict}, remedy)["columns"]
    lists = [column for column in columns.values() if isinstance(column, list)]
    if len(lists) < len(columns) or len({len(column) for column in lists}) > 1:
        raise NnbookError(f"{path}: is damaged, its columns are no lists of one length; {remedy}")
    return pd.DataFrame(columns)


def read_mosaic(folder: Path, read: Callable[[str], bytes | None]) -> pd.DataFrame:
    """Read the cells of a mosaic: what `nnbook.viewers.mosaic.write_mosaic` put into its `cells.json`, and their run.

    Parameters
    ----------
    folder : Path
        The mosaic, for messages.
    read : callable
        Returns what a file in it holds, or None where there is none.

    Raises
    ------
    NnbookError
        Where a file is missing or damaged.
    """
    form = {"rows": [{"run": int, "cells": int}], "cells": str}
    about = parse_json(folder / "mosaic.json", read("mosaic.json") or b"", form, REMAKE)
    path = folder / about["cells"]
    data = read(about["cells"]) or b""
    names = parse_json(path, data, {"panoramas": [str]}, REMAKE)["panoramas"]
    table = read_columns(path, data, REMAKE)
    codes = table.get("panorama", pd.Series(dtype=object))
    if not all(type(code) is int and 0 <= code < len(names) for code in codes.tolist()) or len(codes) < len(table):
        raise NnbookError(f"{path}: is damaged, it has a cell of no panorama; {REMAKE}")
    runs = [row["run"] for row in about["rows"] for _ in range(min(row["cells"], len(table) + 1))]
    if len(runs) != len(table):
        raise NnbookError(
            f"{folder / 'mosaic.json'}: lists {len(runs)} cells, but {path.name} has {len(table)}; {REMAKE}"
        )
    return table.assign(panorama=[names[code] for code in codes], run=runs)


def steps(edition: Edition) -> dict[str, dict[str, Any]]:
    """Return where the steps of the text lead, among the panoramas of an edition that can be zoomed into.

    Parameters
    ----------
    edition : Edition
        Its `pyramids/index.json` lists the representatives, which come first, and `pyramids/panoramas.json` the others.

    Returns
    -------
    dict of str to dict
        `panorama`, `roi`, and `view`: the middle and the width in px of a square that shows it with its neighbours. By
        class, the first nucleus of each; `touching`, one of the two nuclei that touch along the longest border of the
        first panorama where nuclei do that no edge cuts; and `spurious` and `merged`, the first mask of no nucleus, and
        of several, where the truth is known. Empty where no class of a nucleus is known.
    """
    if not edition.has("index") or not edition.rois.is_file():
        return {}
    order = [row["panorama"] for row in read_json(edition.pyramids / "index.json", INDEX, REMEDY)["panoramas"]]
    table = edition.pyramids / "panoramas.json"
    if table.is_file():
        listed = read_panoramas(table)
        order = list(dict.fromkeys([*order, *listed["panorama"][listed["pyramid"].eq(True)]]))
    rois = read_parquet(edition.rois, REMEDY)
    if "class" not in rois:
        return {}
    shown = rois[rois["panorama"].isin(order) & rois["class"].notna()].copy()
    shown["rank"] = shown["panorama"].map(order.index)
    first = shown.sort_values(["rank", "roi"], kind="stable").drop_duplicates("class")
    found = {str(row["class"]): row for row in first.to_dict("records")}
    masks = {row.panorama: edition.mask_path(row) for row in edition.panoramas()}
    for panorama in filter(masks.get, order):
        own = rois[rois["panorama"] == panorama].set_index("roi", drop=False)
        labels = read_mask(masks[panorama])
        whole = np.where(np.isin(labels, own.index[own["at_border"].astype(bool)]), 0, labels)
        if (pair := longest_border(whole)) is not None:
            found["touching"] = own.loc[pair[0]].to_dict() | own.loc[list(pair), ["x_px", "y_px"]].mean().to_dict()
            break
    for panorama in order:
        path = edition.pyramids / panorama / "mistakes.json"
        wrong = read_json(path, MISTAKES, REMEDY)["columns"] if path.is_file() else {"kind": [], "label": []}
        own = rois[rois["panorama"] == panorama].set_index("roi", drop=False)
        for kind, label in zip(wrong["kind"], wrong["label"], strict=True):
            if kind in {"spurious", "merged"} and label in own.index:
                found.setdefault(kind, own.loc[label].to_dict())
    return {
        name: {
            "panorama": row["panorama"],
            "roi": int(row["roi"]),
            "view": [round(row["x_px"]), round(row["y_px"]), STEP_VIEW_PX],
        }
        for name, row in found.items()
    }


def most_representative(results: pd.DataFrame) -> pd.DataFrame:
    """Return the panoramas that a book shows at full size: see `nnbook.measurement.selection.representatives`."""
    return representatives(results, min(published.REPRESENTATIVES, len(measured(results))))


def _columns(table: pd.DataFrame) -> dict[str, list[Any]]:
    """Return a table as JSON has it: a list a column, with None for what is missing."""
    return {str(name): [None if pd.isna(value) else value for value in column] for name, column in table.items()}
