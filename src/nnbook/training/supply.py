"""Where crops come from: worker processes that draw them ahead, and a store of many from which batches are mixed.

Crop number k is a function of the seed and of k, and batch number n of the crops before it: neither the number of
processes nor an interruption changes what a network is trained on.
"""

from __future__ import annotations

import itertools
import math
import multiprocessing
import os
import pickle
import tempfile
from collections import deque
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from nnbook.errors import NnbookError
from nnbook.training.crops import FLOW_LEVELS, WEIGHT_LEVELS, Crops, draw_crops, read_example

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import torch
    from numpy.typing import NDArray

    from nnbook.training.crops import Example

STORED_CROPS: Final = 16384
"""Batches are mixed from so many crops where each is used more than once: 2.5 GB, on a GPU on its own memory."""

AHEAD: Final = 4
"""How many jobs a worker has before it."""

IMAGES: Final = ".images"
LABELS: Final = ".labels"
EXAMPLES: Final = "examples"
PARTS: Final = "parts"
"""Files that processes share: pixels of all examples one after the other, the rest of them, and which belong together.
One file for all: a process can't map a thousand."""

Kept = tuple["Example", tuple[int, int], int]
"""An example without its pixels, their height and width, and how many are before them."""

Job = tuple[tuple[int, ...], int, int, float]
"""Seeds, how many crops, their side, and the network's diameter."""


class Workers:
    """Processes that read examples and draw crops; with none, this process does so when asked.

    Parameters
    ----------
    count : int
        How many.
    folder : Path
        Where examples are kept so that all processes share them.
    """

    def __init__(self, count: int, folder: Path) -> None:
        self.count = count
        self.folder = folder
        # Not forked: compiled loops of this process may hold threads, and a GPU can't be shared that way.
        self.pool = multiprocessing.get_context("spawn").Pool(count, _start_worker) if count else None
        self.examples: list[Example] = []
        self.waiting: deque[Any] = deque()

    def read(self, pairs: Sequence[tuple[Path, Path]], diam_mean: float) -> list[Example | str]:
        """Read images with their masks; what is wrong with a pair comes in the place of its example."""
        if self.pool is None:
            return [_read(*pair, diam_mean) for pair in pairs]
        jobs = [(*pair, diam_mean, self.folder / str(k)) for k, pair in enumerate(pairs)]
        found = self.pool.starmap(_read_and_keep, jobs, chunksize=1)
        kept: list[Kept] = []
        offset = 0
        with (self.folder / IMAGES).open("wb") as images, (self.folder / LABELS).open("wb") as labels:
            for one, (*_, place) in zip(found, jobs, strict=True):
                if isinstance(one, str):
                    continue
                example, shape = one
                kept.append((example, shape, offset))
                offset += math.prod(shape)
                for file, ending in ((images, IMAGES), (labels, LABELS)):
                    part = place.with_suffix(ending)
                    file.write(part.read_bytes())
                    part.unlink()
        (self.folder / EXAMPLES).write_bytes(pickle.dumps(kept))
        self.examples = open_examples(self.folder)
        whole = iter(self.examples)
        return [one if isinstance(one, str) else next(whole) for one in found]

    def draw(self, data_sets: list[list[Example]], jobs: Iterable[Job]) -> Iterator[Crops]:
        """Draw crops for each job, in order."""
        if self.pool is None:
            for seeds, count, crop_px, diam_mean in jobs:
                rng = np.random.default_rng(seeds)
                yield draw_crops(data_sets, rng, count, crop_px, diam_mean, varied=True)
            return
        numbers = {id(example): number for number, example in enumerate(self.examples)}
        parts = [[numbers[id(example)] for example in examples] for examples in data_sets]
        (self.folder / PARTS).write_bytes(pickle.dumps(parts))
        for job in jobs:
            self.waiting.append(self.pool.apply_async(_draw, (self.folder, *job)))
            if len(self.waiting) > AHEAD * self.count:
                yield self.waiting.popleft().get()
        while self.waiting:
            yield self.waiting.popleft().get()

    def is_ready(self) -> bool:
        """Return whether the next crops come without waiting for them."""
        return self.pool is None or (len(self.waiting) > 0 and self.waiting[0].ready())


@contextmanager
def start_workers(count: int) -> Iterator[Workers]:
    """Start processes that draw crops, and end them."""
    with tempfile.TemporaryDirectory(prefix="nnbook-crops-") as folder:
        workers = Workers(count, Path(folder))
        try:
            yield workers
        finally:
            if workers.pool is not None:
                workers.pool.terminate()
                workers.pool.join()


def crop_jobs(seed: int, first: int, count: int, crop_px: int, diam_mean: float) -> Iterator[Job]:
    """Give jobs without end, of `count` crops each, from number `first` on."""
    return (((seed, 1, number), count, crop_px, diam_mean) for number in itertools.count(first))


class Store:
    """Crops on the device, the oldest replaced by new ones.

    Parameters
    ----------
    capacity, crop_px : int
        How many, and their side.
    device : str
        Where they are kept.
    """

    def __init__(self, capacity: int, crop_px: int, device: str) -> None:
        import torch

        shape = (capacity, crop_px, crop_px)
        self.device = device
        self.images = torch.empty(shape, dtype=torch.float16, device=device)
        self.flows = torch.empty((capacity, 2, crop_px, crop_px), dtype=torch.int8, device=device)
        self.nuclei = torch.empty(shape, dtype=torch.uint8, device=device)
        self.weights = torch.empty(shape, dtype=torch.uint8, device=device)
        self.sources = np.zeros(capacity, dtype=np.int32)
        self.added = 0

    def __len__(self) -> int:
        return min(self.added, len(self.sources))

    def add(self, crops: Crops) -> None:
        """Add crops in the place of the oldest."""
        import torch

        places = (self.added + np.arange(len(crops.sources))) % len(self.sources)
        where = torch.from_numpy(places).to(self.device)
        for plane, new in zip((self.images, self.flows, self.nuclei, self.weights), crops, strict=False):
            plane[where] = torch.from_numpy(new).to(self.device)
        self.sources[places] = crops.sources
        self.added += len(places)

    def batch(self, places: Any, seeds: Sequence[int], *, greys: bool = True) -> tuple[torch.Tensor, torch.Tensor]:
        """Return varied images and targets, as a network takes them, of the crops at these places."""
        import torch

        from nnbook.training.variation import vary_batch

        generator = torch.Generator(self.device).manual_seed(int(np.random.SeedSequence(seeds).generate_state(1)[0]))
        crops = self._targets(torch.from_numpy(places).to(self.device))
        return as_tensors(*vary_batch(*crops, generator, greys=greys))

    def _targets(self, where: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        import torch

        targets = torch.cat(
            [
                self.flows[where].float() / FLOW_LEVELS,
                self.nuclei[where].float()[:, None],
                self.weights[where].float()[:, None] / WEIGHT_LEVELS,
            ],
            dim=1,
        )
        return self.images[where].float(), targets

    def unvaried(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Return all crops as they were drawn, for validation."""
        import torch

        images, targets = self._targets(torch.arange(len(self), device=self.device))
        return as_tensors(torch.nan_to_num(images), targets)


def as_tensors(images: torch.Tensor, targets: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return images with the empty second channel that a network takes, and targets."""
    import torch
    from torch.nn import functional

    both = functional.pad(images[:, None], (0, 0, 0, 0, 0, 1))
    return both.contiguous(memory_format=torch.channels_last), targets


def default_workers(device: str) -> int:
    """Return how many processes draw crops: one for each other processor beside a GPU, else none."""
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, available - 1) if device == "cuda" else 0


def _start_worker() -> None:
    import cv2
    import numba

    cv2.setNumThreads(1)
    numba.set_num_threads(1)


def _read(image: Path, mask: Path, diam_mean: float) -> Example | str:
    try:
        return read_example(image, mask, diam_mean)
    except NnbookError as error:
        return str(error)


def _read_and_keep(image: Path, mask: Path, diam_mean: float, place: Path) -> str | tuple[Example, tuple[int, int]]:
    """Read an example; keep its pixels in files."""
    found = _read(image, mask, diam_mean)
    if isinstance(found, str):
        return found
    found.image.astype(np.float16).tofile(place.with_suffix(IMAGES))
    found.labels.astype(np.int32).tofile(place.with_suffix(LABELS))
    nothing = np.empty((0, 0))
    height, width = found.labels.shape
    return replace(found, image=nothing.astype(np.float32), labels=nothing.astype(np.int32)), (height, width)


def open_examples(folder: Path) -> list[Example]:
    """Return the examples that are kept in a folder, their pixels mapped."""
    kept: list[Kept] = pickle.loads((folder / EXAMPLES).read_bytes())  # noqa: S301 - another process's of this program
    if not kept:
        return []
    images = np.memmap(folder / IMAGES, np.float16, "r")
    labels = np.memmap(folder / LABELS, np.int32, "r")

    def pixels(plane: NDArray[Any], shape: tuple[int, int], offset: int) -> NDArray[Any]:
        return plane[offset : offset + math.prod(shape)].reshape(shape)

    return [
        replace(example, image=pixels(images, shape, offset), labels=pixels(labels, shape, offset))
        for example, shape, offset in kept
    ]


@cache
def _parts(folder: Path) -> list[list[Example]]:
    examples = open_examples(folder)
    parts = pickle.loads((folder / PARTS).read_bytes())  # noqa: S301
    return [[examples[number] for number in part] for part in parts]


def _draw(folder: Path, seeds: tuple[int, ...], count: int, crop_px: int, diam_mean: float) -> Crops:
    return draw_crops(_parts(folder), np.random.default_rng(seeds), count, crop_px, diam_mean, varied=True)
