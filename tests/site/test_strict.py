"""The strict build: each fault that a reader would meet stops it, is named, and leaves no site behind."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from reader import copy_book

from nnbook.book.website import build_site
from nnbook.errors import NnbookError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Fault = Callable[[Path], object]


def written(text: str) -> Fault:
    """Write something wrong at the end of the first chapter."""

    def fault(project: Path) -> None:
        chapter = project / "chapters" / "index.md"
        chapter.write_text(f"{chapter.read_text(encoding='utf-8')}\n{text}\n", encoding="utf-8")

    return fault


def without(name: str) -> Fault:
    """Take a file or a linked folder away."""
    return lambda project: (project / name).unlink()


def failed_cell(project: Path) -> None:
    """Leave a notebook behind whose cell put out an error."""
    path = project / "build" / "book" / "notebooks" / "area.ipynb"
    notebook = json.loads(path.read_text(encoding="utf-8"))
    error = {"output_type": "error", "ename": "ValueError", "evalue": "no scale", "traceback": ["ValueError: no scale"]}
    next(cell for cell in notebook["cells"] if cell["cell_type"] == "code")["outputs"] = [error]
    path.write_text(json.dumps(notebook), encoding="utf-8")


WIDGET = ":::{anywidget} ../widgets/dist/%s\n%s\n:::"
FAULTS = {
    "unresolved reference": (written("[](#no_such_part)"), "no_such_part"),
    "unresolved reference by role": (written("{ref}`no_such_part`"), "no_such_part"),
    "link to a missing page": (written("[a page](no-such-page.md)"), "no-such-page"),
    "unknown citation": (written("[@nobody2020nothing]"), "nobody2020nothing"),
    "unknown directive": (written(":::{nosuchdirective}\ntext\n:::"), "nosuchdirective"),
    "unknown role": (written("{nosuchrole}`text`"), "nosuchrole"),
    "missing image": (written("![A nucleus](../figures/no-such-image.png)"), "no-such-image.png"),
    "missing stand-in": (without("build/book/figures/scatter.png"), "scatter.png"),
    "missing widget module": (written(WIDGET % ("no-such-widget.mjs", "{}")), "no-such-widget.mjs"),
    "broken widget JSON": (written(WIDGET % ("panorama.mjs", '{ "index": ')), "Invalid JSON"),
    "missing static folder": (without("build/book/pyramids"), "build/book/pyramids"),
    "missing executed notebook": (without("build/book/notebooks/scatter.ipynb"), "scatter.ipynb"),
    "failed cell": (failed_cell, "area: a cell of its notebook failed"),
    "figure of no notebook": (written(":::{figure} #fig:no-such-output\nSome nuclei.\n:::"), "Some nuclei"),
}


def test_the_unchanged_copy_builds(tmp_path: Path) -> None:
    assert build_site(copy_book(tmp_path)) == tmp_path / "_build" / "html"
    assert (tmp_path / "_build" / "html" / "nucleusnet" / "index.html").is_file()


@pytest.mark.parametrize("kind", FAULTS)
def test_a_fault_stops_the_build(kind: str, tmp_path: Path) -> None:
    fault, named = FAULTS[kind]
    fault(copy_book(tmp_path))
    earlier = tmp_path / "_build" / "html" / "index.html"
    earlier.parent.mkdir(parents=True)
    earlier.write_text("an earlier build", encoding="utf-8")
    with pytest.raises(NnbookError, match="the site can't be built") as caught:
        build_site(tmp_path)
    assert named in str(caught.value)
    assert not earlier.parent.exists()
