from pathlib import Path

import pytest

from nnbook.edition import Edition, write_edition
from nnbook.errors import NnbookError
from nnbook.site import problems_in, show_edition

CLEAN = """\x1b[32m📖 Built chapters/index.md in 51 ms.\x1b[39m
🌎 Building 3 pages as site
no warning here: 0 errors
"""


def test_clean_output_has_no_problem() -> None:
    assert problems_in(CLEAN) == []


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (
            "\x1b[33m⚠️  chapters/index.md:12 Cross reference target was not found: fig:a\x1b[39m",
            "chapters/index.md:12 Cross reference target was not found: fig:a",
        ),
        ("  \x1b[31m⛔️ chapters/a.md \x1b[1munknown directive\x1b[22m: figur\x1b[39m", "unknown directive: figur"),
        ("❌ widget: broken JSON", "widget: broken JSON"),
        ("\x1b[2mStatic file not found: build/book/pyramids\x1b[22m", "Static file not found: build/book/pyramids"),
    ],
)
def test_warnings_and_errors_are_found_without_colours(line: str, told: str) -> None:
    problems = problems_in(f"{CLEAN}{line}\n{CLEAN}")
    assert len(problems) == 1
    assert problems[0].endswith(told)
    assert "\x1b" not in problems[0]


def test_show_edition_switches_the_book(tmp_path: Path) -> None:
    for name in ("twin", "own"):
        folder = tmp_path / "build" / name
        write_edition(folder, Edition(name, f"This is {name}.", name == "twin", 8.0453, 1))
        assert show_edition(folder, tmp_path).name == name
        assert (tmp_path / "build" / "book").resolve() == folder.resolve()
        assert f"This is {name}." in (tmp_path / "build" / "book" / "edition.yml").read_text()


def test_show_edition_that_is_not_made_changes_nothing(tmp_path: Path) -> None:
    with pytest.raises(NnbookError, match="no such edition"):
        show_edition(tmp_path / "build" / "none", tmp_path)
    assert list(tmp_path.iterdir()) == []
