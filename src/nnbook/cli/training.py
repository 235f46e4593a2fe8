"""The command that trains."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from nnbook.cli.options import add_command, print_values

if TYPE_CHECKING:
    import argparse

    from nnbook.cli.options import Commands


def add_train(commands: Commands) -> None:
    """Add `nnbook train`."""
    command = add_command(
        commands,
        "train",
        _train,
        "Train a Cellpose 3 model; call again to go on after an interruption.",
        "--data images/ masks/ --steps 300 --out mine",
        "--data images/ masks/ --from mine --steps 300 --out better",
    )
    command.add_argument(
        "--data",
        nargs=2,
        action="append",
        required=True,
        metavar=("IMAGES", "MASKS"),
        help="may be given several times",
    )
    command.add_argument("--out", type=Path, required=True, help="the model file to write")
    command.add_argument("--from", dest="from_model", type=Path, help="a Cellpose 3 model to go on from")
    command.add_argument("--steps", type=int, default=1200)
    command.add_argument("--seed", type=int, default=1)


def _train(call: argparse.Namespace) -> None:
    from nnbook.training.loop import TrainingSettings, train

    settings = TrainingSettings(steps=call.steps, seed=call.seed)
    pairs = [(Path(images), Path(masks)) for images, masks in call.data]
    model = train(pairs, call.out, settings, from_model=call.from_model)
    print_values(call, {"model": str(model)})
