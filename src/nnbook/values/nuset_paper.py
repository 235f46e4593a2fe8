"""What the NuSeT paper states, as checked data: `nuset_paper.yml`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

PAPER: Final = Path(__file__).with_suffix(".yml")


@dataclass(frozen=True)
class Stated:
    """A value that the paper states.

    Attributes
    ----------
    value : float
        The value.
    title, where : str
        What it is, and the section that states it.
    unit : str
        Its unit, if any.
    digits : int
        Behind the decimal point.
    """

    value: float
    title: str
    where: str
    unit: str = ""
    digits: int = 0


def read_paper() -> tuple[dict[str, Stated], list[dict[str, str]]]:
    """Return the values by key, and the contradictions: `what`, `one` and `other` of each."""
    content: dict[str, Any] = yaml.safe_load(PAPER.read_text(encoding="utf-8"))
    return {key: Stated(**facts) for key, facts in content["values"].items()}, content["contradictions"]
