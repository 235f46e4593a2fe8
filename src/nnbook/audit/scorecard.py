"""The scorecard of a repository: a verdict for each criterion, its points, and its badge."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from nnbook.audit.criteria import CRITERIA, POINTS, Criterion, Verdict
from nnbook.audit.repository import Repository, read_repository

if TYPE_CHECKING:
    from nnbook.io.paths import PathLike

LETTER_PX: Final = 6.6
"""How wide a letter of a badge is, on the average, in its type of 11 px."""

COLOURS: Final = ((0.9, "#2e7d32"), (0.6, "#8a6d00"), (0.0, "#b3261e"))
"""From which share of points on a badge has which colour; white text on each has a contrast above 4.5."""


class Judged(NamedTuple):
    """A criterion with its verdict."""

    criterion: Criterion
    verdict: Verdict


@dataclass(frozen=True)
class Scorecard:
    """What a repository has of what a usable method needs.

    Attributes
    ----------
    name : str
        Of the repository's folder.
    judged : tuple of Judged
        A verdict for each of `nnbook.audit.criteria.CRITERIA`.
    """

    name: str
    judged: tuple[Judged, ...]

    @property
    def points(self) -> float:
        """One for each yes, half of one for each partly."""
        return sum(POINTS[one.verdict.verdict] for one in self.judged)

    @property
    def most(self) -> int:
        """The points that can be had."""
        return len(self.judged)

    def as_json(self) -> dict[str, Any]:
        """Return the card as values that JSON can say."""
        return {
            "name": self.name,
            "points": self.points,
            "most": self.most,
            "criteria": [
                {
                    "name": criterion.name,
                    "title": criterion.title,
                    "reason": criterion.reason,
                    "source": criterion.source,
                    "verdict": verdict.verdict,
                    "why": verdict.why,
                    "lacking": verdict.lacking,
                    "evidence": [line._asdict() for line in verdict.evidence],
                }
                for criterion, verdict in self.judged
            ],
        }


def audit(folder: PathLike) -> Scorecard:
    """Hold a repository against what two reviews want of a method that biologists can use.

    Only its files are looked at: nothing is installed, run or fetched.

    Parameters
    ----------
    folder : str or Path
        The top of a checkout, or of an unpacked archive of one.

    Returns
    -------
    Scorecard

    Raises
    ------
    NnbookError
        Where the folder isn't there, or is no repository: see `nnbook.audit.repository.read_repository`.
    """
    return judge(read_repository(folder))


def judge(repository: Repository) -> Scorecard:
    """Give the verdict of each criterion for a repository's files."""
    return Scorecard(repository.name, tuple(Judged(criterion, criterion.judge(repository)) for criterion in CRITERIA))


def draw_badge(card: Scorecard) -> str:
    """Draw a card's points as a badge.

    Parameters
    ----------
    card : Scorecard
        See `audit`.

    Returns
    -------
    str
        An SVG image, 20 px high, with a title for screen readers.
    """
    label, value = "usable by biologists", f"{card.points:g}/{card.most}"
    left, right = (round(len(text) * LETTER_PX) + 12 for text in (label, value))
    colour = next(colour for share, colour in COLOURS if card.points >= share * card.most)
    said = escape(f"{card.name}, {label}: {card.points:g} of {card.most} points")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="20" role="img" aria-label="{said}">'
        f"<title>{said}</title>"
        f'<rect width="{left + right}" height="20" rx="3" fill="#3c4043"/>'
        f'<path d="M{left} 0h{right - 3}a3 3 0 0 1 3 3v14a3 3 0 0 1-3 3h-{right - 3}z" fill="{colour}"/>'
        '<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11" text-anchor="middle">'
        f'<text x="{left / 2:g}" y="14" textLength="{left - 12}">{label}</text>'
        f'<text x="{left + right / 2:g}" y="14" textLength="{right - 12}">{value}</text>'
        "</g></svg>\n"
    )
