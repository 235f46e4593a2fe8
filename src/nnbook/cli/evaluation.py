"""The command that compares masks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from nnbook.cli.options import add_command, print_values

if TYPE_CHECKING:
    import argparse

    from nnbook.cli.options import Commands


def add_evaluate(commands: Commands) -> None:
    """Add `nnbook evaluate`."""
    command = add_command(
        commands,
        "evaluate",
        _evaluate,
        "Compare predicted with true masks.",
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


def _evaluate(call: argparse.Namespace) -> None:
    from nnbook.evaluation.hard_cases import judge_folders
    from nnbook.evaluation.metrics import evaluate_folders

    table, total = evaluate_folders(call.predicted, call.true)
    cases = judge_folders(call.predicted, call.true)
    if call.json:
        judged = {} if cases is None else {"cases": cases.to_dict("records")}
        print_values(call, {"total": total, "images": table.to_dict("records"), **judged})
        return
    print(table.to_string(index=False))
    print_values(call, total)
    if cases is not None:
        print(cases.to_string(index=False, formatters={"share": "{:.3f}".format}))
