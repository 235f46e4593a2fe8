"""The scorecard of real folders, its badge, and what is refused."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from nnbook.audit.repository import read_repository
from nnbook.audit.scorecard import audit, draw_badge
from nnbook.cli import main
from nnbook.errors import MissingFileError, NnbookError

PROJECT = Path(__file__).parents[2]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = tmp_path / "method"
    (root / "node_modules").mkdir(parents=True)
    (root / "README.md").write_text("# A method\npip install method\n## Usage\nRuns locally.\n")
    (root / "LICENSE").write_text("MIT License\n")
    (root / "node_modules" / "test_a.py").write_text("of others")
    return root


def test_this_book_is_held_against_the_criteria_too() -> None:
    card = audit(PROJECT)
    lacking = {one.criterion.name: one.verdict.lacking for one in card.judged if one.verdict.lacking}
    assert lacking == {}
    for criterion, verdict in card.judged:
        assert verdict.evidence, criterion.name
        for line in verdict.evidence:
            text = (PROJECT / line.path).read_bytes()
            assert not line.number or line.text[:40] in " ".join(text.decode().splitlines()[line.number - 1].split())


def test_what_is_made_or_installed_is_not_looked_at(repository: Path) -> None:
    assert list(read_repository(repository).files) == ["LICENSE", "README.md"]
    verdicts = {one.criterion.name: one.verdict.verdict for one in audit(repository).judged}
    assert verdicts["tests"] == "no"
    assert (verdicts["licence"], verdicts["documentation"], verdicts["limits"]) == ("yes", "yes", "partly")


def test_git_says_which_files_are_of_a_repository(repository: Path) -> None:
    (repository / "own.txt").write_text("not added")
    for command in (["init", "-q"], ["add", "LICENSE", "README.md"]):
        subprocess.run(["git", "-C", str(repository), *command], check=True)
    assert list(read_repository(repository).files) == ["LICENSE", "README.md"]


def test_binary_and_large_files_are_no_text(repository: Path) -> None:
    (repository / "LICENSE").write_bytes(b"MIT License\0\xff")
    (repository / "README.md").write_text("pip install method\n" * 100_000)
    verdicts = {one.criterion.name: one.verdict.verdict for one in audit(repository).judged}
    assert (verdicts["licence"], verdicts["documentation"]) == ("partly", "no")


def test_what_is_no_repository_is_refused(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.tif").write_bytes(b"II")
    with pytest.raises(NnbookError, match=r"photos: is no repository, as it has no history, README, licence"):
        audit(tmp_path / "photos")
    with pytest.raises(NnbookError, match=r"src: is no repository"):
        audit(PROJECT / "src")  # of a checkout only the top is one
    with pytest.raises(MissingFileError, match=r"none: no such folder"):
        audit(str(tmp_path / "none"))
    with pytest.raises(MissingFileError, match=r"a.tif: no such folder"):
        audit(tmp_path / "photos" / "a.tif")


def test_a_badge_says_the_points(repository: Path) -> None:
    badge = draw_badge(audit(repository))
    root = ET.fromstring(badge)  # noqa: S314 - made here
    assert root.attrib["aria-label"] == "method, usable by biologists: 2.5 of 10 points"
    assert [text for text in root.itertext() if text.strip()][-2:] == ["usable by biologists", "2.5/10"]
    assert "#b3261e" in badge
    named = draw_badge(audit(repository.rename(repository.with_name('a<b>&"c'))))
    assert ET.fromstring(named).attrib["aria-label"].startswith('a<b>&"c,')  # noqa: S314


def test_the_command_explains_each_verdict(
    repository: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["audit", str(repository), "--badge", str(tmp_path / "out" / "badge.svg")]) == 0
    said = capsys.readouterr().out
    assert re.search(r"^yes     Licence: MIT\n          LICENSE:1: MIT License$", said, re.MULTILINE)
    assert re.search(r"^no      Tests: no tests\n          lacking: tests, and .*this book\)$", said, re.MULTILINE)
    assert said.endswith("method: 2.5 of 10 points\n")
    assert (tmp_path / "out" / "badge.svg").read_text().startswith("<svg")
    assert main(["audit", str(repository), "--json"]) == 0
    card = json.loads(capsys.readouterr().out)
    assert (card["points"], len(card["criteria"])) == (2.5, 10)
    assert card["criteria"][0]["evidence"] == [{"path": "LICENSE", "number": 1, "text": "MIT License"}]
    assert main(["audit", str(tmp_path / "out")]) == 1
    assert "is no repository" in capsys.readouterr().err
