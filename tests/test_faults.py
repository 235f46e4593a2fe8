"""Damaged files are refused with a line, or read as they were: `benchmarks/faults.py` with few examples a kind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

BENCHMARK = Path(__file__).parents[1] / "benchmarks" / "faults.py"
EXAMPLES = 8
NOT_HERE = "model"
"""It takes torch, and the time of all others together; tests/segmentation/test_model.py damages models."""


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    out = tmp_path_factory.mktemp("faults") / "faults.json"
    command = [sys.executable, str(BENCHMARK), str(out), "--examples", str(EXAMPLES), "--without", NOT_HERE]
    # In a process of its own: it forks, and limits memory.
    run = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | {"PYTHONWARNINGS": ""})
    print(run.stderr)
    assert run.returncode == 0
    kinds: list[dict[str, Any]] = json.loads(out.read_text(encoding="utf-8"))["kinds"]
    assert len(kinds) > 25
    assert all(sum(one for one in kind.values() if isinstance(one, int)) > EXAMPLES / 2 for kind in kinds)
    return kinds


def test_no_damaged_file_gives_a_traceback_or_hangs(found: list[dict[str, Any]]) -> None:
    assert [kind for kind in found if kind["traceback"] or kind["timeout"] or kind["memory"]] == []


def test_damage_that_a_checksum_covers_is_never_silent(found: list[dict[str, Any]]) -> None:
    checked = [kind for kind in found if kind["checked"] == "all of it"]
    assert len(checked) == 9
    assert [kind for kind in checked if kind["changed"]] == []
