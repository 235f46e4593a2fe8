"""What CITATION.cff and codemeta.json say: the one in the words of its form, the other as pyproject.toml has it.

After a change of either, `PYTHONPATH=src python tests/book/test_codemeta.py` writes codemeta.json anew.
"""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import yaml

PROJECT = Path(__file__).parents[2]
FILE = PROJECT / "codemeta.json"
CFF_TYPES = {"data", "software", "software-code", "article", "book", "website"}
"""Of the types that a reference may have in CFF 1.2.0, those that are likely here; `dataset` is none of them."""


def citation() -> dict[str, Any]:
    told: dict[str, Any] = yaml.safe_load((PROJECT / "CITATION.cff").read_text("utf-8"))
    return told


def project() -> dict[str, Any]:
    told: dict[str, Any] = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["project"]
    return told


def person(author: dict[str, str]) -> dict[str, str]:
    """An author of CFF: an entity has a name, a person has two."""
    if "name" in author:
        return {"@type": "Organization", "name": author["name"]}
    names = {"givenName": author["given-names"], "familyName": author["family-names"]}
    return {"@type": "Person", **names, **({"@id": author["orcid"]} if "orcid" in author else {})}


def codemeta() -> dict[str, Any]:
    cited, packaged = citation(), project()
    return {
        "@context": "https://w3id.org/codemeta/3.0",
        "@type": "SoftwareSourceCode",
        "name": packaged["name"],
        "description": packaged["description"],
        "version": cited["version"],
        "license": f"https://spdx.org/licenses/{packaged['license']}",
        "author": [person(author) for author in cited["authors"]],
        "keywords": cited["keywords"],
        "programmingLanguage": {"@type": "ComputerLanguage", "name": "Python"},
        "runtimePlatform": f"Python {packaged['requires-python']}",
        "softwareRequirements": packaged["dependencies"],
    }


def test_codemeta_says_what_pyproject_and_the_citation_say() -> None:
    assert json.loads(FILE.read_text("utf-8")) == codemeta(), f"call python {Path(__file__).relative_to(PROJECT)}"


def test_the_citation_and_the_package_agree() -> None:
    cited, packaged = citation(), project()
    assert cited["cff-version"] == "1.2.0"
    assert cited["title"].startswith(f"{packaged['name']}:")
    assert cited["license"] == packaged["license"]
    assert cited["version"] == packaged.get("version", cited["version"])  # else it is that of git's tag


def test_references_are_of_a_type_that_the_form_knows() -> None:
    assert {reference["type"] for reference in citation()["references"]} <= CFF_TYPES


if __name__ == "__main__":
    FILE.write_text(json.dumps(codemeta(), indent=2) + "\n", encoding="utf-8")
