"""Values cited from published work: shown beside recomputed ones, never in their place.

The values are in `published.yml`, beside this module, each with its source.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from nnbook.errors import NnbookError
from nnbook.values.entries import read_entries
from nnbook.values.formatting import KEY, shown

FILE: Final = Path(__file__).with_name("published.yml")


@dataclass(frozen=True)
class Source:
    """A published work.

    Attributes
    ----------
    authors, title, kind, address : str
        As a reader finds it; `kind` is where it was published, and under which licence.
    sha256 : str
        Of the file at the address, where it is one that this project fetches.
    """

    authors: str
    title: str
    kind: str
    address: str
    sha256: str = ""


@dataclass(frozen=True)
class Cited:
    """A value that a published work states.

    Attributes
    ----------
    key : str
        How a chapter cites it.
    title : str
        What it is a value of.
    value : int or float
        The value as stated.
    source : Source
        Where it is stated.
    unit : str
        See `nnbook.values.formatting.shown`.
    digits : int
        How many digits after the decimal point it is stated with.
    tolerance : float, optional
        By how much a value recomputed from published data may differ; None where it cannot be recomputed.
    """

    key: str
    title: str
    value: int | float
    source: Source
    unit: str = ""
    digits: int = 0
    tolerance: float | None = None

    @property
    def shown(self) -> str:
        """The value with its unit, as text shows it."""
        return shown(self.value, self.unit, self.digits)


def read_cited(path: Path = FILE) -> tuple[dict[str, Source], dict[str, Cited]]:
    """Read the file of cited values.

    Parameters
    ----------
    path : Path, optional
        By default the one that comes with the package.

    Returns
    -------
    (dict of str to Source, dict of str to Cited)
        Sources by name, and values by key, each in the order of the file.

    Raises
    ------
    NnbookError
        With a line for each entry that is malformed: another field than those of `Cited` or `Source`, one that is
        missing, a source that is not listed, a key, value, unit or number of digits that cannot be shown.
    """
    content = read_entries(path)
    problems: list[str] = []
    sources: dict[str, Source] = {}
    values: dict[str, Cited] = {}
    for name, fields in content["sources"].items():
        try:
            sources[name] = Source(**fields)
        except TypeError as error:
            problems.append(f"{path}: source {name}: {error}")
    for key, fields in content["values"].items():
        try:
            values[key] = _cited(key, fields, sources)
        except (NnbookError, TypeError) as error:
            problems.append(f"{path}: {key}: {error}")
    if problems:
        raise NnbookError("\n".join(problems))
    return sources, values


def _cited(key: str, fields: dict[str, Any], sources: dict[str, Source]) -> Cited:
    if not KEY.fullmatch(key):
        raise NnbookError("is no key; write lower-case words joined by . or _")
    if (source := sources.get(fields.get("source", ""))) is None:
        raise NnbookError(f"has the source {fields.get('source')}, which is not listed; list it under sources")
    cited = Cited(key=key, **(fields | {"source": source}))
    _ = cited.shown  # raises here, not where it is read
    return cited


SOURCES, CITED = read_cited()


def _count(key: str) -> int:
    return int(CITED[key].value)


SINGLE_CELL_IMAGES: Final = _count("cells.images")
PANORAMAS: Final = _count("panoramas.count")
EXPERIMENTS: Final = _count("experiments.count")
ROIS_IN_TABLE: Final = _count("rois.count")
TOTAL_AREA_PX2: Final = _count("area.px2")
PX_PER_UM: Final = float(CITED["area.scale"].value)
CELL_IMAGE_PX: Final = _count("cells.side")
IMAGES_PER_EXPERIMENT_IN_10K: Final = _count("sample.per_experiment")
DIAMETER_PX: Final = float(CITED["segmentation.diameter"].value)
MASK_RIM_PX: Final = float(CITED["masks.rim"].value)
PUBLISHED_RIM_UM: Final = (MASK_RIM_PX - 3) / PX_PER_UM
"""Makes masks of the shipped model, which extend 3 px beyond Otsu's threshold themselves, as wide as published ones."""
FLOW_THRESHOLD: Final = float(CITED["segmentation.flow_threshold"].value)
CELLPROB_THRESHOLD: Final = float(CITED["segmentation.cellprob_threshold"].value)
REPRESENTATIVES: Final = _count("selection.count")
RESULTS_ADDRESS: Final = SOURCES["results"].address
"""The released table: a row a panorama, CC-BY-4.0."""
RESULTS_SHA256: Final = SOURCES["results"].sha256
