"""The first draw of a store of very many cells: its thumbnails once more, in the order in which a view shows them.

A view of a store begins with cells drawn at random, of which nearly each is in another shard: that takes two requests a
cell. Thumbnails of the draw that it begins with are therefore kept in one shard of their own, of which two requests
bring all that are in view.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from nnbook.cells.extraction import THUMBNAIL_PX
from nnbook.cells.shards import create_group, read_stored, set_length, shard_path, write_shard

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

FOLDER: Final = "draw.zarr"
SEED: Final = 1
CELLS: Final = 512
"""How many of a draw from all cells: more than a large screen shows at first."""

PER_RUN: Final = 100
RUNS: Final = 6
"""How many of each run, and of how many runs: views of the runs show the first ones first."""

WORD: Final = 2**32


def write_draw(
    store: Path, numbers: Sequence[int] | NDArray[np.int32], runs: Sequence[Mapping[str, Any]], per_shard: int
) -> dict[str, Any]:
    """Write `draw.zarr` of a store: the thumbnails of the cells that views draw first.

    Parameters
    ----------
    store : Path
        The store's folder, with its shards.
    numbers : sequence or array of int
        For each cell the number of its image.
    runs : sequence of mapping
        The stretches of `cells.json`: `run`, `first` and `cells`.
    per_shard : int
        How many images a shard of the store has.

    Returns
    -------
    dict
        What `cells.json` says of it: the `seed`, the `cells` by their number in the table, and the address of their
        `thumbnails`, in the same order.

    Raises
    ------
    NnbookError
        Where a shard lacks an image.
    """
    drawn = draw_cells(len(numbers), CELLS, SEED)
    drawn += draw_per_run(runs[:RUNS], PER_RUN, SEED)
    cells = list(dict.fromkeys(drawn))
    array = store / "cells.zarr" / "thumbnails"
    places = [divmod(int(numbers[cell]), per_shard) for cell in cells]
    images = [read_stored(shard_path(array, shard), place) for shard, place in places]
    create_group(store / FOLDER, {"thumbnails": (THUMBNAIL_PX, len(images))}, {})
    write_shard(store / FOLDER / "thumbnails", 0, images, len(images))
    set_length(store / FOLDER, len(images))
    return {"seed": SEED, "cells": cells, "thumbnails": f"{FOLDER}/thumbnails"}


def draw_cells(total: int, count: int, seed: int) -> list[int]:
    """Draw cells from all: see `draw_from`.

    Examples
    --------
    >>> draw_cells(1_061_277, 3, 7)
    [505996, 858168, 533106]
    """
    return draw_from(total, count, random_words(seed))


def draw_per_run(runs: Sequence[Mapping[str, Any]], count: int, seed: int) -> list[int]:
    """Draw so many cells of each run, run after run: what is drawn of a run depends on no other."""
    return [run["first"] + at for run in runs for at in draw_from(run["cells"], count, random_words(seed, run["run"]))]


def draw_from(total: int, count: int, words: Iterator[int]) -> list[int]:
    """Draw numbers from 0 to before `total`, uniformly and none twice, in random order.

    It is what `widgets/cells/draw.ts` draws: Fisher and Yates' shuffle, of which only what changed places is kept.

    Parameters
    ----------
    total, count : int
        From how many, and how many; all of them, shuffled, where there are no more.
    words : iterator of int
        See `random_words`.
    """
    moved: dict[int, int] = {}
    drawn: list[int] = []
    for at in range(min(count, total)):
        end = total - at
        fair = WORD - WORD % end  # numbers beyond the last full multiple of the end would favour some
        place = at + next(word for word in words if word < fair) % end
        drawn.append(moved.get(place, place))
        moved[place] = moved.get(at, at)
    return drawn


def random_words(seed: int, stream: int = 0) -> Iterator[int]:
    """Yield random numbers of 32 bits, the same as every browser's.

    sfc32, the small fast counting generator of Chris Doty-Humphrey's PractRand.

    Parameters
    ----------
    seed, stream : int
        From 0 to before 2 to the power of 32. Streams of one seed are series of their own.

    Examples
    --------
    >>> words = random_words(1)
    >>> [next(words), next(words)]
    [2677044200, 355546957]
    """
    a, b, c, count = seed, stream, 0x9E3779B9, 1
    turn = 0
    while True:
        total = (a + b + count) % WORD
        count = (count + 1) % WORD
        a = b ^ (b >> 9)
        b = (c + (c << 3)) % WORD
        c = (((c << 21) | (c >> 11)) + total) % WORD
        turn += 1
        if turn > 20:  # the first numbers would still show the seed
            yield total
