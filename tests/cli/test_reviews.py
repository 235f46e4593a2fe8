"""The commands that list data sets and methods."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING

import pytest

from nnbook.cli import main
from nnbook.reviews.datasets import known_datasets

if TYPE_CHECKING:
    from pathlib import Path

Said = pytest.CaptureFixture[str]


def test_data_sets_are_listed_filtered_and_exported(capsys: Said) -> None:
    assert main(["datasets", "--dimension", "3D", "--modality", "confocal"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:3]] == ["mouse-blastocyst", "arabidopsis-cotyledon*"]
    assert lines[3:] == [
        "2 data sets; – is what the reviews don't say, ~ about",
        "* the reviews, or others, state something else: --json says what",
    ]
    assert main(["datasets", "--organism", "HUMAN", "--csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert {row["name"] for row in rows} == {"bbbc039", "bbbc006", "bbbc018"}
    assert rows[0]["listed"] == "review: table 1, row 15; short-paper: table 1, row 13"
    assert rows[0]["layout"] == "kind: components, images: images/*.tif, labels: masks/*.png"
    assert (rows[0]["images"], rows[1]["images"]) == ("200", "")
    assert main(["datasets", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert len(listed) == len(known_datasets())
    flagged = next(one for one in listed if one["name"] == "bsst265")["contradictions"]
    assert "S-B5ST265" in json.dumps(flagged)


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (["datasets", "--task", "tracking"], "nnbook datasets: --task is 'tracking'; use one of segmentation"),
        (
            ["datasets", "get", "bbc039", "--out", "x"],
            "nnbook datasets get: NAME is 'bbc039', none that is known",
        ),
        (["datasets", "get", "monuseg", "--out", "x"], "nnbook datasets get: monuseg: can't be converted"),
    ],
)
def test_a_wrong_call_is_answered_with_a_line(
    call: list[str], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Said
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(call) == 1
    assert capsys.readouterr().err.startswith(told)
    assert list(tmp_path.iterdir()) == []
