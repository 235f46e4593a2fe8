"""The rooms of src/nnbook: who imports whom, and what modules are called. Read from the syntax tree alone."""

from __future__ import annotations

import ast
import graphlib
import sys
from pathlib import Path

import pytest

import nnbook

SOURCES = Path(nnbook.__file__).parent

# From the top. A room imports from those of lower floors, and not from its neighbours.
FLOORS = [
    {"cli"},
    {"gui"},
    {"pipeline", "book", "primer", "methods"},
    {"training", "nuset", "figures", "evaluation", "hub", "viewers"},
    {"segmentation", "cells", "simulation", "datasets", "audit", "denoising"},
    {"provenance", "reviews"},
    {"measurement", "values"},
    {"io"},
    {"errors", "__init__"},  # nnbook itself says its version, and hands out the names of others lazily
]
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}

# A package's modules can't hide those of the standard library, but a reader takes one for the other. `io` is what
# scikit-image calls the same thing, and no module here imports Python's `io` beside it.
NAMED_AS_THE_STANDARD_LIBRARY = {"io"}


def modules(package: Path) -> dict[str, list[str]]:
    """Return the modules that each module imports, by dotted names below the package; a package is `room.__init__`."""
    paths = [path.relative_to(package).with_suffix("") for path in package.rglob("*.py")]
    names = {".".join(path.parts): package / path.with_suffix(".py") for path in paths}
    return {
        name: [
            found for target in _targets(path, package.name) if (found := _module(target, names)) not in {None, name}
        ]
        for name, path in names.items()
    }


def _targets(path: Path, package: str) -> list[str]:
    """List what a module imports of the package, wherever in it and if for type checkers only."""
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    full = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    full += [
        f"{node.module}.{alias.name}" for node in nodes if isinstance(node, ast.ImportFrom) for alias in node.names
    ]
    assert not any(isinstance(node, ast.ImportFrom) and node.level for node in nodes), f"{path}: imports relatively"
    return [name.removeprefix(package).removeprefix(".") for name in full if name.split(".")[0] == package]


def _module(target: str, names: dict[str, Path]) -> str | None:
    """Return the module that a dotted name is in: the longest part of it that is one."""
    parts = target.split(".") if target else []
    for end in range(len(parts), -1, -1):
        for name in (".".join(parts[:end]), ".".join([*parts[:end], "__init__"])):
            if name in names:
                return name
    return None


def upward(package: Path) -> list[str]:
    """List the imports that don't lead to a lower floor."""
    found = []
    for name, targets in modules(package).items():
        room = name.split(".")[0]
        for target in targets:
            other = target.split(".")[0]
            if room != other and FLOOR[other] <= FLOOR[room]:
                found.append(f"{name} imports {target}")
    return found


def circle(package: Path) -> list[str]:
    """Return the modules of a circle of imports, if there is one."""
    try:
        list(graphlib.TopologicalSorter(modules(package)).static_order())
    except graphlib.CycleError as error:
        return [str(one) for one in error.args[1]]
    return []


def from_faces(package: Path) -> list[str]:
    """List the imports of names that a room hands out: inside, a name is imported from its module."""
    return [f"{name} imports {target}" for name, targets in modules(package).items() for target in targets
            if target.endswith(".__init__")]  # fmt: skip


def hidden(package: Path) -> list[str]:
    """List modules and rooms that bear a name which their package hands out."""
    found = []
    for stub in package.rglob("__init__.pyi"):
        nodes = ast.walk(ast.parse(stub.read_text(encoding="utf-8")))
        handed = {alias.name for node in nodes if isinstance(node, ast.ImportFrom) for alias in node.names}
        beside = {path.stem for path in stub.parent.iterdir() if path.suffix == ".py" or path.is_dir()}
        found += [f"{stub.parent.name}.{name}" for name in sorted(handed & beside)]
    return found


def shadowing(package: Path) -> list[str]:
    """List modules and rooms that bear the name of one of the standard library's."""
    paths = [path for path in package.rglob("*") if path.suffix == ".py" or (path.is_dir() and not path.is_symlink())]
    return sorted({path.stem for path in paths} & sys.stdlib_module_names)


def test_every_room_has_a_floor() -> None:
    assert {name.split(".")[0] for name in modules(SOURCES)} == FLOOR.keys()


def test_imports_lead_down() -> None:
    assert upward(SOURCES) == []


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert circle(SOURCES) == []


def test_modules_import_from_modules_and_not_from_faces() -> None:
    assert from_faces(SOURCES) == []


def test_no_module_hides_a_name_that_its_package_hands_out() -> None:
    assert hidden(SOURCES) == []


def test_no_module_is_named_as_one_of_the_standard_library() -> None:
    assert set(shadowing(SOURCES)) == NAMED_AS_THE_STANDARD_LIBRARY
    bare = [path for path in SOURCES.rglob("*.py") if "import io\n" in path.read_text(encoding="utf-8")]
    assert [path.name for path in bare if path.parent.name == "io"] == []


@pytest.mark.parametrize(
    ("files", "rule", "found"),
    [
        ({"io/a.py": "from nnbook.cells import b", "cells/b.py": ""}, upward, ["io.a imports cells.b"]),
        ({"io/a.py": "def f():\n    import nnbook.cells.b", "cells/b.py": ""}, upward, ["io.a imports cells.b"]),
        ({"hub/a.py": "from nnbook.figures.b import c", "figures/b.py": ""}, upward, ["hub.a imports figures.b"]),
        ({"cells/a.py": "from nnbook.io.b import c", "io/b.py": ""}, upward, []),
        ({"io/a.py": "from nnbook.io.b import c", "io/b.py": "import nnbook.io.a"}, circle, ["io.a", "io.b", "io.a"]),
        ({"io/a.py": "from nnbook.io import b", "io/b.py": "import os"}, circle, []),
        (
            {"cells/a.py": "from nnbook.io import read", "io/__init__.py": ""},
            from_faces,
            ["cells.a imports io.__init__"],
        ),
        ({"hub/pull.py": "", "hub/__init__.pyi": "from .pull import pull"}, hidden, ["hub.pull"]),
        ({"measure/a.py": "", "__init__.pyi": "from .measurement import measure"}, hidden, ["nnbook.measure"]),
        ({"hub/download.py": "", "hub/__init__.pyi": "from .download import pull"}, hidden, []),
        ({"book/site.py": "", "numbers/a.py": ""}, shadowing, ["numbers", "site"]),
    ],
)
def test_each_rule_can_fail(tmp_path: Path, files: dict[str, str], rule: object, found: list[str]) -> None:
    package = tmp_path / "nnbook"
    for name, text in files.items():
        path = package / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert callable(rule)
    result = rule(package)
    assert sorted(set(result)) == sorted(set(found)) if rule is circle else result == found
