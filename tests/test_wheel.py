"""The package as others get it: a wheel, installed where there is no checkout, has all that it needs."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from nnbook.book.new import STARTER
from nnbook.cli.extras import MODULES
from nnbook.io import write_image
from nnbook.simulation import simulate

ROOT = Path(__file__).parents[1]
BUNDLES = ROOT / "widgets" / "dist"
VIEWS = (
    "cells", "channels", "codec-blosc", "codec-lz4", "codec-zstd", "deepzoom", "methods", "mosaic", "nuclei",
    "panorama", "primer", "scatter", "segment", "segment-offline", "segment-webgpu", "segment-worker",
)  # fmt: skip
THEME = ("build/server.mjs", "build/assets.json", "public/favicon.svg", "public/assets/a.woff2", "template.yml")
SITE = (
    "plugins/nnbook.mjs", "plugins/own-host.mjs", "plugins/print.mjs", "templates/docx/template.yml",
    "templates/typst/myst-imports.typ", "templates/typst/subpar.typ", "templates/typst/template.typ",
    "templates/typst/template.yml", *(f"theme/{name}" for name in THEME),
)  # fmt: skip

# Makes an environment into one that has no extra of nnbook. IPython comes with the views.
BLOCK = f"""
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name in {sorted({module for modules in MODULES.values() for module in modules} - {"IPython"})}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Missing())
"""

# What a reader does first: mask an image, and look at it. Prints what came of it.
SESSION = """
import json, sys
import nnbook
from nnbook.cli import main
from ipywidgets.embed import embed_snippet
import nnbook.cells, nnbook.evaluation.hard_cases, nnbook.measurement, nnbook.training.loop, nnbook.viewers.pyramid
assert main(["segment", "panorama.tif"]) == 0
masks = nnbook.read_mask("masks/panorama_cp_masks.tif")
html = embed_snippet(views=[nnbook.PanoramaViewer("panorama.tif", masks)])
state = html.partition('<script type="application/vnd.jupyter.widget-state+json">')[2].partition("</script>")[0]
models = json.loads(state)["state"].values()
scripts = [model["state"]["_esm"] for model in models if "_esm" in model["state"]]
from nnbook.values import CITED
print(json.dumps({"file": nnbook.__file__, "nuclei": int(masks.max()), "scripts": scripts, "cited": len(CITED)}))
"""

# Where the parts of a site are, of a package without extras that can't build one.
PARTS = """
import json
from importlib import resources
import nnbook.cli
from nnbook.book.parts import site_parts
statuses = [nnbook.cli.main(call) for call in (["check", "--text"], ["pull", "lab/nuclei", "--out", "pulled"])]
print(json.dumps({"statuses": statuses, "parts": {name: str(path) for name, path in site_parts().items()}}))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built offline from a copy of the sources: setuptools writes into the folder that it builds."""
    if missing := [name for name in VIEWS if not (BUNDLES / f"{name}.mjs").is_file()]:
        reason = f"{BUNDLES}: has no {missing[0]}.mjs; run 'make widgets/dist/.done'. The wheel has NOT been tested"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    source = tmp_path_factory.mktemp("source")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    shutil.copytree(
        ROOT / "src", source / "src", symlinks=True, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info")
    )
    shutil.copytree(ROOT / "models", source / "models")
    for name in ("plugins", "templates"):
        shutil.copytree(ROOT / name, source / name)
    shutil.copytree(BUNDLES, source / "widgets" / "dist")
    for name in THEME:  # a theme in name only: building it takes Node
        (source / "theme" / name).parent.mkdir(parents=True, exist_ok=True)
        (source / "theme" / name).write_text("", encoding="utf-8")
    out = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index",
         "--wheel-dir", str(out), str(source)],
        check=True,
    )  # fmt: skip
    (path,) = out.glob("*.whl")
    return path


def test_the_wheel_has_the_data_that_the_package_reads_and_no_other(wheel: Path) -> None:
    package = ROOT / "src" / "nnbook"
    with zipfile.ZipFile(wheel) as archive:
        names = {
            name for name in archive.namelist() if not name.endswith((".py", ".pyi")) and ".dist-info/" not in name
        }
        modules = {name for name in archive.namelist() if name.endswith((".py", ".pyi"))}
    assert names == {
        "nnbook/figures/count_brightness.json",
        "nnbook/methods/weights/forest.npz",
        "nnbook/methods/weights/nuset.npz",
        "nnbook/py.typed",
        "nnbook/segmentation/weights/nnbook_nuclei",
        "nnbook/reviews/datasets.yml",
        "nnbook/reviews/guide.yml",
        "nnbook/reviews/methods.yml",
        "nnbook/values/nuset_paper.yml",
        "nnbook/values/published.yml",
        "nnbook/book/standalone.html",
        "nnbook/book/standalone.js",
        "nnbook/gui/page.html",
        *(f"nnbook/viewers/bundles/{name}.mjs" for name in VIEWS),
        "nnbook/viewers/bundles/ort.wasm",
        "nnbook/viewers/bundles/ort-webgpu.wasm",
        *(f"nnbook/book/shipped/{name}" for name in SITE),
        *(f"nnbook/{path.relative_to(package).as_posix()}" for path in STARTER.rglob("*") if path.is_file()),
    }
    assert modules == {f"nnbook/{path.relative_to(package).as_posix()}" for path in package.rglob("*.py*")
                       if path.suffix in {".py", ".pyi"}}  # fmt: skip


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with nnbook from its wheel, and without its extras."""
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    (packages,) = (folder / "lib").glob("python*/site-packages")
    # The packages of others come from here. Path files of that folder aren't read, so its editable nnbook isn't there.
    (packages / "others.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    (packages / "no_extras.py").write_text(BLOCK, encoding="utf-8")
    (packages / "no_extras.pth").write_text("import no_extras\n", encoding="utf-8")
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(packages),
         str(wheel)],
        check=True,
    )  # fmt: skip
    return folder


def run_in(environment: Path, code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run Python in an environment, in a folder that holds no checkout."""
    return subprocess.run(
        [str(environment / "bin" / "python"), "-I", "-c", code],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_the_wheel_works_where_there_is_no_checkout(environment: Path, tmp_path: Path) -> None:
    image, truth, _ = simulate(seed=1, width_px=512, height_px=640)
    write_image(tmp_path / "panorama.tif", image)
    done = run_in(environment, SESSION, tmp_path)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert Path(found["file"]).is_relative_to(environment)
    assert found["nuclei"] == pytest.approx(truth.max(), abs=2)
    assert found["scripts"] == [(BUNDLES / "panorama.mjs").read_text(encoding="utf-8")]
    assert found["cited"] > 10


def test_a_command_names_the_extra_that_it_lacks(environment: Path, tmp_path: Path) -> None:
    done = run_in(environment, PARTS, tmp_path)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["statuses"] == [1, 1]
    first, second = done.stderr.splitlines()
    assert first.startswith("nnbook check: ")
    assert first.endswith("is not installed; install what this command needs with: pip install 'nnbook[book]'")
    assert second.startswith("nnbook pull: ")
    assert second.endswith("pip install 'nnbook[hub]'")
    parts = {name: Path(path) for name, path in found["parts"].items()}
    assert all(path.is_relative_to(environment) for path in parts.values())
    assert (parts["theme"] / "build" / "server.mjs").is_file()
    assert (parts["widgets/dist"] / "deepzoom.mjs").is_file()
    assert (parts["plugins"] / "nnbook.mjs").is_file()


def test_the_version_is_that_of_the_tag(wheel: Path) -> None:
    """The sources of the wheel have no git; elsewhere setuptools-scm reads the tag."""
    assert wheel.name.startswith("nnbook-0.1.0-")
