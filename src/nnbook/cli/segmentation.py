"""The commands that segment, and that export a model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from nnbook.cli.options import (
    add_command,
    add_images,
    add_model,
    add_overwrite,
    add_plane,
    add_workers,
    choice_of,
    plane_of,
    print_values,
    workers_of,
)
from nnbook.values import published

if TYPE_CHECKING:
    import argparse

    from nnbook.cli.options import Commands


def add_segment(commands: Commands) -> None:
    """Add `nnbook segment`."""
    command = add_command(
        commands,
        "segment",
        _segment,
        "Mask the nuclei of panoramas: NAME_cp_masks.tif for each.",
        "images/Run1TL_top_left.tif   # writes masks/Run1TL_top_left_cp_masks.tif",
        "images/ --out masks --diameter auto",
        "stacks/ --channel DAPI --project max --out masks",
        "images/ --part 3/20   # on one of twenty machines that see the same files",
    )
    add_images(command)
    command.add_argument("--out", type=Path, default=Path("masks"), help="folder to write to (default: masks)")
    add_plane(command)
    add_model(command)
    command.add_argument(
        "--diameter",
        dest="diameter_px",
        metavar="DIAMETER",
        type=_diameter,
        default=published.DIAMETER_PX,
        help="of a nucleus in px, or 'auto' (default: 152.91)",
    )
    command.add_argument("--flow-threshold", type=float, default=published.FLOW_THRESHOLD)
    command.add_argument("--cellprob-threshold", type=float, default=published.CELLPROB_THRESHOLD)
    add_overwrite(command)
    add_workers(command)


def add_model_exporter(commands: Commands) -> None:
    """Add `nnbook export-model`."""
    command = add_command(
        commands,
        "export-model",
        _export_model,
        "Write a model as ONNX, for programs without PyTorch: browsers, QuPath, ImageJ.",
        "--out nnbook_nuclei.onnx",
    )
    add_model(command)
    command.add_argument("--out", type=Path, required=True, metavar="FILE.onnx", help="the file to write")


def add_try(commands: Commands) -> None:
    """Add `nnbook try`."""
    command = add_command(
        commands,
        "try",
        _try,
        "Write one HTML file that segments images in a browser, without a network: open it on any machine.",
        "--out segment.html",
    )
    add_model(command)
    command.add_argument("--out", type=Path, required=True, metavar="FILE.html", help="the file to write")


def _try(call: argparse.Namespace) -> None:
    from nnbook.book.standalone import write_standalone
    from nnbook.segmentation.model import load_model

    written = write_standalone(load_model(call.model), call.out)
    print_values(call, {"page": str(written)})


def _export_model(call: argparse.Namespace) -> None:
    from nnbook.segmentation.export import export_model
    from nnbook.segmentation.model import load_model

    written = export_model(load_model(call.model), call.out)
    print_values(call, {"model": str(written)})


def _diameter(text: str) -> float | str:
    return text if text == "auto" else float(text)


def _segment(call: argparse.Namespace) -> None:
    from nnbook.io.inputs import list_images
    from nnbook.segmentation.model import load_model
    from nnbook.segmentation.workflow import segment_files

    diameter = None if call.diameter_px == "auto" else call.diameter_px
    images = list_images(call.images)
    masks = segment_files(
        {name: images[name] for name in choice_of(call).of(images, [call.out])},
        call.out,
        load_model(call.model),
        diameter_px=diameter,
        flow_threshold=call.flow_threshold,
        cellprob_threshold=call.cellprob_threshold,
        plane=plane_of(call),
        overwrite=call.overwrite,
        workers=workers_of(call),
    )
    print_values(call, {"masks": [str(mask) for mask in masks]})
