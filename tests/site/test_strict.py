"""The strict build: each fault that a reader would meet stops it, is named, and leaves no site behind."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from reader import copy_book

from nnbook.book.website import build_site
from nnbook.cells import croissant
from nnbook.errors import NnbookError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Fault = Callable[[Path], object]


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
NAMED_BY_MYST = {
    "[](#no_such_part)": "no_such_part",
    "{ref}`no_such_role`": "no_such_role",
    "[@nobody2020nothing]": "nobody2020nothing",
    ":::{nosuchdirective}\ntext\n:::": "nosuchdirective",
    "{nosuchrole}`text`": "nosuchrole",
    "![A nucleus](../figures/no-such-image.png)": "no-such-image.png",
    WIDGET % ("no-such-widget.mjs", "{}"): "no-such-widget.mjs",
    WIDGET % ("panorama.mjs", '{ "index": '): "Invalid JSON",
}
SEEN_IN_PAGES = {
    "[a page](no-such-page.md)": "no-such-page",
    ":::{figure} #fig:no-such-output\nSome nuclei.\n:::": "Some nuclei",
}
"""What an author may write that is wrong, and how the build names it. What pages lack is only looked for once they are
built."""

FAULTS = {
    "missing stand-in": (without("build/book/figures/scatter.png"), "scatter.png"),
    "missing static folder": (without("build/book/pyramids"), "build/book/pyramids"),
    "missing executed notebook": (without("build/book/notebooks/scatter.ipynb"), "scatter.ipynb"),
    "failed cell": (failed_cell, "area: a cell of its notebook failed"),
}


def test_the_unchanged_copy_builds_and_a_linked_store_stays_as_it_was(tmp_path: Path) -> None:
    """The description of the site's cells knows of the book, and is the site's alone."""
    project, html = copy_book(tmp_path), tmp_path / "_build" / "html"
    stored = project / "build" / "book" / "cells"
    assert stored.is_symlink()
    before = (stored / croissant.FILE).read_bytes()
    assert build_site(project) == html
    assert (html / "nucleusnet" / "index.html").is_file()
    assert (stored / croissant.FILE).read_bytes() == before
    assert json.loads((html / "build" / "cells" / croissant.FILE).read_bytes())["creator"] != json.loads(before).get(
        "creator"
    )


@pytest.mark.parametrize("faults", [NAMED_BY_MYST, SEEN_IN_PAGES], ids=["myst", "pages"])
def test_what_is_written_wrong_stops_the_build_and_is_named(faults: dict[str, str], tmp_path: Path) -> None:
    """All at once, since a build takes seconds: the message has a line for each."""
    chapter = copy_book(tmp_path) / "chapters" / "index.md"
    chapter.write_text("\n\n".join([chapter.read_text(encoding="utf-8"), *faults]) + "\n", encoding="utf-8")
    lines = stopped(tmp_path).splitlines()[1:]
    for named in faults.values():
        assert any(named in line for line in lines), lines


@pytest.mark.parametrize("kind", FAULTS)
def test_a_fault_stops_the_build(kind: str, tmp_path: Path) -> None:
    fault, named = FAULTS[kind]
    fault(copy_book(tmp_path))
    assert named in stopped(tmp_path)


def stopped(project: Path) -> str:
    """Build a site that can't be built, and hold that none is left; return what is said."""
    earlier = project / "_build" / "html" / "index.html"
    earlier.parent.mkdir(parents=True)
    earlier.write_text("an earlier build", encoding="utf-8")
    with pytest.raises(NnbookError, match="the site can't be built") as caught:
        build_site(project)
    assert not earlier.parent.exists()
    return str(caught.value)
