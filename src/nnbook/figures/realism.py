"""How like the published data the simulation is: a table of both, row by row."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from nnbook.measurement.appearance import between_runs_share, cut_like_published, describe_cell
from nnbook.measurement.rim import widen
from nnbook.measurement.selection import measured
from nnbook.values.formatting import shown
from nnbook.values.published import CITED, PUBLISHED_RIM_UM, PX_PER_UM
from nnbook.values.table import Table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nnbook.io.images import Image, Labels

SEPARATIONS: Final = {"anaphase": "early", "telophase": "late"}
"""The published examples that cells of a class are compared with."""

NOT_SIMULATED: Final = "These images are not simulated: there is no simulation to set beside the published data."

TEXTURES: Final = ("finest", "fine", "middle", "coarse")
HALF_PX: Final = 160
"""Half the side of the square that a cell is cut out in, at `PX_PER_UM`: it holds the largest published mask."""

LOOK: Final = "look."
"""The prefix of keys of the compared values in `published.yml`."""


def describe_nuclei(image: Image, true: Labels, truth: pd.DataFrame) -> pd.DataFrame:
    """Measure the whole interphase nuclei and the dividing cells of a simulated panorama under masks as published.

    Those of interphase nuclei are widened by the published rim; those of dividing cells are as large as the published
    examples.

    Parameters
    ----------
    image : Image
        Axes (y, x), uint8, at the published scale.
    true : Labels
        Axes (y, x): the true mask.
    truth : pandas.DataFrame
        The table of its nuclei: see `nnbook.simulation.panorama.simulate_panorama`.

    Returns
    -------
    pandas.DataFrame
        A row a nucleus: `class`, and the attributes of `nnbook.measurement.appearance.CellAppearance`, its texture in a
        column for each of `TEXTURES`.
    """
    rows: list[dict[str, Any]] = []
    for row in truth[~truth["cut"] & truth["class"].isin(["interphase", *SEPARATIONS])].to_dict("records"):
        x, y = round(row["x_px"]), round(row["y_px"])
        box = slice(max(0, y - HALF_PX), y + HALF_PX), slice(max(0, x - HALF_PX), x + HALF_PX)
        pixels, labels = image[box], true[box]
        if row["class"] in SEPARATIONS:
            if pixels.shape != (2 * HALF_PX, 2 * HALF_PX):
                continue  # too near the edge for a mask of the published size
            own = labels == row["label"]
            size = int(CITED[f"look.{SEPARATIONS[row['class']]}.mask"].value)
            cell = cut_like_published(pixels, own, (labels > 0) & ~own, size)
        else:
            wide = widen(labels, PUBLISHED_RIM_UM * PX_PER_UM) == row["label"]
            cell = np.where(wide, np.maximum(pixels, 1), 0).astype(np.uint8)
        if (found := describe_cell(cell)) is not None:
            values = found._asdict()
            rows.append({"class": row["class"], **dict(zip(TEXTURES, values.pop("texture"), strict=True)), **values})
    return pd.DataFrame(rows)


def look(results: pd.DataFrame, runs: Any, area_px2: int, px_per_um: float, cells: pd.DataFrame) -> dict[str, float]:
    """Sum up what panoramas and cells look like, under the keys of the published values without their prefix.

    Parameters
    ----------
    results : pandas.DataFrame
        See `nnbook.io.results.read_results`, measured under masks with the published rim.
    runs : sequence of int
        The run of each panorama.
    area_px2 : int
        Their imaged area.
    px_per_um : float
        Pixels a micrometre.
    cells : pandas.DataFrame
        See `describe_nuclei`; several panoramas' one below the other.

    Returns
    -------
    dict of str to float
        Means over panoramas that have a nucleus, or over cells; NaN where there are none.
    """
    with_nuclei = measured(results)
    runs = np.asarray(runs)[results.index.get_indexer(with_nuclei.index)]
    interphase = cells[cells["class"] == "interphase"]
    dividing = cells[cells["class"].isin(list(SEPARATIONS))]
    by_class = dividing.groupby("class")
    found = {
        "density": results["num_rois"].sum() / (area_px2 / px_per_um**2 / 1e6),
        "mean": with_nuclei["mean_intensity"].mean(),
        "spread": with_nuclei["std_intensity"].mean(),
        "relative_spread": (with_nuclei["std_intensity"] / with_nuclei["mean_intensity"]).mean(),
        "count_between_runs": 100 * between_runs_share(with_nuclei["num_rois"].to_numpy(), runs),
        "mean_between_runs": 100 * between_runs_share(with_nuclei["mean_intensity"].to_numpy(), runs),
        "nucleus_area": interphase["bright_px"].mean() / px_per_um**2,
        "mask_ratio": (interphase["mask_px"] / interphase["bright_px"]).mean(),
        "background": by_class["background"].mean().mean(),
        **{f"texture.{name}": 100 * by_class[name].mean().mean() for name in TEXTURES},
    }
    for kind, separation in SEPARATIONS.items():
        own = dividing[dividing["class"] == kind]
        found[f"{separation}.bright_area"] = own["bright_px"].mean() / px_per_um**2
        found |= {f"{separation}.{name}": own[name].mean() for name in ("mean", "spread", "bright")}
    return {key: float(value) for key, value in found.items()}


def realism_table(found: Mapping[str, float]) -> Table:
    """Set what simulated panoramas and cells look like beside the published ones.

    Parameters
    ----------
    found : mapping of str to float
        See `look`.

    Returns
    -------
    Table
        A row for each published value; the difference is the simulation's, in per cent of the published value.
    """
    rows = []
    for key, cited in CITED.items():
        name = key.removeprefix(LOOK)
        if name == key or name not in found:
            continue
        value = found[name]
        # A unit in each cell would push the last columns off a phone's screen.
        title = f"{cited.title} ({cited.unit})" if cited.unit not in {"", "%"} else cited.title
        unit = "%" if cited.unit == "%" else ""
        stated = shown(cited.value, unit, cited.digits)
        if math.isnan(value):
            rows.append((title, stated, "–", "–"))
            continue
        difference = 100 * (value / cited.value - 1)
        sign = "+" if round(difference) > 0 else ""
        rows.append((title, stated, shown(value, unit, cited.digits), f"{sign}{shown(difference, '%', 0)}"))
    return Table(
        header=("Quantity", "Published", "Simulated", "Difference"),
        rows=tuple(rows),
        numeric=frozenset({1, 2, 3}),
    )
