"""Units that the workers of a Dask scheduler make."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

CASE = Path(__file__).parents[1] / "cluster_case.py"


def test_a_worker_dies_another_is_added_and_the_scheduler_begins_anew(tmp_path: Path) -> None:
    folder = tmp_path / "units"
    folder.mkdir()
    done = subprocess.run([sys.executable, CASE, folder], check=True, capture_output=True, text=True, timeout=120)
    found = json.loads(done.stdout)
    assert found["made"] == ["kill once 0", "passes 2", *(f"slow {number}" for number in range(3, 9))]
    assert found["failed"] == {"bad 1": "bad 1: no such image; get it"}
    assert json.loads((folder / "failed.json").read_text()).keys() == {"bad 1"}
    assert "nnbook: the Dask scheduler is gone; waits for it" in done.stderr
    for name in ("kill once 0", "passes 2"):
        assert (folder / name).stat().st_size > 1, "was tried again"
    assert found["closed"] == ["a"], "a unit that a closed client could not hand out is handed out by the next"
    address = found["nowhere"]["address"]
    assert found["nowhere"]["error"].startswith(f"{address}: there is no Dask scheduler (")


def test_without_a_scheduler_nothing_of_dask_is_imported() -> None:
    code = """
import sys
import nnbook.cells.writer, nnbook.cli, nnbook.pipeline.editions, nnbook.segmentation.workflow
from nnbook.provenance.units import HERE, make_units
make_units(str, {"a": 1}, HERE, desc="try")
sys.exit(any(name.split(".")[0] in {"dask", "distributed"} for name in sys.modules))
"""
    subprocess.run([sys.executable, "-c", code], check=True, stderr=subprocess.DEVNULL)
