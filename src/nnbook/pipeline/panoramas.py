"""What is made of each panorama on its own, from its image to its cells, while images for the next ones are fetched."""

from __future__ import annotations

import io
import sys
from collections import UserDict
from contextlib import contextmanager, redirect_stderr
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from nnbook.errors import NnbookError
from nnbook.pipeline.stages import (
    by_model,
    common_zoom,
    cut_some,
    make_preview,
    measure_each,
    measure_unchecked,
    rois_tables,
    segment_alike,
)
from nnbook.provenance.units import Made, make_units, units_to_make, within_unit

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from pathlib import Path

    from nnbook.io.edition import Edition
    from nnbook.io.manifest import Panorama
    from nnbook.provenance.units import Supply, Workers

TELLING: Final = 16
"""By how many panoramas it is guessed how much larger nuclei are in cell images, before all are measured."""


def make_panoramas(
    edition: Edition,
    panoramas: Sequence[Panorama],
    model: Path | None,
    source: Path,
    *,
    overwrite: bool = False,
    workers: Workers = None,
    supply: Supply | None = None,
    lacking: Collection[str] = (),
) -> Made:
    """Segment, measure and cut each panorama that has no mask or no measurements that are up to date.

    Panoramas are worked on side by side, each from its image to its cells and its preview. One that has masks and
    measurements is left to the stages that gather, as is what depends on all panoramas.

    Parameters
    ----------
    edition : Edition
        The edition.
    panoramas : sequence of Panorama
        Its rows, or some of them, as they are in the edition.
    model : Path or None
        The model for those whose row names none.
    source : Path
        The folder that models are below.
    overwrite : bool, optional
        Whether masks that were corrected by hand, or are not nnbook's, may be replaced.
    workers : Workers, optional
        Who works on them: see `nnbook.segmentation.workflow.segment_files`.
    supply : Supply, optional
        Brings images that are not there: for the next ones, while others are worked on.
    lacking : collection of str
        The panoramas whose images were never there.

    Returns
    -------
    Made
        By name, why panoramas failed. The others are made.
    """
    failed: dict[str, NnbookError] = {}
    changed = set(lacking)
    rows = {one.panorama: one for one in panoramas}
    demand = None
    for how, images in by_model(edition, list(panoramas), model, source).items():
        try:
            asked = units_to_make(partial(segment_alike, images, edition, how, overwrite=overwrite))
        except NnbookError as error:  # such as a model that can't be read
            failed |= dict.fromkeys(images, error)
            continue
        changed |= asked.names
        demand = demand or asked.demand
    asked = units_to_make(partial(measure_unchecked, edition, list(panoramas)))
    todo = {name: row for name, row in rows.items() if name in changed | asked.names and name not in failed}
    sizes = [row.width_px * row.height_px for row in todo.values()]
    made = make_units(
        partial(_make_panorama, edition=edition, model=model, source=source, overwrite=overwrite),
        _Jobs(todo, edition, panoramas),
        # In threads, panoramas would tell of each other: see `_told_again`.
        (demand or asked.demand)._replace(pixels=sizes, threads=1),
        desc="make",
        workers=workers,
        aside=edition.folder,
        others=rows.keys() - todo.keys() - failed.keys(),
        supply=supply,
    )
    return Made({}, {**failed, **made.failed})


class _Jobs(UserDict[str, Any]):
    """Jobs by panorama: its row, and how much larger nuclei are to be in its cell images as far as that is known."""

    def __init__(self, rows: dict[str, Panorama], edition: Edition, panoramas: Sequence[Panorama]) -> None:
        super().__init__(rows)
        self._edition, self._telling = edition, panoramas[:TELLING]
        self._measured: list[Panorama] = []
        self._zoom: int | None = None

    def __getitem__(self, name: str) -> tuple[Panorama, int | None]:
        tables = rois_tables(self._edition, list(self._telling))
        measured = [one for one, table in zip(self._telling, tables, strict=True) if table.is_file()]
        if len(measured) > len(self._measured):
            self._measured = measured
            try:
                self._zoom = common_zoom(self._edition, measured)
            except NnbookError:  # a table that is damaged, and is to be made again
                self._zoom = None
        return self.data[name], self._zoom


def _make_panorama(
    job: tuple[Panorama, int | None], *, edition: Edition, model: Path | None, source: Path, overwrite: bool
) -> None:
    one, zoom = job
    with within_unit(), _told_again():
        for how, images in by_model(edition, [one], model, source).items():
            segment_alike(images, edition, how, overwrite=overwrite)
        measure_each(edition, [one])
        cut_some(edition, [one], zoom=zoom or common_zoom(edition, [one]))
        make_preview(edition, one)


@contextmanager
def _told_again() -> Iterator[None]:
    """Keep to ourselves what nnbook tells of one panorama: the stages that gather tell it of all, by name."""
    said = io.StringIO()
    try:
        with redirect_stderr(said):
            yield
    finally:
        for line in said.getvalue().splitlines():
            if not line.startswith("nnbook: "):
                print(line, file=sys.stderr)
