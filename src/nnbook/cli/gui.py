"""The command that opens the view of segmentation in a browser."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from nnbook.cli.options import add_command, add_plane, print_values

if TYPE_CHECKING:
    import argparse

    from nnbook.cli.options import Commands


def add_gui(commands: Commands) -> None:
    """Add `nnbook gui`."""
    command = add_command(
        commands,
        "gui",
        _gui,
        "Segment images in a browser, correct masks by hand, and train on them; Ctrl-C ends it.",
        "images/",
        "image.tif --method otsu",
        "stacks/ --channel DAPI --project max",
        "images/ --port 8765 --no-browser   # prints the address alone",
    )
    command.add_argument("images", type=Path, nargs="*", help="image files and folders; without any, drop one in")
    add_plane(command)
    command.add_argument("--method", default="nnbook", help="of segmentation, at first (default: nnbook)")
    command.add_argument("--port", type=int, default=0, help="of the page's address (default: one that is free)")
    command.add_argument("--no-browser", action="store_true", help="only print the page's address")


def _gui(call: argparse.Namespace) -> None:
    from nnbook.gui.segmenter import Segmenter
    from nnbook.gui.server import open_page, serve
    from nnbook.io.choices import list_choices
    from nnbook.io.images import image_shape

    for path in call.images:
        if path.is_file() and path.suffix.lower() not in {".csv", ".tsv", ".txt"}:
            # What is no image is refused before a browser opens; among planes one can choose there.
            image_shape(path, list_choices(path).plane(0, 0))

    def ready(address: str) -> None:
        if call.no_browser:
            print_values(call, {"address": address})
            sys.stdout.flush()  # who reads it through a pipe waits for it
        else:
            open_page(address)

    try:
        segmenter = Segmenter(call.images, method=call.method, channel=call.channel, project=call.project)
        serve(segmenter, port=call.port, ready=ready)
    except KeyboardInterrupt:
        return  # as it is meant to end
