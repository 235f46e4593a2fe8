"""The whole build as an RO-Crate: sources, code, data, notebooks and figures in one folder, and what made what.

The form is that of https://www.researchobject.org/ro-crate/ in its version 1.3. Files are hard links where the file
system allows, so that a crate beside its build takes no room.
"""

from __future__ import annotations

import json
import shutil
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import yaml

import nnbook
from nnbook.book.website import full_note
from nnbook.errors import NnbookError
from nnbook.io.edition import LIVE, read_edition
from nnbook.io.files import atomic_write, link_or_copy, sha256

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rocrate.rocrate import ROCrate

    from nnbook.io.paths import PathLike

LICENCES: Final = {
    "CC-BY-4.0": ("https://creativecommons.org/licenses/by/4.0/", "Creative Commons Attribution 4.0 International"),
    "MIT": ("https://opensource.org/license/mit", "MIT License"),
}

SOURCES: Final = {
    "chapters": "The text of the book, MyST Markdown",
    "notebooks": "The notebooks as text, one for each figure or table",
    "src": "The package nnbook, which simulates, segments, measures and draws",
    "plugins": "What puts numbers and provenance into the pages",
    "widgets": "The interactive views, TypeScript",
    "theme": "The theme of the site, TypeScript",
    "templates": "The book on paper: templates for Typst and Word",
    "models": "The segmentation model's weights and its card",
    "data": "The manifest of the panoramas",
    "benchmarks": "What was measured of speed, and how",
    "tests": "The tests of all this",
}
CODE: Final = {"src", "plugins", "widgets", "theme", "templates", "tests"}
ALONE: Final = {
    "README.md": "How to build the book, and what is where",
    "LICENSE": "The licence of the code",
    "CITATION.cff": "How to cite the program and the data",
    "codemeta.json": "What the program is and needs, for machines",
    "Makefile": "The commands that build, test and print the book",
    "myst.yml": "The configuration of the book: authors, licence, table of contents",
    "pyproject.toml": "The package's description, with what it needs and why",
    "requirements.txt": "Every package of the environment by its exact version",
}

RESULTS: Final = {
    "panoramas": "The panoramas, one a file",
    "images": "The images of the author's own, a panorama a file",
    "truth": "The true masks, where they are known",
    "masks": "The masks, one a panorama: 0 is background, 1 to N are nuclei",
    "cells": "The single-cell images: a sharded Zarr group with a Parquet table beside it",
    "mosaic": "The mosaic of cells as Deep Zoom tiles",
    "pyramids": "Deep Zoom tiles of all panoramas, those that are no representatives in a zip each, and previews",
    "accuracy": "Scores of the masks, where the truth is known",
    "published": "What was released with NucleusNet, and what was made of it",
    "full-size": "One simulated panorama as large as the published ones, with its masks",
    "provenance": "What each notebook was made from, and when, as JSON",
    "print": "The book as Typst, PDF, Word, JATS and MECA",
}
TABLES: Final = {
    "manifest.csv": "The panoramas with their experiment, passage and SHA-256",
    "results.csv": "A row a panorama: number of nuclei, mean and spread of intensity",
    "rois.parquet": "A row a nucleus: place, area, intensity",
    "sample.parquet": "The sample of cells that the mosaic shows",
    "numbers.json": "Every value that a notebook named, with what gave it",
    "published.json": "Every value quoted from published work, with its source",
    "edition.json": "What this edition is",
}
FORMATS: Final = {
    ".md": "text/markdown",
    ".ipynb": "application/x-ipynb+json",
    ".json": "application/json",
    ".csv": "text/csv",
    ".parquet": "application/vnd.apache.parquet",
    ".png": "image/png",
    ".yml": "application/yaml",
    ".toml": "application/toml",
    ".cff": "application/yaml",
    "": "text/plain",
    ".txt": "text/plain",
}
PYTHON: Final = "https://w3id.org/workflowhub/workflow-ro-crate#python"
PYTHON_VERSION: Final = "3.11"
COMPLETED: Final = "http://schema.org/CompletedActionStatus"
LEFT_OUT: Final = shutil.ignore_patterns(
    "node_modules", "dist", "build", "public", "__pycache__", "*.egg-info", ".*", "*.tmp"
)


def write_crate(project: PathLike, edition: PathLike, out: PathLike) -> dict[str, int]:
    """Write an edition, and all that it was made with, as an RO-Crate.

    Parameters
    ----------
    project : str or Path
        The book's folder, which holds `myst.yml`.
    edition : str or Path
        The edition's folder, such as `build/twin`.
    out : str or Path
        The crate's folder, which appears in one step, or replaces what was there.

    Returns
    -------
    dict
        `files` and `bytes` of the crate, and `actions`, the executions that it describes.

    Raises
    ------
    NnbookError
        Where the edition is not there, or has no executed notebook with a record of what it was made from.
    """
    from rocrate.rocrate import ROCrate

    project, edition, out = Path(project), Path(edition), Path(out)
    about = yaml.safe_load((project / "myst.yml").read_text(encoding="utf-8"))["project"]
    described = read_edition(edition)
    records = [json.loads(path.read_text(encoding="utf-8")) for path in sorted((edition / "provenance").glob("*.json"))]
    if not records:
        raise NnbookError(f"{edition}: has no records of how its notebooks were made; run 'nnbook run' first")
    with atomic_write(out) as written:
        written.mkdir()
        inside = f"build/{edition.name}"
        for name in [*SOURCES, *ALONE]:
            _include(project / name, written / name)
        for name in [*RESULTS, *TABLES, "figures", "notebooks"]:
            _include(edition / name, written / inside / name)
        crate = ROCrate()
        _describe(crate, about, described.name, full_note(project, edition), max(record["made"] for record in records))
        authors = _authors(crate, about)
        _add_sources(crate, written)
        _add_results(crate, written, inside)
        crate.root_dataset["mentions"] = _one_or_all(
            [_add_action(crate, one, written, inside, authors) for one in records]
        )
        crate.metadata.write(written)
        sizes = [path.stat().st_size for path in _files(written)]
    return {"files": len(sizes), "bytes": sum(sizes), "actions": len(records)}


def _include(source: Path, target: Path) -> None:
    """Link or copy a file or a folder into the crate, if it is there."""
    if source.is_dir():
        shutil.copytree(source, target, ignore=LEFT_OUT, copy_function=link_or_copy)
    elif source.is_file():
        target.parent.mkdir(parents=True, exist_ok=True)
        link_or_copy(source, target)


def _describe(crate: ROCrate, about: dict[str, Any], edition: str, note: str, made: str) -> None:
    """Say what the crate is, and under which licence."""
    identifiers = {
        code: _add(crate, address, "CreativeWork", name=name, description=f"{name} ({code})")
        for code, (address, name) in LICENCES.items()
    }
    _add(crate, PYTHON, "ComputerLanguage", name="Python", url="https://www.python.org/", version=PYTHON_VERSION)
    _add(crate, COMPLETED, "ActionStatusType", name="Completed")
    crate.metadata.extra_terms["sha256"] = "https://schema.org/sha256"
    crate.name = f"{about['title']}: {edition} edition"
    crate.description = f"{about['description']} {note}"
    crate.datePublished = made
    if "keywords" in about:
        crate.keywords = ", ".join(about["keywords"])
    licence = about.get("license")
    if code := licence.get("content") if isinstance(licence, dict) else licence:
        crate.license = identifiers.get(code, code)
    _add(crate, "#nnbook", "SoftwareApplication", name="nnbook", version=nnbook.__version__, url={"@id": "src/"})


def _authors(crate: ROCrate, about: dict[str, Any]) -> list[Any]:
    """Add who wrote the book, as far as it says so."""
    authors = [
        _add(crate, author.get("orcid") or f"#author-{number}", "Person" if "orcid" in author else "Organization",
             name=author["name"])
        for number, author in enumerate(about.get("authors", ()), start=1)
    ]  # fmt: skip
    if authors:
        crate.root_dataset["author"] = _one_or_all(authors)
        crate.root_dataset["publisher"] = authors[0]
    return authors


def _add_sources(crate: ROCrate, folder: Path) -> None:
    """Add what the build was made with, code under its own licence."""
    for name, words in SOURCES.items():
        if (folder / name).is_dir():
            # What isn't code is under the licence of the whole.
            licence = {"license": {"@id": LICENCES["MIT"][0]}} if name in CODE else {}
            properties = {"name": name, "description": words, **licence}
            crate.add_dataset(folder / name, f"{name}/", properties=properties)
    for name, words in ALONE.items():
        if (folder / name).is_file():
            _add_file(crate, folder, name, words)
    for path in _files(folder / "notebooks"):
        name = path.relative_to(folder).as_posix()
        code: dict[str, Any] = {
            "@type": ["File", "SoftwareSourceCode"],
            "programmingLanguage": {"@id": PYTHON},
            "version": nnbook.__version__,
        }
        _add_file(crate, folder, name, f"The notebook {path.stem} as text, before it is executed", **code)


def _add_results(crate: ROCrate, folder: Path, inside: str) -> None:
    """Add what was made: folders of many files as one, figures, tables and notebooks one by one."""
    for name, words in RESULTS.items():
        if (folder / inside / name).is_dir():
            at = f"{inside}/{name}/"
            crate.add_dataset(folder / at, at, properties={"name": name, "description": words})
    for name, words in TABLES.items():
        if (folder / inside / name).is_file():
            _add_file(crate, folder, f"{inside}/{name}", words)
    for name, words in (("figures", "A figure of the book, as paper has it"), ("notebooks", "A notebook, executed")):
        for path in _files(folder / inside / name):
            live = path.parent.name == LIVE
            shows = (
                "What a live figure shows" if live else "A table of the book, whole" if path.suffix == ".csv" else words
            )
            _add_file(crate, folder, path.relative_to(folder).as_posix(), shows)


def _add_action(crate: ROCrate, record: dict[str, Any], folder: Path, inside: str, authors: list[Any]) -> Any:
    """Add the execution of a notebook: when, on what kind of machine, from which files, with what result."""
    name = record["notebook"]
    begun = datetime.fromisoformat(record["made"])
    machine = record["machine"]
    used = [_input(crate, one, folder) for one in record["inputs"]]
    settings = [
        _add(crate, f"#{name}-{key}", "PropertyValue", name=key, value=str(value))
        for key, value in {**record["parameters"], "seed": record["seed"], "commit": record["commit"]}.items()
        if value not in (None, "")
    ]
    action = _add(
        crate,
        f"#made-{name}",
        "CreateAction",
        name=f"Execution of the notebook '{record['title']}'",
        description=f"{record['command']}, with nnbook {record['version']} on {machine['processor']}, "
        f"{machine['system']}, Python {machine['python']}; packages as requirements.txt of SHA-256 "
        f"{record['environment']} lists them.",
        startTime=begun.isoformat(),
        endTime=(begun + timedelta(seconds=record["seconds"])).isoformat(),
        actionStatus={"@id": COMPLETED},
    )
    result = crate.dereference(f"{inside}/notebooks/{name}.ipynb")
    if result is None:
        raise NnbookError(f"notebook {name}: was recorded, but its result is gone; run 'nnbook run' again")
    text = crate.dereference(f"notebooks/{name}.md")
    if authors:
        action["agent"] = authors[0]
    action["instrument"] = [one for one in (crate.dereference("#nnbook"), text) if one is not None]
    action["object"] = _one_or_all([*used, *settings])
    action["result"] = result
    return action


def _input(crate: ROCrate, used: dict[str, Any], folder: Path) -> Any:
    """Return the file that a notebook read, as it was then; one that isn't in the crate is given by its name."""
    name = used["path"]
    if (entity := crate.dereference(name)) is not None:
        return entity
    if (folder / name).is_file():
        return _add_file(crate, folder, name, "Read by a notebook", digest=used["sha256"])
    return _add(crate, f"#{name}", "CreativeWork", name=name, sha256=used["sha256"])


def _add_file(crate: ROCrate, folder: Path, name: str, words: str, digest: str = "", **more: Any) -> Any:
    path = folder / name
    properties: dict[str, Any] = {
        "name": path.name,
        "description": words,
        "contentSize": str(path.stat().st_size),
        "sha256": digest or sha256(path),
        "encodingFormat": FORMATS.get(path.suffix, "application/octet-stream"),
        **more,
    }
    return crate.add_file(path, name, properties=properties)


def _add(crate: ROCrate, identifier: str, kind: str, **properties: Any) -> Any:
    from rocrate.model.contextentity import ContextEntity

    return crate.add(ContextEntity(crate, identifier, properties={"@type": kind, **properties}))


def _one_or_all(values: list[Any]) -> Any:
    """Return one value alone, as RO-Crate 1.3 wants it."""
    return values[0] if len(values) == 1 else values


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file())
