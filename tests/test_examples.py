"""The examples in docstrings run, on small files of the names that they use."""

from __future__ import annotations

import doctest
import importlib
import sys
from pathlib import Path

import pytest
from small_files import VIEWS, write_files

import nnbook

PACKAGE = Path(nnbook.__file__).parent
ROOMS = sorted(f"nnbook.{stub.parent.name}" for stub in PACKAGE.glob("*/__init__.pyi"))


def examples() -> dict[str, doctest.DocTest]:
    """Find the examples of all names that the package and its rooms hand out."""
    finder = doctest.DocTestFinder(recurse=False)
    found: dict[str, doctest.DocTest] = {}
    for face in ["nnbook", *ROOMS]:
        module = importlib.import_module(face)
        for name in module.__all__:
            value = getattr(module, name)
            if callable(value):
                (test,) = finder.find(value, name, module=sys.modules[value.__module__], globs={})
                if test.examples:
                    found.setdefault(f"{value.__module__}.{name}", test)
    return found


EXAMPLES = examples()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_files(tmp_path_factory.mktemp("examples"))


def test_every_name_of_the_package_has_an_example() -> None:
    named = {key.rpartition(".")[2] for key in EXAMPLES}
    assert set(nnbook.__all__) - named == {"__version__"}


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_examples_run(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if any(view in name for view in VIEWS):
        monkeypatch.setattr("nnbook.viewers.widgets.BUNDLES", folder / "bundles")
    monkeypatch.chdir(folder)
    said: list[str] = []
    failed, tried = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(EXAMPLES[name], out=said.append)
    assert (failed, tried) == (0, len(EXAMPLES[name].examples)), "".join(said)
    assert not any("+SKIP" in example.source for example in EXAMPLES[name].examples)
