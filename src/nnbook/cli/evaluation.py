"""The commands that compare masks, and methods that make them."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from nnbook.cli.options import add_command, print_values

if TYPE_CHECKING:
    import argparse

    import pandas as pd

    from nnbook.cli.options import Commands

SHOWN: Final = (
    "image",
    "true_nuclei",
    "predicted_nuclei",
    "f1_0.50",
    "mean_ap",
    "pq",
    "aji",
    "missed",
    "spurious",
    "splits",
    "merges",
)
"""Of each image; the total and --json have all measures."""


def add_evaluate(commands: Commands) -> None:
    """Add `nnbook evaluate`."""
    command = add_command(
        commands,
        "evaluate",
        _evaluate,
        "Compare predicted with true masks; 95 % confidence intervals are by bootstrap over images.",
        "masks truth",
        "masks truth --json",
    )
    command.add_argument("predicted", type=Path, metavar="PRED", help="folder of NAME_cp_masks.tif")
    command.add_argument(
        "true",
        type=Path,
        metavar="TRUE",
        help="folder of label images NAME.tif or NAME.png; with NAME.csv beside them, hard cases are judged too",
    )
    command.add_argument("--draws", type=int, default=1000, help="of images, for the intervals (default: %(default)s)")
    command.add_argument("--seed", type=int, default=1, help="of the draws")


def add_compare(commands: Commands) -> None:
    """Add `nnbook compare`."""
    command = add_command(
        commands,
        "compare",
        _compare,
        "Compare methods of segmentation on the same images: accuracy, time and memory, one method after the other.",
        "data/ --methods otsu,nuset,nnbook --out comparison",
        "images/ --methods otsu,nnbook --diameter 120 --out comparison --json",
    )
    command.add_argument(
        "folder", type=Path, help="with images/ and labels/ in it; or of images, for time, memory and pictures alone"
    )
    command.add_argument(
        "--methods",
        type=lambda text: text.split(","),
        default=["otsu", "forest", "unet", "nuset", "nnbook"],
        help="names with commas between, of nnbook's own and of installed packages (default: "
        "otsu,forest,unet,nuset,nnbook)",
    )
    command.add_argument("--out", type=Path, required=True, help="folder for masks, pictures and comparison.json")
    command.add_argument(
        "--diameter",
        dest="diameter_px",
        type=float,
        help="of nuclei, in px, for all methods (default: of each image's true nuclei; without truth it is looked for)",
    )
    command.add_argument("--draws", type=int, default=1000, help="of images, for the intervals (default: %(default)s)")
    command.add_argument("--seed", type=int, default=1, help="of the draws")


def _compare(call: argparse.Namespace) -> None:
    from nnbook.methods.comparison import SHOWN as MEASURES
    from nnbook.methods.comparison import compare_folder

    made = compare_folder(
        call.folder, call.methods, call.out, diameter_px=call.diameter_px, draws=call.draws, seed=call.seed
    )
    if call.json:
        methods, images = (table.to_dict("records") for table in (made.methods, made.images))
        print_values(call, {"has_truth": made.has_truth, "methods": methods, "images": images})
        return
    columns = ["method", "images", "failed", "nuclei", "seconds_per_mpx", "peak_mb"]
    table = made.methods[columns].copy()
    for name in MEASURES if made.has_truth else ():
        if name in made.methods:
            table[name] = [_row_interval(row, name) for _, row in made.methods.iterrows()]
    print(table.to_string(index=False, float_format="{:.3f}".format))
    for _, row in made.methods[made.methods["why"] != ""].iterrows():
        print(f"{row['method']}: {row['why']}")


def _row_interval(row: pd.Series[Any], name: str) -> str:
    if not math.isfinite(row[name]):
        return "-"
    low, high = row.get(f"{name}_low", math.nan), row.get(f"{name}_high", math.nan)
    between = f" ({low:.3f}-{high:.3f})" if math.isfinite(low) else ""
    return f"{row[name]:.3f}{between}"


def _evaluate(call: argparse.Namespace) -> None:
    from nnbook.evaluation.hard_cases import judge_folders
    from nnbook.evaluation.metrics import evaluate_folders

    table, total, intervals = evaluate_folders(call.predicted, call.true, draws=call.draws, seed=call.seed)
    cases = judge_folders(call.predicted, call.true)
    if call.json:
        judged = {} if cases is None else {"cases": cases.to_dict("records")}
        values = {"total": total, "intervals": intervals, "images": table.to_dict("records")}
        print_values(call, {**values, **judged, "draws": call.draws, "seed": call.seed})
        return
    print(table[list(SHOWN)].to_string(index=False, float_format="{:.3f}".format))
    print_values(call, {name: _with_interval(value, intervals.get(name)) for name, value in total.items()})
    if len(table) < 2:
        print("no intervals: they need at least two images")
    if cases is not None:
        print(cases.to_string(index=False, formatters={"share": "{:.3f}".format}))


def _with_interval(value: float, ends: tuple[float, float] | None) -> str:
    form = "{:d}" if isinstance(value, int) else "{:.4g}"
    between = f" ({ends[0]:.4g} to {ends[1]:.4g})" if ends is not None and math.isfinite(ends[0]) else ""
    return form.format(value) + between
