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

from nnbook.io import write_image
from nnbook.simulation import simulate

ROOT = Path(__file__).parents[1]
BUNDLES = ROOT / "widgets" / "dist"
VIEWS = ("cells", "deepzoom", "mosaic", "panorama", "scatter")

# What a reader does first: mask an image, and look at it. Prints what came of it.
SESSION = """
import json, sys
import nnbook
from ipywidgets.embed import embed_snippet
masks = nnbook.segment("panorama.tif")
html = embed_snippet(views=[nnbook.PanoramaViewer("panorama.tif", masks)])
state = html.partition('<script type="application/vnd.jupyter.widget-state+json">')[2].partition("</script>")[0]
models = json.loads(state)["state"].values()
scripts = [model["state"]["_esm"] for model in models if "_esm" in model["state"]]
from nnbook.values import CITED
print(json.dumps({"file": nnbook.__file__, "nuclei": int(masks.max()), "scripts": scripts, "cited": len(CITED)}))
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
    shutil.copytree(BUNDLES, source / "widgets" / "dist")
    out = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index",
         "--wheel-dir", str(out), str(source)],
        check=True,
    )  # fmt: skip
    (path,) = out.glob("*.whl")
    return path


def test_the_wheel_has_the_data_that_the_package_reads_and_no_other(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {
            name for name in archive.namelist() if not name.endswith((".py", ".pyi")) and ".dist-info/" not in name
        }
        modules = {name for name in archive.namelist() if name.endswith((".py", ".pyi"))}
    assert names == {
        "nnbook/figures/count_brightness.json",
        "nnbook/py.typed",
        "nnbook/segmentation/weights/nnbook_nuclei",
        "nnbook/values/published.yml",
        *(f"nnbook/viewers/bundles/{name}.mjs" for name in VIEWS),
    }
    package = ROOT / "src" / "nnbook"
    assert modules == {f"nnbook/{path.relative_to(package).as_posix()}" for path in package.rglob("*.py*")
                       if path.suffix in {".py", ".pyi"}}  # fmt: skip


def test_the_wheel_works_where_there_is_no_checkout(wheel: Path, tmp_path: Path) -> None:
    environment = tmp_path / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(environment)], check=True)
    (packages,) = (environment / "lib").glob("python*/site-packages")
    # The packages of others come from here. Path files of that folder aren't read, so its editable nnbook isn't there.
    (packages / "others.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(packages),
         str(wheel)],
        check=True,
    )  # fmt: skip
    elsewhere = tmp_path / "elsewhere"
    image, truth, _ = simulate(seed=1, width_px=512, height_px=640)
    write_image(elsewhere / "panorama.tif", image)
    done = subprocess.run(
        [str(environment / "bin" / "python"), "-I", "-c", SESSION],
        cwd=elsewhere, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert Path(found["file"]).is_relative_to(packages)
    assert found["nuclei"] == pytest.approx(truth.max(), abs=2)
    assert found["scripts"] == [(BUNDLES / "panorama.mjs").read_text(encoding="utf-8")]
    assert found["cited"] > 10
