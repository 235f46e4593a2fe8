"""The build as an RO-Crate: its own validator accepts it, and it tells what made which."""

from __future__ import annotations

import json
import shutil
from importlib import resources
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest
import requests
import yaml
from rocrate.rocrate import ROCrate
from rocrate_validator.models import Severity, ValidationSettings
from rocrate_validator.services import validate
from rocrate_validator.utils.http import HttpRequester
from urllib3 import HTTPResponse

from nnbook.book.crate import write_crate
from nnbook.cli import main
from nnbook.errors import NnbookError
from nnbook.io.edition import Edition, write_edition
from nnbook.io.files import sha256

if TYPE_CHECKING:
    from pathlib import Path

# Of the libraries that the validator is built on.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

RECOMMENDED_IN_VAIN = (
    "Local Dataset Data Entities SHOULD list their contents",  # thousands of tiles and shards
    "Organization",  # which has no register's number and no address
    "organization",
    "contactPoint",
    "`author` SHOULD reference a Person",
    "RO-Crate Metadata Entity SHOULD include at least one Schema.org type",  # the library's own entity
)

RECORD: dict[str, Any] = {
    "notebook": "area",
    "title": "The imaged area",
    "figures": ["fig:area"],
    "inputs": [],
    "code": {"nnbook.measurement.imaged_area.area_cm2": "0" * 64},
    "version": "0.1.0",
    "commit": "8b38b6c",
    "parameters": {"name": "own", "px_per_um": 8.0453},
    "seed": None,
    "environment": "1" * 64,
    "machine": {"processor": "x86_64", "system": "Linux 6", "python": "3.11.7"},
    "made": "2026-11-21T15:00:00+00:00",
    "seconds": 4.5,
    "command": "nnbook notebook area --edition own",
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A book of one chapter and one notebook, with an edition of it."""
    folder = tmp_path / "book"
    about = {
        "title": "Nuclei",
        "description": "About nuclei.",
        "authors": [{"name": "A. Author", "orcid": "https://orcid.org/0000-0002-1825-0097"}, {"name": "A lab"}],
        "license": {"content": "CC-BY-4.0", "code": "MIT"},
        "keywords": ["nucleus", "DAPI"],
    }
    texts = {
        "myst.yml": yaml.safe_dump({"version": 1, "project": about}),
        "README.md": "# Nuclei\n",
        "LICENSE": "MIT\n",
        "chapters/index.md": "---\ntitle: Nuclei\n---\n",
        "notebooks/area.md": "# The imaged area\n",
        "src/nnbook/area.py": "",
        "src/nnbook/__pycache__/area.pyc": "",
        "widgets/node_modules/big/index.js": "",
        "widgets/cells/index.ts": "",
        "build/own/results.csv": "image,num_rois\na.tif,3\n",
        "build/own/notebooks/area.ipynb": "{}",
        "build/own/figures/scatter.png": "png",
        "build/own/panoramas/a.tif": "tif",
        "build/own/records/notebook-area.json": "{}",
    }
    for name, text in texts.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    edition = folder / "build" / "own"
    write_edition(Edition(edition, "own", "These are mine.", False, 8.0453, 1))
    inputs = [
        {"path": "build/own/results.csv", "sha256": sha256(edition / "results.csv"), "bytes": 23},
        {"path": "build/published/results.csv", "sha256": "2" * 64, "bytes": 9},
    ]
    (edition / "provenance").mkdir()
    (edition / "provenance" / "area.json").write_text(json.dumps({**RECORD, "inputs": inputs}), encoding="utf-8")
    return folder


@pytest.fixture
def crate(project: Path, tmp_path: Path) -> Path:
    write_crate(project, project / "build" / "own", tmp_path / "crate")
    return tmp_path / "crate"


@pytest.fixture
def offline(tmp_path: Path) -> Path:
    """A cache for the validator with the one address that it asks: RO-Crate's context, which comes with `rocrate`."""
    cache = tmp_path / "cache"
    HttpRequester.reset()
    HttpRequester.initialize_cache(cache_path=str(cache), offline=True)
    address = "https://w3id.org/ro/crate/1.3/context"
    response = requests.Response()
    response.status_code, response.url = 200, address
    response.headers["Content-Type"] = "application/ld+json"
    content = resources.files("rocrate").joinpath("data/ro-crate.jsonld").read_bytes()
    response._content = content
    response.raw = HTTPResponse(BytesIO(content), response.headers, 200, preload_content=False, request_url=address)
    response.request = requests.Request("GET", address).prepare()
    HttpRequester().session.cache.save_response(response)
    return cache


def problems(crate: Path, cache: Path) -> list[str]:
    settings = ValidationSettings(
        rocrate_uri=str(crate), profile_identifier="ro-crate-1.3", requirement_severity=Severity.RECOMMENDED,
        cache_path=str(cache), offline=True,
    )  # fmt: skip
    return [f"{issue.severity.name}: {issue.message}" for issue in validate(settings).get_issues()]


def test_the_validator_accepts_it(crate: Path, offline: Path) -> None:
    found = problems(crate, offline)
    assert [problem for problem in found if problem.startswith("REQUIRED")] == []
    assert [problem for problem in found if not any(known in problem for known in RECOMMENDED_IN_VAIN)] == []


def test_the_validator_would_find_faults(crate: Path, offline: Path) -> None:
    (crate / "README.md").unlink()
    path = crate / "ro-crate-metadata.json"
    told = json.loads(path.read_text())
    for entity in told["@graph"]:
        entity.pop("datePublished", None)
    path.write_text(json.dumps(told))
    found = "\n".join(problems(crate, offline))
    assert "README.md" in found
    assert "datePublished" in found


def test_it_tells_what_made_which(crate: Path) -> None:
    opened = ROCrate(crate)
    assert opened.name == "Nuclei: own edition"
    assert "These are mine." in opened.description
    assert opened.license.id == "https://creativecommons.org/licenses/by/4.0/"
    assert [author["name"] for author in opened.root_dataset["author"]] == ["A. Author", "A lab"]
    (action,) = opened.get_by_type("CreateAction")
    assert action["result"].id == "build/own/notebooks/area.ipynb"
    assert {one.id for one in action["instrument"]} == {"#nnbook", "notebooks/area.md"}
    assert {one.id for one in action["object"]} >= {"build/own/results.csv", "#build/published/results.csv"}
    assert (action["startTime"], action["endTime"]) == ("2026-11-21T15:00:00+00:00", "2026-11-21T15:00:04.500000+00:00")
    assert "nnbook notebook area --edition own" in action["description"]
    results = opened.dereference("build/own/results.csv")
    assert results["sha256"] == sha256(crate / "build/own/results.csv")
    assert opened.dereference("src/")["license"].id == "https://opensource.org/license/mit"


def test_it_holds_files_and_not_what_is_made_from_them_anew(crate: Path) -> None:
    names = {path.relative_to(crate).as_posix() for path in crate.rglob("*") if path.is_file()}
    assert {
        "chapters/index.md",
        "src/nnbook/area.py",
        "build/own/panoramas/a.tif",
        "build/own/figures/scatter.png",
    } <= names
    assert not any("node_modules" in name or "__pycache__" in name or "records" in name for name in names)


def test_a_crate_beside_its_build_takes_no_room_and_what_is_written_later_leaves_it_alone(
    project: Path, crate: Path
) -> None:
    panorama = project / "build/own/panoramas/a.tif"
    assert panorama.samefile(crate / "build/own/panoramas/a.tif")
    write_edition(Edition(project / "build" / "own", "own", "Another note.", False, 8.0453, 1))
    assert "These are mine." in (crate / "build/own/edition.json").read_text()


def test_an_edition_without_records_is_told(project: Path, tmp_path: Path) -> None:
    shutil.rmtree(project / "build" / "own" / "provenance")
    with pytest.raises(
        NnbookError, match=r"own: has no records of how its notebooks were made; run 'nnbook run' first"
    ):
        write_crate(project, project / "build" / "own", tmp_path / "crate")
    assert not (tmp_path / "crate").exists()


def test_a_record_whose_result_is_gone_is_told(project: Path, tmp_path: Path) -> None:
    (project / "build/own/notebooks/area.ipynb").unlink()
    with pytest.raises(NnbookError, match="notebook area: was recorded, but its result is gone"):
        write_crate(project, project / "build" / "own", tmp_path / "crate")


def test_the_command_says_what_it_wrote(project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call = ["crate", str(project / "build/own"), "--project", str(project), "--out", str(tmp_path / "c"), "--json"]
    assert main(call) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["actions"], told["out"]) == (1, str(tmp_path / "c"))
    assert told["files"] == len([path for path in (tmp_path / "c").rglob("*") if path.is_file()])
