"""Tables of the book: the panoramas nearest the centroid, and how many cells have an image."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from nnbook.figures.readers import panorama_name
from nnbook.measurement.edge import extent_cut_at_edge, share_cut_at_edge
from nnbook.values import published
from nnbook.values.table import Table

if TYPE_CHECKING:
    import pandas as pd

NO_PUBLISHED_TABLE: Final = (
    "The published table of results could not be fetched for this build: call make book with a network, or with "
    "LOCAL=folder, which holds its results.csv."
)


def representatives_table(chosen: pd.DataFrame) -> Table:
    """List the panoramas nearest the centroid.

    Parameters
    ----------
    chosen : pandas.DataFrame
        See `nnbook.measurement.selection.representatives`.

    Returns
    -------
    Table
        In order of distance.
    """
    ordered = chosen.sort_values("distance", kind="stable")
    return Table(
        header=("Rank", "Panorama", "Nuclei", "Mean intensity (grey levels)", "Distance (SD)"),
        rows=tuple(
            (
                str(rank),
                panorama_name(str(row.image)),
                f"{row.num_rois:,}",
                f"{row.mean_intensity:.2f}",
                f"{row.distance:.3f}",
            )
            for rank, row in enumerate(ordered.itertuples(), start=1)
        ),
        numeric=frozenset({0, 2, 3, 4}),
    )


def faults_table(benchmark: dict[str, Any]) -> Table:
    """List what comes of damaged files, by kind.

    Parameters
    ----------
    benchmark : dict
        What `benchmarks/faults.py` wrote.

    Returns
    -------
    Table
    """
    kinds = benchmark["kinds"]
    return Table(
        header=("File", "Refused", "Read as another", "Read as it was", "Traceback", "Time or memory", "Checksum of"),
        rows=tuple(
            (
                kind["kind"],
                *(f"{kind[outcome]:,}" for outcome in ("refused", "changed", "unchanged", "traceback")),
                f"{kind['timeout'] + kind['memory']:,}",
                kind["checked"],
            )
            for kind in kinds
        ),
        numeric=frozenset(range(1, 6)),
        note=(
            f"Measured on {benchmark['date']}: {benchmark['examples']:,} damaged versions of each file, each read in "
            f"{benchmark['seconds']:g} s and {benchmark['memory_gb']:g} GB."
        ),
    )


MACHINES: Final = {"Laptop": 8, "Workstation without a GPU": 32, "Cluster, 20 machines": 320}
"""Cores of machines that a calculation on paper is made for."""


def costs_table(benchmark: dict[str, Any]) -> Table:
    """List how long all panoramas take, on the machines that were measured and, on paper, on others.

    Parameters
    ----------
    benchmark : dict
        What `benchmarks/scale.py` wrote.

    Returns
    -------
    Table
        A row a machine. Hours of others are the measured CPU seconds of the first, which has bfloat16, divided among
        their cores.
    """
    stages, in_float32, on_gpu = (benchmark[part] for part in ("stages", "float32", "gpu"))
    whole = stages["of_all"]
    hours = {
        f"Measured, {_machine(one)}{more}": (one["machine"]["cores"], one["of_all"]["hours"])
        for one, more in ((stages, ""), (in_float32, " without bfloat16"), (on_gpu, ""))
    }
    hours |= {name: (cores, whole["cpu_hours"] / cores) for name, cores in MACHINES.items()}
    return Table(
        header=("Machine", "Cores", f"{published.PANORAMAS:,} panoramas", "A hundred times as many"),
        rows=tuple((name, str(cores), _lasting(one), _lasting(100 * one)) for name, (cores, one) in hours.items()),
        numeric=frozenset({1, 2, 3}),
        note=(
            f"Measured on {stages['date']} with {stages['panoramas']} simulated panoramas of {stages['side_px']:,} px; "
            f"on {in_float32['date']} with {in_float32['panoramas']}, on a processor without bfloat16; and on "
            f"{on_gpu['date']} with {on_gpu['panoramas']}, where a GPU computed the network. "
            f"{whole['assumes']}"
        ),
    )


def _machine(measured: dict[str, Any]) -> str:
    machine = measured["machine"]
    processor = machine["processor"].split(",")[0].replace("(R)", "").removesuffix(" Processor")
    return " with ".join([processor, *([machine["gpu"]] if "gpu" in machine else [])])


def _lasting(hours: float) -> str:
    if hours < 1:
        return f"{60 * hours:.0f} min"
    return f"{hours:.1f} h" if hours < 48 else f"{hours / 24:,.0f} days"


def cells_table(results: pd.DataFrame, cells: dict[str, Any], imaged_px2: int, name: str) -> Table:
    """Set a layer's number of single-cell images beside the published one, and say why there are fewer than ROIs.

    Parameters
    ----------
    results : pandas.DataFrame
        See `nnbook.io.results.read_results`.
    cells : dict
        The summary of the store of cells: `nnbook.cells.store.Cells.about`.
    imaged_px2 : int
        The layer's imaged area in px2.
    name : str
        What the layer's column is called.

    Returns
    -------
    Table
        A dash where there are no images.
    """
    rois, images = results["num_rois"].sum() or math.nan, cells["cells"] or math.nan
    left_out = cells["left_out"] if cells["cells"] else {}
    at_border, larger = (left_out.get(why, math.nan) for why in ("at_border", "larger_than_frame"))
    # Images that were published without their panoramas are a part of all; how many ROIs gave one is not known of them.
    lacking = math.nan if math.isnan(at_border) else rois - images
    per_run = [run["cells"] for run in cells["runs"]] or [math.nan]
    at_edge = math.nan
    if not math.isnan(at_border / rois):
        extent = extent_cut_at_edge(at_border / rois, math.sqrt(imaged_px2 / len(results)))
        at_edge = share_cut_at_edge(extent, math.sqrt(published.TOTAL_AREA_PX2 / published.PANORAMAS))
    larger_of_whole = larger / (rois - at_border)
    stated = published.ROIS_IN_TABLE - published.SINGLE_CELL_IMAGES
    percent = 100 * stated / published.ROIS_IN_TABLE
    count, share = "{:,.0f}", "{:.1f}"
    return _comparison(
        ("ROIs in the table of results", published.ROIS_IN_TABLE, rois, count),
        ("Single-cell images", published.SINGLE_CELL_IMAGES, images, count),
        ("ROIs without an image", stated, lacking, count),
        ("… at the edge of their panorama", math.nan, at_border, count),
        ("… larger than the frame", math.nan, larger, count),
        ("ROIs without an image (%)", percent, 100 * lacking / rois, share),
        (
            "… at the published size of panoramas, estimate (%)",
            percent,
            100 * (at_edge + (1 - at_edge) * larger_of_whole),
            share,
        ),
        (
            "Images per experiment, mean",
            published.SINGLE_CELL_IMAGES / published.EXPERIMENTS,
            sum(per_run) / len(per_run),
            count,
        ),
        ("… fewest", math.nan, min(per_run), count),
        ("… most", math.nan, max(per_run), count),
        name=name,
    )


def _comparison(*rows: tuple[str, float, float, str], name: str) -> Table:
    """Return a table of rows of: title, published value, the layer's value, and the format of the two."""
    return Table(
        header=("Quantity", "Published", name),
        rows=tuple((title, _number(stated, form), _number(own, form)) for title, stated, own, form in rows),
        numeric=frozenset({1, 2}),
    )


def _number(value: float, form: str) -> str:
    return "–" if math.isnan(value) else form.format(value).replace("-", "−")
