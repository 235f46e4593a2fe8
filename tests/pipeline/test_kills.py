"""Stages that are killed at their file events and made again, by `benchmarks/kills.py`.

The longest stages are killed at every fifth to eleventh event only; the benchmark does all, and kills at random too.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"

EVERY = {"segment": 5, "measure": 1, "cells": 11, "sample": 1, "mosaic": 7, "pyramid": 11, "twin": 1}

KILL = """
import json, sys
from pathlib import Path
import kills
base, every = Path(sys.argv[1]), json.loads(sys.argv[2])
assert kills.STAGES.keys() == every.keys()
for name in every:
    try:
        found = kills.kill_at_events(kills.prepare_case(name, base / name), every[name])
    except AssertionError as error:
        found = str(error)
    print(json.dumps([name, found]))
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[int] | str]:
    """By stage how often it was killed, and how many events it has; or what went wrong."""
    # In a process of its own, which has started no thread when it forks those that are killed.
    call = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(BENCHMARKS)!r})\n{KILL}"]
    base = tmp_path_factory.mktemp("kills").resolve()
    done = subprocess.run([*call, str(base), json.dumps(EVERY)], check=True, capture_output=True, text=True)
    return dict(map(json.loads, done.stdout.splitlines()))


@pytest.mark.parametrize("stage", EVERY)
def test_a_stage_that_was_killed_is_made_again_as_if_it_had_not_been(
    found: dict[str, list[int] | str], stage: str
) -> None:
    outcome = found[stage]
    assert not isinstance(outcome, str), outcome
    killed, events = outcome
    assert events > 20
    assert killed == -(-events // EVERY[stage])
