import argparse
import json
from pathlib import Path

import numpy as np
import pytest

from nnbook.cli import main
from nnbook.cli.options import print_json, print_values
from nnbook.io.images import write_mask

Said = pytest.CaptureFixture[str]


def refuse(word: str) -> None:
    raise AssertionError(f"{word} is no JSON")


def test_numbers_that_are_none_are_null_in_json(capsys: Said) -> None:
    values = {
        "a": float("nan"), "b": [1.5, float("inf"), {"c": np.float64("nan")}], "d": (np.float32("-inf"), np.int64(3)),
        "e": np.float32(0.5), "f": True, "g": None,
    }  # fmt: skip
    print_values(argparse.Namespace(json=True), values)
    expected = {"a": None, "b": [1.5, None, {"c": None}], "d": [None, 3], "e": 0.5, "f": True, "g": None}
    assert json.loads(capsys.readouterr().out, parse_constant=refuse) == expected
    print_json([{"a": float("nan")}], indent=None)
    assert capsys.readouterr().out == '[{"a": null}]\n'


def test_scores_of_masks_without_nuclei_are_json(tmp_path: Path, capsys: Said) -> None:
    for folder in ("predicted", "true"):
        write_mask(tmp_path / folder / "a.tif", np.zeros((8, 9), np.int32))
    assert main(["evaluate", str(tmp_path / "predicted"), str(tmp_path / "true"), "--json"]) == 0
    said = json.loads(capsys.readouterr().out, parse_constant=refuse)
    assert None in said["total"].values()
