"""What the package declares is what it imports."""

from __future__ import annotations

import ast
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PROJECT = Path(__file__).parents[1]

NOT_IMPORTED = {
    "imagecodecs": "tifffile loads it by itself, to read and write compressed files",
}


def imported() -> dict[str, str]:
    """Return the distributions that the package imports anything of, each with a file that does."""
    distributions = packages_distributions()
    found: dict[str, str] = {}
    for path in (PROJECT / "src" / "nnbook").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            modules = [name.name for name in node.names] if isinstance(node, ast.Import) else []
            modules += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
            for top in {module.split(".")[0] for module in modules} - sys.stdlib_module_names - {"nnbook"}:
                for name in distributions.get(top, [f"(no distribution of the module {top})"]):
                    found[canonicalize_name(name)] = path.relative_to(PROJECT).as_posix()
    return found


def declared() -> list[str]:
    return [canonicalize_name(Requirement(line).name) for line in _project()["dependencies"]]


def optional() -> set[str]:
    groups = _project()["optional-dependencies"].values()
    return {canonicalize_name(Requirement(line).name) for group in groups for line in group}


def _project() -> dict[str, Any]:
    project: dict[str, Any] = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return project


def test_what_is_imported_is_declared_and_nothing_else() -> None:
    found, names = imported(), declared()
    unknown = {name: file for name, file in found.items() if name not in {*names, *optional()}}
    assert unknown == {}, "imported and not declared"
    assert set(names) - found.keys() == NOT_IMPORTED.keys(), "declared and not imported"
    assert optional() <= found.keys(), "optional and not imported"
    assert names == sorted(set(names)), "each once, in alphabetical order"


def test_what_is_declared_is_pinned() -> None:
    lines = (PROJECT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    pinned = [Requirement(line) for line in lines if not line.startswith("#")]
    assert [str(one) for one in pinned if not str(one.specifier).startswith("==")] == []
    assert {*declared(), *optional()} - {canonicalize_name(one.name) for one in pinned} == set()
