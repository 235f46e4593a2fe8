from __future__ import annotations

import subprocess
import sys
import textwrap
from importlib import metadata
from typing import TYPE_CHECKING

import jupytext
import numpy as np
import pytest

from nnbook.errors import NnbookError
from nnbook.measurement import imaged_area as area
from nnbook.measurement import rois as measure
from nnbook.pipeline.stages import extract_cells, measure_panoramas
from nnbook.provenance import dependencies
from nnbook.provenance.dependencies import PACKAGE, code_cells, function_dependencies, notebook_dependencies

if TYPE_CHECKING:
    from pathlib import Path

NOTEBOOKS = sorted((PACKAGE.parents[1] / "notebooks").glob("*.md"))
MODULES = {
    "__init__": '__version__ = "1"',
    "deep": """
        import math

        SCALE = 2.0
        UNUSED = 3.0

        def deepest(x):
            '''Scale.'''
            return x * SCALE  # as it is

        def beside(x):
            return math.sqrt(x)
        """,
    "middle": """
        from __future__ import annotations
        from typing import TYPE_CHECKING

        from pack.deep import deepest

        if TYPE_CHECKING:
            from pack.shapes import Shape

        def halfway(x: Shape) -> Shape:
            return deepest(x)
        """,
    "top": """
        from pack import deep, middle

        def entry(x):
            return middle.halfway(x)

        def late(x):
            from pack.deep import beside as other
            return other(x)

        def by_name(name):
            return getattr(deep, name)

        def written_out():
            import importlib
            return importlib.import_module("pack.shapes")

        def computed(name):
            import importlib
            return importlib.import_module(name)
        """,
    "fast": """
        import numba

        LIMIT = 7

        @numba.njit(cache=True)
        def inner(x):
            return x + LIMIT

        @numba.njit(parallel=True)
        def outer(x):
            return inner(x)

        def slow(x):
            return x
        """,
    "shapes": """
        from dataclasses import dataclass, field

        def corners():
            return 4

        class Base:
            def sides(self):
                return corners()

        @dataclass(frozen=True)
        class Shape(Base):
            width: int = field(default_factory=lambda: start())

            def area(self):
                return self.width ** 2

        def start():
            return 1
        """,
    "registry": """
        from pack.shapes import corners

        KNOWN = {}

        def register(function):
            KNOWN[function.__name__] = function
            return function

        @register
        def one():
            return 1

        def call(name):
            return KNOWN[name]()

        def alone():
            return None
        """,
    "plain": """
        import functools

        def twice(function):
            @functools.wraps(function)
            def done(*arguments):
                return function(*arguments) * 2
            return done

        @twice
        def first():
            return 1

        @twice
        def second():
            return 2
        """,
    "acts": """
        import os
        os.environ.setdefault("PACK", "1")

        def nothing():
            return None
        """,
    "takes": """
        import pack.acts
        from pack.middle import *

        def quiet():
            return None

        def starred(x):
            return halfway(x)
        """,
}


@pytest.fixture
def package(tmp_path: Path) -> Path:
    folder = tmp_path / "pack"
    folder.mkdir()
    for name, text in MODULES.items():
        (folder / f"{name}.py").write_text(textwrap.dedent(text))
    return folder


def names(code: str, package: Path) -> set[str]:
    return set(notebook_dependencies(f"# Prose\n\n```{{code-cell}} ipython3\n{code}\n```\n", package))


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("from pack.top import entry", {"top.entry", "middle.halfway", "deep.deepest", "deep.SCALE"}),
        ("import pack.middle\npack.middle.halfway(1)", {"middle.halfway", "deep.deepest", "deep.SCALE"}),
        ("import pack.middle as m\nm.halfway(1)", {"middle.halfway", "deep.deepest", "deep.SCALE"}),
        ("from pack import deep\ndeep.beside(1)", {"deep.beside"}),
        ("from pack import deep\nprint(deep)", {"deep.SCALE", "deep.UNUSED", "deep.deepest", "deep.beside"}),
        ("from pack.top import late", {"top.late", "deep.beside"}),
        ("from pack.top import by_name", {"top.by_name", "deep.SCALE", "deep.UNUSED", "deep.deepest", "deep.beside"}),
        ("from pack.top import written_out", {"top.written_out", "shapes.corners", "shapes.Base", "shapes.Shape",
                                              "shapes.start"}),
        ("from pack.fast import outer", {"fast.outer", "fast.inner", "fast.LIMIT"}),
        ("from pack.shapes import Shape", {"shapes.Shape", "shapes.Base", "shapes.corners", "shapes.start"}),
        ("from pack.registry import call", {"registry.call", "registry.KNOWN", "registry.one", "registry.register"}),
        ("from pack.plain import first", {"plain.first", "plain.twice"}),
        ("from pack.acts import nothing", {"acts", "acts.nothing"}),
        ("from pack.takes import starred", {"takes.starred", "acts", "middle.halfway", "deep.deepest", "deep.SCALE"}),
        ("from pack import __version__", {"__version__"}),
        ("import numpy as np\nnp.zeros(3)", set()),
        ("%matplotlib inline\nfrom pack.deep import beside", {"deep.beside"}),
        ("files = !ls\nfrom pack.deep import beside", {"deep.beside"}),
    ],
)  # fmt: skip
def test_what_a_notebook_reaches(package: Path, code: str, expected: set[str]) -> None:
    assert {name.removeprefix("pack.") for name in names(code, package)} == expected


@pytest.mark.parametrize("code", ["from pack.top import computed", "this is no Python"])
def test_where_the_text_does_not_tell_the_whole_package_is_reached(package: Path, code: str) -> None:
    assert {"pack.fast.slow", "pack.registry.alone", "pack.deep.UNUSED", "pack.acts"} <= names(code, package)


ENTRY = "```{code-cell} ipython3\nfrom pack.top import entry\n```\n"


@pytest.mark.parametrize(
    ("module", "old", "new", "told"),
    [
        ("deep", "x * SCALE", "x * SCALE + 1", "pack.deep.deepest"),
        ("deep", "SCALE = 2.0", "SCALE = 2.5", "pack.deep.SCALE"),
        ("deep", "UNUSED = 3.0", "UNUSED = 4.0", None),
        ("deep", "math.sqrt(x)", "math.cbrt(x)", None),
        ("deep", "  # as it is", "  # but for the scale", None),
        ("deep", "'''Scale.'''", "'''Multiply by the scale.'''", None),
        ("deep", "return x * SCALE", "return (\n        x * SCALE\n    )", None),
        ("shapes", "return 4", "return 5", None),
        ("middle", "return deepest(x)", "return deepest(x) + 1", "pack.middle.halfway"),
    ],
)
def test_only_a_change_of_reached_code_changes_a_hash(
    package: Path, module: str, old: str, new: str, told: str | None
) -> None:
    before = notebook_dependencies(ENTRY, package)
    path = package / f"{module}.py"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    after = notebook_dependencies(ENTRY, package)
    assert [name for name in after if after[name] != before.get(name)] == ([told] if told else [])
    assert list(before) == list(after)


def test_a_file_named_as_a_module_is_reached_with_it(package: Path) -> None:
    (package / "deep.yml").write_text("a: 1")
    before = notebook_dependencies(ENTRY, package)
    assert "pack/deep.yml" in before
    (package / "deep.yml").write_text("a: 2")
    assert notebook_dependencies(ENTRY, package)["pack/deep.yml"] != before["pack/deep.yml"]
    assert "pack/deep.yml" not in names("from pack.fast import slow", package)


FACE = {
    "__init__.py": "import lazy_loader as lazy\n__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)\n",
    "__init__.pyi": "from .round import disc\nfrom .square import box\n\n__all__ = ['box', 'disc']\n",
    "round.py": "import os\nos.environ.setdefault('ROUND', '1')\n\ndef disc():\n    return 1\n",
    "square.py": "def box():\n    return SIDE\n\nSIDE = 2\n\ndef other():\n    return 3\n",
}


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("from pack.room import box", {"square.box", "square.SIDE"}),
        ("from pack.room import box as square_box\nsquare_box()", {"square.box", "square.SIDE"}),
        ("import pack.room\npack.room.box()", {"square.box", "square.SIDE"}),
        ("import pack\npack.room.disc()", {"round", "round.disc"}),
        ("from pack import box", {"square.box", "square.SIDE"}),
        ("import pack\npack.box()", {"square.box", "square.SIDE"}),
        ("import pack.room", set()),
        ("from pack.room import *", {"__getattr__", "__dir__", "__all__", "round", "round.disc", "square.box",
                                     "square.SIDE"}),
    ],
)  # fmt: skip
def test_a_name_is_followed_through_a_stub_to_its_definition(package: Path, code: str, expected: set[str]) -> None:
    room = package / "room"
    room.mkdir()
    for name, text in FACE.items():
        (room / name).write_text(text)
    (package / "__init__.pyi").write_text("from .room import box\n")
    assert {name.removeprefix("pack.room.") for name in names(code, package)} == expected


def test_a_stub_is_followed_afresh_and_is_no_data(package: Path) -> None:
    (package / "deep.pyi").write_text("def deepest(x: float) -> float: ...\n")
    assert "pack/deep.pyi" not in notebook_dependencies(ENTRY, package)
    (package / "__init__.pyi").write_text("from .deep import beside as made\n")
    assert names("from pack import made", package) == {"pack.deep.beside"}
    (package / "__init__.pyi").write_text("from .shapes import corners as made\n")
    assert names("from pack import made", package) == {"pack.shapes.corners"}


def test_the_faces_of_the_package_hand_out_the_definition_alone() -> None:
    def found(code: str) -> set[str]:
        return set(notebook_dependencies(f"```{{code-cell}} ipython3\n{code}\n```\n"))

    for face, module, name in (
        ("nnbook.figures", "nnbook.figures.count_brightness", "scatter"),
        ("nnbook", "nnbook.measurement.rois", "measure"),
        ("nnbook.values", "nnbook.values.computed", "name_numbers"),
    ):
        assert found(f"from {face} import {name}") == found(f"from {module} import {name}") > {f"{module}.{name}"}


def test_a_call_that_is_added_is_followed(package: Path) -> None:
    before = notebook_dependencies(ENTRY, package)
    path = package / "middle.py"
    path.write_text(
        path.read_text().replace("deepest(x)", "deepest(beside(x))").replace("deepest\n", "beside, deepest\n")
    )
    after = notebook_dependencies(ENTRY, package)
    assert set(after) - set(before) == {"pack.deep.beside"}


def test_a_module_that_is_no_python_is_named(package: Path) -> None:
    (package / "middle.py").write_text("def (:\n")
    with pytest.raises(NnbookError, match=r"middle\.py: is no Python"):
        notebook_dependencies(ENTRY, package)


def test_a_module_that_nothing_refers_to_is_not_read(package: Path) -> None:
    before = notebook_dependencies(ENTRY, package)
    (package / "broken.py").write_text("def (:\n")
    assert notebook_dependencies(ENTRY, package) == before


def test_the_code_of_a_stage_is_told_from_another() -> None:
    assert (
        function_dependencies(area.area) == function_dependencies(area.area) != function_dependencies(measure.summarise)
    )
    assert function_dependencies(measure_panoramas) != function_dependencies(extract_cells)


def test_a_stage_reaches_packages_of_others_by_their_version() -> None:
    found = function_dependencies(measure.measure_panorama)
    assert found["numpy"] == np.__version__
    assert found["numba"]
    assert not {"nnbook", "math", "torch", "zarr"} & found.keys()


def test_versions_are_those_of_all_installed_packages_at_little_cost(monkeypatch: pytest.MonkeyPatch) -> None:
    slowly = {
        name: ", ".join(metadata.version(one) for one in sorted(set(several)))
        for name, several in metadata.packages_distributions().items()
        if name not in sys.stdlib_module_names
    }

    def refuse() -> None:
        raise AssertionError("it takes half a second")

    monkeypatch.setattr(metadata, "packages_distributions", refuse)
    dependencies._distributions.cache_clear()
    dependencies._version.cache_clear()
    assert {name: dependencies._version(name) for name in slowly} == slowly


def test_a_stage_reaches_what_it_imports_late_and_passes_on(package: Path) -> None:
    def stage() -> None: ...

    stage.__module__, stage.__qualname__ = "pack.top", "late"
    before = function_dependencies(stage, package)
    path = package / "deep.py"
    path.write_text(path.read_text().replace("SCALE = 2.0", "SCALE = 9"))
    assert function_dependencies(stage, package) == before
    path.write_text(path.read_text().replace("math.sqrt", "math.cbrt"))
    assert function_dependencies(stage, package) != before


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_what_notebooks_of_the_book_import_is_reached(notebook: Path) -> None:
    found = notebook_dependencies(notebook.read_text(encoding="utf-8"))
    code = "\n".join(code_cells(notebook.read_text(encoding="utf-8")))
    assert not [
        name for name in found if name.startswith(("nnbook.simulation.panorama.", "nnbook.pipeline.editions."))
    ], "those come before"
    assert any(
        name.startswith(("nnbook.figures.style.", "nnbook.figures.segmentation.", "nnbook.values.computed."))
        for name in found
    )
    assert ("nnbook.figures.style.picture" in found) == ("picture(" in code)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_cells_are_those_that_jupytext_reads(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    read = [cell.source for cell in jupytext.reads(text, fmt="md:myst").cells if cell.cell_type == "code"]
    assert code_cells(text) == read


def test_cells_are_read_without_jupytext() -> None:
    code = f"""import sys
from nnbook.provenance.dependencies import code_cells
assert code_cells({NOTEBOOKS[0].read_text(encoding="utf-8")!r})
assert "jupytext" not in sys.modules, "its import takes longer than all else that `nnbook status` does"
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_what_was_found_out_of_the_same_sources_is_kept_for_the_next_process(
    package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = tmp_path / "kept.json"

    def forget() -> None:
        monkeypatch.setattr(dependencies, "_answers", {})
        monkeypatch.setattr(dependencies, "_asked", set())

    forget()
    first = function_dependencies("pack.top.entry", package)
    dependencies.remember(kept)
    forget()
    dependencies.recall(kept)
    with monkeypatch.context() as patch:
        patch.setattr(dependencies, "_followed_to_the_end", None)  # it can't be called
        assert function_dependencies("pack.top.entry", package) == first
    deep = package / "deep.py"
    deep.write_text(deep.read_text().replace("2.0", "2.25"))
    assert function_dependencies("pack.top.entry", package) != first
    for damaged in (b"{", b"[1]", b'{"a": 1}', b"\xff"):
        kept.write_bytes(damaged)
        dependencies.recall(kept)
    dependencies.remember(kept)
    forget()
    dependencies.recall(kept)
    assert len(dependencies._answers) == 2
