"""The command that compares masks."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Final

from nnbook.cli.options import add_command, print_values

if TYPE_CHECKING:
    import argparse

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
