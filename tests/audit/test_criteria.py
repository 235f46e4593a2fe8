"""Each criterion on repositories of a few made files: what earns it, in part or whole, and what does not."""

from __future__ import annotations

from typing import Any

import pytest

from nnbook.audit.criteria import CRITERIA, NO, PARTLY, POINTS, YES
from nnbook.audit.repository import Repository

CARD = """\
# A model
## Usage
Load it with `predict.py`.
Trained on 400 images of the data set DSB2018.
| set | F1 |
## Limitations
Fails on histology.
"""
RECIPE = """\
learning_rate = 1e-3
batch_size = 8
epochs = 100
optimizer = torch.optim.Adam(model.parameters())
loss = cross_entropy(output, target)
image = flip(image)
torch.manual_seed(1)
patch_size = 256
"""


def repository(files: dict[str, str | int]) -> Repository:
    """Make a repository of texts, or of binary files of a size."""
    texts = {path: text if isinstance(text, str) else "" for path, text in files.items()}
    sizes = {path: len(text) if isinstance(text, str) else text for path, text in files.items()}
    return Repository("made", tuple(sorted(files)), None, texts, sizes)


CASES: dict[str, list[tuple[dict[str, str | int], str, Any]]] = {
    "licence": [
        ({}, NO, None),
        ({"LICENSE": "MIT License\n\nCopyright"}, YES, ("LICENSE", 1)),
        ({"COPYING.txt": "\n  GNU GENERAL PUBLIC LICENSE\n"}, YES, ("COPYING.txt", 2)),
        ({"LICENSE": "Ask me first."}, PARTLY, ("LICENSE", 1)),
        ({"pyproject.toml": '[project]\nlicense = "MIT"'}, PARTLY, ("pyproject.toml", 2)),
        ({"vendor/LICENSE": "MIT License"}, NO, None),  # of something else
        ({"README.md": "MIT License"}, NO, None),
    ],
    "install": [
        ({}, NO, None),
        ({"requirements.txt": "numpy==1.26\ntorch==2.1 ; python_version > '3'\n"}, YES, ("requirements.txt", 1)),
        ({"requirements.txt": "numpy==1.26\ntorch>=2\n"}, PARTLY, None),
        ({"requirements.txt": "numpy==1.26\ntorch\n"}, PARTLY, ("requirements.txt", 2)),
        ({"environment.yml": "name: x\ndependencies:\n  - python=3.9\n  - numpy=1.26\n"}, YES, ("environment.yml", 3)),
        ({"environment.yml": "name: x\ndependencies:\n  - python\n"}, PARTLY, ("environment.yml", 3)),
        ({"pyproject.toml": "[project]", "uv.lock": "version = 1"}, YES, ("uv.lock", 0)),
        ({"setup.py": "setup(install_requires=['torch'])"}, PARTLY, ("setup.py", 0)),
    ],
    "container": [
        ({}, NO, None),
        ({"Dockerfile": "# x\nFROM python:3.12-slim\n"}, YES, ("Dockerfile", 2)),
        ({"docker/Dockerfile.gpu": "FROM python@sha256:abc\n"}, YES, ("docker/Dockerfile.gpu", 1)),
        ({"Dockerfile": "FROM ubuntu\n"}, PARTLY, ("Dockerfile", 1)),
        ({"Dockerfile": "FROM ubuntu:latest\n"}, PARTLY, ("Dockerfile", 1)),
        ({"Dockerfile": "FROM python:3.12 AS build\nFROM build\n"}, YES, ("Dockerfile", 1)),
        ({"app.def": "Bootstrap: docker\nFrom: python:3.12\n"}, YES, ("app.def", 1)),
        ({"Dockerfile": ""}, NO, None),
    ],
    "documentation": [
        ({}, NO, None),
        ({"README.md": "# A method\n"}, NO, None),
        ({"README.md": "# A\npip install a\n## Usage\n"}, YES, ("README.md", 2)),
        ({"README.md": "# A\n    pip install a\n"}, PARTLY, ("README.md", 2)),
        ({"README.md": "# A", "docs/install.rst": "conda install a", "docs/use.md": "# Getting started"}, YES, None),
        ({"CHANGELOG.md": "pip install a\n## Usage"}, NO, None),
    ],
    "model": [
        ({}, NO, None),
        ({"models/net.pth": 5000}, PARTLY, ("models/net.pth", 0)),
        ({"models/net.pth": 5000, "models/README.md": CARD}, YES, ("models/net.pth", 0)),
        ({"weights/net": 200_000, "MODEL_CARD.md": CARD}, YES, ("weights/net", 0)),
        ({"models/net.pth": 5000, "models/README.md": CARD.replace("F1", "size")}, PARTLY, None),
        ({"models/net.pth": 5000, "README.md": CARD}, PARTLY, None),  # not beside it
        ({"README.md": "The trained model is at https://zenodo.org/record/1"}, PARTLY, ("README.md", 1)),
        ({"models/__init__": 10}, NO, None),
    ],
    "examples": [
        ({}, NO, None),
        ({"examples/a.tif": 5000}, YES, ("examples/a.tif", 0)),
        ({"tests/test_data/a.png": 50}, YES, None),
        ({"examples/a.tif": 0}, NO, None),
        ({"figures/a.png": 50, "examples/run.py": "pass"}, NO, None),
        ({"README.md": "Example data: https://zenodo.org/record/1"}, YES, ("README.md", 1)),
        ({"README.md": "`a get x --out y` fetches example images."}, YES, ("README.md", 1)),
        ({"README.md": "For example, data are images."}, NO, None),
    ],
    "training": [
        ({}, NO, None),
        ({"train.py": RECIPE}, YES, ("train.py", 0)),
        ({"src/training/loop.py": "import torch", "configs/base.yaml": RECIPE}, YES, ("src/training/loop.py", 0)),
        ({"train.py": RECIPE.replace("torch.manual_seed(1)\n", "")}, PARTLY, None),
        ({"train.py": ""}, PARTLY, None),
        ({"tests/test_train.py": RECIPE}, NO, None),
        ({"tsconfig.train.json": RECIPE}, NO, None),
        ({"config.py": RECIPE}, NO, None),
    ],
    "interface": [
        ({"a.py": "def predict(): ..."}, NO, None),
        ({"pyproject.toml": '[project.scripts]\na = "a:main"'}, YES, ("pyproject.toml", 1)),
        ({"setup.py": "entry_points={'console_scripts': []}"}, YES, ("setup.py", 1)),
        ({"gui.py": "from PyQt5 import QtWidgets"}, YES, ("gui.py", 1)),
        ({"src/main/resources/plugins.config": "Plugins>Nuclei"}, YES, None),
        ({"predict.py": "import argparse\nparser = argparse.ArgumentParser()"}, PARTLY, ("predict.py", 2)),
        ({"a.py": "x = 1  # shown as a dash"}, NO, None),
        ({"tests/test_gui.py": "import tkinter"}, NO, None),
    ],
    "tests": [
        ({}, NO, None),
        ({"tests/test_a.py": "def test_a(): ..."}, PARTLY, ("tests/test_a.py", 0)),
        ({"a_test.go": "package a", ".github/workflows/ci.yml": "run: go vet\n"}, PARTLY, None),
        ({"tests/test_a.py": "", ".github/workflows/ci.yml": "on: push\nrun: pytest\n"}, YES, None),
        ({"tests/__init__.py": "", "tests/conftest.py": ""}, NO, None),
    ],
    "limits": [
        ({}, NO, None),
        ({"README.md": "Images of up to 50 MB. Runs locally."}, YES, ("README.md", 1)),
        ({"README.md": "An image of 4096 px takes 2 GB."}, PARTLY, ("README.md", 1)),
        ({"README.md": "Your images are uploaded to our server."}, PARTLY, ("README.md", 1)),
        ({"README.md": "The download has 50 MB."}, NO, None),
    ],
}


def test_every_criterion_has_cases_of_each_verdict() -> None:
    assert list(CASES) == [criterion.name for criterion in CRITERIA]
    for name, cases in CASES.items():
        assert {verdict for _, verdict, _ in cases} >= ({YES, NO} if name == "examples" else set(POINTS)), name


@pytest.mark.parametrize(
    ("name", "files", "verdict", "place"),
    [(name, *case) for name, cases in CASES.items() for case in cases],
)
def test_a_verdict_follows_from_the_files(name: str, files: dict[str, str | int], verdict: str, place: Any) -> None:
    (criterion,) = [one for one in CRITERIA if one.name == name]
    found = criterion.judge(repository(files))
    assert found.verdict == verdict
    assert bool(found.lacking) == (verdict != YES)
    assert found.why
    if place is not None:
        assert (found.evidence[0].path, found.evidence[0].number) == place


def test_what_is_missing_is_named() -> None:
    verdicts = {
        one.name: one.judge(repository({"train.py": RECIPE.replace("flip(image)", "image")})) for one in CRITERIA
    }
    assert verdicts["training"].lacking == "augmentation"
    assert verdicts["limits"].lacking.startswith("how large images may be")
