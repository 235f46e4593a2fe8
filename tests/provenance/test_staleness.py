"""Each change that matters is made, in a copy of the package: it is noticed, and nothing else is."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).parents[2]
HEAD = "---\nkernelspec:\n  name: python3\n  display_name: Python 3\n---\n\n# A title\n"
NOTEBOOKS = {
    "area": "from nnbook.measurement.imaged_area import area\narea(6_421_000, 8.0453)",
    "results": "from nnbook.io.edition import read_edition\nfrom nnbook.io.results import read_results\n"
    "len(read_results(read_edition().results))",
}
RESULTS = "image,num_rois,mean_intensity,std_intensity\nRun1TL_top_left.tif,40,60.0,12.0\n"
EDITION = {"name": "own", "note": "Ours.", "simulated": False, "px_per_um": 8.0453, "area_px2": 6_421_000}


class Copy:
    """A copy of the package, with two notebooks and an edition."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("src", "requirements.txt"):
            copy = shutil.copytree if (PROJECT / name).is_dir() else shutil.copyfile
            copy(PROJECT / name, folder / name)
        self.edition = folder / "build" / "own"
        (folder / "notebooks").mkdir()
        for name, code in NOTEBOOKS.items():
            (folder / "notebooks" / f"{name}.md").write_text(f"{HEAD}\n```{{code-cell}} ipython3\n{code}\n```\n")
        self.edition.mkdir(parents=True)
        (self.edition / "edition.json").write_text(json.dumps(EDITION))
        (self.edition / "results.csv").write_text(RESULTS)

    def call(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", "import sys; from nnbook.cli import main; sys.exit(main())", *arguments]
        environment = {**os.environ, "PYTHONPATH": str(self.folder / "src")}
        return subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False, timeout=300
        )

    def stale(self) -> dict[str, list[str]]:
        done = self.call("status", "manifest.csv", "--edition", "own", "--json")
        assert done.returncode == 0, done.stderr
        return {one["what"]: one["why"] for one in json.loads(done.stdout)}

    def change(self, name: str, old: str, new: str) -> None:
        path = self.folder / name
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    copy = Copy(tmp_path_factory.mktemp("book"))
    row = "panorama,run,quarter,crop,passage,image,mask,width_px,height_px,px_per_um,image_sha256,source\n"
    for path in (copy.folder / "manifest.csv", copy.edition / "manifest.csv"):
        path.write_text(row + "Run1TL_top_left,1,TL,top_left,P12,a.tif,,2048,2048,8.0453,,\n")
    done = copy.call("notebook", *NOTEBOOKS, "--edition", "own")
    assert done.returncode == 0, done.stderr
    return copy.folder


@pytest.fixture
def copy(executed: Path, tmp_path: Path) -> Copy:
    """The copy, moved to a fresh place: what it recorded holds there too."""
    shutil.copytree(executed, tmp_path / "book")
    again = Copy.__new__(Copy)
    again.folder, again.edition = tmp_path / "book", tmp_path / "book" / "build" / "own"
    return again


CHANGES = {
    "a function that one reaches": (
        ("src/nnbook/measurement/imaged_area.py", "return Area(", "side_um = 1\n    return Area("),
        {"notebook area": ["nnbook.measurement.imaged_area.area changed"]},
    ),
    "a function that it reaches two calls deep": (
        ("src/nnbook/io/results.py", "def _check_numbers(", "@__import__('functools').cache\ndef _check_numbers("),
        {"notebook results": ["nnbook.io.results._check_numbers changed"]},
    ),
    "another function": (("src/nnbook/io/results.py", "def write_results(", "X = 1\n\n\ndef write_results("), {}),
    "only words": (("src/nnbook/measurement/imaged_area.py", '"""', '"""Now: '), {}),
    "a data file": (("build/own/results.csv", ",40,", ",41,"), {"notebook results": ["build/own/results.csv changed"]}),
    "a pinned version": (
        ("requirements.txt", "numpy==", "numpy==9."),
        {"notebook area": ["requirements.txt changed"], "notebook results": ["requirements.txt changed"]},
    ),
    "the code of a notebook": (
        ("notebooks/area.md", "6_421_000", "6_422_000"),
        {"notebook area": ["its code cells changed"]},
    ),
    "the prose of a notebook": (("notebooks/area.md", "A title", "Another title"), {}),
    "the manifest": (
        ("manifest.csv", "P12", "P13"),
        {"stage fetch": ["manifest.csv has 1 other rows, Run1TL_top_left first"]},
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", CHANGES)
def test_a_change_is_noticed_for_what_depends_on_it_alone(copy: Copy, kind: str) -> None:
    change, expected = CHANGES[kind]
    copy.change(*change)
    assert copy.stale() == expected


def test_what_is_up_to_date_is_not_stale_and_a_touched_file_is_no_change(copy: Copy) -> None:
    os.utime(copy.edition / "results.csv")
    done = copy.call("status", "manifest.csv", "--edition", "own")
    assert (done.returncode, done.stdout) == (0, "build/own is up to date\n")


def test_reasons_are_given_in_lines(copy: Copy) -> None:
    copy.change("requirements.txt", "numpy==", "numpy==9.")
    (copy.edition / "notebooks" / "area.ipynb").unlink()
    done = copy.call("status", "manifest.csv", "--edition", "own")
    assert done.stdout.splitlines() == [
        "notebook area: area.ipynb is gone",
        "notebook area: requirements.txt changed",
        "notebook results: requirements.txt changed",
    ]
    assert copy.call("status", "--edition", "none").stdout == "edition: build/none was never made\n"


def test_records_of_stages_are_compared_with_the_present(copy: Copy) -> None:
    records = copy.edition / "records"
    record: dict[str, Any] = {
        "stage": "nnbook.measurement.imaged_area.area",
        "code": {"nnbook.measurement.imaged_area.area": "other", "numpy": "1.0"},
        "settings": {},
        "files": {"gone.tif": [1, 1, ""]},
        "absent": [],
        "listed": {},
        "result": None,
    }
    (records / "measure.json").write_text(json.dumps(record))
    (copy.edition / "masks").mkdir()
    (copy.edition / "masks" / "Run1TL_top_left_cp_masks.json").write_text(json.dumps({**record, "code": {}}))
    (records / "cells.json").write_text("[]")
    (copy.edition / "published" / "cells").mkdir(parents=True)
    (copy.edition / "published" / "cells" / "record.json").write_text("[]")
    stale = copy.stale()
    assert stale["stage published cells"] == ["its record is of another version of nnbook"]
    assert stale["stage cells"] == ["its record is of another version of nnbook"]
    assert "nnbook.measurement.imaged_area.area changed" in stale["stage measure"]
    assert "it no longer depends on numpy" in stale["stage measure"]
    assert "build/own/gone.tif is gone" in stale["stage measure"]
    assert "build/own/masks/gone.tif is gone" in stale["stage segment"]


def test_records_of_panoramas_that_the_manifest_no_longer_has_are_not_stale(copy: Copy) -> None:
    record = json.dumps({"stage": "another version's"})
    for panorama in ("Former", "Run1TL_top_left"):
        for name in (
            f"records/preview-{panorama}.json",
            f"rois-parts/{panorama}/record.json",
            f"cells-parts/{panorama}/record.json",
            f"masks/{panorama}_cp_masks.json",
        ):
            (copy.edition / name).parent.mkdir(parents=True, exist_ok=True)
            (copy.edition / name).write_text(record)
    why = ["its record is of another version of nnbook"]
    present = dict.fromkeys([f"stage {name}" for name in ("preview", "measure", "cells", "segment")], why)
    assert copy.stale() == present  # without a share: one of one
    copy.change("manifest.csv", "Run1TL_top_left", "Other")
    assert copy.stale().keys() == {"stage fetch"}
