"""The command that denoises."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from nnbook.cli.options import add_command, add_images, add_plane, plane_of, print_values

if TYPE_CHECKING:
    import argparse

    from nnbook.cli.options import Commands


def add_denoise(commands: Commands) -> None:
    """Add `nnbook denoise`."""
    command = add_command(
        commands,
        "denoise",
        _denoise,
        "Denoise images by a network that learns from these images alone; call again to go on after an interruption.",
        "images/ --out denoised",
        "new/ --model denoised/denoiser.pt --out new-denoised",
    )
    add_images(command)
    command.add_argument("--out", type=Path, required=True, help="folder to write to, not that of the images")
    add_plane(command)
    command.add_argument("--model", type=Path, help="a denoiser.pt of images like these (default: train one)")
    command.add_argument("--steps", type=int, default=400, help="of training (default: %(default)s)")
    command.add_argument("--seed", type=int, default=1)


def _denoise(call: argparse.Namespace) -> None:
    from nnbook.denoising.denoiser import DenoisingSettings
    from nnbook.denoising.workflow import denoise_files
    from nnbook.io.inputs import list_images

    settings = DenoisingSettings(steps=call.steps, seed=call.seed)
    images = denoise_files(list_images(call.images), call.out, settings, model=call.model, plane=plane_of(call))
    print_values(call, {"images": [str(image) for image in images]})
